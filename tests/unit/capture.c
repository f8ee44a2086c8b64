/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/capture.h"

void capture_begin(struct capture *c, int fd)
{
	(void)fflush(NULL);
	c->fd = fd;
	c->saved = dup(fd);
	c->file = memfd_create("capture", MFD_CLOEXEC);
	assert_int_equal(dup2(c->file, fd), fd);
}

void capture_end(struct capture *c, char *out, size_t size)
{
	ssize_t n;

	(void)fflush(NULL);
	assert_int_equal(dup2(c->saved, c->fd), c->fd);
	n = pread(c->file, out, size - 1, 0);
	assert_in_range(n, 0, size - 2);
	out[n] = 0;
	close(c->file);
	close(c->saved);
}
