/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The part of pipe that deals with the phone's port: what it has taken, brought, or refused. */
#include "bridge/pipe.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "bridge/log.h"
#include "gadget/ffs.h"

#define CONTAINER(pointer, type, member)                                                           \
	((type *)(void *)((char *)(pointer)-offsetof(type, member)))

void pipe_send_to_phone(struct pipe_slot *slot)
{
	struct pipe *p = slot->pipe;

	slot->again = false;
	slot->aio_out = (slot->size > 0) + slot->ended;
	if (slot->size)
		ffs_write(p->ffs, p->at, &slot->aio, pipe_buffer(slot), slot->size);
	/* FunctionFS sends no zero-length packet by itself (it never sets req->zero). */
	if (slot->ended)
		ffs_write(p->ffs, p->at, &slot->zlp, pipe_buffer(slot), 0);
	if (!slot->size && !slot->ended)
		slot->state = SLOT_DONE;
}

void pipe_take_back(struct pipe_slot *slot)
{
	ffs_cancel(slot->pipe->ffs, &slot->zlp);
	ffs_cancel(slot->pipe->ffs, &slot->aio);
}

/* The phone's port has failed. -ESHUTDOWN: the endpoints have been disabled, and the event that
 * says so is on its way, perhaps behind their being enabled again: what the camera gives now is too
 * late for all. */
static void on_port_failed(struct pipe *p, int error)
{
	if (error == -ESHUTDOWN) {
		p->callbacks->shut_down(p->user);
		return;
	}
	log_warning("endpoint %u: %s; it rests until the phone configures the camera again",
		p->at + 1, strerror(-error));
	pipe_stop(p);
}

/* OUT: whether what the phone has sent is still of use to the camera. */
static bool is_wanted(struct pipe_slot *slot, uint32_t size)
{
	struct pipe *p = slot->pipe;

	if (p->halts_late)
		return pipe_has_gone_on(p, pipe_buffer(slot), size);
	if (p->state == PIPE_HALTING)
		return p->swallows;
	if (p->deaf)
		p->deaf = !framing_is_command(p->framing, pipe_buffer(slot), size);
	if (!pipe_is_dropping(p))
		return !p->deaf;
	/* With the command all that follows it. */
	return p->holds &&
		(pipe_slot_at(p, p->send)->state == SLOT_COME ||
			framing_is_command(p->framing, pipe_buffer(slot), size));
}

static void on_read(struct pipe_slot *slot, int result)
{
	struct pipe *p = slot->pipe;

	slot->aio_out = 0;
	if (result >= 0 && slot->remnant)
		result = pipe_skip_remnant(slot, result);
	if (result >= 0 && is_wanted(slot, (uint32_t)result)) {
		slot->size = (uint32_t)result;
		slot->ended = slot->size < slot->asked && slot->size % p->phone_packet == 0;
		slot->state = SLOT_COME;
		p->callbacks->stirred(p->user, p);
		return;
	}
	pipe_drop(slot);
	/* What is left of an older configuration says nothing about this one. */
	if (slot->epoch != p->epoch || result >= 0)
		return;
	if (result == -EAGAIN)
		p->parked = true;
	/* ECONNRESET: it was taken back, or held nothing but a remnant. */
	else if (result != -EINPROGRESS && result != -ECONNRESET)
		on_port_failed(p, result);
}

/* Takes back what stands at the phone's port behind this slot's data, which have to go first. */
static void recall_behind(struct pipe_slot *slot)
{
	struct pipe *p = slot->pipe;

	/* The newest first, so that none moves up to the phone's next token. */
	for (unsigned i = p->send; --i != slot->position;) {
		struct pipe_slot *later = pipe_slot_at(p, i);

		if (later->state != SLOT_SENT)
			continue;
		later->again = true;
		pipe_take_back(later);
	}
	ffs_cancel(p->ffs, &slot->zlp);
}

static void on_written(struct pipe_slot *slot, bool data, int result)
{
	struct pipe *p = slot->pipe;

	slot->aio_out--;
	if (result >= 0 && data)
		slot->size = 0;
	else if (result >= 0)
		slot->ended = false;
	/* EAGAIN: dwc2 takes nothing while the bus is suspended. EINPROGRESS: dwc2 gives a request
	 * back so when the phone clears a halt. */
	if (result == -EINPROGRESS && !slot->again)
		recall_behind(slot);
	slot->again |= result == -EAGAIN || result == -EINPROGRESS;
	p->parked |= result == -EAGAIN;
	if (result < 0 && !slot->again)
		slot->size = 0, slot->ended = false;
	if (!slot->aio_out) {
		slot->state = slot->again ? SLOT_COME : SLOT_DONE;
		/* Back to the oldest of them, whose completion came first. */
		if (slot->again && (int)(slot->position - p->send) < 0)
			p->send = slot->position;
	}
	if (result < 0 && !slot->again && slot->epoch == p->epoch)
		on_port_failed(p, result);
}

void pipe_on_aio_done(struct ffsaio_request *req, int result)
{
	struct pipe_slot *slot = CONTAINER(req, struct pipe_slot, aio);

	if (pipe_is_in(slot->pipe))
		on_written(slot, true, result);
	else
		on_read(slot, result);
	pipe_pump(slot->pipe);
}

void pipe_on_zlp_done(struct ffsaio_request *req, int result)
{
	struct pipe_slot *slot = CONTAINER(req, struct pipe_slot, zlp);

	on_written(slot, false, result);
	pipe_pump(slot->pipe);
}
