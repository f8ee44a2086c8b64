/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * relay: a link that is lost, and back. Between two commands the phone notices nothing; its session
 * is opened again; and it may come, go and be halted meanwhile.
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
#include "tests/unit/ptprig.h"

/* Between two commands: nothing but time, however often. */
static void test_idle(void **state)
{
	struct relayrig r;

	(void)state;
	ptprig_open(&r);
	for (unsigned i = 0; i < 3; i++) {
		ptprig_lose(&r);
		ptprig_come_back(&r);
		assert_int_equal(r.gone_on, i + 1);
		ptprig_transact(&r);
	}
	assert_int_equal(ptprig_halts(&r), 0);
	assert_int_equal(r.bench.camera->unlinks, 0);
	ptprig_close(&r);
}

/* The session is opened before the phone's next command comes through. */
static void test_session(void **state)
{
	const uint16_t *code = *state;
	struct relayrig r;

	ptprig_open(&r);
	ptprig_open_session(&r);
	ptprig_transact(&r);
	ptprig_lose(&r);
	ptprig_command(&r, PTPRIG_GET_OBJECT, 77);
	ptprig_come_back(&r);
	assert_int_equal(r.gone_on, 0);
	ptprig_expect_command(&r, 2, PTPRIG_OPEN_SESSION, 0, PTPRIG_SESSION);
	assert_int_equal(r.camera[RIG_PTP_OUT]->num, 3);
	ptprig_answer(&r, *code);
	if (*code == PTPRIG_REFUSED) {
		assert_int_equal(r.failed, 1);
		assert_int_equal(r.gone_on, 0);
		assert_int_equal(r.camera[RIG_PTP_OUT]->num, 3);
		relayrig_close(&r);
		return;
	}
	assert_int_equal(r.gone_on, 1);
	ptprig_expect_command(&r, 3, PTPRIG_GET_OBJECT, PTPRIG_TRANSACTION, 77);
	ptprig_answer(&r, PTPRIG_OK);
	ptprig_expect_answer(&r, PTPRIG_OK);
	assert_int_equal(ptprig_halts(&r), 0);
	ptprig_close(&r);
}

/* None is opened that the phone has closed, or was refused, or had in an earlier configuration. */
static void test_no_session(void **state)
{
	const char *why = *state;
	struct relayrig r;
	unsigned taken;

	ptprig_open(&r);
	if (!strcmp(why, "refused")) {
		ptprig_command(&r, PTPRIG_OPEN_SESSION, PTPRIG_SESSION);
		ptprig_answer(&r, PTPRIG_REFUSED);
		ptprig_expect_answer(&r, PTPRIG_REFUSED);
	} else {
		ptprig_open_session(&r);
	}
	if (!strcmp(why, "closed")) {
		ptprig_command(&r, PTPRIG_CLOSE_SESSION, 0);
		ptprig_answer(&r, PTPRIG_OK);
		ptprig_expect_answer(&r, PTPRIG_OK);
	} else if (!strcmp(why, "configured anew")) {
		relayrig_enable(&r);
	}
	taken = r.camera[RIG_PTP_OUT]->num;
	ptprig_lose(&r);
	ptprig_come_back(&r);
	assert_int_equal(r.gone_on, 1);
	assert_int_equal(r.camera[RIG_PTP_OUT]->num, taken);
	ptprig_close(&r);
}

/* The camera does not answer; or its link is lost again, which is no failure. */
static void test_session_not_answered(void **state)
{
	const bool *lost = *state;
	struct relayrig r;

	ptprig_open(&r);
	ptprig_open_session(&r);
	ptprig_lose(&r);
	ptprig_come_back(&r);
	assert_int_equal(r.gone_on, 0);
	if (*lost) {
		ptprig_lose(&r);
		relayrig_wait(&r, 5);
		assert_int_equal(r.failed, 0);
		ptprig_come_back(&r);
		ptprig_answer(&r, PTPRIG_OK);
		assert_int_equal(r.gone_on, 1);
		ptprig_close(&r);
		return;
	}
	relayrig_wait(&r, 5);
	bench_settle(&r.bench);
	assert_int_equal(r.failed, 1);
	relayrig_close(&r);
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
	ptprig_open(&r);
	r.bench.camera->endpoints[0].blocked = true;
	request(&r);
	assert_int_equal(r.bench.ffs->answers, 0);
	ptprig_lose(&r);
	assert_int_equal(r.bench.ffs->answers, 1);
	assert_int_equal(r.bench.ffs->answer, EP0_STALL);
	r.bench.camera->endpoints[0].blocked = false;
	request(&r);
	assert_int_equal(r.bench.ffs->answers, 1);
	ptprig_come_back(&r);
	assert_int_equal(r.bench.ffs->answers, 2);
	assert_int_equal(r.bench.ffs->answer, EP0_DATA);
	ptprig_close(&r);
}

/* The link is lost while the camera is reset for a phone that is back: it needs none any more. */
static void test_reset(void **state)
{
	struct relayrig r;

	(void)state;
	ptprig_open(&r);
	fake_ffs_disable(r.bench.ffs);
	relay_event(r.relay, FUNCTIONFS_DISABLE);
	bench_settle(&r.bench);
	r.bench.camera->endpoints[0].blocked = true;
	relayrig_enable(&r);
	assert_int_equal(r.bench.camera->endpoints[0].pending, 1);
	ptprig_lose(&r);
	r.bench.camera->endpoints[0].blocked = false;
	ptprig_come_back(&r);
	assert_int_equal(r.bench.camera->num_requests, 0);
	ptprig_close(&r);
}

/* The phone sees a halt that the camera repeats, and stirs while the link is lost. */
static void test_stirs(void **state)
{
	struct relayrig r;

	(void)state;
	ptprig_open(&r);
	for (unsigned i = 0; i < 2; i++)
		camera_put_error(r.camera[RIG_EVENT], -EPIPE);
	bench_settle(&r.bench);
	assert_int_equal(relay_pipe(r.relay, RIG_EVENT)->state, PIPE_HALTED);
	ptprig_lose(&r);
	ptprig_command(&r, PTPRIG_GET_OBJECT, 1);
	fake_ffs_clear_halt(r.bench.ffs, RIG_EVENT);
	ptprig_come_back(&r);
	ptprig_expect_command(&r, 0, PTPRIG_GET_OBJECT, PTPRIG_TRANSACTION, 1);
	ptprig_answer(&r, PTPRIG_OK);
	ptprig_expect_answer(&r, PTPRIG_OK);
	ptprig_close(&r);
}

/* The phone goes meanwhile, and is back before, or after; the camera has been reset by then. */
static void test_phone_goes(void **state)
{
	const bool *before = *state;
	struct relayrig r;

	ptprig_open(&r);
	ptprig_open_session(&r);
	ptprig_command(&r, PTPRIG_GET_OBJECT, 1);
	ptprig_lose(&r);
	fake_ffs_disable(r.bench.ffs);
	relay_event(r.relay, FUNCTIONFS_DISABLE);
	bench_settle(&r.bench);
	if (*before)
		relayrig_enable(&r);
	ptprig_come_back(&r);
	assert_int_equal(r.gone_on, 1);
	if (!*before)
		relayrig_enable(&r);
	assert_int_equal(r.bench.camera->num_requests, *before ? 0 : 1); /* the reset */
	assert_int_equal(ptprig_halts(&r), 0);
	ptprig_close(&r);
}

/* Lost while the camera's halt is being cleared, and while the phone sees one. */
static void test_halted(void **state)
{
	const bool *clearing = *state;
	struct relayrig r;

	ptprig_open(&r);
	ptprig_command(&r, PTPRIG_DELETE, 1);
	if (*clearing)
		r.bench.camera->deaf = true;
	camera_put_error(r.camera[RIG_EVENT], -EPIPE);
	bench_settle(&r.bench);
	ptprig_lose(&r);
	r.bench.camera->deaf = false;
	ptprig_come_back(&r);
	assert_int_equal(ptprig_read_to_halt(&r), 0);
	fake_ffs_clear_halt(r.bench.ffs, RIG_EVENT);
	ptprig_close(&r);
}

/* The phone configures the camera anew in the moment between the loss and the hold. */
static void test_enable_before_hold(void **state)
{
	struct relayrig r;

	(void)state;
	ptprig_open(&r);
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
	ptprig_come_back(&r);
	fake_ffs_clear_halt(r.bench.ffs, RIG_PTP_IN);
	ptprig_close(&r);
}

/* The phone is reset while its session is being opened again, and expects a camera that has none.
 */
static void test_reset_while_opening(void **state)
{
	struct relayrig r;

	(void)state;
	ptprig_open(&r);
	ptprig_open_session(&r);
	ptprig_lose(&r);
	ptprig_come_back(&r);
	ptprig_expect_command(&r, 1, PTPRIG_OPEN_SESSION, 0, PTPRIG_SESSION);
	fake_ffs_disable(r.bench.ffs);
	relay_event(r.relay, FUNCTIONFS_DISABLE);
	bench_settle(&r.bench);
	relayrig_enable(&r);
	ptprig_answer(&r, PTPRIG_OK);
	assert_int_equal(r.gone_on, 1);
	assert_int_equal(r.bench.camera->num_requests, 1); /* the reset */
	ptprig_close(&r);
}

/* A halt that the camera has repeated, of which the phone has been told: there is none after the
 * reset, so whatever the phone sends next goes through. */
static void test_repeated_halt(void **state)
{
	struct relayrig r;
	unsigned at;

	(void)state;
	ptprig_open(&r);
	for (unsigned i = 0; i < 2; i++) {
		at = r.camera[RIG_PTP_OUT]->num;
		r.camera[RIG_PTP_OUT]->fail = -EPIPE;
		r.camera[RIG_PTP_OUT]->fail_at = at;
		ptprig_command(&r, PTPRIG_GET_OBJECT, 1);
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
	ptprig_lose(&r);
	ptprig_come_back(&r);
	ptprig_close(&r);
}

/* Not where the phone has used what nobody here knows the state of. */
static void test_can_hold(void **state)
{
	struct relayrig r;
	uint8_t packet[20];

	(void)state;
	ptprig_open(&r);
	assert_true(relay_can_hold(r.relay));
	ptprig_transact(&r);
	assert_true(relay_can_hold(r.relay));
	bench_fill(packet, sizeof(packet), 1);
	camera_put(r.camera[RIG_VENDOR_IN], packet, sizeof(packet));
	bench_expect(&r.bench, RIG_VENDOR_IN, packet, sizeof(packet));
	assert_false(relay_can_hold(r.relay));
	relayrig_close(&r);
}

int main(void)
{
	static uint16_t ok = PTPRIG_OK, already = PTPRIG_ALREADY_OPEN, refused = PTPRIG_REFUSED;
	static char closed[] = "closed", was_refused[] = "refused", anew[] = "configured anew";
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
		cmocka_unit_test(test_control),
		cmocka_unit_test(test_reset),
		cmocka_unit_test(test_stirs),
		{"phone goes", test_phone_goes, NULL, NULL, &no},
		{"phone is back before", test_phone_goes, NULL, NULL, &yes},
		{"halted", test_halted, NULL, NULL, &no},
		{"halted, clearing", test_halted, NULL, NULL, &yes},
		cmocka_unit_test(test_enable_before_hold),
		cmocka_unit_test(test_reset_while_opening),
		cmocka_unit_test(test_repeated_halt),
		cmocka_unit_test(test_can_hold),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
