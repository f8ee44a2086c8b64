/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/handover.h"

#include <errno.h>
#include <string.h>

#include "bridge/conn.h"
#include "bridge/tls.h"

int handover_init(struct handover *h, const char *busid)
{
	const struct usbip_op_common op = {.version = USBIP_VERSION, .code = USBIP_OP_REQ_IMPORT};
	const char *field;

	memset(h, 0, sizeof(*h));
	if (usbip_put_op_common(h->request.header, &op, &field) ||
		usbip_put_busid(h->payload, busid, &field))
		return -EINVAL;
	h->request.header_size = USBIP_OP_COMMON_SIZE;
	h->request.payload = h->payload;
	h->request.payload_size = USBIP_BUSID_SIZE;
	return 0;
}

void handover_ask_session(struct handover *h, uint32_t hold_s)
{
	const struct usbip_op_common op = {.version = USBIP_VERSION, .code = USBIP_OP_REQ_SESSION};
	struct usbip_session session = {.hold_s = hold_s};
	const char *field;

	memcpy(session.busid, h->payload, sizeof(session.busid));
	(void)usbip_put_op_common(h->request.header, &op, &field);
	(void)usbip_put_session(h->payload, &session, &field);
	h->request.payload_size = USBIP_SESSION_SIZE;
	h->of_session = true;
}

bool handover_wants_key(const struct handover *h)
{
	return !h->agreed && tls_is_alert(h->record, h->have);
}

/* -errno of a refusal. */
static int error_of(uint32_t status)
{
	return status == USBIP_ST_DEV_BUSY   ? -EBUSY
		: status == USBIP_ST_NODEV   ? -ENODEV
		: status == USBIP_ST_DEV_ERR ? -EIO
					     : -EAGAIN;
}

static int on_reply(struct handover *h, const char **why)
{
	struct usbip_op_common op;

	if (handover_wants_key(h))
		return -EACCES;
	if (usbip_get_op_common(h->record, &op, why))
		return -EPROTO;
	if (h->of_session && op.code != USBIP_OP_REP_SESSION) {
		*why = "op_common.code: not OP_REP_SESSION";
		return -EPROTO;
	}
	if (!h->of_session && op.code != USBIP_OP_REP_IMPORT) {
		*why = "op_common.code: not OP_REP_IMPORT";
		return -EPROTO;
	}
	if (op.status) {
		*why = usbip_status_str(op.status);
		return error_of(op.status);
	}
	h->agreed = true;
	h->have = 0;
	return 0;
}

static int on_device(const struct handover *h, struct usbip_device *device, const char **why)
{
	if (usbip_get_device(h->record, device, why))
		return -EPROTO;
	if (strncmp(device->busid, handover_busid(h), USBIP_BUSID_SIZE)) {
		*why = "usbip_usb_device.busid: not the one asked for";
		return -EPROTO;
	}
	return 1;
}

static size_t device_size(const struct handover *h)
{
	return USBIP_DEVICE_SIZE + (h->of_session ? USBIP_TOKEN_SIZE : 0);
}

int handover_read(
	struct handover *h, struct conn *conn, struct usbip_device *device, const char **why)
{
	int r;

	*why = NULL;
	if (!h->agreed) {
		r = conn_fill(conn, h->record, USBIP_OP_COMMON_SIZE, &h->have);
		if (r > 0)
			r = on_reply(h, why);
		if (r || !h->agreed)
			return r;
	}
	r = conn_fill(conn, h->record, device_size(h), &h->have);
	return r > 0 ? on_device(h, device, why) : r;
}
