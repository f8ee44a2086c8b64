/* SPDX-License-Identifier: GPL-2.0-or-later */
/* importer: who asks for much, and does not take what it is answered. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/importrig.h"

#define OVER "it has more than 1024 URBs or 16 MiB under way"

static void ask(struct importrig *r, uint32_t first, uint32_t end, uint32_t length)
{
	for (uint32_t i = first; i < end; i++)
		importrig_ask(r, i, length);
	importrig_run(r);
}

/* The oldest, with all that was asked for. */
static void end_some(struct importrig *r, unsigned n)
{
	static uint8_t data[USBIP_MAX_TRANSFER];

	while (n--) {
		struct usbdevice_urb *urb = fake_usbdevice_urb(&r->device, 0);

		fake_usbdevice_end(urb, 0, data, urb->length);
	}
}

static unsigned count_answers(struct importrig *r)
{
	struct importrig_answer a;
	unsigned n = 0;

	while (importrig_answer(r, &a))
		n++;
	importrig_expect_nothing(r);
	return n;
}

static void test_most_urbs(void **state)
{
	struct importrig r;

	(void)state;
	importrig_open(&r);
	ask(&r, 1, IMPORTER_MAX_URBS + 1, 8);
	assert_int_equal(r.device.num_urbs, IMPORTER_MAX_URBS);
	for (uint32_t i = 0; i < 50; i++) {
		end_some(&r, 1);
		ask(&r, 2000 + i, 2001 + i, 8);
		assert_int_equal(r.device.num_urbs, IMPORTER_MAX_URBS);
	}
	assert_int_equal(count_answers(&r), 50);
	assert_int_equal(r.closed, 0);
	ask(&r, 3000, 3001, 8);
	importrig_expect_closed(&r, OVER);
	assert_int_equal(r.device.submitted, IMPORTER_MAX_URBS + 50);
	importrig_fini(&r);
}

/* 16 MiB, in whatever sizes they are asked for: what a power of two is rounded up to by its setup
 * packet counts for nothing. */
static void test_most_bytes(void **state)
{
	static const uint32_t lengths[] = {16384, 65536, USBIP_MAX_TRANSFER};

	(void)state;
	for (size_t i = 0; i < PEER_COUNT(lengths); i++) {
		uint32_t most = IMPORTER_MAX_BYTES / lengths[i];
		struct importrig r;

		importrig_open(&r);
		/* Their setup packets are a little over. */
		ask(&r, 1, most, lengths[i]);
		assert_int_equal(r.closed, 0);
		assert_int_equal(r.device.num_urbs, most - 1);
		ask(&r, most, most + 2, lengths[i]);
		importrig_expect_closed(&r, OVER);
		importrig_fini(&r);
	}
}

/* Who does not read its answers is not heard, nor waited for; then it goes on where it was. */
static void test_deaf(void **state)
{
	unsigned submitted;
	struct importrig r;

	(void)state;
	importrig_open(&r);
	importrig_narrow(&r);
	r.peer.deaf = true;
	ask(&r, 1, 201, 65536);
	end_some(&r, 200);
	ask(&r, 201, 401, 65536);
	submitted = r.device.submitted;
	assert_in_range(submitted, 250, 260);
	assert_int_equal(importer_events(r.importer), POLLOUT);
	/* What is at the device comes back meanwhile, and nothing more is asked for. */
	end_some(&r, r.device.num_urbs);
	importrig_run(&r);
	assert_int_equal(r.device.submitted, submitted);
	assert_int_equal(r.closed, 0);
	r.peer.deaf = false;
	importrig_run(&r);
	assert_int_equal(r.device.submitted, 400);
	end_some(&r, r.device.num_urbs);
	importrig_run(&r);
	assert_int_equal(count_answers(&r), 400);
	assert_int_equal(r.closed, 0);
	importrig_fini(&r);
}

/* All that may be is at the device, and stays there; answers that are due do not go. Everything can
 * be unlinked all the same, or the two would wait for each other for ever. */
static void unlink_all(unsigned answered, bool known)
{
	unsigned hanging = IMPORTER_MAX_URBS - answered;
	struct importrig r;

	importrig_open(&r);
	importrig_narrow(&r);
	r.peer.deaf = true;
	ask(&r, 1, answered + 1, 8192);
	end_some(&r, answered);
	ask(&r, answered + 1, IMPORTER_MAX_URBS + 1, 8);
	assert_int_equal(r.device.num_urbs, hanging);
	for (uint32_t i = 1; i <= IMPORTER_MAX_URBS; i++)
		importrig_unlink(&r, 2000 + i, known ? i : 5000 + i);
	importrig_run(&r);
	assert_int_equal(r.device.cancelled, known ? hanging : 0);
	assert_int_equal(fake_usbdevice_end_cancelled(&r.device), known ? hanging : 0);
	importrig_run(&r);
	assert_int_equal(r.closed, 0);
	r.peer.deaf = false;
	importrig_run(&r);
	/* An answer of each that was answered, and one to each unlink. */
	assert_int_equal(count_answers(&r), answered + IMPORTER_MAX_URBS);
	/* All of it is free again, but what still hangs. */
	ask(&r, 4000, 4000 + IMPORTER_MAX_URBS - r.device.num_urbs, 8);
	assert_int_equal(r.device.num_urbs, IMPORTER_MAX_URBS);
	assert_int_equal(r.closed, 0);
	importrig_fini(&r);
}

static void test_unlink_all(void **state)
{
	(void)state;
	unlink_all(0, true);
	unlink_all(1, true);
	unlink_all(500, true);
	unlink_all(1023, true);
	unlink_all(500, false);
}

/* Unlinks of nothing, and no answer is read: they are not all kept. */
static void test_flood_of_unlinks(void **state)
{
	struct importrig r;

	(void)state;
	importrig_open(&r);
	importrig_narrow(&r);
	r.peer.deaf = true;
	for (uint32_t i = 0; i < 10000; i++)
		importrig_unlink(&r, i, 12345);
	importrig_run(&r);
	assert_true(r.peer.out_sent < r.peer.out_size);
	assert_false(importer_events(r.importer) & POLLIN);
	r.peer.deaf = false;
	importrig_run(&r);
	assert_int_equal(count_answers(&r), 10000);
	importrig_fini(&r);
}

/* A request of more than there is room for, whose own data is still to come, waits with it, and so
 * does what is behind it. */
static void test_out_waits(void **state)
{
	struct importrig_request out = {.seqnum = 5000, .ep = 2, .length = 3000};
	const struct usbdevice_urb *last;
	struct importrig r;

	(void)state;
	importrig_open(&r);
	importrig_narrow(&r);
	r.peer.deaf = true;
	ask(&r, 1, 513, 512);
	end_some(&r, 512);
	ask(&r, 513, 1025, 8);
	/* Some answers have gone. */
	while (importer_events(r.importer) & POLLIN) {
		assert_in_range(++out.seqnum, 5001, 5100);
		importrig_submit(&r, &out);
		importrig_run(&r);
	}
	assert_int_equal(r.device.submitted, 1024 + out.seqnum - 5001);
	importrig_unlink(&r, 5001, 600);
	importrig_run(&r);
	assert_int_equal(r.device.cancelled, 0);
	r.peer.deaf = false;
	importrig_run(&r);
	assert_int_equal(r.device.submitted, 1024 + out.seqnum - 5000);
	assert_int_equal(r.device.cancelled, 1);
	last = fake_usbdevice_urb(&r.device, r.device.num_urbs - 1);
	for (uint32_t i = 0; i < out.length; i++)
		assert_int_equal(last->buffer[i], importrig_byte(out.seqnum, i));
	importrig_fini(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_most_urbs),
		cmocka_unit_test(test_most_bytes),
		cmocka_unit_test(test_deaf),
		cmocka_unit_test(test_unlink_all),
		cmocka_unit_test(test_flood_of_unlinks),
		cmocka_unit_test(test_out_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
