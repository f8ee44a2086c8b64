/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PTP's containers (ptp.h). A transaction is strictly sequential: command, perhaps data, response.
 *
 * IN needs none of it: requests of any size do, before their container has begun. One that is
 * larger than what is left completes with a short packet, and where a data container ends without
 * one, with the response, which comes by itself and is short: the phone gets the same packets.
 *
 * OUT, nothing comes by itself after a data container, so the last request has to end with it.
 * Every other container is a header and at most five parameters, so one short packet, which a
 * request of any size carries whole.
 */
#include "bridge/framing.h"

#include <string.h>

#include "bridge/ptp.h"

#define MAX_TRIES 3

uint32_t ptp_next(const struct framing *f, enum framing_dir dir)
{
	const struct framing_stream *s = &f->stream[dir];

	if (dir == FRAMING_IN)
		return s->max_request;
	/* Any packet of it may be the last. */
	if (s->unbounded)
		return s->max_packet;
	return framing_step(s, s->got ? framing_packets(s->total - s->got, s) : 0);
}

bool ptp_is_command(const uint8_t *data, uint32_t len)
{
	return ptp_is_short(PTP_COMMAND, data, len);
}

/* ---- transactions ---- */

static void begin_transaction(struct framing *f, const uint8_t *command, uint32_t len)
{
	f->under_way = true;
	f->halted = false;
	memcpy(f->command, command, len);
	f->command_size = len;
	f->answer.size = 0;
	f->answer.ended = false;
	f->answer.num_samples = 0;
	f->answer.samples = 0;
	f->tries = 0;
}

static void count_answer(struct framing_answer *a, const uint8_t *data, uint32_t len)
{
	/* What has less is no container, and is not known again. */
	if (!a->size && len >= PTP_HEADER)
		memcpy(a->head, data, PTP_HEADER);
	if (a->size % FRAMING_SAMPLE_EVERY == 0 && len >= 8)
		framing_sample(a, data);
	a->size += len;
}

/* What ends with a short packet may end with the response: alone, or behind a data container that
 * fills its packets. */
static void end_transaction(struct framing *f, const uint8_t *tail, uint32_t len)
{
	uint16_t code;

	if (!f->under_way || !ptp_is_short(PTP_RESPONSE, tail, len))
		return;
	f->under_way = false;
	if (ptp_code_of(tail) != PTP_OK)
		return;
	code = ptp_code_of(f->command);
	if (code == PTP_OPEN_SESSION && f->command_size >= PTP_ONE_PARAMETER)
		f->session = bytes_le32(f->command + PTP_HEADER);
	else if (code == PTP_OPEN_SESSION || code == PTP_CLOSE_SESSION || code == PTP_RESET_DEVICE)
		f->session = 0;
}

const uint8_t *framing_repeatable(const struct framing *f, uint32_t *size)
{
	bool waits = f->under_way && !f->data_sent && !f->halted;

	*size = f->command_size;
	return waits && *size && ptp_is_repeatable(ptp_code_of(f->command)) ? f->command : NULL;
}

bool framing_ask_again(struct framing *f)
{
	if (f->tried_at != f->answer.size)
		f->tries = 0;
	f->tried_at = f->answer.size;
	return f->tries++ < MAX_TRIES;
}

void framing_forget(struct framing *f)
{
	f->command_size = 0;
}

/* ---- streams ---- */

/* The first bytes of a container. True if it is one to be followed to its end. */
static bool ptp_start(struct framing_stream *s, const uint8_t *data, uint32_t len)
{
	/* The zero-length packet after an exact multiple. */
	if (!len)
		return false;
	if (len < PTP_HEADER || ptp_type_of(data) != PTP_DATA) {
		s->lost = true;
		return false;
	}
	s->total = bytes_le32(data);
	s->unbounded = s->total == PTP_UNBOUNDED;
	return true;
}

void ptp_done(
	struct framing *f, enum framing_dir dir, const uint8_t *data, uint32_t len, bool is_short)
{
	struct framing_stream *s = &f->stream[dir];
	bool split;

	if (dir == FRAMING_IN) {
		uint32_t tail = is_short ? len % s->max_packet : 0;

		if (len) {
			f->unanswered = false;
			count_answer(&f->answer, data, len);
			if (is_short)
				end_transaction(f, data + len - tail, tail);
		}
		/* Of nothing there is no end: it is that of the data before. */
		f->answer.ended = is_short && !tail && f->answer.size;
		return;
	}
	/* The phone sends a command only after it has read the whole response to the last one:
	 * whatever was thought of the stream, it is between containers. To take the short end of a
	 * data container for a command does no harm: a short packet ends it in any case. */
	if (ptp_is_command(data, len)) {
		ptp_restart(f, dir);
		f->unanswered = true;
		f->data_sent = false;
		begin_transaction(f, data, len);
		return;
	}
	f->data_sent = true;
	if (s->lost || (!s->got && !ptp_start(s, data, len)))
		return;

	/* A data container's header may be a transfer of its own ("header/data separation"). */
	split = !s->got && len == PTP_HEADER;
	s->got += len;
	if (s->got > s->total && !s->unbounded)
		s->lost = true; /* also one that says less than a header */
	else if ((s->got == s->total && !s->unbounded) || (is_short && !split))
		/* Complete; or over before its time (cancelled, failed): large requests that are
		 * still out then bring the start of what follows. */
		ptp_restart(f, dir);
}

void ptp_restart(struct framing *f, enum framing_dir dir)
{
	struct framing_stream *s = &f->stream[dir];

	s->total = 0;
	s->got = 0;
	s->unbounded = false;
	s->lost = false;
}

void ptp_begin(struct framing *f, enum framing_dir dir)
{
	ptp_restart(f, dir);
	if (dir == FRAMING_OUT)
		f->unanswered = f->under_way = false;
}

bool framing_is_early(const struct framing *f)
{
	bool all = f->data_sent && !f->stream[FRAMING_OUT].got && framing_is_taken(f);

	return f->unanswered && !all;
}
