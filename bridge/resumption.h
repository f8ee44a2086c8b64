/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * resumption: asks a server to go on with a session (OP_REQ_RESUME), on a connection that is the
 * session's from then on.
 *
 * Event driven: watch resumption_fd for resumption_events, call resumption_dispatch.
 */
#ifndef BRIDGE_RESUMPTION_H
#define BRIDGE_RESUMPTION_H

#include "bridge/conn.h"
#include "bridge/usbip.h"

struct resumption {
	struct conn conn;  /* for client_resume, when it is done: then not closed here any more */
	uint32_t received; /* by the server: likewise */
	unsigned step;
	size_t sent, have;
	uint8_t request[USBIP_OP_COMMON_SIZE + USBIP_RESUME_SIZE];
	uint8_t reply[USBIP_OP_COMMON_SIZE + 4];
};

/* Takes `conn` over (its struct is copied). */
void resumption_init(struct resumption *r, const struct conn *conn, const struct usbip_resume *how);

/* Closes the connection, but after it is done. */
void resumption_fini(struct resumption *r);

int resumption_fd(const struct resumption *r);
short resumption_events(const struct resumption *r); /* POLLIN or POLLOUT */

/* 1: the session goes on; 0: go on here; -ENODEV: there is no such session any more, -EPROTO: the
 * server broke the protocol, -EACCES: it has another key: there is none to be had here; other
 * -errno of the connection: one may try again. Then *why says what happened, for people. */
int resumption_dispatch(struct resumption *r, const char **why);

#endif
