/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * exportdevices: this machine's devices as they are exported: what each is, whether the rules let
 * it be, and who listens is told of it.
 */
#ifndef BRIDGE_EXPORTDEVICES_H
#define BRIDGE_EXPORTDEVICES_H

#include <stdbool.h>

#include <ev.h>

#include "bridge/exportconfig.h"
#include "bridge/usbhost.h"

struct advertiser;
struct announcer;
struct task;

/* One that is plugged in. */
struct exportdevice {
	struct exportdevice *next;
	struct libusb_device *device;
	char busid[USBIP_BUSID_SIZE];
	struct task *description; /* under way; or NULL */
	bool described;		  /* `is` is set */
	bool is_hub;		  /* never exported */
	bool announced;
	struct usbhost_description is;
	void *holder; /* the user's: who has it; NULL: free */
};

/* Of one that has a holder. */
struct exportdevices_callbacks {
	/* It is to be nobody's: it is unplugged, or the rules do not permit it any more. `reason`
	 * is for people. */
	void (*withdrawn)(void *user, struct exportdevice *d, const char *reason);
	/* It is gone once this returns; after `withdrawn`, or at the end. */
	void (*left)(void *user, struct exportdevice *d);
};

struct exportdevices {
	struct ev_loop *loop;
	struct usbhost host;
	struct exportrules rules;
	struct exportdevice *first;    /* what is plugged in last is first */
	ev_timer settle;	       /* from a device's arrival to when it is told of */
	struct announcer *announcer;   /* NULL: nobody is told */
	struct advertiser *advertiser; /* likewise */
	const struct exportdevices_callbacks *callbacks;
	void *user;
};

/* Begins to tell, as far as that goes, and looks at what there is. `e` must stay where it is. 0, or
 * -errno, which has been complained of; then it is as after exportdevices_fini. */
int exportdevices_init(struct exportdevices *e, struct ev_loop *loop,
	const struct exportconfig *config, const struct exportdevices_callbacks *callbacks,
	void *user);

/* No device may be open, and no description under way. After an init that failed, too. */
void exportdevices_fini(struct exportdevices *e);

/* Other rules. */
void exportdevices_configure(struct exportdevices *e, const struct exportrules *rules);

/* The one there, if it is exported; else NULL. */
struct exportdevice *exportdevices_find(const struct exportdevices *e, const char *busid);
bool exportdevices_permit(const struct exportdevices *e, const struct exportdevice *d);

/* It may have been left another configuration by who had it. */
void exportdevices_describe(struct exportdevices *e, struct exportdevice *d);

/* Descriptions are under way. */
bool exportdevices_are_busy(const struct exportdevices *e);

#endif
