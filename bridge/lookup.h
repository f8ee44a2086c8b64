/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lookup: the addresses of the configured server: of a name, or of the one that announces itself.
 */
#ifndef BRIDGE_LOOKUP_H
#define BRIDGE_LOOKUP_H

struct addrinfo;

/* Instead of a name: whoever announces itself by mDNS (browse), if that is one host alone. */
#define LOOKUP_AUTO "auto"

/* Blocks: for `auto` as browse_run does, else as getaddrinfo. `port` is the caller's, not what is
 * announced: a host has several. NULL: none, and *why for people, which stays valid. The result is
 * freed by freeaddrinfo. */
struct addrinfo *lookup(const char *host, const char *port, const char **why);

#endif
