/* SPDX-License-Identifier: GPL-2.0-or-later */
/* txtrecord: byte by byte, and that it fits, whatever devices say of themselves. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "bridge/txtrecord.h"
#include "bridge/usbip.h"

static struct txtrecord made;

static void make(const struct txtrecord_device *devices, unsigned n)
{
	memset(&made, 0xa5, sizeof(made));
	txtrecord_make(&made, devices, n);
	assert_true(made.size <= TXTRECORD_MAX);
	for (size_t i = made.size; i < TXTRECORD_MAX; i++)
		assert_int_equal(made.bytes[i], 0xa5);
}

/* The string with that number; false: there are not so many. */
static bool string(unsigned number, char out[256])
{
	size_t at = 0, size;

	for (unsigned i = 0; at < made.size; i++, at += 1 + size) {
		size = made.bytes[at];
		assert_true(size > 0 && size <= made.size - at - 1);
		memcpy(out, &made.bytes[at + 1], size);
		out[size] = '\0';
		assert_int_equal(strlen(out), size);
		if (i == number)
			return true;
	}
	assert_int_equal(at, made.size);
	return false;
}

static void expect(unsigned number, const char *wanted)
{
	char text[256];

	assert_true(string(number, text));
	assert_string_equal(text, wanted);
}

static void test_bytes(void **state)
{
	static const struct txtrecord_device devices[] = {
		{"1-1.4", 0x04a9, 0x32d2, "Canon Digital Camera"},
		{"2-1", 0x1, 0xffff, NULL},
		{"2-2", 0x46f4, 0x4, ""},
	};
	static const char wanted[] = "\x09txtvers=1"
				     "\x09"
				     "devices=3"
				     "\x24"
				     "1-1.4=04a9:32d2 Canon Digital Camera"
				     "\x0d"
				     "2-1=0001:ffff"
				     "\x0d"
				     "2-2=46f4:0004";

	(void)state;
	make(devices, 3);
	assert_int_equal(made.size, sizeof(wanted) - 1);
	assert_memory_equal(made.bytes, wanted, made.size);
	make(NULL, 0);
	assert_int_equal(made.size, 20);
	assert_memory_equal(made.bytes,
		"\x09txtvers=1\x09"
		"devices=0",
		20);
}

/* Names of every length around the longest, of one byte a character and of three. */
static void test_long_names(void **state)
{
	char name[1000], text[256];
	struct txtrecord_device device = {"1-1", 0x1234, 0x5678, name};

	(void)state;
	for (size_t size = 230; size < sizeof(name); size++) {
		memset(name, 'n', size);
		name[size] = '\0';
		make(&device, 1);
		assert_true(string(2, text));
		assert_int_equal(strlen(text), size + 14 < 255 ? size + 14 : 255);
		assert_memory_equal(text, "1-1=1234:5678 nnn", 17);
	}
	for (size_t skew = 0; skew < 3; skew++) {
		memset(name, 'n', skew);
		name[skew] = '\0';
		for (int i = 0; i < 200; i++)
			strcat(name, "\u20ac");
		make(&device, 1);
		assert_true(string(2, text));
		assert_int_equal(strlen(text), 255);
		/* 241 bytes of the name: what is left of a character behind whole ones. */
		assert_int_equal(strspn(text + 14 + skew, "\u20ac"), (241 - skew) / 3 * 3);
		assert_int_equal(strspn(text + 255 - (241 - skew) % 3, "?"), (241 - skew) % 3);
	}
}

static void test_unprintable(void **state)
{
	static const struct txtrecord_device device = {
		"1-1", 0x1234, 0x5678, "a\n\x1b[2J\xff\xc3\xa9\xc2\x9b"};

	(void)state;
	make(&device, 1);
	expect(2, "1-1=1234:5678 a??[2J?\xc3\xa9??");
}

/* As many as fit, and all of them counted; one that is too long leaves its room to the next. */
static void test_many(void **state)
{
	static struct txtrecord_device devices[USBIP_MAX_DEVICES];
	static char busids[USBIP_MAX_DEVICES][USBIP_BUSID_SIZE], name[250];
	char text[256];

	(void)state;
	for (unsigned i = 0; i < USBIP_MAX_DEVICES; i++) {
		(void)snprintf(busids[i], sizeof(busids[i]), "1-%03u", i);
		devices[i] = (struct txtrecord_device){busids[i], 0x1234, 0x5678, "name"};
	}
	make(devices, USBIP_MAX_DEVICES);
	expect(1, "devices=256");
	expect(2, "1-000=1234:5678 name");
	/* 22 bytes before them, 21 each. */
	assert_int_equal(made.size, 22 + 56 * 21);
	expect(57, "1-055=1234:5678 name");
	assert_false(string(58, text));

	memset(name, 'n', sizeof(name) - 1);
	for (unsigned i = 0; i < 5; i++)
		devices[i].name = name;
	make(devices, 6);
	expect(1, "devices=6");
	assert_true(string(5, text));
	assert_memory_equal(text, "1-003=", 6);
	expect(6, "1-005=1234:5678 name");
	assert_false(string(7, text));

	/* To the byte: four of the longest, and a last one that has just room, and has not. */
	make(devices, 4);
	assert_int_equal(made.size, 20 + 4 * 256);
	devices[4].name = &name[sizeof(name) - 1 - (1200 - made.size - 17)];
	make(devices, 5);
	assert_int_equal(made.size, 1200);
	devices[4].name--;
	make(devices, 5);
	assert_int_equal(made.size, 20 + 4 * 256);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_long_names),
		cmocka_unit_test(test_unprintable),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
