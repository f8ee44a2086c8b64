/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "bridge/refusals.h"

static struct refusals r;
static unsigned others;

static int begin(void **state)
{
	(void)state;
	memset(&r, 0, sizeof(r));
	others = 77;
	return 0;
}

static bool add(const char *peer, const char *reason, double now)
{
	return refusals_add(&r, peer, reason, now, &others);
}

static void test_once(void **state)
{
	(void)state;
	/* The clock may begin anywhere. */
	assert_true(add("10.0.0.1", "key", 0.5));
	assert_int_equal(others, 0);
	for (unsigned i = 0; i < 1000; i++)
		assert_false(add("10.0.0.1", "key", 0.5 + i));
	assert_true(add("10.0.0.1", "plain", 2000));
	assert_true(add("10.0.0.2", "plain", 3000));
	assert_int_equal(others, 0);
	assert_false(add("10.0.0.1", "key", 4000));
	assert_false(add("10.0.0.1", "plain", 4000));
}

static void test_pace(void **state)
{
	char peer[32];

	(void)state;
	assert_true(add("first", "key", 100));
	for (unsigned i = 0; i < 500; i++) {
		(void)snprintf(peer, sizeof(peer), "10.0.1.%u", i);
		assert_false(add(peer, "key", 100 + i * 0.0199));
	}
	/* One that was told of is none of the others. */
	assert_false(add("first", "key", 105));
	assert_false(add("10.0.1.3", "key", 109.999));
	assert_true(add("10.0.1.3", "key", 110));
	assert_int_equal(others, 501);
	assert_false(add("10.0.1.4", "key", 119.999));
	assert_true(add("10.0.1.4", "key", 120));
	assert_int_equal(others, 1);
}

static void test_forgets(void **state)
{
	char peer[32];

	(void)state;
	for (unsigned i = 0; i < REFUSALS_MAX; i++) {
		(void)snprintf(peer, sizeof(peer), "10.0.1.%u", i);
		assert_true(add(peer, "key", i * REFUSALS_REST_S));
	}
	assert_false(add("10.0.1.0", "key", 1000));
	assert_true(add("another", "key", 1000));
	assert_false(add("10.0.1.1", "key", 2000));
	assert_true(add("10.0.1.0", "key", 2000));
	assert_true(add("10.0.1.1", "key", 3000));
}

static void test_long(void **state)
{
	char peer[300], reason[300];

	(void)state;
	memset(peer, 'p', sizeof(peer) - 1);
	memset(reason, 'r', sizeof(reason) - 1);
	peer[sizeof(peer) - 1] = reason[sizeof(reason) - 1] = '\0';
	assert_true(add(peer, reason, 0));
	assert_false(add(peer, reason, 1000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_once, begin),
		cmocka_unit_test_setup(test_pace, begin),
		cmocka_unit_test_setup(test_forgets, begin),
		cmocka_unit_test_setup(test_long, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
