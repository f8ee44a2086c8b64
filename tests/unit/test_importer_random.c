/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * importer against a model: requests, unlinks, and what the device does, in any order. Each
 * CMD_SUBMIT is answered by one RET_SUBMIT, or by one RET_UNLINK of -ECONNRESET; each CMD_UNLINK by
 * one RET_UNLINK; there is nothing else, and data is the URB's own.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/importrig.h"
#include "tests/unit/quick.h"

#define MAX_UNDER_WAY 200
#define MAX_LENGTH 5000

enum was {
	NOTHING,
	SUBMITTED,
	UNLINK,
	ANSWERED,
};

struct model {
	struct importrig r;
	uint64_t seed;
	uint32_t next;		     /* seqnum */
	unsigned under_way, unlinks; /* not answered, as the peer sees it */
	uint8_t was[IMPORTRIG_SEQNUMS];
	uint32_t victim[IMPORTRIG_SEQNUMS]; /* of an UNLINK */
	uint32_t first[IMPORTRIG_SEQNUMS];  /* the first UNLINK of a SUBMITTED; 0: none */
	unsigned answers;
	/* How often it came to each end. */
	unsigned cancelled, late;
};

static uint32_t dice(struct model *m, uint32_t sides)
{
	/* xorshift64* */
	m->seed ^= m->seed >> 12;
	m->seed ^= m->seed << 25;
	m->seed ^= m->seed >> 27;
	return (uint32_t)((m->seed * 0x2545f4914f6cdd1dull) >> 33) % sides;
}

static void submit(struct model *m)
{
	static struct usbip_iso_packet packets[8];
	struct importrig_request q = {.seqnum = m->next};

	if (m->under_way >= MAX_UNDER_WAY)
		return;
	q.ep = (uint8_t)dice(m, 4);
	q.in = dice(m, 2);
	q.length = dice(m, 4) ? dice(m, 64) : dice(m, MAX_LENGTH);
	if (!q.ep) {
		q.in = q.in && q.length;
		q.setup[0] = q.in ? 0x80 : 0;
		q.setup[6] = (uint8_t)q.length;
		q.setup[7] = (uint8_t)(q.length >> 8);
	} else if (q.ep == 3) {
		q.num_packets = 1 + dice(m, 8);
		q.packets = packets;
		for (unsigned i = 0; i < q.num_packets; i++)
			packets[i] = (struct usbip_iso_packet){
				.offset = i * (q.length / 8), .length = q.length / 8};
	}
	importrig_submit(&m->r, &q);
	m->was[m->next++] = SUBMITTED;
	m->under_way++;
}

/* Mostly of one that was submitted. */
static void unlink_any(struct model *m)
{
	uint32_t victim = m->next - 1 - dice(m, m->next < 100 ? m->next : 100);

	if (!dice(m, 20))
		victim = 0x12345678;
	importrig_unlink(&m->r, m->next, victim);
	m->was[m->next] = UNLINK;
	if (victim < IMPORTRIG_SEQNUMS && !m->first[victim])
		m->first[victim] = m->next;
	m->victim[m->next++] = victim;
	m->unlinks++;
}

static uint32_t fill(const struct usbdevice_urb *urb, uint32_t seqnum, uint8_t *data, uint32_t all)
{
	uint32_t left = all;

	for (uint32_t i = 0; i < all; i++)
		data[i] = importrig_byte(seqnum, i);
	for (unsigned i = 0; i < urb->num_packets; i++) {
		struct usbip_iso_packet *p = &urb->packets[i];

		p->actual_length = left < p->length ? left : p->length;
		left -= p->actual_length;
	}
	return urb->num_packets ? all - left : all;
}

/* In any order. Which one it is the fake does not know, so that its answer is told by its place. */
static void end_any(struct model *m)
{
	static const int statuses[] = {0, 0, 0, -EPIPE, -EPROTO};
	struct usbdevice_urb *urb;
	uint8_t data[MAX_LENGTH];
	int status = statuses[dice(m, 5)];
	uint32_t actual;

	if (!m->r.device.num_urbs)
		return;
	urb = fake_usbdevice_urb(&m->r.device, dice(m, m->r.device.num_urbs));
	if (fake_usbdevice_is_cancelled(urb) && dice(m, 3)) {
		fake_usbdevice_end(urb, -ECONNRESET, NULL, 0);
		return;
	}
	actual = fill(urb, urb->length, data, urb->length ? dice(m, urb->length + 1) : 0);
	fake_usbdevice_end(urb, status, fake_usbdevice_is_in(urb) ? data : NULL, actual);
}

static void check_submitted(struct model *m, const struct importrig_answer *a)
{
	assert_int_equal(m->was[a->seqnum], SUBMITTED);
	m->was[a->seqnum] = ANSWERED;
	m->under_way--;
	/* Its pattern is by the length that was asked for, which is not in the answer: all of it
	 * goes by the first byte. */
	for (uint32_t i = 0; a->data && i < a->actual; i++)
		assert_int_equal(a->data[i],
			(uint8_t)(a->data[0] + importrig_byte(0, i) - importrig_byte(0, 0)));
}

static void check_unlinked(struct model *m, const struct importrig_answer *a)
{
	uint32_t victim = m->victim[a->seqnum];

	assert_int_equal(m->was[a->seqnum], UNLINK);
	m->was[a->seqnum] = ANSWERED;
	m->unlinks--;
	if (a->status == -ECONNRESET) {
		/* There has been no other answer, and will be none. */
		assert_in_range(victim, 0, IMPORTRIG_SEQNUMS - 1);
		assert_int_equal(m->was[victim], SUBMITTED);
		m->was[victim] = ANSWERED;
		m->under_way--;
		m->cancelled++;
		return;
	}
	assert_int_equal(a->status, 0);
	/* What it brought has come before, unless another unlink had it already. */
	if (victim < IMPORTRIG_SEQNUMS && m->was[victim] == SUBMITTED)
		assert_int_not_equal(m->first[victim], a->seqnum);
	m->late++;
}

static void check(struct model *m)
{
	struct importrig_answer a;

	importrig_run(&m->r);
	/* Of what a deaf one has not read the end may be missing. */
	while (importrig_answer(&m->r, &a)) {
		m->answers++;
		if (a.command == 3)
			check_submitted(m, &a);
		else
			check_unlinked(m, &a);
	}
	assert_int_equal(m->r.closed, 0);
	importrig_expect_nothing(&m->r);
}

static void act(struct model *m)
{
	switch (dice(m, 12)) {
	case 0:
	case 1:
	case 2:
	case 3:
		submit(m);
		break;
	case 4:
		unlink_any(m);
		break;
	case 5:
	case 6:
	case 7:
		end_any(m);
		break;
	case 8:
		m->r.device.refuse = dice(m, 8) ? 0 : -EPIPE;
		break;
	case 9:
		m->r.device.busy = !dice(m, 4);
		break;
	case 10:
		m->r.peer.piece = dice(m, 3) ? 0 : 1 + dice(m, 100);
		break;
	default:
		if (m->r.peer.deaf || !dice(m, 4))
			m->r.peer.deaf = !m->r.peer.deaf;
		importrig_run(&m->r);
		if (!m->r.peer.deaf)
			check(m);
	}
}

static void settle(struct model *m)
{
	m->r.peer.deaf = m->r.device.busy = false;
	m->r.device.refuse = 0;
	check(m);
	while (m->r.device.num_urbs) {
		end_any(m);
		check(m);
	}
	assert_int_equal(m->under_way, 0);
	assert_int_equal(m->unlinks, 0);
	for (uint32_t i = 1; i < m->next; i++)
		assert_int_equal(m->was[i], ANSWERED);
}

static void test_random(void **state)
{
	unsigned cancelled = 0, late = 0, answers = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= quick_part(300, 30); seed++) {
		struct model *m = calloc(1, sizeof(*m));

		assert_non_null(m);
		m->seed = seed * 0x9e3779b97f4a7c15ull;
		m->next = 1;
		importrig_open(&m->r);
		if (seed & 1)
			importrig_narrow(&m->r);
		for (int i = 0; i < 3000; i++)
			act(m);
		settle(m);
		cancelled += m->cancelled;
		late += m->late;
		answers += m->answers;
		importrig_fini(&m->r);
		free(m);
	}
	print_message("%u answers, %u unlinked, %u unlinked late\n", answers, cancelled, late);
	assert_in_range(cancelled, 100, answers);
	assert_in_range(late, 100, answers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
