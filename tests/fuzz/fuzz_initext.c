/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * initext: whatever configuration is valid is so afterwards, has the value, and nothing else of it
 * has changed, neither for config nor of its comments; doing it again changes nothing. Any other
 * text, and any other value, is merely survived.
 *
 *   byte 0    the key, and whether it is removed (0x80)
 *   byte 1    bytes of the value, that follow; 0: a plain one
 *   then      the file
 */
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/config.h"
#include "bridge/initext.h"
#include "tests/fuzz/fuzz.h"

#define BOM "\xef\xbb\xbf"
#define MAX_TEXT 8192

static const struct key {
	const char *section, *name;
	const char *plain;
	size_t offset, size; /* in struct config */
} keys[] = {
#define AT(member) offsetof(struct config, member), sizeof(((struct config *)0)->member)
	{"server", "port", "12345", AT(server.port)},
	{"camera", "busid", "1-1.4", AT(camera.busid)},
	{"camera", "serial", "0123 AB", AT(camera.serial)},
	{"gadget", "udc", "dummy_udc.0", AT(gadget.udc)},
	{"led", "name", "led0", AT(led.name)},
};

static bool parses(struct config *c, const char *text)
{
	char error[512];
	int r = config_parse(c, "F", text, error, sizeof(error));

	return !r || r == -ENODATA;
}

/* Those that have a line of their own. */
static unsigned comments(const char *text)
{
	unsigned n = 0;

	for (; *text; text += strcspn(text, "\n"), text += *text == '\n') {
		text += strspn(text, " \t\v\f\r");
		n += *text == ';' || *text == '#';
	}
	return n;
}

/* inih, too, skips a byte-order mark: a second one, which nobody writes. */
static bool has_two_marks(const char *text)
{
	return !strncmp(text, BOM, strlen(BOM)) &&
		!strncmp(text + 3 + strspn(text + 3, " \t\v\f\r"), BOM, strlen(BOM));
}

static void check(const char *before, char *text, size_t room, const struct key *key, bool removed)
{
	struct config old, new, blank;
	char *again;

	if (!parses(&old, before) || has_two_marks(before) || strlen(before) > MAX_TEXT)
		return;
	/* A comment on the key's own line is kept, and may be too much for the longer line. */
	if (!parses(&new, text)) {
		char error[512];

		require(!removed);
		(void)config_parse(&new, "F", text, error, sizeof(error));
		require(strstr(error, "the line is too long"));
		return;
	}
	require(parses(&blank, ""));
	if (removed)
		require(!memcmp(
			(char *)&new + key->offset, (char *)&blank + key->offset, key->size));
	else
		require(!strcmp((char *)&new + key->offset, key->plain));
	memcpy((char *)&old + key->offset, (char *)&new + key->offset, key->size);
	require(!memcmp(&old, &new, sizeof(old)));
	require(comments(before) == comments(text));

	again = malloc(room);
	require(again);
	memcpy(again, text, strlen(text) + 1);
	require(!initext_set(again, room, key->section, key->name, removed ? NULL : key->plain));
	require(!strcmp(again, text));
	free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct key *key;
	char value[256] = "", *before, *text;
	size_t n, room;
	int r;

	if (size < 2)
		return 0;
	key = &keys[(data[0] & 0x7f) % (sizeof(keys) / sizeof(keys[0]))];
	n = data[1] < size - 2 ? data[1] : size - 2;
	memcpy(value, data + 2, n);
	before = calloc(1, size);
	require(before);
	memcpy(before, data + 2 + n, size - 2 - n);
	room = strlen(before) + (n ? n : 64);
	text = malloc(room);
	require(text);
	memcpy(text, before, strlen(before) + 1);
	r = initext_set(text, room, key->section, key->name,
		data[0] & 0x80 ? NULL
			: n    ? value
			       : key->plain);
	require(!r || r == -ENOSPC);
	if (!r)
		require(strlen(text) < room);
	if (!n) {
		require(!r);
		check(before, text, room, key, data[0] & 0x80);
	}
	free(before);
	free(text);
	return 0;
}
