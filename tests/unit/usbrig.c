/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <ev.h>

#include "tests/unit/usbrig.h"

static void on_opened(void *user, int error)
{
	struct usbrig *r = user;

	r->opened++;
	r->error = error;
}

static void on_closed(void *user)
{
	struct usbrig *r = user;

	r->closed++;
	r->usb = NULL;
}

static const struct usbdevice_callbacks callbacks = {.opened = on_opened, .closed = on_closed};

void usbrig_init(struct usbrig *r)
{
	memset(r, 0, sizeof(*r));
	fake_libusb_init();
	r->loop = ev_loop_new(0);
	assert_non_null(r->loop);
	r->device = fake_libusb_plug(1);
}

void usbrig_open(struct usbrig *r, int error)
{
	const char *why = NULL;

	assert_int_equal(
		usbdevice_open(r->loop, r->device, "99-1", &callbacks, r, &r->usb, &why), 0);
	assert_true(usbdevice_is_busy(r->usb));
	assert_int_equal(r->opened, 0);
	usbrig_wait(r, &r->opened, 1);
	assert_int_equal(r->error, error);
	assert_false(usbdevice_is_busy(r->usb));
}

void usbrig_fini(struct usbrig *r)
{
	if (r->usb) {
		usbdevice_close(r->usb);
		usbrig_wait(r, &r->closed, 1);
	}
	usbrig_idle(r);
	assert_in_range(r->opened, 0, 1);
	assert_in_range(r->closed, 0, 1);
	for (unsigned i = 0; i < sizeof(r->urbs) / sizeof(r->urbs[0]); i++)
		usbdevice_urb_fini(&r->urbs[i].urb);
	assert_int_equal(fake_libusb.submitted, fake_libusb.done);
	assert_int_equal(fake_libusb.allocated, 0);
	ev_loop_destroy(r->loop);
	fake_libusb_init();
}

void usbrig_wait(struct usbrig *r, const unsigned *counter, unsigned value)
{
	for (int i = 0; i < 5000 && *counter < value; i++) {
		fake_libusb_deliver();
		ev_run(r->loop, EVRUN_NOWAIT);
		if (*counter < value)
			usleep(1000);
	}
	assert_int_equal(*counter, value);
}

void usbrig_idle(struct usbrig *r)
{
	for (int i = 0; i < 20; i++) {
		fake_libusb_deliver();
		ev_run(r->loop, EVRUN_NOWAIT);
		usleep(500);
	}
}

static void on_done(struct usbdevice_urb *urb)
{
	struct usbrig_urb *u = urb->user;

	u->done++;
}

static int submit(struct usbrig *r, unsigned n)
{
	struct usbrig_urb *u = &r->urbs[n];

	u->done = 0;
	u->urb.done = on_done;
	u->urb.user = u;
	return usbdevice_submit(r->usb, &u->urb);
}

int usbrig_data(struct usbrig *r, unsigned n, uint8_t endpoint, uint32_t length, uint32_t flags)
{
	struct usbdevice_urb *urb = &r->urbs[n].urb;

	urb->endpoint = endpoint;
	urb->buffer = r->urbs[n].buffer + USBDEVICE_SETUP_SIZE;
	urb->length = length;
	urb->flags = flags;
	return submit(r, n);
}

int usbrig_control(struct usbrig *r, unsigned n, uint8_t type, uint8_t request, uint16_t value,
	uint16_t index, uint16_t length)
{
	const uint8_t setup[] = {type, request, (uint8_t)value, (uint8_t)(value >> 8),
		(uint8_t)index, (uint8_t)(index >> 8), (uint8_t)length, (uint8_t)(length >> 8)};
	struct usbdevice_urb *urb = &r->urbs[n].urb;

	urb->endpoint = 0;
	urb->buffer = r->urbs[n].buffer;
	memcpy(urb->buffer, setup, sizeof(setup));
	urb->length = length;
	urb->flags = 0;
	return submit(r, n);
}

void usbrig_expect(struct usbrig *r, unsigned n, int status, uint32_t actual)
{
	usbrig_wait(r, &r->urbs[n].done, 1);
	assert_int_equal(r->urbs[n].urb.status, status);
	assert_int_equal(r->urbs[n].urb.actual, actual);
}

void usbrig_expect_calls(const char *expected)
{
	assert_string_equal(fake_libusb_calls(), expected);
}
