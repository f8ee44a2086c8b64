/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * listener: a TCP port that listens; from the service manager, or of its own.
 */
#ifndef BRIDGE_LISTENER_H
#define BRIDGE_LISTENER_H

#include <stdbool.h>

#include <ev.h>

struct listener {
	struct ev_loop *loop;
	ev_io io;
	ev_timer rest; /* no descriptor was left for who connects */
	void (*accepted)(void *user, int fd);
	void *user;
};

/* A listening socket, non-blocking: the one that the service manager has handed over under this
 * name (sd_listen_fds(3), FileDescriptorName=), or a new one at `port` of `host`, which is an
 * address or a name; empty: all addresses, of IPv6 and IPv4. A descriptor, or -errno with *why for
 * people, which stays valid. */
int listener_socket(const char *name, const char *host, const char *port, const char **why);

/* publicaddress_is, of the socket's own address. */
bool listener_is_public(int fd);

/* Takes `fd` over. Who connects is `accepted`, by a descriptor that is its to close. */
void listener_start(struct listener *l, struct ev_loop *loop, int fd,
	void (*accepted)(void *user, int fd), void *user);

void listener_stop(struct listener *l);

#endif
