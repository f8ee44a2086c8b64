/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/relaymodel.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

/* m->expected */
#define A_STALL (UINT_MAX - 1) /* ends the answer */

#define OPEN_SESSION 0x1002
#define GET_OBJECT 0x1009
#define VENDOR 0x9001 /* may do anything */
#define OK 0x2001

/* splitmix64 */
uint32_t relaymodel_below(struct relaymodel *m, uint32_t n)
{
	uint64_t z = m->random += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return (uint32_t)((z ^ z >> 31) % n);
}

bool relaymodel_one_in(struct relaymodel *m, uint32_t n)
{
	return !relaymodel_below(m, n);
}

/* ---- PTP ---- */

static struct phase container(struct relaymodel *m, uint16_t type)
{
	struct phase p = {.type = type, .id = ++m->id};

	if (type != 2)
		p.length = 12 + 4 * relaymodel_below(m, 6);
	else if (relaymodel_one_in(m, m->loses ? 5 : 2))
		p.length = 12 + relaymodel_below(m, 4000);
	else
		/* Where the link is lost, often in the middle of many requests. */
		p.length = 512 *
				(1 +
					relaymodel_below(m,
						m->loses			  ? 120
							: relaymodel_one_in(m, 4) ? 300
										  : 20)) +
			relaymodel_below(m, 3) - 1;
	p.zero = p.length % 512 == 0 && relaymodel_one_in(m, 2);
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
	if (!p->at && p->code) {
		packet[6] = (uint8_t)p->code;
		packet[7] = (uint8_t)(p->code >> 8);
	}
	if (p->at)
		bench_fill(packet, *size, p->id * 1000 + p->at);
	return true;
}

static unsigned put_container(struct relaymodel *m, uint16_t type, bool fails)
{
	struct phase p = container(m, type);
	uint32_t size, end = fails ? 1 + relaymodel_below(m, p.length) : UINT32_MAX;
	uint8_t packet[512];
	unsigned n = 0;

	if (type == 3 && m->out.code == OPEN_SESSION)
		p.code = OK;
	for (; next_packet(&p, packet, &size) && p.at < end; p.at += 512, n++)
		camera_put(m->rig.camera[RIG_PTP_IN], packet, size);
	return n;
}

static void make_answer(struct relaymodel *m)
{
	bool fails = relaymodel_one_in(m, 6);

	m->expected = m->has_data && m->data_in ? put_container(m, 2, fails) : 0;
	if (fails) {
		camera_put_error(
			m->rig.camera[RIG_PTP_IN], relaymodel_one_in(m, 3) ? -EPROTO : -EPIPE);
		m->expected = A_STALL;
	} else {
		m->expected += put_container(m, 3, false);
	}
}

/* The camera has got the whole operation. Asked again, it gives the same answer, as a rule. */
static void answer(struct relaymodel *m)
{
	bool again = m->answered && !relaymodel_one_in(m, 8);
	uint64_t random = m->random;
	uint32_t id = m->id;

	m->answer_before = m->answer_from;
	m->answer_from = m->rig.camera[RIG_PTP_IN]->num;
	m->replayed = again;
	if (again) {
		m->random = m->answer_random;
		m->id = m->answer_id;
		make_answer(m);
		m->random = random;
		m->id = id;
		if (m->link != LINK_BACK)
			relaymodel_had(m, 0);
		return;
	}
	m->answered = true;
	m->answer_random = random;
	m->answer_id = id;
	make_answer(m);
	/* The phone has had some of another one, and is told. */
	if (m->link == LINK_BACK && !m->rig.gone_on &&
		relay_pipe(m->rig.relay, RIG_PTP_IN)->framing->answer.size)
		m->expected = A_STALL;
}

void relaymodel_had(struct relaymodel *m, unsigned had)
{
	for (unsigned i = m->answer_before + had; i < m->answer_from; i++)
		m->rig.camera[RIG_PTP_IN]->packets[i].lost = true;
}

static void begin(struct relaymodel *m)
{
	struct camera_endpoint *e = m->rig.camera[RIG_PTP_OUT];

	m->out = container(m, 1);
	m->has_data = relaymodel_one_in(m, 2) || (m->loses && relaymodel_one_in(m, 2));
	m->data_in = relaymodel_one_in(m, 2) || (m->loses && relaymodel_one_in(m, 2));
	if (m->loses && relaymodel_one_in(m, 8)) {
		m->out.code = OPEN_SESSION;
		m->out.length = 16;
		m->has_data = false;
	} else if (m->loses && (m->data_in || !m->has_data) && !relaymodel_one_in(m, 4)) {
		m->out.code = GET_OBJECT;
	}
	m->repeatable = m->out.code != 0;
	if (!m->repeatable)
		m->out.code = VENDOR;
	m->step = OP_COMMAND;
	m->halted = m->answered = false;
	m->tried = m->rig.bench.ffs->endpoints[RIG_PTP_OUT].num_tried;
	m->first = m->logs[RIG_PTP_IN].num;
	/* A command without data: reads that stand for more, half full, would join what they hold
	 * with what comes after the halt. */
	e->fail = !m->has_data && relaymodel_one_in(m, 10) ? -EPIPE : 0;
	/* Nor would a phone know, whose command is neither taken nor halted, to which operation a
	 * later halt belongs. */
	if (m->loses)
		e->fail = 0;
	e->fail_at = e->num;
}

/* Sends a packet of what is to be sent. */
static void step_ptp_out(struct relaymodel *m)
{
	uint8_t packet[512];
	uint32_t size;
	enum fake_handshake h;

	if (!next_packet(&m->out, packet, &size)) {
		bool more = m->step == OP_COMMAND && m->has_data && !m->data_in;

		m->step = more ? OP_DATA : OP_ANSWER;
		if (more)
			m->out = container(m, 2);
		m->expected = RELAYMODEL_NOT_YET;
		return;
	}
	h = fake_ffs_send(m->rig.bench.ffs, RIG_PTP_OUT, packet, size);
	if (h == FAKE_ACK) {
		streamlog_put(&m->logs[RIG_PTP_OUT], packet, size);
		m->out.at += 512;
		m->given_up = false;
	} else if (h == FAKE_STALL) {
		m->wants_clear[RIG_PTP_OUT] = true;
		m->step = OP_IDLE;
	}
}

/* The last that the phone sent is the last that the camera has got. */
static bool has_all(const struct relaymodel *m)
{
	const struct camera_endpoint *e = m->rig.camera[RIG_PTP_OUT];
	const struct streamlog *l = &m->logs[RIG_PTP_OUT];
	const struct streamlog_packet *sent;
	const struct camera_packet *got;

	if (!e->num || !l->num || (m->loses && e->num <= m->cut))
		return false;
	sent = &l->packets[l->num - 1];
	got = &e->packets[e->num - 1];
	return sent->size == got->size &&
		(!sent->size || !memcmp(sent->data, got->data, sent->size));
}

void relaymodel_ptp(struct relaymodel *m)
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
		if (m->halted)
			m->step = OP_IDLE;
		else if (m->expected == RELAYMODEL_NOT_YET && has_all(m))
			answer(m);
		else if (m->expected < A_STALL && m->logs[RIG_PTP_IN].num - m->first >= m->expected)
			m->step = OP_IDLE;
		/* The command is lost, and the phone loses its patience. */
		else if (m->rig.bench.ffs->endpoints[RIG_PTP_OUT].num_tried > m->tried)
			m->step = OP_IDLE;
		else if (m->expected == A_STALL && relaymodel_one_in(m, 20))
			relayrig_wait(&m->rig, 1);
		break;
	}
}

/* ---- the other endpoints ---- */

void relaymodel_in(struct relaymodel *m, unsigned at)
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
	if (at != RIG_PTP_IN)
		return;
	/* Of a link that is lost it is told at most once an operation, and only where that is not
	 * whole. */
	if (m->loses && ((m->step == OP_IDLE && !m->given_up) || m->halted))
		fail_msg("a halt that belongs to no operation");
	m->halted = m->loses;
	if (m->step == OP_ANSWER)
		m->step = OP_IDLE;
}

static uint32_t random_packet(struct relaymodel *m, unsigned at, uint8_t *packet)
{
	uint32_t max = m->rig.camera[at]->max_packet;
	uint32_t size = relaymodel_one_in(m, 2)	       ? max
		: !m->loses && relaymodel_one_in(m, 6) ? 0
						       : 8 + relaymodel_below(m, max - 8);

	bench_fill(packet, size, ++m->id);
	return size;
}

void relaymodel_vendor_out(struct relaymodel *m)
{
	const struct streamlog *l = &m->logs[RIG_VENDOR_OUT];
	uint8_t packet[512];
	uint32_t size = random_packet(m, RIG_VENDOR_OUT, packet);
	enum fake_handshake h;

	if (m->loses)
		return;
	/* At a session's start a zero-length packet could be mistaken for a later one. */
	if (!size && l->num_sessions && l->num == l->sessions[l->num_sessions - 1].packet)
		return;
	h = fake_ffs_send(m->rig.bench.ffs, RIG_VENDOR_OUT, packet, size);
	if (h == FAKE_ACK)
		streamlog_put(&m->logs[RIG_VENDOR_OUT], packet, size);
	m->wants_clear[RIG_VENDOR_OUT] |= h == FAKE_STALL;
}

void relaymodel_camera(struct relaymodel *m, unsigned at)
{
	struct camera_endpoint *e = m->rig.camera[at];
	uint8_t packet[512];

	if (at == RIG_PTP_IN || e->num - e->given > 100)
		return;
	if (m->loses && at == RIG_VENDOR_IN)
		return;
	if (relaymodel_one_in(m, 40))
		camera_put_error(e, relaymodel_one_in(m, 2) ? -EPIPE : -EILSEQ);
	else
		camera_put(e, packet, random_packet(m, at, packet));
}
