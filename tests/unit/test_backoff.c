/* SPDX-License-Identifier: GPL-2.0-or-later */
/* backoff: growth, limit, chance. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "bridge/backoff.h"

#define SEEDS 1000

static void assert_near(double seconds, double expected)
{
	if (seconds < expected * (1. - BACKOFF_JITTER) ||
		seconds > expected * (1. + BACKOFF_JITTER))
		fail_msg("%g s, and not %g", seconds, expected);
}

static void test_growth(void **state)
{
	struct backoff b;

	(void)state;
	for (unsigned seed = 0; seed < SEEDS; seed++) {
		backoff_init(&b, 1., seed);
		assert_near(backoff_next(&b, 5.), 1.);
		assert_near(backoff_next(&b, 5.), 2.);
		assert_near(backoff_next(&b, 5.), 4.);
		for (unsigned i = 0; i < 100; i++)
			assert_near(backoff_next(&b, 5.), 5.);
		/* The attempts count, whatever their trouble was. */
		assert_near(backoff_next(&b, 30.), 30.);
		assert_near(backoff_next(&b, 2.), 2.);
		backoff_begin_anew(&b);
		assert_near(backoff_next(&b, 30.), 1.);
	}
}

static void test_none(void **state)
{
	struct backoff b;

	(void)state;
	backoff_init(&b, 1., 1);
	assert_true(backoff_next(&b, 0.) == 0.);
}

static void test_for_ever(void **state)
{
	struct backoff b;

	(void)state;
	backoff_init(&b, 1., 1);
	for (unsigned i = 0; i < 10; i++)
		(void)backoff_next(&b, 30.);
	for (unsigned i = 0; i < 100000; i++)
		assert_near(backoff_next(&b, 30.), 30.);
}

/* Over all seeds the pauses are anywhere in their range. */
static void test_chance(void **state)
{
	unsigned tenths[10] = {0};
	struct backoff b;

	(void)state;
	for (unsigned seed = 0; seed < SEEDS; seed++) {
		double share;

		backoff_init(&b, 1., seed * 40503u);
		share = (backoff_next(&b, 5.) - (1. - BACKOFF_JITTER)) / (2. * BACKOFF_JITTER);
		tenths[(unsigned)(share * 10.)]++;
	}
	for (unsigned i = 0; i < 10; i++)
		assert_in_range(tenths[i], SEEDS / 20, SEEDS / 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_growth),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_for_ever),
		cmocka_unit_test(test_chance),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
