/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * replay: runs a fuzz target over files, where there is no libFuzzer. Each file, or file of a
 * folder, is given in memory of exactly its size, so that ASan and valgrind see one byte too many.
 */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/fuzz/fuzz.h"

static int fail(const char *path)
{
	int error = errno ? errno : EIO; /* a file that became shorter has no errno */

	fprintf(stderr, "replay: %s: %s\n", path, strerror(error));
	return -error;
}

/* 0 or -errno. */
static int run_file(const char *path, size_t size)
{
	FILE *f;
	uint8_t *data;
	size_t n;

	errno = 0;
	f = fopen(path, "rb");
	if (!f)
		return fail(path);
	data = malloc(size);
	n = data ? fread(data, 1, size, f) : 0;
	(void)fclose(f);
	if (n != size) {
		free(data);
		return fail(path);
	}
	/* Out before the call, so that the last name is that of a file that aborts. */
	printf("%s\n", path);
	(void)fflush(stdout);
	(void)LLVMFuzzerTestOneInput(data, size);
	free(data);
	return 0;
}

static int not_hidden(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static int run(const char *path, unsigned *files);

static int run_folder(const char *path, unsigned *files)
{
	struct dirent **entries;
	int n = scandir(path, &entries, not_hidden, alphasort);
	int r = 0;

	if (n < 0)
		return fail(path);
	for (int i = 0; i < n; i++) {
		char *name = NULL;

		if (!r && asprintf(&name, "%s/%s", path, entries[i]->d_name) < 0)
			r = -ENOMEM;
		else if (!r)
			r = run(name, files);
		free(name);
		free(entries[i]);
	}
	free(entries);
	return r;
}

static int run(const char *path, unsigned *files)
{
	struct stat st;
	int r;

	if (stat(path, &st))
		return fail(path);
	if (S_ISDIR(st.st_mode))
		return run_folder(path, files);
	r = run_file(path, (size_t)st.st_size);
	if (!r)
		++*files;
	return r;
}

int main(int argc, char **argv)
{
	unsigned files = 0;

	for (int i = 1; i < argc; i++) {
		if (run(argv[i], &files))
			return 1;
	}
	if (!files) {
		fprintf(stderr, "replay: no file to run\n");
		return 1;
	}
	printf("replay: %u files\n", files);
	return 0;
}
