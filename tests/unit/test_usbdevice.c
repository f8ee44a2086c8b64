/* SPDX-License-Identifier: GPL-2.0-or-later */
/* usbdevice: its URBs, over fake_libusb. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <errno.h>
#include <string.h>

#include <cmocka.h>

#include "bridge/usbip.h"
#include "tests/unit/usbrig.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define BULK_IN 0x81
#define BULK_OUT 0x02
#define INTERRUPT 0x83
#define ISO_IN 0x84
#define ISO_OUT 0x05

static void expect_submitted(unsigned n)
{
	assert_int_equal(fake_libusb.num_transfers, n);
}

/* What the stub of Linux would have of its host controller (Documentation/driver-api/usb/
 * error-codes.rst). */
static void test_statuses(void **state)
{
	static const struct {
		enum libusb_transfer_status status;
		int is;
	} cases[] = {
		{LIBUSB_TRANSFER_COMPLETED, 0},
		{LIBUSB_TRANSFER_ERROR, -EPROTO},
		{LIBUSB_TRANSFER_TIMED_OUT, -ETIMEDOUT},
		{LIBUSB_TRANSFER_CANCELLED, -ECONNRESET},
		{LIBUSB_TRANSFER_STALL, -EPIPE},
		{LIBUSB_TRANSFER_NO_DEVICE, -ESHUTDOWN},
		{LIBUSB_TRANSFER_OVERFLOW, -EOVERFLOW},
	};
	struct usbrig r;

	(void)state;
	usbrig_init(&r);
	usbrig_open(&r, 0);
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_int_equal(usbrig_data(&r, 0, BULK_IN, 512, 0), 0);
		fake_libusb_end(fake_libusb_transfer(0), cases[i].status, "hello", 5);
		assert_int_equal(r.urbs[0].done, 0);
		usbrig_expect(&r, 0, cases[i].is, 5);
		assert_memory_equal(r.urbs[0].urb.buffer, "hello", 5);
		/* Of a control request they are the same; its data is behind the setup packet. */
		assert_int_equal(usbrig_control(&r, 0, 0x80, 6, 0x100, 0, 18), 0);
		fake_libusb_end(fake_libusb_transfer(0), cases[i].status, "hello", 5);
		usbrig_expect(&r, 0, cases[i].is, 5);
		assert_memory_equal(r.urbs[0].buffer + USBDEVICE_SETUP_SIZE, "hello", 5);
	}
	usbrig_fini(&r);
}

static void test_submit_errors(void **state)
{
	static const struct {
		int error, is;
	} cases[] = {
		{LIBUSB_ERROR_IO, -EPIPE},
		{LIBUSB_ERROR_INVALID_PARAM, -EINVAL},
		{LIBUSB_ERROR_ACCESS, -EACCES},
		{LIBUSB_ERROR_NO_DEVICE, -ESHUTDOWN},
		{LIBUSB_ERROR_NOT_FOUND, -ENOENT},
		{LIBUSB_ERROR_BUSY, -EBUSY},
		{LIBUSB_ERROR_NO_MEM, -ENOMEM},
		{LIBUSB_ERROR_NOT_SUPPORTED, -ENOTSUP},
		{LIBUSB_ERROR_OTHER, -EIO},
	};
	struct usbrig r;

	(void)state;
	usbrig_init(&r);
	usbrig_open(&r, 0);
	for (size_t i = 0; i < COUNT(cases); i++) {
		fake_libusb.errors[FAKE_LIBUSB_SUBMIT] = cases[i].error;
		assert_int_equal(usbrig_data(&r, 0, BULK_IN, 512, 0), cases[i].is);
		assert_int_equal(usbrig_control(&r, 1, 0x80, 6, 0x100, 0, 18), cases[i].is);
	}
	fake_libusb.errors[FAKE_LIBUSB_SUBMIT] = 0;
	fake_libusb.errors[FAKE_LIBUSB_ALLOC] = -1;
	assert_int_equal(usbrig_data(&r, 2, BULK_IN, 512, 0), -ENOMEM);
	fake_libusb.errors[FAKE_LIBUSB_ALLOC] = 0;
	usbrig_idle(&r);
	for (int i = 0; i < 3; i++)
		assert_int_equal(r.urbs[i].done, 0);
	/* They can be used again. */
	assert_int_equal(usbrig_data(&r, 2, BULK_OUT, 512, 0), 0);
	fake_libusb_end(fake_libusb_transfer(0), LIBUSB_TRANSFER_COMPLETED, NULL, 512);
	usbrig_expect(&r, 2, 0, 512);
	usbrig_fini(&r);
}

static void test_types(void **state)
{
	static const struct {
		uint8_t endpoint, type, flags;
	} cases[] = {
		{BULK_IN, LIBUSB_TRANSFER_TYPE_BULK, 0},
		{BULK_OUT, LIBUSB_TRANSFER_TYPE_BULK, LIBUSB_TRANSFER_ADD_ZERO_PACKET},
		{INTERRUPT, LIBUSB_TRANSFER_TYPE_INTERRUPT, 0},
	};
	struct usbrig r;

	(void)state;
	usbrig_init(&r);
	usbrig_open(&r, 0);
	for (size_t i = 0; i < COUNT(cases); i++) {
		for (int flags = 0; flags < 2; flags++) {
			const struct libusb_transfer *t;

			assert_int_equal(usbrig_data(&r, 0, cases[i].endpoint, 64,
						 flags ? USBIP_URB_ZERO_PACKET : 0),
				0);
			t = fake_libusb_transfer(0);
			assert_int_equal(t->type, cases[i].type);
			assert_int_equal(t->endpoint, cases[i].endpoint);
			assert_int_equal(t->length, 64);
			assert_int_equal(t->flags, flags ? cases[i].flags : 0);
			fake_libusb_end(fake_libusb_transfer(0), 0, NULL, 64);
			usbrig_expect(&r, 0, 0, 64);
		}
	}
	assert_int_equal(usbrig_data(&r, 0, 0x01, 64, 0), -ENOENT);
	assert_int_equal(usbrig_data(&r, 0, 0x82, 64, 0), -ENOENT);
	/* Of a setting that is not chosen. */
	assert_int_equal(usbrig_data(&r, 0, ISO_IN, 64, 0), -ENOENT);
	r.urbs[0].urb.num_packets = 1;
	assert_int_equal(usbrig_data(&r, 0, BULK_IN, 64, 0), -EINVAL);
	r.urbs[0].urb.num_packets = 0;
	usbrig_fini(&r);
}

static void test_short(void **state)
{
	static const struct {
		uint8_t endpoint;
		uint32_t flags;
		enum libusb_transfer_status status;
		int actual, is;
	} cases[] = {
		{BULK_IN, 0, LIBUSB_TRANSFER_COMPLETED, 63, 0},
		{BULK_IN, USBIP_URB_SHORT_NOT_OK, LIBUSB_TRANSFER_COMPLETED, 63, -EREMOTEIO},
		{BULK_IN, USBIP_URB_SHORT_NOT_OK, LIBUSB_TRANSFER_COMPLETED, 0, -EREMOTEIO},
		{BULK_IN, USBIP_URB_SHORT_NOT_OK, LIBUSB_TRANSFER_COMPLETED, 64, 0},
		{BULK_IN, USBIP_URB_SHORT_NOT_OK, LIBUSB_TRANSFER_STALL, 63, -EPIPE},
		{BULK_IN, USBIP_URB_SHORT_NOT_OK, LIBUSB_TRANSFER_CANCELLED, 63, -ECONNRESET},
		{INTERRUPT, USBIP_URB_SHORT_NOT_OK, LIBUSB_TRANSFER_COMPLETED, 8, -EREMOTEIO},
	};
	struct usbrig r;

	(void)state;
	usbrig_init(&r);
	usbrig_open(&r, 0);
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_int_equal(usbrig_data(&r, 0, cases[i].endpoint, 64, cases[i].flags), 0);
		fake_libusb_end(fake_libusb_transfer(0), cases[i].status, NULL, cases[i].actual);
		usbrig_expect(&r, 0, cases[i].is, (uint32_t)cases[i].actual);
	}
	usbrig_fini(&r);
}

/* ---- isochronous ---- */

static void open_sound(struct usbrig *r)
{
	usbrig_init(r);
	usbrig_open(r, 0);
	assert_int_equal(usbrig_control(r, 0, 0x01, 11, 1, 1, 0), 0);
	usbrig_expect(r, 0, 0, 0);
}

static int submit_packets(struct usbrig *r, uint8_t endpoint, uint32_t length,
	struct usbip_iso_packet *packets, unsigned n)
{
	r->urbs[1].urb.packets = packets;
	r->urbs[1].urb.num_packets = n;
	/* Which is for bulk alone. */
	return usbrig_data(r, 1, endpoint, length, USBIP_URB_ZERO_PACKET);
}

static void test_iso_in(void **state)
{
	struct usbip_iso_packet packets[] = {
		{0, 4, 99, 99}, {4, 4, 99, 99}, {8, 8, 99, 99}, {16, 4, 99, 99}};
	struct libusb_transfer *t;
	struct usbrig r;

	(void)state;
	open_sound(&r);
	assert_int_equal(submit_packets(&r, ISO_IN, 20, packets, 4), 0);
	t = fake_libusb_transfer(0);
	assert_int_equal(t->type, LIBUSB_TRANSFER_TYPE_ISOCHRONOUS);
	assert_int_equal(t->num_iso_packets, 4);
	assert_int_equal(t->length, 20);
	for (int i = 0; i < 4; i++)
		assert_int_equal(t->iso_packet_desc[i].length, i == 2 ? 8 : 4);
	/* Each has its place in the buffer. Which of them fail is told, and what has come. */
	t->iso_packet_desc[0].actual_length = 3;
	t->iso_packet_desc[1].actual_length = 0;
	t->iso_packet_desc[1].status = LIBUSB_TRANSFER_ERROR;
	t->iso_packet_desc[2].actual_length = 100; /* no more than there is room for */
	t->iso_packet_desc[3].actual_length = 2;
	t->iso_packet_desc[3].status = LIBUSB_TRANSFER_OVERFLOW;
	fake_libusb_end(t, LIBUSB_TRANSFER_COMPLETED, "abc_----CDEFGHIJxy__", 20);
	usbrig_expect(&r, 1, 0, 13);
	assert_memory_equal(r.urbs[1].urb.buffer, "abcCDEFGHIJxy", 13);
	assert_int_equal(r.urbs[1].urb.num_errors, 2);
	assert_int_equal(packets[0].actual_length, 3);
	assert_int_equal(packets[0].status, 0);
	assert_int_equal(packets[1].actual_length, 0);
	assert_int_equal(packets[1].status, -EPROTO);
	assert_int_equal(packets[2].actual_length, 8);
	assert_int_equal(packets[3].actual_length, 2);
	assert_int_equal(packets[3].status, -EOVERFLOW);
	assert_int_equal(packets[3].offset, 16);
	usbrig_fini(&r);
}

static void test_iso_out(void **state)
{
	struct usbip_iso_packet packets[] = {{2, 3, 0, 0}, {8, 4, 0, 0}};
	struct libusb_transfer *t;
	struct usbrig r;

	(void)state;
	open_sound(&r);
	memcpy(r.urbs[1].buffer + USBDEVICE_SETUP_SIZE, "__abc___defg", 12);
	assert_int_equal(submit_packets(&r, ISO_OUT, 12, packets, 2), 0);
	t = fake_libusb_transfer(0);
	assert_int_equal(t->length, 7);
	assert_int_equal(t->flags, 0);
	assert_memory_equal(t->buffer, "abcdefg", 7);
	t->iso_packet_desc[0].actual_length = 3;
	t->iso_packet_desc[1].actual_length = 4;
	fake_libusb_end(t, LIBUSB_TRANSFER_COMPLETED, NULL, 0);
	usbrig_expect(&r, 1, 0, 7);
	assert_int_equal(r.urbs[1].urb.num_errors, 0);
	usbrig_fini(&r);
}

/* Where the packets say what cannot be, nothing is written outside of the buffer. */
static void test_iso_bounds(void **state)
{
	static const struct {
		uint8_t endpoint;
		struct usbip_iso_packet packets[2];
		int is;
	} cases[] = {
		{ISO_IN, {{0, 8, 0, 0}, {8, 4, 0, 0}}, 0},
		{ISO_IN, {{0, 8, 0, 0}, {8, 5, 0, 0}}, -EINVAL},
		{ISO_IN, {{0, 13, 0, 0}, {0, 0, 0, 0}}, -EINVAL},
		{ISO_IN, {{0, 0xffffffff, 0, 0}, {0, 1, 0, 0}}, -EINVAL},
		{ISO_OUT, {{0, 8, 0, 0}, {8, 4, 0, 0}}, 0},
		{ISO_OUT, {{0, 8, 0, 0}, {9, 4, 0, 0}}, -EINVAL},
		{ISO_OUT, {{0, 8, 0, 0}, {7, 4, 0, 0}}, -EINVAL},
		{ISO_OUT, {{4, 4, 0, 0}, {0, 4, 0, 0}}, -EINVAL},
		{ISO_OUT, {{13, 0, 0, 0}, {0, 0, 0, 0}}, -EINVAL},
		{ISO_OUT, {{0xffffffff, 4, 0, 0}, {0, 0, 0, 0}}, -EINVAL},
		{ISO_OUT, {{12, 0, 0, 0}, {12, 0, 0, 0}}, 0},
	};
	struct usbrig r;

	(void)state;
	open_sound(&r);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct usbip_iso_packet packets[2];

		memcpy(packets, cases[i].packets, sizeof(packets));
		assert_int_equal(
			submit_packets(&r, cases[i].endpoint, 12, packets, 2), cases[i].is);
		expect_submitted(cases[i].is == 0);
		if (cases[i].is)
			continue;
		fake_libusb_end(fake_libusb_transfer(0), LIBUSB_TRANSFER_CANCELLED, NULL, 0);
		usbrig_expect(&r, 1, -ECONNRESET, 0);
	}
	assert_int_equal(submit_packets(&r, ISO_IN, 12, NULL, 0), -EINVAL);
	usbrig_fini(&r);
}

/* Its transfer has room for as many packets as it ever had. */
static void test_iso_grows(void **state)
{
	struct usbip_iso_packet packets[64] = {{0}};
	static const unsigned numbers[] = {1, 64, 2, 0, 3};
	struct usbrig r;

	(void)state;
	open_sound(&r);
	for (size_t i = 0; i < COUNT(numbers); i++) {
		r.urbs[1].urb.packets = packets;
		r.urbs[1].urb.num_packets = numbers[i];
		assert_int_equal(usbrig_data(&r, 1, numbers[i] ? ISO_IN : BULK_IN, 64, 0), 0);
		assert_int_equal(fake_libusb_transfer(0)->num_iso_packets, numbers[i]);
		fake_libusb_end(fake_libusb_transfer(0), 0, NULL, 0);
		usbrig_expect(&r, 1, 0, 0);
	}
	assert_int_equal(fake_libusb.allocated, 1);
	usbrig_fini(&r);
}

/* ---- given up ---- */

static void test_cancel(void **state)
{
	struct usbrig r;

	(void)state;
	usbrig_init(&r);
	usbrig_open(&r, 0);
	(void)fake_libusb_calls();
	/* Not inside of the function. */
	assert_int_equal(usbrig_data(&r, 0, BULK_IN, 64, 0), 0);
	usbdevice_cancel(&r.urbs[0].urb);
	assert_int_equal(r.urbs[0].done, 0);
	usbrig_expect(&r, 0, -ECONNRESET, 0);
	usbrig_expect_calls("cancel 81, ");
	/* Twice. */
	fake_libusb.cancels_late = true;
	assert_int_equal(usbrig_data(&r, 0, BULK_IN, 64, 0), 0);
	usbdevice_cancel(&r.urbs[0].urb);
	usbdevice_cancel(&r.urbs[0].urb);
	fake_libusb_end(fake_libusb_transfer(0), LIBUSB_TRANSFER_CANCELLED, "abc", 3);
	usbrig_expect(&r, 0, -ECONNRESET, 3);
	/* It has ended, and that has not been told yet; or it ends as it would have. */
	for (int late = 0; late < 2; late++) {
		assert_int_equal(usbrig_data(&r, 0, BULK_IN, 64, 0), 0);
		if (late)
			usbdevice_cancel(&r.urbs[0].urb);
		fake_libusb_end(fake_libusb_transfer(0), LIBUSB_TRANSFER_COMPLETED, "abc", 3);
		if (!late)
			usbdevice_cancel(&r.urbs[0].urb);
		usbrig_expect(&r, 0, 0, 3);
	}
	/* It alone. */
	assert_int_equal(usbrig_data(&r, 0, BULK_IN, 64, 0), 0);
	assert_int_equal(usbrig_data(&r, 1, BULK_IN, 64, 0), 0);
	fake_libusb.cancels_late = false;
	usbdevice_cancel(&r.urbs[1].urb);
	usbrig_expect(&r, 1, -ECONNRESET, 0);
	assert_int_equal(r.urbs[0].done, 0);
	expect_submitted(1);
	usbrig_fini(&r);
	assert_int_equal(r.urbs[0].urb.status, -ECONNRESET);
}

/* The request of a call is not a transfer. */
static void test_cancel_call(void **state)
{
	struct usbrig r;

	(void)state;
	usbrig_init(&r);
	usbrig_open(&r, 0);
	fake_libusb_block(true);
	assert_int_equal(usbrig_control(&r, 0, 0x00, 9, 1, 0, 0), 0);
	usbrig_idle(&r);
	usbdevice_cancel(&r.urbs[0].urb);
	usbrig_idle(&r);
	assert_int_equal(r.urbs[0].done, 0);
	fake_libusb_block(false);
	usbrig_expect(&r, 0, 0, 0);
	usbrig_fini(&r);
}

static void test_unplugged(void **state)
{
	struct usbrig r;

	(void)state;
	usbrig_init(&r);
	usbrig_open(&r, 0);
	assert_int_equal(usbrig_data(&r, 0, BULK_IN, 64, 0), 0);
	assert_int_equal(usbrig_control(&r, 1, 0x80, 6, 0x100, 0, 18), 0);
	fake_libusb_unplug(r.device);
	usbrig_expect(&r, 0, -ESHUTDOWN, 0);
	usbrig_expect(&r, 1, -ESHUTDOWN, 0);
	assert_int_equal(usbrig_data(&r, 0, BULK_IN, 64, 0), -ESHUTDOWN);
	assert_int_equal(usbrig_control(&r, 1, 0x23, 3, 4, 1, 0), 0);
	usbrig_expect(&r, 1, -ESHUTDOWN, 0);
	usbrig_fini(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_statuses),
		cmocka_unit_test(test_submit_errors),
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_short),
		cmocka_unit_test(test_iso_in),
		cmocka_unit_test(test_iso_out),
		cmocka_unit_test(test_iso_bounds),
		cmocka_unit_test(test_iso_grows),
		cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_cancel_call),
		cmocka_unit_test(test_unplugged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
