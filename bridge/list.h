/* SPDX-License-Identifier: GPL-2.0-or-later */
/* list: `ip2usb list`, what a server exports, for people or as JSON. */
#ifndef BRIDGE_LIST_H
#define BRIDGE_LIST_H

#include <stdbool.h>
#include <stddef.h>

#define LIST_MAX_LINE 384 /* bytes */

struct cJSON;
struct devlist;
struct devlist_entry;
struct pairingkey;

/* Prints to standard output, problems to standard error. `server`: HOST, HOST:PORT, [ADDRESS]:PORT
 * or a bare IPv6 address; with `key`, unless that is NULL. Returns the exit code: 0, or 1 when the
 * server cannot be asked, 2 when `server` is not of that form. */
int list_run(const char *server, const struct pairingkey *key, bool json);

/* Splits `server` as above; false when it is not of that form. Sizes are those of struct config. */
bool list_parse_server(const char *server, char host[256], char port[8]);

/* Asks a server, with `key` unless that is NULL. 0, and `list` is to be given to devlist_fini; or
 * -errno, with *why for people. */
int list_fetch(struct devlist *list, const char *host, const char *port,
	const struct pairingkey *key, const char **why);

/* A device as list_run prints it; returns `out`. */
const char *list_line(const struct devlist_entry *entry, char *out, size_t size);

/* Prints a line a device to standard output, each with `indent` before it. */
void list_print(const struct devlist *list, const char *indent);

/* A new array with an object a device, as list_run has it. */
struct cJSON *list_json(const struct devlist *list);

#endif
