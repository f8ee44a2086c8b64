/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/notice.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bridge/config.h"
#include "bridge/log.h"
#include "bridge/resolver.h"

/* The pause before the first new connection, and the longest. Most servers have nothing to say and
 * refuse: that costs them a packet each minute. */
#define PAUSE_S 5.
#define LONGEST_PAUSE_S 60.

/* An address that drops what comes to it answers nothing at all. */
#define CONNECT_S 10.

/* A connection that has lasted so long was not refused in a way of its own. */
#define STEADY_S 10.

/* A read, and the rest after it: TCP holds the server back meanwhile. Its list at the start, of a
 * line for each device, is to come with one. */
#define READ_SIZE 4096
#define REST_S 0.2

/* An announcement may come while an attempt is under way whose list was made before it. */
#define OFFERS 6

/* How many announcements are of use at once, and in what time there is one more. A server may
 * announce what our own attempts have let go of, and each of these resets a device: the pauses
 * between them must not be lost to that. */
#define USES 3
#define USE_S 10.

static bool is_auto(const struct notice *n)
{
	return !strcmp(n->config->server.notices, CONFIG_AUTO);
}

static const char *port(const struct notice *n)
{
	return is_auto(n) ? NOTICE_PORT : n->config->server.notices;
}

static void set_timer(struct notice *n, ev_timer *timer, double after)
{
	ev_timer_stop(n->loop, timer);
	ev_timer_set(timer, after, 0.);
	ev_timer_start(n->loop, timer);
}

static void drop_resolver(struct notice *n)
{
	resolver_free(n->resolver);
	n->resolver = NULL;
}

/* ---- the connection ---- */

static void disconnect(struct notice *n)
{
	drop_resolver(n);
	ev_io_stop(n->loop, &n->io);
	ev_timer_stop(n->loop, &n->timer);
	ev_timer_stop(n->loop, &n->rest);
	conn_close(&n->conn);
	memset(&n->text, 0, sizeof(n->text));
	n->offers = 0;
}

static void lose(struct notice *n, const char *why)
{
	int level = n->steady ? LOG_INFO : is_auto(n) || n->missed ? LOG_DEBUG : LOG_WARNING;

	log_write(level, "server %s port %s announces nothing: %s", n->config->server.host, port(n),
		why);
	disconnect(n);
	if (n->steady)
		n->found = false;
	n->missed = true;
	if (n->steady)
		backoff_begin_anew(&n->backoff);
	n->steady = false;
	set_timer(n, &n->timer, backoff_next(&n->backoff, LONGEST_PAUSE_S));
}

static void watch(struct notice *n, int events)
{
	ev_io_stop(n->loop, &n->io);
	ev_io_set(&n->io, n->conn.fd, events);
	ev_io_start(n->loop, &n->io);
}

static void on_resolved(void *user, struct addrinfo *addresses, const char *why)
{
	struct notice *n = user;

	drop_resolver(n);
	if (!addresses || conn_start(&n->conn, addresses, 0, &why)) {
		lose(n, why);
		return;
	}
	watch(n, EV_WRITE);
	set_timer(n, &n->timer, CONNECT_S);
}

static void start(struct notice *n)
{
	n->resolver = resolver_new(n->loop, n->config->server.host, port(n), on_resolved, n);
	if (!n->resolver)
		lose(n, "out of memory");
}

static void connect_on(struct notice *n)
{
	static const char hello[] = NOTICETEXT_HELLO;
	const struct iovec iov = {(void *)hello, strlen(hello)};
	int r = conn_connect(&n->conn);

	if (r < 0) {
		lose(n, strerror(-r));
		return;
	}
	if (!r) {
		watch(n, EV_WRITE);
		return;
	}
	/* The socket is empty: all of it fits. */
	r = conn_writev(&n->conn, &iov, 1);
	if (r != (int)iov.iov_len) {
		lose(n, strerror(r < 0 ? -r : EAGAIN));
		return;
	}
	log_write(n->found ? LOG_DEBUG : LOG_INFO, "listening to what server %s port %s announces",
		n->config->server.host, port(n));
	n->found = true;
	watch(n, EV_READ);
	set_timer(n, &n->timer, STEADY_S);
}

static void on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct notice *n = timer->data;

	(void)loop;
	(void)events;
	if (n->conn.fd < 0) {
		start(n);
	} else if (!n->conn.ready) {
		lose(n, strerror(ETIMEDOUT));
	} else {
		n->steady = true;
		n->missed = false;
	}
}

/* ---- what is announced ---- */

/* Of a clock that nobody sets: a Pi knows the time late. */
static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void offer(struct notice *n)
{
	double now = now_s(), spent = n->spent > now ? n->spent : now;

	n->offers--;
	if (spent - now > (USES - 1) * USE_S || !n->callbacks->plugged(n->user))
		return;
	n->spent = spent + USE_S;
	n->offers = 0;
}

static bool may_be_camera(const struct notice *n, const char *busid)
{
	const char *wanted = n->config->camera.busid;

	return !*wanted || !strcmp(wanted, busid);
}

static void take(struct notice *n, const char *at, size_t size)
{
	const char *end = at + size;
	enum noticetext_event event;
	char busid[USBIP_BUSID_SIZE];

	while ((event = noticetext_next(&n->text, &at, end, busid)) != NOTICETEXT_NONE) {
		if (event == NOTICETEXT_UNPLUGGED)
			n->callbacks->unplugged(n->user, busid);
		else if (may_be_camera(n, busid))
			n->offers = OFFERS;
	}
	if (n->offers)
		offer(n);
}

static void on_io(struct ev_loop *loop, ev_io *io, int events)
{
	struct notice *n = io->data;
	char text[READ_SIZE];
	const struct iovec iov = {text, sizeof(text)};
	int r;

	(void)loop;
	(void)events;
	if (!n->conn.ready) {
		connect_on(n);
		return;
	}
	r = conn_readv(&n->conn, &iov, 1);
	if (r < 0) {
		lose(n, strerror(-r));
		return;
	}
	take(n, text, (size_t)r);
	ev_io_stop(n->loop, &n->io);
	set_timer(n, &n->rest, REST_S);
}

static void on_rest(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct notice *n = timer->data;

	(void)loop;
	(void)events;
	watch(n, EV_READ);
	if (!n->offers)
		return;
	offer(n);
	if (n->offers)
		set_timer(n, &n->rest, REST_S);
}

void notice_start(struct notice *n, struct ev_loop *loop, const struct config *config,
	const struct notice_callbacks *callbacks, void *user)
{
	memset(n, 0, sizeof(*n));
	n->loop = loop;
	n->config = config;
	n->callbacks = callbacks;
	n->user = user;
	n->conn.fd = -1;
	backoff_init(&n->backoff, PAUSE_S, (unsigned)getpid());
	ev_init(&n->io, on_io);
	ev_init(&n->timer, on_timer);
	ev_init(&n->rest, on_rest);
	n->io.data = n->timer.data = n->rest.data = n;
	if (strcmp(config->server.notices, CONFIG_OFF))
		start(n);
}

void notice_stop(struct notice *n)
{
	if (n->loop)
		disconnect(n);
}
