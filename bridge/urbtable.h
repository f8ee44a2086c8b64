/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * urbtable: the URBs of one session that the server has, by seqnum. Pure; nothing is allocated.
 *
 * Of a URB that is over an answer may still come, in two ways. One that has been answered while its
 * CMD_UNLINK was on its way goes back to its user before the RET_UNLINK, which Linux keeps until it
 * has something else to send (stub_recv_cmd_unlink does not wake stub_tx_loop), and pyusbip for
 * ever. And usbipd-win may send a RET_SUBMIT after the RET_UNLINK of the same URB. Both stay known
 * until the same comes about in the URB's entry again, and entries are used in turn.
 */
#ifndef BRIDGE_URBTABLE_H
#define BRIDGE_URBTABLE_H

#include <stdbool.h>
#include <stdint.h>

#define URBTABLE_SIZE 1024 /* a power of two */

struct client_urb;

struct urbtable_entry {
	struct client_urb *urb; /* NULL: given back */
	uint32_t seqnum;	/* 0: free */
	uint32_t late;		/* seqnum of the last one that was unlinked unanswered; or 0 */
	uint32_t late_length;	/* bytes that it asked for */
	uint32_t late_unlink;	/* of the CMD_UNLINK of the last one that was answered; or 0 */
};

struct urbtable {
	uint32_t counter;
	/* entries that are free, first in first out */
	unsigned free_at, num_free;
	uint16_t free[URBTABLE_SIZE];
	struct urbtable_entry entries[URBTABLE_SIZE];
};

void urbtable_init(struct urbtable *t);

/* The seqnum for a URB that goes to the server, never 0. 0: the table is full. */
uint32_t urbtable_put(struct urbtable *t, struct client_urb *urb, bool in);

/* Whether what has this seqnum is of direction IN, and so brings payload in its reply; of any that
 * urbtable_put gave. */
bool urbtable_is_in(uint32_t seqnum);

/* That of the CMD_UNLINK of this URB; no URB's own. */
uint32_t urbtable_unlink_seqnum(uint32_t seqnum);

/* The URB that the server has under this seqnum, or NULL: none, or given back. */
struct client_urb *urbtable_find(const struct urbtable *t, uint32_t seqnum);

/* The same by the seqnum of its CMD_UNLINK. */
struct client_urb *urbtable_find_unlink(const struct urbtable *t, uint32_t seqnum);

/* The URB is over. */
void urbtable_remove(struct urbtable *t, uint32_t seqnum);

/* So it is, without an answer: one that still comes is for `length` bytes at most. */
void urbtable_remove_unlinked(struct urbtable *t, uint32_t seqnum, uint32_t length);

/* So is whatever URB has entry `at`, 0 to URBTABLE_SIZE - 1; NULL: none has. */
struct client_urb *urbtable_take(struct urbtable *t, unsigned at);

/* Whether an answer with this seqnum is such a one, which it then is no more; sets its length. */
bool urbtable_take_late(struct urbtable *t, uint32_t seqnum, uint32_t *length);

/* The URB is over, by its answer; that of its CMD_UNLINK may still come. */
void urbtable_remove_answered(struct urbtable *t, uint32_t seqnum);

/* Whether a RET_UNLINK with this seqnum is such a one, which it then is no more. */
bool urbtable_take_late_unlink(struct urbtable *t, uint32_t seqnum);

#endif
