/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/pipe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/usb/ch9.h>

#include "bridge/log.h"
#include "gadget/ffs.h"

void pipe_drop(struct pipe_slot *slot)
{
	struct pipe *p = slot->pipe;

	if (!slot->framed)
		framing_cancelled(p->framing, p->dir, slot->asked);
	slot->framed = true;
	slot->state = SLOT_DONE;
}

/* ---- the two operations ---- */

bool pipe_submit(struct pipe_slot *slot, uint32_t length, uint32_t flags)
{
	struct pipe *p = slot->pipe;

	slot->urb.length = length;
	slot->urb.flags = flags;
	if (!p->client || client_submit(p->client, &slot->urb))
		return false;
	p->urbs_out++;
	p->urbs++;
	return true;
}

static bool ask(struct pipe *p, uint32_t size)
{
	struct pipe_slot *slot = pipe_slot_at(p, p->head);

	slot->state = SLOT_ASKED;
	slot->position = p->head++;
	slot->epoch = p->epoch;
	slot->asked = size;
	slot->framed = slot->again = slot->ended = slot->remnant = false;
	if (pipe_is_in(p)) {
		if (pipe_submit(slot, size, 0))
			return true;
		pipe_drop(slot);
		return false;
	}
	slot->aio_out = 1;
	ffs_read(p->ffs, p->at, &slot->aio, pipe_buffer(slot), size);
	return true;
}

void pipe_tell_framing(struct pipe_slot *slot)
{
	struct pipe *p = slot->pipe;

	if (slot->framed)
		return;
	framing_done(p->framing, p->dir, slot->asked, pipe_buffer(slot), slot->size);
	p->bytes += slot->size;
	slot->framed = true;
	if (slot->size) {
		p->last = pipe_buffer(slot);
		p->last_size = slot->size;
	}
}

static void send_on(struct pipe_slot *slot)
{
	struct pipe *p = slot->pipe;

	p->swallows &= framing_is_sending(p->framing);
	pipe_tell_framing(slot);
	slot->state = SLOT_SENT;
	if (pipe_is_in(p))
		pipe_send_to_phone(slot);
	else
		pipe_send_to_camera(slot);
}

/* ---- the ring ---- */

static bool may_send(const struct pipe *p, const struct pipe_slot *slot)
{
	if (pipe_is_in(p) && p->parked)
		return false;
	if (p->state == PIPE_RUNNING)
		return pipe_is_in(p) || (p->client && !framing_is_surplus(p->framing));
	/* What the camera sent before it halted still goes to the phone. */
	return p->state == PIPE_HALTING && pipe_is_in(p) && (int)(slot->position - p->halt_at) <= 0;
}

static void settle(struct pipe *p);

void pipe_pump(struct pipe *p)
{
	uint32_t size;

	for (; p->send != p->head; p->send++) {
		struct pipe_slot *slot = pipe_slot_at(p, p->send);

		if (slot->state == SLOT_ASKED || (slot->state == SLOT_SENT && slot->again))
			break;
		if (slot->state == SLOT_COME && pipe_is_dropping(p) && !p->holds)
			pipe_drop(slot);
		else if (slot->state == SLOT_COME && may_send(p, slot))
			send_on(slot);
		else if (slot->state == SLOT_COME)
			break;
	}
	for (; p->tail != p->send && pipe_slot_at(p, p->tail)->state == SLOT_DONE; p->tail++)
		pipe_slot_at(p, p->tail)->state = SLOT_FREE;
	if (p->state == PIPE_RUNNING && pipe_is_in(p) && framing_is_surplus(p->framing))
		pipe_unlink_all(p);
	while (p->state == PIPE_RUNNING && !p->parked && (p->client || !pipe_is_in(p)) &&
		p->head - p->tail < p->num_slots) {
		size = framing_next(p->framing, p->dir);
		if (!size)
			break;
		if (!ask(p, size))
			break;
	}
	p->seen = p->framing->changes;
	settle(p);
}

/* Completes a stop as soon as both sides have answered. Reads stand on at the phone: dwc2 cannot be
 * trusted to cancel them, and they are as good after the next start. */
static void settle(struct pipe *p)
{
	unsigned end = p->holds ? p->send : p->head;

	if (p->state != PIPE_STOPPING || p->urbs_out || (pipe_is_in(p) && p->tail != end))
		return;
	framing_begin(p->framing, p->dir);
	p->state = PIPE_STOPPED;
	if (p->start_again)
		pipe_start(p);
}

void pipe_unlink_all(struct pipe *p)
{
	pipe_drop_gathered(p);
	if (!p->client)
		return;
	/* The last first, as usb_hcd_flush_endpoint does: were it the oldest, the next would be at
	 * work while it is given up, and that is what Linux' server has been seen to crash in. */
	for (unsigned i = p->head; i != p->tail; i--)
		client_unlink(p->client, &pipe_slot_at(p, i - 1)->urb);
}

/* ---- completions ---- */

static void on_urb_in(struct pipe_slot *slot, int status, uint32_t actual)
{
	struct pipe *p = slot->pipe;

	/* Data that comes in spite of a halt, from a camera whose STALL was for one request, is
	 * kept for after it. */
	if ((pipe_is_dropping(p) && (status || !p->holds)) || !p->client ||
		(p->state == PIPE_HALTING && status && !actual)) {
		pipe_drop(slot);
		return;
	}
	slot->size = actual;
	slot->ended = !status && actual < slot->asked && actual % p->phone_packet == 0 &&
		(p->is_bulk || p->phone_packet == p->max_packet);
	slot->state = SLOT_COME;
	p->moved |= !status || actual;
	if (!status)
		p->camera_halted = false;
	else if (!actual)
		return;
	/* An answer: the halt, if there was one, was of read-ahead. */
	if (p->state == PIPE_HALTING && p->early)
		pipe_resume(p);
	if (p->state == PIPE_RUNNING && !status)
		p->early = false;
}

static void on_urb_done(struct client_urb *urb, int status, uint32_t actual)
{
	struct pipe_slot *slot = urb->user;
	struct pipe *p = slot->pipe;
	bool surplus = pipe_is_in(p) && status && framing_is_surplus(p->framing);

	p->urbs_out--;
	p->camera_halted |= status == -EPIPE;
	if (surplus) {
		pipe_drop(slot);
	} else if (pipe_is_in(p)) {
		on_urb_in(slot, status, actual);
	} else {
		framing_taken(p->framing);
		slot->state = SLOT_DONE;
		p->moved |= !status;
	}
	if (status == -ESHUTDOWN || status == -ENODEV) {
		p->callbacks->failed(p->user, "the camera has been unplugged");
		pipe_stop(p);
	} else if (status && !surplus && p->client && !pipe_is_dropping(p)) {
		pipe_halted(slot, status);
	}
	pipe_pump(p);
}

/* ---- life ---- */

static void stop(struct pipe *p)
{
	p->start_again = p->halts_late = false;
	if (p->state != PIPE_STOPPED)
		p->state = PIPE_STOPPING;
	pipe_pump(p);
}

void pipe_start(struct pipe *p)
{
	p->epoch++;
	p->parked = p->deaf = false;
	pipe_unlink_all(p);
	stop(p);
	if (p->state != PIPE_STOPPED) {
		p->start_again = true; /* by settle */
		return;
	}
	p->moved = true;
	p->holds = false;
	pipe_read_packet_size(p);
	/* A configuration begins without halts (USB 2.0, 9.4.5). */
	p->early = false;
	if (p->camera_halted) {
		pipe_clear_halt(p, PIPE_RUNNING);
		return;
	}
	p->state = PIPE_RUNNING;
	pipe_pump(p);
}

void pipe_stop(struct pipe *p)
{
	pipe_unlink_all(p);
	pipe_drain(p);
}

void pipe_drain(struct pipe *p)
{
	p->holds = false;
	pipe_drop_gathered(p);
	stop(p);
}

void pipe_sleep(struct pipe *p)
{
	pipe_unlink_all(p);
	p->holds = pipe_is_in(p) && p->framing == &p->own_framing;
	stop(p);
}

void pipe_wake(struct pipe *p)
{
	p->parked = false;
	pipe_pump(p);
}

bool pipe_idle(const struct pipe *p)
{
	return !p->urbs_out && p->tail == p->head;
}

/* USB 2.0, 9.6.6: frames at full speed, 2^(bInterval-1) microframes at high speed. */
static uint32_t interval(const struct pipe_options *o)
{
	unsigned exponent = o->binterval > 16 ? 16 : o->binterval;

	if ((o->attributes & USB_ENDPOINT_XFERTYPE_MASK) != USB_ENDPOINT_XFER_INT)
		return 0;
	if (!o->high_speed)
		return o->binterval ? o->binterval : 1;
	return exponent ? 1u << (exponent - 1) : 1;
}

/* So that a counter finds the same slots after it has wrapped. */
static unsigned power_of_two(unsigned most)
{
	while (most & (most - 1))
		most &= most - 1;
	return most;
}

int pipe_init(struct pipe *p, const struct pipe_options *o)
{
	uint32_t max_request = o->max_request - o->max_request % o->max_packet;

	memset(p, 0, sizeof(*p));
	p->client = o->client;
	p->ffs = o->ffs;
	p->dir = o->address & USB_DIR_IN ? FRAMING_IN : FRAMING_OUT;
	p->callbacks = o->callbacks;
	p->user = o->user;
	p->at = o->at;
	p->interface_at = o->interface_at;
	p->address = o->address;
	p->interval = interval(o);
	p->is_bulk = (o->attributes & USB_ENDPOINT_XFERTYPE_MASK) == USB_ENDPOINT_XFER_BULK;
	p->max_packet = p->phone_packet = p->unit = o->max_packet;
	p->max_request = max_request;
	p->num_slots = power_of_two(o->num_slots);
	p->framing = o->framing;
	if (!p->framing) {
		p->framing = &p->own_framing;
		framing_init(p->framing, FRAMING_GENERIC);
		max_request = o->max_packet;
	}
	if (max_request < o->max_packet)
		max_request = o->max_packet;
	framing_stream_init(p->framing, p->dir, o->max_packet, max_request);
	p->clear.done = pipe_on_cleared;
	p->clear.user = p;
	p->slots = calloc(p->num_slots, sizeof(*p->slots));
	/* Not calloc: pages that are never used are never touched. */
	p->buffers = malloc((size_t)p->num_slots * max_request);
	if (!p->slots || !p->buffers)
		return -ENOMEM;
	for (unsigned i = 0; i < p->num_slots; i++) {
		struct pipe_slot *slot = &p->slots[i];

		slot->pipe = p;
		slot->urb.endpoint = p->address;
		slot->urb.interval = p->interval;
		slot->urb.buffer = p->buffers + (size_t)i * max_request;
		slot->urb.done = on_urb_done;
		slot->urb.user = slot;
		slot->aio.done = pipe_on_aio_done;
		slot->zlp.done = pipe_on_zlp_done;
	}
	return 0;
}

void pipe_fini(struct pipe *p)
{
	free(p->slots);
	free(p->buffers);
	p->slots = NULL;
	p->buffers = NULL;
}

const char *pipe_state_str(enum pipe_state state)
{
	static const char *const names[] = {
		"stopped", "running", "stopping", "halting", "halted", "clearing", "early"};

	return names[state];
}
