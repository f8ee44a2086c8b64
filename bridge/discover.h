/* SPDX-License-Identifier: GPL-2.0-or-later */
/* discover: `ip2usb discover`, which servers there are, and what they export. */
#ifndef BRIDGE_DISCOVER_H
#define BRIDGE_DISCOVER_H

#include <stdbool.h>

struct discover_options {
	const char *subnet; /* ADDRESS/BITS, all of which is asked; NULL: mDNS is */
	const char *port;   /* of the servers in it */
	bool json;
};

/* Prints to standard output: a server a line, below it its devices, or an array of JSON; problems
 * and, if it takes longer than a second, how far it is go to standard error. SIGINT and SIGTERM end
 * it, with what has been found. Returns the exit code: 0 if a server has said what it exports, 3 if
 * none has, 1 if that is not known, 2 where the subnet is none. */
int discover_run(const struct discover_options *options);

#endif
