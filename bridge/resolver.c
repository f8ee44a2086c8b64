/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/resolver.h"

#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <ev.h>

/* What the thread and the loop share; the last of them frees it. */
struct lookup {
	atomic_int users;
	int ready; /* eventfd: the rest is set */
	char *host, *port;
	struct addrinfo *addresses;
	int error, system_error;
};

struct resolver {
	struct ev_loop *loop;
	ev_io io;
	struct lookup *lookup;
	void (*done)(void *user, struct addrinfo *addresses, const char *why);
	void *user;
};

static void release(struct lookup *l)
{
	if (atomic_fetch_sub(&l->users, 1) > 1)
		return;
	if (l->addresses)
		freeaddrinfo(l->addresses);
	if (l->ready >= 0)
		close(l->ready);
	free(l->host);
	free(l->port);
	free(l);
}

/* True when it is over; with AI_NUMERICHOST false where it is no address. */
static bool look_up(struct lookup *l, int flags)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = flags};

	l->error = getaddrinfo(l->host, l->port, &hints, &l->addresses);
	l->system_error = errno;
	if (l->error && flags)
		return false;
	/* Fails only when the counter is full. */
	(void)eventfd_write(l->ready, 1);
	return true;
}

static void *run(void *lookup)
{
	(void)look_up(lookup, 0);
	release(lookup);
	return NULL;
}

static bool start_thread(struct lookup *l)
{
	sigset_t all, before;
	pthread_t thread;
	int error;

	/* Signals are for the loop. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	atomic_fetch_add(&l->users, 1);
	error = pthread_create(&thread, NULL, run, l);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (error) {
		release(l);
		return false;
	}
	pthread_detach(thread);
	return true;
}

static struct lookup *lookup_new(const char *host, const char *port)
{
	struct lookup *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	atomic_init(&l->users, 1);
	l->ready = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	l->host = strdup(host);
	l->port = strdup(port);
	if (l->ready >= 0 && l->host && l->port && (look_up(l, AI_NUMERICHOST) || start_thread(l)))
		return l;
	release(l);
	return NULL;
}

static void on_ready(struct ev_loop *loop, ev_io *io, int events)
{
	struct resolver *r = io->data;
	struct lookup *l = r->lookup;
	struct addrinfo *addresses = l->addresses;

	(void)events;
	ev_io_stop(loop, io);
	l->addresses = NULL;
	r->done(r->user, addresses,
		!l->error			 ? NULL
			: l->error == EAI_SYSTEM ? strerror(l->system_error)
						 : gai_strerror(l->error));
}

struct resolver *resolver_new(struct ev_loop *loop, const char *host, const char *port,
	void (*done)(void *user, struct addrinfo *addresses, const char *why), void *user)
{
	struct resolver *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->lookup = lookup_new(host, port);
	if (!r->lookup) {
		free(r);
		return NULL;
	}
	r->loop = loop;
	r->done = done;
	r->user = user;
	ev_io_init(&r->io, on_ready, r->lookup->ready, EV_READ);
	r->io.data = r;
	ev_io_start(loop, &r->io);
	return r;
}

void resolver_free(struct resolver *r)
{
	if (!r)
		return;
	ev_io_stop(r->loop, &r->io);
	release(r->lookup);
	free(r);
}
