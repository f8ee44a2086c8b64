/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * relay: a link that is lost in the middle of an answer, and back. The camera is asked again, what
 * the phone has had of the answer is skipped, and the phone gets the rest: each byte once, or a
 * halt.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "bridge/relay.h"
#include "tests/unit/ptprig.h"

/* A camera's answer: a data container of `length` bytes, then a response. */
struct answer {
	enum ptprig_code code;
	uint32_t length, id;
	bool ends_empty; /* a zero-length packet follows a full one */
};

static const struct answer object = {PTPRIG_GET_OBJECT, 100000, 7, false};

static unsigned packets_of(const struct answer *a)
{
	return a->length / 512 + (a->length % 512 || a->ends_empty);
}

static uint32_t packet_of(const struct answer *a, unsigned at, uint8_t packet[512])
{
	uint32_t left = a->length - at * 512, size = left < 512 ? left : 512;

	if (at)
		bench_fill(packet, size, a->id * 1000 + at);
	else
		bench_container(packet, size, PTPRIG_DATA, a->length, a->id);
	return size;
}

/* The camera has packets from..to (excluded) of it to give. */
static void put(struct relayrig *r, const struct answer *a, unsigned from, unsigned to)
{
	uint8_t packet[512];

	for (unsigned i = from; i < to; i++)
		camera_put(r->camera[RIG_PTP_IN], packet, packet_of(a, i, packet));
}

/* The phone gets them. */
static void expect(struct relayrig *r, const struct answer *a, unsigned from, unsigned to)
{
	uint8_t packet[512];

	for (unsigned i = from; i < to; i++) {
		uint32_t size = packet_of(a, i, packet);

		bench_expect(&r->bench, RIG_PTP_IN, packet, size);
	}
}

/* Commands so far, at the camera. */
static unsigned commands(const struct relayrig *r)
{
	return r->camera[RIG_PTP_OUT]->num;
}

/* The phone has asked for it, and `come` packets have come to it or to the bridge; the link is
 * lost. */
static void lose_in(struct relayrig *r, const struct answer *a, unsigned come)
{
	ptprig_command(r, a->code, 1);
	put(r, a, 0, come);
	bench_settle(&r->bench);
	ptprig_lose(r);
}

/* The bridge has given the session up, and takes the camera over anew. */
static void again(struct relayrig *r)
{
	bench_settle(&r->bench);
	assert_int_equal(r->bench.closed, -ECONNABORTED);
	camera_hang_up(r->bench.camera);
	r->bench.camera->deaf = false;
	r->camera[RIG_PTP_OUT]->blocked = false;
	r->camera[RIG_PTP_OUT]->fail = 0;
	relay_hold(r->relay);
	bench_settle(&r->bench);
	ptprig_come_back(r);
}

/* The phone gets `had` packets, then a halt, and goes on; the camera was not asked a second time.
 */
static void expect_cut(struct relayrig *r, const struct answer *a, unsigned had, unsigned asked)
{
	expect(r, a, 0, had);
	assert_int_equal(ptprig_read_to_halt(r), 0);
	assert_int_equal(ptprig_halts(r), 1);
	assert_int_equal(commands(r), asked);
	ptprig_close(r);
}

/* ---- it is the same ---- */

struct cut {
	struct answer answer;
	unsigned come; /* packets; those that are whole requests are had */
	unsigned had;
};

static void test_resumed(void **state)
{
	const struct cut *c = *state;
	unsigned all = packets_of(&c->answer);
	struct relayrig r;

	ptprig_open(&r);
	ptprig_open_session(&r);
	lose_in(&r, &c->answer, c->come);
	expect(&r, &c->answer, 0, c->had / 2);
	ptprig_come_back(&r);
	ptprig_expect_command(&r, 2, PTPRIG_OPEN_SESSION, 0, PTPRIG_SESSION);
	ptprig_answer(&r, PTPRIG_OK);
	ptprig_expect_command(&r, 3, c->answer.code, PTPRIG_TRANSACTION, 1);
	assert_int_equal(r.gone_on, 0);
	put(&r, &c->answer, 0, all);
	ptprig_answer(&r, PTPRIG_OK);
	assert_int_equal(r.gone_on, 1);
	expect(&r, &c->answer, c->had / 2, all);
	ptprig_expect_answer(&r, PTPRIG_OK);
	assert_int_equal(commands(&r), 4);
	assert_int_equal(ptprig_halts(&r), 0);
	ptprig_close(&r);
}

/* As often as that happens, also while it is skipped. */
static void test_again_and_again(void **state)
{
	struct relayrig r;
	unsigned all = packets_of(&object), had = 64;

	(void)state;
	ptprig_open(&r);
	lose_in(&r, &object, had);
	for (unsigned i = 0; i < 3; i++) {
		expect(&r, &object, i ? had - 32 : 0, had);
		ptprig_come_back(&r);
		put(&r, &object, 0, 10);
		bench_settle(&r.bench);
		ptprig_lose(&r);
		ptprig_come_back(&r);
		assert_int_equal(commands(&r), 3 + 2 * i);
		/* A request more than it had. */
		put(&r, &object, 0, had + 32);
		bench_settle(&r.bench);
		had += 32;
		ptprig_lose(&r);
	}
	ptprig_come_back(&r);
	put(&r, &object, 0, all);
	ptprig_answer(&r, PTPRIG_OK);
	expect(&r, &object, had - 32, all);
	ptprig_expect_answer(&r, PTPRIG_OK);
	assert_int_equal(ptprig_halts(&r), 0);
	ptprig_close(&r);
}

/* But three times at most at the same place, as that may be what the link is lost of. */
static void test_in_vain(void **state)
{
	const unsigned *come = *state;
	struct relayrig r;

	ptprig_open(&r);
	lose_in(&r, &object, 64);
	for (unsigned i = 0; i < 3; i++) {
		ptprig_come_back(&r);
		assert_int_equal(commands(&r), 2 + i);
		put(&r, &object, 0, *come);
		bench_settle(&r.bench);
		assert_int_equal(r.gone_on > 0, *come == 64);
		ptprig_lose(&r);
	}
	ptprig_come_back(&r);
	expect_cut(&r, &object, 64, 4);
}

/* ---- it is not ---- */

/* The camera has forgotten the object. */
static void test_refused(void **state)
{
	struct relayrig r;

	(void)state;
	ptprig_open(&r);
	lose_in(&r, &object, 64);
	ptprig_come_back(&r);
	ptprig_answer(&r, PTPRIG_REFUSED);
	assert_int_equal(r.bench.closed, 0);
	expect_cut(&r, &object, 64, 2);
}

/* Another of the same length, of another length, an old one that ends otherwise; a halt. */
static void test_different(void **state)
{
	const struct answer *other = *state;
	struct relayrig r;

	ptprig_open(&r);
	lose_in(&r, &object, 64);
	ptprig_come_back(&r);
	if (other)
		put(&r, other, 0, packets_of(other));
	else
		camera_put_error(r.camera[RIG_PTP_IN], -EPIPE);
	again(&r);
	expect_cut(&r, &object, 64, 2);
}

/* The same but for one byte, of this packet: where a request began, or in the last of them. */
static void test_changed(void **state)
{
	const unsigned *at = *state;
	struct relayrig r;
	uint8_t packet[512];

	ptprig_open(&r);
	lose_in(&r, &object, 96);
	ptprig_come_back(&r);
	put(&r, &object, 0, *at);
	packet_of(&object, *at, packet);
	packet[*at == 95 ? 511 : 0] ^= 1;
	camera_put(r.camera[RIG_PTP_IN], packet, 512);
	put(&r, &object, *at + 1, 96);
	again(&r);
	expect_cut(&r, &object, 96, 2);
}

/* It ends before its time, in the second request; or there is nothing but the end of packets. */
static void test_ends_early(void **state)
{
	const unsigned *given = *state;
	static const uint8_t response[12] = {12, 0, 0, 0, PTPRIG_RESPONSE, 0, 1, 0x20};
	struct relayrig r;

	ptprig_open(&r);
	lose_in(&r, &object, 160);
	ptprig_come_back(&r);
	put(&r, &object, 0, *given);
	camera_put(r.camera[RIG_PTP_IN], response, *given ? sizeof(response) : 0);
	again(&r);
	expect_cut(&r, &object, 160, 2);
}

/* It began as before, and where it ended there is more. */
static void test_ends_late(void **state)
{
	static const struct answer unended = {PTPRIG_GET_OBJECT, 2000, 7, false};
	struct camera_endpoint *in;
	struct relayrig r;
	uint8_t packet[512];

	(void)state;
	ptprig_open(&r);
	in = r.camera[RIG_PTP_IN];
	ptprig_command(&r, PTPRIG_GET_OBJECT, 1);
	put(&r, &unended, 0, 1);
	packet_of(&unended, 1, packet);
	camera_put(in, packet, 188);
	bench_settle(&r.bench);
	ptprig_lose(&r);
	ptprig_come_back(&r);
	put(&r, &unended, 0, 1);
	camera_put(in, packet, 300);
	again(&r);
	expect(&r, &unended, 0, 1);
	bench_expect(&r.bench, RIG_PTP_IN, packet, 188);
	assert_int_equal(ptprig_read_to_halt(&r), 0);
	ptprig_close(&r);
}

/* What had come last is too little to know it by. */
static void test_little(void **state)
{
	static const struct answer little = {PTPRIG_GET_OBJECT, 32 * 512 + 100, 7, false};
	struct relayrig r;

	(void)state;
	ptprig_open(&r);
	lose_in(&r, &little, 33);
	ptprig_come_back(&r);
	expect_cut(&r, &little, 33, 1);
}

/* It takes too long. */
static void test_slow(void **state)
{
	const unsigned *come = *state;
	struct relayrig r;

	ptprig_open(&r);
	lose_in(&r, &object, 64);
	ptprig_come_back(&r);
	put(&r, &object, 0, *come);
	bench_settle(&r.bench);
	/* Nor is an unlink answered. */
	r.bench.camera->deaf = true;
	relayrig_wait(&r, 5);
	again(&r);
	expect_cut(&r, &object, 64, 2);
}

/* The camera does not take the command, or not in time. */
static void test_not_taken(void **state)
{
	const bool *halts = *state;
	struct relayrig r;
	struct camera_endpoint *out;

	ptprig_open(&r);
	lose_in(&r, &object, 64);
	out = r.camera[RIG_PTP_OUT];
	out->fail = *halts ? -EPIPE : 0;
	out->fail_at = out->num;
	out->blocked = !*halts;
	ptprig_come_back(&r);
	relayrig_wait(&r, 5);
	again(&r);
	expect_cut(&r, &object, 64, 1);
}

/* The phone asks for something else while it is skipped. */
static void test_given_up(void **state)
{
	struct relayrig r;

	(void)state;
	ptprig_open(&r);
	lose_in(&r, &object, 64);
	expect(&r, &object, 0, 64);
	ptprig_come_back(&r);
	ptprig_command(&r, PTPRIG_GET_OBJECT, 2);
	put(&r, &object, 0, 64);
	again(&r);
	assert_int_equal(commands(&r), 3);
	ptprig_expect_command(&r, 2, PTPRIG_GET_OBJECT, PTPRIG_TRANSACTION, 2);
	ptprig_answer(&r, PTPRIG_OK);
	ptprig_expect_answer(&r, PTPRIG_OK);
	assert_int_equal(ptprig_halts(&r), 0);
	ptprig_close(&r);
}

/* What may be another each time is not asked for again, unless all that the phone had of it is
 * known.
 */
static void test_may_change(void **state)
{
	static const struct answer handles = {PTPRIG_GET_HANDLES, 100000, 7, false};
	struct relayrig r;

	(void)state;
	ptprig_open(&r);
	lose_in(&r, &handles, 64);
	ptprig_come_back(&r);
	expect_cut(&r, &handles, 64, 1);
}

int main(void)
{
	static struct cut cuts[] = {
		{{PTPRIG_GET_OBJECT, 100000, 7, false}, 64, 64},
		{{PTPRIG_GET_OBJECT, 100000, 7, false}, 160, 160},
		/* Of a request that is not full nothing has come. */
		{{PTPRIG_GET_OBJECT, 100000, 7, false}, 100, 96},
		/* All of the data, but for the response: with a short packet, with none, with an
		 * empty one. */
		{{PTPRIG_GET_OBJECT, 100000, 7, false}, 196, 196},
		{{PTPRIG_GET_OBJECT, 32 * 512, 7, false}, 32, 32},
		{{PTPRIG_GET_OBJECT, 32 * 512, 7, true}, 33, 33},
		{{PTPRIG_GET_OBJECT, 50 * 512, 7, true}, 51, 51},
		{{PTPRIG_GET_OBJECT, 64 * 512, 7, true}, 32, 32},
		{{PTPRIG_GET_OBJECT, 700, 7, false}, 2, 2},
		{{PTPRIG_GET_HANDLES, 32 * 512 + 100, 7, false}, 32, 32},
	};
	static const struct answer others[] = {
		{PTPRIG_GET_OBJECT, 100000, 8, false},
		{PTPRIG_GET_OBJECT, 100001, 7, false},
		{PTPRIG_GET_OBJECT, 20000, 7, false},
	};
	static bool yes = true, no;
	static unsigned none, some = 40, all = 64, middle = 32, last_begins = 65, last = 95,
			      chunk = 128;
	const struct CMUnitTest tests[] = {
		{"midway", test_resumed, NULL, NULL, &cuts[0]},
		{"midway, far", test_resumed, NULL, NULL, &cuts[1]},
		{"in a request", test_resumed, NULL, NULL, &cuts[2]},
		{"before the response", test_resumed, NULL, NULL, &cuts[3]},
		{"a request before the response", test_resumed, NULL, NULL, &cuts[4]},
		{"an empty packet behind a request", test_resumed, NULL, NULL, &cuts[5]},
		{"an empty packet in a request", test_resumed, NULL, NULL, &cuts[6]},
		{"an empty packet to come", test_resumed, NULL, NULL, &cuts[7]},
		{"a small one before the response", test_resumed, NULL, NULL, &cuts[8]},
		{"a list, of which all is known", test_resumed, NULL, NULL, &cuts[9]},
		cmocka_unit_test(test_again_and_again),
		{"in vain", test_in_vain, NULL, NULL, &none},
		{"skipped in vain", test_in_vain, NULL, NULL, &all},
		cmocka_unit_test(test_refused),
		{"another object", test_different, NULL, NULL, (void *)&others[0]},
		{"a longer one", test_different, NULL, NULL, (void *)&others[1]},
		{"a shorter one", test_different, NULL, NULL, (void *)&others[2]},
		{"a halt", test_different, NULL, NULL, NULL},
		{"changed where a request began", test_changed, NULL, NULL, &middle},
		{"changed where the last began", test_changed, NULL, NULL, &last_begins},
		{"changed in the end", test_changed, NULL, NULL, &last},
		{"a response in its middle", test_ends_early, NULL, NULL, &chunk},
		{"an empty packet and no more", test_ends_early, NULL, NULL, &none},
		cmocka_unit_test(test_ends_late),
		cmocka_unit_test(test_little),
		{"nothing comes", test_slow, NULL, NULL, &none},
		{"some comes", test_slow, NULL, NULL, &some},
		{"the command is halted", test_not_taken, NULL, NULL, &yes},
		{"the command is not taken", test_not_taken, NULL, NULL, &no},
		cmocka_unit_test(test_given_up),
		cmocka_unit_test(test_may_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
