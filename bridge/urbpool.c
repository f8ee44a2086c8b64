/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/urbpool.h"

#include <stdlib.h>

#define MIN_SIZE 512

/* So that a setup packet does not make the next power of two of one, as most requests are. */
static size_t room(unsigned size)
{
	return ((size_t)MIN_SIZE << size) + USBDEVICE_SETUP_SIZE;
}

static size_t bytes_of(const struct urbpool_urb *u)
{
	return room(u->size);
}

static void free_urb(struct urbpool_urb *u)
{
	usbdevice_urb_fini(&u->at_device);
	free(u->packets);
	free(u->buffer);
	free(u);
}

static struct urbpool_urb *new_urb(unsigned size)
{
	struct urbpool_urb *u = calloc(1, sizeof(*u));

	if (!u)
		return NULL;
	u->size = size;
	u->buffer = malloc(bytes_of(u));
	if (u->buffer)
		return u;
	free(u);
	return NULL;
}

static bool make_room(struct urbpool_urb *u, unsigned packets)
{
	struct usbip_iso_packet *more;

	if (packets <= u->max_packets)
		return true;
	more = realloc(u->packets, packets * sizeof(*more));
	if (!more)
		return false;
	u->packets = more;
	u->max_packets = packets;
	return true;
}

struct urbpool_urb *urbpool_take(struct urbpool *p, uint32_t bytes, unsigned packets)
{
	struct urbpool_urb *u;
	unsigned size = 0;

	while (room(size) < bytes)
		size++;
	u = p->kept[size];
	if (u) {
		p->kept[size] = u->next;
		p->bytes_kept -= bytes_of(u);
	} else {
		u = new_urb(size);
	}
	if (!u)
		return NULL;
	if (!make_room(u, packets)) {
		free_urb(u);
		return NULL;
	}
	u->next = NULL;
	u->link = NULL;
	u->in = u->unlinking = false;
	p->num_used++;
	p->bytes_used += bytes_of(u);
	return u;
}

void urbpool_give(struct urbpool *p, struct urbpool_urb *u)
{
	p->num_used--;
	p->bytes_used -= bytes_of(u);
	if (p->bytes_kept + bytes_of(u) > URBPOOL_MAX_KEPT) {
		free_urb(u);
		return;
	}
	u->next = p->kept[u->size];
	p->kept[u->size] = u;
	p->bytes_kept += bytes_of(u);
}

void urbpool_fini(struct urbpool *p)
{
	for (unsigned i = 0; i < URBPOOL_SIZES; i++) {
		while (p->kept[i]) {
			struct urbpool_urb *u = p->kept[i];

			p->kept[i] = u->next;
			free_urb(u);
		}
	}
}
