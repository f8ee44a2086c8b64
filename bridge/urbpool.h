/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * urbpool: what the URBs of an importer need, kept when they are done, and used again.
 */
#ifndef BRIDGE_URBPOOL_H
#define BRIDGE_URBPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bridge/outbox.h"
#include "bridge/usbdevice.h"

#define URBPOOL_SIZES 13	    /* a setup packet and a power of two: 512 bytes to 2 MiB */
#define URBPOOL_MAX_KEPT (4u << 20) /* bytes, of what is not in use */

struct importer;

struct urbpool_urb {
	struct usbdevice_urb at_device;
	struct outbox_message answer, unlinked;
	struct importer *importer;
	struct urbpool_urb *next, **link; /* of whatever list it is in; `link` is its user's */
	/* Of the CMD_SUBMIT, and of the CMD_UNLINK for it. */
	uint32_t seqnum, unlink_seqnum;
	bool in, unlinking;
	/* Of what is answered, see answers.h: which messages, and the number of the first. */
	bool has_answer, has_unlinked;
	uint32_t number;
	/* A control request's setup or nothing, data, packets as they are on the wire. */
	uint8_t *buffer;
	struct usbip_iso_packet *packets;
	unsigned max_packets;
	unsigned size; /* of the buffer: its place in urbpool::kept */
};

/* All zeros at first. */
struct urbpool {
	struct urbpool_urb *kept[URBPOOL_SIZES];
	size_t bytes_kept;
	/* by urbs that have been taken */
	unsigned num_used;
	size_t bytes_used;
};

/* One whose buffer has `bytes` at least, 1 MiB and 64 KiB at most, and room for so many packets.
 * Its other fields are 0, but at_device's own. NULL: out of memory. */
struct urbpool_urb *urbpool_take(struct urbpool *p, uint32_t bytes, unsigned packets);

void urbpool_give(struct urbpool *p, struct urbpool_urb *u);

/* None may be in use. */
void urbpool_fini(struct urbpool *p);

#endif
