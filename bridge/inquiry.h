/* SPDX-License-Identifier: GPL-2.0-or-later */
/* inquiry: asks many servers what they export, a bounded number of them at the same time. */
#ifndef BRIDGE_INQUIRY_H
#define BRIDGE_INQUIRY_H

#include <ev.h>

#include "bridge/devlist.h"

#define INQUIRY_PARALLEL 64 /* connections at the same time */

/* Who is asked. */
struct inquiry_server {
	unsigned id;		      /* the caller's */
	char host[CONN_ADDRESS_SIZE]; /* an address, perhaps with a scope; a name would block */
	char port[8];
};

enum inquiry_verdict {
	INQUIRY_LISTED,
	INQUIRY_FAILED, /* it has accepted the connection, and then not said what it exports */
	INQUIRY_CLOSED, /* it has not accepted it */
	INQUIRY_UNSENT, /* this machine could not even try */
};

struct inquiry_callbacks {
	/* Whom to ask next; false: nobody more. May be called until it has returned false once. */
	bool (*next)(void *user, struct inquiry_server *out);
	/* Once for each of them. LISTED: `list` is yours, by copying the struct, and to be given to
	 * devlist_fini. Else it is NULL and `why` says what happened, for people, and stays valid.
	 */
	void (*answered)(void *user, unsigned id, enum inquiry_verdict verdict,
		struct devlist *list, const char *why);
	/* Once, when all of them have been. */
	void (*over)(void *user);
};

struct inquiry_question {
	struct inquiry *inquiry; /* NULL: free */
	unsigned id;
	struct devlist list;
	ev_io io;
	ev_timer timer;
};

struct inquiry {
	struct ev_loop *loop;
	const struct inquiry_callbacks *callbacks;
	void *user;
	ev_prepare prepare;
	bool all_asked;
	struct inquiry_question questions[INQUIRY_PARALLEL];
};

/* All callbacks come from the loop. `q` may not move until inquiry_fini, which may come at any time
 * outside of them; questions that are not answered then never are. */
void inquiry_init(struct inquiry *q, struct ev_loop *loop,
	const struct inquiry_callbacks *callbacks, void *user);
void inquiry_fini(struct inquiry *q);

#endif
