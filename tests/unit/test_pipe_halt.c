/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pipe when the camera halts an endpoint or fails, and when the phone halts one.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <cmocka.h>

#include "tests/unit/pipebench.h"

#define NUM(table) (sizeof(table) / sizeof(table[0]))

static void open_generic(struct pipebench *p, bool dwc2)
{
	pipebench_open(p, &(struct pipebench_options){.framing = FRAMING_GENERIC, .dwc2 = dwc2});
	pipebench_start(p);
	bench_settle(&p->bench);
}

static enum fake_handshake token_in(struct pipebench *p)
{
	uint8_t packet[512];
	size_t size;

	return bench_receive(&p->bench, PIPE_IN, packet, &size);
}

/* ---- IN ---- */

struct in_case {
	const char *name;
	int error;
	/* before the error: full packets, then a short one unless it is 0 */
	unsigned full;
	uint32_t last;
};

static const struct in_case in_cases[] = {
	{"stall, nothing before", -EPIPE, 0, 0},
	{"stall after a transfer", -EPIPE, 3, 100},
	{"stall in a transfer", -EPIPE, 5, 0},
	{"stall after more than the slots", -EPIPE, 40, 9},
	{"EPROTO", -EPROTO, 2, 0},
	{"EILSEQ", -EILSEQ, 2, 7},
	{"EOVERFLOW", -EOVERFLOW, 0, 0},
	{"ETIME", -ETIME, 1, 0},
	{"ECONNRESET that nobody asked for", -ECONNRESET, 1, 0},
};

/* All that came before the error arrives, then the phone sees a halt, and the camera's is gone by
 * itself. */
static void test_in(void **state)
{
	const struct in_case *c = *state;
	struct pipebench p;

	open_generic(&p, true);
	for (unsigned i = 0; i < c->full; i++)
		pipebench_put(&p, 512, i);
	if (c->last)
		pipebench_put(&p, c->last, 100);
	camera_put_error(p.camera_in, c->error);
	bench_settle(&p.bench);
	if (c->full || c->last) {
		/* not while the phone has still to read */
		assert_int_equal(p.bench.ffs->endpoints[PIPE_IN].halts, 0);
		assert_int_equal(p.camera_in->clears, 0);
	}
	for (unsigned i = 0; i < c->full; i++)
		pipebench_expect(&p, 512, i);
	if (c->last)
		pipebench_expect(&p, c->last, 100);
	bench_settle(&p.bench);
	assert_int_equal(token_in(&p), FAKE_STALL);
	assert_int_equal(p.camera_in->clears, 1);
	assert_false(p.camera_in->halted);
	/* what comes next waits for the phone to clear its halt */
	pipebench_put(&p, 33, 200);
	bench_settle(&p.bench);
	assert_int_equal(token_in(&p), FAKE_STALL);
	fake_ffs_clear_halt(p.bench.ffs, PIPE_IN);
	pipebench_expect(&p, 33, 200);
	assert_int_equal(p.in.errors, 1);
	assert_int_equal(p.failed, 0);
	assert_int_equal(p.out.errors, 0);
	pipebench_exchange(&p, 300);
	pipebench_close(&p);
}

/* The camera fails one request and fills the next: what came after the halt is kept for after it.
 */
static void test_in_data_after(void **state)
{
	struct pipebench p;

	(void)state;
	open_generic(&p, true);
	pipebench_put(&p, 20, 1);
	camera_put_error(p.camera_in, -EPROTO);
	pipebench_put(&p, 20, 2);
	bench_settle(&p.bench);
	pipebench_expect(&p, 20, 1);
	assert_int_equal(token_in(&p), FAKE_STALL);
	fake_ffs_clear_halt(p.bench.ffs, PIPE_IN);
	pipebench_expect(&p, 20, 2);
	pipebench_exchange(&p, 300);
	pipebench_close(&p);
}

/* A large request ends with the halt, partly filled: what is in it arrives. */
static void test_in_large(void **state)
{
	struct pipebench p;
	uint8_t packets[3][512];

	(void)state;
	pipebench_open(&p, &(struct pipebench_options){.framing = FRAMING_PTP});
	pipebench_start(&p);
	bench_settle(&p.bench);
	bench_container(packets[0], 512, 2, 60000, 1);
	camera_put(p.camera_in, packets[0], 512);
	for (unsigned i = 1; i < 3; i++) {
		bench_fill(packets[i], 512, 1000 + i);
		camera_put(p.camera_in, packets[i], 512);
	}
	camera_put_error(p.camera_in, -EPIPE);
	bench_expect(&p.bench, PIPE_IN, packets[0], 512);
	bench_expect(&p.bench, PIPE_IN, packets[1], 512);
	bench_expect(&p.bench, PIPE_IN, packets[2], 512);
	assert_int_equal(token_in(&p), FAKE_STALL);
	fake_ffs_clear_halt(p.bench.ffs, PIPE_IN);
	pipebench_exchange(&p, 3);
	pipebench_close(&p);
}

/* A camera that stalls again at once is not asked for ever, but is each time that the phone stirs.
 */
static void test_in_again(void **state)
{
	struct pipebench p;
	unsigned urbs;

	(void)state;
	open_generic(&p, true);
	p.camera_in->sticky = true;
	camera_put_error(p.camera_in, -EPIPE);
	bench_settle(&p.bench);
	assert_int_equal(p.camera_in->clears, 1);
	urbs = p.camera_in->urbs;
	assert_true(urbs <= 2 * PIPEBENCH_SLOTS);
	assert_int_equal(token_in(&p), FAKE_STALL);
	fake_ffs_clear_halt(p.bench.ffs, PIPE_IN);
	/* it cannot be seen that the phone has cleared it */
	assert_int_equal(token_in(&p), FAKE_NAK);
	assert_int_equal(p.camera_in->urbs, urbs);
	for (uint32_t i = 0; i < 3; i++) {
		assert_int_equal(pipebench_send(&p, 10, i), FAKE_ACK);
		bench_settle(&p.bench);
		assert_int_equal(p.camera_in->clears, 2 + i);
		assert_true(p.camera_in->urbs <= urbs + (i + 1) * PIPEBENCH_SLOTS);
		assert_int_equal(token_in(&p), FAKE_STALL);
		fake_ffs_clear_halt(p.bench.ffs, PIPE_IN);
	}
	p.camera_in->sticky = false;
	pipebench_exchange(&p, 10);
	/* once it has moved, the next halt is cleared at once again */
	camera_put_error(p.camera_in, -EPIPE);
	pipebench_put(&p, 5, 20);
	assert_int_equal(token_in(&p), FAKE_STALL);
	bench_settle(&p.bench);
	fake_ffs_clear_halt(p.bench.ffs, PIPE_IN);
	pipebench_expect(&p, 5, 20);
	pipebench_close(&p);
}

/* A camera that does not even let its halt be cleared. */
static void test_in_clear_fails(void **state)
{
	struct pipebench p;

	(void)state;
	open_generic(&p, true);
	p.bench.camera->clear_status = -EPIPE;
	camera_put_error(p.camera_in, -EPIPE);
	bench_settle(&p.bench);
	assert_int_equal(p.camera_in->clears, 1);
	assert_int_equal(token_in(&p), FAKE_STALL);
	fake_ffs_clear_halt(p.bench.ffs, PIPE_IN);
	p.bench.camera->clear_status = 0;
	pipebench_exchange(&p, 10);
	assert_int_equal(p.camera_in->clears, 2);
	pipebench_close(&p);
}

/* The camera halts twice before the phone has cleared once. */
static void test_in_twice(void **state)
{
	struct pipebench p;

	(void)state;
	open_generic(&p, true);
	camera_put_error(p.camera_in, -EPIPE);
	pipebench_put(&p, 100, 1);
	camera_put_error(p.camera_in, -EPIPE);
	pipebench_put(&p, 100, 2);
	bench_settle(&p.bench);
	assert_int_equal(token_in(&p), FAKE_STALL);
	fake_ffs_clear_halt(p.bench.ffs, PIPE_IN);
	pipebench_expect(&p, 100, 1);
	assert_int_equal(token_in(&p), FAKE_STALL);
	fake_ffs_clear_halt(p.bench.ffs, PIPE_IN);
	pipebench_expect(&p, 100, 2);
	pipebench_exchange(&p, 10);
	pipebench_close(&p);
}

/* ---- OUT ---- */

struct out_case {
	const char *name;
	int error;
	bool dwc2;
};

static const struct out_case out_cases[] = {
	{"stall", -EPIPE, false},
	{"EPROTO", -EPROTO, false},
	{"stall, dwc2", -EPIPE, true},
	{"ETIME, dwc2", -ETIME, true},
};

/* What follows the packet that failed is not delivered; what the phone sends after the halt is. */
static void test_out(void **state)
{
	const struct out_case *c = *state;
	struct pipebench p;

	open_generic(&p, c->dwc2);
	p.camera_out->fail = c->error;
	p.camera_out->fail_at = 2;
	for (uint32_t i = 0; i < 6; i++)
		assert_int_equal(pipebench_send(&p, 512, i), FAKE_ACK);
	bench_bridge(&p.bench);
	bench_camera(&p.bench);
	/* sent while the bridge does not know of it yet, or is unlinking */
	assert_int_equal(pipebench_send(&p, 512, 6), FAKE_ACK);
	bench_bridge(&p.bench);
	assert_int_equal(pipebench_send(&p, 512, 7), FAKE_ACK);
	bench_settle(&p.bench);
	assert_int_equal(p.camera_out->clears, !c->dwc2);
	assert_int_equal(p.out.errors, 1);
	/* a halt stops the camera's endpoint; after another error it may take what was on its way
	 */
	if (c->error == -EPIPE)
		assert_int_equal(p.camera_out->num, 2);
	assert_true(p.camera_out->num < 7);
	/* dwc2 does not halt an endpoint over its reads, which are there before the phone asks */
	for (uint32_t i = 8; c->dwc2 && p.out.state == PIPE_HALTING; i++) {
		assert_int_equal(pipebench_send(&p, 1 + i, i), FAKE_ACK);
		bench_settle(&p.bench);
		assert_true(i < 8 + p.out.num_slots);
	}
	assert_true(p.camera_out->num < 7);
	assert_int_equal(p.camera_out->clears, 1);
	assert_int_equal(pipebench_send(&p, 1, 8), FAKE_STALL);
	fake_ffs_clear_halt(p.bench.ffs, PIPE_OUT);
	bench_settle(&p.bench);
	pipebench_exchange(&p, 10);
	pipebench_close(&p);
}

/* In the middle of a container: what is asked for afterwards is the start of one. */
static void test_out_large(void **state)
{
	struct pipebench p;
	uint8_t packet[512];

	(void)state;
	pipebench_open(&p, &(struct pipebench_options){.framing = FRAMING_PTP, .max_request = 512});
	pipebench_start(&p);
	bench_settle(&p.bench);
	p.camera_out->fail = -EPIPE;
	p.camera_out->fail_at = 1;
	bench_container(packet, 512, 2, 60000, 1);
	assert_int_equal(bench_send(&p.bench, PIPE_OUT, packet, 512), FAKE_ACK);
	bench_settle(&p.bench);
	assert_true(p.framing.stream[FRAMING_OUT].got > 0);
	assert_int_equal(bench_send(&p.bench, PIPE_OUT, packet, 512), FAKE_ACK);
	bench_settle(&p.bench);
	assert_int_equal(bench_send(&p.bench, PIPE_OUT, packet, 512), FAKE_STALL);
	assert_int_equal(p.framing.stream[FRAMING_OUT].got, 0);
	fake_ffs_clear_halt(p.bench.ffs, PIPE_OUT);
	pipebench_exchange(&p, 10);
	pipebench_exchange(&p, 20);
	pipebench_close(&p);
}

/* The same on dwc2, which halts no endpoint that has reads: the rest of the container is dropped,
 * so that the camera does not take it for commands. The phone believes that it was taken, and goes
 * on with a command. */
static void test_out_large_late(void **state)
{
	struct pipebench p;
	uint8_t packet[512], command[16];
	unsigned taken;

	(void)state;
	for (unsigned fail_at = 1; fail_at < 200; fail_at += 11) {
		pipebench_open(
			&p, &(struct pipebench_options){.framing = FRAMING_PTP, .dwc2 = true});
		pipebench_start(&p);
		bench_settle(&p.bench);
		p.camera_out->fail = -EPIPE;
		p.camera_out->fail_at = fail_at;
		bench_container(packet, 512, 2, 200 * 512 + 12, 1);
		for (unsigned i = 0; i < 200; i++) {
			assert_int_equal(bench_send(&p.bench, PIPE_OUT, packet, 512), FAKE_ACK);
			bench_settle(&p.bench);
		}
		assert_int_equal(bench_send(&p.bench, PIPE_OUT, packet, 12), FAKE_ACK);
		bench_settle(&p.bench);
		assert_int_equal(p.out.state, PIPE_HALTING);
		assert_true(p.camera_out->num <= fail_at);
		taken = p.camera_out->num;
		bench_container(command, 16, 1, 16, 2);
		assert_int_equal(bench_send(&p.bench, PIPE_OUT, command, 16), FAKE_ACK);
		bench_settle(&p.bench);
		assert_int_equal(p.camera_out->clears, 1);
		bench_expect_camera(&p.bench, p.camera_out, taken, command, 16);
		assert_int_equal(p.camera_out->num, taken + 1);
		pipebench_exchange(&p, 10);
		pipebench_exchange(&p, 20);
		pipebench_close(&p);
	}
}

/* Not in a loop, but before what the phone sends next goes on. */
static void test_out_again(void **state)
{
	static const unsigned clears[] = {1, 1, 2, 3};
	struct pipebench p;

	(void)state;
	open_generic(&p, false);
	p.camera_out->sticky = true;
	p.camera_out->fail = -EPIPE;
	for (uint32_t i = 0; i < 4; i++) {
		assert_int_equal(pipebench_send(&p, 10, i), FAKE_ACK);
		bench_settle(&p.bench);
		assert_int_equal(p.camera_out->clears, clears[i]);
		assert_int_equal(p.camera_out->num, 0);
		assert_int_equal(pipebench_send(&p, 10, i), FAKE_STALL);
		fake_ffs_clear_halt(p.bench.ffs, PIPE_OUT);
	}
	p.camera_out->sticky = false;
	pipebench_exchange(&p, 10);
	pipebench_close(&p);
}

/* ---- both ---- */

/* The camera is gone: that is no halt. */
static void test_failed(void **state)
{
	const int *error = *state;
	struct pipebench p;
	unsigned urbs;

	open_generic(&p, true);
	pipebench_put(&p, 512, 1);
	camera_put_error(p.camera_in, *error);
	p.camera_in->halted = false;
	bench_settle(&p.bench);
	assert_true(p.failed > 0);
	assert_int_equal(p.camera_in->clears, 0);
	assert_int_equal(p.bench.ffs->endpoints[PIPE_IN].halts, 0);
	urbs = p.camera_in->urbs;
	p.failed = 0;
	p.camera_out->fail = *error;
	assert_int_equal(pipebench_send(&p, 9, 1), FAKE_ACK);
	bench_settle(&p.bench);
	assert_int_equal(p.failed, 1);
	assert_int_equal(p.camera_out->clears, 0);
	/* a camera that is gone is not asked any more */
	pipebench_put(&p, 512, 2);
	bench_settle(&p.bench);
	assert_int_equal(p.camera_in->urbs, urbs);
	assert_int_equal(p.camera_in->pending, 0);
	pipebench_close(&p);
}

/* The session is over while all sorts of things are under way. */
static void test_session_over(void **state)
{
	struct pipebench p;

	(void)state;
	open_generic(&p, true);
	pipebench_put(&p, 100, 1);
	bench_settle(&p.bench);
	p.bench.camera->deaf = true;
	assert_int_equal(pipebench_send(&p, 512, 1), FAKE_ACK);
	shutdown(p.bench.camera->fd, SHUT_RDWR);
	bench_bridge(&p.bench);
	assert_int_equal(p.bench.closed, -ECONNRESET);
	pipebench_expect(&p, 100, 1);
	assert_int_equal(pipebench_send(&p, 512, 1), FAKE_ACK);
	for (unsigned i = 0; i < 10; i++)
		bench_bridge(&p.bench);
	pipebench_stop(&p);
	pipe_kick(&p.in);
	for (unsigned i = 0; i < 10; i++)
		bench_bridge(&p.bench);
	bench_close(&p.bench);
	pipe_fini(&p.in);
	pipe_fini(&p.out);
}

#define TEST(name, function, argument)                                                             \
	{                                                                                          \
		name, function, NULL, NULL, (void *)(uintptr_t)(argument)                          \
	}

int main(void)
{
	static const int gone[] = {-ESHUTDOWN, -ENODEV};
	const struct CMUnitTest others[] = {
		TEST("IN, data after it", test_in_data_after, NULL),
		TEST("IN, in a large request", test_in_large, NULL),
		TEST("IN, again at once", test_in_again, NULL),
		TEST("IN, clearing fails", test_in_clear_fails, NULL),
		TEST("IN, twice", test_in_twice, NULL),
		TEST("OUT, in a container", test_out_large, NULL),
		TEST("OUT, in a container, dwc2", test_out_large_late, NULL),
		TEST("OUT, again at once", test_out_again, NULL),
		TEST("ESHUTDOWN", test_failed, &gone[0]),
		TEST("ENODEV", test_failed, &gone[1]),
		TEST("session over", test_session_over, NULL),
	};
	struct CMUnitTest in[NUM(in_cases)], out[NUM(out_cases)];
	int failed;

	for (size_t i = 0; i < NUM(in_cases); i++)
		in[i] = (struct CMUnitTest)TEST(in_cases[i].name, test_in, &in_cases[i]);
	for (size_t i = 0; i < NUM(out_cases); i++)
		out[i] = (struct CMUnitTest)TEST(out_cases[i].name, test_out, &out_cases[i]);
	failed = cmocka_run_group_tests_name("IN", in, NULL, NULL);
	failed += cmocka_run_group_tests_name("OUT", out, NULL, NULL);
	return failed + cmocka_run_group_tests_name("others", others, NULL, NULL);
}
