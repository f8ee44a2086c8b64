/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * advertiser: avahi-daemon comes, goes, refuses, hangs. It is a script here: linked with
 * --wrap=avahi_..., but for Avahi's own loop, whose times are shorter than asked for.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "bridge/advertiser.h"
#include "bridge/log.h"

void __wrap_log_write(int level, const char *format, ...);

#ifndef HAVE_AVAHI

void __wrap_log_write(int level, const char *format, ...)
{
	(void)level;
	(void)format;
}

static void test_not_built(void **state)
{
	const char *why = NULL;
	struct advertiser *a;

	(void)state;
	assert_int_equal(advertiser_new(3240, &a, &why), -ENOTSUP);
	assert_null(a);
	assert_non_null(strstr(why, "libavahi-client-dev"));
	advertiser_set(a, NULL, 0);
	advertiser_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_not_built)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

#include <avahi-client/client.h>
#include <avahi-client/publish.h>
#include <avahi-common/error.h>
#include <avahi-common/strlst.h>
#include <avahi-common/timeval.h>

/* ---- avahi-daemon */

/* What the test has happen, in the advertiser's thread. */
enum event {
	NOTHING,
	RUNNING,
	REGISTERING,
	HOST_COLLISION,
	GONE,
	ESTABLISHED,
	COLLISION,
	GROUP_FAILURE,
	HANG, /* the next update, until the test lets it go */
};

/* Guarded by the lock, but for what only the thread touches. */
static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	char history[4096]; /* what has been asked of it */
	unsigned infos;	    /* logged */
	unsigned failing;   /* clients that cannot be made */
	unsigned taken;	    /* names that this machine has announced already */
	int add_error, commit_error, update_error, group_error; /* once */
	bool at_once;						/* it runs already */
	bool hanging, hang, host_unknown;
	const char *host;
	int pokes[2]; /* events */
	/* the thread's */
	const AvahiPoll *poll;
	AvahiWatch *watch;
	AvahiClientCallback client_callback;
	AvahiEntryGroupCallback group_callback;
	void *client_user, *group_user;
	bool has_client, has_group, group_filled;
	int error;
	int client, group; /* for their addresses */
} avahi = {.lock = PTHREAD_MUTEX_INITIALIZER};

#define CLIENT ((AvahiClient *)&avahi.client)
#define GROUP ((AvahiEntryGroup *)&avahi.group)

AvahiClient *__wrap_avahi_client_new(const AvahiPoll *poll, AvahiClientFlags flags,
	AvahiClientCallback callback, void *user, int *error);
void __wrap_avahi_client_free(AvahiClient *client);
int __wrap_avahi_client_errno(AvahiClient *client);
const char *__wrap_avahi_client_get_host_name(AvahiClient *client);
AvahiEntryGroup *__wrap_avahi_entry_group_new(
	AvahiClient *client, AvahiEntryGroupCallback callback, void *user);
int __wrap_avahi_entry_group_reset(AvahiEntryGroup *group);
int __wrap_avahi_entry_group_commit(AvahiEntryGroup *group);
int __wrap_avahi_entry_group_add_service_strlst(AvahiEntryGroup *group, AvahiIfIndex interface,
	AvahiProtocol protocol, AvahiPublishFlags flags, const char *name, const char *type,
	const char *domain, const char *host, uint16_t port, AvahiStringList *txt);
int __wrap_avahi_entry_group_update_service_txt_strlst(AvahiEntryGroup *group,
	AvahiIfIndex interface, AvahiProtocol protocol, AvahiPublishFlags flags, const char *name,
	const char *type, const char *domain, AvahiStringList *txt);
struct timeval *__real_avahi_elapse_time(struct timeval *t, unsigned ms, unsigned jitter);
struct timeval *__wrap_avahi_elapse_time(struct timeval *t, unsigned ms, unsigned jitter);

static void note(const char *format, ...)
{
	size_t n;
	va_list args;

	pthread_mutex_lock(&avahi.lock);
	n = strlen(avahi.history);
	va_start(args, format);
	(void)vsnprintf(avahi.history + n, sizeof(avahi.history) - n, format, args);
	va_end(args);
	pthread_cond_broadcast(&avahi.changed);
	pthread_mutex_unlock(&avahi.lock);
}

static int once(int *error)
{
	int r;

	pthread_mutex_lock(&avahi.lock);
	r = *error;
	*error = 0;
	pthread_mutex_unlock(&avahi.lock);
	if (r)
		avahi.error = r;
	return r;
}

void __wrap_log_write(int level, const char *format, ...)
{
	(void)format;
	pthread_mutex_lock(&avahi.lock);
	avahi.infos += level <= LOG_INFO;
	pthread_mutex_unlock(&avahi.lock);
}

struct timeval *__wrap_avahi_elapse_time(struct timeval *t, unsigned ms, unsigned jitter)
{
	note("wait%u ", ms);
	return __real_avahi_elapse_time(t, ms / 100, jitter);
}

static void on_poke(AvahiWatch *watch, int fd, AvahiWatchEvent watch_event, void *user)
{
	static const AvahiEntryGroupState states[] = {
		[ESTABLISHED] = AVAHI_ENTRY_GROUP_ESTABLISHED,
		[COLLISION] = AVAHI_ENTRY_GROUP_COLLISION,
		[GROUP_FAILURE] = AVAHI_ENTRY_GROUP_FAILURE,
	};
	static const AvahiClientState client_states[] = {
		[RUNNING] = AVAHI_CLIENT_S_RUNNING,
		[REGISTERING] = AVAHI_CLIENT_S_REGISTERING,
		[HOST_COLLISION] = AVAHI_CLIENT_S_COLLISION,
		[GONE] = AVAHI_CLIENT_FAILURE,
	};
	uint8_t event = NOTHING;

	(void)watch;
	(void)watch_event;
	(void)user;
	if (read(fd, &event, 1) != 1)
		abort();
	avahi.error = AVAHI_ERR_DISCONNECTED;
	if (event >= ESTABLISHED)
		avahi.group_callback(GROUP, states[event], avahi.group_user);
	else
		avahi.client_callback(CLIENT, client_states[event], avahi.client_user);
}

AvahiClient *__wrap_avahi_client_new(const AvahiPoll *poll, AvahiClientFlags flags,
	AvahiClientCallback callback, void *user, int *error)
{
	int fails;

	if (flags != AVAHI_CLIENT_NO_FAIL || avahi.has_client)
		abort();
	pthread_mutex_lock(&avahi.lock);
	fails = avahi.failing ? (int)avahi.failing-- : 0;
	pthread_mutex_unlock(&avahi.lock);
	avahi.poll = poll;
	avahi.client_callback = callback;
	avahi.client_user = user;
	if (fails) {
		note("nobus ");
		/* It may have gone this far before. */
		if (fails % 2) {
			avahi.has_client = true;
			callback(CLIENT, AVAHI_CLIENT_S_RUNNING, user);
			avahi.has_client = avahi.has_group = false;
		}
		*error = AVAHI_ERR_DBUS_ERROR;
		return NULL;
	}
	note("client ");
	avahi.has_client = true;
	avahi.watch = poll->watch_new(poll, avahi.pokes[0], AVAHI_WATCH_IN, on_poke, NULL);
	callback(CLIENT, avahi.at_once ? AVAHI_CLIENT_S_RUNNING : AVAHI_CLIENT_CONNECTING, user);
	return CLIENT;
}

void __wrap_avahi_client_free(AvahiClient *client)
{
	if (client != CLIENT || !avahi.has_client)
		abort();
	avahi.poll->watch_free(avahi.watch);
	avahi.has_client = avahi.has_group = avahi.group_filled = false;
	note("free ");
}

int __wrap_avahi_client_errno(AvahiClient *client)
{
	if (client != CLIENT || !avahi.has_client)
		abort();
	return avahi.error;
}

const char *__wrap_avahi_client_get_host_name(AvahiClient *client)
{
	if (client != CLIENT || !avahi.has_client)
		abort();
	if (avahi.host_unknown)
		avahi.error = AVAHI_ERR_TIMEOUT;
	return avahi.host_unknown ? NULL : avahi.host;
}

AvahiEntryGroup *__wrap_avahi_entry_group_new(
	AvahiClient *client, AvahiEntryGroupCallback callback, void *user)
{
	if (client != CLIENT || !avahi.has_client || avahi.has_group)
		abort();
	if (once(&avahi.group_error))
		return NULL;
	note("group ");
	avahi.group_callback = callback;
	avahi.group_user = user;
	avahi.has_group = true;
	/* As Avahi does: it is not returned yet. */
	callback(GROUP, AVAHI_ENTRY_GROUP_UNCOMMITED, user);
	return GROUP;
}

static void need_group(AvahiEntryGroup *group)
{
	if (group != GROUP || !avahi.has_client || !avahi.has_group)
		abort();
}

int __wrap_avahi_entry_group_reset(AvahiEntryGroup *group)
{
	need_group(group);
	if (avahi.group_filled)
		note("reset ");
	avahi.group_filled = false;
	return 0;
}

int __wrap_avahi_entry_group_commit(AvahiEntryGroup *group)
{
	int error = once(&avahi.commit_error);

	need_group(group);
	if (!avahi.group_filled)
		abort();
	if (!error)
		note("commit ");
	return error;
}

/* The list as text; Avahi's own is the wrong way round. */
static void show(const char *what, const char *name, AvahiStringList *txt)
{
	uint8_t bytes[TXTRECORD_MAX + 1];
	size_t size = avahi_string_list_serialize(txt, bytes, sizeof(bytes));
	char text[1300] = "";

	for (size_t at = 0; at < size; at += 1 + bytes[at])
		(void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%.*s",
			at ? "," : "", bytes[at], (const char *)&bytes[at + 1]);
	note("%s(%s|%s) ", what, name, text);
}

int __wrap_avahi_entry_group_add_service_strlst(AvahiEntryGroup *group, AvahiIfIndex interface,
	AvahiProtocol protocol, AvahiPublishFlags flags, const char *name, const char *type,
	const char *domain, const char *host, uint16_t port, AvahiStringList *txt)
{
	int error;

	need_group(group);
	if (avahi.group_filled || interface != AVAHI_IF_UNSPEC || protocol != AVAHI_PROTO_UNSPEC ||
		flags || strcmp(type, "_usbip._tcp") || domain || host || port != 3240)
		abort();
	error = once(&avahi.add_error);
	if (error)
		return error;
	pthread_mutex_lock(&avahi.lock);
	error = avahi.taken ? AVAHI_ERR_COLLISION : 0;
	avahi.taken -= !!error;
	pthread_mutex_unlock(&avahi.lock);
	if (error)
		return error;
	avahi.group_filled = true;
	show("add", name, txt);
	return 0;
}

int __wrap_avahi_entry_group_update_service_txt_strlst(AvahiEntryGroup *group,
	AvahiIfIndex interface, AvahiProtocol protocol, AvahiPublishFlags flags, const char *name,
	const char *type, const char *domain, AvahiStringList *txt)
{
	int error;

	need_group(group);
	if (!avahi.group_filled || interface != AVAHI_IF_UNSPEC || protocol != AVAHI_PROTO_UNSPEC ||
		flags || strcmp(type, "_usbip._tcp") || domain)
		abort();
	error = once(&avahi.update_error);
	if (error)
		return error;
	/* Before it is shown: what the test says then is of the next. */
	pthread_mutex_lock(&avahi.lock);
	avahi.hanging = avahi.hang;
	pthread_mutex_unlock(&avahi.lock);
	show("update", name, txt);
	pthread_mutex_lock(&avahi.lock);
	while (avahi.hanging && avahi.hang)
		pthread_cond_wait(&avahi.changed, &avahi.lock);
	avahi.hanging = false;
	pthread_cond_broadcast(&avahi.changed);
	pthread_mutex_unlock(&avahi.lock);
	return 0;
}

/* ---- the tests */

static struct advertiser *advertiser;

static int set_up(void **state)
{
	(void)state;
	memset(&avahi, 0, sizeof(avahi));
	pthread_mutex_init(&avahi.lock, NULL);
	pthread_cond_init(&avahi.changed, NULL);
	avahi.host = "pc";
	return pipe(avahi.pokes);
}

static int tear_down(void **state)
{
	(void)state;
	advertiser_free(advertiser);
	advertiser = NULL;
	assert_false(avahi.has_client);
	close(avahi.pokes[0]);
	close(avahi.pokes[1]);
	return 0;
}

static void start(void)
{
	const char *why = NULL;

	assert_int_equal(advertiser_new(3240, &advertiser, &why), 0);
}

/* All that has been asked of the daemon since the last time, once it has so many bytes. */
static void expect(const char *wanted)
{
	struct timespec until;
	char got[sizeof(avahi.history)];
	int r = 0;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 10;
	pthread_mutex_lock(&avahi.lock);
	while (!r && strlen(avahi.history) < strlen(wanted))
		r = pthread_cond_timedwait(&avahi.changed, &avahi.lock, &until);
	strcpy(got, avahi.history);
	*avahi.history = '\0';
	pthread_mutex_unlock(&avahi.lock);
	assert_string_equal(got, wanted);
}

static void happens(enum event event)
{
	uint8_t byte = (uint8_t)event;

	assert_int_equal(write(avahi.pokes[1], &byte, 1), 1);
}

static unsigned infos(void)
{
	unsigned n;

	pthread_mutex_lock(&avahi.lock);
	n = avahi.infos;
	pthread_mutex_unlock(&avahi.lock);
	return n;
}

static const struct txtrecord_device devices[] = {
	{"1-1", 0x04a9, 0x32d2, "Camera"}, {"1-2", 0x1234, 0x5678, NULL}};

#define NONE "txtvers=1,devices=0"
#define ONE "txtvers=1,devices=1,1-1=04a9:32d2 Camera"
#define BOTH "txtvers=1,devices=2,1-1=04a9:32d2 Camera,1-2=1234:5678"

/* Announced at once, and what is plugged in as it comes and goes, without a second announcement. */
static void test_devices(void **state)
{
	(void)state;
	avahi.at_once = true;
	start();
	expect("client group add(USB/IP on pc|" NONE ") commit ");
	happens(ESTABLISHED);
	advertiser_set(advertiser, devices, 1);
	expect("update(USB/IP on pc|" ONE ") ");
	advertiser_set(advertiser, devices, 1); /* the same: nothing, after whatever time */
	usleep(50000);
	advertiser_set(advertiser, devices, 2);
	expect("update(USB/IP on pc|" BOTH ") ");
	advertiser_set(advertiser, NULL, 0);
	expect("update(USB/IP on pc|" NONE ") ");
	assert_int_equal(infos(), 1);
	advertiser_free(advertiser);
	advertiser = NULL;
	expect("free ");
}

/* No daemon at the start: what was plugged in meanwhile is in what it is told first. */
static void test_no_daemon_yet(void **state)
{
	(void)state;
	start();
	expect("client ");
	advertiser_set(advertiser, devices, 1);
	happens(REGISTERING);
	happens(RUNNING);
	expect("group add(USB/IP on pc|" ONE ") commit ");
	assert_int_equal(infos(), 1);
}

/* Nor D-Bus. */
static void test_no_bus_yet(void **state)
{
	(void)state;
	avahi.failing = 3;
	avahi.at_once = true;
	start();
	expect("nobus group add(USB/IP on pc|" NONE ") commit wait5000 "
	       "nobus wait5000 "
	       "nobus group reset add(USB/IP on pc|" NONE ") commit wait5000 "
	       "client group reset add(USB/IP on pc|" NONE ") commit ");
	happens(ESTABLISHED);
	advertiser_set(advertiser, devices, 1);
	expect("update(USB/IP on pc|" ONE ") ");
	/* That it is not, once; and that it is. */
	assert_int_equal(infos(), 2);
}

/* The daemon is started anew. */
static void test_restart(void **state)
{
	(void)state;
	avahi.at_once = true;
	start();
	expect("client group add(USB/IP on pc|" NONE ") commit ");
	happens(ESTABLISHED);
	avahi.at_once = false;
	happens(GONE);
	expect("wait5000 free client ");
	advertiser_set(advertiser, devices, 1);
	happens(RUNNING);
	expect("group add(USB/IP on pc|" ONE ") commit ");
	happens(ESTABLISHED);
	advertiser_set(advertiser, devices, 2);
	expect("update(USB/IP on pc|" BOTH ") ");
	assert_int_equal(infos(), 3);
}

/* Gone, and the thread has not made another client yet: nothing of the old one is used. */
static void test_set_while_gone(void **state)
{
	(void)state;
	avahi.at_once = true;
	start();
	expect("client group add(USB/IP on pc|" NONE ") commit ");
	happens(GONE);
	expect("wait5000 ");
	for (unsigned i = 0; i < 100; i++)
		advertiser_set(advertiser, devices, i % 3);
	advertiser_set(advertiser, devices, 2);
	expect("free client group add(USB/IP on pc|" BOTH ") commit ");
}

/* Another host has the name; and another service of this one, such as that of avahi-usbip.service.
 */
static void test_name_taken(void **state)
{
	(void)state;
	avahi.at_once = true;
	avahi.taken = 1;
	start();
	expect("client group add(USB/IP on pc #2|" NONE ") commit ");
	happens(COLLISION);
	expect("reset add(USB/IP on pc #3|" NONE ") commit ");
	happens(ESTABLISHED);
	advertiser_set(advertiser, devices, 1);
	expect("update(USB/IP on pc #3|" ONE ") ");
}

/* Not for ever. */
static void test_all_names_taken(void **state)
{
	(void)state;
	avahi.at_once = true;
	avahi.taken = 17;
	start();
	expect("client group wait5000 free "
	       "client group add(USB/IP on pc|" NONE ") commit ");
}

/* The machine is to have another name. */
static void test_host_name(void **state)
{
	(void)state;
	avahi.at_once = true;
	start();
	expect("client group add(USB/IP on pc|" NONE ") commit ");
	happens(HOST_COLLISION);
	expect("reset ");
	advertiser_set(advertiser, devices, 1); /* there is nothing to update */
	avahi.host = "pc-2";
	happens(REGISTERING);
	happens(RUNNING);
	expect("add(USB/IP on pc-2|" ONE ") commit ");
}

/* A service's name has 63 bytes; what is cut may be in the middle of a character. */
static void test_long_host_name(void **state)
{
	(void)state;
	avahi.at_once = true;
	avahi.host = "hhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhh\xc3\xa9hhhhhhhhh";
	start();
	expect("client group add(USB/IP on "
	       "hhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhh?|" NONE ") commit ");
}

static void test_errors(void **state)
{
	int *const errors[] = {&avahi.add_error, &avahi.commit_error, &avahi.group_error};
	static const char *const histories[] = {"client group wait5000 free ",
		"client group add(USB/IP on pc|" NONE ") wait5000 free ", "client wait5000 free "};

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		char wanted[512];

		avahi.at_once = true;
		*errors[i] = AVAHI_ERR_TOO_MANY_ENTRIES;
		start();
		(void)snprintf(wanted, sizeof(wanted),
			"%sclient group add(USB/IP on pc|" NONE ") commit ", histories[i]);
		expect(wanted);
		assert_int_equal(infos(), i + 1);
		advertiser_free(advertiser);
		expect("free ");
	}
	start();
	expect("client group add(USB/IP on pc|" NONE ") commit ");
	avahi.update_error = AVAHI_ERR_TIMEOUT;
	advertiser_set(advertiser, devices, 1);
	expect("wait5000 free client group add(USB/IP on pc|" ONE ") commit ");
	happens(GROUP_FAILURE);
	expect("wait5000 free client group add(USB/IP on pc|" ONE ") commit ");
	avahi.host_unknown = true;
	happens(RUNNING);
	expect("wait5000 free client group wait5000 ");
	avahi.host_unknown = false;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void hang(bool hangs)
{
	pthread_mutex_lock(&avahi.lock);
	avahi.hang = hangs;
	pthread_cond_broadcast(&avahi.changed);
	while (avahi.hanging && !hangs)
		pthread_cond_wait(&avahi.changed, &avahi.lock);
	pthread_mutex_unlock(&avahi.lock);
}

/* A daemon that hangs keeps nobody: not who tells of devices, of which the last is told later, nor
 * the end. */
static void test_daemon_hangs(void **state)
{
	double from;

	(void)state;
	avahi.at_once = true;
	start();
	expect("client group add(USB/IP on pc|" NONE ") commit ");
	hang(true);
	advertiser_set(advertiser, devices, 1);
	expect("update(USB/IP on pc|" ONE ") ");
	from = now();
	for (unsigned i = 0; i < 10000; i++)
		advertiser_set(advertiser, devices, i % 2);
	advertiser_set(advertiser, devices, 2);
	assert_true(now() - from < 1.);
	hang(false);
	expect("update(USB/IP on pc|" BOTH ") ");

	hang(true);
	advertiser_set(advertiser, devices, 1);
	expect("update(USB/IP on pc|" ONE ") ");
	from = now();
	advertiser_free(advertiser);
	advertiser = NULL;
	assert_true(now() - from > 0.9 && now() - from < 5.);
	/* What was left of it goes when it can. */
	hang(false);
	expect("free ");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_devices),
		TEST(test_no_daemon_yet),
		TEST(test_no_bus_yet),
		TEST(test_restart),
		TEST(test_set_while_gone),
		TEST(test_name_taken),
		TEST(test_all_names_taken),
		TEST(test_host_name),
		TEST(test_long_host_name),
		TEST(test_errors),
		TEST(test_daemon_hangs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#endif
