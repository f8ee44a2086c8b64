/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/pipebench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include <linux/usb/ch9.h>

#include "bridge/log.h"

static void on_failed(void *user, const char *reason)
{
	struct pipebench *p = user;

	assert_non_null(reason);
	p->failed++;
}

/* As the relay does. */
static void on_stirred(void *user, struct pipe *pipe)
{
	struct pipebench *p = user;

	assert_ptr_equal(pipe, &p->out);
	p->stirred++;
	pipe_kick(&p->in);
	pipe_kick(&p->out);
}

static void on_shut_down(void *user)
{
	pipebench_stop(user);
}

static const struct pipe_callbacks callbacks = {
	.failed = on_failed,
	.stirred = on_stirred,
	.shut_down = on_shut_down,
};

static void check(const struct pipe *p)
{
	unsigned urbs = 0, asked = 0;

	assert_true(p->send - p->tail <= p->num_slots && p->head - p->send <= p->num_slots &&
		p->head - p->tail <= p->num_slots);
	for (unsigned i = 0; i < p->num_slots; i++) {
		urbs += p->slots[i].urb.seqnum != 0;
		asked += p->slots[i].state != SLOT_FREE;
		if (p->slots[i].state == SLOT_FREE || p->slots[i].state == SLOT_COME)
			assert_true(!p->slots[i].urb.seqnum && !p->slots[i].aio_out);
	}
	assert_int_equal(p->urbs_out, urbs + (p->clear.seqnum != 0));
	assert_int_equal(p->head - p->tail, asked);
	assert_int_equal(pipe_idle(p), !p->urbs_out && !asked);
}

static void flush(void *user)
{
	struct pipebench *p = user;

	check(&p->in);
	check(&p->out);
	pipe_flush(&p->in);
	pipe_flush(&p->out);
	ffs_flush(p->bench.ffs);
	client_flush(p->bench.client);
}

void pipebench_open(struct pipebench *p, const struct pipebench_options *o)
{
	uint32_t max_packet = o->max_packet ? o->max_packet : 512;
	struct pipe_options options = {
		.framing = &p->framing,
		.attributes = USB_ENDPOINT_XFER_BULK,
		.max_packet = (uint16_t)max_packet,
		.high_speed = max_packet == 512,
		.num_slots = o->slots ? o->slots : PIPEBENCH_SLOTS,
		.max_request = o->framing == FRAMING_GENERIC ? max_packet
			: o->max_request		     ? o->max_request
							     : PIPEBENCH_REQUEST,
		.callbacks = &callbacks,
		.user = p,
	};

	memset(p, 0, sizeof(*p));
	log_set_level(LOG_EMERG);
	bench_open(&p->bench, 4 * options.num_slots, o->dwc2, flush, p);
	/* The numbers are others at either end. */
	p->camera_in = bench_add(&p->bench, 0x83, 0x81, max_packet);
	p->camera_out = bench_add(&p->bench, 0x02, 0x01, max_packet);
	for (unsigned i = 0; o->phone_packet && i < 2; i++)
		p->bench.ffs->endpoints[i].max_packet = o->phone_packet;
	framing_init(&p->framing, o->framing);
	options.client = p->bench.client;
	options.ffs = p->bench.ffs;
	options.at = PIPE_IN;
	options.address = 0x83;
	assert_int_equal(pipe_init(&p->in, &options), 0);
	options.at = PIPE_OUT;
	options.address = 0x02;
	assert_int_equal(pipe_init(&p->out, &options), 0);
	fake_ffs_enable(p->bench.ffs);
}

void pipebench_close(struct pipebench *p)
{
	check(&p->in);
	check(&p->out);
	bench_close(&p->bench);
	pipe_fini(&p->in);
	pipe_fini(&p->out);
}

void pipebench_start(struct pipebench *p)
{
	pipe_start(&p->in);
	pipe_start(&p->out);
}

void pipebench_stop(struct pipebench *p)
{
	pipe_stop(&p->in);
	pipe_stop(&p->out);
}

void pipebench_put(struct pipebench *p, uint32_t size, uint32_t id)
{
	uint8_t packet[512];

	bench_fill(packet, size, id);
	camera_put(p->camera_in, packet, size);
}

void pipebench_expect(struct pipebench *p, uint32_t size, uint32_t id)
{
	uint8_t packet[512];

	bench_fill(packet, size, id);
	bench_expect(&p->bench, PIPE_IN, packet, size);
}

enum fake_handshake pipebench_send(struct pipebench *p, uint32_t size, uint32_t id)
{
	uint8_t packet[512];

	bench_fill(packet, size, id);
	return fake_ffs_send(p->bench.ffs, PIPE_OUT, packet, size);
}

void pipebench_exchange(struct pipebench *p, uint32_t id)
{
	uint8_t packet[20];
	unsigned at = p->camera_out->num;

	bench_container(packet, 20, 1, 20, id);
	assert_int_equal(bench_send(&p->bench, PIPE_OUT, packet, 20), FAKE_ACK);
	bench_expect_camera(&p->bench, p->camera_out, at, packet, 20);
	assert_int_equal(p->camera_out->num, at + 1);
	bench_container(packet, 20, 3, 20, id + 1);
	camera_put(p->camera_in, packet, 20);
	bench_expect(&p->bench, PIPE_IN, packet, 20);
}
