/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/inquiry.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

/* A SYN that was lost is repeated after 1 s (RFC 6298, 2.1), so the second one has its chance. */
#define CONNECT_S 1.5
/* For all of an answer: usbipd answers one client after another, and a list is a few KB at most. */
#define ANSWER_S 5.

static void end_question(struct inquiry_question *n)
{
	struct inquiry *q = n->inquiry;

	ev_io_stop(q->loop, &n->io);
	ev_timer_stop(q->loop, &n->timer);
	n->inquiry = NULL;
}

static void fail(struct inquiry_question *n, const char *why)
{
	enum inquiry_verdict verdict = n->list.conn.ready ? INQUIRY_FAILED : INQUIRY_CLOSED;
	struct inquiry *q = n->inquiry;

	end_question(n);
	devlist_fini(&n->list);
	q->callbacks->answered(q->user, n->id, verdict, NULL, why);
}

static void on_timeout(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)loop;
	(void)events;
	fail(timer->data, "no answer");
}

static void set_timeout(struct inquiry_question *n, double seconds)
{
	ev_timer_stop(n->inquiry->loop, &n->timer);
	/* From now, not from when the loop woke up: 64 answers may have been read since. */
	ev_now_update(n->inquiry->loop);
	ev_timer_set(&n->timer, seconds, 0.);
	ev_timer_start(n->inquiry->loop, &n->timer);
}

static void watch(struct inquiry_question *n)
{
	ev_io_stop(n->inquiry->loop, &n->io);
	ev_io_set(&n->io, devlist_fd(&n->list),
		devlist_events(&n->list) & POLLOUT ? EV_WRITE : EV_READ);
	ev_io_start(n->inquiry->loop, &n->io);
}

static void on_io(struct ev_loop *loop, ev_io *io, int events)
{
	struct inquiry_question *n = io->data;
	struct inquiry *q = n->inquiry;
	bool was_ready = n->list.conn.ready;
	const char *why;
	int r = devlist_dispatch(&n->list, &why);

	(void)loop;
	(void)events;
	if (r < 0) {
		fail(n, why);
	} else if (r > 0) {
		end_question(n);
		q->callbacks->answered(q->user, n->id, INQUIRY_LISTED, &n->list, NULL);
	} else {
		if (n->list.conn.ready && !was_ready)
			set_timeout(n, ANSWER_S);
		watch(n);
	}
}

static void ask(struct inquiry *q, struct inquiry_question *n, const struct inquiry_server *server)
{
	struct conn conn;
	const char *why;
	int r = conn_open(&conn, server->host, server->port, 0, &why);

	/* Of the loopback interface these may come at once. */
	if (r == -ECONNREFUSED || r == -EHOSTUNREACH)
		q->callbacks->answered(q->user, server->id, INQUIRY_CLOSED, NULL, why);
	else if (r)
		q->callbacks->answered(q->user, server->id, INQUIRY_UNSENT, NULL, why);
	if (r)
		return;
	n->inquiry = q;
	n->id = server->id;
	devlist_init(&n->list, &conn);
	watch(n);
	set_timeout(n, CONNECT_S);
}

static void on_prepare(struct ev_loop *loop, ev_prepare *prepare, int events)
{
	struct inquiry *q = prepare->data;
	struct inquiry_server server;
	unsigned busy = 0;

	(void)events;
	for (unsigned i = 0; i < INQUIRY_PARALLEL; i++) {
		struct inquiry_question *n = &q->questions[i];

		while (!n->inquiry && !q->all_asked) {
			q->all_asked = !q->callbacks->next(q->user, &server);
			if (!q->all_asked)
				ask(q, n, &server);
		}
		busy += !!n->inquiry;
	}
	if (busy)
		return;
	ev_prepare_stop(loop, prepare);
	q->callbacks->over(q->user);
}

void inquiry_init(struct inquiry *q, struct ev_loop *loop,
	const struct inquiry_callbacks *callbacks, void *user)
{
	memset(q, 0, sizeof(*q));
	q->loop = loop;
	q->callbacks = callbacks;
	q->user = user;
	for (unsigned i = 0; i < INQUIRY_PARALLEL; i++) {
		ev_init(&q->questions[i].io, on_io);
		ev_init(&q->questions[i].timer, on_timeout);
		/* What has come counts, also where the loop is late. */
		ev_set_priority(&q->questions[i].timer, EV_MINPRI);
		q->questions[i].io.data = q->questions[i].timer.data = &q->questions[i];
	}
	ev_prepare_init(&q->prepare, on_prepare);
	q->prepare.data = q;
	ev_prepare_start(loop, &q->prepare);
}

void inquiry_fini(struct inquiry *q)
{
	ev_prepare_stop(q->loop, &q->prepare);
	for (unsigned i = 0; i < INQUIRY_PARALLEL; i++) {
		if (!q->questions[i].inquiry)
			continue;
		end_question(&q->questions[i]);
		devlist_fini(&q->questions[i].list);
	}
}
