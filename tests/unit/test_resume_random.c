/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A session against its model (resumerig.h): URBs, unlinks and what the device does in any order,
 * while the connection is cut again and again, at any byte of any direction, also in the middle of
 * a resume, and also so that only one of the ends hears of it.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/quick.h"
#include "tests/unit/resumerig.h"

static void plan_a_cut(struct resumerig *r)
{
	static const uint32_t reaches[] = {10, 60, 400, 4000, 40000};
	uint32_t reach = reaches[resumerig_dice(r, 5)];

	/* The server may hear of it much later than the client, or not before it is back. */
	r->link.silent[1] = !resumerig_dice(r, 3);
	r->link.left[resumerig_dice(r, 2)] = resumerig_dice(r, reach);
}

static void act(struct resumerig *r)
{
	switch (resumerig_dice(r, 16)) {
	case 0:
	case 1:
	case 2:
		(void)resumerig_submit(r, resumerig_dice(r, RESUMERIG_ENDPOINTS),
			resumerig_dice(r, 3) ? resumerig_dice(r, 64)
					     : resumerig_dice(r, RESUMERIG_LENGTH));
		break;
	case 3:
		if (!resumerig_dice(r, 3))
			resumerig_unlink(r);
		break;
	case 4:
	case 5:
		resumerig_end(r, resumerig_dice(r, RESUMERIG_ENDPOINTS));
		break;
	case 6:
		if (!resumerig_dice(r, 6) && !r->link.cut)
			plan_a_cut(r);
		break;
	case 7:
		resumerig_connect(r);
		break;
	case 8:
		r->device.busy = !resumerig_dice(r, 4);
		break;
	case 9:
		r->link.piece = resumerig_dice(r, 3) ? 0 : 1 + resumerig_dice(r, 100);
		break;
	case 10:
	case 11:
		resumerig_turn_client(r);
		break;
	case 12:
	case 13:
		resumerig_turn_server(r);
		break;
	default:
		resumerig_turn_link(r);
	}
}

static void play(unsigned seeds, unsigned options)
{
	unsigned lost = 0, resumed = 0, submitted = 0;

	for (uint64_t seed = 1; seed <= seeds; seed++) {
		struct resumerig *r = malloc(sizeof(*r));

		assert_non_null(r);
		resumerig_open(r, seed, options | (seed & 1 ? RESUMERIG_NARROW : 0));
		for (int n = 0; n < 3000; n++)
			act(r);
		resumerig_settle(r);
		lost += r->num_lost;
		resumed += r->num_resumed;
		submitted += r->device.submitted;
		resumerig_fini(r);
		free(r);
	}
	print_message("%u URBs, %u losses, %u resumes\n", submitted, lost, resumed);
	assert_in_range(lost, seeds, submitted);
	/* Some were cut before the client heard of them. */
	assert_in_range(resumed, lost + 1, 2 * lost);
}

static void test_random(void **state)
{
	(void)state;
	play(quick_part(2000, 100), 0);
}

/* Each connection with a handshake of its own, which may be cut as well. */
static void test_encrypted(void **state)
{
	(void)state;
	play(quick_part(500, 100), RESUMERIG_ENCRYPTED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_encrypted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
