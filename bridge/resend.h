/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * resend: messages that have to be sent once more, gathered in any order, back into the order in
 * which they were put before. Pure; nothing is allocated.
 */
#ifndef BRIDGE_RESEND_H
#define BRIDGE_RESEND_H

#include <stdint.h>

struct outbox;
struct outbox_message;

#define RESEND_RUNS 12 /* so that 4095 messages may be added */

/* All zeros at first. */
struct resend {
	struct outbox_message *runs[RESEND_RUNS]; /* sorted; NULL, or 1 << n messages */
};

/* In no queue, and of a number that no other has. */
void resend_add(struct resend *r, struct outbox_message *m);

/* Puts them into `o` by their numbers, and numbers them anew: from *next on, which goes on. */
void resend_put(const struct resend *r, uint64_t *next, struct outbox *o);

#endif
