/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/relaybench.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <cmocka.h>

#include "bridge/client.h"
#include "bridge/conn.h"

static void on_imported(void *user, const struct usbip_device *device)
{
	(void)user;
	(void)device;
}

static void on_closed(void *user, int error, const char *reason)
{
	struct bench *b = user;

	(void)reason;
	b->closed = error;
}

static const struct client_callbacks client_callbacks = {
	.imported = on_imported,
	.closed = on_closed,
};

/* A session that is imported, with what is to become the camera's end of it. */
static void connect_client(struct bench *b, int *camera_fd)
{
	struct conn conn;
	int fds[2];

	b->closed = 0;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	*camera_fd = fds[1];
	conn_adopt(&conn, fds[0]);
	assert_int_equal(client_new(&conn, CAMERA_BUSID, &client_callbacks, b, &b->client), 0);
	client_flush(b->client);
}

static void import(struct bench *b)
{
	camera_hand_over(b->camera);
	client_dispatch(b->client);
	assert_int_equal(b->closed, 0);
}

void bench_open(struct bench *b, unsigned depth, bool dwc2, void (*flush)(void *user), void *user)
{
	int fd;

	memset(b, 0, sizeof(*b));
	b->flush = flush;
	b->user = user;
	connect_client(b, &fd);
	b->camera = camera_new(fd);
	b->ffs = fake_ffs_new(depth, dwc2);
	import(b);
}

void bench_lose(struct bench *b)
{
	camera_hang_up(b->camera);
	client_dispatch(b->client);
	assert_int_equal(b->closed, -ECONNRESET);
}

void bench_return(struct bench *b)
{
	client_free(b->client);
	connect_client(b, &b->camera->fd);
	import(b);
}

void bench_close(struct bench *b)
{
	client_free(b->client);
	fake_ffs_free(b->ffs);
	camera_free(b->camera);
}

struct camera_endpoint *bench_add(
	struct bench *b, uint8_t camera_address, uint8_t phone_address, uint32_t max_packet)
{
	fake_ffs_add(b->ffs, phone_address, max_packet);
	return camera_add(b->camera, camera_address, max_packet);
}

/* ---- time ---- */

void bench_bridge(struct bench *b)
{
	ffs_dispatch_aio(b->ffs);
	if (!b->closed)
		client_dispatch(b->client);
	b->flush(b->user);
}

void bench_camera(struct bench *b)
{
	camera_receive(b->camera);
	camera_run(b->camera);
	camera_send(b->camera);
}

void bench_round(struct bench *b)
{
	bench_bridge(b);
	bench_camera(b);
}

/* Answers that have come count, too: the client takes so many at a time. */
static unsigned long progress(const struct bench *b)
{
	unsigned long answered = b->closed ? 0 : CLIENT_MAX_URBS - client_in_flight(b->client);

	return b->camera->moved + b->ffs->submitted + b->ffs->delivered + answered;
}

void bench_settle(struct bench *b)
{
	unsigned long before;
	unsigned idle = 0;

	/* Whatever goes in circles is a failure. */
	for (unsigned i = 0; i < 10000; i++) {
		before = progress(b);
		bench_round(b);
		idle = progress(b) == before ? idle + 1 : 0;
		if (idle == 2)
			return;
	}
	fail_msg("it never comes to rest");
}

enum fake_handshake bench_send(struct bench *b, unsigned at, const void *data, size_t size)
{
	enum fake_handshake h = fake_ffs_send(b->ffs, at, data, size);

	if (h == FAKE_NAK) {
		bench_settle(b);
		h = fake_ffs_send(b->ffs, at, data, size);
	}
	bench_round(b);
	return h;
}

enum fake_handshake bench_receive(struct bench *b, unsigned at, void *data, size_t *size)
{
	enum fake_handshake h = fake_ffs_receive(b->ffs, at, data, size);

	if (h == FAKE_NAK) {
		bench_settle(b);
		h = fake_ffs_receive(b->ffs, at, data, size);
	}
	return h;
}

/* ---- data ---- */

void bench_expect(struct bench *b, unsigned at, const void *data, size_t size)
{
	uint8_t got[1024];
	size_t got_size = 0;

	assert_int_equal(bench_receive(b, at, got, &got_size), FAKE_ACK);
	assert_int_equal(got_size, size);
	if (size)
		assert_memory_equal(got, data, size);
}

void bench_expect_camera(struct bench *b, const struct camera_endpoint *e, unsigned at,
	const void *data, size_t size)
{
	if (e->num <= at)
		bench_settle(b);
	assert_true(e->num > at);
	assert_int_equal(e->packets[at].size, size);
	if (size)
		assert_memory_equal(e->packets[at].data, data, size);
}

void bench_fill(void *data, size_t size, uint32_t id)
{
	uint8_t *to = data;
	uint32_t x = (id + 1) * 2654435761u;

	for (size_t i = 0; i < size; i++) {
		x = x * 1664525u + 1013904223u;
		to[i] = (uint8_t)(x >> 24);
	}
}

void bench_container(void *data, size_t size, uint16_t type, uint32_t length, uint32_t id)
{
	uint8_t head[12] = {(uint8_t)length, (uint8_t)(length >> 8), (uint8_t)(length >> 16),
		(uint8_t)(length >> 24), (uint8_t)type, (uint8_t)(type >> 8), 0x01, 0x10,
		(uint8_t)id, (uint8_t)(id >> 8), (uint8_t)(id >> 16), (uint8_t)(id >> 24)};

	bench_fill(data, size, id);
	memcpy(data, head, size < sizeof(head) ? size : sizeof(head));
}
