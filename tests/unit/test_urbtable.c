/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * urbtable: which URB a seqnum names, and for how long.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "bridge/client.h"
#include "bridge/urbtable.h"

static int setup(void **state)
{
	struct urbtable *t = malloc(sizeof(*t));

	if (!t)
		return -1;
	urbtable_init(t);
	*state = t;
	return 0;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

static void test_put(void **state)
{
	struct urbtable *t = *state;
	struct client_urb a, b;
	uint32_t in = urbtable_put(t, &a, true), out = urbtable_put(t, &b, false);

	assert_true(in && out && in != out);
	assert_ptr_equal(urbtable_find(t, in), &a);
	assert_ptr_equal(urbtable_find(t, out), &b);
	assert_true(urbtable_is_in(in));
	assert_false(urbtable_is_in(out));
	assert_null(urbtable_find(t, 0));
	assert_null(urbtable_find(t, in ^ out));
	urbtable_remove(t, in);
	assert_null(urbtable_find(t, in));
	assert_ptr_equal(urbtable_find(t, out), &b);
}

static void test_unlink_seqnum(void **state)
{
	struct urbtable *t = *state;
	struct client_urb urb;
	uint32_t seqnum = urbtable_put(t, &urb, true), unlink = urbtable_unlink_seqnum(seqnum);

	assert_int_not_equal(unlink, seqnum);
	assert_null(urbtable_find(t, unlink));
	assert_ptr_equal(urbtable_find_unlink(t, unlink), &urb);
	assert_null(urbtable_find_unlink(t, seqnum));
}

static void test_full(void **state)
{
	struct urbtable *t = *state;
	struct client_urb urbs[URBTABLE_SIZE];
	uint32_t seqnums[URBTABLE_SIZE];

	/* More often than the counter has values: no seqnum is 0, none is another's. */
	for (unsigned round = 0; round < 1025; round++) {
		for (unsigned i = 0; i < URBTABLE_SIZE; i++) {
			seqnums[i] = urbtable_put(t, &urbs[i], i & 1);
			assert_int_not_equal(seqnums[i], 0);
		}
		assert_int_equal(urbtable_put(t, &urbs[0], true), 0);
		assert_int_equal(t->num_free, 0);
		for (unsigned i = 0; i < URBTABLE_SIZE; i++) {
			assert_ptr_equal(urbtable_find(t, seqnums[i]), &urbs[i]);
			urbtable_remove(t, seqnums[i]);
			assert_null(urbtable_find(t, seqnums[i]));
		}
	}
	assert_int_equal(t->num_free, URBTABLE_SIZE);
}

static void test_late(void **state)
{
	struct urbtable *t = *state;
	struct client_urb urb;
	uint32_t seqnum = urbtable_put(t, &urb, true), length = 0;

	assert_false(urbtable_take_late(t, 0, &length));
	assert_false(urbtable_take_late(t, seqnum, &length));
	urbtable_remove_unlinked(t, seqnum, 4711);
	assert_null(urbtable_find(t, seqnum));
	assert_true(urbtable_take_late(t, seqnum, &length));
	assert_int_equal(length, 4711);
	assert_false(urbtable_take_late(t, seqnum, &length));
}

/* Entries are used again in the order in which they came free. */
static void test_late_stays(void **state)
{
	struct urbtable *t = *state;
	struct client_urb urb;
	uint32_t seqnum = urbtable_put(t, &urb, true), length;

	urbtable_remove_unlinked(t, seqnum, 1);
	for (unsigned i = 0; i < URBTABLE_SIZE; i++)
		urbtable_remove_unlinked(t, urbtable_put(t, &urb, true), 2);
	/* All have been used; the first of them again. */
	assert_false(urbtable_take_late(t, seqnum, &length));

	seqnum = urbtable_put(t, &urb, true);
	urbtable_remove_unlinked(t, seqnum, 1);
	for (unsigned i = 0; i < URBTABLE_SIZE - 1; i++)
		urbtable_remove_unlinked(t, urbtable_put(t, &urb, true), 2);
	assert_true(urbtable_take_late(t, seqnum, &length));
}

static void test_late_unlink(void **state)
{
	struct urbtable *t = *state;
	struct client_urb urb;
	uint32_t seqnum = urbtable_put(t, &urb, true), unlink = urbtable_unlink_seqnum(seqnum);

	assert_false(urbtable_take_late_unlink(t, 0));
	assert_false(urbtable_take_late_unlink(t, unlink));
	urbtable_remove_answered(t, seqnum);
	assert_null(urbtable_find(t, seqnum));
	assert_null(urbtable_find_unlink(t, unlink));
	assert_int_equal(t->num_free, URBTABLE_SIZE);
	assert_false(urbtable_take_late_unlink(t, seqnum));
	assert_true(urbtable_take_late_unlink(t, unlink));
	assert_false(urbtable_take_late_unlink(t, unlink));
}

/* However many never come. */
static void test_late_unlink_stays(void **state)
{
	struct urbtable *t = *state;
	struct client_urb urb;
	uint32_t seqnum = urbtable_put(t, &urb, true);

	urbtable_remove_answered(t, seqnum);
	for (unsigned i = 0; i < URBTABLE_SIZE - 1; i++)
		urbtable_remove_answered(t, urbtable_put(t, &urb, true));
	urbtable_remove(t, urbtable_put(t, &urb, true));
	assert_true(urbtable_take_late_unlink(t, urbtable_unlink_seqnum(seqnum)));

	seqnum = urbtable_put(t, &urb, true);
	urbtable_remove_answered(t, seqnum);
	for (unsigned i = 0; i < URBTABLE_SIZE; i++)
		urbtable_remove_answered(t, urbtable_put(t, &urb, true));
	assert_false(urbtable_take_late_unlink(t, urbtable_unlink_seqnum(seqnum)));
}

/* As a session that is abandoned does: each URB that is there once, and it is there no more. */
static void test_take(void **state)
{
	struct urbtable *t = *state;
	struct client_urb urbs[5];
	uint32_t seqnums[5], length;
	unsigned taken[5] = {0};

	for (unsigned i = 0; i < 5; i++)
		seqnums[i] = urbtable_put(t, &urbs[i], i & 1);
	urbtable_remove(t, seqnums[1]);
	urbtable_remove_answered(t, seqnums[3]);
	for (unsigned at = 0; at < URBTABLE_SIZE; at++) {
		unsigned num_free = t->num_free;
		struct client_urb *urb = urbtable_take(t, at);

		if (urb)
			taken[urb - urbs]++;
		assert_int_equal(t->num_free, num_free + (urb != NULL));
		assert_null(urbtable_take(t, at));
	}
	for (unsigned i = 0; i < 5; i++) {
		/* the second and the fourth had been given back */
		assert_int_equal(taken[i], i != 1 && i != 3);
		assert_null(urbtable_find(t, seqnums[i]));
		assert_false(urbtable_take_late(t, seqnums[i], &length));
	}
	assert_int_equal(t->num_free, URBTABLE_SIZE);
	assert_true(urbtable_take_late_unlink(t, urbtable_unlink_seqnum(seqnums[3])));
}

/* Of a table that is full, of which every entry can be used again. */
static void test_take_all(void **state)
{
	struct urbtable *t = *state;
	struct client_urb urbs[URBTABLE_SIZE];

	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 0; i < URBTABLE_SIZE; i++)
			assert_int_not_equal(urbtable_put(t, &urbs[i], true), 0);
		for (unsigned i = 0; i < URBTABLE_SIZE; i++)
			assert_ptr_equal(urbtable_take(t, i), &urbs[i]);
		assert_int_equal(t->num_free, URBTABLE_SIZE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_put, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unlink_seqnum, setup, teardown),
		cmocka_unit_test_setup_teardown(test_full, setup, teardown),
		cmocka_unit_test_setup_teardown(test_late, setup, teardown),
		cmocka_unit_test_setup_teardown(test_late_stays, setup, teardown),
		cmocka_unit_test_setup_teardown(test_late_unlink, setup, teardown),
		cmocka_unit_test_setup_teardown(test_late_unlink_stays, setup, teardown),
		cmocka_unit_test_setup_teardown(test_take, setup, teardown),
		cmocka_unit_test_setup_teardown(test_take_all, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
