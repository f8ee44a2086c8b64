/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/resumption.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

enum step {
	STEP_CONNECT,
	STEP_REQUEST,
	STEP_REPLY,
	STEP_DONE,
};

void resumption_init(struct resumption *r, const struct conn *conn, const struct usbip_resume *how)
{
	const struct usbip_op_common op = {.version = USBIP_VERSION, .code = USBIP_OP_REQ_RESUME};
	const char *field;

	memset(r, 0, sizeof(*r));
	r->conn = *conn;
	r->step = conn->ready ? STEP_REQUEST : STEP_CONNECT;
	(void)usbip_put_op_common(r->request, &op, &field);
	usbip_put_resume(r->request + USBIP_OP_COMMON_SIZE, how);
}

void resumption_fini(struct resumption *r)
{
	if (r->step != STEP_DONE)
		conn_close(&r->conn);
}

int resumption_fd(const struct resumption *r)
{
	return r->conn.fd;
}

short resumption_events(const struct resumption *r)
{
	if (r->step == STEP_CONNECT)
		return conn_events(&r->conn);
	return r->step == STEP_REQUEST ? POLLOUT : POLLIN;
}

static int send_request(struct resumption *r)
{
	struct iovec iov = {r->request + r->sent, sizeof(r->request) - r->sent};
	int n = conn_writev(&r->conn, &iov, 1);

	if (n <= 0)
		return n;
	r->sent += (size_t)n;
	if (r->sent == sizeof(r->request))
		r->step = STEP_REPLY;
	return 1;
}

/* No byte more than the reply is read: what follows is the session's. */
static int read_reply(struct resumption *r, const char **why)
{
	struct usbip_op_common op;
	int n = conn_fill(&r->conn, r->reply,
		r->have < USBIP_OP_COMMON_SIZE ? USBIP_OP_COMMON_SIZE : sizeof(r->reply), &r->have);

	if (n <= 0)
		return n;
	n = usbip_get_op_common(r->reply, &op, why);
	if (n)
		return n;
	if (op.code != USBIP_OP_REP_RESUME) {
		*why = "op_common.code: not OP_REP_RESUME";
		return -EPROTO;
	}
	if (op.status) {
		*why = "the server has given the session up";
		return -ENODEV;
	}
	if (r->have < sizeof(r->reply))
		return 1;
	r->received = usbip_get_received(r->reply + USBIP_OP_COMMON_SIZE);
	r->step = STEP_DONE;
	return 1;
}

static int step(struct resumption *r, const char **why)
{
	int n;

	switch (r->step) {
	case STEP_CONNECT:
		n = conn_connect(&r->conn);
		if (n == 1)
			r->step = STEP_REQUEST;
		return n;
	case STEP_REQUEST:
		return send_request(r);
	default:
		return read_reply(r, why);
	}
}

int resumption_dispatch(struct resumption *r, const char **why)
{
	int n = 1;

	*why = NULL;
	while (n > 0 && r->step != STEP_DONE)
		n = step(r, why);
	if (n < 0 && !*why)
		*why = conn_why(&r->conn, n);
	return n;
}
