/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * exchange photos|commands COUNT: a PTP session through a relay whose both ends are in memory, for
 * tests/bench/cost, which counts the relay's instructions.
 *
 * A photograph is a command, 4 MiB of data and a response; a command is one that has a response
 * alone. The phone takes what there is each time the loop goes round, as a host controller does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/relayrig.h"

#define PACKET 512
#define PHOTO (4u << 20)

static struct relayrig rig;

static void send_command(uint32_t id)
{
	uint8_t command[16];
	unsigned before = rig.camera[RIG_PTP_OUT]->num;

	bench_container(command, sizeof(command), 1, sizeof(command), id);
	assert_int_equal(
		fake_ffs_send(rig.bench.ffs, RIG_PTP_OUT, command, sizeof(command)), FAKE_ACK);
	while (rig.camera[RIG_PTP_OUT]->num == before)
		bench_round(&rig.bench);
}

static void take(uint32_t size)
{
	uint8_t packet[PACKET];
	size_t got;

	while (size) {
		bench_round(&rig.bench);
		while (size &&
			fake_ffs_receive(rig.bench.ffs, RIG_PTP_IN, packet, &got) == FAKE_ACK)
			size -= (uint32_t)got;
	}
}

static void give(uint16_t type, uint32_t size, uint32_t id)
{
	uint8_t packet[PACKET] = {0};

	for (uint32_t at = 0; at < size; at += PACKET) {
		uint32_t part = size - at < PACKET ? size - at : PACKET;

		if (!at)
			bench_container(packet, part, type, size, id);
		camera_put(rig.camera[RIG_PTP_IN], packet, part);
	}
}

int main(int argc, char **argv)
{
	bool photos = argc == 3 && !strcmp(argv[1], "photos");
	unsigned long count = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;

	if (!count) {
		fprintf(stderr, "usage: exchange photos|commands COUNT\n");
		return 2;
	}
	relayrig_open(&rig, true);
	relayrig_enable(&rig);
	for (uint32_t i = 1; i <= count; i++) {
		send_command(i);
		if (photos) {
			give(2, 12 + PHOTO, i);
			take(12 + PHOTO);
		}
		give(3, 12, i);
		take(12);
	}
	bench_settle(&rig.bench);
	relayrig_close(&rig);
	return 0;
}
