/* SPDX-License-Identifier: GPL-2.0-or-later */
/* announcer and notice: our two ends of "Notices", by a real socket, in one loop. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "bridge/announcer.h"
#include "bridge/config.h"
#include "bridge/notice.h"
#include "tests/unit/peer.h"

struct both {
	struct ev_loop *loop;
	struct announcer announcer;
	struct config config;
	struct notice notice;
	unsigned plugged;
	char unplugged[64];
};

static bool on_plugged(void *user)
{
	struct both *b = user;

	b->plugged++;
	return true;
}

static void on_unplugged(void *user, const char *busid)
{
	struct both *b = user;

	strcat(b->unplugged, busid);
	strcat(b->unplugged, " ");
}

static const struct notice_callbacks callbacks = {
	.plugged = on_plugged,
	.unplugged = on_unplugged,
};

static void on_alarm(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)timer;
	(void)events;
	ev_break(loop, EVBREAK_ALL);
}

static void run(struct both *b, double seconds)
{
	ev_timer alarm;

	ev_now_update(b->loop);
	ev_timer_init(&alarm, on_alarm, seconds, 0.);
	ev_timer_start(b->loop, &alarm);
	ev_run(b->loop, 0);
	ev_timer_stop(b->loop, &alarm);
}

#define UNTIL(b, condition)                                                                        \
	do {                                                                                       \
		for (int i_ = 0; !(condition) && i_ < 1000; i_++)                                  \
			run(b, 0.01);                                                              \
		assert_true(condition);                                                            \
	} while (0)

static void open_both(struct both *b, const char *busid)
{
	int listener;

	memset(b, 0, sizeof(*b));
	b->loop = ev_loop_new(0);
	strcpy(b->config.server.host, "127.0.0.1");
	strcpy(b->config.camera.busid, busid);
	listener = peer_tcp_port(true, b->config.server.notices);
	assert_return_code(fcntl(listener, F_SETFL, O_NONBLOCK), errno);
	announcer_init(&b->announcer, b->loop, listener);
}

static void close_both(struct both *b)
{
	notice_stop(&b->notice);
	announcer_fini(&b->announcer);
	assert_int_equal(ev_run(b->loop, EVRUN_NOWAIT), 0);
	ev_loop_destroy(b->loop);
}

/* What is plugged in is told as it comes, and as it goes. */
static void test_comes_and_goes(void **state)
{
	struct both b;

	(void)state;
	open_both(&b, "");
	notice_start(&b.notice, b.loop, &b.config, &callbacks, &b);
	UNTIL(&b, b.announcer.num_clients == 1);
	run(&b, 0.1);
	assert_int_equal(b.plugged, 0);
	assert_int_equal(announcer_plugged(&b.announcer, "1-1.4"), 0);
	UNTIL(&b, b.plugged == 1);
	assert_string_equal(b.unplugged, "");
	announcer_unplugged(&b.announcer, "1-1.4");
	UNTIL(&b, !strcmp(b.unplugged, "1-1.4 "));
	assert_int_equal(b.plugged, 1);
	close_both(&b);
}

/* What is there already, of several the one that is meant. */
static void test_is_there(void **state)
{
	struct both b;

	(void)state;
	open_both(&b, "1-2");
	assert_int_equal(announcer_plugged(&b.announcer, "1-1"), 0);
	assert_int_equal(announcer_plugged(&b.announcer, "1-2"), 0);
	assert_int_equal(announcer_plugged(&b.announcer, "1-3"), 0);
	notice_start(&b.notice, b.loop, &b.config, &callbacks, &b);
	UNTIL(&b, b.plugged == 1);
	announcer_unplugged(&b.announcer, "1-1");
	UNTIL(&b, !strcmp(b.unplugged, "1-1 "));
	assert_int_equal(b.plugged, 1);
	close_both(&b);
}

/* It goes: its place is free. */
static void test_stops(void **state)
{
	struct both b;

	(void)state;
	open_both(&b, "");
	notice_start(&b.notice, b.loop, &b.config, &callbacks, &b);
	UNTIL(&b, b.announcer.num_clients == 1);
	notice_stop(&b.notice);
	UNTIL(&b, b.announcer.num_clients == 0);
	close_both(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_comes_and_goes),
		cmocka_unit_test(test_is_there),
		cmocka_unit_test(test_stops),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
