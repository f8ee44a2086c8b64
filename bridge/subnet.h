/* SPDX-License-Identifier: GPL-2.0-or-later */
/* subnet: the addresses that an IPv4 subnet has for hosts (RFC 4632). Pure. */
#ifndef BRIDGE_SUBNET_H
#define BRIDGE_SUBNET_H

#include <stdint.h>

#define SUBNET_MIN_BITS 20 /* so 4094 addresses at most */
#define SUBNET_ADDRESS_SIZE 16

struct subnet {
	uint32_t first; /* host order */
	uint32_t count; /* > 0 */
};

/* Takes ADDRESS/BITS, such as 192.168.1.0/24; the bits of the host may be set. Left out are the
 * subnet's own address and the one for all in it, where there are such: not of /31 (RFC 3021) and
 * /32. NULL, or what is wrong with `text`, for people; then `out` is as it was. */
const char *subnet_parse(struct subnet *out, const char *text);

/* The address number `i` < count, in digits; returns `out`. */
const char *subnet_address(const struct subnet *s, uint32_t i, char out[SUBNET_ADDRESS_SIZE]);

#endif
