/* SPDX-License-Identifier: GPL-2.0-or-later */
/* capture: what is written to a file descriptor of this process. */
#ifndef TESTS_CAPTURE_H
#define TESTS_CAPTURE_H

#include <stddef.h>

struct capture {
	int fd, file, saved;
};

/* What goes to `fd` (1 or 2) from here on is kept. */
void capture_begin(struct capture *c, int fd);

/* As a string, which has to fit. */
void capture_end(struct capture *c, char *out, size_t size);

#endif
