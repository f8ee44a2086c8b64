/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * selection: which of a server's devices is the camera that the configuration means.
 *
 * Pure. Fails closed: none or several is a refusal. A device list has no serial numbers, so with
 * one configured each device that could be it has to be imported and looked at.
 */
#ifndef BRIDGE_SELECTION_H
#define BRIDGE_SELECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bridge/usbip.h"

struct devlist_entry;

struct selection_criteria {	      /* all that are given must match */
	char busid[USBIP_BUSID_SIZE]; /* empty: any */
	bool has_id;
	uint16_t vendor, product;
	char serial[128]; /* empty: any */
};

enum selection_verdict {
	SELECTION_LOOK,	 /* import *busid, then call selection_serial */
	SELECTION_FOUND, /* *busid is the one; call selection_serial with what it turns out to have
			  */
	SELECTION_NONE,
	SELECTION_AMBIGUOUS,
};

struct selection {
	const struct selection_criteria *criteria;
	unsigned num_candidates; /* that match busid and id */
	unsigned num_matches;	 /* that match the serial number too, of those looked at */
	unsigned at;		 /* candidates that have been handed out */
	const char *current;	 /* busid handed out last */
	const char *match;
	char candidates[USBIP_MAX_DEVICES][USBIP_BUSID_SIZE];
};

/* Adds a criterion; false, and nothing changed, when `text` is none: an empty one is. A bus id such
 * as 1-1.4; or VID:PID, four hexadecimal digits each. */
bool selection_set_busid(struct selection_criteria *c, const char *text);
bool selection_set_id(struct selection_criteria *c, const char *text);

/* False: another busid or id. */
bool selection_could_be(const struct selection_criteria *c, const struct usbip_device *d);

void selection_init(struct selection *s, const struct selection_criteria *criteria,
	const struct devlist_entry *entries, size_t num_entries);

enum selection_verdict selection_next(struct selection *s, const char **busid);

/* What the device handed out last has for a serial number; NULL = none. */
void selection_serial(struct selection *s, const char *serial);

/* " busid 1-1 id 04a9:3218" or " any", for messages; returns `out`. */
const char *selection_describe(const struct selection_criteria *c, char *out, size_t size);

#endif
