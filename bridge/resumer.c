/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/resumer.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "bridge/log.h"
#include "bridge/resolver.h"

/* There is no time for longer and longer pauses, nor for a packet to be sent again. */
#define PAUSE_S 0.5
#define ATTEMPT_S 3.

/* A server that has started anew without sessions, another one for example, closes the connection
 * as often as it is asked. One that is cut may do the same now and then. */
#define MAX_REFUSALS 6

static void stop(struct resumer *r)
{
	ev_io_stop(r->loop, &r->io);
	ev_timer_stop(r->loop, &r->timer);
	resolver_free(r->resolver);
	r->resolver = NULL;
	if (r->asking)
		resumption_fini(&r->resumption);
	r->asking = false;
}

static void set_timer(struct resumer *r, double after)
{
	ev_timer_stop(r->loop, &r->timer);
	ev_timer_set(&r->timer, after, 0.);
	ev_timer_start(r->loop, &r->timer);
}

static void fail(struct resumer *r, const char *reason)
{
	stop(r);
	r->callbacks->failed(r->user, reason);
}

static void try_again(struct resumer *r, const char *why)
{
	log_debug("server %s port %s: %s", r->host, r->port, why);
	stop(r);
	set_timer(r, PAUSE_S);
}

/* What is watched follows from the state of the resumption; each address has another descriptor. */
static void watch(struct resumer *r)
{
	short wanted = resumption_events(&r->resumption);
	int events = (wanted & POLLIN ? EV_READ : 0) | (wanted & POLLOUT ? EV_WRITE : 0);

	ev_io_stop(r->loop, &r->io);
	ev_io_set(&r->io, resumption_fd(&r->resumption), events);
	ev_io_start(r->loop, &r->io);
}

static void on_error(struct resumer *r, int error, const char *why)
{
	bool refused = error == -ECONNRESET || error == -EPIPE;
	bool hopeless = error == -ENODEV || error == -EPROTO || error == -EACCES;

	r->refusals = refused ? r->refusals + 1 : 0;
	if (hopeless || r->refusals == MAX_REFUSALS)
		fail(r, why);
	else
		try_again(r, why);
}

static void on_io(struct ev_loop *loop, ev_io *io, int events)
{
	struct resumer *r = io->data;
	const char *why;
	int n = resumption_dispatch(&r->resumption, &why);

	(void)loop;
	(void)events;
	if (!n) {
		watch(r);
	} else if (n < 0) {
		on_error(r, n, why);
	} else {
		struct conn conn = r->resumption.conn;

		stop(r);
		r->callbacks->resumed(r->user, &conn, r->resumption.received);
	}
}

static void on_resolved(void *user, struct addrinfo *addresses, const char *why)
{
	struct resumer *r = user;
	struct conn conn;

	resolver_free(r->resolver);
	r->resolver = NULL;
	if (!addresses || conn_start(&conn, addresses, r->local_port, &why)) {
		try_again(r, why);
		return;
	}
	if (r->tls && conn_secure(&conn, r->tls)) {
		conn_close(&conn);
		try_again(r, strerror(ENOMEM));
		return;
	}
	resumption_init(&r->resumption, &conn, &r->how);
	r->asking = true;
	watch(r);
}

static void try(struct resumer *r)
{
	set_timer(r, ATTEMPT_S);
	r->resolver = resolver_new(r->loop, r->host, r->port, on_resolved, r);
	if (!r->resolver)
		try_again(r, strerror(ENOMEM));
}

static void on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct resumer *r = timer->data;

	(void)loop;
	(void)events;
	if (r->asking || r->resolver)
		try_again(r, "it does not answer");
	else
		try(r);
}

void resumer_init(struct resumer *r, struct ev_loop *loop,
	const struct resumer_callbacks *callbacks, void *user)
{
	*r = (struct resumer){.loop = loop, .callbacks = callbacks, .user = user};
	ev_init(&r->io, on_io);
	ev_init(&r->timer, on_timer);
	r->io.data = r->timer.data = r;
}

void resumer_start(struct resumer *r, const char *host, const char *port, uint16_t local_port,
	const struct tls_context *tls, const struct usbip_resume *how)
{
	stop(r);
	r->host = host;
	r->port = port;
	r->local_port = local_port;
	r->tls = tls;
	r->how = *how;
	r->refusals = 0;
	try(r);
}

void resumer_stop(struct resumer *r)
{
	stop(r);
}
