/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * client: connecting, the import handshake, and the bytes of what it sends.
 *
 * Linked with --wrap=close, so that nothing is closed twice.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "bridge/conn.h"
#include "tests/unit/peer.h"
#include "tests/unit/session.h"

#define REPLY_SIZE 320 /* op_common and usbip_usb_device */
#define IMPORTED "imported " SESSION_BUSID "\n"
#define LOST "closed -104 the server closed the connection\n"
#define BROKE(field) "closed -71 the server broke the USB/IP protocol: " field "\n"
#define REFUSED(status) "the server does not hand device " SESSION_BUSID " over: " status "\n"

int __real_close(int fd);
int __wrap_close(int fd);

int __wrap_close(int fd)
{
	assert_int_equal(__real_close(fd), 0);
	return 0;
}

/* ---- what is sent ---- */

static const uint8_t request[40] = {
	0x01, 0x11, 0x80, 0x03, 0, 0, 0, 0, /* version, OP_REQ_IMPORT, status */
	'1', '-', '1', '.', '4',	    /* busid */
};

/* Header of the protocol text's figures: five words, then the command's. devid is 3 << 16 | 7. */
static const struct golden {
	enum session_kind kind;
	uint8_t bytes[48];
} goldens[] = {
	{GET,
		{0, 0, 0, 1, 0, 0, 0x10, 0x02, 0, 3, 0, 7, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
			0, 18, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x80, 6, 0, 1, 0, 0, 18, 0}},
	{SET,
		{0, 0, 0, 1, 0, 0, 0x10, 0x00, 0, 3, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
			0, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x21, 0x22, 1, 2, 3, 4, 7, 0}},
	{GET_0,
		{0, 0, 0, 1, 0, 0, 0x10, 0x00, 0, 3, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
			0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x80, 6, 0, 1, 0, 0, 0, 0}},
	{IN_A,
		{0, 0, 0, 1, 0, 0, 0x10, 0x02, 0, 3, 0, 7, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0,
			2, 0}},
	{OUT_A,
		{0, 0, 0, 1, 0, 0, 0x10, 0x00, 0, 3, 0, 7, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0,
			0, 31}},
	{OUT_ZLP,
		{0, 0, 0, 1, 0, 0, 0x10, 0x00, 0, 3, 0, 7, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0x40, 0,
			0, 2, 0}},
	{INTR,
		{0, 0, 0, 1, 0, 0, 0x10, 0x02, 0, 3, 0, 7, 0, 0, 0, 1, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0,
			0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 64}},
};

static const uint8_t golden_unlink[48] = {
	0,
	0,
	0,
	2,
	0,
	0,
	0x10,
	0x03,
	0,
	3,
	0,
	7,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0x10,
	0x02,
};

static void test_request(void **state)
{
	struct session s;

	(void)state;
	session_init(&s);
	session_run(&s);
	assert_int_equal(s.peer.in_size, sizeof(request));
	assert_memory_equal(s.peer.in, request, sizeof(request));
	assert_string_equal(s.log, "");
	session_fini(&s);
}

static void test_urbs(void **state)
{
	(void)state;
	for (size_t i = 0; i < PEER_COUNT(goldens); i++) {
		const struct golden *g = &goldens[i];
		struct session s;
		size_t data;

		session_open(&s);
		data = g->bytes[15] ? 0 : s.urbs[g->kind].length;
		assert_int_equal(session_submit(&s, g->kind), 0);
		session_run(&s);
		assert_int_equal(s.peer.in_size, 48 + data);
		assert_memory_equal(s.peer.in, g->bytes, 48);
		for (uint32_t k = 0; k < data; k++)
			assert_int_equal(s.peer.in[48 + k], session_byte(g->kind, k));
		session_fini(&s);
	}
}

static void test_unlink(void **state)
{
	struct session s;

	(void)state;
	session_open(&s);
	assert_int_equal(session_submit(&s, INTR), 0);
	client_unlink(s.client, &s.urbs[INTR].urb);
	session_run(&s);
	assert_int_equal(s.peer.in_size, 96);
	assert_memory_equal(s.peer.in + 48, golden_unlink, 48);
	session_fini(&s);
}

/* ---- the handshake ---- */

static void good_reply(struct session *s)
{
	peer_send_op(&s->peer, 3, 0);
	peer_send_device(&s->peer, &session_device);
	assert_int_equal(s->peer.out_size, REPLY_SIZE);
}

static void test_close_at_every_byte(void **state)
{
	(void)state;
	for (size_t size = 0; size <= REPLY_SIZE; size++) {
		struct session s;

		session_init(&s);
		good_reply(&s);
		s.peer.out_size = size;
		s.peer.closing = true;
		session_run(&s);
		assert_string_equal(s.log, size < REPLY_SIZE ? LOST : IMPORTED LOST);
		session_fini(&s);
	}
}

static void test_close_before_request(void **state)
{
	struct session s;

	(void)state;
	session_init(&s);
	peer_close(&s.peer);
	session_run(&s);
	assert_string_equal(s.log, LOST);
	session_fini(&s);

	/* The same, found out by writing. */
	session_init(&s);
	peer_close(&s.peer);
	client_flush(s.client);
	assert_string_equal(s.log, LOST);
	session_fini(&s);
}

static void test_silence_at_every_byte(void **state)
{
	(void)state;
	for (size_t size = 0; size < REPLY_SIZE; size++) {
		struct session s;

		session_init(&s);
		good_reply(&s);
		s.peer.out_size = size;
		session_run(&s);
		assert_string_equal(s.log, "");
		assert_int_equal(client_events(s.client), POLLIN);
		assert_in_range(s.peer.turns, 1, 5);
		assert_int_equal(client_submit(s.client, &s.urbs[GET].urb), -ENOTCONN);
		/* And then it comes. */
		s.peer.out_size = REPLY_SIZE;
		session_run(&s);
		assert_string_equal(s.log, IMPORTED);
		session_fini(&s);
	}
}

static const struct reply {
	const char *name;
	size_t at; /* of a good reply, bytes that are others: */
	const char *bytes;
	size_t size;
	const char *log;
} replies[] = {
	{"status 1", 7, "\1", 1,
		"closed -11 " REFUSED("request failed, or device is not exported")},
	{"status 2", 7, "\2", 1,
		"closed -16 " REFUSED("device is exported to somebody else already")},
	{"status 3", 7, "\3", 1,
		"closed -5 " REFUSED("device is unusable until it is bound again at the server")},
	{"status 4", 7, "\4", 1, "closed -19 " REFUSED("no such device")},
	{"status 5", 7, "\5", 1, "closed -11 " REFUSED("unexpected error at the server")},
	{"status 6", 7, "\6", 1, "closed -11 " REFUSED("unknown status")},
	{"status 0x02000000", 4, "\2", 1, "closed -11 " REFUSED("unknown status")},
	{"version", 1, "\x10", 1, BROKE("op_common.version: not 0x0111")},
	{"OP_REP_DEVLIST", 3, "\5", 1, BROKE("op_common.code: not OP_REP_IMPORT")},
	{"OP_REQ_IMPORT", 2, "\x80", 1, BROKE("op_common.code: not OP_REP_IMPORT")},
	{"another operation", 3, "\4", 1, BROKE("op_common.code: neither DEVLIST nor IMPORT")},
	{"busid shorter", 8 + 256 + 3, "\0", 1,
		BROKE("usbip_usb_device.busid: not the one asked for")},
	{"busid longer", 8 + 256 + 5, "0", 1,
		BROKE("usbip_usb_device.busid: not the one asked for")},
	{"busid with a slash", 8 + 256, "/", 1,
		BROKE("busid: a character other than A-Z a-z 0-9 . : _ -")},
	{"bytes behind the busid's NUL", 8 + 256 + 6, "xyz", 3, IMPORTED},
	{"path with an escape sequence", 8, "\033[2J", 4,
		BROKE("usbip_usb_device.path: not printable ASCII")},
	{"speed 7", 8 + 299, "\7", 1, BROKE("usbip_usb_device.speed: over 6")},
	{"33 interfaces", 8 + 311, "\x21", 1, BROKE("usbip_usb_device.bNumInterfaces: over 32")},
};

static void test_replies(void **state)
{
	(void)state;
	for (size_t i = 0; i < PEER_COUNT(replies); i++) {
		const struct reply *r = &replies[i];
		struct session s;

		session_init(&s);
		good_reply(&s);
		memcpy(s.peer.out + r->at, r->bytes, r->size);
		/* A refusal has no device, and the server hangs up. */
		if (r->at + r->size <= 8) {
			s.peer.out_size = 8;
			s.peer.closing = true;
		}
		session_run(&s);
		if (strcmp(s.log, r->log))
			fail_msg("%s:\n%sinstead of:\n%s", r->name, s.log, r->log);
		session_fini(&s);
	}
}

static void test_bad_busid(void **state)
{
	static const char *const bad[] = {"", "1-1/..", "0123456789abcdef0123456789abcdef", "1 1"};
	struct client *client = NULL;
	struct peer peer;
	struct conn conn;

	(void)state;
	peer_init(&peer, &conn);
	for (size_t i = 0; i < PEER_COUNT(bad); i++)
		assert_int_equal(
			client_new(&conn, bad[i], &session_callbacks, NULL, &client), -EINVAL);
	assert_null(client);
	assert_int_not_equal(fcntl(conn.fd, F_GETFD), -1); /* still the caller's */
	conn_close(&conn);
	peer_fini(&peer);
}

/* ---- connecting, over TCP ---- */

/* A connection whose first address is `first`, and whose others are still to be tried. */
static void open_two(struct conn *conn, const char *first, const char *second)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	const char *why;

	assert_int_equal(conn_open(conn, "127.0.0.1", first, 0, &why), 0);
	assert_null(conn->next);
	assert_int_equal(getaddrinfo("127.0.0.1", second, &hints, &conn->next), 0);
	conn->addresses->ai_next = conn->next;
}

static void tcp_session(struct session *s, struct conn *conn)
{
	session_init(s);
	client_free(s->client);
	peer_close(&s->peer);
	assert_false(conn->ready);
	assert_int_equal(client_new(conn, SESSION_BUSID, &session_callbacks, s, &s->client), 0);
	assert_int_equal(client_events(s->client), POLLOUT);
}

static void wait_for_client(struct session *s)
{
	struct pollfd fd = {.fd = client_fd(s->client), .events = client_events(s->client)};

	assert_int_equal(poll(&fd, 1, 5000), 1);
	client_dispatch(s->client);
}

static void test_connect_second(void **state)
{
	char closed[8], open[8];
	int refusing = peer_tcp_port(false, closed), listening = peer_tcp_port(true, open);
	struct session s;
	struct conn conn;
	int first;

	(void)state;
	open_two(&conn, closed, open);
	tcp_session(&s, &conn);
	first = client_fd(s.client);
	wait_for_client(&s);
	assert_string_equal(s.log, "");
	assert_int_not_equal(client_fd(s.client), first); /* who watches it has to notice */
	s.peer.fd = accept(listening, NULL, NULL);
	assert_int_not_equal(s.peer.fd, -1);
	assert_int_equal(client_events(s.client), POLLOUT);
	wait_for_client(&s);
	good_reply(&s);
	session_run(&s);
	while (!*s.log)
		wait_for_client(&s);
	assert_string_equal(s.log, IMPORTED);
	session_fini(&s);
	close(refusing);
	close(listening);
}

static void test_connect_refused(void **state)
{
	char one[8], two[8];
	int first = peer_tcp_port(false, one), second = peer_tcp_port(false, two);
	struct session s;
	struct conn conn;

	(void)state;
	open_two(&conn, one, two);
	tcp_session(&s, &conn);
	wait_for_client(&s);
	assert_string_equal(s.log, "");
	wait_for_client(&s);
	assert_string_equal(
		s.log, "closed -111 cannot connect to the server: Connection refused\n");
	assert_int_equal(client_fd(s.client), -1);
	session_fini(&s);
	close(first);
	close(second);
}

static void test_unknown_host(void **state)
{
	const char *why = NULL;
	struct conn conn;

	(void)state;
	assert_int_equal(conn_open(&conn, "127.0.0.1", "no-such-port", 0, &why), -EHOSTUNREACH);
	assert_non_null(why);
	assert_int_equal(conn.fd, -1);
	conn_close(&conn);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_request),
		cmocka_unit_test(test_urbs),
		cmocka_unit_test(test_unlink),
		cmocka_unit_test(test_close_at_every_byte),
		cmocka_unit_test(test_close_before_request),
		cmocka_unit_test(test_silence_at_every_byte),
		cmocka_unit_test(test_replies),
		cmocka_unit_test(test_bad_busid),
		cmocka_unit_test(test_connect_second),
		cmocka_unit_test(test_connect_refused),
		cmocka_unit_test(test_unknown_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
