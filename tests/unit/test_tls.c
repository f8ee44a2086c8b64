/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tls: the handshake, between two ends and a wire; and everybody who is not to get past it. Linked
 * with --wrap=clock_gettime. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/tlsrig.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define HEADER 5 /* of a record */

#define OTHER_KEY                                                                                  \
	"it has another key: 'ip2usb pair HOST --key KEY' takes the one that 'ip2usb-export key' " \
	"printed there"
#define ENDED                                                                                      \
	"it is not paired, or something else than ip2usb-export: it ended the connection when it " \
	"was asked for encryption"
#define ENDED_LATER "it ended the connection before it had shown that it has the key"

/* ---- the clock ---- */

static time_t skipped_s;
static long skipped_ns;

int __real_clock_gettime(clockid_t clock, struct timespec *out);
int __wrap_clock_gettime(clockid_t clock, struct timespec *out);

int __wrap_clock_gettime(clockid_t clock, struct timespec *out)
{
	int r = __real_clock_gettime(clock, out);

	out->tv_sec += skipped_s;
	out->tv_nsec += skipped_ns;
	if (out->tv_nsec >= 1000000000) {
		out->tv_nsec -= 1000000000;
		out->tv_sec++;
	}
	return r;
}

/* ---- it works ---- */

static void carries(struct tlsrig *r)
{
	for (int from = 0; from < 2; from++) {
		const char said[] = "a word in the clear";
		char got[sizeof(said)] = "";

		assert_int_equal(tlsrig_put(r, from, said, sizeof(said)), sizeof(said));
		while (tlsrig_carry(r))
			;
		assert_int_equal(tlsrig_get(r, !from, got, sizeof(got)), sizeof(got));
		assert_string_equal(got, said);
		assert_null(memmem(r->ways[from].bytes, r->ways[from].size, said, 6));
		assert_null(memmem(r->ways[from].bytes, r->ways[from].size, tlsrig_key.bytes, 6));
	}
}

static void test_pieces(void **state)
{
	static const size_t pieces[] = {0, 1, 2, 3, 4, 5, 6, 7, 11, 64, 100, 200, 300};

	(void)state;
	for (size_t i = 0; i < COUNT(pieces); i++) {
		struct tlsrig r;

		tlsrig_init(&r, &tlsrig_usual);
		r.piece = pieces[i];
		tlsrig_run(&r);
		assert_int_equal(r.result[RIG_CLIENT], 1);
		assert_int_equal(r.result[RIG_SERVER], 1);
		/* Neither spins: a call a piece, and one or two to begin with. */
		if (pieces[i])
			assert_in_range(
				r.calls[RIG_SERVER], 1, r.ways[RIG_CLIENT].size / pieces[i] + 5);
		else
			assert_in_range(r.calls[RIG_SERVER] + r.calls[RIG_CLIENT], 4, 6);
		carries(&r);
		tlsrig_fini(&r);
	}
}

/* What a ServerHello has chosen (RFC 8446, 4.1.3); its session id is empty. */
static unsigned suite(const struct tlsrig *r)
{
	const uint8_t *hello = r->ways[RIG_SERVER].bytes + HEADER;

	assert_int_equal(hello[0], 2);
	assert_int_equal(hello[4 + 2 + 32], 0);
	return (unsigned)(hello[4 + 2 + 33] << 8 | hello[4 + 2 + 34]);
}

/* ChaCha20 as soon as one of them has no AES. */
static void test_suite(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		struct tlsrig_options options = {.same_key = true, .aes = {i & 1, i & 2}};
		struct tlsrig r;

		tlsrig_init(&r, &options);
		tlsrig_run(&r);
		assert_int_equal(r.result[RIG_CLIENT], 1);
		assert_int_equal(suite(&r), i == 3 ? 0x1301 : 0x1303);
		carries(&r);
		tlsrig_fini(&r);
	}
	(void)tls_cpu_has_aes();
}

/* No two handshakes have anything in common that would let one who records them in, later. */
static void test_fresh(void **state)
{
	struct tlsrig one, two;

	(void)state;
	tlsrig_open(&one);
	tlsrig_open(&two);
	assert_int_equal(one.ways[RIG_SERVER].size, two.ways[RIG_SERVER].size);
	assert_memory_not_equal(one.ways[RIG_SERVER].bytes + HEADER + 6,
		two.ways[RIG_SERVER].bytes + HEADER + 6, 32);
	tlsrig_fini(&one);
	tlsrig_fini(&two);
}

/* ---- others ---- */

static void ended(const struct tlsrig *r, int end, int error, const char *why)
{
	assert_int_equal(r->result[end], error);
	assert_string_equal(r->why[end], why);
}

static void test_other_key(void **state)
{
	struct tlsrig_options options = tlsrig_usual;
	struct tlsrig r;

	(void)state;
	options.same_key = false;
	tlsrig_init(&r, &options);
	tlsrig_run(&r);
	ended(&r, RIG_CLIENT, -EACCES, OTHER_KEY);
	ended(&r, RIG_SERVER, -EACCES, "it has another key");
	tlsrig_fini(&r);
}

/* A request of USB/IP at a server that has a key. */
static void test_plain_client(void **state)
{
	static const uint8_t request[40] = {0x01, 0x11, 0x80, 0x03, 0, 0, 0, 0, '1', '-', '1'};
	struct tlsrig_options options = tlsrig_usual;

	(void)state;
	options.plain[RIG_CLIENT] = true;
	for (size_t size = 1; size <= sizeof(request); size++) {
		uint8_t answer[100];
		struct tlsrig r;
		struct conn c;
		int n, end;

		tlsrig_init(&r, &options);
		assert_int_equal(tlsrig_put(&r, RIG_CLIENT, request, size), size);
		tlsrig_run(&r);
		ended(&r, RIG_SERVER, -EPROTO, "it is not paired: it asked without encryption");
		/* And closes, with nothing unread that would make a reset of it. */
		n = tlsrig_get(&r, RIG_CLIENT, answer, sizeof(answer));
		assert_int_equal(n, 7);
		assert_memory_equal(answer, "\x15\x03\x03\x00\x02\x02\x46", 7);
		for (size_t have = 0; have < 7; have++)
			assert_int_equal(tls_is_alert(answer, have), have >= HEADER);
		assert_false(tls_is_alert(request, sizeof(request)));
		tlsrig_fini(&r);
		end = tlsrig_alone(&c, TLS_SERVER);
		assert_int_equal(send(end, request, size, 0), size);
		assert_int_equal(conn_connect(&c), -EPROTO);
		conn_close(&c);
		assert_int_equal(recv(end, answer, sizeof(answer), 0), 7);
		assert_int_equal(recv(end, answer, 1, 0), 0);
		close(end);
	}
}

/* A server that has none answers in its own way, or with the end of the connection. */
static void test_plain_server(void **state)
{
	static const uint8_t reply[] = {0x01, 0x11, 0x00, 0x03, 0, 0, 0, 1};
	struct tlsrig_options options = tlsrig_usual;

	(void)state;
	options.plain[RIG_SERVER] = true;
	for (size_t size = 0; size <= sizeof(reply); size++) {
		struct tlsrig r;

		tlsrig_init(&r, &options);
		tlsrig_run(&r);
		assert_int_equal(r.result[RIG_CLIENT], 0);
		assert_int_equal(conn_events(&r.ends[RIG_CLIENT]), POLLIN);
		if (size)
			assert_int_equal(tlsrig_put(&r, RIG_SERVER, reply, size), size);
		while (tlsrig_carry(&r))
			;
		if (!size)
			tlsrig_hang_up(&r, RIG_CLIENT);
		tlsrig_run(&r);
		if (size)
			ended(&r, RIG_CLIENT, -EPROTO,
				"it is not paired: it answered without encryption");
		else
			ended(&r, RIG_CLIENT, -ECONNRESET, ENDED);
		tlsrig_fini(&r);
	}
}

/* At each byte of either's: nobody is let in who has not said all of it. */
static void test_cut(void **state)
{
	struct tlsrig whole;

	(void)state;
	tlsrig_open(&whole);
	for (int way = 0; way < 2; way++) {
		for (size_t cut = 0; cut < whole.ways[way].size; cut++) {
			struct tlsrig r;

			tlsrig_init(&r, &tlsrig_usual);
			r.ways[way].cut = cut;
			tlsrig_run(&r);
			assert_int_equal(r.result[!way], -ECONNRESET);
			assert_string_equal(
				r.why[!way], way == RIG_SERVER && !cut ? ENDED : ENDED_LATER);
			/* The client is through before the server has its last word. */
			if (way == RIG_SERVER)
				assert_int_equal(r.result[RIG_SERVER], -ECONNRESET);
			tlsrig_fini(&r);
		}
	}
	tlsrig_fini(&whole);
}

/* A bit of each byte: nobody is let in but where what was changed is the version of a record, which
 * means nothing (RFC 8446, 5.1). */
static void test_changed(void **state)
{
	struct tlsrig whole;

	(void)state;
	tlsrig_open(&whole);
	for (int way = 0; way < 2; way++) {
		size_t record = 0;

		for (size_t at = 0; at < whole.ways[way].size; at++) {
			const uint8_t *header = whole.ways[way].bytes + record;
			struct tlsrig r;

			if (at == record + HEADER + (size_t)(header[3] << 8 | header[4]))
				record = at;
			tlsrig_init(&r, &tlsrig_usual);
			r.ways[way].flipped = at;
			tlsrig_run(&r);
			/* One that waits for the rest of a record that has become longer. */
			tlsrig_hang_up(&r, RIG_CLIENT);
			tlsrig_hang_up(&r, RIG_SERVER);
			tlsrig_run(&r);
			if (r.result[!way] == 1)
				assert_in_range(at - record, 1, 2);
			else
				assert_true(r.result[!way] < 0 && *r.why[!way]);
			tlsrig_fini(&r);
		}
	}
	tlsrig_fini(&whole);
}

/* All that a client has sent, once more, to a server with the same key. */
static void test_replayed(void **state)
{
	struct tlsrig recorded;
	struct conn server;
	struct pollfd fd = {.events = POLLIN};
	int end, r;

	(void)state;
	tlsrig_open(&recorded);
	carries(&recorded);
	end = tlsrig_alone(&server, TLS_SERVER);
	assert_int_equal(
		send(end, recorded.ways[RIG_CLIENT].bytes, recorded.ways[RIG_CLIENT].size, 0),
		recorded.ways[RIG_CLIENT].size);
	fd.fd = server.fd;
	do {
		assert_int_equal(poll(&fd, 1, 1000), 1);
		r = conn_connect(&server);
	} while (!r);
	assert_int_equal(r, -EACCES);
	assert_string_equal(conn_why(&server, r), "it has not shown that it has the key");
	assert_false(server.ready);
	conn_close(&server);
	close(end);
	/* And to the client what a server has said. */
	end = tlsrig_alone(&server, TLS_CLIENT);
	assert_int_equal(conn_connect(&server), 0);
	assert_int_equal(
		send(end, recorded.ways[RIG_SERVER].bytes, recorded.ways[RIG_SERVER].size, 0),
		recorded.ways[RIG_SERVER].size);
	r = conn_connect(&server);
	assert_true(r < 0);
	conn_close(&server);
	close(end);
	tlsrig_fini(&recorded);
}

/* ---- slow ones, and those that say too much ---- */

static void test_slow(void **state)
{
	(void)state;
	for (int role = TLS_CLIENT; role <= TLS_SERVER; role++) {
		struct conn c;
		int end = tlsrig_alone(&c, (enum tls_role)role), r;

		skipped_s = 0;
		assert_int_equal(conn_connect(&c), 0);
		skipped_s = 9;
		assert_int_equal(conn_connect(&c), 0);
		/* A byte now and then changes nothing. */
		assert_int_equal(send(end, "\x16", 1, 0), 1);
		assert_int_equal(conn_connect(&c), 0);
		skipped_s = 10;
		assert_int_equal(send(end, "\x03", 1, 0), 1);
		r = conn_connect(&c);
		assert_int_equal(r, -ETIMEDOUT);
		assert_string_equal(
			conn_why(&c, r), "it took too long to show that it has the key");
		assert_false(c.ready);
		conn_close(&c);
		close(end);
	}
	skipped_s = 0;
}

/* Records without end, each of which is right by itself. */
static void test_long_greeting(void **state)
{
	uint8_t record[HEADER + 1000] = {0x16, 3, 1, 1000 >> 8, 1000 & 255, 1, 0, 0xff, 0xf0};
	unsigned sent = 0;
	struct conn c;
	int end = tlsrig_alone(&c, TLS_SERVER), r = 0;

	(void)state;
	while (!r) {
		assert_int_equal(send(end, record, sizeof(record), 0), sizeof(record));
		sent += sizeof(record);
		assert_in_range(sent, 0, TLS_MAX_GREETING + sizeof(record));
		r = conn_connect(&c);
		memset(record + HEADER, 0, 1000);
	}
	assert_int_equal(r, -EPROTO);
	assert_string_equal(conn_why(&c, r), "it broke the TLS protocol");
	conn_close(&c);
	close(end);
}

/* Found out by writing; no signal comes of it. */
static void test_gone(void **state)
{
	struct conn c;
	int end = tlsrig_alone(&c, TLS_CLIENT), r;

	(void)state;
	close(end);
	r = conn_connect(&c);
	assert_int_equal(r, -ECONNRESET);
	assert_string_equal(conn_why(&c, r), ENDED);
	conn_close(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_suite),
		cmocka_unit_test(test_fresh),
		cmocka_unit_test(test_other_key),
		cmocka_unit_test(test_plain_client),
		cmocka_unit_test(test_plain_server),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_changed),
		cmocka_unit_test(test_replayed),
		cmocka_unit_test(test_slow),
		cmocka_unit_test(test_long_greeting),
		cmocka_unit_test(test_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
