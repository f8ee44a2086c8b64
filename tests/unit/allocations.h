/* SPDX-License-Identifier: GPL-2.0-or-later */
/* allocations: counts the calls of malloc, calloc and realloc by the program's and the test's own
 * code, in a test that is linked with --wrap for them (unit.cmake). */
#ifndef TESTS_ALLOCATIONS_H
#define TESTS_ALLOCATIONS_H

extern unsigned allocations;

#endif
