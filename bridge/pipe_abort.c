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

/* The camera is left with all that it has been asked for, and with all that the phone has sent:
 * URBs that are unlinked while data comes complete just then (see transfer_abort.c).
 *
 * Of the reads at the phone's port the oldest stands, as always; the phone may have filled a part
 * of it, and ends it with its next command. Those behind it are as long as the transfer would have
 * been, and would wait for more than the next one has. */
void pipe_abort(struct pipe *p, bool goes_on)
{
	p->epoch++;
	pipe_drain(p);
	p->holds = goes_on && !pipe_is_in(p);
	p->camera_halted |= framing_clears_halts(p->framing);
	/* The newest first, so that none moves up to the phone's next token, or the camera's. */
	for (unsigned i = p->head; i-- != p->tail;) {
		struct pipe_slot *slot = pipe_slot_at(p, i);

		if (pipe_is_in(p) && slot->state == SLOT_SENT) {
			pipe_take_back(slot);
		} else if (!pipe_is_in(p) && slot->state == SLOT_ASKED &&
			slot->asked > p->phone_packet) {
			if (i == p->send)
				slot->remnant = true;
			else
				ffs_cancel(p->ffs, &slot->aio);
		}
	}
}
