/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * usbrig: a device of bridge/usbdevice.h over fake_libusb, its loop, and URBs for it.
 */
#ifndef TESTS_UNIT_USBRIG_H
#define TESTS_UNIT_USBRIG_H

#include "bridge/usbdevice.h"
#include "tests/unit/fake_libusb.h"

struct ev_loop;

struct usbrig_urb {
	struct usbdevice_urb urb;
	uint8_t buffer[USBDEVICE_SETUP_SIZE + 4096];
	unsigned done;
};

struct usbrig {
	struct ev_loop *loop;
	struct libusb_device *device;
	struct usbdevice *usb; /* NULL: closed */
	unsigned opened, closed;
	int error; /* of opening */
	struct usbrig_urb urbs[4];
};

/* Plugged in, and not opened yet. */
void usbrig_init(struct usbrig *r);
/* Opened; `error` is expected. */
void usbrig_open(struct usbrig *r, int error);
/* Closes it if it is open, and looks that nothing is left, and that the drivers are back. */
void usbrig_fini(struct usbrig *r);

/* Turns the loop until *counter is so much; fails after 5 s. */
void usbrig_wait(struct usbrig *r, const unsigned *counter, unsigned value);
/* A few turns, in which what could happen does. */
void usbrig_idle(struct usbrig *r);

/* What the n-th URB is; submits it. */
int usbrig_data(struct usbrig *r, unsigned n, uint8_t endpoint, uint32_t length, uint32_t flags);
int usbrig_control(struct usbrig *r, unsigned n, uint8_t type, uint8_t request, uint16_t value,
	uint16_t index, uint16_t length);

/* The n-th has been done, once, with this. */
void usbrig_expect(struct usbrig *r, unsigned n, int status, uint32_t actual);
void usbrig_expect_calls(const char *calls);

#endif
