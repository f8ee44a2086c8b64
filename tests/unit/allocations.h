/* SPDX-License-Identifier: GPL-2.0-or-later */
/* allocations: counts the calls of malloc, calloc and realloc by the program's and the test's own
 * code, and lets one of them fail, in a test that is linked with --wrap for them (unit.cmake). */
#ifndef TESTS_ALLOCATIONS_H
#define TESTS_ALLOCATIONS_H

extern unsigned allocations;

/* The n-th from now fails; 0: none does any more. */
void allocations_fail(unsigned n);

#endif
