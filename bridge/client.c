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
#include "bridge/resend.h"
#include "bridge/tap.h"
#include "bridge/tls.h"
#include "bridge/urbtable.h"

_Static_assert(CLIENT_MAX_URBS == URBTABLE_SIZE, "as many as the table has room for");

#define PORT_FEAT_RESET 4 /* USB 2.0, table 11-17 */

#define SCRATCH_SIZE 4096
#define RECEIVE_BURST 64 /* messages a dispatch */
#define WORTH_AWAITING 4096

enum state {
	/* In these there is no connection: */
	STATE_LOST, /* client_resume awaited */
	STATE_CLOSED,
	/* In these nothing is sent: */
	STATE_CONNECTING,
	STATE_DISCONNECTING, /* client_disconnect */
	/* In these what is in the outbox is sent: */
	STATE_REQUESTED, /* op_common of OP_REP_IMPORT, or OP_REP_SESSION, awaited */
	STATE_DEVICE,	 /* its usbip_usb_device awaited, and its token */
	STATE_IMPORTED,
};

struct client {
	struct conn conn;
	const struct client_callbacks *callbacks;
	void *user;
	enum state state;
	uint32_t devid;
	struct urbtable urbs;
	struct outbox outbox;
	struct tap *tap; /* NULL: nobody can ask for copies */
	/* in: a record (header or op message), then perhaps payload */
	uint8_t rx[USBIP_DEVICE_SIZE + USBIP_TOKEN_SIZE];
	size_t rx_have;
	struct client_urb *rx_urb; /* whose payload is awaited; NULL: it goes to scratch */
	uint32_t rx_payload;	   /* bytes of payload still to come */
	uint8_t *rx_at;
	/* OP_REQ_IMPORT; or OP_REQ_SESSION, of a longer payload that begins the same */
	struct outbox_message import;
	uint8_t busid[USBIP_SESSION_SIZE];
	/* a session that may be resumed; messages are counted from its start */
	bool in_session;
	uint8_t token[USBIP_TOKEN_SIZE];
	uint32_t received;
	uint64_t next;	   /* the number of the message that is put next */
	uint64_t first;	   /* LOST: `next` then */
	uint64_t accepted; /* that the server is known to have received */
	uint8_t scratch[SCRATCH_SIZE];
};

static void close_with(struct client *c, int error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* For good, or for now. */
static bool is_over(const struct client *c)
{
	return c->state <= STATE_CLOSED;
}

/* Of half a message that has come nothing is known: it comes again. */
static void lose(struct client *c, int error, const char *reason)
{
	c->state = STATE_LOST;
	c->first = c->next;
	c->rx_have = 0;
	c->rx_payload = 0;
	c->rx_urb = NULL;
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
	if (c->in_session && c->state == STATE_IMPORTED && error != -EPROTO) {
		lose(c, error, reason);
		return;
	}
	c->state = STATE_CLOSED;
	c->callbacks->closed(c->user, error, reason);
}

/* ---- copies ---- */

static bool urb_is_in(const struct client_urb *urb)
{
	return urb->endpoint ? urb->endpoint & 0x80 : (urb->setup[0] & 0x80) && urb->length;
}

void client_set_tap(struct client *c, struct tap *tap)
{
	c->tap = tap;
}

static bool is_tapped(const struct client *c)
{
	return c->tap && c->tap->num_readers;
}

/* What passes with the submission, or when it is done: OUT data then, IN data now. */
static void tap_urb(const struct client *c, const struct client_urb *urb, bool done)
{
	bool in = urb_is_in(urb);

	tap_put(c->tap,
		&(struct tap_event){
			.type = done ? URB_COMPLETE : URB_SUBMIT,
			.seqnum = urb->seqnum,
			.devid = c->devid,
			.endpoint = urb->endpoint | (in ? USB_DIR_IN : 0),
			.setup = done || urb->endpoint ? NULL : urb->setup,
			.data = done == in ? urb->buffer : NULL,
			.length = done ? urb->actual : urb->length,
			.status = urb->status,
			.interval = urb->interval,
			.flags = urb->flags,
		});
}

/* A server that is paired answers a request that is not encrypted in its own way, of which `have`
 * bytes have come. */
static bool close_unpaired(struct client *c, size_t have)
{
	if (c->state != STATE_REQUESTED || !tls_is_alert(c->rx, have))
		return false;
	close_with(c, -EACCES, "cannot talk to the server: %s", TLS_WANTS_KEY);
	return true;
}

static void close_protocol(struct client *c, const char *field)
{
	close_with(c, -EPROTO, "the server broke the USB/IP protocol: %s", field);
}

static void close_lost(struct client *c, int error)
{
	/* Which of the two it is depends on whether reading or writing finds out first. */
	if (close_unpaired(c, c->rx_have))
		return;
	if (error == -ECONNRESET || error == -EPIPE)
		close_with(c, -ECONNRESET, "the server closed the connection");
	else if (error == -ETIMEDOUT)
		close_with(c, error, "the server does not answer any more");
	else
		close_with(c, error, "the connection to the server failed: %s",
			conn_why(&c->conn, error));
}

int client_new(const struct conn *conn, const char *busid, const struct client_callbacks *callbacks,
	void *user, struct client **out)
{
	struct usbip_op_common op = {.version = USBIP_VERSION, .code = USBIP_OP_REQ_IMPORT};
	const char *field;
	struct client *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return -ENOMEM;
	outbox_init(&c->outbox);
	urbtable_init(&c->urbs);
	r = usbip_put_op_common(c->import.header, &op, &field);
	if (!r)
		r = usbip_put_busid(c->busid, busid, &field);
	if (r) {
		free(c);
		return -EINVAL;
	}
	c->conn = *conn;
	c->callbacks = callbacks;
	c->user = user;
	c->state = conn->ready ? STATE_REQUESTED : STATE_CONNECTING;
	c->import.header_size = USBIP_OP_COMMON_SIZE;
	c->import.payload = c->busid;
	c->import.payload_size = USBIP_BUSID_SIZE;
	outbox_put(&c->outbox, &c->import);
	*out = c;
	return 0;
}

void client_ask_session(struct client *c, uint32_t hold_s)
{
	const struct usbip_op_common op = {.version = USBIP_VERSION, .code = USBIP_OP_REQ_SESSION};
	struct usbip_session session = {.hold_s = hold_s};
	const char *field;

	memcpy(session.busid, c->busid, sizeof(session.busid));
	(void)usbip_put_op_common(c->import.header, &op, &field);
	(void)usbip_put_session(c->busid, &session, &field);
	c->import.payload_size = USBIP_SESSION_SIZE;
	c->in_session = true;
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
	return (short)(outbox_empty(&c->outbox) ? POLLIN : POLLIN | POLLOUT);
}

/* ---- import ---- */

static void on_import_reply(struct client *c)
{
	struct usbip_op_common op;
	const char *field;

	if (close_unpaired(c, USBIP_OP_COMMON_SIZE))
		return;
	if (usbip_get_op_common(c->rx, &op, &field)) {
		close_protocol(c, field);
	} else if (c->in_session && op.code != USBIP_OP_REP_SESSION) {
		close_protocol(c, "op_common.code: not OP_REP_SESSION");
	} else if (!c->in_session && op.code != USBIP_OP_REP_IMPORT) {
		close_protocol(c, "op_common.code: not OP_REP_IMPORT");
	} else if (op.status) {
		int error = op.status == USBIP_ST_DEV_BUSY ? -EBUSY
			: op.status == USBIP_ST_NODEV	   ? -ENODEV
			: op.status == USBIP_ST_DEV_ERR	   ? -EIO
							   : -EAGAIN;

		close_with(c, error, "the server does not hand device %s over: %s",
			(const char *)c->busid, usbip_status_str(op.status));
	} else {
		c->state = STATE_DEVICE;
	}
}

static void on_import_device(struct client *c)
{
	struct usbip_device device;
	const char *field;

	if (usbip_get_device(c->rx, &device, &field)) {
		close_protocol(c, field);
	} else if (strncmp(device.busid, (const char *)c->busid, USBIP_BUSID_SIZE)) {
		close_protocol(c, "usbip_usb_device.busid: not the one asked for");
	} else {
		c->state = STATE_IMPORTED;
		c->devid = device.busnum << 16 | (device.devnum & 0xffff);
		memcpy(c->token, c->rx + USBIP_DEVICE_SIZE, sizeof(c->token));
		c->callbacks->imported(c->user, &device);
	}
}

/* ---- URBs, out ---- */

static bool is_open(const struct client *c)
{
	return c->state == STATE_IMPORTED || c->state == STATE_LOST;
}

/* What is in its place in a session: how many messages have come. */
static uint32_t devid(const struct client *c)
{
	return c->in_session ? c->received : c->devid;
}

static void put(struct client *c, struct outbox_message *m)
{
	m->number = c->next++;
	outbox_put(&c->outbox, m);
}

int client_submit(struct client *c, struct client_urb *urb)
{
	bool in = urb_is_in(urb);
	struct usbip_header h = {
		.command = USBIP_CMD_SUBMIT,
		.devid = devid(c),
		.direction = in ? USBIP_DIR_IN : USBIP_DIR_OUT,
		.ep = urb->endpoint & 0x0f,
		.u.cmd_submit =
			{
				.transfer_flags = urb->flags,
				.transfer_buffer_length = urb->length,
				.interval = urb->interval,
			},
	};
	const char *field;

	if (!is_open(c))
		return -ENOTCONN;
	if (!urb->endpoint)
		memcpy(h.u.cmd_submit.setup, urb->setup, sizeof(urb->setup));
	h.seqnum = urbtable_put(&c->urbs, urb, in);
	if (!h.seqnum)
		return -ENOBUFS;
	if (usbip_put_header(urb->submit.header, &h, &field)) {
		urbtable_remove(&c->urbs, h.seqnum);
		return -EINVAL;
	}
	urb->seqnum = h.seqnum;
	urb->unlinking = urb->answered = false;
	urb->submit.header_size = USBIP_HEADER_SIZE;
	urb->submit.payload = urb->buffer;
	urb->submit.payload_size = in ? 0 : urb->length;
	put(c, &urb->submit);
	if (is_tapped(c))
		tap_urb(c, urb, false);
	return 0;
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
	struct usbip_header h = {
		.command = USBIP_CMD_UNLINK,
		.seqnum = urbtable_unlink_seqnum(urb->seqnum),
		.devid = devid(c),
		.u.cmd_unlink.seqnum = urb->seqnum,
	};
	const char *field;

	if (!is_open(c) || !urb->seqnum || urb->unlinking)
		return;
	urb->unlinking = true;
	(void)usbip_put_header(urb->unlink.header, &h, &field);
	urb->unlink.header_size = USBIP_HEADER_SIZE;
	urb->unlink.payload_size = 0;
	put(c, &urb->unlink);
}

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
	return c->devid;
}

bool client_in_session(const struct client *c)
{
	return c->in_session && is_open(c);
}

unsigned client_in_flight(const struct client *c)
{
	return URBTABLE_SIZE - c->urbs.num_free;
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
	r = outbox_flush(&c->outbox, &c->conn);
	if (r)
		close_lost(c, r);
}

/* ---- URBs, in ---- */

static void give_back(const struct client *c, struct client_urb *urb)
{
	if (is_tapped(c))
		tap_urb(c, urb, true);
	urb->seqnum = 0;
	urb->done(urb, urb->status, urb->actual);
}

void client_abandon(struct client *c)
{
	c->state = STATE_CLOSED;
	for (unsigned i = 0; i < URBTABLE_SIZE; i++) {
		struct client_urb *urb = urbtable_take(&c->urbs, i);

		if (!urb)
			continue;
		urb->status = -ENOTCONN;
		urb->actual = 0;
		give_back(c, urb);
	}
}

/* RET_SUBMIT and its payload have been read; NULL: of no URB any more. While an unlink is under way
 * the URB need not wait for the RET_UNLINK, but as long as the message is in the queue. */
static void submit_answered(struct client *c, struct client_urb *urb)
{
	c->received++;
	if (!urb)
		return;
	urb->answered = true;
	if (!urb->unlinking) {
		urbtable_remove(&c->urbs, urb->seqnum);
		give_back(c, urb);
		return;
	}
	client_flush(c);
	if (is_open(c) && !urb->unlink.queued) {
		urbtable_remove_answered(&c->urbs, urb->seqnum);
		give_back(c, urb);
	}
}

static void on_ret_submit(struct client *c, const struct usbip_header *h)
{
	const struct usbip_ret_submit *ret = &h->u.ret_submit;
	struct client_urb *urb = urbtable_find(&c->urbs, h->seqnum);
	uint32_t length = urb ? urb->length : 0;
	const char *field;

	if (urb ? urb->answered : !urbtable_take_late(&c->urbs, h->seqnum, &length)) {
		close_protocol(c, "usbip_header_basic.seqnum: of no URB that is in flight");
		return;
	}
	/* Seqnums can be guessed. A URB that were given back now would leave its message in the
	 * queue. */
	if (urb && urb->submit.queued) {
		close_protocol(c, "usbip_header_basic.seqnum: of a URB that has not been sent");
		return;
	}
	if (usbip_check_reply(ret, length, 0, &field)) {
		close_protocol(c, field);
		return;
	}
	if (urb) {
		urb->status = ret->status;
		urb->actual = ret->actual_length;
	}
	if (urbtable_is_in(h->seqnum) && ret->actual_length) {
		c->rx_urb = urb;
		c->rx_at = urb ? urb->buffer : NULL;
		c->rx_payload = ret->actual_length;
	} else {
		submit_answered(c, urb);
	}
}

static void on_ret_unlink(struct client *c, const struct usbip_header *h)
{
	struct client_urb *urb = urbtable_find_unlink(&c->urbs, h->seqnum);

	if (urbtable_take_late_unlink(&c->urbs, h->seqnum)) {
		c->received++;
		return;
	}
	if (!urb || !urb->unlinking) {
		close_protocol(c, "usbip_header_basic.seqnum: of no unlink that is in flight");
		return;
	}
	if (urb->unlink.queued) {
		close_protocol(c, "usbip_header_basic.seqnum: of an unlink that has not been sent");
		return;
	}
	c->received++;
	if (urb->answered) {
		urbtable_remove(&c->urbs, urb->seqnum);
	} else {
		urbtable_remove_unlinked(&c->urbs, urb->seqnum, urb->length);
		/* Also for status 0: it completed in between, and its data has been dropped
		 * (stub_complete). */
		urb->status = -ECONNRESET;
		urb->actual = 0;
	}
	give_back(c, urb);
}

static void on_header(struct client *c)
{
	struct usbip_header h;
	const char *field;

	if (usbip_get_header(c->rx, &h, &field))
		close_protocol(c, field);
	else if (h.command == USBIP_RET_SUBMIT)
		on_ret_submit(c, &h);
	else if (h.command == USBIP_RET_UNLINK)
		on_ret_unlink(c, &h);
	else
		close_protocol(c, "usbip_header_basic.command: not a reply");
}

static size_t record_size(const struct client *c)
{
	/* As a rule. */
	if (c->state == STATE_IMPORTED)
		return USBIP_HEADER_SIZE;
	if (c->state == STATE_REQUESTED)
		return USBIP_OP_COMMON_SIZE;
	if (c->state == STATE_DEVICE)
		return USBIP_DEVICE_SIZE + (c->in_session ? USBIP_TOKEN_SIZE : 0);
	return USBIP_HEADER_SIZE;
}

static void on_record(struct client *c)
{
	c->rx_have = 0;
	if (c->state == STATE_REQUESTED)
		on_import_reply(c);
	else if (c->state == STATE_DEVICE)
		on_import_device(c);
	else
		on_header(c);
}

/* `n` bytes have come: first what was missing of the payload, then of the record. */
static void received(struct client *c, size_t n)
{
	if (c->rx_payload) {
		size_t part = n < c->rx_payload ? n : c->rx_payload;

		/* What no URB wants any more goes to scratch, over and over. */
		if (c->rx_urb)
			c->rx_at += part;
		c->rx_payload -= (uint32_t)part;
		n -= part;
		if (!c->rx_payload)
			submit_answered(c, c->rx_urb);
	}
	if (is_over(c))
		return;
	c->rx_have += n;
	if (!c->rx_payload && c->rx_have == record_size(c))
		on_record(c);
}

/* One readv: the rest of a payload straight into its URB, and the header that follows it. True when
 * there may be more. */
static bool receive(struct client *c)
{
	bool scrap = c->rx_payload && !c->rx_urb;
	struct iovec iov[2];
	size_t room = 0;
	int parts = 0, n;

	if (c->rx_payload)
		iov[parts++] = (struct iovec){scrap ? c->scratch : c->rx_at,
			scrap && c->rx_payload > SCRATCH_SIZE ? SCRATCH_SIZE : c->rx_payload};
	if (!scrap || c->rx_payload <= SCRATCH_SIZE)
		iov[parts++] = (struct iovec){c->rx + c->rx_have, record_size(c) - c->rx_have};
	for (int i = 0; i < parts; i++)
		room += iov[i].iov_len;
	n = conn_readv(&c->conn, iov, parts);
	if (n < 0)
		close_lost(c, n);
	else if (n)
		received(c, (size_t)n);
	return n > 0 && (size_t)n == room && !is_over(c);
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
	/* Bounded, so that a fast server does not keep the phone's side from its turn; but for what
	 * the socket would not wake us for. */
	for (int i = 0; !is_over(c) && receive(c);)
		if (++i >= RECEIVE_BURST && !conn_drain(&c->conn))
			break;
	client_flush(c);
	if (!is_over(c))
		conn_await(&c->conn, c->rx_payload < WORTH_AWAITING ? 1 : (int)c->rx_payload);
}

/* ---- the session on another connection ---- */

void client_resumption(const struct client *c, struct usbip_resume *out)
{
	memcpy(out->token, c->token, sizeof(out->token));
	out->received = c->received;
	out->first = (uint32_t)c->first;
}

/* What waits for an answer is with the server if it has come there, and else is sent again; an
 * unlink of what has been answered meanwhile is of no use to anybody. */
static void send_again(struct client *c)
{
	struct resend again = {0};

	outbox_init(&c->outbox);
	for (unsigned i = 0; i < URBTABLE_SIZE; i++) {
		struct client_urb *urb = c->urbs.entries[i].urb;

		if (!urb)
			continue;
		urb->submit.queued = urb->unlink.queued = false;
		if (!urb->answered && urb->submit.number >= c->accepted)
			resend_add(&again, &urb->submit);
		if (!urb->answered && urb->unlinking && urb->unlink.number >= c->accepted)
			resend_add(&again, &urb->unlink);
	}
	c->next = c->first;
	resend_put(&again, &c->next, &c->outbox);
}

/* Those that waited only for their unlink to leave. */
static void give_answered_back(struct client *c, uint64_t until)
{
	for (unsigned i = 0; i < URBTABLE_SIZE && is_open(c); i++) {
		struct client_urb *urb = c->urbs.entries[i].urb;

		if (!urb || !urb->answered || urb->unlink.number < until)
			continue;
		urbtable_remove(&c->urbs, urb->seqnum);
		give_back(c, urb);
	}
}

int client_resume(struct client *c, struct conn *conn, uint32_t received)
{
	uint32_t lacking = (uint32_t)c->first - received;

	if (c->state != STATE_LOST || lacking > c->first - c->accepted) {
		conn_close(conn);
		return -EPROTO;
	}
	c->accepted = c->first - lacking;
	c->conn = *conn;
	c->state = STATE_IMPORTED;
	send_again(c);
	give_answered_back(c, c->accepted);
	return 0;
}
