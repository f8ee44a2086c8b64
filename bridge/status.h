/* SPDX-License-Identifier: GPL-2.0-or-later */
/* status: `ip2usb status`: what a running daemon says of itself. */
#ifndef BRIDGE_STATUS_H
#define BRIDGE_STATUS_H

#include <stdbool.h>

struct control_socket;

struct status_options {
	const struct control_socket *socket; /* control_status */
	bool json;			     /* as it comes */
	bool watch;			     /* every second, until a signal */
};

/* Prints it, or says why not. Exit code: 0, 1 failed. */
int status_run(const struct status_options *options);

/* What there is to say of a report, a JSON text, to a person, on standard output; `before` is the
 * report of a second ago, or NULL. False: it is none. */
bool status_print(const char *report, const char *before);

#endif
