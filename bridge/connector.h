/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * connector: starts connections to the configured server, encrypted if there is a key for it. Its
 * name is looked up each time, without keeping the loop.
 */
#ifndef BRIDGE_CONNECTOR_H
#define BRIDGE_CONNECTOR_H

#include <stdint.h>

struct config;
struct conn;
struct ev_loop;
struct resolver;
struct tls_context;

struct connector {
	struct ev_loop *loop;
	const struct config *config;
	/* Once for each connector_start, unless connector_stop is called first: a connection that
	 * is on its way, the taker's; or NULL, and `why` for people, NULL as well: out of memory.
	 */
	void (*started)(void *user, struct conn *conn, const char *why);
	void *user;
	uint16_t local_port;
	struct resolver *resolver; /* while the name is looked up */
	struct tls_context *tls;   /* NULL: not needed, or not yet */
};

/* `loop` and `config` must stay. */
void connector_init(struct connector *c, struct ev_loop *loop, const struct config *config,
	void (*started)(void *user, struct conn *conn, const char *why), void *user);

/* `address`: where the server was found before, or empty. local_port: see conn_open. 0 or -ENOMEM.
 */
int connector_start(struct connector *c, const char *address, uint16_t local_port);

/* At any time after connector_init. */
void connector_stop(struct connector *c);
void connector_fini(struct connector *c);

#endif
