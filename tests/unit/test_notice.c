/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * notice: what is heard of what a server announces, and how much of it.
 *
 * Linked with --wrap=clock_gettime,ev_timer_start,log_write.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "tests/unit/noticerig.h"
#include "tests/unit/peer.h"

/* ---- what is heard ---- */

static void test_plugged(void **state)
{
	struct notice_rig r;

	(void)state;
	notice_rig_open_met(&r);
	notice_rig_say(&r, PLUGGED);
	assert_int_equal(r.plugged, 1);
	notice_rig_say(&r, "1-4;UNPLUGGED;\n");
	assert_int_equal(r.plugged, 1);
	assert_string_equal(r.unplugged, "1-4 ");
	notice_rig_close(&r);
}

static void test_split(void **state)
{
	struct notice_rig r;

	(void)state;
	notice_rig_open_met(&r);
	notice_rig_say(&r, "1-");
	notice_rig_say(&r, "4;PLUG");
	assert_int_equal(r.plugged, 0);
	notice_rig_say(&r, "GED;\n1-4;UN");
	assert_int_equal(r.plugged, 1);
	notice_rig_say(&r, "PLUGGED;\n");
	assert_int_equal(r.plugged, 1);
	assert_string_equal(r.unplugged, "1-4 ");
	notice_rig_close(&r);
}

/* The server's list when one connects; for any number one attempt will do. */
static void test_several(void **state)
{
	struct notice_rig r;

	(void)state;
	notice_rig_open_met(&r);
	notice_rig_say(
		&r, "1-1;PLUGGED;\n1-2;UNPLUGGED;\n1-3;UNPLUGGED;\n" PLUGGED "1-5;PLUGGED;\n");
	assert_int_equal(r.plugged, 1);
	assert_string_equal(r.unplugged, "1-2 1-3 ");
	notice_rig_close(&r);
}

static void test_busid(void **state)
{
	struct notice_rig r;

	(void)state;
	notice_rig_open(&r, true);
	strcpy(r.config.camera.busid, "1-4");
	notice_rig_start(&r);
	notice_rig_meet(&r);
	notice_rig_say(&r, "1-5;PLUGGED;\n1-44;PLUGGED;\n1-;PLUGGED;\n11-4;PLUGGED;\n");
	assert_int_equal(r.plugged, 0);
	notice_rig_say(&r, PLUGGED);
	assert_int_equal(r.plugged, 1);
	notice_rig_close(&r);
}

static void test_garbage(void **state)
{
	char a[1000];
	struct notice_rig r;

	(void)state;
	notice_rig_open_met(&r);
	notice_rig_say(
		&r, "HTTP/1.1 400 Bad Request\r\nServer: x\r\n\r\n\033]0;x\a;PLUGGED;\n;;;;\n");
	memset(a, 'a', sizeof(a));
	for (int i = 0; i < 40; i++)
		assert_int_equal(send(r.peer, a, sizeof(a), MSG_NOSIGNAL), sizeof(a));
	notice_rig_say(&r, PLUGGED);
	assert_int_equal(r.plugged, 0);
	notice_rig_say(&r, PLUGGED);
	assert_int_equal(r.plugged, 1);
	assert_string_equal(r.unplugged, "");
	notice_rig_close(&r);
}

/* ---- how much of it ---- */

static void test_useless(void **state)
{
	struct notice_rig r;

	(void)state;
	notice_rig_open_met(&r);
	r.useless = 2;
	notice_rig_say(&r, PLUGGED);
	NOTICE_RIG_UNTIL(&r, r.plugged >= 3);
	r.useless = 100;
	notice_rig_say(&r, PLUGGED);
	NOTICE_RIG_UNTIL(&r, r.plugged >= 3 + 6);
	/* A second is 20 ms here. */
	notice_rig_run(&r, 0.1);
	assert_int_equal(r.plugged, 3 + 6);
	notice_rig_close(&r);
}

/* As a server that announces what our own attempts let go of. */
static void test_limit(void **state)
{
	struct notice_rig r;

	(void)state;
	notice_rig_open_met(&r);
	for (int i = 0; i < 10; i++)
		notice_rig_say(&r, PLUGGED);
	assert_int_equal(r.plugged, 3);
	r.skipped += 11;
	for (int i = 0; i < 10; i++)
		notice_rig_say(&r, PLUGGED);
	assert_int_equal(r.plugged, 4);
	r.skipped += 1000;
	for (int i = 0; i < 10; i++)
		notice_rig_say(&r, PLUGGED);
	assert_int_equal(r.plugged, 7);
	notice_rig_close(&r);
}

struct flood {
	struct notice_rig *rig;
	size_t sent;
};

static void pour(struct ev_loop *loop, ev_io *io, int events)
{
	static char lines[13 * 1000];
	struct flood *f = io->data;
	ssize_t n;

	(void)loop;
	(void)events;
	for (size_t i = 0; i < sizeof(lines); i += 13)
		memcpy(lines + i, PLUGGED, 13);
	n = send(f->rig->peer, lines, sizeof(lines), MSG_NOSIGNAL);
	f->sent += n > 0 ? (size_t)n : 0;
}

/* The loop sleeps in spite of it, and the server is held back. */
static void test_flood(void **state)
{
	struct flood flood = {.sent = 0};
	struct notice_rig r;
	unsigned before;
	size_t sent;
	ev_io io;

	(void)state;
	notice_rig_open_met(&r);
	r.haste = 1;
	r.useless = 1000;
	flood.rig = &r;
	ev_io_init(&io, pour, r.peer, EV_WRITE);
	io.data = &flood;
	ev_io_start(r.loop, &io);
	notice_rig_run(&r, 0.5);
	sent = flood.sent;
	before = ev_iteration(r.loop);
	r.plugged = 0;
	notice_rig_run(&r, 1.1);
	assert_in_range(r.plugged, 1, 14);
	assert_in_range(ev_iteration(r.loop) - before, 1, 40);
	assert_in_range(flood.sent - sent, 0, 200000);
	ev_io_stop(r.loop, &io);
	notice_rig_close(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plugged),
		cmocka_unit_test(test_split),
		cmocka_unit_test(test_several),
		cmocka_unit_test(test_busid),
		cmocka_unit_test(test_garbage),
		cmocka_unit_test(test_useless),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_flood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
