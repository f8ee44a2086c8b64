/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bridge/initext.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define BOM "\xef\xbb\xbf"

/* [s] k, always. */
static const struct edit {
	const char *name, *value; /* NULL: removed */
	const char *before, *after;
} edits[] = {
	/* ---- set where it is ---- */
	{"in place", "new", "[s]\nk = old\nl = 1\n", "[s]\nk = new\nl = 1\n"},
	{"the line's own blanks", "new", "[s]\n\tk=old  \n", "[s]\n\tk=new  \n"},
	{"colon", "new", "[s]\nk: old\n", "[s]\nk: new\n"},
	{"the line's comment", "new", "[s]\nk = old ; why\n", "[s]\nk = new ; why\n"},
	{"semicolons of the value", "new", "[s]\nk =;old;er\t;why\n", "[s]\nk =new\t;why\n"},
	{"empty", "new", "[s]\nk =\nl=1\n", "[s]\nk = new\nl=1\n"},
	{"empty with a comment", "new", "[s]\nk = ; why\n", "[s]\nk = new ; why\n"},
	{"empty with blanks", "new", "[s]\nk =  \r\n", "[s]\nk = new  \r\n"},
	{"CRLF", "new", "[s]\r\nk = old\r\n", "[s]\r\nk = new\r\n"},
	{"no newline at the end", "new", "[s]\nk = old", "[s]\nk = new"},
	{"present twice", "new", "[s]\nk = a\nl = 1\nk = b ; c\nm = 2\n",
		"[s]\nk = new\nl = 1\nm = 2\n"},
	{"section twice, in the second", "new", "[s]\nl = 1\n[t]\n[s]\nk = a\n",
		"[s]\nl = 1\n[t]\n[s]\nk = new\n"},
	{"section twice, in both", "new", "[s]\nk = a\n[t]\nk = 1\n[s]\nk = b",
		"[s]\nk = new\n[t]\nk = 1\n[s]\n"},
	{"header with a comment", "new", " [s] ; c\nk = a\n", " [s] ; c\nk = new\n"},
	{"BOM", "new", BOM "[s]\nk = a\n", BOM "[s]\nk = new\n"},
	{"of the section alone", "new", "[t]\nk = a\n[s]\nk = b\n[u]\nk = c\n",
		"[t]\nk = a\n[s]\nk = new\n[u]\nk = c\n"},
	{"of the name alone", "new", "[s]\nkk = a\nk2 = b\nK = c\n;k = d\nk\nk = e\n",
		"[s]\nkk = a\nk2 = b\nK = c\n;k = d\nk\nk = new\n"},
	{"no equals sign at the end", "new", "[s]\nk = a\nk", "[s]\nk = new\nk"},
	/* ---- added ---- */
	{"nothing there", "new", "", "[s]\nk = new\n"},
	{"nothing but a BOM", "new", BOM, BOM "[s]\nk = new\n"},
	{"no section", "new", "; c\n[t]\nk = 1\n", "; c\n[t]\nk = 1\n\n[s]\nk = new\n"},
	{"no section, an empty line", "new", "; c\n\n", "; c\n\n[s]\nk = new\n"},
	{"no section, no newline at the end", "new", "; c", "; c\n\n[s]\nk = new\n"},
	{"no section, CRLF", "new", "; c\r\n; d", "; c\r\n; d\r\n\r\n[s]\r\nk = new\r\n"},
	{"sections with alike names", "new", "[ss]\n[S]\n[ s]\n",
		"[ss]\n[S]\n[ s]\n\n[s]\nk = new\n"},
	{"behind the last key", "new", "[s]\nl = 1\n\n; t\n[t]\n",
		"[s]\nl = 1\nk = new\n\n; t\n[t]\n"},
	{"behind the default", "new", "[s]\n; about k\n;k = old\n\n[t]\n",
		"[s]\n; about k\n;k = old\nk = new\n\n[t]\n"},
	{"behind an empty section", "new", "[s]\n[t]\n", "[s]\nk = new\n[t]\n"},
	{"a section at the end", "new", "[t]\n[s]", "[t]\n[s]\nk = new\n"},
	{"a section at the end, CRLF", "new", "[t]\r\n[s]", "[t]\r\n[s]\r\nk = new\r\n"},
	{"section twice, to the first", "new", "[s]\n[t]\n[s]\n", "[s]\nk = new\n[t]\n[s]\n"},
	/* ---- removed ---- */
	{"removed", NULL, "[s] ; c\n; d\nk = a ; e\nl = 1\n", "[s] ; c\n; d\nl = 1\n"},
	{"removed, CRLF", NULL, "[s]\r\nk = a\r\n;k = d\r\n", "[s]\r\n;k = d\r\n"},
	{"removed, no newline at the end", NULL, "[s]\nk = a", "[s]\n"},
	{"removed, wherever it is", NULL,
		"[s]\nk=a\nk:b\n[t]\nk=1\n[s]\n\tk =c\nk=", "[s]\n[t]\nk=1\n[s]\n"},
	{"removed, and not there", NULL, "[s]\nl = 1\n[t]\nk = 1", "[s]\nl = 1\n[t]\nk = 1"},
	{"removed of nothing", NULL, "", ""},
	/* ---- lines that are none: nothing is done to them ---- */
	{"an open bracket", "new", "[s\nk = a\n", "[s\nk = a\n\n[s]\nk = new\n"},
	{"before any section", "new", "k = a\n", "k = a\n\n[s]\nk = new\n"},
};

/* With no more room than it takes: the value is there before the key's second line is gone. */
static void test_edits(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(edits); i++) {
		const struct edit *e = &edits[i];
		size_t before = strlen(e->before) + 1, after = strlen(e->after) + 1;
		size_t size = (before > after ? before : after) + 2;
		char *text = malloc(size);
		int r;

		memcpy(text, e->before, before);
		r = initext_set(text, size, "s", "k", e->value);
		if (r || strcmp(text, e->after) != 0)
			fail_msg("%s: %d, '%s' instead of '%s'", e->name, r, text, e->after);
		free(text);
	}
}

static void test_no_room(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(edits); i++) {
		const struct edit *e = &edits[i];
		size_t before = strlen(e->before) + 1, after = strlen(e->after) + 1;

		for (size_t size = before; size < after; size++) {
			char *text = malloc(size);

			memcpy(text, e->before, before);
			assert_int_equal(initext_set(text, size, "s", "k", e->value), -ENOSPC);
			free(text);
		}
	}
}

static void test_long(void **state)
{
	char text[4096] = "[s]\n", value[INITEXT_MAX_LINE];

	(void)state;
	memset(value, 'x', sizeof(value));
	value[sizeof(value) - sizeof("k = \n")] = 0; /* as long as it may be */
	assert_int_equal(initext_set(text, sizeof(text), "s", "k", value), 0);
	assert_int_equal(strlen(text), strlen("[s]\n") + INITEXT_MAX_LINE - 1);
	strcpy(text, "[s]\n");
	memset(value, 'x', sizeof(value));
	value[sizeof(value) - sizeof("k = \n") + 1] = 0;
	assert_int_equal(initext_set(text, sizeof(text), "s", "k", value), -ENOSPC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_edits),
		cmocka_unit_test(test_no_room),
		cmocka_unit_test(test_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
