/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * relay: a phone that comes, sleeps, goes and returns: when the pipes run, and what the camera is
 * told before they do.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "bridge/phone.h"
#include "tests/unit/relayrig.h"

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
		assert_true(relay_phone(r.relay)->suspended);
		relayrig_wait(&r, RIG_UNPLUG_S - 1);
		assert_true(camera->urbs_out > 0);
		relayrig_wait(&r, RIG_UNPLUG_S);
		bench_settle(&r.bench);
		assert_int_equal(r.unconfigured, i);
		assert_int_equal(camera->urbs_out, 0);
		relay_event(r.relay, FUNCTIONFS_RESUME);
		bench_settle(&r.bench);
		assert_int_equal(r.configured, i + 1);
		assert_false(relay_phone(r.relay)->suspended);
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

/* What comes when its port does not take it any more is there when it wakes, and not when it turns
 * out to have been unplugged. */
static void test_sleep_keeps(void **state)
{
	const bool *gone = *state;
	struct relayrig r;
	uint8_t event[20], packet[512];
	size_t size;

	relayrig_open(&r, true);
	relayrig_enable(&r);
	r.bench.ffs->suspended = true;
	relay_event(r.relay, FUNCTIONFS_SUSPEND);
	for (unsigned i = 0; i < 2; i++) {
		bench_fill(event, sizeof(event), i);
		camera_put(r.camera[RIG_EVENT], event, sizeof(event));
	}
	bench_settle(&r.bench);
	relayrig_wait(&r, RIG_UNPLUG_S);
	bench_settle(&r.bench);
	assert_int_equal(r.bench.camera->urbs_out, 0);
	/* told twice */
	relay_event(r.relay, FUNCTIONFS_SUSPEND);
	relayrig_wait(&r, RIG_UNPLUG_S);
	r.bench.ffs->suspended = false;
	if (*gone) {
		disable_phone(&r);
		relayrig_enable(&r);
		assert_int_equal(bench_receive(&r.bench, RIG_EVENT, packet, &size), FAKE_NAK);
	} else {
		relay_event(r.relay, FUNCTIONFS_RESUME);
		bench_settle(&r.bench);
		for (unsigned i = 0; i < 2; i++) {
			bench_fill(event, sizeof(event), i);
			bench_expect(&r.bench, RIG_EVENT, event, sizeof(event));
		}
	}
	relayrig_exchange(&r, 100);
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
	/* the port's where it is answered, and that of the one interface which has one, once */
	assert_int_equal(camera->num_requests, *silent ? 1 : 2);
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

int main(void)
{
	static int done = 0, refused = -EPIPE;
	static bool no = false, yes = true;
	const struct CMUnitTest tests[] = {
		{"configured", test_configured, NULL, NULL, NULL},
		{"resume", test_resume, NULL, NULL, NULL},
		{"shut down", test_shut_down, NULL, NULL, NULL},
		{"phone returns", test_return, NULL, NULL, &done},
		{"phone returns, the server refuses", test_return, NULL, NULL, &refused},
		{"sleep", test_sleep, NULL, NULL, NULL},
		{"sleep, with an event", test_sleep_keeps, NULL, NULL, &no},
		{"unplugged, with an event", test_sleep_keeps, NULL, NULL, &yes},
		{"reset by class", test_class_reset, NULL, NULL, &no},
		{"reset by class, after silence", test_class_reset, NULL, NULL, &yes},
		{"phone returns, and goes", test_return_and_go, NULL, NULL, NULL},
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
