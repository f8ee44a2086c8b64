/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * exportconfig: ip2usb-export.conf, an INI file, into a validated struct.
 *
 * Strict, as inischema is: what is not known is an error that names file, line and what is allowed.
 */
#ifndef BRIDGE_EXPORTCONFIG_H
#define BRIDGE_EXPORTCONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "bridge/exportrules.h"
#include "bridge/pairingkey.h"

#define EXPORTCONFIG_OFF "off"

struct exportconfig {
	char listen[256]; /* an address or a name; empty, the default: all addresses */
	char port[8];	  /* decimal, 1..65535; default USBIP_PORT */
	char notices[8];  /* another one, or EXPORTCONFIG_OFF; default NOTICE_PORT */
	bool announce;	  /* by mDNS; default yes */
	bool has_key;	  /* default no */
	struct pairingkey key;
	bool plain_anywhere; /* without a key, also at public addresses; default no */
	struct exportrules rules;
};

/* Reads `path`. 0, or -errno with a text of at most `size` bytes for people in `error`:
 * "FILE:LINE: what is wrong; allowed: ...". -ENOENT: there is no such file, which is for the caller
 * to judge; then `c` has the defaults. After any other error it is of no use. Equal configurations
 * have equal bytes. */
int exportconfig_read(struct exportconfig *c, const char *path, char *error, size_t size);

/* The same, of a text in memory, which `path` is only the name of. */
int exportconfig_parse(
	struct exportconfig *c, const char *path, const char *text, char *error, size_t size);

#endif
