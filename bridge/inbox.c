/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/inbox.h"

#include <string.h>

#include "bridge/conn.h"

const uint8_t *inbox_record(const struct inbox *b, size_t size)
{
	return inbox_left(b) < size ? NULL : b->bytes + b->at;
}

void inbox_skip(struct inbox *b, size_t size)
{
	b->at += size;
}

void inbox_await(struct inbox *b, uint8_t *to, uint32_t bytes)
{
	b->to = to;
	b->payload = bytes;
}

static void payload_came(struct inbox *b, uint32_t bytes)
{
	b->to += bytes;
	b->payload -= bytes;
}

bool inbox_fill(struct inbox *b)
{
	size_t left = inbox_left(b);
	uint32_t part = left < b->payload ? (uint32_t)left : b->payload;

	if (!part)
		return false;
	memcpy(b->to, b->bytes + b->at, part);
	b->at += part;
	payload_came(b, part);
	return true;
}

int inbox_receive(struct inbox *b, struct conn *conn, bool *more)
{
	uint32_t awaited = b->payload;
	struct iovec iov[2];
	size_t room = awaited;
	int parts = 0, n;

	memmove(b->bytes, b->bytes + b->at, inbox_left(b));
	b->have -= b->at;
	b->at = 0;
	if (awaited)
		iov[parts++] = (struct iovec){b->to, awaited};
	iov[parts++] = (struct iovec){b->bytes + b->have, INBOX_SIZE - b->have};
	room += INBOX_SIZE - b->have;
	n = conn_readv(conn, iov, parts);
	if (n <= 0)
		return n;
	if ((uint32_t)n > awaited)
		b->have += (size_t)n - awaited;
	if (awaited)
		payload_came(b, (uint32_t)n < awaited ? (uint32_t)n : awaited);
	*more = (size_t)n == room;
	return n;
}

void inbox_cut(struct inbox *b)
{
	b->payload = 0;
	b->at = b->have = 0;
}
