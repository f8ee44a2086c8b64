/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * relay by property: a phone, a camera and a server that do anything at any time. Nothing is lost,
 * doubled, changed or out of order but where an error says so, and it never hangs.
 *
 * Arguments: first seed, number of runs.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "bridge/client.h"
#include "tests/unit/relaylink.h"
#include "tests/unit/quick.h"

#define RUNS quick_part(100, 10)
#define STEPS 1500

/* ---- coming and going ---- */

static void abandon(struct relaymodel *m)
{
	m->step = OP_IDLE;
	m->rig.camera[RIG_PTP_OUT]->fail = 0;
	/* A halt of before, if only the unlinks met it, would end the next operation instead. */
	m->rig.camera[RIG_PTP_IN]->halted = false;
	for (unsigned i = 0; i < RIG_ENDPOINTS; i++) {
		m->wants_clear[i] = false;
		/* but for the bridge's session that it opens */
		if (relayrig_is_in(i) && m->link != LINK_BACK)
			camera_forget(m->rig.camera[i]);
	}
}

static void tell(struct relaymodel *m, enum usb_functionfs_event_type type)
{
	if (m->num_events == 8)
		return;
	m->events[m->num_events++] = type;
}

static void hear(struct relaymodel *m)
{
	enum usb_functionfs_event_type type = m->events[0];

	m->num_events--;
	memmove(m->events, m->events + 1, m->num_events * sizeof(m->events[0]));
	if (type == FUNCTIONFS_ENABLE) {
		for (unsigned i = 0; i < RIG_ENDPOINTS; i++)
			streamlog_session(&m->logs[i], (unsigned)relay_pipe(m->rig.relay, i)->urbs);
	}
	relay_event(m->rig.relay, type);
}

static void step_phone(struct relaymodel *m)
{
	struct ffs *ffs = m->rig.bench.ffs;

	/* Events that the bridge has not heard of yet are rare and few: the kernel keeps one of a
	 * kind. */
	if (m->num_events || m->logs[0].num_sessions > STREAMLOG_SESSIONS - 4)
		return;
	if (!ffs->configured) {
		fake_ffs_enable(ffs);
		tell(m, FUNCTIONFS_ENABLE);
	} else if (ffs->suspended) {
		ffs->suspended = false;
		tell(m, FUNCTIONFS_RESUME);
	} else if (relaymodel_one_in(m, 3)) {
		ffs->suspended = true;
		tell(m, FUNCTIONFS_SUSPEND);
	} else if (relaymodel_one_in(m, 2)) {
		fake_ffs_disable(ffs);
		abandon(m);
		tell(m, FUNCTIONFS_DISABLE);
	} else {
		/* Not in the same moment as a packet of its own: the reads that this lets be asked
		 * for would meet the new configuration, and be taken for those of the old one. */
		ffs_dispatch_aio(ffs);
		m->rig.bench.flush(&m->rig);
		fake_ffs_disable(ffs);
		abandon(m);
		fake_ffs_enable(ffs);
		tell(m, FUNCTIONFS_ENABLE);
	}
	/* With nothing given back that would tell, the event is all there is; in life it takes the
	 * phone longer than this. */
	if (!ffs->completed.num && m->num_events) {
		hear(m);
		m->rig.bench.flush(&m->rig);
	}
}

static void step_server(struct relaymodel *m)
{
	struct camera *c = m->rig.bench.camera;

	switch (relaymodel_below(m, 8)) {
	case 0:
		c->deaf = relaymodel_one_in(m, 3);
		break;
	case 1:
		c->piece = m->loses		  ? 1 + relaymodel_below(m, 20000)
			: relaymodel_one_in(m, 2) ? 1 + relaymodel_below(m, 3000)
						  : 0;
		break;
	case 2:
		m->rig.camera[relaymodel_below(m, RIG_ENDPOINTS)]->blocked = true;
		break;
	case 3:
		/* not of PTP, whose phone would take it for the end of an operation */
		m->rig.camera[RIG_EVENT + relaymodel_below(m, 3)]->sticky = relaymodel_one_in(m, 3);
		break;
	case 4:
		c->too_late = relaymodel_one_in(m, 2);
		break;
	case 5:
		if (!m->rig.camera[RIG_VENDOR_OUT]->fail && relaymodel_one_in(m, 4)) {
			m->rig.camera[RIG_VENDOR_OUT]->fail = -EPIPE;
			m->rig.camera[RIG_VENDOR_OUT]->fail_at =
				m->rig.camera[RIG_VENDOR_OUT]->num + relaymodel_below(m, 4);
		}
		break;
	default:
		for (unsigned i = 0; i < RIG_ENDPOINTS; i++)
			m->rig.camera[i]->blocked = false;
		break;
	}
}

static void step_control(struct relaymodel *m)
{
	struct usb_ctrlrequest status = {.bRequestType = 0xa1, .bRequest = 0x67, .wLength = 0x0400};

	if (m->requests != m->rig.bench.ffs->answers)
		return;
	m->rig.bench.camera->answer_size = relaymodel_below(m, 5);
	m->rig.bench.camera->answer_status = relaymodel_one_in(m, 3) ? -EPIPE : 0;
	m->requests++;
	relay_setup(m->rig.relay, &status, NULL, 0);
}

/* ---- time ---- */

/* One iteration of the bridge's loop: completions before events before the server. */
static void step_bridge(struct relaymodel *m)
{
	struct bench *b = &m->rig.bench;

	if (m->num_events)
		ffs_dispatch_aio(b->ffs);
	else
		fake_ffs_deliver(b->ffs, relaymodel_below(m, 8));
	if (m->num_events && relaymodel_one_in(m, 3))
		hear(m);
	if (relaymodel_one_in(m, 4))
		step_control(m);
	/* Nor does it go on before it has heard that the phone is another: its halt would be that
	 * one's. In life there is no time for that. */
	if (relaymodel_one_in(m, 2) && !b->closed && (m->link != LINK_BACK || !m->num_events))
		client_dispatch(b->client);
	b->flush(b->user);
	if (m->loses)
		relaylink_bridge(m);
	else
		assert_int_equal(b->closed, 0);
}

static void step(struct relaymodel *m)
{
	struct bench *b = &m->rig.bench;
	unsigned at = relaymodel_below(m, RIG_ENDPOINTS);

	switch (relaymodel_below(m, 12)) {
	case 0:
	case 1:
	case 2:
		step_bridge(m);
		break;
	case 3:
		camera_receive(b->camera);
		break;
	case 4:
		camera_run(b->camera);
		relaylink_camera(m);
		break;
	case 5:
		camera_send(b->camera);
		break;
	case 6:
		relaymodel_vendor_out(m);
		break;
	case 7:
		relaymodel_camera(m, relayrig_is_in(at) ? at : RIG_VENDOR_IN);
		break;
	case 8:
		if (relaymodel_one_in(m, 12))
			step_server(m);
		if (relaymodel_one_in(m, 40))
			step_phone(m);
		if (relaymodel_one_in(m, 4))
			relaylink_step(m);
		break;
	case 9:
		if (m->wants_clear[at] && relaymodel_one_in(m, 5)) {
			fake_ffs_clear_halt(b->ffs, at);
			m->wants_clear[at] = false;
		}
		break;
	default:
		for (unsigned i = relaymodel_below(m, 10); i; i--) {
			relaymodel_ptp(m);
			relaymodel_in(m, relayrig_is_in(at) ? at : RIG_PTP_IN);
		}
	}
}

/* ---- the end ---- */

static void calm_down(struct relaymodel *m)
{
	struct camera *c = m->rig.bench.camera;

	c->deaf = c->too_late = false;
	c->piece = 0;
	for (unsigned i = 0; i < RIG_ENDPOINTS; i++)
		m->rig.camera[i]->blocked = m->rig.camera[i]->sticky = false;
	m->ending = true;
	while (!m->rig.bench.ffs->configured || m->rig.bench.ffs->suspended || m->num_events) {
		if (!m->num_events)
			step_phone(m);
		ffs_dispatch_aio(m->rig.bench.ffs);
		if (m->num_events)
			hear(m);
		m->rig.bench.flush(&m->rig);
	}
	relaylink_restore(m);
}

/* On dwc2 the phone does not see the halt of an OUT endpoint before it has filled its reads. */
static void show_late_halts(struct relaymodel *m)
{
	const uint8_t packet[1] = {0};

	for (unsigned at = 0; at < RIG_ENDPOINTS; at++) {
		if (!relayrig_is_in(at) && relay_pipe(m->rig.relay, at)->state == PIPE_HALTING &&
			fake_ffs_send(m->rig.bench.ffs, at, packet, 1) == FAKE_ACK)
			streamlog_put(&m->logs[at], packet, 1);
	}
}

/* The phone reads all, clears all halts and ends its operation. */
static void finish(struct relaymodel *m)
{
	struct ffs *ffs = m->rig.bench.ffs;
	unsigned idle = 0;

	for (unsigned i = 0; idle < 3; i++) {
		unsigned long before = ffs->submitted + ffs->delivered;

		if (i == 20000)
			fail_msg("it never ends");
		/* stirs what the camera has halted again */
		if (idle)
			step_control(m);
		bench_settle(&m->rig.bench);
		for (unsigned at = 0; at < RIG_ENDPOINTS; at++) {
			if (m->wants_clear[at] || !relayrig_is_in(at))
				fake_ffs_clear_halt(ffs, at);
			m->wants_clear[at] = false;
			for (unsigned n = 0; relayrig_is_in(at) && n < 600; n++)
				relaymodel_in(m, at);
		}
		for (unsigned n = 0; n < 600; n++)
			relaymodel_ptp(m);
		if (m->step == OP_IDLE)
			show_late_halts(m);
		idle = ffs->submitted + ffs->delivered == before && m->step == OP_IDLE ? idle + 1
										       : 0;
	}
}

static void check(struct relaymodel *m)
{
	struct relayrig *r = &m->rig;

	assert_int_equal(r->failed, 0);
	assert_int_equal(m->requests, r->bench.ffs->answers);
	for (unsigned i = 0; i < RIG_ENDPOINTS; i++) {
		assert_int_equal(relay_pipe(r->relay, i)->state, PIPE_RUNNING);
		if (relayrig_is_in(i))
			streamlog_check_in(&m->logs[i], r->camera[i]);
		else
			streamlog_check_out(&m->logs[i], r->camera[i], &r->bench.ffs->endpoints[i]);
	}
	r->camera[RIG_PTP_OUT]->fail = r->camera[RIG_VENDOR_OUT]->fail = 0;
	/* If it halted again after its halt was cleared, only what the phone sends next would show
	 * it. */
	r->camera[RIG_VENDOR_OUT]->halted = false;
	relayrig_exchange(r, 1000000);
	relay_stop(r->relay);
	bench_settle(&r->bench);
	assert_int_equal(r->bench.camera->urbs_out, 0);
	for (unsigned i = 0; i < RIG_ENDPOINTS; i++) {
		const struct pipe *p = relay_pipe(r->relay, i);

		assert_int_equal(p->state, PIPE_STOPPED);
		assert_true(!relayrig_is_in(i) || pipe_idle(p));
	}
}

struct totals {
	unsigned long packets[RIG_ENDPOINTS], stalls[RIG_ENDPOINTS], sessions, losses, opened,
		repeated, resumed, stuck;
};

static void run(uint64_t seed, bool loses, struct totals *t)
{
	struct relaymodel *m = calloc(1, sizeof(*m));

	assert_non_null(m);
	m->random = seed;
	m->loses = loses;
	relayrig_open(&m->rig, relaymodel_one_in(m, 2));
	m->rig.bench.camera->shuffle = relaymodel_one_in(m, 2) ? seed + 1 : 0;
	m->rig.bench.camera->overtakes = relaymodel_one_in(m, 3);
	step_phone(m);
	for (unsigned i = 0; i < (loses ? 2 * STEPS : STEPS); i++)
		step(m);
	calm_down(m);
	finish(m);
	check(m);
	for (unsigned i = 0; i < RIG_ENDPOINTS; i++) {
		t->packets[i] += m->logs[i].num;
		t->stalls[i] += m->logs[i].num_stalls;
		t->sessions += m->logs[i].num_sessions;
		streamlog_free(&m->logs[i]);
	}
	t->losses += m->losses;
	t->opened += m->opened;
	t->repeated += m->repeated;
	t->resumed += m->resumed;
	t->stuck += m->stuck;
	relayrig_close(&m->rig);
	free(m);
}

struct seeds {
	uint64_t first;
	unsigned runs;
	bool loses;
};

static void test_random(void **state)
{
	const struct seeds *seeds = *state;
	struct totals t = {.sessions = 0};

	for (unsigned i = 0; i < seeds->runs; i++) {
		/* So that a failure can be run again by itself. */
		print_message("seed %llu\r", (unsigned long long)seeds->first + i);
		run(seeds->first + i, seeds->loses, &t);
	}
	/* It would prove nothing if little had happened; unless one failure is run again. */
	if (seeds->runs < 10)
		return;
	for (unsigned i = 0; i < RIG_ENDPOINTS; i++) {
		print_message(
			"endpoint %u: %lu packets, %lu stalls\n", i, t.packets[i], t.stalls[i]);
		if (seeds->loses && i >= RIG_VENDOR_OUT)
			continue;
		assert_true(t.packets[i] > (seeds->loses ? 5 : 10) * seeds->runs);
		assert_true(!relayrig_is_in(i) || (seeds->loses && i == RIG_EVENT) ||
			t.stalls[i] >= seeds->runs / 4);
	}
	print_message("%lu sessions, %lu losses, %lu PTP sessions opened again, %lu commands sent "
		      "again, %lu in the middle of the answer, %lu in vain\n",
		t.sessions / RIG_ENDPOINTS, t.losses, t.opened, t.repeated, t.resumed, t.stuck);
	assert_true(!seeds->loses || t.losses >= 2 * seeds->runs);
	assert_true(!seeds->loses || t.repeated >= seeds->runs / 2);
	assert_true(!seeds->loses || t.resumed >= seeds->runs / 10);
	assert_true(t.sessions / RIG_ENDPOINTS >= seeds->runs);
}

int main(int argc, char **argv)
{
	struct seeds seeds = {.first = argc > 1 ? strtoull(argv[1], NULL, 0) : 1,
		.runs = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 0) : RUNS};
	struct seeds losing = {seeds.first, seeds.runs, true};
	const struct CMUnitTest tests[] = {
		{"random", test_random, NULL, NULL, &seeds},
		{"random, with a link that is lost", test_random, NULL, NULL, &losing},
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
