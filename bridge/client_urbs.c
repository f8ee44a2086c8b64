/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/client_urbs.h"

#include <errno.h>
#include <string.h>

#include <linux/usb/ch9.h>

#include "bridge/resend.h"
#include "bridge/tap.h"
#include "bridge/usbip.h"

void client_urbs_init(struct client_urbs *u)
{
	memset(u, 0, sizeof(*u));
	outbox_init(&u->outbox);
	urbtable_init(&u->table);
}

static bool urb_is_in(const struct client_urb *urb)
{
	return urb->endpoint ? urb->endpoint & 0x80 : (urb->setup[0] & 0x80) && urb->length;
}

/* ---- copies ---- */

static bool is_tapped(const struct client_urbs *u)
{
	return u->tap && u->tap->num_readers;
}

/* What passes with the submission, or when it is done: OUT data then, IN data now. */
static void tap_urb(const struct client_urbs *u, const struct client_urb *urb, bool done)
{
	bool in = urb_is_in(urb);

	tap_put(u->tap,
		&(struct tap_event){
			.type = done ? URB_COMPLETE : URB_SUBMIT,
			.seqnum = urb->seqnum,
			.devid = u->devid,
			.endpoint = urb->endpoint | (in ? USB_DIR_IN : 0),
			.setup = done || urb->endpoint ? NULL : urb->setup,
			.data = done == in ? urb->buffer : NULL,
			.length = done ? urb->actual : urb->length,
			.status = urb->status,
			.interval = urb->interval,
			.flags = urb->flags,
		});
}

/* ---- to the server ---- */

/* What is in its place in a session: how many messages have come. */
static uint32_t devid(const struct client_urbs *u)
{
	return u->in_session ? u->received : u->devid;
}

static void put(struct client_urbs *u, struct outbox_message *m)
{
	m->number = u->next++;
	outbox_put(&u->outbox, m);
}

int client_urbs_submit(struct client_urbs *u, struct client_urb *urb)
{
	bool in = urb_is_in(urb);
	struct usbip_header h = {
		.command = USBIP_CMD_SUBMIT,
		.devid = devid(u),
		.direction = in ? USBIP_DIR_IN : USBIP_DIR_OUT,
		.ep = urb->endpoint & 0x0f,
		.u.cmd_submit =
			{
				.transfer_flags = urb->flags,
				.transfer_buffer_length = urb->length,
				.interval = urb->interval,
			},
	};
	const char *field;

	if (!urb->endpoint)
		memcpy(h.u.cmd_submit.setup, urb->setup, sizeof(urb->setup));
	h.seqnum = urbtable_put(&u->table, urb, in);
	if (!h.seqnum)
		return -ENOBUFS;
	if (usbip_put_header(urb->submit.header, &h, &field)) {
		urbtable_remove(&u->table, h.seqnum);
		return -EINVAL;
	}
	urb->seqnum = h.seqnum;
	urb->unlinking = urb->answered = false;
	urb->submit.header_size = USBIP_HEADER_SIZE;
	urb->submit.payload = urb->buffer;
	urb->submit.payload_size = in ? 0 : urb->length;
	put(u, &urb->submit);
	if (is_tapped(u))
		tap_urb(u, urb, false);
	return 0;
}

void client_urbs_unlink(struct client_urbs *u, struct client_urb *urb)
{
	struct usbip_header h = {
		.command = USBIP_CMD_UNLINK,
		.seqnum = urbtable_unlink_seqnum(urb->seqnum),
		.devid = devid(u),
		.u.cmd_unlink.seqnum = urb->seqnum,
	};
	const char *field;

	if (!urb->seqnum || urb->unlinking)
		return;
	urb->unlinking = true;
	(void)usbip_put_header(urb->unlink.header, &h, &field);
	urb->unlink.header_size = USBIP_HEADER_SIZE;
	urb->unlink.payload_size = 0;
	put(u, &urb->unlink);
}

/* ---- to their users ---- */

void client_urbs_give_back(const struct client_urbs *u, struct client_urb *urb)
{
	if (is_tapped(u))
		tap_urb(u, urb, true);
	urb->seqnum = 0;
	urb->done(urb, urb->status, urb->actual);
}

void client_urbs_abandon(struct client_urbs *u)
{
	for (unsigned i = 0; i < URBTABLE_SIZE; i++) {
		struct client_urb *urb = urbtable_take(&u->table, i);

		if (!urb)
			continue;
		urb->status = -ENOTCONN;
		urb->actual = 0;
		client_urbs_give_back(u, urb);
	}
}

/* ---- on another connection ---- */

void client_urbs_suspend(struct client_urbs *u)
{
	u->first = u->next;
}

/* What waits for an answer is with the server if it has come there, and else is sent again; an
 * unlink of what has been answered meanwhile is of no use to anybody. */
static void send_again(struct client_urbs *u)
{
	struct resend again = {0};

	outbox_init(&u->outbox);
	for (unsigned i = 0; i < URBTABLE_SIZE; i++) {
		struct client_urb *urb = u->table.entries[i].urb;

		if (!urb)
			continue;
		urb->submit.queued = urb->unlink.queued = false;
		if (!urb->answered && urb->submit.number >= u->accepted)
			resend_add(&again, &urb->submit);
		if (!urb->answered && urb->unlinking && urb->unlink.number >= u->accepted)
			resend_add(&again, &urb->unlink);
	}
	u->next = u->first;
	resend_put(&again, &u->next, &u->outbox);
}

int client_urbs_resume(struct client_urbs *u, uint32_t received)
{
	uint32_t lacking = (uint32_t)u->first - received;

	if (lacking > u->first - u->accepted)
		return -EPROTO;
	u->accepted = u->first - lacking;
	send_again(u);
	return 0;
}

void client_urbs_settle(struct client_urbs *u, unsigned at)
{
	struct client_urb *urb = u->table.entries[at].urb;

	if (!urb || !urb->answered || urb->unlink.number < u->accepted)
		return;
	urbtable_remove(&u->table, urb->seqnum);
	client_urbs_give_back(u, urb);
}
