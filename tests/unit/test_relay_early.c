/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * relay: a camera that STALLs an IN token while it waits for a command's data, as read-ahead
 * brings about.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <errno.h>
#include <string.h>

#include <cmocka.h>

#include "bridge/pipe.h"
#include "bridge/relay.h"
#include "tests/unit/relayrig.h"

#define COMMAND 16
#define DATA 100
#define RESPONSE 12

static void send_container(struct relayrig *r, uint16_t type, uint32_t size)
{
	uint8_t packet[512];

	bench_container(packet, size, type, size, 7);
	assert_int_equal(bench_send(&r->bench, RIG_PTP_OUT, packet, size), FAKE_ACK);
	bench_settle(&r->bench);
}

static void put_response(struct relayrig *r)
{
	uint8_t packet[512];

	bench_container(packet, RESPONSE, 3, RESPONSE, 7);
	camera_put(r->camera[RIG_PTP_IN], packet, RESPONSE);
	bench_settle(&r->bench);
}

static enum fake_handshake ask(struct relayrig *r, size_t *size)
{
	uint8_t packet[512];

	return bench_receive(&r->bench, RIG_PTP_IN, packet, size);
}

static enum pipe_state state_of(const struct relayrig *r)
{
	return relay_pipe(r->relay, RIG_PTP_IN)->state;
}

static void open_and_stall(struct relayrig *r)
{
	relayrig_open(r, true);
	relayrig_enable(r);
	send_container(r, 1, COMMAND);
	camera_put_error(r->camera[RIG_PTP_IN], -EPIPE);
	bench_settle(&r->bench);
	assert_int_equal(state_of(r), PIPE_EARLY);
	assert_int_equal(r->camera[RIG_PTP_IN]->clears, 1);
}

/* The phone never sees it, and gets the response to what it has sent. */
static void test_data_follows(void **state)
{
	struct relayrig r;
	size_t size;

	(void)state;
	open_and_stall(&r);
	assert_int_equal(ask(&r, &size), FAKE_NAK);
	send_container(&r, 2, DATA);
	assert_int_equal(state_of(&r), PIPE_RUNNING);
	put_response(&r);
	assert_int_equal(ask(&r, &size), FAKE_ACK);
	assert_int_equal(size, RESPONSE);
	relayrig_close(&r);
}

/* Nothing follows: it was the camera's answer. */
static void test_meant(void **state)
{
	struct relayrig r;
	size_t size;

	(void)state;
	open_and_stall(&r);
	relayrig_tick(&r);
	bench_settle(&r.bench);
	assert_int_equal(ask(&r, &size), FAKE_STALL);
	fake_ffs_clear_halt(r.bench.ffs, RIG_PTP_IN);
	assert_int_equal(state_of(&r), PIPE_RUNNING);
	put_response(&r);
	assert_int_equal(ask(&r, &size), FAKE_ACK);
	relayrig_close(&r);
}

/* Halted again after all has been sent: the phone is told at once. */
static void test_halts_again(void **state)
{
	struct relayrig r;
	size_t size;

	(void)state;
	open_and_stall(&r);
	send_container(&r, 2, DATA);
	camera_put_error(r.camera[RIG_PTP_IN], -EPIPE);
	bench_settle(&r.bench);
	assert_int_equal(ask(&r, &size), FAKE_STALL);
	relayrig_close(&r);
}

/* The camera has everything when it halts: the phone is told at once. */
static void test_late(void **state)
{
	struct relayrig r;
	size_t size;

	(void)state;
	relayrig_open(&r, true);
	relayrig_enable(&r);
	send_container(&r, 1, COMMAND);
	send_container(&r, 2, DATA);
	camera_put_error(r.camera[RIG_PTP_IN], -EPIPE);
	bench_settle(&r.bench);
	assert_int_equal(ask(&r, &size), FAKE_STALL);
	relayrig_close(&r);
}

/* The STALL was for one request, the next got the response: neither is the halt shown nor the
 * response lost. */
static void test_answered_meanwhile(void **state)
{
	uint8_t packet[512];
	struct relayrig r;
	size_t size;

	(void)state;
	relayrig_open(&r, true);
	relayrig_enable(&r);
	send_container(&r, 1, COMMAND);
	camera_put_error(r.camera[RIG_PTP_IN], -EPROTO); /* the model's that does not last */
	bench_container(packet, RESPONSE, 3, RESPONSE, 7);
	camera_put(r.camera[RIG_PTP_IN], packet, RESPONSE);
	bench_settle(&r.bench);
	assert_int_equal(ask(&r, &size), FAKE_ACK);
	assert_int_equal(size, RESPONSE);
	assert_int_equal(state_of(&r), PIPE_RUNNING);
	relayrig_close(&r);
}

/* The phone goes away meanwhile. */
static void test_stopped(void **state)
{
	struct relayrig r;

	(void)state;
	open_and_stall(&r);
	relay_stop(r.relay);
	bench_settle(&r.bench);
	assert_int_equal(state_of(&r), PIPE_STOPPED);
	relayrig_tick(&r);
	assert_int_equal(state_of(&r), PIPE_STOPPED);
	relayrig_close(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_data_follows),
		cmocka_unit_test(test_meant),
		cmocka_unit_test(test_halts_again),
		cmocka_unit_test(test_late),
		cmocka_unit_test(test_answered_meanwhile),
		cmocka_unit_test(test_stopped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
