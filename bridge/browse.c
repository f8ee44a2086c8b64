/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/browse.h"

#include <errno.h>
#include <string.h>

#ifndef HAVE_AVAHI

int browse_run(struct browse *b, int stop, const char **why)
{
	(void)stop;
	memset(b, 0, sizeof(*b));
	*why = "this ip2usb was built without libavahi-client (libavahi-client-dev)";
	return -ENOTSUP;
}

#else

#include <net/if.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include <avahi-client/client.h>
#include <avahi-client/lookup.h>
#include <avahi-common/error.h>
#include <avahi-common/malloc.h>
#include <avahi-common/simple-watch.h>
#include <avahi-common/timeval.h>

#include "bridge/log.h"

#define TYPE "_usbip._tcp"
#define TIMEOUT_MS 5000
/* Each instance comes once an interface and protocol; a hostile network could announce any number.
 */
#define MAX_RESOLVERS 256

struct browsing {
	struct browse *out;
	AvahiSimplePoll *poll;
	AvahiClient *client;
	AvahiServiceBrowser *browser;
	AvahiServiceResolver *resolvers[MAX_RESOLVERS]; /* those under way come first */
	unsigned num_resolvers, num_resolved;
	bool all_for_now, full;
	int error; /* Avahi's */
};

/* ---- one entry a server ---- */

static int rank(const char *address)
{
	return !strchr(address, ':') ? 2 : !strchr(address, '%');
}

/* Of two that are as good always the same, in whatever order they come. */
static bool is_better(const char *address, const char *than)
{
	int better = rank(address) - rank(than);

	return better ? better > 0 : strcmp(address, than) < 0;
}

static void keep(struct browsing *b, const struct browse_server *server)
{
	struct browse *out = b->out;

	for (unsigned i = 0; i < out->count; i++) {
		struct browse_server *s = &out->servers[i];

		if (strcmp(s->host, server->host) || s->port != server->port)
			continue;
		if (is_better(server->address, s->address))
			*s = *server;
		return;
	}
	if (out->count < BROWSE_MAX_SERVERS)
		out->servers[out->count++] = *server;
	else
		b->full = true;
}

static int by_name(const void *left, const void *right)
{
	const struct browse_server *a = left, *b = right;
	int order = strcmp(a->host, b->host);

	return order ? order : a->port - b->port;
}

/* ---- Avahi ---- */

static void end_if_done(struct browsing *b)
{
	if (b->all_for_now && !b->num_resolvers)
		avahi_simple_poll_quit(b->poll);
}

static void fail(struct browsing *b, int error)
{
	b->error = error;
	avahi_simple_poll_quit(b->poll);
}

static bool is_link_local(const AvahiAddress *a)
{
	return a->proto == AVAHI_PROTO_INET6 && a->data.ipv6.address[0] == 0xfe &&
		(a->data.ipv6.address[1] & 0xc0) == 0x80;
}

static void on_found(struct browsing *b, AvahiIfIndex interface, const char *host,
	const AvahiAddress *address, uint16_t port)
{
	char digits[AVAHI_ADDRESS_STR_MAX], scope[IF_NAMESIZE] = "";
	struct browse_server server = {.port = port};

	/* Without its scope it could not be connected to. */
	if (!port || (is_link_local(address) && !if_indextoname((unsigned)interface, scope)))
		return;
	avahi_address_snprint(digits, sizeof(digits), address);
	(void)snprintf(
		server.address, sizeof(server.address), "%s%s%s", digits, *scope ? "%" : "", scope);
	(void)snprintf(server.host, sizeof(server.host), "%s", host);
	log_clean(server.host, strlen(server.host));
	log_debug("mDNS: %s is %s port %u", server.host, server.address, port);
	keep(b, &server);
}

static void on_resolved(AvahiServiceResolver *resolver, AvahiIfIndex interface,
	AvahiProtocol protocol, AvahiResolverEvent event, const char *name, const char *type,
	const char *domain, const char *host, const AvahiAddress *address, uint16_t port,
	AvahiStringList *txt, AvahiLookupResultFlags flags, void *user)
{
	struct browsing *b = user;
	unsigned i = 0;

	(void)protocol;
	(void)type;
	(void)domain;
	(void)txt; /* what the server itself says counts: inquiry */
	(void)flags;
	if (event == AVAHI_RESOLVER_FOUND)
		on_found(b, interface, host, address, port);
	else
		log_debug("mDNS: '%s' has no address: %s", name,
			avahi_strerror(avahi_client_errno(b->client)));
	while (b->resolvers[i] != resolver)
		i++;
	b->resolvers[i] = b->resolvers[--b->num_resolvers];
	avahi_service_resolver_free(resolver);
	end_if_done(b);
}

/* Only addresses of the protocol by which it was heard: the others come by the other one, if this
 * machine has it at all. */
static void resolve(struct browsing *b, AvahiIfIndex interface, AvahiProtocol protocol,
	const char *name, const char *type, const char *domain)
{
	AvahiServiceResolver *resolver;

	if (b->num_resolved == MAX_RESOLVERS) {
		b->full = true;
		return;
	}
	resolver = avahi_service_resolver_new(
		b->client, interface, protocol, name, type, domain, protocol, 0, on_resolved, b);
	if (!resolver)
		return;
	b->num_resolved++;
	b->resolvers[b->num_resolvers++] = resolver;
}

static void on_browsed(AvahiServiceBrowser *browser, AvahiIfIndex interface, AvahiProtocol protocol,
	AvahiBrowserEvent event, const char *name, const char *type, const char *domain,
	AvahiLookupResultFlags flags, void *user)
{
	struct browsing *b = user;

	(void)browser;
	(void)flags;
	if (event == AVAHI_BROWSER_NEW) {
		resolve(b, interface, protocol, name, type, domain);
	} else if (event == AVAHI_BROWSER_FAILURE) {
		fail(b, avahi_client_errno(b->client));
	} else if (event == AVAHI_BROWSER_ALL_FOR_NOW) {
		b->all_for_now = true;
		end_if_done(b);
	}
}

/* The client is not ours yet when this comes from inside avahi_client_new. */
static void on_client(AvahiClient *client, AvahiClientState state, void *user)
{
	if (state == AVAHI_CLIENT_FAILURE)
		fail(user, avahi_client_errno(client));
}

static void on_timeout(AvahiTimeout *timeout, void *user)
{
	struct browsing *b = user;

	(void)timeout;
	avahi_simple_poll_quit(b->poll);
}

static void on_stop(AvahiWatch *watch, int fd, AvahiWatchEvent event, void *user)
{
	struct browsing *b = user;

	(void)watch;
	(void)fd;
	(void)event;
	avahi_simple_poll_quit(b->poll);
}

/* 0 or an error of Avahi's. */
static int start(struct browsing *b, int stop)
{
	const AvahiPoll *api = avahi_simple_poll_get(b->poll);
	struct timeval end;
	int error = AVAHI_ERR_NO_MEMORY;

	if ((stop >= 0 && !api->watch_new(api, stop, AVAHI_WATCH_IN, on_stop, b)) ||
		!api->timeout_new(api, avahi_elapse_time(&end, TIMEOUT_MS, 0), on_timeout, b))
		return error;
	b->client = avahi_client_new(api, 0, on_client, b, &error);
	if (!b->client)
		return error;
	b->browser = avahi_service_browser_new(
		b->client, AVAHI_IF_UNSPEC, AVAHI_PROTO_UNSPEC, TYPE, NULL, 0, on_browsed, b);
	return b->browser ? 0 : avahi_client_errno(b->client);
}

int browse_run(struct browse *out, int stop, const char **why)
{
	struct browsing b = {.out = out, .poll = avahi_simple_poll_new()};
	int error = AVAHI_ERR_NO_MEMORY;

	memset(out, 0, sizeof(*out));
	if (b.poll)
		error = start(&b, stop);
	if (!error && avahi_simple_poll_loop(b.poll) < 0)
		error = AVAHI_ERR_FAILURE;
	if (!error)
		error = b.error;
	if (b.client)
		avahi_client_free(b.client); /* with all that was made of it */
	if (b.poll)
		avahi_simple_poll_free(b.poll);
	qsort(out->servers, out->count, sizeof(out->servers[0]), by_name);
	if (b.full)
		log_warning("more servers announce themselves than the %u that are looked at",
			BROWSE_MAX_SERVERS);
	if (!error)
		return 0;
	*why = avahi_strerror(error);
	return error == AVAHI_ERR_NO_MEMORY ? -ENOMEM : -EIO;
}

#endif
