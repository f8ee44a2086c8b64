/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pipe at a port of the phone's that takes nothing for a while: suspended, not enabled, out of
 * memory, halted by the phone itself.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "tests/unit/pipebench.h"

static void open_pipes(struct pipebench *p, enum framing_kind framing)
{
	pipebench_open(p, &(struct pipebench_options){.framing = framing, .dwc2 = true});
	pipebench_start(p);
	bench_settle(&p->bench);
}

static void resume(struct pipebench *p)
{
	p->bench.ffs->suspended = false;
	pipe_wake(&p->in);
	pipe_wake(&p->out);
}

/* Some writes stand from before, some are refused: all go in order, once the phone is awake. */
static void test_suspend_in(void **state)
{
	const unsigned *before = *state;
	struct pipebench p;

	open_pipes(&p, FRAMING_GENERIC);
	for (uint32_t i = 0; i < *before; i++)
		pipebench_put(&p, 512 - i % 3, i);
	bench_settle(&p.bench);
	p.bench.ffs->suspended = true;
	for (uint32_t i = *before; i < 40; i++)
		pipebench_put(&p, 512 - i % 3, i);
	bench_settle(&p.bench);
	assert_true(p.in.parked);
	/* and are not tried again and again meanwhile */
	assert_int_equal(fake_ffs_posted(p.bench.ffs, PIPE_IN), *before);
	resume(&p);
	for (uint32_t i = 0; i < 40; i++)
		pipebench_expect(&p, 512 - i % 3, i);
	assert_int_equal(p.in.errors, 0);
	assert_int_equal(p.failed, 0);
	/* bytes are counted once */
	assert_int_equal(p.in.bytes, 40 * 512 - 39);
	pipebench_exchange(&p, 100);
	pipebench_close(&p);
}

/* Data and its zero-length packet are two writes. */
static void test_suspend_zero(void **state)
{
	struct pipebench p;
	uint8_t packet[512];

	(void)state;
	open_pipes(&p, FRAMING_PTP);
	bench_container(packet, 512, 2, 100000, 1);
	camera_put(p.camera_in, packet, 512);
	for (uint32_t i = 0; i < 20; i++)
		pipebench_put(&p, 512, i);
	pipebench_put(&p, 0, 0);
	p.bench.ffs->suspended = true;
	bench_settle(&p.bench);
	assert_true(p.in.parked);
	resume(&p);
	bench_expect(&p.bench, PIPE_IN, packet, 512);
	for (uint32_t i = 0; i < 20; i++)
		pipebench_expect(&p, 512, i);
	pipebench_expect(&p, 0, 0);
	pipebench_exchange(&p, 100);
	pipebench_close(&p);
}

/* Only the zero-length packet is refused: the data does not go twice. */
static void test_suspend_only_zero(void **state)
{
	struct fake_request last = {0};
	struct pipebench p;
	struct fake_queue *q;
	uint8_t packet[512];

	(void)state;
	open_pipes(&p, FRAMING_PTP);
	q = &p.bench.ffs->endpoints[PIPE_IN].queue;
	bench_container(packet, 512, 2, 100000, 1);
	camera_put(p.camera_in, packet, 512);
	for (uint32_t i = 0; i < 10; i++)
		pipebench_put(&p, 512, i);
	pipebench_put(&p, 0, 0);
	bench_expect(&p.bench, PIPE_IN, packet, 512);
	for (uint32_t i = 0; i < 10; i++)
		pipebench_expect(&p, 512, i);
	ffs_dispatch_aio(p.bench.ffs);
	/* as if the bus had been suspended between the two writes */
	assert_int_equal(q->num, 1);
	last = q->requests[q->first];
	assert_int_equal(last.size, 0);
	q->num = 0;
	p.bench.ffs->out--;
	last.req->done(last.req, -EAGAIN);
	bench_settle(&p.bench);
	assert_int_equal(q->num, 0);
	resume(&p);
	pipebench_expect(&p, 0, 0);
	pipebench_exchange(&p, 100);
	pipebench_close(&p);
}

/* What the camera gave before it halted waits for the phone to wake; then comes the halt. */
static void test_suspend_halt(void **state)
{
	struct pipebench p;
	uint8_t packet[512];
	size_t size;

	(void)state;
	open_pipes(&p, FRAMING_GENERIC);
	p.bench.ffs->suspended = true;
	pipebench_put(&p, 512, 1);
	pipebench_put(&p, 512, 2);
	camera_put_error(p.camera_in, -EPIPE);
	bench_settle(&p.bench);
	assert_int_equal(p.in.state, PIPE_HALTING);
	resume(&p);
	pipebench_expect(&p, 512, 1);
	pipebench_expect(&p, 512, 2);
	assert_int_equal(bench_receive(&p.bench, PIPE_IN, packet, &size), FAKE_STALL);
	fake_ffs_clear_halt(p.bench.ffs, PIPE_IN);
	pipebench_exchange(&p, 10);
	pipebench_close(&p);
}

/* No read is asked again and again of a port that sleeps; those that stand go on. */
static void test_suspend_out(void **state)
{
	const unsigned *before = *state;
	struct pipebench p;
	unsigned long submitted;

	open_pipes(&p, FRAMING_GENERIC);
	p.camera_out->blocked = true;
	for (uint32_t i = 0; i < *before; i++)
		assert_int_equal(pipebench_send(&p, 512, i), FAKE_ACK);
	bench_settle(&p.bench);
	p.bench.ffs->suspended = true;
	p.camera_out->blocked = false;
	bench_settle(&p.bench);
	assert_true(p.out.parked);
	submitted = p.bench.ffs->submitted;
	bench_settle(&p.bench);
	assert_int_equal(p.bench.ffs->submitted, submitted);
	assert_int_equal(fake_ffs_posted(p.bench.ffs, PIPE_OUT), PIPEBENCH_SLOTS - *before);
	resume(&p);
	bench_settle(&p.bench);
	for (uint32_t i = *before; i < 30; i++) {
		assert_int_equal(pipebench_send(&p, 512, i), FAKE_ACK);
		bench_settle(&p.bench);
	}
	assert_int_equal(fake_ffs_posted(p.bench.ffs, PIPE_OUT), PIPEBENCH_SLOTS);
	for (uint32_t i = 0; i < 30; i++) {
		uint8_t packet[512];

		bench_fill(packet, 512, i);
		bench_expect_camera(&p.bench, p.camera_out, i, packet, 512);
	}
	pipebench_exchange(&p, 100);
	pipebench_close(&p);
}

/* -EAGAIN of requests that met no endpoint, told only when the next configuration has begun: nobody
 * would wake the pipe. */
static void test_old_eagain(void **state)
{
	struct pipebench p;

	(void)state;
	open_pipes(&p, FRAMING_GENERIC);
	p.camera_out->blocked = true;
	assert_int_equal(pipebench_send(&p, 512, 1), FAKE_ACK);
	pipebench_put(&p, 512, 1);
	bench_settle(&p.bench);
	/* the answer frees a slot, whose read meets the disabled endpoint */
	p.camera_out->blocked = false;
	pipebench_put(&p, 512, 2);
	bench_camera(&p.bench);
	fake_ffs_disable(p.bench.ffs);
	client_dispatch(p.bench.client);
	p.bench.flush(p.bench.user);
	fake_ffs_enable(p.bench.ffs);
	pipebench_start(&p);
	bench_settle(&p.bench);
	assert_false(p.in.parked || p.out.parked);
	pipebench_exchange(&p, 10);
	pipebench_close(&p);
}

/* The same of a write, whose data would then go to the next configuration. */
static void test_old_eagain_in(void **state)
{
	struct pipebench p;

	(void)state;
	open_pipes(&p, FRAMING_GENERIC);
	/* no URB is left out whose unlinking would take its time */
	for (uint32_t i = 0; i < PIPEBENCH_SLOTS - 1; i++)
		pipebench_put(&p, 512, i);
	bench_settle(&p.bench);
	pipebench_put(&p, 512, 100);
	bench_camera(&p.bench);
	fake_ffs_disable(p.bench.ffs);
	client_dispatch(p.bench.client);
	assert_int_equal(p.in.urbs_out, 0);
	p.bench.flush(p.bench.user);
	fake_ffs_enable(p.bench.ffs);
	pipebench_start(&p);
	bench_settle(&p.bench);
	pipebench_exchange(&p, 10);
	pipebench_close(&p);
}

/* Without an event that could wake it, a pipe rests until the next configuration; the others go on.
 */
static void test_refused(void **state)
{
	const int *at = *state;
	struct pipebench p;

	open_pipes(&p, FRAMING_GENERIC);
	p.bench.ffs->refuse = -ENOMEM;
	if (*at == PIPE_IN)
		pipebench_put(&p, 512, 1);
	else
		assert_int_equal(pipebench_send(&p, 512, 1), FAKE_ACK);
	bench_settle(&p.bench);
	p.bench.ffs->refuse = 0;
	assert_int_equal(p.in.state, *at == PIPE_IN ? PIPE_STOPPED : PIPE_RUNNING);
	assert_int_equal(p.out.state, *at == PIPE_OUT ? PIPE_STOPPED : PIPE_RUNNING);
	assert_int_equal(p.failed, 0);
	fake_ffs_disable(p.bench.ffs);
	fake_ffs_enable(p.bench.ffs);
	pipebench_start(&p);
	bench_settle(&p.bench);
	pipebench_exchange(&p, 10);
	pipebench_close(&p);
}

/* Reads stand at the phone over a stop that it knows nothing of; what they bring meanwhile is
 * dropped, and they serve again after the next start. */
static void test_reads_stand(void **state)
{
	struct pipebench p;
	unsigned long submitted;

	(void)state;
	open_pipes(&p, FRAMING_GENERIC);
	pipebench_stop(&p);
	bench_settle(&p.bench);
	assert_int_equal(p.in.state, PIPE_STOPPED);
	assert_int_equal(p.out.state, PIPE_STOPPED);
	assert_true(pipe_idle(&p.in));
	assert_int_equal(p.camera_in->pending, 0);
	assert_int_equal(fake_ffs_posted(p.bench.ffs, PIPE_OUT), PIPEBENCH_SLOTS);
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(pipebench_send(&p, 512, i), FAKE_ACK);
	bench_settle(&p.bench);
	assert_int_equal(p.camera_out->num, 0);
	assert_int_equal(p.stirred, 0);
	assert_int_equal(fake_ffs_posted(p.bench.ffs, PIPE_OUT), PIPEBENCH_SLOTS - 3);
	submitted = p.bench.ffs->submitted;
	pipebench_start(&p);
	bench_settle(&p.bench);
	assert_int_equal(p.bench.ffs->submitted, submitted + 3);
	pipebench_exchange(&p, 10);
	pipebench_close(&p);
}

#define TEST(name, function, argument)                                                             \
	{                                                                                          \
		name, function, NULL, NULL, (void *)(uintptr_t)(argument)                          \
	}

/* The phone halts an endpoint itself: dwc2 gives the active request back with -EINPROGRESS. */
static void test_phone_halts(void **state)
{
	struct pipebench p;
	uint8_t packet[512];
	size_t size;

	(void)state;
	open_pipes(&p, FRAMING_GENERIC);
	for (uint32_t i = 1; i <= 3; i++)
		pipebench_put(&p, 512, i);
	bench_settle(&p.bench);
	fake_ffs_set_halt(p.bench.ffs, PIPE_IN);
	fake_ffs_set_halt(p.bench.ffs, PIPE_OUT);
	assert_int_equal(bench_receive(&p.bench, PIPE_IN, packet, &size), FAKE_STALL);
	assert_int_equal(pipebench_send(&p, 10, 5), FAKE_STALL);
	fake_ffs_clear_halt(p.bench.ffs, PIPE_OUT);
	bench_settle(&p.bench);
	assert_int_equal(fake_ffs_posted(p.bench.ffs, PIPE_OUT), PIPEBENCH_SLOTS);
	fake_ffs_clear_halt(p.bench.ffs, PIPE_IN);
	bench_settle(&p.bench);
	for (uint32_t i = 1; i <= 3; i++)
		pipebench_expect(&p, 512, i);
	assert_int_equal(p.failed, 0);
	assert_int_equal(p.camera_in->clears, 0);
	assert_int_equal(p.in.bytes, 3 * 512);
	pipebench_exchange(&p, 10);
	pipebench_close(&p);
}

/* The same of a write that ends with a zero-length packet. */
static void test_phone_halts_ended(void **state)
{
	struct pipebench p;
	uint8_t data[128];

	(void)state;
	pipebench_open(&p,
		&(struct pipebench_options){
			.framing = FRAMING_GENERIC, .phone_packet = 64, .dwc2 = true});
	pipebench_start(&p);
	bench_settle(&p.bench);
	pipebench_put(&p, 128, 1);
	bench_settle(&p.bench);
	assert_int_equal(fake_ffs_posted(p.bench.ffs, PIPE_IN), 2);
	fake_ffs_set_halt(p.bench.ffs, PIPE_IN);
	fake_ffs_clear_halt(p.bench.ffs, PIPE_IN);
	bench_settle(&p.bench);
	bench_fill(data, sizeof(data), 1);
	bench_expect(&p.bench, PIPE_IN, data, 64);
	bench_expect(&p.bench, PIPE_IN, data + 64, 64);
	bench_expect(&p.bench, PIPE_IN, NULL, 0);
	pipebench_close(&p);
}

int main(void)
{
	static const unsigned before[] = {0, 1, 5, PIPEBENCH_SLOTS};
	static const int pipes[] = {PIPE_IN, PIPE_OUT};
	const struct CMUnitTest tests[] = {
		TEST("suspend, IN", test_suspend_in, &before[0]),
		TEST("suspend, IN, one stands", test_suspend_in, &before[1]),
		TEST("suspend, IN, five stand", test_suspend_in, &before[2]),
		TEST("suspend, zero-length packet", test_suspend_zero, NULL),
		TEST("suspend, zero-length packet alone", test_suspend_only_zero, NULL),
		TEST("suspend, halt", test_suspend_halt, NULL),
		TEST("suspend, OUT", test_suspend_out, &before[2]),
		TEST("suspend, OUT, no read stands", test_suspend_out, &before[3]),
		TEST("old EAGAIN", test_old_eagain, NULL),
		TEST("old EAGAIN, IN", test_old_eagain_in, NULL),
		TEST("refused, IN", test_refused, &pipes[0]),
		TEST("refused, OUT", test_refused, &pipes[1]),
		TEST("the phone halts", test_phone_halts, NULL),
		TEST("the phone halts, with an end", test_phone_halts_ended, NULL),
		TEST("reads stand over a stop", test_reads_stand, NULL),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
