/* SPDX-License-Identifier: GPL-2.0-or-later */
/* keyprint's QR code, read back off the terminal; tests/commandline has the rest. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bridge/keyprint.h"

#define KEY "IP2USB1-000G40R-40M30E2-09185GR-38E1W81-24GK2GA-HC5RR34-D1P70X3-RFT5WF7"
#define BEGIN "\033[40;97m"
#define END "\033[0m"
#define MAX 64

#ifdef HAVE_QRENCODE
#include <qrencode.h>

static bool light[MAX][MAX]; /* y, x */

/* One character: the upper half and the lower. */
static const char *read_square(const char *at, bool *upper, bool *lower)
{
	static const struct {
		const char *text;
		bool upper, lower;
	} squares[] = {{" ", false, false}, {"\u2580", true, false}, {"\u2584", false, true},
		{"\u2588", true, true}};

	for (size_t i = 0; i < 4; i++) {
		if (strncmp(at, squares[i].text, strlen(squares[i].text)) != 0)
			continue;
		*upper = squares[i].upper;
		*lower = squares[i].lower;
		return at + strlen(squares[i].text);
	}
	fail_msg("no square: '%s'", at);
	return NULL;
}

/* Its width in squares; *height the same. */
static int read_code(const char *text, int *height)
{
	int width = 0, x, y = 0;

	for (; *text; text++, y += 2) {
		assert_memory_equal(text, BEGIN, strlen(BEGIN));
		text += strlen(BEGIN);
		for (x = 0; *text != '\033'; x++) {
			assert_true(x < MAX && y + 1 < MAX);
			text = read_square(text, &light[y][x], &light[y + 1][x]);
		}
		assert_memory_equal(text, END "\n", strlen(END "\n"));
		text += strlen(END);
		assert_true(!y || x == width);
		width = x;
	}
	*height = y;
	return width;
}

static void test_qr(void **state)
{
	QRcode *code = QRcode_encodeString(KEY, 0, QR_ECLEVEL_M, QR_MODE_8, 1);
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	int width, height;

	(void)state;
	assert_true(code && out);
	assert_int_equal(keyprint_qr(out, KEY), 0);
	(void)fclose(out);
	width = read_code(text, &height);
	assert_int_equal(width, code->width + 8);
	/* One square more where that is odd. */
	assert_int_equal(height, (code->width + 8 + 1) / 2 * 2);
	for (int y = 0; y < height; y++) {
		for (int x = 0; x < width; x++) {
			int cx = x - 4, cy = y - 4;
			bool is_in = cx >= 0 && cy >= 0 && cx < code->width && cy < code->width;

			assert_int_equal(
				light[y][x], !is_in || !(code->data[cy * code->width + cx] & 1));
		}
	}
	/* As small as it can be: letters are what a code has room for. */
	assert_int_equal(code->width, 33);
	free(text);
	QRcode_free(code);
}

/* More than any code has room for. */
static void test_too_much(void **state)
{
	char *much = malloc(10000);

	(void)state;
	assert_non_null(much);
	memset(much, 'a', 9999);
	much[9999] = '\0';
	assert_true(keyprint_qr(stdout, much) < 0);
	free(much);
}
#else
static void test_none(void **state)
{
	(void)state;
	assert_int_equal(keyprint_qr(stdout, KEY), -ENOTSUP);
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
#ifdef HAVE_QRENCODE
		cmocka_unit_test(test_qr),
		cmocka_unit_test(test_too_much),
#else
		cmocka_unit_test(test_none),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
