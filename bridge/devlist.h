/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * devlist: asks a server what it exports (OP_REQ_DEVLIST), on a connection of its own.
 *
 * Event driven: watch devlist_fd for devlist_events, call devlist_dispatch.
 */
#ifndef BRIDGE_DEVLIST_H
#define BRIDGE_DEVLIST_H

#include "bridge/conn.h"
#include "bridge/usbip.h"

struct devlist_entry {
	struct usbip_device device;
	struct usbip_interface interfaces[USBIP_MAX_INTERFACES]; /* device.num_interfaces of them */
	bool resumable; /* the server has OP_REQ_SESSION for it */
};

struct devlist {
	struct conn conn;
	unsigned step;
	unsigned sent;	       /* bytes of the request */
	size_t have;	       /* bytes of the record under way */
	unsigned interfaces;   /* of the entry under way that have been read */
	uint32_t count, total; /* entries complete, entries announced */
	struct devlist_entry *entries;
	uint8_t record[USBIP_DEVICE_SIZE];
};

/* Takes `conn` over (its struct is copied). */
void devlist_init(struct devlist *d, const struct conn *conn);
void devlist_fini(struct devlist *d);

int devlist_fd(const struct devlist *d);
short devlist_events(const struct devlist *d); /* POLLIN or POLLOUT */

/* 1: all there, in d->entries, and the connection closed; 0: go on; -errno: *why says what
 * happened, for people. */
int devlist_dispatch(struct devlist *d, const char **why);

/* Of a device that is in the list. */
bool devlist_can_resume(const struct devlist *d, const char *busid);

#endif
