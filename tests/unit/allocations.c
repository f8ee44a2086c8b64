/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/allocations.h"

#include <stdbool.h>
#include <stdlib.h>

unsigned allocations;

static unsigned until_failure;

void allocations_fail(unsigned n)
{
	until_failure = n;
}

static bool fails(void)
{
	allocations++;
	return until_failure && !--until_failure;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t size)
{
	return fails() ? NULL : __real_realloc(p, size);
}
