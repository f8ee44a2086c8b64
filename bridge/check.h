/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: `ip2usb check`, what could be presented of the configured camera; binds nothing. */
#ifndef BRIDGE_CHECK_H
#define BRIDGE_CHECK_H

#include <stdbool.h>

#include "bridge/acquisition.h"

struct fit;
struct udc;
struct usb_profile;

/* Imports and probes the camera, prints to standard output, and lets it go. Problems go to the log.
 * OUTCOME_DONE: it can be presented; OUTCOME_UNPRESENTABLE: not, or there is no free UDC. */
enum outcome check_run(const struct config *config, bool json);

/* What it prints. `udc` NULL: there is none. False when it cannot be written. */
bool check_print(const char *busid, const struct usb_profile *p, const struct udc *udc,
	const struct fit *fit, bool json);

#endif
