/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bridge/conn.h"
#include "tests/unit/session.h"

#define UNTOUCHED 0xee
#define MAX_PAYLOAD 16384

static const struct kind {
	const char *name;
	uint8_t endpoint;
	uint32_t length, flags, interval;
	uint8_t setup[8];
	uint32_t direction; /* on the wire */
} kinds[SESSION_KINDS] = {
	[IN_A] = {.name = "IN_A", .endpoint = 0x81, .length = 512, .direction = 1},
	[IN_B] = {.name = "IN_B", .endpoint = 0x81, .length = 512, .direction = 1},
	[IN_BIG] = {.name = "IN_BIG", .endpoint = 0x8f, .length = 10000, .direction = 1},
	[IN_NONE] = {.name = "IN_NONE", .endpoint = 0x81, .direction = 1},
	[OUT_A] = {.name = "OUT_A", .endpoint = 2, .length = 31},
	[OUT_ZLP] = {.name = "OUT_ZLP", .endpoint = 2, .length = 512, .flags = 0x40},
	[INTR] = {.name = "INTR", .endpoint = 0x83, .length = 8, .interval = 64, .direction = 1},
	[GET] = {.name = "GET", .length = 18, .setup = {0x80, 6, 0, 1, 0, 0, 18}, .direction = 1},
	[SET] = {.name = "SET", .length = 7, .setup = {0x21, 0x22, 1, 2, 3, 4, 7}},
	[SET_0] = {.name = "SET_0", .setup = {0, 9, 1}},
	/* OUT on the wire, as the kernel's usb_submit_urb wants it. */
	[GET_0] = {.name = "GET_0", .setup = {0x80, 6, 0, 1}},
};

const struct peer_device session_device = {SESSION_BUSID, 3, 7, 3, 0x04a9, 0x3218, 0, 1};

void session_log(struct session *s, const char *format, ...)
{
	size_t used = strlen(s->log);
	va_list args;

	va_start(args, format);
	(void)vsnprintf(s->log + used, sizeof(s->log) - used, format, args);
	va_end(args);
}

uint8_t session_byte(enum session_kind kind, uint32_t i)
{
	return (uint8_t)(i * 7 + i / 256 + 31 * (uint32_t)kind + 1);
}

uint8_t *session_payload(enum session_kind kind)
{
	uint8_t *payload = malloc(MAX_PAYLOAD);

	assert_non_null(payload);
	for (uint32_t i = 0; i < MAX_PAYLOAD; i++)
		payload[i] = session_byte(kind, i);
	return payload;
}

/* ---- callbacks ---- */

static void on_imported(void *user, const struct usbip_device *device)
{
	session_log(user, "imported %s\n", device->busid);
}

static void on_closed(void *user, int error, const char *reason)
{
	struct session *s = user;

	s->closed++;
	session_log(s, "closed %d %s\n", error, reason);
}

const struct client_callbacks session_callbacks = {.imported = on_imported, .closed = on_closed};

static void on_done(struct client_urb *urb, int status, uint32_t actual)
{
	struct session_urb *u = urb->user;
	enum session_kind kind = (enum session_kind)(u - u->session->urbs);
	uint32_t in = kinds[kind].direction ? actual : u->length;

	session_log(u->session, "done %s %d %u", u->name, status, actual);
	for (uint32_t i = 0; i < u->length; i++) {
		if (urb->buffer[i] != (i < in ? session_byte(kind, i) : UNTOUCHED)) {
			session_log(u->session, " !byte %u", i);
			break;
		}
	}
	session_log(u->session, "\n");
}

/* ---- the client's side ---- */

static int subject_fd(const void *client)
{
	return client_fd(client);
}

static short subject_events(const void *client)
{
	return client_events(client);
}

static void subject_dispatch(void *client)
{
	client_dispatch(client);
	client_flush(client);
}

const struct peer_subject session_subject = {subject_fd, subject_events, subject_dispatch};

static void init_urb(struct session *s, enum session_kind kind)
{
	const struct kind *k = &kinds[kind];
	struct session_urb *u = &s->urbs[kind];

	*u = (struct session_urb){
		.urb = {.endpoint = k->endpoint,
			.buffer = malloc(k->length),
			.length = k->length,
			.flags = k->flags,
			.interval = k->interval,
			.done = on_done,
			.user = u},
		.name = k->name,
		.session = s,
		.length = k->length,
	};
	memcpy(u->urb.setup, k->setup, sizeof(k->setup));
}

void session_init(struct session *s)
{
	struct conn conn;

	memset(s, 0, sizeof(*s));
	peer_init(&s->peer, &conn);
	for (unsigned i = 0; i < SESSION_KINDS; i++)
		init_urb(s, (enum session_kind)i);
	assert_int_equal(client_new(&conn, SESSION_BUSID, &session_callbacks, s, &s->client), 0);
}

void session_open(struct session *s)
{
	session_init(s);
	peer_send_op(&s->peer, 3, 0);
	peer_send_device(&s->peer, &session_device);
	session_run(s);
	assert_string_equal(s->log, "imported " SESSION_BUSID "\n");
	assert_non_null(peer_take(&s->peer, 40));
	assert_int_equal(s->peer.in_size, 40);
	s->log[0] = 0;
	s->peer.in_size = s->peer.in_taken = 0;
	s->peer.out_size = s->peer.out_sent = 0;
}

void session_fini(struct session *s)
{
	client_free(s->client);
	peer_fini(&s->peer);
	for (unsigned i = 0; i < SESSION_KINDS; i++)
		free(s->urbs[i].urb.buffer);
}

void session_run(struct session *s)
{
	peer_run(&s->peer, &session_subject, s->client);
}

int session_submit(struct session *s, enum session_kind kind)
{
	struct session_urb *u = &s->urbs[kind];
	int r;

	for (uint32_t i = 0; i < u->length; i++)
		u->urb.buffer[i] = kinds[kind].direction ? UNTOUCHED : session_byte(kind, i);
	r = client_submit(s->client, &u->urb);
	if (!r)
		s->submitted[s->num_submitted++ % SESSION_KINDS] = kind;
	return r;
}

/* ---- the server's side ---- */

static void check_submit(struct session_urb *u, const struct peer_command *c)
{
	enum session_kind kind = (enum session_kind)(u - u->session->urbs);
	const struct kind *k = &kinds[kind];

	assert_int_equal(c->direction, k->direction);
	assert_int_equal(c->ep, k->endpoint & 15);
	assert_int_equal(c->flags, k->flags);
	assert_int_equal(c->length, k->length);
	assert_int_equal(c->start_frame, 0);
	assert_int_equal(c->packets, 0);
	assert_int_equal(c->interval, k->interval);
	assert_memory_equal(c->setup, k->setup, sizeof(c->setup));
	for (uint32_t i = 0; !k->direction && i < k->length; i++)
		assert_int_equal(c->payload[i], session_byte(kind, i));
	u->previous = u->seqnum;
	u->seqnum = c->seqnum;
}

static void check_unlink(struct session *s, const struct peer_command *c)
{
	assert_int_not_equal(c->unlinked, 0);
	for (unsigned i = 0; i < SESSION_KINDS; i++) {
		if (s->urbs[i].seqnum == c->unlinked) {
			/* Once is enough. */
			assert_int_not_equal(s->urbs[i].unlink_seqnum, c->seqnum);
			s->urbs[i].unlink_seqnum = c->seqnum;
			return;
		}
	}
	fail_msg("CMD_UNLINK of seqnum %x, which is no URB's", c->unlinked);
}

void session_serve(struct session *s)
{
	struct peer_command c;

	while (peer_take_command(&s->peer, &c)) {
		assert_int_not_equal(c.seqnum, 0);
		assert_int_equal(c.devid, 3 << 16 | 7);
		if (c.command == 2) {
			check_unlink(s, &c);
			continue;
		}
		assert_in_range(s->num_submitted - s->num_seen, 1, SESSION_KINDS);
		check_submit(&s->urbs[s->submitted[s->num_seen++ % SESSION_KINDS]], &c);
	}
}
