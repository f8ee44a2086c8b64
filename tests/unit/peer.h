/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * peer: a USB/IP server under the test's control, at the other end of a real socketpair.
 *
 * Everything happens in one thread: peer_run lets the server and the code under test take turns
 * until neither has anything to do, so a test neither sleeps nor races, and what spins is found.
 * Wire layouts are written down here a second time, from usbip_protocol.rst, not taken from
 * bridge/.
 */
#ifndef TESTS_UNIT_PEER_H
#define TESTS_UNIT_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PEER_COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct conn;

struct peer {
	int fd;	      /* -1: closed */
	bool deaf;    /* does not read */
	bool closing; /* as soon as all of `out` has gone */
	uint8_t *in;  /* all that has come */
	size_t in_size, in_room, in_taken;
	uint8_t *out; /* all that is to be sent */
	size_t out_size, out_room, out_sent;
	/* Pieces that the server's bytes are sent in: first `split`, then `piece` at a time, each
	 * only when the code under test has nothing left to do. 0: no end to it. */
	size_t split, piece;
	unsigned turns; /* that the last peer_run took */
};

/* What is driven: the functions of a client or a devlist. */
struct peer_subject {
	int (*fd)(const void *subject);
	short (*events)(const void *subject);
	void (*dispatch)(void *subject); /* what an iteration of the event loop does */
};

/* A message of the URB phase that has come from the client. */
struct peer_command {
	uint32_t command, seqnum, devid, direction, ep;
	uint32_t flags, length, start_frame, packets, interval; /* CMD_SUBMIT */
	uint8_t setup[8];
	uint32_t unlinked;	/* CMD_UNLINK */
	const uint8_t *payload; /* length bytes, when OUT */
};

/* The fields of a usbip_usb_device that tests tell apart. */
struct peer_device {
	const char *busid;
	uint32_t busnum, devnum, speed;
	uint16_t vendor, product;
	uint8_t class, interfaces;
};

void peer_init(struct peer *p, struct conn *other);
void peer_fini(struct peer *p);
void peer_close(struct peer *p);

void peer_send(struct peer *p, const void *bytes, size_t size);
void peer_put_be32(uint8_t *at, uint32_t value);
void peer_send_op(struct peer *p, uint16_t code, uint32_t status);
void peer_send_device(struct peer *p, const struct peer_device *d);
void peer_send_header(struct peer *p, const uint32_t *words, size_t num_words); /* the rest is 0 */
void peer_send_ret_submit(
	struct peer *p, uint32_t seqnum, int status, const void *payload, uint32_t actual);
void peer_send_ret_unlink(struct peer *p, uint32_t seqnum, int status);

/* The next `size` bytes that came, or NULL when there are not so many. */
const uint8_t *peer_take(struct peer *p, size_t size);
/* The next command; false: none, or not all of it. What it points to holds until the next peer_run.
 */
bool peer_take_command(struct peer *p, struct peer_command *command);

void peer_run(struct peer *p, const struct peer_subject *subject, void *object);

/* A socket on a free port of the loopback interface, which is its number; connecting is refused
 * unless it listens. */
int peer_tcp_port(bool listening, char port[8]);

#endif
