/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * importrig: an importer of bridge/importer.h, a fake device, and at the other end of a socketpair
 * a peer that speaks in raw bytes.
 */
#ifndef TESTS_IMPORTRIG_H
#define TESTS_IMPORTRIG_H

#include "bridge/importer.h"
#include "tests/unit/fake_usbdevice.h"
#include "tests/unit/peer.h"

#define IMPORTRIG_SEQNUMS 16384
#define IMPORTRIG_DEVID 0x30007u

struct importrig {
	struct peer peer;
	struct importer *importer;
	struct usbdevice device;
	/* What is listed: so many of this. */
	struct usbip_device description;
	unsigned num_listed;
	bool list_fails;
	/* What an import is answered with, at once; -1: not at all. */
	int status;
	unsigned lists, imports, closed;
	char busid[USBIP_BUSID_SIZE], reason[200];
	/* Of each CMD_SUBMIT that was sent. */
	bool in[IMPORTRIG_SEQNUMS];
	uint16_t packets[IMPORTRIG_SEQNUMS];
};

/* Of a CMD_SUBMIT; the rest is 0. */
struct importrig_request {
	uint32_t seqnum;
	uint8_t ep;
	bool in;
	uint32_t length, flags;
	uint8_t setup[8];
	const void *data; /* OUT; NULL: a pattern */
	uint32_t num_packets;
	const struct usbip_iso_packet *packets;
};

struct importrig_answer {
	uint32_t command, seqnum, actual, num_packets, errors;
	int32_t status;
	const uint8_t *data, *packets; /* until the next run */
};

/* Connected, and nothing asked for yet. */
void importrig_init(struct importrig *r);
/* Imported, and the answer taken. */
void importrig_open(struct importrig *r);
/* As the exporter: what is at the device comes back, and only then it is freed. */
void importrig_fini(struct importrig *r);

/* What it has to send goes a little at a time. */
void importrig_narrow(struct importrig *r);

/* All that is to be sent has gone to the socket, and nothing has been done about it. */
void importrig_prepare(struct importrig *r);
/* Until neither side has anything to do. */
void importrig_run(struct importrig *r);

void importrig_import(struct importrig *r, const char *busid);
void importrig_submit(struct importrig *r, const struct importrig_request *request);
/* Bulk IN from endpoint 1. */
void importrig_ask(struct importrig *r, uint32_t seqnum, uint32_t length);
void importrig_unlink(struct importrig *r, uint32_t seqnum, uint32_t victim);

/* The next that has come; false: none. */
bool importrig_answer(struct importrig *r, struct importrig_answer *a);
/* The next has to be this; nothing but its header. */
void importrig_expect(struct importrig *r, uint32_t command, uint32_t seqnum, int32_t status);
/* There is nothing more. */
void importrig_expect_nothing(struct importrig *r);
/* It is closed with this reason, once. */
void importrig_expect_closed(struct importrig *r, const char *reason);

uint8_t importrig_byte(uint32_t seqnum, uint32_t i); /* the pattern */

#endif
