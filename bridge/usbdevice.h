/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * usbdevice: a device of this machine in the hands of whoever imports it.
 *
 * While it is open its interfaces are claimed, and their kernel drivers detached. Requests that
 * usbfs does not let pass, as they change what it knows of the device (a configuration, an
 * interface's setting, a halt, a reset of the port), are libusb's own calls. These block, and run
 * in a thread: the device is busy meanwhile.
 *
 * All callbacks come from the loop, none from inside a function of this module.
 */
#ifndef BRIDGE_USBDEVICE_H
#define BRIDGE_USBDEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bridge/usbip.h"

#define USBDEVICE_SETUP_SIZE 8

struct ev_loop;
struct libusb_device;
struct libusb_transfer;
struct usbdevice;

/* One URB. It may not move or be submitted again before `done`, which comes exactly once for each
 * submission that was accepted. All zeros at first. */
struct usbdevice_urb {
	/* Set by the user. Of a control request the buffer begins with the setup packet, which
	 * `length` does not count. */
	uint8_t endpoint; /* bEndpointAddress; 0 for control, whichever way */
	uint8_t *buffer;
	uint32_t length; /* bytes of data, at most USBIP_MAX_TRANSFER; of control, wLength */
	uint32_t flags;	 /* USBIP_URB_* */
	/* Isochronous: as they come with a CMD_SUBMIT. In OUT their data may not overlap, and are
	 * in order. */
	struct usbip_iso_packet *packets;
	unsigned num_packets; /* 0: not isochronous */
	void (*done)(struct usbdevice_urb *urb);
	void *user;
	/* Set by this module. A packet's too; the data that came in packets is packed. */
	int status; /* 0 or the negative errno that Linux' own server sends */
	uint32_t actual;
	unsigned num_errors; /* packets in error */
	/* Its own. */
	struct usbdevice_urb *next, **link; /* of usbdevice::urbs, while under way */
	struct usbdevice *device;
	struct libusb_transfer *transfer;
	unsigned transfer_packets; /* that this has room for */
};

struct usbdevice_callbacks {
	/* Its interfaces are claimed, or it is unplugged; -errno: it has to be closed all the same.
	 */
	void (*opened)(void *user, int error);
	/* It is free, and gone. */
	void (*closed)(void *user);
};

/* Opens it. 0, then `opened` comes; or -errno with *why for people, and the remedy. `busid` is for
 * messages. */
int usbdevice_open(struct ev_loop *loop, struct libusb_device *device, const char *busid,
	const struct usbdevice_callbacks *callbacks, void *user, struct usbdevice **out,
	const char **why);

/* What is under way is cancelled and given back; then the device is reset, its drivers come back,
 * and `closed` comes. Once; not before `opened`. */
void usbdevice_close(struct usbdevice *d);

/* A call is under way: nothing may be submitted, as it might overtake. */
bool usbdevice_is_busy(const struct usbdevice *d);

/* 0, or the negative errno that Linux' own server sends for it; then `done` does not come. -EPERM:
 * of an interface that something else has here. */
int usbdevice_submit(struct usbdevice *d, struct usbdevice_urb *urb);

/* It is done soon: as cancelled (-ECONNRESET), or as it ended meanwhile. */
void usbdevice_cancel(struct usbdevice_urb *urb);

/* Frees what a URB has of this module; never one that is under way. */
void usbdevice_urb_fini(struct usbdevice_urb *urb);

#endif
