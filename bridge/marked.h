/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * marked: lines of ours at the end of somebody else's text, between two comments, by which they are
 * found again and taken out, and the text is what it was, byte for byte.
 *
 * The first comment tells what the lines themselves do not: that the text's last line had no end,
 * or that there was no text. Whatever was written before or behind them in the meantime stays. Ends
 * of lines are the text's own, LF or CRLF. Pure but for the memory.
 */
#ifndef BRIDGE_MARKED_H
#define BRIDGE_MARKED_H

#include <stdbool.h>
#include <stddef.h>

#define MARKED_BEGIN "# ip2usb setup: begin; 'ip2usb setup --undo' removes this"
#define MARKED_END "# ip2usb setup: end"

struct marked {
	char *text; /* the new one, to be freed; a NUL behind it */
	size_t size;
	bool none; /* marked_remove: there was no text before, nor is there any now */
};

/* `lines` have LF at their ends. `made`: there is no text yet. 0 or -ENOMEM. */
int marked_add(struct marked *m, const char *text, size_t size, const char *lines, bool made);

/* Whether they are there: 0; -ENOENT: they are not; -EINVAL: one of the two comments is missing, or
 * somebody has changed what is between them. */
int marked_find(const char *text, size_t size, const char *lines);

/* 0, as marked_find, or -ENOMEM. */
int marked_remove(struct marked *m, const char *text, size_t size, const char *lines);

#endif
