/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * browse: one entry a server, by its best address, of whatever a network says. avahi-daemon is a
 * script here: linked with --wrap=avahi_..., but for Avahi's own loop.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "bridge/browse.h"
#include "tests/unit/capture.h"

#ifndef HAVE_AVAHI

static void test_not_built(void **state)
{
	struct browse b;
	const char *why = NULL;

	(void)state;
	assert_int_equal(browse_run(&b, 0, &why), -ENOTSUP);
	assert_int_equal(b.count, 0);
	assert_non_null(strstr(why, "libavahi-client-dev"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_not_built)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

#include <avahi-client/client.h>
#include <avahi-client/lookup.h>
#include <avahi-common/error.h>
#include <avahi-common/timeval.h>

/* ---- avahi-daemon */

#define LO 1 /* the loopback interface, of which each machine has a name */
#define V4 AVAHI_PROTO_INET
#define V6 AVAHI_PROTO_INET6

static const char never[] = "never", fails[] = "fails";

struct instance {
	int interface;
	AvahiProtocol protocol;
	const char *host, *address; /* or never, or fails */
	uint16_t port;
};

struct AvahiServiceResolver {
	const struct instance *instance;
	AvahiServiceResolverCallback callback;
	void *user;
};

static struct {
	const struct instance *instances;
	unsigned count;
	unsigned late;			 /* so many come only when the others are resolved */
	bool endless;			 /* no ALL_FOR_NOW */
	int client_error, browser_error; /* at their beginning */
	int later_error;		 /* after the instances */
	bool dies;			 /* the client, instead of the browser */
	const AvahiPoll *poll;
	unsigned clients, resolvers, most, resolved; /* of the first two: that there are */
	AvahiClientCallback client_callback;
	AvahiServiceBrowserCallback callback;
	void *user, *client_user;
	int client, browser; /* for their addresses */
} avahi;

AvahiClient *__wrap_avahi_client_new(const AvahiPoll *poll, AvahiClientFlags flags,
	AvahiClientCallback callback, void *user, int *error);
void __wrap_avahi_client_free(AvahiClient *client);
int __wrap_avahi_client_errno(AvahiClient *client);
AvahiServiceBrowser *__wrap_avahi_service_browser_new(AvahiClient *client, AvahiIfIndex interface,
	AvahiProtocol protocol, const char *type, const char *domain, AvahiLookupFlags flags,
	AvahiServiceBrowserCallback callback, void *user);
AvahiServiceResolver *__wrap_avahi_service_resolver_new(AvahiClient *client, AvahiIfIndex interface,
	AvahiProtocol protocol, const char *name, const char *type, const char *domain,
	AvahiProtocol aprotocol, AvahiLookupFlags flags, AvahiServiceResolverCallback callback,
	void *user);
int __wrap_avahi_service_resolver_free(AvahiServiceResolver *r);

static void in_ms(unsigned ms, AvahiTimeoutCallback callback, void *user)
{
	struct timeval at;

	assert_non_null(
		avahi.poll->timeout_new(avahi.poll, avahi_elapse_time(&at, ms, 0), callback, user));
}

AvahiClient *__wrap_avahi_client_new(const AvahiPoll *poll, AvahiClientFlags flags,
	AvahiClientCallback callback, void *user, int *error)
{
	assert_int_equal(flags, 0);
	*error = avahi.client_error;
	if (*error)
		return NULL;
	avahi.poll = poll;
	avahi.client_callback = callback;
	avahi.client_user = user;
	avahi.clients++;
	callback((AvahiClient *)&avahi.client, AVAHI_CLIENT_S_RUNNING, user);
	return (AvahiClient *)&avahi.client;
}

/* Frees the resolvers with it, which this one leaves to the script. */
void __wrap_avahi_client_free(AvahiClient *client)
{
	assert_ptr_equal(client, &avahi.client);
	avahi.clients--;
}

int __wrap_avahi_client_errno(AvahiClient *client)
{
	assert_ptr_equal(client, &avahi.client);
	return avahi.browser_error  ? avahi.browser_error
		: avahi.later_error ? avahi.later_error
				    : AVAHI_ERR_TIMEOUT;
}

static void tell(AvahiBrowserEvent event, const struct instance *i, const char *name)
{
	avahi.callback((AvahiServiceBrowser *)&avahi.browser, i ? i->interface : AVAHI_IF_UNSPEC,
		i ? i->protocol : AVAHI_PROTO_UNSPEC, event, name, "_usbip._tcp", "local", 0,
		avahi.user);
}

static void on_late(AvahiTimeout *timeout, void *user)
{
	(void)user;
	avahi.poll->timeout_free(timeout);
	assert_int_equal(avahi.resolvers, 0);
	for (unsigned i = avahi.count - avahi.late; i < avahi.count; i++)
		tell(AVAHI_BROWSER_NEW, &avahi.instances[i], avahi.instances[i].host);
	tell(AVAHI_BROWSER_ALL_FOR_NOW, NULL, NULL);
}

static void on_browse(AvahiTimeout *timeout, void *user)
{
	(void)user;
	avahi.poll->timeout_free(timeout);
	for (unsigned i = 0; i < avahi.count - avahi.late; i++)
		tell(AVAHI_BROWSER_NEW, &avahi.instances[i], avahi.instances[i].host);
	if (avahi.later_error && avahi.dies)
		avahi.client_callback(
			(AvahiClient *)&avahi.client, AVAHI_CLIENT_FAILURE, avahi.client_user);
	else if (avahi.later_error)
		tell(AVAHI_BROWSER_FAILURE, NULL, NULL);
	if (avahi.late)
		in_ms(500, on_late, NULL);
	else if (!avahi.endless)
		tell(AVAHI_BROWSER_ALL_FOR_NOW, NULL, NULL);
}

AvahiServiceBrowser *__wrap_avahi_service_browser_new(AvahiClient *client, AvahiIfIndex interface,
	AvahiProtocol protocol, const char *type, const char *domain, AvahiLookupFlags flags,
	AvahiServiceBrowserCallback callback, void *user)
{
	assert_ptr_equal(client, &avahi.client);
	assert_int_equal(interface, AVAHI_IF_UNSPEC);
	assert_int_equal(protocol, AVAHI_PROTO_UNSPEC);
	assert_string_equal(type, "_usbip._tcp");
	assert_null(domain);
	assert_int_equal(flags, 0);
	if (avahi.browser_error)
		return NULL;
	avahi.callback = callback;
	avahi.user = user;
	in_ms(0, on_browse, NULL);
	return (AvahiServiceBrowser *)&avahi.browser;
}

static void on_resolve(AvahiTimeout *timeout, void *user)
{
	AvahiServiceResolver *r = user;
	const struct instance *i = r->instance;
	AvahiAddress address;

	avahi.poll->timeout_free(timeout);
	if (i->address == fails) {
		r->callback(r, i->interface, i->protocol, AVAHI_RESOLVER_FAILURE, i->host,
			"_usbip._tcp", "local", NULL, NULL, 0, NULL, 0, r->user);
		return;
	}
	assert_non_null(avahi_address_parse(i->address, AVAHI_PROTO_UNSPEC, &address));
	r->callback(r, i->interface, i->protocol, AVAHI_RESOLVER_FOUND, "name", "_usbip._tcp",
		"local", i->host, &address, i->port, NULL, 0, r->user);
}

AvahiServiceResolver *__wrap_avahi_service_resolver_new(AvahiClient *client, AvahiIfIndex interface,
	AvahiProtocol protocol, const char *name, const char *type, const char *domain,
	AvahiProtocol aprotocol, AvahiLookupFlags flags, AvahiServiceResolverCallback callback,
	void *user)
{
	AvahiServiceResolver *r = calloc(1, sizeof(*r));

	assert_ptr_equal(client, &avahi.client);
	r->instance = &avahi.instances[avahi.resolved++];
	assert_int_equal(interface, r->instance->interface);
	assert_int_equal(protocol, r->instance->protocol);
	assert_int_equal(aprotocol, protocol);
	assert_string_equal(name, r->instance->host);
	assert_string_equal(type, "_usbip._tcp");
	assert_string_equal(domain, "local");
	assert_int_equal(flags, 0);
	r->callback = callback;
	r->user = user;
	if (++avahi.resolvers > avahi.most)
		avahi.most = avahi.resolvers;
	if (r->instance->address == never)
		free(r); /* nobody may touch it */
	else
		in_ms(0, on_resolve, r);
	return r;
}

int __wrap_avahi_service_resolver_free(AvahiServiceResolver *r)
{
	avahi.resolvers--;
	free(r);
	return 0;
}

/* ---- the tests */

static struct {
	struct browse b;
	const char *why;
	int code;
	double seconds;
	char log[4096];
} got;

static void browse(const struct instance *instances, unsigned count, int stop)
{
	struct timespec from, to;
	struct capture capture;

	avahi.instances = instances;
	avahi.count = count;
	memset(&got, 0xa5, sizeof(got));
	clock_gettime(CLOCK_MONOTONIC, &from);
	capture_begin(&capture, 2);
	got.code = browse_run(&got.b, stop, &got.why);
	capture_end(&capture, got.log, sizeof(got.log));
	clock_gettime(CLOCK_MONOTONIC, &to);
	got.seconds = (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9;
	assert_int_equal(avahi.clients, 0);
}

static void is(unsigned i, const char *host, const char *address, unsigned port)
{
	assert_true(i < got.b.count);
	assert_string_equal(got.b.servers[i].host, host);
	assert_string_equal(got.b.servers[i].address, address);
	assert_int_equal(got.b.servers[i].port, port);
}

static int set_up(void **state)
{
	memset(&avahi, 0, sizeof(avahi));
	*(int *)(*state = malloc(sizeof(int))) = eventfd(0, EFD_CLOEXEC);
	return 0;
}

static int tear_down(void **state)
{
	close(*(int *)*state);
	free(*state);
	return 0;
}

/* Of one server the best address, in whatever order they come. */
static void test_one_entry(void **state)
{
	static const struct instance instances[] = {
		{LO, V6, "b.local", "fe80::1", 3240},
		{LO, V4, "b.local", "10.0.0.2", 3240},
		{LO, V6, "b.local", "2001:db8::1", 3240},
		{LO, V6, "c.local", "fe80::2", 3240},
		{LO, V6, "c.local", "2001:db8::2", 3240},
		{LO, V6, "c.local", "fe80::3", 3240},
		{LO, V4, "d.local", "10.0.0.5", 3240},
		{LO, V4, "d.local", "10.0.0.4", 3240},
		{LO, V4, "d.local", "10.0.0.6", 3240},
		{LO, V6, "a.local", "febf::1", 3240},
		{LO, V4, "d.local", "10.0.0.4", 99},
		{LO, V6, "e.local", "fec0::1", 3240},
	};

	browse(instances, 12, *(int *)*state);
	assert_int_equal(got.code, 0);
	assert_int_equal(got.b.count, 6);
	is(0, "a.local", "febf::1%lo", 3240);
	is(1, "b.local", "10.0.0.2", 3240);
	is(2, "c.local", "2001:db8::2", 3240);
	is(3, "d.local", "10.0.0.4", 99);
	is(4, "d.local", "10.0.0.4", 3240);
	is(5, "e.local", "fec0::1", 3240);
	assert_int_equal(avahi.resolvers, 0);
	assert_true(got.seconds < 4.);
	assert_string_equal(got.log, "");
}

/* That those which have come are resolved is not the end. */
static void test_late(void **state)
{
	static const struct instance instances[] = {
		{LO, V4, "a.local", "10.0.0.1", 3240}, {LO, V4, "b.local", "10.0.0.2", 3240}};

	avahi.late = 1;
	browse(instances, 2, *(int *)*state);
	assert_int_equal(got.code, 0);
	assert_int_equal(got.b.count, 2);
	is(1, "b.local", "10.0.0.2", 3240);
}

static void test_hostile(void **state)
{
	static char longest[1011];
	static const struct instance instances[] = {
		{LO, V4, "a\x1b[2J\nb\x80", "10.0.0.1", 3240},
		{LO, V4, longest, "10.0.0.2", 1},
		{LO, V4, "port 0", "10.0.0.3", 0},
		{12345, V6, "no interface", "fe80::1", 3240},
		{LO, V4, "no address", fails, 3240},
		{LO, V4, "", "10.0.0.4", 65535},
	};

	memset(longest, 'x', sizeof(longest) - 1);
	browse(instances, 6, *(int *)*state);
	assert_int_equal(got.code, 0);
	assert_int_equal(got.b.count, 3);
	is(0, "", "10.0.0.4", 65535);
	is(1, "a?[2J?b?", "10.0.0.1", 3240);
	assert_int_equal(strlen(got.b.servers[2].host), sizeof(got.b.servers[2].host) - 1);
}

static void test_many(void **state)
{
	static struct instance instances[1000];
	static char hosts[1000][8];

	for (unsigned i = 0; i < 1000; i++) {
		(void)snprintf(hosts[i], sizeof(hosts[i]), "%u", i);
		instances[i] = (struct instance){LO, V4, hosts[i], "10.0.0.1", 3240};
	}
	browse(instances, BROWSE_MAX_SERVERS, *(int *)*state);
	assert_int_equal(got.b.count, BROWSE_MAX_SERVERS);
	assert_string_equal(got.log, "");
	avahi.resolved = 0;
	browse(instances, 1000, *(int *)*state);
	assert_int_equal(got.code, 0);
	assert_int_equal(got.b.count, BROWSE_MAX_SERVERS);
	assert_int_equal(avahi.resolved, 256);
	assert_int_equal(avahi.resolvers, 0);
	assert_non_null(strstr(got.log, "warning: more servers announce themselves than the 64"));
}

/* One that does not resolve is not waited for for ever, nor a network that never falls silent. */
static void test_capped(void **state)
{
	static const struct instance instances[] = {
		{LO, V4, "a", never, 3240}, {LO, V4, "b", "10.0.0.1", 3240}};

	browse(instances, 2, *(int *)*state);
	assert_int_equal(got.code, 0);
	is(0, "b", "10.0.0.1", 3240);
	assert_true(got.seconds > 4. && got.seconds < 30.);
}

static void test_stopped(void **state)
{
	static const struct instance instances[] = {{LO, V4, "b", "10.0.0.1", 3240}};

	avahi.endless = true;
	assert_int_equal(eventfd_write(*(int *)*state, 1), 0);
	browse(instances, 1, *(int *)*state);
	assert_int_equal(got.code, 0);
	assert_true(got.seconds < 4.);
}

static void test_errors(void **state)
{
	static const struct instance instances[] = {{LO, V4, "b", "10.0.0.1", 3240}};

	avahi.client_error = AVAHI_ERR_NO_DAEMON;
	browse(instances, 1, *(int *)*state);
	assert_int_equal(got.code, -EIO);
	assert_string_equal(got.why, "Daemon not running");
	assert_int_equal(got.b.count, 0);

	avahi.client_error = 0;
	avahi.browser_error = AVAHI_ERR_NO_MEMORY;
	browse(instances, 1, *(int *)*state);
	assert_int_equal(got.code, -ENOMEM);

	avahi.browser_error = 0;
	for (int dies = 0; dies < 2; dies++) {
		avahi.resolved = 0;
		avahi.dies = dies;
		avahi.endless = true;
		avahi.later_error = AVAHI_ERR_DISCONNECTED;
		browse(instances, 0, *(int *)*state);
		assert_int_equal(got.code, -EIO);
		assert_string_equal(got.why, "Daemon connection failed");
		assert_true(got.seconds < 4.);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_one_entry, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_late, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_hostile, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_many, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_capped, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_stopped, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_errors, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#endif
