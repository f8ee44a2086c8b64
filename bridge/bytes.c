/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/bytes.h"

#include <string.h>

/*
 * The two gates: what is left is compared with what is needed, never a sum, which could wrap. NULL
 * on overrun. Once overrun, always overrun: a later and smaller field would be read from the wrong
 * place.
 */
static const uint8_t *take(struct bytes_reader *r, size_t len)
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

static uint8_t *room(struct bytes_writer *w, size_t len)
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

void bytes_reader_init(struct bytes_reader *r, const void *buf, size_t len)
{
	*r = (struct bytes_reader){.at = buf, .left = len};
}

uint8_t bytes_get_u8(struct bytes_reader *r)
{
	const uint8_t *p = take(r, 1);

	return p ? *p : 0;
}

uint16_t bytes_get_be16(struct bytes_reader *r)
{
	const uint8_t *p = take(r, 2);

	return (uint16_t)(p ? p[0] << 8 | p[1] : 0);
}

uint32_t bytes_get_be32(struct bytes_reader *r)
{
	const uint8_t *p = take(r, 4);

	return p ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3] : 0;
}

void bytes_get(struct bytes_reader *r, void *out, size_t len)
{
	const uint8_t *p;

	if (!len)
		return; /* memcpy wants pointers even then */
	p = take(r, len);
	if (p)
		memcpy(out, p, len);
	else
		memset(out, 0, len);
}

void bytes_skip(struct bytes_reader *r, size_t len)
{
	if (len)
		(void)take(r, len);
}

void bytes_writer_init(struct bytes_writer *w, void *buf, size_t len)
{
	*w = (struct bytes_writer){.at = buf, .left = len};
}

void bytes_put_u8(struct bytes_writer *w, uint8_t v)
{
	uint8_t *p = room(w, 1);

	if (p)
		*p = v;
}

void bytes_put_be16(struct bytes_writer *w, uint16_t v)
{
	uint8_t *p = room(w, 2);

	if (p) {
		p[0] = (uint8_t)(v >> 8);
		p[1] = (uint8_t)v;
	}
}

void bytes_put_be32(struct bytes_writer *w, uint32_t v)
{
	uint8_t *p = room(w, 4);

	if (p) {
		p[0] = (uint8_t)(v >> 24);
		p[1] = (uint8_t)(v >> 16);
		p[2] = (uint8_t)(v >> 8);
		p[3] = (uint8_t)v;
	}
}

void bytes_put(struct bytes_writer *w, const void *buf, size_t len)
{
	uint8_t *p;

	if (!len)
		return;
	p = room(w, len);
	if (p)
		memcpy(p, buf, len);
}

void bytes_put_zeros(struct bytes_writer *w, size_t len)
{
	uint8_t *p;

	if (!len)
		return;
	p = room(w, len);
	if (p)
		memset(p, 0, len);
}
