/* SPDX-License-Identifier: GPL-2.0-or-later */
/* usbdevice: what libusb has calls of its own for, in a thread, over fake_libusb. With
 * pthread_create wrapped. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/usbrig.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define ALL 3u /* interfaces */

static bool no_threads;

int __real_pthread_create(
	pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *), void *arg);
int __wrap_pthread_create(
	pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *), void *arg);

int __wrap_pthread_create(
	pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *), void *arg)
{
	return no_threads ? EAGAIN : __real_pthread_create(thread, attr, run, arg);
}

/* ---- opened and closed ---- */

static void test_open(void **state)
{
	struct usbrig r;

	(void)state;
	usbrig_init(&r);
	assert_int_equal(r.device->drivers, ALL);
	usbrig_open(&r, 0);
	usbrig_expect_calls("claim 0, claim 1, ");
	assert_int_equal(r.device->drivers, 0);
	usbdevice_close(r.usb);
	assert_int_equal(r.closed, 0);
	usbrig_wait(&r, &r.closed, 1);
	/* Reset first: its drivers shall find it as new. */
	usbrig_expect_calls("reset, give back 0, give back 1, close, ");
	assert_int_equal(r.device->drivers, ALL);
	assert_int_equal(r.opened, 1);
	usbrig_fini(&r);
}

static void test_not_opened(void **state)
{
	static const struct {
		int error, is;
		const char *why;
	} cases[] = {
		{LIBUSB_ERROR_ACCESS, -EACCES,
			"no permission; a udev rule gives it (ip2usb-export(8))"},
		{LIBUSB_ERROR_NO_DEVICE, -ENODEV, "No such device"},
		{LIBUSB_ERROR_NO_MEM, -ENOMEM, "Insufficient memory"},
	};
	static const struct usbdevice_callbacks none = {0};
	struct usbrig r;

	(void)state;
	usbrig_init(&r);
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *why = NULL;

		fake_libusb.errors[FAKE_LIBUSB_OPEN] = cases[i].error;
		assert_int_equal(usbdevice_open(r.loop, r.device, "99-1", &none, &r, &r.usb, &why),
			cases[i].is);
		assert_string_equal(why, cases[i].why);
		assert_null(r.usb);
	}
	usbrig_expect_calls("");
	usbrig_fini(&r);
}

/* An interface that something else has is not to be had; the rest is. */
static void test_not_claimed(void **state)
{
	struct usbrig r;

	(void)state;
	usbrig_init(&r);
	fake_libusb.claim_errors[0] = LIBUSB_ERROR_BUSY;
	usbrig_open(&r, 0);
	usbrig_expect_calls("claim 0, claim 1, ");
	assert_int_equal(r.device->drivers, 1);
	assert_int_equal(usbrig_data(&r, 0, 0x81, 64, 0), -EPERM);
	assert_int_equal(usbrig_data(&r, 0, 0x02, 64, 0), -EPERM);
	assert_int_equal(usbrig_data(&r, 0, 0x83, 64, 0), -EPERM);
	/* To the interface, and to its endpoint, standard and of the class. */
	assert_int_equal(usbrig_control(&r, 0, 0x81, 6, 0x2200, 0, 9), -EPERM);
	assert_int_equal(usbrig_control(&r, 0, 0x21, 0x64, 0, 0, 6), -EPERM);
	assert_int_equal(usbrig_control(&r, 0, 0x82, 0, 0, 0x81, 2), -EPERM);
	assert_int_equal(usbrig_control(&r, 0, 0x22, 1, 0, 0x81, 0), -EPERM);
	assert_int_equal(usbrig_control(&r, 0, 0x01, 11, 0, 0, 0), 0);
	usbrig_expect(&r, 0, -EPERM, 0);
	usbrig_expect_calls("");
	/* To the device, to the other interface, to an endpoint that is nobody's, of the vendor. */
	assert_int_equal(usbrig_control(&r, 0, 0x80, 0, 0, 0, 2), 0);
	assert_int_equal(usbrig_control(&r, 1, 0x21, 1, 0, 1, 2), 0);
	assert_int_equal(usbrig_control(&r, 2, 0x82, 0, 0, 0x86, 2), 0);
	assert_int_equal(usbrig_control(&r, 3, 0xc1, 1, 0, 0, 2), 0);
	assert_int_equal(fake_libusb.num_transfers, 4);
	for (unsigned i = 0; i < 4; i++) {
		usbdevice_cancel(&r.urbs[i].urb);
		usbrig_expect(&r, i, -ECONNRESET, 0);
	}
	(void)fake_libusb_calls();
	usbdevice_close(r.usb);
	usbrig_wait(&r, &r.closed, 1);
	usbrig_expect_calls("reset, give back 1, close, ");
	/* The first never was ours. */
	assert_int_equal(r.device->drivers, ALL);
	usbrig_fini(&r);
}

static void test_last_not_claimed(void **state)
{
	struct usbrig r;

	(void)state;
	usbrig_init(&r);
	fake_libusb.claim_errors[1] = LIBUSB_ERROR_BUSY;
	usbrig_open(&r, 0);
	assert_int_equal(usbrig_data(&r, 0, 0x81, 64, 0), 0);
	/* A configuration is set; and then the other is not to be had either. */
	assert_int_equal(usbrig_control(&r, 1, 0x00, 9, 1, 0, 0), 0);
	usbrig_expect(&r, 1, 0, 0);
	usbrig_expect(&r, 0, -ECONNRESET, 0);
	fake_libusb.claim_errors[0] = LIBUSB_ERROR_BUSY;
	assert_int_equal(usbrig_control(&r, 1, 0x00, 9, 1, 0, 0), 0);
	usbrig_expect(&r, 1, -EBUSY, 0);
	assert_int_equal(usbrig_data(&r, 0, 0x81, 64, 0), -EPERM);
	usbrig_fini(&r);
}

static void test_none_claimed(void **state)
{
	struct usbrig r;

	(void)state;
	usbrig_init(&r);
	fake_libusb.claim_errors[0] = fake_libusb.claim_errors[1] = LIBUSB_ERROR_BUSY;
	usbrig_open(&r, -EBUSY);
	(void)fake_libusb_calls();
	usbdevice_close(r.usb);
	usbrig_wait(&r, &r.closed, 1);
	usbrig_expect_calls("reset, close, ");
	usbrig_fini(&r);
}

/* Nothing can be claimed of it, and there is nothing that others have. */
static void test_not_configured(void **state)
{
	struct usbrig r;

	(void)state;
	usbrig_init(&r);
	r.device->configuration = 0;
	r.device->drivers = 0;
	usbrig_open(&r, 0);
	assert_int_equal(usbrig_data(&r, 0, 0x81, 64, 0), -ENOENT);
	assert_int_equal(usbrig_control(&r, 0, 0x00, 9, 1, 0, 0), 0);
	usbrig_expect(&r, 0, 0, 0);
	usbrig_expect_calls("configuration 1, claim 0, claim 1, ");
	assert_int_equal(usbrig_data(&r, 0, 0x81, 64, 0), 0);
	usbrig_fini(&r);
}

/* ---- requests that are calls ---- */

/* The request, what becomes of it, and what the importer is told when libusb says so. */
static const struct request {
	uint8_t type, request;
	uint16_t value, index;
	enum fake_libusb_call call;
	const char *calls;
} requests[] = {
	{0x00, 9, 1, 0, FAKE_LIBUSB_SET_CONFIGURATION,
		"release 0, release 1, configuration 1, claim 0, claim 1, "},
	{0x01, 11, 1, 1, FAKE_LIBUSB_SET_INTERFACE, "setting 1 of 1, "},
	{0x02, 1, 0, 0x81, FAKE_LIBUSB_CLEAR_HALT, "clear 81, "},
	{0x02, 1, 0, 0x02, FAKE_LIBUSB_CLEAR_HALT, "clear 02, "},
	{0x23, 3, 4, 1, FAKE_LIBUSB_RESET, "reset, "},
};

static int submit_request(struct usbrig *r, unsigned n, const struct request *q)
{
	return usbrig_control(r, n, q->type, q->request, q->value, q->index, 0);
}

/* Of what a reset has set; unless more has been asked for since. */
static void test_set_twice(void **state)
{
	static const struct {
		const char *what;
		const char *calls; /* of SET_CONFIGURATION, after `what` */
		uint8_t value;
	} cases[] = {
		{"", "", 1},
		{"described", "", 1},
		{"", "release 0, release 1, configuration 2, claim 0, ", 2},
		{"asked", "release 0, release 1, configuration 1, claim 0, claim 1, ", 1},
		{"data", "release 0, release 1, configuration 1, claim 0, claim 1, ", 1},
		{"setting", "release 0, release 1, configuration 1, claim 0, claim 1, ", 1},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct usbrig r;

		usbrig_init(&r);
		usbrig_open(&r, 0);
		assert_int_equal(usbrig_control(&r, 0, 0x23, 3, 4, 1, 0), 0);
		usbrig_expect(&r, 0, 0, 0);
		if (!strcmp(cases[i].what, "described")) {
			assert_int_equal(usbrig_control(&r, 1, 0x80, 6, 0x100, 0, 18), 0);
		} else if (!strcmp(cases[i].what, "asked")) {
			assert_int_equal(usbrig_control(&r, 1, 0xc0, 6, 0x100, 0, 18), 0);
		} else if (!strcmp(cases[i].what, "data")) {
			assert_int_equal(usbrig_data(&r, 1, 0x81, 64, 0), 0);
		} else if (!strcmp(cases[i].what, "setting")) {
			assert_int_equal(usbrig_control(&r, 1, 1, 11, 1, 1, 0), 0);
			usbrig_expect(&r, 1, 0, 0);
		}
		if (fake_libusb.num_transfers) {
			fake_libusb_end(
				fake_libusb_transfer(0), LIBUSB_TRANSFER_COMPLETED, NULL, 0);
			usbrig_expect(&r, 1, 0, 0);
		}
		(void)fake_libusb_calls();
		assert_int_equal(usbrig_control(&r, 0, 0, 9, cases[i].value, 0, 0), 0);
		usbrig_expect(&r, 0, 0, 0);
		usbrig_expect_calls(cases[i].calls);
		usbrig_fini(&r);
	}
}

static void test_calls(void **state)
{
	static const struct {
		int error, is;
	} errors[] = {
		{0, 0},
		{LIBUSB_ERROR_IO, -EPIPE},
		{LIBUSB_ERROR_INVALID_PARAM, -EPIPE},
		{LIBUSB_ERROR_NOT_FOUND, -EPIPE},
		{LIBUSB_ERROR_ACCESS, -EPERM},
		{LIBUSB_ERROR_NO_DEVICE, -ESHUTDOWN},
		{LIBUSB_ERROR_BUSY, -EBUSY},
		{LIBUSB_ERROR_NO_MEM, -ENOMEM},
		{LIBUSB_ERROR_TIMEOUT, -ETIMEDOUT},
		{LIBUSB_ERROR_PIPE, -EPIPE},
		{LIBUSB_ERROR_OTHER, -EIO},
	};
	struct usbrig r;

	(void)state;
	usbrig_init(&r);
	usbrig_open(&r, 0);
	(void)fake_libusb_calls();
	for (size_t i = 0; i < COUNT(requests); i++) {
		const struct request *q = &requests[i];

		for (size_t n = 0; n < COUNT(errors); n++) {
			fake_libusb.errors[q->call] = errors[n].error;
			assert_int_equal(submit_request(&r, 0, q), 0);
			/* Not inside of the function; and nothing overtakes it. */
			assert_int_equal(r.urbs[0].done, 0);
			assert_true(usbdevice_is_busy(r.usb));
			assert_int_equal(usbrig_data(&r, 1, 0x81, 64, 0), -EBUSY);
			usbrig_expect(&r, 0, errors[n].is, 0);
			assert_false(usbdevice_is_busy(r.usb));
			usbrig_expect_calls(q->calls);
		}
		fake_libusb.errors[q->call] = 0;
	}
	assert_int_equal(fake_libusb.submitted, 0);
	usbrig_fini(&r);
}

/* Others are the device's: they look alike. */
static void test_no_calls(void **state)
{
	static const struct request others[] = {
		{.type = 0x02, .request = 1, .value = 1, .index = 0x81}, /* no ENDPOINT_HALT */
		{.type = 0x02, .request = 3, .value = 0, .index = 0x81}, /* SET_FEATURE */
		{.type = 0x23, .request = 3, .value = 8, .index = 1},	 /* PORT_POWER */
		{.type = 0x21, .request = 11, .value = 1, .index = 1},	 /* of the class */
		{.type = 0x40, .request = 9, .value = 1},		 /* of the vendor */
		{.type = 0x00, .request = 1, .value = 1},		 /* remote wakeup */
	};
	struct usbrig r;

	(void)state;
	usbrig_init(&r);
	usbrig_open(&r, 0);
	(void)fake_libusb_calls();
	for (size_t i = 0; i < COUNT(others); i++) {
		assert_int_equal(submit_request(&r, 0, &others[i]), 0);
		assert_false(usbdevice_is_busy(r.usb));
		assert_int_equal(fake_libusb.num_transfers, 1);
		fake_libusb_end(fake_libusb_transfer(0), LIBUSB_TRANSFER_COMPLETED, NULL, 0);
		usbrig_expect(&r, 0, 0, 0);
	}
	usbrig_expect_calls("");
	/* An address of its own; a length that is not the packet's. */
	assert_int_equal(usbrig_control(&r, 0, 0x00, 5, 9, 0, 0), -EPIPE);
	r.urbs[0].urb.length = 17;
	r.urbs[0].buffer[6] = 18;
	assert_int_equal(usbdevice_submit(r.usb, &r.urbs[0].urb), -EBADR);
	usbrig_fini(&r);
}

/* None, and another: the endpoints are those that there are then. */
static void test_configurations(void **state)
{
	struct usbrig r;

	(void)state;
	usbrig_init(&r);
	usbrig_open(&r, 0);
	(void)fake_libusb_calls();
	assert_int_equal(usbrig_control(&r, 0, 0x00, 9, 0, 0, 0), 0);
	usbrig_expect(&r, 0, 0, 0);
	usbrig_expect_calls("release 0, release 1, configuration -1, ");
	assert_int_equal(usbrig_data(&r, 0, 0x81, 64, 0), -ENOENT);
	assert_int_equal(usbrig_control(&r, 0, 0x00, 9, 2, 0, 0), 0);
	usbrig_expect(&r, 0, 0, 0);
	usbrig_expect_calls("configuration 2, claim 0, ");
	assert_int_equal(usbrig_data(&r, 0, 0x02, 64, 0), -ENOENT);
	assert_int_equal(usbrig_data(&r, 0, 0x81, 64, 0), 0);
	usbdevice_cancel(&r.urbs[0].urb);
	usbrig_expect(&r, 0, -ECONNRESET, 0);
	/* The device has no such one, and keeps what it has. */
	assert_int_equal(usbrig_control(&r, 0, 0x00, 9, 7, 0, 0), 0);
	usbrig_expect(&r, 0, -EPIPE, 0);
	assert_int_equal(usbrig_data(&r, 0, 0x81, 64, 0), 0);
	/* What the kernel has put there meanwhile is detached again. */
	assert_int_equal(r.device->drivers, 0);
	usbrig_fini(&r);
}

/* The first setting again, after a configuration is set. */
static void test_settings(void **state)
{
	static struct usbip_iso_packet packet = {.length = 8};
	struct usbrig r;

	(void)state;
	usbrig_init(&r);
	usbrig_open(&r, 0);
	for (int setting = 1; setting >= 0; setting--) {
		assert_int_equal(usbrig_control(&r, 0, 0x01, 11, (uint16_t)setting, 1, 0), 0);
		usbrig_expect(&r, 0, 0, 0);
		r.urbs[1].urb.packets = &packet;
		r.urbs[1].urb.num_packets = 1;
		assert_int_equal(usbrig_data(&r, 1, 0x84, 8, 0), setting ? 0 : -ENOENT);
		/* One that there is not: as it was. */
		assert_int_equal(usbrig_control(&r, 2, 0x01, 11, 2, 0, 0), 0);
		usbrig_expect(&r, 2, -EPIPE, 0);
		assert_int_equal(usbrig_data(&r, 2, 0x81, 8, 0), 0);
		usbdevice_cancel(&r.urbs[2].urb);
		usbrig_expect(&r, 2, -ECONNRESET, 0);
	}
	assert_int_equal(usbrig_control(&r, 0, 0x01, 11, 1, 1, 0), 0);
	usbrig_expect(&r, 0, 0, 0);
	assert_int_equal(usbrig_control(&r, 0, 0x00, 9, 1, 0, 0), 0);
	usbrig_expect(&r, 0, 0, 0);
	assert_int_equal(usbrig_data(&r, 1, 0x84, 8, 0), -ENOENT);
	/* Of an interface that there is not. */
	assert_int_equal(usbrig_control(&r, 0, 0x01, 11, 0, 2, 0), 0);
	usbrig_expect(&r, 0, -EPERM, 0);
	assert_int_equal(usbrig_control(&r, 0, 0x01, 11, 0, 0xffff, 0), 0);
	usbrig_expect(&r, 0, -EPERM, 0);
	usbrig_fini(&r);
}

/* ---- what is under way meanwhile ---- */

/* libusb would tell of what the kernel kills as of one that has succeeded: it is cancelled, and has
 * come back, before the call. */
static void test_in_the_way(void **state)
{
	static const struct {
		struct request q;
		bool waits;
	} cases[] = {
		{{.type = 0x00, .request = 9, .value = 1}, true},
		{{.type = 0x23, .request = 3, .value = 4, .index = 1}, true},
		{{.type = 0x01, .request = 11, .value = 0, .index = 0}, true},
		{{.type = 0x01, .request = 11, .value = 1, .index = 1}, false},
		{{.type = 0x02, .request = 1, .value = 0, .index = 0x81}, false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct usbrig r;

		usbrig_init(&r);
		usbrig_open(&r, 0);
		(void)fake_libusb_calls();
		fake_libusb.cancels_late = true;
		assert_int_equal(usbrig_data(&r, 0, 0x81, 64, 0), 0);
		assert_int_equal(usbrig_data(&r, 1, 0x83, 64, 0), 0);
		assert_int_equal(submit_request(&r, 2, &cases[i].q), 0);
		if (cases[i].waits) {
			usbrig_idle(&r);
			usbrig_expect_calls("cancel 83, cancel 81, ");
			fake_libusb_end(
				fake_libusb_transfer(0), LIBUSB_TRANSFER_CANCELLED, NULL, 0);
			usbrig_idle(&r);
			usbrig_expect_calls("");
			assert_int_equal(r.urbs[2].done, 0);
			assert_true(usbdevice_is_busy(r.usb));
			/* One that was faster. */
			fake_libusb_end(
				fake_libusb_transfer(0), LIBUSB_TRANSFER_COMPLETED, NULL, 8);
			usbrig_expect(&r, 2, 0, 0);
			usbrig_expect(&r, 0, -ECONNRESET, 0);
			usbrig_expect(&r, 1, 0, 8);
		} else {
			usbrig_expect(&r, 2, 0, 0);
			assert_int_equal(fake_libusb.num_transfers, 2);
		}
		fake_libusb.cancels_late = false;
		usbrig_fini(&r);
	}
}

/* ---- closed ---- */

static void test_close_under_way(void **state)
{
	struct usbrig r;

	(void)state;
	usbrig_init(&r);
	usbrig_open(&r, 0);
	(void)fake_libusb_calls();
	fake_libusb.cancels_late = true;
	assert_int_equal(usbrig_data(&r, 0, 0x81, 64, 0), 0);
	assert_int_equal(usbrig_control(&r, 1, 0x80, 6, 0x100, 0, 18), 0);
	usbdevice_close(r.usb);
	assert_int_equal(usbrig_data(&r, 2, 0x81, 64, 0), -ESHUTDOWN);
	usbrig_idle(&r);
	assert_int_equal(r.closed, 0);
	fake_libusb_end(fake_libusb_transfer(0), LIBUSB_TRANSFER_CANCELLED, NULL, 0);
	fake_libusb_end(fake_libusb_transfer(1), LIBUSB_TRANSFER_COMPLETED, NULL, 18);
	usbrig_wait(&r, &r.closed, 1);
	usbrig_expect(&r, 0, -ECONNRESET, 0);
	usbrig_expect(&r, 1, 0, 18);
	fake_libusb.cancels_late = false;
	usbrig_fini(&r);
}

/* With a call in the thread, or one that waits for transfers: its request is answered. */
static void test_close_in_a_call(void **state)
{
	(void)state;
	for (int waiting = 0; waiting < 2; waiting++) {
		struct usbrig r;

		usbrig_init(&r);
		usbrig_open(&r, 0);
		(void)fake_libusb_calls();
		fake_libusb_block(true);
		fake_libusb.cancels_late = true;
		if (waiting)
			assert_int_equal(usbrig_data(&r, 0, 0x81, 64, 0), 0);
		assert_int_equal(usbrig_control(&r, 1, 0x23, 3, 4, 1, 0), 0);
		usbrig_idle(&r);
		usbdevice_close(r.usb);
		usbrig_idle(&r);
		assert_int_equal(r.urbs[1].done, 0);
		assert_int_equal(r.closed, 0);
		if (waiting)
			fake_libusb_end(
				fake_libusb_transfer(0), LIBUSB_TRANSFER_CANCELLED, NULL, 0);
		fake_libusb_block(false);
		usbrig_wait(&r, &r.closed, 1);
		usbrig_expect(&r, 1, 0, 0);
		if (waiting)
			usbrig_expect(&r, 0, -ECONNRESET, 0);
		usbrig_expect_calls(waiting ? "cancel 81, cancel 81, reset, reset, give back 0, "
					      "give back 1, close, "
					    : "reset, reset, give back 0, give back 1, close, ");
		fake_libusb.cancels_late = false;
		usbrig_fini(&r);
	}
}

/* A device that resets badly is given back all the same. */
static void test_close_without_reset(void **state)
{
	struct usbrig r;

	(void)state;
	usbrig_init(&r);
	usbrig_open(&r, 0);
	(void)fake_libusb_calls();
	fake_libusb.errors[FAKE_LIBUSB_RESET] = LIBUSB_ERROR_NOT_FOUND;
	usbdevice_close(r.usb);
	usbrig_wait(&r, &r.closed, 1);
	usbrig_expect_calls("reset, give back 0, give back 1, close, ");
	assert_int_equal(r.device->drivers, ALL);
	usbrig_fini(&r);
}

/* It is tried again until there is one: to claim, to answer a request, to let go. */
static void test_no_thread(void **state)
{
	struct usbrig r;

	(void)state;
	usbrig_init(&r);
	usbrig_open(&r, 0);
	(void)fake_libusb_calls();
	no_threads = true;
	assert_int_equal(usbrig_control(&r, 0, 0x23, 3, 4, 1, 0), 0);
	usbrig_idle(&r);
	assert_true(usbdevice_is_busy(r.usb));
	no_threads = false;
	usbrig_expect(&r, 0, 0, 0);
	usbrig_expect_calls("reset, ");
	no_threads = true;
	usbdevice_close(r.usb);
	usbrig_idle(&r);
	assert_int_equal(r.closed, 0);
	no_threads = false;
	usbrig_wait(&r, &r.closed, 1);
	usbrig_expect_calls("reset, give back 0, give back 1, close, ");
	usbrig_fini(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_open),
		cmocka_unit_test(test_not_opened),
		cmocka_unit_test(test_not_claimed),
		cmocka_unit_test(test_last_not_claimed),
		cmocka_unit_test(test_none_claimed),
		cmocka_unit_test(test_not_configured),
		cmocka_unit_test(test_calls),
		cmocka_unit_test(test_set_twice),
		cmocka_unit_test(test_no_calls),
		cmocka_unit_test(test_configurations),
		cmocka_unit_test(test_settings),
		cmocka_unit_test(test_in_the_way),
		cmocka_unit_test(test_close_under_way),
		cmocka_unit_test(test_close_in_a_call),
		cmocka_unit_test(test_close_without_reset),
		cmocka_unit_test(test_no_thread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
