/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/noticetext.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *text;
	enum noticetext_event event;
} ends[] = {
	{";PLUGGED;", NOTICETEXT_PLUGGED},
	{";UNPLUGGED;", NOTICETEXT_UNPLUGGED},
};

#define NUM_ENDS (sizeof(ends) / sizeof(ends[0]))

/* The terminated busid of a line's first `size` bytes. */
static bool take_busid(const char *line, size_t size, char busid[USBIP_BUSID_SIZE])
{
	uint8_t wire[USBIP_BUSID_SIZE];
	const char *field;

	if (size >= USBIP_BUSID_SIZE)
		return false;
	memset(busid, 0, USBIP_BUSID_SIZE);
	memcpy(busid, line, size);
	/* One with a NUL in it would be another's. */
	return strlen(busid) == size && !usbip_put_busid(wire, busid, &field);
}

static enum noticetext_event parse(const struct noticetext *t, char busid[USBIP_BUSID_SIZE])
{
	const char *end = t->have <= sizeof(t->line) ? memchr(t->line, ';', t->have) : NULL;
	size_t size = end ? (size_t)(end - t->line) : 0;

	if (!end || !take_busid(t->line, size, busid))
		return NOTICETEXT_NONE;
	for (size_t i = 0; i < NUM_ENDS; i++) {
		if (t->have - size == strlen(ends[i].text) &&
			!memcmp(end, ends[i].text, t->have - size))
			return ends[i].event;
	}
	return NOTICETEXT_NONE;
}

enum noticetext_event noticetext_next(
	struct noticetext *t, const char **at, const char *end, char busid[USBIP_BUSID_SIZE])
{
	enum noticetext_event event = NOTICETEXT_NONE;

	while (*at < end && event == NOTICETEXT_NONE) {
		char c = *(*at)++;

		if (c == '\n') {
			event = parse(t, busid);
			t->have = 0;
		} else if (t->have <= sizeof(t->line)) {
			if (t->have < sizeof(t->line))
				t->line[t->have] = c;
			t->have++;
		}
	}
	return event;
}

size_t noticetext_line(
	char line[NOTICETEXT_LINE_SIZE], enum noticetext_event event, const char *busid)
{
	uint8_t wire[USBIP_BUSID_SIZE];
	const char *field;

	*line = '\0';
	if (usbip_put_busid(wire, busid, &field))
		return 0;
	for (size_t i = 0; i < NUM_ENDS; i++) {
		if (ends[i].event == event)
			(void)snprintf(line, NOTICETEXT_LINE_SIZE, "%s%s\n", busid, ends[i].text);
	}
	return strlen(line);
}
