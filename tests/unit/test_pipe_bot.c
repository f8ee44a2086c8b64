/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pipe with a disk: asked only for what it has, its halts told only where the phone expects them.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "tests/unit/pipebench.h"

#define CBW 31
#define CSW 13

static void open_with(struct pipebench *p, bool dwc2, uint32_t max_request)
{
	pipebench_open(p,
		&(struct pipebench_options){
			.framing = FRAMING_BOT, .dwc2 = dwc2, .max_request = max_request});
	p->camera_in->exact = true;
	pipebench_start(p);
	bench_settle(&p->bench);
}

static void open_disk(struct pipebench *p, bool dwc2)
{
	open_with(p, dwc2, 0);
}

static void fill_cbw(uint8_t cbw[CBW], bool in, uint32_t length)
{
	memset(cbw, 0, CBW);
	memcpy(cbw, "USBC", 4);
	memcpy(cbw + 8, &length, sizeof(length)); /* little endian, as this test's machine */
	cbw[12] = in ? 0x80 : 0;
}

static void command(struct pipebench *p, bool in, uint32_t length)
{
	uint8_t cbw[CBW];

	fill_cbw(cbw, in, length);
	assert_int_equal(bench_send(&p->bench, PIPE_OUT, cbw, CBW), FAKE_ACK);
	bench_settle(&p->bench);
}

static void put_status(struct pipebench *p)
{
	pipebench_put(p, CSW, 0xc5);
	bench_settle(&p->bench);
}

static void expect_status(struct pipebench *p)
{
	pipebench_expect(p, CSW, 0xc5);
}

static enum fake_handshake token_in(struct pipebench *p)
{
	uint8_t packet[512];
	size_t size;

	return bench_receive(&p->bench, PIPE_IN, packet, &size);
}

/* The disk is not asked, and the phone's next command brings what it should. */
static void rests(struct pipebench *p)
{
	unsigned taken = p->camera_out->num;

	bench_settle(&p->bench);
	assert_int_equal(p->camera_in->pending, 0);
	command(p, true, 600);
	assert_int_equal(p->camera_out->num, taken + 1);
	pipebench_put(p, 512, 1);
	pipebench_put(p, 88, 2);
	put_status(p);
	pipebench_expect(p, 512, 1);
	pipebench_expect(p, 88, 2);
	expect_status(p);
	bench_settle(&p->bench);
	assert_int_equal(p->camera_in->pending, 0);
	assert_int_equal(p->failed, 0);
	pipebench_close(p);
}

/* Nothing before a command, nor before the disk has taken it; then all of the data at once, and the
 * status when that has come. */
static void test_asked_in_time(void **state)
{
	struct pipebench p;

	(void)state;
	open_disk(&p, true);
	assert_int_equal(p.camera_in->urbs, 0);
	p.camera_out->blocked = true;
	command(&p, true, 20000);
	assert_int_equal(p.camera_in->urbs, 0);
	p.camera_out->blocked = false;
	bench_settle(&p.bench);
	assert_int_equal(p.camera_in->urbs, 2); /* 16384, 3616 */
	for (unsigned i = 0; i < 39; i++)
		pipebench_put(&p, 512, i);
	pipebench_put(&p, 20000 - 39 * 512, 39);
	put_status(&p);
	for (unsigned i = 0; i < 39; i++)
		pipebench_expect(&p, 512, i);
	pipebench_expect(&p, 20000 - 39 * 512, 39);
	expect_status(&p);
	assert_int_equal(p.camera_in->urbs, 3);
	rests(&p);
}

/* Of a write the status is asked for when the disk has all of it. */
static void test_write(void **state)
{
	struct pipebench p;

	(void)state;
	open_disk(&p, true);
	command(&p, false, 2048);
	p.camera_out->blocked = true;
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(pipebench_send(&p, 512, i), FAKE_ACK);
	bench_settle(&p.bench);
	assert_int_equal(p.camera_in->urbs, 0);
	p.camera_out->blocked = false;
	bench_settle(&p.bench);
	assert_int_equal(p.camera_out->num, 5);
	assert_int_equal(p.camera_in->urbs, 1);
	put_status(&p);
	expect_status(&p);
	rests(&p);
}

/* The data halts: the phone sees it, clears it, and gets the status. */
static void test_read_halts(void **state)
{
	struct pipebench p;

	(void)state;
	open_disk(&p, true);
	command(&p, true, 4096);
	pipebench_put(&p, 512, 1);
	camera_put_error(p.camera_in, -EPIPE);
	bench_settle(&p.bench);
	pipebench_expect(&p, 512, 1);
	assert_int_equal(token_in(&p), FAKE_STALL);
	assert_int_equal(p.camera_in->clears, 1);
	put_status(&p);
	fake_ffs_clear_halt(p.bench.ffs, PIPE_IN);
	expect_status(&p);
	rests(&p);
}

/* A write fails while the phone is still sending, or has sent all: it sees no halt, the rest of its
 * data is dropped, and the status tells. Also where an OUT endpoint cannot be halted. */
static void test_write_fails(void **state)
{
	const bool *dwc2 = *state;

	for (unsigned before = 0; before <= 8; before++) {
		struct pipebench p;

		open_disk(&p, *dwc2);
		command(&p, false, 8 * 512);
		p.camera_out->fail = -EPIPE;
		p.camera_out->fail_at = 1 + 2;
		for (unsigned i = 0; i < before; i++)
			assert_int_equal(pipebench_send(&p, 512, i), FAKE_ACK);
		bench_settle(&p.bench);
		for (unsigned i = before; i < 8; i++) {
			assert_int_equal(p.camera_in->urbs, 0);
			assert_int_equal(pipebench_send(&p, 512, i), FAKE_ACK);
		}
		bench_settle(&p.bench);
		assert_int_equal(p.camera_out->num, 1 + 2);
		assert_int_equal(p.camera_out->clears, 1);
		assert_int_equal(p.bench.ffs->endpoints[PIPE_OUT].num_tried, 0);
		assert_int_equal(p.camera_in->urbs, 1);
		put_status(&p);
		expect_status(&p);
		rests(&p);
	}
}

/* A write fails; the phone sends more before the disk's halt is dealt with. */
static void fail_write(struct pipebench *p)
{
	open_with(p, true, 512);
	command(p, false, 8 * 512);
	p->camera_out->fail = -EPIPE;
	p->camera_out->fail_at = 1 + 2;
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(pipebench_send(p, 512, i), FAKE_ACK);
	p->bench.camera->piece = 48; /* one answer at a time */
	while (p->out.state == PIPE_RUNNING) {
		bench_camera(&p->bench);
		bench_bridge(&p->bench);
	}
	assert_int_equal(p->out.state, PIPE_HALTING);
	for (unsigned i = 4; i < 6; i++)
		assert_int_equal(pipebench_send(p, 512, i), FAKE_ACK);
	bench_bridge(&p->bench);
	assert_int_equal(p->out.state, PIPE_HALTING);
	p->bench.camera->piece = 0;
	bench_settle(&p->bench);
}

static void test_write_fails_meanwhile(void **state)
{
	struct pipebench p;

	(void)state;
	fail_write(&p);
	for (unsigned i = 6; i < 8; i++) {
		assert_int_equal(p.camera_in->urbs, 0);
		assert_int_equal(pipebench_send(&p, 512, i), FAKE_ACK);
	}
	bench_settle(&p.bench);
	assert_int_equal(p.camera_out->num, 1 + 2);
	put_status(&p);
	expect_status(&p);
	rests(&p);
}

/* The phone comes back with another command. */
static void test_write_fails_restart(void **state)
{
	struct pipebench p;

	(void)state;
	fail_write(&p);
	fake_ffs_disable(p.bench.ffs);
	fake_ffs_enable(p.bench.ffs);
	pipebench_start(&p);
	rests(&p);
}

/* Data that ends early leaves two requests at the disk, and a command is kept for after them. */
static void keep_command(struct pipebench *p)
{
	uint8_t cbw[CBW];

	open_disk(p, true);
	command(p, true, 60000);
	assert_int_equal(p->camera_in->pending, 4);
	pipebench_put(p, 88, 2);
	pipebench_put(p, CSW, 0xc5);
	bench_camera(&p->bench);
	bench_bridge(&p->bench); /* unlinks */
	pipebench_expect(p, 88, 2);
	fill_cbw(cbw, false, 0);
	p->bench.camera->deaf = true;
	expect_status(p);
	assert_int_equal(fake_ffs_send(p->bench.ffs, PIPE_OUT, cbw, CBW), FAKE_ACK);
	bench_settle(&p->bench);
	assert_int_equal(p->out.urbs_out, 0);
}

static void command_goes_on(struct pipebench *p)
{
	bench_settle(&p->bench);
	assert_int_equal(p->camera_out->num, 2);
	put_status(p);
	expect_status(p);
	rests(p);
}

/* They are taken back before it hears of the next command. */
static void test_surplus(void **state)
{
	struct pipebench p;

	(void)state;
	keep_command(&p);
	p.bench.camera->deaf = false;
	bench_settle(&p.bench);
	assert_int_equal(p.bench.camera->unlinks, 2);
	command_goes_on(&p);
}

/* Nor is the command kept for ever where they end with something. */
static void test_surplus_answered(void **state)
{
	struct pipebench p;

	(void)state;
	keep_command(&p);
	for (unsigned i = 0; i < 2; i++)
		pipebench_put(&p, 0, 0);
	bench_settle(&p.bench);
	assert_int_equal(p.out.urbs_out, 1);
	p.bench.camera->deaf = false;
	for (unsigned i = 0; i < 2; i++)
		bench_expect(&p.bench, PIPE_IN, NULL, 0);
	command_goes_on(&p);
}

/* The disk STALLs them: the phone hears nothing of it. */
static void test_surplus_halts(void **state)
{
	struct pipebench p;

	(void)state;
	open_disk(&p, true);
	command(&p, true, 60000);
	pipebench_put(&p, 88, 2);
	pipebench_put(&p, CSW, 0xc5);
	camera_put_error(p.camera_in, -EPIPE);
	bench_settle(&p.bench);
	pipebench_expect(&p, 88, 2);
	expect_status(&p);
	assert_int_equal(token_in(&p), FAKE_NAK);
	assert_int_equal(p.bench.ffs->endpoints[PIPE_IN].halts, 0);
	assert_true(p.camera_in->clears > 0);
	assert_false(p.camera_in->halted);
	rests(&p);
}

/* Configured anew in the middle of a command. */
static void test_restart(void **state)
{
	struct pipebench p;

	(void)state;
	open_disk(&p, true);
	command(&p, true, 60000);
	pipebench_put(&p, 512, 2);
	bench_settle(&p.bench);
	fake_ffs_disable(p.bench.ffs);
	fake_ffs_enable(p.bench.ffs);
	pipebench_start(&p);
	bench_settle(&p.bench);
	camera_forget(p.camera_in);
	rests(&p);
}

/* Given up by the class's reset, upon which the phone clears both halts, unseen; then a command. */
static void test_abort(void **state)
{
	const bool *in = *state;
	struct pipebench p;

	open_disk(&p, true);
	command(&p, *in, 60000);
	for (unsigned i = 0; i < 40; i++) {
		if (*in)
			pipebench_put(&p, 512, i);
		else
			assert_int_equal(pipebench_send(&p, 512, i), FAKE_ACK);
		bench_settle(&p.bench);
	}
	pipe_abort(&p.in, false);
	pipe_abort(&p.out, false);
	bench_settle(&p.bench);
	assert_int_equal(p.bench.camera->unlinks, 0);
	pipe_unlink_all(&p.in);
	pipe_unlink_all(&p.out);
	bench_settle(&p.bench);
	assert_int_equal(fake_ffs_posted(p.bench.ffs, PIPE_IN), 0);
	assert_int_equal(p.camera_in->pending + p.camera_out->pending, 0);
	pipebench_start(&p);
	bench_settle(&p.bench);
	assert_int_equal(p.camera_in->clears, 1);
	assert_int_equal(p.camera_out->clears, 1);
	rests(&p);
}

/* The same of a disk that halts until then: cleared when the phone stirs, it has to be again. */
static void test_abort_halted(void **state)
{
	struct pipebench p;
	uint8_t packet[64];
	size_t size;
	unsigned clears;

	(void)state;
	open_disk(&p, true);
	p.camera_in->sticky = true;
	camera_put_error(p.camera_in, -EPIPE);
	command(&p, true, 60000);
	bench_settle(&p.bench);
	assert_int_equal(bench_receive(&p.bench, PIPE_IN, packet, &size), FAKE_STALL);
	fake_ffs_clear_halt(p.bench.ffs, PIPE_IN);
	bench_settle(&p.bench);
	assert_int_equal(p.in.state, PIPE_HALTED);
	pipe_kick(&p.in);
	pipe_abort(&p.in, false);
	pipe_abort(&p.out, false);
	bench_settle(&p.bench);
	clears = p.camera_in->clears;
	p.camera_in->sticky = false;
	pipebench_start(&p);
	bench_settle(&p.bench);
	assert_int_equal(p.camera_in->clears, clears + 1);
	pipebench_stop(&p);
	pipebench_close(&p);
}

int main(void)
{
	static bool yes = true, no;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_asked_in_time),
		cmocka_unit_test(test_write),
		cmocka_unit_test(test_read_halts),
		{"write fails, dwc2", test_write_fails, NULL, NULL, &yes},
		{"write fails, dummy_hcd", test_write_fails, NULL, NULL, &no},
		cmocka_unit_test(test_write_fails_meanwhile),
		cmocka_unit_test(test_write_fails_restart),
		cmocka_unit_test(test_surplus),
		cmocka_unit_test(test_surplus_answered),
		cmocka_unit_test(test_surplus_halts),
		cmocka_unit_test(test_restart),
		cmocka_unit_test(test_abort_halted),
		{"read given up", test_abort, NULL, NULL, &yes},
		{"write given up", test_abort, NULL, NULL, &no},
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
