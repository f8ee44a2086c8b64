/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The part of pipe that deals with a link that is lost, and is back. */
#include "bridge/pipe.h"

void pipe_hold(struct pipe *p)
{
	bool gap = false;

	pipe_drop_gathered(p);
	p->client = NULL;
	/* What the phone has not taken yet may be the end of a transaction. But a server need not
	 * answer in order, and what is behind a gap is of no use. */
	for (unsigned i = p->send; pipe_is_in(p) && i != p->head; i++) {
		struct pipe_slot *slot = pipe_slot_at(p, i);

		gap |= slot->state == SLOT_ASKED;
		if (slot->state == SLOT_COME && gap)
			pipe_drop(slot);
		else if (slot->state == SLOT_COME)
			pipe_tell_framing(slot);
	}
}

/* Whether this slot has brought a command, perhaps behind the last of what was cut. */
static bool begins_anew(struct pipe_slot *slot)
{
	int size = pipe_skip_remnant(slot, (int)slot->size);

	if (size < 0 || !framing_is_command(slot->pipe->framing, pipe_buffer(slot), (uint32_t)size))
		return false;
	slot->size = (uint32_t)size;
	return true;
}

/* What the phone has sent of it; not what it has sent since. */
static void drop_come(struct pipe *p)
{
	for (unsigned i = p->send; p->deaf && i != p->head; i++) {
		struct pipe_slot *slot = pipe_slot_at(p, i);

		if (slot->state == SLOT_COME && begins_anew(slot))
			p->deaf = false;
		else if (slot->state == SLOT_COME)
			pipe_drop(slot);
	}
}

void pipe_cut(struct pipe *p)
{
	if (pipe_is_in(p) || pipe_is_dropping(p) || !framing_is_under_way(p->framing))
		return;
	p->deaf = true;
	framing_restart(p->framing, p->dir);
	drop_come(p);
	pipe_cancel_reads(p, p->deaf);
	pipe_pump(p);
}

bool pipe_may_repeat(struct pipe *p)
{
	/* A halt that was put down to read-ahead is gone with what had been read. */
	if (pipe_is_early(p)) {
		p->early = false;
		p->state = PIPE_RUNNING;
	}
	return p->state == PIPE_RUNNING;
}

void pipe_go_on(struct pipe *p, struct client *client, enum pipe_remains remains)
{
	p->client = client;
	p->camera_halted = p->swallows = false;
	/* The camera's is gone, and the phone clears its own unseen. */
	if (p->state == PIPE_HALTED)
		p->state = PIPE_RUNNING;
	if (p->deaf && remains == PIPE_REPEATED)
		p->deaf = false;
	if (p->deaf)
		framing_begin(p->framing, p->dir);
	if (remains == PIPE_CUT && pipe_is_in(p) &&
		(p->state == PIPE_RUNNING || pipe_is_early(p))) {
		/* Behind what had come of it. */
		p->early = false;
		p->halt_at = p->head - 1;
		p->state = PIPE_HALTING;
	}
	pipe_pump(p);
}
