/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * noticetext: what a server of pyusbip-notify says: a line for each device that is plugged in or
 * unplugged (docs/protocol.md, "Notices"); made, and read out of a stream of any pieces.
 *
 * Pure: no I/O, no allocation, no logging. What is no such line is left out.
 */
#ifndef BRIDGE_NOTICETEXT_H
#define BRIDGE_NOTICETEXT_H

#include <stddef.h>

#include "bridge/usbip.h"

/* What the server wants to be told first, in one segment and without an end of line. */
#define NOTICETEXT_HELLO "Client hello"

/* Bytes of the longest line, without its end. */
#define NOTICETEXT_MAX_LINE (USBIP_BUSID_SIZE - 1 + sizeof(";UNPLUGGED;") - 1)

/* A line with its end, and a NUL. */
#define NOTICETEXT_LINE_SIZE (NOTICETEXT_MAX_LINE + 2)

enum noticetext_event {
	NOTICETEXT_NONE,
	NOTICETEXT_PLUGGED,
	NOTICETEXT_UNPLUGGED,
};

/* All zeros at the start of a stream. */
struct noticetext {
	char line[NOTICETEXT_MAX_LINE];
	size_t have; /* bytes of the line under way; more than the longest: it is too long */
};

/* Reads on from *at, up to the end of the first line that says something, and moves *at there; with
 * `busid` of a device in the form that the server has in its list too. NONE: `end` is reached, and
 * what is left of a line is kept. */
enum noticetext_event noticetext_next(
	struct noticetext *t, const char **at, const char *end, char busid[USBIP_BUSID_SIZE]);

/* Makes the line that noticetext_next reads as this event of `busid`. Its bytes without the NUL;
 * 0, and an empty line: there is none for it, as it is no busid, or NONE. */
size_t noticetext_line(
	char line[NOTICETEXT_LINE_SIZE], enum noticetext_event event, const char *busid);

#endif
