/* SPDX-License-Identifier: GPL-2.0-or-later */
/* many: a session with one URB more than a client can have in flight, bulk IN of 8 bytes each. */
#ifndef TESTS_UNIT_MANY_H
#define TESTS_UNIT_MANY_H

#include "tests/unit/session.h"

#define MANY (CLIENT_MAX_URBS + 1)

struct many {
	struct session s;
	unsigned done;			 /* in all */
	int status;			 /* of the last */
	struct client_urb *last, *again; /* to be submitted from done */
	struct client_urb *victim;	 /* to be unlinked from done */
	bool flush;			 /* from done */
	uint32_t seqnums[MANY];		 /* as the server saw them, in order */
	unsigned num_seqnums;
	uint8_t data[MANY][8];
	struct client_urb urbs[MANY];
};

struct many *many_new(void);
void many_free(struct many *m);

/* URBs first .. end - 1. */
void many_submit(struct many *m, unsigned first, unsigned end);
/* Lets the server see what has been sent, and forget what it has seen before. */
void many_see(struct many *m);
/* RET_SUBMIT with all 8 bytes. */
void many_answer(struct many *m, uint32_t seqnum);
/* To all that the server has seen. */
void many_answer_all(struct many *m);

#endif
