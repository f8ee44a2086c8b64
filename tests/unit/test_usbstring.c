/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * usbdesc's strings by example: languages, texts, and finding one of the other.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "gadget/usbdesc.h"
#include "tests/unit/samples.h"

#define BYTES(...) {__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})

static void test_langs(void **state)
{
	static const struct {
		const char *name;
		int want;
		uint8_t num;
		uint16_t langs[3];
		uint8_t buf[16];
		size_t len;
	} cases[] = {
		{"no answer", 0, 0, {0}, {0}, 0},
		{"empty list", 0, 0, {0}, BYTES(2, 3)},
		{"half a language", 0, 0, {0}, BYTES(3, 3, 9)},
		{"one", 0, 1, {0x0409}, BYTES(4, 3, 9, 4)},
		{"two", 0, 2, {0x0409, 0x0411}, BYTES(6, 3, 9, 4, 0x11, 4)},
		{"the same twice", 0, 2, {0x0409, 0x0411}, BYTES(8, 3, 9, 4, 9, 4, 0x11, 4)},
		{"odd length", 0, 1, {0x0409}, BYTES(5, 3, 9, 4, 0x11)},
		{"bLength beyond", 0, 1, {0x0409}, BYTES(255, 3, 9, 4)},
		{"bLength less", 0, 1, {0x0409}, BYTES(4, 3, 9, 4, 0x11, 4)},
		{"language 0", 0, 1, {0x0409}, BYTES(4, 3, 0, 0)},
		{"language 0, then another", 0, 1, {0x0411}, BYTES(6, 3, 0, 0, 0x11, 4)},
		{"no sublanguage", 0, 1, {0x0407}, BYTES(6, 3, 9, 0, 7, 4)},
		{"primary language 0", 0, 1, {0x0407}, BYTES(6, 3, 0, 4, 7, 4)},
		{"primary language 0x61", 0, 1, {0x0461}, BYTES(4, 3, 0x61, 4)},
		{"primary language 0x62", 0, 1, {0x0407}, BYTES(6, 3, 0x62, 4, 7, 4)},
		{"primary language 0xfe", 0, 1, {0x0407}, BYTES(6, 3, 0xfe, 4, 7, 4)},
		{"HID's language", 0, 1, {0x04ff}, BYTES(4, 3, 0xff, 4)},
		{"primary language 0x100", 0, 1, {0x0407}, BYTES(6, 3, 0x00, 5, 7, 4)},
		{"one byte", -EPROTO, 0, {0}, BYTES(4)},
		{"bLength 1", -EPROTO, 0, {0}, BYTES(1, 3, 9, 4)},
		{"bLength 0", -EPROTO, 0, {0}, BYTES(0, 3, 9, 4)},
		{"type 2", -EPROTO, 0, {0}, BYTES(4, 2, 9, 4)},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct usb_profile p = {.num_langs = 7, .num_strings = 7};
		uint8_t *exact = sample_exact(cases[i].buf, cases[i].len);
		const char *why = NULL;

		print_message("%s\n", cases[i].name);
		assert_int_equal(usbdesc_langs(&p, exact, cases[i].len, &why), cases[i].want);
		if (cases[i].want)
			assert_non_null(why);
		assert_int_equal(p.num_langs, cases[i].num);
		assert_int_equal(p.num_strings, 0);
		assert_memory_equal(p.langs, cases[i].langs, 2 * cases[i].num);
		free(exact);
	}
}

static void test_too_many_langs(void **state)
{
	struct usb_profile p = {0};
	const char *why = NULL;
	uint8_t buf[255] = {2 + 2 * 17, 3};

	(void)state;
	for (uint8_t i = 0; i < 17; i++)
		memcpy(buf + 2 + 2 * i, (const uint8_t[]){i + 1, 4}, 2);
	assert_int_equal(usbdesc_langs(&p, buf, sizeof(buf), &why), 0);
	assert_int_equal(p.num_langs, 16);
	assert_int_equal(p.langs[15], 0x0410);
}

static void test_string_texts(void **state)
{
	static const struct {
		const char *name;
		const char *want; /* NULL: refused */
		uint8_t buf[16];
		size_t len;
	} cases[] = {
		{"ASCII", "AB", BYTES(6, 3, 'A', 0, 'B', 0)},
		{"empty", "", BYTES(2, 3)},
		{"odd byte", "A", BYTES(5, 3, 'A', 0, 'B')},
		{"only an odd byte", "", BYTES(3, 3, 'A')},
		{"bLength less than there is", "A", BYTES(4, 3, 'A', 0, 'B', 0)},
		{"bLength more than there is", "A", BYTES(200, 3, 'A', 0)},
		{"cut within a unit", "A", BYTES(6, 3, 'A', 0, 'B')},
		{"NUL", "A", BYTES(8, 3, 'A', 0, 0, 0, 'B', 0)},
		{"control characters", "\n\x7f", BYTES(6, 3, '\n', 0, 0x7f, 0)},
		{"two bytes", "\xc2\x80\xdf\xbf", BYTES(6, 3, 0x80, 0, 0xff, 0x07)},
		{"three bytes", "\xe0\xa0\x80\xef\xbf\xbf", BYTES(6, 3, 0x00, 0x08, 0xff, 0xff)},
		{"three bytes beside the surrogates", "\xed\x9f\xbf\xee\x80\x80",
			BYTES(6, 3, 0xff, 0xd7, 0x00, 0xe0)},
		{"least pair", "\xf0\x90\x80\x80", BYTES(6, 3, 0x00, 0xd8, 0x00, 0xdc)},
		{"a camera", "\xf0\x9f\x93\xb7!", BYTES(8, 3, 0x3d, 0xd8, 0xf7, 0xdc, '!', 0)},
		{"greatest pair", "\xf4\x8f\xbf\xbf", BYTES(6, 3, 0xff, 0xdb, 0xff, 0xdf)},
		{"first half alone", "\xef\xbf\xbd!", BYTES(6, 3, 0x3d, 0xd8, '!', 0)},
		{"first half last", "\xef\xbf\xbd", BYTES(4, 3, 0x3d, 0xd8)},
		{"first half, then a byte", "\xef\xbf\xbd", BYTES(5, 3, 0x3d, 0xd8, 0xf7)},
		{"second half alone", "\xef\xbf\xbd!", BYTES(6, 3, 0xf7, 0xdc, '!', 0)},
		{"two second halves", "\xef\xbf\xbd\xef\xbf\xbd",
			BYTES(6, 3, 0xf7, 0xdc, 0xf7, 0xdc)},
		{"halves reversed", "\xef\xbf\xbd\xef\xbf\xbd",
			BYTES(6, 3, 0xf7, 0xdc, 0x3d, 0xd8)},
		{"two first halves", "\xef\xbf\xbd\xf0\x9f\x93\xb7",
			BYTES(8, 3, 0x3d, 0xd8, 0x3d, 0xd8, 0xf7, 0xdc)},
		{"nothing", NULL, {0}, 0},
		{"one byte", NULL, BYTES(2)},
		{"bLength 0", NULL, BYTES(0, 3, 'A', 0)},
		{"bLength 1", NULL, BYTES(1, 3, 'A', 0)},
		{"type 4", NULL, BYTES(4, 4, 'A', 0)},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct usb_profile p = {.num_langs = 1, .langs = {0x0409}};
		uint8_t *exact = sample_exact(cases[i].buf, cases[i].len);
		const char *why = NULL;
		int r;

		print_message("%s\n", cases[i].name);
		memset(p.strings, 0xa5, sizeof(p.strings));
		r = usbdesc_string(&p, 5, 0x0409, exact, cases[i].len, &why);
		if (cases[i].want) {
			assert_int_equal(r, 0);
			assert_string_equal(usbdesc_text(&p, 5, 0x0409), cases[i].want);
		} else {
			assert_int_equal(r, -EPROTO);
			assert_non_null(why);
			assert_int_equal(p.num_strings, 0);
			assert_null(usbdesc_text(&p, 5, 0x0409));
		}
		free(exact);
	}
}

static void test_longest_string(void **state)
{
	struct usb_profile *p = calloc(1, sizeof(*p));
	char16_t units[126];
	uint8_t buf[255];
	const char *why = NULL;

	(void)state;
	assert_non_null(p);
	p->num_langs = 1;
	p->langs[0] = 0x0409;
	for (size_t i = 0; i < 126; i++)
		units[i] = 0xffee;
	(void)sample_string(buf, units, 126);
	buf[0] = 255;
	assert_int_equal(usbdesc_string(p, 255, 0x0409, buf, sizeof(buf), &why), 0);
	assert_int_equal(strlen(usbdesc_text(p, 255, 0)), 378);
	free(p);
}

static int add(struct usb_profile *p, uint8_t index, uint16_t lang, char c)
{
	const char *why = "not set";
	int r = usbdesc_string(p, index, lang, (const uint8_t[]){4, 3, (uint8_t)c, 0}, 4, &why);

	if (r)
		assert_string_not_equal(why, "not set");
	return r;
}

static void test_string_table(void **state)
{
	struct usb_profile p = {.num_langs = 2, .langs = {0x0409, 0x0411}};

	(void)state;
	assert_null(usbdesc_text(&p, 1, 0));
	assert_int_equal(add(&p, 0, 0x0409, 'x'), -EPROTO);
	assert_int_equal(add(&p, 1, 0x0407, 'x'), -EPROTO);
	assert_int_equal(add(&p, 1, 0, 'x'), -EPROTO);
	assert_int_equal(p.num_strings, 0);

	assert_int_equal(add(&p, 1, 0x0411, 'a'), 0);
	assert_int_equal(add(&p, 1, 0x0409, 'b'), 0);
	assert_int_equal(add(&p, 2, 0x0411, 'c'), 0);
	assert_string_equal(usbdesc_text(&p, 1, 0x0409), "b");
	assert_string_equal(usbdesc_text(&p, 1, 0x0411), "a");
	assert_string_equal(usbdesc_text(&p, 1, 0), "b"); /* by language, not by arrival */
	assert_string_equal(usbdesc_text(&p, 2, 0), "c");
	assert_null(usbdesc_text(&p, 2, 0x0409));
	assert_null(usbdesc_text(&p, 0, 0));
	assert_null(usbdesc_text(&p, 3, 0));

	for (uint8_t i = 3; i < 64; i++)
		assert_int_equal(add(&p, i, 0x0409, 'd'), 0);
	assert_int_equal(p.num_strings, USBDESC_MAX_STRINGS);
	assert_int_equal(add(&p, 64, 0x0409, 'e'), -ENOSPC);
	assert_int_equal(add(&p, 1, 0x0409, 'f'), 0); /* not another one */
	assert_int_equal(p.num_strings, USBDESC_MAX_STRINGS);
	assert_string_equal(usbdesc_text(&p, 1, 0x0409), "f");
	assert_null(usbdesc_text(&p, 64, 0));
}

static void test_text_cut(void **state)
{
	static const struct {
		const char *text;
		size_t max, want;
	} cases[] = {
		{"", 0, 0},
		{"", 5, 0},
		{"abc", 0, 0},
		{"abc", 2, 2},
		{"abc", 3, 3},
		{"abc", 4, 3},
		{"abc", SIZE_MAX, 3},
		{"a\xc2\x80", 2, 1},
		{"a\xc2\x80", 3, 3},
		{"a\xe0\xa0\x80z", 3, 1},
		{"a\xe0\xa0\x80z", 4, 4},
		{"\xf0\x9f\x93\xb7", 3, 0},
		{"\xf0\x9f\x93\xb7", 4, 4},
		{"\x80\x80\x80", 2, 0},
		{"z\xf0\x9f\x93\xb7\xf0\x9f\x93\xb7", 8, 5},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *exact = sample_exact(cases[i].text, strlen(cases[i].text) + 1);

		assert_int_equal(usbdesc_text_cut(exact, cases[i].max), cases[i].want);
		free(exact);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_langs),
		cmocka_unit_test(test_too_many_langs),
		cmocka_unit_test(test_string_texts),
		cmocka_unit_test(test_longest_string),
		cmocka_unit_test(test_string_table),
		cmocka_unit_test(test_text_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
