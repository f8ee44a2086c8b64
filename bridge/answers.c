/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/answers.h"

#include <errno.h>

#include "bridge/urbpool.h"
#include "bridge/usbip.h"

/* ---- messages ---- */

static void put(struct answers *a, struct outbox_message *m, const struct usbip_header *h)
{
	const char *field;

	/* What is put is in its bounds, as it was when it came. */
	(void)usbip_put_header(m->header, h, &field);
	m->header_size = USBIP_HEADER_SIZE;
	m->payload_size = 0;
	outbox_put(&a->outbox, m);
	a->put++;
}

static void put_unlinked(struct answers *a, struct urbpool_urb *u, int32_t status)
{
	const struct usbip_header h = {.command = USBIP_RET_UNLINK,
		.seqnum = u->unlink_seqnum,
		.u.ret_unlink.status = status};

	u->has_unlinked = true;
	put(a, &u->unlinked, &h);
}

/* Behind the data that is sent, if any. */
static uint32_t write_packets(struct urbpool_urb *u, uint8_t *out)
{
	const char *field;

	for (unsigned n = 0; n < u->at_device.num_packets; n++) {
		(void)usbip_put_iso_packet(out, &u->packets[n], &field);
		out += USBIP_ISO_PACKET_SIZE;
	}
	return u->at_device.num_packets * USBIP_ISO_PACKET_SIZE;
}

static void put_submitted(struct answers *a, struct urbpool_urb *u)
{
	const struct usbdevice_urb *at = &u->at_device;
	uint8_t *data = u->buffer + USBDEVICE_SETUP_SIZE;
	uint32_t size = u->in ? at->actual : 0;
	const struct usbip_header h = {
		.command = USBIP_RET_SUBMIT,
		.seqnum = u->seqnum,
		.u.ret_submit =
			{
				.status = at->status,
				.actual_length = at->actual,
				.number_of_packets = at->num_packets,
				.error_count = at->num_errors,
			},
	};

	u->has_answer = true;
	put(a, &u->answer, &h);
	u->answer.payload = data;
	u->answer.payload_size = size + write_packets(u, data + size);
}

/* ---- the list of them ---- */

void answers_init(struct answers *a, struct urbpool *pool)
{
	*a = (struct answers){.pool = pool};
	a->last = &a->first;
	outbox_init(&a->outbox);
}

static void begin(struct answers *a, struct urbpool_urb *u)
{
	u->has_answer = u->has_unlinked = false;
	u->number = a->put;
	u->next = NULL;
	*a->last = u;
	a->last = &u->next;
}

void answers_put(struct answers *a, struct urbpool_urb *u)
{
	bool unlinked = u->unlinking && u->at_device.status == -ECONNRESET;

	begin(a, u);
	/* Also of one that was faster than its unlink: what it brought is worth having. */
	if (!unlinked)
		put_submitted(a, u);
	if (u->unlinking)
		put_unlinked(a, u, unlinked ? -ECONNRESET : 0);
}

void answers_put_unlinked(struct answers *a, struct urbpool_urb *u, uint32_t seqnum)
{
	begin(a, u);
	a->num_late++;
	u->unlink_seqnum = seqnum;
	put_unlinked(a, u, 0);
}

static void give_first_back(struct answers *a)
{
	struct urbpool_urb *u = a->first;

	a->first = u->next;
	if (!a->first)
		a->last = &a->first;
	/* Of a URB, it would have been its unlink. */
	a->num_late -= u->has_unlinked && !u->unlinking;
	urbpool_give(a->pool, u);
}

static bool is_queued(const struct urbpool_urb *u)
{
	return (u->has_answer && u->answer.queued) || (u->has_unlinked && u->unlinked.queued);
}

void answers_sent(struct answers *a)
{
	while (!a->kept && a->first && !is_queued(a->first))
		give_first_back(a);
}

void answers_fini(struct answers *a)
{
	while (a->first)
		give_first_back(a);
}

/* ---- acknowledged, and sent again ---- */

/* Mod 2^32. */
static bool is_before(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}

static uint32_t end_of(const struct urbpool_urb *u)
{
	return u->number + u->has_answer + u->has_unlinked;
}

int answers_acknowledge(struct answers *a, uint32_t count)
{
	if (!is_before(a->acknowledged, count))
		return 0;
	if (is_before(a->put, count))
		return -EPROTO;
	while (a->first && !is_before(count, end_of(a->first))) {
		/* A guess: the memory is in use. */
		if (is_queued(a->first))
			return -EPROTO;
		give_first_back(a);
	}
	a->acknowledged = count;
	return 0;
}

bool answers_may_go_on_after(const struct answers *a, uint32_t count)
{
	return !is_before(count, a->acknowledged) && !is_before(a->put, count);
}

void answers_cut(struct answers *a)
{
	outbox_init(&a->outbox);
	for (struct urbpool_urb *u = a->first; u; u = u->next)
		u->answer.queued = u->unlinked.queued = false;
}

void answers_again(struct answers *a)
{
	for (struct urbpool_urb *u = a->first; u; u = u->next) {
		if (u->has_answer && !is_before(u->number, a->acknowledged))
			outbox_put(&a->outbox, &u->answer);
		if (u->has_unlinked)
			outbox_put(&a->outbox, &u->unlinked);
	}
}
