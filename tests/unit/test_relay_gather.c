/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * relay: a part of a packet of the camera's that has come waits for the rest for so long and
 * no longer, and no timer runs otherwise.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <errno.h>
#include <unistd.h>

#include <cmocka.h>
#include <ev.h>

#include "bridge/client.h"
#include "bridge/pipe.h"
#include "bridge/relay.h"
#include "tests/unit/relayrig.h"

#define PART 64 /* the phone's packet */

static void open_rig(struct relayrig *r)
{
	relayrig_open(r, false);
	for (unsigned i = 0; i < RIG_ENDPOINTS; i++)
		r->bench.ffs->endpoints[i].max_packet = PART;
	relayrig_enable(r);
}

/* Of no length that the framing knows. */
static void send_part(struct relayrig *r, unsigned at, uint32_t id)
{
	uint8_t part[PART];

	bench_fill(part, sizeof(part), id);
	assert_int_equal(fake_ffs_send(r->bench.ffs, at, part, sizeof(part)), FAKE_ACK);
}

static bool is_gathering(const struct relayrig *r, unsigned at)
{
	return pipe_is_gathering(relay_pipe(r->relay, at));
}

static void test_in_time(void **state)
{
	struct relayrig r;
	uint8_t part[PART];

	(void)state;
	open_rig(&r);
	assert_int_equal(ev_run(r.loop, EVRUN_NOWAIT), 0);
	send_part(&r, RIG_VENDOR_OUT, 1);
	bench_settle(&r.bench);
	assert_true(is_gathering(&r, RIG_VENDOR_OUT));
	relayrig_wait(&r, 0.01);
	assert_true(is_gathering(&r, RIG_VENDOR_OUT));
	relayrig_wait(&r, 0.01);
	bench_fill(part, sizeof(part), 1);
	bench_expect_camera(&r.bench, r.camera[RIG_VENDOR_OUT], 0, part, sizeof(part));
	assert_int_equal(ev_run(r.loop, EVRUN_NOWAIT), 0);
	relayrig_close(&r);
}

/* Whatever else goes on meanwhile: that the loop turns does not begin the time anew. */
static void test_while_busy(void **state)
{
	struct relayrig r;

	(void)state;
	open_rig(&r);
	ev_now_update(r.loop);
	send_part(&r, RIG_VENDOR_OUT, 1);
	bench_settle(&r.bench);
	for (unsigned i = 0; i < 2; i++) {
		(void)usleep(6000);
		ev_now_update(r.loop);
		relay_flush(r.relay);
	}
	ev_run(r.loop, EVRUN_NOWAIT);
	assert_true(relay_pipe(r.relay, RIG_VENDOR_OUT)->gather_aged);
	relayrig_close(&r);
}

static void halt_vendor(struct relayrig *r, uint32_t id)
{
	r->camera[RIG_VENDOR_OUT]->fail = -EPIPE;
	r->camera[RIG_VENDOR_OUT]->fail_at = r->camera[RIG_VENDOR_OUT]->num;
	send_part(r, RIG_VENDOR_OUT, id);
	bench_bridge(&r->bench);
	relayrig_wait(r, 0.01);
	relayrig_wait(r, 0.01);
	bench_bridge(&r->bench);
	bench_camera(&r->bench);
}

/* What one pipe looks for at its halt may be a part of another's, which has been looked after. */
static void test_beside_a_halt(void **state)
{
	struct relayrig r;

	(void)state;
	open_rig(&r);
	/* Twice: the second halt leaves nothing to clear, whose answer would wake the loop. */
	halt_vendor(&r, 1);
	bench_settle(&r.bench);
	fake_ffs_clear_halt(r.bench.ffs, RIG_VENDOR_OUT);
	bench_settle(&r.bench);
	halt_vendor(&r, 2);
	client_dispatch(r.bench.client);
	assert_int_equal(relay_pipe(r.relay, RIG_VENDOR_OUT)->state, PIPE_HALTING);
	send_part(&r, RIG_PTP_OUT, 3);
	relay_flush(r.relay);
	assert_int_equal(relay_pipe(r.relay, RIG_VENDOR_OUT)->state, PIPE_HALTED);
	assert_true(is_gathering(&r, RIG_PTP_OUT));
	relayrig_wait(&r, 0.01);
	relayrig_wait(&r, 0.01);
	assert_false(is_gathering(&r, RIG_PTP_OUT));
	relayrig_close(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_in_time),
		cmocka_unit_test(test_while_busy),
		cmocka_unit_test(test_beside_a_halt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
