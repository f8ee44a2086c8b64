/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * client at its limits: all URBs in flight, seqnums all used up, and no allocation.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/allocations.h"
#include "tests/unit/many.h"
#include "tests/unit/quick.h"

static void test_table_full(void **state)
{
	struct many *m = many_new();

	(void)state;
	for (int round = 0; round < 3; round++) {
		struct client_urb *extra = &m->urbs[CLIENT_MAX_URBS];

		many_submit(m, 0, CLIENT_MAX_URBS);
		assert_int_equal(client_submit(m->s.client, extra), -ENOBUFS);
		many_see(m);
		assert_int_equal(m->num_seqnums, CLIENT_MAX_URBS);
		assert_int_equal(client_submit(m->s.client, extra), -ENOBUFS);
		/* One has gone: its place, and only that, is free. */
		many_answer(m, m->seqnums[700]);
		session_run(&m->s);
		assert_ptr_equal(m->last, &m->urbs[700]);
		assert_int_equal(client_submit(m->s.client, extra), 0);
		assert_int_equal(client_submit(m->s.client, &m->urbs[700]), -ENOBUFS);
		for (unsigned i = CLIENT_MAX_URBS; i--;)
			if (i != 700)
				many_answer(m, m->seqnums[i]);
		many_see(m);
		assert_int_equal(m->num_seqnums, 1);
		many_answer(m, m->seqnums[0]);
		many_see(m);
		assert_ptr_equal(m->last, extra);
		assert_int_equal(m->done, (round + 1) * MANY);
	}
	assert_int_equal(m->s.closed, 0);
	many_free(m);
}

static void test_refused_submit_costs_nothing(void **state)
{
	struct many *m = many_new();

	(void)state;
	m->urbs[0].length = USBIP_MAX_TRANSFER + 1;
	for (int i = 0; i < 2 * CLIENT_MAX_URBS; i++)
		assert_int_equal(client_submit(m->s.client, &m->urbs[0]), -EINVAL);
	m->urbs[0].length = 8;
	many_submit(m, 0, CLIENT_MAX_URBS);
	many_see(m);
	assert_int_equal(m->num_seqnums, CLIENT_MAX_URBS);
	assert_int_equal(m->done, 0);
	many_free(m);
}

/* More than there are seqnums, while one URB is in flight all the time. */
static void test_seqnums_wrap(void **state)
{
	struct many *m = many_new();
	uint32_t first, waiting, repeated = 0;
	unsigned total = 0;

	(void)state;
	if (quick_is_set()) {
		print_message("a million URBs take too long here\n");
		many_free(m);
		skip();
	}
	many_submit(m, 0, 1);
	many_see(m);
	waiting = m->seqnums[0];
	many_submit(m, 1, 2);
	many_see(m);
	first = m->seqnums[0] >> 12;
	many_answer_all(m);
	for (unsigned rounds = 0; rounds < (1u << 20) / 1000 + 2; rounds++) {
		many_submit(m, 2, 1002);
		many_see(m);
		assert_int_equal(m->num_seqnums, 1000);
		for (unsigned i = 0; i < m->num_seqnums; i++) {
			assert_int_not_equal(m->seqnums[i], 0);
			assert_int_not_equal(m->seqnums[i], waiting);
			repeated += m->seqnums[i] >> 12 == first;
		}
		many_answer_all(m);
		many_see(m);
		total += 1000;
		assert_int_equal(m->done, 1 + total);
	}
	assert_int_not_equal(repeated, 0); /* it has wrapped */
	many_answer(m, waiting);
	many_see(m);
	assert_ptr_equal(m->last, &m->urbs[0]);
	assert_int_equal(m->s.closed, 0);
	many_free(m);
}

/* The one URB that would get 0: OUT, in the first slot, when the counter starts again. A submit
 * that is refused counts but takes no slot, which brings the two together. */
static void test_no_seqnum_0(void **state)
{
	struct many *m = many_new();

	(void)state;
	if (quick_is_set()) {
		print_message("a million URBs take too long here\n");
		many_free(m);
		skip();
	}
	m->urbs[0].length = USBIP_MAX_TRANSFER + 1;
	for (int i = 0; i < CLIENT_MAX_URBS - 1; i++)
		assert_int_equal(client_submit(m->s.client, &m->urbs[0]), -EINVAL);
	for (unsigned i = 0; i < CLIENT_MAX_URBS; i++) {
		m->urbs[i].endpoint = 2;
		m->urbs[i].length = 0;
	}
	for (unsigned round = 0; round < (1u << 20) / CLIENT_MAX_URBS + 1; round++) {
		many_submit(m, 0, CLIENT_MAX_URBS);
		many_see(m);
		for (unsigned i = 0; i < m->num_seqnums; i++) {
			assert_int_not_equal(m->seqnums[i], 0);
			peer_send_ret_submit(&m->s.peer, m->seqnums[i], 0, NULL, 0);
		}
		many_see(m);
	}
	assert_int_equal(m->done, (1u << 20) + CLIENT_MAX_URBS);
	assert_int_equal(m->s.closed, 0);
	many_free(m);
}

/* A late reply is known until its slot has held another URB that was unlinked. */
static void test_late_after_reuse(void **state)
{
	struct many *m = many_new();
	uint32_t late;

	(void)state;
	many_submit(m, 0, 1);
	many_see(m);
	late = m->seqnums[0];
	client_unlink(m->s.client, &m->urbs[0]);
	many_see(m);
	peer_send_ret_unlink(&m->s.peer, m->seqnums[0], 0);
	session_run(&m->s);
	assert_int_equal(m->status, -ECONNRESET);
	many_submit(m, 0, CLIENT_MAX_URBS);
	assert_int_equal(client_in_flight(m->s.client), CLIENT_MAX_URBS);
	many_see(m);
	memset(m->data, 0, sizeof(m->data));
	many_answer(m, late);
	session_run(&m->s);
	assert_int_equal(m->done, 1);
	for (unsigned i = 0; i < CLIENT_MAX_URBS; i++)
		assert_int_equal(m->data[i][0], 0);
	many_answer_all(m);
	many_see(m);
	assert_int_equal(m->done, 1 + CLIENT_MAX_URBS);
	assert_int_equal(m->s.closed, 0);
	many_free(m);
}

static void test_no_allocation(void **state)
{
	struct many *m = many_new();
	unsigned before = 0;

	(void)state;
	for (unsigned round = 0; round < quick_part(10000, 50); round++) {
		many_submit(m, 0, 2);
		many_see(m);
		client_unlink(m->s.client, &m->urbs[1]);
		many_answer(m, m->seqnums[0]);
		many_answer(m, m->seqnums[1]);
		many_see(m);
		peer_send_ret_unlink(&m->s.peer, m->seqnums[0], 0);
		many_see(m);
		/* The peer's own buffers have grown by then. */
		if (round == 10)
			before = allocations;
	}
	assert_int_not_equal(before, 0);
	assert_int_equal(allocations, before);
	assert_int_equal(m->done, 2 * quick_part(10000, 50));
	assert_int_equal(client_in_flight(m->s.client), 0);
	many_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table_full),
		cmocka_unit_test(test_refused_submit_costs_nothing),
		cmocka_unit_test(test_seqnums_wrap),
		cmocka_unit_test(test_no_seqnum_0),
		cmocka_unit_test(test_late_after_reuse),
		cmocka_unit_test(test_no_allocation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
