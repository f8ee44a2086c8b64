/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bridge/log.h"
#include "bridge/publicaddress.h"

#define BACKLOG 16
#define REST_S 1.
#define FIRST_HANDED_OVER 3 /* SD_LISTEN_FDS_START */

/* ---- handed over ---- */

/* The number of descriptors that are meant for us. */
static int num_handed_over(void)
{
	const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");

	return pid && fds && atol(pid) == (long)getpid() ? atoi(fds) : 0;
}

/* -1: none has this name. */
static int handed_over(const char *name)
{
	const char *at = getenv("LISTEN_FDNAMES");
	size_t len = strlen(name);

	for (int i = 0; at && i < num_handed_over(); i++) {
		size_t n = strcspn(at, ":");

		if (n == len && !memcmp(at, name, n)) {
			int fd = FIRST_HANDED_OVER + i;

			(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
			(void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
			return fd;
		}
		at += n + (at[n] == ':');
	}
	return -1;
}

/* ---- made ---- */

static int listen_at(const struct addrinfo *address)
{
	const int yes = 1, no = 0;
	int fd = socket(address->ai_family, address->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC,
		address->ai_protocol);
	int error;

	if (fd < 0)
		return -errno;
	/* What is left of the last one's connections is in nobody's way. */
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	/* "::" is for IPv4 as well, whatever net.ipv6.bindv6only says. */
	if (address->ai_family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof(no));
	if (!bind(fd, address->ai_addr, address->ai_addrlen) && !listen(fd, BACKLOG))
		return fd;
	error = -errno;
	close(fd);
	return error;
}

static int listen_at_any(const char *host, const char *port, int flags, const char **why)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | flags};
	struct addrinfo *addresses;
	int r = getaddrinfo(host, port, &hints, &addresses), fd = -EADDRNOTAVAIL;

	if (r) {
		*why = gai_strerror(r);
		return -EADDRNOTAVAIL;
	}
	for (const struct addrinfo *a = addresses; a && fd < 0; a = a->ai_next)
		fd = listen_at(a);
	freeaddrinfo(addresses);
	if (fd < 0)
		*why = strerror(-fd);
	return fd;
}

int listener_socket(const char *name, const char *host, const char *port, const char **why)
{
	int fd = handed_over(name);

	if (fd >= 0)
		return fd;
	if (*host)
		return listen_at_any(host, port, 0, why);
	fd = listen_at_any("::", port, AI_NUMERICHOST, why);
	/* This machine may have no IPv6. */
	return fd == -EAFNOSUPPORT || fd == -EADDRNOTAVAIL
		? listen_at_any("0.0.0.0", port, AI_NUMERICHOST, why)
		: fd;
}

/* ---- addresses ---- */

bool listener_is_public(int fd)
{
	struct sockaddr_storage address;
	socklen_t size = sizeof(address);

	memset(&address, 0, sizeof(address));
	return getsockname(fd, (struct sockaddr *)&address, &size) || publicaddress_is(&address);
}

/* ---- who connects ---- */

static void on_rested(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct listener *l = timer->data;

	(void)events;
	ev_timer_stop(loop, timer);
	ev_io_start(loop, &l->io);
}

static void on_connect(struct ev_loop *loop, ev_io *io, int events)
{
	struct listener *l = io->data;
	int fd = accept4(io->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	(void)events;
	if (fd >= 0) {
		l->accepted(l->user, fd);
	} else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
		/* It would be readable again at once. */
		log_warning("nobody can connect for now: %s", strerror(errno));
		ev_io_stop(loop, io);
		ev_timer_again(loop, &l->rest);
	}
}

void listener_start(struct listener *l, struct ev_loop *loop, int fd,
	void (*accepted)(void *user, int fd), void *user)
{
	*l = (struct listener){.loop = loop, .accepted = accepted, .user = user};
	ev_io_init(&l->io, on_connect, fd, EV_READ);
	ev_timer_init(&l->rest, on_rested, 0, REST_S);
	l->io.data = l->rest.data = l;
	ev_io_start(loop, &l->io);
}

void listener_stop(struct listener *l)
{
	if (!l->loop)
		return;
	ev_timer_stop(l->loop, &l->rest);
	ev_io_stop(l->loop, &l->io);
	close(l->io.fd);
	l->loop = NULL;
}
