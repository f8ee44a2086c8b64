/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/control_pipe.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

#include "bridge/bytes.h"
#include "bridge/framing.h"
#include "bridge/log.h"
#include "gadget/ffs.h"
#include "gadget/usbdesc.h"

/* USB 2.0, 9.2.6.1: no request may take longer. Linux hosts give up then too. */
#define TIMEOUT_S 5.

#define GET_DEVICE_STATUS 0x67

/* FunctionFS goes by the number alone, without the direction (ffs_func_revmap_ep): where the UDC
 * has given an IN and an OUT endpoint the same, as dwc2 does, the later one is named for either. */
static bool shares_number(const struct control_pipe *c, unsigned at)
{
	int address = ffs_address(c->ffs, at);

	if (address < 0)
		return true; /* not configured any more: nobody can tell */
	for (unsigned i = 0; i < c->profile->num_endpoints; i++) {
		int other = ffs_address(c->ffs, i);

		if (i != at && other >= 0 && !((other ^ address) & USB_ENDPOINT_NUMBER_MASK))
			return true;
	}
	return false;
}

/* wIndex of the phone's request in the camera's numbers; false: there is no such thing, or it may
 * be another that the phone means. */
static bool map_index(
	const struct control_pipe *c, const struct usb_ctrlrequest *setup, uint16_t *index)
{
	const struct usb_profile *profile = c->profile;
	uint16_t at = le16toh(setup->wIndex);

	*index = at;
	switch (setup->bRequestType & USB_RECIP_MASK) {
	case USB_RECIP_ENDPOINT:
		/* FunctionFS counts from 1 in the descriptors' order (ffs_func_revmap_ep); 0 is the
		 * control endpoint. */
		if (!(at & 0xff))
			return true;
		if ((at & 0xff) > profile->num_endpoints || shares_number(c, (at & 0xff) - 1))
			return false;
		*index = profile->endpoints[(at & 0xff) - 1].address;
		return true;
	case USB_RECIP_INTERFACE:
		/* Only the low byte is left of it (ffs_func_setup); what the high one held, an
		 * entity id of audio or video classes, is lost. */
		for (unsigned i = 0; i < profile->num_interfaces; i++) {
			if (!profile->interfaces[i].alternate &&
				profile->interfaces[i].logical == (at & 0xff)) {
				*index = profile->interfaces[i].number;
				return true;
			}
		}
		return false;
	default:
		return true;
	}
}

static void answer(struct control_pipe *c, enum ep0_answer answer, size_t size)
{
	int r;

	ev_timer_stop(c->loop, &c->timeout);
	c->busy = c->held = false;
	c->stalls += answer == EP0_STALL;
	r = ffs_answer(c->ffs, answer, c->buffer, answer == EP0_DATA ? size : 0);
	if (r)
		log_debug("control request: no answer possible: %s", strerror(-r));
}

/* The camera's interface of that number. */
static bool is_still_image(const struct usb_profile *p, uint8_t number)
{
	for (unsigned i = 0; i < p->num_interfaces; i++) {
		if (p->interfaces[i].number == number && !p->interfaces[i].alternate)
			return framing_of_interface(p, i) == FRAMING_PTP;
	}
	return false;
}

/* Still image class, Get Device Status: after its length and a code come 4 bytes for each endpoint
 * that is halted, its address (PIMA 15740 D.5.2.4). The phone knows it by another. */
static void map_device_status(struct control_pipe *c, uint32_t size)
{
	const uint8_t *setup = c->urb.setup;

	if (setup[0] != (USB_DIR_IN | USB_TYPE_CLASS | USB_RECIP_INTERFACE) ||
		setup[1] != GET_DEVICE_STATUS || !is_still_image(c->profile, setup[4]))
		return;
	for (uint8_t *p = c->buffer + 4; p + 4 <= c->buffer + size; p += 4) {
		unsigned at = 0;

		while (at < c->profile->num_endpoints &&
			c->profile->endpoints[at].address != bytes_le32(p))
			at++;
		if (at < c->profile->num_endpoints && ffs_address(c->ffs, at) >= 0)
			*p = (uint8_t)ffs_address(c->ffs, at);
	}
}

static void on_done(struct client_urb *urb, int status, uint32_t actual)
{
	struct control_pipe *c = urb->user;
	bool in = urb->setup[0] & USB_DIR_IN;

	if (!c->busy)
		return; /* too late */
	if (!status && in)
		map_device_status(c, actual);
	if (status)
		answer(c, EP0_STALL, 0);
	else
		answer(c, in ? EP0_DATA : EP0_ACK, actual);
}

static void on_timeout(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct control_pipe *c = timer->data;

	(void)loop;
	(void)events;
	log_warning("the camera leaves a control request unanswered (bRequest 0x%02x)",
		c->urb.setup[1]);
	if (c->client)
		client_unlink(c->client, &c->urb);
	answer(c, EP0_STALL, 0);
}

/* Where the link is lost it waits for the next, or for its timeout. */
static void submit(struct control_pipe *c)
{
	if (c->client && client_submit(c->client, &c->urb))
		answer(c, EP0_STALL, 0);
}

void control_pipe_request(struct control_pipe *c, const struct usb_ctrlrequest *setup,
	const uint8_t *data, size_t size)
{
	struct usb_ctrlrequest mapped = *setup;
	uint16_t index;

	if (c->busy || size > sizeof(c->buffer)) {
		log_error("ep0 delivered a second request while one is unanswered");
		return;
	}
	c->busy = true;
	c->requests++;
	/* In flight: the camera has not even given up the one before. */
	if (c->urb.seqnum || !map_index(c, setup, &index)) {
		answer(c, EP0_STALL, 0);
		return;
	}
	mapped.wIndex = htole16(index);
	/* The transfer's length must be wLength (usb_submit_urb); what was read is what there is.
	 */
	if (!(setup->bRequestType & USB_DIR_IN))
		mapped.wLength = htole16((uint16_t)size);
	else if (le16toh(setup->wLength) > sizeof(c->buffer))
		mapped.wLength = htole16(sizeof(c->buffer));
	memcpy(c->urb.setup, &mapped, sizeof(c->urb.setup));
	if (size)
		memcpy(c->buffer, data, size);
	c->urb.length = le16toh(mapped.wLength);
	ev_timer_set(&c->timeout, TIMEOUT_S, 0.);
	ev_timer_start(c->loop, &c->timeout);
	if (!c->held)
		submit(c);
}

void control_pipe_set_client(struct control_pipe *c, struct client *client)
{
	c->client = client;
	if (client && c->busy && !c->held)
		submit(c);
}

void control_pipe_hold(struct control_pipe *c)
{
	c->held = true;
}

void control_pipe_release(struct control_pipe *c)
{
	if (c->held && c->busy)
		submit(c);
	c->held = false;
}

void control_pipe_init(struct control_pipe *c, struct ev_loop *loop, struct client *client,
	struct ffs *ffs, const struct usb_profile *profile)
{
	memset(c, 0, sizeof(*c));
	c->client = client;
	c->ffs = ffs;
	c->profile = profile;
	c->loop = loop;
	ev_init(&c->timeout, on_timeout);
	c->timeout.data = c;
	c->urb.buffer = c->buffer;
	c->urb.done = on_done;
	c->urb.user = c;
}

void control_pipe_fini(struct control_pipe *c)
{
	ev_timer_stop(c->loop, &c->timeout);
}
