/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * notice: connections that are refused, lost, not answered, not wanted; and what is said of them.
 *
 * Linked with --wrap=clock_gettime,ev_timer_start,log_write.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/noticerig.h"
#include "tests/unit/peer.h"

/* ---- connections that come and go ---- */

/* What was said by half before is not said. */
static void test_reset(void **state)
{
	const struct linger reset = {.l_onoff = 1};
	struct notice_rig r;

	(void)state;
	notice_rig_open_met(&r);
	notice_rig_say(&r, "1-4;PLUG");
	assert_int_equal(setsockopt(r.peer, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)), 0);
	notice_rig_hang_up(&r);
	notice_rig_meet(&r);
	notice_rig_expect_hello(&r);
	notice_rig_say(&r, "GED;\n");
	assert_int_equal(r.plugged, 0);
	notice_rig_say(&r, PLUGGED);
	assert_int_equal(r.plugged, 1);
	notice_rig_close(&r);
}

/* What was said before the end is heard. */
static void test_closed(void **state)
{
	struct notice_rig r;

	(void)state;
	notice_rig_open_met(&r);
	assert_int_equal(send(r.peer, PLUGGED, 13, 0), 13);
	notice_rig_hang_up(&r);
	notice_rig_meet(&r);
	assert_int_equal(r.plugged, 1);
	notice_rig_close(&r);
}

static void test_refused(void **state)
{
	struct notice_rig r;

	(void)state;
	notice_rig_open(&r, false);
	notice_rig_start(&r);
	NOTICE_RIG_UNTIL(&r, r.asked.n >= 4);
	assert_int_equal(listen(r.listener, 8), 0);
	notice_rig_meet(&r);
	notice_rig_expect_hello(&r);
	notice_rig_say(&r, PLUGGED);
	assert_int_equal(r.plugged, 1);
	notice_rig_close(&r);
}

static void expect_pause(const struct notice_rig *r, unsigned i, double seconds)
{
	assert_true(i < r->asked.n);
	if (r->asked.at[i] < 0.8 * seconds || r->asked.at[i] > 1.2 * seconds)
		fail_msg("pause %u of %.1f s instead of %.1f", i, r->asked.at[i], seconds);
}

static void test_pauses(void **state)
{
	static const double pauses[] = {5, 10, 20, 40, 60, 60, 60};
	struct notice_rig r;

	(void)state;
	notice_rig_open(&r, false);
	r.haste = 1000;
	notice_rig_start(&r);
	/* A connection and a pause each. */
	NOTICE_RIG_UNTIL(&r, r.asked.n >= 2 * PEER_COUNT(pauses));
	for (unsigned i = 0; i < PEER_COUNT(pauses); i++)
		expect_pause(&r, 2 * i + 1, pauses[i]);
	notice_rig_close(&r);
}

/* One that takes the connection and ends it is no better than one that refuses; one that has lasted
 * is. */
static void test_steady(void **state)
{
	struct notice_rig r;

	(void)state;
	notice_rig_open_met(&r);
	r.haste = 10;
	for (unsigned i = 0; i < 3; i++) {
		/* Else its timer could be the next that is asked for. */
		NOTICE_RIG_UNTIL(&r, r.notice.conn.ready);
		r.asked.n = 0;
		notice_rig_hang_up(&r);
		notice_rig_meet(&r);
		expect_pause(&r, 0, 5 << i);
	}
	NOTICE_RIG_UNTIL(&r, r.notice.steady);
	r.asked.n = 0;
	notice_rig_hang_up(&r);
	notice_rig_meet(&r);
	expect_pause(&r, 0, 5);
	notice_rig_close(&r);
}

/* A queue that is full drops what comes. */
static void test_silent(void **state)
{
	struct sockaddr_in6 address;
	socklen_t size = sizeof(address);
	struct notice_rig r;
	int fill[4];

	(void)state;
	notice_rig_open(&r, true);
	assert_int_equal(listen(r.listener, 0), 0);
	assert_int_equal(getsockname(r.listener, (struct sockaddr *)&address, &size), 0);
	for (unsigned i = 0; i < PEER_COUNT(fill); i++) {
		fill[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		(void)connect(fill[i], (struct sockaddr *)&address, size);
	}
	notice_rig_start(&r);
	NOTICE_RIG_UNTIL(&r, r.asked.n >= 2);
	expect_pause(&r, 0, 10);
	expect_pause(&r, 1, 5);
	for (unsigned i = 0; i < PEER_COUNT(fill); i++)
		close(fill[i]);
	notice_rig_close(&r);
}

/* ---- the configuration, and what is said of it ---- */

static void test_off(void **state)
{
	struct notice_rig r;

	(void)state;
	notice_rig_open(&r, true);
	strcpy(r.config.server.notices, "off");
	notice_rig_start(&r);
	/* There is nothing to wait for. */
	ev_run(r.loop, 0);
	assert_int_equal(accept(r.listener, NULL, NULL), -1);
	notice_rig_close(&r);
}

/* At an address of its own, as the port is one that is known. */
static void test_auto(void **state)
{
	static const int on = 1;
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(65432)};
	struct notice_rig r;

	(void)state;
	notice_rig_open(&r, false);
	close(r.listener);
	(void)snprintf(r.config.server.host, sizeof(r.config.server.host), "127.83.%u.%u",
		getpid() >> 8 & 255, getpid() & 255);
	assert_int_equal(inet_pton(AF_INET, r.config.server.host, &address.sin_addr), 1);
	r.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_int_equal(setsockopt(r.listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), 0);
	assert_int_equal(bind(r.listener, (struct sockaddr *)&address, sizeof(address)), 0);
	strcpy(r.config.server.notices, "auto");
	notice_rig_start(&r);
	NOTICE_RIG_UNTIL(&r, r.logged[LOG_DEBUG] >= 2);
	assert_int_equal(r.logged[LOG_WARNING], 0);
	assert_int_equal(r.logged[LOG_INFO], 0);
	assert_int_equal(listen(r.listener, 8), 0);
	notice_rig_meet(&r);
	notice_rig_expect_hello(&r);
	assert_int_equal(r.logged[LOG_INFO], 1);
	/* As short as before, it is not said again. */
	notice_rig_hang_up(&r);
	notice_rig_meet(&r);
	NOTICE_RIG_UNTIL(&r, r.notice.steady);
	assert_int_equal(r.logged[LOG_INFO], 1);
	/* It has lasted: that it is gone, and back. */
	notice_rig_hang_up(&r);
	notice_rig_meet(&r);
	notice_rig_expect_hello(&r);
	assert_int_equal(r.logged[LOG_INFO], 3);
	assert_int_equal(r.logged[LOG_WARNING], 0);
	notice_rig_close(&r);
}

static void test_configured(void **state)
{
	struct notice_rig r;

	(void)state;
	notice_rig_open(&r, false);
	notice_rig_start(&r);
	NOTICE_RIG_UNTIL(&r, r.logged[LOG_DEBUG] >= 2);
	assert_int_equal(r.logged[LOG_WARNING], 1);
	notice_rig_close(&r);
}

/* Wherever it is, it can be ended, and begun again. */
static void test_stop(void **state)
{
	struct notice_rig r;

	(void)state;
	notice_rig_open(&r, true);
	notice_rig_close(&r); /* nothing begun */
	notice_rig_open(&r, true);
	notice_rig_start(&r);
	notice_rig_close(&r); /* looking the name up */
	notice_rig_open(&r, true);
	notice_rig_start(&r);
	while (r.notice.conn.fd < 0)
		ev_run(r.loop, EVRUN_ONCE);
	notice_rig_close(&r); /* connecting */
	notice_rig_open(&r, false);
	notice_rig_start(&r);
	while (!r.logged[LOG_WARNING])
		ev_run(r.loop, EVRUN_ONCE);
	notice_rig_close(&r); /* in a pause */
	notice_rig_open_met(&r);
	r.haste = 1;
	r.useless = 100;
	notice_rig_say(&r, PLUGGED);
	notice_stop(&r.notice); /* with an offer to be made */
	notice_rig_start(&r);
	notice_rig_hang_up(&r);
	notice_rig_meet(&r);
	notice_rig_expect_hello(&r);
	notice_rig_close(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reset),
		cmocka_unit_test(test_closed),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_pauses),
		cmocka_unit_test(test_steady),
		cmocka_unit_test(test_silent),
		cmocka_unit_test(test_off),
		cmocka_unit_test(test_auto),
		cmocka_unit_test(test_configured),
		cmocka_unit_test(test_stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
