/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/usbdevice.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ev.h>
#include <libusb.h>
#include <linux/usb/ch9.h>

#include "bridge/bytes.h"
#include "bridge/log.h"
#include "bridge/task.h"
#include "bridge/usbclaim.h"
#include "bridge/usbhost.h"

#define PORT_FEAT_RESET 4 /* USB 2.0, table 11-17 */
#define RETRY_S 1.

/* What blocks. */
enum call {
	CALL_NONE,
	CALL_CLAIM,
	CALL_SET_CONFIGURATION, /* `value` */
	CALL_SET_INTERFACE,	/* `index`, `value` */
	CALL_CLEAR_HALT,	/* `index` */
	CALL_RESET,
	CALL_RELEASE,
};

struct usbdevice {
	struct ev_loop *loop;
	libusb_device_handle *handle;
	const struct usbdevice_callbacks *callbacks;
	void *user;
	char busid[USBIP_BUSID_SIZE];
	struct usbdevice_urb *urbs; /* under way */
	ev_timer retry;		    /* no thread could be had for the call */
	bool closing;
	enum call call;
	bool called;		      /* the thread has it; else URBs are to come back first */
	struct usbdevice_urb *caller; /* whose request it is; or NULL */
	uint16_t value, index;
	/* The thread's while `called`. */
	int result; /* libusb's */
	struct usbclaim claim;
};

static bool is_in(uint8_t endpoint)
{
	return endpoint & USB_DIR_IN;
}

static int call(struct usbdevice *d)
{
	switch (d->call) {
	case CALL_CLAIM:
		return usbclaim_take(&d->claim);
	case CALL_SET_CONFIGURATION:
		return usbclaim_set_configuration(&d->claim, (uint8_t)d->value);
	case CALL_SET_INTERFACE:
		return usbclaim_set_interface(&d->claim, d->index, d->value);
	case CALL_CLEAR_HALT:
		return libusb_clear_halt(d->handle, (unsigned char)d->index);
	case CALL_RESET:
		return usbclaim_reset(&d->claim);
	case CALL_RELEASE:
		/* So that nothing of this importer's is left for the next, or for the drivers. */
		(void)usbclaim_reset(&d->claim);
		usbclaim_release(&d->claim);
		return 0;
	case CALL_NONE:
		break;
	}
	return 0;
}

static void run_call(void *device)
{
	struct usbdevice *d = device;

	d->result = call(d);
}

/* ---- the calls, in the loop ---- */

/* A URB that the call would have the kernel kill, which libusb tells as one that has succeeded. */
static bool is_in_the_way(struct usbdevice *d, const struct usbdevice_urb *urb)
{
	switch (d->call) {
	case CALL_SET_CONFIGURATION:
	case CALL_RESET:
	case CALL_RELEASE:
		return true;
	case CALL_SET_INTERFACE:
		return urb->endpoint &&
			usbclaim_endpoint(&d->claim, urb->endpoint)->interface == d->index;
	default:
		return false;
	}
}

static bool way_is_free(struct usbdevice *d)
{
	for (const struct usbdevice_urb *u = d->urbs; u; u = u->next) {
		if (is_in_the_way(d, u))
			return false;
	}
	return true;
}

static void on_called(void *device);
static const struct task_work call_work = {.run = run_call, .done = on_called};

/* Once what is in its way has come back. */
static void go_on(struct usbdevice *d)
{
	if (d->call == CALL_NONE || d->called || !way_is_free(d))
		return;
	d->called = task_start(d->loop, &call_work, d) != NULL;
	if (!d->called)
		ev_timer_again(d->loop, &d->retry);
}

static void on_retry(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct usbdevice *d = timer->data;

	(void)events;
	ev_timer_stop(loop, timer);
	go_on(d);
}

static void begin_call(struct usbdevice *d, enum call c)
{
	d->call = c;
	for (struct usbdevice_urb *u = d->urbs; u; u = u->next) {
		if (is_in_the_way(d, u))
			usbdevice_cancel(u);
	}
	go_on(d);
}

/* What a device would answer: a stall where the kernel knows that it cannot be done. */
static int call_status(int error)
{
	switch (error) {
	case LIBUSB_ERROR_NOT_FOUND:
	case LIBUSB_ERROR_INVALID_PARAM:
	case LIBUSB_ERROR_IO:
		return -EPIPE;
	case LIBUSB_ERROR_ACCESS:
		return -EPERM;
	case LIBUSB_ERROR_NO_DEVICE:
		return -ESHUTDOWN;
	default:
		return usbhost_errno(error);
	}
}

static void free_device(struct usbdevice *d)
{
	const struct usbdevice_callbacks *callbacks = d->callbacks;
	void *user = d->user;

	ev_timer_stop(d->loop, &d->retry);
	libusb_close(d->handle);
	free(d);
	callbacks->closed(user);
}

static void on_called(void *device)
{
	struct usbdevice *d = device;
	struct usbdevice_urb *urb = d->caller;
	enum call was = d->call;
	int result = d->result; /* the next call's soon */

	d->call = CALL_NONE;
	d->called = false;
	d->caller = NULL;
	if (was == CALL_RELEASE) {
		free_device(d);
		return;
	}
	if (d->closing)
		begin_call(d, CALL_RELEASE);
	if (was == CALL_CLAIM) {
		d->callbacks->opened(d->user, usbhost_errno(result));
	} else if (urb) {
		urb->status = call_status(result);
		urb->done(urb);
	}
}

int usbdevice_open(struct ev_loop *loop, struct libusb_device *device, const char *busid,
	const struct usbdevice_callbacks *callbacks, void *user, struct usbdevice **out,
	const char **why)
{
	struct usbdevice *d = calloc(1, sizeof(*d));
	int r = d ? libusb_open(device, &d->handle) : LIBUSB_ERROR_NO_MEM;

	if (r) {
		free(d);
		*why = r == LIBUSB_ERROR_ACCESS
			? "no permission; a udev rule gives it (ip2usb-export(8))"
			: libusb_strerror(r);
		return usbhost_errno(r);
	}
	d->loop = loop;
	d->callbacks = callbacks;
	d->user = user;
	(void)snprintf(d->busid, sizeof(d->busid), "%s", busid);
	ev_timer_init(&d->retry, on_retry, 0, RETRY_S);
	d->retry.data = d;
	usbclaim_init(&d->claim, d->handle, d->busid);
	begin_call(d, CALL_CLAIM);
	*out = d;
	return 0;
}

void usbdevice_close(struct usbdevice *d)
{
	d->closing = true;
	for (struct usbdevice_urb *u = d->urbs; u; u = u->next)
		usbdevice_cancel(u);
	if (d->call == CALL_NONE)
		begin_call(d, CALL_RELEASE);
}

bool usbdevice_is_busy(const struct usbdevice *d)
{
	return d->call != CALL_NONE;
}

/* ---- URBs ---- */

static int transfer_status(enum libusb_transfer_status status)
{
	switch (status) {
	case LIBUSB_TRANSFER_COMPLETED:
		return 0;
	case LIBUSB_TRANSFER_TIMED_OUT:
		return -ETIMEDOUT;
	case LIBUSB_TRANSFER_CANCELLED:
		return -ECONNRESET;
	case LIBUSB_TRANSFER_STALL:
		return -EPIPE;
	case LIBUSB_TRANSFER_NO_DEVICE:
		return -ESHUTDOWN;
	case LIBUSB_TRANSFER_OVERFLOW:
		return -EOVERFLOW;
	case LIBUSB_TRANSFER_ERROR:
		break;
	}
	/* The one of its errors on the bus that is meant when it is not told. */
	return -EPROTO;
}

/* libusb has each packet's room after the one before; USB/IP wants what came without gaps. */
static void take_packets(struct usbdevice_urb *urb)
{
	const struct libusb_transfer *t = urb->transfer;
	uint32_t from = 0, to = 0;

	urb->num_errors = 0;
	for (unsigned i = 0; i < urb->num_packets; i++) {
		const struct libusb_iso_packet_descriptor *p = &t->iso_packet_desc[i];
		uint32_t actual = p->actual_length < p->length ? p->actual_length : p->length;

		urb->packets[i].status = transfer_status(p->status);
		urb->packets[i].actual_length = actual;
		urb->num_errors += p->status != LIBUSB_TRANSFER_COMPLETED;
		if (is_in(urb->endpoint))
			memmove(urb->buffer + to, urb->buffer + from, actual);
		from += p->length;
		to += actual;
	}
	urb->actual = to;
}

static void LIBUSB_CALL on_transfer(struct libusb_transfer *t)
{
	struct usbdevice_urb *urb = t->user_data;
	struct usbdevice *d = urb->device;

	*urb->link = urb->next;
	if (urb->next)
		urb->next->link = urb->link;
	urb->status = transfer_status(t->status);
	urb->actual = t->actual_length > 0 ? (uint32_t)t->actual_length : 0;
	if (urb->num_packets)
		take_packets(urb);
	else if (!urb->status && urb->flags & USBIP_URB_SHORT_NOT_OK && urb->actual < urb->length)
		urb->status = -EREMOTEIO;
	urb->done(urb);
	go_on(d);
}

/* Puts the data of OUT packets where libusb wants it. */
static int place_packets(struct usbdevice_urb *urb)
{
	uint32_t to = 0;

	for (unsigned i = 0; i < urb->num_packets; i++) {
		const struct usbip_iso_packet *p = &urb->packets[i];

		if (p->length > urb->length - to)
			return -EINVAL;
		if (!is_in(urb->endpoint)) {
			if (p->offset < to || p->offset > urb->length ||
				p->length > urb->length - p->offset)
				return -EINVAL;
			memmove(urb->buffer + to, urb->buffer + p->offset, p->length);
		}
		urb->transfer->iso_packet_desc[i].length = p->length;
		to += p->length;
	}
	urb->transfer->length = (int)to;
	return 0;
}

static int prepare_transfer(struct usbdevice_urb *urb)
{
	if (urb->transfer && urb->transfer_packets >= urb->num_packets)
		return 0;
	usbdevice_urb_fini(urb);
	urb->transfer = libusb_alloc_transfer((int)urb->num_packets);
	urb->transfer_packets = urb->num_packets;
	return urb->transfer ? 0 : -ENOMEM;
}

static int fill_transfer(struct usbdevice *d, struct usbdevice_urb *urb, uint8_t type)
{
	struct libusb_transfer *t = urb->transfer;

	t->dev_handle = d->handle;
	t->flags = 0;
	t->endpoint = urb->endpoint;
	t->type = type;
	t->timeout = 0;
	t->length = (int)urb->length + (type ? 0 : USBDEVICE_SETUP_SIZE);
	t->callback = on_transfer;
	t->user_data = urb;
	t->buffer = urb->buffer;
	t->num_iso_packets = (int)urb->num_packets;
	if (urb->flags & USBIP_URB_ZERO_PACKET && type == LIBUSB_TRANSFER_TYPE_BULK &&
		!is_in(urb->endpoint))
		t->flags = LIBUSB_TRANSFER_ADD_ZERO_PACKET;
	return type == LIBUSB_TRANSFER_TYPE_ISOCHRONOUS ? place_packets(urb) : 0;
}

static int submit_status(int error)
{
	switch (error) {
	case LIBUSB_ERROR_NO_DEVICE:
		return -ESHUTDOWN;
	case LIBUSB_ERROR_IO:
		/* usbfs does not let it pass. */
		return -EPIPE;
	default:
		return usbhost_errno(error);
	}
}

static int submit(struct usbdevice *d, struct usbdevice_urb *urb, uint8_t type)
{
	int r = prepare_transfer(urb);

	if (!r)
		r = fill_transfer(d, urb, type);
	if (!r)
		r = submit_status(libusb_submit_transfer(urb->transfer));
	if (r)
		return r;
	urb->device = d;
	urb->next = d->urbs;
	urb->link = &d->urbs;
	if (d->urbs)
		d->urbs->link = &urb->next;
	d->urbs = urb;
	return 0;
}

/* CALL_NONE: the device is to have the request itself. Which these are is Linux'
 * tweak_special_requests. */
static enum call call_of(const uint8_t setup[USBDEVICE_SETUP_SIZE])
{
	uint16_t value = bytes_le16(setup + 2);

	switch (setup[0] << 8 | setup[1]) {
	case USB_RECIP_DEVICE << 8 | USB_REQ_SET_CONFIGURATION:
		return CALL_SET_CONFIGURATION;
	case USB_RECIP_INTERFACE << 8 | USB_REQ_SET_INTERFACE:
		return CALL_SET_INTERFACE;
	case USB_RECIP_ENDPOINT << 8 | USB_REQ_CLEAR_FEATURE:
		return value == USB_ENDPOINT_HALT ? CALL_CLEAR_HALT : CALL_NONE;
	case (USB_TYPE_CLASS | USB_RECIP_OTHER) << 8 | USB_REQ_SET_FEATURE:
		return value == PORT_FEAT_RESET ? CALL_RESET : CALL_NONE;
	default:
		return CALL_NONE;
	}
}

/* usbfs would take an interface for us that something else has. */
static bool is_of_others(struct usbdevice *d, const uint8_t setup[USBDEVICE_SETUP_SIZE])
{
	unsigned index = bytes_le16(setup + 4) & 0xff;
	const struct usbclaim_endpoint *e;

	switch (setup[0] & (USB_TYPE_MASK | USB_RECIP_MASK)) {
	case USB_TYPE_STANDARD | USB_RECIP_INTERFACE:
	case USB_TYPE_CLASS | USB_RECIP_INTERFACE:
		return !usbclaim_has(&d->claim, index);
	case USB_TYPE_STANDARD | USB_RECIP_ENDPOINT:
	case USB_TYPE_CLASS | USB_RECIP_ENDPOINT:
		e = usbclaim_endpoint(&d->claim, (uint8_t)index);
		return e->exists && !usbclaim_has(&d->claim, e->interface);
	default:
		return false;
	}
}

static int submit_control(struct usbdevice *d, struct usbdevice_urb *urb)
{
	const uint8_t *setup = urb->buffer;
	enum call c = call_of(setup);

	/* usb_submit_urb says so of a length that is not the packet's. */
	if (bytes_le16(setup + 6) != urb->length)
		return -EBADR;
	if (c == CALL_NONE) {
		/* An address of its own would make the device unreachable. */
		if (!setup[0] && setup[1] == USB_REQ_SET_ADDRESS)
			return -EPIPE;
		if (is_of_others(d, setup))
			return -EPERM;
		if ((setup[0] & (USB_DIR_IN | USB_TYPE_MASK)) != (USB_DIR_IN | USB_TYPE_STANDARD))
			d->claim.fresh = false;
		return submit(d, urb, LIBUSB_TRANSFER_TYPE_CONTROL);
	}
	urb->device = d;
	urb->actual = 0;
	d->caller = urb;
	d->value = bytes_le16(setup + 2);
	d->index = bytes_le16(setup + 4);
	begin_call(d, c);
	return 0;
}

int usbdevice_submit(struct usbdevice *d, struct usbdevice_urb *urb)
{
	const struct usbclaim_endpoint *e;

	if (d->closing)
		return -ESHUTDOWN;
	if (usbdevice_is_busy(d))
		return -EBUSY;
	if (!(urb->endpoint & USB_ENDPOINT_NUMBER_MASK))
		return submit_control(d, urb);
	e = usbclaim_endpoint(&d->claim, urb->endpoint);
	if (!e->exists)
		return -ENOENT;
	if (!usbclaim_has(&d->claim, e->interface))
		return -EPERM;
	if ((e->type == LIBUSB_TRANSFER_TYPE_ISOCHRONOUS) != (urb->num_packets > 0))
		return -EINVAL;
	d->claim.fresh = false;
	return submit(d, urb, e->type);
}

void usbdevice_cancel(struct usbdevice_urb *urb)
{
	/* Of one that is just ending it fails. A call's request has nothing to be cancelled. */
	if (urb->device->caller != urb)
		(void)libusb_cancel_transfer(urb->transfer);
}

void usbdevice_urb_fini(struct usbdevice_urb *urb)
{
	libusb_free_transfer(urb->transfer);
	urb->transfer = NULL;
}
