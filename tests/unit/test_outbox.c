/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * outbox and conn, on a socketpair whose other end reads when the test wants it to.
 *
 * Linked with --wrap=sendmsg, which can cut what is sent short at any byte.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "bridge/conn.h"
#include "bridge/outbox.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define MESSAGES 200 /* more than fit in one gathered write */
#define STREAM (1 << 20)

static size_t cut; /* bytes that sendmsg takes at most; 0: all */

ssize_t __real_sendmsg(int fd, const struct msghdr *message, int flags);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *message, int flags);

ssize_t __wrap_sendmsg(int fd, const struct msghdr *message, int flags)
{
	struct msghdr some = *message;
	struct iovec iov[128];
	size_t left = cut;

	if (!cut)
		return __real_sendmsg(fd, message, flags);
	assert_in_range(message->msg_iovlen, 1, COUNT(iov));
	some.msg_iov = iov;
	for (some.msg_iovlen = 0; left && some.msg_iovlen < message->msg_iovlen;
		some.msg_iovlen++) {
		struct iovec *part = &iov[some.msg_iovlen];

		*part = message->msg_iov[some.msg_iovlen];
		assert_int_not_equal(part->iov_len, 0);
		if (part->iov_len > left)
			part->iov_len = left;
		left -= part->iov_len;
	}
	return __real_sendmsg(fd, &some, flags);
}

struct wire {
	struct conn conn;
	struct outbox box;
	int other;
	uint8_t *expected, *got;
	size_t num_expected, num_got;
};

static void start(struct wire *w)
{
	int fds[2];

	memset(w, 0, sizeof(*w));
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	conn_adopt(&w->conn, fds[0]);
	w->other = fds[1];
	outbox_init(&w->box);
	w->expected = malloc(STREAM);
	w->got = malloc(STREAM);
}

static void stop(struct wire *w)
{
	conn_close(&w->conn);
	conn_close(&w->conn); /* harmless */
	close(w->other);
	free(w->expected);
	free(w->got);
}

static void small_buffer(struct wire *w)
{
	int size = 1;

	assert_int_equal(setsockopt(w->conn.fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)), 0);
}

/* A message of these sizes, with bytes that are nobody else's at their place. */
static struct outbox_message *put(struct wire *w, uint32_t header_size, uint32_t payload_size)
{
	struct outbox_message *m = calloc(1, sizeof(*m));
	uint8_t *payload = malloc(payload_size), *at = w->expected + w->num_expected;

	assert_true(w->num_expected + header_size + payload_size <= STREAM);
	for (uint32_t i = 0; i < header_size + payload_size; i++)
		at[i] = (uint8_t)((w->num_expected + i) * 7 + (w->num_expected + i) / 256);
	memcpy(m->header, at, header_size);
	memcpy(payload, at + header_size, payload_size);
	m->header_size = header_size;
	m->payload = payload;
	m->payload_size = payload_size;
	m->next = m; /* as a message that has been used before */
	outbox_put(&w->box, m);
	assert_true(m->queued);
	w->num_expected += header_size + payload_size;
	return m;
}

static void drop(struct outbox_message *m)
{
	assert_false(m->queued);
	free((void *)(uintptr_t)m->payload);
	free(m);
}

/* Reads `most` bytes at most at the other end. */
static bool take(struct wire *w, size_t most)
{
	ssize_t n = recv(w->other, w->got + w->num_got, most, MSG_DONTWAIT);

	if (n > 0)
		w->num_got += (size_t)n;
	return n > 0;
}

/* Bytes that the connection has taken, read or not. */
static size_t sent(const struct wire *w)
{
	int waiting;

	assert_int_equal(ioctl(w->other, FIONREAD, &waiting), 0);
	return w->num_got + (size_t)waiting;
}

static void check(const struct wire *w)
{
	assert_int_equal(w->num_got, w->num_expected);
	assert_memory_equal(w->got, w->expected, w->num_got);
}

static void test_order(void **state)
{
	static const uint32_t payloads[] = {0, 1, 512, 0, 0, 4096, 31};

	(void)state;
	for (unsigned first = 0; first < COUNT(payloads); first++) {
		struct outbox_message *messages[MESSAGES];
		struct wire w;

		start(&w);
		assert_true(outbox_empty(&w.box));
		assert_int_equal(outbox_flush(&w.box, &w.conn), 0);
		for (unsigned i = 0; i < MESSAGES; i++)
			messages[i] =
				put(&w, i % 3 ? 48 : 8, payloads[(first + i) % COUNT(payloads)]);
		assert_false(outbox_empty(&w.box));
		while (!outbox_empty(&w.box)) {
			assert_int_equal(outbox_flush(&w.box, &w.conn), 0);
			while (take(&w, 100000))
				;
		}
		check(&w);
		for (unsigned i = 0; i < MESSAGES; i++)
			drop(messages[i]);
		stop(&w);
	}
}

/* The kernel may take any number of bytes. */
static void test_cut_at_every_byte(void **state)
{
	(void)state;
	for (cut = 1; cut < 200; cut++) {
		struct outbox_message *messages[5];
		struct wire w;

		start(&w);
		for (unsigned i = 0; i < 5; i++)
			messages[i] = put(&w, i ? 48 : 8, i * 7 % 4);
		assert_int_equal(outbox_flush(&w.box, &w.conn), 0);
		assert_true(outbox_empty(&w.box));
		while (take(&w, 100000))
			;
		check(&w);
		for (unsigned i = 0; i < 5; i++)
			drop(messages[i]);
		stop(&w);
	}
	cut = 0;
}

/* Written in pieces of any size, with more put in between; each is told to have gone when it has.
 */
static void test_partial(void **state)
{
	(void)state;
	for (size_t piece = 1000; piece < 60000; piece += 7919) {
		struct outbox_message *messages[MESSAGES];
		unsigned num = 0, gone = 0;
		size_t gone_bytes = 0;
		struct wire w;

		start(&w);
		small_buffer(&w);
		while (num < 20 || !outbox_empty(&w.box)) {
			if (num < 20) {
				messages[num] = put(&w, 48, num % 2 ? 30000 : 0);
				num++;
			}
			assert_int_equal(outbox_flush(&w.box, &w.conn), 0);
			(void)take(&w, piece);
			for (; gone < num && !messages[gone]->queued; gone++)
				gone_bytes += 48 + messages[gone]->payload_size;
			for (unsigned i = gone; i < num; i++)
				assert_true(messages[i]->queued);
			assert_true(gone_bytes <= sent(&w));
			if (gone < num)
				assert_true(
					sent(&w) < gone_bytes + 48 + messages[gone]->payload_size);
		}
		while (take(&w, 100000))
			;
		check(&w);
		for (unsigned i = 0; i < num; i++)
			drop(messages[i]);
		stop(&w);
	}
}

/* A message is its owner's again as soon as it has gone, also to be put once more. */
static void test_again(void **state)
{
	struct outbox_message *m;
	struct wire w;

	(void)state;
	start(&w);
	m = put(&w, 48, 10);
	for (unsigned i = 0; i < 100; i++) {
		assert_int_equal(outbox_flush(&w.box, &w.conn), 0);
		assert_true(outbox_empty(&w.box));
		assert_false(m->queued);
		memcpy(w.expected + w.num_expected, w.expected, 58);
		w.num_expected += 58;
		outbox_put(&w.box, m);
	}
	assert_int_equal(outbox_flush(&w.box, &w.conn), 0);
	while (take(&w, 100000))
		;
	check(&w);
	drop(m);
	stop(&w);
}

static void test_closed(void **state)
{
	struct outbox_message *m;
	struct wire w;

	(void)state;
	/* No signal either. */
	assert_ptr_equal(signal(SIGPIPE, SIG_DFL), SIG_DFL);
	start(&w);
	m = put(&w, 48, 10);
	shutdown(w.other, SHUT_RDWR);
	assert_int_equal(outbox_flush(&w.box, &w.conn), -EPIPE);
	assert_true(m->queued);
	m->queued = false;
	drop(m);
	stop(&w);
}

/* ---- conn ---- */

static void test_fill(void **state)
{
	static const char text[] = "abcdefghij";
	struct wire w;
	size_t have = 0;

	(void)state;
	start(&w);
	assert_true(w.conn.ready);
	assert_int_equal(fcntl(w.conn.fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
	assert_int_equal(conn_fill(&w.conn, w.got, 10, &have), 0);
	for (size_t i = 0; i < 9; i++) {
		assert_int_equal(send(w.other, text + i, 1, 0), 1);
		assert_int_equal(conn_fill(&w.conn, w.got, 10, &have), 0);
		assert_int_equal(have, i + 1);
	}
	/* No byte more than that. */
	assert_int_equal(send(w.other, "jkl", 3, 0), 3);
	assert_int_equal(conn_fill(&w.conn, w.got, 10, &have), 1);
	assert_memory_equal(w.got, text, 10);
	have = 0;
	assert_int_equal(conn_fill(&w.conn, w.got, 2, &have), 1);
	assert_memory_equal(w.got, "kl", 2);
	assert_int_equal(conn_fill(&w.conn, w.got, 2, &have), 1); /* it is full */
	have = 0;
	shutdown(w.other, SHUT_WR);
	assert_int_equal(conn_fill(&w.conn, w.got, 1, &have), -ECONNRESET);
	stop(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_cut_at_every_byte),
		cmocka_unit_test(test_partial),
		cmocka_unit_test(test_again),
		cmocka_unit_test(test_closed),
		cmocka_unit_test(test_fill),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
