/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * client over an encrypted connection: what OpenSSL holds back, that no event tells of, is not
 * forgotten, and neither is the phone's side's turn.
 *
 *   client <-- TLS, socketpairs and a wire --> server's conn <-- this test
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "bridge/client.h"
#include "bridge/devlist.h"
#include "tests/unit/peer.h"
#include "tests/unit/tlsrig.h"

#define BUSID "1-1"
#define URBS 400
#define BURST 64 /* the client's RECEIVE_BURST */
#define HEADER 48

static struct tlsrig rig;
static struct client *client;
static struct client_urb urbs[URBS];
static unsigned done, imported, closed;
static uint64_t moved;
static char reason[256];

static void on_imported(void *user, const struct usbip_device *device)
{
	(void)user;
	assert_string_equal(device->busid, BUSID);
	imported++;
}

static void on_closed(void *user, int error, const char *why)
{
	(void)user;
	assert_true(error < 0);
	closed++;
	(void)snprintf(reason, sizeof(reason), "%s", why);
}

static const struct client_callbacks callbacks = {.imported = on_imported, .closed = on_closed};

static void on_done(struct client_urb *urb, int status, uint32_t actual)
{
	(void)urb;
	assert_int_equal(status, 0);
	done++;
	moved += actual;
}

/* ---- turns ---- */

static bool client_turn(void)
{
	struct pollfd fd = {.fd = client_fd(client), .events = client_events(client)};

	if (fd.fd < 0 || poll(&fd, 1, 0) <= 0)
		return false;
	client_dispatch(client);
	client_flush(client);
	return true;
}

static bool server_turn(void)
{
	struct pollfd fd = {.fd = rig.ends[RIG_SERVER].fd};

	if (rig.result[RIG_SERVER])
		return false;
	fd.events = conn_events(&rig.ends[RIG_SERVER]);
	if (poll(&fd, 1, 0) <= 0)
		return false;
	rig.result[RIG_SERVER] = conn_connect(&rig.ends[RIG_SERVER]);
	if (rig.result[RIG_SERVER] < 0)
		conn_close(&rig.ends[RIG_SERVER]);
	return true;
}

static void settle(void)
{
	bool busy = true;

	while (busy) {
		busy = client_turn();
		busy |= server_turn();
		busy |= tlsrig_carry(&rig);
	}
}

/* What is on the wire comes to the client's socket, and the client does nothing. */
static void settle_wire(void)
{
	while (tlsrig_carry(&rig))
		;
}

/* Takes all that the client has sent. */
static size_t take(uint8_t *out, size_t size)
{
	size_t have = 0;
	int n;

	while ((n = tlsrig_get(&rig, RIG_SERVER, out + have, size - have)) > 0)
		have += (size_t)n;
	assert_int_equal(n, 0);
	return have;
}

/* One record. */
static void give(const uint8_t *what, size_t size)
{
	int n;

	while (!(n = tlsrig_put(&rig, RIG_SERVER, what, size)))
		assert_true(tlsrig_carry(&rig));
	assert_int_equal(n, size);
}

static void open_session(const struct tlsrig_options *options)
{
	const struct peer_device device = {BUSID, 3, 7, 3, 0x04a9, 0x3218, 0, 1};
	struct peer reply = {.fd = -1};
	uint8_t request[40];

	done = imported = closed = 0;
	moved = 0;
	*reason = '\0';
	tlsrig_init(&rig, options);
	assert_int_equal(client_new(&rig.ends[RIG_CLIENT], BUSID, &callbacks, NULL, &client), 0);
	rig.ends[RIG_CLIENT].fd = -1; /* the client's by now */
	rig.ends[RIG_CLIENT].tls = NULL;
	settle();
	if (rig.result[RIG_SERVER] != 1)
		return;
	assert_int_equal(take(request, sizeof(request)), sizeof(request));
	assert_memory_equal(request, "\x01\x11\x80\x03\0\0\0\0" BUSID, 12);
	peer_send_op(&reply, 3, 0);
	peer_send_device(&reply, &device);
	give(reply.out, reply.out_size);
	free(reply.out);
	settle();
	assert_int_equal(imported, 1);
}

static void close_session(void)
{
	client_free(client);
	tlsrig_fini(&rig);
}

static void submit(unsigned n, uint8_t endpoint, uint8_t *buffer, uint32_t length)
{
	urbs[n] = (struct client_urb){
		.endpoint = endpoint, .buffer = buffer, .length = length, .done = on_done};
	assert_int_equal(client_submit(client, &urbs[n]), 0);
}

/* `n` RET_SUBMITs of URBs without data, from the first-th on. */
static size_t answers(uint8_t *out, unsigned first, unsigned n)
{
	memset(out, 0, n * HEADER);
	for (unsigned i = 0; i < n; i++) {
		peer_put_be32(out + i * HEADER, 3);
		peer_put_be32(out + i * HEADER + 4, urbs[first + i].seqnum);
	}
	return n * HEADER;
}

/* ---- what is waited for ---- */

/* To write, to connect; then to read, and no more than that as long as nothing comes. */
static void test_events(void **state)
{
	struct devlist list;
	const char *why;

	(void)state;
	tlsrig_init(&rig, &tlsrig_usual);
	assert_int_equal(client_new(&rig.ends[RIG_CLIENT], BUSID, &callbacks, NULL, &client), 0);
	assert_int_equal(client_events(client), POLLOUT);
	client_dispatch(client);
	assert_int_equal(client_events(client), POLLIN);
	rig.ends[RIG_CLIENT].fd = -1;
	rig.ends[RIG_CLIENT].tls = NULL;
	close_session();

	tlsrig_init(&rig, &tlsrig_usual);
	devlist_init(&list, &rig.ends[RIG_CLIENT]);
	assert_int_equal(devlist_events(&list), POLLOUT);
	assert_int_equal(devlist_dispatch(&list, &why), 0);
	assert_int_equal(devlist_events(&list), POLLIN);
	devlist_fini(&list);
	rig.ends[RIG_CLIENT].fd = -1;
	rig.ends[RIG_CLIENT].tls = NULL;
	tlsrig_fini(&rig);
}

/* ---- what is held back ---- */

static uint8_t bytes[URBS * HEADER];

/* Far more messages than a turn takes, in one record, after which the socket has nothing more. */
static void test_one_record(void **state)
{
	(void)state;
	for (unsigned n = BURST - 1; n <= 340; n = n < BURST + 2 ? n + 1 : n + 90) {
		static uint8_t sent[URBS * HEADER];

		open_session(&tlsrig_usual);
		for (unsigned i = 0; i < n; i++)
			submit(i, 0x81, NULL, 0);
		settle();
		assert_int_equal(take(sent, sizeof(sent)), n * HEADER);
		give(bytes, answers(bytes, 0, n));
		settle();
		assert_int_equal(done, n);
		assert_int_equal(closed, 0);
		close_session();
	}
}

/* In many records a turn ends, and the socket wakes us for the rest. In two it ends behind the
 * record that it is in, also where a message goes on in the next. */
static void test_turns(void **state)
{
	static uint8_t sent[URBS * HEADER];
	static const size_t parts[] = {300 * HEADER, 300 * HEADER + 20, 300 * HEADER - 1, HEADER};

	(void)state;
	for (size_t k = 0; k < PEER_COUNT(parts); k++) {
		size_t size, at = 0;

		open_session(&tlsrig_usual);
		for (unsigned i = 0; i < URBS; i++)
			submit(i, 0x81, NULL, 0);
		settle();
		assert_int_equal(take(sent, sizeof(sent)), sizeof(sent));
		size = answers(bytes, 0, URBS);
		for (; at < size; at += parts[k])
			give(bytes + at, size - at < parts[k] ? size - at : parts[k]);
		settle_wire();
		assert_true(client_turn());
		assert_int_equal(done, parts[k] == HEADER ? BURST : parts[k] / HEADER);
		settle();
		assert_int_equal(done, URBS);
		close_session();
	}
}

/* ---- in bulk ---- */

#define BULK_IN 8
#define BULK_LENGTH 131072
#define ROUNDS 16

static uint8_t value(size_t i, unsigned round)
{
	return (uint8_t)(i * 13 + i / 253 + round);
}

/* MiBs both ways at the same time, in records of all sizes, over a wire in pieces of any size. */
static void test_bulk(void **state)
{
	static const size_t pieces[] = {0, 100, 1448, 16406};
	uint8_t *in = malloc(BULK_LENGTH), *out = malloc(BULK_LENGTH);
	uint8_t *sent = malloc(BULK_LENGTH + 2 * HEADER), *reply = malloc(BULK_LENGTH + 2 * HEADER);

	(void)state;
	open_session(&tlsrig_usual);
	for (unsigned round = 0; round < ROUNDS; round++) {
		size_t have = 0, gone = 0, size = BULK_LENGTH + 2 * HEADER;
		size_t record = round % 5 ? 1 + round * 2741 % TLS_RECORD : TLS_RECORD;

		rig.piece = pieces[round % PEER_COUNT(pieces)];
		for (size_t i = 0; i < BULK_LENGTH; i++)
			out[i] = value(i, round + 100);
		memset(in, 0, BULK_LENGTH);
		submit(0, 0x81, in, BULK_LENGTH);
		submit(1, 0x02, out, BULK_LENGTH);
		answers(reply, 0, 1);
		peer_put_be32(reply + 24, BULK_LENGTH);
		for (size_t i = 0; i < BULK_LENGTH; i++)
			reply[HEADER + i] = value(i, round);
		answers(reply + HEADER + BULK_LENGTH, 1, 1);
		peer_put_be32(reply + HEADER + BULK_LENGTH + 24, BULK_LENGTH);
		/* What the server says is written by the record, while the client's comes. */
		for (bool busy = true; busy || have < size || gone < size - HEADER;) {
			int n = tlsrig_get(&rig, RIG_SERVER, sent + have, size - have);

			assert_true(n >= 0);
			have += (size_t)n;
			/* The IN URB has been submitted when the first header has come; the OUT
			 * one's answer comes after all of it. */
			if (have >= HEADER) {
				size_t end = have == size ? size : size - HEADER;
				size_t part = end - gone < record ? end - gone : record;

				n = part ? tlsrig_put(&rig, RIG_SERVER, reply + gone, part) : 0;
				assert_true(n >= 0);
				gone += (size_t)n;
			}
			busy = client_turn();
			client_flush(client);
			busy |= tlsrig_carry(&rig);
			if (closed)
				fail_msg("%s", reason);
			if (gone == size && !busy)
				break;
		}
		settle();
		assert_int_equal(done, 2 * (round + 1));
		for (size_t i = 0; i < BULK_LENGTH; i++)
			if (in[i] != value(i, round) ||
				sent[2 * HEADER + i] != value(i, round + 100))
				fail_msg("round %u, byte %zu", round, i);
	}
	assert_int_equal(moved, (uint64_t)ROUNDS * 2 * BULK_LENGTH);
	close_session();
	free(in);
	free(out);
	free(sent);
	free(reply);
}

/* ---- ends ---- */

static void test_other_key(void **state)
{
	struct tlsrig_options options = tlsrig_usual;

	(void)state;
	options.same_key = false;
	open_session(&options);
	assert_int_equal(closed, 1);
	assert_non_null(strstr(reason, "cannot connect to the server: it has another key: "));
	close_session();
}

#define WANTS_KEY                                                                                  \
	"cannot talk to the server: it wants a key: 'ip2usb pair HOST --key KEY' takes the one "   \
	"that 'ip2usb-export key' printed there"

/* Of a server of ours, which then closes; and one that says more. */
static void test_no_key(void **state)
{
	struct tlsrig_options options = tlsrig_usual;

	(void)state;
	options.plain[RIG_CLIENT] = true;
	open_session(&options);
	assert_int_equal(closed, 0);
	tlsrig_hang_up(&rig, RIG_CLIENT);
	settle();
	assert_int_equal(rig.result[RIG_SERVER], -EPROTO);
	assert_int_equal(closed, 1);
	assert_string_equal(reason, WANTS_KEY);
	close_session();

	rig.result[RIG_SERVER] = 0;
	tlsrig_init(&rig, &(const struct tlsrig_options){.plain = {true, true}});
	imported = closed = 0;
	assert_int_equal(client_new(&rig.ends[RIG_CLIENT], BUSID, &callbacks, NULL, &client), 0);
	rig.ends[RIG_CLIENT].fd = -1;
	give((const uint8_t *)"\x15\x03\x03\0\x02\x02\x46\x15\x03", 9);
	settle();
	assert_int_equal(closed, 1);
	assert_string_equal(reason, WANTS_KEY);
	close_session();
}

static void test_changed(void **state)
{
	(void)state;
	open_session(&tlsrig_usual);
	submit(0, 0x81, NULL, 0);
	settle();
	rig.ways[RIG_SERVER].flipped = rig.ways[RIG_SERVER].size + 20;
	give(bytes, answers(bytes, 0, 1));
	settle();
	assert_int_equal(done, 0);
	assert_int_equal(closed, 1);
	assert_string_equal(reason,
		"the connection to the server failed: what came was not from it, or was changed on "
		"its way");
	close_session();
}

static void test_lost(void **state)
{
	(void)state;
	open_session(&tlsrig_usual);
	tlsrig_hang_up(&rig, RIG_CLIENT);
	settle();
	assert_string_equal(reason, "the server closed the connection");
	close_session();
	open_session(&tlsrig_usual);
	conn_close(&rig.ends[RIG_SERVER]);
	settle();
	assert_string_equal(reason, "the server closed the connection");
	close_session();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_events),
		cmocka_unit_test(test_one_record),
		cmocka_unit_test(test_turns),
		cmocka_unit_test(test_bulk),
		cmocka_unit_test(test_other_key),
		cmocka_unit_test(test_no_key),
		cmocka_unit_test(test_changed),
		cmocka_unit_test(test_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
