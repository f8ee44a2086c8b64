/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/connector.h"

#include <errno.h>
#include <string.h>

#include "bridge/config.h"
#include "bridge/conn.h"
#include "bridge/resolver.h"
#include "bridge/tls_context.h"

void connector_init(struct connector *c, struct ev_loop *loop, const struct config *config,
	void (*started)(void *user, struct conn *conn, const char *why), void *user)
{
	memset(c, 0, sizeof(*c));
	c->loop = loop;
	c->config = config;
	c->started = started;
	c->user = user;
}

/* With the key, if there is one for the server. 0 or -ENOMEM. */
static int secure(struct connector *c, struct conn *conn)
{
	const struct config *config = c->config;
	int r = 0;

	if (!config->server.has_key)
		return 0;
	if (!c->tls)
		r = tls_context_new(TLS_CLIENT, &config->server.key, tls_cpu_has_aes(), &c->tls);
	return r ? r : conn_secure(conn, c->tls);
}

static void on_resolved(void *user, struct addrinfo *addresses, const char *why)
{
	struct connector *c = user;
	struct conn conn;

	connector_stop(c);
	if (!addresses || conn_start(&conn, addresses, c->local_port, &why)) {
		c->started(c->user, NULL, why);
		return;
	}
	if (secure(c, &conn)) {
		conn_close(&conn);
		c->started(c->user, NULL, NULL);
		return;
	}
	c->started(c->user, &conn, NULL);
}

int connector_start(struct connector *c, const char *address, uint16_t local_port)
{
	const char *host = *address ? address : c->config->server.host;

	c->local_port = local_port;
	c->resolver = resolver_new(c->loop, host, c->config->server.port, on_resolved, c);
	return c->resolver ? 0 : -ENOMEM;
}

void connector_stop(struct connector *c)
{
	resolver_free(c->resolver);
	c->resolver = NULL;
}

void connector_fini(struct connector *c)
{
	connector_stop(c);
	tls_context_free(c->tls);
	c->tls = NULL;
}
