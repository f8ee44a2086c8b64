/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control: the socket at which a running daemon says how it is. Whoever connects is sent a text and
 * the end; nothing is read. Root may connect, and the group CONTROL_GROUP.
 */
#ifndef BRIDGE_CONTROL_H
#define BRIDGE_CONTROL_H

#include <ev.h>

#define CONTROL_SOCKET "/run/ip2usb/status"
/* Debian's, of those who may use what is plugged in; a Raspberry Pi's first user is in it. */
#define CONTROL_GROUP "plugdev"

struct control {
	struct ev_loop *loop;
	ev_io listener; /* fd -1: there is none */
	const char *path;
	/* To be freed; NULL: out of memory. */
	char *(*text)(void *user);
	void *user;
};

/* 0, or -errno, with which only status is missing: the log says so, and control_close is all the
 * same. `path` must stay. */
int control_open(struct control *c, struct ev_loop *loop, const char *path,
	char *(*text)(void *user), void *user);

void control_close(struct control *c);

#endif
