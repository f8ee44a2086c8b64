/* SPDX-License-Identifier: GPL-2.0-or-later */
/* subnet: what is one, and which addresses it has. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bridge/subnet.h"

static const struct good {
	const char *text;
	uint32_t count;
	const char *first, *last;
} good[] = {
	{"192.168.1.0/24", 254, "192.168.1.1", "192.168.1.254"},
	{"192.168.1.77/24", 254, "192.168.1.1", "192.168.1.254"},
	{"10.0.0.0/20", 4094, "10.0.0.1", "10.0.15.254"},
	{"10.9.8.7/20", 4094, "10.9.0.1", "10.9.15.254"},
	{"10.0.0.0/30", 2, "10.0.0.1", "10.0.0.2"},
	{"10.0.0.7/31", 2, "10.0.0.6", "10.0.0.7"},
	{"10.0.0.7/32", 1, "10.0.0.7", "10.0.0.7"},
	{"0.0.0.0/32", 1, "0.0.0.0", "0.0.0.0"},
	{"255.255.255.255/32", 1, "255.255.255.255", "255.255.255.255"},
	{"255.255.255.255/20", 4094, "255.255.240.1", "255.255.255.254"},
};

static void test_good(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		/* Of these sizes exactly. */
		char *text = strdup(good[i].text), *address = malloc(SUBNET_ADDRESS_SIZE);
		struct subnet s;

		if (subnet_parse(&s, text))
			fail_msg("'%s': %s", text, subnet_parse(&s, text));
		assert_int_equal(s.count, good[i].count);
		assert_string_equal(subnet_address(&s, 0, address), good[i].first);
		assert_string_equal(subnet_address(&s, s.count - 1, address), good[i].last);
		free(text);
		free(address);
	}
}

static const char *const bad[] = {"", "/", "/24", "10.0.0.0", "10.0.0.0/", "10.0.0.0/33",
	"10.0.0.0/99", "10.0.0.0/-1", "10.0.0.0/+24", "10.0.0.0/ 24", "10.0.0.0/24 ",
	"10.0.0.0/024", "10.0.0.0/04", "10.0.0.0/0x18", "10.0.0.0/4294967320", "10.0.0.0/24/24",
	"10.0.0/24", "10.0.0.256/24", "10.0.0.0.0/24", " 10.0.0.0/24", "010.0.0.0/24", "pi/24",
	"fe80::1/24", "::/32", "1234567890123456/24", "255.255.255.2555/24"};

static void test_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct subnet s = {1, 2};
		const char *wrong = subnet_parse(&s, bad[i]);

		if (!wrong || !strstr(wrong, "192.168.1.0/24"))
			fail_msg("'%s': %s", bad[i], wrong ? wrong : "taken");
		assert_true(s.first == 1 && s.count == 2);
	}
}

static void test_too_large(void **state)
{
	static const char *const large[] = {"10.0.0.0/19", "10.0.0.0/8", "0.0.0.0/0"};
	struct subnet s = {1, 2};

	(void)state;
	for (size_t i = 0; i < sizeof(large) / sizeof(large[0]); i++) {
		const char *wrong = subnet_parse(&s, large[i]);

		assert_non_null(wrong);
		assert_non_null(strstr(wrong, "too large"));
		assert_non_null(strstr(wrong, "/20 to /32"));
		assert_true(s.first == 1 && s.count == 2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_too_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
