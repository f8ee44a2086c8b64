/* SPDX-License-Identifier: GPL-2.0-or-later */
/* capture: `ip2usb capture`: what passes between a running daemon and its camera, into a file. */
#ifndef BRIDGE_CAPTURE_H
#define BRIDGE_CAPTURE_H

#include <stdint.h>

struct control_socket;

struct capture_options {
	const struct control_socket *socket; /* control_capture */
	const char *file;		     /* "-": standard output */
	uint64_t limit;			     /* bytes that it may have */
};

/* Until SIGINT, SIGTERM or SIGHUP, the limit, or the end of the daemon. Exit code: 0, 1 failed. */
int capture_run(const struct capture_options *options);

#endif
