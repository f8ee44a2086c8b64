/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * refusals: which of those who were refused are worth a line in the log: each address with each
 * reason once, and one line in REFUSALS_REST_S, so that nobody fills it.
 *
 * Pure: no I/O, no allocation, no logging.
 */
#ifndef BRIDGE_REFUSALS_H
#define BRIDGE_REFUSALS_H

#include <stdbool.h>

#define REFUSALS_MAX 16 /* that are remembered; who was told of longest ago is forgotten */
#define REFUSALS_REST_S 10.
#define REFUSALS_MAX_PEER 64
#define REFUSALS_MAX_REASON 160

/* All 0: nobody has been refused. */
struct refusals {
	struct refusals_told {
		char peer[REFUSALS_MAX_PEER], reason[REFUSALS_MAX_REASON];
	} told[REFUSALS_MAX];
	unsigned next;
	double quiet_until;
	unsigned left_out;
};

/* `peer` is refused at `now`, in s of a clock that only goes forwards. True: tell of it, and of
 * *others, who were refused before and not told of. Who is left out now may be told of when it
 * comes again. */
bool refusals_add(
	struct refusals *r, const char *peer, const char *reason, double now, unsigned *others);

#endif
