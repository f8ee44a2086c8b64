/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/ptprig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

void ptprig_container(uint8_t c[16], enum ptprig_type type, enum ptprig_code code,
	uint32_t transaction, uint32_t param)
{
	const uint8_t bytes[16] = {16, 0, 0, 0, (uint8_t)type, 0, (uint8_t)code,
		(uint8_t)(code >> 8), (uint8_t)transaction, (uint8_t)(transaction >> 8),
		(uint8_t)(transaction >> 16), (uint8_t)(transaction >> 24), (uint8_t)param,
		(uint8_t)(param >> 8), (uint8_t)(param >> 16), (uint8_t)(param >> 24)};

	memcpy(c, bytes, 16);
}

void ptprig_command(struct relayrig *r, enum ptprig_code code, uint32_t param)
{
	uint8_t c[16];

	ptprig_container(c, PTPRIG_COMMAND, code, PTPRIG_TRANSACTION, param);
	assert_int_equal(bench_send(&r->bench, RIG_PTP_OUT, c, 16), FAKE_ACK);
	bench_settle(&r->bench);
}

void ptprig_expect_command(struct relayrig *r, unsigned at, enum ptprig_code code,
	uint32_t transaction, uint32_t param)
{
	uint8_t c[16];

	ptprig_container(c, PTPRIG_COMMAND, code, transaction, param);
	bench_expect_camera(&r->bench, r->camera[RIG_PTP_OUT], at, c, 16);
}

void ptprig_answer(struct relayrig *r, enum ptprig_code code)
{
	uint8_t c[16];

	ptprig_container(c, PTPRIG_RESPONSE, code, PTPRIG_TRANSACTION, 0);
	camera_put(r->camera[RIG_PTP_IN], c, 16);
	bench_settle(&r->bench);
}

void ptprig_expect_answer(struct relayrig *r, enum ptprig_code code)
{
	uint8_t c[16];

	ptprig_container(c, PTPRIG_RESPONSE, code, PTPRIG_TRANSACTION, 0);
	bench_expect(&r->bench, RIG_PTP_IN, c, 16);
}

void ptprig_open(struct relayrig *r)
{
	relayrig_open(r, true);
	relayrig_enable(r);
}

void ptprig_open_session(struct relayrig *r)
{
	ptprig_command(r, PTPRIG_OPEN_SESSION, PTPRIG_SESSION);
	ptprig_answer(r, PTPRIG_OK);
	ptprig_expect_answer(r, PTPRIG_OK);
}

void ptprig_lose(struct relayrig *r)
{
	bench_lose(&r->bench);
	relay_hold(r->relay);
	bench_settle(&r->bench);
}

void ptprig_come_back(struct relayrig *r)
{
	bench_return(&r->bench);
	relay_go_on(r->relay, r->bench.client);
	bench_settle(&r->bench);
}

void ptprig_transact(struct relayrig *r)
{
	unsigned at = r->camera[RIG_PTP_OUT]->num;

	ptprig_command(r, PTPRIG_GET_OBJECT, at);
	ptprig_expect_command(r, at, PTPRIG_GET_OBJECT, PTPRIG_TRANSACTION, at);
	ptprig_answer(r, PTPRIG_OK);
	ptprig_expect_answer(r, PTPRIG_OK);
}

void ptprig_close(struct relayrig *r)
{
	uint8_t event[24];

	ptprig_transact(r);
	bench_fill(event, sizeof(event), 5);
	camera_put(r->camera[RIG_EVENT], event, sizeof(event));
	bench_expect(&r->bench, RIG_EVENT, event, sizeof(event));
	assert_int_equal(r->failed, 0);
	relayrig_close(r);
}

unsigned ptprig_halts(const struct relayrig *r)
{
	unsigned n = 0;

	for (unsigned i = 0; i < RIG_ENDPOINTS; i++)
		n += r->bench.ffs->endpoints[i].halts;
	return n;
}

unsigned ptprig_read_to_halt(struct relayrig *r)
{
	enum fake_handshake h;
	uint8_t got[512];
	unsigned n = 0;
	size_t size;

	while ((h = bench_receive(&r->bench, RIG_PTP_IN, got, &size)) == FAKE_ACK)
		n++;
	assert_int_equal(h, FAKE_STALL);
	fake_ffs_clear_halt(r->bench.ffs, RIG_PTP_IN);
	bench_settle(&r->bench);
	return n;
}
