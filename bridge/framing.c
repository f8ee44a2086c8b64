/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PTP's bulk container (USB Still Image Capture Device Definition 1.0, "Generic Container
 * Structure"), little endian: length (4, this header included), type (2), code (2), transaction
 * (4), payload. A transaction is strictly sequential: command, perhaps data, response.
 *
 * Only data containers need state. Every other one is a header and at most five parameters, so one
 * short packet, which a request of any size carries whole.
 */
#include "bridge/framing.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "bridge/bytes.h"

#define CLASS_IMAGE 0x06
#define CLASS_VENDOR 0xff

#define PTP_HEADER 12
#define PTP_WHOLE_MAX (PTP_HEADER + 5 * 4) /* a container that is no data container */
#define PTP_UNBOUNDED 0xffffffffu	   /* MTP: longer than 32 bits can say */

enum ptp_type {
	PTP_COMMAND = 1,
	PTP_DATA = 2,
	PTP_RESPONSE = 3,
	PTP_EVENT = 4,
};

enum framing_kind framing_for_class(uint8_t class, uint8_t subclass, uint8_t protocol, bool mtp)
{
	if (class == CLASS_IMAGE && subclass == 1 && protocol == 1)
		return FRAMING_PTP;
	/* A device of MTP before it had a class is known by its interface string alone. */
	if (mtp && (class == CLASS_IMAGE || class == CLASS_VENDOR))
		return FRAMING_PTP;
	return FRAMING_GENERIC;
}

void framing_init(struct framing *f, enum framing_kind kind)
{
	memset(f, 0, sizeof(*f));
	f->kind = kind;
}

void framing_stream_init(struct framing *f, enum framing_dir dir, uint32_t max_packet,
	uint32_t max_request, uint32_t idle)
{
	struct framing_stream *s = &f->stream[dir];

	assert(max_packet && idle);
	memset(s, 0, sizeof(*s));
	s->max_packet = max_packet;
	s->max_request = max_request - max_request % max_packet;
	if (!s->max_request)
		s->max_request = max_packet;
	s->idle = idle;
}

/* Not on endpoints of 8 to 32 bytes: their packets split a header, and a command or response may
 * fill them exactly. No camera is known to have one. */
static bool is_ptp(const struct framing *f, const struct framing_stream *s)
{
	return f->kind == FRAMING_PTP && s->max_packet > PTP_WHOLE_MAX;
}

static uint32_t ptp_next(const struct framing_stream *s)
{
	uint64_t packet = s->max_packet;
	uint64_t due = 0; /* what the container under way still brings, in whole packets */
	uint64_t large;

	/* Any packet of it may be the last. */
	if (s->unbounded)
		return s->max_packet;
	if (s->got)
		due = (s->total - s->got + packet - 1) / packet * packet;
	/* Requests fill in order of asking, so those out already take the first of what is due, and
	 * this one ends where the container does, or before. */
	if (s->asked < due) {
		large = due - s->asked;
		return large < s->max_request ? (uint32_t)large : s->max_request;
	}
	return s->asked - due < s->idle * packet ? s->max_packet : 0;
}

uint32_t framing_next(struct framing *f, enum framing_dir dir)
{
	struct framing_stream *s = &f->stream[dir];
	uint32_t next = is_ptp(f, s) && !s->lost ? ptp_next(s) : s->max_packet;

	s->asked += next;
	return next;
}

/* All of a container of this type, which is not a data container's. */
static bool ptp_is_whole(enum ptp_type type, const uint8_t *data, uint32_t len)
{
	return len >= PTP_HEADER && len <= PTP_WHOLE_MAX && bytes_le32(data) == len &&
		bytes_le16(data + 4) == type;
}

/* The first bytes of a container. True if it is one to be followed to its end. */
static bool ptp_start(
	struct framing_stream *s, enum framing_dir dir, const uint8_t *data, uint32_t len)
{
	/* The zero-length packet after an exact multiple. */
	if (!len)
		return false;
	if (dir == FRAMING_IN &&
		(ptp_is_whole(PTP_RESPONSE, data, len) || ptp_is_whole(PTP_EVENT, data, len)))
		return false;
	if (len < PTP_HEADER || bytes_le16(data + 4) != PTP_DATA) {
		s->lost = true;
		return false;
	}
	s->total = bytes_le32(data);
	s->unbounded = s->total == PTP_UNBOUNDED;
	return true;
}

static void ptp_done(
	struct framing *f, enum framing_dir dir, const uint8_t *data, uint32_t len, bool is_short)
{
	struct framing_stream *s = &f->stream[dir];
	bool split;

	/* The phone sends a command only after it has read the whole response to the last one:
	 * whatever was thought of either stream, both are between containers. To take the short end
	 * of a data container for a command does no harm: a short packet ends it in any case. */
	if (dir == FRAMING_OUT && ptp_is_whole(PTP_COMMAND, data, len)) {
		framing_restart(f, FRAMING_OUT);
		framing_restart(f, FRAMING_IN);
		f->unanswered = true;
		f->data_sent = false;
		return;
	}
	if (dir == FRAMING_OUT)
		f->data_sent = true;
	else if (len)
		f->unanswered = false;
	if (s->lost || (!s->got && !ptp_start(s, dir, data, len)))
		return;

	/* A data container's header may be a transfer of its own ("header/data separation"). */
	split = !s->got && len == PTP_HEADER;
	s->got += len;
	if (s->got > s->total && !s->unbounded)
		s->lost = true; /* also one that says less than a header */
	else if ((s->got == s->total && !s->unbounded) || (is_short && !split))
		/* Complete; or over before its time (cancelled, failed): large requests that are
		 * still out then bring the start of what follows. */
		framing_restart(f, dir);
}

void framing_done(
	struct framing *f, enum framing_dir dir, uint32_t asked, const uint8_t *data, uint32_t len)
{
	struct framing_stream *s = &f->stream[dir];

	assert(len <= asked && asked <= s->asked);
	s->asked -= asked;
	if (is_ptp(f, s))
		ptp_done(f, dir, data, len, len < asked);
}

void framing_cancelled(struct framing *f, enum framing_dir dir, uint32_t asked)
{
	struct framing_stream *s = &f->stream[dir];

	assert(asked <= s->asked);
	s->asked -= asked;
}

void framing_restart(struct framing *f, enum framing_dir dir)
{
	struct framing_stream *s = &f->stream[dir];

	s->total = 0;
	s->got = 0;
	s->unbounded = false;
	s->lost = false;
}

bool framing_is_unanswered(const struct framing *f)
{
	return f->unanswered;
}

bool framing_is_data_sent(const struct framing *f)
{
	return f->data_sent && !f->stream[FRAMING_OUT].got;
}
