/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cutlink: a connection between two ends in this process, which carries so many bytes and no more.
 * What has been sent and not been carried by then is lost, as in the buffers of two kernels.
 */
#ifndef TESTS_CUTLINK_H
#define TESTS_CUTLINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct conn;

struct cutlink {
	int fds[2];	/* our ends: the client's, the server's; -1: closed */
	size_t left[2]; /* bytes that are still carried from there; SIZE_MAX: all */
	size_t piece;	/* at a time; 0: all */
	uint64_t carried[2];
	bool cut; /* nothing is carried any more */
	/* When the bytes have run out, an end is told by a close, or hears nothing. */
	bool silent[2];
};

/* The client's end and the server's are the taker's, in these. `narrow`: they take little at once.
 */
void cutlink_open(struct cutlink *l, struct conn *client, struct conn *server, bool narrow);

/* Carries what can be carried just now; how many bytes. */
size_t cutlink_run(struct cutlink *l);

/* Now. */
void cutlink_cut(struct cutlink *l);

/* Tells also who has not heard of it. */
void cutlink_close(struct cutlink *l);

#endif
