/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * roster: what is printed of servers, and which are kept where there are too many. Linked with
 * --wrap=sd_hwdb_new, so that no machine's database of ids has a say in it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bridge/roster.h"
#include "tests/unit/capture.h"

int __wrap_sd_hwdb_new(void **hwdb);

int __wrap_sd_hwdb_new(void **hwdb)
{
	*hwdb = NULL;
	return -1;
}

/* One more, which exports `devices`, or, where these are -1, does not say. */
static void add(struct roster *r, unsigned id, const char *host, const char *address,
	const char *port, int devices)
{
	struct roster_server s = {.id = id, .host = host, .listed = devices >= 0};

	strcpy(s.address, address);
	strcpy(s.port, port);
	s.why = s.listed ? NULL : "Connection refused";
	if (s.listed) {
		s.list.conn.fd = -1;
		s.list.total = s.list.count = (unsigned)devices;
		s.list.entries = calloc((unsigned)devices + 1, sizeof(*s.list.entries));
	}
	for (int i = 0; i < devices; i++) {
		struct usbip_device *d = &s.list.entries[i].device;

		(void)snprintf(d->busid, sizeof(d->busid), "1-%d", i + 1);
		d->vendor = 0x04a9;
		d->product = 0x3218;
		d->class = 6;
		d->speed = 3;
	}
	roster_add(r, &s);
}

static void printed(struct roster *r, bool json, char out[8192])
{
	struct capture capture;

	roster_sort(r);
	capture_begin(&capture, 1);
	assert_true(json ? roster_print_json(r) : roster_print(r));
	(void)fflush(stdout);
	capture_end(&capture, out, 8192);
	roster_fini(r);
	assert_int_equal(r->count, 0);
}

static void test_people(void **state)
{
	struct roster r = {0};
	char out[8192];

	(void)state;
	add(&r, 7, "pi.local", "10.0.0.7", "3240", 2);
	add(&r, 2, "", "10.0.0.2", "3240", 0);
	add(&r, 9, "", "10.0.0.9", "3240", 1);
	add(&r, 4, "old.local", "fe80::1%wlan0", "99", -1);
	assert_int_equal(r.listed, 3);
	printed(&r, false, out);
	assert_string_equal(out,
		"10.0.0.2 port 3240\n"
		"  nothing that is not in use\n"
		"old.local  fe80::1%wlan0 port 99: Connection refused\n"
		"pi.local  10.0.0.7 port 3240\n"
		"  1-1        04a9:3218  high    still image     \n"
		"  1-2        04a9:3218  high    still image     \n"
		"10.0.0.9 port 3240\n"
		"  1-1        04a9:3218  high    still image     \n"
		"\nTo choose a camera: sudo ip2usb pair pi.local\n");
}

/* What is to be typed in: a name where it is one and nothing else. */
static void test_hint(void **state)
{
	static const struct {
		const char *host, *address, *port, *hint;
	} cases[] = {
		{"pi.local", "10.0.0.7", "3240", "pair pi.local\n"},
		{"Pi-2.local", "10.0.0.7", "99", "pair Pi-2.local:99\n"},
		{"", "10.0.0.7", "3240", "pair 10.0.0.7\n"},
		{"", "10.0.0.7", "99", "pair 10.0.0.7:99\n"},
		{"", "fe80::1%wlan0", "3240", "pair fe80::1%wlan0\n"},
		{"", "fe80::1%wlan0", "99", "pair [fe80::1%wlan0]:99\n"},
		{"x;reboot", "10.0.0.7", "3240", "pair 10.0.0.7\n"},
		{"$(reboot)", "10.0.0.7", "3240", "pair 10.0.0.7\n"},
		{"x reboot", "10.0.0.7", "3240", "pair 10.0.0.7\n"},
		{"-c", "10.0.0.7", "3240", "pair 10.0.0.7\n"},
		{"pi:99", "10.0.0.7", "3240", "pair 10.0.0.7\n"},
		{"\xc3\xa4.local", "10.0.0.7", "3240", "pair 10.0.0.7\n"},
	};
	char out[8192];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct roster r = {0};
		const char *hint;

		add(&r, 0, cases[i].host, cases[i].address, cases[i].port, 1);
		printed(&r, false, out);
		hint = strstr(out, "pair ");
		if (!hint || strcmp(hint, cases[i].hint))
			fail_msg("'%s': %s", cases[i].host, hint);
	}
}

static void test_no_hint(void **state)
{
	struct roster r = {0};
	char out[8192];

	(void)state;
	add(&r, 0, "", "10.0.0.2", "3240", 0);
	add(&r, 1, "", "10.0.0.3", "3240", -1);
	printed(&r, false, out);
	assert_null(strstr(out, "pair"));
	printed(&r, false, out);
	assert_string_equal(out, "");
}

static void test_json(void **state)
{
	struct roster r = {0};
	char out[8192];

	(void)state;
	add(&r, 2, "pi.local", "10.0.0.7", "3240", 1);
	add(&r, 1, "", "10.0.0.2", "99", -1);
	printed(&r, true, out);
	assert_non_null(strstr(out,
		"[{\n\t\t\"address\":\t\"10.0.0.2\",\n\t\t\"port\":\t99,\n\t\t\"name\":\tnull,\n"
		"\t\t\"error\":\t\"Connection refused\"\n\t}, {\n"
		"\t\t\"address\":\t\"10.0.0.7\",\n\t\t\"port\":\t3240,\n"
		"\t\t\"name\":\t\"pi.local\",\n\t\t\"devices\":\t[{\n"));
	assert_non_null(strstr(out, "\"busid\":\t\"1-1\""));
	printed(&r, true, out);
	assert_string_equal(out, "[]\n");
}

static void test_full(void **state)
{
	struct roster r = {0};

	(void)state;
	for (unsigned i = 0; i < ROSTER_MAX; i++)
		add(&r, i, "", "10.0.0.1", "3240", i ? 1 : -1);
	assert_false(r.full);
	assert_int_equal(r.listed, ROSTER_MAX - 1);
	add(&r, 100, "", "10.0.0.2", "3240", -1);
	assert_true(r.full);
	assert_int_equal(r.servers[0].id, 0);
	/* Takes the place of the one that does not say. */
	add(&r, 101, "", "10.0.0.3", "3240", 1);
	assert_int_equal(r.listed, ROSTER_MAX);
	add(&r, 102, "", "10.0.0.4", "3240", 1);
	assert_int_equal(r.count, ROSTER_MAX);
	assert_int_equal(r.listed, ROSTER_MAX);
	roster_sort(&r);
	assert_int_equal(r.servers[0].id, 1);
	assert_int_equal(r.servers[ROSTER_MAX - 1].id, 101);
	roster_fini(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_people),
		cmocka_unit_test(test_hint),
		cmocka_unit_test(test_no_hint),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
