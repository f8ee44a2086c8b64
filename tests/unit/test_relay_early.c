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
#include <ev.h>

#include "bridge/pipe.h"
#include "bridge/relay.h"
#include "tests/unit/relayrig.h"

#define COMMAND 16
#define DATA 100
#define RESPONSE 12

/* The first `size` bytes of a container, in one packet. */
static void send_start(struct relayrig *r, uint16_t type, uint32_t size, uint32_t length)
{
	uint8_t packet[512];

	bench_container(packet, size, type, length, 7);
	assert_int_equal(bench_send(&r->bench, RIG_PTP_OUT, packet, size), FAKE_ACK);
	bench_settle(&r->bench);
}

static void send_container(struct relayrig *r, uint16_t type, uint32_t size)
{
	send_start(r, type, size, size);
}

static void stall(struct relayrig *r)
{
	camera_put_error(r->camera[RIG_PTP_IN], -EPIPE);
	bench_settle(&r->bench);
}

static void put_response(struct relayrig *r)
{
	uint8_t packet[512];

	bench_container(packet, RESPONSE, 3, RESPONSE, 7);
	camera_put(r->camera[RIG_PTP_IN], packet, RESPONSE);
	bench_settle(&r->bench);
}

/* The phone asks for data. */
static void expect(struct relayrig *r, enum fake_handshake handshake)
{
	uint8_t packet[512];
	size_t size;

	assert_int_equal(bench_receive(&r->bench, RIG_PTP_IN, packet, &size), handshake);
	if (handshake == FAKE_ACK)
		assert_int_equal(size, RESPONSE);
}

static enum pipe_state state_of(const struct relayrig *r)
{
	return relay_pipe(r->relay, RIG_PTP_IN)->state;
}

static void open_rig(struct relayrig *r)
{
	relayrig_open(r, true);
	relayrig_enable(r);
}

static void open_and_stall(struct relayrig *r)
{
	open_rig(r);
	send_container(r, 1, COMMAND);
	stall(r);
	assert_int_equal(state_of(r), PIPE_EARLY);
	assert_int_equal(r->camera[RIG_PTP_IN]->clears, 1);
}

/* The phone never sees it, and gets the response to what it has sent. */
static void test_data_follows(void **state)
{
	struct relayrig r;

	(void)state;
	open_and_stall(&r);
	expect(&r, FAKE_NAK);
	send_container(&r, 2, DATA);
	assert_int_equal(state_of(&r), PIPE_RUNNING);
	put_response(&r);
	expect(&r, FAKE_ACK);
	relayrig_close(&r);
}

/* Nothing follows: it was the camera's answer. */
static void test_meant(void **state)
{
	struct relayrig r;

	(void)state;
	open_and_stall(&r);
	relayrig_wait(&r, 1);
	bench_settle(&r.bench);
	expect(&r, FAKE_STALL);
	assert_int_equal(ev_run(r.loop, EVRUN_NOWAIT), 0); /* no timer */
	fake_ffs_clear_halt(r.bench.ffs, RIG_PTP_IN);
	assert_int_equal(state_of(&r), PIPE_RUNNING);
	put_response(&r);
	expect(&r, FAKE_ACK);
	relayrig_close(&r);
}

/* The same of a STALL for one request: the others stand until then, and are given up. */
static void test_meant_once(void **state)
{
	struct relayrig r;

	(void)state;
	open_rig(&r);
	send_container(&r, 1, COMMAND);
	camera_put_error(r.camera[RIG_PTP_IN], -EPROTO); /* the model's that does not last */
	bench_settle(&r.bench);
	assert_int_equal(state_of(&r), PIPE_HALTING);
	expect(&r, FAKE_NAK);
	relayrig_wait(&r, 1);
	bench_settle(&r.bench);
	expect(&r, FAKE_STALL);
	fake_ffs_clear_halt(r.bench.ffs, RIG_PTP_IN);
	put_response(&r);
	expect(&r, FAKE_ACK);
	relayrig_close(&r);
}

/* A phone that comes back has sent no command. */
static void test_forgotten(void **state)
{
	struct relayrig r;

	(void)state;
	open_rig(&r);
	send_container(&r, 1, COMMAND);
	relay_event(r.relay, FUNCTIONFS_DISABLE);
	fake_ffs_disable(r.bench.ffs);
	bench_settle(&r.bench);
	relayrig_enable(&r);
	stall(&r);
	expect(&r, FAKE_STALL);
	relayrig_close(&r);
}

/* Halted again after all has been sent: the phone is told at once. */
static void test_halts_again(void **state)
{
	struct relayrig r;

	(void)state;
	open_and_stall(&r);
	send_container(&r, 2, DATA);
	stall(&r);
	expect(&r, FAKE_STALL);
	relayrig_close(&r);
}

/* The camera has everything when it halts: the phone is told at once. */
static void test_late(void **state)
{
	struct relayrig r;

	(void)state;
	open_rig(&r);
	send_container(&r, 1, COMMAND);
	send_container(&r, 2, DATA);
	stall(&r);
	expect(&r, FAKE_STALL);
	relayrig_close(&r);
}

/* The STALL was for one request, the next got the response: neither is the halt shown nor the
 * response lost. */
static void test_answered_meanwhile(void **state)
{
	uint8_t packet[512];
	struct relayrig r;

	(void)state;
	open_rig(&r);
	send_container(&r, 1, COMMAND);
	camera_put_error(r.camera[RIG_PTP_IN], -EPROTO); /* the model's that does not last */
	bench_container(packet, RESPONSE, 3, RESPONSE, 7);
	camera_put(r.camera[RIG_PTP_IN], packet, RESPONSE);
	bench_settle(&r.bench);
	expect(&r, FAKE_ACK);
	assert_int_equal(state_of(&r), PIPE_RUNNING);
	relayrig_close(&r);
}

/* Told once, a halt without anything in between is believed at once. */
static void test_believed(void **state)
{
	struct relayrig r;

	(void)state;
	open_and_stall(&r);
	relayrig_wait(&r, 1);
	bench_settle(&r.bench);
	expect(&r, FAKE_STALL);
	fake_ffs_clear_halt(r.bench.ffs, RIG_PTP_IN);
	bench_settle(&r.bench);
	stall(&r);
	expect(&r, FAKE_STALL);
	relayrig_close(&r);
}

/* One operation after the other. */
static void test_every_time(void **state)
{
	struct relayrig r;

	(void)state;
	open_and_stall(&r);
	for (unsigned i = 0; i < 3; i++) {
		send_container(&r, 2, DATA);
		put_response(&r);
		expect(&r, FAKE_ACK);
		send_container(&r, 1, COMMAND);
		stall(&r);
		assert_int_equal(state_of(&r), PIPE_EARLY);
	}
	relayrig_close(&r);
}

/* A response is what a command waits for: a halt after it is one. */
static void test_after_response(void **state)
{
	struct relayrig r;

	(void)state;
	open_rig(&r);
	send_container(&r, 1, COMMAND);
	put_response(&r);
	expect(&r, FAKE_ACK);
	stall(&r);
	expect(&r, FAKE_STALL);
	relayrig_close(&r);
}

/* So is data in the request that meets the halt; also after one that was put down to read-ahead. */
static void test_data_and_halt(void **state)
{
	const bool *after_early = *state;
	struct relayrig r;
	uint8_t packet[512];

	open_rig(&r);
	send_container(&r, 1, COMMAND);
	if (*after_early) /* the model's that does not last */
		camera_put_error(r.camera[RIG_PTP_IN], -EPROTO);
	bench_container(packet, sizeof(packet), 2, 5000, 7);
	camera_put(r.camera[RIG_PTP_IN], packet, sizeof(packet));
	stall(&r);
	bench_expect(&r.bench, RIG_PTP_IN, packet, sizeof(packet));
	expect(&r, FAKE_STALL);
	relayrig_close(&r);
}

/* Data in several packets: early until the last, and as long as the phone goes on sending. */
static void test_data_under_way(void **state)
{
	uint8_t rest[488] = {0};
	struct relayrig r;

	(void)state;
	open_rig(&r);
	send_container(&r, 1, COMMAND);
	send_start(&r, 2, 512, 1512);
	stall(&r);
	assert_int_equal(state_of(&r), PIPE_EARLY);
	relayrig_close(&r);

	open_and_stall(&r);
	send_start(&r, 2, 512, 1000);
	assert_int_equal(state_of(&r), PIPE_EARLY);
	relayrig_wait(&r, 1); /* the phone has stirred since the one before */
	bench_settle(&r.bench);
	assert_int_equal(state_of(&r), PIPE_EARLY);
	assert_int_equal(bench_send(&r.bench, RIG_PTP_OUT, rest, sizeof(rest)), FAKE_ACK);
	bench_settle(&r.bench);
	assert_int_equal(state_of(&r), PIPE_RUNNING);
	relayrig_close(&r);
}

/* The camera takes its time with the data. */
static void test_slow(void **state)
{
	struct relayrig r;

	(void)state;
	open_and_stall(&r);
	r.camera[RIG_PTP_OUT]->blocked = true;
	send_container(&r, 2, DATA);
	for (unsigned i = 0; i < 3; i++) {
		relayrig_wait(&r, 1);
		bench_settle(&r.bench);
		assert_int_equal(state_of(&r), PIPE_EARLY);
	}
	r.camera[RIG_PTP_OUT]->blocked = false;
	bench_settle(&r.bench);
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
	relayrig_wait(&r, 1);
	assert_int_equal(state_of(&r), PIPE_STOPPED);
	relayrig_close(&r);
}

int main(void)
{
	static bool flags[] = {false, true};
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_data_follows),
		cmocka_unit_test(test_meant),
		cmocka_unit_test(test_meant_once),
		cmocka_unit_test(test_forgotten),
		cmocka_unit_test(test_halts_again),
		cmocka_unit_test(test_late),
		cmocka_unit_test(test_answered_meanwhile),
		cmocka_unit_test(test_believed),
		cmocka_unit_test(test_every_time),
		cmocka_unit_test(test_after_response),
		{"data and a halt", test_data_and_halt, NULL, NULL, &flags[0]},
		{"data and a halt, after an early one", test_data_and_halt, NULL, NULL, &flags[1]},
		cmocka_unit_test(test_data_under_way),
		cmocka_unit_test(test_slow),
		cmocka_unit_test(test_stopped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
