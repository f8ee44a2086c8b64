/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * initext: sets and removes keys in the text of an INI file, and leaves all else as it is:
 * comments, order, line ends.
 *
 * Pure. Sees lines as inih and config do. What it makes of a value that cannot be written is for
 * whoever reads the text again to find out.
 */
#ifndef BRIDGE_INITEXT_H
#define BRIDGE_INITEXT_H

#include <stddef.h>

#define INITEXT_MAX_LINE 1024 /* bytes of a line that is added */

/* `value` NULL removes the key, with the comment on its line. Else its first line gets the value
 * and keeps its comment, any other is removed; if there is none, one is added to the section's
 * first part, and if there is no section, one at the end. `text` ends with a NUL and has room for
 * `size` bytes. 0, or -ENOSPC when that is too little or the line too long; then the text is of no
 * use. */
int initext_set(char *text, size_t size, const char *section, const char *key, const char *value);

#endif
