/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control: a socket at which a running daemon is asked, and how it is asked there. To connect is to
 * ask; nothing that is sent to it is read.
 */
#ifndef BRIDGE_CONTROL_H
#define BRIDGE_CONTROL_H

#include <stdbool.h>

#include <ev.h>

/* Debian's, of those who may use what is plugged in; a Raspberry Pi's first user is in it. */
#define CONTROL_GROUP "plugdev"

struct control_socket {
	const char *path;
	int type;   /* SOCK_STREAM, SOCK_SEQPACKET */
	bool group; /* CONTROL_GROUP may connect, and not root alone */
};

/* The report, as text, and the end. */
extern const struct control_socket control_status;
/* Records, as tap has them, until somebody closes. */
extern const struct control_socket control_capture;

struct control {
	struct ev_loop *loop;
	ev_io listener; /* fd -1: there is none */
	const struct control_socket *socket;
	void (*connected)(void *user, int fd); /* takes it over; it does not block */
	void *user;
};

/* 0, or -errno, with which only this is missing: the log says so, and control_close is all the
 * same. `socket` must stay. */
int control_open(struct control *c, struct ev_loop *loop, const struct control_socket *socket,
	void (*connected)(void *user, int fd), void *user);

void control_close(struct control *c);

/* Sends `text`, as much of it as a socket takes that was just made, and closes: nobody is waited
 * for. A report has a few KiB, and is taken as one. NULL: nothing. */
void control_answer(int fd, const char *text);

/* Of another process: asks. Returns the connection, or -1 when the log says why not. */
int control_connect(const struct control_socket *socket);

#endif
