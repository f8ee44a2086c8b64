/* SPDX-License-Identifier: GPL-2.0-or-later */
/* importer: how it comes to an end. With malloc, calloc and realloc wrapped. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bridge/conn.h"
#include "tests/unit/allocations.h"
#include "tests/unit/importrig.h"

#define LOST "it closed the connection"

/* ---- the connection is lost ---- */

/* All that there is: an import, an OUT request, an IN one, an unlink, an isochronous one. */
static void send_all(struct importrig *r)
{
	static const struct usbip_iso_packet packets[] = {{0, 4, 0, 0}, {4, 4, 0, 0}};
	const struct importrig_request out = {.seqnum = 1, .ep = 2, .length = 20};
	const struct importrig_request iso = {
		.seqnum = 3, .ep = 3, .length = 8, .num_packets = 2, .packets = packets};

	importrig_import(r, "3-1");
	importrig_submit(r, &out);
	importrig_ask(r, 2, 512);
	importrig_unlink(r, 9, 2);
	importrig_submit(r, &iso);
}

static void test_lost_at_each_byte(void **state)
{
	const size_t size = 40 + 4 * 48 + 20 + 8 + 2 * 16;

	(void)state;
	for (size_t end = 0; end < size; end++) {
		struct importrig r;

		importrig_init(&r);
		send_all(&r);
		assert_int_equal(r.peer.out_size, size);
		r.peer.out_size = end;
		r.peer.closing = true;
		importrig_run(&r);
		importrig_expect_closed(&r, LOST);
		assert_int_equal(r.device.submitted, (end >= 108) + (end >= 156));
		/* Nothing more is told of what comes back now. */
		fake_usbdevice_end_all(&r.device, 0);
		importer_dispatch(r.importer);
		importer_flush(r.importer);
		importer_end(r.importer, "again");
		importer_flush(r.importer);
		importrig_expect_closed(&r, LOST);
		importrig_fini(&r);
	}
}

/* With answers that have not gone, or of which a part has. */
static void test_lost_with_answers(void **state)
{
	static uint8_t data[65536];

	(void)state;
	for (int unlinked = 0; unlinked < 2; unlinked++) {
		struct importrig r;

		importrig_open(&r);
		importrig_narrow(&r);
		r.peer.deaf = true;
		for (uint32_t i = 1; i <= 20; i++)
			importrig_ask(&r, i, sizeof(data));
		importrig_run(&r);
		for (uint32_t i = 1; i <= 20 && unlinked; i++)
			importrig_unlink(&r, 100 + i, i);
		importrig_run(&r);
		for (int i = 0; i < 10; i++)
			fake_usbdevice_end(fake_usbdevice_urb(&r.device, 0), 0, data, sizeof(data));
		importrig_run(&r);
		assert_int_equal(r.closed, 0);
		peer_close(&r.peer);
		importrig_run(&r);
		assert_int_equal(r.closed, 1);
		importrig_fini(&r);
	}
}

/* The loss is seen while an import is not answered yet, the device is busy, or not until then. */
static void test_lost_unheard(void **state)
{
	struct importrig r;

	(void)state;
	importrig_init(&r);
	r.status = -1;
	importrig_import(&r, "3-1");
	importrig_run(&r);
	peer_close(&r.peer);
	importrig_run(&r);
	importer_give(r.importer, &r.device, &r.description);
	importrig_run(&r);
	assert_int_equal(r.closed, 1);
	importrig_fini(&r);

	importrig_open(&r);
	importrig_ask(&r, 1, 8);
	importrig_run(&r);
	r.device.busy = true;
	peer_close(&r.peer);
	importrig_run(&r);
	assert_int_equal(r.closed, 0);
	r.device.busy = false;
	importrig_run(&r);
	importrig_expect_closed(&r, LOST);
	importrig_fini(&r);
}

/* ---- the exporter ends it ---- */

static void test_end_of_nothing(void **state)
{
	struct importrig r;

	(void)state;
	importrig_init(&r);
	importer_end(r.importer, "it has asked for nothing");
	assert_int_equal(r.closed, 0);
	importrig_run(&r);
	importrig_expect_closed(&r, "it has asked for nothing");
	importrig_fini(&r);
}

/* What has been answered is sent, however slowly that is taken. */
static void test_end_with_answers(void **state)
{
	static uint8_t data[65536];
	struct importrig_answer a;
	struct importrig r;

	(void)state;
	importrig_open(&r);
	importrig_narrow(&r);
	importrig_ask(&r, 1, sizeof(data));
	importrig_ask(&r, 2, sizeof(data));
	importrig_unlink(&r, 9, 77);
	importrig_run(&r);
	importrig_expect(&r, 4, 9, 0);
	r.peer.deaf = true;
	fake_usbdevice_end(fake_usbdevice_urb(&r.device, 0), 0, data, sizeof(data));
	fake_usbdevice_end(fake_usbdevice_urb(&r.device, 0), 0, data, sizeof(data));
	importer_end(r.importer, "the exporter ends");
	/* Nothing is heard any more. */
	importrig_ask(&r, 3, 8);
	importrig_run(&r);
	assert_int_equal(r.closed, 0);
	assert_int_equal(importer_events(r.importer), POLLOUT);
	r.peer.deaf = false;
	importrig_run(&r);
	assert_true(importrig_answer(&r, &a) && a.seqnum == 1 && a.actual == sizeof(data));
	assert_true(importrig_answer(&r, &a) && a.seqnum == 2 && a.actual == sizeof(data));
	importrig_expect_nothing(&r);
	importrig_expect_closed(&r, "the exporter ends");
	assert_int_equal(r.device.submitted, 2);
	importrig_fini(&r);
}

/* What waits at the device may do so for ever: nobody waits for that. It is not answered; whoever
 * imports the device sees a connection that is closed, and may come again. */
static void test_end_with_urbs_at_device(void **state)
{
	struct importrig r;

	(void)state;
	importrig_open(&r);
	importrig_ask(&r, 1, 8);
	importrig_ask(&r, 2, 8);
	importrig_unlink(&r, 9, 2);
	importrig_run(&r);
	importer_end(r.importer, "the exporter ends");
	importrig_run(&r);
	importrig_expect_nothing(&r);
	importrig_expect_closed(&r, "the exporter ends");
	importrig_fini(&r);
}

/* Of a device that was unplugged everything comes back by itself, and that is why: it is said. */
static void test_unplugged(void **state)
{
	struct importrig r;

	(void)state;
	for (int first = 0; first < 2; first++) {
		importrig_open(&r);
		importrig_ask(&r, 1, 8);
		importrig_ask(&r, 2, 8);
		importrig_unlink(&r, 9, 2);
		importrig_run(&r);
		/* libusb may tell the one or the other first. */
		if (first)
			fake_usbdevice_end(fake_usbdevice_urb(&r.device, 0), -ESHUTDOWN, NULL, 0);
		importer_unplugged(r.importer, "the device was unplugged");
		importrig_run(&r);
		assert_int_equal(r.closed, 0);
		fake_usbdevice_end_all(&r.device, -ESHUTDOWN);
		importrig_run(&r);
		importrig_expect(&r, 3, 1, -ESHUTDOWN);
		importrig_expect(&r, 3, 2, -ESHUTDOWN);
		importrig_expect(&r, 4, 9, 0);
		importrig_expect_nothing(&r);
		importrig_expect_closed(&r, "the device was unplugged");
		importrig_fini(&r);
	}
}

/* The exporter ends while that is waited for. */
static void test_unplugged_and_end(void **state)
{
	struct importrig r;

	(void)state;
	importrig_open(&r);
	importrig_ask(&r, 1, 8);
	importrig_run(&r);
	importer_unplugged(r.importer, "the device was unplugged");
	importer_end(r.importer, "the exporter ends");
	importrig_run(&r);
	importrig_expect_closed(&r, "the exporter ends");
	importrig_fini(&r);
}

static void test_end_while_importing(void **state)
{
	struct importrig r;

	(void)state;
	importrig_init(&r);
	r.status = -1;
	importrig_import(&r, "3-1");
	importrig_run(&r);
	importer_end(r.importer, "the device was unplugged");
	importer_give(r.importer, &r.device, &r.description);
	importer_refuse(r.importer, USBIP_ST_NA);
	importrig_run(&r);
	importrig_expect_nothing(&r);
	importrig_expect_closed(&r, "the device was unplugged");
	importrig_fini(&r);
}

/* A request of which a part has come. */
static void test_end_in_a_request(void **state)
{
	const struct importrig_request out = {.seqnum = 1, .ep = 2, .length = 5000};
	struct importrig r;

	(void)state;
	importrig_open(&r);
	importrig_submit(&r, &out);
	r.peer.out_size -= 1;
	importrig_run(&r);
	importer_end(r.importer, "the exporter ends");
	importrig_run(&r);
	importrig_expect_closed(&r, "the exporter ends");
	assert_int_equal(r.device.submitted, 0);
	importrig_fini(&r);
}

/* ---- out of memory ---- */

static void test_no_importer(void **state)
{
	static const struct importer_callbacks none = {0};
	struct conn conn = {.fd = -1};

	(void)state;
	allocations_fail(1);
	assert_null(importer_new(&conn, &none, NULL));
	allocations_fail(0);
	importer_free(NULL);
}

static void test_no_memory_for_list(void **state)
{
	(void)state;
	/* The list that is written; its entries are the exporter's, in whose stead the rig
	 * allocates the first. */
	for (unsigned n = 1; n <= 2; n++) {
		struct importrig r;

		importrig_init(&r);
		r.num_listed = 3;
		peer_send_op(&r.peer, 0x8005, 0);
		importrig_prepare(&r);
		allocations_fail(n);
		importer_dispatch(r.importer);
		allocations_fail(0);
		importrig_run(&r);
		importrig_expect_nothing(&r);
		importrig_expect_closed(&r, "Cannot allocate memory");
		importrig_fini(&r);
	}
}

static void test_no_memory_for_import(void **state)
{
	struct importrig r;

	(void)state;
	importrig_init(&r);
	importrig_import(&r, "3-1");
	importrig_prepare(&r);
	allocations_fail(1);
	importer_dispatch(r.importer);
	allocations_fail(0);
	importrig_run(&r);
	importrig_expect_closed(&r, "Cannot allocate memory");
	importrig_fini(&r);
}

/* Of a URB: itself, its buffer, its packets; of an unlink the first two. */
static void test_no_memory_for_urbs(void **state)
{
	static const struct usbip_iso_packet packets[] = {{0, 4, 0, 0}, {4, 4, 0, 0}};
	const struct importrig_request iso = {
		.seqnum = 2, .ep = 3, .length = 8, .num_packets = 2, .packets = packets};

	(void)state;
	for (unsigned n = 1; n <= 5; n++) {
		struct importrig r;

		importrig_open(&r);
		importrig_ask(&r, 1, 8);
		importrig_run(&r);
		if (n <= 3)
			importrig_submit(&r, &iso);
		else
			importrig_unlink(&r, 9, 99);
		importrig_prepare(&r);
		allocations_fail(n <= 3 ? n : n - 3);
		importer_dispatch(r.importer);
		allocations_fail(0);
		importrig_run(&r);
		assert_int_equal(r.device.submitted, 1);
		importrig_expect_closed(&r, "Cannot allocate memory");
		importrig_fini(&r);
	}
}

/* Once it has what it needs it allocates nothing more. */
static void test_no_more_memory(void **state)
{
	struct importrig r;
	unsigned before = 0;

	(void)state;
	importrig_open(&r);
	for (unsigned round = 0; round < 200; round++) {
		if (round == 10)
			before = allocations;
		for (uint32_t i = 1; i <= 8; i++)
			importrig_ask(&r, i, 16384);
		importrig_unlink(&r, 9, 1);
		importrig_unlink(&r, 10, 12);
		importrig_run(&r);
		fake_usbdevice_end_cancelled(&r.device);
		fake_usbdevice_end_all(&r.device, 0);
		importrig_run(&r);
		(void)peer_take(&r.peer, r.peer.in_size);
		importrig_expect_nothing(&r);
	}
	assert_int_equal(allocations, before);
	importrig_fini(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lost_at_each_byte),
		cmocka_unit_test(test_lost_with_answers),
		cmocka_unit_test(test_lost_unheard),
		cmocka_unit_test(test_end_of_nothing),
		cmocka_unit_test(test_end_with_answers),
		cmocka_unit_test(test_end_with_urbs_at_device),
		cmocka_unit_test(test_unplugged),
		cmocka_unit_test(test_unplugged_and_end),
		cmocka_unit_test(test_end_while_importing),
		cmocka_unit_test(test_end_in_a_request),
		cmocka_unit_test(test_no_importer),
		cmocka_unit_test(test_no_memory_for_list),
		cmocka_unit_test(test_no_memory_for_import),
		cmocka_unit_test(test_no_memory_for_urbs),
		cmocka_unit_test(test_no_more_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
