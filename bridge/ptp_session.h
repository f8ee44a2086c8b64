/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ptp_session: brings a still-image camera, in the phone's stead, to where the phone has it and a
 * lost link has not: a session that is open (PIMA 15740, 10.4.2), a command that is to be answered,
 * and of that answer what the phone has been given already.
 */
#ifndef BRIDGE_PTP_SESSION_H
#define BRIDGE_PTP_SESSION_H

#include <ev.h>

#include "bridge/client.h"
#include "bridge/framing.h"
#include "bridge/ptp.h"
#include "gadget/usbdesc.h"

#define PTP_SESSION_KEPT 16384	/* bytes of the answer that are kept */
#define PTP_SESSION_CHUNK 65536 /* bytes read at a time */
#define PTP_SESSION_PACKET 1024 /* bytes: a packet of any endpoint */

enum ptp_session_result {
	PTP_SESSION_READY,     /* it is where the phone has it */
	PTP_SESSION_OTHERWISE, /* it has answered the command in another way than before */
	PTP_SESSION_STUCK,     /* the same, and is in the middle of that, or of nobody knows what */
	PTP_SESSION_FAILED,    /* it does not do what it has done before */
};

struct ptp_session {
	struct client *client; /* NULL: nothing is under way */
	struct ev_loop *loop;
	ev_timer timeout;
	struct client_urb out, in;
	enum {
		PTP_SESSION_OPENING,
		PTP_SESSION_ASKING,
		PTP_SESSION_SKIPPING,
	} step;
	uint32_t packet; /* bytes, of `in` */
	uint8_t command[PTP_MAX_SHORT];
	struct framing_answer had;   /* what is to be skipped of the answer, */
	struct framing_answer again; /* and has been; `size`, and its samples */
	uint32_t kept_size;	     /* of `kept` */
	void (*done)(void *user, enum ptp_session_result result, const char *problem);
	void *user;
	/* Not touched before they are needed: */
	uint8_t kept[PTP_SESSION_KEPT]; /* the last of `had` */
	uint8_t buffer[PTP_SESSION_CHUNK + PTP_SESSION_PACKET];
};

/* `problem` of `done`: NULL but for PTP_SESSION_FAILED. */
void ptp_session_init(struct ptp_session *s, struct ev_loop *loop,
	void (*done)(void *user, enum ptp_session_result result, const char *problem), void *user);

/* When the link is lost: the last bytes that have come of an answer, which may be asked for anew.
 */
void ptp_session_keep(struct ptp_session *s, const uint8_t *last, uint32_t size);

/* Whether that is enough to know it again by, of a command's whose answer has come to there. */
bool ptp_session_knows(
	const struct ptp_session *s, const uint8_t *command, const struct framing_answer *had);

/* Both while nothing is under way, nor moves on these bulk endpoints else. */
void ptp_session_open(struct ptp_session *s, struct client *client, const struct usb_endpoint *in,
	const struct usb_endpoint *out, uint32_t id);

/* Sends a command, of at most PTP_MAX_SHORT bytes, and takes of its answer what there was to it
 * (`had`), if that is the same; the rest is the phone's. */
void ptp_session_ask(struct ptp_session *s, struct client *client, const struct usb_endpoint *in,
	const struct usb_endpoint *out, const uint8_t *command, uint32_t size,
	const struct framing_answer *had);

/* `done` is not called any more. Before client_abandon, or in the end. */
void ptp_session_stop(struct ptp_session *s);

#endif
