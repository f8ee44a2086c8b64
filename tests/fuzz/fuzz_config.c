/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * config: any text is either taken, and then whole and within its limits, or refused with a text
 * that says where, whatever room there is for it.
 *
 *   byte 0   room for the error's text
 *   then     the file
 */
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/config.h"
#include "tests/fuzz/fuzz.h"

static void check_taken(const struct config *c)
{
	long port = strtol(c->server.port, NULL, 10);

	require(*c->server.host && strlen(c->server.host) < sizeof(c->server.host));
	require(!strpbrk(c->server.host, " \t\n/"));
	require(strlen(c->server.port) < sizeof(c->server.port) && port >= 1 && port <= 65535);
	require(strlen(c->server.notices) < sizeof(c->server.notices));
	if (strcmp(c->server.notices, "auto") && strcmp(c->server.notices, "off")) {
		port = strtol(c->server.notices, NULL, 10);
		require(port >= 1 && port <= 65535);
	}
	require(strlen(c->camera.busid) < sizeof(c->camera.busid));
	require(strlen(c->camera.serial) < sizeof(c->camera.serial));
	require(!strchr(c->camera.serial, '\n'));
	require(*c->gadget.udc && strlen(c->gadget.udc) < sizeof(c->gadget.udc));
	require(!strchr(c->gadget.udc, '/'));
	require(c->gadget.max_power_ma >= CONFIG_MIRROR && c->gadget.max_power_ma <= 500);
	require(c->gadget.self_powered >= CONFIG_MIRROR && c->gadget.self_powered <= 1);
	require(c->gadget.unplug_after_s <= 3600);
	require(c->link.hold_s <= 600);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config *c = malloc(sizeof(*c));
	size_t room = size ? (size_t)data[0] + 1 : 1;
	char *error = malloc(room), *text = malloc(size + 1);

	require(c && error && text);
	memset(c, 0xff, sizeof(*c));
	memset(error, 0, room);
	if (size)
		memcpy(text, data + 1, size - 1);
	text[size ? size - 1 : 0] = 0;
	if (!config_parse(c, "F", text, error, room)) {
		check_taken(c);
	} else {
		require(strnlen(error, room) < room);
		require(room < 3 || (error[0] == 'F' && error[1] == ':'));
	}
	free(c);
	free(error);
	free(text);
	return 0;
}
