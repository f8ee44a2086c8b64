/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The part of pipe that deals with a transfer that the phone gives up half-way. */
#include "bridge/pipe.h"

#include <errno.h>
#include <string.h>

#include "gadget/ffs.h"

/* A command is shorter than a packet, so it is what follows the whole ones; if nothing does, the
 * phone has sent no more of the transfer than its end. */
int pipe_skip_remnant(struct pipe_slot *slot, int size)
{
	int rest = size % (int)slot->pipe->phone_packet;

	memmove(pipe_buffer(slot), pipe_buffer(slot) + size - rest, (size_t)rest);
	return rest ? rest : -ECONNRESET;
}

void pipe_cancel_reads(struct pipe *p, bool remnant)
{
	unsigned oldest = p->send;

	while (oldest != p->head && pipe_slot_at(p, oldest)->state != SLOT_ASKED)
		oldest++;
	/* The newest first, so that none moves up to the phone's next token. */
	for (unsigned i = p->head; (int)(i - oldest) > 0; i--) {
		struct pipe_slot *slot = pipe_slot_at(p, i - 1);

		if (slot->state != SLOT_ASKED || slot->asked <= p->phone_packet)
			continue;
		if (i - 1 == oldest)
			slot->remnant = remnant;
		else
			ffs_cancel(p->ffs, &slot->aio);
	}
}

/* The newest first, so that none moves up to the camera's next token. */
static void take_back_writes(struct pipe *p)
{
	for (unsigned i = p->head; i-- != p->tail;) {
		struct pipe_slot *slot = pipe_slot_at(p, i);

		if (slot->state == SLOT_SENT)
			pipe_take_back(slot);
	}
}

/* The camera is left with all that it has been asked for, and with all that the phone has sent:
 * URBs that are unlinked while data comes complete just then (see transfer_abort.c). */
void pipe_abort(struct pipe *p, bool goes_on)
{
	p->epoch++;
	pipe_drain(p);
	p->holds = goes_on && !pipe_is_in(p);
	p->camera_halted |= framing_clears_halts(p->framing);
	if (pipe_is_in(p))
		take_back_writes(p);
	else
		pipe_cancel_reads(p, true);
}
