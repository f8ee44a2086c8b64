/* SPDX-License-Identifier: GPL-2.0-or-later */
/* importer: all kinds of URBs, and the bytes of their answers. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/importrig.h"

#define MAX_LENGTH 70000

static const struct usbip_iso_packet gaps[] = {{0, 10, 0, 0}, {32, 0, 0, 0}, {40, 24, 0, 0}};

static const struct importrig_request kinds[] = {
	{.seqnum = 1, .in = true, .length = 18, .setup = {0x80, 6, 0, 1, 0, 0, 18}},
	{.seqnum = 2, .length = 7, .setup = {0x21, 0x22, 1, 2, 3, 4, 7}},
	{.seqnum = 3, .setup = {0, 9, 1}},
	{.seqnum = 4, .setup = {0x80, 6, 0, 1}},
	{.seqnum = 5, .in = true, .setup = {0, 9, 1}},
	{.seqnum = 6, .ep = 1, .in = true, .length = 512},
	{.seqnum = 7, .ep = 2, .length = 31, .flags = USBIP_URB_ZERO_PACKET},
	{.seqnum = 8, .ep = 15, .in = true, .length = 8, .flags = USBIP_URB_SHORT_NOT_OK},
	{.seqnum = 9, .ep = 1, .in = true},
	{.seqnum = 10, .ep = 2},
	{.seqnum = 11, .ep = 1, .in = true, .length = MAX_LENGTH},
	{.seqnum = 12, .ep = 2, .length = MAX_LENGTH},
	{.seqnum = 13, .ep = 4, .in = true, .length = 64, .num_packets = 3, .packets = gaps},
	{.seqnum = 14, .ep = 4, .length = 64, .num_packets = 3, .packets = gaps},
	{.seqnum = 15, .ep = 2, .length = 5, .num_packets = 0xffffffff},
};

static void check_submitted(const struct importrig_request *q, const struct usbdevice_urb *urb)
{
	const uint8_t *data = fake_usbdevice_data(urb);

	assert_non_null(urb);
	assert_int_equal(urb->endpoint, q->ep | (q->ep && q->in ? 0x80 : 0));
	assert_int_equal(urb->length, q->length);
	assert_int_equal(urb->flags, q->flags);
	assert_int_equal(urb->num_packets, q->packets ? q->num_packets : 0);
	if (!q->ep)
		assert_memory_equal(urb->buffer, q->setup, 8);
	for (uint32_t i = 0; i < q->length && !q->in; i++)
		assert_int_equal(data[i], importrig_byte(q->seqnum, i));
	for (unsigned i = 0; i < urb->num_packets; i++)
		assert_memory_equal(&urb->packets[i], &q->packets[i], sizeof(q->packets[i]));
}

/* It ends so; of an isochronous one the packets' data is behind each other. */
static void end(
	const struct importrig_request *q, struct usbdevice_urb *urb, int status, uint32_t actual)
{
	uint8_t *data = malloc(actual);

	assert_true(data || !actual);
	for (uint32_t i = 0; i < actual; i++)
		data[i] = importrig_byte(q->seqnum + 100, i);
	for (unsigned i = 0, left = actual; i < urb->num_packets; i++) {
		struct usbip_iso_packet *p = &urb->packets[i];

		p->actual_length = left < p->length ? left : p->length;
		p->status = i == 1 ? -EPROTO : 0;
		left -= p->actual_length;
	}
	urb->num_errors = urb->num_packets ? 1 : 0;
	fake_usbdevice_end(urb, status, q->in ? data : NULL, actual);
	free(data);
}

static void check_packets(
	const struct importrig_request *q, const struct importrig_answer *a, uint32_t actual)
{
	for (unsigned i = 0; q->packets && i < q->num_packets; i++) {
		const struct usbip_iso_packet *p = &q->packets[i];
		uint32_t came = actual < p->length ? actual : p->length;
		uint8_t wire[16];

		peer_put_be32(wire, p->offset);
		peer_put_be32(wire + 4, p->length);
		peer_put_be32(wire + 8, came);
		peer_put_be32(wire + 12, (uint32_t)(i == 1 ? -EPROTO : 0));
		assert_memory_equal(a->packets + (size_t)16 * i, wire, 16);
		actual -= came;
	}
}

static void check_answer(
	struct importrig *r, const struct importrig_request *q, int status, uint32_t actual)
{
	struct importrig_answer a;

	importrig_run(r);
	assert_true(importrig_answer(r, &a));
	assert_int_equal(a.command, 3);
	assert_int_equal(a.seqnum, q->seqnum);
	assert_int_equal(a.status, status);
	assert_int_equal(a.actual, actual);
	assert_int_equal(a.errors, q->packets ? 1 : 0);
	for (uint32_t i = 0; i < actual && q->in; i++)
		assert_int_equal(a.data[i], importrig_byte(q->seqnum + 100, i));
	check_packets(q, &a, actual);
	importrig_expect_nothing(r);
}

/* One of each, which ends with all that was asked for, a part of it, or an error and data. */
static void serve(struct importrig *r, const struct importrig_request *q)
{
	const uint32_t all = q->packets ? 34 : q->length;
	const struct {
		int status;
		uint32_t actual;
	} ends[] = {
		{0, all}, {0, all / 2}, {-EPIPE, 0}, {-EOVERFLOW, all - all / 4}, {-ESHUTDOWN, 0}};

	for (size_t i = 0; i < PEER_COUNT(ends); i++) {
		unsigned before = r->device.submitted;

		importrig_submit(r, q);
		importrig_run(r);
		importrig_expect_nothing(r);
		assert_int_equal(r->device.submitted, before + 1);
		check_submitted(q, fake_usbdevice_urb(&r->device, 0));
		end(q, fake_usbdevice_urb(&r->device, 0), ends[i].status, ends[i].actual);
		check_answer(r, q, ends[i].status, ends[i].actual);
	}
}

static void test_kinds(void **state)
{
	struct importrig r;

	(void)state;
	importrig_open(&r);
	for (size_t k = 0; k < PEER_COUNT(kinds); k++)
		serve(&r, &kinds[k]);
	assert_int_equal(r.closed, 0);
	importrig_fini(&r);
}

static void test_byte_by_byte(void **state)
{
	struct importrig r;

	(void)state;
	importrig_open(&r);
	r.peer.piece = 1;
	for (size_t k = 0; k < PEER_COUNT(kinds); k++) {
		if (kinds[k].length < MAX_LENGTH)
			serve(&r, &kinds[k]);
	}
	importrig_fini(&r);
}

/* Three OUT requests, cut at each place. */
static void test_split(void **state)
{
	static const size_t which[] = {1, 6, 13};
	const size_t size = 3 * 48 + 7 + 31 + 64 + 3 * 16;

	(void)state;
	for (size_t split = 0; split <= size; split++) {
		struct importrig r;

		importrig_open(&r);
		r.peer.split = split;
		for (size_t i = 0; i < PEER_COUNT(which); i++)
			importrig_submit(&r, &kinds[which[i]]);
		assert_int_equal(r.peer.out_size, size);
		importrig_run(&r);
		assert_int_equal(r.device.submitted, 3);
		for (size_t i = 0; i < PEER_COUNT(which); i++)
			check_submitted(
				&kinds[which[i]], fake_usbdevice_urb(&r.device, (unsigned)i));
		importrig_fini(&r);
	}
}

/* All of them at the same time, more than once; the last ends first. */
static void test_together(void **state)
{
	struct importrig r;

	(void)state;
	importrig_open(&r);
	for (int round = 0; round < 3; round++) {
		for (size_t k = 0; k < PEER_COUNT(kinds); k++)
			importrig_submit(&r, &kinds[k]);
		importrig_run(&r);
		assert_int_equal(r.device.num_urbs, PEER_COUNT(kinds));
		for (size_t k = PEER_COUNT(kinds); k--;) {
			const struct importrig_request *q = &kinds[k];
			uint32_t actual = q->packets ? 34 : q->length;

			end(q, fake_usbdevice_urb(&r.device, (unsigned)k), 0, actual);
			check_answer(&r, q, 0, actual);
		}
	}
	importrig_fini(&r);
}

/* The largest there may be, of both kinds. */
static void test_largest(void **state)
{
	static struct usbip_iso_packet packets[USBIP_MAX_ISO_PACKETS];
	struct importrig_request q = {.ep = 4,
		.length = USBIP_MAX_TRANSFER,
		.num_packets = USBIP_MAX_ISO_PACKETS,
		.packets = packets};
	struct importrig r;

	(void)state;
	for (unsigned i = 0; i < USBIP_MAX_ISO_PACKETS; i++)
		packets[i] = (struct usbip_iso_packet){.offset = 1024 * i, .length = 1024};
	importrig_open(&r);
	for (q.seqnum = 1; q.seqnum <= 2; q.seqnum++) {
		q.in = q.seqnum == 2;
		importrig_submit(&r, &q);
		importrig_run(&r);
		check_submitted(&q, fake_usbdevice_urb(&r.device, 0));
		end(&q, fake_usbdevice_urb(&r.device, 0), 0, USBIP_MAX_TRANSFER);
		check_answer(&r, &q, 0, USBIP_MAX_TRANSFER);
	}
	importrig_fini(&r);
}

/* What the device does not take is answered, without data, whatever the request had. */
static void test_refused(void **state)
{
	static const struct usbip_iso_packet told[] = {{0, 8, 8, -1}, {8, 8, 3, 0}};
	const struct importrig_request iso = {
		.seqnum = 50, .ep = 4, .in = true, .length = 16, .num_packets = 2, .packets = told};
	struct importrig_answer a;
	struct importrig r;

	(void)state;
	importrig_open(&r);
	r.device.refuse = -ENOENT;
	for (size_t k = 0; k < PEER_COUNT(kinds); k++) {
		importrig_submit(&r, &kinds[k]);
		importrig_run(&r);
		assert_true(importrig_answer(&r, &a));
		assert_int_equal(a.seqnum, kinds[k].seqnum);
		assert_int_equal(a.status, -ENOENT);
		assert_int_equal(a.actual, 0);
		assert_int_equal(a.errors, 0);
		importrig_expect_nothing(&r);
	}
	importrig_submit(&r, &iso);
	importrig_run(&r);
	assert_true(importrig_answer(&r, &a));
	for (int i = 0; i < 2; i++)
		assert_memory_equal(a.packets + 16 * i + 8, "\0\0\0\0", 4);
	r.device.refuse = 0;
	serve(&r, &kinds[0]);
	importrig_fini(&r);
}

/* Where the header says one way and the setup packet the other, there is data for nobody: what is
 * in memory by chance would go to the device, and to the importer. */
static void test_control_of_two_minds(void **state)
{
	static const struct importrig_request two[] = {
		{.seqnum = 1, .in = true, .length = 64, .setup = {0x21, 9, 0, 0, 0, 0, 64}},
		{.seqnum = 2, .length = 64, .setup = {0xa1, 1, 0, 0, 0, 0, 64}},
	};
	struct importrig_answer a;
	struct importrig r;

	(void)state;
	importrig_open(&r);
	for (size_t i = 0; i < PEER_COUNT(two); i++) {
		importrig_submit(&r, &two[i]);
		importrig_run(&r);
		assert_int_equal(r.device.submitted, 0);
		assert_true(importrig_answer(&r, &a));
		assert_int_equal(a.status, -EINVAL);
		assert_int_equal(a.actual, 0);
		importrig_expect_nothing(&r);
	}
	importrig_fini(&r);
}

/* ---- a busy device ---- */

static void test_busy(void **state)
{
	struct importrig_request call = {.seqnum = 1, .setup = {1, 11, 1}};
	struct importrig r;

	(void)state;
	for (size_t piece = 0; piece < 60; piece++) {
		importrig_open(&r);
		r.peer.piece = piece;
		r.device.busy_by_control = true;
		importrig_submit(&r, &call);
		importrig_ask(&r, 2, 8);
		importrig_submit(&r, &kinds[6]);
		importrig_ask(&r, 3, 8);
		importrig_run(&r);
		assert_int_equal(r.device.submitted, 1);
		assert_int_equal(importer_events(r.importer), 0);
		fake_usbdevice_end(fake_usbdevice_urb(&r.device, 0), 0, NULL, 0);
		importrig_run(&r);
		importrig_expect(&r, 3, 1, 0);
		assert_int_equal(r.device.submitted, 4);
		check_submitted(&kinds[6], fake_usbdevice_urb(&r.device, 1));
		assert_int_equal(r.closed, 0);
		importrig_fini(&r);
	}
}

/* The request comes with data, and so much behind it that there is no room for more. It is heard of
 * by the socket before it is flushed. */
static void test_busy_and_full(void **state)
{
	struct importrig_request call = {
		.seqnum = 1, .length = 200, .setup = {1, 11, 1, 0, 0, 0, 200}};
	struct importrig r;

	(void)state;
	importrig_open(&r);
	r.device.busy_by_control = true;
	/* Its header alone, then its data and all the rest in one piece. */
	r.peer.split = 48;
	importrig_submit(&r, &call);
	for (uint32_t i = 2; i < 202; i++)
		importrig_ask(&r, i, 8);
	importrig_run(&r);
	assert_int_equal(r.device.submitted, 1);
	fake_usbdevice_end(fake_usbdevice_urb(&r.device, 0), 0, NULL, 200);
	importer_dispatch(r.importer);
	importrig_run(&r);
	assert_int_equal(r.closed, 0);
	importrig_expect(&r, 3, 1, 0);
	assert_int_equal(r.device.submitted, 201);
	importrig_fini(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_byte_by_byte),
		cmocka_unit_test(test_split),
		cmocka_unit_test(test_together),
		cmocka_unit_test(test_largest),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_control_of_two_minds),
		cmocka_unit_test(test_busy),
		cmocka_unit_test(test_busy_and_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
