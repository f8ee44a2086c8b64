/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The half of pipe that deals with halts (USB 2.0, 5.8.5): from the camera's STALL to the phone's
 * recovery. docs/architecture.md has the states as a picture. */
#include "bridge/pipe.h"

#include <errno.h>
#include <string.h>

#include <linux/usb/ch9.h>

#include "bridge/log.h"
#include "gadget/ffs.h"

void pipe_halted(struct pipe_slot *slot, int status)
{
	struct pipe *p = slot->pipe;

	if (p->state != PIPE_RUNNING)
		return;
	p->errors++;
	p->swallows = !pipe_is_in(p) && framing_has_status(p->framing);
	if (status != -EPIPE)
		log_warning("endpoint 0x%02x of the camera: %s; the phone is told with a %s",
			p->address, strerror(-status), p->swallows ? "status" : "halt");
	/* Believed once: if the camera halts again without having sent anything, it means it. */
	p->early = pipe_is_in(p) && !p->early && !slot->size && framing_is_early(p->framing);
	p->halt_at = slot->position;
	p->state = PIPE_HALTING;
	/* The others get the same STALL, or the answer, which an unlink could lose. */
	if (!p->early)
		pipe_unlink_all(p);
}

void pipe_on_cleared(struct client_urb *urb, int status, uint32_t actual)
{
	struct pipe *p = urb->user;

	(void)actual;
	p->urbs_out--;
	/* In another state it is of before: what pipe_abort has seen coming is after it. */
	if (p->state == PIPE_CLEARING)
		p->camera_halted = false;
	if (status && p->client)
		log_warning("endpoint 0x%02x of the camera: its halt cannot be cleared: %s",
			p->address, strerror(-status));
	if (p->state == PIPE_CLEARING)
		p->state = p->cleared;
	pipe_pump(p);
}

void pipe_clear_halt(struct pipe *p, enum pipe_state next)
{
	const uint8_t setup[8] = {USB_RECIP_ENDPOINT, USB_REQ_CLEAR_FEATURE, USB_ENDPOINT_HALT, 0,
		p->address, 0, 0, 0};

	memcpy(p->clear.setup, setup, sizeof(setup));
	/* Where the link is lost, or has just been: the camera comes back without. */
	if (!p->client || client_submit(p->client, &p->clear)) {
		p->camera_halted = false;
		p->state = next;
		return;
	}
	p->urbs_out++;
	p->cleared = next;
	p->state = PIPE_CLEARING;
}

static void halt_phone(struct pipe *p)
{
	int r = ffs_halt(p->ffs, p->at, pipe_is_in(p));

	/* dwc2_hsotg_ep_sethalt halts none over the reads that stand on it, and cannot be trusted
	 * to cancel the one that it is at. */
	p->halts_late = r == -EAGAIN && !pipe_is_in(p) && p->tail != p->head;
	if (p->halts_late)
		return;
	if (r)
		log_warning("endpoint %u: cannot be halted: %s", p->at + 1, strerror(-r));
	p->state = PIPE_HALTED;
	framing_halted(p->framing);
	/* The phone clears its own halt unseen by us, so the camera's is cleared in advance: what
	 * the phone asks for next then moves by itself. But a camera that stalls again at once
	 * would be asked for ever. */
	if (p->moved)
		pipe_clear_halt(p, PIPE_RUNNING);
	p->moved = false;
}

bool pipe_has_gone_on(struct pipe *p, const uint8_t *data, uint32_t size)
{
	if (!framing_is_command(p->framing, data, size))
		return false;
	p->halts_late = p->deaf = false;
	pipe_clear_halt(p, PIPE_RUNNING);
	return true;
}

void pipe_catch_up(struct pipe *p)
{
	/* A halt in RUNNING was met by surplus requests, which are all back. */
	if (p->state == PIPE_RUNNING && p->camera_halted && !p->urbs_out)
		pipe_clear_halt(p, PIPE_RUNNING);
	if (p->state == PIPE_RUNNING && p->seen != p->framing->changes)
		pipe_pump(p);
	if (p->state != PIPE_HALTING || p->urbs_out ||
		(pipe_is_in(p) && (int)(p->tail - p->halt_at) <= 0))
		return;
	if (p->swallows) {
		pipe_clear_halt(p, PIPE_RUNNING);
		return;
	}
	if (p->halts_late && p->tail != p->head)
		return;
	/* What the phone sent before it can see the halt belongs to the transfer that failed. */
	if (!pipe_is_in(p))
		ffs_dispatch_aio(p->ffs);
	if (p->state != PIPE_HALTING)
		return;
	framing_restart(p->framing, p->dir);
	if (p->early)
		pipe_clear_halt(p, PIPE_EARLY);
	else
		halt_phone(p);
}

void pipe_resume(struct pipe *p)
{
	if (!pipe_is_early(p))
		return;
	framing_restart(p->framing, p->dir);
	p->state = PIPE_RUNNING;
	pipe_pump(p);
}

void pipe_give_up(struct pipe *p)
{
	if (p->state == PIPE_EARLY) {
		halt_phone(p);
	} else if (pipe_is_early(p)) {
		p->early = false;
		pipe_unlink_all(p);
	}
}

void pipe_kick(struct pipe *p)
{
	if (p->state == PIPE_HALTED)
		pipe_clear_halt(p, PIPE_RUNNING);
}
