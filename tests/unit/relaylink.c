/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/relaylink.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "bridge/client.h"

/* What the camera has given by now was for the bridge itself. */
static void end_recovery(struct relaymodel *m)
{
	struct camera_endpoint *in = m->rig.camera[RIG_PTP_IN];

	for (; m->given < in->given; m->given++) {
		in->packets[m->given].lost = true;
		in->packets[m->given].urb = m->submitted[RIG_PTP_IN];
	}
}

static void lose(struct relaymodel *m)
{
	struct relayrig *r = &m->rig;

	if (m->link == LINK_BACK) {
		end_recovery(m);
		/* It was not to be. */
		if (m->replayed)
			m->answer_from = m->answer_before;
	}
	camera_hang_up(r->bench.camera);
	for (unsigned i = 0; i < RIG_ENDPOINTS; i++)
		streamlog_cut(&m->logs[i], r->camera[i]);
	m->cut = r->camera[RIG_PTP_OUT]->num;
	m->losses++;
	m->link = LINK_CUT;
}

/* URBs, as the relay counts them, without those of the session. */
static void number_urbs(struct relaymodel *m)
{
	for (unsigned i = 0; i < RIG_ENDPOINTS; i++)
		m->rig.camera[i]->urbs = m->submitted[i];
}

static void come_back(struct relaymodel *m)
{
	struct bench *b = &m->rig.bench;

	b->camera->piece = 0;
	m->rig.gone_on = 0;
	/* As in each iteration of the loop: else reads that are asked for now would meet a
	 * configuration of which nothing has been heard. */
	ffs_dispatch_aio(b->ffs);
	bench_return(b);
	number_urbs(m);
	m->link = LINK_BACK;
	m->asked = false;
	m->replayed = false;
	m->given = m->rig.camera[RIG_PTP_IN]->given;
	m->sent = m->logs[RIG_PTP_OUT].num;
	relay_go_on(m->rig.relay, b->client);
	b->flush(b->user);
	/* So that it is lost in the middle of something. */
	if (!m->ending)
		b->camera->piece = 1 + relaymodel_below(m, 20000);
	relaylink_bridge(m);
}

/* The phone has had some of an answer, and waits for more. */
static bool is_midway(const struct relaymodel *m)
{
	return m->link == LINK_UP && m->step == OP_ANSWER && m->logs[RIG_PTP_IN].num > m->first;
}

void relaylink_step(struct relaymodel *m)
{
	bool lost = m->link == LINK_LOST;

	if (!m->loses)
		return;
	if (lost && m->step == OP_DATA && relaymodel_one_in(m, 3)) {
		/* It sends a command at once, before it can be told of anything. */
		m->step = OP_IDLE;
		m->given_up = true;
	} else if (lost && !m->given_up && !m->num_events) {
		come_back(m);
	} else if (!lost && m->link != LINK_CUT && (is_midway(m) || relaymodel_one_in(m, 3)) &&
		m->logs[0].num_cuts < STREAMLOG_SESSIONS / 2) {
		lose(m);
	}
}

void relaylink_bridge(struct relaymodel *m)
{
	struct relayrig *r = &m->rig;

	assert_int_equal(r->failed, 0);
	if (m->link == LINK_BACK && r->gone_on) {
		relaylink_camera(m);
		if (m->replayed) {
			m->resumed += r->camera[RIG_PTP_IN]->given > m->answer_from;
			relaymodel_had(m, r->camera[RIG_PTP_IN]->given - m->answer_from);
		}
		end_recovery(m);
		number_urbs(m);
		m->link = LINK_UP;
	}
	if (m->link == LINK_LOST || !r->bench.closed)
		return;
	/* The bridge has given it up, to take the camera over anew. */
	if (m->link == LINK_BACK) {
		assert_int_equal(r->bench.closed, -ECONNABORTED);
		m->stuck++;
		lose(m);
	}
	assert_int_equal(m->link, LINK_CUT);
	relay_hold(r->relay);
	r->bench.flush(r->bench.user);
	for (unsigned i = 0; i < RIG_ENDPOINTS; i++)
		m->submitted[i] = (unsigned)relay_pipe(r->relay, i)->urbs;
	m->link = LINK_LOST;
}

/* The command that the phone had sent last, again. It may have gone since, or have begun anew. */
static bool is_repeated(const struct relaymodel *m, const struct camera_packet *p)
{
	const struct streamlog *sent = &m->logs[RIG_PTP_OUT];
	const struct streamlog_packet *last = m->sent ? &sent->packets[m->sent - 1] : NULL;

	if (!last || last->size != p->size || memcmp(last->data, p->data, p->size) != 0)
		return false;
	if (m->step == OP_ANSWER && m->sent == sent->num)
		assert_true(m->repeatable && !m->halted);
	return true;
}

void relaylink_camera(struct relaymodel *m)
{
	static const uint8_t open[8] = {16, 0, 0, 0, 1, 0, 0x02, 0x10};
	static const uint8_t ok[12] = {12, 0, 0, 0, 3, 0, 0x01, 0x20};
	struct camera_endpoint *in = m->rig.camera[RIG_PTP_IN], *out = m->rig.camera[RIG_PTP_OUT];
	struct camera_packet *p;

	if (m->link != LINK_BACK || out->num == m->cut || m->asked)
		return;
	p = &out->packets[out->num - 1];
	if (p->lost)
		return;
	if (is_repeated(m, p)) {
		p->lost = m->asked = true;
		if (m->step == OP_ANSWER && m->sent == m->logs[RIG_PTP_OUT].num)
			m->expected = RELAYMODEL_NOT_YET;
		m->repeated++;
		return;
	}
	assert_true(p->size == 16 && !memcmp(p->data, open, 8));
	p->lost = true;
	camera_put(in, ok, sizeof(ok));
	in->packets[in->num - 1].lost = true;
	m->opened++;
}

void relaylink_restore(struct relaymodel *m)
{
	for (unsigned i = 1; m->link != LINK_UP; i++) {
		if (m->link == LINK_LOST)
			come_back(m);
		/* To a phone that does not wait for it any more the camera gives no answer here. */
		if (m->asked && i % 100 == 0)
			relayrig_wait(&m->rig, 5);
		relaymodel_ptp(m);
		bench_bridge(&m->rig.bench);
		relaylink_bridge(m);
		bench_camera(&m->rig.bench);
		relaylink_camera(m);
	}
}
