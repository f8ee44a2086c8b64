/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The part of pipe that deals with packets of different sizes at the camera and at the phone. */
#include "bridge/pipe.h"

#include <string.h>

#include "gadget/ffs.h"

/* The phone may run at another speed than when it configured the camera last. */
void pipe_read_packet_size(struct pipe *p)
{
	int size = ffs_packet_size(p->ffs, p->at);

	p->phone_packet =
		size > 0 && (uint32_t)size < p->max_packet ? (uint32_t)size : p->max_packet;
	/* A packet of an interrupt endpoint is a transfer. No bulk endpoint of a speed has packets
	 * that another's do not divide (USB 2.0, 5.8.3). */
	p->unit = p->is_bulk && p->max_packet % p->phone_packet == 0 ? p->max_packet
								     : p->phone_packet;
	if (!pipe_is_in(p))
		framing_set_packets(p->framing, p->phone_packet, p->unit);
}

static void discard(struct pipe_slot *slot)
{
	framing_taken(slot->pipe->framing);
	slot->state = SLOT_DONE;
}

static void send_off(struct pipe_slot *slot)
{
	struct pipe *p = slot->pipe;
	uint32_t flags = slot->ended && slot->size ? USBIP_URB_ZERO_PACKET : 0;

	p->gather = NULL;
	if (p->swallows || !pipe_submit(slot, slot->size, flags))
		discard(slot);
}

/* Adds to the slot that gathers what the next has brought. */
static struct pipe_slot *gather(struct pipe_slot *slot)
{
	struct pipe_slot *into = slot->pipe->gather;

	memcpy(pipe_buffer(into) + into->size, pipe_buffer(slot), slot->size);
	into->size += slot->size;
	into->ended = slot->ended;
	discard(slot);
	return into;
}

/* Where the phone's packets are smaller than the camera's: one that is not full at the camera would
 * end the transfer there. */
void pipe_send_to_camera(struct pipe_slot *slot)
{
	struct pipe *p = slot->pipe;
	bool over = slot->ended || slot->size % p->phone_packet || framing_is_over(p->framing);

	if (p->unit == p->phone_packet) {
		send_off(slot);
		return;
	}
	if (p->gather && p->gather->size + slot->size > p->max_request)
		send_off(p->gather);
	if (p->gather)
		slot = gather(slot);
	if (over || slot->size % p->unit == 0) {
		send_off(slot);
		return;
	}
	p->gather = slot;
	p->gather_aged = false;
}

void pipe_drop_gathered(struct pipe *p)
{
	if (p->gather)
		discard(p->gather);
	p->gather = NULL;
}

void pipe_age_gathered(struct pipe *p)
{
	if (p->gather && p->gather_aged)
		send_off(p->gather);
	p->gather_aged = true;
}
