/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pair: `ip2usb pair` and `ip2usb unpair`, which camera of which server the configuration means. */
#ifndef BRIDGE_PAIR_H
#define BRIDGE_PAIR_H

#include <stdbool.h>
#include <stdio.h>

struct pairingkey;

struct pair_options {
	const char *server;	      /* as list_run takes it */
	const char *match;	      /* a bus id or VID:PID; NULL: any device */
	char *key;		      /* a text, which is overwritten; "-": it is read from
				       * standard input; NULL: that of the configuration, if it is
				       * of this server */
	const char *config;	      /* path of the configuration, */
	const char *const *overrides; /* and what may say otherwise, as for settings_read */
};

/* Imports the device for its serial number and writes the pairing. If several match and this is a
 * terminal, asks. Returns the exit code, an enum outcome. Problems go to the log. */
int pair_run(const struct pair_options *options);

/* Removes the pairing. Returns the exit code, an enum outcome. */
int pair_undo(const char *config);

/* A key, from a line of `in`. False: *why for people. */
bool pair_read_key(FILE *in, struct pairingkey *key, const char **why);

/* Asks on `out`, again and again, for a number from 1 to `n` on a line of `in`. 0: there is none to
 * come. */
unsigned pair_ask(FILE *in, FILE *out, unsigned n);

#endif
