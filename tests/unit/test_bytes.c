/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bridge/bytes.h"

static const uint8_t data[] = {0x01, 0x82, 0x03, 0x84, 0x05, 0x86, 0x07, 0x88, 0x09, 0x8a, 0x0b};

/* Of exactly this size, so that ASan sees one byte too many. */
static uint8_t *exact(const void *from, size_t len)
{
	uint8_t *p = malloc(len);

	assert_true(p || !len);
	if (len)
		memcpy(p, from, len);
	return p;
}

/* One operation of each kind: what it takes, and what it gives at the front of `data`. */
enum op {
	OP_U8,
	OP_BE16,
	OP_BE32,
	OP_BYTES,
	OP_SKIP,
};

static const struct {
	const char *name;
	enum op op;
	size_t len;
	uint32_t value;
} ops[] = {
	{"u8", OP_U8, 1, 0x01},
	{"be16", OP_BE16, 2, 0x0182},
	{"be32", OP_BE32, 4, 0x01820384},
	{"no bytes", OP_BYTES, 0, 0},
	{"bytes", OP_BYTES, 3, 0x018203},
	{"no skip", OP_SKIP, 0, 0},
	{"skip", OP_SKIP, 5, 0},
};

#define NUM_OPS (sizeof(ops) / sizeof(ops[0]))

static uint32_t get(struct bytes_reader *r, enum op op, size_t len)
{
	uint8_t out[8];
	uint32_t value = 0;

	switch (op) {
	case OP_U8:
		return bytes_get_u8(r);
	case OP_BE16:
		return bytes_get_be16(r);
	case OP_BE32:
		return bytes_get_be32(r);
	case OP_BYTES:
		memset(out, 0xa5, sizeof(out));
		bytes_get(r, out, len);
		for (size_t i = 0; i < len; i++)
			value = value << 8 | out[i];
		assert_int_equal(out[len], 0xa5);
		return value;
	default:
		bytes_skip(r, len);
		return 0;
	}
}

static void put(struct bytes_writer *w, enum op op, size_t len, uint32_t value)
{
	uint8_t in[8];

	switch (op) {
	case OP_U8:
		bytes_put_u8(w, (uint8_t)value);
		break;
	case OP_BE16:
		bytes_put_be16(w, (uint16_t)value);
		break;
	case OP_BE32:
		bytes_put_be32(w, value);
		break;
	case OP_BYTES:
		for (size_t i = len; i--; value >>= 8)
			in[i] = (uint8_t)value;
		bytes_put(w, in, len);
		break;
	default:
		bytes_put_zeros(w, len);
	}
}

/* Every operation on a buffer of every length: too short, just enough, and more. */
static void test_read_every_length(void **state)
{
	(void)state;
	for (size_t i = 0; i < NUM_OPS; i++) {
		for (size_t len = 0; len <= sizeof(data); len++) {
			uint8_t *buf = exact(data, len);
			bool enough = ops[i].len <= len;
			struct bytes_reader r;
			uint32_t value;

			bytes_reader_init(&r, buf, len);
			value = get(&r, ops[i].op, ops[i].len);
			if (value != (enough ? ops[i].value : 0) || r.overrun != !enough ||
				r.at != buf + (enough ? ops[i].len : 0) ||
				r.left != len - (enough ? ops[i].len : 0))
				fail_msg("%s of %zu bytes: 0x%x", ops[i].name, len, value);
			free(buf);
		}
	}
}

static void test_write_every_length(void **state)
{
	static const uint8_t untouched[sizeof(data)] = {
		0xa5, 0xa5, 0xa5, 0xa5, 0xa5, 0xa5, 0xa5, 0xa5, 0xa5, 0xa5, 0xa5};
	static const uint8_t zeros[5];

	(void)state;
	for (size_t i = 0; i < NUM_OPS; i++) {
		for (size_t len = 0; len <= sizeof(data); len++) {
			uint8_t *buf = exact(untouched, len);
			bool enough = ops[i].len <= len;
			size_t done = enough ? ops[i].len : 0;
			struct bytes_writer w;

			bytes_writer_init(&w, buf, len);
			put(&w, ops[i].op, ops[i].len, ops[i].value);
			if (w.overrun != !enough || w.at != buf + done || w.left != len - done)
				fail_msg("%s in %zu bytes", ops[i].name, len);
			assert_memory_equal(buf, ops[i].op == OP_SKIP ? zeros : data, done);
			assert_memory_equal(buf + done, untouched, len - done);
			free(buf);
		}
	}
}

/* A length that would wrap a sum of pointer and length, or of two lengths. */
static void test_huge_lengths(void **state)
{
	static const size_t lengths[] = {
		12, 0x7fffffff, 0x80000000, 0xffffffff, SIZE_MAX / 2, SIZE_MAX / 2 + 1, SIZE_MAX};

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		uint8_t *buf = exact(data, sizeof(data));
		struct bytes_reader r;
		struct bytes_writer w;

		bytes_reader_init(&r, buf, sizeof(data));
		bytes_skip(&r, 1);
		bytes_skip(&r, lengths[i]);
		assert_true(r.overrun);
		assert_ptr_equal(r.at, buf + 1);
		assert_int_equal(r.left, sizeof(data) - 1);

		bytes_writer_init(&w, buf, sizeof(data));
		bytes_put_zeros(&w, lengths[i]);
		assert_true(w.overrun);
		assert_memory_equal(buf, data, sizeof(data));
		free(buf);
	}
}

/* What would still fit is not read from, or written to, the wrong place. */
static void test_overrun_is_for_good(void **state)
{
	uint8_t *buf = exact(data, 3), out[2] = {0xa5, 0xa5};
	struct bytes_reader r;
	struct bytes_writer w;

	(void)state;
	bytes_reader_init(&r, buf, 3);
	assert_int_equal(bytes_get_be32(&r), 0);
	for (size_t i = 0; i < NUM_OPS; i++)
		assert_int_equal(get(&r, ops[i].op, ops[i].len), 0);
	bytes_get(&r, out, sizeof(out));
	assert_int_equal(out[0] | out[1], 0);
	assert_true(r.overrun);
	assert_ptr_equal(r.at, buf);

	bytes_writer_init(&w, buf, 3);
	bytes_put_be32(&w, 0xffffffff);
	for (size_t i = 0; i < NUM_OPS; i++)
		put(&w, ops[i].op, ops[i].len, 0xffffffff);
	assert_true(w.overrun);
	assert_memory_equal(buf, data, 3);
	free(buf);
}

static void test_sequence(void **state)
{
	uint8_t *buf = exact(data, sizeof(data)), copy[sizeof(data)];
	struct bytes_reader r;
	struct bytes_writer w;

	(void)state;
	bytes_reader_init(&r, buf, sizeof(data));
	bytes_writer_init(&w, copy, sizeof(copy));
	bytes_put_be32(&w, bytes_get_be32(&r));
	bytes_put_u8(&w, bytes_get_u8(&r));
	bytes_put_be16(&w, bytes_get_be16(&r));
	bytes_put_be32(&w, bytes_get_be32(&r));
	assert_false(r.overrun || w.overrun);
	assert_int_equal(r.left + w.left, 0);
	assert_memory_equal(copy, data, sizeof(data));
	assert_int_equal(bytes_get_u8(&r), 0);
	assert_true(r.overrun);
	free(buf);
}

static void test_nothing(void **state)
{
	struct bytes_reader r;
	struct bytes_writer w;

	(void)state;
	bytes_reader_init(&r, NULL, 0);
	bytes_get(&r, NULL, 0);
	bytes_skip(&r, 0);
	assert_false(r.overrun);
	bytes_writer_init(&w, NULL, 0);
	bytes_put(&w, NULL, 0);
	bytes_put_zeros(&w, 0);
	assert_false(w.overrun);
	bytes_put_u8(&w, 1);
	assert_true(w.overrun);
}

static void test_little_endian(void **state)
{
	uint8_t *buf = exact("\x82\xff\x03\x84", 4);

	(void)state;
	assert_int_equal(bytes_le16(buf), 0xff82);
	assert_int_equal(bytes_le16(buf + 2), 0x8403);
	assert_int_equal(bytes_le32(buf), 0x8403ff82);
	free(buf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read_every_length),
		cmocka_unit_test(test_write_every_length),
		cmocka_unit_test(test_huge_lengths),
		cmocka_unit_test(test_overrun_is_for_good),
		cmocka_unit_test(test_sequence),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_little_endian),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
