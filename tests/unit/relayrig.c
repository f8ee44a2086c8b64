/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/relayrig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include <ev.h>

#include "bridge/log.h"

static const struct usb_endpoint endpoints[RIG_ENDPOINTS] = {
	[RIG_PTP_IN] = {0x83, USB_ENDPOINT_XFER_BULK, 512, 0, 0},
	[RIG_PTP_OUT] = {0x02, USB_ENDPOINT_XFER_BULK, 512, 0, 0},
	[RIG_EVENT] = {0x81, USB_ENDPOINT_XFER_INT, 64, 7, 0},
	[RIG_VENDOR_OUT] = {0x06, USB_ENDPOINT_XFER_BULK, 512, 0, 1},
	[RIG_VENDOR_IN] = {0x84, USB_ENDPOINT_XFER_BULK, 512, 0, 1},
};

/* As dwc2 numbers them: the k-th of each direction. */
static const uint8_t phone_addresses[RIG_ENDPOINTS] = {0x81, 0x01, 0x82, 0x02, 0x83};

void relayrig_profile(struct usb_profile *p)
{
	memset(p, 0, sizeof(*p));
	p->speed = USB_SPEED_HIGH;
	p->num_logical = 2;
	p->num_interfaces = 3;
	p->interfaces[0] = (struct usb_interface){
		.number = 1, .class = 6, .subclass = 1, .protocol = 1, .num_endpoints = 3};
	p->interfaces[1] = (struct usb_interface){.number = 3,
		.logical = 1,
		.class = 255,
		.first_endpoint = RIG_VENDOR_OUT,
		.num_endpoints = 2};
	/* An alternate setting, whose endpoints are left out. */
	p->interfaces[2] = p->interfaces[0];
	p->interfaces[2].alternate = 1;
	p->interfaces[2].num_endpoints = 0;
	p->num_endpoints = RIG_ENDPOINTS;
	memcpy(p->endpoints, endpoints, sizeof(endpoints));
}

bool relayrig_is_in(unsigned at)
{
	return endpoints[at].address & USB_DIR_IN;
}

static void on_configured(void *user, bool configured)
{
	struct relayrig *r = user;

	if (configured)
		r->configured++;
	else
		r->unconfigured++;
}

static void on_gone_on(void *user)
{
	struct relayrig *r = user;

	r->gone_on++;
}

static void on_failed(void *user, const char *reason)
{
	struct relayrig *r = user;

	assert_non_null(reason);
	r->failed++;
}

static const struct relay_callbacks callbacks = {
	.configured = on_configured,
	.gone_on = on_gone_on,
	.failed = on_failed,
};

static void check(const struct pipe *p)
{
	unsigned urbs = p->clear.seqnum != 0;

	assert_true(p->send - p->tail <= p->num_slots && p->head - p->tail <= p->num_slots);
	assert_true(p->send - p->tail <= p->head - p->tail);
	for (unsigned i = 0; i < p->num_slots; i++) {
		const struct pipe_slot *slot = &p->slots[i];
		bool used = (i - p->tail) % p->num_slots < p->head - p->tail;

		urbs += slot->urb.seqnum != 0;
		assert_int_equal(slot->state != SLOT_FREE, used);
		if (!used)
			assert_true(!slot->urb.seqnum && !slot->aio_out);
	}
	assert_int_equal(p->urbs_out, urbs);
	assert_true(p->state != PIPE_HALTED || !p->urbs_out);
}

static void flush(void *user)
{
	struct relayrig *r = user;

	for (unsigned i = 0; i < RIG_ENDPOINTS; i++)
		check(relay_pipe(r->relay, i));
	relay_flush(r->relay);
}

/* Tests do not wait: linked with --wrap=ev_timer_again, by which the relay starts its timers. */
static ev_timer *timers[8];

void relayrig_open(struct relayrig *r, bool dwc2)
{
	memset(r, 0, sizeof(*r));
	log_set_level(LOG_EMERG);
	relayrig_profile(&r->profile);
	bench_open(&r->bench, relay_aio_depth(&r->profile), dwc2, flush, r);
	for (unsigned i = 0; i < RIG_ENDPOINTS; i++)
		r->camera[i] = bench_add(&r->bench, endpoints[i].address, phone_addresses[i],
			endpoints[i].max_packet);
	/* What comes first, a halt or the end of what was sent, tells what the halt means. */
	r->bench.camera->together = 1u << (endpoints[RIG_PTP_OUT].address & 15) |
		1u << (endpoints[RIG_PTP_IN].address & 15);
	r->loop = ev_loop_new(0);
	assert_non_null(r->loop);
	assert_int_equal(relay_new(r->loop, &r->profile, r->bench.client, r->bench.ffs,
				 RIG_UNPLUG_S, &callbacks, r, &r->relay),
		0);
	assert_int_equal(relay_num_pipes(r->relay), RIG_ENDPOINTS);
}

void relayrig_close(struct relayrig *r)
{
	memset(timers, 0, sizeof(timers));
	bench_close(&r->bench);
	relay_free(r->relay);
	ev_loop_destroy(r->loop);
}

void relayrig_enable(struct relayrig *r)
{
	fake_ffs_enable(r->bench.ffs);
	relay_event(r->relay, FUNCTIONFS_ENABLE);
	bench_settle(&r->bench);
}

void relayrig_exchange(struct relayrig *r, uint32_t id)
{
	uint8_t packet[20];

	for (unsigned i = 0; i < RIG_ENDPOINTS; i++) {
		unsigned at = r->camera[i]->num;

		bench_container(packet, 20, relayrig_is_in(i) ? 3 : 1, 20, id + i);
		if (relayrig_is_in(i)) {
			camera_put(r->camera[i], packet, 20);
			bench_expect(&r->bench, i, packet, 20);
		} else {
			assert_int_equal(bench_send(&r->bench, i, packet, 20), FAKE_ACK);
			bench_expect_camera(&r->bench, r->camera[i], at, packet, 20);
		}
	}
}

void __real_ev_timer_again(struct ev_loop *loop, ev_timer *timer);
void __wrap_ev_timer_again(struct ev_loop *loop, ev_timer *timer);

void __wrap_ev_timer_again(struct ev_loop *loop, ev_timer *timer)
{
	size_t i = 0;

	while (timers[i] && timers[i] != timer)
		assert_true(++i < sizeof(timers) / sizeof(timers[0]));
	timers[i] = timer;
	__real_ev_timer_again(loop, timer);
}

void relayrig_wait(struct relayrig *r, double seconds)
{
	for (size_t i = 0; i < sizeof(timers) / sizeof(timers[0]) && timers[i]; i++) {
		if (ev_is_active(timers[i]) && timers[i]->repeat <= seconds)
			ev_invoke(r->loop, timers[i], EV_TIMER);
	}
}
