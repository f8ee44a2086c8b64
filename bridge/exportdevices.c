/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/exportdevices.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <libusb.h>

#include "bridge/advertiser.h"
#include "bridge/announcer.h"
#include "bridge/listener.h"
#include "bridge/log.h"
#include "bridge/task.h"
#include "bridge/txtrecord.h"

/* A device is there before the kernel has configured it, and its interfaces' strings are read. */
#define SETTLE_S 0.3

/* What the kernel tells of a device it tells when it is not at it: where that is probed by a slow
 * driver, which may be waiting for one of our own importers, this would wait for itself. */
struct description {
	struct exportdevices *devices;
	struct exportdevice *of; /* for `done` alone */
	struct libusb_device *device;
	struct usbhost_description is;
	int result;
};

bool exportdevices_permit(const struct exportdevices *e, const struct exportdevice *d)
{
	struct exportrules_device of;

	if (!d->described)
		return false;
	of = usbhost_for_rules(&d->is);
	return exportrules_permits(&e->rules, &of);
}

static void advertise(const struct exportdevices *e)
{
	struct txtrecord_device devices[USBIP_MAX_DEVICES];
	unsigned n = 0;

	for (const struct exportdevice *d = e->first; d && n < USBIP_MAX_DEVICES; d = d->next) {
		if (d->announced)
			devices[n++] =
				(struct txtrecord_device){d->busid, d->is.entry.device.vendor,
					d->is.entry.device.product, d->is.product};
	}
	advertiser_set(e->advertiser, devices, n);
}

static void announce(const struct exportdevices *e, struct exportdevice *d)
{
	if (d->announced || !exportdevices_permit(e, d))
		return;
	d->announced = true;
	log_info("%s: %04x:%04x %s can be imported", d->busid, d->is.entry.device.vendor,
		d->is.entry.device.product, d->is.product);
	if (e->announcer)
		(void)announcer_plugged(e->announcer, d->busid);
	advertise(e);
}

static void run_description(void *description)
{
	struct description *d = description;

	d->result = usbhost_describe(d->device, &d->is);
}

static void discard_description(void *description)
{
	struct description *d = description;

	libusb_unref_device(d->device);
	free(d);
}

static void on_described(void *description)
{
	struct description *d = description;
	struct exportdevices *e = d->devices;
	struct exportdevice *of = d->of;

	of->description = NULL;
	of->described = !d->result;
	of->is_hub = d->result == -ENOTSUP;
	of->is = d->is;
	discard_description(d);
	announce(e, of);
}

static const struct task_work description_work = {
	.run = run_description, .done = on_described, .discard = discard_description};

void exportdevices_describe(struct exportdevices *e, struct exportdevice *of)
{
	struct description *d = of->description ? NULL : calloc(1, sizeof(*d));

	if (!d)
		return;
	*d = (struct description){.devices = e, .of = of, .device = libusb_ref_device(of->device)};
	of->description = task_start(e->loop, &description_work, d);
	if (of->description)
		return;
	discard_description(d);
	ev_timer_again(e->loop, &e->settle);
}

static void on_settled(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct exportdevices *e = timer->data;

	(void)events;
	ev_timer_stop(loop, timer);
	for (struct exportdevice *d = e->first; d; d = d->next) {
		if (!d->described && !d->is_hub)
			exportdevices_describe(e, d);
	}
}

static void on_arrived(void *user, struct libusb_device *device)
{
	struct exportdevices *e = user;
	struct exportdevice *d = calloc(1, sizeof(*d));

	if (!d) {
		log_error("%s", strerror(ENOMEM));
		return;
	}
	d->device = libusb_ref_device(device);
	usbhost_busid(device, d->busid);
	d->next = e->first;
	e->first = d;
	ev_timer_again(e->loop, &e->settle);
}

static void free_device(const struct exportdevices *e, struct exportdevice *d)
{
	if (d->holder)
		e->callbacks->left(e->user, d);
	task_abandon(d->description);
	libusb_unref_device(d->device);
	free(d);
}

/* Nobody is to have it any more. */
static void withdraw(const struct exportdevices *e, struct exportdevice *d, const char *reason)
{
	if (d->holder)
		e->callbacks->withdrawn(e->user, d, reason);
	if (!d->announced)
		return;
	d->announced = false;
	log_info("%s: %s", d->busid, reason);
	if (e->announcer)
		announcer_unplugged(e->announcer, d->busid);
	advertise(e);
}

static void on_left(void *user, struct libusb_device *device)
{
	struct exportdevices *e = user;
	struct exportdevice **at = &e->first, *d;

	while (*at && (*at)->device != device)
		at = &(*at)->next;
	d = *at;
	if (!d)
		return;
	*at = d->next;
	withdraw(e, d, "the device was unplugged");
	free_device(e, d);
}

static const struct usbhost_callbacks host_callbacks = {.arrived = on_arrived, .left = on_left};

/* ---- all of it ---- */

/* Who cannot be told finds out by asking: no error. */
static void start_telling(struct exportdevices *e, const struct exportconfig *c)
{
	const char *why;
	int fd;

	if (strcmp(c->notices, EXPORTCONFIG_OFF) != 0) {
		fd = listener_socket("notices", c->listen, c->notices, &why);
		e->announcer = fd < 0 ? NULL : calloc(1, sizeof(*e->announcer));
		if (e->announcer)
			announcer_init(e->announcer, e->loop, fd);
		else
			log_warning("no notices at port %s: %s", c->notices,
				fd < 0 ? why : strerror(ENOMEM));
	}
	if (c->announce && advertiser_new((uint16_t)atoi(c->port), &e->advertiser, &why))
		log_warning("not announced by mDNS: %s", why);
}

int exportdevices_init(struct exportdevices *e, struct ev_loop *loop,
	const struct exportconfig *config, const struct exportdevices_callbacks *callbacks,
	void *user)
{
	const char *why;
	int r;

	*e = (struct exportdevices){
		.loop = loop, .rules = config->rules, .callbacks = callbacks, .user = user};
	ev_timer_init(&e->settle, on_settled, 0., SETTLE_S);
	e->settle.data = e;
	start_telling(e, config);
	r = usbhost_init(&e->host, loop, &host_callbacks, e, &why);
	if (!r)
		return 0;
	log_error("no USB here: %s", why);
	exportdevices_fini(e);
	return r;
}

void exportdevices_fini(struct exportdevices *e)
{
	if (!e->loop)
		return;
	ev_timer_stop(e->loop, &e->settle);
	while (e->first) {
		struct exportdevice *d = e->first;

		e->first = d->next;
		free_device(e, d);
	}
	usbhost_fini(&e->host);
	advertiser_free(e->advertiser);
	if (e->announcer)
		announcer_fini(e->announcer);
	free(e->announcer);
	e->loop = NULL;
}

void exportdevices_configure(struct exportdevices *e, const struct exportrules *rules)
{
	e->rules = *rules;
	for (struct exportdevice *d = e->first; d; d = d->next) {
		if (!exportdevices_permit(e, d))
			withdraw(e, d, "it is not exported any more");
		announce(e, d);
	}
}

struct exportdevice *exportdevices_find(const struct exportdevices *e, const char *busid)
{
	struct exportdevice *d = e->first;

	while (d && strcmp(d->busid, busid) != 0)
		d = d->next;
	return d && exportdevices_permit(e, d) ? d : NULL;
}

bool exportdevices_are_busy(const struct exportdevices *e)
{
	const struct exportdevice *d = e->first;

	while (d && !d->description)
		d = d->next;
	return d;
}
