/* SPDX-License-Identifier: GPL-2.0-or-later */
/* framing_repeatable: which command a camera that has forgotten it may be asked again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "bridge/framing.h"

#define PACKET 512

enum type {
	COMMAND = 1,
	DATA = 2,
	RESPONSE = 3,
};

static void tell(
	struct framing *f, enum framing_dir dir, enum type type, uint16_t code, uint32_t size)
{
	uint8_t container[PACKET] = {(uint8_t)size, (uint8_t)(size >> 8), 0, 0, (uint8_t)type, 0,
		(uint8_t)code, (uint8_t)(code >> 8), 7};

	assert_true(framing_next(f, dir) > 0);
	framing_done(f, dir, PACKET, container, size);
	if (dir == FRAMING_OUT)
		framing_taken(f);
}

static void begin(struct framing *f, uint16_t code)
{
	framing_init(f, FRAMING_PTP);
	framing_stream_init(f, FRAMING_OUT, PACKET, PACKET);
	framing_stream_init(f, FRAMING_IN, PACKET, PACKET);
	tell(f, FRAMING_OUT, COMMAND, code, 16);
}

static bool is_repeatable(const struct framing *f)
{
	uint32_t size;

	return framing_repeatable(f, &size);
}

/* As it was sent, and the last. */
static void test_whole(void **state)
{
	const uint8_t expected[16] = {16, 0, 0, 0, COMMAND, 0, 0x08, 0x10, 7};
	struct framing f;
	const uint8_t *command;
	uint32_t size;

	(void)state;
	begin(&f, 0x1009);
	tell(&f, FRAMING_IN, RESPONSE, 0x2001, 12);
	tell(&f, FRAMING_OUT, COMMAND, 0x1008, 16);
	command = framing_repeatable(&f, &size);
	assert_non_null(command);
	assert_int_equal(size, 16);
	assert_memory_equal(command, expected, size);
}

static void test_codes(void **state)
{
	static const uint16_t asks[] = {0x1001, 0x1002, 0x1004, 0x1005, 0x1006, 0x1007, 0x1008,
		0x1009, 0x100a, 0x1014, 0x1015, 0x101b, 0x9801, 0x9802, 0x9803, 0x9805};
	unsigned found = 0;
	struct framing f;

	(void)state;
	for (uint32_t code = 0; code <= 0xffff; code++) {
		bool known = false;

		for (size_t i = 0; i < sizeof(asks) / sizeof(asks[0]); i++)
			known |= asks[i] == code;
		begin(&f, (uint16_t)code);
		assert_int_equal(is_repeatable(&f), known);
		found += known;
	}
	assert_int_equal(found, sizeof(asks) / sizeof(asks[0]));
}

/* What has come of the answer, as long as it is not over. */
static void test_answer(void **state)
{
	const uint8_t head[12] = {0, 2, 0, 0, DATA, 0, 0x09, 0x10, 7};
	struct framing f;

	(void)state;
	begin(&f, 0x1009);
	assert_int_equal(f.answer.size, 0);
	for (unsigned i = 1; i <= 3; i++) {
		tell(&f, FRAMING_IN, DATA, 0x1009, 512);
		assert_true(is_repeatable(&f));
		assert_int_equal(f.answer.size, i * 512);
		assert_memory_equal(f.answer.head, head, 12);
		assert_false(f.answer.ended);
	}
	assert_true(framing_next(&f, FRAMING_IN) > 0);
	framing_done(&f, FRAMING_IN, PACKET, NULL, 0);
	assert_int_equal(f.answer.size, 3 * 512);
	assert_true(f.answer.ended);
	tell(&f, FRAMING_IN, RESPONSE, 0x2001, 12);
	assert_false(is_repeatable(&f));
	tell(&f, FRAMING_OUT, COMMAND, 0x1008, 16);
	assert_int_equal(f.answer.size, 0);
	assert_false(f.answer.ended);
	/* The end of a larger request. */
	tell(&f, FRAMING_IN, DATA, 0x1008, 100);
	assert_false(f.answer.ended);
	framing_forget(&f);
	assert_false(is_repeatable(&f));
	tell(&f, FRAMING_OUT, COMMAND, 0x1008, 16);
	assert_true(is_repeatable(&f));
}

/* Not when it is over, or more has been sent. */
static void test_too_late(void **state)
{
	struct framing f;

	(void)state;
	begin(&f, 0x1009);
	tell(&f, FRAMING_IN, RESPONSE, 0x2001, 12);
	assert_false(is_repeatable(&f));
	begin(&f, 0x1009);
	tell(&f, FRAMING_OUT, DATA, 0x1009, 512);
	assert_false(is_repeatable(&f));
	begin(&f, 0x1009);
	framing_halted(&f);
	assert_false(is_repeatable(&f));
	begin(&f, 0x1009);
	framing_begin(&f, FRAMING_OUT);
	assert_false(is_repeatable(&f));
}

/* The zero-length packet of the data before it says nothing. */
static void test_nothing_yet(void **state)
{
	struct framing f;

	(void)state;
	begin(&f, 0x1009);
	assert_true(framing_next(&f, FRAMING_IN) > 0);
	framing_done(&f, FRAMING_IN, PACKET, NULL, 0);
	assert_true(is_repeatable(&f));
	assert_int_equal(f.answer.size, 0);
	assert_false(f.answer.ended);
}

static void test_others(void **state)
{
	struct framing f;

	(void)state;
	framing_init(&f, FRAMING_GENERIC);
	assert_false(is_repeatable(&f));
	framing_init(&f, FRAMING_BOT);
	assert_false(is_repeatable(&f));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_codes),
		cmocka_unit_test(test_answer),
		cmocka_unit_test(test_too_late),
		cmocka_unit_test(test_nothing_yet),
		cmocka_unit_test(test_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
