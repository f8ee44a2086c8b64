/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * importer: one connection of somebody who lists or imports devices of this machine, as a server of
 * USB/IP 1.1.1 sees it (docs/protocol.md).
 *
 * Event driven: watch importer_fd for importer_events, call importer_dispatch; call importer_flush
 * once an iteration, so that what has been answered meanwhile leaves in one gathered write.
 */
#ifndef BRIDGE_IMPORTER_H
#define BRIDGE_IMPORTER_H

#include <stdbool.h>

#include "bridge/devlist.h"
#include "bridge/usbip.h"

/* What may be under way: at the device, or answered and not taken by the importer. Who does not
 * take what it is answered is not listened to until it does; who asks for more all the same is let
 * go of. */
#define IMPORTER_MAX_URBS 1024
#define IMPORTER_MAX_BYTES (16u << 20)

/* The most that a session is kept for without a connection, s. */
#define IMPORTER_MAX_HOLD_S 600

struct conn;
struct importer;
struct usbdevice;

struct importer_callbacks {
	/* What it may see, at most USBIP_MAX_DEVICES, in memory that the importer will free; NULL:
	 * out of memory. */
	unsigned (*list)(void *user, struct devlist_entry **entries);
	/* It wants this one: importer_give or importer_refuse is the answer, now or later. */
	void (*import)(void *user, const char *busid);
	/* The connection is closed; the importer may be freed once the device, if it has one, is
	 * closed. `reason` is for people; empty: it has been served. */
	void (*closed)(void *user, const char *reason);
	/* Both or neither, and without them nobody can ask for a session. Its connection is lost,
	 * and closed: URBs and answers wait for importer_resume, or for importer_end. */
	void (*detached)(void *user, const char *reason);
	/* It wants to go on with a session: importer_resume or importer_refuse is the answer. */
	void (*resume)(void *user, const struct usbip_resume *how);
};

/* Takes `conn` over (its struct is copied), ready or not: where it is encrypted (conn_secure),
 * nothing is called but `closed` before who is there has shown that it has the key. NULL: out of
 * memory. */
struct importer *importer_new(
	const struct conn *conn, const struct importer_callbacks *callbacks, void *user);

/* None of its URBs may be at the device. NULL is fine. */
void importer_free(struct importer *i);

int importer_fd(const struct importer *i);
short importer_events(const struct importer *i); /* of poll(2); 0: nothing just now */
void importer_dispatch(struct importer *i);
void importer_flush(struct importer *i);

/* The device is open, and the importer's until that is freed, or the device is closed. */
void importer_give(
	struct importer *i, struct usbdevice *device, const struct usbip_device *description);
void importer_refuse(struct importer *i, enum usbip_status status);

/* Whether this is its session's token. */
bool importer_has_token(const struct importer *i, const uint8_t token[USBIP_TOKEN_SIZE]);

/* How long the session waits for its importer, once that is lost, in s. */
uint32_t importer_hold_s(const struct importer *i);

/* `i` goes on with the connection of `from`, which is closed: as one that has been served. What it
 * may still have of its own is cut off, as the other end has given that up. 0; -EPROTO: this is not
 * its session, and nothing has changed. */
int importer_resume(struct importer *i, struct importer *from, const struct usbip_resume *how);

/* Sends what there is to be sent, and closes: the exporter ends, for example. What is at the device
 * is not waited for, nor answered. */
void importer_end(struct importer *i, const char *reason);

/* The same of a device that is unplugged, or that it may not have any more: what is at it comes
 * back first, and is answered as unplugged (-ESHUTDOWN), so that the importer hears what has
 * happened. */
void importer_unplugged(struct importer *i, const char *reason);

/* It has shown that it has the key, or none is wanted. */
bool importer_is_let_in(const struct importer *i);

/* It has not been given anything yet. */
bool importer_is_new(const struct importer *i);

/* Whose it is, as conn_peer. */
void importer_peer(const struct importer *i, char *out);

#endif
