/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * relay: a class request that ends a transfer. The camera hears of it when it has nothing of that
 * transfer any more, and nothing of that transfer joins the next.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <cmocka.h>

#include <linux/usb/ch9.h>

#include "bridge/pipe.h"
#include "bridge/relay.h"
#include "tests/unit/relayrig.h"

#define CANCEL 0x64
#define RESET 0x66
#define LARGE 100000 /* bytes of a data container */

static void open_rig(struct relayrig *r)
{
	relayrig_open(r, true);
	relayrig_enable(r);
}

static void request(struct relayrig *r, uint8_t type, uint8_t request, uint16_t index)
{
	/* PIMA 15740 over USB 5.2.1: 0x4001 and the transaction */
	static const uint8_t cancel[6] = {0x01, 0x40, 0x01};
	size_t size = request == CANCEL ? sizeof(cancel) : 0;
	struct usb_ctrlrequest setup = {.bRequestType = type,
		.bRequest = request,
		.wIndex = index,
		.wLength = (uint16_t)size};

	relay_setup(r->relay, &setup, cancel, size);
}

static void abort_transfer(struct relayrig *r, uint8_t which)
{
	request(r, USB_TYPE_CLASS | USB_RECIP_INTERFACE, which, 0);
}

/* The time passes that the camera is given for what it is at. */
static void drain(struct relayrig *r)
{
	bench_settle(&r->bench);
	relayrig_wait(r, 0.1);
	bench_settle(&r->bench);
}

static void send_packet(struct relayrig *r, uint16_t type, uint32_t size, uint32_t length)
{
	uint8_t packet[512];

	bench_container(packet, size, type, length, 7);
	assert_int_equal(bench_send(&r->bench, RIG_PTP_OUT, packet, size), FAKE_ACK);
	bench_settle(&r->bench);
}

static void put_data(struct relayrig *r, unsigned packets)
{
	uint8_t packet[512];

	bench_container(packet, sizeof(packet), 2, LARGE, 7);
	while (packets--)
		camera_put(r->camera[RIG_PTP_IN], packet, sizeof(packet));
	bench_settle(&r->bench);
}

/* What the phone has not taken of a container it never sees, neither at its port nor from the
 * camera's requests; what it has not asked to end stays. */
static void test_in(void **state)
{
	const uint8_t *which = *state;
	uint8_t event[20];
	struct relayrig r;

	open_rig(&r);
	send_packet(&r, 1, 16, 16);
	bench_fill(event, sizeof(event), 3);
	camera_put(r.camera[RIG_EVENT], event, sizeof(event));
	put_data(&r, 100);
	assert_true(fake_ffs_posted(r.bench.ffs, RIG_PTP_IN) > 0);
	assert_true(r.camera[RIG_PTP_IN]->pending > 0);
	abort_transfer(&r, *which);
	drain(&r);
	assert_int_equal(fake_ffs_posted(r.bench.ffs, RIG_PTP_IN), 0);
	assert_true(r.bench.camera->unlinks > 1);
	assert_int_equal(r.bench.camera->advances, 0);
	assert_int_equal(r.bench.camera->num_requests, 1);
	assert_int_equal(r.bench.ffs->answer, EP0_ACK);
	bench_expect(&r.bench, RIG_EVENT, event, sizeof(event));
	relayrig_exchange(&r, 50);
	relayrig_close(&r);
}

/* The camera has given back what it was sent, and was asked for, before it hears of the request. */
static void test_order(void **state)
{
	struct relayrig r;
	unsigned taken, asked;

	(void)state;
	open_rig(&r);
	r.camera[RIG_PTP_OUT]->blocked = true;
	send_packet(&r, 1, 16, 16);
	asked = r.camera[RIG_PTP_IN]->pending;
	taken = r.camera[RIG_PTP_OUT]->num;
	assert_int_equal(r.camera[RIG_PTP_OUT]->pending, 1);
	abort_transfer(&r, RESET);
	bench_settle(&r.bench);
	assert_int_equal(r.camera[RIG_PTP_OUT]->pending, 1);
	assert_int_equal(r.camera[RIG_PTP_IN]->pending, asked);
	assert_int_equal(r.bench.camera->num_requests, 0);
	relayrig_wait(&r, 0.1);
	/* The server knows, the bridge does not yet. */
	for (unsigned i = 0; i < 5; i++) {
		bench_bridge(&r.bench);
		camera_receive(r.bench.camera);
		camera_run(r.bench.camera);
	}
	assert_int_equal(r.camera[RIG_PTP_OUT]->pending, 0);
	assert_int_equal(r.camera[RIG_PTP_IN]->pending, 0);
	assert_int_equal(r.bench.camera->num_requests, 0);
	bench_settle(&r.bench);
	assert_int_equal(r.bench.camera->num_requests, 1);
	r.camera[RIG_PTP_OUT]->blocked = false;
	bench_settle(&r.bench);
	assert_int_equal(r.camera[RIG_PTP_OUT]->num, taken);
	relayrig_exchange(&r, 50);
	relayrig_close(&r);
}

/* What the camera is at, and ends by itself in time, is not unlinked, and comes before the request.
 */
static void test_drain(void **state)
{
	const uint8_t *which = *state;
	struct relayrig r;
	uint8_t packet[16];
	unsigned taken;

	open_rig(&r);
	r.camera[RIG_PTP_OUT]->blocked = true;
	taken = r.camera[RIG_PTP_OUT]->num;
	send_packet(&r, 1, 16, 16);
	abort_transfer(&r, *which);
	bench_settle(&r.bench);
	r.camera[RIG_PTP_OUT]->blocked = false;
	put_data(&r, 1);
	camera_put(r.camera[RIG_PTP_IN], NULL, 0);
	bench_settle(&r.bench);
	assert_int_equal(r.bench.camera->unlinks, 0);
	assert_int_equal(r.bench.camera->num_requests, 0);
	drain(&r);
	assert_int_equal(r.bench.camera->num_requests, 1);
	bench_container(packet, 16, 1, 16, 7);
	bench_expect_camera(&r.bench, r.camera[RIG_PTP_OUT], taken, packet, 16);
	relayrig_exchange(&r, 50);
	relayrig_close(&r);
}

/* Where the camera goes on sending, it fills all that it has been asked for: nothing is waited for,
 * or unlinked. */
static void test_filled(void **state)
{
	const uint8_t *which = *state;
	struct relayrig r;

	open_rig(&r);
	send_packet(&r, 1, 16, 16);
	put_data(&r, 100);
	abort_transfer(&r, *which);
	bench_settle(&r.bench);
	assert_true(r.camera[RIG_PTP_IN]->pending > 1);
	assert_int_equal(r.bench.camera->num_requests, 0);
	r.bench.camera->endpoints[0].blocked = true;
	put_data(&r, 4000);
	assert_int_equal(r.camera[RIG_PTP_IN]->pending, 0);
	assert_int_equal(r.bench.camera->unlinks, 0);
	assert_int_equal(r.bench.camera->endpoints[0].pending, 1);
	camera_forget(r.camera[RIG_PTP_IN]);
	r.bench.camera->endpoints[0].blocked = false;
	bench_settle(&r.bench);
	assert_int_equal(r.bench.camera->num_requests, 1);
	relayrig_exchange(&r, 50);
	relayrig_close(&r);
}

/* A read that is filled in part ends with the next command, of which only that goes on; and the
 * reads behind it are not left for data that are shorter. */
static void test_out(void **state)
{
	struct relayrig r;
	uint8_t packet[512];

	(void)state;
	for (unsigned packets = 1; packets < 80; packets++) {
		unsigned taken;

		open_rig(&r);
		send_packet(&r, 1, 16, 16);
		for (unsigned i = 0; i < packets; i++)
			send_packet(&r, 2, 512, LARGE);
		abort_transfer(&r, RESET);
		drain(&r);
		taken = r.camera[RIG_PTP_OUT]->num;
		send_packet(&r, 1, 20, 20);
		bench_container(packet, 20, 1, 20, 7);
		bench_expect_camera(&r.bench, r.camera[RIG_PTP_OUT], taken, packet, 20);
		send_packet(&r, 2, 512, 1024);
		send_packet(&r, 2, 512, 1024);
		assert_int_equal(r.camera[RIG_PTP_OUT]->num, taken + 3);
		relayrig_exchange(&r, 50);
		relayrig_close(&r);
	}
}

/* The phone ends the transfer after all, with a packet that is no command. */
static void test_out_ends(void **state)
{
	struct relayrig r;
	unsigned taken;

	(void)state;
	open_rig(&r);
	send_packet(&r, 1, 16, 16);
	for (unsigned i = 0; i < 20; i++)
		send_packet(&r, 2, 512, LARGE);
	abort_transfer(&r, CANCEL);
	drain(&r);
	taken = r.camera[RIG_PTP_OUT]->num;
	assert_int_equal(bench_send(&r.bench, RIG_PTP_OUT, NULL, 0), FAKE_ACK);
	bench_settle(&r.bench);
	assert_int_equal(r.camera[RIG_PTP_OUT]->num, taken);
	relayrig_exchange(&r, 50);
	relayrig_close(&r);
}

/* Other requests end nothing. */
static void test_others(void **state)
{
	static const struct {
		uint8_t type, request;
		uint16_t index;
	} others[] = {
		{USB_DIR_IN | USB_TYPE_CLASS | USB_RECIP_INTERFACE, 0x67, 0},
		{USB_DIR_IN | USB_TYPE_CLASS | USB_RECIP_INTERFACE, RESET, 0},
		{USB_TYPE_VENDOR | USB_RECIP_INTERFACE, RESET, 0},
		{USB_TYPE_VENDOR | USB_RECIP_INTERFACE, CANCEL, 0},
		{USB_TYPE_CLASS | USB_RECIP_INTERFACE, 0xff, 0},  /* a disk's */
		{USB_TYPE_CLASS | USB_RECIP_INTERFACE, RESET, 1}, /* the vendor's interface */
		{USB_TYPE_CLASS | USB_RECIP_INTERFACE, CANCEL, 1},
	};
	struct relayrig r;

	(void)state;
	open_rig(&r);
	send_packet(&r, 1, 16, 16);
	put_data(&r, 100);
	for (unsigned i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		unsigned posted = fake_ffs_posted(r.bench.ffs, RIG_PTP_IN);

		request(&r, others[i].type, others[i].request, others[i].index);
		bench_settle(&r.bench);
		assert_int_equal(r.bench.camera->unlinks, 0);
		assert_int_equal(fake_ffs_posted(r.bench.ffs, RIG_PTP_IN), posted);
		assert_int_equal(r.bench.camera->num_requests, i + 1);
	}
	relayrig_close(&r);
}

/* The camera refuses: the phone is told, and the pipes go on. */
static void test_refused(void **state)
{
	struct relayrig r;

	(void)state;
	open_rig(&r);
	send_packet(&r, 1, 16, 16);
	put_data(&r, 100);
	camera_forget(r.camera[RIG_PTP_IN]);
	r.bench.camera->answer_status = -EPIPE;
	abort_transfer(&r, RESET);
	drain(&r);
	assert_int_equal(r.bench.ffs->answer, EP0_STALL);
	relayrig_exchange(&r, 50);
	relayrig_close(&r);
}

/* The phone goes, or is configured anew, while the camera's server does not answer. */
static void test_phone_goes(void **state)
{
	const bool *again = *state;
	struct relayrig r;
	unsigned answers;

	open_rig(&r);
	send_packet(&r, 1, 16, 16);
	put_data(&r, 100);
	camera_forget(r.camera[RIG_PTP_IN]);
	r.bench.camera->deaf = true;
	abort_transfer(&r, RESET);
	drain(&r);
	assert_int_equal(r.bench.camera->num_requests, 0);
	fake_ffs_disable(r.bench.ffs);
	if (!*again)
		relay_event(r.relay, FUNCTIONFS_DISABLE);
	fake_ffs_enable(r.bench.ffs);
	relay_event(r.relay, FUNCTIONFS_ENABLE);
	r.bench.camera->deaf = false;
	bench_settle(&r.bench);
	relayrig_exchange(&r, 50);
	/* nor is anything held that it asks for now */
	answers = r.bench.ffs->answers;
	request(&r, USB_TYPE_VENDOR | USB_RECIP_DEVICE, 1, 0);
	bench_settle(&r.bench);
	assert_int_equal(r.bench.ffs->answers, answers + 1);
	assert_int_equal(r.failed, 0);
	relayrig_close(&r);
}

/* Once more, and at rest. */
static void test_again(void **state)
{
	struct relayrig r;

	(void)state;
	open_rig(&r);
	for (unsigned i = 0; i < 20; i++) {
		abort_transfer(&r, RESET);
		drain(&r);
		assert_int_equal(r.bench.ffs->answers, i + 1);
		relayrig_exchange(&r, 50 * i);
	}
	relayrig_close(&r);
}

/* The phone cancels in the middle of a data phase, and sends its next command as soon as it may:
 * what has been read ahead is not the answer to that. */
static void test_cancel(void **state)
{
	const uint8_t *code = *state;
	struct relayrig r;
	uint8_t packet[512], command[12], response[12];

	open_rig(&r);
	bench_container(command, 12, 1, 12, 1);
	assert_int_equal(bench_send(&r.bench, RIG_PTP_OUT, command, 12), FAKE_ACK);
	bench_container(packet, 512, 2, 1 << 20, 2);
	for (unsigned i = 0; i < 200; i++)
		camera_put(r.camera[RIG_PTP_IN], packet, 512);
	bench_expect(&r.bench, RIG_PTP_IN, packet, 512);
	bench_settle(&r.bench);
	assert_true(fake_ffs_posted(r.bench.ffs, RIG_PTP_IN) > 1);

	r.bench.camera->endpoints[0].blocked = true;
	abort_transfer(&r, *code);
	drain(&r);
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
	/* nor does the camera get the command before; and what is told of before a reset has been
	 * answered, the phone had sent before it */
	if (*code == RESET) {
		assert_int_equal(r.camera[RIG_PTP_OUT]->num, 1);
		bench_container(command, 12, 1, 12, 5);
		assert_int_equal(bench_send(&r.bench, RIG_PTP_OUT, command, 12), FAKE_ACK);
		bench_settle(&r.bench);
	}
	bench_expect_camera(&r.bench, r.camera[RIG_PTP_OUT], 1, command, 12);

	bench_container(response, 12, 3, 12, 4);
	camera_put(r.camera[RIG_PTP_IN], response, 12);
	bench_expect(&r.bench, RIG_PTP_IN, response, 12);
	relayrig_exchange(&r, 10);
	relayrig_close(&r);
}

/* After a Cancel the phone sends a command and its data before the camera has answered; where
 * no read stands for the data, it waits. */
static void test_cancel_and_send(void **state)
{
	const bool *sending = *state;
	struct relayrig r;
	uint8_t command[12], data[14];
	unsigned taken;

	open_rig(&r);
	if (*sending) { /* reads that are as long as the data stand */
		send_packet(&r, 1, 16, 16);
		for (unsigned i = 0; i < 40; i++)
			send_packet(&r, 2, 512, LARGE);
	}
	r.bench.camera->endpoints[0].blocked = true;
	abort_transfer(&r, CANCEL);
	drain(&r);
	taken = r.camera[RIG_PTP_OUT]->num;
	bench_container(command, sizeof(command), 1, sizeof(command), 3);
	bench_container(data, sizeof(data), 2, sizeof(data), 4);
	assert_int_equal(bench_send(&r.bench, RIG_PTP_OUT, command, sizeof(command)), FAKE_ACK);
	assert_int_equal(bench_send(&r.bench, RIG_PTP_OUT, data, sizeof(data)),
		*sending ? FAKE_ACK : FAKE_NAK);
	assert_int_equal(r.camera[RIG_PTP_OUT]->num, taken);
	r.bench.camera->endpoints[0].blocked = false;
	bench_settle(&r.bench);
	if (!*sending)
		assert_int_equal(bench_send(&r.bench, RIG_PTP_OUT, data, sizeof(data)), FAKE_ACK);
	bench_settle(&r.bench);
	bench_expect_camera(&r.bench, r.camera[RIG_PTP_OUT], taken, command, sizeof(command));
	bench_expect_camera(&r.bench, r.camera[RIG_PTP_OUT], taken + 1, data, sizeof(data));
	relayrig_exchange(&r, 50);
	relayrig_close(&r);
}

/* The phone goes, and comes back, before the camera has answered. */
static void test_cancel_and_go(void **state)
{
	struct relayrig r;

	(void)state;
	open_rig(&r);
	r.bench.camera->endpoints[0].blocked = true;
	abort_transfer(&r, RESET);
	drain(&r);
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

int main(void)
{
	static uint8_t cancel = CANCEL, reset = RESET;
	static bool yes = true, no;
	const struct CMUnitTest tests[] = {
		{"IN, cancel", test_in, NULL, NULL, &cancel},
		{"IN, reset", test_in, NULL, NULL, &reset},
		cmocka_unit_test(test_order),
		{"drain, cancel", test_drain, NULL, NULL, &cancel},
		{"drain, reset", test_drain, NULL, NULL, &reset},
		{"filled, cancel", test_filled, NULL, NULL, &cancel},
		{"filled, reset", test_filled, NULL, NULL, &reset},
		cmocka_unit_test(test_out),
		cmocka_unit_test(test_out_ends),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_refused),
		{"phone goes", test_phone_goes, NULL, NULL, &no},
		{"phone configures anew", test_phone_goes, NULL, NULL, &yes},
		cmocka_unit_test(test_again),
		{"cancel", test_cancel, NULL, NULL, &cancel},
		{"device reset", test_cancel, NULL, NULL, &reset},
		{"cancel, and send", test_cancel_and_send, NULL, NULL, &no},
		{"cancel while sending, and send", test_cancel_and_send, NULL, NULL, &yes},
		{"cancel, and go", test_cancel_and_go, NULL, NULL, NULL},
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
