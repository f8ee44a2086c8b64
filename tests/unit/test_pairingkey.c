/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pairingkey: the text of a key, and all that is no key. Linked with --wrap=getrandom. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>

#include <cmocka.h>

#include "bridge/pairingkey.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* ---- getrandom ---- */

static ssize_t results[3]; /* of the next calls: -errno or bytes; 0: as the kernel has it */
static unsigned calls;

ssize_t __real_getrandom(void *out, size_t size, unsigned flags);
ssize_t __wrap_getrandom(void *out, size_t size, unsigned flags);

ssize_t __wrap_getrandom(void *out, size_t size, unsigned flags)
{
	ssize_t result = calls < COUNT(results) ? results[calls] : 0;

	assert_int_equal(flags, 0); /* neither /dev/random nor what is not seeded yet */
	calls++;
	if (!result)
		return __real_getrandom(out, size, flags);
	if (result > 0)
		return result;
	errno = (int)-result;
	return -1;
}

static void answers(ssize_t first, ssize_t second)
{
	calls = 0;
	results[0] = first;
	results[1] = second;
}

static void test_new(void **state)
{
	struct pairingkey one, two;

	(void)state;
	answers(0, 0);
	assert_int_equal(pairingkey_new(&one), 0);
	assert_int_equal(pairingkey_new(&two), 0);
	assert_memory_not_equal(&one, &two, sizeof(one));
	answers(-EINTR, 0);
	assert_int_equal(pairingkey_new(&two), 0);
	assert_int_equal(calls, 2);
	answers(-ENOSYS, 0);
	assert_int_equal(pairingkey_new(&two), -ENOSYS);
	answers(31, 0);
	assert_int_equal(pairingkey_new(&two), -EIO);
}

/* ---- texts ---- */

/* Written down from another implementation (Python): base 32 of the key and its CRC-24. */
static const struct golden {
	uint8_t first, step; /* byte i is first + i * step */
	const char *text;
} goldens[] = {
	{0, 0, "IP2USB1-0000000-0000000-0000000-0000000-0000000-0000000-0000000-007FE2G"},
	{255, 0, "IP2USB1-ZZZZZZZ-ZZZZZZZ-ZZZZZZZ-ZZZZZZZ-ZZZZZZZ-ZZZZZZZ-ZZZZZZZ-ZZJHEFH"},
	{3, 37, "IP2USB1-0CM4TWM-QQKGGCA-TGEPDBZ-S095S9Q-H7E2WW6-32NKVM3-2YM3SMB-5ZFTN7C"},
	{0, 1, "IP2USB1-000G40R-40M30E2-09185GR-38E1W81-24GK2GA-HC5RR34-D1P70X3-RFT5WF7"},
};

static void fill(struct pairingkey *key, const struct golden *g)
{
	for (unsigned i = 0; i < PAIRINGKEY_SIZE; i++)
		key->bytes[i] = (uint8_t)(g->first + i * g->step);
}

static void test_text(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(goldens); i++) {
		struct pairingkey key, back;
		char text[PAIRINGKEY_TEXT_SIZE];
		const char *why = "";

		fill(&key, &goldens[i]);
		memset(text, 'x', sizeof(text));
		pairingkey_format(&key, text);
		assert_string_equal(text, goldens[i].text);
		assert_int_equal(strlen(text), sizeof(text) - 1);
		memset(&back, 0xee, sizeof(back));
		assert_true(pairingkey_parse(&back, text, &why));
		assert_memory_equal(&back, &key, sizeof(key));
		assert_string_equal(why, "");
	}
}

/* What looks alike. */
static void test_alike(void **state)
{
	static const char pairs[][3] = {"0O", "0o", "1I", "1i", "1L", "1l"};
	struct pairingkey key, back;

	(void)state;
	fill(&key, &goldens[3]);
	for (size_t i = 0; i < COUNT(pairs); i++) {
		char text[PAIRINGKEY_TEXT_SIZE];
		unsigned n = 0;

		pairingkey_format(&key, text);
		for (size_t at = 8; text[at]; at++) {
			n += text[at] == pairs[i][0];
			text[at] = text[at] == pairs[i][0] ? pairs[i][1] : text[at];
		}
		assert_in_range(n, 4, 20);
		assert_true(pairingkey_parse(&back, text, NULL));
		assert_memory_equal(&back, &key, sizeof(key));
	}
}

/* As people, and programs for letters, leave it. */
static void test_tolerant(void **state)
{
	struct pairingkey key, back;
	char text[PAIRINGKEY_TEXT_SIZE], other[4 * PAIRINGKEY_TEXT_SIZE];
	size_t n = 0;

	(void)state;
	fill(&key, &goldens[2]);
	pairingkey_format(&key, text);
	for (size_t i = 0; text[i]; i++)
		text[i] = (char)tolower((unsigned char)text[i]);
	assert_true(pairingkey_parse(&back, text, NULL));
	assert_memory_equal(&back, &key, sizeof(key));
	/* Wrapped, indented, hyphens lost or doubled, O and I and l by eye. */
	n += (size_t)sprintf(other, " \tip2usb1-");
	for (size_t i = 8; text[i]; i++) {
		char c = text[i];

		if (c == '-')
			n += (size_t)sprintf(other + n, "%s", i % 3 ? "\r\n  " : "");
		else
			n += (size_t)sprintf(other + n, "%c%s",
				c == '0'	   ? 'O'
					: c == '1' ? (i & 1 ? 'l' : 'I')
						   : c,
				i % 5 ? "" : "--");
	}
	(void)sprintf(other + n, "\n");
	memset(&back, 0, sizeof(back));
	assert_true(pairingkey_parse(&back, other, NULL));
	assert_memory_equal(&back, &key, sizeof(key));
}

static void refused(const char *text, const char *expected)
{
	struct pairingkey key, before;
	const char *why = "";

	memset(&before, 0x5a, sizeof(before));
	key = before;
	if (pairingkey_parse(&key, text, &why))
		fail_msg("'%s' is taken", text);
	assert_memory_equal(&key, &before, sizeof(key));
	assert_string_equal(why, expected);
	assert_false(pairingkey_parse(&key, text, NULL));
}

static void test_refused(void **state)
{
	char text[PAIRINGKEY_TEXT_SIZE + 8];
	struct pairingkey key;

	(void)state;
	fill(&key, &goldens[2]);
	refused("", "it does not begin with IP2USB1-");
	refused("IP2USB", "it does not begin with IP2USB1-");
	refused("IP2USB1", "it does not begin with IP2USB1-");
	refused("IP2USB1-", "it is too short");
	pairingkey_format(&key, text);
	text[6] = '2';
	refused(text, "it does not begin with IP2USB1-");
	for (size_t n = 8; n < PAIRINGKEY_TEXT_SIZE - 1; n++) {
		pairingkey_format(&key, text);
		text[n] = '\0';
		refused(text, "it is too short");
	}
	pairingkey_format(&key, text);
	strcat(text, "0");
	refused(text, "it is too long");
	for (unsigned c = 1; c < 256; c++) {
		pairingkey_format(&key, text);
		text[20] = (char)c;
		if (!isalnum((int)c) && !strchr("- \t\r\n", (int)c))
			refused(text, "a character of it is none that a key has");
	}
	text[20] = 'u'; /* could be a V */
	refused(text, "a character of it is none that a key has");
}

/* Any other character at any place; any two neighbours the other way round. */
static void test_mistyped(void **state)
{
	static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
	char text[PAIRINGKEY_TEXT_SIZE], was;
	struct pairingkey key;

	(void)state;
	fill(&key, &goldens[2]);
	pairingkey_format(&key, text);
	for (size_t at = 8; text[at]; at++) {
		was = text[at];
		for (size_t i = 0; was != '-' && digits[i]; i++) {
			text[at] = digits[i];
			if (digits[i] != was)
				refused(text, "a character of it is wrong");
		}
		text[at] = was;
	}
	for (size_t at = 8; text[at + 1]; at++) {
		was = text[at];
		if (was == '-' || text[at + 1] == '-' || was == text[at + 1])
			continue;
		text[at] = text[at + 1];
		text[at + 1] = was;
		refused(text, "a character of it is wrong");
		text[at + 1] = text[at];
		text[at] = was;
	}
}

static void test_wipe(void **state)
{
	static const struct pairingkey nothing;
	struct pairingkey key;

	(void)state;
	answers(0, 0);
	assert_int_equal(pairingkey_new(&key), 0);
	pairingkey_wipe(&key);
	assert_memory_equal(&key, &nothing, sizeof(key));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_new),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_alike),
		cmocka_unit_test(test_tolerant),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_mistyped),
		cmocka_unit_test(test_wipe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
