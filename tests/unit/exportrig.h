/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * exportrig: an exporter over fake_libusb, on the loopback interface, with its threads; and who
 * connects to it, in raw bytes.
 *
 * For tests linked with --wrap=ev_timer_start.
 */
#ifndef TESTS_UNIT_EXPORTRIG_H
#define TESTS_UNIT_EXPORTRIG_H

#include <stddef.h>
#include <stdint.h>

#include "bridge/exporter.h"
#include "tests/unit/fake_libusb.h"

struct exportrig {
	struct ev_loop *loop;
	struct exportconfig config;
	struct exporter exporter;
	double haste; /* timers that are started once are so many times faster than they ask for */
};

/* With what is plugged in at ports 1 to `devices` of the bus. */
void exportrig_open(struct exportrig *r, int devices);
/* Ends it; fails where anything is left of a device that is plugged in. */
void exportrig_close(struct exportrig *r);

/* So many turns of the loop, with pauses, for what threads do. */
void exportrig_turn(struct exportrig *r, int turns);

/* Until what was plugged in has been looked at. */
void exportrig_settle(struct exportrig *r);

/* One, and a short pause. */
void exportrig_step(struct exportrig *r);

/* Turns the loop until it holds; fails after 10 s. */
#define EXPORTRIG_UNTIL(r, condition)                                                              \
	do {                                                                                       \
		for (int i_ = 0; !(condition) && i_ < 100000; i_++)                                \
			exportrig_step(r);                                                         \
		assert_true(condition);                                                            \
	} while (0)

/* A connection, whose owner closes it. */
int exportrig_connect(struct exportrig *r);
int exportrig_connect_notices(struct exportrig *r);
void exportrig_send(int fd, const void *bytes, size_t size);
/* So many bytes, or less before the end. */
size_t exportrig_receive(struct exportrig *r, int fd, void *bytes, size_t size);
void exportrig_expect_end(struct exportrig *r, int fd);

/* Asks on a connection of its own: the bus ids, each with a blank behind it, until the next. */
const char *exportrig_list(struct exportrig *r);
void exportrig_expect_list(struct exportrig *r, const char *busids);

/* The status of the answer, an enum usbip_status; -1: it was closed without one. */
void exportrig_ask_import(int fd, const char *busid);
int exportrig_import_status(struct exportrig *r, int fd);
int exportrig_import(struct exportrig *r, int fd, const char *busid);

/* A CMD_SUBMIT for `length` bytes of endpoint 0x81; of what is at 99-1. */
void exportrig_submit(int fd, uint32_t seqnum, uint32_t length);
void exportrig_expect_submitted(struct exportrig *r, int fd, uint32_t seqnum, int32_t status);

#endif
