/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * noticetext: of any stream, in whatever pieces, exactly those lines are heard that could have been
 * written so: "BUSID;PLUGGED;" or "BUSID;UNPLUGGED;". And each is what noticetext_line makes of it.
 *
 *   byte 0    bytes of each piece; 0: all at once
 *   then      the stream
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/noticetext.h"
#include "tests/fuzz/fuzz.h"

/* The lines of `text` from *at on, by another way: the next that says something, or NULL. */
static const char *next_line(const char **at, const char *end, size_t *size, bool *plugged)
{
	static const char busid_chars[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.:_-";
	const char *newline;

	for (; *at < end && (newline = memchr(*at, '\n', (size_t)(end - *at))); *at = newline + 1) {
		char line[64] = "", word[16] = "";
		size_t n = (size_t)(newline - *at);

		if (n >= sizeof(line))
			continue;
		memcpy(line, *at, n);
		*size = strspn(line, busid_chars);
		(void)snprintf(word, sizeof(word), "%s", line + *size);
		*plugged = !strcmp(word, ";PLUGGED;");
		if (strlen(line) == n && *size > 0 && *size < USBIP_BUSID_SIZE &&
			(*plugged || !strcmp(word, ";UNPLUGGED;"))) {
			const char *found = *at;

			*at = newline + 1;
			return found;
		}
	}
	return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t piece = size && data[0] ? data[0] : SIZE_MAX;
	const char *text = size ? (const char *)data + 1 : "", *expected = text;
	size_t left = size ? size - 1 : 0;
	const char *all_end = text + left;
	struct noticetext t = {.have = 0};
	char made[NOTICETEXT_LINE_SIZE];
	size_t busid_size, made_size;
	bool plugged;

	while (left) {
		size_t n = piece < left ? piece : left;
		char *copy = malloc(n), busid[USBIP_BUSID_SIZE];
		const char *at = copy;
		enum noticetext_event event;

		require(copy);
		memcpy(copy, text, n);
		while ((event = noticetext_next(&t, &at, copy + n, busid)) != NOTICETEXT_NONE) {
			const char *line = next_line(&expected, all_end, &busid_size, &plugged);

			require(line && strlen(busid) == busid_size);
			require(!memcmp(line, busid, busid_size));
			require(plugged == (event == NOTICETEXT_PLUGGED));
			made_size = noticetext_line(made, event, busid);
			require(made_size == (size_t)(expected - line));
			require(!memcmp(made, line, made_size));
		}
		require(at == copy + n);
		free(copy);
		text += n;
		left -= n;
	}
	require(!next_line(&expected, all_end, &busid_size, &plugged));
	return 0;
}
