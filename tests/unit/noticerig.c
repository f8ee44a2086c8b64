/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/noticerig.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "bridge/log.h"
#include "tests/unit/peer.h"

#define HELLO "Client hello"

static struct notice_rig *rig;

/* ---- the clock, the log ---- */

int __real_clock_gettime(clockid_t clock, struct timespec *now);
int __wrap_clock_gettime(clockid_t clock, struct timespec *now);
void __real_ev_timer_start(struct ev_loop *loop, ev_timer *timer);
void __wrap_ev_timer_start(struct ev_loop *loop, ev_timer *timer);
void __wrap_log_write(int level, const char *format, ...);

int __wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
	int r = __real_clock_gettime(clock, now);

	now->tv_sec += rig->skipped;
	return r;
}

void __wrap_ev_timer_start(struct ev_loop *loop, ev_timer *timer)
{
	if (timer == &rig->notice.timer && rig->asked.n < PEER_COUNT(rig->asked.at))
		rig->asked.at[rig->asked.n++] = timer->at;
	timer->at /= rig->haste;
	__real_ev_timer_start(loop, timer);
}

void __wrap_log_write(int level, const char *format, ...)
{
	(void)format;
	rig->logged[level]++;
}

/* ---- who listens ---- */

static bool on_plugged(void *user)
{
	struct notice_rig *r = user;

	r->plugged++;
	if (!r->useless)
		return true;
	r->useless--;
	return false;
}

static void on_unplugged(void *user, const char *busid)
{
	struct notice_rig *r = user;
	size_t n = strlen(r->unplugged);

	(void)snprintf(r->unplugged + n, sizeof(r->unplugged) - n, "%s ", busid);
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

void notice_rig_run(struct notice_rig *r, double seconds)
{
	ev_timer alarm;

	ev_now_update(r->loop);
	ev_timer_init(&alarm, on_alarm, seconds, 0.);
	__real_ev_timer_start(r->loop, &alarm);
	ev_run(r->loop, 0);
	ev_timer_stop(r->loop, &alarm);
}

void notice_rig_open(struct notice_rig *r, bool listening)
{
	memset(r, 0, sizeof(*r));
	rig = r;
	r->haste = 50;
	r->loop = ev_loop_new(0);
	r->peer = -1;
	strcpy(r->config.server.host, "127.0.0.1");
	r->listener = peer_tcp_port(listening, r->config.server.notices);
	assert_return_code(fcntl(r->listener, F_SETFL, O_NONBLOCK), errno);
}

void notice_rig_start(struct notice_rig *r)
{
	notice_start(&r->notice, r->loop, &r->config, &callbacks, r);
}

void notice_rig_hang_up(struct notice_rig *r)
{
	assert_int_equal(close(r->peer), 0);
	r->peer = -1;
}

void notice_rig_close(struct notice_rig *r)
{
	notice_stop(&r->notice);
	notice_stop(&r->notice);
	assert_int_equal(ev_run(r->loop, EVRUN_NOWAIT), 0);
	ev_loop_destroy(r->loop);
	if (r->peer >= 0)
		notice_rig_hang_up(r);
	close(r->listener);
}

/* ---- the server ---- */

static bool meets(struct notice_rig *r)
{
	r->peer = accept4(r->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	return r->peer >= 0;
}

void notice_rig_meet(struct notice_rig *r)
{
	NOTICE_RIG_UNTIL(r, r->peer >= 0 || meets(r));
}

void notice_rig_expect_hello(struct notice_rig *r)
{
	char text[100];

	NOTICE_RIG_UNTIL(r, recv(r->peer, text, 1, MSG_PEEK) == 1);
	assert_int_equal(recv(r->peer, text, sizeof(text), 0), strlen(HELLO));
	assert_memory_equal(text, HELLO, strlen(HELLO));
}

static bool is_read(const struct notice_rig *r)
{
	int left = 0;

	assert_return_code(ioctl(r->notice.conn.fd, FIONREAD, &left), errno);
	return !left;
}

void notice_rig_say(struct notice_rig *r, const char *text)
{
	assert_int_equal(send(r->peer, text, strlen(text), MSG_NOSIGNAL), strlen(text));
	NOTICE_RIG_UNTIL(r, is_read(r));
}

void notice_rig_open_met(struct notice_rig *r)
{
	notice_rig_open(r, true);
	notice_rig_start(r);
	notice_rig_meet(r);
	notice_rig_expect_hello(r);
}
