/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * publicaddress: which of a machine's own addresses the Internet may reach.
 *
 * Pure: no I/O, no allocation, no logging.
 */
#ifndef BRIDGE_PUBLICADDRESS_H
#define BRIDGE_PUBLICADDRESS_H

#include <stdbool.h>

struct sockaddr_storage;

/* All are, but this machine itself (127/8, ::1), private networks (10/8, 172.16/12, 192.168/16:
 * RFC 1918; fc00::/7: RFC 4193), links (169.254/16: RFC 3927; fe80::/10: RFC 4291), and what is no
 * address of IP. Not private is 100.64/10 (RFC 6598): a provider's other customers are in it. That
 * of a socket that listens at all addresses (0.0.0.0, ::) is none either: who connects is at one of
 * them. IPv4 in IPv6's form (::ffff:0:0/96) is as IPv4. */
bool publicaddress_is(const struct sockaddr_storage *address);

#endif
