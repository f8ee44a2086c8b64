/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/namecheck.h"

#include <netdb.h>

#include <ev.h>

#include "bridge/resolver.h"

#define TIMEOUT_S 5.0 /* a resolver asks its first server once in that time */

struct namecheck {
	struct ev_loop *loop;
	enum board_name name;
};

static void on_done(void *user, struct addrinfo *addresses, const char *why)
{
	struct namecheck *n = user;

	(void)why;
	n->name = addresses ? BOARD_NAME_FOUND : BOARD_NAME_NONE;
	if (addresses)
		freeaddrinfo(addresses);
	ev_break(n->loop, EVBREAK_ALL);
}

static void on_timeout(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct namecheck *n = timer->data;

	(void)events;
	n->name = BOARD_NAME_SLOW;
	ev_break(loop, EVBREAK_ALL);
}

enum board_name namecheck_run(const char *host, const char *port)
{
	struct namecheck n = {.loop = ev_loop_new(EVFLAG_AUTO)};
	struct resolver *resolver;
	ev_timer timer;

	if (!n.loop)
		return BOARD_NAME_UNKNOWN;
	resolver = resolver_new(n.loop, host, port, on_done, &n);
	ev_timer_init(&timer, on_timeout, TIMEOUT_S, 0);
	timer.data = &n;
	ev_timer_start(n.loop, &timer);
	if (resolver)
		ev_run(n.loop, 0);
	ev_timer_stop(n.loop, &timer);
	resolver_free(resolver);
	ev_loop_destroy(n.loop);
	return n.name;
}
