/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup: `ip2usb setup`, which makes this board ready, or takes that back. */
#ifndef BRIDGE_SETUP_H
#define BRIDGE_SETUP_H

#include <stdbool.h>
#include <stdio.h>

struct setup_options {
	bool undo;
	bool yes;	  /* nobody is asked */
	const char *root; /* a tree that does not run; NULL: this machine */
};

/* Shows what it is to change, asks, and changes it. Takes root. Returns the exit code, an enum
 * outcome. */
int setup_run(const struct setup_options *options);

/* Asks on `out`; true: a line of `in` says yes. */
bool setup_ask(FILE *in, FILE *out);

#endif
