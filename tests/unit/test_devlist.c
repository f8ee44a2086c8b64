/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bridge/devlist.h"
#include "tests/unit/peer.h"

#define MAX_DEVICES 256
#define MAX_INTERFACES 32

struct asking {
	struct peer peer;
	struct devlist list;
	int result; /* of the last dispatch */
	const char *why;
};

static int subject_fd(const void *asking)
{
	/* The user stops to watch it when it has come to an end. */
	const struct asking *a = asking;

	return a->result ? -1 : devlist_fd(&a->list);
}

static short subject_events(const void *asking)
{
	return devlist_events(&((const struct asking *)asking)->list);
}

static void subject_dispatch(void *asking)
{
	struct asking *a = asking;

	a->result = devlist_dispatch(&a->list, &a->why);
}

static void start(struct asking *a)
{
	struct conn conn;

	memset(a, 0, sizeof(*a));
	peer_init(&a->peer, &conn);
	devlist_init(&a->list, &conn);
	assert_int_equal(devlist_events(&a->list), POLLOUT);
}

static void run(struct asking *a)
{
	static const struct peer_subject subject = {subject_fd, subject_events, subject_dispatch};

	peer_run(&a->peer, &subject, a);
}

/* The server has been asked and may answer. */
static void start_asked(struct asking *a)
{
	start(a);
	run(a);
	assert_int_equal(a->result, 0);
}

static void stop(struct asking *a)
{
	devlist_fini(&a->list);
	devlist_fini(&a->list); /* harmless */
	peer_fini(&a->peer);
}

/* ---- a list of three: two interfaces, none, one ---- */

static const struct peer_device devices[] = {
	{"1-1.4", 3, 7, 3, 0x04a9, 0x3218, 0, 2},
	{"2-1", 2, 9, 5, 0x1d6b, 0x0002, 9, 0},
	{"usbip-vudc.0", 0x10000, 0xffffffff, 0, 0xffff, 0, 0xff, 1},
};

static const uint8_t interfaces[][4] = {
	{6, 1, 1, 0}, {8, 6, 0x50, 0}, {0xff, 0xfe, 0xfd, 0xfc}, /* the padding is of no interest */
};

#define LIST_SIZE (8 + 4 + 3 * 312 + 3 * 4)
#define INTERFACES_AT (8 + 4 + 312)
#define SECOND_AT (INTERFACES_AT + 2 * 4)

static void send_list(struct asking *a)
{
	static const uint8_t count[4] = {0, 0, 0, 3};

	peer_send_op(&a->peer, 5, 0);
	peer_send(&a->peer, count, sizeof(count));
	peer_send_device(&a->peer, &devices[0]);
	peer_send(&a->peer, interfaces, 8);
	peer_send_device(&a->peer, &devices[1]);
	peer_send_device(&a->peer, &devices[2]);
	peer_send(&a->peer, interfaces + 2, 4);
	assert_int_equal(a->peer.out_size, LIST_SIZE);
}

static void check_list(const struct asking *a)
{
	unsigned at = 0;

	assert_int_equal(a->result, 1);
	assert_int_equal(a->list.total, 3);
	for (unsigned i = 0; i < 3; i++) {
		const struct devlist_entry *e = &a->list.entries[i];
		const struct peer_device *d = &devices[i];

		assert_string_equal(e->device.path, "/sys/devices/usb");
		assert_string_equal(e->device.busid, d->busid);
		assert_int_equal(e->device.busnum, d->busnum);
		assert_int_equal(e->device.devnum, d->devnum);
		assert_int_equal(e->device.speed, d->speed);
		assert_int_equal(e->device.vendor, d->vendor);
		assert_int_equal(e->device.product, d->product);
		assert_int_equal(e->device.class, d->class);
		assert_int_equal(e->device.num_interfaces, d->interfaces);
		for (unsigned k = 0; k < d->interfaces; k++, at++) {
			assert_int_equal(e->interfaces[k].class, interfaces[at][0]);
			assert_int_equal(e->interfaces[k].subclass, interfaces[at][1]);
			assert_int_equal(e->interfaces[k].protocol, interfaces[at][2]);
		}
	}
}

static void test_golden(void **state)
{
	static const uint8_t request[8] = {0x01, 0x11, 0x80, 0x05, 0, 0, 0, 0};
	struct asking a;

	(void)state;
	start(&a);
	run(&a);
	assert_int_equal(a.peer.in_size, sizeof(request));
	assert_memory_equal(a.peer.in, request, sizeof(request));
	assert_int_equal(devlist_events(&a.list), POLLIN);
	send_list(&a);
	run(&a);
	check_list(&a);
	/* Once more does no harm. */
	assert_int_equal(devlist_dispatch(&a.list, &a.why), 1);
	check_list(&a);
	stop(&a);
}

static void test_split_at_every_byte(void **state)
{
	(void)state;
	for (size_t split = 0; split <= LIST_SIZE; split++) {
		struct asking a;

		start_asked(&a);
		send_list(&a);
		a.peer.split = split;
		a.peer.piece = split ? 0 : 1; /* the first round: one by one */
		a.peer.closing = true;	      /* as usbipd does */
		run(&a);
		check_list(&a);
		stop(&a);
	}
}

static void test_close_at_every_byte(void **state)
{
	(void)state;
	for (size_t size = 0; size < LIST_SIZE; size++) {
		struct asking a;

		start_asked(&a);
		send_list(&a);
		a.peer.out_size = size;
		a.peer.closing = true;
		run(&a);
		assert_int_equal(a.result, -ECONNRESET);
		assert_string_equal(a.why, strerror(ECONNRESET));
		stop(&a);
	}
}

static void test_silence_at_every_byte(void **state)
{
	(void)state;
	for (size_t size = 0; size < LIST_SIZE; size++) {
		struct asking a;

		start_asked(&a);
		send_list(&a);
		a.peer.out_size = size;
		run(&a);
		assert_int_equal(a.result, 0);
		assert_int_equal(devlist_events(&a.list), POLLIN);
		assert_in_range(a.peer.turns, 1, 5);
		a.peer.out_size = LIST_SIZE;
		run(&a);
		check_list(&a);
		stop(&a);
	}
}

/* ---- lists that are none ---- */

static const struct change {
	const char *name;
	size_t at; /* of the list above, bytes that are others: */
	const char *bytes;
	size_t size;
	int result;
	const char *why;
} changes[] = {
	{"version 1.1.0", 1, "\x10", 1, -EPROTO, "op_common.version: not 0x0111"},
	{"OP_REP_IMPORT", 3, "\3", 1, -EPROTO, "op_common.code: not OP_REP_DEVLIST"},
	{"OP_REQ_DEVLIST", 2, "\x80", 1, -EPROTO, "op_common.code: not OP_REP_DEVLIST"},
	{"another operation", 3, "\4", 1, -EPROTO, "op_common.code: neither DEVLIST nor IMPORT"},
	{"status 1", 7, "\1", 1, -EIO, "request failed, or device is not exported"},
	{"status 5", 7, "\5", 1, -EIO, "unexpected error at the server"},
	{"status 0x01000000", 4, "\1", 1, -EIO, "unknown status"},
	{"257 devices", 8, "\0\0\1\1", 4, -EPROTO, "op_devlist_reply.ndev: over 256"},
	{"2^32 - 1 devices", 8, "\xff\xff\xff\xff", 4, -EPROTO, "op_devlist_reply.ndev: over 256"},
	{"busid empty", 12 + 256, "\0", 1, -EPROTO, "busid: empty"},
	{"second busid", SECOND_AT + 256, "\n", 1, -EPROTO,
		"busid: a character other than A-Z a-z 0-9 . : _ -"},
	{"path", SECOND_AT, "\x7f", 1, -EPROTO, "usbip_usb_device.path: not printable ASCII"},
	{"speed", SECOND_AT + 299, "\7", 1, -EPROTO, "usbip_usb_device.speed: over 6"},
	{"33 interfaces", 12 + 311, "\x21", 1, -EPROTO, "usbip_usb_device.bNumInterfaces: over 32"},
	{"255 interfaces", SECOND_AT + 311, "\xff", 1, -EPROTO,
		"usbip_usb_device.bNumInterfaces: over 32"},
	/* The interfaces are taken for a device. */
	{"no interfaces", 12 + 311, "\0", 1, -EPROTO, "usbip_usb_device.path: not printable ASCII"},
	{"no devices, and more behind it", 8, "\0\0\0\0", 4, 1, NULL},
};

static void test_changes(void **state)
{
	(void)state;
	for (size_t i = 0; i < PEER_COUNT(changes); i++) {
		const struct change *c = &changes[i];
		struct asking a;

		start_asked(&a);
		send_list(&a);
		memcpy(a.peer.out + c->at, c->bytes, c->size);
		run(&a);
		if (a.result != c->result || (c->why && strcmp(a.why, c->why)))
			fail_msg("%s: %d %s", c->name, a.result, a.why);
		stop(&a);
	}
}

/* ---- sizes ---- */

static void send_many(struct asking *a, unsigned n, uint8_t num_interfaces)
{
	uint8_t count[4];

	peer_send_op(&a->peer, 5, 0);
	peer_put_be32(count, n);
	peer_send(&a->peer, count, sizeof(count));
	for (unsigned i = 0; i < n; i++) {
		char busid[32];
		struct peer_device d = {busid, 1, i, 3, 0x04a9, (uint16_t)i, 0, num_interfaces};

		(void)snprintf(busid, sizeof(busid), "%031u", i);
		peer_send_device(&a->peer, &d);
		for (unsigned k = 0; k < num_interfaces; k++)
			peer_send(&a->peer, (uint8_t[4]){(uint8_t)k, (uint8_t)i, 1, 0}, 4);
	}
}

static void test_empty(void **state)
{
	struct asking a;

	(void)state;
	start_asked(&a);
	send_many(&a, 0, 0);
	a.peer.closing = true;
	run(&a);
	assert_int_equal(a.result, 1);
	assert_int_equal(a.list.total, 0);
	stop(&a);
}

static void test_most(void **state)
{
	struct asking a;
	char last[32];

	(void)state;
	start_asked(&a);
	send_many(&a, MAX_DEVICES, MAX_INTERFACES);
	a.peer.piece = 4001;
	run(&a);
	assert_int_equal(a.result, 1);
	assert_int_equal(a.list.total, MAX_DEVICES);
	(void)snprintf(last, sizeof(last), "%031u", MAX_DEVICES - 1);
	assert_string_equal(a.list.entries[MAX_DEVICES - 1].device.busid, last);
	for (unsigned i = 0; i < MAX_DEVICES; i++) {
		for (unsigned k = 0; k < MAX_INTERFACES; k++) {
			assert_int_equal(a.list.entries[i].interfaces[k].class, k);
			assert_int_equal(a.list.entries[i].interfaces[k].subclass, i);
		}
	}
	stop(&a);
}

static void test_too_many(void **state)
{
	struct asking a;

	(void)state;
	start_asked(&a);
	send_many(&a, MAX_DEVICES + 1, 0);
	run(&a);
	assert_int_equal(a.result, -EPROTO);
	assert_null(a.list.entries);
	stop(&a);
}

/* A server that closed before it was asked. */
static void test_gone(void **state)
{
	struct asking a;

	(void)state;
	start(&a);
	peer_close(&a.peer);
	run(&a);
	assert_int_equal(a.result, -EPIPE);
	assert_string_equal(a.why, strerror(EPIPE));
	stop(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden),
		cmocka_unit_test(test_split_at_every_byte),
		cmocka_unit_test(test_close_at_every_byte),
		cmocka_unit_test(test_silence_at_every_byte),
		cmocka_unit_test(test_changes),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_most),
		cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
