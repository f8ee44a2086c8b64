/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ptprig: a phone and a still camera that speak PTP through a relayrig, and the link between them,
 * which is lost and comes back (relay_hold, relay_go_on).
 *
 * The codes are written down here a second time, from PIMA 15740, not taken from bridge/. What is
 * sent has one parameter, and is of PTPRIG_TRANSACTION.
 */
#ifndef TESTS_PTPRIG_H
#define TESTS_PTPRIG_H

#include <stdint.h>

#include "tests/unit/relayrig.h"

enum ptprig_type {
	PTPRIG_COMMAND = 1,
	PTPRIG_DATA = 2,
	PTPRIG_RESPONSE = 3,
};

enum ptprig_code {
	PTPRIG_OPEN_SESSION = 0x1002,
	PTPRIG_CLOSE_SESSION = 0x1003,
	PTPRIG_GET_HANDLES = 0x1007,
	PTPRIG_GET_OBJECT = 0x1009, /* may be asked twice */
	PTPRIG_DELETE = 0x100b,	    /* may not */
	PTPRIG_OK = 0x2001,
	PTPRIG_REFUSED = 0x2002, /* General Error */
	PTPRIG_ALREADY_OPEN = 0x201e,
};

#define PTPRIG_TRANSACTION 9
#define PTPRIG_SESSION 0x01020304
#define PTPRIG_LARGE 100000 /* bytes of a data container */

/* A rig that the phone has configured, on dwc2. */
void ptprig_open(struct relayrig *r);

/* The phone opens its session. */
void ptprig_open_session(struct relayrig *r);

/* Everything goes on as ever, and nothing has failed. */
void ptprig_close(struct relayrig *r);

/* The link is lost, of which the relay hears at once; and is there again. */
void ptprig_lose(struct relayrig *r);
void ptprig_come_back(struct relayrig *r);

/* A whole transaction of the phone's. */
void ptprig_transact(struct relayrig *r);

/* A container of 16 bytes. */
void ptprig_container(uint8_t c[16], enum ptprig_type type, enum ptprig_code code,
	uint32_t transaction, uint32_t param);

/* The phone sends a command, and the camera has got one, as its `at`-th packet. */
void ptprig_command(struct relayrig *r, enum ptprig_code code, uint32_t param);
void ptprig_expect_command(struct relayrig *r, unsigned at, enum ptprig_code code,
	uint32_t transaction, uint32_t param);

/* The camera sends a response, and the phone gets one. */
void ptprig_answer(struct relayrig *r, enum ptprig_code code);
void ptprig_expect_answer(struct relayrig *r, enum ptprig_code code);

/* The phone reads until its endpoint is halted, which it then clears; so many packets. */
unsigned ptprig_read_to_halt(struct relayrig *r);

/* How often any of the phone's endpoints has been halted. */
unsigned ptprig_halts(const struct relayrig *r);

#endif
