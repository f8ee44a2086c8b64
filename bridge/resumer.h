/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * resumer: tries to take a session up again that has lost its connection: at the same address,
 * again and again, until it is told otherwise.
 */
#ifndef BRIDGE_RESUMER_H
#define BRIDGE_RESUMER_H

#include <stdbool.h>

#include <ev.h>

#include "bridge/resumption.h"

struct resolver;
struct tls_context;

/* Exactly one of them comes, from the loop. In it resumer_stop may be called, and nothing else. */
struct resumer_callbacks {
	/* The server goes on by `conn`, which is the taker's, and has received so many messages. */
	void (*resumed)(void *user, struct conn *conn, uint32_t received);
	/* There is no such session any more, or no way to it. */
	void (*failed)(void *user, const char *reason);
};

struct resumer {
	struct ev_loop *loop;
	const struct resumer_callbacks *callbacks;
	void *user;
	const char *host, *port;
	uint16_t local_port;
	const struct tls_context *tls;
	struct usbip_resume how;
	ev_io io;
	ev_timer timer;
	struct resolver *resolver; /* while the address is looked up */
	bool asking;		   /* `resumption` is there */
	struct resumption resumption;
	unsigned refusals; /* in a row */
};

void resumer_init(struct resumer *r, struct ev_loop *loop,
	const struct resumer_callbacks *callbacks, void *user);

/* `host`, `port` and `tls` must stay; by that context the connection is encrypted, NULL: it is not.
 */
void resumer_start(struct resumer *r, const char *host, const char *port, uint16_t local_port,
	const struct tls_context *tls, const struct usbip_resume *how);

/* At any time after resumer_init. */
void resumer_stop(struct resumer *r);

#endif
