/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * answers: what an importer is answered, in order, until it has gone; in a session that can be
 * resumed, until it has been acknowledged, so that it can be sent again on another connection.
 */
#ifndef BRIDGE_ANSWERS_H
#define BRIDGE_ANSWERS_H

#include <stdbool.h>
#include <stdint.h>

#include "bridge/outbox.h"

struct urbpool;
struct urbpool_urb;

struct answers {
	struct outbox outbox; /* also of what comes before the URBs */
	struct urbpool *pool; /* that URBs go back to */
	struct urbpool_urb *first, **last;
	bool kept;	   /* until they are acknowledged */
	unsigned num_late; /* of these, the answers to unlinks of what had been answered */
	/* Messages since the start, mod 2^32. */
	uint32_t put, acknowledged;
};

void answers_init(struct answers *a, struct urbpool *pool);
void answers_fini(struct answers *a);

/* A URB that is not at the device, or not any more, is answered by RET_SUBMIT, by RET_UNLINK, or
 * where it was faster than its unlink by both. */
void answers_put(struct answers *a, struct urbpool_urb *u);

/* A CMD_UNLINK of this seqnum, of what has been answered before, by RET_UNLINK; `u` serves as its
 * message alone. */
void answers_put_unlinked(struct answers *a, struct urbpool_urb *u, uint32_t seqnum);

/* Gives back what has gone and is not kept. After each outbox_flush. */
void answers_sent(struct answers *a);

/* So many have been received; fewer than it was known already is nothing new. -EPROTO: more than
 * have been sent. */
int answers_acknowledge(struct answers *a, uint32_t count);

/* Whether a resume may say that so many have been received. */
bool answers_may_go_on_after(const struct answers *a, uint32_t count);

/* The connection is lost: the outbox is empty. */
void answers_cut(struct answers *a);

/* Into the outbox again, what has not been acknowledged; after answers_cut. */
void answers_again(struct answers *a);

#endif
