/* SPDX-License-Identifier: GPL-2.0-or-later */
/* resend: whatever the order that they are added in, messages leave in their own. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdlib.h>

#include <cmocka.h>

#include "bridge/outbox.h"
#include "bridge/resend.h"

#define MOST 2048 /* two a URB, and 1024 of these */

static uint64_t seed = 88172645463325252u;

static unsigned below(unsigned n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned)(seed % n);
}

static void shuffle(unsigned *order, unsigned num)
{
	for (unsigned i = 0; i < num; i++)
		order[i] = i;
	for (unsigned i = num; i > 1; i--) {
		unsigned at = below(i), other = order[i - 1];

		order[i - 1] = order[at];
		order[at] = other;
	}
}

static void check(unsigned num)
{
	struct outbox_message *messages = calloc(MOST, sizeof(*messages));
	uint64_t number = 0x1fffffff0u, next = number + 100000;
	struct resend r = {0};
	static unsigned order[MOST];
	const struct outbox_message *m;
	struct outbox o;

	assert_non_null(messages);
	shuffle(order, num);
	/* Not all of what was put is still to be sent. */
	for (unsigned i = 0; i < num; i++)
		messages[i].number = number += 1 + below(3);
	for (unsigned i = 0; i < num; i++)
		resend_add(&r, &messages[order[i]]);
	outbox_init(&o);
	resend_put(&r, &next, &o);
	m = o.head;
	for (unsigned i = 0; i < num; i++, m = m->next) {
		assert_ptr_equal(m, &messages[i]);
		assert_true(m->queued);
		assert_true(m->number == 0x1fffffff0u + 100000 + i);
	}
	assert_null(m);
	assert_true(next == 0x1fffffff0u + 100000 + num);
	free(messages);
}

static void test_sorted(void **state)
{
	(void)state;
	for (unsigned num = 0; num < 70; num++)
		check(num);
	for (unsigned i = 0; i < 20; i++)
		check(1 + below(MOST));
	check(MOST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sorted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
