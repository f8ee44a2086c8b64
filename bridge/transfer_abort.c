/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/transfer_abort.h"

#include <assert.h>
#include <endian.h>
#include <string.h>

#include "bridge/control_pipe.h"
#include "bridge/framing.h"
#include "bridge/pipe.h"
#include "gadget/usbdesc.h"

/* How long the camera has for what it is at when the phone gives a transfer up. What is unlinked
 * just when it completes, the camera may have taken or not, and Linux' server has been seen to
 * crash of it: stub_recv_cmd_unlink goes on with a URB that stub_tx_loop has freed. */
#define DRAIN_S 0.1

static_assert(USBDESC_MAX_ENDPOINTS <= 32, "a bit each");

static bool is_stopped(const struct transfer_abort *a, unsigned at)
{
	return a->stopped & 1u << at;
}

void transfer_abort_begin(struct transfer_abort *a, const struct usb_ctrlrequest *setup)
{
	for (unsigned i = 0; i < a->profile->num_endpoints; i++) {
		struct pipe *p = &a->pipes[i];

		if (!framing_is_abort(p->framing, setup->bRequestType, setup->bRequest) ||
			a->profile->interfaces[p->interface_at].logical !=
				(le16toh(setup->wIndex) & 0xff))
			continue;
		/* A request without a data stage is over for the phone when it is answered. Until
		 * then reads only tell late of what it sent before. */
		pipe_abort(p, setup->wLength);
		a->stopped |= 1u << i;
		control_pipe_hold(a->control);
		ev_timer_again(a->loop, &a->drain);
	}
}

static void on_drained(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct transfer_abort *a = timer->data;

	(void)events;
	ev_timer_stop(loop, timer);
	for (unsigned i = 0; i < a->profile->num_endpoints; i++) {
		if (is_stopped(a, i))
			pipe_unlink_all(&a->pipes[i]);
	}
}

void transfer_abort_flush(struct transfer_abort *a)
{
	if (!a->stopped)
		return;
	for (unsigned i = 0; a->control->held && i < a->profile->num_endpoints; i++) {
		if (is_stopped(a, i) && a->pipes[i].state == PIPE_STOPPING)
			return;
	}
	control_pipe_release(a->control);
	if (a->control->busy)
		return;
	for (unsigned i = 0; i < a->profile->num_endpoints; i++) {
		if (is_stopped(a, i))
			pipe_start(&a->pipes[i]);
	}
	transfer_abort_forget(a);
}

void transfer_abort_forget(struct transfer_abort *a)
{
	a->stopped = 0;
	ev_timer_stop(a->loop, &a->drain);
	control_pipe_release(a->control);
}

void transfer_abort_init(struct transfer_abort *a, struct ev_loop *loop,
	const struct usb_profile *profile, struct control_pipe *control, struct pipe *pipes)
{
	memset(a, 0, sizeof(*a));
	a->profile = profile;
	a->control = control;
	a->pipes = pipes;
	a->loop = loop;
	ev_init(&a->drain, on_drained);
	a->drain.repeat = DRAIN_S;
	a->drain.data = a;
}

void transfer_abort_fini(struct transfer_abort *a)
{
	ev_timer_stop(a->loop, &a->drain);
}
