/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/request.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/devlist.h"

#define REPLY 0x7fff /* the code of a reply is its request's without the highest bit */

_Static_assert((USBIP_OP_REQ_DEVLIST & REPLY) == USBIP_OP_REP_DEVLIST, "list");
_Static_assert((USBIP_OP_REQ_IMPORT & REPLY) == USBIP_OP_REP_IMPORT, "import");
_Static_assert((USBIP_OP_REQ_SESSION & REPLY) == USBIP_OP_REP_SESSION, "session");
_Static_assert((USBIP_OP_REQ_RESUME & REPLY) == USBIP_OP_REP_RESUME, "resume");

void request_fini(struct request *r)
{
	free(r->payload);
}

/* ---- what is asked ---- */

size_t request_size(const struct request *r)
{
	switch (r->code) {
	case 0:
		return USBIP_OP_COMMON_SIZE;
	case USBIP_OP_REQ_IMPORT:
		return USBIP_BUSID_SIZE;
	case USBIP_OP_REQ_SESSION:
		return USBIP_SESSION_SIZE;
	default:
		return USBIP_RESUME_SIZE;
	}
}

static int take_op(struct request *r, const uint8_t *record, const char **field)
{
	struct usbip_op_common op;

	if (usbip_get_op_common(record, &op, field))
		return -EPROTO;
	r->code = op.code;
	if (op.code == USBIP_OP_REQ_DEVLIST)
		return 1;
	if (op.code == USBIP_OP_REQ_IMPORT)
		return 0;
	if (r->resumable && (op.code == USBIP_OP_REQ_SESSION || op.code == USBIP_OP_REQ_RESUME))
		return 0;
	*field = "op_common.code: not a request";
	return -EPROTO;
}

int request_take(struct request *r, const uint8_t *record, const char **field)
{
	switch (r->code) {
	case 0:
		return take_op(r, record, field);
	case USBIP_OP_REQ_IMPORT:
		return usbip_get_busid(record, r->session.busid, field) ? -EPROTO : 1;
	case USBIP_OP_REQ_SESSION:
		return usbip_get_session(record, &r->session, field) ? -EPROTO : 1;
	default:
		usbip_get_resume(record, &r->resume);
		return 1;
	}
}

/* ---- the reply ---- */

static uint32_t write_entry(
	const struct request *r, uint8_t *out, const struct devlist_entry *entry)
{
	const char *field;
	uint32_t size = USBIP_DEVICE_SIZE;

	if (usbip_put_device(out, &entry->device, &field))
		return 0;
	for (unsigned n = 0; n < entry->device.num_interfaces; n++) {
		usbip_put_interface(out + size, &entry->interfaces[n]);
		if (r->resumable)
			usbip_put_resumable(out + size);
		size += USBIP_INTERFACE_SIZE;
	}
	return size;
}

bool request_write_list(struct request *r, const struct devlist_entry *entries, unsigned num)
{
	uint32_t size = 4, count = 0;
	const char *field;

	r->payload = malloc(
		size + num * (USBIP_DEVICE_SIZE + USBIP_MAX_INTERFACES * USBIP_INTERFACE_SIZE));
	if (!r->payload)
		return false;
	for (unsigned n = 0; n < num; n++) {
		uint32_t written = write_entry(r, r->payload + size, &entries[n]);

		size += written;
		count += written > 0;
	}
	(void)usbip_put_count(r->payload, count, &field);
	r->message.payload_size = size;
	return true;
}

bool request_write_device(
	struct request *r, const struct usbip_device *device, const uint8_t token[USBIP_TOKEN_SIZE])
{
	const char *field;

	r->payload = malloc(USBIP_DEVICE_SIZE + USBIP_TOKEN_SIZE);
	if (!r->payload || usbip_put_device(r->payload, device, &field))
		return false;
	r->message.payload_size = USBIP_DEVICE_SIZE;
	if (!token)
		return true;
	memcpy(r->payload + USBIP_DEVICE_SIZE, token, USBIP_TOKEN_SIZE);
	r->message.payload_size += USBIP_TOKEN_SIZE;
	return true;
}

void request_write_received(struct request *r, uint32_t received)
{
	usbip_put_received(r->payload, received);
	r->message.payload_size = 4;
	r->code = USBIP_OP_REQ_RESUME;
}

void request_reply(struct request *r, enum usbip_status status, struct outbox *out)
{
	const struct usbip_op_common op = {USBIP_VERSION, r->code & REPLY, status};
	const char *field;

	(void)usbip_put_op_common(r->message.header, &op, &field);
	r->message.header_size = USBIP_OP_COMMON_SIZE;
	r->message.payload = r->payload;
	outbox_put(out, &r->message);
}
