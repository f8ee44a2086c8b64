/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * relaybench: a phone (fake_ffs), the real client, and a camera behind its server, to test what
 * stands between them. Nothing moves by itself: time is what the test lets pass.
 */
#ifndef TESTS_RELAYBENCH_H
#define TESTS_RELAYBENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/unit/camera.h"
#include "tests/unit/fake_ffs.h"

struct client;

struct bench {
	struct camera *camera;
	struct ffs *ffs;
	struct client *client;
	/* What is under test, once an iteration of the event loop. */
	void (*flush)(void *user);
	void *user;
	int closed; /* of the session: the error that it ended with */
};

/* A session that is imported. */
void bench_open(struct bench *b, unsigned depth, bool dwc2, void (*flush)(void *user), void *user);
void bench_close(
	struct bench *b); /* in the order of the supervisor's let_go, which is the caller's */

/* The link is lost, of which the client hears; and another session, once the first client has been
 * abandoned. */
void bench_lose(struct bench *b);
void bench_return(struct bench *b);

/* The same endpoint at both ends; the position is the order of the calls. */
struct camera_endpoint *bench_add(
	struct bench *b, uint8_t camera_address, uint8_t phone_address, uint32_t max_packet);

void bench_bridge(struct bench *b); /* one iteration of the bridge's loop */
void bench_camera(struct bench *b); /* the server and its camera */
void bench_round(struct bench *b);  /* both */
void bench_settle(struct bench *b); /* until nothing moves any more */

/* The phone's tokens, repeated while the answer is NAK and anything moves. */
enum fake_handshake bench_send(struct bench *b, unsigned at, const void *data, size_t size);
enum fake_handshake bench_receive(struct bench *b, unsigned at, void *data, size_t *size);

/* The phone gets, or the camera has got, exactly these bytes in one packet. */
void bench_expect(struct bench *b, unsigned at, const void *data, size_t size);
void bench_expect_camera(struct bench *b, const struct camera_endpoint *e, unsigned at,
	const void *data, size_t size);

/* `size` bytes that differ from other `id`s' and at each offset. */
void bench_fill(void *data, size_t size, uint32_t id);

/* The same as a PTP container of this type and length; fewer bytes than 12 are the header's first.
 */
void bench_container(void *data, size_t size, uint16_t type, uint32_t length, uint32_t id);

#endif
