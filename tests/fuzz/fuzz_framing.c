/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * framing under a hostile camera and a hostile phone: any requests, results and bytes at all. What
 * must hold whatever comes: sizes are whole packets and bounded, what is out is counted exactly,
 * there is always a next request when none is out, and a large one never passes the end that a
 * header told, but of ptp IN. Of bot IN: nothing is asked for before its time, and never beyond
 * what a command told.
 *
 *   byte 0    bits 0-2 packet size, bit 3 generic, bits 4-7 nothing
 *   byte 1    bits 0-6 max_request, in packets, bit 7 bot instead of ptp
 *   then      steps: bit 0 direction, bits 1-3 what, bits 4-5 what else; a result's length and
 * start follow
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/framing.h"
#include "tests/fuzz/fuzz.h"

#define SLOTS 16

struct queue {
	uint32_t size[SLOTS];
	uint32_t n;
	uint64_t out;
};

static uint32_t take(struct queue *q, uint32_t i)
{
	uint32_t size = q->size[i];

	q->n--;
	memmove(q->size + i, q->size + i + 1, (q->n - i) * sizeof(q->size[0]));
	q->out -= size;
	return size;
}

static void next_ptp(const struct framing *f, enum framing_dir dir, const struct queue *q)
{
	const struct framing_stream *s = &f->stream[dir];
	uint64_t left = s->got && !s->unbounded ? s->total - s->got + s->max_packet - 1 : 0;
	uint64_t size = s->asked - q->out;

	require(size % s->max_packet == 0);
	if (dir == FRAMING_IN && f->kind == FRAMING_PTP) {
		require(size == s->max_request);
		return;
	}
	require(size || (q->n && f->kind == FRAMING_PTP && !s->lost));
	require(size <= s->max_packet || (!s->lost && s->asked <= left));
}

static void next_bot(const struct framing *f, enum framing_dir dir, const struct queue *q)
{
	const struct framing_stream *s = &f->stream[dir];
	uint64_t size = s->asked - q->out;

	if (s->lost || s->max_packet < 32) {
		require(size == s->max_packet);
	} else if (dir == FRAMING_IN) {
		require(!size || !f->untaken);
		require(!size || (f->phase == BOT_DATA_IN && s->asked <= f->left) ||
			(f->phase == BOT_STATUS && !q->out));
	} else {
		require(size % s->max_packet == 0 && (size || q->n));
		require(size <= s->max_packet ||
			(f->phase == BOT_DATA_OUT && s->asked < (uint64_t)f->left + s->max_packet));
	}
}

static void next(struct framing *f, enum framing_dir dir, struct queue *q)
{
	uint32_t size;

	if (q->n == SLOTS)
		return;
	size = framing_next(f, dir);
	require(size <= f->stream[dir].max_request);
	if (f->kind == FRAMING_BOT)
		next_bot(f, dir, q);
	else
		next_ptp(f, dir, q);
	if (size)
		q->size[q->n++] = size;
	q->out += size;
}

/* Full, or as long as the input says, and beginning with its bytes. */
static void done(
	struct framing *f, enum framing_dir dir, struct queue *q, bool full, struct input *in)
{
	uint32_t asked = take(q, 0);
	uint32_t len = full ? asked : (uint32_t)(byte(in) | byte(in) << 8) % (asked + 1);
	size_t most = f->kind == FRAMING_BOT ? 31 : 12;
	size_t start = len < most ? len : most;
	uint8_t *data = len ? calloc(1, len) : NULL;

	if (start > in->left)
		start = in->left;
	if (data) {
		memcpy(data, in->at, start);
		in->at += start;
		in->left -= start;
	}
	framing_done(f, dir, asked, data, len);
	free(data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	struct queue queue[2] = {0};
	uint8_t first = byte(&in);
	uint32_t packet = 8u << (first & 7);
	uint8_t second = byte(&in);
	uint32_t max_request = packet * (second & 127) + 1;
	struct framing f;

	framing_init(&f, first & 8 ? FRAMING_GENERIC : second & 128 ? FRAMING_BOT : FRAMING_PTP);
	framing_stream_init(&f, FRAMING_OUT, packet, max_request);
	framing_stream_init(&f, FRAMING_IN, packet, max_request);
	while (in.left) {
		uint8_t step = byte(&in);
		enum framing_dir dir = step & 1;
		struct queue *q = &queue[dir];

		switch (step >> 1 & 7) {
		case 0:
		case 1:
			next(&f, dir, q);
			break;
		case 2:
		case 3:
			if (q->n)
				done(&f, dir, q, false, &in);
			break;
		case 4:
		case 5:
			if (q->n)
				done(&f, dir, q, true, &in);
			break;
		case 6:
			if (q->n)
				framing_cancelled(&f, dir, take(q, byte(&in) % q->n));
			break;
		default:
			if (step & 32 && step & 16 && f.untaken)
				framing_taken(&f);
			else if (step & 32)
				framing_begin(&f, dir);
			else
				framing_restart(&f, dir);
		}
		require(f.stream[dir].asked == q->out);
		require(f.stream[dir].got <= f.stream[dir].total || f.stream[dir].lost ||
			f.stream[dir].unbounded);
	}
	return 0;
}
