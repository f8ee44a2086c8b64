/* SPDX-License-Identifier: GPL-2.0-or-later */
/* client: a session that outlives its connection, to a server that speaks in raw bytes. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "bridge/client.h"
#include "bridge/conn.h"
#include "tests/unit/peer.h"

#define URBS 4

struct rig {
	struct peer peer;
	struct client *client;
	char log[500];
	struct client_urb urbs[URBS];
	uint8_t data[URBS][64];
};

static const struct peer_device device = {"3-1", 3, 7, 3, 0x04a9, 0x3218, 0, 1};
static const uint8_t token[USBIP_TOKEN_SIZE] = "0123456789abcde";

static void say(struct rig *r, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say(struct rig *r, const char *format, ...)
{
	size_t used = strlen(r->log);
	va_list args;

	va_start(args, format);
	(void)vsnprintf(r->log + used, sizeof(r->log) - used, format, args);
	va_end(args);
}

static void on_imported(void *user, const struct usbip_device *of)
{
	(void)of;
	say(user, "imported ");
}

static void on_closed(void *user, int error, const char *reason)
{
	say(user, "closed %d %s", error, reason);
}

static void on_lost(void *user, int error, const char *reason)
{
	say(user, "lost %d %s ", error, reason);
}

static const struct client_callbacks callbacks = {
	.imported = on_imported, .closed = on_closed, .lost = on_lost};

static void on_done(struct client_urb *urb, int status, uint32_t actual)
{
	struct rig *r = urb->user;

	say(r, "%u:%d:%u ", (unsigned)(urb - r->urbs), status, actual);
}

static int subject_fd(const void *client)
{
	return client_fd(client);
}

static short subject_events(const void *client)
{
	return client_events(client);
}

static void subject_dispatch(void *client)
{
	client_dispatch(client);
	client_flush(client);
}

static const struct peer_subject subject = {subject_fd, subject_events, subject_dispatch};

static void run(struct rig *r)
{
	client_flush(r->client);
	peer_run(&r->peer, &subject, r->client);
}

static void start(struct rig *r)
{
	struct conn conn;

	memset(r, 0, sizeof(*r));
	peer_init(&r->peer, &conn);
	assert_int_equal(client_new(&conn, "3-1", &callbacks, r, &r->client), 0);
	client_ask_session(r->client, 600);
	for (unsigned i = 0; i < URBS; i++)
		r->urbs[i] = (struct client_urb){.endpoint = 0x81,
			.buffer = r->data[i],
			.length = sizeof(r->data[i]),
			.done = on_done,
			.user = r};
	assert_false(client_in_session(r->client));
}

static void answer(struct rig *r)
{
	peer_send_op(&r->peer, 0x10, 0);
	peer_send_device(&r->peer, &device);
	peer_send(&r->peer, token, sizeof(token));
}

static void start_session(struct rig *r)
{
	start(r);
	answer(r);
	run(r);
	assert_string_equal(r->log, "imported ");
	assert_true(client_in_session(r->client));
	r->log[0] = 0;
	assert_non_null(peer_take(&r->peer, 44));
}

static void stop(struct rig *r)
{
	client_free(r->client);
	peer_fini(&r->peer);
}

static void lose(struct rig *r)
{
	peer_close(&r->peer);
	run(r);
	assert_string_equal(r->log, "lost -104 the server closed the connection ");
	assert_int_equal(client_fd(r->client), -1);
	assert_int_equal(client_events(r->client), 0);
	assert_true(client_in_session(r->client));
	r->log[0] = 0;
}

static int resume(struct rig *r, uint32_t received)
{
	struct conn conn;

	peer_fini(&r->peer);
	peer_init(&r->peer, &conn);
	return client_resume(r->client, &conn, received);
}

/* What its next message has in the place of a devid; and which URB it is for. */
static uint32_t take(struct rig *r, uint32_t command, uint32_t seqnum)
{
	struct peer_command c;

	assert_true(peer_take_command(&r->peer, &c));
	assert_int_equal(c.command, command);
	assert_int_equal(command == 2 ? c.unlinked : c.seqnum, seqnum);
	return c.devid;
}

static void expect_how(const struct rig *r, uint32_t received, uint32_t first)
{
	struct usbip_resume how;

	client_resumption(r->client, &how);
	assert_memory_equal(how.token, token, sizeof(token));
	assert_int_equal(how.received, received);
	assert_int_equal(how.first, first);
}

/* ---- the beginning ---- */

static void test_request(void **state)
{
	static const uint8_t head[8] = {1, 0x11, 0x80, 0x10}, hold_s[4] = {0, 0, 2, 0x58};
	struct rig r;

	(void)state;
	start(&r);
	run(&r);
	assert_int_equal(r.peer.in_size, 44);
	assert_memory_equal(r.peer.in, head, sizeof(head));
	assert_string_equal((const char *)r.peer.in + 8, "3-1");
	assert_memory_equal(r.peer.in + 40, hold_s, sizeof(hold_s));
	stop(&r);
}

/* Before it is there it is nothing that could be gone on with. */
static void test_lost_at_each_byte_of_the_answer(void **state)
{
	(void)state;
	for (size_t size = 0; size < 8 + 312 + 16; size++) {
		struct rig r;

		start(&r);
		answer(&r);
		assert_int_equal(r.peer.out_size, 8 + 312 + 16);
		r.peer.out_size = size;
		r.peer.closing = true;
		run(&r);
		assert_string_equal(r.log, "closed -104 the server closed the connection");
		stop(&r);
	}
}

static void test_answered_by_pieces(void **state)
{
	struct rig r;

	(void)state;
	start(&r);
	answer(&r);
	r.peer.piece = 1;
	run(&r);
	assert_string_equal(r.log, "imported ");
	stop(&r);
}

static void test_another_answer(void **state)
{
	static const uint16_t codes[] = {3, 0x11};

	(void)state;
	for (size_t i = 0; i < PEER_COUNT(codes); i++) {
		struct rig r;

		start(&r);
		peer_send_op(&r.peer, codes[i], 0);
		run(&r);
		assert_string_equal(r.log,
			"closed -71 the server broke the USB/IP protocol: "
			"op_common.code: not OP_REP_SESSION");
		stop(&r);
	}
}

/* ---- lost ---- */

static void test_resumed(void **state)
{
	struct rig r;
	uint32_t seqnums[URBS];

	(void)state;
	start_session(&r);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(client_submit(r.client, &r.urbs[i]), 0);
		seqnums[i] = r.urbs[i].seqnum;
	}
	run(&r);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(take(&r, 1, seqnums[i]), 0);
	/* One is done, of the next there is one half; the third has not come to the server. */
	peer_send_ret_submit(&r.peer, seqnums[0], 0, "abcd", 4);
	peer_send_ret_submit(&r.peer, seqnums[1], 0, "ABCD", 4);
	r.peer.out_size -= 2;
	run(&r);
	assert_string_equal(r.log, "0:0:4 ");
	r.log[0] = 0;
	lose(&r);
	expect_how(&r, 1, 3);
	/* All goes on as ever. */
	assert_int_equal(client_submit(r.client, &r.urbs[3]), 0);
	seqnums[3] = r.urbs[3].seqnum;
	client_unlink(r.client, &r.urbs[2]);
	client_flush(r.client);
	expect_how(&r, 1, 3);
	assert_int_equal(resume(&r, 2), 0);
	run(&r);
	(void)take(&r, 1, seqnums[2]);
	assert_int_equal(take(&r, 1, seqnums[3]), 1);
	assert_int_equal(take(&r, 2, seqnums[2]), 1);
	peer_send_ret_submit(&r.peer, seqnums[1], 0, "ABCD", 4);
	run(&r);
	assert_string_equal(r.log, "1:0:4 ");
	assert_memory_equal(r.data[1], "ABCD", 4);
	r.log[0] = 0;
	/* Three were sent again, from 3 on. */
	lose(&r);
	expect_how(&r, 2, 6);
	stop(&r);
}

/* An answer that was faster than the unlink, which has not left: it would be of no use any more. */
static void test_unlinked_too_late(void **state)
{
	static uint8_t much[USBIP_MAX_TRANSFER];
	struct client_urb out;
	struct rig r;

	(void)state;
	start_session(&r);
	out = (struct client_urb){
		.endpoint = 2, .buffer = much, .length = sizeof(much), .done = on_done, .user = &r};
	assert_int_equal(client_submit(r.client, &r.urbs[0]), 0);
	run(&r);
	(void)take(&r, 1, r.urbs[0].seqnum);
	r.peer.deaf = true;
	assert_int_equal(client_submit(r.client, &out), 0);
	client_unlink(r.client, &r.urbs[0]);
	peer_send_ret_submit(&r.peer, r.urbs[0].seqnum, 0, "abcd", 4);
	run(&r);
	assert_string_equal(r.log, "");
	lose(&r);
	expect_how(&r, 1, 3);
	assert_int_equal(resume(&r, 1), 0);
	assert_string_equal(r.log, "0:0:4 ");
	assert_false(r.urbs[0].unlink.queued);
	run(&r);
	assert_int_equal(r.peer.in_size, 48 + sizeof(much));
	assert_int_equal(client_in_flight(r.client), 1);
	stop(&r);
}

/* As one that would have a client send again what it has not got any more, or never. */
static void test_impossible_counts(void **state)
{
	static const struct {
		uint32_t received;
		int result;
	} cases[] = {{5, -EPROTO}, {2, -EPROTO}, {0x80000000, -EPROTO}, {0xffffffff, -EPROTO},
		{3, 0}, {4, 0}};

	(void)state;
	for (size_t i = 0; i < PEER_COUNT(cases); i++) {
		struct rig r;

		start_session(&r);
		for (unsigned n = 0; n < URBS; n++)
			assert_int_equal(client_submit(r.client, &r.urbs[n]), 0);
		run(&r);
		lose(&r);
		assert_int_equal(resume(&r, 3), 0);
		/* One more, with its new number, 4. */
		lose(&r);
		expect_how(&r, 0, 5);
		assert_int_equal(resume(&r, 3), 0);
		lose(&r);
		expect_how(&r, 0, 6);
		assert_int_equal(resume(&r, cases[i].received == 5 ? 7 : cases[i].received),
			cases[i].result);
		/* It has closed what it did not take. */
		run(&r);
		assert_int_equal(client_fd(r.client) >= 0, !cases[i].result);
		if (cases[i].result)
			assert_int_equal(recv(r.peer.fd, r.log, 1, MSG_DONTWAIT), 0);
		stop(&r);
	}
}

static void test_not_lost(void **state)
{
	struct rig r;

	(void)state;
	start_session(&r);
	peer_send_ret_submit(&r.peer, 0x12345, 0, NULL, 0);
	run(&r);
	assert_string_equal(r.log,
		"closed -71 the server broke the USB/IP protocol: usbip_header_basic.seqnum: of "
		"no URB that is in flight");
	assert_false(client_in_session(r.client));
	assert_int_equal(resume(&r, 0), -EPROTO);
	stop(&r);
}

static void test_given_up(void **state)
{
	struct rig r;

	(void)state;
	for (int lost = 0; lost < 2; lost++) {
		start_session(&r);
		assert_int_equal(client_submit(r.client, &r.urbs[0]), 0);
		run(&r);
		if (lost)
			lose(&r);
		client_disconnect(r.client);
		client_flush(r.client);
		assert_string_equal(r.log, "closed -103 the camera is taken over once more");
		assert_int_equal(client_submit(r.client, &r.urbs[1]), -ENOTCONN);
		r.log[0] = 0;
		client_abandon(r.client);
		assert_string_equal(r.log, "0:-107:0 ");
		stop(&r);
	}
}

/* The session is not to be had any more; what is given back may not come in again. */
static void test_not_resumed(void **state)
{
	struct rig r;

	(void)state;
	start_session(&r);
	assert_int_equal(client_submit(r.client, &r.urbs[0]), 0);
	run(&r);
	lose(&r);
	assert_int_equal(client_submit(r.client, &r.urbs[1]), 0);
	client_abandon(r.client);
	assert_string_equal(r.log, "0:-107:0 1:-107:0 ");
	assert_int_equal(client_submit(r.client, &r.urbs[0]), -ENOTCONN);
	assert_int_equal(client_in_flight(r.client), 0);
	stop(&r);
}

/* What is to be sent waits in the table, which is as large as ever. */
static void test_full(void **state)
{
	static struct client_urb urbs[CLIENT_MAX_URBS + 1];
	uint8_t data[4];
	struct rig r;

	(void)state;
	start_session(&r);
	lose(&r);
	for (unsigned i = 0; i <= CLIENT_MAX_URBS; i++) {
		urbs[i] = (struct client_urb){.endpoint = 0x81,
			.buffer = data,
			.length = sizeof(data),
			.done = on_done,
			.user = &r};
		assert_int_equal(
			client_submit(r.client, &urbs[i]), i < CLIENT_MAX_URBS ? 0 : -ENOBUFS);
		client_unlink(r.client, &urbs[i]);
	}
	assert_int_equal(resume(&r, 0), 0);
	run(&r);
	for (unsigned i = 0; i < CLIENT_MAX_URBS; i++) {
		(void)take(&r, 1, urbs[i].seqnum);
		(void)take(&r, 2, urbs[i].seqnum);
	}
	assert_int_equal(r.peer.in_size, r.peer.in_taken);
	stop(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_request),
		cmocka_unit_test(test_lost_at_each_byte_of_the_answer),
		cmocka_unit_test(test_answered_by_pieces),
		cmocka_unit_test(test_another_answer),
		cmocka_unit_test(test_resumed),
		cmocka_unit_test(test_unlinked_too_late),
		cmocka_unit_test(test_impossible_counts),
		cmocka_unit_test(test_not_lost),
		cmocka_unit_test(test_given_up),
		cmocka_unit_test(test_not_resumed),
		cmocka_unit_test(test_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
