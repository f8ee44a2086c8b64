/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control_pipe: what the camera is asked, and what the phone is answered.
 */
#include <endian.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <cmocka.h>

#include <ev.h>

#include "bridge/control_pipe.h"
#include "bridge/log.h"
#include "gadget/usbdesc.h"
#include "tests/unit/relaybench.h"

#define NUM(table) (sizeof(table) / sizeof(table[0]))

/* Endpoint addresses and interface numbers that are nowhere their positions. */
static const struct usb_profile profile = {
	.speed = USB_SPEED_HIGH,
	.num_logical = 2,
	.num_interfaces = 4,
	.num_endpoints = 3,
	.interfaces =
		{
			/* An alternate has no number at the phone. */
			{.number = 5, .alternate = 1},
			{.number = 2, .alternate = 1, .logical = 0},
			{.number = 2,
				.class = 6,
				.subclass = 1,
				.protocol = 1,
				.logical = 0,
				.num_endpoints = 2},
			{.number = 5, .logical = 1, .first_endpoint = 2, .num_endpoints = 1},
		},
	.endpoints =
		{
			{.address = 0x83, .attributes = USB_ENDPOINT_XFER_BULK, .max_packet = 512},
			{.address = 0x02, .attributes = USB_ENDPOINT_XFER_BULK, .max_packet = 512},
			{.address = 0x81, .attributes = USB_ENDPOINT_XFER_INT, .max_packet = 8},
		},
};

struct rig {
	struct bench bench;
	struct ev_loop *loop;
	struct control_pipe control;
};

static void flush(void *user)
{
	struct rig *r = user;

	ffs_flush(r->bench.ffs);
	client_flush(r->bench.client);
}

static void open_rig(struct rig *r)
{
	log_set_level(LOG_EMERG);
	bench_open(&r->bench, 1, true, flush, r);
	r->loop = ev_loop_new(0);
	assert_non_null(r->loop);
	control_pipe_init(&r->control, r->loop, r->bench.client, r->bench.ffs, &profile);
}

static void close_rig(struct rig *r)
{
	control_pipe_fini(&r->control);
	assert_false(ev_is_active(&r->control.timeout));
	bench_close(&r->bench);
	ev_loop_destroy(r->loop);
}

static struct usb_ctrlrequest setup(uint8_t type, uint8_t request, uint16_t index, uint16_t length)
{
	return (struct usb_ctrlrequest){.bRequestType = type,
		.bRequest = request,
		.wValue = htole16(0x1234),
		.wIndex = htole16(index),
		.wLength = htole16(length)};
}

/* ---- wIndex ---- */

/* The endpoints' addresses at the phone. */
enum phone {
	APART,	   /* no two have a number in common */
	DWC2,	   /* IN and OUT are counted each by itself */
	OUT_FIRST, /* the last two have one in common */
	GONE,	   /* not configured any more */
};

static const uint8_t phone_addresses[][3] = {
	[APART] = {0x8a, 0x05, 0x86},
	[DWC2] = {0x81, 0x01, 0x82},
	[OUT_FIRST] = {0x81, 0x02, 0x82},
	[GONE] = {0x8a, 0x05, 0x86},
};

static void add_endpoints(struct rig *r, enum phone phone)
{
	for (unsigned i = 0; i < profile.num_endpoints; i++)
		bench_add(&r->bench, profile.endpoints[i].address, phone_addresses[phone][i],
			profile.endpoints[i].max_packet);
	if (phone != GONE)
		fake_ffs_enable(r->bench.ffs);
}

static const struct index_case {
	const char *name;
	uint8_t type;
	uint16_t phone;
	bool exists;
	uint16_t camera;
} index_cases[] = {
	{"device, vendor", USB_TYPE_VENDOR | USB_RECIP_DEVICE, 0xabcd, true, 0xabcd},
	{"device, standard, IN", USB_DIR_IN | USB_RECIP_DEVICE, 1, true, 1},
	{"other", USB_TYPE_VENDOR | USB_RECIP_OTHER, 0x0305, true, 0x0305},
	{"first interface", USB_TYPE_CLASS | USB_RECIP_INTERFACE, 0, true, 2},
	{"second interface, IN", USB_DIR_IN | USB_TYPE_CLASS | USB_RECIP_INTERFACE, 1, true, 5},
	{"no such interface", USB_TYPE_CLASS | USB_RECIP_INTERFACE, 2, false, 0},
	{"the camera's number is no interface of the phone's", USB_TYPE_CLASS | USB_RECIP_INTERFACE,
		5, false, 0},
	{"first endpoint", USB_TYPE_CLASS | USB_RECIP_ENDPOINT, 1, true, 0x83},
	{"second endpoint", USB_TYPE_CLASS | USB_RECIP_ENDPOINT, 2, true, 0x02},
	{"third endpoint, IN", USB_DIR_IN | USB_RECIP_ENDPOINT, 3, true, 0x81},
	{"control endpoint", USB_RECIP_ENDPOINT, 0, true, 0},
	{"no such endpoint", USB_RECIP_ENDPOINT, 4, false, 0},
	{"an address is no position", USB_RECIP_ENDPOINT, 0x83, false, 0},
};

static void expect_index(
	enum phone phone, uint8_t type, uint16_t index, bool mapped, uint16_t camera)
{
	struct usb_ctrlrequest s = setup(type, 9, index, 0);
	struct rig r;

	open_rig(&r);
	add_endpoints(&r, phone);
	control_pipe_request(&r.control, &s, NULL, 0);
	bench_settle(&r.bench);
	assert_int_equal(r.bench.ffs->answers, 1);
	assert_int_equal(r.bench.camera->num_requests, mapped);
	if (mapped) {
		s.wIndex = htole16(camera);
		assert_memory_equal(r.bench.camera->requests[0].setup, &s, 8);
	} else {
		assert_int_equal(r.bench.ffs->answer, EP0_STALL);
		assert_int_equal(r.control.stalls, 1);
	}
	close_rig(&r);
}

static void test_index(void **state)
{
	const struct index_case *c = *state;

	expect_index(APART, c->type, c->phone, c->exists, c->camera);
}

/* Where endpoints share a number, a position may stand for either: 0x81, the camera's 0x83, or
 * 0x01, its 0x02. */
static void test_shared_number(void **state)
{
	const uint8_t type = USB_TYPE_CLASS | USB_RECIP_ENDPOINT;

	(void)state;
	expect_index(DWC2, type, 1, false, 0);
	expect_index(DWC2, type, 2, false, 0);
	expect_index(DWC2, USB_DIR_IN | type, 2, false, 0);
	expect_index(DWC2, type, 3, true, 0x81);
	expect_index(OUT_FIRST, type, 1, true, 0x83);
	expect_index(OUT_FIRST, type, 2, false, 0);
	expect_index(OUT_FIRST, type, 3, false, 0);
	expect_index(DWC2, type, 0, true, 0);
	expect_index(DWC2, USB_TYPE_CLASS | USB_RECIP_INTERFACE, 1, true, 5);
	/* Of which nobody knows any more. */
	expect_index(GONE, type, 3, false, 0);
}

/* ---- endpoints in an answer ---- */

#define STATUS_REQUEST (USB_DIR_IN | USB_TYPE_CLASS | USB_RECIP_INTERFACE)

static const struct status_case {
	const char *name;
	uint8_t type, request, interface; /* logical */
	uint8_t size;
	uint8_t camera[14], phone[14];
} status_cases[] = {
	{"halted endpoints", STATUS_REQUEST, 0x67, 0, 12, {12, 0, 1, 0x20, 0x83, 0, 0, 0, 2},
		{12, 0, 1, 0x20, 0x8a, 0, 0, 0, 5}},
	{"none", STATUS_REQUEST, 0x67, 0, 4, {0x83, 0, 1, 0x20}, {0x83, 0, 1, 0x20}},
	{"cut short", STATUS_REQUEST, 0x67, 0, 10, {12, 0, 1, 0x20, 2, 0, 0, 0, 2, 0},
		{12, 0, 1, 0x20, 5, 0, 0, 0, 2, 0}},
	{"no endpoints", STATUS_REQUEST, 0x67, 0, 12, {12, 0, 1, 0x20, 0x84, 0, 0, 0, 2, 1},
		{12, 0, 1, 0x20, 0x84, 0, 0, 0, 2, 1}},
	{"another request", STATUS_REQUEST, 0x65, 0, 8, {8, 0, 1, 0x20, 2}, {8, 0, 1, 0x20, 2}},
	{"another class", STATUS_REQUEST, 0x67, 1, 8, {8, 0, 1, 0x20, 2}, {8, 0, 1, 0x20, 2}},
	{"another type", USB_DIR_IN | USB_TYPE_VENDOR | USB_RECIP_INTERFACE, 0x67, 0, 8,
		{8, 0, 1, 0x20, 2}, {8, 0, 1, 0x20, 2}},
};

static void test_device_status(void **state)
{
	const struct status_case *c = *state;
	struct usb_ctrlrequest s = setup(c->type, c->request, c->interface, 64);
	struct rig r;

	open_rig(&r);
	add_endpoints(&r, APART);
	r.bench.camera->answer_size = c->size;
	memcpy(r.bench.camera->answer, c->camera, c->size);
	control_pipe_request(&r.control, &s, NULL, 0);
	bench_settle(&r.bench);
	assert_int_equal(r.bench.ffs->answer, EP0_DATA);
	assert_memory_equal(r.bench.ffs->data, c->phone, c->size);
	close_rig(&r);
}

/* ---- requests ---- */

#define IN (USB_DIR_IN | USB_TYPE_VENDOR)
#define OUT USB_TYPE_VENDOR

static const struct request_case {
	const char *name;
	uint8_t type;
	uint16_t length;
	uint32_t data; /* of the phone, that have come */
	int status;    /* of the camera */
	uint32_t gives;
	uint16_t asked; /* of the camera */
	enum ep0_answer answer;
	uint32_t size;
} request_cases[] = {
	{"IN", IN, 100, 0, 0, 100, 100, EP0_DATA, 100},
	{"IN, short", IN, 255, 0, 0, 18, 255, EP0_DATA, 18},
	{"IN, no data", IN, 64, 0, 0, 0, 64, EP0_DATA, 0},
	{"IN, all there can be", IN, 4096, 0, 0, 4096, 4096, EP0_DATA, 4096},
	{"IN, more than there can be", IN, 65535, 0, 0, 4096, 4096, EP0_DATA, 4096},
	{"IN, wLength 0", IN, 0, 0, 0, 100, 0, EP0_DATA, 0},
	{"IN, stalled", IN, 64, 0, -EPIPE, 64, 64, EP0_STALL, 0},
	{"IN, failed", IN, 64, 0, -EPROTO, 64, 64, EP0_STALL, 0},
	{"no data", OUT, 0, 0, 0, 0, 0, EP0_ACK, 0},
	{"no data, stalled", OUT, 0, 0, -EPIPE, 0, 0, EP0_STALL, 0},
	{"OUT", OUT, 6, 6, 0, 0, 6, EP0_ACK, 0},
	{"OUT, less than announced", OUT, 60, 6, 0, 0, 6, EP0_ACK, 0},
	{"OUT, all there can be", OUT, 4096, 4096, 0, 0, 4096, EP0_ACK, 0},
	{"OUT, stalled", OUT, 6, 6, -EPIPE, 0, 6, EP0_STALL, 0},
};

static void request(struct rig *r, const struct request_case *c, uint32_t id)
{
	struct usb_ctrlrequest s = setup(c->type, (uint8_t)id, 0x4321, c->length);
	struct camera *camera = r->bench.camera;
	uint8_t *data = malloc(c->data);
	unsigned answers = r->bench.ffs->answers;
	const struct camera_request *got;

	bench_fill(data, c->data, id);
	bench_fill(camera->answer, c->gives, id + 1);
	camera->answer_size = c->gives;
	camera->answer_status = c->status;
	control_pipe_request(&r->control, &s, data, c->data);
	/* valid during the call only */
	if (c->data)
		memset(data, 0, c->data);
	free(data);
	assert_int_equal(r->bench.ffs->answers, answers);
	bench_settle(&r->bench);
	assert_int_equal(r->bench.ffs->answers, answers + 1);
	assert_int_equal(r->bench.ffs->answer, c->answer);
	assert_int_equal(r->bench.ffs->size, c->size);
	if (c->size)
		assert_memory_equal(r->bench.ffs->data, camera->answer, c->size);
	got = &camera->requests[(camera->num_requests - 1) % CAMERA_REQUESTS];
	s.wLength = htole16(c->asked);
	assert_memory_equal(got->setup, &s, 8);
	assert_int_equal(got->length, c->asked);
	assert_int_equal(got->size, c->data);
	data = malloc(c->data);
	bench_fill(data, c->data, id);
	assert_memory_equal(got->data, data, c->data < 64 ? c->data : 64);
	free(data);
	assert_false(ev_is_active(&r->control.timeout));
}

static void test_request(void **state)
{
	const struct request_case *c = *state;
	struct rig r;

	open_rig(&r);
	request(&r, c, 1);
	/* and another, of which nothing of the first is left */
	request(&r, &request_cases[1], 3);
	request(&r, c, 5);
	assert_int_equal(r.bench.camera->num_requests, 3);
	assert_int_equal(r.control.requests, 3);
	assert_int_equal(r.control.stalls, c->answer == EP0_STALL ? 2 : 0);
	assert_int_equal(r.bench.camera->endpoints[0].interval, 0);
	close_rig(&r);
}

/* ---- when there is no answer ---- */

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Lets the 5 s pass. */
static void time_out(struct rig *r, const struct usb_ctrlrequest *s)
{
	double start = now();

	ev_now_update(r->loop);
	control_pipe_request(&r->control, s, NULL, 0);
	bench_settle(&r->bench);
	assert_int_equal(r->bench.camera->unlinks, 0);
	ev_run(r->loop, EVRUN_ONCE);
	assert_true(now() - start > 4.9 && now() - start < 10.);
}

/* As if they had passed. */
static void time_out_now(struct rig *r, const struct usb_ctrlrequest *s)
{
	control_pipe_request(&r->control, s, NULL, 0);
	bench_settle(&r->bench);
	assert_true(ev_is_active(&r->control.timeout));
	ev_timer_stop(r->loop, &r->control.timeout);
	ev_feed_event(r->loop, &r->control.timeout, EV_TIMER);
	ev_run(r->loop, EVRUN_NOWAIT);
}

/* A camera that does not answer: the phone gets a stall, once, and the next request starts afresh.
 */
static void test_timeout(void **state)
{
	struct usb_ctrlrequest s = setup(IN, 7, 0, 64);
	struct rig r;

	(void)state;
	open_rig(&r);
	r.bench.camera->endpoints[0].blocked = true;
	time_out(&r, &s);
	bench_settle(&r.bench);
	assert_int_equal(r.bench.camera->unlinks, 1);
	assert_int_equal(r.bench.ffs->answers, 1);
	assert_int_equal(r.bench.ffs->answer, EP0_STALL);
	assert_int_equal(r.bench.camera->endpoints[0].pending, 0);
	r.bench.camera->endpoints[0].blocked = false;
	request(&r, &request_cases[0], 1);
	request(&r, &request_cases[10], 2);
	assert_int_equal(r.bench.ffs->answers, 3);

	/* Until it has given up, or answers after all, which is dropped, there is nothing but
	 * stalls. */
	r.bench.camera->endpoints[0].blocked = true;
	time_out_now(&r, &s);
	assert_int_equal(r.bench.ffs->answers, 4);
	assert_int_equal(r.bench.ffs->answer, EP0_STALL);
	control_pipe_request(&r.control, &s, NULL, 0);
	assert_int_equal(r.bench.ffs->answers, 5);
	assert_int_equal(r.bench.ffs->answer, EP0_STALL);
	r.bench.camera->endpoints[0].blocked = false;
	r.bench.camera->answer_size = 10;
	bench_camera(&r.bench);
	bench_settle(&r.bench);
	assert_int_equal(r.bench.camera->unlinks, 2);
	assert_int_equal(r.bench.ffs->answers, 5);
	request(&r, &request_cases[0], 1);
	close_rig(&r);
}

/* A request that is held goes to the camera when it is released, or times out and never does. */
static void test_held(void **state)
{
	struct usb_ctrlrequest s = setup(OUT, 7, 0, 0);
	struct rig r;

	(void)state;
	open_rig(&r);
	control_pipe_hold(&r.control);
	control_pipe_request(&r.control, &s, NULL, 0);
	bench_settle(&r.bench);
	assert_int_equal(r.bench.camera->num_requests, 0);
	assert_int_equal(r.bench.ffs->answers, 0);
	control_pipe_release(&r.control);
	control_pipe_release(&r.control);
	bench_settle(&r.bench);
	assert_int_equal(r.bench.camera->num_requests, 1);
	assert_int_equal(r.bench.ffs->answers, 1);
	assert_int_equal(r.bench.ffs->answer, EP0_ACK);

	control_pipe_hold(&r.control);
	time_out_now(&r, &s);
	assert_int_equal(r.bench.ffs->answers, 2);
	assert_int_equal(r.bench.ffs->answer, EP0_STALL);
	control_pipe_release(&r.control);
	bench_settle(&r.bench);
	assert_int_equal(r.bench.camera->num_requests, 1);
	request(&r, &request_cases[0], 1);

	/* released without having been used */
	control_pipe_hold(&r.control);
	control_pipe_release(&r.control);
	request(&r, &request_cases[0], 3);
	close_rig(&r);
}

static void test_busy(void **state)
{
	struct usb_ctrlrequest s = setup(IN, 7, 0, 64);
	struct rig r;

	(void)state;
	open_rig(&r);
	r.bench.camera->endpoints[0].blocked = true;
	control_pipe_request(&r.control, &s, NULL, 0);
	bench_settle(&r.bench);
	s.bRequest = 8;
	control_pipe_request(&r.control, &s, NULL, 0);
	r.bench.camera->endpoints[0].blocked = false;
	bench_settle(&r.bench);
	assert_int_equal(r.bench.camera->num_requests, 1);
	assert_int_equal(r.bench.camera->requests[0].setup[1], 7);
	assert_int_equal(r.bench.ffs->answers, 1);
	close_rig(&r);
}

static void test_session_over(void **state)
{
	struct usb_ctrlrequest s = setup(OUT, 7, 0, 0);
	struct rig r;

	(void)state;
	open_rig(&r);
	shutdown(r.bench.camera->fd, SHUT_RDWR);
	bench_bridge(&r.bench);
	assert_int_not_equal(r.bench.closed, 0);
	control_pipe_request(&r.control, &s, NULL, 0);
	assert_int_equal(r.bench.ffs->answers, 1);
	assert_int_equal(r.bench.ffs->answer, EP0_STALL);
	assert_false(ev_is_active(&r.control.timeout));
	control_pipe_request(&r.control, &s, NULL, 0);
	assert_int_equal(r.bench.ffs->answers, 2);
	close_rig(&r);
}

/* Freed while a request is under way: its timer does not outlive it. */
static void test_fini(void **state)
{
	struct usb_ctrlrequest s = setup(OUT, 7, 0, 0);
	struct rig r;

	(void)state;
	open_rig(&r);
	r.bench.camera->endpoints[0].blocked = true;
	control_pipe_request(&r.control, &s, NULL, 0);
	assert_true(ev_is_active(&r.control.timeout));
	bench_settle(&r.bench);
	close_rig(&r);
}

#define TEST(name, function, argument)                                                             \
	{                                                                                          \
		name, function, NULL, NULL, (void *)(uintptr_t)(argument)                          \
	}

int main(void)
{
	const struct CMUnitTest others[] = {
		TEST("shared number", test_shared_number, NULL),
		TEST("timeout", test_timeout, NULL),
		TEST("held", test_held, NULL),
		TEST("busy", test_busy, NULL),
		TEST("session over", test_session_over, NULL),
		TEST("freed under way", test_fini, NULL),
	};
	struct CMUnitTest index[NUM(index_cases)], requests[NUM(request_cases)];
	struct CMUnitTest statuses[NUM(status_cases)];
	int failed;

	for (size_t i = 0; i < NUM(index_cases); i++)
		index[i] =
			(struct CMUnitTest)TEST(index_cases[i].name, test_index, &index_cases[i]);
	for (size_t i = 0; i < NUM(request_cases); i++)
		requests[i] = (struct CMUnitTest)TEST(
			request_cases[i].name, test_request, &request_cases[i]);
	for (size_t i = 0; i < NUM(status_cases); i++)
		statuses[i] = (struct CMUnitTest)TEST(
			status_cases[i].name, test_device_status, &status_cases[i]);
	failed = cmocka_run_group_tests_name("wIndex", index, NULL, NULL);
	failed += cmocka_run_group_tests_name("Get Device Status", statuses, NULL, NULL);
	failed += cmocka_run_group_tests_name("requests", requests, NULL, NULL);
	return failed + cmocka_run_group_tests_name("others", others, NULL, NULL);
}
