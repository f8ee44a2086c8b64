/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/resolver.h"

#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "bridge/lookup.h"
#include "bridge/task.h"

/* Of the thread while that runs, which a resolver may not outlive. */
struct resolving {
	struct resolver *resolver; /* for `done` alone */
	char *host, *port;
	struct addrinfo *addresses;
	const char *why;
};

struct resolver {
	struct task *task; /* NULL: `done` has been called */
	void (*done)(void *user, struct addrinfo *addresses, const char *why);
	void *user;
};

static void resolving_free(void *arg)
{
	struct resolving *l = arg;

	if (l->addresses)
		freeaddrinfo(l->addresses);
	free(l->host);
	free(l->port);
	free(l);
}

/* An address needs no thread. */
static struct addrinfo *from_digits(const struct resolving *l)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST};
	struct addrinfo *addresses;

	return getaddrinfo(l->host, l->port, &hints, &addresses) ? NULL : addresses;
}

static void run(void *arg)
{
	struct resolving *l = arg;

	l->addresses = lookup(l->host, l->port, &l->why);
}

static void on_done(void *arg)
{
	struct resolving *l = arg;
	struct resolver *r = l->resolver;
	struct addrinfo *addresses = l->addresses;
	const char *why = addresses ? NULL : l->why;

	l->addresses = NULL;
	resolving_free(l);
	r->task = NULL;
	r->done(r->user, addresses, why);
}

static const struct task_work work = {.run = run, .done = on_done, .discard = resolving_free};

static struct resolving *resolving_new(struct resolver *r, const char *host, const char *port)
{
	struct resolving *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->resolver = r;
	l->host = strdup(host);
	l->port = strdup(port);
	if (l->host && l->port)
		return l;
	resolving_free(l);
	return NULL;
}

struct resolver *resolver_new(struct ev_loop *loop, const char *host, const char *port,
	void (*done)(void *user, struct addrinfo *addresses, const char *why), void *user)
{
	struct resolver *r = calloc(1, sizeof(*r));
	struct resolving *l = r ? resolving_new(r, host, port) : NULL;

	if (!l) {
		free(r);
		return NULL;
	}
	r->done = done;
	r->user = user;
	l->addresses = from_digits(l);
	r->task = l->addresses ? task_done(loop, &work, l) : task_start(loop, &work, l);
	if (r->task)
		return r;
	resolving_free(l);
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
