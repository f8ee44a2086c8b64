/* SPDX-License-Identifier: GPL-2.0-or-later */
/* client and servers that stop reading, or stop in the middle; callbacks that call back. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "tests/unit/many.h"

/* ---- servers that stop ---- */

static void test_half_a_message(void **state)
{
	(void)state;
	for (size_t size = 1; size < 48 + 8; size++) {
		struct many *m = many_new();

		many_submit(m, 0, 1);
		many_see(m);
		many_answer(m, m->seqnums[0]);
		m->s.peer.out_size = size;
		session_run(&m->s);
		assert_in_range(m->s.peer.turns, 1, 4);
		assert_int_equal(client_events(m->s.client), POLLIN);
		assert_int_equal(m->done + m->s.closed, 0);
		m->s.peer.out_size = 48 + 8;
		session_run(&m->s);
		assert_int_equal(m->done, 1);
		many_free(m);
	}
}

static int awaited(const struct many *m)
{
	int bytes = 0;
	socklen_t size = sizeof(bytes);

	assert_int_equal(
		getsockopt(client_fd(m->s.client), SOL_SOCKET, SO_RCVLOWAT, &bytes, &size), 0);
	return bytes;
}

/* Only the rest of a payload wakes the loop, unless it is small. */
static void test_awaits_payload(void **state)
{
	enum {
		SIZE = 65536
	};
	static const struct {
		size_t come;
		int awaited;
	} steps[] = {{10, 1}, {48, SIZE}, {48 + 1000, SIZE - 1000}, {48 + SIZE - 4096, 4096},
		{48 + SIZE - 4095, 1}, {48 + SIZE, 1}, {2 * 48 + SIZE, SIZE}};
	struct many *m = many_new();
	uint8_t *data = calloc(2, SIZE);

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		m->urbs[i].endpoint = 0x81;
		m->urbs[i].buffer = data + (size_t)i * SIZE;
		m->urbs[i].length = SIZE;
	}
	many_submit(m, 0, 2);
	many_see(m);
	for (unsigned i = 0; i < 2; i++)
		peer_send_ret_submit(&m->s.peer, m->urbs[i].seqnum, 0, data, SIZE);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		m->s.peer.out_size = steps[i].come;
		session_run(&m->s);
		assert_int_equal(awaited(m), steps[i].awaited);
	}
	m->s.peer.out_size = 2 * (48 + SIZE);
	session_run(&m->s);
	assert_int_equal(m->done, 2);
	assert_int_equal(awaited(m), 1);
	many_free(m);
	free(data);
}

static void check_byte_stream(struct many *m, uint8_t *data, size_t size)
{
	struct peer_command c;

	for (unsigned i = 0; i < 40; i++) {
		assert_true(peer_take_command(&m->s.peer, &c));
		assert_int_equal(c.command, 1);
		assert_int_equal(c.ep, i & 15);
		assert_int_equal(c.length, size);
		assert_memory_equal(c.payload, data, size);
		m->seqnums[i] = c.seqnum;
	}
	assert_true(peer_take_command(&m->s.peer, &c));
	assert_int_equal(c.command, 2);
	assert_int_equal(c.unlinked, m->seqnums[20]);
	assert_int_equal(m->s.peer.in_taken, m->s.peer.in_size);
}

static void test_never_reads(void **state)
{
	enum {
		SIZE = 65536
	};
	struct many *m = many_new();
	uint8_t *data = malloc(SIZE);
	int small = 4096;

	(void)state;
	for (unsigned i = 0; i < SIZE; i++)
		data[i] = (uint8_t)(i * 7 + i / 256);
	assert_int_equal(
		setsockopt(client_fd(m->s.client), SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)),
		0);
	m->s.peer.deaf = true;
	for (unsigned i = 0; i < 40; i++) {
		m->urbs[i].endpoint = i & 15 ? i & 15 : 0;
		m->urbs[i].buffer = data;
		m->urbs[i].length = SIZE;
		many_submit(m, i, i + 1);
		client_flush(m->s.client); /* does not block */
		session_run(&m->s);	   /* comes to rest */
		assert_in_range(m->s.peer.turns, 1, 20);
		assert_int_equal(client_events(m->s.client), POLLIN | POLLOUT);
	}
	client_unlink(m->s.client, &m->urbs[20]);
	m->s.peer.deaf = false;
	session_run(&m->s);
	assert_int_equal(client_events(m->s.client), POLLIN);
	check_byte_stream(m, data, SIZE);
	assert_int_equal(m->done + m->s.closed, 0);
	many_free(m);
	free(data);
}

/* A server that answers what it cannot have read yet. */
static void test_answered_while_sending(void **state)
{
	enum {
		SIZE = 1 << 20
	};
	struct many *m = many_new();
	uint8_t *data = calloc(1, SIZE);

	(void)state;
	m->s.peer.deaf = true;
	m->urbs[0].endpoint = 2;
	m->urbs[0].buffer = data;
	m->urbs[0].length = SIZE;
	many_submit(m, 0, 1);
	session_run(&m->s);
	assert_int_equal(client_events(m->s.client), POLLIN | POLLOUT);
	peer_send_ret_submit(&m->s.peer, m->urbs[0].seqnum, 0, NULL, SIZE);
	session_run(&m->s);
	assert_int_equal(m->done, 0);
	assert_string_equal(m->s.log,
		"closed -71 the server broke the USB/IP protocol: "
		"usbip_header_basic.seqnum: of a URB that has not been sent\n");
	many_free(m);
	free(data);
}

/* A URB whose CMD_UNLINK is still in the queue is answered: it stays until that has left. */
static void test_answered_while_unlinking(void **state)
{
	enum {
		SIZE = 1 << 20
	};
	struct many *m = many_new();
	uint8_t *data = calloc(1, SIZE);

	(void)state;
	many_submit(m, 0, 1);
	many_see(m);
	m->s.peer.deaf = true;
	m->urbs[1].endpoint = 2;
	m->urbs[1].buffer = data;
	m->urbs[1].length = SIZE;
	many_submit(m, 1, 2);
	session_run(&m->s);
	client_unlink(m->s.client, &m->urbs[0]);
	many_answer(m, m->seqnums[0]);
	session_run(&m->s);
	assert_true(m->urbs[0].answered && m->urbs[0].unlink.queued);
	assert_int_equal(m->done, 0);
	m->s.peer.deaf = false;
	session_run(&m->s);
	assert_int_equal(m->done, 0);
	peer_send_ret_unlink(&m->s.peer, m->urbs[0].seqnum | 1, 0);
	session_run(&m->s);
	assert_int_equal(m->done, 1);
	assert_int_equal(m->status, 0);
	assert_int_equal(m->s.closed, 0);
	many_free(m);
	free(data);
}

/* ---- callbacks ---- */

static void test_submit_from_done(void **state)
{
	struct many *m = many_new();

	(void)state;
	m->again = &m->urbs[0];
	m->flush = true;
	many_submit(m, 0, 1);
	for (unsigned i = 1; i <= 3000; i++) {
		many_see(m);
		assert_int_equal(m->num_seqnums, 1);
		many_answer(m, m->seqnums[0]);
		session_run(&m->s);
		assert_int_equal(m->done, i);
	}
	many_free(m);
}

static void test_unlink_from_done(void **state)
{
	struct many *m = many_new();

	(void)state;
	many_submit(m, 0, 2);
	many_see(m);
	m->victim = &m->urbs[1];
	/* Both have been answered already; the server hears of the unlink all the same. */
	many_answer_all(m);
	many_see(m);
	assert_int_equal(m->done, 2);
	assert_int_equal(m->status, 0);
	assert_int_equal(m->num_seqnums, 1);
	peer_send_ret_unlink(&m->s.peer, m->seqnums[0], 0);
	session_run(&m->s);
	assert_int_equal(m->s.closed, 0);
	many_free(m);
}

static void unlink_first(struct many *m)
{
	client_unlink(m->s.client, &m->urbs[0]);
	many_see(m);
	assert_int_equal(m->num_seqnums, 1);
}

/* A RET_UNLINK that comes after its URB's answer is not waited for: Linux keeps it until it sends
 * something else, and pyusbip sends none. */
static void unlink_answered(bool is_answered)
{
	struct many *m = many_new();

	for (unsigned i = 1; i <= 2 * CLIENT_MAX_URBS; i++) {
		uint32_t seqnum;

		many_submit(m, 0, 1);
		many_see(m);
		seqnum = m->seqnums[0];
		unlink_first(m);
		many_answer(m, seqnum);
		session_run(&m->s);
		assert_int_equal(m->done, i);
		assert_int_equal(client_in_flight(m->s.client), 0);
		if (is_answered)
			peer_send_ret_unlink(&m->s.peer, m->seqnums[0], 0);
		session_run(&m->s);
	}
	assert_int_equal(m->s.closed, 0);
	many_free(m);
}

static void test_unlink_answered_late(void **state)
{
	(void)state;
	unlink_answered(true);
}

static void test_unlink_unanswered(void **state)
{
	(void)state;
	unlink_answered(false);
}

/* The connection is found closed by a flush from done, in the middle of what was received. */
static void test_closed_in_done(void **state)
{
	struct many *m = many_new();

	(void)state;
	many_submit(m, 0, 3);
	many_see(m);
	m->victim = &m->urbs[2];
	m->flush = true;
	many_answer(m, m->seqnums[0]);
	/* Has come with the data of the first, and would be done with. */
	peer_send_ret_submit(&m->s.peer, m->seqnums[1], 0, NULL, 0);
	m->s.peer.closing = true;
	session_run(&m->s);
	assert_int_equal(m->done, 1);
	assert_string_equal(m->s.log, "closed -104 the server closed the connection\n");
	many_free(m);
}

/* However much has come, others get their turn. */
static void test_burst(void **state)
{
	struct many *m = many_new();
	unsigned dispatches = 0;

	(void)state;
	many_submit(m, 0, 1000);
	many_see(m);
	for (unsigned i = 0; i < m->num_seqnums; i++)
		peer_send_ret_submit(&m->s.peer, m->seqnums[i], 0, NULL, 0);
	assert_int_equal(send(m->s.peer.fd, m->s.peer.out, m->s.peer.out_size, MSG_DONTWAIT),
		m->s.peer.out_size);
	while (m->done < 1000 && dispatches < 1000) {
		unsigned before = m->done;

		client_dispatch(m->s.client);
		assert_in_range(m->done - before, 1, 64);
		dispatches++;
	}
	assert_in_range(dispatches, 2, 100);
	many_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_half_a_message),
		cmocka_unit_test(test_awaits_payload),
		cmocka_unit_test(test_never_reads),
		cmocka_unit_test(test_answered_while_sending),
		cmocka_unit_test(test_answered_while_unlinking),
		cmocka_unit_test(test_submit_from_done),
		cmocka_unit_test(test_unlink_from_done),
		cmocka_unit_test(test_unlink_answered_late),
		cmocka_unit_test(test_unlink_unanswered),
		cmocka_unit_test(test_closed_in_done),
		cmocka_unit_test(test_burst),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
