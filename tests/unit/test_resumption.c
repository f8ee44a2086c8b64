/* SPDX-License-Identifier: GPL-2.0-or-later */
/* resumption: what is asked, and each answer, cut at each byte. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "bridge/resumption.h"
#include "tests/unit/peer.h"

struct asking {
	struct resumption resumption;
	struct peer peer;
	int result;
	const char *why;
};

static int subject_fd(const void *asking)
{
	const struct asking *a = asking;

	return a->result ? -1 : resumption_fd(&a->resumption);
}

static short subject_events(const void *asking)
{
	return resumption_events(&((const struct asking *)asking)->resumption);
}

static void subject_dispatch(void *asking)
{
	struct asking *a = asking;

	a->result = resumption_dispatch(&a->resumption, &a->why);
}

static const struct peer_subject subject = {subject_fd, subject_events, subject_dispatch};

static void start(struct asking *a)
{
	const struct usbip_resume how = {"0123456789abcde", 0x01020304, 0xfffefdfc};
	struct conn conn;

	memset(a, 0, sizeof(*a));
	peer_init(&a->peer, &conn);
	resumption_init(&a->resumption, &conn, &how);
	peer_run(&a->peer, &subject, a);
	assert_int_equal(a->result, 0);
}

static void stop(struct asking *a)
{
	resumption_fini(&a->resumption);
	peer_fini(&a->peer);
}

static void test_request(void **state)
{
	static const uint8_t request[] = "\1\x11\x80\x11\0\0\0\0"
					 "0123456789abcde\0"
					 "\1\2\3\4\xff\xfe\xfd\xfc";
	struct asking a;

	(void)state;
	start(&a);
	assert_int_equal(a.peer.in_size, 32);
	assert_memory_equal(a.peer.in, request, 32);
	stop(&a);
}

/* In pieces, and with what follows it, which is left where it is. */
static void test_resumed(void **state)
{
	static const uint8_t reply[] = "\1\x11\0\x11\0\0\0\0\x80\1\2\3rest";
	char rest[8];

	(void)state;
	for (size_t split = 0; split <= 12; split++) {
		struct asking a;

		start(&a);
		a.peer.split = split;
		a.peer.piece = split ? 0 : 1;
		peer_send(&a.peer, reply, sizeof(reply));
		peer_run(&a.peer, &subject, &a);
		assert_int_equal(a.result, 1);
		assert_int_equal(a.resumption.received, 0x80010203);
		/* The connection is the taker's. */
		resumption_fini(&a.resumption);
		if (split)
			assert_int_equal(read(a.resumption.conn.fd, rest, sizeof(rest)), 5);
		close(a.resumption.conn.fd);
		stop(&a);
	}
}

static void test_lost_at_each_byte(void **state)
{
	static const uint8_t reply[] = "\1\x11\0\x11\0\0\0\0\0\0\0\3";

	(void)state;
	for (size_t size = 0; size < 12; size++) {
		struct asking a;

		start(&a);
		peer_send(&a.peer, reply, size);
		a.peer.closing = true;
		peer_run(&a.peer, &subject, &a);
		assert_int_equal(a.result, -ECONNRESET);
		assert_string_equal(a.why, strerror(ECONNRESET));
		stop(&a);
	}
}

static const struct refusal {
	const char *reply;
	int error;
	const char *why;
} refusals[] = {
	{"\1\x11\0\x11\0\0\0\4", -ENODEV, "the server has given the session up"},
	{"\1\x11\0\x11\0\0\0\1", -ENODEV, "the server has given the session up"},
	{"\1\x11\0\x11\x80\0\0\0", -ENODEV, "the server has given the session up"},
	{"\1\x11\0\3\0\0\0\0", -EPROTO, "op_common.code: not OP_REP_RESUME"},
	{"\1\x11\x80\x11\0\0\0\0", -EPROTO, "op_common.code: not OP_REP_RESUME"},
	{"\1\x10\0\x11\0\0\0\0", -EPROTO, "op_common.version: not 0x0111"},
	{"\1\x11\0\x12\0\0\0\0", -EPROTO, "op_common.code: neither DEVLIST nor IMPORT"},
};

static void test_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < PEER_COUNT(refusals); i++) {
		struct asking a;

		start(&a);
		peer_send(&a.peer, refusals[i].reply, 8);
		peer_run(&a.peer, &subject, &a);
		assert_int_equal(a.result, refusals[i].error);
		assert_string_equal(a.why, refusals[i].why);
		stop(&a);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_request),
		cmocka_unit_test(test_resumed),
		cmocka_unit_test(test_lost_at_each_byte),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
