/* SPDX-License-Identifier: GPL-2.0-or-later */
/* log: what a line begins with, and what of others' text reaches a terminal. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "bridge/log.h"
#include "tests/unit/capture.h"

#define NUM(table) (sizeof(table) / sizeof(table[0]))

static const struct text {
	const char *text, *clean; /* NULL: the same */
} texts[] = {
	{"", NULL},
	{" Canon ~", NULL},
	{"\033[2J\n\t\x01\x1f|\x7f", "?[2J????|?"},
	/* C1: the first, CSI, the last; U+00A0 is none. */
	{"\xc2\x80|\xc2\x9b"
	 "2J|\xc2\x9f|\xc2\xa0",
		"??|??2J|??|\xc2\xa0"},
	/* The same bytes in other characters. */
	{"\xc3\x9b\xe2\x82\x9b\xf0\x9f\x93\xb7", NULL},
	/* CSI as ISO 8859-1 has it. */
	{"\x9b"
	 "2J",
		"?2J"},
	/* The first and the last of each length. */
	{"\xdf\xbf|\xe0\xa0\x80|\xed\x9f\xbf|\xee\x80\x80|\xef\xbf\xbf", NULL},
	{"\xf0\x90\x80\x80|\xf4\x8f\xbf\xbf", NULL},
	/* ESC and CSI in more bytes than they need. */
	{"\xc0\x9b|\xc1\x9b|\xe0\x80\x9b|\xe0\x82\x9b|\xf0\x80\x82\x9b", "??|??|???|???|????"},
	/* Surrogates; above U+10FFFF; no leads. */
	{"\xed\xa0\x80|\xf4\x90\x80\x80|\xf5\x80\x80\x80|\xff\xfe", "???|????|????|??"},
	/* Cut short: what follows is not swallowed. */
	{"\xc3\033|\xe2\x82\033|\xf0\x9f\x93\033", "??|???|????"},
	{"\xc3\xc3\xbc", "?\xc3\xbc"},
	{"a\xc3", "a?"},
	{"a\xe2\x82", "a??"},
	{"a\xf0\x9f\x93", "a???"},
};

static void test_clean(void **state)
{
	(void)state;
	for (size_t i = 0; i < NUM(texts); i++) {
		const struct text *t = &texts[i];
		size_t size = strlen(t->text);
		char *text = malloc(size); /* without a NUL */

		if (size)
			memcpy(text, t->text, size);
		log_clean(text, size);
		if (size)
			assert_memory_equal(text, t->clean ? t->clean : t->text, size);
		free(text);
	}
}

/* What log_write writes to standard error. */
static void written(const char *text, char out[1024])
{
	struct capture capture;

	capture_begin(&capture, 2);
	log_warning("%s", text);
	capture_end(&capture, out, 1024);
}

static void test_line(void **state)
{
	char out[1024], text[1000];
	size_t size;

	(void)state;
	unsetenv("JOURNAL_STREAM");
	written("a\nb\xc2\x9b\xc3\xbc", out);
	assert_string_equal(out, "warning: a?b??\xc3\xbc\n");
	/* Nor is a character cut in two, wherever the line's end falls. */
	for (size_t head = 0; head < 3; head++) {
		memset(text, 'x', head);
		for (size = head; size + 3 < sizeof(text); size += 3)
			memcpy(text + size, "\xe2\x82\xac", 3);
		text[size] = 0;
		written(text, out);
		size = strlen(out);
		assert_int_equal(out[size - 1], '\n');
		size -= 1 + (out[size - 2] == '?') + (out[size - 3] == '?');
		assert_memory_equal(out + size - 3, "\xe2\x82\xac", 3);
	}
}

/* As systemd would name it, with `ino_off` added to the inode. */
static void set_journal(int fd, const char *format, unsigned ino_off)
{
	char stream[64];
	struct stat is;

	assert_int_equal(fstat(fd, &is), 0);
	(void)snprintf(stream, sizeof(stream), format, (uintmax_t)is.st_dev,
		(uintmax_t)is.st_ino + ino_off);
	setenv("JOURNAL_STREAM", stream, 1);
}

static void test_journal(void **state)
{
	static const struct {
		const char *format;
		unsigned ino_off;
		const char *line;
	} cases[] = {
		{"%ju:%ju", 0, "<4>?\n"},
		/* A terminal opened by a service. */
		{"%ju:%ju", 1, "warning: ?\n"},
		{"1%ju:%ju", 0, "warning: ?\n"},
		{"%ju:%ju ", 0, "warning: ?\n"},
		{"%ju", 0, "warning: ?\n"},
		{"", 0, "warning: ?\n"},
	};
	char out[1024];

	(void)state;
	for (size_t i = 0; i < NUM(cases); i++) {
		struct capture capture;

		capture_begin(&capture, 2);
		set_journal(2, cases[i].format, cases[i].ino_off);
		log_warning("\x7f");
		capture_end(&capture, out, sizeof(out));
		assert_string_equal(out, cases[i].line);
	}
	unsetenv("JOURNAL_STREAM");
}

static void test_levels(void **state)
{
	struct capture capture;
	char out[1024];

	(void)state;
	capture_begin(&capture, 2);
	set_journal(2, "%ju:%ju", 0);
	log_error("a");
	log_info("b");
	log_set_level(LOG_DEBUG);
	log_debug("c");
	log_set_level(LOG_INFO);
	log_debug("d");
	unsetenv("JOURNAL_STREAM");
	log_error("e");
	log_info("f");
	capture_end(&capture, out, sizeof(out));
	assert_string_equal(out, "<3>a\n<6>b\n<7>c\nerror: e\nf\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clean),
		cmocka_unit_test(test_line),
		cmocka_unit_test(test_journal),
		cmocka_unit_test(test_levels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
