/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * streamlog: what the phone has sent or got on one endpoint, packet by packet, to be held against
 * what the camera has got or given.
 */
#ifndef TESTS_STREAMLOG_H
#define TESTS_STREAMLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct camera_endpoint;
struct fake_endpoint;

#define STREAMLOG_SESSIONS 64
#define STREAMLOG_STALLS 1024

/* One configuration of the phone's: it begins with this packet of the phone's and this URB. */
struct streamlog_session {
	unsigned packet, urb;
};

struct streamlog_packet {
	uint32_t size;
	uint8_t *data;
};

struct streamlog {
	struct streamlog_packet *packets;
	unsigned num, room;
	unsigned num_sessions;
	struct streamlog_session sessions[STREAMLOG_SESSIONS];
	/* IN: where the phone saw one */
	struct streamlog_stall {
		unsigned session, packet;
	} stalls[STREAMLOG_STALLS];
	unsigned num_stalls;
	/* where the link was lost: packets that the camera had given, or got, by then */
	unsigned cuts[STREAMLOG_SESSIONS], num_cuts;
};

void streamlog_put(struct streamlog *l, const void *data, size_t size);
void streamlog_stall(struct streamlog *l);
/* `urb`: URBs that have been submitted so far. */
void streamlog_session(struct streamlog *l, unsigned urb);
void streamlog_cut(struct streamlog *l, const struct camera_endpoint *e);
void streamlog_free(struct streamlog *l);

/* Fail the test unless: in each session the phone has got, from its start, what the camera gave to
 * URBs of that session that were not unlinked, and of the last session all of it; a stall came only
 * where there was an error. What was given before a link was lost may be missing from somewhere on.
 */
void streamlog_check_in(const struct streamlog *l, const struct camera_endpoint *e);

/* Fail the test unless the camera has got, in order and once, what the phone sent in the same
 * session, with nothing missing but the end of a session, or what came between a halt of the
 * camera's and the phone's, or from a link that was lost to the next command. Packets of the
 * camera's that are `lost` are not the phone's. */
void streamlog_check_out(const struct streamlog *l, const struct camera_endpoint *e,
	const struct fake_endpoint *phone);

#endif
