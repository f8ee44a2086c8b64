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

struct probe_callbacks {
	/* error 0: probe.profile is complete, and `reason` empty. -EPIPE: the camera refused what
	 * it must answer, -EPROTO: its descriptors are not valid; `reason` says which. Not called
	 * when the session closes. */
	void (*done)(void *user, int error, const char *reason);
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
