/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * relay: the whole of it: which pipe gets what, what concerns all pipes, and no allocation.
 */
#include <endian.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "bridge/client.h"
#include "tests/unit/allocations.h"
#include "tests/unit/relayrig.h"

/* ---- layout ---- */

static const struct relay_callbacks no_callbacks = {NULL, NULL};

static struct relay *make(const struct usb_profile *profile)
{
	struct relay *relay;

	assert_int_equal(relay_new(NULL, profile, NULL, NULL, 0, &no_callbacks, NULL, &relay), 0);
	assert_int_equal(relay_num_pipes(relay), profile->num_endpoints);
	return relay;
}

static enum framing_kind kind(const struct relay *relay, unsigned at)
{
	return relay_pipe(relay, at)->framing->kind;
}

static void test_layout(void **state)
{
	struct usb_profile profile;
	struct relay *relay;

	(void)state;
	relayrig_profile(&profile);
	relay = make(&profile);
	assert_int_equal(kind(relay, RIG_PTP_IN), FRAMING_PTP);
	assert_int_equal(kind(relay, RIG_PTP_OUT), FRAMING_PTP);
	assert_int_equal(kind(relay, RIG_EVENT), FRAMING_GENERIC);
	assert_int_equal(kind(relay, RIG_VENDOR_IN), FRAMING_GENERIC);
	assert_int_equal(kind(relay, RIG_VENDOR_OUT), FRAMING_GENERIC);
	/* one framing sees both directions of its interface */
	assert_ptr_equal(
		relay_pipe(relay, RIG_PTP_IN)->framing, relay_pipe(relay, RIG_PTP_OUT)->framing);
	assert_ptr_not_equal(
		relay_pipe(relay, RIG_PTP_IN)->framing, relay_pipe(relay, RIG_EVENT)->framing);
	for (unsigned i = 0; i < RIG_ENDPOINTS; i++) {
		assert_int_equal(relay_pipe(relay, i)->address, profile.endpoints[i].address);
		assert_int_equal(relay_pipe(relay, i)->at, i);
	}
	assert_int_equal(relay_pipe(relay, RIG_EVENT)->interval, 64);
	relay_free(relay);
}

/* A device of MTP from before it had a class; and a third bulk endpoint, which is not PTP's. */
static void test_layout_mtp(void **state)
{
	struct usb_profile profile;
	struct relay *relay;

	(void)state;
	relayrig_profile(&profile);
	profile.interfaces[1].string = 4;
	profile.num_langs = profile.num_strings = 1;
	profile.langs[0] = profile.strings[0].lang = 0x0409;
	profile.strings[0].index = 4;
	strcpy(profile.strings[0].text, "MTP");
	profile.endpoints[profile.num_endpoints++] =
		(struct usb_endpoint){0x85, USB_ENDPOINT_XFER_BULK, 512, 0, 1};
	relay = make(&profile);
	assert_int_equal(kind(relay, RIG_VENDOR_IN), FRAMING_PTP);
	assert_int_equal(kind(relay, RIG_VENDOR_OUT), FRAMING_PTP);
	assert_int_equal(kind(relay, RIG_ENDPOINTS), FRAMING_GENERIC);
	assert_ptr_not_equal(
		relay_pipe(relay, RIG_PTP_IN)->framing, relay_pipe(relay, RIG_VENDOR_IN)->framing);
	relay_free(relay);
}

/* As many endpoints as there can be: the URB table and the aio queue bear all of them at once. */
static void test_layout_many(void **state)
{
	const unsigned *n = *state;
	struct usb_profile profile;
	struct relay *relay;
	unsigned urbs = 1, aio = 0;

	relayrig_profile(&profile);
	profile.num_endpoints = (uint8_t)*n;
	for (unsigned i = 0; i < *n; i++)
		profile.endpoints[i] =
			(struct usb_endpoint){(uint8_t)(i % 15 + 1 + (i < 15 ? USB_DIR_IN : 0)),
				USB_ENDPOINT_XFER_BULK, 512, 0, 1};
	relay = make(&profile);
	for (unsigned i = 0; i < *n; i++) {
		const struct pipe *p = relay_pipe(relay, i);

		assert_true(p->num_slots >= 16);
		urbs += p->num_slots + 1;
		aio += p->dir == FRAMING_IN ? 2 * p->num_slots : p->num_slots;
	}
	assert_true(urbs <= CLIENT_MAX_URBS);
	assert_true(aio <= relay_aio_depth(&profile));
	relay_free(relay);
	profile.num_endpoints = 0;
	assert_true(relay_aio_depth(&profile) > 0);
}

/* ---- events ---- */

static void test_configured(void **state)
{
	static const enum usb_functionfs_event_type gone[] = {
		FUNCTIONFS_DISABLE, FUNCTIONFS_UNBIND};
	struct relayrig r;

	(void)state;
	relayrig_open(&r, true);
	relay_event(r.relay, FUNCTIONFS_BIND);
	relay_event(r.relay, FUNCTIONFS_DISABLE);
	relay_event(r.relay, FUNCTIONFS_RESUME);
	bench_settle(&r.bench);
	assert_int_equal(r.configured + r.unconfigured, 0);
	assert_int_equal(r.bench.camera->urbs_out, 0);
	for (unsigned i = 0; i < 2; i++) {
		relayrig_enable(&r);
		assert_int_equal(r.configured, i + 1);
		fake_ffs_disable(r.bench.ffs);
		relayrig_enable(&r); /* a bus reset is no news */
		relay_event(r.relay, FUNCTIONFS_SUSPEND);
		assert_int_equal(r.configured, i + 1);
		assert_int_equal(r.unconfigured, i);
		relayrig_exchange(&r, 10 * i);
		fake_ffs_disable(r.bench.ffs);
		relay_event(r.relay, gone[i]);
		relay_event(r.relay, gone[i]);
		assert_int_equal(r.unconfigured, i + 1);
		bench_settle(&r.bench);
		assert_int_equal(r.bench.camera->urbs_out, 0);
		assert_int_equal(r.bench.ffs->out, 0);
	}
	relayrig_close(&r);
}

/* Everything at the camera is given up, whatever the phone does. */
static void test_stop(void **state)
{
	struct relayrig r;
	uint8_t packet[512];

	(void)state;
	relayrig_open(&r, true);
	relayrig_enable(&r);
	relayrig_exchange(&r, 1);
	bench_fill(packet, 512, 1);
	camera_put(r.camera[RIG_VENDOR_IN], packet, 512);
	r.camera[RIG_VENDOR_OUT]->blocked = true;
	assert_int_equal(bench_send(&r.bench, RIG_VENDOR_OUT, packet, 512), FAKE_ACK);
	bench_settle(&r.bench);
	assert_true(r.bench.camera->urbs_out > 50);
	relay_stop(r.relay);
	assert_int_equal(r.unconfigured, 1);
	bench_settle(&r.bench);
	assert_int_equal(r.bench.camera->urbs_out, 0);
	for (unsigned i = 0; i < RIG_ENDPOINTS; i++) {
		assert_int_equal(r.camera[i]->pending, 0);
		assert_int_equal(relay_pipe(r.relay, i)->urbs_out, 0);
	}
	relayrig_close(&r);
}

static void test_resume(void **state)
{
	struct relayrig r;
	uint8_t packet[20];

	(void)state;
	relayrig_open(&r, true);
	relayrig_enable(&r);
	r.bench.ffs->suspended = true;
	relay_event(r.relay, FUNCTIONFS_SUSPEND);
	for (unsigned i = 0; i < RIG_ENDPOINTS; i++) {
		bench_container(packet, 20, 3, 20, i);
		if (relayrig_is_in(i))
			camera_put(r.camera[i], packet, 20);
	}
	bench_settle(&r.bench);
	r.bench.ffs->suspended = false;
	relay_event(r.relay, FUNCTIONFS_RESUME);
	for (unsigned i = 0; i < RIG_ENDPOINTS; i++) {
		bench_container(packet, 20, 3, 20, i);
		if (relayrig_is_in(i))
			bench_expect(&r.bench, i, packet, 20);
	}
	relayrig_exchange(&r, 100);
	relayrig_close(&r);
}

static void disable_phone(struct relayrig *r)
{
	fake_ffs_disable(r->bench.ffs);
	relay_event(r->relay, FUNCTIONFS_DISABLE);
	bench_settle(&r->bench);
	assert_int_equal(r->bench.camera->urbs_out, 0);
}

static const uint8_t port_reset[8] = {0x23, 3, 4};
static const uint8_t still_image_reset[8] = {0x21, 0x66, 0, 0, 1};

/* A phone that sleeps for long is taken for gone, and is back where it was when it wakes up. */
static void test_sleep(void **state)
{
	struct relayrig r;
	struct camera *camera;

	(void)state;
	relayrig_open(&r, true);
	camera = r.bench.camera;
	relay_event(r.relay, FUNCTIONFS_SUSPEND); /* a port without a phone */
	relayrig_wait(&r, RIG_UNPLUG_S);
	relay_event(r.relay, FUNCTIONFS_RESUME);
	assert_int_equal(r.configured + r.unconfigured, 0);
	relayrig_enable(&r);
	for (unsigned i = 1; i <= 2; i++) {
		relay_event(r.relay, FUNCTIONFS_SUSPEND);
		relayrig_wait(&r, RIG_UNPLUG_S - 1);
		assert_true(camera->urbs_out > 0);
		relayrig_wait(&r, RIG_UNPLUG_S);
		bench_settle(&r.bench);
		assert_int_equal(r.unconfigured, i);
		assert_int_equal(camera->urbs_out, 0);
		relay_event(r.relay, FUNCTIONFS_RESUME);
		bench_settle(&r.bench);
		assert_int_equal(r.configured, i + 1);
		relayrig_exchange(&r, 100 * i);
	}
	assert_int_equal(camera->num_requests, 0);

	/* It wakes up in time. */
	relay_event(r.relay, FUNCTIONFS_SUSPEND);
	relay_event(r.relay, FUNCTIONFS_RESUME);
	relayrig_wait(&r, RIG_UNPLUG_S);
	assert_int_equal(r.unconfigured, 2);

	/* It was unplugged: what comes is another. */
	relay_event(r.relay, FUNCTIONFS_SUSPEND);
	relayrig_wait(&r, RIG_UNPLUG_S);
	disable_phone(&r);
	relayrig_wait(&r, RIG_UNPLUG_S);
	assert_int_equal(r.unconfigured, 3);
	relay_event(r.relay, FUNCTIONFS_RESUME);
	assert_int_equal(r.configured, 3);
	relayrig_enable(&r);
	assert_int_equal(camera->num_requests, 1);
	assert_memory_equal(camera->requests[0].setup, port_reset, 8);
	relayrig_exchange(&r, 300);
	relayrig_close(&r);
}

/* A server that resets no ports: the class's own request, and its halts, before anything else. */
static void test_class_reset(void **state)
{
	const bool *silent = *state;
	struct relayrig r;
	struct camera *camera;

	relayrig_open(&r, true);
	camera = r.bench.camera;
	relayrig_enable(&r);
	disable_phone(&r);
	camera->endpoints[0].blocked = true;
	relayrig_enable(&r);
	if (*silent) { /* it does not even answer */
		relayrig_wait(&r, 10);
		bench_settle(&r.bench);
		assert_int_equal(camera->unlinks > 0, 1);
	} else {
		camera->answer_status = -EPIPE;
	}
	camera->endpoints[0].blocked = false;
	bench_settle(&r.bench);
	assert_memory_equal(camera->requests[camera->num_requests - 1].setup, still_image_reset, 8);
	assert_int_equal(r.camera[RIG_PTP_IN]->clears, 1);
	assert_int_equal(r.camera[RIG_PTP_OUT]->clears, 1);
	assert_int_equal(r.camera[RIG_EVENT]->clears, 1);
	assert_int_equal(r.camera[RIG_VENDOR_IN]->clears, 0);
	assert_int_equal(r.camera[RIG_VENDOR_OUT]->clears, 0);
	relayrig_exchange(&r, 100);
	relayrig_close(&r);
}

/* A phone that comes back finds the camera as after plugging in; one that has not gone, as it was.
 */
static void test_return(void **state)
{
	const int *status = *state;
	/* Where that fails the class's own reset comes after it. */
	const unsigned resets = *status ? 2 : 1;
	struct relayrig r;
	struct camera *camera;

	relayrig_open(&r, true);
	camera = r.bench.camera;
	camera->answer_status = *status;
	relayrig_enable(&r);
	relayrig_enable(&r); /* SET_INTERFACE tells no more than this */
	assert_int_equal(camera->num_requests, 0);
	for (unsigned i = 1; i <= 2; i++) {
		disable_phone(&r);
		camera->endpoints[0].blocked = true;
		relayrig_enable(&r);
		relayrig_enable(&r);
		/* Nothing before it is done. */
		assert_int_equal(camera->urbs_out, 1);
		camera->endpoints[0].blocked = false;
		bench_settle(&r.bench);
		relayrig_enable(&r);
		assert_int_equal(camera->num_requests, i * resets);
		assert_memory_equal(camera->requests[(i - 1) * resets].setup, port_reset, 8);
		relayrig_exchange(&r, 100 * i);
	}
	assert_int_equal(r.configured, 3);
	assert_int_equal(r.failed, 0);
	relayrig_close(&r);
}

/* And it has gone again before that is done. */
static void test_return_and_go(void **state)
{
	struct relayrig r;
	struct camera *camera;

	(void)state;
	relayrig_open(&r, true);
	camera = r.bench.camera;
	relayrig_enable(&r);
	relay_event(r.relay, FUNCTIONFS_DISABLE);
	bench_settle(&r.bench);
	camera->endpoints[0].blocked = true;
	relayrig_enable(&r);
	relay_event(r.relay, FUNCTIONFS_DISABLE);
	camera->endpoints[0].blocked = false;
	bench_settle(&r.bench);
	assert_int_equal(camera->urbs_out, 0);
	relayrig_enable(&r);
	assert_int_equal(camera->num_requests, 2);
	relayrig_exchange(&r, 100);

	/* Or has gone and come back: one reset will do. */
	relay_event(r.relay, FUNCTIONFS_DISABLE);
	camera->endpoints[0].blocked = true;
	relayrig_enable(&r);
	relay_event(r.relay, FUNCTIONFS_DISABLE);
	relayrig_enable(&r);
	camera->endpoints[0].blocked = false;
	bench_settle(&r.bench);
	relayrig_enable(&r);
	assert_int_equal(camera->num_requests, 3);
	relayrig_exchange(&r, 200);
	relayrig_close(&r);
}

/* -ESHUTDOWN on one endpoint stops all: what the camera sends before the event comes is not
 * delivered to the phone's next configuration. */
static void test_shut_down(void **state)
{
	struct relayrig r;
	uint8_t packet[64];

	(void)state;
	relayrig_open(&r, true);
	relayrig_enable(&r);
	fake_ffs_disable(r.bench.ffs);
	fake_ffs_enable(r.bench.ffs);
	bench_fill(packet, 64, 1);
	camera_put(r.camera[RIG_EVENT], packet, 64);
	camera_put(r.camera[RIG_VENDOR_IN], packet, 64);
	camera_put(r.camera[RIG_PTP_IN], packet, 64);
	bench_camera(&r.bench);
	bench_settle(&r.bench);
	assert_int_equal(r.bench.camera->urbs_out, 0);
	relay_event(r.relay, FUNCTIONFS_ENABLE);
	bench_settle(&r.bench);
	relayrig_exchange(&r, 100);
	relayrig_close(&r);
}

/* ---- halts ---- */

static bool is_halted(const struct relayrig *r, unsigned at)
{
	return relay_pipe(r->relay, at)->state == PIPE_HALTED;
}

/* A halt that the camera repeats is tried again when the phone does something with its interface,
 * or asks for anything on ep0. */
static void test_kick(void **state)
{
	struct usb_ctrlrequest status = {.bRequestType = 0xa1, .bRequest = 0x67, .wLength = 0x0400};
	struct relayrig r;
	unsigned clears;

	(void)state;
	relayrig_open(&r, true);
	relayrig_enable(&r);
	for (unsigned i = 0; i < RIG_ENDPOINTS; i++) {
		if (!relayrig_is_in(i))
			continue;
		r.camera[i]->sticky = true;
		camera_put_error(r.camera[i], -EPIPE);
	}
	bench_settle(&r.bench);
	assert_true(is_halted(&r, RIG_PTP_IN) && is_halted(&r, RIG_EVENT) &&
		is_halted(&r, RIG_VENDOR_IN));
	clears = r.camera[RIG_PTP_IN]->clears;
	assert_int_equal(bench_send(&r.bench, RIG_VENDOR_OUT, "x", 1), FAKE_ACK);
	bench_settle(&r.bench);
	assert_int_equal(r.camera[RIG_VENDOR_IN]->clears, clears + 1);
	assert_int_equal(r.camera[RIG_PTP_IN]->clears, clears);
	assert_int_equal(r.camera[RIG_EVENT]->clears, clears);
	assert_int_equal(bench_send(&r.bench, RIG_PTP_OUT, "x", 1), FAKE_ACK);
	bench_settle(&r.bench);
	assert_int_equal(r.camera[RIG_VENDOR_IN]->clears, clears + 1);
	assert_int_equal(r.camera[RIG_PTP_IN]->clears, clears + 1);
	assert_int_equal(r.camera[RIG_EVENT]->clears, clears + 1);
	relay_setup(r.relay, &status, NULL, 0);
	bench_settle(&r.bench);
	assert_int_equal(r.camera[RIG_VENDOR_IN]->clears, clears + 2);
	assert_int_equal(r.camera[RIG_PTP_IN]->clears, clears + 2);
	assert_int_equal(r.camera[RIG_EVENT]->clears, clears + 2);
	/* and the request itself has gone to the camera's interface */
	assert_int_equal(r.bench.ffs->answers, 1);
	assert_int_equal(r.bench.camera->requests[0].setup[4], 1);
	relayrig_close(&r);
}

/* ---- what the phone gives up ---- */

/* The phone cancels in the middle of a data phase, and sends its next command at once: what has
 * been read ahead is not the answer to that. */
static void test_cancel(void **state)
{
	struct usb_ctrlrequest request = {.bRequestType = 0x21};
	const uint8_t *code = *state;
	struct relayrig r;
	uint8_t packet[512], command[12], response[12];

	request.bRequest = *code;
	relayrig_open(&r, true);
	relayrig_enable(&r);
	bench_container(command, 12, 1, 12, 1);
	assert_int_equal(bench_send(&r.bench, RIG_PTP_OUT, command, 12), FAKE_ACK);
	bench_container(packet, 512, 2, 1 << 20, 2);
	for (unsigned i = 0; i < 100; i++)
		camera_put(r.camera[RIG_PTP_IN], packet, 512);
	bench_expect(&r.bench, RIG_PTP_IN, packet, 512);
	bench_settle(&r.bench);
	assert_true(fake_ffs_posted(r.bench.ffs, RIG_PTP_IN) > 1);

	r.bench.camera->endpoints[0].blocked = true;
	relay_setup(r.relay, &request, NULL, 0);
	bench_settle(&r.bench);
	assert_int_equal(fake_ffs_posted(r.bench.ffs, RIG_PTP_IN), 0);
	/* not asked again before the camera has stopped, however much it has */
	camera_put(r.camera[RIG_PTP_IN], packet, 512);
	bench_container(command, 12, 1, 12, 3);
	assert_int_equal(bench_send(&r.bench, RIG_PTP_OUT, command, 12), FAKE_ACK);
	bench_settle(&r.bench);
	assert_int_equal(r.camera[RIG_PTP_IN]->pending, 0);
	assert_int_equal(r.camera[RIG_PTP_OUT]->num, 1);
	camera_forget(r.camera[RIG_PTP_IN]);
	r.bench.camera->endpoints[0].blocked = false;
	bench_settle(&r.bench);
	assert_int_equal(r.bench.ffs->answers, 1);
	/* nor does the camera get the command before */
	bench_expect_camera(&r.bench, r.camera[RIG_PTP_OUT], 1, command, 12);

	bench_container(response, 12, 3, 12, 4);
	camera_put(r.camera[RIG_PTP_IN], response, 12);
	bench_expect(&r.bench, RIG_PTP_IN, response, 12);
	relayrig_exchange(&r, 10);
	relayrig_close(&r);
}

/* The same of another interface, and another request, take nothing back. */
static void test_no_cancel(void **state)
{
	static const struct usb_ctrlrequest others[] = {
		{.bRequestType = 0x21, .bRequest = 0x64, .wIndex = 1},
		{.bRequestType = 0xa1, .bRequest = 0x67},
		{.bRequestType = 0x41, .bRequest = 0x64},
	};
	struct relayrig r;
	uint8_t packet[512];

	(void)state;
	relayrig_open(&r, true);
	relayrig_enable(&r);
	for (unsigned i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		bench_container(packet, 20, 3, 20, i);
		camera_put(r.camera[RIG_PTP_IN], packet, 20);
		bench_settle(&r.bench);
		relay_setup(r.relay, &others[i], NULL, 0);
		bench_settle(&r.bench);
		bench_expect(&r.bench, RIG_PTP_IN, packet, 20);
	}
	relayrig_close(&r);
}

/* The phone goes, and comes back, before the camera has answered. */
static void test_cancel_and_go(void **state)
{
	struct usb_ctrlrequest request = {.bRequestType = 0x21, .bRequest = 0x66};
	struct relayrig r;

	(void)state;
	relayrig_open(&r, true);
	relayrig_enable(&r);
	r.bench.camera->endpoints[0].blocked = true;
	relay_setup(r.relay, &request, NULL, 0);
	bench_settle(&r.bench);
	fake_ffs_disable(r.bench.ffs);
	relay_event(r.relay, FUNCTIONFS_DISABLE);
	bench_settle(&r.bench);
	r.bench.camera->endpoints[0].blocked = false;
	bench_settle(&r.bench);
	assert_int_equal(r.bench.camera->urbs_out, 0);
	relayrig_enable(&r);
	relayrig_exchange(&r, 10);
	relayrig_close(&r);
}

static void test_failed(void **state)
{
	struct relayrig r;

	(void)state;
	relayrig_open(&r, true);
	relayrig_enable(&r);
	for (unsigned i = 0; i < RIG_ENDPOINTS; i++) {
		r.camera[i]->fail = -ESHUTDOWN;
		if (relayrig_is_in(i))
			camera_put_error(r.camera[i], -ESHUTDOWN);
		else
			assert_int_equal(bench_send(&r.bench, i, "x", 1), FAKE_ACK);
	}
	bench_settle(&r.bench);
	assert_int_equal(r.failed, 1);
	relayrig_close(&r);
}

/* ---- memory ---- */

static void bridge(struct relayrig *r)
{
	unsigned before = allocations;

	bench_bridge(&r->bench);
	assert_int_equal(allocations, before);
}

/* Nothing is allocated for a transfer, an error, a control request, a reset. */
static void test_allocations(void **state)
{
	struct usb_ctrlrequest status = {.bRequestType = 0xa1, .bRequest = 0x67, .wLength = 0x0400};
	struct relayrig r;
	uint8_t packet[512];
	size_t size;
	unsigned before;

	(void)state;
	relayrig_open(&r, false);
	assert_true(allocations > 0);
	fake_ffs_enable(r.bench.ffs);
	for (unsigned i = 0; i < 400; i++) {
		before = allocations;
		if (i % 100 == 0)
			relay_event(r.relay, FUNCTIONFS_ENABLE);
		if (i % 50 == 20)
			relay_setup(r.relay, &status, NULL, 0);
		assert_int_equal(allocations, before);
		for (unsigned at = 0; at < RIG_ENDPOINTS; at++) {
			uint32_t length = r.camera[at]->max_packet;

			bench_container(packet, length, 2, 50000, i);
			if (i % 70 == 60 && relayrig_is_in(at))
				camera_put_error(r.camera[at], -EPIPE);
			if (i % 70 == 60)
				r.camera[at]->fail = -EPIPE,
				r.camera[at]->fail_at = r.camera[at]->num;
			fake_ffs_clear_halt(r.bench.ffs, at);
			if (relayrig_is_in(at)) {
				camera_put(r.camera[at], packet, length);
				fake_ffs_receive(r.bench.ffs, at, packet, &size);
			} else {
				fake_ffs_send(r.bench.ffs, at, packet, length - i % 2);
			}
		}
		bridge(&r);
		bench_camera(&r.bench);
	}
	for (unsigned i = 0; i < RIG_ENDPOINTS; i++) {
		assert_true(relay_pipe(r.relay, i)->bytes > 5000);
		assert_true(relay_pipe(r.relay, i)->errors > 2);
	}
	relayrig_close(&r);
}

#define TEST(name, function, argument)                                                             \
	{                                                                                          \
		name, function, NULL, NULL, (void *)(uintptr_t)(argument)                          \
	}

int main(void)
{
	static int done = 0, refused = -EPIPE;
	static bool no = false, yes = true;
	static const uint8_t cancel = 0x64, device_reset = 0x66;
	static const unsigned many[] = {1, 15, 16, 30};
	const struct CMUnitTest tests[] = {
		TEST("layout", test_layout, NULL),
		TEST("layout, MTP", test_layout_mtp, NULL),
		TEST("layout, one endpoint", test_layout_many, &many[0]),
		TEST("layout, 15 endpoints", test_layout_many, &many[1]),
		TEST("layout, 16 endpoints", test_layout_many, &many[2]),
		TEST("layout, 30 endpoints", test_layout_many, &many[3]),
		TEST("configured", test_configured, NULL),
		TEST("stop", test_stop, NULL),
		TEST("resume", test_resume, NULL),
		TEST("shut down", test_shut_down, NULL),
		TEST("phone returns", test_return, &done),
		TEST("phone returns, the server refuses", test_return, &refused),
		TEST("sleep", test_sleep, NULL),
		TEST("reset by class", test_class_reset, &no),
		TEST("reset by class, after silence", test_class_reset, &yes),
		TEST("phone returns, and goes", test_return_and_go, NULL),
		TEST("kick", test_kick, NULL),
		TEST("cancel", test_cancel, &cancel),
		TEST("device reset", test_cancel, &device_reset),
		TEST("no cancel", test_no_cancel, NULL),
		TEST("cancel, and go", test_cancel_and_go, NULL),
		TEST("failed", test_failed, NULL),
		TEST("allocations", test_allocations, NULL),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
