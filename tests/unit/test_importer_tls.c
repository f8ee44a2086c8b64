/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * importer over an encrypted connection: it serves who has the key, our own client for example, as
 * it serves anybody without one; and nobody else hears or causes anything.
 *
 *   importer <-- TLS, socketpairs and a wire --> client, devlist, or this test
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/crypto.h>

#include "bridge/client.h"
#include "bridge/devlist.h"
#include "bridge/importer.h"
#include "tests/unit/allocations.h"
#include "tests/unit/fake_usbdevice.h"
#include "tests/unit/peer.h"
#include "tests/unit/quick.h"
#include "tests/unit/tlsrig.h"

#define HEADER 48
#define BULK 20000
#define PLAIN_CLIENT "it is not paired: it asked without encryption"
#define LEFT "it ended the connection before it had shown that it has the key"

static const uint8_t request[] = {0x01, 0x11, 0x80, 0x05, 0, 0, 0, 0};
static const uint8_t refusal[] = {0x15, 3, 3, 0, 2, 2, 0x46}; /* docs/protocol.md */
static const size_t pieces[] = {0, 1, 7, 977};

static struct tlsrig rig;
static struct importer *importer;
static struct usbdevice device;
static struct client *client;
static struct client_urb urbs[2];
static uint8_t data[2][BULK];
static unsigned num_listed, lists, imports, closed, done, imported;
static char reason[256];

/* As the kernel numbers it, but for the interfaces: their data is to be told apart. */
static const struct usbip_device description = {
	.busid = "1-1.4", .busnum = 1, .devnum = 4, .speed = 3, .num_interfaces = 2};

/* ---- the exporter's part ---- */

static unsigned on_list(void *user, struct devlist_entry **entries)
{
	(void)user;
	lists++;
	*entries = calloc(num_listed + 1, sizeof(**entries));
	for (unsigned i = 0; *entries && i < num_listed; i++) {
		(*entries)[i].device = description;
		(*entries)[i].device.devnum = i;
		(*entries)[i].interfaces[1].class = (uint8_t)i;
	}
	return *entries ? num_listed : 0;
}

static void on_import(void *user, const char *busid)
{
	(void)user;
	imports++;
	assert_string_equal(busid, "1-1.4");
	importer_give(importer, &device, &description);
}

static void on_end(void *user, const char *why)
{
	(void)user;
	closed++;
	(void)snprintf(reason, sizeof(reason), "%s", why);
}

static const struct importer_callbacks callbacks = {
	.list = on_list, .import = on_import, .closed = on_end};

/* ---- turns ---- */

static bool importer_turn(void)
{
	struct pollfd fd = {importer_fd(importer), importer_events(importer), 0};

	importer_flush(importer);
	/* libev does not watch for nothing. */
	if (fd.fd < 0 || !fd.events || poll(&fd, 1, 0) <= 0)
		return false;
	importer_dispatch(importer);
	importer_flush(importer);
	return true;
}

static bool client_turn(void)
{
	struct pollfd fd;

	if (!client || client_fd(client) < 0)
		return false;
	client_flush(client);
	fd = (struct pollfd){client_fd(client), client_events(client), 0};
	if (fd.fd < 0 || poll(&fd, 1, 0) <= 0)
		return false;
	client_dispatch(client);
	return true;
}

/* The end that this test itself has. */
static bool shake_turn(void)
{
	struct conn *c = &rig.ends[RIG_CLIENT];
	struct pollfd fd = {.fd = c->fd};

	if (c->fd < 0 || !c->tls || rig.result[RIG_CLIENT])
		return false;
	fd.events = conn_events(c);
	if (poll(&fd, 1, 0) <= 0)
		return false;
	rig.result[RIG_CLIENT] = conn_connect(c);
	if (rig.result[RIG_CLIENT] < 0)
		rig.why[RIG_CLIENT] = conn_why(c, rig.result[RIG_CLIENT]);
	return true;
}

static void settle(void)
{
	bool busy = true;

	while (busy) {
		busy = importer_turn();
		busy |= client_turn();
		busy |= shake_turn();
		busy |= tlsrig_carry(&rig);
	}
}

/* The conn of an end, for who takes it over. */
static struct conn take_end(int end)
{
	struct conn c = rig.ends[end];

	rig.ends[end] = (struct conn){.fd = -1};
	return c;
}

static bool start_with(const struct tlsrig_options *options)
{
	struct conn c;

	tlsrig_init(&rig, options);
	num_listed = lists = imports = closed = done = imported = 0;
	*reason = '\0';
	memset(&device, 0, sizeof(device));
	c = take_end(RIG_SERVER);
	importer = importer_new(&c, &callbacks, NULL);
	if (!importer)
		conn_close(&c);
	return importer;
}

static void start(void)
{
	assert_true(start_with(&tlsrig_usual));
	assert_false(importer_is_let_in(importer));
}

static void finish(void)
{
	if (client)
		client_free(client);
	client = NULL;
	importer_end(importer, "the test ends");
	importer_flush(importer);
	fake_usbdevice_end_all(&device, -ECONNRESET);
	assert_int_equal(device.submitted, device.done);
	importer_free(importer);
	importer = NULL;
	tlsrig_fini(&rig);
}

static void expect_refused(const char *why)
{
	assert_int_equal(closed, 1);
	assert_string_equal(reason, why);
	assert_false(importer_is_let_in(importer));
	assert_int_equal(lists + imports, 0);
	assert_int_equal(importer_fd(importer), -1);
	assert_int_equal(importer_events(importer), 0);
}

/* ---- who has the key ---- */

static void expect_list(size_t piece, unsigned n)
{
	struct devlist list;
	struct conn c;
	const char *why = NULL;
	int r = 0;

	start();
	rig.piece = piece;
	num_listed = n;
	c = take_end(RIG_CLIENT);
	devlist_init(&list, &c);
	while (!r) {
		struct pollfd fd = {devlist_fd(&list), devlist_events(&list), 0};

		settle();
		assert_int_equal(poll(&fd, 1, 0), 1);
		r = devlist_dispatch(&list, &why);
	}
	assert_int_equal(r, 1);
	assert_int_equal(list.total, n);
	for (unsigned i = 0; i < n; i++) {
		assert_int_equal(list.entries[i].device.devnum, i);
		assert_int_equal(list.entries[i].interfaces[1].class, (uint8_t)i);
	}
	devlist_fini(&list);
	settle();
	assert_int_equal(closed, 1);
	assert_string_equal(reason, "");
	assert_true(importer_is_let_in(importer));
	assert_int_equal(lists, 1);
	finish();
}

static void test_list(void **state)
{
	(void)state;
	for (size_t i = 0; i < PEER_COUNT(pieces); i++) {
		expect_list(pieces[i], 0);
		expect_list(pieces[i], 1);
		expect_list(pieces[i], pieces[i] == 1 ? 20 : 256);
	}
}

static void on_imported(void *user, const struct usbip_device *is)
{
	(void)user;
	assert_string_equal(is->busid, "1-1.4");
	imported++;
}

static void on_closed(void *user, int error, const char *why)
{
	(void)user;
	(void)error;
	(void)why;
}

static const struct client_callbacks client_callbacks = {
	.imported = on_imported, .closed = on_closed};

static void on_done(struct client_urb *urb, int status, uint32_t actual)
{
	assert_int_equal(status, 0);
	assert_int_equal(actual, urb->length);
	done++;
}

static void import(void)
{
	struct conn c = take_end(RIG_CLIENT);

	assert_int_equal(client_new(&c, "1-1.4", &client_callbacks, NULL, &client), 0);
	settle();
	assert_int_equal(imported, 1);
	for (unsigned i = 0; i < 2; i++)
		urbs[i] = (struct client_urb){.endpoint = i ? 2 : 0x81,
			.buffer = data[i],
			.length = BULK,
			.done = on_done};
}

static uint8_t byte_of(unsigned turn, unsigned i)
{
	return (uint8_t)(turn * 31 + i * 7 + i / 256);
}

static void carry_both_ways(unsigned turn)
{
	static uint8_t in[BULK];

	for (unsigned i = 0; i < BULK; i++) {
		in[i] = byte_of(turn, i);
		data[1][i] = byte_of(turn + 100, i);
	}
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(client_submit(client, &urbs[i]), 0);
	settle();
	assert_int_equal(device.num_urbs, 2);
	for (unsigned i = 0; i < BULK; i++)
		assert_int_equal(fake_usbdevice_urb(&device, 1)->buffer[i], byte_of(turn + 100, i));
	fake_usbdevice_end(fake_usbdevice_urb(&device, 1), 0, NULL, BULK);
	fake_usbdevice_end(fake_usbdevice_urb(&device, 0), 0, in, BULK);
	settle();
	assert_memory_equal(data[0], in, BULK);
	assert_int_equal(done, 2 * (turn + 1));
}

static void test_session(void **state)
{
	(void)state;
	for (size_t i = 0; i < PEER_COUNT(pieces); i++) {
		start();
		rig.piece = pieces[i];
		import();
		for (unsigned turn = 0; turn < 3; turn++)
			carry_both_ways(turn);
		/* What has gone over the wire is none of it. */
		assert_null(
			memmem(rig.ways[RIG_SERVER].bytes, rig.ways[RIG_SERVER].size, "1-1.4", 5));
		assert_null(memmem(
			rig.ways[RIG_CLIENT].bytes, rig.ways[RIG_CLIENT].size, &data[1][100], 8));
		finish();
		assert_int_equal(imports, 1);
	}
}

/* ---- a record that is taken before it is wanted ---- */

static void put_be32s(uint8_t *at, const uint32_t *words, size_t n)
{
	memset(at, 0, HEADER);
	for (size_t i = 0; i < n; i++)
		peer_put_be32(at + 4 * i, words[i]);
}

static void import_raw(void)
{
	uint8_t bytes[8 + USBIP_BUSID_SIZE] = {0x01, 0x11, 0x80, 0x03};
	uint8_t answer[8 + USBIP_DEVICE_SIZE];

	strcpy((char *)bytes + 8, "1-1.4");
	settle();
	assert_int_equal(tlsrig_put(&rig, RIG_CLIENT, bytes, sizeof(bytes)), sizeof(bytes));
	settle();
	assert_int_equal(imports, 1);
	assert_int_equal(tlsrig_get(&rig, RIG_CLIENT, answer, sizeof(answer)), sizeof(answer));
}

/* The socket is empty, and its event will not come: the device's turn is the importer's too. */
static void test_busy(void **state)
{
	static uint8_t record[2 * HEADER + 15000];
	const uint32_t control[] = {1, 1, 0x10004, 1, 0, 0, 0};
	const uint32_t bulk[] = {1, 2, 0x10004, 0, 2, 0, 15000};
	struct pollfd fd;

	(void)state;
	start();
	import_raw();
	device.busy_by_control = true;
	put_be32s(record, control, PEER_COUNT(control));
	put_be32s(record + HEADER, bulk, PEER_COUNT(bulk));
	record[40] = 0x80;
	memset(record + 2 * HEADER, 0x5a, 15000);
	assert_int_equal(tlsrig_put(&rig, RIG_CLIENT, record, sizeof(record)), sizeof(record));
	settle();
	assert_int_equal(device.num_urbs, 1);
	fake_usbdevice_end(fake_usbdevice_urb(&device, 0), 0, NULL, 0);
	fd = (struct pollfd){importer_fd(importer), POLLIN, 0};
	assert_int_equal(poll(&fd, 1, 0), 0);
	importer_flush(importer);
	assert_int_equal(device.num_urbs, 1);
	assert_int_equal(fake_usbdevice_urb(&device, 0)->endpoint, 2);
	assert_int_equal(fake_usbdevice_urb(&device, 0)->buffer[14999], 0x5a);
	finish();
}

/* ---- who has not ---- */

static void test_other_key(void **state)
{
	struct tlsrig_options options = tlsrig_usual;

	(void)state;
	options.same_key = false;
	assert_true(start_with(&options));
	settle();
	expect_refused("it has another key");
	assert_int_equal(rig.result[RIG_CLIENT], -EACCES);
	assert_non_null(strstr(rig.why[RIG_CLIENT], "it has another key"));
	finish();
}

/* What plain clients send, as it is, and a byte at a time. */
static void test_plain_client(void **state)
{
	struct tlsrig_options options = tlsrig_usual;

	(void)state;
	options.plain[RIG_CLIENT] = true;
	for (size_t piece = 0; piece < 2; piece++) {
		uint8_t answer[64];

		assert_true(start_with(&options));
		rig.piece = piece;
		assert_int_equal(
			tlsrig_put(&rig, RIG_CLIENT, request, sizeof(request)), sizeof(request));
		settle();
		expect_refused(PLAIN_CLIENT);
		assert_int_equal(
			tlsrig_get(&rig, RIG_CLIENT, answer, sizeof(answer)), sizeof(refusal));
		assert_memory_equal(answer, refusal, sizeof(refusal));
		finish();
	}
}

static void test_plain_list(void **state)
{
	struct tlsrig_options options = tlsrig_usual;
	const char *why = NULL;
	struct devlist list;
	struct conn c;
	int r = 0;

	(void)state;
	options.plain[RIG_CLIENT] = true;
	assert_true(start_with(&options));
	c = take_end(RIG_CLIENT);
	devlist_init(&list, &c);
	for (int i = 0; !r && i < 100; i++) {
		r = devlist_dispatch(&list, &why);
		settle();
		if (closed)
			tlsrig_hang_up(&rig, RIG_CLIENT);
	}
	assert_int_equal(r, -EACCES);
	assert_non_null(strstr(why, "it wants a key"));
	devlist_fini(&list);
	expect_refused(PLAIN_CLIENT);
	finish();
}

/* Bytes of nobody's that is paired, `piece` at a time, and the end. */
static void send_bytes(const uint8_t *bytes, size_t size, size_t piece)
{
	conn_close(&rig.ends[RIG_CLIENT]);
	for (size_t at = 0; at < size && !closed; at += piece) {
		size_t part = size - at < piece ? size - at : piece;
		/* It may have been closed. */
		(void)!send(rig.wire[RIG_SERVER], bytes + at, part, MSG_NOSIGNAL);
		settle();
	}
	if (!closed)
		tlsrig_hang_up(&rig, RIG_SERVER);
	settle();
	assert_int_equal(closed, 1);
	assert_false(importer_is_let_in(importer));
	assert_int_equal(lists + imports, 0);
}

/* All that a client with the key has once sent. */
static size_t record_session(uint8_t **bytes)
{
	size_t size;

	start();
	num_listed = 1;
	settle();
	assert_int_equal(tlsrig_put(&rig, RIG_CLIENT, request, sizeof(request)), sizeof(request));
	settle();
	assert_int_equal(lists, 1);
	size = rig.ways[RIG_CLIENT].size;
	*bytes = malloc(size);
	assert_non_null(*bytes);
	memcpy(*bytes, rig.ways[RIG_CLIENT].bytes, size);
	finish();
	return size;
}

static void test_replay(void **state)
{
	static const size_t parts[] = {1, 100, 65536};
	uint8_t *bytes;
	size_t size = record_session(&bytes);

	(void)state;
	for (size_t i = 0; i < PEER_COUNT(parts); i++) {
		start();
		send_bytes(bytes, size, parts[i]);
		expect_refused("it has not shown that it has the key");
		finish();
	}
	free(bytes);
}

/* Also cut off, or changed, at each byte. */
static void test_replay_parts(void **state)
{
	uint8_t *bytes;
	size_t size = record_session(&bytes);

	(void)state;
	for (size_t i = 0; i < size; i++) {
		start();
		send_bytes(bytes, i, 65536);
		finish();
		start();
		bytes[i] ^= 0x11;
		send_bytes(bytes, size, 65536);
		bytes[i] ^= 0x11;
		finish();
	}
	free(bytes);
}

static void test_garbage(void **state)
{
	/* No TLS; a handshake that is longer than may be; many small ones; an alert. */
	static const uint8_t beginnings[][9] = {{0x47, 0x45, 0x54, 0x20}, {0x00},
		{0x16, 3, 1, 0x40, 0, 1, 0, 0x3f, 0xfc}, {0x16, 3, 3, 0, 4, 1, 0xff, 0xff, 0xff},
		{0x16, 3, 1, 0xff, 0xff}, {0x15, 3, 3, 0, 2, 2, 0x46}, {0x17, 3, 3, 0x20, 0}};
	static uint8_t bytes[8300];

	(void)state;
	for (size_t i = 0; i < PEER_COUNT(beginnings); i++) {
		for (unsigned random = 0; random < 2; random++) {
			for (size_t n = 0; n < sizeof(bytes); n++)
				bytes[n] = random ? (uint8_t)rand() : beginnings[i][n % 9];
			memcpy(bytes, beginnings[i], sizeof(beginnings[i]));
			start();
			send_bytes(bytes, sizeof(bytes), random ? 1000 : 65536);
			/* Not by its end. */
			assert_string_not_equal(reason, LEFT);
			finish();
		}
	}
}

/* At each byte of either end's. */
static void test_cut(void **state)
{
	size_t sizes[2];

	(void)state;
	start();
	settle();
	assert_true(importer_is_let_in(importer));
	assert_int_equal(lists + imports + closed, 0);
	sizes[0] = rig.ways[0].size;
	sizes[1] = rig.ways[1].size;
	finish();
	for (int way = 0; way < 2; way++) {
		for (size_t at = 0; at < sizes[way]; at += quick_step(11)) {
			start();
			rig.ways[way].cut = at;
			settle();
			expect_refused(LEFT);
			finish();
		}
	}
}

/* It is the exporter that has a clock. */
static void test_silence(void **state)
{
	struct tlsrig_options options = tlsrig_usual;

	(void)state;
	options.plain[RIG_CLIENT] = true;
	assert_true(start_with(&options));
	settle();
	assert_int_equal(importer_events(importer), POLLIN);
	assert_int_equal(closed, 0);
	importer_end(importer, "it has not shown that it has the key");
	importer_flush(importer);
	expect_refused("it has not shown that it has the key");
	finish();
}

/* Once it is in, what is not from it ends it. */
static void test_changed(void **state)
{
	(void)state;
	start();
	import_raw();
	rig.ways[RIG_CLIENT].flipped = rig.ways[RIG_CLIENT].size + 10;
	assert_int_equal(tlsrig_put(&rig, RIG_CLIENT, request, sizeof(request)), sizeof(request));
	settle();
	assert_int_equal(closed, 1);
	assert_string_equal(reason,
		"the connection failed: what came was not from it, or was changed on its way");
	finish();
}

/* Who is served is told of the end, as one that is cut off cannot. */
static void test_farewell(void **state)
{
	uint8_t byte;
	size_t before;

	(void)state;
	start();
	import_raw();
	before = rig.ways[RIG_SERVER].size;
	importer_end(importer, "the exporter ends");
	settle();
	assert_int_equal(closed, 1);
	/* An alert of two bytes, its kind, and a tag of 16. */
	assert_int_equal(rig.ways[RIG_SERVER].size - before, 5 + 2 + 1 + 16);
	assert_int_equal(tlsrig_get(&rig, RIG_CLIENT, &byte, 1), -ECONNRESET);
	finish();
}

/* ---- memory ---- */

static void *on_malloc(size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return malloc(size);
}

static void *on_realloc(void *old, size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return realloc(old, size);
}

static void on_free(void *p, const char *file, int line)
{
	(void)file;
	(void)line;
	free(p);
}

/* Both ends are in this process: whichever it hits, neither hangs, and nothing is told that is not
 * so. True: it was one too many. */
static bool survives(unsigned n)
{
	uint8_t answer[8 + 4 + USBIP_DEVICE_SIZE + 8];
	bool is_over;
	int got = 0;

	start();
	num_listed = 1;
	/* The wire has its memory. */
	(void)tlsrig_carry(&rig);
	allocations = 0;
	allocations_fail(n);
	settle();
	if (rig.result[RIG_CLIENT] == 1)
		(void)tlsrig_put(&rig, RIG_CLIENT, request, sizeof(request));
	settle();
	is_over = allocations < n;
	allocations_fail(0);
	if (rig.result[RIG_CLIENT] == 1)
		got = tlsrig_get(&rig, RIG_CLIENT, answer, sizeof(answer));
	assert_true(got == sizeof(answer) || closed || rig.result[RIG_CLIENT] < 0);
	assert_true(importer_is_let_in(importer) || !lists);
	assert_true(!is_over || got == sizeof(answer));
	finish();
	return is_over;
}

static void test_no_memory(void **state)
{
	unsigned n = 1;

	(void)state;
	while (!survives(n))
		n++;
	print_message("%u allocations\n", n);
	assert_true(n > 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_session),
		cmocka_unit_test(test_busy),
		cmocka_unit_test(test_other_key),
		cmocka_unit_test(test_plain_client),
		cmocka_unit_test(test_plain_list),
		cmocka_unit_test(test_replay),
		cmocka_unit_test(test_replay_parts),
		cmocka_unit_test(test_garbage),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_silence),
		cmocka_unit_test(test_changed),
		cmocka_unit_test(test_farewell),
		cmocka_unit_test(test_no_memory),
	};

	if (!CRYPTO_set_mem_functions(on_malloc, on_realloc, on_free))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
