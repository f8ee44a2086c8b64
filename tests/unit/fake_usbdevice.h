/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fake_usbdevice: bridge/usbdevice.h without libusb: URBs wait until the test says how they end.
 *
 * It looks at all of each URB's memory: OUT data is read when it is submitted and has to be the
 * same when it is done; IN buffers are spoilt when they are submitted.
 */
#ifndef TESTS_FAKE_USBDEVICE_H
#define TESTS_FAKE_USBDEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bridge/usbdevice.h"

#define FAKE_USBDEVICE_SPOILT 0xee

struct usbdevice {
	bool busy;
	bool busy_by_control;	    /* each control request keeps it busy until it is done */
	int refuse;		    /* not 0: what submissions are refused with */
	struct usbdevice_urb *urbs; /* under way, the newest first */
	unsigned num_urbs;
	/* for ever */
	unsigned submitted, done, refused, cancelled;
};

/* The n-th oldest that is under way; NULL: there are not so many. */
struct usbdevice_urb *fake_usbdevice_urb(const struct usbdevice *d, unsigned n);

bool fake_usbdevice_is_in(const struct usbdevice_urb *urb);
bool fake_usbdevice_is_cancelled(const struct usbdevice_urb *urb);
/* Where its data is, behind a setup packet. */
uint8_t *fake_usbdevice_data(const struct usbdevice_urb *urb);

/* It ends so. IN: `data` is what came; OUT: NULL. Of an isochronous one `actual` is the sum of its
 * packets', which have been set. */
void fake_usbdevice_end(struct usbdevice_urb *urb, int status, const void *data, uint32_t actual);
/* Those that were cancelled end so; how many that were. */
unsigned fake_usbdevice_end_cancelled(struct usbdevice *d);
/* All end with this status, the oldest first, and without data. */
void fake_usbdevice_end_all(struct usbdevice *d, int status);

#endif
