/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz: what the targets share: a check that the fuzzer notices, and its bytes one after the other.
 */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	const uint8_t *at;
	size_t left;
};

static inline void require(bool holds)
{
	if (!holds)
		abort();
}

/* 0 when there is no more. */
static inline uint8_t byte(struct input *in)
{
	if (!in->left)
		return 0;
	in->left--;
	return *in->at++;
}

#endif
