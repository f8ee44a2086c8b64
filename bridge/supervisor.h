/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * supervisor: `ip2usb run`. It alone makes and frees the acquisition of a camera and its
 * presentation, which report to it by callback; what they report is carried out before the loop
 * sleeps next, never inside the callback.
 *
 *   acquisition -> PRESENTED <-> ACTIVE <-> HOLDING, while the same camera is looked for
 *   any of them -> DRAINING, with a reason -> a pause -> acquisition
 *                                          -> the end, on a signal
 *
 * Without a server in the configuration it waits for another one, UNPAIRED.
 */
#ifndef BRIDGE_SUPERVISOR_H
#define BRIDGE_SUPERVISOR_H

#include "bridge/acquisition.h"

struct settings;

struct supervisor_options {
	/* to be read again upon SIGHUP, as by settings_read */
	const char *config;
	const char *const *overrides;
	bool once; /* to end where it would pause */
};

/* Relays until SIGTERM or SIGINT (OUTCOME_DONE); what is lost or not there is waited for. With
 * `once` until something is lost, or is not there, which is the outcome. All of it is logged.
 * Leaves nothing behind. */
enum outcome supervisor_run(
	const struct settings *settings, const struct supervisor_options *options);

#endif
