/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hold: how long it lasts, by a clock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "bridge/hold.h"

#define SHORT 0.2

static struct ev_loop *loop;
static ev_tstamp began, ended;

static void on_over(void *user)
{
	(void)user;
	ended = ev_time();
}

static void begin(struct hold *h)
{
	hold_init(h, loop, on_over, NULL);
	ev_now_update(loop);
	began = ev_time();
	ended = 0.;
	hold_begin(h, SHORT);
	assert_true(h->on);
}

static void on_late(struct ev_loop *l, ev_timer *timer, int events)
{
	(void)l;
	(void)events;
	hold_extend(timer->data, SHORT);
}

/* Seconds that it lasts, if it is extended `times`, each half a hold after the last. */
static double lasts(unsigned times)
{
	ev_timer timers[2];
	struct hold h;

	begin(&h);
	for (unsigned i = 0; i < times; i++) {
		ev_timer_init(&timers[i], on_late, (i + 1) * SHORT / 2., 0.);
		timers[i].data = &h;
		ev_timer_start(loop, &timers[i]);
	}
	ev_run(loop, 0);
	assert_false(h.on);
	assert_true(ended > 0.);
	return ended - began;
}

static void test_lasts(void **state)
{
	double once = lasts(0);

	(void)state;
	assert_true(once > SHORT * 0.9);
}

static void test_extended(void **state)
{
	(void)state;
	assert_true(lasts(1) > SHORT * 1.4);
}

/* By half of it, and not by all. `ended` is late where the machine is; the second extension would
 * be seen in what remains. */
static void test_extended_once(void **state)
{
	struct hold h;

	(void)state;
	begin(&h);
	hold_extend(&h, 10.);
	assert_true(ev_timer_remaining(loop, &h.timer) > 9.);
	hold_extend(&h, 100.);
	assert_true(ev_timer_remaining(loop, &h.timer) < 11.);
	hold_end(&h);
	/* Nor when there is none. */
	hold_extend(&h, 1.);
	assert_false(h.on || ev_is_active(&h.timer));
	/* The next one has its own. */
	hold_begin(&h, 1.);
	hold_extend(&h, 10.);
	assert_true(ev_timer_remaining(loop, &h.timer) > 9.);
	hold_end(&h);
}

static void test_unplugged(void **state)
{
	struct hold h;

	(void)state;
	begin(&h);
	hold_begin(&h, 100.);
	hold_unplugged(&h);
	assert_true(ev_timer_remaining(loop, &h.timer) < 3.1);
	hold_end(&h);
	/* One that begins soon after. */
	hold_begin(&h, 100.);
	assert_true(ev_timer_remaining(loop, &h.timer) < 3.1);
	/* It is there: that was of before. */
	hold_extend(&h, 10.);
	assert_true(ev_timer_remaining(loop, &h.timer) > 9.);
	hold_begin(&h, 100.);
	assert_true(ev_timer_remaining(loop, &h.timer) > 99.);
	/* No less than it had. */
	hold_extend(&h, 10.);
	assert_true(ev_timer_remaining(loop, &h.timer) > 99.);
	hold_end(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lasts),
		cmocka_unit_test(test_extended),
		cmocka_unit_test(test_extended_once),
		cmocka_unit_test(test_unplugged),
	};
	int failed;

	loop = ev_loop_new(0);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	ev_loop_destroy(loop);
	return failed;
}
