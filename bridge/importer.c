/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/importer.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "bridge/conn.h"
#include "bridge/inbox.h"
#include "bridge/request.h"
#include "bridge/urbs.h"

#define RECEIVE_BURST 64 /* reads a dispatch */
#define WORTH_AWAITING 4096

enum state {
	/* What is awaited: */
	STATE_KEY,     /* that it is shown */
	STATE_REQUEST, /* what it asks for */
	STATE_URBS,
	/* In these nothing is read: */
	STATE_IMPORTING, /* importer_give, importer_refuse or importer_resume is awaited */
	STATE_DETACHED,	 /* importer_resume is awaited */
	STATE_ENDING,	 /* closed when all has gone */
	STATE_CLOSED,
};

struct importer {
	struct conn conn;
	const struct importer_callbacks *callbacks;
	void *user;
	enum state state;
	bool let_in;	  /* it is past KEY */
	char reason[160]; /* of ENDING */
	struct request request;
	/* a session that can be resumed */
	bool in_session;
	uint32_t hold_s;
	uint8_t token[USBIP_TOKEN_SIZE];
	struct inbox inbox;
	bool full; /* there is more than may be under way: answers first */
	struct urbs urbs;
};

static void close_with(struct importer *i, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void close_with(struct importer *i, const char *format, ...)
{
	char reason[sizeof(i->reason)];
	va_list args;

	if (i->state == STATE_CLOSED)
		return;
	va_start(args, format);
	(void)vsnprintf(reason, sizeof(reason), format, args);
	va_end(args);
	i->state = STATE_CLOSED;
	i->urbs.over = true;
	conn_close(&i->conn);
	i->callbacks->closed(i->user, reason);
}

static void close_protocol(struct importer *i, const char *field)
{
	close_with(i, "it broke the USB/IP protocol: %s", field);
}

/* What urbs_take says; `field` of -EPROTO. */
static void close_refused(struct importer *i, int error, const char *field)
{
	if (error == -EPROTO)
		close_protocol(i, field);
	else if (error == -ENOBUFS)
		close_with(i, "it has more than %d URBs or %u MiB under way", IMPORTER_MAX_URBS,
			IMPORTER_MAX_BYTES >> 20);
	else
		close_with(i, "%s", strerror(-error));
}

static void cut(struct importer *i)
{
	conn_close(&i->conn);
	urbs_cut(&i->urbs);
	inbox_cut(&i->inbox);
	i->full = false;
}

static void close_lost(struct importer *i, int error)
{
	char reason[100];

	if (error == -ECONNRESET || error == -EPIPE)
		(void)snprintf(reason, sizeof(reason), "it closed the connection");
	else if (error == -ETIMEDOUT)
		(void)snprintf(reason, sizeof(reason), "it does not answer any more");
	else
		(void)snprintf(reason, sizeof(reason), "the connection failed: %s",
			conn_why(&i->conn, error));
	if (!i->in_session || i->state != STATE_URBS) {
		close_with(i, "%s", reason);
		return;
	}
	cut(i);
	i->state = STATE_DETACHED;
	i->callbacks->detached(i->user, reason);
}

/* ---- the key ---- */

static void let_in(struct importer *i)
{
	i->let_in = true;
	i->state = STATE_REQUEST;
}

static void look_at_key(struct importer *i)
{
	int r = conn_connect(&i->conn);

	if (r < 0)
		close_with(i, "%s", conn_why(&i->conn, r));
	else if (r)
		let_in(i);
}

/* ---- what comes before the URBs ---- */

static void reply(struct importer *i, enum usbip_status status)
{
	request_reply(&i->request, status, &i->urbs.answers.outbox);
}

static void on_list(struct importer *i)
{
	struct devlist_entry *entries = NULL;
	unsigned num = i->callbacks->list(i->user, &entries);

	if (entries && request_write_list(&i->request, entries, num)) {
		reply(i, USBIP_ST_OK);
		i->state = STATE_ENDING;
	} else {
		close_with(i, "%s", strerror(ENOMEM));
	}
	free(entries);
}

static void on_request(struct importer *i, const uint8_t *record)
{
	struct request *q = &i->request;
	const char *field;
	int r = request_take(q, record, &field);

	if (r < 0)
		close_protocol(i, field);
	if (r <= 0)
		return;
	if (q->code == USBIP_OP_REQ_DEVLIST) {
		on_list(i);
		return;
	}
	i->state = STATE_IMPORTING;
	if (q->code == USBIP_OP_REQ_RESUME) {
		i->callbacks->resume(i->user, &q->resume);
		return;
	}
	i->in_session = q->code == USBIP_OP_REQ_SESSION;
	if (i->in_session)
		i->hold_s = q->session.hold_s < IMPORTER_MAX_HOLD_S ? q->session.hold_s
								    : IMPORTER_MAX_HOLD_S;
	i->callbacks->import(i->user, q->session.busid);
}

static bool write_given(struct importer *i, const struct usbip_device *description)
{
	if (!i->in_session)
		return request_write_device(&i->request, description, NULL);
	return getrandom(i->token, sizeof(i->token), 0) == sizeof(i->token) &&
		request_write_device(&i->request, description, i->token);
}

void importer_give(
	struct importer *i, struct usbdevice *device, const struct usbip_device *description)
{
	if (i->state != STATE_IMPORTING)
		return;
	i->urbs.device = device;
	i->urbs.devid = description->busnum << 16 | (description->devnum & 0xffff);
	if (!write_given(i, description)) {
		close_with(i, "%s", strerror(ENOMEM));
		return;
	}
	i->urbs.answers.kept = i->in_session;
	reply(i, USBIP_ST_OK);
	i->state = STATE_URBS;
}

void importer_refuse(struct importer *i, enum usbip_status status)
{
	if (i->state != STATE_IMPORTING)
		return;
	reply(i, status);
	i->state = STATE_ENDING;
}

/* ---- in ---- */

static bool is_connected(const struct importer *i)
{
	return i->state != STATE_DETACHED && i->state != STATE_CLOSED;
}

static bool is_listening(const struct importer *i)
{
	return i->state > STATE_KEY && i->state <= STATE_URBS && !i->full &&
		!(i->state == STATE_URBS && usbdevice_is_busy(i->urbs.device));
}

static void payload_came(struct importer *i)
{
	const char *field;

	if (!i->inbox.payload && urbs_arrived(&i->urbs, &field))
		close_protocol(i, field);
}

/* False: it has to stay where it is for now, or the connection is closed. */
static bool on_message(struct importer *i, const uint8_t *record)
{
	const char *field;
	int r = urbs_take(&i->urbs, record, &i->inbox, &field);

	if (r < 0)
		close_refused(i, r, field);
	i->full = !r;
	return r > 0;
}

/* One message, or a part of one's payload, of what has come. False: nothing more can be done. */
static bool take(struct importer *i)
{
	const uint8_t *record;
	size_t size;

	if (!is_listening(i))
		return false;
	if (i->inbox.payload) {
		if (!inbox_fill(&i->inbox))
			return false;
		payload_came(i);
		return true;
	}
	size = i->state == STATE_URBS ? USBIP_HEADER_SIZE : request_size(&i->request);
	record = inbox_record(&i->inbox, size);
	if (!record)
		return false;
	if (i->state != STATE_URBS)
		on_request(i, record);
	else if (!on_message(i, record))
		return false;
	inbox_skip(&i->inbox, size);
	return true;
}

static void take_all(struct importer *i)
{
	while (take(i))
		;
}

/* One readv. True when there may be more. */
static bool receive(struct importer *i)
{
	bool awaited = i->inbox.payload, more;
	int n = inbox_receive(&i->inbox, &i->conn, &more);

	if (n <= 0) {
		if (n)
			close_lost(i, n);
		return false;
	}
	if (awaited)
		payload_came(i);
	take_all(i);
	return more && is_listening(i);
}

static void on_done(struct usbdevice_urb *at)
{
	struct urbpool_urb *u = at->user;

	urbs_done(&u->importer->urbs, u);
}

/* ---- for the exporter ---- */

struct importer *importer_new(
	const struct conn *conn, const struct importer_callbacks *callbacks, void *user)
{
	struct importer *i = calloc(1, sizeof(*i));

	if (!i)
		return NULL;
	i->conn = *conn;
	i->callbacks = callbacks;
	i->user = user;
	i->request.resumable = callbacks->resume;
	i->urbs.max_urbs = IMPORTER_MAX_URBS;
	i->urbs.max_bytes = IMPORTER_MAX_BYTES;
	i->urbs.importer = i;
	i->urbs.done = on_done;
	urbs_init(&i->urbs);
	if (conn->ready)
		let_in(i);
	return i;
}

void importer_free(struct importer *i)
{
	if (!i)
		return;
	conn_close(&i->conn);
	urbs_fini(&i->urbs);
	request_fini(&i->request);
	free(i);
}

int importer_fd(const struct importer *i)
{
	return i->conn.fd;
}

short importer_events(const struct importer *i)
{
	if (!is_connected(i))
		return 0;
	if (i->state == STATE_KEY)
		return conn_events(&i->conn);
	return (short)((is_listening(i) ? POLLIN : 0) |
		(outbox_empty(&i->urbs.answers.outbox) ? 0 : POLLOUT));
}

/* What has been taken from the socket, which therefore wakes nobody: one record at most. */
static void drain(struct importer *i)
{
	while (is_listening(i) && conn_drain(&i->conn) && receive(i))
		;
}

void importer_dispatch(struct importer *i)
{
	if (i->state == STATE_KEY)
		look_at_key(i);
	/* What waited for a call of the device may fill all of `rx`. */
	take_all(i);
	/* Bounded, so that a fast one does not keep the others from their turn. */
	for (int n = 0; n < RECEIVE_BURST && is_listening(i) && receive(i); n++)
		;
	importer_flush(i);
	if (i->let_in && is_connected(i))
		conn_await(&i->conn, i->inbox.payload < WORTH_AWAITING ? 1 : (int)i->inbox.payload);
}

void importer_flush(struct importer *i)
{
	int r = is_connected(i) ? outbox_flush(&i->urbs.answers.outbox, &i->conn) : 0;

	if (r) {
		close_lost(i, r);
		return;
	}
	answers_sent(&i->urbs.answers);
	/* What waited for that, or for a call of the device. */
	i->full = false;
	take_all(i);
	drain(i);
	if (i->state == STATE_ENDING && outbox_empty(&i->urbs.answers.outbox) &&
		!(i->urbs.unplugged && i->urbs.at_device))
		close_with(i, "%s", i->reason);
}

bool importer_is_new(const struct importer *i)
{
	return i->state != STATE_URBS && i->state != STATE_DETACHED;
}

/* ---- a session, on another connection ---- */

bool importer_has_token(const struct importer *i, const uint8_t token[USBIP_TOKEN_SIZE])
{
	unsigned differs = !i->in_session || importer_is_new(i);

	for (unsigned n = 0; n < USBIP_TOKEN_SIZE; n++)
		differs |= (unsigned)(token[n] ^ i->token[n]);
	return !differs;
}

uint32_t importer_hold_s(const struct importer *i)
{
	return i->hold_s;
}

int importer_resume(struct importer *i, struct importer *from, const struct usbip_resume *how)
{
	bool waits = inbox_left(&from->inbox) == USBIP_RESUME_SIZE;

	if (!importer_has_token(i, how->token) || from->state != STATE_IMPORTING || !waits ||
		!answers_may_go_on_after(&i->urbs.answers, how->received))
		return -EPROTO;
	cut(i);
	i->conn = from->conn;
	memset(&from->conn, 0, sizeof(from->conn));
	from->conn.fd = -1;
	close_with(from, "%s", "");
	i->state = STATE_URBS;
	i->urbs.next = how->first;
	(void)answers_acknowledge(&i->urbs.answers, how->received);
	request_write_received(&i->request, i->urbs.received);
	reply(i, USBIP_ST_OK);
	answers_again(&i->urbs.answers);
	return 0;
}

void importer_end(struct importer *i, const char *reason)
{
	if (i->state == STATE_DETACHED)
		close_with(i, "%s", reason);
	if (i->state == STATE_CLOSED)
		return;
	(void)snprintf(i->reason, sizeof(i->reason), "%s", reason);
	i->urbs.unplugged = false;
	i->state = STATE_ENDING;
}

void importer_unplugged(struct importer *i, const char *reason)
{
	importer_end(i, reason);
	if (i->state != STATE_CLOSED)
		urbs_unplug(&i->urbs);
}

bool importer_is_let_in(const struct importer *i)
{
	return i->let_in;
}

void importer_peer(const struct importer *i, char *out)
{
	conn_peer(&i->conn, out);
}
