/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/devlist.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/tls.h"

enum step {
	STEP_CONNECT,
	STEP_REQUEST,
	STEP_REPLY,
	STEP_COUNT,
	STEP_DEVICE,
	STEP_INTERFACE,
	STEP_DONE,
};

void devlist_init(struct devlist *d, const struct conn *conn)
{
	memset(d, 0, sizeof(*d));
	d->conn = *conn;
	d->step = conn->ready ? STEP_REQUEST : STEP_CONNECT;
}

void devlist_fini(struct devlist *d)
{
	conn_close(&d->conn);
	free(d->entries);
	d->entries = NULL;
}

int devlist_fd(const struct devlist *d)
{
	return d->conn.fd;
}

short devlist_events(const struct devlist *d)
{
	if (d->step == STEP_CONNECT)
		return conn_events(&d->conn);
	return d->step == STEP_REQUEST ? POLLOUT : POLLIN;
}

static int send_request(struct devlist *d, const char **why)
{
	struct usbip_op_common op = {.version = USBIP_VERSION, .code = USBIP_OP_REQ_DEVLIST};
	uint8_t request[USBIP_OP_COMMON_SIZE];
	struct iovec iov;
	int n = usbip_put_op_common(request, &op, why);

	if (n)
		return n;
	iov = (struct iovec){request + d->sent, sizeof(request) - d->sent};
	n = conn_writev(&d->conn, &iov, 1);
	if (n < 0)
		return n;
	d->sent += (unsigned)n;
	if (d->sent < sizeof(request))
		return 0;
	d->step = STEP_REPLY;
	return 1;
}

/* A server that is paired answers a request that is not encrypted in its own way. */
static bool wants_key(const struct devlist *d)
{
	return d->step == STEP_REPLY && tls_is_alert(d->record, d->have);
}

static int on_reply(struct devlist *d, const char **why)
{
	struct usbip_op_common op;
	int r = usbip_get_op_common(d->record, &op, why);

	if (r)
		return r;
	if (op.code != USBIP_OP_REP_DEVLIST) {
		*why = "op_common.code: not OP_REP_DEVLIST";
		return -EPROTO;
	}
	if (op.status) {
		*why = usbip_status_str(op.status);
		return -EIO;
	}
	d->step = STEP_COUNT;
	return 0;
}

static int on_count(struct devlist *d, const char **why)
{
	int r = usbip_get_count(d->record, &d->total, why);

	if (r)
		return r;
	d->entries = calloc(d->total ? d->total : 1, sizeof(*d->entries));
	if (!d->entries)
		return -ENOMEM;
	d->step = d->total ? STEP_DEVICE : STEP_DONE;
	return 0;
}

static void next_entry(struct devlist *d)
{
	d->interfaces = 0;
	d->step = ++d->count == d->total ? STEP_DONE : STEP_DEVICE;
}

static int on_device(struct devlist *d, const char **why)
{
	struct usbip_device *device = &d->entries[d->count].device;
	int r = usbip_get_device(d->record, device, why);

	if (r)
		return r;
	if (device->num_interfaces)
		d->step = STEP_INTERFACE;
	else
		next_entry(d);
	return 0;
}

static int on_interface(struct devlist *d)
{
	struct devlist_entry *entry = &d->entries[d->count];

	usbip_get_interface(d->record, &entry->interfaces[d->interfaces]);
	entry->resumable = usbip_get_resumable(d->record);
	if (++d->interfaces == entry->device.num_interfaces)
		next_entry(d);
	return 0;
}

static int on_record(struct devlist *d, const char **why)
{
	switch (d->step) {
	case STEP_REPLY:
		return on_reply(d, why);
	case STEP_COUNT:
		return on_count(d, why);
	case STEP_DEVICE:
		return on_device(d, why);
	default:
		return on_interface(d);
	}
}

static int step(struct devlist *d, const char **why)
{
	static const size_t sizes[] = {
		[STEP_REPLY] = USBIP_OP_COMMON_SIZE,
		[STEP_COUNT] = 4,
		[STEP_DEVICE] = USBIP_DEVICE_SIZE,
		[STEP_INTERFACE] = USBIP_INTERFACE_SIZE,
	};
	int r;

	if (d->step == STEP_CONNECT) {
		r = conn_connect(&d->conn);
		if (r == 1)
			d->step = STEP_REQUEST;
		return r;
	}
	if (d->step == STEP_REQUEST)
		return send_request(d, why);
	r = conn_fill(&d->conn, d->record, sizes[d->step], &d->have);
	if (r && wants_key(d)) {
		*why = TLS_WANTS_KEY;
		return -EACCES;
	}
	if (r <= 0)
		return r;
	d->have = 0;
	r = on_record(d, why);
	return r ? r : 1;
}

int devlist_dispatch(struct devlist *d, const char **why)
{
	int r = 1;

	*why = NULL;
	while (r > 0 && d->step != STEP_DONE)
		r = step(d, why);
	if (r > 0)
		conn_close(&d->conn);
	if (r < 0 && !*why)
		*why = conn_why(&d->conn, r);
	return r;
}

bool devlist_can_resume(const struct devlist *d, const char *busid)
{
	for (uint32_t i = 0; i < d->count; i++) {
		if (!strcmp(d->entries[i].device.busid, busid))
			return d->entries[i].resumable;
	}
	return false;
}
