/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * relay by property: a phone, a camera and a server that do anything at any time. Nothing is lost,
 * doubled, changed or out of order but where an error says so, and it never hangs.
 *
 * Arguments: first seed, number of runs.
 */
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "bridge/client.h"
#include "tests/unit/relayrig.h"
#include "tests/unit/streamlog.h"

#define RUNS 300
#define STEPS 1500
/* m->expected */
#define NOT_YET UINT_MAX       /* the camera has not got all of the operation */
#define A_STALL (UINT_MAX - 1) /* ends the answer */

/* One phase of a PTP operation: a container on its way. */
struct phase {
	uint32_t length, at;
	uint16_t type;
	bool zero; /* its end is a zero-length packet */
	uint32_t id;
};

enum step {
	OP_IDLE,
	OP_COMMAND,
	OP_DATA, /* of the phone's */
	OP_ANSWER,
};

struct model {
	struct relayrig rig;
	uint64_t random;
	struct streamlog logs[RIG_ENDPOINTS];
	/* the phone */
	bool wants_clear[RIG_ENDPOINTS]; /* has seen a stall */
	enum usb_functionfs_event_type events[8];
	unsigned num_events;
	unsigned requests;
	/* PTP, phone's side; the camera's is what it has got of the command and the data */
	enum step step;
	struct phase out;
	bool has_data, data_in;
	unsigned tried;	   /* halts, when the operation began */
	unsigned first;	   /* packet of its answer, in the phone's log */
	unsigned expected; /* packets of it */
	bool ending;	   /* no new operation */
	uint32_t id;
};

/* splitmix64 */
static uint32_t below(struct model *m, uint32_t n)
{
	uint64_t z = m->random += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return (uint32_t)((z ^ z >> 31) % n);
}

static bool one_in(struct model *m, uint32_t n)
{
	return !below(m, n);
}

/* ---- PTP ---- */

static struct phase container(struct model *m, uint16_t type)
{
	struct phase p = {.type = type, .id = ++m->id};

	if (type != 2)
		p.length = 12 + 4 * below(m, 6);
	else if (one_in(m, 2))
		p.length = 12 + below(m, 4000);
	else
		p.length = 512 * (1 + below(m, one_in(m, 4) ? 300 : 20)) + below(m, 3) - 1;
	p.zero = p.length % 512 == 0 && one_in(m, 2);
	return p;
}

/* The next packet of a container; false when it is over. */
static bool next_packet(const struct phase *p, uint8_t *packet, uint32_t *size)
{
	if (p->at > p->length || (p->at == p->length && !p->zero))
		return false;
	*size = p->length - p->at < 512 ? p->length - p->at : 512;
	if (!p->at)
		bench_container(packet, *size, p->type, p->length, p->id);
	else
		bench_fill(packet, *size, p->id * 1000 + p->at);
	return true;
}

static unsigned put_container(struct model *m, uint16_t type, bool fails)
{
	struct phase p = container(m, type);
	uint32_t size, end = fails ? 1 + below(m, p.length) : UINT32_MAX;
	uint8_t packet[512];
	unsigned n = 0;

	for (; next_packet(&p, packet, &size) && p.at < end; p.at += 512, n++)
		camera_put(m->rig.camera[RIG_PTP_IN], packet, size);
	return n;
}

/* The camera has got the whole operation. */
static void answer(struct model *m)
{
	bool fails = one_in(m, 6);

	m->expected = m->has_data && m->data_in ? put_container(m, 2, fails) : 0;
	if (fails) {
		camera_put_error(m->rig.camera[RIG_PTP_IN], one_in(m, 3) ? -EPROTO : -EPIPE);
		m->expected = A_STALL;
	} else {
		m->expected += put_container(m, 3, false);
	}
}

static void begin(struct model *m)
{
	struct camera_endpoint *e = m->rig.camera[RIG_PTP_OUT];

	m->out = container(m, 1);
	m->has_data = one_in(m, 2);
	m->data_in = one_in(m, 2);
	m->step = OP_COMMAND;
	m->tried = m->rig.bench.ffs->endpoints[RIG_PTP_OUT].num_tried;
	m->first = m->logs[RIG_PTP_IN].num;
	/* A command without data: reads that stand for more, half full, would join what they hold
	 * with what comes after the halt. */
	e->fail = !m->has_data && one_in(m, 10) ? -EPIPE : 0;
	e->fail_at = e->num;
}

/* Sends a packet of what is to be sent. */
static void step_ptp_out(struct model *m)
{
	uint8_t packet[512];
	uint32_t size;
	enum fake_handshake h;

	if (!next_packet(&m->out, packet, &size)) {
		bool more = m->step == OP_COMMAND && m->has_data && !m->data_in;

		m->step = more ? OP_DATA : OP_ANSWER;
		if (more)
			m->out = container(m, 2);
		m->expected = NOT_YET;
		return;
	}
	h = fake_ffs_send(m->rig.bench.ffs, RIG_PTP_OUT, packet, size);
	if (h == FAKE_ACK) {
		streamlog_put(&m->logs[RIG_PTP_OUT], packet, size);
		m->out.at += 512;
	} else if (h == FAKE_STALL) {
		m->wants_clear[RIG_PTP_OUT] = true;
		m->step = OP_IDLE;
	}
}

/* The last that the phone sent is the last that the camera has got. */
static bool has_all(const struct model *m)
{
	const struct camera_endpoint *e = m->rig.camera[RIG_PTP_OUT];
	const struct streamlog *l = &m->logs[RIG_PTP_OUT];
	const struct streamlog_packet *sent = &l->packets[l->num - 1];
	const struct camera_packet *got = &e->packets[e->num - 1];

	return e->num && sent->size == got->size &&
		(!sent->size || !memcmp(sent->data, got->data, sent->size));
}

static void step_ptp(struct model *m)
{
	switch (m->step) {
	case OP_IDLE:
		if (!m->wants_clear[RIG_PTP_OUT] && !m->wants_clear[RIG_PTP_IN] && !m->ending)
			begin(m);
		break;
	case OP_COMMAND:
	case OP_DATA:
		step_ptp_out(m);
		break;
	case OP_ANSWER:
		if (m->expected == NOT_YET && has_all(m))
			answer(m);
		else if (m->expected < A_STALL && m->logs[RIG_PTP_IN].num - m->first >= m->expected)
			m->step = OP_IDLE;
		/* The command is lost, and the phone loses its patience. */
		else if (m->rig.bench.ffs->endpoints[RIG_PTP_OUT].num_tried > m->tried)
			m->step = OP_IDLE;
		else if (m->expected == A_STALL && one_in(m, 20))
			relayrig_tick(&m->rig);
		break;
	}
}

/* ---- the other endpoints ---- */

static void step_in(struct model *m, unsigned at)
{
	uint8_t packet[512];
	size_t size;
	enum fake_handshake h;

	if (m->wants_clear[at])
		return;
	h = fake_ffs_receive(m->rig.bench.ffs, at, packet, &size);
	if (h == FAKE_ACK)
		streamlog_put(&m->logs[at], packet, size);
	if (h != FAKE_STALL)
		return;
	streamlog_stall(&m->logs[at]);
	m->wants_clear[at] = true;
	if (at == RIG_PTP_IN && m->step == OP_ANSWER)
		m->step = OP_IDLE;
}

static uint32_t random_packet(struct model *m, unsigned at, uint8_t *packet)
{
	uint32_t max = m->rig.camera[at]->max_packet;
	uint32_t size = one_in(m, 2) ? max : one_in(m, 6) ? 0 : 8 + below(m, max - 8);

	bench_fill(packet, size, ++m->id);
	return size;
}

static void step_vendor_out(struct model *m)
{
	const struct streamlog *l = &m->logs[RIG_VENDOR_OUT];
	uint8_t packet[512];
	uint32_t size = random_packet(m, RIG_VENDOR_OUT, packet);
	enum fake_handshake h;

	/* At a session's start a zero-length packet could be mistaken for a later one. */
	if (!size && l->num_sessions && l->num == l->sessions[l->num_sessions - 1].packet)
		return;
	h = fake_ffs_send(m->rig.bench.ffs, RIG_VENDOR_OUT, packet, size);
	if (h == FAKE_ACK)
		streamlog_put(&m->logs[RIG_VENDOR_OUT], packet, size);
	m->wants_clear[RIG_VENDOR_OUT] |= h == FAKE_STALL;
}

static void step_camera(struct model *m, unsigned at)
{
	struct camera_endpoint *e = m->rig.camera[at];
	uint8_t packet[512];

	if (at == RIG_PTP_IN || e->num - e->given > 100)
		return;
	if (one_in(m, 40))
		camera_put_error(e, one_in(m, 2) ? -EPIPE : -EILSEQ);
	else
		camera_put(e, packet, random_packet(m, at, packet));
}

/* ---- coming and going ---- */

static void abandon(struct model *m)
{
	m->step = OP_IDLE;
	m->rig.camera[RIG_PTP_OUT]->fail = 0;
	/* A halt of before, if only the unlinks met it, would end the next operation instead. */
	m->rig.camera[RIG_PTP_IN]->halted = false;
	for (unsigned i = 0; i < RIG_ENDPOINTS; i++) {
		m->wants_clear[i] = false;
		if (relayrig_is_in(i))
			camera_forget(m->rig.camera[i]);
	}
}

static void tell(struct model *m, enum usb_functionfs_event_type type)
{
	if (m->num_events == 8)
		return;
	m->events[m->num_events++] = type;
}

static void hear(struct model *m)
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

static void step_phone(struct model *m)
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
	} else if (one_in(m, 3)) {
		ffs->suspended = true;
		tell(m, FUNCTIONFS_SUSPEND);
	} else if (one_in(m, 2)) {
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

static void step_server(struct model *m)
{
	struct camera *c = m->rig.bench.camera;

	switch (below(m, 8)) {
	case 0:
		c->deaf = one_in(m, 3);
		break;
	case 1:
		c->piece = one_in(m, 2) ? 1 + below(m, 3000) : 0;
		break;
	case 2:
		m->rig.camera[below(m, RIG_ENDPOINTS)]->blocked = true;
		break;
	case 3:
		/* not of PTP, whose phone would take it for the end of an operation */
		m->rig.camera[RIG_EVENT + below(m, 3)]->sticky = one_in(m, 3);
		break;
	case 4:
		c->too_late = one_in(m, 2);
		break;
	case 5:
		if (!m->rig.camera[RIG_VENDOR_OUT]->fail && one_in(m, 4)) {
			m->rig.camera[RIG_VENDOR_OUT]->fail = -EPIPE;
			m->rig.camera[RIG_VENDOR_OUT]->fail_at =
				m->rig.camera[RIG_VENDOR_OUT]->num + below(m, 4);
		}
		break;
	default:
		for (unsigned i = 0; i < RIG_ENDPOINTS; i++)
			m->rig.camera[i]->blocked = false;
		break;
	}
}

static void step_control(struct model *m)
{
	struct usb_ctrlrequest status = {.bRequestType = 0xa1, .bRequest = 0x67, .wLength = 0x0400};

	if (m->requests != m->rig.bench.ffs->answers)
		return;
	m->rig.bench.camera->answer_size = below(m, 5);
	m->rig.bench.camera->answer_status = one_in(m, 3) ? -EPIPE : 0;
	m->requests++;
	relay_setup(m->rig.relay, &status, NULL, 0);
}

/* ---- time ---- */

/* One iteration of the bridge's loop: completions before events before the server. */
static void step_bridge(struct model *m)
{
	struct bench *b = &m->rig.bench;

	if (m->num_events)
		ffs_dispatch_aio(b->ffs);
	else
		fake_ffs_deliver(b->ffs, below(m, 8));
	if (m->num_events && one_in(m, 3))
		hear(m);
	if (one_in(m, 4))
		step_control(m);
	if (one_in(m, 2))
		client_dispatch(b->client);
	b->flush(b->user);
	assert_int_equal(b->closed, 0);
}

static void step(struct model *m)
{
	struct bench *b = &m->rig.bench;
	unsigned at = below(m, RIG_ENDPOINTS);

	switch (below(m, 12)) {
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
		break;
	case 5:
		camera_send(b->camera);
		break;
	case 6:
		step_vendor_out(m);
		break;
	case 7:
		step_camera(m, relayrig_is_in(at) ? at : RIG_VENDOR_IN);
		break;
	case 8:
		if (one_in(m, 12))
			step_server(m);
		if (one_in(m, 40))
			step_phone(m);
		break;
	case 9:
		if (m->wants_clear[at] && one_in(m, 5)) {
			fake_ffs_clear_halt(b->ffs, at);
			m->wants_clear[at] = false;
		}
		break;
	default:
		for (unsigned i = below(m, 10); i; i--) {
			step_ptp(m);
			step_in(m, relayrig_is_in(at) ? at : RIG_PTP_IN);
		}
	}
}

/* ---- the end ---- */

static void calm_down(struct model *m)
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
}

/* The phone reads all, clears all halts and ends its operation. */
static void finish(struct model *m)
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
				step_in(m, at);
		}
		for (unsigned n = 0; n < 600; n++)
			step_ptp(m);
		idle = ffs->submitted + ffs->delivered == before && m->step == OP_IDLE ? idle + 1
										       : 0;
	}
}

static void check(struct model *m)
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
	unsigned long packets[RIG_ENDPOINTS], stalls[RIG_ENDPOINTS], sessions;
};

static void run(uint64_t seed, struct totals *t)
{
	struct model *m = calloc(1, sizeof(*m));

	assert_non_null(m);
	m->random = seed;
	relayrig_open(&m->rig, one_in(m, 2));
	m->rig.bench.camera->shuffle = one_in(m, 2) ? seed + 1 : 0;
	m->rig.bench.camera->overtakes = one_in(m, 3);
	step_phone(m);
	for (unsigned i = 0; i < STEPS; i++)
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
	relayrig_close(&m->rig);
	free(m);
}

struct seeds {
	uint64_t first;
	unsigned runs;
};

static void test_random(void **state)
{
	const struct seeds *seeds = *state;
	struct totals t = {{0}, {0}, 0};

	for (unsigned i = 0; i < seeds->runs; i++) {
		/* So that a failure can be run again by itself. */
		print_message("seed %llu\r", (unsigned long long)seeds->first + i);
		run(seeds->first + i, &t);
	}
	/* It would prove nothing if little had happened. */
	for (unsigned i = 0; i < RIG_ENDPOINTS; i++) {
		print_message(
			"endpoint %u: %lu packets, %lu stalls\n", i, t.packets[i], t.stalls[i]);
		assert_true(t.packets[i] > 10 * seeds->runs);
		assert_true(!relayrig_is_in(i) || t.stalls[i] >= seeds->runs / 4);
	}
	print_message("%lu sessions\n", t.sessions / RIG_ENDPOINTS);
	assert_true(t.sessions / RIG_ENDPOINTS >= 2 * seeds->runs);
}

int main(int argc, char **argv)
{
	struct seeds seeds = {.first = argc > 1 ? strtoull(argv[1], NULL, 0) : 1,
		.runs = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 0) : RUNS};
	const struct CMUnitTest tests[] = {
		{"random", test_random, NULL, NULL, &seeds},
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
