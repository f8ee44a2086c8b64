/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * browse: the USB/IP servers that announce themselves on the local network, as _usbip._tcp by mDNS
 * and DNS-SD (RFC 6762, 6763). Asks the machine's avahi-daemon.
 */
#ifndef BRIDGE_BROWSE_H
#define BRIDGE_BROWSE_H

#include <stdint.h>

#include "bridge/conn.h"

#define BROWSE_MAX_SERVERS 64

/* One server, by whatever interface, protocol and however often it was heard. */
struct browse_server {
	char host[256]; /* its name, as it says; log_clean'ed, but what it may be is up to it */
	char address[CONN_ADDRESS_SIZE]; /* IPv4 if it has one, else not of the link if it has one;
					  * one of the link with its scope: fe80::1%wlan0 */
	uint16_t port;
};

struct browse {
	struct browse_server servers[BROWSE_MAX_SERVERS]; /* sorted by name */
	unsigned count;
};

/* Blocks until nothing more is to be expected, for 5 s at most, or until `stop`, if not
 * negative, is readable. Of more servers than there is room for some are left out, with a warning.
 * 0, or -errno with *why for people, which stays valid; then there may be servers all the same.
 * -ENOTSUP: this build has no mDNS. */
int browse_run(struct browse *b, int stop, const char **why);

#endif
