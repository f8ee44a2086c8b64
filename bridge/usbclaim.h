/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * usbclaim: what of an open device is ours: which of its interfaces are claimed, without their
 * kernel drivers, the settings that these have, and so its endpoints.
 *
 * No two of its functions at the same time. Those that change something block.
 */
#ifndef BRIDGE_USBCLAIM_H
#define BRIDGE_USBCLAIM_H

#include <stdbool.h>
#include <stdint.h>

#define USBCLAIM_MAX_INTERFACES 32 /* as libusb (USB_MAXINTERFACES) */

struct libusb_device_handle;

struct usbclaim_endpoint {
	bool exists;
	uint8_t type; /* enum libusb_endpoint_transfer_type */
	uint8_t interface;
};

struct usbclaim {
	struct libusb_device_handle *handle;
	const char *busid; /* for messages */
	uint32_t claimed;  /* interfaces, by number */
	uint8_t settings[USBCLAIM_MAX_INTERFACES];
	struct usbclaim_endpoint endpoints[2][16]; /* OUT, IN; by number */
	/* It has been reset. For the user to clear when it asks the device for more than to be
	 * described. */
	bool fresh;
};

/* Of a device that is open; `busid` stays the caller's. Nothing is claimed. */
void usbclaim_init(struct usbclaim *c, struct libusb_device_handle *handle, const char *busid);

/* All interfaces of its configuration, with their first settings; what cannot be had is logged. 0,
 * also where there is none; or libusb's error where not one can be claimed. */
int usbclaim_take(struct usbclaim *c);

/* Their drivers come back. */
void usbclaim_release(struct usbclaim *c);

/* The port; the kernel then sets what had been set. Libusb's error, or 0. */
int usbclaim_reset(struct usbclaim *c);

/* Libusb's error, or 0. 0 as a configuration's value: it has none afterwards. One that a reset has
 * just set is not set again. */
int usbclaim_set_configuration(struct usbclaim *c, uint8_t value);
int usbclaim_set_interface(struct usbclaim *c, unsigned interface, unsigned setting);

bool usbclaim_has(const struct usbclaim *c, unsigned interface);

/* By its bEndpointAddress. */
const struct usbclaim_endpoint *usbclaim_endpoint(const struct usbclaim *c, uint8_t address);

#endif
