/* SPDX-License-Identifier: GPL-2.0-or-later */
/* filetext: small files, whole, and of a bounded size whatever they are. */
#ifndef BRIDGE_FILETEXT_H
#define BRIDGE_FILETEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Reads the regular file `path`; no link is followed at its end, and nothing is waited for. *text
 * is the taker's to free, and has a NUL behind its *size bytes, of which any may be NUL too. 0 or
 * -errno, of which -ELOOP: it is a link, -EINVAL: no file, -EFBIG: more than `max` bytes. */
int filetext_read(const char *path, size_t max, char **text, size_t *size);

/* Its first line, or first string, without the end; empty when there is none to be had, cut where
 * it does not fit. Links are followed: sysfs is made of them. */
void filetext_line(char *out, size_t size, const char *path);

/* Whether the file is there and has `word` in it. */
bool filetext_has(const char *path, const char *word);

#endif
