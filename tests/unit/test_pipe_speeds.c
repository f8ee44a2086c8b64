/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pipe between a camera and a phone that run at different speeds, so with packets of different
 * sizes: each sees transfers of the other's bytes that end where the other's do.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <linux/usb/ch9.h>

#include "tests/unit/pipebench.h"
#include "tests/unit/quick.h"

static const struct sizes {
	const char *name;
	uint32_t camera, phone;
} pairs[] = {
	{"super at high", 1024, 512},
	{"high at full", 512, 64},
	{"super at full", 1024, 64},
};

/* Around the packets' ends, and beyond a request's. */
static const uint32_t lengths[] = {1, 12, 31, 63, 64, 65, 128, 511, 512, 513, 576, 960, 1023, 1024,
	1025, 1088, 1536, 1600, 2048, 3000, 3072, 16384, 16384 + 64, 16384 + 512, 50000, 65536};

#define NUM_LENGTHS (sizeof(lengths) / sizeof(lengths[0]))
/* Of them, each with and without a zero-length packet; an odd number, so that both come. */
#define STEP quick_step(9)

struct rig {
	struct pipebench p;
	const struct sizes *sizes;
	unsigned at_camera; /* packets that have come */
};

static void open_rig(struct rig *r, const struct sizes *sizes, enum framing_kind framing)
{
	memset(r, 0, sizeof(*r));
	r->sizes = sizes;
	pipebench_open(&r->p,
		&(struct pipebench_options){.framing = framing,
			.max_packet = sizes->camera,
			.phone_packet = sizes->phone});
	pipebench_start(&r->p);
	bench_settle(&r->p.bench);
}

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* The phone sends it in its packets, and a zero-length one if it wants. */
static void phone_sends(struct rig *r, const uint8_t *data, uint32_t size, bool zero)
{
	for (uint32_t at = 0; at < size || (at == size && zero); at += r->sizes->phone)
		assert_int_equal(bench_send(&r->p.bench, PIPE_OUT, data + at,
					 least(size - at, r->sizes->phone)),
			FAKE_ACK);
	bench_settle(&r->p.bench);
}

static void camera_has(struct rig *r, const uint8_t *data, uint32_t size, bool zero)
{
	for (uint32_t at = 0; at < size || (at == size && zero); at += r->sizes->camera)
		bench_expect_camera(&r->p.bench, r->p.camera_out, r->at_camera++, data + at,
			least(size - at, r->sizes->camera));
	assert_int_equal(r->p.camera_out->num, r->at_camera);
}

static void camera_sends(struct rig *r, const uint8_t *data, uint32_t size, bool zero)
{
	for (uint32_t at = 0; at < size || (at == size && zero); at += r->sizes->camera)
		camera_put(r->p.camera_in, data + at, least(size - at, r->sizes->camera));
}

static void phone_has(struct rig *r, const uint8_t *data, uint32_t size, bool zero)
{
	uint8_t none[1024];
	size_t got;

	for (uint32_t at = 0; at < size || (at == size && zero); at += r->sizes->phone)
		bench_expect(&r->p.bench, PIPE_IN, data + at, least(size - at, r->sizes->phone));
	assert_int_equal(bench_receive(&r->p.bench, PIPE_IN, none, &got), FAKE_NAK);
}

/* Time passes: what waits for more is sent. */
static void wait_for_more(struct rig *r)
{
	pipe_age_gathered(&r->p.out);
	bench_settle(&r->p.bench);
	assert_int_equal(r->p.camera_out->num, r->at_camera);
	pipe_age_gathered(&r->p.out);
	bench_settle(&r->p.bench);
}

/* A whole packet of the camera's that ends without a short one is not known to be an end. */
static void test_out_generic(void **state)
{
	const struct sizes *s = *state;

	for (unsigned i = 0; i < 2 * NUM_LENGTHS; i += STEP) {
		uint32_t size = lengths[i / 2];
		bool zero = i % 2 && size % s->phone == 0;
		bool waits = !zero && size % s->phone == 0 && size % s->camera;
		uint8_t *data = malloc(size);
		struct rig r;

		open_rig(&r, s, FRAMING_GENERIC);
		for (uint32_t round = 0; round < 3; round++) {
			bench_fill(data, size, i + round);
			phone_sends(&r, data, size, zero);
			if (waits) {
				r.at_camera += size / s->camera;
				assert_true(pipe_is_gathering(&r.p.out));
				wait_for_more(&r);
				r.at_camera -= size / s->camera;
			}
			assert_false(pipe_is_gathering(&r.p.out));
			camera_has(&r, data, size, zero && size % s->camera == 0);
		}
		pipebench_close(&r.p);
		free(data);
	}
}

static void test_in_generic(void **state)
{
	const struct sizes *s = *state;

	for (unsigned i = 0; i < 2 * NUM_LENGTHS; i += STEP) {
		uint32_t size = lengths[i / 2];
		bool zero = i % 2 && size % s->camera == 0;
		bool is_short = zero || size % s->camera;
		uint8_t *data = malloc(size);
		struct rig r;

		open_rig(&r, s, FRAMING_GENERIC);
		for (uint32_t round = 0; round < 3; round++) {
			bench_fill(data, size, i + round);
			camera_sends(&r, data, size, zero);
			phone_has(&r, data, size, is_short && size % s->phone == 0);
		}
		pipebench_close(&r.p);
		free(data);
	}
}

/* Of a container the end is known, with or without a zero-length packet, in either direction. */
static void test_ptp(void **state)
{
	const struct sizes *s = *state;

	for (unsigned i = 0; i < 2 * NUM_LENGTHS; i += STEP) {
		uint32_t size = least(lengths[i / 2] + 12, 66000);
		bool out_zero = i % 2 && size % s->phone == 0;
		bool in_zero = i % 2 && size % s->camera == 0;
		uint8_t *data = malloc(size), command[12], response[12];
		struct rig r;

		open_rig(&r, s, FRAMING_PTP);
		for (uint32_t round = 0; round < 3; round++) {
			bench_container(command, 12, 1, 12, round);
			bench_container(response, 12, 3, 12, round);
			bench_container(data, size, 2, size, i + round);
			phone_sends(&r, command, 12, false);
			camera_has(&r, command, 12, false);
			phone_sends(&r, data, size, out_zero);
			assert_false(pipe_is_gathering(&r.p.out));
			camera_has(&r, data, size, out_zero && size % s->camera == 0);
			camera_sends(&r, data, size, in_zero);
			phone_has(&r, data, size,
				(in_zero || size % s->camera) && size % s->phone == 0);
			camera_sends(&r, response, 12, false);
			phone_has(&r, response, 12, false);
		}
		pipebench_close(&r.p);
		free(data);
	}
}

/* A disk: neither side ends its data with a zero-length packet when all of it has come. */
static void test_bot(void **state)
{
	const struct sizes *s = *state;

	for (unsigned i = 0; i < 2 * NUM_LENGTHS; i += STEP) {
		uint32_t size = lengths[i / 2] * (lengths[i / 2] < 40 ? 512 : 1);
		bool in = i % 2;
		uint8_t *data = malloc(size), status[13] = {'U', 'S', 'B', 'S', 1};
		uint8_t command[31] = {'U', 'S', 'B', 'C', 1, 0, 0, 0, (uint8_t)size,
			(uint8_t)(size >> 8), (uint8_t)(size >> 16), 0, in ? 0x80 : 0};
		struct rig r;

		open_rig(&r, s, FRAMING_BOT);
		r.p.camera_in->exact = true;
		for (uint32_t round = 0; round < 3; round++) {
			bench_fill(data, size, i + round);
			phone_sends(&r, command, 31, false);
			camera_has(&r, command, 31, false);
			if (in) {
				camera_sends(&r, data, size, false);
				phone_has(&r, data, size, false);
			} else {
				phone_sends(&r, data, size, false);
				assert_false(pipe_is_gathering(&r.p.out));
				camera_has(&r, data, size, false);
			}
			camera_sends(&r, status, 13, false);
			phone_has(&r, status, 13, false);
		}
		pipebench_close(&r.p);
		free(data);
	}
}

/* What has been gathered of a transfer goes with the phone, and with a halt. */
static void test_gathered_is_dropped(void **state)
{
	const struct sizes *s = *state;
	uint8_t packet[1024];
	struct rig r;

	open_rig(&r, s, FRAMING_GENERIC);
	bench_fill(packet, s->phone, 1);
	phone_sends(&r, packet, s->phone, false);
	assert_true(pipe_is_gathering(&r.p.out));
	fake_ffs_disable(r.p.bench.ffs);
	pipebench_stop(&r.p);
	bench_settle(&r.p.bench);
	assert_false(pipe_is_gathering(&r.p.out));
	fake_ffs_enable(r.p.bench.ffs);
	pipebench_start(&r.p);
	bench_settle(&r.p.bench);
	assert_int_equal(r.p.camera_out->num, 0);
	pipebench_exchange(&r.p, 5);
	assert_true(framing_is_taken(&r.p.framing));
	pipebench_close(&r.p);
}

/* A container that is cut short leaves requests behind whose ends are no packets' of the next one:
 * nothing of it is lost, and where it ends the camera sees an end. */
static void test_cut_short(void **state)
{
	const struct sizes *s = *state;
	const uint32_t total = 300001;
	uint8_t *data = malloc(total);

	for (uint32_t told = 20000; told < 20000 + s->camera; told += STEP * s->phone) {
		uint32_t cut = s->camera + 100, got = 0;
		struct rig r;

		open_rig(&r, s, FRAMING_PTP);
		bench_container(data, total, 2, told, told);
		phone_sends(&r, data, cut, false);
		camera_has(&r, data, cut, false);
		bench_container(data, total, 2, total, told + 1);
		phone_sends(&r, data, total, false);
		for (unsigned i = r.at_camera; i < r.p.camera_out->num; i++) {
			const struct camera_packet *packet = &r.p.camera_out->packets[i];

			assert_true(got + packet->size <= total);
			assert_memory_equal(packet->data, data + got, packet->size);
			got += packet->size;
		}
		assert_int_equal(got, total);
		r.at_camera = r.p.camera_out->num;
		bench_container(data, 20, 1, 20, told + 2);
		phone_sends(&r, data, 20, false);
		camera_has(&r, data, 20, false);
		pipebench_close(&r.p);
	}
	free(data);
}

/* The same camera, and a phone that comes back at another speed. */
static void test_other_speed(void **state)
{
	const struct sizes *s = *state;
	uint8_t data[4096];
	struct rig r;

	bench_container(data, sizeof(data), 2, sizeof(data), 3);
	open_rig(&r, s, FRAMING_PTP);
	for (unsigned round = 0; round < 4; round++) {
		struct sizes now = {"", s->camera, round % 2 ? s->camera : s->phone};

		fake_ffs_disable(r.p.bench.ffs);
		pipebench_stop(&r.p);
		bench_settle(&r.p.bench);
		for (unsigned i = 0; i < 2; i++)
			r.p.bench.ffs->endpoints[i].max_packet = now.phone;
		fake_ffs_enable(r.p.bench.ffs);
		pipebench_start(&r.p);
		bench_settle(&r.p.bench);
		r.sizes = &now;
		phone_sends(&r, data, sizeof(data), false);
		camera_has(&r, data, sizeof(data), false);
		camera_sends(&r, data, sizeof(data), true);
		phone_has(&r, data, sizeof(data), true);
	}
	pipebench_close(&r.p);
}

#define NUM_PAIRS (sizeof(pairs) / sizeof(pairs[0]))

static int run(const char *name, CMUnitTestFunction test)
{
	struct CMUnitTest tests[NUM_PAIRS];

	for (size_t i = 0; i < NUM_PAIRS; i++)
		tests[i] = (struct CMUnitTest){
			pairs[i].name, test, NULL, NULL, (void *)(uintptr_t)&pairs[i]};
	return _cmocka_run_group_tests(name, tests, NUM_PAIRS, NULL, NULL);
}

int main(void)
{
	return run("generic, to the camera", test_out_generic) +
		run("generic, to the phone", test_in_generic) + run("PTP", test_ptp) +
		run("mass storage", test_bot) + run("dropped", test_gathered_is_dropped) +
		run("cut short", test_cut_short) + run("another speed", test_other_speed);
}
