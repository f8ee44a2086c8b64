/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * relay: a link that is lost, and back. What the phone takes for whole is whole; what was cut it is
 * told of; and between two commands it notices nothing.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <linux/usb/ch9.h>

#include "bridge/relay.h"
#include "tests/unit/relayrig.h"

enum {
	COMMAND = 1,
	DATA = 2,
	RESPONSE = 3
};

#define OPEN_SESSION 0x1002
#define CLOSE_SESSION 0x1003
#define GET_OBJECT 0x1009
#define OK 0x2001
#define ALREADY_OPEN 0x201e
#define REFUSED 0x2002
#define SESSION 0x01020304
#define LARGE 100000 /* bytes of a data container */

/* A container of 16 bytes, with one parameter. */
static void make(uint8_t c[16], uint8_t type, uint16_t code, uint32_t transaction, uint32_t param)
{
	const uint8_t bytes[16] = {16, 0, 0, 0, type, 0, (uint8_t)code, (uint8_t)(code >> 8),
		(uint8_t)transaction, (uint8_t)(transaction >> 8), (uint8_t)(transaction >> 16),
		(uint8_t)(transaction >> 24), (uint8_t)param, (uint8_t)(param >> 8),
		(uint8_t)(param >> 16), (uint8_t)(param >> 24)};

	memcpy(c, bytes, 16);
}

static void send(struct relayrig *r, uint8_t type, uint16_t code, uint32_t param)
{
	uint8_t c[16];

	make(c, type, code, 9, param);
	assert_int_equal(bench_send(&r->bench, RIG_PTP_OUT, c, 16), FAKE_ACK);
	bench_settle(&r->bench);
}

static void answer(struct relayrig *r, uint16_t code)
{
	uint8_t c[16];

	make(c, RESPONSE, code, 9, 0);
	camera_put(r->camera[RIG_PTP_IN], c, 16);
	bench_settle(&r->bench);
}

static void expect_answer(struct relayrig *r, uint16_t code)
{
	uint8_t c[16];

	make(c, RESPONSE, code, 9, 0);
	bench_expect(&r->bench, RIG_PTP_IN, c, 16);
}

/* The camera has got this command, as its `at`-th packet. */
static void expect_command(
	struct relayrig *r, unsigned at, uint16_t code, uint32_t transaction, uint32_t param)
{
	uint8_t c[16];

	make(c, COMMAND, code, transaction, param);
	bench_expect_camera(&r->bench, r->camera[RIG_PTP_OUT], at, c, 16);
}

static void open_rig(struct relayrig *r)
{
	relayrig_open(r, true);
	relayrig_enable(r);
}

static void open_session(struct relayrig *r)
{
	send(r, COMMAND, OPEN_SESSION, SESSION);
	answer(r, OK);
	expect_answer(r, OK);
}

static void lose(struct relayrig *r)
{
	bench_lose(&r->bench);
	relay_hold(r->relay);
	bench_settle(&r->bench);
}

static void come_back(struct relayrig *r)
{
	bench_return(&r->bench);
	relay_go_on(r->relay, r->bench.client);
	bench_settle(&r->bench);
}

/* A whole transaction of the phone's. */
static void transact(struct relayrig *r)
{
	unsigned at = r->camera[RIG_PTP_OUT]->num;

	send(r, COMMAND, GET_OBJECT, at);
	expect_command(r, at, GET_OBJECT, 9, at);
	answer(r, OK);
	expect_answer(r, OK);
}

static void close_rig(struct relayrig *r)
{
	uint8_t event[24];

	transact(r);
	bench_fill(event, sizeof(event), 5);
	camera_put(r->camera[RIG_EVENT], event, sizeof(event));
	bench_expect(&r->bench, RIG_EVENT, event, sizeof(event));
	assert_int_equal(r->failed, 0);
	relayrig_close(r);
}

static unsigned halts(const struct relayrig *r)
{
	unsigned n = 0;

	for (unsigned i = 0; i < RIG_ENDPOINTS; i++)
		n += r->bench.ffs->endpoints[i].halts;
	return n;
}

/* The phone reads until its endpoint is halted, which it then clears; so many packets. */
static unsigned read_to_halt(struct relayrig *r)
{
	enum fake_handshake h;
	uint8_t got[512];
	unsigned n = 0;
	size_t size;

	while ((h = bench_receive(&r->bench, RIG_PTP_IN, got, &size)) == FAKE_ACK)
		n++;
	assert_int_equal(h, FAKE_STALL);
	fake_ffs_clear_halt(r->bench.ffs, RIG_PTP_IN);
	bench_settle(&r->bench);
	return n;
}

/* Between two commands: nothing but time, however often. */
static void test_idle(void **state)
{
	struct relayrig r;

	(void)state;
	open_rig(&r);
	for (unsigned i = 0; i < 3; i++) {
		lose(&r);
		come_back(&r);
		assert_int_equal(r.gone_on, i + 1);
		transact(&r);
	}
	assert_int_equal(halts(&r), 0);
	assert_int_equal(r.bench.camera->unlinks, 0);
	close_rig(&r);
}

/* The session is opened before the phone's next command comes through. */
static void test_session(void **state)
{
	const uint16_t *code = *state;
	struct relayrig r;

	open_rig(&r);
	open_session(&r);
	transact(&r);
	lose(&r);
	send(&r, COMMAND, GET_OBJECT, 77);
	come_back(&r);
	assert_int_equal(r.gone_on, 0);
	expect_command(&r, 2, OPEN_SESSION, 0, SESSION);
	assert_int_equal(r.camera[RIG_PTP_OUT]->num, 3);
	answer(&r, *code);
	if (*code == REFUSED) {
		assert_int_equal(r.failed, 1);
		assert_int_equal(r.gone_on, 0);
		assert_int_equal(r.camera[RIG_PTP_OUT]->num, 3);
		relayrig_close(&r);
		return;
	}
	assert_int_equal(r.gone_on, 1);
	expect_command(&r, 3, GET_OBJECT, 9, 77);
	answer(&r, OK);
	expect_answer(&r, OK);
	assert_int_equal(halts(&r), 0);
	close_rig(&r);
}

/* None is opened that the phone has closed, or was refused, or had in an earlier configuration. */
static void test_no_session(void **state)
{
	const char *why = *state;
	struct relayrig r;
	unsigned taken;

	open_rig(&r);
	if (!strcmp(why, "refused")) {
		send(&r, COMMAND, OPEN_SESSION, SESSION);
		answer(&r, REFUSED);
		expect_answer(&r, REFUSED);
	} else {
		open_session(&r);
	}
	if (!strcmp(why, "closed")) {
		send(&r, COMMAND, CLOSE_SESSION, 0);
		answer(&r, OK);
		expect_answer(&r, OK);
	} else if (!strcmp(why, "configured anew")) {
		relayrig_enable(&r);
	}
	taken = r.camera[RIG_PTP_OUT]->num;
	lose(&r);
	come_back(&r);
	assert_int_equal(r.gone_on, 1);
	assert_int_equal(r.camera[RIG_PTP_OUT]->num, taken);
	close_rig(&r);
}

/* The camera does not answer; or its link is lost again, which is no failure. */
static void test_session_not_answered(void **state)
{
	const bool *lost = *state;
	struct relayrig r;

	open_rig(&r);
	open_session(&r);
	lose(&r);
	come_back(&r);
	assert_int_equal(r.gone_on, 0);
	if (*lost) {
		lose(&r);
		relayrig_wait(&r, 5);
		assert_int_equal(r.failed, 0);
		come_back(&r);
		answer(&r, OK);
		assert_int_equal(r.gone_on, 1);
		close_rig(&r);
		return;
	}
	relayrig_wait(&r, 5);
	bench_settle(&r.bench);
	assert_int_equal(r.failed, 1);
	relayrig_close(&r);
}

/* In a data phase of the camera's: the phone gets what has come, and then a halt. */
static void test_cut_in(void **state)
{
	struct relayrig r;
	uint8_t packet[512];
	unsigned come;

	(void)state;
	open_rig(&r);
	send(&r, COMMAND, GET_OBJECT, 1);
	bench_container(packet, sizeof(packet), DATA, LARGE, 7);
	for (unsigned i = 0; i < 100; i++)
		camera_put(r.camera[RIG_PTP_IN], packet, sizeof(packet));
	bench_settle(&r.bench);
	come = fake_ffs_posted(r.bench.ffs, RIG_PTP_IN);
	assert_true(come > 0);
	lose(&r);
	assert_int_equal(fake_ffs_posted(r.bench.ffs, RIG_PTP_IN), come);
	assert_int_equal(halts(&r), 0);
	come_back(&r);
	/* Three requests of 16 KiB are full. */
	assert_int_equal(read_to_halt(&r), 96);
	assert_int_equal(halts(&r), 1);
	close_rig(&r);
}

/* A server answers out of order, and not all: what has come behind a gap is not for the phone. */
static void test_gap(void **state)
{
	struct relayrig r;
	struct camera *camera;
	struct camera_urb *first;
	uint8_t packet[512];

	(void)state;
	open_rig(&r);
	camera = r.bench.camera;
	send(&r, COMMAND, GET_OBJECT, 1);
	bench_container(packet, sizeof(packet), DATA, LARGE, 7);
	for (unsigned i = 0; i < 64; i++)
		camera_put(r.camera[RIG_PTP_IN], packet, sizeof(packet));
	camera_run(camera);
	first = camera->tx;
	assert_int_equal(first->done, 32 * sizeof(packet));
	camera->tx = first->next;
	assert_null(camera->tx->next);
	camera->tx->next = first;
	first->next = NULL;
	camera->tx_last = &first->next;
	camera->piece = USBIP_HEADER_SIZE + 32 * sizeof(packet);
	camera_send(camera);
	bench_bridge(&r.bench);
	lose(&r);
	camera->piece = 0;
	come_back(&r);
	assert_int_equal(read_to_halt(&r), 0);
	close_rig(&r);
}

/* After the command, before anything has come. */
static void test_cut_command(void **state)
{
	struct relayrig r;

	(void)state;
	open_rig(&r);
	send(&r, COMMAND, GET_OBJECT, 1);
	lose(&r);
	come_back(&r);
	assert_int_equal(read_to_halt(&r), 0);
	close_rig(&r);
}

/* In a data phase of the phone's: it may send the rest, which goes nowhere. */
static void test_cut_out(void **state)
{
	const unsigned *held = *state; /* packets that it sends before the link is back */
	struct relayrig r;
	uint8_t packet[512];
	unsigned taken, rest = 0;

	open_rig(&r);
	send(&r, COMMAND, GET_OBJECT, 1);
	bench_container(packet, sizeof(packet), DATA, 50 * sizeof(packet) + 20, 7);
	for (unsigned i = 0; i < 20; i++)
		assert_int_equal(bench_send(&r.bench, RIG_PTP_OUT, packet, 512), FAKE_ACK);
	bench_settle(&r.bench);
	lose(&r);
	for (; rest < *held; rest++) {
		if (bench_send(&r.bench, RIG_PTP_OUT, packet, 512) == FAKE_NAK)
			break;
	}
	come_back(&r);
	taken = r.camera[RIG_PTP_OUT]->num;
	for (; rest < 30; rest++)
		assert_int_equal(bench_send(&r.bench, RIG_PTP_OUT, packet, 512), FAKE_ACK);
	assert_int_equal(bench_send(&r.bench, RIG_PTP_OUT, packet, 20), FAKE_ACK);
	assert_int_equal(read_to_halt(&r), 0);
	assert_int_equal(r.camera[RIG_PTP_OUT]->num, taken);
	close_rig(&r);
}

/* It gives the rest up instead, and sends a command: while it waits, or afterwards. */
static void test_cut_out_given_up(void **state)
{
	const bool *held = *state;
	struct relayrig r;
	uint8_t packet[512];
	unsigned taken;

	open_rig(&r);
	send(&r, COMMAND, GET_OBJECT, 1);
	bench_container(packet, sizeof(packet), DATA, LARGE, 7);
	for (unsigned i = 0; i < 70; i++)
		assert_int_equal(bench_send(&r.bench, RIG_PTP_OUT, packet, 512), FAKE_ACK);
	bench_settle(&r.bench);
	lose(&r);
	taken = r.camera[RIG_PTP_OUT]->num;
	if (*held)
		send(&r, COMMAND, GET_OBJECT, 3);
	come_back(&r);
	/* One that has begun anew waits for nothing of before. */
	if (!*held) {
		assert_int_equal(read_to_halt(&r), 0);
		send(&r, COMMAND, GET_OBJECT, 3);
	}
	expect_command(&r, taken, GET_OBJECT, 9, 3);
	answer(&r, OK);
	expect_answer(&r, OK);
	assert_int_equal(halts(&r), *held ? 0 : 1);
	close_rig(&r);
}

/* The response had come, and the phone has not taken it yet. */
static void test_complete(void **state)
{
	struct relayrig r;

	(void)state;
	open_rig(&r);
	send(&r, COMMAND, GET_OBJECT, 1);
	answer(&r, OK);
	lose(&r);
	come_back(&r);
	expect_answer(&r, OK);
	assert_int_equal(halts(&r), 0);
	close_rig(&r);
}

/* So it had, behind data that fill their packets. */
static void test_complete_behind_data(void **state)
{
	struct relayrig r;
	uint8_t packet[512];

	(void)state;
	open_rig(&r);
	send(&r, COMMAND, GET_OBJECT, 1);
	bench_container(packet, sizeof(packet), DATA, sizeof(packet), 7);
	camera_put(r.camera[RIG_PTP_IN], packet, sizeof(packet));
	answer(&r, OK);
	lose(&r);
	come_back(&r);
	bench_expect(&r.bench, RIG_PTP_IN, packet, sizeof(packet));
	expect_answer(&r, OK);
	assert_int_equal(halts(&r), 0);
	close_rig(&r);
}

static void request(struct relayrig *r)
{
	const struct usb_ctrlrequest setup = {
		.bRequestType = USB_DIR_IN | USB_TYPE_VENDOR | USB_RECIP_DEVICE, .wLength = 4};

	relay_setup(r->relay, &setup, NULL, 0);
	bench_settle(&r->bench);
}

/* A control request that was on its way is stalled; one that comes meanwhile waits. */
static void test_control(void **state)
{
	struct relayrig r;

	(void)state;
	open_rig(&r);
	r.bench.camera->endpoints[0].blocked = true;
	request(&r);
	assert_int_equal(r.bench.ffs->answers, 0);
	lose(&r);
	assert_int_equal(r.bench.ffs->answers, 1);
	assert_int_equal(r.bench.ffs->answer, EP0_STALL);
	r.bench.camera->endpoints[0].blocked = false;
	request(&r);
	assert_int_equal(r.bench.ffs->answers, 1);
	come_back(&r);
	assert_int_equal(r.bench.ffs->answers, 2);
	assert_int_equal(r.bench.ffs->answer, EP0_DATA);
	close_rig(&r);
}

static void cancel(struct relayrig *r)
{
	const struct usb_ctrlrequest setup = {.bRequestType = USB_TYPE_CLASS | USB_RECIP_INTERFACE,
		.bRequest = 0x64,
		.wLength = 6};
	static const uint8_t data[6] = {0x01, 0x40, 9};

	relay_setup(r->relay, &setup, data, sizeof(data));
	bench_settle(&r->bench);
}

/* The phone cancels while it waits: the camera hears of it, and nothing is halted. */
static void test_cancel(void **state)
{
	struct relayrig r;

	(void)state;
	open_rig(&r);
	send(&r, COMMAND, GET_OBJECT, 1);
	lose(&r);
	cancel(&r);
	assert_int_equal(r.bench.ffs->answers, 0);
	come_back(&r);
	assert_int_equal(r.bench.camera->num_requests, 1);
	assert_int_equal(r.bench.ffs->answer, EP0_ACK);
	assert_int_equal(halts(&r), 0);
	close_rig(&r);
}

/* It has cancelled before: then nothing is cut. */
static void test_after_cancel(void **state)
{
	struct relayrig r;

	(void)state;
	open_rig(&r);
	send(&r, COMMAND, GET_OBJECT, 1);
	cancel(&r);
	relayrig_wait(&r, 0.1);
	bench_settle(&r.bench);
	assert_int_equal(r.bench.ffs->answer, EP0_ACK);
	lose(&r);
	come_back(&r);
	assert_int_equal(halts(&r), 0);
	close_rig(&r);
}

/* The link is lost while the camera is reset for a phone that is back: it needs none any more. */
static void test_reset(void **state)
{
	struct relayrig r;

	(void)state;
	open_rig(&r);
	fake_ffs_disable(r.bench.ffs);
	relay_event(r.relay, FUNCTIONFS_DISABLE);
	bench_settle(&r.bench);
	r.bench.camera->endpoints[0].blocked = true;
	relayrig_enable(&r);
	assert_int_equal(r.bench.camera->endpoints[0].pending, 1);
	lose(&r);
	r.bench.camera->endpoints[0].blocked = false;
	come_back(&r);
	assert_int_equal(r.bench.camera->num_requests, 0);
	close_rig(&r);
}

/* The phone sees a halt that the camera repeats, and stirs while the link is lost. */
static void test_stirs(void **state)
{
	struct relayrig r;

	(void)state;
	open_rig(&r);
	for (unsigned i = 0; i < 2; i++)
		camera_put_error(r.camera[RIG_EVENT], -EPIPE);
	bench_settle(&r.bench);
	assert_int_equal(relay_pipe(r.relay, RIG_EVENT)->state, PIPE_HALTED);
	lose(&r);
	send(&r, COMMAND, GET_OBJECT, 1);
	fake_ffs_clear_halt(r.bench.ffs, RIG_EVENT);
	come_back(&r);
	expect_command(&r, 0, GET_OBJECT, 9, 1);
	answer(&r, OK);
	expect_answer(&r, OK);
	close_rig(&r);
}

/* The phone goes meanwhile, and is back before, or after; the camera has been reset by then. */
static void test_phone_goes(void **state)
{
	const bool *before = *state;
	struct relayrig r;

	open_rig(&r);
	open_session(&r);
	send(&r, COMMAND, GET_OBJECT, 1);
	lose(&r);
	fake_ffs_disable(r.bench.ffs);
	relay_event(r.relay, FUNCTIONFS_DISABLE);
	bench_settle(&r.bench);
	if (*before)
		relayrig_enable(&r);
	come_back(&r);
	assert_int_equal(r.gone_on, 1);
	if (!*before)
		relayrig_enable(&r);
	assert_int_equal(r.bench.camera->num_requests, *before ? 0 : 1); /* the reset */
	assert_int_equal(halts(&r), 0);
	close_rig(&r);
}

/* Lost while the camera's halt is being cleared, and while the phone sees one. */
static void test_halted(void **state)
{
	const bool *clearing = *state;
	struct relayrig r;

	open_rig(&r);
	send(&r, COMMAND, GET_OBJECT, 1);
	if (*clearing)
		r.bench.camera->deaf = true;
	camera_put_error(r.camera[RIG_EVENT], -EPIPE);
	bench_settle(&r.bench);
	lose(&r);
	r.bench.camera->deaf = false;
	come_back(&r);
	assert_int_equal(read_to_halt(&r), 0);
	fake_ffs_clear_halt(r.bench.ffs, RIG_EVENT);
	close_rig(&r);
}

/* A transaction that the phone has seen the end of, by a halt, is not ended by another. */
static void test_halt_seen(void **state)
{
	const bool *out = *state;
	struct relayrig r;

	relayrig_open(&r, false);
	relayrig_enable(&r);
	if (*out) {
		r.camera[RIG_PTP_OUT]->fail = -EPIPE;
		r.camera[RIG_PTP_OUT]->fail_at = 0;
	}
	send(&r, COMMAND, GET_OBJECT, 1);
	if (*out)
		fake_ffs_clear_halt(r.bench.ffs, RIG_PTP_OUT);
	else
		camera_put_error(r.camera[RIG_PTP_IN], -EPIPE);
	bench_settle(&r.bench);
	for (unsigned i = 0; !*out && i < 2; i++)
		relayrig_wait(&r, 1);
	if (!*out)
		assert_int_equal(read_to_halt(&r), 0);
	assert_int_equal(halts(&r), 1);
	bench_settle(&r.bench);
	lose(&r);
	come_back(&r);
	assert_int_equal(halts(&r), 1);
	close_rig(&r);
}

/* The phone's rest of a transfer that the camera has halted is being dropped (halts_late) when the
 * link is lost. Then it goes on with a command, and with its data. */
static void test_halts_late(void **state)
{
	struct relayrig r;
	uint8_t packet[512];
	unsigned taken;

	(void)state;
	open_rig(&r);
	send(&r, COMMAND, GET_OBJECT, 1);
	r.camera[RIG_PTP_OUT]->fail = -EPIPE;
	r.camera[RIG_PTP_OUT]->fail_at = r.camera[RIG_PTP_OUT]->num;
	bench_container(packet, sizeof(packet), DATA, LARGE, 7);
	for (unsigned i = 0; i < 33; i++)
		assert_int_equal(bench_send(&r.bench, RIG_PTP_OUT, packet, 512), FAKE_ACK);
	bench_settle(&r.bench);
	assert_true(relay_pipe(r.relay, RIG_PTP_OUT)->halts_late);
	taken = r.camera[RIG_PTP_OUT]->num;
	lose(&r);
	come_back(&r);
	assert_int_equal(read_to_halt(&r), 0);
	send(&r, COMMAND, GET_OBJECT, 3);
	expect_command(&r, taken, GET_OBJECT, 9, 3);
	bench_container(packet, 100, DATA, 100, 8);
	assert_int_equal(bench_send(&r.bench, RIG_PTP_OUT, packet, 100), FAKE_ACK);
	bench_expect_camera(&r.bench, r.camera[RIG_PTP_OUT], taken + 1, packet, 100);
	answer(&r, OK);
	expect_answer(&r, OK);
	close_rig(&r);
}

/* The phone gives up what it was sending, and sends other data, which fills its packets. */
static void test_cut_out_other_data(void **state)
{
	const bool *held = *state;
	struct relayrig r;
	uint8_t packet[512], other[1024];
	unsigned taken;

	open_rig(&r);
	send(&r, COMMAND, GET_OBJECT, 1);
	bench_container(packet, sizeof(packet), DATA, LARGE, 7);
	for (unsigned i = 0; i < 70; i++)
		assert_int_equal(bench_send(&r.bench, RIG_PTP_OUT, packet, 512), FAKE_ACK);
	bench_settle(&r.bench);
	lose(&r);
	taken = r.camera[RIG_PTP_OUT]->num;
	if (!*held) {
		come_back(&r);
		assert_int_equal(read_to_halt(&r), 0);
	}
	send(&r, COMMAND, GET_OBJECT, 3);
	if (*held)
		come_back(&r);
	expect_command(&r, taken, GET_OBJECT, 9, 3);
	bench_container(other, sizeof(other), DATA, sizeof(other), 8);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(bench_send(&r.bench, RIG_PTP_OUT, other + 512 * i, 512), FAKE_ACK);
		bench_expect_camera(
			&r.bench, r.camera[RIG_PTP_OUT], taken + 1 + i, other + 512 * i, 512);
	}
	answer(&r, OK);
	expect_answer(&r, OK);
	assert_int_equal(halts(&r), *held ? 0 : 1);
	close_rig(&r);
}

/* A command that the phone sent after a halt is not of what is cut, though it is told of only now.
 */
static void test_command_at_hold(void **state)
{
	struct relayrig r;
	uint8_t c[16];

	(void)state;
	open_rig(&r);
	send(&r, COMMAND, GET_OBJECT, 1);
	lose(&r);
	come_back(&r);
	assert_int_equal(read_to_halt(&r), 0);
	send(&r, COMMAND, GET_OBJECT, 2);
	camera_put_error(r.camera[RIG_PTP_IN], -EPROTO);
	bench_settle(&r.bench);
	for (unsigned i = 0; i < 2; i++)
		relayrig_wait(&r, 1);
	assert_int_equal(read_to_halt(&r), 0);
	make(c, COMMAND, GET_OBJECT, 9, 3);
	assert_int_equal(fake_ffs_send(r.bench.ffs, RIG_PTP_OUT, c, 16), FAKE_ACK);
	lose(&r);
	come_back(&r);
	expect_command(&r, 2, GET_OBJECT, 9, 3);
	answer(&r, OK);
	expect_answer(&r, OK);
	assert_int_equal(halts(&r), 2);
	close_rig(&r);
}

/* The phone configures the camera anew in the moment between the loss and the hold. */
static void test_enable_before_hold(void **state)
{
	struct relayrig r;

	(void)state;
	open_rig(&r);
	r.camera[RIG_PTP_IN]->sticky = true;
	for (unsigned i = 0; i < 2; i++)
		camera_put_error(r.camera[RIG_PTP_IN], -EPIPE);
	bench_settle(&r.bench);
	assert_int_equal(relay_pipe(r.relay, RIG_PTP_IN)->state, PIPE_HALTED);
	r.camera[RIG_PTP_IN]->sticky = false;
	bench_lose(&r.bench);
	relay_event(r.relay, FUNCTIONFS_ENABLE);
	bench_settle(&r.bench);
	relay_hold(r.relay);
	bench_settle(&r.bench);
	come_back(&r);
	fake_ffs_clear_halt(r.bench.ffs, RIG_PTP_IN);
	close_rig(&r);
}

/* The phone is reset while its session is being opened again, and expects a camera that has none.
 */
static void test_reset_while_opening(void **state)
{
	struct relayrig r;

	(void)state;
	open_rig(&r);
	open_session(&r);
	lose(&r);
	come_back(&r);
	expect_command(&r, 1, OPEN_SESSION, 0, SESSION);
	fake_ffs_disable(r.bench.ffs);
	relay_event(r.relay, FUNCTIONFS_DISABLE);
	bench_settle(&r.bench);
	relayrig_enable(&r);
	answer(&r, OK);
	assert_int_equal(r.gone_on, 1);
	assert_int_equal(r.bench.camera->num_requests, 1); /* the reset */
	close_rig(&r);
}

/* A halt that the camera has repeated, of which the phone has been told: there is none after the
 * reset, so whatever the phone sends next goes through. */
static void test_repeated_halt(void **state)
{
	struct relayrig r;
	unsigned at;

	(void)state;
	open_rig(&r);
	for (unsigned i = 0; i < 2; i++) {
		at = r.camera[RIG_PTP_OUT]->num;
		r.camera[RIG_PTP_OUT]->fail = -EPIPE;
		r.camera[RIG_PTP_OUT]->fail_at = at;
		send(&r, COMMAND, GET_OBJECT, 1);
		bench_settle(&r.bench);
		/* fills the read that stands */
		if (!r.bench.ffs->endpoints[RIG_PTP_OUT].halted) {
			(void)fake_ffs_send(r.bench.ffs, RIG_PTP_OUT, "", 0);
			bench_settle(&r.bench);
		}
		assert_true(r.bench.ffs->endpoints[RIG_PTP_OUT].halted);
		fake_ffs_clear_halt(r.bench.ffs, RIG_PTP_OUT);
	}
	assert_int_equal(relay_pipe(r.relay, RIG_PTP_OUT)->state, PIPE_HALTED);
	lose(&r);
	come_back(&r);
	close_rig(&r);
}

/* The response has come, and waits for a phone that sleeps. */
static void test_complete_asleep(void **state)
{
	struct relayrig r;
	uint8_t packet[20];

	(void)state;
	open_rig(&r);
	send(&r, COMMAND, GET_OBJECT, 1);
	r.bench.ffs->suspended = true;
	relay_event(r.relay, FUNCTIONFS_SUSPEND);
	bench_container(packet, sizeof(packet), DATA, sizeof(packet), 7);
	camera_put(r.camera[RIG_PTP_IN], packet, sizeof(packet));
	bench_settle(&r.bench);
	answer(&r, OK);
	lose(&r);
	come_back(&r);
	r.bench.ffs->suspended = false;
	relay_event(r.relay, FUNCTIONFS_RESUME);
	bench_settle(&r.bench);
	bench_expect(&r.bench, RIG_PTP_IN, packet, sizeof(packet));
	expect_answer(&r, OK);
	assert_int_equal(halts(&r), 0);
	close_rig(&r);
}

/* Not where the phone has used what nobody here knows the state of. */
static void test_can_hold(void **state)
{
	struct relayrig r;
	uint8_t packet[20];

	(void)state;
	open_rig(&r);
	assert_true(relay_can_hold(r.relay));
	transact(&r);
	assert_true(relay_can_hold(r.relay));
	bench_fill(packet, sizeof(packet), 1);
	camera_put(r.camera[RIG_VENDOR_IN], packet, sizeof(packet));
	bench_expect(&r.bench, RIG_VENDOR_IN, packet, sizeof(packet));
	assert_false(relay_can_hold(r.relay));
	relayrig_close(&r);
}

int main(void)
{
	static uint16_t ok = OK, already = ALREADY_OPEN, refused = REFUSED;
	static char closed[] = "closed", was_refused[] = "refused", anew[] = "configured anew";
	static unsigned none, some = 5, all = 30;
	static bool yes = true, no;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_idle),
		{"session", test_session, NULL, NULL, &ok},
		{"session, which the camera has still", test_session, NULL, NULL, &already},
		{"session, refused", test_session, NULL, NULL, &refused},
		{"session that was closed", test_no_session, NULL, NULL, closed},
		{"session that was refused", test_no_session, NULL, NULL, was_refused},
		{"session of before", test_no_session, NULL, NULL, anew},
		{"session, not answered", test_session_not_answered, NULL, NULL, &no},
		{"session, lost again", test_session_not_answered, NULL, NULL, &yes},
		cmocka_unit_test(test_cut_in),
		cmocka_unit_test(test_gap),
		cmocka_unit_test(test_cut_command),
		{"cut out", test_cut_out, NULL, NULL, &none},
		{"cut out, some sent meanwhile", test_cut_out, NULL, NULL, &some},
		{"cut out, the rest sent meanwhile", test_cut_out, NULL, NULL, &all},
		{"cut out, then a command", test_cut_out_given_up, NULL, NULL, &no},
		{"cut out, a command meanwhile", test_cut_out_given_up, NULL, NULL, &yes},
		cmocka_unit_test(test_complete),
		cmocka_unit_test(test_complete_behind_data),
		cmocka_unit_test(test_control),
		cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_after_cancel),
		cmocka_unit_test(test_reset),
		cmocka_unit_test(test_stirs),
		{"phone goes", test_phone_goes, NULL, NULL, &no},
		{"phone is back before", test_phone_goes, NULL, NULL, &yes},
		{"halted", test_halted, NULL, NULL, &no},
		{"halted, clearing", test_halted, NULL, NULL, &yes},
		{"halt seen", test_halt_seen, NULL, NULL, &no},
		{"halt seen, out", test_halt_seen, NULL, NULL, &yes},
		cmocka_unit_test(test_halts_late),
		{"cut out, other data", test_cut_out_other_data, NULL, NULL, &no},
		{"cut out, other data meanwhile", test_cut_out_other_data, NULL, NULL, &yes},
		cmocka_unit_test(test_command_at_hold),
		cmocka_unit_test(test_enable_before_hold),
		cmocka_unit_test(test_reset_while_opening),
		cmocka_unit_test(test_repeated_halt),
		cmocka_unit_test(test_complete_asleep),
		cmocka_unit_test(test_can_hold),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
