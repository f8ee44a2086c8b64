/* SPDX-License-Identifier: GPL-2.0-or-later */
/* importer: what comes before the URBs, and what it does not take. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/importrig.h"

#define BROKEN "it broke the USB/IP protocol: "

/* ---- lists ---- */

static void check_list(struct importrig *r, unsigned devices, unsigned interfaces)
{
	const uint8_t head[12] = {
		1, 0x11, 0, 5, 0, 0, 0, 0, 0, 0, (uint8_t)(devices >> 8), (uint8_t)devices};
	uint8_t device[312] = "/sys/devices/usb3/3-1";
	const uint8_t *at = peer_take(&r->peer, sizeof(head));

	memcpy(device + 256, "3-1", 3);
	memcpy(device + 288, "\0\0\0\3\0\0\0\7\0\0\0\3\x04\xa9\x32\x18", 16);
	device[310] = 1;
	device[311] = (uint8_t)interfaces;
	assert_non_null(at);
	assert_memory_equal(at, head, sizeof(head));
	for (unsigned i = 0; i < devices; i++) {
		at = peer_take(&r->peer, sizeof(device));
		assert_non_null(at);
		assert_memory_equal(at, device, sizeof(device));
		for (unsigned n = 0; n < interfaces; n++) {
			const uint8_t interface[4] = {6, (uint8_t)i, (uint8_t)n};

			at = peer_take(&r->peer, sizeof(interface));
			assert_non_null(at);
			assert_memory_equal(at, interface, sizeof(interface));
		}
	}
	importrig_expect_nothing(r);
	importrig_expect_closed(r, "");
	assert_int_equal(r->lists, 1);
}

static void list(unsigned devices, unsigned interfaces, size_t piece, bool deaf)
{
	struct importrig r;

	importrig_init(&r);
	r.num_listed = devices;
	r.description.num_interfaces = (uint8_t)interfaces;
	r.peer.piece = piece;
	r.peer.deaf = deaf;
	if (deaf)
		importrig_narrow(&r);
	peer_send_op(&r.peer, 0x8005, 0);
	importrig_run(&r);
	if (deaf)
		assert_int_equal(r.closed, 0);
	r.peer.deaf = false;
	importrig_run(&r);
	check_list(&r, devices, interfaces);
	importrig_fini(&r);
}

static void test_list(void **state)
{
	(void)state;
	list(0, 0, 0, false);
	list(1, 0, 0, false);
	list(1, 1, 1, false);
	list(3, 32, 1, false);
	list(256, 32, 0, false);
	/* More than a socket takes: it waits, without a turn of its own. */
	list(256, 32, 0, true);
}

/* Who says what nobody can read is left out. */
static void test_list_of_what_cannot_be_put(void **state)
{
	struct importrig r;
	const uint8_t empty[12] = {1, 0x11, 0, 5};
	const uint8_t *at;

	(void)state;
	importrig_init(&r);
	r.num_listed = 2;
	strcpy(r.description.busid, "a b");
	peer_send_op(&r.peer, 0x8005, 0);
	importrig_run(&r);
	at = peer_take(&r.peer, sizeof(empty));
	assert_non_null(at);
	assert_memory_equal(at, empty, sizeof(empty));
	importrig_expect_nothing(&r);
	importrig_expect_closed(&r, "");
	importrig_fini(&r);
}

/* ---- imports ---- */

static void check_given(struct importrig *r)
{
	const uint8_t *at = peer_take(&r->peer, 8 + 312);
	uint8_t device[320] = {1, 0x11, 0, 3};

	strcpy((char *)device + 8, "/sys/devices/usb3/3-1");
	memcpy(device + 8 + 256, "3-1", 3);
	memcpy(device + 8 + 288, "\0\0\0\3\0\0\0\7\0\0\0\3\x04\xa9\x32\x18", 16);
	device[8 + 310] = 1;
	device[8 + 311] = 1;
	assert_non_null(at);
	assert_memory_equal(at, device, sizeof(device));
	importrig_expect_nothing(r);
	assert_int_equal(r->closed, 0);
	assert_string_equal(r->busid, "3-1");
	assert_false(importer_is_new(r->importer));
}

static void test_import(void **state)
{
	(void)state;
	for (size_t split = 0; split <= 40; split++) {
		struct importrig r;

		importrig_init(&r);
		r.peer.split = split;
		r.peer.piece = split ? 0 : 1;
		importrig_import(&r, "3-1");
		importrig_run(&r);
		check_given(&r);
		importrig_fini(&r);
	}
}

/* Nothing that comes meanwhile is looked at, and nothing of it is lost. */
static void test_import_later(void **state)
{
	struct importrig r;

	(void)state;
	importrig_init(&r);
	r.status = -1;
	importrig_import(&r, "3-1");
	for (uint32_t i = 1; i <= 200; i++)
		importrig_ask(&r, i, 4);
	importrig_run(&r);
	assert_int_equal(r.imports, 1);
	assert_int_equal(importer_events(r.importer), 0);
	assert_true(importer_is_new(r.importer));
	importer_give(r.importer, &r.device, &r.description);
	importrig_run(&r);
	assert_int_equal(r.device.submitted, 200);
	check_given(&r);
	importrig_fini(&r);
}

static void test_refused(void **state)
{
	(void)state;
	for (int status = 1; status <= 5; status++) {
		const uint8_t answer[8] = {1, 0x11, 0, 3, 0, 0, 0, (uint8_t)status};
		struct importrig r;
		const uint8_t *at;

		importrig_init(&r);
		r.status = status;
		importrig_import(&r, "3-1");
		importrig_run(&r);
		at = peer_take(&r.peer, sizeof(answer));
		assert_non_null(at);
		assert_memory_equal(at, answer, sizeof(answer));
		importrig_expect_nothing(&r);
		importrig_expect_closed(&r, "");
		/* Too late. */
		importer_give(r.importer, &r.device, &r.description);
		importer_refuse(r.importer, USBIP_ST_NA);
		importer_flush(r.importer);
		assert_int_equal(r.closed, 1);
		importrig_fini(&r);
	}
}

/* A busid fills its field, or has something behind its end. */
static void test_busid(void **state)
{
	static const struct {
		char busid[33];
		const char *reason; /* NULL: it is asked for */
	} cases[] = {
		{"1-1.2.3.4.5.6.7:abcdefghijklmno", NULL},
		{"1-1\0garbage", NULL},
		{"1-1.2.3.4.5.6.7:abcdefghijklmnop", BROKEN "busid: no NUL within 32 bytes"},
		{"", BROKEN "busid: empty"},
		{"../1-1", BROKEN "busid: a character other than A-Z a-z 0-9 . : _ -"},
		{"1-1\n", BROKEN "busid: a character other than A-Z a-z 0-9 . : _ -"},
	};

	(void)state;
	for (size_t i = 0; i < PEER_COUNT(cases); i++) {
		struct importrig r;

		importrig_init(&r);
		r.status = USBIP_ST_NODEV;
		peer_send_op(&r.peer, 0x8003, 0);
		peer_send(&r.peer, cases[i].busid, 32);
		importrig_run(&r);
		assert_int_equal(r.imports, !cases[i].reason);
		if (!cases[i].reason)
			assert_string_equal(r.busid, cases[i].busid);
		importrig_expect_closed(&r, cases[i].reason ? cases[i].reason : "");
		importrig_fini(&r);
	}
}

/* ---- what is refused ---- */

static void test_first_message(void **state)
{
	static const struct {
		uint8_t wire[8];
		const char *reason;
	} cases[] = {
		{{1, 0x10, 0x80, 5}, BROKEN "op_common.version: not 0x0111"},
		{{2, 0x11, 0x80, 5}, BROKEN "op_common.version: not 0x0111"},
		{{1, 0x11, 0x80, 4}, BROKEN "op_common.code: neither DEVLIST nor IMPORT"},
		{{1, 0x11, 0, 5}, BROKEN "op_common.code: not a request"},
		{{1, 0x11, 0, 3}, BROKEN "op_common.code: not a request"},
		{"GET / HT", BROKEN "op_common.version: not 0x0111"},
	};

	(void)state;
	for (size_t i = 0; i < PEER_COUNT(cases); i++) {
		struct importrig r;

		importrig_init(&r);
		peer_send(&r.peer, cases[i].wire, 8);
		importrig_run(&r);
		importrig_expect_nothing(&r);
		importrig_expect_closed(&r, cases[i].reason);
		assert_int_equal(r.lists + r.imports, 0);
		importrig_fini(&r);
	}
}

/* One word of a good CMD_SUBMIT or CMD_UNLINK is another; all of it comes in pieces. */
static void test_breaches(void **state)
{
	static const struct {
		uint32_t command;
		unsigned word;
		uint32_t value;
		const char *reason;
	} cases[] = {
		{1, 0, 0, BROKEN "usbip_header_basic.command: not 1..4"},
		{1, 0, 5, BROKEN "usbip_header_basic.command: not 1..4"},
		{1, 0, 0x80050111, BROKEN "usbip_header_basic.command: not 1..4"},
		{1, 0, 4, BROKEN "usbip_header_basic.command: not a request"},
		{2, 0, 3, BROKEN "usbip_header_basic.command: not a request"},
		{1, 2, 0x30008, BROKEN "usbip_header_basic.devid: not the imported device's"},
		{1, 2, 0, BROKEN "usbip_header_basic.devid: not the imported device's"},
		{2, 2, 0x70003, BROKEN "usbip_header_basic.devid: not the imported device's"},
		{1, 3, 2, BROKEN "usbip_header_basic.direction: neither 0 nor 1"},
		{2, 3, 0xffffffff, BROKEN "usbip_header_basic.direction: neither 0 nor 1"},
		{1, 4, 16, BROKEN "usbip_header_basic.ep: over 15"},
		{1, 4, 0x81, BROKEN "usbip_header_basic.ep: over 15"},
		{1, 6, 0x100001, BROKEN "cmd_submit.transfer_buffer_length: over 1 MiB"},
		{1, 6, 0xffffffff, BROKEN "cmd_submit.transfer_buffer_length: over 1 MiB"},
		{1, 8, 1025, BROKEN "cmd_submit.number_of_packets: over 1024"},
		{1, 8, 0xfffffffe, BROKEN "cmd_submit.number_of_packets: over 1024"},
	};

	(void)state;
	for (size_t i = 0; i < 2 * PEER_COUNT(cases); i++) {
		uint32_t words[] = {0, 5, IMPORTRIG_DEVID, 1, 1, 0, 8, 0, 0, 0};
		size_t n = i / 2;
		struct importrig r;

		importrig_open(&r);
		r.peer.piece = i & 1;
		importrig_ask(&r, 1, 8);
		words[0] = cases[n].command;
		words[cases[n].word] = cases[n].value;
		peer_send_header(&r.peer, words, PEER_COUNT(words));
		importrig_ask(&r, 2, 8);
		importrig_run(&r);
		/* What came before it was good. */
		assert_int_equal(r.device.submitted, 1);
		importrig_expect_closed(&r, cases[n].reason);
		importrig_expect_nothing(&r);
		importrig_fini(&r);
	}
}

static void test_breaches_of_packets(void **state)
{
	static const struct {
		struct usbip_iso_packet packet;
		const char *reason;
	} cases[] = {
		{{0, 0x100001, 0, 0}, BROKEN "usbip_iso_packet_descriptor.length: over 1 MiB"},
		{{0x100000, 1, 0, 0}, BROKEN "usbip_iso_packet_descriptor.offset: ends over 1 MiB"},
		{{0xffffffff, 1, 0, 0},
			BROKEN "usbip_iso_packet_descriptor.offset: ends over 1 MiB"},
		{{0, 4, 5, 0}, BROKEN "usbip_iso_packet_descriptor.actual_length: over its length"},
		{{0, 4, 0, 1}, BROKEN "usbip_iso_packet_descriptor.status: not in -4095..0"},
	};

	(void)state;
	for (size_t i = 0; i < 2 * PEER_COUNT(cases); i++) {
		const struct usbip_iso_packet packets[] = {
			{0, 4, 0, 0}, cases[i / 2].packet, {0, 4, 0, 0}};
		struct importrig r;

		importrig_open(&r);
		importrig_submit(&r,
			&(struct importrig_request){.seqnum = 1,
				.ep = 3,
				.in = i & 1,
				.length = 8,
				.num_packets = 3,
				.packets = packets});
		importrig_run(&r);
		assert_int_equal(r.device.submitted, 0);
		importrig_expect_closed(&r, cases[i / 2].reason);
		importrig_fini(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_list_of_what_cannot_be_put),
		cmocka_unit_test(test_import),
		cmocka_unit_test(test_import_later),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_busid),
		cmocka_unit_test(test_first_message),
		cmocka_unit_test(test_breaches),
		cmocka_unit_test(test_breaches_of_packets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
