/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "bridge/publicaddress.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* The first and the last of each network, and their neighbours. */
static const char *const private4[] = {"127.0.0.1", "127.0.0.0", "127.255.255.255", "10.0.0.0",
	"10.255.255.255", "172.16.0.0", "172.31.255.255", "192.168.0.0", "192.168.255.255",
	"169.254.0.0", "169.254.255.255", "0.0.0.0"};
static const char *const public4[] = {"126.255.255.255", "128.0.0.0", "9.255.255.255", "11.0.0.0",
	"172.15.255.255", "172.32.0.0", "192.167.255.255", "192.169.0.0", "169.253.255.255",
	"169.255.0.0", "0.0.0.1", "8.8.8.8", "100.64.0.1", "100.127.255.254", "224.0.0.1",
	"255.255.255.255"};
static const char *const private6[] = {"::", "::1", "fe80::", "fe80::1", "febf:ffff::1",
	"fc00::", "fd12:3456:789a::1", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"};
static const char *const public6[] = {"::2", "2001:db8::1", "2a00:1450:4001::1", "fe7f:ffff::1",
	"fec0::1", "fbff::1", "fe00::1", "ff02::1",
	/* In IPv6's form, but not that of IPv4 in it. */
	"::192.168.0.1", "::fffe:192.168.0.1", "1::ffff:192.168.0.1", "64:ff9b::192.168.0.1",
	"2002:c0a8:1::1"};

static bool is_public(int family, const char *text)
{
	struct sockaddr_storage address;
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(3240)};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(3240)};

	memset(&address, 0xff, sizeof(address));
	if (family == AF_INET) {
		assert_int_equal(inet_pton(family, text, &in.sin_addr), 1);
		memcpy(&address, &in, sizeof(in));
	} else {
		assert_int_equal(inet_pton(family, text, &in6.sin6_addr), 1);
		memcpy(&address, &in6, sizeof(in6));
	}
	return publicaddress_is(&address);
}

static void check(int family, const char *const *texts, size_t n, bool expected)
{
	for (size_t i = 0; i < n; i++) {
		if (is_public(family, texts[i]) != expected)
			fail_msg("%s", texts[i]);
	}
}

static void test_ipv4(void **state)
{
	(void)state;
	check(AF_INET, private4, COUNT(private4), false);
	check(AF_INET, public4, COUNT(public4), true);
}

static void test_ipv6(void **state)
{
	(void)state;
	check(AF_INET6, private6, COUNT(private6), false);
	check(AF_INET6, public6, COUNT(public6), true);
}

static void check_mapped(const char *const *texts, size_t n, bool expected)
{
	for (size_t i = 0; i < n; i++) {
		char text[64] = "::ffff:";

		strcat(text, texts[i]);
		if (is_public(AF_INET6, text) != expected)
			fail_msg("%s", text);
	}
}

static void test_mapped(void **state)
{
	(void)state;
	check_mapped(private4, COUNT(private4), false);
	check_mapped(public4, COUNT(public4), true);
}

static void test_local(void **state)
{
	const struct sockaddr_storage address = {.ss_family = AF_UNIX};

	(void)state;
	assert_false(publicaddress_is(&address));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ipv4),
		cmocka_unit_test(test_ipv6),
		cmocka_unit_test(test_mapped),
		cmocka_unit_test(test_local),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
