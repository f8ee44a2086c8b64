/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * usbhost: this machine's USB devices, by libusb: which there are, and as they come and go.
 *
 * All of libusb's callbacks come from the loop. Nothing here talks to a device: what is told of one
 * is what the kernel has read.
 */
#ifndef BRIDGE_USBHOST_H
#define BRIDGE_USBHOST_H

#include <stdbool.h>

#include <ev.h>

#include "bridge/devlist.h"
#include "bridge/exportrules.h"

struct libusb_context;
struct libusb_device;
struct usbhost_watch;

struct usbhost_callbacks {
	/* A device is there, or was at usbhost_init. It may not be configured yet. */
	void (*arrived)(void *user, struct libusb_device *device);
	/* It is not any more. */
	void (*left)(void *user, struct libusb_device *device);
};

struct usbhost {
	struct ev_loop *loop;
	struct libusb_context *context;
	struct usbhost_watch *watches;
	const struct usbhost_callbacks *callbacks;
	void *user;
};

struct usbhost_description {
	struct devlist_entry entry;
	char serial[128];  /* empty: none */
	char product[128]; /* likewise */
	bool is_mtp;	   /* one of its interfaces is called so */
};

/* 0, with `arrived` called for each device; or -errno with *why for people. */
int usbhost_init(struct usbhost *h, struct ev_loop *loop, const struct usbhost_callbacks *callbacks,
	void *user, const char **why);
/* No device may be open. */
void usbhost_fini(struct usbhost *h);

/* Linux' name of a device's place, "1-1.4": a bus and the ports that lead to it. */
void usbhost_busid(struct libusb_device *device, char busid[USBIP_BUSID_SIZE]);

/* As it is now: interfaces are those of the configuration that it has, or will be given. 0, or
 * -errno for what cannot be in a list: a hub, one that is leaving. */
int usbhost_describe(struct libusb_device *device, struct usbhost_description *out);

/* What the rules look at; it points into `d`. */
struct exportrules_device usbhost_for_rules(const struct usbhost_description *d);

/* libusb's errors (enum libusb_error) as Linux' own. */
int usbhost_errno(int error);

#endif
