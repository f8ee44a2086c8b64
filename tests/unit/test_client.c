/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * client against scripted servers. Each script is run with the server's bytes all at once, one by
 * one, and cut in two at every place: what the client calls back may not depend on that.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bridge/conn.h"
#include "tests/unit/session.h"
#include "tests/unit/quick.h"

/* ---- scripts ---- */

enum what {
	END,
	DO_SUBMIT, /* and let the server see it */
	DO_UNLINK,
	DO_HOLD, /* submit, and let the server answer before it is sent */
	DO_HOLD_UNLINK,
	DO_RET, /* RET_SUBMIT, with `actual` bytes when IN */
	DO_OLD, /* the same, for the URB's submit before this one */
	DO_RET_UNLINK,
	DO_GUESS, /* RET_SUBMIT for one that has not been sent */
	DO_GUESS_UNLINK,
	DO_HALF, /* 24 bytes of a header */
	DO_CLOSE,
};

struct op {
	enum what what;
	enum session_kind kind;
	int status;
	uint32_t actual;
	unsigned at;   /* word of the reply's header that is changed, */
	uint32_t flip; /* by these bits */
};

/* Words of a header. */
enum {
	COMMAND,
	SEQNUM,
	DEVID,
	DIRECTION,
	EP,
	STATUS,
	ACTUAL,
	START_FRAME,
	PACKETS,
	ERRORS,
};

/* For the tables: what stands between the braces of a struct op. */
#define SUBMIT(k) .what = DO_SUBMIT, .kind = k
#define UNLINK(k) .what = DO_UNLINK, .kind = k
#define HOLD(k) .what = DO_HOLD, .kind = k
#define HOLD_UNLINK(k) .what = DO_HOLD_UNLINK, .kind = k
#define RET(k, s, n) .what = DO_RET, .kind = k, .status = s, .actual = n
#define RET_FLIP(k, n, w, f) .what = DO_RET, .kind = k, .actual = n, .at = w, .flip = f
#define OLD(k, s, n) .what = DO_OLD, .kind = k, .status = s, .actual = n
#define RET_UNLINK(k, s) .what = DO_RET_UNLINK, .kind = k, .status = s
#define RET_UNLINK_FLIP(k, w, f) .what = DO_RET_UNLINK, .kind = k, .at = w, .flip = f
#define GUESS(k) .what = DO_GUESS, .kind = k
#define GUESS_UNLINK(k) .what = DO_GUESS_UNLINK, .kind = k
#define HALF .what = DO_HALF
#define CLOSE .what = DO_CLOSE

#define BROKE(field) "closed -71 the server broke the USB/IP protocol: " field "\n"
#define UNKNOWN BROKE("usbip_header_basic.seqnum: of no URB that is in flight")
#define UNKNOWN_UNLINK BROKE("usbip_header_basic.seqnum: of no unlink that is in flight")
#define TOO_LONG BROKE("ret_submit.actual_length: more than was asked for")
#define NO_REPLY BROKE("usbip_header_basic.command: not a reply")
#define LOST "closed -104 the server closed the connection\n"

static const struct script {
	const char *name;
	struct op ops[12];
	const char *log;
} scripts[] = {
	{"every kind",
		{{SUBMIT(IN_A)}, {RET(IN_A, 0, 512)}, {SUBMIT(OUT_A)}, {RET(OUT_A, 0, 31)},
			{SUBMIT(INTR)}, {RET(INTR, 0, 8)}, {SUBMIT(GET)}, {RET(GET, 0, 18)},
			{SUBMIT(SET)}, {RET(SET, 0, 7)}, {SUBMIT(OUT_ZLP)}, {RET(OUT_ZLP, 0, 512)}},
		"done IN_A 0 512\ndone OUT_A 0 31\ndone INTR 0 8\ndone GET 0 18\ndone SET 0 7\n"
		"done OUT_ZLP 0 512\n"},
	{"without data",
		{{SUBMIT(SET_0)}, {RET(SET_0, 0, 0)}, {SUBMIT(IN_NONE)}, {RET(IN_NONE, 0, 0)},
			{SUBMIT(GET_0)}, {RET(GET_0, 0, 0)}, {SUBMIT(IN_A)}, {RET(IN_A, 0, 0)}},
		"done SET_0 0 0\ndone IN_NONE 0 0\ndone GET_0 0 0\ndone IN_A 0 0\n"},
	{"out of order",
		{{SUBMIT(IN_A)}, {SUBMIT(IN_B)}, {SUBMIT(INTR)}, {SUBMIT(OUT_A)},
			{RET(OUT_A, 0, 31)}, {RET(INTR, 0, 8)}, {RET(IN_B, 0, 512)},
			{RET(IN_A, 0, 512)}},
		"done OUT_A 0 31\ndone INTR 0 8\ndone IN_B 0 512\ndone IN_A 0 512\n"},
	{"short",
		{{SUBMIT(IN_A)}, {SUBMIT(IN_BIG)}, {SUBMIT(OUT_A)}, {RET(IN_A, 0, 1)},
			{RET(IN_BIG, 0, 9999)}, {RET(OUT_A, 0, 30)}},
		"done IN_A 0 1\ndone IN_BIG 0 9999\ndone OUT_A 0 30\n"},
	{"errors, with and without data",
		{{SUBMIT(IN_A)}, {SUBMIT(IN_B)}, {SUBMIT(OUT_A)}, {SUBMIT(GET)},
			{RET(IN_A, -EPIPE, 0)}, {RET(IN_B, -EOVERFLOW, 512)},
			{RET(OUT_A, -EPROTO, 7)}, {RET(GET, -4095, 0)}},
		"done IN_A -32 0\ndone IN_B -75 512\ndone OUT_A -71 7\ndone GET -4095 0\n"},
	{"submitted again",
		{{SUBMIT(IN_A)}, {RET(IN_A, 0, 5)}, {SUBMIT(IN_A)}, {RET(IN_A, 0, 512)}},
		"done IN_A 0 5\ndone IN_A 0 512\n"},
	{"header fields that servers fill in as they like",
		{{SUBMIT(IN_A)}, {SUBMIT(OUT_A)}, {SUBMIT(GET)}, {SUBMIT(INTR)}, {SUBMIT(IN_B)},
			{SUBMIT(SET)}, {RET_FLIP(IN_A, 5, DEVID, 7)},
			{RET_FLIP(OUT_A, 31, DIRECTION, 0xffffffff)},
			{RET_FLIP(GET, 5, EP, 0xffffffff)},
			{RET_FLIP(INTR, 5, START_FRAME, 0xffffffff)},
			{RET_FLIP(IN_B, 5, PACKETS, 0xffffffff)},
			{RET_FLIP(SET, 7, ERRORS, 0xffffffff)}},
		"done IN_A 0 5\ndone OUT_A 0 31\ndone GET 0 5\ndone INTR 0 5\ndone IN_B 0 5\n"
		"done SET 0 7\n"},

	/* Unlinks. */
	{"RET_UNLINK only", {{SUBMIT(IN_A)}, {UNLINK(IN_A)}, {RET_UNLINK(IN_A, -ECONNRESET)}},
		"done IN_A -104 0\n"},
	{"RET_UNLINK only, which says 0",
		{{SUBMIT(OUT_A)}, {UNLINK(OUT_A)}, {RET_UNLINK(OUT_A, 0)}}, "done OUT_A -104 0\n"},
	{"RET_SUBMIT, then RET_UNLINK",
		{{SUBMIT(IN_A)}, {UNLINK(IN_A)}, {RET(IN_A, 0, 512)}, {RET_UNLINK(IN_A, 0)}},
		"done IN_A 0 512\n"},
	{"an error, then RET_UNLINK",
		{{SUBMIT(IN_A)}, {UNLINK(IN_A)}, {RET(IN_A, -EPIPE, 3)},
			{RET_UNLINK(IN_A, -ECONNRESET)}},
		"done IN_A -32 3\n"},
	{"given back before RET_UNLINK", {{SUBMIT(IN_A)}, {UNLINK(IN_A)}, {RET(IN_A, 0, 512)}},
		"done IN_A 0 512\n"},
	{"submitted again before RET_UNLINK",
		{{SUBMIT(IN_A)}, {UNLINK(IN_A)}, {RET(IN_A, 0, 512)}, {SUBMIT(IN_A)},
			{RET_UNLINK(IN_A, 0)}, {RET(IN_A, 0, 5)}},
		"done IN_A 0 512\ndone IN_A 0 5\n"},
	{"one of two",
		{{SUBMIT(IN_A)}, {SUBMIT(IN_B)}, {UNLINK(IN_A)}, {RET(IN_B, 0, 512)},
			{RET_UNLINK(IN_A, -ECONNRESET)}},
		"done IN_B 0 512\ndone IN_A -104 0\n"},
	{"unlinked twice",
		{{SUBMIT(IN_A)}, {UNLINK(IN_A)}, {UNLINK(IN_A)}, {RET_UNLINK(IN_A, -ECONNRESET)}},
		"done IN_A -104 0\n"},
	{"unlinked when not in flight",
		{{UNLINK(IN_A)}, {SUBMIT(IN_A)}, {RET(IN_A, 0, 1)}, {UNLINK(IN_A)}},
		"done IN_A 0 1\n"},
	{"unlinked together with its submit",
		{{HOLD(IN_A)}, {UNLINK(IN_A)}, {RET_UNLINK(IN_A, -104)}}, "done IN_A -104 0\n"},

	/* usbipd-win: RET_UNLINK overtakes RET_SUBMIT. */
	{"late, without data",
		{{SUBMIT(IN_A)}, {UNLINK(IN_A)}, {RET_UNLINK(IN_A, 0)}, {RET(IN_A, -104, 0)}},
		"done IN_A -104 0\n"},
	{"late, with data",
		{{SUBMIT(IN_A)}, {UNLINK(IN_A)}, {RET_UNLINK(IN_A, 0)}, {RET(IN_A, 0, 512)}},
		"done IN_A -104 0\n"},
	{"late, OUT",
		{{SUBMIT(OUT_A)}, {UNLINK(OUT_A)}, {RET_UNLINK(OUT_A, 0)}, {RET(OUT_A, 0, 31)}},
		"done OUT_A -104 0\n"},
	{"late, larger than the scratch buffer",
		{{SUBMIT(IN_BIG)}, {UNLINK(IN_BIG)}, {RET_UNLINK(IN_BIG, 0)},
			{RET(IN_BIG, 0, 10000)}},
		"done IN_BIG -104 0\n"},
	{"late, of the scratch buffer's size",
		{{SUBMIT(IN_BIG)}, {UNLINK(IN_BIG)}, {RET_UNLINK(IN_BIG, 0)},
			{RET(IN_BIG, 0, 4096)}},
		"done IN_BIG -104 0\n"},
	{"late, of twice that",
		{{SUBMIT(IN_BIG)}, {UNLINK(IN_BIG)}, {RET_UNLINK(IN_BIG, 0)},
			{RET(IN_BIG, 0, 8192)}},
		"done IN_BIG -104 0\n"},
	{"late, a little more than that, and another reply",
		{{SUBMIT(IN_BIG)}, {SUBMIT(IN_A)}, {UNLINK(IN_BIG)}, {RET_UNLINK(IN_BIG, 0)},
			{RET(IN_BIG, 0, 4100)}, {RET(IN_A, 0, 512)}},
		"done IN_BIG -104 0\ndone IN_A 0 512\n"},
	{"late, its URB in flight again",
		{{SUBMIT(IN_A)}, {UNLINK(IN_A)}, {RET_UNLINK(IN_A, 0)}, {SUBMIT(IN_A)},
			{OLD(IN_A, 0, 512)}, {RET(IN_A, 0, 3)}},
		"done IN_A -104 0\ndone IN_A 0 3\n"},
	{"late, twice",
		{{SUBMIT(IN_A)}, {UNLINK(IN_A)}, {RET_UNLINK(IN_A, 0)}, {RET(IN_A, 0, 512)},
			{RET(IN_A, 0, 512)}},
		"done IN_A -104 0\n" UNKNOWN},
	{"late and too long",
		{{SUBMIT(IN_A)}, {UNLINK(IN_A)}, {RET_UNLINK(IN_A, 0)}, {RET(IN_A, 0, 513)}},
		"done IN_A -104 0\n" TOO_LONG},
	{"late, though it was answered",
		{{SUBMIT(IN_A)}, {UNLINK(IN_A)}, {RET(IN_A, 0, 5)}, {RET_UNLINK(IN_A, 0)},
			{RET(IN_A, 0, 5)}},
		"done IN_A 0 5\n" UNKNOWN},

	/* Servers that break the protocol. */
	{"too long", {{SUBMIT(IN_A)}, {RET(IN_A, 0, 513)}}, TOO_LONG},
	{"too long, OUT", {{SUBMIT(OUT_A)}, {RET(OUT_A, 0, 32)}}, TOO_LONG},
	{"too long for anything", {{SUBMIT(IN_A)}, {RET_FLIP(IN_A, 0, ACTUAL, 0x80000000)}},
		BROKE("ret_submit.actual_length: over 1 MiB")},
	{"unknown seqnum", {{SUBMIT(IN_A)}, {RET_FLIP(IN_A, 5, SEQNUM, 0x1000)}}, UNKNOWN},
	{"another slot's", {{SUBMIT(IN_A)}, {RET_FLIP(IN_A, 5, SEQNUM, 4)}}, UNKNOWN},
	{"the other direction's", {{SUBMIT(OUT_A)}, {RET_FLIP(OUT_A, 5, SEQNUM, 2)}}, UNKNOWN},
	{"an unlink's seqnum", {{SUBMIT(IN_A)}, {UNLINK(IN_A)}, {RET_FLIP(IN_A, 5, SEQNUM, 1)}},
		UNKNOWN},
	{"seqnum 0", {{GUESS(IN_A)}}, UNKNOWN},
	{"answered twice", {{SUBMIT(IN_A)}, {RET(IN_A, 0, 5)}, {RET(IN_A, 0, 5)}},
		"done IN_A 0 5\n" UNKNOWN},
	{"answered twice while unlinked",
		{{SUBMIT(IN_A)}, {UNLINK(IN_A)}, {RET(IN_A, 0, 5)}, {RET(IN_A, 0, 5)}},
		"done IN_A 0 5\n" UNKNOWN},
	{"RET_UNLINK of nothing", {{SUBMIT(IN_A)}, {RET_UNLINK(IN_A, 0)}}, UNKNOWN_UNLINK},
	{"RET_UNLINK without an unlink", {{SUBMIT(IN_A)}, {RET_FLIP(IN_A, 0, COMMAND, 3 ^ 4)}},
		UNKNOWN_UNLINK},
	{"RET_UNLINK with the submit's seqnum",
		{{SUBMIT(IN_A)}, {UNLINK(IN_A)}, {RET_UNLINK_FLIP(IN_A, SEQNUM, 1)}},
		UNKNOWN_UNLINK},
	{"RET_UNLINK of an earlier unlink",
		{{SUBMIT(IN_A)}, {UNLINK(IN_A)}, {RET_UNLINK_FLIP(IN_A, SEQNUM, 0x1000)}},
		UNKNOWN_UNLINK},
	{"RET_UNLINK twice",
		{{SUBMIT(IN_A)}, {UNLINK(IN_A)}, {RET_UNLINK(IN_A, 0)}, {RET_UNLINK(IN_A, 0)}},
		"done IN_A -104 0\n" UNKNOWN_UNLINK},
	{"RET_UNLINK twice, after its answer",
		{{SUBMIT(IN_A)}, {UNLINK(IN_A)}, {RET(IN_A, 0, 5)}, {RET_UNLINK(IN_A, 0)},
			{RET_UNLINK(IN_A, 0)}},
		"done IN_A 0 5\n" UNKNOWN_UNLINK},
	{"answered before it is sent", {{HOLD(IN_A)}, {GUESS(IN_A)}},
		BROKE("usbip_header_basic.seqnum: of a URB that has not been sent")},
	{"unlinked before that is sent",
		{{SUBMIT(IN_A)}, {HOLD_UNLINK(IN_A)}, {GUESS_UNLINK(IN_A)}},
		BROKE("usbip_header_basic.seqnum: of an unlink that has not been sent")},
	{"CMD_SUBMIT", {{SUBMIT(IN_A)}, {RET_FLIP(IN_A, 0, COMMAND, 3 ^ 1)}}, NO_REPLY},
	{"CMD_UNLINK", {{SUBMIT(IN_A)}, {RET_FLIP(IN_A, 0, COMMAND, 3 ^ 2)}}, NO_REPLY},
	{"command 0", {{SUBMIT(IN_A)}, {RET_FLIP(IN_A, 0, COMMAND, 3 ^ 0)}},
		BROKE("usbip_header_basic.command: not 1..4")},
	{"status above 0", {{SUBMIT(IN_A)}, {RET(IN_A, 1, 0)}},
		BROKE("ret_submit.status: not in -4095..0")},
	{"an unlink's status above 0", {{SUBMIT(IN_A)}, {UNLINK(IN_A)}, {RET_UNLINK(IN_A, 1)}},
		BROKE("ret_unlink.status: not in -4095..0")},
	{"isochronous packets", {{SUBMIT(IN_A)}, {RET_FLIP(IN_A, 5, PACKETS, 1)}},
		BROKE("ret_submit.number_of_packets: not what was sent")},

	/* The connection. */
	{"closed", {{SUBMIT(IN_A)}, {CLOSE}}, LOST},
	{"closed between messages", {{SUBMIT(IN_A)}, {SUBMIT(IN_B)}, {RET(IN_B, 0, 5)}, {CLOSE}},
		"done IN_B 0 5\n" LOST},
	{"closed in a header", {{SUBMIT(IN_A)}, {HALF}, {CLOSE}}, LOST},
	{"closed before the data", {{SUBMIT(IN_A)}, {RET_FLIP(IN_A, 0, ACTUAL, 512)}, {CLOSE}},
		LOST},
	{"closed in the data", {{SUBMIT(IN_A)}, {RET_FLIP(IN_A, 1, ACTUAL, 1 ^ 512)}, {CLOSE}},
		LOST},
	{"closed in late data",
		{{SUBMIT(IN_BIG)}, {UNLINK(IN_BIG)}, {RET_UNLINK(IN_BIG, 0)},
			{RET_FLIP(IN_BIG, 5000, ACTUAL, 5000 ^ 10000)}, {CLOSE}},
		"done IN_BIG -104 0\n" LOST},
};

/* ---- running them ---- */

static void send_reply(struct session *s, const struct op *op)
{
	const struct session_urb *u = &s->urbs[op->kind];
	bool unlink = op->what == DO_RET_UNLINK || op->what == DO_GUESS_UNLINK;
	uint32_t words[10] = {
		[COMMAND] = unlink ? 4 : 3, [STATUS] = (uint32_t)op->status, [ACTUAL] = op->actual};
	uint8_t *payload = session_payload(op->kind);

	words[SEQNUM] = op->what == DO_OLD    ? u->previous
		: op->what == DO_GUESS	      ? u->urb.seqnum
		: op->what == DO_GUESS_UNLINK ? u->urb.seqnum | 1
		: unlink		      ? u->unlink_seqnum
					      : u->seqnum;
	words[op->at] ^= op->flip;
	peer_send_header(&s->peer, words, PEER_COUNT(words));
	if (u->urb.endpoint & 0x80 || u->urb.setup[0] & 0x80)
		peer_send(&s->peer, payload, op->actual);
	free(payload);
}

static void see(struct session *s)
{
	session_run(s);
	session_serve(s);
}

static void run_op(struct session *s, const struct op *op)
{
	static const uint8_t half[24] = {0, 0, 0, 3};

	switch (op->what) {
	case DO_SUBMIT:
		see(s);
		assert_int_equal(session_submit(s, op->kind), 0);
		see(s);
		break;
	case DO_UNLINK:
		see(s);
		client_unlink(s->client, &s->urbs[op->kind].urb);
		see(s);
		break;
	case DO_HOLD:
		assert_int_equal(session_submit(s, op->kind), 0);
		break;
	case DO_HOLD_UNLINK:
		client_unlink(s->client, &s->urbs[op->kind].urb);
		break;
	case DO_HALF:
		peer_send(&s->peer, half, sizeof(half));
		break;
	case DO_CLOSE:
		s->peer.closing = true;
		break;
	default:
		send_reply(s, op);
	}
}

static void check_closed(struct session *s)
{
	char *log = strdup(s->log);

	assert_int_equal(s->closed, 1);
	assert_int_equal(client_fd(s->client), -1);
	assert_int_equal(client_events(s->client), 0);
	assert_int_equal(client_submit(s->client, &s->urbs[SET].urb), -ENOTCONN);
	for (unsigned i = 0; i < SESSION_KINDS; i++)
		client_unlink(s->client, &s->urbs[i].urb);
	client_dispatch(s->client);
	client_flush(s->client);
	assert_string_equal(s->log, log);
	free(log);
}

/* The stream is in its place, and a URB moves. */
static void check_open(struct session *s)
{
	uint8_t *payload = session_payload(GET);

	assert_int_equal(client_events(s->client), POLLIN);
	s->log[0] = 0;
	assert_int_equal(session_submit(s, GET), 0);
	see(s);
	peer_send_ret_submit(&s->peer, s->urbs[GET].seqnum, 0, payload, 18);
	session_run(s);
	assert_string_equal(s->log, "done GET 0 18\n");
	free(payload);
}

/* Returns how many bytes the server has sent. */
static size_t run_script(const struct script *script, size_t split, size_t piece)
{
	struct session s;
	size_t sent;

	session_open(&s);
	s.peer.split = split;
	s.peer.piece = piece;
	for (unsigned i = 0; i < PEER_COUNT(script->ops) && script->ops[i].what; i++)
		run_op(&s, &script->ops[i]);
	see(&s);
	sent = s.peer.out_size;
	if (strcmp(s.log, script->log))
		fail_msg("%s, split at %zu by %zu:\n%sinstead of:\n%s", script->name, split, piece,
			s.log, script->log);
	if (s.closed)
		check_closed(&s);
	else
		check_open(&s);
	session_fini(&s);
	return sent;
}

/* A reply to what has not been sent comes before that only when it comes in one piece. */
static bool is_race(const struct script *script)
{
	for (unsigned i = 0; i < PEER_COUNT(script->ops); i++)
		if (script->ops[i].what == DO_HOLD || script->ops[i].what == DO_HOLD_UNLINK)
			return true;
	return false;
}

/* Every place, but within long data only those around the scratch buffer's size. */
static bool is_place(size_t split, size_t size)
{
	return size < 2500 || split < 200 || split + 60 > size || (split + 50) % 4096 < 250;
}

static void test_scripts(void **state)
{
	(void)state;
	for (size_t i = 0; i < PEER_COUNT(scripts); i++)
		run_script(&scripts[i], 0, 0);
}

static void test_scripts_split(void **state)
{
	(void)state;
	for (size_t i = 0; i < PEER_COUNT(scripts); i++) {
		size_t size = run_script(&scripts[i], 0, 0);

		if (is_race(&scripts[i]))
			continue;
		run_script(&scripts[i], 0, 1);
		for (size_t split = 1; split < size; split += quick_step(61))
			if (is_place(split, size))
				run_script(&scripts[i], split, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scripts),
		cmocka_unit_test(test_scripts_split),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
