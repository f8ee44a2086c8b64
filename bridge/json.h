/* SPDX-License-Identifier: GPL-2.0-or-later */
/* json: what the commands' --json have in common, over cJSON. */
#ifndef BRIDGE_JSON_H
#define BRIDGE_JSON_H

#include <stdbool.h>
#include <stdint.h>

struct cJSON;

/* Adds a number as lsusb writes it: hexadecimal, `digits` of them at least. */
void json_add_hex(struct cJSON *object, const char *name, unsigned value, int digits);

/* A new object with class, subclass and protocol. */
struct cJSON *json_class(uint8_t class, uint8_t subclass, uint8_t protocol);

/* A text with a newline at its end, control characters escaped, to be freed; NULL: out of memory.
 */
char *json_text(const struct cJSON *root);

/* Prints `root` so to standard output, and frees it. */
bool json_print(struct cJSON *root);

#endif
