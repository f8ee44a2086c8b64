/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * session: a client, a peer that it has imported a camera from, and URBs of every kind. What the
 * client calls back becomes lines of a log, so that a test compares all of it, and in order.
 *
 *   imported 1-1.4
 *   done IN_A 0 512        the URB's status and actual; a "!" and more when its buffer is wrong
 *   closed -71 the reason
 */
#ifndef TESTS_UNIT_SESSION_H
#define TESTS_UNIT_SESSION_H

#include "bridge/client.h"
#include "tests/unit/peer.h"

enum session_kind {
	IN_A,	 /* bulk IN, 512 bytes */
	IN_B,	 /* the same */
	IN_BIG,	 /* bulk IN, more than the client's scratch buffer holds */
	IN_NONE, /* bulk IN, 0 bytes */
	OUT_A,	 /* bulk OUT, 31 bytes */
	OUT_ZLP, /* bulk OUT, 512 bytes and a zero-length packet */
	INTR,	 /* interrupt IN, 8 bytes */
	GET,	 /* control IN, 18 bytes */
	SET,	 /* control OUT, 7 bytes */
	SET_0,	 /* control OUT without data */
	GET_0,	 /* control whose request type says IN, without data */
	SESSION_KINDS,
};

struct session_urb {
	struct client_urb urb;
	const char *name;
	struct session *session;
	uint32_t seqnum, unlink_seqnum; /* as the server saw them */
	uint32_t previous;		/* seqnum before this one */
	uint32_t length;
};

struct session {
	struct peer peer;
	struct client *client;
	struct session_urb urbs[SESSION_KINDS];
	unsigned submitted[SESSION_KINDS]; /* kinds, oldest first, that the server has not seen */
	unsigned num_submitted, num_seen;
	char log[2048];
	unsigned closed;
};

#define SESSION_BUSID "1-1.4"
extern const struct peer_device session_device; /* busid, 3/7, high speed, 04a9:3218 */
extern const struct peer_subject session_subject;
extern const struct client_callbacks session_callbacks;

/* A client that has been created and has not sent anything yet. */
void session_init(struct session *s);
/* One that has imported; the log and what the peer received are empty again. */
void session_open(struct session *s);
void session_fini(struct session *s);

void session_log(struct session *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
void session_run(struct session *s);

/* Submits; the message leaves with the next session_run. */
int session_submit(struct session *s, enum session_kind kind);
/* Takes what has come to the server as the messages of the URBs; each must be right. */
void session_serve(struct session *s);
/* Byte `i` of what the server sends, or receives, for a kind. */
uint8_t session_byte(enum session_kind kind, uint32_t i);
uint8_t *session_payload(enum session_kind kind); /* 16384 of them; free() it */

#endif
