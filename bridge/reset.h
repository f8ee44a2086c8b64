/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * reset: brings a camera back to where a phone expects it to be that has just configured it.
 *
 * By the port reset that a Linux server carries out for its client (client_reset_device); where the
 * server refuses that, by the reset request of each class that has one, which also ends its halts:
 * still image (PIMA 15740 D.5.2.3) and mass storage (bulk-only transport 3.1 and 5.3.4).
 */
#ifndef BRIDGE_RESET_H
#define BRIDGE_RESET_H

#include <stdbool.h>

#include <ev.h>

#include "bridge/client.h"

struct usb_profile;

struct reset {
	struct client *client; /* NULL: the link is lost */
	const struct usb_profile *profile;
	struct ev_loop *loop;
	ev_timer timeout;
	struct client_urb urb;
	bool running;
	unsigned step;
	/* The camera has been reset, or cannot be, which is in the log. Not called any more once
	 * the session is over. */
	void (*done)(void *user);
	void *user;
};

void reset_init(struct reset *r, struct ev_loop *loop, struct client *client,
	const struct usb_profile *profile, void (*done)(void *user), void *user);
void reset_fini(struct reset *r);

/* NULL, before client_abandon: the link is lost; else it is back, and the camera has been reset;
 * `fresh`: nobody has used it since. */
void reset_set_client(struct reset *r, struct client *client, bool fresh);

/* While none is running. What the server has of earlier URBs comes before it, what is submitted
 * after `done` comes after. */
void reset_start(struct reset *r);

#endif
