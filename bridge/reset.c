/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/reset.h"

#include <errno.h>
#include <string.h>

#include <linux/usb/ch9.h>

#include "bridge/framing.h"
#include "bridge/log.h"
#include "gadget/usbdesc.h"

/* Longer than the kernel needs for a device that does not come back (hub_port_init). */
#define TIMEOUT_S 10.

static void submit(struct reset *r, uint8_t type, uint8_t request, uint8_t index)
{
	const uint8_t setup[8] = {type, request, 0, 0, index, 0, 0, 0};

	memcpy(r->urb.setup, setup, sizeof(setup));
	r->urb.length = 0;
	/* Fails only when the session is over. */
	(void)client_submit(r->client, &r->urb);
}

/* The steps of a reset by class: the request of each interface that has one, and each of its
 * endpoints' halts. False when there is no step of that number. */
static bool take_step(struct reset *r, unsigned step)
{
	for (unsigned i = 0; i < r->profile->num_interfaces; i++) {
		const struct usb_interface *interface = &r->profile->interfaces[i];
		uint8_t request = framing_reset_request(framing_of_interface(r->profile, i));

		if (interface->alternate || !request)
			continue;
		if (!step) {
			submit(r, USB_TYPE_CLASS | USB_RECIP_INTERFACE, request, interface->number);
			return true;
		}
		if (step <= interface->num_endpoints) {
			unsigned at = interface->first_endpoint + step - 1;

			submit(r, USB_RECIP_ENDPOINT, USB_REQ_CLEAR_FEATURE,
				r->profile->endpoints[at].address);
			return true;
		}
		step -= 1u + interface->num_endpoints;
	}
	return false;
}

static void finish(struct reset *r)
{
	ev_timer_stop(r->loop, &r->timeout);
	r->running = false;
	r->done(r->user);
}

static void on_done(struct client_urb *urb, int status, uint32_t actual)
{
	struct reset *r = urb->user;
	bool by_port = !r->step;

	(void)actual;
	if (!r->client)
		return;
	if (by_port && !status) {
		finish(r);
		return;
	}
	if (take_step(r, r->step)) {
		if (by_port)
			log_debug("the server resets no port (%s); the class's own reset is tried",
				strerror(-status));
		r->step++;
		return;
	}
	if (by_port || status)
		log_warning("the camera cannot be reset for the phone: %s", strerror(-status));
	finish(r);
}

static void on_timeout(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct reset *r = timer->data;

	(void)loop;
	(void)events;
	/* What is unlinked is done, with an error. */
	client_unlink(r->client, &r->urb);
}

void reset_start(struct reset *r)
{
	r->running = true;
	r->step = 0;
	if (!r->client || client_reset_device(r->client, &r->urb))
		return;
	ev_timer_again(r->loop, &r->timeout);
}

void reset_set_client(struct reset *r, struct client *client, bool fresh)
{
	r->client = client;
	if (!client)
		ev_timer_stop(r->loop, &r->timeout);
	else if (r->running && fresh)
		finish(r);
	else if (r->running)
		reset_start(r);
}

void reset_init(struct reset *r, struct ev_loop *loop, struct client *client,
	const struct usb_profile *profile, void (*done)(void *user), void *user)
{
	memset(r, 0, sizeof(*r));
	r->client = client;
	r->profile = profile;
	r->loop = loop;
	ev_init(&r->timeout, on_timeout);
	r->timeout.repeat = TIMEOUT_S;
	r->timeout.data = r;
	r->urb.done = on_done;
	r->urb.user = r;
	r->done = done;
	r->user = user;
}

void reset_fini(struct reset *r)
{
	ev_timer_stop(r->loop, &r->timeout);
}
