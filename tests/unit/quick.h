/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * quick: with IP2USB_TEST_QUICK set, tests that go through many cases take every so-manieth: under
 * valgrind, which is 50 times slower.
 */
#ifndef TESTS_QUICK_H
#define TESTS_QUICK_H

#include <stdbool.h>

bool quick_is_set(void);

/* `n`, or a part of it, at least 1. */
unsigned quick_part(unsigned n, unsigned divisor);

/* 1, or `step`. */
unsigned quick_step(unsigned step);

#endif
