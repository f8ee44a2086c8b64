/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * urbs: the URBs of one importer: submitted to its device, unlinked, answered; within bounds.
 */
#ifndef BRIDGE_URBS_H
#define BRIDGE_URBS_H

#include <stdbool.h>
#include <stdint.h>

#include "bridge/answers.h"
#include "bridge/urbpool.h"

struct importer;
struct inbox;
struct usbdevice;

struct urbs {
	/* Set by the user at first: what may be under way, at the device, or answered and not gone;
	 * whose they are, as urbpool_urb has it; and what the device calls, with urbpool_urb as its
	 * user: urbs_done has to follow. */
	unsigned max_urbs;
	uint32_t max_bytes;
	struct importer *importer;
	void (*done)(struct usbdevice_urb *at);
	/* Set by the user before the first message. */
	struct usbdevice *device;
	uint32_t devid; /* that messages have, unless the answers are kept, in a session */
	/* Messages: the number of the next, and of those received; mod 2^32. */
	uint32_t next, received;
	bool unplugged; /* what is at the device comes back, and is answered as that */
	bool over;	/* nothing is answered any more */
	struct urbpool pool;
	struct answers answers; /* its outbox is also its user's */
	struct urbpool_urb *at_device;
	struct urbpool_urb *arriving; /* whose data or packets are awaited */
};

/* After the fields that are set at first; the others are 0. It may not move. */
void urbs_init(struct urbs *s);

/* None may be at the device. */
void urbs_fini(struct urbs *s);

/*
 * A message, of USBIP_HEADER_SIZE. 1: taken, and if `in` then awaits payload, urbs_arrived is to be
 * called when it has come; 0: not now, but when answers have gone; -EPROTO with *field; -ENOBUFS:
 * more is asked for than may be under way, and nothing will make room; -ENOMEM.
 */
int urbs_take(struct urbs *s, const uint8_t *record, struct inbox *in, const char **field);

/* 0; -EPROTO with *field. */
int urbs_arrived(struct urbs *s, const char **field);

/* The device is done with it. */
void urbs_done(struct urbs *s, struct urbpool_urb *u);

/* The device is: what is at it is cancelled. */
void urbs_unplug(struct urbs *s);

/* The connection is lost. What is at the device stays there; half a message is forgotten. */
void urbs_cut(struct urbs *s);

#endif
