/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A session whose connection is cut once, after each byte in turn, of each direction, and so that
 * both ends hear of it, or only one: what goes on is the same as if nothing had been (resumerig.h).
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/quick.h"
#include "tests/unit/resumerig.h"

enum told {
	BOTH,
	CLIENT, /* the server's end looks alive when the client is back */
	SERVER, /* the client hears last */
	TOLDS,
};

/* A little of everything; what is on its way in the end is some hundred bytes in each direction. */
static void talk(struct resumerig *r)
{
	(void)resumerig_submit(r, 0, 4);
	(void)resumerig_submit(r, 0, 4);
	(void)resumerig_submit(r, 1, 20);
	(void)resumerig_submit(r, 1, 30);
	(void)resumerig_submit(r, 2, 10);
	(void)resumerig_submit(r, 2, 0);
	resumerig_run(r);
	resumerig_end_oldest(r, 0);
	resumerig_end_oldest(r, 1);
	resumerig_end_oldest(r, 2);
	for (unsigned n = 0; n < 20; n++)
		resumerig_unlink(r);
	(void)resumerig_submit(r, 3, 8);
	resumerig_run(r);
	resumerig_end_oldest(r, 0);
	resumerig_end_oldest(r, 3);
	resumerig_end_oldest(r, 1);
	resumerig_end_oldest(r, 1);
	(void)resumerig_submit(r, 2, 50);
	resumerig_run(r);
}

static struct resumerig *open_rig(enum told told)
{
	struct resumerig *r = malloc(sizeof(*r));

	assert_non_null(r);
	resumerig_open(r, 7, 0);
	r->link.silent[0] = told == SERVER;
	r->link.silent[1] = told == CLIENT;
	return r;
}

static void close_rig(struct resumerig *r)
{
	resumerig_settle(r);
	resumerig_fini(r);
	free(r);
}

/* From where, and how many bytes there are from there. */
static unsigned cut_at_each(enum told told, int from)
{
	struct resumerig *r = open_rig(told);
	size_t opening = (size_t)r->link.carried[from], all;

	talk(r);
	all = (size_t)r->link.carried[from] - opening;
	close_rig(r);
	for (size_t at = 0; at < all; at += quick_step(17)) {
		r = open_rig(told);
		r->link.left[from] = at;
		talk(r);
		assert_true(r->link.cut);
		/* Something more is asked of it, lost or not. */
		(void)resumerig_submit(r, 2, 7);
		close_rig(r);
	}
	return (unsigned)all;
}

static void test_each_byte(void **state)
{
	(void)state;
	for (enum told told = BOTH; told < TOLDS; told++) {
		unsigned out = cut_at_each(told, 0), in = cut_at_each(told, 1);

		assert_in_range(out, 400, 2000);
		assert_in_range(in, 200, 2000);
	}
}

/* The resume itself is cut, at each byte of the request and of the reply. */
static void test_each_byte_of_a_resume(void **state)
{
	static const size_t sizes[] = {32, 12};

	(void)state;
	for (int from = 0; from < 2; from++) {
		for (size_t at = 0; at <= sizes[from]; at++) {
			struct resumerig *r = open_rig(at % 2 ? BOTH : CLIENT);

			talk(r);
			cutlink_cut(&r->link);
			(void)resumerig_submit(r, 1, 9);
			for (int n = 0; n < 10; n++)
				resumerig_turn_client(r);
			assert_true(r->lost);
			resumerig_connect(r);
			r->link.left[from] = at;
			talk(r);
			assert_true(r->link.cut);
			close_rig(r);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_byte),
		cmocka_unit_test(test_each_byte_of_a_resume),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
