/* SPDX-License-Identifier: GPL-2.0-or-later */
/* importer: sessions that outlive their connection, as raw bytes. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "bridge/conn.h"
#include "bridge/importer.h"
#include "tests/unit/fake_usbdevice.h"
#include "tests/unit/peer.h"

#define BROKEN "it broke the USB/IP protocol: "

struct end {
	struct peer peer;
	struct importer *importer;
	unsigned closed, detached;
	char reason[200];
	struct rig *rig;
};

struct rig {
	struct end ends[2]; /* the session's, and who comes back */
	struct usbdevice device;
	uint8_t token[USBIP_TOKEN_SIZE];
	int resumed; /* what importer_resume has returned; 1: it was not called */
};

static const struct usbip_device description = {.path = "/sys/devices/3-1",
	.busid = "3-1",
	.busnum = 3,
	.devnum = 7,
	.speed = 3,
	.num_interfaces = 2};

static unsigned on_list(void *user, struct devlist_entry **entries)
{
	(void)user;
	*entries = calloc(1, sizeof(**entries));
	assert_non_null(*entries);
	(*entries)[0].device = description;
	return 1;
}

static void on_import(void *user, const char *busid)
{
	struct end *e = user;

	assert_string_equal(busid, "3-1");
	importer_give(e->importer, &e->rig->device, &description);
}

static void on_closed(void *user, const char *reason)
{
	struct end *e = user;

	e->closed++;
	(void)snprintf(e->reason, sizeof(e->reason), "%s", reason);
}

static void on_detached(void *user, const char *reason)
{
	struct end *e = user;

	e->detached++;
	(void)snprintf(e->reason, sizeof(e->reason), "%s", reason);
}

static void on_resume(void *user, const struct usbip_resume *how)
{
	struct end *e = user;
	struct rig *r = e->rig;

	r->resumed = -ENOENT;
	if (importer_has_token(r->ends[0].importer, how->token))
		r->resumed = importer_resume(r->ends[0].importer, e->importer, how);
	if (r->resumed)
		importer_refuse(e->importer, USBIP_ST_NODEV);
}

static const struct importer_callbacks callbacks = {.list = on_list,
	.import = on_import,
	.closed = on_closed,
	.detached = on_detached,
	.resume = on_resume};
static const struct importer_callbacks without_sessions = {
	.list = on_list, .import = on_import, .closed = on_closed};

/* ---- turns ---- */

static int subject_fd(const void *importer)
{
	return importer_events(importer) ? importer_fd(importer) : -1;
}

static short subject_events(const void *importer)
{
	return importer_events(importer);
}

static void subject_dispatch(void *importer)
{
	importer_dispatch(importer);
	importer_flush(importer);
}

static const struct peer_subject subject = {subject_fd, subject_events, subject_dispatch};

/* By this connection, whose importer it is by now. */
static void run(struct rig *r, unsigned peer, unsigned end)
{
	do {
		importer_flush(r->ends[end].importer);
		peer_run(&r->ends[peer].peer, &subject, r->ends[end].importer);
	} while (r->ends[peer].peer.turns > 1);
}

static void open_end(struct rig *r, unsigned n, const struct importer_callbacks *with)
{
	struct end *e = &r->ends[n];
	struct conn conn;

	memset(e, 0, sizeof(*e));
	e->rig = r;
	peer_init(&e->peer, &conn);
	e->importer = importer_new(&conn, with, e);
	assert_non_null(e->importer);
}

static void close_end(struct rig *r, unsigned n)
{
	importer_end(r->ends[n].importer, "the end");
	importer_flush(r->ends[n].importer);
	importer_free(r->ends[n].importer);
	peer_fini(&r->ends[n].peer);
}

static void ask_session(struct rig *r, uint32_t hold_s)
{
	uint8_t wire[36] = "3-1";

	peer_put_be32(wire + 32, hold_s);
	peer_send_op(&r->ends[0].peer, 0x8010, 0);
	peer_send(&r->ends[0].peer, wire, sizeof(wire));
	run(r, 0, 0);
}

static void open_session(struct rig *r, uint32_t hold_s)
{
	static const uint8_t head[8] = {1, 0x11, 0, 0x10};
	const uint8_t *at;

	memset(r, 0, sizeof(*r));
	r->resumed = 1;
	open_end(r, 0, &callbacks);
	ask_session(r, hold_s);
	at = peer_take(&r->ends[0].peer, 8 + 312 + 16);
	assert_non_null(at);
	assert_memory_equal(at, head, sizeof(head));
	assert_string_equal((const char *)at + 8 + 256, "3-1");
	memcpy(r->token, at + 8 + 312, sizeof(r->token));
	assert_int_equal(r->ends[0].peer.in_size, 8 + 312 + 16);
}

static void close_session(struct rig *r)
{
	fake_usbdevice_end_all(&r->device, -ECONNRESET);
	close_end(r, 0);
}

static void lose(struct rig *r)
{
	peer_close(&r->ends[0].peer);
	run(r, 0, 0);
	assert_int_equal(r->ends[0].detached, 1);
	assert_string_equal(r->ends[0].reason, "it closed the connection");
	assert_int_equal(importer_events(r->ends[0].importer), 0);
	assert_int_equal(r->ends[0].closed, 0);
}

static void ask_resume(struct rig *r, const uint8_t *token, uint32_t received, uint32_t first)
{
	uint8_t wire[24];

	open_end(r, 1, &callbacks);
	memcpy(wire, token, 16);
	peer_put_be32(wire + 16, received);
	peer_put_be32(wire + 20, first);
	peer_send_op(&r->ends[1].peer, 0x8011, 0);
	peer_send(&r->ends[1].peer, wire, sizeof(wire));
}

/* `ack` is where a devid stands. */
static void ask(struct rig *r, unsigned peer, uint32_t seqnum, uint32_t ack, uint32_t length)
{
	const uint32_t words[] = {1, seqnum, ack, 1, 1, 0, length};

	peer_send_header(&r->ends[peer].peer, words, PEER_COUNT(words));
}

static void unlink_urb(struct rig *r, uint32_t seqnum, uint32_t ack, uint32_t victim)
{
	const uint32_t words[] = {2, seqnum, ack, 0, 0, victim};

	peer_send_header(&r->ends[0].peer, words, PEER_COUNT(words));
}

/* A RET_SUBMIT with this byte for data. */
static void expect(struct rig *r, unsigned peer, uint32_t seqnum, char byte)
{
	const uint8_t *at = peer_take(&r->ends[peer].peer, 48 + 1);
	uint8_t wire[49] = {0, 0, 0, 3};

	peer_put_be32(wire + 4, seqnum);
	wire[27] = 1;
	wire[48] = (uint8_t)byte;
	assert_non_null(at);
	assert_memory_equal(at, wire, sizeof(wire));
}

static void expect_resumed(struct rig *r, uint32_t received)
{
	static const uint8_t head[8] = {1, 0x11, 0, 0x11};
	uint8_t wire[4];
	const uint8_t *at = peer_take(&r->ends[1].peer, 12);

	peer_put_be32(wire, received);
	assert_non_null(at);
	assert_memory_equal(at, head, sizeof(head));
	assert_memory_equal(at + 8, wire, sizeof(wire));
	assert_int_equal(r->resumed, 0);
	assert_int_equal(r->ends[1].closed, 1);
	assert_string_equal(r->ends[1].reason, "");
}

static void expect_refused(struct rig *r)
{
	static const uint8_t refusal[8] = {1, 0x11, 0, 0x11, 0, 0, 0, 4};
	const uint8_t *at;

	run(r, 1, 1);
	at = peer_take(&r->ends[1].peer, 8);
	assert_non_null(at);
	assert_memory_equal(at, refusal, sizeof(refusal));
	assert_int_equal(r->ends[1].peer.in_size, 8);
	assert_int_equal(r->ends[1].closed, 1);
	close_end(r, 1);
}

/* ---- tests ---- */

static void test_list(void **state)
{
	const struct importer_callbacks *const with[] = {&without_sessions, &callbacks};

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct rig r = {0};
		const uint8_t *at;

		open_end(&r, 0, with[i]);
		peer_send_op(&r.ends[0].peer, 0x8005, 0);
		run(&r, 0, 0);
		at = peer_take(&r.ends[0].peer, 8 + 4 + 312 + 2 * 4);
		assert_non_null(at);
		assert_int_equal(at[8 + 4 + 312 + 3], i);
		assert_int_equal(at[8 + 4 + 312 + 7], i);
		close_end(&r, 0);
	}
}

static void test_no_sessions(void **state)
{
	static const uint16_t codes[] = {0x8010, 0x8011};

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct rig r = {0};

		open_end(&r, 0, &without_sessions);
		peer_send_op(&r.ends[0].peer, codes[i], 0);
		run(&r, 0, 0);
		assert_string_equal(r.ends[0].reason, BROKEN "op_common.code: not a request");
		close_end(&r, 0);
	}
}

static void test_given(void **state)
{
	static const uint32_t asked[] = {0, 10, 600, 601, 0xffffffff},
			      held[] = {0, 10, 600, 600, 600};
	uint8_t former[USBIP_TOKEN_SIZE] = {0};

	(void)state;
	for (size_t i = 0; i < PEER_COUNT(asked); i++) {
		struct rig r;

		open_session(&r, asked[i]);
		assert_int_equal(importer_hold_s(r.ends[0].importer), held[i]);
		assert_memory_not_equal(r.token, former, sizeof(former));
		memcpy(former, r.token, sizeof(former));
		close_session(&r);
	}
}

/* URBs end meanwhile; the other half of a message is not waited for. */
static void test_resumed(void **state)
{
	struct rig r;

	(void)state;
	open_session(&r, 10);
	for (uint32_t i = 1; i <= 3; i++)
		ask(&r, 0, i, 0, 1);
	run(&r, 0, 0);
	fake_usbdevice_end(fake_usbdevice_urb(&r.device, 0), 0, "a", 1);
	peer_send(&r.ends[0].peer, "\0\0\0\1", 4);
	run(&r, 0, 0);
	expect(&r, 0, 1, 'a');
	lose(&r);
	fake_usbdevice_end(fake_usbdevice_urb(&r.device, 0), 0, "b", 1);
	/* It has not had the first either; a fourth message is lost, and will not come. */
	ask_resume(&r, r.token, 0, 4);
	run(&r, 1, 1);
	run(&r, 1, 0);
	expect_resumed(&r, 3);
	expect(&r, 1, 1, 'a');
	expect(&r, 1, 2, 'b');
	fake_usbdevice_end(fake_usbdevice_urb(&r.device, 0), 0, "c", 1);
	ask(&r, 1, 4, 2, 1);
	run(&r, 1, 0);
	expect(&r, 1, 3, 'c');
	assert_int_equal(r.ends[1].peer.in_size, r.ends[1].peer.in_taken);
	assert_int_equal(r.device.submitted, 4);
	close_end(&r, 1);
	close_session(&r);
}

/* Of a URB that was faster than its unlink only the second answer is missing. */
static void test_resumed_between_two(void **state)
{
	static const uint8_t late[48] = {0, 0, 0, 4, 0, 0, 0, 9};
	struct rig r;
	const uint8_t *at;

	(void)state;
	open_session(&r, 10);
	ask(&r, 0, 1, 0, 1);
	unlink_urb(&r, 9, 0, 1);
	run(&r, 0, 0);
	fake_usbdevice_end(fake_usbdevice_urb(&r.device, 0), 0, "a", 1);
	lose(&r);
	ask_resume(&r, r.token, 1, 2);
	run(&r, 1, 1);
	run(&r, 1, 0);
	expect_resumed(&r, 2);
	at = peer_take(&r.ends[1].peer, sizeof(late));
	assert_non_null(at);
	assert_memory_equal(at, late, sizeof(late));
	assert_int_equal(r.ends[1].peer.in_size, r.ends[1].peer.in_taken);
	close_end(&r, 1);
	close_session(&r);
}

/* Twice in a row, as the first reply was lost; and the session's own connection seems to live. */
static void test_resumed_twice(void **state)
{
	struct rig r;

	(void)state;
	open_session(&r, 10);
	ask(&r, 0, 1, 0, 1);
	run(&r, 0, 0);
	for (unsigned i = 0; i < 2; i++) {
		ask_resume(&r, r.token, 0, 5);
		run(&r, 1, 1);
		run(&r, 1, 0);
		expect_resumed(&r, 1);
		if (!i)
			close_end(&r, 1);
	}
	assert_int_equal(r.ends[0].detached, 0);
	ask(&r, 1, 2, 0, 1);
	run(&r, 1, 0);
	close_end(&r, 1);
	/* Now it has received more, by the numbers that were said. */
	ask_resume(&r, r.token, 0, 9);
	run(&r, 1, 1);
	run(&r, 1, 0);
	expect_resumed(&r, 6);
	close_end(&r, 1);
	close_session(&r);
}

static void test_refused(void **state)
{
	uint8_t token[USBIP_TOKEN_SIZE];
	struct rig r;

	(void)state;
	open_session(&r, 10);
	for (uint32_t i = 1; i <= 2; i++)
		ask(&r, 0, i, 0, 1);
	run(&r, 0, 0);
	fake_usbdevice_end_all(&r.device, 0);
	ask(&r, 0, 3, 1, 1);
	run(&r, 0, 0);
	for (unsigned i = 0; i < sizeof(token) * 8; i++) {
		memcpy(token, r.token, sizeof(token));
		token[i / 8] = (uint8_t)(token[i / 8] ^ 1u << i % 8);
		ask_resume(&r, token, 2, 3);
		expect_refused(&r);
		assert_int_equal(r.resumed, -ENOENT);
	}
	/* Two have been sent, and one is known to have come. */
	ask_resume(&r, r.token, 3, 3);
	expect_refused(&r);
	ask_resume(&r, r.token, 0, 3);
	expect_refused(&r);
	/* Who does not wait for the answer. */
	ask_resume(&r, r.token, 2, 3);
	peer_send(&r.ends[1].peer, "", 1);
	expect_refused(&r);
	assert_int_equal(r.resumed, -EPROTO);
	/* None of it has harmed the session. */
	ask(&r, 0, 4, 2, 1);
	run(&r, 0, 0);
	assert_int_equal(r.device.submitted, 4);
	assert_int_equal(r.ends[0].closed + r.ends[0].detached, 0);
	close_session(&r);
}

static void test_acknowledges_too_much(void **state)
{
	static const uint32_t acks[] = {2, 0x7fffffff};

	(void)state;
	for (size_t i = 0; i < PEER_COUNT(acks); i++) {
		struct rig r;

		open_session(&r, 10);
		ask(&r, 0, 1, 0, 1);
		run(&r, 0, 0);
		fake_usbdevice_end_all(&r.device, 0);
		run(&r, 0, 0);
		ask(&r, 0, 2, acks[i], 1);
		run(&r, 0, 0);
		assert_int_equal(r.ends[0].detached, 0);
		assert_string_equal(r.ends[0].reason,
			BROKEN "usbip_header_basic.devid: more than has been sent");
		close_session(&r);
	}
}

/* What is still in the outbox nobody can have received: a guess. */
static void test_acknowledges_what_is_on_its_way(void **state)
{
	struct rig r;

	(void)state;
	open_session(&r, 10);
	ask(&r, 0, 1, 0, 1);
	run(&r, 0, 0);
	fake_usbdevice_end_all(&r.device, 0);
	ask(&r, 0, 2, 1, 1);
	assert_int_equal(
		send(r.ends[0].peer.fd, r.ends[0].peer.out + r.ends[0].peer.out_sent, 48, 0), 48);
	r.ends[0].peer.out_sent += 48;
	importer_dispatch(r.ends[0].importer);
	assert_string_equal(
		r.ends[0].reason, BROKEN "usbip_header_basic.devid: more than has been sent");
	close_session(&r);
}

/* All that may be under way, and all of it answered: the next message makes the room for itself,
 * as often as it goes. */
static void test_makes_room(void **state)
{
	uint32_t seqnum = 0, answered = 0;
	struct rig r;

	(void)state;
	open_session(&r, 10);
	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 0; i < IMPORTER_MAX_URBS; i++)
			ask(&r, 0, ++seqnum, answered, 1);
		run(&r, 0, 0);
		assert_int_equal(r.device.num_urbs, IMPORTER_MAX_URBS);
		fake_usbdevice_end_all(&r.device, 0);
		/* Each unlinked too late. */
		for (unsigned i = 0; i < IMPORTER_MAX_URBS; i++)
			unlink_urb(&r, 0x10000 + i, answered, seqnum - i);
		run(&r, 0, 0);
		answered += 2 * IMPORTER_MAX_URBS;
	}
	assert_int_equal(r.ends[0].closed, 0);
	close_session(&r);
}

/* Who never acknowledges anything costs no more than this. */
static void test_never_acknowledges(void **state)
{
	(void)state;
	for (unsigned unlinks = 0; unlinks < 2; unlinks++) {
		struct rig r;
		uint32_t i = 0;

		open_session(&r, 10);
		for (; !r.ends[0].closed && i < 3 * IMPORTER_MAX_URBS; i++) {
			if (unlinks)
				unlink_urb(&r, 1 + i, 0, 0x1000000);
			else
				ask(&r, 0, 1 + i, 0, 1);
			run(&r, 0, 0);
			fake_usbdevice_end_all(&r.device, 0);
		}
		assert_int_equal(i, IMPORTER_MAX_URBS + 1);
		assert_non_null(strstr(r.ends[0].reason, "under way"));
		close_session(&r);
	}
}

/* Nor who takes nothing of what it is answered, while it does not. */
static void test_never_takes(void **state)
{
	static uint8_t data[32768];
	struct rig r;
	uint32_t i = 0;

	(void)state;
	open_session(&r, 10);
	r.ends[0].peer.deaf = true;
	for (; !r.ends[0].closed && i < 3 * IMPORTER_MAX_URBS; i++) {
		ask(&r, 0, 1 + i, 0, sizeof(data));
		run(&r, 0, 0);
		if (r.device.num_urbs)
			fake_usbdevice_end(fake_usbdevice_urb(&r.device, 0), 0, data, sizeof(data));
	}
	assert_int_equal(i, IMPORTER_MAX_BYTES / (sizeof(data) + 8) + 1);
	assert_non_null(strstr(r.ends[0].reason, "under way"));
	close_session(&r);
}

/* When it is to end it waits for nobody who might come back. */
static void test_lost_at_the_end(void **state)
{
	static uint8_t data[65536];
	struct rig r;

	(void)state;
	open_session(&r, 10);
	r.ends[0].peer.deaf = true;
	for (uint32_t i = 1; i <= 20; i++)
		ask(&r, 0, i, 0, sizeof(data));
	run(&r, 0, 0);
	for (unsigned i = 0; i < 20; i++)
		fake_usbdevice_end(fake_usbdevice_urb(&r.device, 0), 0, data, sizeof(data));
	run(&r, 0, 0);
	importer_end(r.ends[0].importer, "it is over");
	run(&r, 0, 0);
	assert_int_equal(r.ends[0].closed, 0);
	peer_close(&r.ends[0].peer);
	run(&r, 0, 0);
	assert_int_equal(r.ends[0].closed, 1);
	assert_int_equal(r.ends[0].detached, 0);
	close_session(&r);
}

static void test_given_up(void **state)
{
	(void)state;
	for (unsigned unplugged = 0; unplugged < 2; unplugged++) {
		struct rig r;

		open_session(&r, 10);
		ask(&r, 0, 1, 0, 1);
		run(&r, 0, 0);
		lose(&r);
		if (unplugged)
			importer_unplugged(r.ends[0].importer, "it is over");
		else
			importer_end(r.ends[0].importer, "it is over");
		assert_int_equal(r.ends[0].closed, 1);
		assert_string_equal(r.ends[0].reason, "it is over");
		fake_usbdevice_end_all(&r.device, -ECONNRESET);
		ask_resume(&r, r.token, 0, 1);
		expect_refused(&r);
		close_session(&r);
	}
}

/* A plain import has no token that all zeros would be. */
static void test_no_session(void **state)
{
	const uint8_t zeros[USBIP_TOKEN_SIZE] = {0};
	uint8_t busid[32] = "3-1";
	struct rig r = {0};

	(void)state;
	open_end(&r, 0, &callbacks);
	peer_send_op(&r.ends[0].peer, 0x8003, 0);
	peer_send(&r.ends[0].peer, busid, sizeof(busid));
	run(&r, 0, 0);
	assert_int_equal(r.ends[0].peer.in_size, 8 + 312);
	ask_resume(&r, zeros, 0, 0);
	expect_refused(&r);
	peer_close(&r.ends[0].peer);
	run(&r, 0, 0);
	assert_int_equal(r.ends[0].detached, 0);
	assert_int_equal(r.ends[0].closed, 1);
	close_session(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_no_sessions),
		cmocka_unit_test(test_given),
		cmocka_unit_test(test_resumed),
		cmocka_unit_test(test_resumed_between_two),
		cmocka_unit_test(test_resumed_twice),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_acknowledges_too_much),
		cmocka_unit_test(test_acknowledges_what_is_on_its_way),
		cmocka_unit_test(test_makes_room),
		cmocka_unit_test(test_never_acknowledges),
		cmocka_unit_test(test_never_takes),
		cmocka_unit_test(test_lost_at_the_end),
		cmocka_unit_test(test_given_up),
		cmocka_unit_test(test_no_session),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
