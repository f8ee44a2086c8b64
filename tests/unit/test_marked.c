/* SPDX-License-Identifier: GPL-2.0-or-later */
/* marked: in and out again, byte for byte, whatever has been written around it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bridge/marked.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define CUT ", which had no end of line before it"
#define MADE ", which was not there"

static char *exactly(const char *text, size_t size)
{
	char *copy = malloc(size ? size : 1);

	assert_non_null(copy);
	memcpy(copy, text, size);
	return copy;
}

static const struct add_case {
	const char *before, *after;
	bool made;
} adds[] = {
	{"a\n", "a\n" MARKED_BEGIN "\nx\ny\n" MARKED_END "\n", false},
	{"", MARKED_BEGIN "\nx\ny\n" MARKED_END "\n", false},
	{"", MARKED_BEGIN MADE "\nx\ny\n" MARKED_END "\n", true},
	{"a", "a\n" MARKED_BEGIN CUT "\nx\ny\n" MARKED_END "\n", false},
	{"a\r\n", "a\r\n" MARKED_BEGIN "\r\nx\r\ny\r\n" MARKED_END "\r\n", false},
	{"a\r\nb", "a\r\nb\r\n" MARKED_BEGIN CUT "\r\nx\r\ny\r\n" MARKED_END "\r\n", false},
	{"\n", "\n" MARKED_BEGIN "\nx\ny\n" MARKED_END "\n", false},
	{"a\r", "a\r\n" MARKED_BEGIN CUT "\nx\ny\n" MARKED_END "\n", false},
};

static void test_add(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(adds); i++) {
		const struct add_case *c = &adds[i];
		struct marked m, back;
		char *before = exactly(c->before, strlen(c->before)), *after;

		assert_int_equal(marked_add(&m, before, strlen(c->before), "x\ny\n", c->made), 0);
		assert_string_equal(m.text, c->after);
		assert_int_equal(m.size, strlen(c->after));
		after = exactly(m.text, m.size);
		assert_int_equal(marked_find(after, m.size, "x\ny\n"), 0);
		assert_int_equal(marked_remove(&back, after, m.size, "x\ny\n"), 0);
		assert_string_equal(back.text, c->before);
		assert_int_equal(back.size, strlen(c->before));
		assert_int_equal(back.none, c->made);
		free(before);
		free(after);
		free(m.text);
		free(back.text);
	}
}

static const struct remove_case {
	const char *before, *after; /* NULL: refused */
	int result;
	bool none;
} removes[] = {
	{"a\n", NULL, -ENOENT, false},
	{"", NULL, -ENOENT, false},
	/* Somebody has written around it, */
	{"a\nb\n" MARKED_BEGIN "\nx\n" MARKED_END "\nc\n", "a\nb\nc\n", 0, false},
	{"a\n" MARKED_BEGIN CUT "\nx\n" MARKED_END "\nc", "a\nc", 0, false},
	{"a\n" MARKED_BEGIN MADE "\nx\n" MARKED_END "\n", "a\n", 0, false},
	/* and an editor has changed ends of lines, or taken the last. */
	{"a\r\n" MARKED_BEGIN CUT "\r\nx\r\n" MARKED_END, "a", 0, false},
	{"a\n" MARKED_BEGIN CUT "\nx\n" MARKED_END "\r\n", "a", 0, false},
	{MARKED_BEGIN CUT "\nx\n" MARKED_END "\n", "", 0, false},
	{"\n" MARKED_BEGIN CUT "\nx\n" MARKED_END "\n", "", 0, false},
	{"a\n" MARKED_BEGIN "\nx\n", NULL, -EINVAL, false},
	{"a\n" MARKED_END "\nx\n", NULL, -EINVAL, false},
	{"a\n" MARKED_BEGIN "\n" MARKED_BEGIN "\n" MARKED_END "\n", NULL, -EINVAL, false},
	{"a\n" MARKED_BEGIN "x\nx\n " MARKED_END "\n", NULL, -ENOENT, false},
	/* What is between the two is not what was written there. */
	{"a\n" MARKED_BEGIN "\nx\nmine\n" MARKED_END "\n", NULL, -EINVAL, false},
	{"a\n" MARKED_BEGIN "\nmine\nx\n" MARKED_END "\n", NULL, -EINVAL, false},
	{"a\n" MARKED_BEGIN "\n#x\n" MARKED_END "\n", NULL, -EINVAL, false},
	{"a\n" MARKED_BEGIN "\n" MARKED_END "\n", NULL, -EINVAL, false},
};

static void test_remove(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(removes); i++) {
		const struct remove_case *c = &removes[i];
		char *before = exactly(c->before, strlen(c->before));
		struct marked m = {0};

		assert_int_equal(marked_remove(&m, before, strlen(c->before), "x\n"), c->result);
		assert_int_equal(marked_find(before, strlen(c->before), "x\n"), c->result);
		if (c->after)
			assert_string_equal(m.text, c->after);
		assert_int_equal(m.none, c->none);
		free(m.text);
		free(before);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_add),
		cmocka_unit_test(test_remove),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
