/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ptp_session: brings a still-image camera, in the phone's stead, to where the phone has it and a
 * lost link has not: a session that is open (PIMA 15740, 10.4.2), a command that is to be answered.
 */
#ifndef BRIDGE_PTP_SESSION_H
#define BRIDGE_PTP_SESSION_H

#include <ev.h>

#include "bridge/client.h"
#include "bridge/ptp.h"
#include "gadget/usbdesc.h"

#define PTP_SESSION_RESPONSE 1024 /* bytes: a packet of any endpoint */

struct ptp_session {
	struct client *client; /* NULL: nothing is under way */
	struct ev_loop *loop;
	ev_timer timeout;
	struct client_urb out, in;
	bool answered; /* the response is to be read here */
	uint8_t command[PTP_MAX_SHORT];
	uint8_t response[PTP_SESSION_RESPONSE];
	/* NULL: it is open, or asked; else why not */
	void (*done)(void *user, const char *problem);
	void *user;
};

void ptp_session_init(struct ptp_session *s, struct ev_loop *loop,
	void (*done)(void *user, const char *problem), void *user);

/* Both while nothing is under way, nor moves on these bulk endpoints else. */
void ptp_session_open(struct ptp_session *s, struct client *client, const struct usb_endpoint *in,
	const struct usb_endpoint *out, uint32_t id);

/* Sends a command, of at most PTP_MAX_SHORT bytes, whose answer is the phone's. */
void ptp_session_ask(struct ptp_session *s, struct client *client, const struct usb_endpoint *out,
	const uint8_t *command, uint32_t size);

/* `done` is not called any more. Before client_abandon, or in the end. */
void ptp_session_stop(struct ptp_session *s);

#endif
