/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bridge/usbip.h"
#include "tests/unit/usbip_kinds.h"

/* ---- every field at its limits ---- */

struct range {
	uint32_t first, last;
};

#define ANY                                                                                        \
	{                                                                                          \
		{                                                                                  \
			0, 0xffffffff                                                              \
		}                                                                                  \
	}
#define HOST(type, member) offsetof(struct type, member), sizeof(((struct type *)0)->member)
#define SUBMIT(member) HOST(usbip_header, u.cmd_submit.member)
#define RETURN(member) HOST(usbip_header, u.ret_submit.member)

/* Sizes on the wire and in the host's struct are the same. */
static const struct field {
	const char *name; /* as a refusal's text starts */
	const struct kind *kind;
	uint32_t command; /* for headers */
	size_t at;	  /* on the wire */
	size_t host_at, size;
	struct range allowed[6]; /* all others are refused */
} fields[] = {
	{"op_common.version", &op_common, 0, 0, HOST(usbip_op_common, version), {{0x111, 0x111}}},
	{"op_common.code", &op_common, 0, 2, HOST(usbip_op_common, code),
		{{3, 3}, {5, 5}, {0x10, 0x11}, {0x8003, 0x8003}, {0x8005, 0x8005},
			{0x8010, 0x8011}}},
	{"op_common.status", &op_common, 0, 4, HOST(usbip_op_common, status), ANY},
	{"op_devlist_reply.ndev", &count, 0, 0, 0, 4, {{0, 256}}},
	{"hold_s", &session, 0, 32, HOST(usbip_session, hold_s), ANY},
	{"received", &resume, 0, 16, HOST(usbip_resume, received), ANY},
	{"first", &resume, 0, 20, HOST(usbip_resume, first), ANY},
	{"received", &received, 0, 0, 0, 4, ANY},
	{"usbip_usb_device.busnum", &device, 0, 0x120, HOST(usbip_device, busnum), ANY},
	{"usbip_usb_device.devnum", &device, 0, 0x124, HOST(usbip_device, devnum), ANY},
	{"usbip_usb_device.speed", &device, 0, 0x128, HOST(usbip_device, speed), {{0, 6}}},
	{"usbip_usb_device.idVendor", &device, 0, 0x12c, HOST(usbip_device, vendor), ANY},
	{"usbip_usb_device.bConfigurationValue", &device, 0, 0x135,
		HOST(usbip_device, configuration_value), ANY},
	{"usbip_usb_device.bNumInterfaces", &device, 0, 0x137, HOST(usbip_device, num_interfaces),
		{{0, 32}}},
	/* Not the command: a valid other value makes the fields behind it other fields. */
	{"usbip_header_basic.seqnum", &header, 1, 4, HOST(usbip_header, seqnum), ANY},
	{"usbip_header_basic.devid", &header, 1, 8, HOST(usbip_header, devid), ANY},
	{"usbip_header_basic.direction", &header, 1, 12, HOST(usbip_header, direction), {{0, 1}}},
	{"usbip_header_basic.ep", &header, 1, 16, HOST(usbip_header, ep), {{0, 15}}},
	{"cmd_submit.transfer_flags", &header, 1, 20, SUBMIT(transfer_flags), ANY},
	{"cmd_submit.transfer_buffer_length", &header, 1, 24, SUBMIT(transfer_buffer_length),
		{{0, 1048576}}},
	{"cmd_submit.start_frame", &header, 1, 28, SUBMIT(start_frame), ANY},
	{"cmd_submit.number_of_packets", &header, 1, 32, SUBMIT(number_of_packets),
		{{0, 1024}, {0xffffffff, 0xffffffff}}},
	{"cmd_submit.interval", &header, 1, 36, SUBMIT(interval), ANY},
	{"usbip_header_basic.direction", &header, 2, 12, HOST(usbip_header, direction), {{0, 1}}},
	{"usbip_header_basic.ep", &header, 2, 16, HOST(usbip_header, ep), {{0, 15}}},
	{"cmd_unlink.seqnum", &header, 2, 20, HOST(usbip_header, u.cmd_unlink.seqnum), ANY},
	{"usbip_header_basic.seqnum", &header, 3, 4, HOST(usbip_header, seqnum), ANY},
	{"usbip_header_basic.devid", &header, 3, 8, HOST(usbip_header, devid), ANY},
	{"usbip_header_basic.direction", &header, 3, 12, HOST(usbip_header, direction), ANY},
	{"usbip_header_basic.ep", &header, 3, 16, HOST(usbip_header, ep), ANY},
	{"ret_submit.status", &header, 3, 20, RETURN(status), {{0, 0}, {0xfffff001, 0xffffffff}}},
	{"ret_submit.actual_length", &header, 3, 24, RETURN(actual_length), {{0, 1048576}}},
	{"ret_submit.start_frame", &header, 3, 28, RETURN(start_frame), ANY},
	{"ret_submit.number_of_packets", &header, 3, 32, RETURN(number_of_packets),
		{{0, 1024}, {0xffffffff, 0xffffffff}}},
	{"ret_submit.error_count", &header, 3, 36, RETURN(error_count), ANY},
	{"usbip_header_basic.devid", &header, 4, 8, HOST(usbip_header, devid), ANY},
	{"usbip_header_basic.direction", &header, 4, 12, HOST(usbip_header, direction), ANY},
	{"usbip_header_basic.ep", &header, 4, 16, HOST(usbip_header, ep), ANY},
	{"ret_unlink.status", &header, 4, 20, HOST(usbip_header, u.ret_unlink.status),
		{{0, 0}, {0xfffff001, 0xffffffff}}},
	/* The other fields of the message below are 0x80000, 0x40000, 0x40000, 0. */
	{"usbip_iso_packet_descriptor.offset", &iso_packet, 0, 0, HOST(usbip_iso_packet, offset),
		{{0, 0xc0000}}},
	{"usbip_iso_packet_descriptor.actual_length", &iso_packet, 0, 8,
		HOST(usbip_iso_packet, actual_length), {{0, 0x40000}}},
	{"usbip_iso_packet_descriptor.status", &iso_packet, 0, 12, HOST(usbip_iso_packet, status),
		{{0, 0}, {0xfffff001, 0xffffffff}}},
};

/* Of a server's header anything is taken; it is 0 in the host's struct, and 0 is sent. */
static bool is_ignored(const struct field *f)
{
	return f->command >= USBIP_RET_SUBMIT && f->at >= 8 && f->at < 20;
}

static bool is_allowed(const struct field *f, uint32_t value)
{
	for (size_t i = 0; i < COUNT(f->allowed); i++) {
		/* {0, 0} beyond the first is no range. */
		if (i && !f->allowed[i].last)
			return false;
		if (value >= f->allowed[i].first && value <= f->allowed[i].last)
			return true;
	}
	return false;
}

static void valid_message(const struct field *f, uint8_t *wire, void *host)
{
	static const struct usbip_op_common op = {0x111, 0x8005, 0};
	static const uint32_t zero;
	static const struct usbip_iso_packet packet = {0x80000, 0x40000, 0x40000, 0};
	struct usbip_header h = {.command = f->command};
	const char *field;

	if (f->kind == &iso_packet)
		memcpy(host, &packet, sizeof(packet));
	else if (f->kind == &device)
		memcpy(host, &camera, sizeof(camera));
	else if (f->kind == &op_common)
		memcpy(host, &op, sizeof(op));
	else if (f->kind == &count)
		memcpy(host, &zero, sizeof(zero));
	else if (f->kind == &session)
		memcpy(host, &(const struct usbip_session){.busid = "3-2"},
			sizeof(struct usbip_session));
	else
		memcpy(host, &h, sizeof(h));
	assert_int_equal(put(f->kind, wire, host, &field), 0);
}

static uint32_t host_value(const struct field *f, const uint8_t *host)
{
	uint8_t v8;
	uint16_t v16;
	uint32_t v32;

	memcpy(&v8, host + f->host_at, 1);
	memcpy(&v16, host + f->host_at, f->size < 2 ? 1 : 2);
	memcpy(&v32, host + f->host_at, f->size < 4 ? 1 : 4);
	return f->size == 1 ? v8 : f->size == 2 ? v16 : v32;
}

static void set_host_value(const struct field *f, uint8_t *host, uint32_t value)
{
	uint8_t v8 = (uint8_t)value;
	uint16_t v16 = (uint16_t)value;
	const void *from = f->size == 1 ? (const void *)&v8
		: f->size == 2		? (const void *)&v16
					: (const void *)&value;

	memcpy(host + f->host_at, from, f->size);
}

static void check_value(const struct field *f, uint32_t value)
{
	uint8_t wire[MAX_SIZE], host[MAX_SIZE], got_wire[MAX_SIZE], got_host[MAX_SIZE];
	const char *why_get, *why_put;
	int r_get, r_put;

	valid_message(f, wire, host);
	for (size_t i = 0; i < f->size; i++)
		wire[f->at + i] = (uint8_t)(value >> (f->size - 1 - i) * 8);
	set_host_value(f, host, value);
	r_get = get(f->kind, wire, got_host, &why_get);
	r_put = put(f->kind, got_wire, host, &why_put);
	if (!is_allowed(f, value)) {
		assert_refused(r_get, why_get, f->name, got_host, f->kind->host_size);
		assert_refused(r_put, why_put, f->name, got_wire, f->kind->size);
		return;
	}
	if (r_get || r_put)
		fail_msg("%s of 0x%x: %d %d", f->name, value, r_get, r_put);
	assert_int_equal(host_value(f, got_host), is_ignored(f) ? 0 : value);
	if (is_ignored(f))
		memset(wire + f->at, 0, f->size);
	assert_memory_equal(got_wire, wire, f->kind->size);
}

static void test_field_limits(void **state)
{
	static const uint32_t values[] = {
		0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff};

	(void)state;
	for (const struct field *f = fields; f < fields + COUNT(fields); f++) {
		uint32_t mask = 0xffffffffu >> (32 - f->size * 8);

		for (size_t i = 0; i < COUNT(values); i++)
			check_value(f, values[i] & mask);
		for (size_t i = 0; i < COUNT(f->allowed); i++) {
			check_value(f, (f->allowed[i].first - 1) & mask);
			check_value(f, f->allowed[i].first & mask);
			check_value(f, f->allowed[i].last & mask);
			check_value(f, (f->allowed[i].last + 1) & mask);
		}
	}
}

static void test_unknown_command(void **state)
{
	static const uint32_t commands[] = {0, 5, 0x7fffffff, 0x80000000, 0xffffffff, 0x01000000};

	(void)state;
	for (size_t i = 0; i < COUNT(commands); i++) {
		uint32_t words[12] = {commands[i]};
		struct usbip_header h = {.command = commands[i]};
		uint8_t wire[48];
		const char *field;
		int r;

		put_words(wire, words);
		r = get(&header, wire, &h, &field);
		assert_refused(r, field, "usbip_header_basic.command", (void *)&h, sizeof(h));
		h = (struct usbip_header){.command = commands[i]};
		r = put(&header, wire, &h, &field);
		assert_refused(r, field, "usbip_header_basic.command", wire, sizeof(wire));
	}
}

/* ---- strings ---- */

/* One string in both messages and both directions; `wire` has len bytes, zeros follow. */
static void check_string(const struct field *f, const char *wire, size_t len, bool good)
{
	uint8_t in[MAX_SIZE], host[MAX_SIZE], out[MAX_SIZE], got[MAX_SIZE];
	const char *why_get, *why_put;
	int r_get, r_put;

	if (f->kind == &device)
		valid_message(f, in, host);
	memset(in + f->at, 0, f->size);
	memcpy(in + f->at, wire, len);
	memset(host + f->host_at, 0, f->size);
	memcpy(host + f->host_at, wire, len);
	r_get = get(f->kind, in, got, &why_get);
	r_put = put(f->kind, out, host, &why_put);
	if (!good) {
		assert_refused(r_get, why_get, f->name, got, f->kind->host_size);
		assert_refused(r_put, why_put, f->name, out, f->kind->size);
		return;
	}
	if (r_get || r_put)
		fail_msg("%s \"%.*s\": %d %d", f->name, (int)len, wire, r_get, r_put);
	/* Behind the NUL there are only NULs, whatever there was. */
	len = strlen(wire);
	memset(in + f->at + len, 0, f->size - len);
	assert_memory_equal(got + f->host_at, in + f->at, f->size);
	assert_memory_equal(out, in, f->kind->size);
}

static const struct field busid_of_import = {"busid", &busid, .at = 0, .host_at = 0, .size = 32};
static const struct field busid_of_device = {
	"busid", &device, .at = 0x100, HOST(usbip_device, busid)};
static const struct field path_of_device = {
	"usbip_usb_device.path", &device, .at = 0, HOST(usbip_device, path)};

static void test_strings(void **state)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789.:_-";
	static const struct {
		const char *wire;
		size_t len;
		bool good;
	} cases[] = {
		{"1-1.4", 5, true},
		{"1-4", 3, true},
		{"usbip-vudc.0", 12, true},
		{"", 0, false},
		{"\0"
		 "1-1",
			4, false},
		{"1-1\0\x1b[2J", 8, true},
		{"1-1\0"
		 "0123456789abcdef0123456789ab",
			32, true},
		{"0123456789abcdef0123456789abcde", 31, true},
		{"0123456789abcdef0123456789abcdef", 32, false},
		{"1-1\n", 4, false},
	};
	char path[256];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		check_string(&busid_of_import, cases[i].wire, cases[i].len, cases[i].good);
		check_string(&busid_of_device, cases[i].wire, cases[i].len, cases[i].good);
	}
	for (int c = 1; c < 256; c++) {
		const char s[] = {'1', (char)c, '1', 0};

		check_string(&busid_of_import, s, 3, strchr(letters, c));
		check_string(&busid_of_device, s, 3, strchr(letters, c));
		check_string(&path_of_device, s, 3, c >= ' ' && c <= '~');
	}
	check_string(&path_of_device, "", 0, true);
	check_string(&path_of_device, "USB\\VID_04A9&PID_3218\\6&1\0\x1b", 28, true);
	memset(path, 'x', sizeof(path));
	check_string(&path_of_device, path, 256, false);
	path[255] = '\0';
	check_string(&path_of_device, path, 255, true);
	path[254] = '\n';
	check_string(&path_of_device, path, 255, false);
}

/* A busid to put is a C string: not a byte behind its NUL is looked at. */
static void test_busid_is_a_string(void **state)
{
	char *s = strdup("3-2");
	uint8_t wire[32];
	const char *field;

	(void)state;
	assert_int_equal(usbip_put_busid(wire, s, &field), 0);
	free(s);
}

/* What some servers send in it is no concern of ours. */
static void test_padding_is_ignored(void **state)
{
	static const struct {
		uint32_t command;
		size_t from;
	} cases[] = {{USBIP_CMD_UNLINK, 24}, {USBIP_RET_SUBMIT, 40}, {USBIP_RET_UNLINK, 24}};
	struct usbip_interface i = {0};

	(void)state;
	for (size_t n = 0; n < COUNT(cases); n++) {
		uint32_t words[12] = {cases[n].command};
		struct usbip_header h, zeros = {.command = cases[n].command};
		uint8_t wire[48];
		const char *field;

		put_words(wire, words);
		memset(wire + cases[n].from, 0xff, sizeof(wire) - cases[n].from);
		assert_int_equal(get(&header, wire, &h, &field), 0);
		assert_memory_equal(&h, &zeros, sizeof(h));
	}
	usbip_get_interface((const uint8_t *)"\1\2\3\xff", &i);
	assert_memory_equal(&i, "\1\2\3", 3);
}

static void test_resumable(void **state)
{
	const struct usbip_interface i = {6, 1, 1};
	uint8_t wire[4];

	(void)state;
	usbip_put_interface(wire, &i);
	assert_false(usbip_get_resumable(wire));
	usbip_put_resumable(wire);
	assert_memory_equal(wire, "\6\1\1\1", 4);
	assert_true(usbip_get_resumable(wire));
	assert_true(usbip_get_resumable((const uint8_t *)"\6\1\1\xff"));
	assert_false(usbip_get_resumable((const uint8_t *)"\6\1\1\xfe"));
}

/* Which of its limits a length breaks depends on the other fields. */
static void test_iso_packet_length(void **state)
{
	static const struct {
		struct usbip_iso_packet packet;
		const char *field; /* NULL: good */
	} cases[] = {
		{{0, 0, 0, 0}, NULL},
		{{0, 0x100000, 0x100000, 0}, NULL},
		{{0x100000, 0, 0, 0}, NULL},
		{{0, 0x100001, 0, 0}, "usbip_iso_packet_descriptor.length"},
		{{0xffffffff, 0xffffffff, 0, 0}, "usbip_iso_packet_descriptor.length"},
		{{1, 0x100000, 0, 0}, "usbip_iso_packet_descriptor.offset"},
		{{0xffffffff, 2, 0, 0}, "usbip_iso_packet_descriptor.offset"},
		{{0, 10, 11, 0}, "usbip_iso_packet_descriptor.actual_length"},
	};
	uint8_t wire[16];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *field = NULL;
		int r = put(&iso_packet, wire, &cases[i].packet, &field);

		if (cases[i].field)
			assert_refused(r, field, cases[i].field, wire, sizeof(wire));
		else
			assert_int_equal(r, 0);
	}
}

/* ---- replies ---- */

static void test_check_reply(void **state)
{
	static const struct {
		const char *name;
		uint32_t actual, packets, asked, sent;
		const char *field; /* NULL: good */
	} cases[] = {
		{"all", 512, 0, 512, 0, NULL},
		{"short", 0, 0, 512, 0, NULL},
		{"nothing", 0, 0, 0, 0, NULL},
		{"one too many", 513, 0, 512, 0, "ret_submit.actual_length"},
		{"one instead of none", 1, 0, 0, 0, "ret_submit.actual_length"},
		{"huge", 0x80000000, 0, 512, 0, "ret_submit.actual_length"},
		{"-1", 0xffffffff, 0, 512, 0, "ret_submit.actual_length"},
		{"-1 for 0 packets", 0, 0xffffffff, 0, 0, NULL},
		{"0 for -1 packets", 0, 0, 0, 0xffffffff, NULL},
		{"-1 for -1 packets", 0, 0xffffffff, 0, 0xffffffff, NULL},
		{"8 for 8 packets", 0, 8, 0, 8, NULL},
		{"9 for 8 packets", 0, 9, 0, 8, "ret_submit.number_of_packets"},
		{"7 for 8 packets", 0, 7, 0, 8, "ret_submit.number_of_packets"},
		{"1 for 0 packets", 0, 1, 0, 0, "ret_submit.number_of_packets"},
		{"1 for -1 packets", 0, 1, 0, 0xffffffff, "ret_submit.number_of_packets"},
		{"-1 for 8 packets", 0, 0xffffffff, 0, 8, "ret_submit.number_of_packets"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct usbip_ret_submit ret = {
			.actual_length = cases[i].actual, .number_of_packets = cases[i].packets};
		const char *field = NULL;
		int r = usbip_check_reply(&ret, cases[i].asked, cases[i].sent, &field);

		if (cases[i].field)
			assert_refused(r, field, cases[i].field, NULL, 0);
		else if (r || field)
			fail_msg("%s: %d", cases[i].name, r);
	}
}

static void test_status_str(void **state)
{
	const char *unknown = usbip_status_str(6);

	(void)state;
	for (uint32_t s = 0; s < 6; s++) {
		for (uint32_t t = 0; t < s; t++)
			assert_string_not_equal(usbip_status_str(s), usbip_status_str(t));
		assert_string_not_equal(usbip_status_str(s), unknown);
	}
	assert_string_equal(usbip_status_str(2), "device is exported to somebody else already");
	assert_string_equal(usbip_status_str(4), "no such device");
	assert_string_equal(usbip_status_str(0x80000000), unknown);
	assert_string_equal(usbip_status_str(0xffffffff), unknown);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_field_limits),
		cmocka_unit_test(test_unknown_command),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_busid_is_a_string),
		cmocka_unit_test(test_padding_is_ignored),
		cmocka_unit_test(test_resumable),
		cmocka_unit_test(test_iso_packet_length),
		cmocka_unit_test(test_check_reply),
		cmocka_unit_test(test_status_str),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
