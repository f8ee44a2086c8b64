/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * exportrules: which of this machine's devices may be exported.
 *
 * Pure. Fails closed: a hub never is; a deny that matches counts, whatever allow says; and as long
 * as nothing is allowed by a rule, only still cameras are exported. A device is exported as a
 * whole, so a rule that knows one of its interfaces brings the others with it.
 */
#ifndef BRIDGE_EXPORTRULES_H
#define BRIDGE_EXPORTRULES_H

#include <stdbool.h>
#include <stdint.h>

#include "bridge/usbip.h"

#define EXPORTRULES_MAX 64	   /* allow and deny together */
#define EXPORTRULES_MAX_SERIAL 127 /* bytes */

enum exportrules_condition {
	EXPORTRULES_VENDOR = 1 << 0,
	EXPORTRULES_PRODUCT = 1 << 1,
	EXPORTRULES_CLASS = 1 << 2,
	EXPORTRULES_SUBCLASS = 1 << 3,
	EXPORTRULES_PROTOCOL = 1 << 4,
	EXPORTRULES_PORT = 1 << 5,
	EXPORTRULES_SERIAL = 1 << 6,
	EXPORTRULES_MTP = 1 << 7,
	EXPORTRULES_ANY = 1 << 8,
};

struct exportrules_rule {
	bool allow;
	bool is_below;	     /* busid is how those begin that are meant: what hangs off a hub */
	uint16_t conditions; /* bits of enum exportrules_condition; all must hold */
	uint16_t vendor, product;
	uint8_t class, subclass, protocol;
	char busid[USBIP_BUSID_SIZE];
	char serial[EXPORTRULES_MAX_SERIAL + 1];
};

/* All zeros: none. */
struct exportrules {
	unsigned num_rules;
	struct exportrules_rule rules[EXPORTRULES_MAX];
};

struct exportrules_device {
	uint16_t vendor, product;
	const char *busid;
	const char *serial; /* NULL: none, or it cannot be read; then no rule with one matches */
	uint8_t class, subclass, protocol;
	const struct usbip_interface *interfaces;
	unsigned num_interfaces;
	bool is_mtp; /* it has an interface whose string is "MTP" */
};

/* Adds a rule: conditions with blanks between them, each kind once at most:
 *   any                 every device
 *   VID:PID  VID:*      four hexadecimal digits each
 *   class CC[/SS[/PP]]  two hexadecimal digits each; the device's own, or an interface's
 *   port 1-1.4          this bus id
 *   port 1-1.*  1-*     every bus id that begins so
 *   serial TEXT         or "TEXT", which may have blanks
 *   mtp                 is_mtp
 * False, and nothing changed, when `text` is none or there is no room for it. Rules that have been
 * added alike have equal bytes. */
bool exportrules_add(struct exportrules *r, bool allow, const char *text);

bool exportrules_permits(const struct exportrules *r, const struct exportrules_device *d);

/* Why not, for people: a static text to follow "not exported: "; NULL if it is permitted. */
const char *exportrules_refusal(const struct exportrules *r, const struct exportrules_device *d);

#endif
