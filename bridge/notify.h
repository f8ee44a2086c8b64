/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * notify: how the daemon is, to the service manager that has started it.
 *
 * sd_notify(3)'s protocol: one datagram a message to the socket that NOTIFY_SOCKET names. Without
 * that variable nobody wants to know, and nothing happens. No libsystemd: it may be left out of a
 * build, and a service of Type=notify that does not say READY is killed.
 */
#ifndef BRIDGE_NOTIFY_H
#define BRIDGE_NOTIFY_H

#include <sys/socket.h>
#include <sys/un.h>

#include <ev.h>

struct notify {
	struct ev_loop *loop;
	int fd; /* -1: nobody wants to know */
	struct sockaddr_un address;
	socklen_t address_size;
	ev_timer watchdog;
	char status[700]; /* what was said last, a whole message */
};

/* Reads the environment. Where WATCHDOG_USEC asks for it, the manager is told twice in that time
 * that `loop` turns, which must stay. What cannot be sent is lost, but for the log at debug level.
 */
void notify_init(struct notify *n, struct ev_loop *loop);
void notify_fini(struct notify *n);

/* It is up, or has read its configuration again. */
void notify_ready(const struct notify *n);

/* It begins to read its configuration again. */
void notify_reloading(const struct notify *n);

/* It ends. */
void notify_stopping(const struct notify *n);

/* For people, one line: `reason` may be empty, and what of it is not printable becomes '?'. The
 * same again is not sent. */
void notify_status(struct notify *n, const char *state, const char *reason);

#endif
