/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tlsrig: two encrypted conns and the wire between them, which the test can watch, cut and change.
 *
 *   conn 0 (client) <-- socketpair --> wire <-- socketpair --> conn 1 (server)
 *
 * All in one thread, in turns, as with peer_run: the wire moves a piece only when neither end has
 * anything to do, and each end is called only when poll says what it waits for.
 */
#ifndef TESTS_UNIT_TLSRIG_H
#define TESTS_UNIT_TLSRIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bridge/conn.h"
#include "bridge/tls.h"

enum {
	RIG_CLIENT,
	RIG_SERVER
};

struct tlsrig_way {	/* what goes from one end to the other */
	uint8_t *bytes; /* all that the end has sent */
	size_t size, room, moved;
	size_t cut;	/* after so many the wire is closed on both sides; SIZE_MAX: never */
	size_t flipped; /* a bit of this byte is changed; SIZE_MAX: none */
};

struct tlsrig {
	struct conn ends[2];
	int wire[2];		   /* towards each end; -1: closed */
	struct tlsrig_way ways[2]; /* from each end */
	size_t piece;		   /* bytes that the wire moves at once; 0: all there are */
	int result[2];		   /* of conn_connect; what is not 0 is final */
	const char *why[2];	   /* of a result below 0 */
	unsigned calls[2];	   /* of conn_connect */
};

struct tlsrig_options {
	bool same_key, aes[2];
	bool plain[2]; /* that end is not secured */
	bool tcp;      /* instead of socketpairs, which know no SO_RCVLOWAT in poll */
};

extern const struct tlsrig_options tlsrig_usual;
extern const struct pairingkey tlsrig_key;

void tlsrig_init(struct tlsrig *r, const struct tlsrig_options *options);
void tlsrig_fini(struct tlsrig *r);

/* Until nothing moves any more. */
void tlsrig_run(struct tlsrig *r);

/* Moves what is on the wire; true if there was anything. */
bool tlsrig_carry(struct tlsrig *r);

/* Takes what an end has sent, and hands at most `size` bytes of it to the other. */
void tlsrig_carry_part(struct tlsrig *r, int from, size_t size);

/* Two ends that have shown each other the key. */
void tlsrig_open(struct tlsrig *r);
void tlsrig_open_tcp(struct tlsrig *r);

/* Closes the wire towards an end. */
void tlsrig_hang_up(struct tlsrig *r, int end);

/* One conn_writev of bytes, and one conn_readv for at most `size`; as these return. */
int tlsrig_put(struct tlsrig *r, int end, const void *bytes, size_t size);
int tlsrig_get(struct tlsrig *r, int end, void *bytes, size_t size);

/* A connection's end alone: conn, secured, over a socketpair whose other end is returned. */
int tlsrig_alone(struct conn *c, enum tls_role role);

#endif
