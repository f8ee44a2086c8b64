/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pipe when all goes well: bytes, order, the ends of transfers, how much is asked for and when.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <linux/usb/ch9.h>

#include "tests/unit/pipebench.h"

#define GENERIC FRAMING_GENERIC
#define PTP FRAMING_PTP
#define UNBOUNDED 0xffffffffu

/* A transfer, cut into packets; with PTP a container unless it continues one. */
struct transfer {
	uint32_t size;
	uint16_t type;	 /* of a container; 0: none */
	bool zero;	 /* a zero-length packet ends it */
	uint32_t length; /* that its header tells, 0: size */
};

struct transfers {
	const char *name;
	enum framing_kind framing;
	uint32_t max_packet;
	struct transfer list[8];
};

/* One that has no size is the end of the list, unless it is a zero-length packet. */
static const struct transfers cases[] = {
	{"generic, one byte", GENERIC, 512, {{1, 0, false, 0}}},
	{"generic, zero length", GENERIC, 512,
		{{0, 0, true, 0}, {7, 0, false, 0}, {0, 0, true, 0}}},
	{"generic, short of a packet", GENERIC, 512, {{511, 0, false, 0}}},
	{"generic, a packet and no end", GENERIC, 512, {{512, 0, false, 0}}},
	{"generic, a packet and its end", GENERIC, 512, {{512, 0, true, 0}, {3, 0, false, 0}}},
	{"generic, over a packet", GENERIC, 512, {{513, 0, false, 0}, {1, 0, false, 0}}},
	{"generic, a long one", GENERIC, 512, {{100000, 0, false, 0}}},
	{"generic, a long multiple", GENERIC, 512, {{200 * 512, 0, false, 0}}},
	{"generic, a long multiple and its end", GENERIC, 512, {{200 * 512, 0, true, 0}}},
	{"generic, full speed", GENERIC, 64, {{1000, 0, false, 0}, {64, 0, true, 0}}},
	{"generic, packets of 8", GENERIC, 8, {{100, 0, false, 0}, {16, 0, true, 0}}},
	{"ptp, whole containers", PTP, 512, {{12, 1, false, 0}, {32, 3, false, 0}}},
	{"ptp, data in a packet", PTP, 512, {{100, 2, false, 0}, {12, 3, false, 0}}},
	{"ptp, data fills a packet", PTP, 512, {{512, 2, false, 0}, {12, 3, false, 0}}},
	{"ptp, data fills a packet, ended", PTP, 512, {{512, 2, true, 0}, {12, 3, false, 0}}},
	{"ptp, data of two packets", PTP, 512, {{1024, 2, false, 0}, {12, 3, false, 0}}},
	{"ptp, data of two packets, ended", PTP, 512, {{1024, 2, true, 0}, {12, 3, false, 0}}},
	{"ptp, long data", PTP, 512,
		{{300001, 2, false, 0}, {12, 3, false, 0}, {20, 1, false, 0},
			{99999, 2, false, 0}}},
	{"ptp, a long multiple", PTP, 512, {{400 * 512, 2, false, 0}, {12, 3, false, 0}}},
	{"ptp, a long multiple, ended", PTP, 512, {{400 * 512, 2, true, 0}, {12, 3, false, 0}}},
	{"ptp, ends where a request does", PTP, 512,
		{{512 + 8 * 16384, 2, true, 0}, {12, 3, false, 0}}},
	{"ptp, header alone", PTP, 512,
		{{12, 2, false, 100012}, {100000, 0, false, 0}, {12, 3, false, 0}}},
	{"ptp, ends before its time", PTP, 512, {{5001, 2, false, 90000}, {12, 3, false, 0}}},
	{"ptp, ends before its time, zero length", PTP, 512,
		{{5120, 2, true, 90000}, {12, 3, false, 0}}},
	{"ptp, unbounded", PTP, 512, {{70000, 2, false, UNBOUNDED}, {12, 3, false, 0}}},
	{"ptp, unbounded multiple", PTP, 512, {{51200, 2, true, UNBOUNDED}, {12, 3, false, 0}}},
	{"ptp, full speed", PTP, 64, {{64 * 50, 2, false, 0}, {12, 3, false, 0}}},
	{"ptp, nonsense", PTP, 512, {{1000, 7, false, 3}, {5, 0, false, 0}, {2048, 9, true, 1}}},
};

static bool is_end(const struct transfer *t)
{
	return !t->size && !t->zero;
}

#define MAX_PACKETS 2048

/* A case's transfers, cut. */
struct packets {
	unsigned n;
	uint32_t sizes[MAX_PACKETS];
	uint8_t *data[MAX_PACKETS];
	uint8_t *transfers[8];
};

static void cut(struct packets *out, const struct transfers *c)
{
	memset(out, 0, sizeof(*out));
	for (unsigned i = 0; !is_end(&c->list[i]); i++) {
		const struct transfer *t = &c->list[i];
		uint8_t *data = out->transfers[i] = malloc(t->size);

		if (t->type)
			bench_container(data, t->size, t->type, t->length ? t->length : t->size, i);
		else
			bench_fill(data, t->size, i);
		for (uint32_t at = 0; at < t->size || (at == t->size && t->zero);
			at += c->max_packet) {
			assert_true(out->n < MAX_PACKETS);
			out->data[out->n] = data + at;
			out->sizes[out->n++] =
				t->size - at < c->max_packet ? t->size - at : c->max_packet;
		}
	}
}

static void free_packets(struct packets *packets)
{
	for (unsigned i = 0; i < 8; i++)
		free(packets->transfers[i]);
}

static void open_for(struct pipebench *p, const struct transfers *c)
{
	pipebench_open(
		p, &(struct pipebench_options){.framing = c->framing, .max_packet = c->max_packet});
	pipebench_start(p);
	bench_settle(&p->bench);
}

static void test_in(void **state)
{
	const struct transfers *c = *state;
	struct packets packets;
	struct pipebench p;
	uint8_t none[512];
	size_t size;

	cut(&packets, c);
	open_for(&p, c);
	for (unsigned i = 0; i < packets.n; i++)
		camera_put(p.camera_in, packets.data[i], packets.sizes[i]);
	for (unsigned i = 0; i < packets.n; i++)
		bench_expect(&p.bench, PIPE_IN, packets.data[i], packets.sizes[i]);
	assert_int_equal(bench_receive(&p.bench, PIPE_IN, none, &size), FAKE_NAK);
	assert_int_equal(p.in.errors, 0);
	pipebench_close(&p);
	free_packets(&packets);
}

static void test_out(void **state)
{
	const struct transfers *c = *state;
	struct packets packets;
	struct pipebench p;

	cut(&packets, c);
	open_for(&p, c);
	for (unsigned i = 0; i < packets.n; i++)
		assert_int_equal(bench_send(&p.bench, PIPE_OUT, packets.data[i], packets.sizes[i]),
			FAKE_ACK);
	bench_settle(&p.bench);
	for (unsigned i = 0; i < packets.n; i++)
		bench_expect_camera(&p.bench, p.camera_out, i, packets.data[i], packets.sizes[i]);
	assert_int_equal(p.camera_out->num, packets.n);
	pipebench_close(&p);
	free_packets(&packets);
}

/* ---- how much is asked for, and when ---- */

static void test_read_ahead(void **state)
{
	const enum framing_kind *framing = *state;
	struct pipebench p;
	unsigned expected = *framing == PTP ? 1 : PIPEBENCH_SLOTS;
	uint32_t size = *framing == PTP ? PIPEBENCH_REQUEST : 512;

	pipebench_open(&p, &(struct pipebench_options){.framing = *framing});
	bench_settle(&p.bench);
	assert_int_equal(p.camera_in->urbs, 0);
	assert_int_equal(fake_ffs_posted(p.bench.ffs, PIPE_OUT), 0);
	pipebench_start(&p);
	/* one way to the camera, before any word of the phone's */
	bench_round(&p.bench);
	assert_int_equal(p.camera_in->pending, PIPEBENCH_SLOTS);
	for (struct camera_urb *urb = p.camera_in->first; urb; urb = urb->next) {
		assert_int_equal(urb->submit.u.cmd_submit.transfer_buffer_length, size);
		assert_int_equal(urb->submit.u.cmd_submit.transfer_flags, 0);
	}
	assert_int_equal(fake_ffs_posted(p.bench.ffs, PIPE_OUT), expected);
	assert_int_equal(fake_ffs_posted(p.bench.ffs, PIPE_IN), 0);
	bench_settle(&p.bench);
	assert_int_equal(p.camera_in->urbs, PIPEBENCH_SLOTS);
	pipebench_close(&p);
}

/* Of a container of the phone's whose header has come, all is asked for at once, in large requests
 * that end with it. */
static void test_large_requests(void **state)
{
	struct pipebench p;
	uint8_t packet[512];
	uint32_t due = 0;

	(void)state;
	pipebench_open(&p, &(struct pipebench_options){.framing = PTP});
	pipebench_start(&p);
	bench_settle(&p.bench);
	bench_container(packet, 512, 2, 100 * 512, 1);
	assert_int_equal(bench_send(&p.bench, PIPE_OUT, packet, 512), FAKE_ACK);
	bench_settle(&p.bench);
	for (unsigned i = 0; i < p.out.num_slots; i++)
		due += p.out.slots[i].state == SLOT_ASKED ? p.out.slots[i].asked : 0;
	assert_true(due >= 99 * 512);
	pipebench_close(&p);
}

static void test_several_urbs(void **state)
{
	struct pipebench p;
	uint8_t packet[512];

	(void)state;
	pipebench_open(&p, &(struct pipebench_options){.framing = GENERIC});
	pipebench_start(&p);
	bench_settle(&p.bench);
	p.camera_out->blocked = true;
	for (uint32_t i = 0; i < 5; i++) {
		bench_fill(packet, 512, i);
		assert_int_equal(fake_ffs_send(p.bench.ffs, PIPE_OUT, packet, 512), FAKE_ACK);
	}
	bench_round(&p.bench);
	assert_int_equal(p.camera_out->pending, 5);
	p.camera_out->blocked = false;
	for (uint32_t i = 0; i < 5; i++) {
		bench_fill(packet, 512, i);
		bench_expect_camera(&p.bench, p.camera_out, i, packet, 512);
	}
	pipebench_close(&p);
}

/* A phone that does not read: the camera is not polled beyond the slots. */
static void test_backpressure_in(void **state)
{
	struct pipebench p;
	uint8_t packet[512];

	(void)state;
	pipebench_open(&p, &(struct pipebench_options){.framing = GENERIC});
	pipebench_start(&p);
	for (uint32_t i = 0; i < 100; i++) {
		bench_fill(packet, 512, i);
		camera_put(p.camera_in, packet, 512);
	}
	bench_settle(&p.bench);
	assert_int_equal(p.camera_in->given, PIPEBENCH_SLOTS);
	assert_int_equal(p.camera_in->pending, 0);
	for (uint32_t i = 0; i < 100; i++) {
		bench_fill(packet, 512, i);
		bench_expect(&p.bench, PIPE_IN, packet, 512);
		bench_settle(&p.bench);
		assert_int_equal(p.camera_in->given,
			i + 1 + PIPEBENCH_SLOTS < 100 ? i + 1 + PIPEBENCH_SLOTS : 100);
	}
	pipebench_close(&p);
}

/* A server that does not answer, or does not even read: the phone gets NAK. */
static void test_backpressure_out(void **state)
{
	const bool *deaf = *state;
	struct pipebench p;
	uint8_t packet[512];
	uint32_t n;

	pipebench_open(&p, &(struct pipebench_options){.framing = GENERIC});
	pipebench_start(&p);
	bench_settle(&p.bench);
	p.camera_out->blocked = !*deaf;
	p.bench.camera->deaf = *deaf;
	for (n = 0; n < 100; n++) {
		bench_fill(packet, 512, n);
		if (bench_send(&p.bench, PIPE_OUT, packet, 512) != FAKE_ACK)
			break;
	}
	assert_int_equal(n, PIPEBENCH_SLOTS);
	assert_int_equal(fake_ffs_posted(p.bench.ffs, PIPE_OUT), 0);
	p.camera_out->blocked = p.bench.camera->deaf = false;
	for (uint32_t i = 0; i < n; i++) {
		bench_fill(packet, 512, i);
		bench_expect_camera(&p.bench, p.camera_out, i, packet, 512);
	}
	bench_settle(&p.bench);
	pipebench_exchange(&p, 200);
	pipebench_close(&p);
}

/* The server's bytes come in pieces of any size. */
static void test_pieces(void **state)
{
	struct pipebench p;
	uint8_t packet[512];

	(void)state;
	pipebench_open(&p, &(struct pipebench_options){.framing = GENERIC});
	p.bench.camera->piece = 7;
	pipebench_start(&p);
	for (uint32_t i = 0; i < 20; i++) {
		bench_fill(packet, 512, i);
		camera_put(p.camera_in, packet, 512 - i);
	}
	for (uint32_t i = 0; i < 20; i++) {
		bench_fill(packet, 512, i);
		bench_expect(&p.bench, PIPE_IN, packet, 512 - i);
	}
	pipebench_close(&p);
}

/* The ring's counters run freely, also past their end. */
static void test_counters(void **state)
{
	const unsigned *slots = *state;
	struct pipebench p;
	uint8_t packet[512];

	pipebench_open(&p, &(struct pipebench_options){.framing = GENERIC, .slots = *slots});
	p.in.tail = p.in.send = p.in.head = UINT_MAX - 40;
	p.out.tail = p.out.send = p.out.head = UINT_MAX - 40;
	pipebench_start(&p);
	for (uint32_t i = 0; i < 100; i++) {
		bench_fill(packet, 512, i);
		camera_put(p.camera_in, packet, 512);
		assert_int_equal(bench_send(&p.bench, PIPE_OUT, packet, 512), FAKE_ACK);
		bench_expect_camera(&p.bench, p.camera_out, i, packet, 512);
		bench_expect(&p.bench, PIPE_IN, packet, 512);
	}
	assert_true(p.in.head < 1000 && p.out.head < 1000);
	pipebench_close(&p);
}

/* What some servers guess the transfer type from. */
static void test_interval(void **state)
{
	static const struct {
		uint8_t attributes, binterval;
		bool high_speed;
		uint32_t interval;
	} table[] = {
		{USB_ENDPOINT_XFER_BULK, 0, true, 0},
		{USB_ENDPOINT_XFER_BULK, 5, true, 0},
		{USB_ENDPOINT_XFER_BULK, 5, false, 0},
		{USB_ENDPOINT_XFER_INT, 1, true, 1},
		{USB_ENDPOINT_XFER_INT, 7, true, 64},
		{USB_ENDPOINT_XFER_INT, 16, true, 32768},
		{USB_ENDPOINT_XFER_INT, 255, true, 32768},
		{USB_ENDPOINT_XFER_INT, 0, true, 1},
		{USB_ENDPOINT_XFER_INT, 7, false, 7},
		{USB_ENDPOINT_XFER_INT, 0, false, 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct pipe_options options = {.address = 0x83,
			.attributes = table[i].attributes,
			.binterval = table[i].binterval,
			.max_packet = 8,
			.high_speed = table[i].high_speed,
			.num_slots = 4};
		struct pipe pipe;

		assert_int_equal(pipe_init(&pipe, &options), 0);
		assert_int_equal(pipe.slots[0].urb.interval, table[i].interval);
		pipe_fini(&pipe);
	}
}

static void test_totals(void **state)
{
	struct pipebench p;

	(void)state;
	pipebench_open(&p, &(struct pipebench_options){.framing = PTP});
	pipebench_start(&p);
	pipebench_exchange(&p, 1);
	pipebench_exchange(&p, 3);
	assert_int_equal(p.in.bytes, 40);
	assert_int_equal(p.out.bytes, 40);
	assert_int_equal(p.out.urbs, 2);
	assert_int_equal(p.in.urbs, p.camera_in->urbs + p.bench.camera->endpoints[0].urbs);
	assert_string_equal(pipe_state_str(p.in.state), "running");
	pipebench_close(&p);
}

#define NUM_CASES (sizeof(cases) / sizeof(cases[0]))

int main(void)
{
	static enum framing_kind kinds[] = {GENERIC, PTP};
	static bool yes = true, no = false;
	static unsigned slots[] = {16, 5};
	const struct CMUnitTest others[] = {
		{"read-ahead, generic", test_read_ahead, NULL, NULL, &kinds[0]},
		{"read-ahead, ptp", test_read_ahead, NULL, NULL, &kinds[1]},
		{"large requests", test_large_requests, NULL, NULL, NULL},
		{"several URBs in flight", test_several_urbs, NULL, NULL, NULL},
		{"backpressure, IN", test_backpressure_in, NULL, NULL, NULL},
		{"backpressure, camera silent", test_backpressure_out, NULL, NULL, &no},
		{"backpressure, server deaf", test_backpressure_out, NULL, NULL, &yes},
		{"pieces", test_pieces, NULL, NULL, NULL},
		{"counters", test_counters, NULL, NULL, &slots[0]},
		{"counters, odd number of slots", test_counters, NULL, NULL, &slots[1]},
		{"interval", test_interval, NULL, NULL, NULL},
		{"totals", test_totals, NULL, NULL, NULL},
	};
	struct CMUnitTest in[NUM_CASES], out[NUM_CASES];
	int failed;

	for (size_t i = 0; i < NUM_CASES; i++) {
		in[i] = (struct CMUnitTest){
			cases[i].name, test_in, NULL, NULL, (void *)(uintptr_t)&cases[i]};
		out[i] = in[i];
		out[i].test_func = test_out;
	}
	failed = cmocka_run_group_tests_name("IN", in, NULL, NULL);
	failed += cmocka_run_group_tests_name("OUT", out, NULL, NULL);
	return failed + cmocka_run_group_tests_name("pipe", others, NULL, NULL);
}
