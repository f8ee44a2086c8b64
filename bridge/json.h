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

/* Prints `root` and a newline to standard output, control characters escaped, and frees it. */
bool json_print(struct cJSON *root);

#endif
