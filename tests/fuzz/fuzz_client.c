/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * client and devlist under a hostile server: any bytes at all, and replies that are almost right,
 * at any time. What must hold: each URB that was submitted is done with once at most and within its
 * bounds, nothing is called after `closed`, and whatever has come is worked off in bounded time.
 *
 *   byte 0   bits 0-1: 0 a device list, 1 an import, else a session; bit 2: the server does not
 * read; bit 3: URBs are submitted again when they are done then     list, import: the server's
 * bytes, in pieces of byte 1 session: steps, see act()
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <poll.h>

#include "bridge/client.h"
#include "bridge/conn.h"
#include "bridge/devlist.h"
#include "tests/fuzz/fuzz.h"

#define URBS 16
#define MAX_AGAIN 200
#define MAX_TURNS 5000

struct urb {
	struct client_urb urb;
	struct session *session;
	uint32_t seqnum; /* the last one it had */
	bool in_flight;
};

struct session {
	int server;
	struct client *client;
	bool deaf, imported, closed;
	unsigned again; /* how often URBs may still be submitted from done */
	struct urb urbs[URBS];
};

static int open_pair(struct conn *conn)
{
	int fds[2];

	require(!socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
	conn_adopt(conn, fds[0]);
	return fds[1];
}

static void send_bytes(int fd, const void *bytes, size_t size)
{
	/* What does not go is lost, which is only another stream of bytes. */
	(void)!send(fd, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* ---- a device list ---- */

static void check_list(const struct devlist *d)
{
	require(d->total <= USBIP_MAX_DEVICES && d->count == d->total);
	for (unsigned i = 0; i < d->total; i++) {
		const struct usbip_device *device = &d->entries[i].device;

		require(device->num_interfaces <= USBIP_MAX_INTERFACES);
		require(*device->busid && strlen(device->busid) < USBIP_BUSID_SIZE);
		require(strlen(device->path) < USBIP_PATH_SIZE);
	}
}

static void fuzz_list(struct input in)
{
	size_t piece = (size_t)byte(&in) * 16 + 1;
	struct devlist list;
	struct conn conn;
	const char *why;
	int server = open_pair(&conn), r = 0;

	devlist_init(&list, &conn);
	while (!r) {
		size_t n = in.left < piece ? in.left : piece;

		if (n)
			send_bytes(server, in.at, n);
		else
			shutdown(server, SHUT_WR);
		in.at += n;
		in.left -= n;
		r = devlist_dispatch(&list, &why);
		require(r >= 0 || *why);
		require((r > 0) == (devlist_fd(&list) < 0));
	}
	if (r > 0)
		check_list(&list);
	devlist_fini(&list);
	close(server);
}

/* ---- sessions ---- */

static void on_imported(void *user, const struct usbip_device *device)
{
	struct session *s = user;

	require(!s->closed && !s->imported && !strcmp(device->busid, "1-1"));
	s->imported = true;
}

static void on_closed(void *user, int error, const char *reason)
{
	struct session *s = user;

	require(!s->closed && error < 0 && *reason);
	s->closed = true;
}

static const struct client_callbacks callbacks = {.imported = on_imported, .closed = on_closed};

static void submit(struct urb *u)
{
	int r;

	if (u->in_flight)
		return;
	r = client_submit(u->session->client, &u->urb);
	require(!r == (u->session->imported && !u->session->closed));
	u->in_flight = !r;
	if (!r)
		u->seqnum = u->urb.seqnum;
}

static void on_done(struct client_urb *urb, int status, uint32_t actual)
{
	struct urb *u = urb->user;

	require(u->in_flight && !u->session->closed);
	require(status <= 0 && status >= -4095 && actual <= urb->length && !urb->seqnum);
	u->in_flight = false;
	if (!u->session->again)
		return;
	u->session->again--;
	submit(u);
}

static void init_urb(struct session *s, unsigned i)
{
	static const uint32_t lengths[] = {0, 1, 8, 18, 512, 5000, 16384, 512};
	static const uint8_t endpoints[] = {0, 0x81, 0x02, 0x83};
	struct urb *u = &s->urbs[i];

	u->session = s;
	u->urb = (struct client_urb){
		.endpoint = endpoints[i & 3],
		.setup = {(uint8_t)(i & 4 ? 0x80 : 0)},
		.length = lengths[i / 2],
		.buffer = calloc(1, lengths[i / 2]), /* of this size exactly */
		.interval = (i & 3) == 3,
		.done = on_done,
		.user = u,
	};
}

static void start(struct session *s, uint8_t flags)
{
	struct conn conn;

	memset(s, 0, sizeof(*s));
	s->server = open_pair(&conn);
	s->deaf = flags & 4;
	s->again = flags & 8 ? MAX_AGAIN : 0;
	require(!client_new(&conn, "1-1", &callbacks, s, &s->client));
	for (unsigned i = 0; i < URBS; i++)
		init_urb(s, i);
}

static void drain(struct session *s)
{
	static uint8_t sink[65536];

	while (!s->deaf && recv(s->server, sink, sizeof(sink), MSG_DONTWAIT) > 0)
		;
}

/* Until the client has nothing to do. */
static void run(struct session *s)
{
	for (unsigned turns = 0;; turns++) {
		struct pollfd fd = {.fd = client_fd(s->client), .events = client_events(s->client)};

		require(turns < MAX_TURNS);
		require(s->closed == (fd.fd < 0));
		if (fd.fd < 0 || poll(&fd, 1, 0) <= 0)
			break;
		client_dispatch(s->client);
		client_flush(s->client);
		drain(s);
	}
}

static void put_be32(uint8_t *at, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		at[i] = (uint8_t)(value >> (24 - 8 * i));
}

/* RET_SUBMIT or RET_UNLINK of a URB, one byte of whose header may be changed. */
static void reply(struct session *s, uint32_t command, struct input *in)
{
	static const uint8_t payload[16384];
	struct urb *u = &s->urbs[byte(in) % URBS];
	uint32_t actual = byte(in);
	uint8_t header[48] = {0}, at;

	actual = actual * actual / 2 % (u->urb.length + 2);
	put_be32(header, command);
	put_be32(header + 4, u->seqnum | (command == 4));
	put_be32(header + 20, (uint32_t) - (int32_t)byte(in));
	if (command == 3)
		put_be32(header + 24, actual);
	at = byte(in);
	if (at < sizeof(header))
		header[at] ^= byte(in);
	send_bytes(s->server, header, sizeof(header));
	if (command == 3 && (u->urb.endpoint | u->urb.setup[0]) & 0x80)
		send_bytes(s->server, payload, actual < sizeof(payload) ? actual : sizeof(payload));
}

static void act(struct session *s, struct input *in)
{
	uint8_t step = byte(in);
	size_t n = step >> 3;

	switch (step & 7) {
	case 0:
		submit(&s->urbs[n % URBS]);
		break;
	case 1:
		client_unlink(s->client, &s->urbs[n % URBS].urb);
		break;
	case 2:
	case 3:
		reply(s, 3, in);
		break;
	case 4:
		reply(s, 4, in);
		break;
	case 5: /* n bytes, whatever they are */
		n = n < in->left ? n : in->left;
		send_bytes(s->server, in->at, n);
		in->at += n;
		in->left -= n;
		break;
	case 6:
		client_flush(s->client);
		drain(s);
		break;
	default:
		run(s);
	}
}

static void stop(struct session *s)
{
	run(s);
	shutdown(s->server, SHUT_RDWR);
	run(s);
	require(s->closed);
	for (unsigned i = 0; i < URBS; i++) {
		require(client_submit(s->client, &s->urbs[i].urb) < 0);
		client_unlink(s->client, &s->urbs[i].urb);
	}
	client_dispatch(s->client);
	client_flush(s->client);
	client_free(s->client);
	close(s->server);
	for (unsigned i = 0; i < URBS; i++)
		free(s->urbs[i].urb.buffer);
}

static void fuzz_import(struct input in, uint8_t flags)
{
	size_t piece = (size_t)byte(&in) * 16 + 1;
	struct session s;

	start(&s, flags);
	while (in.left && !s.closed) {
		size_t n = in.left < piece ? in.left : piece;

		send_bytes(s.server, in.at, n);
		in.at += n;
		in.left -= n;
		run(&s);
	}
	stop(&s);
}

static void fuzz_session(struct input in, uint8_t flags)
{
	uint8_t good[8 + USBIP_DEVICE_SIZE] = {0x01, 0x11, 0, 3};
	struct session s;

	memcpy(good + 8 + USBIP_PATH_SIZE, "1-1", 3);
	start(&s, flags);
	send_bytes(s.server, good, sizeof(good));
	run(&s);
	require(s.imported);
	while (in.left && !s.closed)
		act(&s, &in);
	stop(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	uint8_t flags = byte(&in);

	if ((flags & 3) == 0)
		fuzz_list(in);
	else if ((flags & 3) == 1)
		fuzz_import(in, flags);
	else
		fuzz_session(in, flags);
	return 0;
}
