/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pipe over the phone's comings and goings: stop, start, bus reset, suspend, in every order in
 * which the kernel's completions, its events and the server's answers can come.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "tests/unit/pipebench.h"
#include "tests/unit/quick.h"

#define NUM(table) (sizeof(table) / sizeof(table[0]))

static void put(struct pipebench *p, uint32_t size, uint32_t id)
{
	uint8_t packet[512];

	bench_fill(packet, size, id);
	camera_put(p->camera_in, packet, size);
}

static enum fake_handshake phone_send(struct pipebench *p, uint32_t size, uint32_t id)
{
	uint8_t packet[512];

	bench_fill(packet, size, id);
	return fake_ffs_send(p->bench.ffs, PIPE_OUT, packet, size);
}

/* ---- what may be under way ---- */

static void idle(struct pipebench *p)
{
	(void)p;
}

/* Data everywhere: the phone does not read, the camera has more, some is in the socket. */
static void busy(struct pipebench *p)
{
	for (uint32_t i = 0; i < 10; i++)
		put(p, 512, i);
	put(p, 100, 10);
	bench_settle(&p->bench);
	for (uint32_t i = 11; i < 40; i++)
		put(p, 512, i);
	p->camera_out->blocked = true;
	for (uint32_t i = 0; i < 5; i++)
		assert_int_equal(phone_send(p, 512, i), FAKE_ACK);
	bench_round(&p->bench);
	assert_int_equal(phone_send(p, 512, 5), FAKE_ACK);
	bench_camera(&p->bench);
}

/* The same, with the server's last word still unread. */
static void answered(struct pipebench *p)
{
	put(p, 512, 1);
	p->camera_out->blocked = true;
	assert_int_equal(phone_send(p, 512, 5), FAKE_ACK);
	bench_bridge(&p->bench);
	p->camera_out->blocked = false;
	bench_camera(&p->bench);
	p->camera_out->blocked = true;
}

static void halted(struct pipebench *p)
{
	p->camera_in->sticky = p->camera_out->sticky = true;
	p->camera_out->fail = -EPIPE;
	camera_put_error(p->camera_in, -EPIPE);
	for (uint32_t i = 0; i < 2; i++) {
		do { /* on dwc2 until no read stands */
			assert_int_equal(phone_send(p, 9, 1), FAKE_ACK);
			bench_settle(&p->bench);
		} while (p->out.state == PIPE_HALTING);
		fake_ffs_clear_halt(p->bench.ffs, PIPE_OUT);
		bench_settle(&p->bench);
	}
	assert_int_equal(p->in.state, PIPE_HALTED);
	assert_int_equal(p->out.state, PIPE_HALTED);
	p->camera_in->sticky = p->camera_out->sticky = false;
}

static void halting(struct pipebench *p)
{
	put(p, 512, 1);
	put(p, 512, 2);
	camera_put_error(p->camera_in, -EPIPE);
	p->camera_out->fail = -EPIPE;
	assert_int_equal(phone_send(p, 9, 1), FAKE_ACK);
	bench_round(&p->bench);
	/* these are asked to be unlinked, which nobody hears */
	assert_int_equal(phone_send(p, 9, 2), FAKE_ACK);
	assert_int_equal(phone_send(p, 9, 3), FAKE_ACK);
	p->bench.camera->deaf = true;
	bench_settle(&p->bench);
	assert_int_equal(p->in.state, PIPE_HALTING);
	assert_int_equal(p->out.state, PIPE_HALTING);
}

static void clearing(struct pipebench *p)
{
	p->camera_out->fail = -EPIPE;
	assert_int_equal(phone_send(p, 9, 1), FAKE_ACK);
	bench_bridge(&p->bench);
	camera_put_error(p->camera_in, -EPIPE);
	for (unsigned i = 0; i < 20 && p->in.state != PIPE_CLEARING; i++) {
		bench_camera(&p->bench);
		bench_bridge(&p->bench);
	}
	p->bench.camera->deaf = true;
	bench_settle(&p->bench);
	while (p->out.state == PIPE_HALTING) { /* on dwc2 until no read stands */
		assert_int_equal(phone_send(p, 9, 1), FAKE_ACK);
		bench_settle(&p->bench);
	}
	assert_int_equal(p->in.state, PIPE_CLEARING);
	assert_int_equal(p->out.state, PIPE_CLEARING);
}

static void suspended(struct pipebench *p)
{
	busy(p);
	p->bench.ffs->suspended = true;
	p->camera_out->blocked = false;
	bench_settle(&p->bench);
	assert_int_equal(p->in.parked, p->bench.ffs->dwc2);
	assert_int_equal(p->out.parked, p->bench.ffs->dwc2);
}

static const struct trouble {
	const char *name;
	void (*function)(struct pipebench *p);
} troubles[] = {
	{"idle", idle},
	{"busy", busy},
	{"answered", answered},
	{"halted", halted},
	{"halting", halting},
	{"clearing", clearing},
	{"suspended", suspended},
};

/* ---- how the phone comes and goes ---- */

enum act {
	ACT_END,
	ACT_RESET, /* at the phone: all aio is given back, no event yet */
	ACT_GONE,
	ACT_BACK,
	ACT_ENABLE, /* the events */
	ACT_DISABLE,
	ACT_AIO, /* some completions are delivered */
	ACT_ALL_AIO,
	ACT_DEAF, /* from here on the server does not read */
	ACT_HEARS,
	ACT_ROUND,
	ACT_SETTLE,
};

static const struct life {
	const char *name;
	enum act acts[12];
} lives[] = {
	{"unplug", {ACT_GONE, ACT_ALL_AIO, ACT_DISABLE, ACT_SETTLE, ACT_BACK, ACT_ENABLE}},
	{"unplug, completions late",
		{ACT_GONE, ACT_DISABLE, ACT_SETTLE, ACT_BACK, ACT_ENABLE, ACT_ALL_AIO}},
	{"unplug, short", {ACT_GONE, ACT_BACK, ACT_DISABLE, ACT_ENABLE}},
	{"unplug, a moment", {ACT_GONE, ACT_ALL_AIO, ACT_DISABLE, ACT_ROUND, ACT_BACK, ACT_ENABLE}},
	{"reset", {ACT_RESET, ACT_ALL_AIO, ACT_ENABLE}},
	{"reset, time between", {ACT_RESET, ACT_ALL_AIO, ACT_ROUND, ACT_ENABLE}},
	{"reset, nothing lasts", {ACT_RESET, ACT_ALL_AIO, ACT_SETTLE, ACT_ENABLE}},
	{"reset, completions late", {ACT_RESET, ACT_ENABLE, ACT_ALL_AIO}},
	{"reset, completions later", {ACT_RESET, ACT_ENABLE, ACT_ROUND, ACT_ALL_AIO}},
	{"reset, completions in between", {ACT_RESET, ACT_AIO, ACT_ENABLE, ACT_AIO, ACT_ROUND}},
	{"reset twice", {ACT_RESET, ACT_ENABLE, ACT_RESET, ACT_ENABLE}},
	{"reset twice, in between",
		{ACT_RESET, ACT_AIO, ACT_ENABLE, ACT_RESET, ACT_AIO, ACT_ENABLE}},
	{"reset twice, a round", {ACT_RESET, ACT_ENABLE, ACT_ROUND, ACT_RESET, ACT_ENABLE}},
	{"two events of one reset", {ACT_RESET, ACT_ENABLE, ACT_ENABLE}},
	{"two events, a round", {ACT_RESET, ACT_ALL_AIO, ACT_ENABLE, ACT_ROUND, ACT_ENABLE}},
	{"unlinks out, on", {ACT_DEAF, ACT_RESET, ACT_ALL_AIO, ACT_ENABLE, ACT_SETTLE, ACT_HEARS}},
	{"unlinks out, off, on",
		{ACT_DEAF, ACT_GONE, ACT_DISABLE, ACT_SETTLE, ACT_BACK, ACT_ENABLE, ACT_SETTLE,
			ACT_HEARS}},
	{"unlinks out, on, off, on",
		{ACT_DEAF, ACT_RESET, ACT_ENABLE, ACT_SETTLE, ACT_GONE, ACT_DISABLE, ACT_SETTLE,
			ACT_BACK, ACT_ENABLE, ACT_SETTLE, ACT_HEARS}},
	{"unlinks out, on, on",
		{ACT_DEAF, ACT_RESET, ACT_ENABLE, ACT_SETTLE, ACT_RESET, ACT_ENABLE, ACT_HEARS,
			ACT_ROUND}},
};

static void act(struct pipebench *p, enum act act)
{
	struct ffs *ffs = p->bench.ffs;

	if (act == ACT_RESET || act == ACT_GONE)
		fake_ffs_disable(ffs);
	if (act == ACT_RESET || act == ACT_BACK)
		fake_ffs_enable(ffs);
	if (act == ACT_ENABLE)
		pipebench_start(p);
	if (act == ACT_DISABLE)
		pipebench_stop(p);
	if (act == ACT_AIO)
		fake_ffs_deliver(ffs, 3);
	if (act == ACT_ALL_AIO)
		ffs_dispatch_aio(ffs);
	if (act == ACT_DEAF || act == ACT_HEARS)
		p->bench.camera->deaf = act == ACT_DEAF;
	if (act == ACT_ROUND)
		bench_round(&p->bench);
	if (act == ACT_SETTLE)
		bench_settle(&p->bench);
}

struct life_case {
	const struct trouble *trouble;
	const struct life *life;
	bool dwc2, too_late, overtakes;
};

/* What the phone reads now the camera has given after `since`, in order. */
static void drain(struct pipebench *p, unsigned since)
{
	uint8_t packet[512];
	size_t size;

	while (fake_ffs_posted(p->bench.ffs, PIPE_IN)) {
		const struct camera_packet *e = p->camera_in->packets;

		assert_int_equal(fake_ffs_receive(p->bench.ffs, PIPE_IN, packet, &size), FAKE_ACK);
		while (since < p->camera_in->given &&
			(e[since].size != size || memcmp(e[since].data, packet, size) != 0))
			since++;
		if (since++ == p->camera_in->given)
			fail_msg("the phone got what was there before it came");
		bench_settle(&p->bench);
	}
}

static void go_through(struct pipebench *p, const struct life *life, unsigned *in, unsigned *out)
{
	for (unsigned i = 0; life->acts[i]; i++) {
		act(p, life->acts[i]);
		if (life->acts[i] == ACT_ENABLE) {
			*in = p->camera_in->given;
			*out = p->camera_out->num;
		}
	}
}

/* Whatever was under way: afterwards all works, and nothing of before is seen at either end. */
static void test_life(void **state)
{
	const struct life_case *c = *state;
	struct pipebench p;
	unsigned in = 0, out = 0;

	pipebench_open(
		&p, &(struct pipebench_options){.framing = FRAMING_GENERIC, .dwc2 = c->dwc2});
	pipebench_start(&p);
	bench_settle(&p.bench);
	p.bench.camera->too_late = c->too_late;
	p.bench.camera->overtakes = c->overtakes;
	c->trouble->function(&p);
	go_through(&p, c->life, &in, &out);
	p.bench.camera->deaf = p.camera_in->blocked = p.camera_out->blocked = false;
	p.camera_out->fail = 0;
	bench_settle(&p.bench);
	if (!c->too_late)
		assert_int_equal(p.camera_out->num, out);
	drain(&p, in);
	assert_int_equal(p.in.state, PIPE_RUNNING);
	assert_int_equal(p.out.state, PIPE_RUNNING);
	assert_false(p.bench.ffs->endpoints[PIPE_IN].halted);
	assert_int_equal(p.failed, 0);
	pipebench_exchange(&p, 1000);
	pipebench_exchange(&p, 2000);
	pipebench_close(&p);
}

int main(void)
{
	static struct life_case all[NUM(troubles) * NUM(lives) * 4];
	static char names[NUM(all)][80];
	static struct CMUnitTest tests[NUM(all)];
	size_t n = 0;

	for (size_t i = 0; i < NUM(troubles) * NUM(lives) * 4; i += quick_step(7)) {
		struct life_case *c = &all[n];

		c->trouble = &troubles[i / 4 % NUM(troubles)];
		c->life = &lives[i / 4 / NUM(troubles)];
		c->dwc2 = i & 1;
		c->too_late = i & 2;
		c->overtakes = (i & 3) == 3;
		(void)snprintf(names[n], sizeof(names[n]), "%s; %s%s%s%s", c->trouble->name,
			c->life->name, c->dwc2 ? "; dwc2" : "", c->too_late ? "; too late" : "",
			c->overtakes ? "; overtaken" : "");
		tests[n] = (struct CMUnitTest){names[n], test_life, NULL, NULL, c};
		n++;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
