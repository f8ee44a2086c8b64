/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * request: what somebody asks for by a connection before there are URBs (OP_REQ_*), and the reply
 * (OP_REP_*).
 */
#ifndef BRIDGE_REQUEST_H
#define BRIDGE_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bridge/outbox.h"
#include "bridge/usbip.h"

struct devlist_entry;

/* All zeros at first, but `resumable`. */
struct request {
	bool resumable;		      /* sessions may be asked for */
	uint16_t code;		      /* enum usbip_op of what is asked; 0: op_common is awaited */
	struct usbip_session session; /* of an import the busid alone */
	struct usbip_resume resume;
	/* the reply */
	struct outbox_message message;
	uint8_t *payload;
};

/* None of its messages may be in an outbox that is still to be sent. */
void request_fini(struct request *r);

/* Bytes of the record that is awaited, and that record. 1: all has come, of `code`; 0: another is
 * awaited; -EPROTO with *field. */
size_t request_size(const struct request *r);
int request_take(struct request *r, const uint8_t *record, const char **field);

/* What the reply is to carry: these, of which one that cannot be said is left out. False: out of
 * memory. */
bool request_write_list(struct request *r, const struct devlist_entry *entries, unsigned num);

/* The same of the device that is given, and its session's token or NULL. */
bool request_write_device(struct request *r, const struct usbip_device *device,
	const uint8_t token[USBIP_TOKEN_SIZE]);

/* The same after request_write_device: another reply, to an OP_REQ_RESUME of that session. */
void request_write_received(struct request *r, uint32_t received);

/* Replies. Without one of the above, by the status alone. */
void request_reply(struct request *r, enum usbip_status status, struct outbox *out);

#endif
