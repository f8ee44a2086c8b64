/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * probe: resets an imported camera, reads its descriptors and strings, and configures it.
 *
 * A stock server hands the device over unconfigured, in which state it knows no endpoint:
 * SET_CONFIGURATION is part of the probing.
 */
#ifndef BRIDGE_PROBE_H
#define BRIDGE_PROBE_H

#include "bridge/client.h"
#include "gadget/usbdesc.h"

/* Not an errno: -EPROTO is also what the server says of a USB error. */
enum probe_result {
	PROBE_COMPLETE, /* probe.profile is */
	PROBE_UNFIT,  /* the camera refused what it must answer, or its descriptors are not valid */
	PROBE_FAILED, /* a request did not come through: a USB error, or it has been unplugged */
};

struct probe_callbacks {
	/* `reason` is empty when complete. Not called when the session closes. */
	void (*done)(void *user, enum probe_result result, const char *reason);
};

struct probe {
	struct client *client;
	const struct probe_callbacks *callbacks;
	void *user;
	struct client_urb urb; /* one control request at a time */
	unsigned step;
	unsigned at; /* string fetch under way: lang * num_indices + index */
	size_t num_indices;
	uint8_t indices[USBDESC_MAX_STRINGS];
	uint8_t buffer[USBDESC_MAX_CONFIG];
	struct usb_profile profile;
};

/* Starts on an imported device. `speed` is what the server says; all else comes from the camera. */
void probe_start(struct probe *p, struct client *client, enum usb_device_speed speed,
	const struct probe_callbacks *callbacks, void *user);

#endif
