/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * daemon: `ip2usb run`: a supervisor, and what the process is told and asked from outside: signals,
 * the files of its configuration, the sockets of control, the service manager.
 */
#ifndef BRIDGE_DAEMON_H
#define BRIDGE_DAEMON_H

#include <stdbool.h>

#include "bridge/acquisition.h"

struct settings;

struct daemon_options {
	/* to be read again upon SIGHUP, as by settings_read */
	const char *config;
	const char *const *overrides;
	bool once; /* to end where something is lost or not there */
};

/* Relays until SIGTERM or SIGINT (OUTCOME_DONE), or, with `once`, until there is a reason to wait,
 * which is the outcome. Leaves nothing behind. */
enum outcome daemon_run(const struct settings *settings, const struct daemon_options *options);

#endif
