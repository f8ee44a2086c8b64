/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "bridge/bytes.h"
#include "bridge/usbip.h"
#include "tests/unit/usbip_kinds.h"

/* ---- golden bytes ----
 *
 * Offsets and values are those of Documentation/usb/usbip_protocol.rst, written out by hand here
 * and not by the code under test. The file's offsets of OP_REP_IMPORT after bcdDevice are one too
 * low (a field of two bytes is counted as one); struct usbip_usb_device of tools/usb/usbip/libsrc/
 * usbip_common.h decides.
 */

struct patch {
	size_t at;
	const char *bytes;
	size_t len;
};

#define AT(offset, literal)                                                                        \
	{                                                                                          \
		(offset), (literal), sizeof(literal) - 1                                           \
	}

static void build(uint8_t *buf, size_t size, const struct patch *patches, size_t n)
{
	memset(buf, 0, size);
	for (size_t i = 0; i < n; i++)
		memcpy(buf + patches[i].at, patches[i].bytes, patches[i].len);
}

/* "path: ..., e.g." and "busid: ..., e.g." of the text; the rest is a camera. */
#define DEVICE_AT(o)                                                                               \
	AT((o), "/sys/devices/pci0000:00/0000:00:1d.1/usb3/3-2"), AT((o) + 0x100, "3-2"),          \
		AT((o) + 0x120, "\0\0\0\3"), AT((o) + 0x124, "\0\0\0\x1f"),                        \
		AT((o) + 0x128, "\0\0\0\3"), AT((o) + 0x12c, "\x04\xa9"),                          \
		AT((o) + 0x12e, "\x32\x18"), AT((o) + 0x130, "\x01\x02"), AT((o) + 0x132, "\xef"), \
		AT((o) + 0x133, "\x02"), AT((o) + 0x134, "\x03"), AT((o) + 0x135, "\x04"),         \
		AT((o) + 0x136, "\x05"), AT((o) + 0x137, "\x02")

static const struct patch req_devlist[] = {AT(0, "\x01\x11\x80\x05")};
static const struct patch rep_devlist[] = {AT(0, "\x01\x11\x00\x05"), AT(8, "\0\0\0\2"),
	DEVICE_AT(0x0c), AT(0x144, "\x06\x01\x01"), AT(0x148, "\xff\x42\x01"),
	DEVICE_AT(0x0c + 0x138 + 2 * 4), AT(0x284, "\x03\x01\x02"), AT(0x288, "\x08\x06\x50")};
static const struct patch req_import[] = {AT(0, "\x01\x11\x80\x03"), AT(8, "3-2")};
static const struct patch rep_import[] = {AT(0, "\x01\x11\x00\x03"), DEVICE_AT(8)};
static const struct patch rep_import_busy[] = {AT(0, "\x01\x11\x00\x03\0\0\0\2")};

static const struct patch req_session[] = {
	AT(0, "\x01\x11\x80\x10"), AT(8, "3-2"), AT(40, "\0\0\2\x58")};
static const struct patch req_resume[] = {AT(0, "\x01\x11\x80\x11"), AT(8, "0123456789abcdef"),
	AT(24, "\1\2\3\4"), AT(28, "\xff\xfe\xfd\xfc")};
static const struct patch rep_resume[] = {AT(0, "\x01\x11\x00\x11"), AT(8, "\xff\xfe\xfd\xfb")};

static const struct usbip_interface interfaces[] = {
	{6, 1, 1}, {0xff, 0x42, 1}, {3, 1, 2}, {8, 6, 0x50}};
static const struct usbip_session a_session = {.busid = "3-2", .hold_s = 600};
static const struct usbip_resume a_resume = {
	{'0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'}, 0x1020304,
	0xfffefdfc};

#define OP(c, s)                                                                                   \
	&(const struct usbip_op_common)                                                            \
	{                                                                                          \
		.version = 0x0111, .code = (c), .status = (s)                                      \
	}

/* A message as the sequence of records that it is read in. */
struct record {
	const struct kind *kind;
	const void *host;
};

static const struct message {
	const char *name;
	size_t size;
	const struct patch *patches;
	size_t num_patches;
	struct record records[10]; /* to the one without kind */
} messages[] = {
	{"OP_REQ_DEVLIST", 8, req_devlist, COUNT(req_devlist), {{&op_common, OP(0x8005, 0)}}},
	{"OP_REP_DEVLIST", 0x28c, rep_devlist, COUNT(rep_devlist),
		{{&op_common, OP(0x0005, 0)}, {&count, &(const uint32_t){2}}, {&device, &camera},
			{&interface, &interfaces[0]}, {&interface, &interfaces[1]},
			{&device, &camera}, {&interface, &interfaces[2]},
			{&interface, &interfaces[3]}}},
	{"OP_REQ_IMPORT", 40, req_import, COUNT(req_import),
		{{&op_common, OP(0x8003, 0)}, {&busid, camera.busid}}},
	{"OP_REP_IMPORT", 320, rep_import, COUNT(rep_import),
		{{&op_common, OP(0x0003, 0)}, {&device, &camera}}},
	{"OP_REP_IMPORT, busy", 8, rep_import_busy, COUNT(rep_import_busy),
		{{&op_common, OP(0x0003, USBIP_ST_DEV_BUSY)}}},
	{"OP_REQ_SESSION", 44, req_session, COUNT(req_session),
		{{&op_common, OP(0x8010, 0)}, {&session, &a_session}}},
	{"OP_REQ_RESUME", 32, req_resume, COUNT(req_resume),
		{{&op_common, OP(0x8011, 0)}, {&resume, &a_resume}}},
	{"OP_REP_RESUME", 12, rep_resume, COUNT(rep_resume),
		{{&op_common, OP(0x0011, 0)}, {&received, &(const uint32_t){0xfffefdfb}}}},
};

/*
 * The URB phase as the text prints it, in words of 32 bits. The Cmd/RetIntr ones are its section
 * EXAMPLE, captured from the wire; the others follow its tables.
 */
static const struct urb_message {
	const char *name;
	uint32_t words[12];
	struct usbip_header h;
} urb_messages[] = {
	{"CmdIntrIN", {1, 0xd05, 0x1000f, 1, 1, 0x200, 0x40, 0xffffffff, 0, 4, 0, 0},
		{1, 0xd05, 0x1000f, 1, 1, .u.cmd_submit = {0x200, 0x40, 0xffffffff, 0, 4, {0}}}},
	{"CmdIntrOUT", {1, 0xd06, 0x1000f, 0, 1, 0, 0x40, 0xffffffff, 0, 4, 0, 0},
		{1, 0xd06, 0x1000f, 0, 1, .u.cmd_submit = {0, 0x40, 0xffffffff, 0, 4, {0}}}},
	{"RetIntrOut", {3, 0xd06, 0, 0, 0, 0, 0x40, 0xffffffff, 0, 0, 0, 0},
		{3, 0xd06, .u.ret_submit = {0, 0x40, 0xffffffff, 0, 0}}},
	{"RetIntrIn", {3, 0xd05, 0, 0, 0, 0, 0x40, 0xffffffff, 0, 0, 0, 0},
		{3, 0xd05, .u.ret_submit = {0, 0x40, 0xffffffff, 0, 0}}},
	{"CMD_SUBMIT, GET_DESCRIPTOR",
		{1, 0x1002, 0x3001f, 1, 0, 0, 18, 0, 0xffffffff, 0, 0x80060001, 0x00001200},
		{1, 0x1002, 0x3001f, 1, 0,
			.u.cmd_submit = {0, 18, 0, 0xffffffff, 0,
				{0x80, 0x06, 0x00, 0x01, 0x00, 0x00, 0x12, 0x00}}}},
	{"CMD_SUBMIT, isochronous",
		{1, 0x89abcdef, 0xfedc0123, 1, 15, 2, 0x100000, 0x11223344, 1024, 0x55667788, 0, 0},
		{1, 0x89abcdef, 0xfedc0123, 1, 15,
			.u.cmd_submit = {2, 0x100000, 0x11223344, 1024, 0x55667788, {0}}}},
	{"RET_SUBMIT, stalled", {3, 0x1002, 0, 0, 0, 0xffffffe0, 0, 0, 0xffffffff, 0, 0, 0},
		{3, 0x1002, .u.ret_submit = {-EPIPE, 0, 0, 0xffffffff, 0}}},
	{"RET_SUBMIT, isochronous",
		{3, 0x89abcdef, 0, 0, 0, 0xffffff8d, 0x12345, 0x11223344, 1024, 0x99aabbcc, 0, 0},
		{3, 0x89abcdef,
			.u.ret_submit = {-EINPROGRESS, 0x12345, 0x11223344, 1024, 0x99aabbcc}}},
	{"CMD_UNLINK", {2, 0xd07, 0x1000f, 0, 0, 0xd05, 0, 0, 0, 0, 0, 0},
		{2, 0xd07, 0x1000f, .u.cmd_unlink = {0xd05}}},
	{"RET_UNLINK, unlinked", {4, 0xd07, 0, 0, 0, 0xffffff98, 0, 0, 0, 0, 0, 0},
		{4, 0xd07, .u.ret_unlink = {-ECONNRESET}}},
	{"RET_UNLINK, too late", {4, 0xd07, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
		{4, 0xd07, .u.ret_unlink = {0}}},
};

static void test_golden_op(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(messages); i++) {
		const struct message *m = &messages[i];
		uint8_t golden[0x28c], wire[MAX_SIZE], host[MAX_SIZE];
		const char *field;
		size_t at = 0;

		build(golden, m->size, m->patches, m->num_patches);
		for (const struct record *r = m->records; r->kind; r++) {
			size_t size = r->kind->size;

			if (put(r->kind, wire, r->host, &field) || memcmp(wire, golden + at, size))
				fail_msg("%s: put at 0x%zx", m->name, at);
			if (get(r->kind, golden + at, host, &field) ||
				memcmp(host, r->host, r->kind->host_size))
				fail_msg("%s: get at 0x%zx: %s", m->name, at, field ? field : "");
			at += size;
		}
		assert_int_equal(at, m->size);
	}
}

static void test_golden_urb(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(urb_messages); i++) {
		const struct urb_message *m = &urb_messages[i];
		uint8_t golden[48], wire[48];
		struct usbip_header h;
		const char *field;

		put_words(golden, m->words);
		if (put(&header, wire, &m->h, &field) || memcmp(wire, golden, 48))
			fail_msg("%s: put", m->name);
		if (get(&header, golden, &h, &field) || memcmp(&h, &m->h, sizeof(h)))
			fail_msg("%s: get: %s", m->name, field ? field : "");
	}
}

/* Reads a message record by record off a cursor, as a stream is. The records that were whole. */
static size_t read_records(const struct message *m, const uint8_t *buf, size_t len, bool *overrun)
{
	uint8_t record[MAX_SIZE], host[MAX_SIZE];
	struct bytes_reader r;
	const char *field;
	size_t n = 0;

	bytes_reader_init(&r, buf, len);
	for (; m->records[n].kind; n++) {
		bytes_get(&r, record, m->records[n].kind->size);
		if (r.overrun)
			break;
		assert_int_equal(get(m->records[n].kind, record, host, &field), 0);
	}
	*overrun = r.overrun;
	return n;
}

static void test_truncated(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(messages); i++) {
		const struct message *m = &messages[i];
		uint8_t golden[0x28c];

		build(golden, m->size, m->patches, m->num_patches);
		for (size_t len = 0; len <= m->size; len++) {
			uint8_t *buf = malloc(len);
			size_t whole = 0, end = 0;
			bool overrun;

			assert_true(buf || !len);
			for (; m->records[whole].kind; whole++) {
				end += m->records[whole].kind->size;
				if (end > len)
					break;
			}
			if (len)
				memcpy(buf, golden, len);
			assert_int_equal(read_records(m, buf, len, &overrun), whole);
			assert_int_equal(overrun, len < m->size);
			free(buf);
		}
	}
}

/* ---- properties ---- */

static uint64_t seed;

static uint32_t random32(void)
{
	/* xorshift64* */
	seed ^= seed >> 12;
	seed ^= seed << 25;
	seed ^= seed >> 27;
	return (uint32_t)(seed * 0x2545f4914f6cdd1dull >> 32);
}

static uint32_t below(uint32_t n)
{
	return random32() % n;
}

static void random_bytes(void *out, size_t len)
{
	for (uint8_t *p = out; len--; p++)
		*p = (uint8_t)random32();
}

/* A valid one: anything at first, then what has limits is put within them. */
static void random_header(struct usbip_header *h)
{
	static const uint32_t packets[] = {0, 0xffffffff, 1, 1024};

	random_bytes(h, sizeof(*h));
	h->command = 1 + below(4);
	if (h->command <= 2) {
		h->direction = below(2);
		h->ep = below(16);
	} else {
		h->devid = h->direction = h->ep = 0;
	}
	if (h->command == 1) {
		h->u.cmd_submit.transfer_buffer_length = below(1048577);
		h->u.cmd_submit.number_of_packets = packets[below(4)];
		return;
	}
	/* What the message does not have is 0 after get. */
	memset((uint8_t *)&h->u + (h->command == 3 ? 20 : 4), 0,
		sizeof(h->u) - (h->command == 3 ? 20 : 4));
	if (h->command != 2)
		h->u.ret_submit.status = -(int32_t)below(4096);
	if (h->command == 3) {
		h->u.ret_submit.actual_length = below(1048577);
		h->u.ret_submit.number_of_packets = packets[below(4)];
	}
}

static void random_device(struct usbip_device *d)
{
	size_t path = below(256), id = 1 + below(31);

	random_bytes(d, sizeof(*d));
	memset(d->path, 0, sizeof(d->path));
	for (size_t i = 0; i < path; i++)
		d->path[i] = (char)(' ' + below('~' - ' ' + 1));
	memset(d->busid, 0, sizeof(d->busid));
	for (size_t i = 0; i < id; i++)
		d->busid[i] = "azAZ09.:_-"[below(10)];
	d->speed = below(7);
	d->num_interfaces = (uint8_t)below(33);
}

static void check_round_trip(const struct kind *k, const void *host)
{
	uint8_t wire[MAX_SIZE], back[MAX_SIZE];
	const char *field;

	assert_int_equal(put(k, wire, host, &field), 0);
	assert_int_equal(get(k, wire, back, &field), 0);
	assert_memory_equal(back, host, k->host_size);
}

/* What is taken may be sent, and comes back the same: no bytes make get weaker than put. */
static void check_same_validator(const struct kind *k, const uint8_t *wire)
{
	uint8_t host[MAX_SIZE];
	const char *field;

	if (!get(k, wire, host, &field))
		check_round_trip(k, host);
	else
		assert_non_null(field);
}

static void test_round_trips(void **state)
{
	(void)state;
	for (int i = 0; i < 5000; i++) {
		static const uint16_t codes[] = {3, 5, 0x10, 0x11, 0x8003, 0x8005, 0x8010, 0x8011};
		struct usbip_op_common op = {0x111, codes[below(8)], random32()};
		struct usbip_session s = {.hold_s = random32()};
		struct usbip_resume r;
		struct usbip_interface iface;
		struct usbip_device d;
		struct usbip_header h;
		uint32_t n = below(257);
		uint8_t wire[MAX_SIZE];
		const char *field;

		random_bytes(&iface, sizeof(iface));
		random_bytes(&r, sizeof(r));
		random_device(&d);
		memcpy(s.busid, d.busid, sizeof(s.busid));
		check_round_trip(&session, &s);
		check_round_trip(&resume, &r);
		check_round_trip(&received, &r.first);
		random_header(&h);
		check_round_trip(&op_common, &op);
		check_round_trip(&count, &n);
		check_round_trip(&busid, d.busid);
		check_round_trip(&device, &d);
		check_round_trip(&interface, &iface);
		check_round_trip(&header, &h);

		/* One byte wrong. */
		assert_int_equal(put(&device, wire, &d, &field), 0);
		wire[below(312)] = (uint8_t)random32();
		check_same_validator(&device, wire);
		assert_int_equal(put(&header, wire, &h, &field), 0);
		wire[below(48)] = (uint8_t)random32();
		check_same_validator(&header, wire);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden_op),
		cmocka_unit_test(test_golden_urb),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_round_trips),
	};
	const char *given = getenv("IP2USB_TEST_SEED");

	seed = given ? strtoull(given, NULL, 0) : (uint64_t)time(NULL) << 16 | 1;
	if (!seed)
		seed = 1;
	printf("IP2USB_TEST_SEED=0x%llx\n", (unsigned long long)seed);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
