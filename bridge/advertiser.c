/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/advertiser.h"

#include <errno.h>
#include <stddef.h>

#ifndef HAVE_AVAHI

int advertiser_new(uint16_t port, struct advertiser **out, const char **why)
{
	(void)port;
	*out = NULL;
	*why = "this ip2usb-export was built without libavahi-client (libavahi-client-dev)";
	return -ENOTSUP;
}

void advertiser_free(struct advertiser *a)
{
	(void)a;
}

void advertiser_set(struct advertiser *a, const struct txtrecord_device *devices, unsigned n)
{
	(void)a;
	(void)devices;
	(void)n;
}

#else

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <avahi-client/client.h>
#include <avahi-client/publish.h>
#include <avahi-common/alternative.h>
#include <avahi-common/domain.h>
#include <avahi-common/error.h>
#include <avahi-common/malloc.h>
#include <avahi-common/simple-watch.h>
#include <avahi-common/timeval.h>

#include "bridge/log.h"

#define TYPE "_usbip._tcp"

/* From the end of Avahi's client to the next; to connect to D-Bus costs little. */
#define RETRY_MS 5000

/* Other names that are tried at once, as this machine itself has announced those before. */
#define MAX_NAMES 16

#define END_S 1

struct advertiser {
	atomic_int users; /* the loop and the thread: the last of them frees it */
	uint16_t port;
	int changed; /* eventfd: something below it is another */
	pthread_t thread;
	pthread_mutex_t lock; /* of these two; held for a copy and no longer */
	struct txtrecord wanted;
	bool ending;
	/* The thread's alone, once it runs. */
	AvahiSimplePoll *poll;
	AvahiTimeout *retry;
	AvahiClient *client;
	AvahiEntryGroup *group;
	bool added; /* to the group, with `said` and as `name` */
	struct txtrecord said;
	char name[AVAHI_LABEL_MAX];
	bool failure_told;
};

static void release(struct advertiser *a)
{
	if (atomic_fetch_sub(&a->users, 1) > 1)
		return;
	if (a->poll)
		avahi_simple_poll_free(a->poll);
	if (a->changed >= 0)
		close(a->changed);
	pthread_mutex_destroy(&a->lock);
	free(a);
}

/* ---- the thread ---- */

/* Once until it is announced: it need not be, and no avahi-daemon may be meant. */
static void tell_failure(struct advertiser *a, int error)
{
	log_write(a->failure_told ? LOG_DEBUG : LOG_INFO, "not announced by mDNS: %s",
		avahi_strerror(error));
	a->failure_told = true;
	a->added = false;
}

/* Nothing of the client is freed in a callback of its own. */
static void lose(struct advertiser *a, int error)
{
	struct timeval at;

	tell_failure(a, error);
	avahi_simple_poll_get(a->poll)->timeout_update(
		a->retry, avahi_elapse_time(&at, RETRY_MS, 0));
}

static void take_wanted(struct advertiser *a)
{
	pthread_mutex_lock(&a->lock);
	a->said = a->wanted;
	pthread_mutex_unlock(&a->lock);
}

static int add_named(struct advertiser *a)
{
	AvahiStringList *txt = NULL;
	int error = avahi_string_list_parse(a->said.bytes, a->said.size, &txt);

	if (error)
		return AVAHI_ERR_NO_MEMORY;
	error = avahi_entry_group_add_service_strlst(a->group, AVAHI_IF_UNSPEC, AVAHI_PROTO_UNSPEC,
		0, a->name, TYPE, NULL, NULL, a->port, txt);
	avahi_string_list_free(txt);
	return error;
}

static int rename_service(struct advertiser *a)
{
	char *other = avahi_alternative_service_name(a->name);

	if (!other)
		return AVAHI_ERR_NO_MEMORY;
	log_debug("mDNS: there is a '%s' already", a->name);
	(void)snprintf(a->name, sizeof(a->name), "%s", other);
	avahi_free(other);
	return 0;
}

static void add(struct advertiser *a)
{
	int error;

	take_wanted(a);
	error = add_named(a);
	for (unsigned i = 0; i < MAX_NAMES && error == AVAHI_ERR_COLLISION; i++) {
		error = rename_service(a);
		if (!error)
			error = add_named(a);
	}
	if (!error)
		error = avahi_entry_group_commit(a->group);
	if (error)
		lose(a, error);
	else
		a->added = true;
}

static void withdraw(struct advertiser *a)
{
	a->added = false;
	if (a->group)
		(void)avahi_entry_group_reset(a->group);
}

static void on_group(AvahiEntryGroup *group, AvahiEntryGroupState state, void *user)
{
	struct advertiser *a = user;
	int error;

	(void)group;
	if (state == AVAHI_ENTRY_GROUP_ESTABLISHED) {
		a->failure_told = false;
		log_info("announced by mDNS as '%s'", a->name);
	} else if (state == AVAHI_ENTRY_GROUP_COLLISION) {
		withdraw(a);
		error = rename_service(a);
		if (error)
			lose(a, error);
		else
			add(a);
	} else if (state == AVAHI_ENTRY_GROUP_FAILURE) {
		lose(a, avahi_client_errno(a->client));
	}
}

static void publish(struct advertiser *a)
{
	const char *host = avahi_client_get_host_name(a->client);

	if (!a->group)
		a->group = avahi_entry_group_new(a->client, on_group, a);
	if (!host || !a->group) {
		lose(a, avahi_client_errno(a->client));
		return;
	}
	withdraw(a);
	(void)snprintf(a->name, sizeof(a->name), "USB/IP on %s", host);
	/* A character that was cut in the middle would make it no name. */
	log_clean(a->name, strlen(a->name));
	add(a);
}

static void on_client(AvahiClient *client, AvahiClientState state, void *user)
{
	struct advertiser *a = user;

	/* It comes from inside avahi_client_new as well. */
	a->client = client;
	if (state == AVAHI_CLIENT_S_RUNNING)
		publish(a);
	else if (state == AVAHI_CLIENT_FAILURE)
		lose(a, avahi_client_errno(client));
	else if (state == AVAHI_CLIENT_CONNECTING)
		tell_failure(a, AVAHI_ERR_NO_DAEMON);
	else
		/* The machine is about to get its name, or another one. */
		withdraw(a);
}

static void drop_client(struct advertiser *a)
{
	if (a->client)
		avahi_client_free(a->client); /* with its group */
	a->client = NULL;
	a->group = NULL;
	a->added = false;
}

static void on_retry(AvahiTimeout *timeout, void *user)
{
	struct advertiser *a = user;
	int error = 0;

	(void)timeout;
	drop_client(a);
	a->client = avahi_client_new(
		avahi_simple_poll_get(a->poll), AVAHI_CLIENT_NO_FAIL, on_client, a, &error);
	if (!a->client)
		lose(a, error);
}

static void update(struct advertiser *a)
{
	struct txtrecord before = a->said;
	AvahiStringList *txt = NULL;
	int error = AVAHI_ERR_NO_MEMORY;

	take_wanted(a);
	if (a->said.size == before.size && !memcmp(a->said.bytes, before.bytes, before.size))
		return;
	if (!avahi_string_list_parse(a->said.bytes, a->said.size, &txt))
		error = avahi_entry_group_update_service_txt_strlst(
			a->group, AVAHI_IF_UNSPEC, AVAHI_PROTO_UNSPEC, 0, a->name, TYPE, NULL, txt);
	avahi_string_list_free(txt);
	if (error)
		lose(a, error);
}

static void on_changed(AvahiWatch *watch, int fd, AvahiWatchEvent event, void *user)
{
	struct advertiser *a = user;
	eventfd_t times;
	bool ending;

	(void)watch;
	(void)event;
	(void)eventfd_read(fd, &times);
	pthread_mutex_lock(&a->lock);
	ending = a->ending;
	pthread_mutex_unlock(&a->lock);
	if (ending)
		avahi_simple_poll_quit(a->poll);
	else if (a->added)
		update(a);
}

static void *run(void *user)
{
	struct advertiser *a = user;

	(void)avahi_simple_poll_loop(a->poll);
	drop_client(a);
	release(a);
	return NULL;
}

/* ---- the loop ---- */

static int start_thread(struct advertiser *a)
{
	sigset_t all, before;
	int error;

	/* Signals are for the loop. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	atomic_fetch_add(&a->users, 1);
	error = pthread_create(&a->thread, NULL, run, a);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (error)
		atomic_fetch_sub(&a->users, 1);
	return -error;
}

/* 0 or -errno. */
static int start(struct advertiser *a)
{
	static const struct timeval now;
	const AvahiPoll *api;

	a->changed = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (a->changed < 0)
		return -errno;
	a->poll = avahi_simple_poll_new();
	if (!a->poll)
		return -ENOMEM;
	api = avahi_simple_poll_get(a->poll);
	/* Not even Avahi's client is made here: that waits for D-Bus. A time that has passed is at
	 * once. */
	a->retry = api->timeout_new(api, &now, on_retry, a);
	if (!a->retry || !api->watch_new(api, a->changed, AVAHI_WATCH_IN, on_changed, a))
		return -ENOMEM;
	return start_thread(a);
}

int advertiser_new(uint16_t port, struct advertiser **out, const char **why)
{
	struct advertiser *a = calloc(1, sizeof(*a));
	int r = -ENOMEM;

	*out = NULL;
	if (a) {
		atomic_init(&a->users, 1);
		pthread_mutex_init(&a->lock, NULL);
		a->port = port;
		txtrecord_make(&a->wanted, NULL, 0);
		r = start(a);
	}
	if (!r) {
		*out = a;
		return 0;
	}
	if (a)
		release(a);
	*why = strerror(-r);
	return r;
}

void advertiser_set(struct advertiser *a, const struct txtrecord_device *devices, unsigned n)
{
	struct txtrecord txt;

	if (!a)
		return;
	txtrecord_make(&txt, devices, n);
	pthread_mutex_lock(&a->lock);
	a->wanted = txt;
	pthread_mutex_unlock(&a->lock);
	(void)eventfd_write(a->changed, 1);
}

void advertiser_free(struct advertiser *a)
{
	struct timespec until;

	if (!a)
		return;
	pthread_mutex_lock(&a->lock);
	a->ending = true;
	pthread_mutex_unlock(&a->lock);
	(void)eventfd_write(a->changed, 1);
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += END_S;
	if (pthread_clockjoin_np(a->thread, NULL, CLOCK_MONOTONIC, &until))
		pthread_detach(a->thread);
	release(a);
}

#endif
