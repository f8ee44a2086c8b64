/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * relay: a link that is lost in a transaction, and back. What the phone takes for whole is whole;
 * what was cut it is told of, by one halt; and what it sends next goes through.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <linux/usb/ch9.h>

#include "bridge/relay.h"
#include "tests/unit/ptprig.h"

/* In a data phase of the camera's: the phone gets what has come, and then a halt. */
static void test_cut_in(void **state)
{
	struct relayrig r;
	uint8_t packet[512];
	unsigned come;

	(void)state;
	ptprig_open(&r);
	ptprig_command(&r, PTPRIG_DELETE, 1);
	bench_container(packet, sizeof(packet), PTPRIG_DATA, PTPRIG_LARGE, 7);
	for (unsigned i = 0; i < 100; i++)
		camera_put(r.camera[RIG_PTP_IN], packet, sizeof(packet));
	bench_settle(&r.bench);
	come = fake_ffs_posted(r.bench.ffs, RIG_PTP_IN);
	assert_true(come > 0);
	ptprig_lose(&r);
	assert_int_equal(fake_ffs_posted(r.bench.ffs, RIG_PTP_IN), come);
	assert_int_equal(ptprig_halts(&r), 0);
	ptprig_come_back(&r);
	/* Three requests of 16 KiB are full. */
	assert_int_equal(ptprig_read_to_halt(&r), 96);
	assert_int_equal(ptprig_halts(&r), 1);
	ptprig_close(&r);
}

/* A server answers out of order, and not all: what has come behind a gap is not for the phone. */
static void test_gap(void **state)
{
	struct relayrig r;
	struct camera *camera;
	struct camera_urb *first;
	uint8_t packet[512];

	(void)state;
	ptprig_open(&r);
	camera = r.bench.camera;
	ptprig_command(&r, PTPRIG_DELETE, 1);
	bench_container(packet, sizeof(packet), PTPRIG_DATA, PTPRIG_LARGE, 7);
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
	ptprig_lose(&r);
	camera->piece = 0;
	ptprig_come_back(&r);
	assert_int_equal(ptprig_read_to_halt(&r), 0);
	ptprig_close(&r);
}

/* After the command, before anything has come. */
static void test_cut_command(void **state)
{
	struct relayrig r;

	(void)state;
	ptprig_open(&r);
	ptprig_command(&r, PTPRIG_DELETE, 1);
	ptprig_lose(&r);
	ptprig_come_back(&r);
	assert_int_equal(ptprig_read_to_halt(&r), 0);
	assert_int_equal(r.camera[RIG_PTP_OUT]->num, 1);
	ptprig_close(&r);
}

/* The same of a command that only asks: the camera is asked again, as often as that happens, in the
 * phone's session, and the phone notices nothing. */
static void test_repeated(void **state)
{
	const bool *in_session = *state;
	struct relayrig r;
	unsigned at = 1;

	ptprig_open(&r);
	if (*in_session) {
		ptprig_open_session(&r);
		at++;
	}
	ptprig_command(&r, PTPRIG_GET_OBJECT, 1);
	for (unsigned i = 0; i < 3; i++) {
		ptprig_lose(&r);
		r.gone_on = 0;
		ptprig_come_back(&r);
		if (*in_session) {
			ptprig_expect_command(&r, at++, PTPRIG_OPEN_SESSION, 0, PTPRIG_SESSION);
			assert_int_equal(r.camera[RIG_PTP_OUT]->num, at);
			ptprig_answer(&r, PTPRIG_OK);
		}
		ptprig_expect_command(&r, at++, PTPRIG_GET_OBJECT, PTPRIG_TRANSACTION, 1);
		assert_int_equal(r.camera[RIG_PTP_OUT]->num, at);
		assert_int_equal(r.gone_on, 1);
	}
	ptprig_answer(&r, PTPRIG_OK);
	ptprig_expect_answer(&r, PTPRIG_OK);
	assert_int_equal(ptprig_halts(&r), 0);
	ptprig_close(&r);
}

/* It was put down to read-ahead that the camera halted: it has forgotten that, too. */
static void test_repeated_early(void **state)
{
	struct relayrig r;

	(void)state;
	ptprig_open(&r);
	ptprig_command(&r, PTPRIG_GET_OBJECT, 1);
	camera_put_error(r.camera[RIG_PTP_IN], -EPIPE);
	bench_settle(&r.bench);
	assert_int_equal(relay_pipe(r.relay, RIG_PTP_IN)->state, PIPE_EARLY);
	ptprig_lose(&r);
	ptprig_come_back(&r);
	ptprig_expect_command(&r, 1, PTPRIG_GET_OBJECT, PTPRIG_TRANSACTION, 1);
	relayrig_wait(&r, 1);
	ptprig_answer(&r, PTPRIG_OK);
	ptprig_expect_answer(&r, PTPRIG_OK);
	assert_int_equal(ptprig_halts(&r), 0);
	ptprig_close(&r);
}

/* Not where the phone has given it up meanwhile, and asks for something else. */
static void test_repeated_no_more(void **state)
{
	struct relayrig r;

	(void)state;
	ptprig_open(&r);
	ptprig_command(&r, PTPRIG_GET_OBJECT, 1);
	ptprig_lose(&r);
	ptprig_command(&r, PTPRIG_GET_OBJECT, 2);
	ptprig_come_back(&r);
	ptprig_expect_command(&r, 1, PTPRIG_GET_OBJECT, PTPRIG_TRANSACTION, 2);
	assert_int_equal(r.camera[RIG_PTP_OUT]->num, 2);
	ptprig_answer(&r, PTPRIG_OK);
	ptprig_expect_answer(&r, PTPRIG_OK);
	ptprig_close(&r);
}

/* Nor where the camera does not take it: that is reset once more, and the phone told. */
static void test_repeated_in_vain(void **state)
{
	struct relayrig r;

	(void)state;
	ptprig_open(&r);
	ptprig_command(&r, PTPRIG_GET_OBJECT, 1);
	ptprig_lose(&r);
	r.camera[RIG_PTP_OUT]->fail = -EPIPE;
	r.camera[RIG_PTP_OUT]->fail_at = r.camera[RIG_PTP_OUT]->num;
	ptprig_come_back(&r);
	assert_int_equal(r.gone_on, 0);
	assert_int_equal(r.bench.closed, -ECONNABORTED);
	camera_hang_up(r.bench.camera);
	r.camera[RIG_PTP_OUT]->fail = 0;
	relay_hold(r.relay);
	ptprig_come_back(&r);
	assert_int_equal(ptprig_read_to_halt(&r), 0);
	ptprig_close(&r);
}

/* In a data phase of the phone's: it may send the rest, which goes nowhere. */
static void test_cut_out(void **state)
{
	const unsigned *held = *state; /* packets that it sends before the link is back */
	struct relayrig r;
	uint8_t packet[512];
	unsigned taken, rest = 0;

	ptprig_open(&r);
	ptprig_command(&r, PTPRIG_GET_OBJECT, 1);
	bench_container(packet, sizeof(packet), PTPRIG_DATA, 50 * sizeof(packet) + 20, 7);
	for (unsigned i = 0; i < 20; i++)
		assert_int_equal(bench_send(&r.bench, RIG_PTP_OUT, packet, 512), FAKE_ACK);
	bench_settle(&r.bench);
	ptprig_lose(&r);
	for (; rest < *held; rest++) {
		if (bench_send(&r.bench, RIG_PTP_OUT, packet, 512) == FAKE_NAK)
			break;
	}
	ptprig_come_back(&r);
	taken = r.camera[RIG_PTP_OUT]->num;
	for (; rest < 30; rest++)
		assert_int_equal(bench_send(&r.bench, RIG_PTP_OUT, packet, 512), FAKE_ACK);
	assert_int_equal(bench_send(&r.bench, RIG_PTP_OUT, packet, 20), FAKE_ACK);
	assert_int_equal(ptprig_read_to_halt(&r), 0);
	assert_int_equal(r.camera[RIG_PTP_OUT]->num, taken);
	ptprig_close(&r);
}

/* It gives the rest up instead, and sends a command: while it waits, or afterwards. */
static void test_cut_out_given_up(void **state)
{
	const bool *held = *state;
	struct relayrig r;
	uint8_t packet[512];
	unsigned taken;

	ptprig_open(&r);
	ptprig_command(&r, PTPRIG_GET_OBJECT, 1);
	bench_container(packet, sizeof(packet), PTPRIG_DATA, PTPRIG_LARGE, 7);
	for (unsigned i = 0; i < 70; i++)
		assert_int_equal(bench_send(&r.bench, RIG_PTP_OUT, packet, 512), FAKE_ACK);
	bench_settle(&r.bench);
	ptprig_lose(&r);
	taken = r.camera[RIG_PTP_OUT]->num;
	if (*held)
		ptprig_command(&r, PTPRIG_GET_OBJECT, 3);
	ptprig_come_back(&r);
	/* One that has begun anew waits for nothing of before. */
	if (!*held) {
		assert_int_equal(ptprig_read_to_halt(&r), 0);
		ptprig_command(&r, PTPRIG_GET_OBJECT, 3);
	}
	ptprig_expect_command(&r, taken, PTPRIG_GET_OBJECT, PTPRIG_TRANSACTION, 3);
	ptprig_answer(&r, PTPRIG_OK);
	ptprig_expect_answer(&r, PTPRIG_OK);
	assert_int_equal(ptprig_halts(&r), *held ? 0 : 1);
	ptprig_close(&r);
}

/* The phone gives up what it was sending, and sends other data, which fills its packets. */
static void test_cut_out_other_data(void **state)
{
	const bool *held = *state;
	struct relayrig r;
	uint8_t packet[512], other[1024];
	unsigned taken;

	ptprig_open(&r);
	ptprig_command(&r, PTPRIG_GET_OBJECT, 1);
	bench_container(packet, sizeof(packet), PTPRIG_DATA, PTPRIG_LARGE, 7);
	for (unsigned i = 0; i < 70; i++)
		assert_int_equal(bench_send(&r.bench, RIG_PTP_OUT, packet, 512), FAKE_ACK);
	bench_settle(&r.bench);
	ptprig_lose(&r);
	taken = r.camera[RIG_PTP_OUT]->num;
	if (!*held) {
		ptprig_come_back(&r);
		assert_int_equal(ptprig_read_to_halt(&r), 0);
	}
	ptprig_command(&r, PTPRIG_GET_OBJECT, 3);
	if (*held)
		ptprig_come_back(&r);
	ptprig_expect_command(&r, taken, PTPRIG_GET_OBJECT, PTPRIG_TRANSACTION, 3);
	bench_container(other, sizeof(other), PTPRIG_DATA, sizeof(other), 8);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(bench_send(&r.bench, RIG_PTP_OUT, other + 512 * i, 512), FAKE_ACK);
		bench_expect_camera(
			&r.bench, r.camera[RIG_PTP_OUT], taken + 1 + i, other + 512 * i, 512);
	}
	ptprig_answer(&r, PTPRIG_OK);
	ptprig_expect_answer(&r, PTPRIG_OK);
	assert_int_equal(ptprig_halts(&r), *held ? 0 : 1);
	ptprig_close(&r);
}

/* A command that the phone sent after a halt is not of what is cut, though it is told of only now.
 */
static void test_command_at_hold(void **state)
{
	struct relayrig r;
	uint8_t c[16];

	(void)state;
	ptprig_open(&r);
	ptprig_command(&r, PTPRIG_DELETE, 1);
	ptprig_lose(&r);
	ptprig_come_back(&r);
	assert_int_equal(ptprig_read_to_halt(&r), 0);
	ptprig_command(&r, PTPRIG_GET_OBJECT, 2);
	camera_put_error(r.camera[RIG_PTP_IN], -EPROTO);
	bench_settle(&r.bench);
	for (unsigned i = 0; i < 2; i++)
		relayrig_wait(&r, 1);
	assert_int_equal(ptprig_read_to_halt(&r), 0);
	ptprig_container(c, PTPRIG_COMMAND, PTPRIG_GET_OBJECT, PTPRIG_TRANSACTION, 3);
	assert_int_equal(fake_ffs_send(r.bench.ffs, RIG_PTP_OUT, c, 16), FAKE_ACK);
	ptprig_lose(&r);
	ptprig_come_back(&r);
	ptprig_expect_command(&r, 2, PTPRIG_GET_OBJECT, PTPRIG_TRANSACTION, 3);
	ptprig_answer(&r, PTPRIG_OK);
	ptprig_expect_answer(&r, PTPRIG_OK);
	assert_int_equal(ptprig_halts(&r), 2);
	ptprig_close(&r);
}

/* The response had come, and the phone has not taken it yet. */
static void test_complete(void **state)
{
	struct relayrig r;

	(void)state;
	ptprig_open(&r);
	ptprig_command(&r, PTPRIG_GET_OBJECT, 1);
	ptprig_answer(&r, PTPRIG_OK);
	ptprig_lose(&r);
	ptprig_come_back(&r);
	ptprig_expect_answer(&r, PTPRIG_OK);
	assert_int_equal(ptprig_halts(&r), 0);
	ptprig_close(&r);
}

/* So it had, behind data that fill their packets. */
static void test_complete_behind_data(void **state)
{
	struct relayrig r;
	uint8_t packet[512];

	(void)state;
	ptprig_open(&r);
	ptprig_command(&r, PTPRIG_GET_OBJECT, 1);
	bench_container(packet, sizeof(packet), PTPRIG_DATA, sizeof(packet), 7);
	camera_put(r.camera[RIG_PTP_IN], packet, sizeof(packet));
	ptprig_answer(&r, PTPRIG_OK);
	ptprig_lose(&r);
	ptprig_come_back(&r);
	bench_expect(&r.bench, RIG_PTP_IN, packet, sizeof(packet));
	ptprig_expect_answer(&r, PTPRIG_OK);
	assert_int_equal(ptprig_halts(&r), 0);
	ptprig_close(&r);
}

/* The response has come, and waits for a phone that sleeps. */
static void test_complete_asleep(void **state)
{
	struct relayrig r;
	uint8_t packet[20];

	(void)state;
	ptprig_open(&r);
	ptprig_command(&r, PTPRIG_GET_OBJECT, 1);
	r.bench.ffs->suspended = true;
	relay_event(r.relay, FUNCTIONFS_SUSPEND);
	bench_container(packet, sizeof(packet), PTPRIG_DATA, sizeof(packet), 7);
	camera_put(r.camera[RIG_PTP_IN], packet, sizeof(packet));
	bench_settle(&r.bench);
	ptprig_answer(&r, PTPRIG_OK);
	ptprig_lose(&r);
	ptprig_come_back(&r);
	r.bench.ffs->suspended = false;
	relay_event(r.relay, FUNCTIONFS_RESUME);
	bench_settle(&r.bench);
	bench_expect(&r.bench, RIG_PTP_IN, packet, sizeof(packet));
	ptprig_expect_answer(&r, PTPRIG_OK);
	assert_int_equal(ptprig_halts(&r), 0);
	ptprig_close(&r);
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
	ptprig_command(&r, PTPRIG_GET_OBJECT, 1);
	if (*out)
		fake_ffs_clear_halt(r.bench.ffs, RIG_PTP_OUT);
	else
		camera_put_error(r.camera[RIG_PTP_IN], -EPIPE);
	bench_settle(&r.bench);
	for (unsigned i = 0; !*out && i < 2; i++)
		relayrig_wait(&r, 1);
	if (!*out)
		assert_int_equal(ptprig_read_to_halt(&r), 0);
	assert_int_equal(ptprig_halts(&r), 1);
	bench_settle(&r.bench);
	ptprig_lose(&r);
	ptprig_come_back(&r);
	assert_int_equal(ptprig_halts(&r), 1);
	ptprig_close(&r);
}

/* The phone's rest of a transfer that the camera has halted is being dropped (halts_late) when the
 * link is lost. Then it goes on with a command, and with its data. */
static void test_halts_late(void **state)
{
	struct relayrig r;
	uint8_t packet[512];
	unsigned taken;

	(void)state;
	ptprig_open(&r);
	ptprig_command(&r, PTPRIG_GET_OBJECT, 1);
	r.camera[RIG_PTP_OUT]->fail = -EPIPE;
	r.camera[RIG_PTP_OUT]->fail_at = r.camera[RIG_PTP_OUT]->num;
	bench_container(packet, sizeof(packet), PTPRIG_DATA, PTPRIG_LARGE, 7);
	for (unsigned i = 0; i < 33; i++)
		assert_int_equal(bench_send(&r.bench, RIG_PTP_OUT, packet, 512), FAKE_ACK);
	bench_settle(&r.bench);
	assert_true(relay_pipe(r.relay, RIG_PTP_OUT)->halts_late);
	taken = r.camera[RIG_PTP_OUT]->num;
	ptprig_lose(&r);
	ptprig_come_back(&r);
	assert_int_equal(ptprig_read_to_halt(&r), 0);
	ptprig_command(&r, PTPRIG_GET_OBJECT, 3);
	ptprig_expect_command(&r, taken, PTPRIG_GET_OBJECT, PTPRIG_TRANSACTION, 3);
	bench_container(packet, 100, PTPRIG_DATA, 100, 8);
	assert_int_equal(bench_send(&r.bench, RIG_PTP_OUT, packet, 100), FAKE_ACK);
	bench_expect_camera(&r.bench, r.camera[RIG_PTP_OUT], taken + 1, packet, 100);
	ptprig_answer(&r, PTPRIG_OK);
	ptprig_expect_answer(&r, PTPRIG_OK);
	ptprig_close(&r);
}

static void cancel(struct relayrig *r)
{
	const struct usb_ctrlrequest setup = {.bRequestType = USB_TYPE_CLASS | USB_RECIP_INTERFACE,
		.bRequest = 0x64,
		.wLength = 6};
	static const uint8_t data[6] = {0x01, 0x40, PTPRIG_TRANSACTION};

	relay_setup(r->relay, &setup, data, sizeof(data));
	bench_settle(&r->bench);
}

/* The phone cancels while it waits: the camera hears of it, and nothing is halted. */
static void test_cancel(void **state)
{
	struct relayrig r;

	(void)state;
	ptprig_open(&r);
	ptprig_command(&r, PTPRIG_GET_OBJECT, 1);
	ptprig_lose(&r);
	cancel(&r);
	assert_int_equal(r.bench.ffs->answers, 0);
	ptprig_come_back(&r);
	assert_int_equal(r.bench.camera->num_requests, 1);
	assert_int_equal(r.bench.ffs->answer, EP0_ACK);
	assert_int_equal(ptprig_halts(&r), 0);
	ptprig_close(&r);
}

/* It has cancelled before: then nothing is cut. */
static void test_after_cancel(void **state)
{
	struct relayrig r;

	(void)state;
	ptprig_open(&r);
	ptprig_command(&r, PTPRIG_GET_OBJECT, 1);
	cancel(&r);
	relayrig_wait(&r, 0.1);
	bench_settle(&r.bench);
	assert_int_equal(r.bench.ffs->answer, EP0_ACK);
	ptprig_lose(&r);
	ptprig_come_back(&r);
	assert_int_equal(ptprig_halts(&r), 0);
	ptprig_close(&r);
}

int main(void)
{
	static unsigned none, some = 5, all = 30;
	static bool yes = true, no;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cut_in),
		cmocka_unit_test(test_gap),
		cmocka_unit_test(test_cut_command),
		{"repeated", test_repeated, NULL, NULL, &no},
		{"repeated, in a session", test_repeated, NULL, NULL, &yes},
		cmocka_unit_test(test_repeated_early),
		cmocka_unit_test(test_repeated_no_more),
		cmocka_unit_test(test_repeated_in_vain),
		{"cut out", test_cut_out, NULL, NULL, &none},
		{"cut out, some sent meanwhile", test_cut_out, NULL, NULL, &some},
		{"cut out, the rest sent meanwhile", test_cut_out, NULL, NULL, &all},
		{"cut out, then a command", test_cut_out_given_up, NULL, NULL, &no},
		{"cut out, a command meanwhile", test_cut_out_given_up, NULL, NULL, &yes},
		{"cut out, other data", test_cut_out_other_data, NULL, NULL, &no},
		{"cut out, other data meanwhile", test_cut_out_other_data, NULL, NULL, &yes},
		cmocka_unit_test(test_command_at_hold),
		cmocka_unit_test(test_complete),
		cmocka_unit_test(test_complete_behind_data),
		cmocka_unit_test(test_complete_asleep),
		{"halt seen", test_halt_seen, NULL, NULL, &no},
		{"halt seen, out", test_halt_seen, NULL, NULL, &yes},
		cmocka_unit_test(test_halts_late),
		cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_after_cancel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
