/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tap: what readers are sent of a session's URBs. The records' layout is written down here a second
 * time, from struct mon_bin_hdr of Documentation/usb/usbmon.rst. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "bridge/tap.h"
#include "tests/unit/samples.h"
#include "tests/unit/session.h"

#define HEADER 64

struct record {
	uint8_t bytes[HEADER + TAP_MAX_DATA];
	ssize_t size;
};

/* A reader of `t`; its end. */
static int add_reader(struct tap *t, struct tap_reader **reader)
{
	int ends[2];
	struct tap_reader *added;

	assert_int_equal(
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
	added = tap_add(t, ends[0]);
	if (reader)
		*reader = added;
	/* The first message says that nothing is missing. */
	if (added) {
		uint32_t lost = 1;

		assert_int_equal(recv(ends[1], &lost, sizeof(lost), 0), sizeof(lost));
		assert_int_equal(lost, 0);
	}
	return ends[1];
}

static bool take(int fd, struct record *r)
{
	r->size = recv(fd, r->bytes, sizeof(r->bytes), MSG_DONTWAIT);
	return r->size > 0;
}

static uint64_t field(const struct record *r, size_t at, size_t size)
{
	uint64_t value = 0;

	memcpy(&value, r->bytes + at, size); /* this machine is little-endian */
	return value;
}

/* "S 82 bulk 3/7 status length captured [setup]" and the data's size; id and time are left out. */
static void print_record(char *out, size_t size, const struct record *r)
{
	static const char *const types[] = {"isoc", "intr", "ctrl", "bulk"};
	int used;

	assert_true(r->size >= HEADER);
	assert_int_equal(r->size, HEADER + field(r, 36, 4));
	used = snprintf(out, size, "%c %02x %s %u/%u %d %u %u %c", r->bytes[8], r->bytes[10],
		types[r->bytes[9] & 3], (unsigned)field(r, 12, 2), r->bytes[11],
		(int)field(r, 28, 4), (unsigned)field(r, 32, 4), (unsigned)field(r, 36, 4),
		r->bytes[15] ? r->bytes[15] : '=');
	if (!r->bytes[14]) {
		for (size_t i = 0; i < 8; i++)
			used += snprintf(out + used, size - (size_t)used, "%s%02x", i ? "" : " ",
				r->bytes[40 + i]);
	}
	(void)snprintf(out + used, size - (size_t)used, "\n");
}

static void assert_records(int fd, const char *wanted)
{
	static struct record r;
	char all[2048] = "";

	while (take(fd, &r))
		print_record(all + strlen(all), sizeof(all) - strlen(all), &r);
	assert_string_equal(all, wanted);
}

/* ---- a session's URBs ---- */

static void submit(struct session *s, enum session_kind kind)
{
	assert_int_equal(session_submit(s, kind), 0);
	session_run(s);
	session_serve(s);
}

static void answer(struct session *s, enum session_kind kind, int status, uint32_t actual)
{
	uint8_t *payload = session_payload(kind);
	bool in = s->urbs[kind].urb.endpoint & 0x80 || kind == GET;

	peer_send_ret_submit(&s->peer, s->urbs[kind].seqnum, status, in ? payload : NULL, actual);
	free(payload);
	session_run(s);
}

static void test_session(void **state)
{
	struct tap tap = {0};
	struct session s;
	int fd;

	(void)state;
	session_open(&s);
	client_set_tap(s.client, &tap);
	/* Nobody reads yet. */
	submit(&s, IN_A);
	fd = add_reader(&tap, NULL);
	answer(&s, IN_A, 0, 512);
	assert_records(fd, "C 81 bulk 3/7 0 512 512 =\n");
	submit(&s, IN_A);
	answer(&s, IN_A, -121, 13);
	assert_records(fd,
		"S 81 bulk 3/7 -115 512 0 <\n"
		"C 81 bulk 3/7 -121 13 13 =\n");
	submit(&s, OUT_A);
	answer(&s, OUT_A, -32, 5);
	assert_records(fd,
		"S 02 bulk 3/7 -115 31 31 =\n"
		"C 02 bulk 3/7 -32 5 0 >\n");
	submit(&s, INTR);
	answer(&s, INTR, 0, 8);
	assert_records(fd,
		"S 83 intr 3/7 -115 8 0 <\n"
		"C 83 intr 3/7 0 8 8 =\n");
	submit(&s, GET);
	answer(&s, GET, 0, 18);
	submit(&s, SET);
	answer(&s, SET, 0, 7);
	submit(&s, SET_0);
	answer(&s, SET_0, 0, 0);
	assert_records(fd,
		"S 80 ctrl 3/7 -115 18 0 < 8006000100001200\n"
		"C 80 ctrl 3/7 0 18 18 =\n"
		"S 00 ctrl 3/7 -115 7 7 = 2122010203040700\n"
		"C 00 ctrl 3/7 0 7 0 >\n"
		"S 00 ctrl 3/7 -115 0 0 = 0009010000000000\n"
		"C 00 ctrl 3/7 0 0 0 >\n");
	/* Given up; and what the end of the session takes. */
	submit(&s, IN_A);
	client_unlink(s.client, &s.urbs[IN_A].urb);
	session_run(&s);
	session_serve(&s);
	peer_send_ret_unlink(&s.peer, s.urbs[IN_A].unlink_seqnum, -104);
	session_run(&s);
	submit(&s, IN_B);
	peer_close(&s.peer);
	session_run(&s);
	client_abandon(s.client);
	assert_records(fd,
		"S 81 bulk 3/7 -115 512 0 <\n"
		"C 81 bulk 3/7 -104 0 0 =\n"
		"S 81 bulk 3/7 -115 512 0 <\n"
		"C 81 bulk 3/7 -107 0 0 =\n");
	session_fini(&s);
	tap_fini(&tap);
	close(fd);
}

/* What print_record leaves out: ids, times, data. */
static void test_bytes(void **state)
{
	static struct record sent, done;
	struct tap tap = {0};
	struct session s;
	time_t now = time(NULL);
	int fd = add_reader(&tap, NULL);

	(void)state;
	session_open(&s);
	client_set_tap(s.client, &tap);
	submit(&s, IN_A);
	answer(&s, IN_A, 0, 512);
	assert_true(take(fd, &sent) && take(fd, &done));
	assert_int_not_equal(field(&sent, 0, 8), 0);
	assert_int_equal(field(&done, 0, 8), field(&sent, 0, 8));
	assert_in_range(field(&done, 16, 8), (uint64_t)now, (uint64_t)now + 60);
	assert_in_range(field(&done, 24, 4), 0, 999999);
	for (uint32_t i = 0; i < 512; i++)
		assert_int_equal(done.bytes[HEADER + i], session_byte(IN_A, i));
	submit(&s, INTR);
	assert_true(take(fd, &sent));
	assert_int_not_equal(field(&sent, 0, 8), field(&done, 0, 8));
	assert_int_equal(field(&sent, 48, 4), 64); /* the interval */
	submit(&s, OUT_ZLP);
	assert_true(take(fd, &sent));
	assert_int_equal(field(&sent, 56, 4), 0x40);  /* URB_ZERO_PACKET */
	assert_int_equal(field(&done, 56, 4), 0x200); /* URB_DIR_IN */
	for (uint32_t i = 0; i < 512; i++)
		assert_int_equal(sent.bytes[HEADER + i], session_byte(OUT_ZLP, i));
	session_fini(&s);
	tap_fini(&tap);
	close(fd);
}

/* ---- readers ---- */

static const uint8_t data[TAP_MAX_DATA + 1] = {1, 2, 3};

static const struct tap_event bulk_in = {
	.type = URB_COMPLETE, .seqnum = 5, .endpoint = 0x81, .data = data, .length = 16384};

/* One that does not read loses records, and is told how many before it is sent the next. */
static void test_slow(void **state)
{
	static struct record r;
	struct tap tap = {0};
	int fd = add_reader(&tap, NULL), other = add_reader(&tap, NULL);
	unsigned put = 2000, taken = 0;

	(void)state;
	for (unsigned i = 0; i < put; i++) {
		tap_put(&tap, &bulk_in);
		assert_true(take(other, &r));
	}
	while (take(fd, &r)) {
		assert_int_equal(r.size, HEADER + 16384);
		taken++;
	}
	assert_in_range(taken, 1, put - 1);
	tap_put(&tap, &bulk_in);
	assert_true(take(fd, &r));
	assert_int_equal(r.size, 4);
	assert_int_equal(field(&r, 0, 4), put - taken);
	assert_true(take(fd, &r));
	assert_int_equal(r.size, HEADER + 16384);
	assert_false(take(fd, &r));
	/* Who has read all is told of no loss. */
	assert_true(take(other, &r));
	assert_false(take(other, &r));
	tap_fini(&tap);
	close(fd);
	close(other);
}

static void test_long(void **state)
{
	static struct record r;
	struct tap_event event = bulk_in;
	struct tap tap = {0};
	int fd = add_reader(&tap, NULL);

	(void)state;
	event.length = TAP_MAX_DATA + 1;
	tap_put(&tap, &event);
	assert_true(take(fd, &r));
	assert_int_equal(r.size, TAP_MAX_MESSAGE);
	assert_int_equal(field(&r, 32, 4), TAP_MAX_DATA + 1);
	assert_int_equal(field(&r, 36, 4), TAP_MAX_DATA);
	tap_fini(&tap);
	close(fd);
}

static void test_come_and_go(void **state)
{
	static struct record r;
	struct tap tap = {0};
	struct tap_reader *reader;
	int first = add_reader(&tap, NULL), second = add_reader(&tap, NULL), third;

	(void)state;
	assert_int_equal(tap.num_readers, 2);
	third = add_reader(&tap, &reader);
	assert_null(reader);
	assert_int_equal(recv(third, r.bytes, 1, MSG_DONTWAIT), 0);
	close(third);
	/* Found out when something passes. */
	close(first);
	tap_put(&tap, &bulk_in);
	assert_int_equal(tap.num_readers, 1);
	assert_true(take(second, &r));
	/* Found out when another comes, also of one that has not read all. */
	first = add_reader(&tap, NULL);
	tap_put(&tap, &bulk_in);
	assert_true(take(first, &r));
	close(second);
	second = add_reader(&tap, &reader);
	assert_non_null(reader);
	assert_int_equal(tap.num_readers, 2);
	tap_put(&tap, &bulk_in);
	assert_true(take(first, &r) && take(second, &r));
	tap_fini(&tap);
	assert_int_equal(recv(first, r.bytes, 1, MSG_DONTWAIT), 0);
	close(first);
	close(second);
}

/* The descriptors as the camera gave them, for the new reader alone. */
static void test_camera(void **state)
{
	const struct sample *sample = &samples[SAMPLE_PTP];
	static struct usb_profile profile;
	static struct record r;
	struct tap tap = {0};
	struct tap_reader *reader;
	int other = add_reader(&tap, NULL), fd = add_reader(&tap, &reader);
	char line[128];

	(void)state;
	assert_int_equal(sample_profile(&profile, sample, sample->config, sample->config_size), 0);
	tap_show_camera(&tap, reader, 3 << 16 | 7, &profile);
	assert_false(take(other, &r));
	assert_true(take(fd, &r));
	print_record(line, sizeof(line), &r);
	assert_string_equal(line, "S 80 ctrl 3/7 -115 18 0 < 8006000100001200\n");
	assert_true(take(fd, &r));
	print_record(line, sizeof(line), &r);
	assert_string_equal(line, "C 80 ctrl 3/7 0 18 18 =\n");
	assert_memory_equal(r.bytes + HEADER, sample->device, 18);
	assert_true(take(fd, &r) && r.bytes[8] == 'S');
	assert_int_equal(field(&r, 42, 2), 0x0200);
	assert_int_equal(field(&r, 46, 2), sample->config_size);
	assert_true(take(fd, &r) && r.bytes[8] == 'C');
	assert_int_equal(r.size, HEADER + sample->config_size);
	assert_memory_equal(r.bytes + HEADER, sample->config, sample->config_size);
	assert_false(take(fd, &r));
	/* One that has left at once. */
	close(fd);
	tap_show_camera(&tap, reader, 3 << 16 | 7, &profile);
	assert_int_equal(tap.num_readers, 1);
	tap_fini(&tap);
	close(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_session),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_slow),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_come_and_go),
		cmocka_unit_test(test_camera),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
