/* SPDX-License-Identifier: GPL-2.0-or-later */
/* importer: URBs that are given up. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/importrig.h"

static void test_cancelled(void **state)
{
	struct importrig r;

	(void)state;
	importrig_open(&r);
	importrig_ask(&r, 1, 512);
	importrig_ask(&r, 2, 512);
	importrig_unlink(&r, 9, 1);
	importrig_run(&r);
	/* Not before it has come back. */
	importrig_expect_nothing(&r);
	assert_int_equal(r.device.cancelled, 1);
	assert_true(fake_usbdevice_is_cancelled(fake_usbdevice_urb(&r.device, 0)));
	assert_int_equal(fake_usbdevice_end_cancelled(&r.device), 1);
	importrig_run(&r);
	importrig_expect(&r, 4, 9, -ECONNRESET);
	importrig_expect_nothing(&r);
	fake_usbdevice_end(fake_usbdevice_urb(&r.device, 0), 0, "hello", 5);
	importrig_run(&r);
	importrig_expect(&r, 3, 2, 0);
	importrig_expect_nothing(&r);
	importrig_fini(&r);
}

/* It was faster: what it brought comes, then it is told that there was nothing to be given up. */
static void test_ended_meanwhile(void **state)
{
	static const int statuses[] = {0, -EPIPE, -ESHUTDOWN, -EOVERFLOW};
	struct importrig_answer a;
	struct importrig r;

	(void)state;
	importrig_open(&r);
	for (size_t i = 0; i < PEER_COUNT(statuses); i++) {
		importrig_ask(&r, 1, 512);
		importrig_unlink(&r, 9, 1);
		importrig_run(&r);
		fake_usbdevice_end(fake_usbdevice_urb(&r.device, 0), statuses[i], "hello", 5);
		importrig_run(&r);
		assert_true(importrig_answer(&r, &a));
		assert_int_equal(a.command, 3);
		assert_int_equal(a.seqnum, 1);
		assert_int_equal(a.status, statuses[i]);
		assert_int_equal(a.actual, 5);
		assert_memory_equal(a.data, "hello", 5);
		importrig_expect(&r, 4, 9, 0);
		importrig_expect_nothing(&r);
	}
	importrig_fini(&r);
}

/* Cancelled by nobody's wish: a call of the device has had it in its way. */
static void test_cancelled_by_itself(void **state)
{
	struct importrig r;

	(void)state;
	importrig_open(&r);
	importrig_ask(&r, 1, 512);
	importrig_run(&r);
	fake_usbdevice_end(fake_usbdevice_urb(&r.device, 0), -ECONNRESET, NULL, 0);
	importrig_run(&r);
	importrig_expect(&r, 3, 1, -ECONNRESET);
	importrig_expect_nothing(&r);
	importrig_fini(&r);
}

static void test_unknown(void **state)
{
	struct importrig r;

	(void)state;
	importrig_open(&r);
	importrig_unlink(&r, 9, 1);
	importrig_run(&r);
	importrig_expect(&r, 4, 9, 0);
	importrig_ask(&r, 1, 512);
	importrig_run(&r);
	fake_usbdevice_end(fake_usbdevice_urb(&r.device, 0), 0, "", 0);
	importrig_unlink(&r, 10, 1);
	/* An unlink's own number is nothing that can be given up. */
	importrig_unlink(&r, 11, 10);
	importrig_run(&r);
	importrig_expect(&r, 3, 1, 0);
	importrig_expect(&r, 4, 10, 0);
	importrig_expect(&r, 4, 11, 0);
	importrig_expect_nothing(&r);
	importrig_fini(&r);
}

/* The second finds nothing that could still be given up. */
static void test_twice(void **state)
{
	struct importrig r;

	(void)state;
	importrig_open(&r);
	importrig_ask(&r, 1, 512);
	importrig_unlink(&r, 9, 1);
	importrig_unlink(&r, 10, 1);
	importrig_unlink(&r, 11, 1);
	importrig_run(&r);
	importrig_expect(&r, 4, 10, 0);
	importrig_expect(&r, 4, 11, 0);
	importrig_expect_nothing(&r);
	assert_int_equal(r.device.cancelled, 1);
	fake_usbdevice_end_cancelled(&r.device);
	importrig_run(&r);
	importrig_expect(&r, 4, 9, -ECONNRESET);
	importrig_expect_nothing(&r);
	importrig_fini(&r);
}

/* Two of the same number are two: each unlink takes one. */
static void test_same_seqnum(void **state)
{
	struct importrig r;

	(void)state;
	importrig_open(&r);
	importrig_ask(&r, 1, 512);
	importrig_ask(&r, 1, 512);
	importrig_unlink(&r, 9, 1);
	importrig_run(&r);
	assert_int_equal(r.device.num_urbs, 2);
	assert_int_equal(fake_usbdevice_end_cancelled(&r.device), 1);
	importrig_run(&r);
	importrig_expect(&r, 4, 9, -ECONNRESET);
	importrig_unlink(&r, 10, 1);
	importrig_run(&r);
	assert_int_equal(fake_usbdevice_end_cancelled(&r.device), 1);
	importrig_run(&r);
	importrig_expect(&r, 4, 10, -ECONNRESET);
	importrig_expect_nothing(&r);
	importrig_fini(&r);
}

/* In one piece, and cut everywhere, with an OUT request around it. */
static void test_split(void **state)
{
	const struct importrig_request out = {.seqnum = 2, .ep = 2, .length = 31};

	(void)state;
	for (size_t split = 0; split <= 4 * 48 + 62; split++) {
		struct importrig_request again = out;
		struct importrig r;

		importrig_open(&r);
		r.peer.split = split;
		importrig_submit(&r, &out);
		importrig_unlink(&r, 9, 2);
		again.seqnum = 3;
		importrig_submit(&r, &again);
		importrig_unlink(&r, 10, 3);
		importrig_run(&r);
		assert_int_equal(fake_usbdevice_end_cancelled(&r.device), 2);
		importrig_run(&r);
		importrig_expect(&r, 4, 9, -ECONNRESET);
		importrig_expect(&r, 4, 10, -ECONNRESET);
		importrig_expect_nothing(&r);
		importrig_fini(&r);
	}
}

/* A busy device does not hear of them, as nothing is read; they are not lost. */
static void test_while_busy(void **state)
{
	struct importrig r;

	(void)state;
	importrig_open(&r);
	importrig_ask(&r, 1, 512);
	importrig_run(&r);
	r.device.busy = true;
	importrig_unlink(&r, 9, 1);
	importrig_run(&r);
	assert_int_equal(r.device.cancelled, 0);
	fake_usbdevice_end(fake_usbdevice_urb(&r.device, 0), 0, "", 0);
	importrig_run(&r);
	importrig_expect(&r, 3, 1, 0);
	r.device.busy = false;
	importrig_run(&r);
	importrig_expect(&r, 4, 9, 0);
	importrig_expect_nothing(&r);
	importrig_fini(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cancelled),
		cmocka_unit_test(test_ended_meanwhile),
		cmocka_unit_test(test_cancelled_by_itself),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_twice),
		cmocka_unit_test(test_same_seqnum),
		cmocka_unit_test(test_split),
		cmocka_unit_test(test_while_busy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
