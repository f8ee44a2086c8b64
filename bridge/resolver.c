/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/resolver.h"

#include <errno.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "bridge/task.h"

/* Of the thread while that runs, which a resolver may not outlive. */
struct lookup {
	struct resolver *resolver; /* for `done` alone */
	char *host, *port;
	struct addrinfo *addresses;
	int error, system_error;
};

struct resolver {
	struct task *task; /* NULL: `done` has been called */
	void (*done)(void *user, struct addrinfo *addresses, const char *why);
	void *user;
};

static void lookup_free(void *lookup)
{
	struct lookup *l = lookup;

	if (l->addresses)
		freeaddrinfo(l->addresses);
	free(l->host);
	free(l->port);
	free(l);
}

/* False: `flags` are AI_NUMERICHOST, and it is no address. */
static bool look_up(struct lookup *l, int flags)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = flags};

	l->error = getaddrinfo(l->host, l->port, &hints, &l->addresses);
	l->system_error = errno;
	return !l->error || !flags;
}

static void run(void *lookup)
{
	(void)look_up(lookup, 0);
}

static void on_done(void *lookup)
{
	struct lookup *l = lookup;
	struct resolver *r = l->resolver;
	struct addrinfo *addresses = l->addresses;
	const char *why = !l->error	 ? NULL
		: l->error == EAI_SYSTEM ? strerror(l->system_error)
					 : gai_strerror(l->error);

	l->addresses = NULL;
	lookup_free(l);
	r->task = NULL;
	r->done(r->user, addresses, why);
}

static const struct task_work work = {.run = run, .done = on_done, .discard = lookup_free};

static struct lookup *lookup_new(struct resolver *r, const char *host, const char *port)
{
	struct lookup *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->resolver = r;
	l->host = strdup(host);
	l->port = strdup(port);
	if (l->host && l->port)
		return l;
	lookup_free(l);
	return NULL;
}

struct resolver *resolver_new(struct ev_loop *loop, const char *host, const char *port,
	void (*done)(void *user, struct addrinfo *addresses, const char *why), void *user)
{
	struct resolver *r = calloc(1, sizeof(*r));
	struct lookup *l = r ? lookup_new(r, host, port) : NULL;

	if (!l) {
		free(r);
		return NULL;
	}
	r->done = done;
	r->user = user;
	r->task =
		look_up(l, AI_NUMERICHOST) ? task_done(loop, &work, l) : task_start(loop, &work, l);
	if (r->task)
		return r;
	lookup_free(l);
	free(r);
	return NULL;
}

void resolver_free(struct resolver *r)
{
	if (!r)
		return;
	task_abandon(r->task);
	free(r);
}
