/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * replacement: a file replaced, or made, in one step: whoever looks, also after a loss of power,
 * finds the old one or the new one, whole.
 */
#ifndef BRIDGE_REPLACEMENT_H
#define BRIDGE_REPLACEMENT_H

#include <limits.h>
#include <stddef.h>
#include <sys/stat.h>

struct replacement {
	char target[PATH_MAX];
	char temporary[PATH_MAX + 8]; /* beside it, until one of the last two calls */
};

/* Writes the new one beside `target`, which is to be no link, and has it on the disk. `owner`: of
 * the old one, whose owner it gets; NULL: there is none. 0 or -errno; then nothing is left. */
int replacement_begin(struct replacement *r, const char *target, const void *bytes, size_t size,
	mode_t mode, const struct stat *owner);

/* It takes the old one's place. 0 or -errno; then nothing is left of it. */
int replacement_commit(struct replacement *r);

void replacement_drop(struct replacement *r);

/* Has what was changed in the folder of `path` (made, renamed, removed) on the disk. */
void replacement_sync_folder(const char *path);

#endif
