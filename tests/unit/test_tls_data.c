/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tls: what goes over a connection that stands: records, buffers, the end; and what all of it takes
 * of memory. OpenSSL allocates by this test's functions. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include <cmocka.h>

#include "tests/unit/quick.h"
#include "tests/unit/tlsrig.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define BULK (1 << 20)

/* ---- OpenSSL's memory ---- */

static struct {
	unsigned calls, fail_at; /* 0: none fails; else that call, and each after it */
	size_t now, most;
} memory;

static void counts(size_t more, size_t less)
{
	memory.now += more;
	memory.now -= less;
	if (memory.now > memory.most)
		memory.most = memory.now;
}

static bool may_allocate(void)
{
	memory.calls++;
	return !memory.fail_at || memory.calls < memory.fail_at;
}

static void *on_malloc(size_t size, const char *file, int line)
{
	void *p = may_allocate() ? malloc(size) : NULL;

	(void)file;
	(void)line;
	counts(p ? malloc_usable_size(p) : 0, 0);
	return p;
}

static void *on_realloc(void *old, size_t size, const char *file, int line)
{
	size_t before = old ? malloc_usable_size(old) : 0;
	void *p = may_allocate() ? realloc(old, size) : NULL;

	(void)file;
	(void)line;
	if (p || !size)
		counts(p ? malloc_usable_size(p) : 0, before);
	return p;
}

static void on_free(void *p, const char *file, int line)
{
	(void)file;
	(void)line;
	counts(0, p ? malloc_usable_size(p) : 0);
	free(p);
}

/* ---- a stream ---- */

static uint8_t value(size_t i)
{
	return (uint8_t)(i * 31 + i / 251 + i / 65521);
}

struct stream {
	size_t put, got, size; /* of `size` bytes */
	size_t chunk;	       /* bytes a write; a read has room for 3 of them in two parts */
};

static bool put_some(struct conn *c, struct stream *s)
{
	static uint8_t bytes[3][40000];
	size_t n = s->size - s->put < s->chunk ? s->size - s->put : s->chunk;
	struct iovec iov[3];
	int r;

	if (!n)
		return false;
	for (size_t part = 0, at = 0; part < 3; part++) {
		size_t size = part < 2 ? n / 3 : n - at;

		for (size_t i = 0; i < size; i++)
			bytes[part][i] = value(s->put + at + i);
		iov[part] = (struct iovec){bytes[part], size};
		at += size;
	}
	r = conn_writev(c, iov, 3);
	assert_in_range(r, 0, n < TLS_RECORD ? n : TLS_RECORD);
	s->put += (size_t)r;
	return r;
}

static bool get_some(struct conn *c, struct stream *s)
{
	static uint8_t bytes[2][60000];
	struct iovec iov[2] = {{bytes[0], s->chunk}, {bytes[1], 2 * s->chunk}};
	int r = conn_readv(c, iov, 2);

	assert_in_range(r, 0, 3 * s->chunk);
	for (size_t i = 0; i < (size_t)r; i++) {
		uint8_t byte = i < s->chunk ? bytes[0][i] : bytes[1][i - s->chunk];

		if (byte != value(s->got + i))
			fail_msg("byte %zu of a stream in chunks of %zu is wrong", s->got + i,
				s->chunk);
	}
	s->got += (size_t)r;
	return r;
}

/* Both ways at the same time, over a wire that holds little. */
static void exchange(struct tlsrig *r, size_t size, size_t chunk)
{
	struct stream ways[2] = {{.size = size, .chunk = chunk}, {.size = size, .chunk = chunk}};
	bool busy = true;

	while (busy) {
		busy = false;
		for (int end = 0; end < 2; end++) {
			busy |= put_some(&r->ends[end], &ways[end]);
			busy |= get_some(&r->ends[end], &ways[!end]);
		}
		busy |= tlsrig_carry(r);
	}
	for (int end = 0; end < 2; end++) {
		assert_int_equal(ways[end].put, size);
		assert_int_equal(ways[end].got, size);
	}
}

static void small_buffers(const struct tlsrig *r)
{
	int size = 2048;

	for (int i = 0; i < 2; i++) {
		assert_int_equal(
			setsockopt(r->ends[i].fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)), 0);
		assert_int_equal(
			setsockopt(r->wire[i], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)), 0);
	}
}

static void test_streams(void **state)
{
	static const size_t chunks[] = {1, 3, 48, 1000, 16383, 16384, 16385, 20000};

	(void)state;
	for (size_t i = 0; i < COUNT(chunks); i++) {
		struct tlsrig r;

		tlsrig_open(&r);
		small_buffers(&r);
		r.piece = chunks[i] % 7 ? 0 : 777;
		exchange(&r, chunks[i] < 48 ? 3000 : BULK / 4, chunks[i]);
		tlsrig_fini(&r);
	}
}

/* A record that is stuck goes as it is; what has been added meanwhile comes after it. */
static void test_stuck(void **state)
{
	static uint8_t bytes[TLS_RECORD], more[TLS_RECORD], got[TLS_RECORD];
	struct tlsrig r;
	size_t sent = 0, came = 0;
	int n;

	(void)state;
	tlsrig_open(&r);
	small_buffers(&r);
	while ((n = tlsrig_put(&r, RIG_CLIENT, bytes, sizeof(bytes) - 1)) > 0)
		sent += (size_t)n;
	assert_int_equal(n, 0);
	/* More by now, and somewhere else. */
	while (!n) {
		(void)tlsrig_carry(&r);
		n = tlsrig_put(&r, RIG_CLIENT, more, sizeof(more));
	}
	assert_int_equal(n, sizeof(bytes) - 1);
	sent += (size_t)n;
	while (tlsrig_carry(&r) || came < sent) {
		n = tlsrig_get(&r, RIG_SERVER, got, sizeof(got));
		assert_true(n >= 0);
		came += (size_t)n;
	}
	assert_int_equal(came, sent);
	tlsrig_fini(&r);
}

static void test_gathered(void **state)
{
	struct iovec iov[64];
	uint8_t byte = 'x', got[100];
	struct tlsrig r;
	size_t before;

	(void)state;
	tlsrig_open(&r);
	before = r.ways[RIG_CLIENT].size;
	for (size_t i = 0; i < COUNT(iov); i++)
		iov[i] = (struct iovec){&byte, 1};
	assert_int_equal(conn_writev(&r.ends[RIG_CLIENT], iov, COUNT(iov)), COUNT(iov));
	while (tlsrig_carry(&r))
		;
	/* One record: a header, the kind of it, the tag (RFC 8446, 5.2). */
	assert_int_equal(r.ways[RIG_CLIENT].size - before, 5 + COUNT(iov) + 1 + 16);
	assert_int_equal(tlsrig_get(&r, RIG_SERVER, got, sizeof(got)), COUNT(iov));
	assert_int_equal(conn_writev(&r.ends[RIG_CLIENT], iov, 0), 0);
	tlsrig_fini(&r);
}

/* What a read has left of a record no poll tells of. */
static void test_drain(void **state)
{
	static uint8_t bytes[1000], got[4000];
	struct pollfd fd = {.events = POLLIN};
	struct tlsrig r;

	(void)state;
	tlsrig_open(&r);
	fd.fd = r.ends[RIG_SERVER].fd;
	assert_false(conn_drain(&r.ends[RIG_SERVER]));
	for (int i = 0; i < 4; i++)
		assert_int_equal(tlsrig_put(&r, RIG_CLIENT, bytes, sizeof(bytes)), sizeof(bytes));
	while (tlsrig_carry(&r))
		;
	assert_false(conn_drain(&r.ends[RIG_SERVER]));
	/* Across records, as long as there are any. */
	assert_int_equal(tlsrig_get(&r, RIG_SERVER, got, 1500), 1500);
	assert_true(conn_drain(&r.ends[RIG_SERVER]));
	/* No more than the rest of the second. */
	assert_int_equal(tlsrig_get(&r, RIG_SERVER, got, 400), 400);
	assert_true(conn_drain(&r.ends[RIG_SERVER]));
	assert_int_equal(tlsrig_get(&r, RIG_SERVER, got, sizeof(got)), 100);
	assert_int_equal(poll(&fd, 1, 0), 1);
	/* And then as before. */
	assert_int_equal(tlsrig_get(&r, RIG_SERVER, got, sizeof(got)), 2000);
	assert_int_equal(poll(&fd, 1, 0), 0);
	assert_false(conn_drain(&r.ends[RIG_SERVER]));
	assert_int_equal(tlsrig_put(&r, RIG_CLIENT, bytes, 10), 10);
	assert_int_equal(tlsrig_put(&r, RIG_CLIENT, bytes, 10), 10);
	while (tlsrig_carry(&r))
		;
	assert_int_equal(tlsrig_get(&r, RIG_SERVER, got, 5), 5);
	assert_int_equal(poll(&fd, 1, 0), 1);
	assert_true(conn_drain(&r.ends[RIG_SERVER]));
	assert_int_equal(tlsrig_get(&r, RIG_SERVER, got, 100), 5);
	assert_int_equal(tlsrig_get(&r, RIG_SERVER, got, 100), 10);
	tlsrig_fini(&r);
}

/* ---- when the socket wakes whoever waits ---- */

static int low_water(int fd)
{
	socklen_t size = sizeof(int);
	int bytes;

	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &bytes, &size), 0);
	return bytes;
}

static int is_readable(int fd, int ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, ms);
}

/* A record that comes in parts: its reader is not woken before it is whole, and then certainly. */
static void test_await(void **state)
{
	static const struct {
		size_t part;
		int missing; /* when so much has come, of its header, or of all of it */
	} parts[] = {{0, 5}, {1, 4}, {4, 1}, {5, 10017}, {6, 10016}, {10021, 1}};
	static uint8_t bytes[10000], got[20000];
	struct tlsrig r;
	struct conn *reader = &r.ends[RIG_SERVER];
	struct tlsrig_way *way = &r.ways[RIG_CLIENT];

	(void)state;
	tlsrig_open_tcp(&r);
	for (size_t i = 0; i < COUNT(parts); i++) {
		size_t begin = way->moved;

		assert_int_equal(tlsrig_get(&r, RIG_SERVER, got, sizeof(got)), 0);
		conn_await(reader, 1);
		assert_int_equal(low_water(reader->fd), 5);
		assert_int_equal(tlsrig_put(&r, RIG_CLIENT, bytes, sizeof(bytes)), sizeof(bytes));
		assert_int_equal(is_readable(r.wire[RIG_CLIENT], 1000), 1);
		while (way->size < begin + 10022)
			tlsrig_carry_part(&r, RIG_CLIENT, 0);
		tlsrig_carry_part(&r, RIG_CLIENT, parts[i].part);
		assert_int_equal(
			is_readable(reader->fd, parts[i].part < 5 ? 20 : 1000), parts[i].part >= 5);
		assert_int_equal(tlsrig_get(&r, RIG_SERVER, got, sizeof(got)), 0);
		conn_await(reader, 5000);
		assert_int_equal(low_water(reader->fd), parts[i].missing);
		if (parts[i].missing > 1) {
			tlsrig_carry_part(&r, RIG_CLIENT, (size_t)parts[i].missing - 1);
			assert_int_equal(is_readable(reader->fd, 20), 0);
			tlsrig_carry_part(&r, RIG_CLIENT, 1);
			assert_int_equal(is_readable(reader->fd, 1000), 1);
		}
		tlsrig_carry_part(&r, RIG_CLIENT, SIZE_MAX);
		for (size_t came = 0; came < sizeof(bytes);) {
			int n;

			assert_int_equal(is_readable(reader->fd, 1000), 1);
			n = tlsrig_get(&r, RIG_SERVER, got, sizeof(got));
			assert_true(n >= 0);
			came += (size_t)n;
			if (!n)
				conn_await(reader, 1);
		}
	}
	/* The end wakes as well. */
	assert_int_equal(tlsrig_get(&r, RIG_SERVER, got, sizeof(got)), 0);
	conn_await(reader, 1);
	tlsrig_hang_up(&r, RIG_SERVER);
	assert_int_equal(is_readable(reader->fd, 1000), 1);
	assert_int_equal(tlsrig_get(&r, RIG_SERVER, got, sizeof(got)), -ECONNRESET);
	tlsrig_fini(&r);
}

/* ---- the end ---- */

static void test_end(void **state)
{
	(void)state;
	for (int said = 0; said < 2; said++) {
		uint8_t got[100];
		struct tlsrig r;

		tlsrig_open(&r);
		assert_int_equal(tlsrig_put(&r, RIG_CLIENT, "last", 4), 4);
		if (said)
			conn_close(&r.ends[RIG_CLIENT]); /* with farewell */
		while (tlsrig_carry(&r))
			;
		if (!said)
			tlsrig_hang_up(&r, RIG_SERVER);
		assert_int_equal(tlsrig_get(&r, RIG_SERVER, got, sizeof(got)), 4);
		for (int again = 0; again < 3; again++)
			assert_int_equal(tlsrig_get(&r, RIG_SERVER, got, sizeof(got)), -ECONNRESET);
		assert_int_equal(tlsrig_put(&r, RIG_SERVER, "x", 1), -ECONNRESET);
		tlsrig_fini(&r);
	}
}

/* The stream ends in the middle of a record, at each of its bytes: nothing of it is given out. */
static void test_cut_record(void **state)
{
	(void)state;
	for (size_t part = 0; part < 5 + 4 + 17; part++) {
		uint8_t got[100];
		struct tlsrig r;

		tlsrig_open(&r);
		r.ways[RIG_CLIENT].cut = r.ways[RIG_CLIENT].size + part;
		assert_int_equal(tlsrig_put(&r, RIG_CLIENT, "last", 4), 4);
		while (tlsrig_carry(&r))
			;
		assert_int_equal(tlsrig_get(&r, RIG_SERVER, got, sizeof(got)), -ECONNRESET);
		tlsrig_fini(&r);
	}
}

/* A bit of each byte of a record. */
static void test_changed_record(void **state)
{
	(void)state;
	for (size_t at = 0; at < 5 + 4 + 17; at++) {
		uint8_t got[100];
		struct tlsrig r;
		int n;

		tlsrig_open(&r);
		r.ways[RIG_CLIENT].flipped = r.ways[RIG_CLIENT].size + at;
		assert_int_equal(tlsrig_put(&r, RIG_CLIENT, "last", 4), 4);
		while (tlsrig_carry(&r))
			;
		n = tlsrig_get(&r, RIG_SERVER, got, sizeof(got));
		if (at == 3 || (at == 4 && !n)) { /* it has become longer, and is waited for */
			assert_int_equal(n, at == 3 ? n : 0);
			if (!n) {
				tlsrig_fini(&r);
				continue;
			}
		}
		assert_int_equal(n, -EBADMSG);
		assert_string_equal(conn_why(&r.ends[RIG_SERVER], n),
			"what came was not from it, or was changed on its way");
		assert_int_equal(tlsrig_get(&r, RIG_SERVER, got, sizeof(got)), -ECONNRESET);
		assert_int_equal(tlsrig_put(&r, RIG_SERVER, "x", 1), -ECONNRESET);
		tlsrig_fini(&r);
	}
}

/* A record that was recorded, sent once more. */
static void test_repeated_record(void **state)
{
	uint8_t got[100];
	struct tlsrig r;
	size_t begin;

	(void)state;
	tlsrig_open(&r);
	begin = r.ways[RIG_CLIENT].size;
	assert_int_equal(tlsrig_put(&r, RIG_CLIENT, "once", 4), 4);
	while (tlsrig_carry(&r))
		;
	assert_int_equal(send(r.wire[RIG_SERVER], r.ways[RIG_CLIENT].bytes + begin,
				 r.ways[RIG_CLIENT].size - begin, 0),
		r.ways[RIG_CLIENT].size - begin);
	assert_int_equal(tlsrig_get(&r, RIG_SERVER, got, 4), 4);
	assert_int_equal(tlsrig_get(&r, RIG_SERVER, got, sizeof(got)), -EBADMSG);
	tlsrig_fini(&r);
}

/* ---- keys and memory ---- */

/* With other keys now and then, in both directions. */
static void test_rekey(void **state)
{
	const unsigned keys = quick_part(2, 2);
	struct stream ways[2] = {{.size = TLS_REKEY_AFTER * keys + 1000, .chunk = 1},
		{.size = TLS_REKEY_AFTER * keys + 1000, .chunk = 1}};
	struct tlsrig r;
	size_t before, plain = 5 + 1 + 1 + 16;

	(void)state;
	tlsrig_open(&r);
	before = r.ways[RIG_CLIENT].size;
	while (ways[1].got < ways[1].size || ways[0].got < ways[0].size) {
		for (int end = 0; end < 2; end++) {
			(void)put_some(&r.ends[end], &ways[end]);
			(void)get_some(&r.ends[end], &ways[!end]);
		}
		(void)tlsrig_carry(&r);
	}
	/* A message of 5 bytes for each, in a record of its own, beyond all others. */
	assert_int_equal(
		r.ways[RIG_CLIENT].size - before, ways[0].size * plain + keys * (5 + 5 + 1 + 16));
	tlsrig_fini(&r);
}

/* A record with a KeyUpdate has no data, and leaves nothing to wait for but the next. */
static void test_rekey_await(void **state)
{
	struct tlsrig r;
	struct conn *reader = &r.ends[RIG_SERVER];
	uint8_t byte = 'x', got[100];
	int gone = 0, came = 0;

	(void)state;
	tlsrig_open_tcp(&r);
	while (came < TLS_REKEY_AFTER - 1) {
		if (gone < TLS_REKEY_AFTER - 1)
			gone += tlsrig_put(&r, RIG_CLIENT, &byte, 1);
		(void)tlsrig_carry(&r);
		came += tlsrig_get(&r, RIG_SERVER, got, sizeof(got));
	}
	assert_int_equal(tlsrig_put(&r, RIG_CLIENT, &byte, 1), 1);
	assert_int_equal(is_readable(r.wire[RIG_CLIENT], 1000), 1);
	tlsrig_carry_part(&r, RIG_CLIENT, 5 + 5 + 1 + 16);
	assert_int_equal(is_readable(reader->fd, 1000), 1);
	assert_int_equal(tlsrig_get(&r, RIG_SERVER, got, sizeof(got)), 0);
	conn_await(reader, 5000);
	assert_in_range(low_water(reader->fd), 1, 5);
	(void)is_readable(r.wire[RIG_CLIENT], 10);
	tlsrig_carry_part(&r, RIG_CLIENT, SIZE_MAX);
	assert_int_equal(is_readable(reader->fd, 1000), 1);
	assert_int_equal(tlsrig_get(&r, RIG_SERVER, got, sizeof(got)), 1);
	tlsrig_fini(&r);
}

/* Whatever goes over it, a connection becomes no larger. (OpenSSL allocates, and frees again, a
 * little for each record.) */
static void test_no_growth(void **state)
{
	struct tlsrig r;
	size_t before;

	(void)state;
	tlsrig_open(&r);
	exchange(&r, 100000, 20000); /* buffers are made with the first record */
	before = memory.now;
	exchange(&r, BULK, 48);
	exchange(&r, BULK, 20000);
	assert_int_equal(memory.now, before);
	tlsrig_fini(&r);
}

/* What a connection takes, with a peer of any kind. */
static void test_memory(void **state)
{
	/* A ClientHello that says it is as long as OpenSSL would take it. */
	static const uint8_t hello[] = {0x16, 3, 1, 0x40, 0, 1, 0x01, 0xff, 0x00};
	static uint8_t bytes[TLS_RECORD];
	struct tlsrig r;
	size_t before, idle;
	struct conn c;
	int end;

	(void)state;
	tlsrig_open(&r); /* so that what is made once is there */
	before = memory.now;
	memory.most = 0;
	end = tlsrig_alone(&c, TLS_SERVER);
	assert_int_equal(send(end, hello, sizeof(hello), 0), sizeof(hello));
	assert_int_equal(conn_connect(&c), 0);
	assert_int_equal(send(end, bytes, 8000, 0), 8000);
	assert_int_equal(conn_connect(&c), 0);
	print_message("before the key is shown: %zu bytes at most\n", memory.most - before);
	assert_in_range(memory.most - before, 1, 100 << 10);
	conn_close(&c);
	close(end);
	tlsrig_fini(&r);
	idle = memory.now;
	tlsrig_open(&r);
	exchange(&r, BULK, 20000);
	print_message("a connection in use: %zu bytes, and %zu of our own\n",
		(memory.now - idle) / 2, (size_t)TLS_RECORD);
	assert_in_range((memory.now - idle) / 2, 1, 64 << 10);
	tlsrig_fini(&r);
	assert_in_range(memory.now, 0, idle);
}

/* Each allocation of OpenSSL's fails once, and all after it. */
static void test_no_memory(void **state)
{
	unsigned enough = 0;

	(void)state;
	for (unsigned at = 1; !enough; at++) {
		struct tls_context *context = NULL;
		struct tls *t = NULL;
		int fds[2], r;

		assert_int_equal(
			socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
		memory.calls = 0;
		memory.fail_at = at;
		r = tls_context_new(TLS_CLIENT, &tlsrig_key, true, &context);
		if (!r)
			r = tls_new(context, &t);
		if (!r)
			r = tls_handshake(t, fds[0]);
		memory.fail_at = 0;
		/* What OpenSSL makes of it in the middle of a handshake is its own matter. */
		assert_true(!r || r == -ENOMEM || (t && r == -EPROTO));
		enough = r ? 0 : at;
		tls_free(t);
		tls_context_free(context);
		close(fds[0]);
		close(fds[1]);
	}
	assert_in_range(enough, 50, 100000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_streams),
		cmocka_unit_test(test_stuck),
		cmocka_unit_test(test_gathered),
		cmocka_unit_test(test_drain),
		cmocka_unit_test(test_await),
		cmocka_unit_test(test_end),
		cmocka_unit_test(test_cut_record),
		cmocka_unit_test(test_changed_record),
		cmocka_unit_test(test_repeated_record),
		cmocka_unit_test(test_rekey),
		cmocka_unit_test(test_rekey_await),
		cmocka_unit_test(test_no_growth),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_no_memory),
	};

	if (!CRYPTO_set_mem_functions(on_malloc, on_realloc, on_free))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
