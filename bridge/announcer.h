/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * announcer: tells who listens what is plugged in here: the server's side of pyusbip-notify's
 * protocol (docs/protocol.md, "Notices"; the client's is notice).
 *
 * Whoever connects is bounded in what it costs, and nobody waits for it: so many clients, a line
 * each half second, and a queue of two lines a device at most. A client that is behind is not told
 * of what has come and gone before its turn.
 */
#ifndef BRIDGE_ANNOUNCER_H
#define BRIDGE_ANNOUNCER_H

#include <stdbool.h>

#include <ev.h>

#include "bridge/usbip.h"

#define ANNOUNCER_MAX_CLIENTS 16

struct announcer_client;

struct announcer {
	struct ev_loop *loop;
	int listener;
	ev_io io;
	ev_timer rest;						 /* until the next try to accept */
	bool full_told, failed_told;				 /* in the log */
	struct announcer_client *clients[ANNOUNCER_MAX_CLIENTS]; /* the oldest first */
	unsigned num_clients;
	char busids[USBIP_MAX_DEVICES][USBIP_BUSID_SIZE]; /* what is plugged in */
	unsigned num_busids;
};

/* Takes over `listener`, a stream socket that listens and does not block. `loop` must stay, and `a`
 * where it is. Who connects has 10 s for its hello; when there are ANNOUNCER_MAX_CLIENTS the oldest
 * that has not said it yet has to go, and where all have, the new one. */
void announcer_init(struct announcer *a, struct ev_loop *loop, int listener);

/* Closes all connections. */
void announcer_fini(struct announcer *a);

/* A device is there, or not any more; everyone who has said hello is told, unless it is known
 * already. A client that does not read for 10 s is closed. -EINVAL: this is no busid. -ENOSPC:
 * USBIP_MAX_DEVICES are there already, and nobody is told of this one. */
int announcer_plugged(struct announcer *a, const char *busid);
void announcer_unplugged(struct announcer *a, const char *busid);

#endif
