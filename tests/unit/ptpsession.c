/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/ptpsession.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#define COMMAND PTPSESSION_COMMAND
#define DATA PTPSESSION_DATA
#define RESPONSE PTPSESSION_RESPONSE
#define UNBOUNDED PTPSESSION_UNBOUNDED
#define HEADER 12

enum {
	OUT,
	IN,
};

/* splitmix64 */
static uint64_t random64(struct ptpsession *s)
{
	uint64_t z = s->random += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

uint32_t ptpsession_random(struct ptpsession *s, uint32_t below)
{
	return (uint32_t)(random64(s) % below);
}

static bool one_in(struct ptpsession *s, uint32_t n)
{
	return !ptpsession_random(s, n);
}

uint32_t ptpsession_packet(const struct ptpsession_way *w, const struct ptpsession_cursor *c)
{
	const struct ptpsession_container *k = &w->c[c->at];
	uint32_t left = k->bytes - c->bytes;

	if (k->split && !c->bytes)
		return HEADER;
	return left < w->max_packet ? left : w->max_packet;
}

void ptpsession_step(const struct ptpsession_way *w, struct ptpsession_cursor *c, uint32_t packet)
{
	const struct ptpsession_container *k = &w->c[c->at];

	c->bytes += packet;
	if (c->bytes == k->bytes && (k->tail == PTPSESSION_NO_TAIL || !packet))
		*c = (struct ptpsession_cursor){c->at + 1, 0};
}

bool ptpsession_is_multiple(const struct ptpsession_way *w, const struct ptpsession_container *k)
{
	return (k->bytes - (k->split ? HEADER : 0)) % w->max_packet == 0;
}

static void push(struct ptpsession *s, uint32_t way, struct ptpsession_container k)
{
	struct ptpsession_way *w = &s->way[way];
	/* Large requests left over from a container cut short may take what comes next, and only a
	 * short packet completes those: without one not even an exact framing could be right. */
	bool must = s->may & (PTPSESSION_MAY_ABORT | PTPSESSION_MAY_BE_WILD) || k.says == UNBOUNDED;

	if (k.tail == PTPSESSION_NO_TAIL && ptpsession_is_multiple(w, &k) && (must || one_in(s, 2)))
		k.tail = PTPSESSION_ZLP;
	assert(w->n < PTPSESSION_MAX);
	w->c[w->n++] = k;
}

static uint32_t random_length(struct ptpsession *s, const struct ptpsession_way *w)
{
	uint32_t packets = ptpsession_random(s, one_in(s, 4) ? 64 : 8);

	if (one_in(s, 2))
		return HEADER + ptpsession_random(s, packets * w->max_packet + 1);
	/* about a multiple, with the header and without */
	return packets * w->max_packet + ptpsession_random(s, 3) +
		(one_in(s, 2) ? HEADER + 1 : w->max_packet - 1);
}

static struct ptpsession_container random_data(struct ptpsession *s, const struct ptpsession_way *w)
{
	struct ptpsession_container k = {.type = DATA, .sane = UNBOUNDED};

	k.says = k.bytes = random_length(s, w);
	k.split = one_in(s, 3) && k.says > HEADER && w->max_packet > HEADER;
	if (one_in(s, 6) && k.says > HEADER)
		k.says = UNBOUNDED;
	if (s->may & PTPSESSION_MAY_ABORT && one_in(s, 2) && k.bytes > HEADER + 1) {
		k.bytes = HEADER + 1 + ptpsession_random(s, k.bytes - HEADER - 1);
		if (one_in(s, 3))
			k.tail = PTPSESSION_HALT;
	}
	return k;
}

/* Spoils a container so that it is not understood, from its first packet on or past its length. */
static struct ptpsession_container spoil(
	struct ptpsession *s, uint32_t way, struct ptpsession_container k)
{
	static const uint16_t never[2][4] = {{0, 3, 4, 5}, {0, 1, 6, 0x0200}};

	k.sane = 0;
	k.split = false;
	k.tail = PTPSESSION_NO_TAIL;
	switch (ptpsession_random(s, 5)) {
	case 0:
		k.type = never[way][ptpsession_random(s, 4)];
		break;
	case 1:
		k.says = ptpsession_random(s, HEADER);
		break;
	case 2:
		k.bytes = 1 + ptpsession_random(s, HEADER - 1);
		break;
	case 3: /* parameters that no command and no response has */
		k.type = way == OUT ? COMMAND : RESPONSE;
		k.says = k.bytes = 33 + ptpsession_random(s, 2000);
		break;
	default:
		k.says = k.sane = HEADER + 1 + ptpsession_random(s, 2000);
		k.bytes = k.says + 1 + ptpsession_random(s, 3000);
	}
	return k;
}

static void push_data(struct ptpsession *s, uint32_t way)
{
	struct ptpsession_container k = s->data ? *s->data : random_data(s, &s->way[way]);

	if (s->may & PTPSESSION_MAY_GARBAGE && one_in(s, 3))
		k = spoil(s, way, k);
	push(s, way, k);
}

static void push_whole(struct ptpsession *s, uint32_t way, uint16_t type)
{
	struct ptpsession_container k = {.type = type, .sane = UNBOUNDED};

	k.says = k.bytes = HEADER + 4 * ptpsession_random(s, 6);
	push(s, way, k);
}

static void push_wild(struct ptpsession *s, uint32_t way)
{
	struct ptpsession_container k = {.type = (uint16_t)ptpsession_random(s, 6)};

	if (one_in(s, 2))
		k.bytes = 1 + ptpsession_random(s, 6 * s->way[way].max_packet);
	else
		k.bytes = HEADER + 4 * ptpsession_random(s, 6);
	k.says = k.bytes;
	if (one_in(s, 2))
		k.says = (uint32_t)random64(s) >> ptpsession_random(s, 32);
	if (one_in(s, 8))
		k.says = UNBOUNDED;
	push(s, way, k);
}

void ptpsession_init(struct ptpsession *s, uint64_t seed, uint32_t may, uint32_t max_packet)
{
	memset(s, 0, sizeof(*s));
	s->random = seed;
	s->may = may;
	s->operations = 1 + ptpsession_random(s, 6);
	s->phase = may & PTPSESSION_MAY_BE_WILD ? PTPSESSION_WILD : PTPSESSION_IDLE;
	for (uint32_t way = OUT; way <= IN; way++) {
		s->way[way].max_packet = max_packet;
		if (s->phase == PTPSESSION_WILD)
			for (uint32_t i = ptpsession_random(s, 8); i; i--)
				push_wild(s, way);
	}
}

/* All is there but perhaps the zero-length packet at the end, that nobody waits for. */
static bool has_arrived(const struct ptpsession_way *w)
{
	const struct ptpsession_cursor *a = &w->arrived;

	return a->at == w->n || (a->at + 1 == w->n && a->bytes == w->c[a->at].bytes);
}

static void push_operation(struct ptpsession *s)
{
	bool has_data = s->data || one_in(s, 2);
	uint32_t way = s->data ? s->data_way : ptpsession_random(s, 2);

	push_whole(s, OUT, COMMAND);
	if (has_data && way == OUT)
		push_data(s, OUT);
	s->answer_data = has_data && way == IN;
}

bool ptpsession_talk(struct ptpsession *s)
{
	const struct ptpsession_way *in = &s->way[IN], *out = &s->way[OUT];

	switch (s->phase) {
	case PTPSESSION_WILD:
		if (in->arrived.at == in->n && out->arrived.at == out->n)
			s->phase = PTPSESSION_IDLE;
		break;
	case PTPSESSION_IDLE:
		if (!s->operations--)
			return false;
		push_operation(s);
		s->phase = PTPSESSION_OPERATION;
		break;
	case PTPSESSION_OPERATION:
		if (!has_arrived(out))
			break;
		if (s->answer_data)
			push_data(s, IN);
		push_whole(s, IN, RESPONSE);
		s->phase = PTPSESSION_ANSWER;
		break;
	case PTPSESSION_ANSWER:
		if (has_arrived(in))
			s->phase = PTPSESSION_IDLE;
		break;
	}
	return true;
}

void ptpsession_write(
	struct ptpsession *s, const struct ptpsession_way *w, uint8_t *to, uint32_t packet)
{
	const struct ptpsession_container *k = &w->c[w->arrived.at];
	uint32_t says = one_in(s, 2) ? packet : (uint32_t)random64(s);
	uint16_t type = (uint16_t)(1 + ptpsession_random(s, 3));
	uint8_t head[HEADER] = {0};

	if (!w->arrived.bytes) {
		says = k->says;
		type = k->type;
	} else if (k->sane != UNBOUNDED) {
		says = type = 0; /* what is not understood stays so */
	}
	for (int i = 0; i < 4; i++)
		head[i] = (uint8_t)(says >> 8 * i);
	head[4] = (uint8_t)type;
	head[5] = (uint8_t)(type >> 8);
	memset(to, 0, packet);
	memcpy(to, head, packet < HEADER ? packet : HEADER);
}
