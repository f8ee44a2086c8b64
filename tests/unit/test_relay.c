/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * relay: the whole of it: which pipe gets what, what concerns all pipes, and no allocation.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "bridge/client.h"
#include "tests/unit/allocations.h"
#include "tests/unit/relayrig.h"

/* ---- layout ---- */

static const struct relay_callbacks no_callbacks = {NULL, NULL, NULL};

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
	/* as docs/architecture.md, "Bounds", has it */
	assert_int_equal(relay_pipe(relay, RIG_PTP_IN)->num_slots, 64);
	assert_int_equal(relay_pipe(relay, RIG_PTP_IN)->max_request, 16384);
	assert_int_equal(relay_pipe(relay, RIG_PTP_OUT)->num_slots, 16);
	assert_int_equal(relay_pipe(relay, RIG_PTP_OUT)->max_request, 16384);
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

/* ---- all pipes ---- */

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
	static const unsigned many[] = {1, 15, 16, 30};
	const struct CMUnitTest tests[] = {
		TEST("layout", test_layout, NULL),
		TEST("layout, MTP", test_layout_mtp, NULL),
		TEST("layout, one endpoint", test_layout_many, &many[0]),
		TEST("layout, 15 endpoints", test_layout_many, &many[1]),
		TEST("layout, 16 endpoints", test_layout_many, &many[2]),
		TEST("layout, 30 endpoints", test_layout_many, &many[3]),
		TEST("stop", test_stop, NULL),
		TEST("kick", test_kick, NULL),
		TEST("failed", test_failed, NULL),
		TEST("allocations", test_allocations, NULL),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
