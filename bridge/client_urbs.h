/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * client_urbs: the URBs of one client: what is sent for them, in which order, and what of that is
 * sent again on another connection; each is given back to its user once. Nothing is allocated.
 */
#ifndef BRIDGE_CLIENT_URBS_H
#define BRIDGE_CLIENT_URBS_H

#include <stdbool.h>
#include <stdint.h>

#include "bridge/outbox.h"
#include "bridge/urbtable.h"

struct tap;

/* One URB. It may not move or be submitted again before `done`, which comes exactly once for each
 * client_submit unless the client is freed first. */
struct client_urb {
	/* set by the user */
	uint8_t endpoint; /* bEndpointAddress at the camera; 0 for control */
	uint8_t setup[8]; /* control only; its bmRequestType gives the direction */
	uint8_t *buffer;
	uint32_t length; /* bytes asked for or sent, at most USBIP_MAX_TRANSFER */
	uint32_t flags;	 /* USBIP_URB_ZERO_PACKET or 0 */
	/* interval of interrupt endpoints as the kernel counts it: microframes at high speed, else
	 * ms; must be 0 for all others, from which some servers guess the transfer type. */
	uint32_t interval;
	/* status: 0 or a negative errno of Linux; -ECONNRESET when it was unlinked. actual: bytes
	 * moved, at most `length`, valid also beside an error. */
	void (*done)(struct client_urb *urb, int status, uint32_t actual);
	void *user;
	/* the client's */
	uint32_t seqnum; /* 0: not in flight */
	bool unlinking, answered;
	int status;
	uint32_t actual;
	struct outbox_message submit, unlink;
};

struct client_urbs {
	struct urbtable table; /* what the server has */
	struct outbox outbox;
	struct tap *tap; /* NULL: nobody can ask for copies */
	uint32_t devid;	 /* of the imported device; set by the owner */
	/* a session that may be resumed; messages are counted from its start */
	bool in_session;   /* set by the owner */
	uint32_t received; /* messages of the server's, counted by who reads them */
	uint64_t next;	   /* the number of the message that is put next */
	uint64_t first;	   /* `next` when the connection was lost */
	uint64_t accepted; /* that the server is known to have received */
};

void client_urbs_init(struct client_urbs *u);

/* 0; -ENOBUFS: the table is full; -EINVAL: a field is out of range. */
int client_urbs_submit(struct client_urbs *u, struct client_urb *urb);

/* No effect on one that is not in flight, or has been unlinked. */
void client_urbs_unlink(struct client_urbs *u, struct client_urb *urb);

/* What is over, and in the table no more, is done with its `status` and `actual`. */
void client_urbs_give_back(const struct client_urbs *u, struct client_urb *urb);

/* What of them the table still has is done, with -ENOTCONN and no data. */
void client_urbs_abandon(struct client_urbs *u);

/* The connection is lost. */
void client_urbs_suspend(struct client_urbs *u);

/* There is another, and the server has received so many messages: what it lacks is put once more.
 * 0; -EPROTO: it cannot have received so many. Then client_urbs_settle for 0 to URBTABLE_SIZE - 1:
 * gives back what waited only for its unlink to leave. */
int client_urbs_resume(struct client_urbs *u, uint32_t received);
void client_urbs_settle(struct client_urbs *u, unsigned at);

#endif
