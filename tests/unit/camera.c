/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/camera.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <linux/usb/ch9.h>

/* ---- packets ---- */

static struct camera_packet *push(struct camera_endpoint *e, const void *data, uint32_t size)
{
	struct camera_packet *p;

	if (e->num == e->room) {
		e->room = e->room ? 2 * e->room : 64;
		e->packets = realloc(e->packets, e->room * sizeof(*e->packets));
		assert_non_null(e->packets);
	}
	p = &e->packets[e->num++];
	*p = (struct camera_packet){.size = size, .data = malloc(size)};
	if (size)
		memcpy(p->data, data, size);
	return p;
}

void camera_put(struct camera_endpoint *e, const void *data, uint32_t size)
{
	assert_true(size <= e->max_packet);
	push(e, data, size);
}

void camera_put_error(struct camera_endpoint *e, int error)
{
	push(e, NULL, 0)->error = error;
}

void camera_forget(struct camera_endpoint *e)
{
	while (e->num > e->given)
		free(e->packets[--e->num].data);
}

void camera_lose(struct camera_endpoint *e, uint32_t seqnum)
{
	for (unsigned i = 0; i < e->given; i++)
		e->packets[i].lost |= e->packets[i].seqnum == seqnum;
}

/* ---- URBs ---- */

bool camera_urb_is_in(const struct camera_urb *urb)
{
	return urb->submit.direction == USBIP_DIR_IN;
}

uint32_t camera_urb_length(const struct camera_urb *urb)
{
	return urb->submit.u.cmd_submit.transfer_buffer_length;
}

/* One transaction of an IN URB; true when that ends it. */
static bool give(struct camera_endpoint *e, struct camera_urb *urb, int *status)
{
	struct camera_packet *p;

	if (e->given == e->num)
		return false;
	p = &e->packets[e->given++];
	p->urb = urb->number;
	*status = p->error;
	e->halted = p->error == -EPIPE;
	if (p->error)
		return true;
	p->seqnum = urb->submit.seqnum;
	p->urb = urb->number;
	urb->packets++;
	/* The relay asks for whole packets: there is no babble. */
	assert_true(urb->done + p->size <= camera_urb_length(urb));
	if (p->size)
		memcpy(urb->data + urb->done, p->data, p->size);
	urb->done += p->size;
	return p->size < e->max_packet || urb->done == camera_urb_length(urb);
}

/* One transaction of an OUT URB. */
static bool take(struct camera_endpoint *e, struct camera_urb *urb, int *status)
{
	uint32_t left = camera_urb_length(urb) - urb->done;
	uint32_t size = left < e->max_packet ? left : e->max_packet;
	bool zero = urb->submit.u.cmd_submit.transfer_flags & USBIP_URB_ZERO_PACKET;

	if (e->fail && e->fail_at == e->num) {
		*status = e->fail;
		e->halted = e->fail == -EPIPE;
		e->fail = 0;
		return true;
	}
	push(e, urb->data + urb->done, size)->urb = urb->number;
	urb->done += size;
	urb->packets++;
	return size < e->max_packet || (urb->done == camera_urb_length(urb) && !zero);
}

bool camera_move(struct camera_endpoint *e, int *status)
{
	struct camera_urb *urb = e->first;

	*status = e->halted ? -EPIPE : 0;
	while (!e->halted) {
		unsigned packets = urb->packets;
		bool ended = camera_urb_is_in(urb) ? give(e, urb, status) : take(e, urb, status);

		if (!e->halted && (ended || urb->packets == packets))
			return ended;
	}
	assert_true(e->num_failed < CAMERA_FAILURES);
	e->failed[e->num_failed++] = e->num;
	return true;
}

/* ---- control requests ---- */

bool camera_is_clear_halt(const struct camera_urb *urb)
{
	const uint8_t *setup = urb->submit.u.cmd_submit.setup;

	return !urb->submit.ep && setup[0] == USB_RECIP_ENDPOINT &&
		setup[1] == USB_REQ_CLEAR_FEATURE;
}

static int clear_halt(struct camera *c, const uint8_t *setup)
{
	assert_int_equal(setup[2] | setup[3] | setup[5] | setup[6] | setup[7], 0);
	for (unsigned i = 1; i <= c->num_endpoints; i++) {
		struct camera_endpoint *e = &c->endpoints[i];

		if (e->address != setup[4])
			continue;
		e->clears++;
		if (!c->clear_status)
			e->halted = e->halted && e->sticky;
		return c->clear_status;
	}
	fail_msg("CLEAR_FEATURE for endpoint 0x%02x, which there is not", setup[4]);
	return -EPIPE;
}

int camera_control(struct camera *c, struct camera_urb *urb)
{
	const uint8_t *setup = urb->submit.u.cmd_submit.setup;
	uint32_t size = camera_urb_length(urb);
	struct camera_request *r;

	if (camera_is_clear_halt(urb))
		return clear_halt(c, setup);
	r = &c->requests[c->num_requests++ % CAMERA_REQUESTS];
	memcpy(r->setup, setup, 8);
	r->length = size;
	r->size = 0;
	if (!camera_urb_is_in(urb)) {
		r->size = urb->done = size;
		memcpy(r->data, urb->data, size < sizeof(r->data) ? size : sizeof(r->data));
	} else if (!c->answer_status) {
		urb->done = c->answer_size < size ? c->answer_size : size;
		memcpy(urb->data, c->answer, urb->done);
	}
	return c->answer_status;
}
