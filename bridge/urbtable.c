/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/urbtable.h"

#include <assert.h>
#include <string.h>

/*
 * A seqnum carries its entry's index, so that a reply finds its URB without a search:
 *   counter << 12 | index << 2 | IN << 1 | unlink
 * The counter makes it differ from the entry's earlier ones. The IN bit tells, when a reply comes
 * for a URB that is gone, whether payload follows.
 */
#define UNLINK 1u
#define IN 2u
#define INDEX_SHIFT 2
#define COUNTER_SHIFT 12
#define COUNTER_MASK 0xfffffu

static_assert(URBTABLE_SIZE <= 1u << (COUNTER_SHIFT - INDEX_SHIFT), "the index fits");

static unsigned index_of(uint32_t seqnum)
{
	return seqnum >> INDEX_SHIFT & (URBTABLE_SIZE - 1);
}

void urbtable_init(struct urbtable *t)
{
	memset(t, 0, sizeof(*t));
	for (; t->num_free < URBTABLE_SIZE; t->num_free++)
		t->free[t->num_free] = (uint16_t)t->num_free;
}

uint32_t urbtable_put(struct urbtable *t, struct client_urb *urb, bool in)
{
	uint16_t at = t->free[t->free_at];
	struct urbtable_entry *entry = &t->entries[at];

	if (!t->num_free)
		return 0;
	t->free_at = (t->free_at + 1) % URBTABLE_SIZE;
	t->num_free--;
	t->counter = (t->counter + 1) & COUNTER_MASK;
	if (!t->counter)
		t->counter = 1; /* so that no seqnum is 0 */
	entry->urb = urb;
	entry->seqnum = t->counter << COUNTER_SHIFT | (uint32_t)at << INDEX_SHIFT | (in ? IN : 0);
	return entry->seqnum;
}

bool urbtable_is_in(uint32_t seqnum)
{
	return seqnum & IN;
}

uint32_t urbtable_unlink_seqnum(uint32_t seqnum)
{
	return seqnum | UNLINK;
}

struct client_urb *urbtable_find(const struct urbtable *t, uint32_t seqnum)
{
	const struct urbtable_entry *entry = &t->entries[index_of(seqnum)];

	return seqnum && entry->seqnum == seqnum ? entry->urb : NULL;
}

struct client_urb *urbtable_find_unlink(const struct urbtable *t, uint32_t seqnum)
{
	return seqnum & UNLINK ? urbtable_find(t, seqnum & ~UNLINK) : NULL;
}

void urbtable_remove(struct urbtable *t, uint32_t seqnum)
{
	unsigned at = index_of(seqnum);

	t->entries[at].urb = NULL;
	t->entries[at].seqnum = 0;
	t->free[(t->free_at + t->num_free++) % URBTABLE_SIZE] = (uint16_t)at;
}

struct client_urb *urbtable_take(struct urbtable *t, unsigned at)
{
	struct client_urb *urb = t->entries[at].urb;

	if (urb)
		urbtable_remove(t, t->entries[at].seqnum);
	return urb;
}

void urbtable_remove_unlinked(struct urbtable *t, uint32_t seqnum, uint32_t length)
{
	struct urbtable_entry *entry = &t->entries[index_of(seqnum)];

	entry->late = seqnum;
	entry->late_length = length;
	urbtable_remove(t, seqnum);
}

bool urbtable_take_late(struct urbtable *t, uint32_t seqnum, uint32_t *length)
{
	struct urbtable_entry *entry = &t->entries[index_of(seqnum)];

	if (!seqnum || entry->late != seqnum)
		return false;
	*length = entry->late_length;
	entry->late = 0;
	return true;
}

void urbtable_remove_answered(struct urbtable *t, uint32_t seqnum)
{
	t->entries[index_of(seqnum)].late_unlink = urbtable_unlink_seqnum(seqnum);
	urbtable_remove(t, seqnum);
}

bool urbtable_take_late_unlink(struct urbtable *t, uint32_t seqnum)
{
	struct urbtable_entry *entry = &t->entries[index_of(seqnum)];

	if (!seqnum || entry->late_unlink != seqnum)
		return false;
	entry->late_unlink = 0;
	return true;
}
