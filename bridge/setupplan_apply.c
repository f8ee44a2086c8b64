/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A plan, shown and carried out. */
#include "bridge/setupplan.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "bridge/replacement.h"

#define NEW_MODE 0644
#define FOLDER_MODE 0755

/* ---- for people ---- */

static void print_change(const struct setupplan_change *c, FILE *out)
{
	char sign = c->goes ? '-' : '+';

	fprintf(out, "%s%s: %s\n", c->path,
		c->kind == SETUPPLAN_REMOVE			 ? " (removed)"
			: c->kind == SETUPPLAN_LINK || c->is_new ? " (new)"
								 : "",
		c->what);
	if (c->target)
		fprintf(out, "  %c -> %s\n", sign, c->target);
	for (const char *at = c->lines; at && *at;) {
		int n = (int)strcspn(at, "\n");

		if (*at != '#')
			fprintf(out, "  %c %.*s\n", sign, n, at);
		at += n + 1;
	}
}

void setupplan_print(const struct setupplan *p, FILE *out)
{
	for (unsigned i = 0; i < p->num_changes; i++)
		print_change(&p->changes[i], out);
	for (unsigned i = 0; i < p->num_notes; i++)
		fprintf(out, "note: %s\n", p->notes[i]);
}

/* ---- carrying out ---- */

/* As it was when the plan was made: a person may have thought about it for long. */
static bool is_unchanged(const struct setupplan_change *c, const char *path)
{
	struct stat now;

	if (lstat(path, &now))
		return c->is_new && errno == ENOENT;
	return !c->is_new && now.st_ino == c->old.st_ino && now.st_size == c->old.st_size &&
		now.st_mtim.tv_sec == c->old.st_mtim.tv_sec &&
		now.st_mtim.tv_nsec == c->old.st_mtim.tv_nsec;
}

static int write_file(const struct setupplan_change *c, const char *path)
{
	struct replacement r;
	int result;

	if (!is_unchanged(c, path))
		return -ESTALE;
	result = replacement_begin(&r, path, c->text, c->size,
		c->is_new ? NEW_MODE : c->old.st_mode & 07777, c->is_new ? NULL : &c->old);
	return result ? result : replacement_commit(&r);
}

static void folder_of(const char *path, char folder[PATH_MAX])
{
	(void)snprintf(folder, PATH_MAX, "%s", path);
	*strrchr(folder, '/') = 0;
}

static int carry_out(const struct setupplan *p, const struct setupplan_change *c)
{
	char path[PATH_MAX], folder[PATH_MAX];
	int r = 0;

	(void)snprintf(path, sizeof(path), "%s%s", p->root, c->path);
	folder_of(path, folder);
	if ((c->is_new || c->kind == SETUPPLAN_LINK) && mkdir(folder, FOLDER_MODE) &&
		errno != EEXIST)
		return -errno;
	if (c->kind == SETUPPLAN_WRITE)
		return write_file(c, path);
	if (c->kind == SETUPPLAN_LINK)
		r = symlink(c->target, path) ? -errno : 0;
	else
		r = unlink(path) ? -errno : 0;
	replacement_sync_folder(path);
	/* The link's, which has been made for it; not where there is anything else in it. */
	if (c->kind == SETUPPLAN_REMOVE && c->target)
		(void)rmdir(folder);
	return r;
}

int setupplan_apply(const struct setupplan *p, const char **failed)
{
	sigset_t all, before;
	int r = 0;

	/* A signal's end of the program would leave a temporary file behind. */
	(void)sigfillset(&all);
	(void)sigprocmask(SIG_BLOCK, &all, &before);
	for (unsigned i = 0; i < p->num_changes && !r; i++) {
		*failed = p->changes[i].path;
		r = carry_out(p, &p->changes[i]);
	}
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	return r;
}
