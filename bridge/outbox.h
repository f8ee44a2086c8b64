/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * outbox: messages on their way out, sent with gathered writes and never copied.
 *
 * A message is embedded in whatever it belongs to, which must stay until the message has gone.
 */
#ifndef BRIDGE_OUTBOX_H
#define BRIDGE_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct conn;

struct outbox_message {
	struct outbox_message *next; /* of the queue */
	bool queued;		     /* not all of it has gone yet */
	uint8_t header[48];
	uint32_t header_size;
	const uint8_t *payload;
	uint32_t payload_size;
	uint64_t number; /* for its user, who may count them */
};

struct outbox {
	struct outbox_message *head, **tail;
	size_t sent; /* bytes of the first message that have gone */
};

void outbox_init(struct outbox *o);
bool outbox_empty(const struct outbox *o);

/* `m` may not be in a queue already. */
void outbox_put(struct outbox *o, struct outbox_message *m);

/* Writes as much as `conn` takes. 0, or -errno of the connection. */
int outbox_flush(struct outbox *o, struct conn *conn);

#endif
