/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/importer.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "bridge/answers.h"
#include "bridge/conn.h"
#include "bridge/urbpool.h"

#define RX_SIZE 4096
#define RECEIVE_BURST 64 /* reads a dispatch */
#define WORTH_AWAITING 4096
#define NO_ISO_PACKETS 0xffffffffu

enum state {
	/* What is awaited: */
	STATE_KEY,     /* that it is shown */
	STATE_OP,      /* op_common */
	STATE_BUSID,   /* of OP_REQ_IMPORT */
	STATE_SESSION, /* what follows OP_REQ_SESSION */
	STATE_RESUME,  /* likewise OP_REQ_RESUME */
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
	bool unplugged;	  /* likewise: URBs come back first */
	struct usbdevice *device;
	uint32_t devid;
	/* what comes before the URBs */
	enum usbip_op reply; /* to what has been asked */
	struct outbox_message op;
	uint8_t *op_payload;
	/* a session that can be resumed */
	bool in_session;
	uint32_t hold_s;
	uint8_t token[USBIP_TOKEN_SIZE];
	uint32_t next, received; /* its messages: the number of the next, and of those received */
	/* URBs */
	struct urbpool pool;
	struct urbpool_urb *at_device;
	struct answers answers;
	/* in: messages, and data that has come with them */
	uint8_t rx[RX_SIZE];
	size_t rx_at, rx_have;
	bool full;		    /* there is more than may be under way: answers first */
	struct urbpool_urb *rx_urb; /* whose data or packets are awaited */
	uint8_t *rx_to;
	uint32_t rx_payload; /* bytes of them still to come */
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
	conn_close(&i->conn);
	i->callbacks->closed(i->user, reason);
}

static void close_protocol(struct importer *i, const char *field)
{
	close_with(i, "it broke the USB/IP protocol: %s", field);
}

/* Of a connection; of half a message that has come by it nothing is to be known. */
static void cut(struct importer *i)
{
	conn_close(&i->conn);
	answers_cut(&i->answers);
	if (i->rx_urb)
		urbpool_give(&i->pool, i->rx_urb);
	i->rx_urb = NULL;
	i->rx_payload = 0;
	i->rx_at = i->rx_have = 0;
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
	i->state = STATE_OP;
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

static void put_op(struct importer *i, enum usbip_status status)
{
	const struct usbip_op_common op = {USBIP_VERSION, (uint16_t)i->reply, status};
	const char *field;

	(void)usbip_put_op_common(i->op.header, &op, &field);
	i->op.header_size = USBIP_OP_COMMON_SIZE;
	i->op.payload = i->op_payload;
	outbox_put(&i->answers.outbox, &i->op);
}

static uint32_t write_entry(
	const struct importer *i, uint8_t *out, const struct devlist_entry *entry)
{
	const char *field;
	uint32_t size = USBIP_DEVICE_SIZE;

	if (usbip_put_device(out, &entry->device, &field))
		return 0;
	for (unsigned n = 0; n < entry->device.num_interfaces; n++) {
		usbip_put_interface(out + size, &entry->interfaces[n]);
		if (i->callbacks->resume)
			usbip_put_resumable(out + size);
		size += USBIP_INTERFACE_SIZE;
	}
	return size;
}

static bool write_list(struct importer *i, const struct devlist_entry *entries, unsigned num)
{
	uint32_t size = 4, count = 0;
	const char *field;

	i->op_payload = malloc(
		size + num * (USBIP_DEVICE_SIZE + USBIP_MAX_INTERFACES * USBIP_INTERFACE_SIZE));
	if (!i->op_payload)
		return false;
	for (unsigned n = 0; n < num; n++) {
		uint32_t written = write_entry(i, i->op_payload + size, &entries[n]);

		size += written;
		count += written > 0;
	}
	(void)usbip_put_count(i->op_payload, count, &field);
	i->op.payload_size = size;
	return true;
}

static void on_list(struct importer *i)
{
	struct devlist_entry *entries = NULL;
	unsigned num = i->callbacks->list(i->user, &entries);

	if (entries && write_list(i, entries, num)) {
		i->reply = USBIP_OP_REP_DEVLIST;
		put_op(i, USBIP_ST_OK);
		i->state = STATE_ENDING;
	} else {
		close_with(i, "%s", strerror(ENOMEM));
	}
	free(entries);
}

static void on_op(struct importer *i, const uint8_t *record)
{
	bool resumable = i->callbacks->resume;
	struct usbip_op_common op;
	const char *field;

	if (usbip_get_op_common(record, &op, &field))
		close_protocol(i, field);
	else if (op.code == USBIP_OP_REQ_DEVLIST)
		on_list(i);
	else if (op.code == USBIP_OP_REQ_IMPORT)
		i->state = STATE_BUSID;
	else if (op.code == USBIP_OP_REQ_SESSION && resumable)
		i->state = STATE_SESSION;
	else if (op.code == USBIP_OP_REQ_RESUME && resumable)
		i->state = STATE_RESUME;
	else
		close_protocol(i, "op_common.code: not a request");
}

static void ask_for(struct importer *i, const char *busid, enum usbip_op reply)
{
	i->reply = reply;
	i->state = STATE_IMPORTING;
	i->callbacks->import(i->user, busid);
}

static void on_busid(struct importer *i, const uint8_t *record)
{
	char busid[USBIP_BUSID_SIZE];
	const char *field;

	if (usbip_get_busid(record, busid, &field))
		close_protocol(i, field);
	else
		ask_for(i, busid, USBIP_OP_REP_IMPORT);
}

static void on_session(struct importer *i, const uint8_t *record)
{
	struct usbip_session session;
	const char *field;

	if (usbip_get_session(record, &session, &field)) {
		close_protocol(i, field);
		return;
	}
	i->in_session = true;
	i->hold_s = session.hold_s < IMPORTER_MAX_HOLD_S ? session.hold_s : IMPORTER_MAX_HOLD_S;
	ask_for(i, session.busid, USBIP_OP_REP_SESSION);
}

static void on_resume(struct importer *i, const uint8_t *record)
{
	struct usbip_resume how;

	usbip_get_resume(record, &how);
	i->reply = USBIP_OP_REP_RESUME;
	i->state = STATE_IMPORTING;
	i->callbacks->resume(i->user, &how);
}

static bool write_given(struct importer *i, const struct usbip_device *description)
{
	const char *field;

	i->op_payload = malloc(USBIP_DEVICE_SIZE + USBIP_TOKEN_SIZE);
	if (!i->op_payload || usbip_put_device(i->op_payload, description, &field))
		return false;
	i->op.payload_size = USBIP_DEVICE_SIZE;
	if (!i->in_session)
		return true;
	if (getrandom(i->token, sizeof(i->token), 0) != sizeof(i->token))
		return false;
	memcpy(i->op_payload + USBIP_DEVICE_SIZE, i->token, sizeof(i->token));
	i->op.payload_size += USBIP_TOKEN_SIZE;
	return true;
}

void importer_give(
	struct importer *i, struct usbdevice *device, const struct usbip_device *description)
{
	if (i->state != STATE_IMPORTING)
		return;
	i->device = device;
	i->devid = description->busnum << 16 | (description->devnum & 0xffff);
	if (!write_given(i, description)) {
		close_with(i, "%s", strerror(ENOMEM));
		return;
	}
	i->answers.kept = i->in_session;
	put_op(i, USBIP_ST_OK);
	i->state = STATE_URBS;
}

void importer_refuse(struct importer *i, enum usbip_status status)
{
	if (i->state != STATE_IMPORTING)
		return;
	put_op(i, status);
	i->state = STATE_ENDING;
}

/* ---- URBs ---- */

/* It has not been at the device, or is not any more. */
static void answer(struct importer *i, struct urbpool_urb *u)
{
	if (i->state == STATE_CLOSED) {
		urbpool_give(&i->pool, u);
		return;
	}
	if (i->unplugged && !u->unlinking && u->at_device.status == -ECONNRESET)
		u->at_device.status = -ESHUTDOWN;
	answers_put(&i->answers, u);
}

static void on_done(struct usbdevice_urb *at)
{
	struct urbpool_urb *u = at->user;

	*u->link = u->next;
	if (u->next)
		u->next->link = u->link;
	answer(u->importer, u);
}

/* A control request whose setup packet says another way than its header has no data that would be
 * meant: what the buffer has had in it before would go to the device, or to the importer. */
static bool is_of_two_minds(const struct urbpool_urb *u)
{
	const struct usbdevice_urb *at = &u->at_device;

	return !at->endpoint && at->length && u->in != (at->buffer[0] >> 7);
}

static void submit(struct importer *i, struct urbpool_urb *u)
{
	int r = is_of_two_minds(u) ? -EINVAL : usbdevice_submit(i->device, &u->at_device);

	if (r) {
		u->at_device.status = r;
		u->at_device.actual = u->at_device.num_errors = 0;
		/* Nobody has looked at them. */
		for (unsigned n = 0; n < u->at_device.num_packets; n++)
			u->packets[n].actual_length = 0;
		answer(i, u);
		return;
	}
	u->next = i->at_device;
	u->link = &i->at_device;
	if (u->next)
		u->next->link = &u->next;
	i->at_device = u;
}

static void message_came(struct importer *i)
{
	i->received = ++i->next;
}

/* All of a CMD_SUBMIT has come. */
static void on_submit(struct importer *i, struct urbpool_urb *u)
{
	const uint8_t *packets = u->buffer + USBDEVICE_SETUP_SIZE + u->at_device.length;
	const char *field;

	message_came(i);
	for (unsigned n = 0; n < u->at_device.num_packets; n++) {
		if (!usbip_get_iso_packet(
			    packets + n * USBIP_ISO_PACKET_SIZE, &u->packets[n], &field))
			continue;
		urbpool_give(&i->pool, u);
		close_protocol(i, field);
		return;
	}
	submit(i, u);
}

static void init_urb(struct importer *i, struct urbpool_urb *u, const struct usbip_header *h)
{
	const struct usbip_cmd_submit *cmd = &h->u.cmd_submit;
	struct usbdevice_urb *at = &u->at_device;

	u->importer = i;
	u->seqnum = h->seqnum;
	u->in = h->direction == USBIP_DIR_IN;
	at->endpoint = (uint8_t)(h->ep | (h->ep && u->in ? 0x80 : 0));
	at->buffer = u->buffer + (h->ep ? USBDEVICE_SETUP_SIZE : 0);
	at->length = cmd->transfer_buffer_length;
	at->flags = cmd->transfer_flags;
	at->num_packets = cmd->number_of_packets == NO_ISO_PACKETS ? 0 : cmd->number_of_packets;
	at->packets = u->packets;
	at->num_errors = 0;
	at->done = on_done;
	at->user = u;
	memcpy(u->buffer, cmd->setup, USBDEVICE_SETUP_SIZE);
}

static int close_full(struct importer *i)
{
	close_with(i, "it has more than %d URBs or %u MiB under way", IMPORTER_MAX_URBS,
		IMPORTER_MAX_BYTES >> 20);
	return -ENOBUFS;
}

/*
 * 1: go on; 0: not before answers have gone; -errno.
 *
 * In a session nothing comes of waiting: what would make room is said in the messages that wait.
 * And there answers to unlinks that came too late are kept, beside which there may be as many URBs
 * as ever.
 */
static int may_submit(struct importer *i, uint32_t bytes)
{
	unsigned urbs = i->pool.num_used - (i->in_session ? i->answers.num_late : 0);

	if (urbs < IMPORTER_MAX_URBS && i->pool.bytes_used + bytes <= IMPORTER_MAX_BYTES)
		return 1;
	if (!i->in_session && !outbox_empty(&i->answers.outbox))
		return 0;
	return close_full(i);
}

/* The same for an unlink that is too late. These wait for nothing but the socket, so that who
 * unlinks is never too much; in a session they wait to be acknowledged, and there is none of which
 * the URB's successor could have been answered before. */
static int may_unlink(struct importer *i)
{
	if (i->in_session)
		return i->answers.num_late < IMPORTER_MAX_URBS ? 1 : close_full(i);
	return i->pool.num_used < 2 * IMPORTER_MAX_URBS || outbox_empty(&i->answers.outbox);
}

static bool on_cmd_submit(struct importer *i, const struct usbip_header *h)
{
	const struct usbip_cmd_submit *cmd = &h->u.cmd_submit;
	unsigned packets = cmd->number_of_packets == NO_ISO_PACKETS ? 0 : cmd->number_of_packets;
	uint32_t length = cmd->transfer_buffer_length, wire = packets * USBIP_ISO_PACKET_SIZE;
	bool out = h->direction == USBIP_DIR_OUT;
	struct urbpool_urb *u;

	if (may_submit(i, length) <= 0)
		return false;
	u = urbpool_take(&i->pool, USBDEVICE_SETUP_SIZE + length + wire, packets);
	if (!u) {
		close_with(i, "%s", strerror(ENOMEM));
		return false;
	}
	init_urb(i, u, h);
	i->rx_payload = wire + (out ? length : 0);
	i->rx_to = u->buffer + USBDEVICE_SETUP_SIZE + (out ? 0 : length);
	if (i->rx_payload)
		i->rx_urb = u;
	else
		on_submit(i, u);
	return true;
}

static struct urbpool_urb *find(const struct importer *i, uint32_t seqnum)
{
	for (struct urbpool_urb *u = i->at_device; u; u = u->next) {
		if (u->seqnum == seqnum && !u->unlinking)
			return u;
	}
	return NULL;
}

static bool on_cmd_unlink(struct importer *i, const struct usbip_header *h)
{
	struct urbpool_urb *u = find(i, h->u.cmd_unlink.seqnum);

	if (u) {
		message_came(i);
		u->unlinking = true;
		u->unlink_seqnum = h->seqnum;
		usbdevice_cancel(&u->at_device);
		return true;
	}
	/* It has been answered already, or there was none. */
	if (may_unlink(i) <= 0)
		return false;
	u = urbpool_take(&i->pool, 0, 0);
	if (!u) {
		close_with(i, "%s", strerror(ENOMEM));
		return false;
	}
	message_came(i);
	answers_put_unlinked(&i->answers, u, h->seqnum);
	return true;
}

/* False: it has to stay where it is for now, or the connection is closed. */
static bool on_header(struct importer *i, const uint8_t *record)
{
	struct usbip_header h;
	const char *field;

	if (usbip_get_header(record, &h, &field)) {
		close_protocol(i, field);
		return false;
	}
	if (h.command != USBIP_CMD_SUBMIT && h.command != USBIP_CMD_UNLINK) {
		close_protocol(i, "usbip_header_basic.command: not a request");
		return false;
	}
	if (i->in_session ? answers_acknowledge(&i->answers, h.devid) : h.devid != i->devid) {
		close_protocol(i,
			i->in_session ? "usbip_header_basic.devid: more than has been sent"
				      : "usbip_header_basic.devid: not the imported device's");
		return false;
	}
	return h.command == USBIP_CMD_SUBMIT ? on_cmd_submit(i, &h) : on_cmd_unlink(i, &h);
}

/* ---- in ---- */

static bool is_connected(const struct importer *i)
{
	return i->state != STATE_DETACHED && i->state != STATE_CLOSED;
}

static bool is_listening(const struct importer *i)
{
	return i->state > STATE_KEY && i->state <= STATE_URBS && !i->full &&
		!(i->state == STATE_URBS && usbdevice_is_busy(i->device));
}

static void payload_came(struct importer *i, uint32_t bytes)
{
	struct urbpool_urb *u = i->rx_urb;

	i->rx_to += bytes;
	i->rx_payload -= bytes;
	if (i->rx_payload)
		return;
	i->rx_urb = NULL;
	on_submit(i, u);
}

static bool on_record(struct importer *i, const uint8_t *record)
{
	switch (i->state) {
	case STATE_OP:
		on_op(i, record);
		return true;
	case STATE_BUSID:
		on_busid(i, record);
		return true;
	case STATE_SESSION:
		on_session(i, record);
		return true;
	case STATE_RESUME:
		on_resume(i, record);
		return true;
	default:
		return on_header(i, record);
	}
}

/* One message, or a part of one's payload, of what has come. False: nothing more can be done. */
static bool take(struct importer *i)
{
	const uint8_t *at = i->rx + i->rx_at;
	size_t left = i->rx_have - i->rx_at, record;
	static const size_t sizes[] = {
		[STATE_OP] = USBIP_OP_COMMON_SIZE,
		[STATE_BUSID] = USBIP_BUSID_SIZE,
		[STATE_SESSION] = USBIP_SESSION_SIZE,
		[STATE_RESUME] = USBIP_RESUME_SIZE,
		[STATE_URBS] = USBIP_HEADER_SIZE,
	};

	if (!is_listening(i))
		return false;
	if (i->rx_payload) {
		uint32_t part = left < i->rx_payload ? (uint32_t)left : i->rx_payload;

		memcpy(i->rx_to, at, part);
		i->rx_at += part;
		if (part)
			payload_came(i, part);
		return part > 0;
	}
	record = sizes[i->state];
	if (left < record)
		return false;
	if (!on_record(i, at)) {
		i->full = i->state == STATE_URBS;
		return false;
	}
	i->rx_at += record;
	return true;
}

static void take_all(struct importer *i)
{
	while (take(i))
		;
}

/* One readv: the rest of a payload straight to where it belongs, and what follows it. True when
 * there may be more. */
static bool receive(struct importer *i)
{
	uint32_t awaited = i->rx_payload;
	struct iovec iov[2];
	size_t room = awaited;
	int parts = 0, n;

	memmove(i->rx, i->rx + i->rx_at, i->rx_have - i->rx_at);
	i->rx_have -= i->rx_at;
	i->rx_at = 0;
	if (awaited)
		iov[parts++] = (struct iovec){i->rx_to, awaited};
	iov[parts++] = (struct iovec){i->rx + i->rx_have, RX_SIZE - i->rx_have};
	room += RX_SIZE - i->rx_have;
	n = conn_readv(&i->conn, iov, parts);
	if (n <= 0) {
		if (n)
			close_lost(i, n);
		return false;
	}
	if ((uint32_t)n > awaited)
		i->rx_have += (size_t)n - awaited;
	if (awaited)
		payload_came(i, (uint32_t)n < awaited ? (uint32_t)n : awaited);
	take_all(i);
	return (size_t)n == room && is_listening(i);
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
	answers_init(&i->answers, &i->pool);
	if (conn->ready)
		let_in(i);
	return i;
}

void importer_free(struct importer *i)
{
	if (!i)
		return;
	conn_close(&i->conn);
	if (i->rx_urb)
		urbpool_give(&i->pool, i->rx_urb);
	answers_fini(&i->answers);
	urbpool_fini(&i->pool);
	free(i->op_payload);
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
		(outbox_empty(&i->answers.outbox) ? 0 : POLLOUT));
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
		conn_await(&i->conn, i->rx_payload < WORTH_AWAITING ? 1 : (int)i->rx_payload);
}

void importer_flush(struct importer *i)
{
	int r = is_connected(i) ? outbox_flush(&i->answers.outbox, &i->conn) : 0;

	if (r) {
		close_lost(i, r);
		return;
	}
	answers_sent(&i->answers);
	/* What waited for that, or for a call of the device. */
	i->full = false;
	take_all(i);
	drain(i);
	if (i->state == STATE_ENDING && outbox_empty(&i->answers.outbox) &&
		!(i->unplugged && i->at_device))
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
	bool waits = from->rx_have - from->rx_at == USBIP_RESUME_SIZE;

	if (!importer_has_token(i, how->token) || from->state != STATE_IMPORTING || !waits ||
		!answers_may_go_on_after(&i->answers, how->received))
		return -EPROTO;
	cut(i);
	i->conn = from->conn;
	memset(&from->conn, 0, sizeof(from->conn));
	from->conn.fd = -1;
	close_with(from, "%s", "");
	i->state = STATE_URBS;
	i->next = how->first;
	(void)answers_acknowledge(&i->answers, how->received);
	usbip_put_received(i->op_payload, i->received);
	i->op.payload_size = 4;
	i->reply = USBIP_OP_REP_RESUME;
	put_op(i, USBIP_ST_OK);
	answers_again(&i->answers);
	return 0;
}

void importer_end(struct importer *i, const char *reason)
{
	if (i->state == STATE_DETACHED)
		close_with(i, "%s", reason);
	if (i->state == STATE_CLOSED)
		return;
	(void)snprintf(i->reason, sizeof(i->reason), "%s", reason);
	i->unplugged = false;
	i->state = STATE_ENDING;
}

void importer_unplugged(struct importer *i, const char *reason)
{
	importer_end(i, reason);
	if (i->state == STATE_CLOSED)
		return;
	i->unplugged = true;
	for (struct urbpool_urb *u = i->at_device; u; u = u->next)
		usbdevice_cancel(&u->at_device);
}

bool importer_is_let_in(const struct importer *i)
{
	return i->let_in;
}

void importer_peer(const struct importer *i, char *out)
{
	conn_peer(&i->conn, out);
}
