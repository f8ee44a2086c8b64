/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * framing by example: named conversations, each a list of what is asked for and what comes back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "bridge/framing.h"

#define OUT FRAMING_OUT
#define IN FRAMING_IN
#define K16 16384

enum act {
	END,
	ACT_ASK,
	ACT_DONE,
	ACT_CANCEL,
	ACT_RESTART,
	ACT_ASKED,
};

struct step {
	enum act act;
	enum framing_dir dir;
	uint32_t size;	 /* of the request; of ACT_ASK, what framing_next is to say */
	uint32_t len;	 /* that came back */
	uint32_t length; /* of the header at its start */
	uint16_t type;
};

/* framing_next says `size` */
#define ASK(dir, size)                                                                             \
	{                                                                                          \
		ACT_ASK, dir, size, 0, 0, 0                                                        \
	}
/* a request of `size` comes back with `len` bytes: a container's start; something else (zeros) */
#define HEAD(dir, size, len, type, length)                                                         \
	{                                                                                          \
		ACT_DONE, dir, size, len, length, type                                             \
	}
#define MORE(dir, size, len)                                                                       \
	{                                                                                          \
		ACT_DONE, dir, size, len, 0, 0                                                     \
	}
#define CANCEL(dir, size)                                                                          \
	{                                                                                          \
		ACT_CANCEL, dir, size, 0, 0, 0                                                     \
	}
#define RESTART(dir)                                                                               \
	{                                                                                          \
		ACT_RESTART, dir, 0, 0, 0, 0                                                       \
	}
/* so many bytes are out */
#define ASKED(dir, size)                                                                           \
	{                                                                                          \
		ACT_ASKED, dir, size, 0, 0, 0                                                      \
	}

#define COMMAND(size) HEAD(OUT, size, 12, 1, 12)
#define RESPONSE(size) HEAD(IN, size, 12, 3, 12)

struct talk {
	const char *name;
	uint32_t max_packet; /* of both endpoints; 0 = 512 */
	enum framing_kind kind;
	struct step steps[32];
};

static const struct talk talks[] = {
	{"between containers, a request of one packet", 0, FRAMING_PTP,
		{ASK(OUT, 512), ASK(OUT, 0), ASK(OUT, 0), ASKED(OUT, 512), COMMAND(512),
			ASK(OUT, 512), ASK(OUT, 0)}},
	{"IN: large requests, whatever comes", 0, FRAMING_PTP,
		{ASK(IN, K16), ASK(IN, K16), ASKED(IN, 2 * K16), RESPONSE(K16), ASK(IN, K16),
			HEAD(IN, K16, 512, 2, 513), ASK(IN, K16), HEAD(IN, K16, K16, 0, 0),
			CANCEL(IN, K16), ASKED(IN, 0), RESTART(IN), ASK(IN, K16), ASK(OUT, 512),
			ASK(OUT, 0), COMMAND(512), ASK(IN, K16)}},
	{"generic: one packet, without end", 0, FRAMING_GENERIC,
		{ASK(IN, 512), ASK(IN, 512), HEAD(IN, 512, 512, 2, 5000), ASK(IN, 512),
			ASK(IN, 512), ASK(IN, 512), ASKED(IN, 2048)}},
	{"large requests for what is to come, and one packet", 0, FRAMING_PTP,
		{ASK(OUT, 512), HEAD(OUT, 512, 512, 2, 40000), ASK(OUT, K16), ASK(OUT, K16),
			ASK(OUT, 40448 - 512 - 2 * K16), ASKED(OUT, 40448 - 512), ASK(OUT, 512),
			ASK(OUT, 0), MORE(OUT, K16, K16), ASK(OUT, 0), MORE(OUT, K16, K16),
			ASK(OUT, 0), MORE(OUT, 7168, 40000 - 512 - 2 * K16), ASKED(OUT, 512),
			ASK(OUT, 0), COMMAND(512), ASK(OUT, 512), ASK(OUT, 0)}},
	{"a container of one packet needs no large request", 0, FRAMING_PTP,
		{ASK(OUT, 512), HEAD(OUT, 512, 100, 2, 100), ASK(OUT, 512), ASK(OUT, 0)}},
	{"header without payload", 0, FRAMING_PTP,
		{ASK(OUT, 512), HEAD(OUT, 512, 12, 2, 12), ASK(OUT, 512), ASK(OUT, 0)}},
	{"one byte past a packet", 0, FRAMING_PTP,
		{ASK(OUT, 512), HEAD(OUT, 512, 512, 2, 513), ASK(OUT, 512), ASK(OUT, 512),
			ASK(OUT, 0), MORE(OUT, 512, 1), ASKED(OUT, 512), ASK(OUT, 0)}},
	{"exact multiple, no zero-length packet", 0, FRAMING_PTP,
		{ASK(OUT, 512), HEAD(OUT, 512, 512, 2, 1536), ASK(OUT, 1024), ASK(OUT, 512),
			ASK(OUT, 0), MORE(OUT, 1024, 1024), ASK(OUT, 0), COMMAND(512),
			ASK(OUT, 512), ASK(OUT, 0)}},
	{"exact multiple, zero-length packet", 0, FRAMING_PTP,
		{ASK(OUT, 512), HEAD(OUT, 512, 512, 2, 1536), ASK(OUT, 1024), ASK(OUT, 512),
			MORE(OUT, 1024, 1024), MORE(OUT, 512, 0), ASK(OUT, 512), ASK(OUT, 0),
			HEAD(OUT, 512, 512, 2, 2048), ASK(OUT, 1536)}},
	{"exactly one packet, zero-length packet", 0, FRAMING_PTP,
		{ASK(OUT, 512), HEAD(OUT, 512, 512, 2, 512), ASK(OUT, 512), ASK(OUT, 0),
			MORE(OUT, 512, 0), ASK(OUT, 512), ASK(OUT, 0)}},
	{"header apart from its data", 0, FRAMING_PTP,
		{ASK(OUT, 512), HEAD(OUT, 512, 12, 2, 12 + 1024), ASK(OUT, 1024), ASK(OUT, 512),
			ASK(OUT, 0), MORE(OUT, 1024, 1024), ASKED(OUT, 512), ASK(OUT, 0),
			MORE(OUT, 512, 0), ASK(OUT, 512), ASK(OUT, 0)}},
	{"header apart from its data, which needs a packet more than in one", 0, FRAMING_PTP,
		{ASK(OUT, 512), HEAD(OUT, 512, 12, 2, 1025), ASK(OUT, 1024), ASK(OUT, 512),
			ASK(OUT, 0), MORE(OUT, 1024, 1013), ASK(OUT, 0)}},
	{"nothing after a header that was apart: over", 0, FRAMING_PTP,
		{ASK(OUT, 512), HEAD(OUT, 512, 12, 2, 9000), ASK(OUT, 9216), MORE(OUT, 9216, 0),
			ASK(OUT, 512), ASK(OUT, 0)}},
	{"length 0xffffffff: one packet each until a short one", 0, FRAMING_PTP,
		{ASK(OUT, 512), HEAD(OUT, 512, 512, 2, 0xffffffff), ASK(OUT, 512), ASK(OUT, 512),
			ASK(OUT, 512), ASK(OUT, 512), MORE(OUT, 512, 512), ASK(OUT, 512),
			MORE(OUT, 512, 3), ASKED(OUT, 3 * 512), ASK(OUT, 0), MORE(OUT, 512, 0),
			COMMAND(512), ASK(OUT, 0), COMMAND(512), ASK(OUT, 512), ASK(OUT, 0)}},
	{"length 0xffffffff, header apart", 0, FRAMING_PTP,
		{ASK(OUT, 512), HEAD(OUT, 512, 12, 2, 0xffffffff), ASK(OUT, 512), ASK(OUT, 512),
			MORE(OUT, 512, 512), ASK(OUT, 512), MORE(OUT, 512, 0), ASK(OUT, 0)}},
	{"length 0xffffffff, ended by its first packet", 0, FRAMING_PTP,
		{ASK(OUT, 512), HEAD(OUT, 512, 40, 2, 0xffffffff), ASK(OUT, 512), ASK(OUT, 0)}},
	{"length 0xfffffffe", 0, FRAMING_PTP,
		{ASK(OUT, 512), HEAD(OUT, 512, 512, 2, 0xfffffffe), ASK(OUT, K16), ASK(OUT, K16),
			ASKED(OUT, 2 * K16)}},
	{"length 0xfffffffe, header apart", 0, FRAMING_PTP,
		{ASK(OUT, 512), HEAD(OUT, 512, 12, 2, 0xfffffffe), ASK(OUT, K16), ASK(OUT, K16)}},
	{"over before its time: large requests bring what follows", 0, FRAMING_PTP,
		{ASK(OUT, 512), HEAD(OUT, 512, 512, 2, 60000), ASK(OUT, K16), ASK(OUT, K16),
			MORE(OUT, K16, 700), ASK(OUT, 0), HEAD(OUT, K16, K16, 2, 20000),
			ASK(OUT, 20480 - K16), ASK(OUT, 512), ASK(OUT, 0)}},
	{"over before its time, then nothing is asked beyond", 0, FRAMING_PTP,
		{ASK(OUT, 512), HEAD(OUT, 512, 512, 2, 60000), ASK(OUT, K16), ASK(OUT, K16),
			MORE(OUT, K16, 1024), ASK(OUT, 0), COMMAND(K16), ASK(OUT, 512),
			ASK(OUT, 0)}},
	{"more than its length: lost, until a command", 0, FRAMING_PTP,
		{ASK(OUT, 512), HEAD(OUT, 512, 512, 2, 700), ASK(OUT, 512), MORE(OUT, 512, 512),
			ASK(OUT, 512), ASK(OUT, 512), ASK(OUT, 512), HEAD(OUT, 512, 512, 2, 5000),
			ASK(OUT, 512), COMMAND(512), ASK(OUT, 0), ASKED(OUT, 2 * 512),
			HEAD(OUT, 512, 512, 2, 5120), ASK(OUT, 4096)}},
	{"lost, and a container that would be understood", 0, FRAMING_PTP,
		{ASK(OUT, 512), HEAD(OUT, 512, 512, 0, 0), ASK(OUT, 512),
			HEAD(OUT, 512, 100, 2, 100), ASK(OUT, 512), ASK(OUT, 512), ASK(OUT, 512)}},
	{"a response belongs to no OUT: lost", 0, FRAMING_PTP,
		{ASK(OUT, 512), HEAD(OUT, 512, 12, 3, 12), ASK(OUT, 512), ASK(OUT, 512),
			HEAD(OUT, 512, 12, 1, 13), ASK(OUT, 512), HEAD(OUT, 512, 36, 1, 36),
			ASK(OUT, 512), HEAD(OUT, 512, 32, 1, 32), ASK(OUT, 0)}},
	{"length below a header: lost", 0, FRAMING_PTP,
		{ASK(OUT, 512), HEAD(OUT, 512, 512, 2, 11), ASK(OUT, 512), ASK(OUT, 512)}},
	{"shorter than a header: lost", 0, FRAMING_PTP,
		{ASK(OUT, 512), HEAD(OUT, 512, 11, 2, 600), ASK(OUT, 512), ASK(OUT, 512)}},
	{"a command longer than five parameters: lost", 0, FRAMING_PTP,
		{ASK(OUT, 512), HEAD(OUT, 512, 512, 1, 70000), ASK(OUT, 512), ASK(OUT, 512)}},
	{"a command that says more than came: lost", 0, FRAMING_PTP,
		{ASK(OUT, 512), HEAD(OUT, 512, 12, 1, 16), ASK(OUT, 512), ASK(OUT, 512)}},
	{"a command ends whatever was under way", 0, FRAMING_PTP,
		{ASK(OUT, 512), HEAD(OUT, 512, 512, 2, 60000), ASK(OUT, K16), COMMAND(K16),
			ASK(OUT, 512), ASK(OUT, 0), HEAD(OUT, 512, 512, 2, 2000), ASK(OUT, 1536)}},
	{"restart", 0, FRAMING_PTP,
		{ASK(OUT, 512), HEAD(OUT, 512, 512, 2, 60000), ASK(OUT, K16), ASK(OUT, K16),
			MORE(OUT, K16, 1024), RESTART(OUT), ASKED(OUT, K16), ASK(OUT, 0),
			CANCEL(OUT, K16), ASKED(OUT, 0), ASK(OUT, 512), ASK(OUT, 0), RESTART(OUT),
			HEAD(OUT, 512, 512, 0, 0), ASK(OUT, 512), ASK(OUT, 512), RESTART(OUT),
			ASK(OUT, 0), CANCEL(OUT, 512), ASK(OUT, 0)}},
	{"restart in a container of unknown length", 0, FRAMING_PTP,
		{ASK(OUT, 512), HEAD(OUT, 512, 512, 2, 0xffffffff), ASK(OUT, 512), RESTART(OUT),
			ASK(OUT, 0), HEAD(OUT, 512, 512, 2, 2048), ASK(OUT, 1536)}},
	{"cancelled requests are asked for again, in other sizes", 0, FRAMING_PTP,
		{ASK(OUT, 512), HEAD(OUT, 512, 512, 2, 33280), ASK(OUT, K16), ASK(OUT, K16),
			ASK(OUT, 512), ASK(OUT, 0), CANCEL(OUT, K16), ASKED(OUT, K16 + 512),
			ASK(OUT, K16 - 512), ASK(OUT, 512), ASK(OUT, 0)}},
	{"packets of 64", 64, FRAMING_PTP,
		{ASK(OUT, 64), HEAD(OUT, 64, 64, 2, 1000), ASK(OUT, 960), ASK(OUT, 64),
			ASK(OUT, 0)}},
	{"packets of 1024", 1024, FRAMING_PTP,
		{ASK(OUT, 1024), HEAD(OUT, 1024, 1024, 2, 5000), ASK(OUT, 4096), ASK(OUT, 1024),
			ASK(OUT, 0)}},
	{"packets that a response may fill: generic", 32, FRAMING_PTP,
		{ASK(IN, 32), HEAD(IN, 32, 32, 2, 1000), ASK(IN, 32), ASK(IN, 32), ASK(IN, 32)}},
};

/* What there is to compare with s->size: of a step that only does something, that itself. */
static uint64_t play(struct framing *f, const struct step *s)
{
	uint8_t head[12] = {(uint8_t)s->length, (uint8_t)(s->length >> 8),
		(uint8_t)(s->length >> 16), (uint8_t)(s->length >> 24), (uint8_t)s->type};
	uint8_t *data = NULL;

	switch (s->act) {
	case ACT_ASK:
		return framing_next(f, s->dir);
	case ACT_DONE:
		if (s->len) {
			data = calloc(1, s->len);
			assert_non_null(data);
			memcpy(data, head, s->len < sizeof(head) ? s->len : sizeof(head));
		}
		framing_done(f, s->dir, s->size, data, s->len);
		free(data);
		break;
	case ACT_CANCEL:
		framing_cancelled(f, s->dir, s->size);
		break;
	case ACT_RESTART:
		framing_restart(f, s->dir);
		break;
	case ACT_ASKED:
		return f->stream[s->dir].asked;
	case END:
		break;
	}
	return s->size;
}

static void test_talk(void **state)
{
	const struct talk *t = *state;
	uint32_t max_packet = t->max_packet ? t->max_packet : 512;
	struct framing f;
	uint64_t is;

	framing_init(&f, t->kind);
	framing_stream_init(&f, OUT, max_packet, K16);
	framing_stream_init(&f, IN, max_packet, K16);
	for (const struct step *s = t->steps; s->act != END; s++) {
		is = play(&f, s);
		if (is != s->size)
			fail_msg("step %d: %llu, not %u", (int)(s - t->steps),
				(unsigned long long)is, s->size);
	}
}

/* All of a container just below 4 GiB: nothing wraps, and the last request ends where it ends. */
static void test_four_gib(void **state)
{
	const uint64_t length = 0xfffffffe;
	uint8_t head[512] = {0xfe, 0xff, 0xff, 0xff, 2};
	uint8_t *data = calloc(1, 65536);
	uint64_t got = sizeof(head);
	struct framing f;
	uint32_t next;

	(void)state;
	assert_non_null(data);
	framing_init(&f, FRAMING_PTP);
	framing_stream_init(&f, OUT, 512, 65536);
	framing_done(&f, OUT, framing_next(&f, OUT), head, sizeof(head));
	while (got < length) {
		uint32_t want = length - got > 65536 ? 65536 : (uint32_t)(length - got);

		next = framing_next(&f, OUT);
		assert_int_equal(next, want + (512 - want % 512) % 512);
		framing_done(&f, OUT, next, data, want);
		got += want;
	}
	assert_int_equal(framing_next(&f, OUT), 512);
	assert_int_equal(framing_next(&f, OUT), 0);
	free(data);
}

/* A container of unknown length goes on past 4 GiB. */
static void test_unbounded_past_four_gib(void **state)
{
	uint8_t data[512] = {0xff, 0xff, 0xff, 0xff, 2};
	struct framing f;

	(void)state;
	framing_init(&f, FRAMING_PTP);
	framing_stream_init(&f, OUT, 512, 65536);
	framing_done(&f, OUT, framing_next(&f, OUT), data, sizeof(data));
	f.stream[OUT].got = 0xfffffe00; /* rather than to send it all */
	for (int i = 0; i < 3; i++) {
		assert_int_equal(framing_next(&f, OUT), 512);
		assert_int_equal(framing_next(&f, OUT), 512);
		framing_done(&f, OUT, 512, data, sizeof(data));
		framing_done(&f, OUT, 512, data, sizeof(data));
	}
	framing_done(&f, OUT, framing_next(&f, OUT), NULL, 0);
	assert_int_equal(framing_next(&f, OUT), 512);
	assert_int_equal(framing_next(&f, OUT), 0);
}

static void test_init(void **state)
{
	static const struct {
		uint32_t max_packet, max_request, want;
	} cases[] = {
		{512, 16384, 16384},
		{512, 16383, 15872},
		{512, 511, 512},
		{512, 0, 512},
		{64, 0xffffffff, 0xffffffc0},
		{1024, 1024, 1024},
	};
	struct framing f;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memset(&f, 0xa5, sizeof(f));
		framing_init(&f, FRAMING_PTP);
		assert_int_equal(framing_next(&f, IN), 0);
		framing_stream_init(&f, OUT, cases[i].max_packet, cases[i].max_request);
		assert_int_equal(f.stream[OUT].max_request, cases[i].want);
		assert_int_equal(framing_next(&f, OUT), cases[i].max_packet);
		assert_int_equal(framing_next(&f, IN), 0);
	}
	framing_init(&f, FRAMING_GENERIC);
	assert_int_equal(framing_next(&f, IN), 0);
}

static void test_for_class(void **state)
{
	static const struct {
		uint8_t class, subclass, protocol;
		bool mtp;
		enum framing_kind want;
	} cases[] = {
		{0x06, 0x01, 0x01, false, FRAMING_PTP},
		{0x06, 0x01, 0x01, true, FRAMING_PTP},
		{0x06, 0x01, 0x02, false, FRAMING_GENERIC},
		{0x06, 0x02, 0x01, false, FRAMING_GENERIC},
		{0x06, 0xff, 0x00, true, FRAMING_PTP},
		{0xff, 0xff, 0x00, true, FRAMING_PTP},
		{0xff, 0x00, 0x00, true, FRAMING_PTP},
		{0xff, 0xff, 0x00, false, FRAMING_GENERIC},
		{0xff, 0x01, 0x01, false, FRAMING_GENERIC},
		{0x08, 0x06, 0x50, true, FRAMING_BOT},
		{0x03, 0x01, 0x01, false, FRAMING_GENERIC},
		{0x00, 0x00, 0x00, true, FRAMING_GENERIC},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(framing_for_class(cases[i].class, cases[i].subclass,
					 cases[i].protocol, cases[i].mtp),
			cases[i].want);
}

static void test_is_abort(void **state)
{
	static const struct {
		enum framing_kind kind;
		uint8_t type, request;
		bool is;
	} cases[] = {
		{FRAMING_PTP, 0x21, 0x64, true},
		{FRAMING_PTP, 0x21, 0x66, true},
		{FRAMING_PTP, 0xa1, 0x66, false},
		{FRAMING_PTP, 0xa1, 0x67, false},
		{FRAMING_PTP, 0x21, 0xff, false},
		{FRAMING_BOT, 0x21, 0xff, true},
		{FRAMING_BOT, 0xa1, 0xff, false},
		{FRAMING_BOT, 0xa1, 0xfe, false},
		{FRAMING_BOT, 0x21, 0x66, false},
		{FRAMING_GENERIC, 0x21, 0xff, false},
		{FRAMING_GENERIC, 0x21, 0x66, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct framing f;

		framing_init(&f, cases[i].kind);
		assert_int_equal(
			framing_is_abort(&f, cases[i].type, cases[i].request), cases[i].is);
		assert_int_equal(framing_clears_halts(&f), cases[i].kind == FRAMING_BOT);
	}
}

int main(void)
{
	enum {
		TALKS = sizeof(talks) / sizeof(talks[0])
	};
	struct CMUnitTest tests[TALKS + 5] = {
		cmocka_unit_test(test_for_class),
		cmocka_unit_test(test_is_abort),
		cmocka_unit_test(test_init),
		cmocka_unit_test(test_four_gib),
		cmocka_unit_test(test_unbounded_past_four_gib),
	};

	for (size_t i = 0; i < TALKS; i++)
		tests[5 + i] = (struct CMUnitTest){
			talks[i].name, test_talk, NULL, NULL, (void *)&talks[i]};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
