/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bytes: bounded cursors over big-endian wire data, the only place that reads or writes wire
 * integers.
 *
 * A cursor that would pass its end sets `overrun` and stays where it is for good; what is read from
 * then on is 0, what is written is dropped. So: read a whole message, then look once.
 */
#ifndef BRIDGE_BYTES_H
#define BRIDGE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bytes_reader {
	const uint8_t *at;
	size_t left;
	bool overrun;
};

struct bytes_writer {
	uint8_t *at;
	size_t left;
	bool overrun;
};

/*
 * The two gates, here for speed as is what a header is made of: what is left is compared with what
 * is needed, never a sum, which could wrap. NULL on overrun. Once overrun, always overrun: a later
 * and smaller field would be read from the wrong place.
 */
static inline const uint8_t *bytes_take(struct bytes_reader *r, size_t len)
{
	const uint8_t *at = r->at;

	if (r->overrun || len > r->left) {
		r->overrun = true;
		return NULL;
	}
	r->at += len;
	r->left -= len;
	return at;
}

static inline uint8_t *bytes_room(struct bytes_writer *w, size_t len)
{
	uint8_t *at = w->at;

	if (w->overrun || len > w->left) {
		w->overrun = true;
		return NULL;
	}
	w->at += len;
	w->left -= len;
	return at;
}

static inline void bytes_reader_init(struct bytes_reader *r, const void *buf, size_t len)
{
	*r = (struct bytes_reader){.at = buf, .left = len};
}

uint8_t bytes_get_u8(struct bytes_reader *r);
uint16_t bytes_get_be16(struct bytes_reader *r);
void bytes_get(struct bytes_reader *r, void *out, size_t len);
void bytes_skip(struct bytes_reader *r, size_t len);

static inline void bytes_writer_init(struct bytes_writer *w, void *buf, size_t len)
{
	*w = (struct bytes_writer){.at = buf, .left = len};
}

void bytes_put_u8(struct bytes_writer *w, uint8_t v);
void bytes_put_be16(struct bytes_writer *w, uint16_t v);
void bytes_put(struct bytes_writer *w, const void *buf, size_t len);
void bytes_put_zeros(struct bytes_writer *w, size_t len);

static inline uint32_t bytes_get_be32(struct bytes_reader *r)
{
	const uint8_t *p = bytes_take(r, 4);

	return p ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3] : 0;
}

static inline void bytes_put_be32(struct bytes_writer *w, uint32_t v)
{
	uint8_t *p = bytes_room(w, 4);

	if (p) {
		p[0] = (uint8_t)(v >> 24);
		p[1] = (uint8_t)(v >> 16);
		p[2] = (uint8_t)(v >> 8);
		p[3] = (uint8_t)v;
	}
}

/* Little-endian field of a USB or PTP structure; the caller has checked the bounds. */
static inline uint16_t bytes_le16(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static inline uint32_t bytes_le32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

#endif
