/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * phone: whether the phone is there and uses the camera, from the events of FunctionFS.
 *
 * One that comes back finds the camera reset, as its port, or an unplug, would have reset a camera
 * there: this one may still be in the middle of something. One whose bus has been suspended for
 * long counts as gone, because dwc2 reports an unplug no other way; if it resumes, it only slept,
 * and its drivers and the camera are where they were.
 */
#ifndef BRIDGE_PHONE_H
#define BRIDGE_PHONE_H

#include <stdbool.h>

#include <ev.h>
#include <linux/usb/functionfs.h>

#include "bridge/reset.h"

struct phone_callbacks {
	/* It has configured the camera, perhaps anew: all endpoints begin from the beginning. */
	void (*start)(void *user);
	/* It uses the camera no more, or not before the next start; it may only sleep until then.
	 */
	void (*stop)(void *user, bool asleep);
	/* Its port takes again what it refused while it was suspended. */
	void (*wake)(void *user);
	/* For people; tells changes only. */
	void (*configured)(void *user, bool configured);
};

struct phone {
	const struct phone_callbacks *callbacks;
	void *user;
	bool configured;
	bool gone;	/* it has let go of the camera since it configured it last */
	bool suspended; /* its bus is */
	bool asleep;	/* taken for gone, because its bus has been suspended for so long */
	struct ev_loop *loop;
	ev_timer unplug;
	struct reset reset;
};

/* unplug_after_s: how long a suspended bus is put down to sleep; 0 = for ever. */
void phone_init(struct phone *p, struct ev_loop *loop, struct client *client,
	const struct usb_profile *profile, unsigned unplug_after_s,
	const struct phone_callbacks *callbacks, void *user);
void phone_fini(struct phone *p);

/* Anything but FUNCTIONFS_SETUP. */
void phone_event(struct phone *p, enum usb_functionfs_event_type type);

/* As reset_set_client. */
void phone_set_client(struct phone *p, struct client *client, bool fresh);

/* It is to be done without from now on. */
void phone_leave(struct phone *p);

/* It has configured the camera, which is not being reset: what it asks for can be carried out. */
bool phone_is_served(const struct phone *p);

#endif
