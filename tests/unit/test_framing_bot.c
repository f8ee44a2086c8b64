/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * framing of mass storage: named cases, and by property: random commands, of which the disk may end
 * the data before its time, or halt.
 *
 * What is held: the camera is asked for nothing before it has taken all that the phone sent, for
 * nothing that a whole transfer will not bring, and for all of it; the phone's requests end where
 * its transfers do.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "bridge/framing.h"
#include "tests/unit/quick.h"

#define OUT FRAMING_OUT
#define IN FRAMING_IN
#define SLOTS 16
#define CBW 31
#define CSW 13

/* Requests that are out in one direction; packets fill the first. */
struct queue {
	uint32_t size[SLOTS], n, filled;
};

struct disk {
	struct framing f;
	uint32_t packet;
	struct queue q[2];
	unsigned untaken;
	uint64_t random; /* xorshift64 */
};

static uint32_t roll(struct disk *d, uint32_t n)
{
	d->random ^= d->random << 13;
	d->random ^= d->random >> 7;
	d->random ^= d->random << 17;
	return (uint32_t)(d->random >> 33) % n;
}

static void open_disk(struct disk *d, uint32_t packet, uint64_t seed)
{
	memset(d, 0, sizeof(*d));
	d->packet = packet;
	d->random = seed * 0x9e3779b97f4a7c15u + 1;
	framing_init(&d->f, FRAMING_BOT);
	framing_stream_init(&d->f, OUT, packet, 16384);
	framing_stream_init(&d->f, IN, packet, 32768);
	framing_begin(&d->f, OUT);
	framing_begin(&d->f, IN);
}

static uint64_t out_of(const struct disk *d, enum framing_dir dir)
{
	uint64_t bytes = 0;

	for (uint32_t i = 0; i < d->q[dir].n; i++)
		bytes += d->q[dir].size[i];
	return bytes;
}

/* Posts what may be posted; the bytes that are out then. */
static uint64_t post(struct disk *d, enum framing_dir dir)
{
	struct queue *q = &d->q[dir];

	while (q->n < SLOTS) {
		uint32_t size = framing_next(&d->f, dir);

		if (!size)
			break;
		assert_true(dir == IN || size % d->packet == 0);
		q->size[q->n++] = size;
	}
	return out_of(d, dir);
}

static void shift(struct queue *q)
{
	q->n--;
	memmove(q->size, q->size + 1, q->n * sizeof(q->size[0]));
	q->filled = 0;
}

/* One packet arrives. True: it completed a request. */
static bool arrive(struct disk *d, enum framing_dir dir, const uint8_t *data, uint32_t size)
{
	struct queue *q = &d->q[dir];
	uint32_t asked, got;

	post(d, dir);
	assert_true(q->n);
	asked = q->size[0];
	assert_true(q->filled + size <= asked);
	q->filled += size;
	if (size == d->packet && q->filled < asked)
		return false;
	got = q->filled;
	shift(q);
	/* Bytes are looked at only where a command may stand, in a packet of its own. */
	framing_done(&d->f, dir, asked, got == size ? data : (const uint8_t[CBW]){0}, got);
	d->untaken += dir == OUT;
	return true;
}

static void take(struct disk *d)
{
	for (; d->untaken; d->untaken--)
		framing_taken(&d->f);
}

/* Until they are taken nothing is asked for. */
static void take_slowly(struct disk *d)
{
	while (d->untaken) {
		assert_int_equal(post(d, IN), out_of(d, IN));
		assert_int_equal(framing_next(&d->f, IN), 0);
		framing_taken(&d->f);
		d->untaken--;
	}
}

static void cancel(struct disk *d, enum framing_dir dir)
{
	struct queue *q = &d->q[dir];

	assert_int_equal(q->filled, 0);
	while (q->n) {
		framing_cancelled(&d->f, dir, q->size[0]);
		shift(q);
	}
}

static void command(struct disk *d, bool in, uint32_t length)
{
	uint8_t cbw[CBW] = {'U', 'S', 'B', 'C', 1, 2, 3, 4, (uint8_t)length, (uint8_t)(length >> 8),
		(uint8_t)(length >> 16), (uint8_t)(length >> 24), in ? 0x80 : 0, 0, 6};

	assert_true(arrive(d, OUT, cbw, CBW));
}

/* `size` bytes in packets. Whether the last of them completed a request. */
static bool move(struct disk *d, enum framing_dir dir, uint32_t size)
{
	static const uint8_t zeroes[1024];
	bool done = true;

	for (uint32_t at = 0; at < size; at += d->packet) {
		uint32_t n = size - at < d->packet ? size - at : d->packet;

		done = arrive(d, dir, zeroes, n);
	}
	return done;
}

/* All that the command said, or less, which ends with a short packet. */
static void transfer(struct disk *d, enum framing_dir dir, uint32_t size, bool all)
{
	bool done = move(d, dir, size);

	if (!all && size % d->packet == 0)
		done = arrive(d, dir, NULL, 0);
	assert_true(done);
}

static void status(struct disk *d)
{
	static const uint8_t csw[CSW] = {'U', 'S', 'B', 'S', 1, 2, 3, 4};

	assert_true(arrive(d, IN, csw, CSW));
}

/* Between commands the camera is asked for nothing. */
static void rests(struct disk *d)
{
	assert_int_equal(post(d, IN), 0);
	assert_false(framing_is_surplus(&d->f));
	assert_true(post(d, OUT) >= d->packet);
}

/* ---- named cases ---- */

static void test_no_data(void **state)
{
	struct disk d;

	(void)state;
	open_disk(&d, 512, 1);
	rests(&d);
	command(&d, false, 0);
	take_slowly(&d);
	assert_int_equal(post(&d, IN), CSW);
	status(&d);
	rests(&d);
}

/* A failed command's status comes where its data was to: nothing more does. Data that only looks
 * like it is data. */
static void test_status_instead_of_data(void **state)
{
	static const uint8_t other[CSW] = {'U', 'S', 'B', 'S', 1, 2, 3, 5};
	struct disk d;

	(void)state;
	open_disk(&d, 512, 1);
	command(&d, true, 4096);
	take(&d);
	assert_int_equal(post(&d, IN), 4096);
	status(&d);
	rests(&d);
	command(&d, true, 4096);
	take(&d);
	assert_true(arrive(&d, IN, other, CSW));
	assert_false(framing_is_surplus(&d.f));
	status(&d);
	rests(&d);
}

static void test_short_over_several_requests(void **state)
{
	struct disk d;

	(void)state;
	open_disk(&d, 512, 1);
	command(&d, true, 200000);
	take(&d);
	assert_int_equal(post(&d, IN), 200000);
	transfer(&d, IN, 700, false);
	assert_false(framing_is_surplus(&d.f));
	status(&d);
	assert_true(framing_is_surplus(&d.f));
	cancel(&d, IN);
	rests(&d);
}

static void test_in_halts(void **state)
{
	struct disk d;

	(void)state;
	open_disk(&d, 512, 1);
	command(&d, true, 65536);
	take(&d);
	post(&d, IN);
	cancel(&d, IN);
	framing_restart(&d.f, IN);
	assert_int_equal(post(&d, IN), CSW);
	/* The status itself halts, once. */
	cancel(&d, IN);
	framing_restart(&d.f, IN);
	assert_int_equal(post(&d, IN), CSW);
	status(&d);
	rests(&d);
}

static void test_out_fails(void **state)
{
	struct disk d;

	(void)state;
	open_disk(&d, 512, 1);
	command(&d, false, 3 * 16384);
	take(&d);
	assert_true(framing_has_status(&d.f));
	assert_true(framing_is_sending(&d.f));
	move(&d, OUT, 2 * 16384);
	assert_true(framing_is_sending(&d.f));
	assert_int_equal(post(&d, IN), 0);
	assert_true(move(&d, OUT, 16384));
	assert_false(framing_is_sending(&d.f));
	take_slowly(&d);
	assert_int_equal(post(&d, IN), CSW);
	status(&d);
	rests(&d);
}

/* What is no command is carried packet by packet, both ways, until one comes. */
static void test_garbage(void **state)
{
	static const uint8_t garbage[512] = {'U', 'S', 'B', 'C'};
	static const uint32_t sizes[] = {1, 30, 31, 32, 512};
	struct disk d;

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		uint8_t data[512] = {0};

		open_disk(&d, 512, 1);
		memcpy(data, garbage, sizes[i] == 31 ? 3 : sizes[i]);
		assert_true(arrive(&d, OUT, data, sizes[i]));
		assert_true(d.f.stream[IN].lost);
		assert_int_equal(post(&d, IN), SLOTS * 512);
		assert_false(framing_has_status(&d.f));
		assert_false(framing_is_surplus(&d.f));
		command(&d, true, 512);
		assert_false(d.f.stream[IN].lost);
		take(&d);
		transfer(&d, IN, 512, true);
		status(&d);
		assert_true(framing_is_surplus(&d.f));
		cancel(&d, IN);
		rests(&d);
	}
	open_disk(&d, 512, 1);
	assert_true(arrive(&d, OUT, garbage, 0));
	take(&d);
	rests(&d);
	/* Configured anew, or reset. */
	assert_true(arrive(&d, OUT, garbage, 512));
	assert_true(d.f.stream[IN].lost);
	framing_begin(&d.f, OUT);
	framing_begin(&d.f, IN);
	take(&d);
	rests(&d);
}

/* The phone has given up, and begins again: with any phase open. */
static void test_command_anywhere(void **state)
{
	struct disk d;

	(void)state;
	open_disk(&d, 512, 1);
	command(&d, true, 0xffffffff);
	command(&d, false, 0);
	command(&d, true, 1024);
	take(&d);
	assert_int_equal(post(&d, IN), 1024);
	framing_begin(&d.f, OUT);
	assert_true(framing_is_surplus(&d.f));
	cancel(&d, IN);
	rests(&d);
	/* IN that settles late takes nothing away from a command that came meanwhile. */
	command(&d, true, 1024);
	framing_begin(&d.f, IN);
	take(&d);
	assert_int_equal(post(&d, IN), 1024);
}

static void test_small_packets(void **state)
{
	struct disk d;

	(void)state;
	open_disk(&d, 16, 1);
	assert_int_equal(post(&d, IN), SLOTS * 16); /* generic */
	/* in one direction only: each tells the other what is due */
	framing_init(&d.f, FRAMING_BOT);
	framing_stream_init(&d.f, OUT, 64, 4096);
	framing_stream_init(&d.f, IN, 16, 4096);
	assert_int_equal(framing_next(&d.f, OUT), 64);
	assert_int_equal(framing_next(&d.f, IN), 16);
	assert_false(framing_is_surplus(&d.f));
	open_disk(&d, 32, 1);
	rests(&d);
}

/* ---- by property ---- */

static uint32_t any_length(struct disk *d)
{
	static const uint32_t near[] = {1, 8, 13, 18, 31, 36, 192, 512, 1024, 4096, 32768, 65536};

	switch (roll(d, 3)) {
	case 0:
		return near[roll(d, sizeof(near) / sizeof(near[0]))];
	case 1:
		return (1 + roll(d, 240)) * 512;
	default:
		return 1 + roll(d, 150000);
	}
}

static void read_any(struct disk *d)
{
	uint32_t length = any_length(d);
	uint32_t size = roll(d, 4) ? length : roll(d, length);
	bool halts = size < length && roll(d, 2);

	command(d, true, length);
	take_slowly(d);
	assert_int_equal(post(d, IN), length);
	if (halts) {
		move(d, IN, size - size % d->packet);
		d->q[IN].filled = 0;
		cancel(d, IN);
		framing_restart(&d->f, IN);
		assert_int_equal(post(d, IN), CSW);
	} else {
		transfer(d, IN, size, size == length);
	}
}

static void write_any(struct disk *d)
{
	uint32_t length = any_length(d);

	command(d, false, length);
	if (roll(d, 2))
		take_slowly(d);
	transfer(d, OUT, length, true);
	take_slowly(d);
	assert_int_equal(post(d, IN), CSW);
}

static void test_any(void **state)
{
	static const uint32_t packets[] = {32, 64, 512, 1024};

	(void)state;
	for (unsigned run = 0; run < quick_part(2000, 100); run++) {
		struct disk d;

		open_disk(&d, packets[run % 4], run + 1);
		for (unsigned i = 0; i < 20; i++) {
			uint32_t kind = roll(&d, 5);

			if (kind < 2)
				read_any(&d);
			else if (kind < 4)
				write_any(&d);
			else
				command(&d, roll(&d, 2), 0), take_slowly(&d);
			status(&d);
			if (framing_is_surplus(&d.f))
				cancel(&d, IN);
			rests(&d);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_data),
		cmocka_unit_test(test_status_instead_of_data),
		cmocka_unit_test(test_short_over_several_requests),
		cmocka_unit_test(test_in_halts),
		cmocka_unit_test(test_out_fails),
		cmocka_unit_test(test_garbage),
		cmocka_unit_test(test_command_anywhere),
		cmocka_unit_test(test_small_packets),
		cmocka_unit_test(test_any),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
