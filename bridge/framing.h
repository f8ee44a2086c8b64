/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * framing: how much may be asked for, so that no request waits for more than will come, and when,
 * so that the camera is not asked for what it has not got.
 *
 * A request larger than what arrives completes only on a short packet, and a sender need not end a
 * multiple of the packet size with a zero-length one. So the size of each request, IN URB or aio
 * read on an OUT endpoint, comes from a framing that sees both directions of one interface. Pure;
 * one struct an interface, embedded in the relay.
 *
 *   generic  one packet a request: always right, any class, any number in flight
 *   ptp      still image (PIMA 15740 / ISO 15740 containers over bulk): IN large requests without
 *            end, because after what does not end with a short packet one comes by itself. OUT
 *            the header of a data container tells its length; then large requests that sum
 *            exactly to what remains, rounded up to a packet. Needs packets of 64 bytes or more
 *            in both directions, else it acts as generic.
 *   bot      mass storage (bulk-only transport 1.0): a command says which way its data goes and
 *            how much. Asks for IN only what a command that the camera has taken will bring: some
 *            disks STALL what is asked before. Needs packets of 32 bytes or more likewise.
 *
 * A framing that meets what it does not understand acts as generic, but for IN of ptp, until the
 * phone sends its next command (or the endpoint is restarted).
 */
#ifndef BRIDGE_FRAMING_H
#define BRIDGE_FRAMING_H

#include <stdbool.h>
#include <stdint.h>

#include "bridge/ptp.h"

struct usb_profile;

enum framing_kind {
	FRAMING_GENERIC,
	FRAMING_PTP,
	FRAMING_BOT,
};

enum framing_dir {
	FRAMING_OUT, /* phone to camera */
	FRAMING_IN,  /* camera to phone */
};

/* One direction: a stream of transfers on one bulk endpoint. */
struct framing_stream {
	uint32_t max_packet; /* bytes, where requests go to; 0 = this direction has no bulk endpoint
			      */
	uint32_t unit;	     /* OUT: bytes of a packet at the camera, a multiple of max_packet */
	uint32_t into;	     /* OUT: bytes of the transfer under way that have come, modulo unit */
	uint32_t max_request; /* bytes, a multiple of max_packet, and of unit */
	uint64_t asked;	      /* bytes of requests that are out */
	bool lost;	      /* not understood: act as generic */
	/* ptp, OUT: */
	uint64_t total; /* bytes of the data container under way, its header included */
	uint64_t got;	/* bytes of it that have arrived; 0 = between data containers */
	bool unbounded; /* its length says 0xffffffff: it ends with a short packet */
};

/* Bulk-only transport 1.0, figure 1. */
enum framing_bot_phase {
	BOT_COMMAND, /* between commands: a command block wrapper (CBW) comes next */
	BOT_DATA_OUT,
	BOT_DATA_IN,
	BOT_STATUS, /* a command status wrapper (CSW) comes next */
};

/* ptp: what has come of the answer to a command. */
struct framing_answer {
	uint64_t size;		  /* bytes */
	bool ended;		  /* behind the last of them a zero-length packet */
	uint32_t num_samples;	  /* of the transfers that began where one may be taken, */
	uint64_t samples;	  /* and what they make */
	uint8_t head[PTP_HEADER]; /* the first of them */
};

/* A sample is the first 8 bytes of a transfer that begins at a multiple of this; framing_sample
 * makes it a part of the others. */
#define FRAMING_SAMPLE_EVERY 16384

static inline void framing_sample(struct framing_answer *a, const uint8_t *data)
{
	a->num_samples++;
	a->samples = (a->samples << 7 | a->samples >> 57) ^
		(bytes_le32(data) | (uint64_t)bytes_le32(data + 4) << 32);
}

struct framing {
	enum framing_kind kind;
	struct framing_stream stream[2]; /* by enum framing_dir */
	unsigned untaken;		 /* OUT requests that the camera has not taken yet */
	unsigned changes; /* counts what may make framing_next say otherwise, beyond what the caller
			     has just told of that direction: what either direction tells, of bot */
	/* ptp: */
	bool unanswered;		/* a command has gone, and nothing has come since */
	bool data_sent;			/* the phone has sent data since that command */
	bool under_way;			/* nor has its response */
	bool halted;			/* the phone has seen a halt since that command */
	uint8_t command[PTP_MAX_SHORT]; /* the last, and its size */
	uint32_t command_size;
	struct framing_answer answer; /* to it */
	unsigned tries;		      /* framing_ask_again */
	uint64_t tried_at;	      /* bytes of the answer */
	uint32_t session;	      /* that the phone has open (PTP: OpenSession); 0: none */
	/* bot: */
	enum framing_bot_phase phase;
	uint32_t tag;  /* of the command */
	uint32_t left; /* bytes of data that the command's data phase still moves */
};

/* Which framing an interface of this class is to have. `mtp` says that its string is "MTP". */
enum framing_kind framing_for_class(uint8_t class, uint8_t subclass, uint8_t protocol, bool mtp);

/* That of a camera's interface, by its place in the profile. */
enum framing_kind framing_of_interface(const struct usb_profile *profile, unsigned at);

/* The class request without data (bmRequestType 0x21) that resets an interface: PIMA 15740 over USB
 * 5.2.3, bulk-only transport 3.1. 0: there is none. */
uint8_t framing_reset_request(enum framing_kind kind);

void framing_init(struct framing *f, enum framing_kind kind);

/* Declares the bulk endpoint of one direction. max_packet > 0; max_request is rounded down to a
 * multiple of it, to at least one packet. */
void framing_stream_init(
	struct framing *f, enum framing_dir dir, uint32_t max_packet, uint32_t max_request);

/* OUT, where the phone's packets are smaller than the camera's: `max_packet` and `unit`, a multiple
 * of it. Requests then end where packets of the camera do, or where
 * the transfer does, as far as that is known. While no request is out. */
void framing_set_packets(struct framing *f, uint32_t max_packet, uint32_t unit);

/* Whether the transfer that framing_done of OUT told of last is known to be over, short packet or
 * not. */
bool framing_is_over(const struct framing *f);

/* Bytes that the next request in this direction may ask for, and counts it as out: a multiple of
 * max_packet, but for the last of what is known to come in the IN direction of bot; 0 = nothing
 * more for now: ask again when one of that direction is back, or `changes` has moved. Never 0 while
 * nothing is out, unless there is no endpoint, or of the IN direction of bot. */
uint32_t framing_next(struct framing *f, enum framing_dir dir);

/* A request of `asked` bytes came back with `len` bytes at `data` (len <= asked; fewer: a short
 * packet ended it); in order of asking. `data` may be NULL when len is 0. OUT: it now goes on to
 * the camera. */
void framing_done(
	struct framing *f, enum framing_dir dir, uint32_t asked, const uint8_t *data, uint32_t len);

/* The camera has taken what a framing_done of OUT told, or has failed to. */
void framing_taken(struct framing *f);

/* A request came back without having moved anything and will not be posted again (unlinked,
 * failed). In any order. */
void framing_cancelled(struct framing *f, enum framing_dir dir, uint32_t asked);

/* The endpoint was halted, and is no more: what comes next is the start of a transfer. Requests
 * that are out stay counted. */
void framing_restart(struct framing *f, enum framing_dir dir);

/* The phone has configured the camera: what comes first is the start of a transfer, and of OUT a
 * command. Requests that are out stay counted. */
void framing_begin(struct framing *f, enum framing_dir dir);

/* Whether this class request to the interface (bmRequestType 0x21) makes the camera give up the
 * transfer under way: bulk-only transport 3.1 (reset), PIMA 15740 over USB 5.2 (cancel, device
 * reset). The phone has given it up before, and what it sends next is a command, shorter than a
 * packet; framing_begin both directions. */
bool framing_is_abort(const struct framing *f, uint8_t request_type, uint8_t request);

/* Whether a transfer of the phone's is a command, which it sends when it is done with the last one,
 * however far that had come. */
bool framing_is_command(const struct framing *f, const uint8_t *data, uint32_t len);

/* Whether the phone clears both halts after it (bulk-only transport, 5.3.4). */
bool framing_clears_halts(const struct framing *f);

/* IN requests that are out have nothing to bring: the camera ended a transfer before its time. They
 * should be unlinked; a halt that they meet says nothing; what the phone sends should wait until
 * they are back, because the camera's answer to it could be lost in one. */
bool framing_is_surplus(const struct framing *f);

/* Whether a halt of the IN endpoint may come only of read-ahead: some cameras answer an IN token
 * with STALL while they wait for a command's data. */
bool framing_is_early(const struct framing *f);

/* Whether a transaction is between its command and its response: of ptp. */
bool framing_is_under_way(const struct framing *f);

/* The phone is shown a halt, in either direction; and whether it has been since its last command:
 * then it waits for nothing more of that. Of ptp. */
void framing_halted(struct framing *f);
bool framing_is_halted(const struct framing *f);

/* The session that the phone has open, of ptp, or 0; and that it is closed, as the phone or the
 * camera is another by now. */
uint32_t framing_session(const struct framing *f);
void framing_end_session(struct framing *f);

/* ptp: the phone's command, of *size bytes, if it waits for the answer to it, or for the rest of
 * that, and a camera that has forgotten it may be asked again without harm; else NULL. */
const uint8_t *framing_repeatable(const struct framing *f, uint32_t *size);

/* It is to be asked again. False: not any more, as it has been, three times without anything more
 * of the answer; what makes the link go each time is perhaps just that. */
bool framing_ask_again(struct framing *f);

/* It has been, in vain. */
void framing_forget(struct framing *f);

/* Whether the camera has taken all that the phone has sent. */
bool framing_is_taken(const struct framing *f);

/* Whether a failure of OUT need not be shown as a halt, because the status that follows tells it.
 * The phone, whose transfer ends when it has reached us, may be past the halted endpoint already,
 * and would meet the halt in its next command. What it still sends of the transfer is to be
 * dropped, as long as framing_is_sending. */
bool framing_has_status(const struct framing *f);
bool framing_is_sending(const struct framing *f);

/* ---- between framing.c and framing_KIND.c only ---- */

static inline uint64_t framing_packets(uint64_t bytes, const struct framing_stream *s)
{
	return (bytes + s->max_packet - 1) / s->max_packet * s->max_packet;
}

/* The next request where `due` bytes are known to come, and a request of one packet is to stand
 * behind: enough for a command; more of them would take a packet each of what a command announces,
 * and make a URB of each. Requests fill in order of asking, so those out take the first of what is
 * due, and this one ends where that does, or before. */
uint32_t framing_step(const struct framing_stream *s, uint64_t due);

uint32_t ptp_next(const struct framing *f, enum framing_dir dir);
void ptp_done(
	struct framing *f, enum framing_dir dir, const uint8_t *data, uint32_t len, bool is_short);
void ptp_restart(struct framing *f, enum framing_dir dir);
void ptp_begin(struct framing *f, enum framing_dir dir);
bool ptp_is_command(const uint8_t *data, uint32_t len);

uint32_t bot_next(const struct framing *f, enum framing_dir dir);
void bot_done(
	struct framing *f, enum framing_dir dir, const uint8_t *data, uint32_t len, bool is_short);
void bot_restart(struct framing *f, enum framing_dir dir);
void bot_begin(struct framing *f, enum framing_dir dir);
bool bot_is_command(const uint8_t *data, uint32_t len);

#endif
