/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/outbox.h"

#include "bridge/conn.h"

#define MAX_IOV 64

void outbox_init(struct outbox *o)
{
	o->head = NULL;
	o->tail = &o->head;
	o->sent = 0;
}

bool outbox_empty(const struct outbox *o)
{
	return !o->head;
}

void outbox_put(struct outbox *o, struct outbox_message *m)
{
	m->next = NULL;
	m->queued = true;
	*o->tail = m;
	o->tail = &m->next;
}

static size_t message_size(const struct outbox_message *m)
{
	return (size_t)m->header_size + m->payload_size;
}

static int add(struct iovec *iov, const uint8_t *part, size_t size, size_t *skip)
{
	size_t gone = *skip < size ? *skip : size;

	*skip -= gone;
	if (gone == size)
		return 0;
	/* iovec has no const; sendmsg does not write there. */
	*iov = (struct iovec){(uint8_t *)(uintptr_t)part + gone, size - gone};
	return 1;
}

static int gather(const struct outbox *o, struct iovec iov[MAX_IOV])
{
	size_t skip = o->sent;
	int n = 0;

	for (const struct outbox_message *m = o->head; m && n + 2 <= MAX_IOV; m = m->next) {
		n += add(&iov[n], m->header, m->header_size, &skip);
		n += add(&iov[n], m->payload, m->payload_size, &skip);
	}
	return n;
}

int outbox_flush(struct outbox *o, struct conn *conn)
{
	while (o->head) {
		struct iovec iov[MAX_IOV];
		int n = conn_writev(conn, iov, gather(o, iov));

		if (n <= 0)
			return n;
		o->sent += (size_t)n;
		while (o->head && o->sent >= message_size(o->head)) {
			o->sent -= message_size(o->head);
			o->head->queued = false;
			o->head = o->head->next;
		}
	}
	outbox_init(o);
	return 0;
}
