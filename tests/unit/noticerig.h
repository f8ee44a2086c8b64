/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * noticerig: a notice and, on the loopback interface, a server that speaks pyusbip-notify's bytes,
 * or others.
 *
 * For tests linked with --wrap=clock_gettime,ev_timer_start,log_write. One rig at a time.
 */
#ifndef TESTS_UNIT_NOTICERIG_H
#define TESTS_UNIT_NOTICERIG_H

#include <stdbool.h>
#include <syslog.h>

#include "bridge/config.h"
#include "bridge/notice.h"

#define PLUGGED "1-4;PLUGGED;\n"

struct notice_rig {
	struct ev_loop *loop;
	struct config config;
	struct notice notice;
	int listener, peer; /* -1: none */
	/* what has been told: calls, how many more of them are of no use, and busids */
	unsigned plugged, useless;
	char unplugged[64];
	/* the clock: timers are so many times faster than they ask for; s that it is ahead */
	double haste;
	time_t skipped;
	/* what the notice's main timer has asked for, s */
	struct {
		double at[16];
		unsigned n;
	} asked;
	unsigned logged[LOG_DEBUG + 1]; /* lines of each level */
};

/* With the server at the port for notices, which refuses unless it listens. */
void notice_rig_open(struct notice_rig *r, bool listening);

/* Fails where anything of the notice goes on after its end. */
void notice_rig_close(struct notice_rig *r);

void notice_rig_start(struct notice_rig *r);

/* For so many seconds of a wall's clock. */
void notice_rig_run(struct notice_rig *r, double seconds);

/* Until it holds, for 5 s. */
#define NOTICE_RIG_UNTIL(r, condition)                                                             \
	do {                                                                                       \
		for (int i_ = 0; !(condition) && i_ < 500; i_++)                                   \
			notice_rig_run(r, 0.01);                                                   \
		assert_true(condition);                                                            \
	} while (0)

/* The server has its next connection. */
void notice_rig_meet(struct notice_rig *r);
void notice_rig_hang_up(struct notice_rig *r);
void notice_rig_expect_hello(struct notice_rig *r);

/* All of it has been read when this returns. */
void notice_rig_say(struct notice_rig *r, const char *text);

void notice_rig_open_met(struct notice_rig *r);

#endif
