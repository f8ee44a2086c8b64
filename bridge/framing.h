/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * framing: how much may be asked for, so that a request never outlives the transfer it waits for.
 *
 * A request larger than what arrives completes only on a short packet, and a sender need not end a
 * multiple of the packet size with a zero-length one. So the size of each request, IN URB or aio
 * read on an OUT endpoint, comes from a framing that sees both directions of one interface. Pure;
 * one struct an interface, embedded in the relay.
 *
 *   generic  one packet a request: always right, any class, any number in flight
 *   ptp      still image (PIMA 15740 / ISO 15740 containers over bulk): the header of a data
 *            container tells its length; then large requests that sum exactly to what remains,
 *            rounded up to a packet. Needs packets of 64 bytes or more, else it acts as generic.
 *
 * A framing that meets what it does not understand acts as generic until the phone sends its next
 * command (or the endpoint is restarted).
 */
#ifndef BRIDGE_FRAMING_H
#define BRIDGE_FRAMING_H

#include <stdbool.h>
#include <stdint.h>

enum framing_kind {
	FRAMING_GENERIC,
	FRAMING_PTP,
};

enum framing_dir {
	FRAMING_OUT, /* phone to camera */
	FRAMING_IN,  /* camera to phone */
};

/* One direction: a stream of transfers on one bulk endpoint. */
struct framing_stream {
	uint32_t max_packet;  /* bytes; 0 = this direction has no bulk endpoint */
	uint32_t max_request; /* bytes, a multiple of max_packet */
	uint32_t idle;	      /* one-packet requests to keep posted past what is known to come */
	uint64_t asked;	      /* bytes of requests that are out */
	uint64_t total;	      /* bytes of the data container under way, its header included */
	uint64_t got;	      /* bytes of it that have arrived; 0 = between data containers */
	bool unbounded;	      /* its length says 0xffffffff: it ends with a short packet */
	bool lost;	      /* not understood: act as generic */
};

struct framing {
	enum framing_kind kind;
	bool unanswered;		 /* a command has gone, and nothing has come since */
	bool data_sent;			 /* the phone has sent data since that command */
	struct framing_stream stream[2]; /* by enum framing_dir */
};

/* Which framing an interface of this class is to have. `mtp` says that its string is "MTP". */
enum framing_kind framing_for_class(uint8_t class, uint8_t subclass, uint8_t protocol, bool mtp);

void framing_init(struct framing *f, enum framing_kind kind);

/* Declares the bulk endpoint of one direction. max_packet > 0; max_request is rounded down to a
 * multiple of it, to at least one packet; idle >= 1. */
void framing_stream_init(struct framing *f, enum framing_dir dir, uint32_t max_packet,
	uint32_t max_request, uint32_t idle);

/* Bytes that the next request in this direction may ask for, a multiple of max_packet, and counts
 * it as out; 0 = nothing more for now (ask again after the next framing_done of either direction).
 * Never 0 while nothing is out, unless there is no endpoint. */
uint32_t framing_next(struct framing *f, enum framing_dir dir);

/* A request of `asked` bytes came back with `len` bytes at `data` (len <= asked; fewer: a short
 * packet ended it); in order of asking. `data` may be NULL when len is 0. */
void framing_done(
	struct framing *f, enum framing_dir dir, uint32_t asked, const uint8_t *data, uint32_t len);

/* A request came back without having moved anything and will not be posted again (unlinked,
 * failed). In any order. */
void framing_cancelled(struct framing *f, enum framing_dir dir, uint32_t asked);

/* The endpoint was halted or reset: what comes next is the start of a transfer. Requests that are
 * out stay counted. */
void framing_restart(struct framing *f, enum framing_dir dir);

/* Whether a halt of the IN endpoint may come only of read-ahead: some cameras answer an IN token
 * with STALL while they wait for a command's data. */
bool framing_is_unanswered(const struct framing *f);

/* Whether all that the phone sends with the command has been seen. */
bool framing_is_data_sent(const struct framing *f);

#endif
