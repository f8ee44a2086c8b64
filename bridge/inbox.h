/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * inbox: what comes by a connection: records, and payload straight to where it belongs.
 *
 * A record is copied from nowhere: its user looks at it where it has come. Payload is what a record
 * has announced, and comes before the next one.
 */
#ifndef BRIDGE_INBOX_H
#define BRIDGE_INBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INBOX_SIZE 4096

struct conn;

/* All zeros at first. */
struct inbox {
	uint8_t bytes[INBOX_SIZE]; /* records, and payload that has come with them */
	size_t at, have;
	uint8_t *to;
	uint32_t payload; /* bytes that are still to come there */
};

/* Bytes that have come, and nobody has taken. */
static inline size_t inbox_left(const struct inbox *b)
{
	return b->have - b->at;
}

/* The next record, of `size` bytes, INBOX_SIZE at most; valid until inbox_receive. NULL: not all of
 * it has come. Not while payload is awaited. */
const uint8_t *inbox_record(const struct inbox *b, size_t size);

/* It has been dealt with. */
void inbox_skip(struct inbox *b, size_t size);

/* So many bytes follow it, and go to `to`, which stays until they have come or inbox_cut. */
void inbox_await(struct inbox *b, uint8_t *to, uint32_t bytes);

/* Moves there what has come of them with the record. False: nothing has. */
bool inbox_fill(struct inbox *b);

/* One readv: the rest of a payload, and what follows it. Bytes (> 0), 0 or -errno as conn_readv;
 * *more: there may be more. */
int inbox_receive(struct inbox *b, struct conn *conn, bool *more);

/* The connection is lost: of half a message that has come by it nothing is to be known. */
void inbox_cut(struct inbox *b);

#endif
