/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/urbs.h"

#include <errno.h>
#include <string.h>

#include "bridge/inbox.h"
#include "bridge/usbip.h"

#define NO_ISO_PACKETS 0xffffffffu

void urbs_init(struct urbs *s)
{
	answers_init(&s->answers, &s->pool);
}

void urbs_fini(struct urbs *s)
{
	if (s->arriving)
		urbpool_give(&s->pool, s->arriving);
	answers_fini(&s->answers);
	urbpool_fini(&s->pool);
}

/* It has not been at the device, or is not any more. */
static void answer(struct urbs *s, struct urbpool_urb *u)
{
	if (s->over) {
		urbpool_give(&s->pool, u);
		return;
	}
	if (s->unplugged && !u->unlinking && u->at_device.status == -ECONNRESET)
		u->at_device.status = -ESHUTDOWN;
	answers_put(&s->answers, u);
}

void urbs_done(struct urbs *s, struct urbpool_urb *u)
{
	*u->link = u->next;
	if (u->next)
		u->next->link = u->link;
	answer(s, u);
}

/* A control request whose setup packet says another way than its header has no data that would be
 * meant: what the buffer has had in it before would go to the device, or to the importer. */
static bool is_of_two_minds(const struct urbpool_urb *u)
{
	const struct usbdevice_urb *at = &u->at_device;

	return !at->endpoint && at->length && u->in != (at->buffer[0] >> 7);
}

static void submit(struct urbs *s, struct urbpool_urb *u)
{
	int r = is_of_two_minds(u) ? -EINVAL : usbdevice_submit(s->device, &u->at_device);

	if (r) {
		u->at_device.status = r;
		u->at_device.actual = u->at_device.num_errors = 0;
		/* Nobody has looked at them. */
		for (unsigned n = 0; n < u->at_device.num_packets; n++)
			u->packets[n].actual_length = 0;
		answer(s, u);
		return;
	}
	u->next = s->at_device;
	u->link = &s->at_device;
	if (u->next)
		u->next->link = &u->next;
	s->at_device = u;
}

static void message_came(struct urbs *s)
{
	s->received = ++s->next;
}

/* All of a CMD_SUBMIT has come. */
static int on_submit(struct urbs *s, struct urbpool_urb *u, const char **field)
{
	const uint8_t *packets = u->buffer + USBDEVICE_SETUP_SIZE + u->at_device.length;

	message_came(s);
	for (unsigned n = 0; n < u->at_device.num_packets; n++) {
		if (!usbip_get_iso_packet(
			    packets + n * USBIP_ISO_PACKET_SIZE, &u->packets[n], field))
			continue;
		urbpool_give(&s->pool, u);
		return -EPROTO;
	}
	submit(s, u);
	return 0;
}

int urbs_arrived(struct urbs *s, const char **field)
{
	struct urbpool_urb *u = s->arriving;

	s->arriving = NULL;
	return on_submit(s, u, field);
}

static void init_urb(struct urbs *s, struct urbpool_urb *u, const struct usbip_header *h)
{
	const struct usbip_cmd_submit *cmd = &h->u.cmd_submit;
	struct usbdevice_urb *at = &u->at_device;

	u->importer = s->importer;
	u->seqnum = h->seqnum;
	u->in = h->direction == USBIP_DIR_IN;
	at->endpoint = (uint8_t)(h->ep | (h->ep && u->in ? 0x80 : 0));
	at->buffer = u->buffer + (h->ep ? USBDEVICE_SETUP_SIZE : 0);
	at->length = cmd->transfer_buffer_length;
	at->flags = cmd->transfer_flags;
	at->num_packets = cmd->number_of_packets == NO_ISO_PACKETS ? 0 : cmd->number_of_packets;
	at->packets = u->packets;
	at->num_errors = 0;
	at->done = s->done;
	at->user = u;
	memcpy(u->buffer, cmd->setup, USBDEVICE_SETUP_SIZE);
}

/*
 * 1: go on; 0: not before answers have gone; -ENOBUFS.
 *
 * In a session nothing comes of waiting: what would make room is said in the messages that wait.
 * And there answers to unlinks that came too late are kept, beside which there may be as many URBs
 * as ever.
 */
static int may_submit(struct urbs *s, uint32_t bytes)
{
	unsigned urbs = s->pool.num_used - (s->answers.kept ? s->answers.num_late : 0);

	if (urbs < s->max_urbs && s->pool.bytes_used + bytes <= s->max_bytes)
		return 1;
	if (!s->answers.kept && !outbox_empty(&s->answers.outbox))
		return 0;
	return -ENOBUFS;
}

/* The same for an unlink that is too late. These wait for nothing but the socket, so that who
 * unlinks is never too much; in a session they wait to be acknowledged, and there is none of which
 * the URB's successor could have been answered before. */
static int may_unlink(struct urbs *s)
{
	if (s->answers.kept)
		return s->answers.num_late < s->max_urbs ? 1 : -ENOBUFS;
	return s->pool.num_used < 2 * s->max_urbs || outbox_empty(&s->answers.outbox);
}

static int on_cmd_submit(
	struct urbs *s, const struct usbip_header *h, struct inbox *in, const char **field)
{
	const struct usbip_cmd_submit *cmd = &h->u.cmd_submit;
	unsigned packets = cmd->number_of_packets == NO_ISO_PACKETS ? 0 : cmd->number_of_packets;
	uint32_t length = cmd->transfer_buffer_length, wire = packets * USBIP_ISO_PACKET_SIZE;
	bool out = h->direction == USBIP_DIR_OUT;
	uint32_t payload = wire + (out ? length : 0);
	struct urbpool_urb *u;
	int r = may_submit(s, length);

	if (r <= 0)
		return r;
	u = urbpool_take(&s->pool, USBDEVICE_SETUP_SIZE + length + wire, packets);
	if (!u)
		return -ENOMEM;
	init_urb(s, u, h);
	if (payload) {
		s->arriving = u;
		inbox_await(in, u->buffer + USBDEVICE_SETUP_SIZE + (out ? 0 : length), payload);
		return 1;
	}
	r = on_submit(s, u, field);
	return r ? r : 1;
}

static struct urbpool_urb *find(const struct urbs *s, uint32_t seqnum)
{
	for (struct urbpool_urb *u = s->at_device; u; u = u->next) {
		if (u->seqnum == seqnum && !u->unlinking)
			return u;
	}
	return NULL;
}

static int on_cmd_unlink(struct urbs *s, const struct usbip_header *h)
{
	struct urbpool_urb *u = find(s, h->u.cmd_unlink.seqnum);
	int r;

	if (u) {
		message_came(s);
		u->unlinking = true;
		u->unlink_seqnum = h->seqnum;
		usbdevice_cancel(&u->at_device);
		return 1;
	}
	/* It has been answered already, or there was none. */
	r = may_unlink(s);
	if (r <= 0)
		return r;
	u = urbpool_take(&s->pool, 0, 0);
	if (!u)
		return -ENOMEM;
	message_came(s);
	answers_put_unlinked(&s->answers, u, h->seqnum);
	return 1;
}

int urbs_take(struct urbs *s, const uint8_t *record, struct inbox *in, const char **field)
{
	bool kept = s->answers.kept;
	struct usbip_header h;

	if (usbip_get_header(record, &h, field))
		return -EPROTO;
	if (h.command != USBIP_CMD_SUBMIT && h.command != USBIP_CMD_UNLINK) {
		*field = "usbip_header_basic.command: not a request";
		return -EPROTO;
	}
	if (kept ? answers_acknowledge(&s->answers, h.devid) : h.devid != s->devid) {
		*field = kept ? "usbip_header_basic.devid: more than has been sent"
			      : "usbip_header_basic.devid: not the imported device's";
		return -EPROTO;
	}
	return h.command == USBIP_CMD_SUBMIT ? on_cmd_submit(s, &h, in, field)
					     : on_cmd_unlink(s, &h);
}

void urbs_unplug(struct urbs *s)
{
	s->unplugged = true;
	for (struct urbpool_urb *u = s->at_device; u; u = u->next)
		usbdevice_cancel(&u->at_device);
}

void urbs_cut(struct urbs *s)
{
	answers_cut(&s->answers);
	if (s->arriving)
		urbpool_give(&s->pool, s->arriving);
	s->arriving = NULL;
}
