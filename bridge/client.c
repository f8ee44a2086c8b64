/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/client.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/usb/ch9.h>

#include "bridge/conn.h"
#include "bridge/handover.h"
#include "bridge/replies.h"
#include "bridge/tls.h"

_Static_assert(CLIENT_MAX_URBS == URBTABLE_SIZE, "as many as the table has room for");

#define PORT_FEAT_RESET 4 /* USB 2.0, table 11-17 */

#define WORTH_AWAITING 4096

enum state {
	/* In these there is no connection: */
	STATE_LOST, /* client_resume awaited */
	STATE_CLOSED,
	/* In these nothing is sent: */
	STATE_CONNECTING,
	STATE_DISCONNECTING, /* client_disconnect */
	/* In these what is in the outbox is sent: */
	STATE_REQUESTED, /* the handover awaited */
	STATE_IMPORTED,
};

struct client {
	struct conn conn;
	const struct client_callbacks *callbacks;
	void *user;
	enum state state;
	struct client_urbs urbs;
	struct handover handover;
	struct replies replies;
};

static void close_with(struct client *c, int error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* For good, or for now. */
static bool is_over(const struct client *c)
{
	return c->state <= STATE_CLOSED;
}

static bool is_open(const struct client *c)
{
	return c->state == STATE_IMPORTED || c->state == STATE_LOST;
}

static void lose(struct client *c, int error, const char *reason)
{
	c->state = STATE_LOST;
	client_urbs_suspend(&c->urbs);
	replies_reset(&c->replies);
	c->callbacks->lost(c->user, error, reason);
}

static void close_with(struct client *c, int error, const char *format, ...)
{
	char reason[256];
	va_list args;

	if (is_over(c))
		return;
	va_start(args, format);
	(void)vsnprintf(reason, sizeof(reason), format, args);
	va_end(args);
	conn_close(&c->conn);
	if (c->urbs.in_session && c->state == STATE_IMPORTED && error != -EPROTO) {
		lose(c, error, reason);
		return;
	}
	c->state = STATE_CLOSED;
	c->callbacks->closed(c->user, error, reason);
}

static void close_protocol(struct client *c, const char *field)
{
	close_with(c, -EPROTO, "the server broke the USB/IP protocol: %s", field);
}

static void close_lost(struct client *c, int error)
{
	/* Which of the two it is depends on whether reading or writing finds out first. */
	if (c->state == STATE_REQUESTED && handover_wants_key(&c->handover))
		close_with(c, -EACCES, "cannot talk to the server: %s", TLS_WANTS_KEY);
	else if (error == -ECONNRESET || error == -EPIPE)
		close_with(c, -ECONNRESET, "the server closed the connection");
	else if (error == -ETIMEDOUT)
		close_with(c, error, "the server does not answer any more");
	else
		close_with(c, error, "the connection to the server failed: %s",
			conn_why(&c->conn, error));
}

static bool flush(void *user)
{
	struct client *c = user;

	client_flush(c);
	return is_open(c);
}

int client_new(const struct conn *conn, const char *busid, const struct client_callbacks *callbacks,
	void *user, struct client **out)
{
	struct client *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	if (handover_init(&c->handover, busid)) {
		free(c);
		return -EINVAL;
	}
	client_urbs_init(&c->urbs);
	replies_init(&c->replies, &c->urbs, flush, c);
	c->conn = *conn;
	c->callbacks = callbacks;
	c->user = user;
	c->state = conn->ready ? STATE_REQUESTED : STATE_CONNECTING;
	outbox_put(&c->urbs.outbox, &c->handover.request);
	*out = c;
	return 0;
}

void client_ask_session(struct client *c, uint32_t hold_s)
{
	handover_ask_session(&c->handover, hold_s);
	c->urbs.in_session = true;
}

void client_set_tap(struct client *c, struct tap *tap)
{
	c->urbs.tap = tap;
}

void client_free(struct client *c)
{
	if (!c)
		return;
	conn_close(&c->conn);
	free(c);
}

int client_fd(const struct client *c)
{
	return c->conn.fd;
}

short client_events(const struct client *c)
{
	if (is_over(c))
		return 0;
	if (c->state == STATE_CONNECTING)
		return conn_events(&c->conn);
	return (short)(outbox_empty(&c->urbs.outbox) ? POLLIN : POLLIN | POLLOUT);
}

/* ---- URBs ---- */

int client_submit(struct client *c, struct client_urb *urb)
{
	return is_open(c) ? client_urbs_submit(&c->urbs, urb) : -ENOTCONN;
}

int client_reset_device(struct client *c, struct client_urb *urb)
{
	const uint8_t setup[8] = {USB_TYPE_CLASS | USB_RECIP_OTHER, USB_REQ_SET_FEATURE,
		PORT_FEAT_RESET, 0, 0, 0, 0, 0};

	memcpy(urb->setup, setup, sizeof(setup));
	urb->length = 0;
	return client_submit(c, urb);
}

void client_unlink(struct client *c, struct client_urb *urb)
{
	if (is_open(c))
		client_urbs_unlink(&c->urbs, urb);
}

void client_abandon(struct client *c)
{
	c->state = STATE_CLOSED;
	client_urbs_abandon(&c->urbs);
}

unsigned client_in_flight(const struct client *c)
{
	return URBTABLE_SIZE - c->urbs.table.num_free;
}

/* ---- the session ---- */

struct conn_info client_link(const struct client *c)
{
	return conn_info(&c->conn);
}

void client_peer(const struct client *c, char *out)
{
	conn_peer(&c->conn, out);
}

uint32_t client_devid(const struct client *c)
{
	return c->urbs.devid;
}

bool client_in_session(const struct client *c)
{
	return c->urbs.in_session && is_open(c);
}

void client_disconnect(struct client *c)
{
	if (is_open(c))
		c->state = STATE_DISCONNECTING;
}

void client_flush(struct client *c)
{
	int r;

	if (c->state < STATE_REQUESTED) {
		if (c->state == STATE_DISCONNECTING)
			close_with(c, -ECONNABORTED, "the camera is taken over once more");
		return;
	}
	r = outbox_flush(&c->urbs.outbox, &c->conn);
	if (r)
		close_lost(c, r);
}

static void receive_handover(struct client *c)
{
	struct usbip_device device;
	const char *why;
	int r = handover_read(&c->handover, &c->conn, &device, &why);

	if (r > 0) {
		c->state = STATE_IMPORTED;
		c->urbs.devid = device.busnum << 16 | (device.devnum & 0xffff);
		c->callbacks->imported(c->user, &device);
	} else if (r < 0 && !why) {
		close_lost(c, r);
	} else if (r == -EPROTO) {
		close_protocol(c, why);
	} else if (r < 0) {
		close_with(c, r, "the server does not hand device %s over: %s",
			handover_busid(&c->handover), why);
	}
}

static void receive_replies(struct client *c)
{
	int r = replies_read(&c->replies, &c->conn);

	if (r && c->replies.broken)
		close_protocol(c, c->replies.broken);
	else if (r)
		close_lost(c, r);
}

void client_dispatch(struct client *c)
{
	if (c->state == STATE_CONNECTING) {
		int r = conn_connect(&c->conn);

		if (r < 0)
			close_with(c, r, "cannot connect to the server: %s", conn_why(&c->conn, r));
		else if (r)
			c->state = STATE_REQUESTED;
		client_flush(c);
		return;
	}
	if (c->state == STATE_REQUESTED)
		receive_handover(c);
	/* What follows it may have come with it. */
	if (!is_over(c) && c->state != STATE_REQUESTED)
		receive_replies(c);
	client_flush(c);
	if (!is_over(c))
		conn_await(&c->conn,
			c->replies.payload < WORTH_AWAITING ? 1 : (int)c->replies.payload);
}

/* ---- the session on another connection ---- */

void client_resumption(const struct client *c, struct usbip_resume *out)
{
	memcpy(out->token, handover_token(&c->handover), sizeof(out->token));
	out->received = c->urbs.received;
	out->first = (uint32_t)c->urbs.first;
}

int client_resume(struct client *c, struct conn *conn, uint32_t received)
{
	if (c->state != STATE_LOST || client_urbs_resume(&c->urbs, received)) {
		conn_close(conn);
		return -EPROTO;
	}
	c->conn = *conn;
	c->state = STATE_IMPORTED;
	for (unsigned i = 0; i < URBTABLE_SIZE && is_open(c); i++)
		client_urbs_settle(&c->urbs, i);
	return 0;
}
