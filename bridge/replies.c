/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/replies.h"

#include <errno.h>
#include <string.h>

#include "bridge/client_urbs.h"
#include "bridge/conn.h"

#define RECEIVE_BURST 64 /* reads at a time */

void replies_init(
	struct replies *r, struct client_urbs *urbs, bool (*flush)(void *user), void *user)
{
	memset(r, 0, sizeof(*r));
	r->urbs = urbs;
	r->flush = flush;
	r->user = user;
}

void replies_reset(struct replies *r)
{
	r->have = 0;
	r->payload = 0;
	r->urb = NULL;
}

/* RET_SUBMIT and its payload have been read; NULL: of no URB any more. While an unlink is under way
 * the URB need not wait for the RET_UNLINK, but as long as the message is in the queue. */
static void submit_answered(struct replies *r, struct client_urb *urb)
{
	struct client_urbs *urbs = r->urbs;

	urbs->received++;
	if (!urb)
		return;
	urb->answered = true;
	if (!urb->unlinking) {
		urbtable_remove(&urbs->table, urb->seqnum);
		client_urbs_give_back(urbs, urb);
		return;
	}
	if (r->flush(r->user) && !urb->unlink.queued) {
		urbtable_remove_answered(&urbs->table, urb->seqnum);
		client_urbs_give_back(urbs, urb);
	}
}

static void on_ret_submit(struct replies *r, const struct usbip_header *h)
{
	const struct usbip_ret_submit *ret = &h->u.ret_submit;
	struct client_urb *urb = urbtable_find(&r->urbs->table, h->seqnum);
	uint32_t length = urb ? urb->length : 0;

	if (urb ? urb->answered : !urbtable_take_late(&r->urbs->table, h->seqnum, &length)) {
		r->broken = "usbip_header_basic.seqnum: of no URB that is in flight";
		return;
	}
	/* Seqnums can be guessed. A URB that were given back now would leave its message in the
	 * queue. */
	if (urb && urb->submit.queued) {
		r->broken = "usbip_header_basic.seqnum: of a URB that has not been sent";
		return;
	}
	if (usbip_check_reply(ret, length, 0, &r->broken))
		return;
	if (urb) {
		urb->status = ret->status;
		urb->actual = ret->actual_length;
	}
	if (urbtable_is_in(h->seqnum) && ret->actual_length) {
		r->urb = urb;
		r->at = urb ? urb->buffer : NULL;
		r->payload = ret->actual_length;
	} else {
		submit_answered(r, urb);
	}
}

static void on_ret_unlink(struct replies *r, const struct usbip_header *h)
{
	struct client_urbs *urbs = r->urbs;
	struct client_urb *urb = urbtable_find_unlink(&urbs->table, h->seqnum);

	if (urbtable_take_late_unlink(&urbs->table, h->seqnum)) {
		urbs->received++;
		return;
	}
	if (!urb || !urb->unlinking) {
		r->broken = "usbip_header_basic.seqnum: of no unlink that is in flight";
		return;
	}
	if (urb->unlink.queued) {
		r->broken = "usbip_header_basic.seqnum: of an unlink that has not been sent";
		return;
	}
	urbs->received++;
	if (urb->answered) {
		urbtable_remove(&urbs->table, urb->seqnum);
	} else {
		urbtable_remove_unlinked(&urbs->table, urb->seqnum, urb->length);
		/* Also for status 0: it completed in between, and its data has been dropped
		 * (stub_complete). */
		urb->status = -ECONNRESET;
		urb->actual = 0;
	}
	client_urbs_give_back(urbs, urb);
}

static void on_header(struct replies *r)
{
	struct usbip_header h;

	if (usbip_get_header(r->header, &h, &r->broken))
		return;
	if (h.command == USBIP_RET_SUBMIT)
		on_ret_submit(r, &h);
	else if (h.command == USBIP_RET_UNLINK)
		on_ret_unlink(r, &h);
	else
		r->broken = "usbip_header_basic.command: not a reply";
}

/* Of `n` bytes that have come, what was missing of the payload. */
static size_t take_payload(struct replies *r, size_t n)
{
	size_t part = n < r->payload ? n : r->payload;

	/* What no URB wants any more goes to scratch, over and over. */
	if (r->urb)
		r->at += part;
	r->payload -= (uint32_t)part;
	if (!r->payload)
		submit_answered(r, r->urb);
	return part;
}

/* One readv: the rest of a payload straight into its URB, and the header that follows it. 1: there
 * may be more. */
static int receive(struct replies *r, struct conn *conn)
{
	bool scrap = r->payload && !r->urb;
	struct iovec iov[2];
	size_t room, rest;
	int parts = 0, n;

	if (r->payload)
		iov[parts++] = (struct iovec){scrap ? r->scratch : r->at,
			scrap && r->payload > REPLIES_SCRATCH ? REPLIES_SCRATCH : r->payload};
	if (!scrap || r->payload <= REPLIES_SCRATCH)
		iov[parts++] = (struct iovec){r->header + r->have, USBIP_HEADER_SIZE - r->have};
	room = iov[0].iov_len + (parts > 1 ? iov[1].iov_len : 0);
	n = conn_readv(conn, iov, parts);
	if (n <= 0)
		return n;
	rest = (size_t)n;
	if (r->payload) {
		rest -= take_payload(r, rest);
		if (conn->fd < 0)
			return 0;
	}
	r->have += rest;
	if (!r->payload && r->have == USBIP_HEADER_SIZE) {
		r->have = 0;
		on_header(r);
		if (r->broken)
			return -EPROTO;
		if (conn->fd < 0)
			return 0;
	}
	return (size_t)n == room;
}

int replies_read(struct replies *r, struct conn *conn)
{
	int n, i = 0;

	/* Bounded, so that a fast server does not keep the phone's side from its turn; but for what
	 * the socket would not wake us for. */
	while ((n = receive(r, conn)) > 0)
		if (++i >= RECEIVE_BURST && !conn_drain(conn))
			break;
	return n < 0 ? n : 0;
}
