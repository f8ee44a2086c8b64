/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * transfer_abort: the phone gives a transfer up half-way, by a request of the class
 * (framing_is_abort), and then sends a command.
 *
 * The request is held back until the camera has nothing of that transfer any more: a URB that
 * outlived it would be taken for the start of the next, or bring that. When it has been answered
 * the interface's pipes start again.
 */
#ifndef BRIDGE_TRANSFER_ABORT_H
#define BRIDGE_TRANSFER_ABORT_H

#include <stdint.h>

#include <ev.h>

#include <linux/usb/ch9.h>

struct control_pipe;
struct pipe;
struct usb_profile;

struct transfer_abort {
	const struct usb_profile *profile;
	struct control_pipe *control;
	struct pipe *pipes; /* one an endpoint, in their order */
	uint32_t stopped;   /* pipes, a bit each, that wait for the request that has stopped them */
	struct ev_loop *loop;
	ev_timer drain; /* runs from then until what is left of them is unlinked */
};

/* The pipes need not be ready before transfer_abort_begin. */
void transfer_abort_init(struct transfer_abort *a, struct ev_loop *loop,
	const struct usb_profile *profile, struct control_pipe *control, struct pipe *pipes);
void transfer_abort_fini(struct transfer_abort *a);

/* Before control_pipe_request: if this request is one of those, the pipes of its interface stop,
 * and it will wait. */
void transfer_abort_begin(struct transfer_abort *a, const struct usb_ctrlrequest *setup);

/* Once an iteration of the loop, before the pipes are flushed. */
void transfer_abort_flush(struct transfer_abort *a);

/* The pipes are the business of others from now on. */
void transfer_abort_forget(struct transfer_abort *a);

#endif
