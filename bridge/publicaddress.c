/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/publicaddress.h"

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

static bool is_public4(uint32_t address)
{
	static const struct {
		uint32_t net, mask;
	} others[] = {
		{0, 0xffffffff},
		{0x7f000000, 0xff000000},
		{0x0a000000, 0xff000000},
		{0xac100000, 0xfff00000},
		{0xc0a80000, 0xffff0000},
		{0xa9fe0000, 0xffff0000},
	};

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		if ((address & others[i].mask) == others[i].net)
			return false;
	}
	return true;
}

static bool is_public6(const struct in6_addr *a)
{
	uint32_t last;

	memcpy(&last, &a->s6_addr[12], sizeof(last));
	if (IN6_IS_ADDR_V4MAPPED(a))
		return is_public4(ntohl(last));
	return !IN6_IS_ADDR_UNSPECIFIED(a) && !IN6_IS_ADDR_LOOPBACK(a) &&
		!IN6_IS_ADDR_LINKLOCAL(a) && (a->s6_addr[0] & 0xfe) != 0xfc;
}

bool publicaddress_is(const struct sockaddr_storage *address)
{
	struct sockaddr_in in;
	struct sockaddr_in6 in6;

	switch (address->ss_family) {
	case AF_INET:
		memcpy(&in, address, sizeof(in));
		return is_public4(ntohl(in.sin_addr.s_addr));
	case AF_INET6:
		memcpy(&in6, address, sizeof(in6));
		return is_public6(&in6.sin6_addr);
	default:
		return false;
	}
}
