/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * replies: what a server sends once a device is imported, to the URBs that it is of: RET_SUBMIT,
 * with payload or without, and RET_UNLINK. A payload is read straight into its URB's buffer.
 * Nothing is allocated. The server may be hostile: what it answers must have been asked.
 */
#ifndef BRIDGE_REPLIES_H
#define BRIDGE_REPLIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bridge/usbip.h"

#define REPLIES_SCRATCH 4096

struct client_urb;
struct client_urbs;
struct conn;

struct replies {
	struct client_urbs *urbs;
	/* Writes what is queued, which may close the connection. False: the session is over, and
	 * will not be resumed. */
	bool (*flush)(void *user);
	void *user;
	/* a header, then perhaps payload */
	uint8_t header[USBIP_HEADER_SIZE];
	size_t have;
	struct client_urb *urb; /* whose payload is awaited; NULL: it goes to scratch */
	uint32_t payload;	/* bytes of payload still to come */
	uint8_t *at;
	const char *broken; /* see replies_read */
	uint8_t scratch[REPLIES_SCRATCH];
};

void replies_init(
	struct replies *r, struct client_urbs *urbs, bool (*flush)(void *user), void *user);

/* Reads what has come, of much a part, and gives back the URBs that are over by it. 0: go on,
 * unless the connection has been closed meanwhile; -EPROTO with r->broken, which names the field at
 * fault: the server broke the protocol; other -errno, or that without: the connection's. */
int replies_read(struct replies *r, struct conn *conn);

/* The connection is lost. Of half a message that has come nothing is known: it comes again. */
void replies_reset(struct replies *r);

#endif
