/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: `ip2usb check`, what is missing on this board, and what could be presented of the
 * configured camera; binds nothing. */
#ifndef BRIDGE_CHECK_H
#define BRIDGE_CHECK_H

#include <stdbool.h>

#include "bridge/acquisition.h"

struct board;
struct boardcheck;
struct config;
struct cJSON;
struct fit;
struct udc;
struct usb_profile;

/* Looks at the board, then imports and probes the camera, prints both to standard output, and lets
 * the camera go. Problems go to the log. The outcome is the camera's. OUTCOME_DONE: it can be
 * presented; OUTCOME_UNPRESENTABLE: not, or there is no free UDC. `error`: why there is no camera
 * to look at, OUTCOME_USAGE; NULL: there may be. `config` may be NULL then. */
enum outcome check_run(const struct config *config, const char *error, bool json);

/* What it prints of the board; of a healthy one a line. */
void check_print_board(const struct board *b, const struct boardcheck *c);

/* The same as an array, the board itself as its first note. */
struct cJSON *check_board_json(const struct board *b, const struct boardcheck *c);

/* What it prints of the camera. `udc` NULL: there is none. `board`, which is taken, is put before
 * it in JSON; NULL: none. False when it cannot be written. */
bool check_print(const char *busid, const struct usb_profile *p, const struct udc *udc,
	const struct fit *fit, bool json, struct cJSON *board);

#endif
