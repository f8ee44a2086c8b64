/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/subnet.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STR(x) STR_(x)
#define STR_(x) #x

static bool parse(const char *text, uint32_t *address, unsigned *bits)
{
	const char *slash = strchr(text, '/');
	size_t len = slash ? (size_t)(slash - text) : 0, digits = slash ? strlen(slash + 1) : 0;
	char dotted[SUBNET_ADDRESS_SIZE];
	struct in_addr in;

	if (!len || len >= sizeof(dotted) || digits < 1 || digits > 2 ||
		strspn(slash + 1, "0123456789") != digits || (digits == 2 && slash[1] == '0'))
		return false;
	memcpy(dotted, text, len);
	dotted[len] = 0;
	*bits = (unsigned)atoi(slash + 1);
	if (*bits > 32 || inet_pton(AF_INET, dotted, &in) != 1)
		return false;
	*address = ntohl(in.s_addr);
	return true;
}

const char *subnet_parse(struct subnet *out, const char *text)
{
	uint32_t address, size;
	unsigned bits;

	if (!parse(text, &address, &bits))
		return "no IPv4 subnet; allowed: ADDRESS/BITS, such as 192.168.1.0/24";
	if (bits < SUBNET_MIN_BITS)
		return "too large a subnet; allowed: /" STR(SUBNET_MIN_BITS) " to /32";
	size = 1u << (32 - bits);
	out->first = address & ~(size - 1);
	out->count = size;
	if (size > 2) {
		out->first++;
		out->count -= 2;
	}
	return NULL;
}

const char *subnet_address(const struct subnet *s, uint32_t i, char out[SUBNET_ADDRESS_SIZE])
{
	uint32_t a = s->first + i;

	(void)snprintf(out, SUBNET_ADDRESS_SIZE, "%u.%u.%u.%u", a >> 24, a >> 16 & 255,
		a >> 8 & 255, a & 255);
	return out;
}
