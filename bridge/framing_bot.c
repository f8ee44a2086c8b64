/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * USB mass storage, bulk-only transport 1.0. Little endian.
 *
 *   CBW, 31 bytes: "USBC", tag (4), dCBWDataTransferLength (4), bmCBWFlags (1, 0x80: IN), LUN,
 *        length, command (16)
 *   data, no more than that length; less ends with a short packet or a halt
 *   CSW, 13 bytes: "USBS", tag, residue, status
 *
 * Strictly sequential, so the phase is one for both directions. Its status comes after a halt too:
 * of the endpoint that the data went over, and again of the status itself (6.7).
 */
#include "bridge/framing.h"

#include "bridge/bytes.h"

#define CBW_SIZE 31
#define CBW_SIGNATURE 0x43425355u
#define CBW_FLAG_IN 0x80
#define CSW_SIZE 13
#define CSW_SIGNATURE 0x53425355u

uint32_t bot_next(const struct framing *f, enum framing_dir dir)
{
	const struct framing_stream *s = &f->stream[dir];

	if (dir == FRAMING_OUT)
		return framing_step(s, f->phase == BOT_DATA_OUT ? framing_packets(f->left, s) : 0);
	/* A disk that waits for a command, or for its data, may STALL; and QEMU's never answers a
	 * request for the status that was there before the data had gone. */
	if (f->untaken)
		return 0;
	/* To the byte, as the phone asks: QEMU's fills whatever it is asked for. */
	if (f->phase == BOT_DATA_IN)
		return s->asked < f->left ? framing_step(s, f->left) : 0;
	return f->phase == BOT_STATUS && !s->asked ? CSW_SIZE : 0;
}

bool bot_is_command(const uint8_t *data, uint32_t len)
{
	return len == CBW_SIZE && bytes_le32(data) == CBW_SIGNATURE;
}

static void begin_command(struct framing *f, const uint8_t *cbw)
{
	f->tag = bytes_le32(cbw + 4);
	f->left = bytes_le32(cbw + 8);
	f->phase = !f->left ? BOT_STATUS : cbw[12] & CBW_FLAG_IN ? BOT_DATA_IN : BOT_DATA_OUT;
}

static void set_lost(struct framing *f, bool lost)
{
	f->stream[FRAMING_IN].lost = lost;
	f->stream[FRAMING_OUT].lost = lost;
}

/* A disk that has no data may go on to the status without a halt. */
static bool is_status(const struct framing *f, const uint8_t *data, uint32_t len)
{
	return len == CSW_SIZE && bytes_le32(data) == CSW_SIGNATURE &&
		bytes_le32(data + 4) == f->tag;
}

static void moved(struct framing *f, uint32_t len, bool is_short)
{
	f->left -= len < f->left ? len : f->left;
	if (is_short || !f->left)
		f->phase = BOT_STATUS;
}

void bot_done(
	struct framing *f, enum framing_dir dir, const uint8_t *data, uint32_t len, bool is_short)
{
	if (dir == FRAMING_IN) {
		if ((f->phase == BOT_STATUS && len) || is_status(f, data, len))
			f->phase = BOT_COMMAND;
		else if (f->phase == BOT_DATA_IN)
			moved(f, len, is_short);
	} else if (f->phase == BOT_DATA_OUT && !f->stream[dir].lost) {
		moved(f, len, is_short);
	} else if (is_short && bot_is_command(data, len)) {
		set_lost(f, false);
		begin_command(f, data);
	} else if (len) {
		set_lost(f, true);
	}
}

/* The status of a command whose data met a halt comes next. */
void bot_restart(struct framing *f, enum framing_dir dir)
{
	if (f->phase == (dir == FRAMING_IN ? BOT_DATA_IN : BOT_DATA_OUT))
		f->phase = BOT_STATUS;
	f->left = 0;
}

void bot_begin(struct framing *f, enum framing_dir dir)
{
	/* The phase is as the phone's commands have it. */
	if (dir == FRAMING_IN)
		return;
	set_lost(f, false);
	f->phase = BOT_COMMAND;
	f->left = 0;
}

bool framing_is_surplus(const struct framing *f)
{
	const struct framing_stream *s = &f->stream[FRAMING_IN];

	return f->kind == FRAMING_BOT && !s->lost && s->asked &&
		(f->phase == BOT_COMMAND || f->phase == BOT_DATA_OUT);
}

bool framing_has_status(const struct framing *f)
{
	return f->kind == FRAMING_BOT && !f->stream[FRAMING_OUT].lost;
}

bool framing_is_sending(const struct framing *f)
{
	return f->phase == BOT_DATA_OUT;
}
