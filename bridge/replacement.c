/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/replacement.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int fill(int fd, const void *bytes, size_t size, mode_t mode, const struct stat *owner)
{
	ssize_t written = write(fd, bytes, size);

	if (written != (ssize_t)size)
		return written < 0 ? -errno : -ENOSPC;
	/* The owner first: chown takes bits of the mode away. A FAT allows both as long as they
	 * change nothing, as it does with those of another file of its own. */
	if (owner && fchown(fd, owner->st_uid, owner->st_gid))
		return -errno;
	return fchmod(fd, mode) || fsync(fd) ? -errno : 0;
}

int replacement_begin(struct replacement *r, const char *target, const void *bytes, size_t size,
	mode_t mode, const struct stat *owner)
{
	int fd, result;

	if (strlen(target) >= sizeof(r->target))
		return -ENAMETOOLONG;
	strcpy(r->target, target);
	(void)snprintf(r->temporary, sizeof(r->temporary), "%s.XXXXXX", target);
	fd = mkostemp(r->temporary, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	result = fill(fd, bytes, size, mode, owner);
	if (close(fd) && !result)
		result = -errno;
	if (result)
		replacement_drop(r);
	return result;
}

static void sync_path(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	(void)fsync(fd);
	(void)close(fd);
}

int replacement_commit(struct replacement *r)
{
	int result = rename(r->temporary, r->target) ? -errno : 0;

	if (result) {
		replacement_drop(r);
		return result;
	}
	/* On a FAT the name leads to the new text only when the file's entry is written, which the
	 * folder's fsync does not do; it does free what the name still leads to. */
	sync_path(r->target);
	replacement_sync_folder(r->target);
	return 0;
}

void replacement_drop(struct replacement *r)
{
	(void)unlink(r->temporary);
}

void replacement_sync_folder(const char *path)
{
	char folder[PATH_MAX];

	(void)snprintf(folder, sizeof(folder), "%s", path);
	sync_path(dirname(folder));
}
