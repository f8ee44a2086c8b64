/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hold: for how long a phone waits for a camera whose link is lost. */
#ifndef BRIDGE_HOLD_H
#define BRIDGE_HOLD_H

#include <stdbool.h>

#include <ev.h>

struct hold {
	struct ev_loop *loop;
	ev_timer timer;
	bool on;
	bool extended;	/* by hold_extend, since it began */
	double seconds; /* of the hold at hand, or of the last */
	ev_tstamp told; /* ev_now when the server said that the camera was unplugged; 0: never */
	void (*over)(void *user); /* it has been on for so long; then it is not any more */
	void *user;
};

/* `loop` must stay. */
void hold_init(struct hold *h, struct ev_loop *loop, void (*over)(void *user), void *user);

/* For at most `longest` seconds, above 0; less where the server has just said that the camera was
 * unplugged, as it may by hold_unplugged while the phone waits as well. */
void hold_begin(struct hold *h, double longest);
void hold_unplugged(struct hold *h);

/* The camera is there, and is to be brought to where the phone has it: for `least` seconds from now
 * on, if that is longer. Once in a hold. */
void hold_extend(struct hold *h, double least);

void hold_end(struct hold *h);

#endif
