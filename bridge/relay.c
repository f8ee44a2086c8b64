/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/relay.h"

#include <errno.h>
#include <stdlib.h>

#include "bridge/client.h"
#include "bridge/control_pipe.h"
#include "bridge/log.h"
#include "bridge/phone.h"
#include "bridge/pipe.h"
#include "bridge/recovery.h"
#include "bridge/transfer_abort.h"
#include "gadget/ffs.h"
#include "gadget/usbdesc.h"

/*
 * How much may be under way. With a framing, requests of up to 16 KiB: the most that all UDCs take
 * at once, and FunctionFS without scatter-gather, as on dwc2, allocates each contiguously, which
 * takes long for more than four pages on a machine of 512 MB that has run for a while. Bulk IN 64
 * of them, 1 MiB: a link of 40 Mbit/s needs the worth of a round trip, 50 KB for 10 ms. Without a
 * framing one packet each, as many as the URB table bears; interrupts come one at a time.
 */
#define FRAMED_REQUEST (16 * 1024)
#define FRAMED_IN_SLOTS 64
#define FRAMED_OUT_SLOTS 16
#define BULK_SLOTS 64
#define INTERRUPT_SLOTS 4
/* URBs of the table that are not slots: one CLEAR_FEATURE a pipe, one control request, a reset. */
#define SPARE_URBS (USBDESC_MAX_ENDPOINTS + 2)

/* How long a halt that may be due to read-ahead is kept from a phone that sends nothing. */
#define EARLY_S 1.

/* How long a part of a packet waits for the rest: a frame has room for 19 packets of 64 bytes, and
 * a phone may need some time from one request to the next. */
#define GATHER_S 0.01

struct relay {
	const struct usb_profile *profile;
	struct client *client; /* NULL: the link is lost */
	struct ffs *ffs;
	const struct relay_callbacks *callbacks;
	void *user;
	bool failed;
	struct phone phone;
	struct control_pipe control;
	struct transfer_abort abort;
	struct ev_loop *loop;
	ev_timer early;	 /* runs while a pipe_is_early */
	ev_timer gather; /* runs while a pipe_is_gathering */
	bool stirred;	 /* since its last tick */
	struct framing framings[USBDESC_MAX_INTERFACES];
	struct recovery recovery; /* since the camera is back */
	unsigned num_pipes;
	struct pipe pipes[USBDESC_MAX_ENDPOINTS];
};

static bool is_bulk(const struct usb_endpoint *e)
{
	return (e->attributes & USB_ENDPOINT_XFERTYPE_MASK) == USB_ENDPOINT_XFER_BULK;
}

/* A framing is for the first bulk endpoint of each direction of its interface; any other endpoint
 * is carried packet by packet. */
static bool is_framed(const struct usb_profile *p, unsigned at)
{
	const struct usb_endpoint *e = &p->endpoints[at];

	if (!is_bulk(e) || framing_of_interface(p, e->interface_at) == FRAMING_GENERIC)
		return false;
	for (unsigned i = 0; i < at; i++) {
		const struct usb_endpoint *other = &p->endpoints[i];

		if (other->interface_at == e->interface_at && is_bulk(other) &&
			!((other->address ^ e->address) & USB_DIR_IN))
			return false;
	}
	return true;
}

static unsigned num_slots(const struct usb_profile *p, unsigned at)
{
	const struct usb_endpoint *e = &p->endpoints[at];
	unsigned share = (CLIENT_MAX_URBS - SPARE_URBS) / p->num_endpoints;
	unsigned wanted = !is_bulk(e)	  ? INTERRUPT_SLOTS
		: !is_framed(p, at)	  ? BULK_SLOTS
		: e->address & USB_DIR_IN ? FRAMED_IN_SLOTS
					  : FRAMED_OUT_SLOTS;

	return wanted < share ? wanted : share;
}

unsigned relay_aio_depth(const struct usb_profile *p)
{
	unsigned depth = 1;

	/* A slot may be written as data and a zero-length packet. */
	for (unsigned i = 0; i < p->num_endpoints; i++)
		depth += 2 * num_slots(p, i);
	return depth;
}

/* ---- callbacks ---- */

static void on_pipe_failed(void *user, const char *reason)
{
	struct relay *r = user;

	if (r->failed)
		return;
	r->failed = true;
	r->callbacks->failed(r->user, reason);
}

static void kick(struct relay *r, int interface_at)
{
	for (unsigned i = 0; i < r->num_pipes; i++) {
		if (interface_at < 0 || (int)r->pipes[i].interface_at == interface_at)
			pipe_kick(&r->pipes[i]);
	}
}

static void on_pipe_stirred(void *user, struct pipe *pipe)
{
	struct relay *r = user;

	r->stirred = true;
	kick(r, (int)pipe->interface_at);
}

static void stop_pipes(struct relay *r)
{
	for (unsigned i = 0; i < r->num_pipes; i++)
		pipe_stop(&r->pipes[i]);
}

static void on_pipe_shut_down(void *user)
{
	stop_pipes(user);
}

static const struct pipe_callbacks pipe_callbacks = {
	.failed = on_pipe_failed,
	.stirred = on_pipe_stirred,
	.shut_down = on_pipe_shut_down,
};

/* ---- events of the phone ---- */

static void log_addresses(struct relay *r)
{
	for (unsigned i = 0; i < r->num_pipes; i++) {
		int address = ffs_address(r->ffs, i);

		if (address >= 0)
			log_debug("endpoint 0x%02x of the camera is 0x%02x at the phone",
				r->pipes[i].address, (unsigned)address);
	}
}

static void start_pipes(struct relay *r)
{
	for (unsigned i = 0; i < r->num_pipes; i++)
		pipe_start(&r->pipes[i]);
	log_addresses(r);
}

/* ---- the phone ---- */

static void on_phone_start(void *user)
{
	start_pipes(user);
}

static void on_phone_stop(void *user, bool asleep)
{
	struct relay *r = user;

	transfer_abort_forget(&r->abort);
	for (unsigned i = 0; !asleep && i < r->profile->num_interfaces; i++)
		framing_end_session(&r->framings[i]);
	for (unsigned i = 0; i < r->num_pipes; i++) {
		if (asleep)
			pipe_sleep(&r->pipes[i]);
		else
			pipe_stop(&r->pipes[i]);
	}
}

static void on_phone_wake(void *user)
{
	struct relay *r = user;

	for (unsigned i = 0; i < r->num_pipes; i++)
		pipe_wake(&r->pipes[i]);
}

static void on_phone_configured(void *user, bool configured)
{
	struct relay *r = user;

	r->callbacks->configured(r->user, configured);
}

static const struct phone_callbacks phone_callbacks = {
	.start = on_phone_start,
	.stop = on_phone_stop,
	.wake = on_phone_wake,
	.configured = on_phone_configured,
};

void relay_event(struct relay *r, enum usb_functionfs_event_type type)
{
	phone_event(&r->phone, type);
}

void relay_setup(
	struct relay *r, const struct usb_ctrlrequest *setup, const uint8_t *data, size_t size)
{
	kick(r, -1);
	if (phone_is_served(&r->phone))
		transfer_abort_begin(&r->abort, setup);
	control_pipe_request(&r->control, setup, data, size);
}

static void run_timer(struct relay *r, ev_timer *timer, bool on)
{
	if (on && !ev_is_active(timer))
		ev_timer_again(r->loop, timer);
	else if (!on && ev_is_active(timer))
		ev_timer_stop(r->loop, timer);
}

/* A pipe whose camera may have been asked too early is asked again once the camera has all that the
 * phone had to send. */
static void resume_early(struct relay *r)
{
	bool early = false;

	for (unsigned i = 0; i < r->num_pipes; i++) {
		struct pipe *p = &r->pipes[i];

		if (pipe_is_early(p) && !framing_is_early(p->framing))
			pipe_resume(p);
		early |= pipe_is_early(p);
	}
	r->stirred &= ev_is_active(&r->early);
	run_timer(r, &r->early, early);
}

/* The phone sends nothing more, so the camera meant its halt. */
static void on_early(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct relay *r = timer->data;

	(void)loop;
	(void)events;
	for (unsigned i = 0; !r->stirred && i < r->num_pipes; i++) {
		if (framing_is_taken(r->pipes[i].framing))
			pipe_give_up(&r->pipes[i]);
	}
	r->stirred = false;
}

static void on_gather(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct relay *r = timer->data;

	(void)loop;
	(void)events;
	for (unsigned i = 0; i < r->num_pipes; i++)
		pipe_age_gathered(&r->pipes[i]);
}

void relay_flush(struct relay *r)
{
	bool early = ev_is_active(&r->early), gathering = false;

	/* First: the answer to the phone is on its way, and what it sends then is for a pipe that
	 * runs. */
	transfer_abort_flush(&r->abort);
	for (unsigned i = 0; i < r->num_pipes; i++)
		pipe_flush(&r->pipes[i]);
	/* Only now: that may have moved any of them. */
	for (unsigned i = 0; i < r->num_pipes; i++) {
		early |= pipe_is_early(&r->pipes[i]);
		gathering |= pipe_is_gathering(&r->pipes[i]);
	}
	if (early)
		resume_early(r);
	run_timer(r, &r->gather, gathering);
	ffs_flush(r->ffs);
	if (r->client)
		client_flush(r->client);
}

void relay_stop(struct relay *r)
{
	phone_leave(&r->phone);
	if (r->client)
		client_flush(r->client);
}

/* ---- a link that is lost ---- */

bool relay_can_hold(const struct relay *r)
{
	for (unsigned i = 0; i < r->num_pipes; i++) {
		const struct pipe *p = &r->pipes[i];

		if (p->is_bulk && p->bytes && p->framing->kind != FRAMING_PTP)
			return false;
	}
	return true;
}

void relay_hold(struct relay *r)
{
	struct client *client = r->client;

	if (!client)
		return;
	r->client = NULL;
	control_pipe_set_client(&r->control, NULL);
	phone_set_client(&r->phone, NULL, false);
	recovery_stop(&r->recovery);
	for (unsigned i = 0; i < r->num_pipes; i++)
		pipe_hold(&r->pipes[i]);
	recovery_note(&r->recovery);
	client_abandon(client);
	/* What the phone had sent by now is of before. */
	ffs_dispatch_aio(r->ffs);
	for (unsigned i = 0; i < r->num_pipes; i++)
		pipe_cut(&r->pipes[i]);
}

static void go_on(struct relay *r)
{
	for (unsigned i = 0; i < r->num_pipes; i++) {
		struct pipe *p = &r->pipes[i];

		pipe_go_on(p, r->client, recovery_remains(&r->recovery, p));
	}
	phone_set_client(&r->phone, r->client, !r->recovery.spoken);
	control_pipe_set_client(&r->control, r->client);
	r->callbacks->gone_on(r->user);
}

static void on_recovered(void *user, const char *problem)
{
	if (problem)
		on_pipe_failed(user, problem);
	else
		go_on(user);
}

static void on_stuck(void *user)
{
	const struct relay *r = user;

	client_disconnect(r->client);
}

void relay_go_on(struct relay *r, struct client *client)
{
	r->client = client;
	if (recovery_start(&r->recovery, client))
		go_on(r);
}

/* ---- life ---- */

static int init_pipe(struct relay *r, unsigned at)
{
	const struct usb_endpoint *e = &r->profile->endpoints[at];
	bool framed = is_framed(r->profile, at);
	struct pipe_options options = {
		.client = r->client,
		.ffs = r->ffs,
		.framing = framed ? &r->framings[e->interface_at] : NULL,
		.at = at,
		.interface_at = e->interface_at,
		.address = e->address,
		.attributes = e->attributes,
		.binterval = e->interval,
		.max_packet = e->max_packet,
		.high_speed = r->profile->speed >= USB_SPEED_HIGH,
		.num_slots = num_slots(r->profile, at),
		.max_request = FRAMED_REQUEST,
		.callbacks = &pipe_callbacks,
		.user = r,
	};

	return pipe_init(&r->pipes[at], &options);
}

int relay_new(struct ev_loop *loop, const struct usb_profile *profile, struct client *client,
	struct ffs *ffs, unsigned unplug_after_s, const struct relay_callbacks *callbacks,
	void *user, struct relay **out)
{
	struct relay *r = calloc(1, sizeof(*r));
	struct recovery_options recovery = {
		.profile = profile, .done = on_recovered, .stuck = on_stuck, .user = r};

	if (!r)
		return -ENOMEM;
	recovery.framings = r->framings;
	recovery.pipes = r->pipes;
	r->profile = profile;
	r->client = client;
	r->ffs = ffs;
	r->callbacks = callbacks;
	r->user = user;
	r->loop = loop;
	ev_init(&r->early, on_early);
	r->early.repeat = EARLY_S;
	r->early.data = r;
	ev_init(&r->gather, on_gather);
	r->gather.repeat = GATHER_S;
	r->gather.data = r;
	phone_init(&r->phone, loop, client, profile, unplug_after_s, &phone_callbacks, r);
	control_pipe_init(&r->control, loop, client, ffs, profile);
	transfer_abort_init(&r->abort, loop, profile, &r->control, r->pipes);
	recovery_init(&r->recovery, loop, &recovery);
	for (unsigned i = 0; i < profile->num_interfaces; i++)
		framing_init(&r->framings[i], framing_of_interface(profile, i));
	for (unsigned i = 0; i < profile->num_endpoints; i++) {
		int error = init_pipe(r, r->num_pipes++);

		if (error) {
			relay_free(r);
			return error;
		}
	}
	*out = r;
	return 0;
}

void relay_free(struct relay *r)
{
	if (!r)
		return;
	recovery_stop(&r->recovery);
	transfer_abort_fini(&r->abort);
	control_pipe_fini(&r->control);
	phone_fini(&r->phone);
	ev_timer_stop(r->loop, &r->gather);
	ev_timer_stop(r->loop, &r->early);
	for (unsigned i = 0; i < r->num_pipes; i++)
		pipe_fini(&r->pipes[i]);
	free(r);
}

const struct phone *relay_phone(const struct relay *r)
{
	return &r->phone;
}

size_t relay_num_pipes(const struct relay *r)
{
	return r->num_pipes;
}

const struct pipe *relay_pipe(const struct relay *r, size_t at)
{
	return &r->pipes[at];
}
