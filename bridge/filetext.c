/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/filetext.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define STEP 4096
#define MAX_SEARCHED (8u << 20) /* the largest modules.dep there are have some 1 MiB */

/* Until its end, as files of /proc and /sys do not tell how long they are. */
static int read_all(int fd, size_t max, char **text, size_t *size)
{
	char *grown, *bytes = NULL;
	size_t room = 0, n = 0;
	ssize_t got;

	do {
		if (n == room) {
			room = room ? 2 * room : STEP;
			grown = realloc(bytes, room + 1);
			if (!grown) {
				free(bytes);
				return -ENOMEM;
			}
			bytes = grown;
		}
		got = read(fd, bytes + n, room - n);
		n += got > 0 ? (size_t)got : 0;
	} while (got > 0 && n <= max);
	if (got < 0 || n > max) {
		int r = got < 0 ? -errno : -EFBIG;

		free(bytes);
		return r;
	}
	bytes[n] = 0;
	*text = bytes;
	*size = n;
	return 0;
}

int filetext_read(const char *path, size_t max, char **text, size_t *size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	struct stat stat;
	int r;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &stat))
		r = -errno;
	else
		r = S_ISREG(stat.st_mode) ? read_all(fd, max, text, size) : -EINVAL;
	close(fd);
	return r;
}

void filetext_line(char *out, size_t size, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	ssize_t n = fd < 0 ? -1 : read(fd, out, size - 1);

	if (fd >= 0)
		close(fd);
	out[n > 0 ? n : 0] = 0;
	out[strcspn(out, "\n")] = 0;
}

bool filetext_has(const char *path, const char *word)
{
	char *text;
	size_t size;
	bool has;

	if (filetext_read(path, MAX_SEARCHED, &text, &size))
		return false;
	has = memmem(text, size, word, strlen(word));
	free(text);
	return has;
}
