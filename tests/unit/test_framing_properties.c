/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * framing by property: random PTP sessions through a model of two endpoints' request queues
 * (packets fill the request at the head, which completes when full or on a short packet), in any
 * interleaving of posting, arriving, reaping and cancelling.
 *
 * What framing_next is to say follows from what the session has sent and what of it was reaped, not
 * from its bytes: expected(). Every failure names its run; FRAMING_RUN=n repeats only that one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "bridge/framing.h"
#include "tests/unit/ptpsession.h"
#include "tests/unit/quick.h"

#define OUT FRAMING_OUT
#define IN FRAMING_IN
#define ABORT PTPSESSION_MAY_ABORT
#define GARBAGE PTPSESSION_MAY_GARBAGE
#define WILD PTPSESSION_MAY_BE_WILD
#define SLOTS 32

enum {
	POST,
	DELIVER,
	REAP,
	CANCEL,
	MOVES
};

struct request {
	uint32_t size;
	uint32_t filled;
	bool complete;
	bool halted;
};

struct endpoint {
	uint32_t max_request;
	struct request q[SLOTS];
	uint32_t queued;
	uint64_t out;	/* bytes of requests posted and not reaped */
	uint32_t used;	/* requests that brought bytes of the container that arrives */
	uint32_t ahead; /* requests that were out when its first came back */
	bool lost;
};

struct run {
	uint64_t number;
	struct framing f;
	struct ptpsession session;
	struct endpoint endpoint[2];
	uint32_t max_packet;
	uint32_t slots;
	uint32_t weight[MOVES];
	bool wild; /* no command has come since whatever the session began with */
};

#define HOLDS(r, what)                                                                             \
	do {                                                                                       \
		if (!(what))                                                                       \
			fail_msg("run %llu: %s", (unsigned long long)(r)->number, #what);          \
	} while (0)

static uint64_t in_packets(const struct run *r, uint64_t bytes)
{
	return (bytes + r->max_packet - 1) / r->max_packet * r->max_packet;
}

/* ---- what is to be asked for ---- */

static bool speaks_ptp(const struct run *r)
{
	return r->f.kind == FRAMING_PTP && r->max_packet >= 64;
}

/* Large requests at any time: what follows a container that has no short end completes them. */
static bool is_open(const struct run *r, enum framing_dir dir)
{
	return dir == IN && speaks_ptp(r);
}

/* Bytes still to come, in whole packets, of the container whose start has been reaped; as much as
 * its header says, until it has ended short. */
static uint64_t due(const struct run *r, enum framing_dir dir)
{
	const struct ptpsession_way *w = &r->session.way[dir];
	const struct ptpsession_container *k = &w->c[w->arrived.at];
	uint32_t got = w->arrived.bytes;

	if (w->arrived.at == w->n || !got || k->type != PTPSESSION_DATA || got >= k->says)
		return 0;
	if (got == k->bytes && !ptpsession_is_multiple(w, k))
		return 0;
	return in_packets(r, k->says - got);
}

static uint64_t expected(const struct run *r, enum framing_dir dir)
{
	const struct ptpsession_way *w = &r->session.way[dir];
	const struct endpoint *e = &r->endpoint[dir];
	uint64_t left = due(r, dir);

	if (is_open(r, dir))
		return e->max_request;
	if (!speaks_ptp(r) || e->lost || (left && w->c[w->arrived.at].says == PTPSESSION_UNBOUNDED))
		return r->max_packet;
	if (e->out >= left)
		return e->out - left < r->max_packet ? r->max_packet : 0;
	return left - e->out < e->max_request ? left - e->out : e->max_request;
}

static bool post(struct run *r, enum framing_dir dir)
{
	const struct framing_stream *s = &r->f.stream[dir];
	struct endpoint *e = &r->endpoint[dir];
	uint32_t size;

	if (e->queued == r->slots)
		return false;
	size = framing_next(&r->f, dir);
	HOLDS(r, r->wild || size == expected(r, dir));
	HOLDS(r, size % r->max_packet == 0 && (size || e->out));
	HOLDS(r, size <= r->max_packet || size <= e->max_request);
	if (size)
		e->q[e->queued++] = (struct request){.size = size};
	e->out += size;
	HOLDS(r, s->asked == e->out);
	/* Of whatever it thinks to be under way, it never asks past the end. */
	HOLDS(r,
		is_open(r, dir) || size <= r->max_packet ||
			e->out <= in_packets(r, s->total - s->got));
	return size;
}

/* ---- the endpoint ---- */

static bool deliver(struct run *r, enum framing_dir dir)
{
	struct ptpsession_way *w = &r->session.way[dir];
	const struct ptpsession_container *k = &w->c[w->sent.at];
	struct endpoint *e = &r->endpoint[dir];
	struct request *q = e->q;
	uint32_t len;
	bool is_over;

	while (q < e->q + e->queued && q->complete)
		q++;
	if (w->sent.at == w->n || q == e->q + e->queued)
		return false;
	len = ptpsession_packet(w, &w->sent);
	q->halted = !len && k->tail == PTPSESSION_HALT;
	HOLDS(r, len <= q->size - q->filled);
	q->filled += len;
	q->complete = len < r->max_packet || q->filled == q->size;
	ptpsession_step(w, &w->sent, len);
	/* OUT, no byte of a container that has ended is stuck in a request; where large ones may be
	 * left over from another that ended early, it needs its zero-length packet. */
	is_over = &w->c[w->sent.at] != k;
	if (!(r->session.may & (ABORT | WILD)))
		is_over |= w->sent.bytes == k->bytes;
	HOLDS(r, q->complete || !is_over || is_open(r, dir));
	return true;
}

/* What a request brought: the packets that were sent, in order, ended where they ended, and never
 * the start of one container behind another, unless that is how they come. */
static uint8_t *contents(struct run *r, enum framing_dir dir, const struct request *q)
{
	struct ptpsession_way *w = &r->session.way[dir];
	uint8_t *data = q->filled ? malloc(q->filled) : NULL;
	uint32_t got = 0, len = r->max_packet;

	HOLDS(r, data || !q->filled);
	while (got < q->filled) {
		HOLDS(r, len == r->max_packet);
		HOLDS(r, !got || w->arrived.bytes || is_open(r, dir));
		len = ptpsession_packet(w, &w->arrived);
		HOLDS(r, len && len <= q->filled - got);
		ptpsession_write(&r->session, w, data + got, len);
		ptpsession_step(w, &w->arrived, len);
		got += len;
	}
	if (q->halted || (got < q->size && len == r->max_packet)) {
		len = ptpsession_packet(w, &w->arrived);
		HOLDS(r, !len);
		ptpsession_step(w, &w->arrived, 0);
	}
	HOLDS(r, q->halted || (got < q->size) == (len < r->max_packet));
	return data;
}

/* Follows what a request brought, `before` being where it began. */
static void account(
	struct run *r, enum framing_dir dir, struct ptpsession_cursor before, uint32_t filled)
{
	const struct ptpsession_container *k = &r->session.way[dir].c[before.at];
	struct endpoint *e = &r->endpoint[dir];
	uint32_t most = (k->bytes + e->max_request - 1) / e->max_request + 1;

	if (k->type == PTPSESSION_COMMAND && k->sane == PTPSESSION_UNBOUNDED && filled) {
		r->endpoint[OUT].lost = r->endpoint[IN].lost = false;
		r->wild = false;
	} else if (!is_open(r, dir) && before.bytes + filled > k->sane) {
		e->lost = true;
	}
	if (filled && !before.bytes) {
		e->used = 0;
		e->ahead = e->queued;
	}
	e->used += filled > 0;
	/* More than one are ahead only after a container of unknown length. */
	most += e->ahead > 1 ? e->ahead : 1;
	if (!r->session.may && !r->weight[CANCEL] && speaks_ptp(r) && dir == OUT &&
		k->says == k->bytes)
		HOLDS(r, e->used <= most);
}

static bool reap(struct run *r, enum framing_dir dir)
{
	struct ptpsession_cursor before = r->session.way[dir].arrived;
	struct endpoint *e = &r->endpoint[dir];
	struct request q = e->q[0];
	uint8_t *data;

	if (!e->queued || !q.complete)
		return false;
	e->queued--;
	memmove(e->q, e->q + 1, e->queued * sizeof(q));
	e->out -= q.size;
	data = contents(r, dir, &q);
	if (q.halted && !q.filled)
		framing_cancelled(&r->f, dir, q.size);
	else
		framing_done(&r->f, dir, q.size, data, q.filled);
	free(data);
	account(r, dir, before, q.filled);
	if (q.halted) {
		framing_restart(&r->f, dir);
		e->lost = false;
	}
	HOLDS(r, r->f.stream[dir].asked == e->out);
	return true;
}

static bool cancel(struct run *r, enum framing_dir dir)
{
	struct endpoint *e = &r->endpoint[dir];
	struct request *q = e->q + (e->queued ? ptpsession_random(&r->session, e->queued) : 0);

	if (!e->queued || q->filled || q->complete)
		return false;
	framing_cancelled(&r->f, dir, q->size);
	e->out -= q->size;
	e->queued--;
	memmove(q, q + 1, (size_t)(e->q + e->queued - q) * sizeof(*q));
	HOLDS(r, r->f.stream[dir].asked == e->out);
	return true;
}

/* ---- runs ---- */

static void play(struct run *r)
{
	static bool (*const moves[MOVES])(struct run *, enum framing_dir) = {
		post, deliver, reap, cancel};
	uint32_t failed = 0, total = 0, move, pick;
	bool is_hung;

	for (move = 0; move < MOVES; move++)
		total += r->weight[move];
	while (ptpsession_talk(&r->session)) {
		pick = ptpsession_random(&r->session, total);
		for (move = 0; pick >= r->weight[move]; move++)
			pick -= r->weight[move];
		if (moves[move](r, ptpsession_random(&r->session, 2)))
			failed = 0;
		else
			failed++;
		if (failed < 200)
			continue;
		failed = 0;
		is_hung = true;
		for (move = POST; move < CANCEL; move++)
			is_hung = !moves[move](r, OUT) && !moves[move](r, IN) && is_hung;
		HOLDS(r, !is_hung);
	}
}

/* max_packet 0 = random */
static void start(
	struct run *r, uint64_t number, uint32_t may, bool may_cancel, uint32_t max_packet)
{
	static const uint32_t packets[] = {64, 512, 1024, 64, 512, 1024, 64, 512, 1024, 8, 16, 32};
	struct ptpsession *s = &r->session;
	uint32_t any;

	memset(r, 0, sizeof(*r));
	r->number = number;
	r->max_packet = max_packet ? max_packet : packets[number % 12];
	ptpsession_init(s, number, may, r->max_packet);
	r->slots = 1 + ptpsession_random(s, ptpsession_random(s, 4) ? SLOTS : 3);
	r->wild = may & WILD;
	for (uint32_t i = 0; i < CANCEL; i++)
		r->weight[i] = 1 + ptpsession_random(s, 8);
	r->weight[CANCEL] = may_cancel;
	framing_init(&r->f, ptpsession_random(s, 16) ? FRAMING_PTP : FRAMING_GENERIC);
	for (enum framing_dir dir = OUT; dir <= IN; dir++) {
		r->endpoint[dir].max_request = r->max_packet * (1 + ptpsession_random(s, 32));
		any = ptpsession_random(s, r->max_packet); /* is rounded away */
		framing_stream_init(&r->f, dir, r->max_packet, r->endpoint[dir].max_request + any);
	}
}

static bool is_wanted(uint64_t number)
{
	const char *only = getenv("FRAMING_RUN");

	return !only || number == strtoull(only, NULL, 0);
}

static void runs(uint64_t first, uint64_t count, uint32_t may, bool may_cancel)
{
	struct run r;

	count = quick_part((unsigned)count, 50);
	for (uint64_t i = first; i < first + count; i++) {
		if (!is_wanted(i))
			continue;
		start(&r, i, may, may_cancel, 0);
		play(&r);
	}
}

static void test_sessions(void **state)
{
	(void)state;
	runs(1000000, 8000, 0, false);
}

static void test_cancelled(void **state)
{
	(void)state;
	runs(2000000, 6000, 0, true);
}

static void test_cut_short(void **state)
{
	(void)state;
	runs(3000000, 4000, ABORT, false);
	runs(3100000, 4000, ABORT, true);
}

static void test_garbage(void **state)
{
	(void)state;
	runs(4000000, 4000, GARBAGE, false);
	runs(4100000, 4000, GARBAGE | ABORT, true);
}

static void test_wild(void **state)
{
	(void)state;
	runs(5000000, 4000, WILD, false);
	runs(5100000, 4000, WILD | GARBAGE | ABORT, true);
}

/* Every length up to three packets, which is every residue, header apart and not, both directions.
 */
static void test_every_length(void **state)
{
	struct ptpsession_container k = {.type = PTPSESSION_DATA, .sane = PTPSESSION_UNBOUNDED};
	static const uint32_t packets[] = {64, 512, 1024};
	uint64_t number = 6000000;
	struct run r;

	(void)state;
	for (int i = 0; i < 3; i++) {
		for (uint32_t j = 0; j < 4 * 3 * packets[i]; j += quick_step(97)) {
			if (!is_wanted(++number))
				continue;
			k.says = k.bytes = 12 + j / 4;
			k.split = j & 1 && k.says > 12;
			start(&r, number, 0, false, packets[i]);
			r.session.data = &k;
			r.session.data_way = j >> 1 & 1;
			r.session.operations = 2;
			play(&r);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sessions),
		cmocka_unit_test(test_every_length),
		cmocka_unit_test(test_cancelled),
		cmocka_unit_test(test_cut_short),
		cmocka_unit_test(test_garbage),
		cmocka_unit_test(test_wild),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
