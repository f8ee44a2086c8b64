/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control_pipe: the phone's control requests, carried to the camera's default control pipe.
 *
 * One at a time, as ep0 is. The numbers in wIndex are the phone's and are translated: FunctionFS
 * gives the position of an endpoint (FUNCTIONFS_ALL_CTRL_RECIP) and the logical number of an
 * interface. So are the addresses of endpoints in what a still-image camera answers. A request to
 * an endpoint is stalled where that position may stand for another: where two endpoints have the
 * same number at the phone, IN and OUT.
 */
#ifndef BRIDGE_CONTROL_PIPE_H
#define BRIDGE_CONTROL_PIPE_H

#include <stdbool.h>
#include <stdint.h>

#include <ev.h>

#include "bridge/client.h"
#include "gadget/ep0.h"

struct ffs;
struct usb_profile;

struct control_pipe {
	struct client *client; /* NULL: the link is lost */
	struct ffs *ffs;
	const struct usb_profile *profile;
	struct ev_loop *loop;
	ev_timer timeout;
	bool busy; /* a request of the phone is unanswered */
	bool held; /* it waits for control_pipe_release */
	struct client_urb urb;
	uint8_t buffer[EP0_MAX_DATA];
	uint64_t requests, stalls;
};

void control_pipe_init(struct control_pipe *c, struct ev_loop *loop, struct client *client,
	struct ffs *ffs, const struct usb_profile *profile);
void control_pipe_fini(struct control_pipe *c);

/* Takes a request of the phone's, and answers it through ffs_answer when the camera has: with its
 * data, with an acknowledgement, or with a stall, also when the camera needs more than 5 s. */
void control_pipe_request(struct control_pipe *c, const struct usb_ctrlrequest *setup,
	const uint8_t *data, size_t size);

/* NULL, before client_abandon: the link is lost, what comes waits; else it is back. */
void control_pipe_set_client(struct control_pipe *c, struct client *client);

/* The next request, or the one that is unanswered, does not go to the camera before the release. */
void control_pipe_hold(struct control_pipe *c);
void control_pipe_release(struct control_pipe *c);

#endif
