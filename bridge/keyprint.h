/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * keyprint: `ip2usb-export key`: a key for people to carry, as text and as a QR code, and what they
 * do with it.
 */
#ifndef BRIDGE_KEYPRINT_H
#define BRIDGE_KEYPRINT_H

#include <stdbool.h>
#include <stdio.h>

#include "bridge/exportconfig.h"

enum keyprint_form {
	KEYPRINT_AUTO, /* all for a terminal, else the text */
	KEYPRINT_ALL,  /* the text, its QR code, and what to do with it */
	KEYPRINT_TEXT, /* one line */
};

/* The configured key, or, where `is_new` or there is none, a new one, which is written nowhere.
 * `path`: of the configuration. The exit code: 0, or 1, which has been complained of. */
int keyprint_run(
	const struct exportconfig *config, const char *path, bool is_new, enum keyprint_form form);

/* Black on white whatever the terminal's colours are, two rows of squares a line, with the margin
 * that readers want (ISO/IEC 18004: 4 squares); in UTF-8. 0; -ENOTSUP: this build has no QR codes;
 * or another -errno. */
int keyprint_qr(FILE *out, const char *text);

#endif
