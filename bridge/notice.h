/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * notice: listens where a server announces what is plugged in, if it does: pyusbip-notify's
 * protocol (docs/protocol.md, "Notices"), on a connection of its own that is made again and again.
 *
 * An announcement is a hint, and no more: nothing that is said there is believed of a device.
 * However much of it comes, it costs a read of READ_SIZE bytes each REST_S, and a few attempts a
 * minute.
 */
#ifndef BRIDGE_NOTICE_H
#define BRIDGE_NOTICE_H

#include <stdbool.h>

#include <ev.h>

#include "bridge/backoff.h"
#include "bridge/conn.h"
#include "bridge/noticetext.h"

#define NOTICE_PORT "65432"

struct config;
struct resolver;

/* Both come from the loop; notice_stop may not be called in them. */
struct notice_callbacks {
	/* Something was plugged in that may be the camera: it has its busid, or none is configured.
	 * False: that is of no use just now; it is told again for a second. True: it was of use, as
	 * 3 may be at once, and then one each 10 s; what comes meanwhile is not told. */
	bool (*plugged)(void *user);
	void (*unplugged)(void *user, const char *busid);
};

struct notice {
	struct ev_loop *loop;
	const struct config *config;
	const struct notice_callbacks *callbacks;
	void *user;
	struct resolver *resolver; /* while the server's name is looked up */
	struct conn conn;
	ev_io io;
	ev_timer timer; /* of the pause, of connecting, or until the connection is steady */
	ev_timer rest;	/* until it is read from again, and the next offer */
	struct noticetext text;
	struct backoff backoff; /* of connections, anew since one was steady */
	bool steady;		/* the connection has lasted */
	bool found,
		missed;	 /* what has been said, since one was steady: that there is one; or none */
	unsigned offers; /* of what was announced last, still to be made */
	double spent;	 /* when all uses may be had again, s */
};

/* Starts, unless the configuration says off: to the configured server's port for notices. That
 * there is none is no error, and logged only where the port is configured. `config` and `loop` must
 * stay, and `config` as it is until notice_stop. */
void notice_start(struct notice *n, struct ev_loop *loop, const struct config *config,
	const struct notice_callbacks *callbacks, void *user);

/* Also where it has not been started but is all zeros, and again. */
void notice_stop(struct notice *n);

#endif
