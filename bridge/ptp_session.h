/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ptp_session: opens a session of a still-image camera (PIMA 15740, 10.4.2) in the phone's stead:
 * the phone has it open, and the camera has lost it with the link.
 */
#ifndef BRIDGE_PTP_SESSION_H
#define BRIDGE_PTP_SESSION_H

#include <ev.h>

#include "bridge/client.h"
#include "bridge/ptp.h"
#include "gadget/usbdesc.h"

#define PTP_SESSION_RESPONSE 1024 /* bytes: a packet of any endpoint */

struct ptp_session {
	struct client *client; /* NULL: none is being opened */
	struct ev_loop *loop;
	ev_timer timeout;
	struct client_urb out, in;
	uint8_t command[PTP_ONE_PARAMETER];
	uint8_t response[PTP_SESSION_RESPONSE];
	/* NULL: it is open; else why not */
	void (*done)(void *user, const char *problem);
	void *user;
};

void ptp_session_init(struct ptp_session *s, struct ev_loop *loop,
	void (*done)(void *user, const char *problem), void *user);

/* While none is being opened, and nothing else moves on these bulk endpoints. */
void ptp_session_open(struct ptp_session *s, struct client *client, const struct usb_endpoint *in,
	const struct usb_endpoint *out, uint32_t id);

/* `done` is not called any more. Before client_abandon, or in the end. */
void ptp_session_stop(struct ptp_session *s);

#endif
