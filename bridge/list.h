/* SPDX-License-Identifier: GPL-2.0-or-later */
/* list: `ip2usb list`, what a server exports, for people or as JSON. */
#ifndef BRIDGE_LIST_H
#define BRIDGE_LIST_H

#include <stdbool.h>

/* Prints to standard output, problems to standard error. `server`: HOST, HOST:PORT, [ADDRESS]:PORT
 * or a bare IPv6 address. Returns the exit code: 0, or 1 when the server cannot be asked, 2 when
 * `server` is not of that form. */
int list_run(const char *server, bool json);

/* Splits `server` as above; false when it is not of that form. Sizes are those of struct config. */
bool list_parse_server(const char *server, char host[256], char port[8]);

#endif
