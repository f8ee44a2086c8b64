/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/boardtree.h"

#include <stdarg.h>
#include <setjmp.h>
#include <fts.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct place {
	char path[PATH_MAX];
};

static struct place in(const struct boardtree *t, const char *path)
{
	struct place p;

	(void)snprintf(p.path, sizeof(p.path), "%s%s", t->root, path);
	return p;
}

void boardtree_make(struct boardtree *t)
{
	strcpy(t->root, "/tmp/boardtree.XXXXXX");
	assert_non_null(mkdtemp(t->root));
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

static FTS *walk(const char *path)
{
	char *paths[] = {(char *)path, NULL};
	FTS *fts = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, by_name);

	assert_non_null(fts);
	return fts;
}

static void remove_all(const char *path)
{
	FTS *fts = walk(path);
	FTSENT *e;

	while ((e = fts_read(fts)))
		if (e->fts_info != FTS_D)
			assert_int_equal(remove(e->fts_accpath), 0);
	(void)fts_close(fts);
}

void boardtree_remove(struct boardtree *t)
{
	remove_all(t->root);
}

void boardtree_delete_folder(const struct boardtree *t, const char *path)
{
	remove_all(in(t, path).path);
}

static void make_folders(char *path, size_t root)
{
	for (char *slash = path + root; (slash = strchr(slash + 1, '/'));) {
		*slash = 0;
		(void)mkdir(path, 0755);
		*slash = '/';
	}
}

void boardtree_put_bytes(const struct boardtree *t, const char *path, const void *bytes, size_t n)
{
	struct place p = in(t, path);
	FILE *file;

	make_folders(p.path, strlen(t->root));
	file = fopen(p.path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, n, file), n);
	assert_int_equal(fclose(file), 0);
}

void boardtree_put(const struct boardtree *t, const char *path, const char *text)
{
	boardtree_put_bytes(t, path, text, strlen(text));
}

void boardtree_link(const struct boardtree *t, const char *path, const char *target)
{
	struct place p = in(t, path);

	make_folders(p.path, strlen(t->root));
	assert_int_equal(symlink(target, p.path), 0);
}

void boardtree_delete(const struct boardtree *t, const char *path)
{
	assert_int_equal(unlink(in(t, path).path), 0);
}

static size_t slurp(const char *path, char *out, size_t size)
{
	FILE *file = fopen(path, "r");
	size_t n;

	if (!file)
		return (size_t)-1;
	n = fread(out, 1, size, file);
	(void)fclose(file);
	return n;
}

bool boardtree_has(const struct boardtree *t, const char *path, const char *text)
{
	static char got[1 << 17];
	size_t n = slurp(in(t, path).path, got, sizeof(got));

	return n == strlen(text) && !memcmp(got, text, n);
}

char *boardtree_list(const struct boardtree *t)
{
	static char bytes[1 << 17];
	char *text, target[PATH_MAX];
	size_t size;
	FILE *out = open_memstream(&text, &size);
	FTS *fts = walk(t->root);
	FTSENT *e;

	assert_non_null(out);
	while ((e = fts_read(fts))) {
		ssize_t n = e->fts_info == FTS_SL ? readlink(e->fts_accpath, target, sizeof(target))
						  : 0;

		if (e->fts_info == FTS_DP)
			continue;
		fprintf(out, "%s %o %.*s\n", e->fts_path + strlen(t->root), e->fts_statp->st_mode,
			(int)n, target);
		if (e->fts_info == FTS_F)
			(void)fwrite(bytes, 1, slurp(e->fts_accpath, bytes, sizeof(bytes)), out);
	}
	(void)fts_close(fts);
	assert_int_equal(fclose(out), 0);
	return text;
}
