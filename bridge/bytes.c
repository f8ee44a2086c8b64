/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/bytes.h"

#include <string.h>

uint8_t bytes_get_u8(struct bytes_reader *r)
{
	const uint8_t *p = bytes_take(r, 1);

	return p ? *p : 0;
}

uint16_t bytes_get_be16(struct bytes_reader *r)
{
	const uint8_t *p = bytes_take(r, 2);

	return (uint16_t)(p ? p[0] << 8 | p[1] : 0);
}

void bytes_get(struct bytes_reader *r, void *out, size_t len)
{
	const uint8_t *p;

	if (!len)
		return; /* memcpy wants pointers even then */
	p = bytes_take(r, len);
	if (p)
		memcpy(out, p, len);
	else
		memset(out, 0, len);
}

void bytes_skip(struct bytes_reader *r, size_t len)
{
	if (len)
		(void)bytes_take(r, len);
}

void bytes_put_u8(struct bytes_writer *w, uint8_t v)
{
	uint8_t *p = bytes_room(w, 1);

	if (p)
		*p = v;
}

void bytes_put_be16(struct bytes_writer *w, uint16_t v)
{
	uint8_t *p = bytes_room(w, 2);

	if (p) {
		p[0] = (uint8_t)(v >> 8);
		p[1] = (uint8_t)v;
	}
}

void bytes_put(struct bytes_writer *w, const void *buf, size_t len)
{
	uint8_t *p;

	if (!len)
		return;
	p = bytes_room(w, len);
	if (p)
		memcpy(p, buf, len);
}

void bytes_put_zeros(struct bytes_writer *w, size_t len)
{
	uint8_t *p;

	if (!len)
		return;
	p = bytes_room(w, len);
	if (p)
		memset(p, 0, len);
}
