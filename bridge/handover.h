/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * handover: how the use of a device begins: the server is asked for it, to import it
 * (OP_REQ_IMPORT) or in a session that outlives its connection (OP_REQ_SESSION), and answers.
 * Nothing is allocated.
 */
#ifndef BRIDGE_HANDOVER_H
#define BRIDGE_HANDOVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bridge/outbox.h"
#include "bridge/usbip.h"

struct conn;

struct handover {
	struct outbox_message request; /* its owner's to send, before anything else */
	/* OP_REQ_IMPORT's; or OP_REQ_SESSION's, which is longer and begins the same */
	uint8_t payload[USBIP_SESSION_SIZE];
	bool of_session;
	bool agreed; /* op_common of the answer has come; its usbip_usb_device, and token, awaited
		      */
	uint8_t record[USBIP_DEVICE_SIZE + USBIP_TOKEN_SIZE];
	size_t have; /* bytes of the record under way */
};

/* 0; -EINVAL: no device has such a busid. It may not be moved then: the request points into it. */
int handover_init(struct handover *h, const char *busid);

/* For a session, for which the server is to wait for `hold_s` s when its connection is lost. Before
 * the request is sent. */
void handover_ask_session(struct handover *h, uint32_t hold_s);

/* Reads the answer, and nothing of what follows it. 1: *device is handed over; 0: go on; -EPROTO:
 * the server broke the protocol, *why names the field at fault; other -errno: it refuses (-EBUSY:
 * exported to somebody else, -ENODEV: no such device, -EIO, -EAGAIN), *why says why, for people.
 * With *why NULL it is the connection's, unless handover_wants_key. */
int handover_read(
	struct handover *h, struct conn *conn, struct usbip_device *device, const char **why);

/* Whether what has come instead of an answer, until the connection failed, is that of a server that
 * is paired: it refuses in its own way what is not encrypted. */
bool handover_wants_key(const struct handover *h);

static inline const char *handover_busid(const struct handover *h)
{
	return (const char *)h->payload;
}

/* USBIP_TOKEN_SIZE bytes, by which the session is known; once it has been handed over. */
static inline const uint8_t *handover_token(const struct handover *h)
{
	return h->record + USBIP_DEVICE_SIZE;
}

#endif
