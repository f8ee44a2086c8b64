/* SPDX-License-Identifier: GPL-2.0-or-later */
/* noticetext: lines that say something, and all others, in pieces of any size. */
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bridge/noticetext.h"

#define BUSID31 "0123456789abcdef0123456789abcde"

static const struct text {
	const char *name, *text;
	const char *heard; /* "+BUSID " plugged, "-BUSID " unplugged */
	size_t size;	   /* of a text with NULs; else 0 */
} texts[] = {
	{.name = "nothing", .text = "", .heard = ""},
	{.name = "plugged", .text = "1-4;PLUGGED;\n", .heard = "+1-4 "},
	{.name = "unplugged", .text = "1-4;UNPLUGGED;\n", .heard = "-1-4 "},
	{.name = "several",
		.text = "1-4;PLUGGED;\n20-13;PLUGGED;\n1-4;UNPLUGGED;\n1-5;PLUGGED;\n",
		.heard = "+1-4 +20-13 -1-4 +1-5 "},
	{.name = "of Linux", .text = "1-1.4.2;PLUGGED;\n", .heard = "+1-1.4.2 "},
	{.name = "longest", .text = BUSID31 ";UNPLUGGED;\n", .heard = "-" BUSID31 " "},
	{.name = "not ended", .text = "1-4;PLUGGED;", .heard = ""},
	{.name = "empty lines", .text = "\n\n1-4;PLUGGED;\n\n", .heard = "+1-4 "},
	/* no such lines, and one behind them */
	{.name = "busid too long", .text = BUSID31 "f;PLUGGED;\n1-4;PLUGGED;\n", .heard = "+1-4 "},
	{.name = "a byte too long",
		.text = BUSID31 ";UNPLUGGED;;\n1-4;PLUGGED;\n",
		.heard = "+1-4 "},
	{.name = "its end looks like one",
		.text = BUSID31 BUSID31 "1-3;PLUGGED;\n1-4;PLUGGED;\n",
		.heard = "+1-4 "},
	{.name = "no busid", .text = ";PLUGGED;\n1-4;PLUGGED;\n", .heard = "+1-4 "},
	{.name = "no device", .text = "../etc;PLUGGED;\n1-4;PLUGGED;\n", .heard = "+1-4 "},
	{.name = "of a terminal", .text = "\033[2J;PLUGGED;\n1-4;PLUGGED;\n", .heard = "+1-4 "},
	{.name = "no last semicolon", .text = "1-3;PLUGGED\n1-4;PLUGGED;\n", .heard = "+1-4 "},
	{.name = "more", .text = "1-3;PLUGGED;x\n1-4;PLUGGED;\n", .heard = "+1-4 "},
	{.name = "no semicolon", .text = "PLUGGED\n1-4;PLUGGED;\n", .heard = "+1-4 "},
	{.name = "another word", .text = "1-3;ATTACHED;\n1-4;PLUGGED;\n", .heard = "+1-4 "},
	{.name = "in part", .text = "1-3;PLUG;\n1-4;PLUGGED;\n", .heard = "+1-4 "},
	{.name = "lower case", .text = "1-3;plugged;\n1-4;PLUGGED;\n", .heard = "+1-4 "},
	{.name = "CRLF", .text = "1-3;PLUGGED;\r\n1-4;PLUGGED;\n", .heard = "+1-4 "},
	{.name = "a blank", .text = "1-3 ;PLUGGED;\n 1-3;PLUGGED;\n", .heard = ""},
	{.name = "a NUL", .text = "1-3\0;PLUGGED;\n1-4;PLUGGED;\n", .heard = "+1-4 ", .size = 27},
	{.name = "a NUL in the word",
		.text = "1-3;PLUG\0ED;\n1-4;PLUGGED;\n",
		.heard = "+1-4 ",
		.size = 26},
};

/* From memory of exactly that size. */
static void feed(struct noticetext *t, const char *text, size_t size, char heard[256])
{
	char *piece = malloc(size ? size : 1), busid[USBIP_BUSID_SIZE];
	const char *at = piece, *end = piece + size;
	enum noticetext_event event;

	memcpy(piece, text, size);
	while ((event = noticetext_next(t, &at, end, busid)) != NOTICETEXT_NONE) {
		size_t n = strlen(heard);

		assert_true(at > piece && at[-1] == '\n');
		(void)snprintf(heard + n, 256 - n, "%c%s ", event == NOTICETEXT_PLUGGED ? '+' : '-',
			busid);
	}
	assert_ptr_equal(at, end);
	free(piece);
}

static void test_pieces(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		const struct text *text = &texts[i];
		size_t size = text->size ? text->size : strlen(text->text);

		for (size_t piece = 1; piece <= size + 1; piece++) {
			struct noticetext t = {.have = 0};
			char heard[256] = "";

			for (size_t at = 0; at < size; at += piece)
				feed(&t, text->text + at, piece < size - at ? piece : size - at,
					heard);
			if (strcmp(heard, text->heard))
				fail_msg("%s, by %zu: '%s'", text->name, piece, heard);
		}
	}
}

/* However long a line is, it is one, and costs nothing. */
static void test_endless(void **state)
{
	struct noticetext t = {.have = 0};
	char heard[256] = "", a[1000];

	(void)state;
	memset(a, 'a', sizeof(a));
	for (int i = 0; i < 1000; i++)
		feed(&t, a, sizeof(a), heard);
	feed(&t, ";PLUGGED;\n", 10, heard);
	assert_string_equal(heard, "");
	feed(&t, "1-4;PLUGGED;\n", 13, heard);
	assert_string_equal(heard, "+1-4 ");
}

/* True if there is a line for it, which is read as just that. */
static bool line_is_read(enum noticetext_event event, const char *busid)
{
	struct noticetext t = {.have = 0};
	char line[NOTICETEXT_LINE_SIZE], read[USBIP_BUSID_SIZE];
	const char *at = line, *end;
	size_t size;

	memset(line, '#', sizeof(line));
	size = noticetext_line(line, event, busid);
	assert_int_equal(strlen(line), size);
	end = line + size;
	if (!size)
		return false;
	assert_int_equal(noticetext_next(&t, &at, end, read), event);
	assert_string_equal(read, busid);
	assert_ptr_equal(at, end);
	return true;
}

/* What is made is read, and there is a line for whatever could be read. */
static void test_line(void **state)
{
	static const char chars[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.:_-";
	char busid[USBIP_BUSID_SIZE + 2] = "", line[NOTICETEXT_LINE_SIZE];

	(void)state;
	for (int c = 1; c < 256; c++) {
		for (size_t at = 0; at < 3; at++) {
			strcpy(busid, "1-4");
			busid[at] = (char)c;
			assert_int_equal(
				line_is_read(NOTICETEXT_PLUGGED, busid), !!strchr(chars, c));
			assert_int_equal(
				line_is_read(NOTICETEXT_UNPLUGGED, busid), !!strchr(chars, c));
			assert_false(line_is_read(NOTICETEXT_NONE, busid));
		}
	}
	memset(busid, 0, sizeof(busid));
	for (size_t size = 0; size <= USBIP_BUSID_SIZE; busid[size++] = 'a')
		assert_int_equal(line_is_read(NOTICETEXT_UNPLUGGED, busid),
			size > 0 && size < USBIP_BUSID_SIZE);
	assert_int_equal(noticetext_line(line, NOTICETEXT_PLUGGED, "1-4"), 13);
	assert_string_equal(line, "1-4;PLUGGED;\n");
	assert_int_equal(noticetext_line(line, NOTICETEXT_UNPLUGGED, "20-13"), 17);
	assert_string_equal(line, "20-13;UNPLUGGED;\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_endless),
		cmocka_unit_test(test_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
