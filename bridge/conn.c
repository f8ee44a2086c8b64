/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/conn.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bridge/tls.h"

static void set_option(int fd, int level, int name, int value)
{
	/* Every option is an improvement that the link works without. */
	(void)setsockopt(fd, level, name, &value, sizeof(value));
}

static void set_options(int fd)
{
	set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
	set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, 2);
	set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, 1);
	set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, 3);
	set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, 5000);
}

static void bind_port(int fd, int family, uint16_t port)
{
	const struct linger reset = {.l_onoff = 1};
	struct sockaddr_in6 any6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(port)};

	set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	/* Where it is taken, any other will do. */
	if (family == AF_INET6)
		(void)bind(fd, (struct sockaddr *)&any6, sizeof(any6));
	else
		(void)bind(fd, (struct sockaddr *)&any, sizeof(any));
}

/* A descriptor, or -errno. */
static int start(const struct addrinfo *address, uint16_t local_port)
{
	int fd = socket(address->ai_family, address->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC,
		address->ai_protocol);
	int error;

	if (fd < 0)
		return -errno;
	set_options(fd);
	if (local_port)
		bind_port(fd, address->ai_family, local_port);
	if (connect(fd, address->ai_addr, address->ai_addrlen) == 0 || errno == EINPROGRESS)
		return fd;
	error = -errno;
	close(fd);
	return error;
}

/* Starts on the next address that lets itself be started on. */
static int start_next(struct conn *c, int error)
{
	for (; c->next; c->next = c->next->ai_next) {
		int fd = start(c->next, c->local_port);

		if (fd == -EADDRNOTAVAIL && c->local_port)
			fd = start(c->next, 0);
		if (fd >= 0) {
			c->next = c->next->ai_next;
			c->fd = fd;
			return 0;
		}
		error = fd;
	}
	return error;
}

int conn_start(struct conn *c, struct addrinfo *addresses, uint16_t local_port, const char **why)
{
	int r;

	memset(c, 0, sizeof(*c));
	c->fd = -1;
	c->local_port = local_port;
	c->addresses = c->next = addresses;
	r = start_next(c, -EHOSTUNREACH);
	if (r) {
		*why = strerror(-r);
		conn_close(c);
	}
	return r;
}

int conn_open(
	struct conn *c, const char *host, const char *port, uint16_t local_port, const char **why)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *addresses;
	int r = getaddrinfo(host, port, &hints, &addresses);

	if (!r)
		return conn_start(c, addresses, local_port, why);
	memset(c, 0, sizeof(*c));
	c->fd = -1;
	*why = gai_strerror(r);
	return r == EAI_SYSTEM ? -errno : -EHOSTUNREACH;
}

void conn_adopt(struct conn *c, int fd)
{
	memset(c, 0, sizeof(*c));
	c->fd = fd;
	c->linked = c->ready = true;
	set_options(fd);
	(void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

int conn_secure(struct conn *c, const struct tls_context *context)
{
	int r = tls_new(context, &c->tls);

	if (r)
		return r;
	c->ready = false;
	return 0;
}

short conn_events(const struct conn *c)
{
	return c->linked && c->tls ? tls_events(c->tls) : POLLOUT;
}

/* As conn_connect, up to the handshake. */
static int link_up(struct conn *c)
{
	int error = 0, failed = c->fd;
	socklen_t size = sizeof(error);

	if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
		error = errno;
	if (!error) {
		c->linked = true;
		freeaddrinfo(c->addresses);
		c->addresses = c->next = NULL;
		return 1;
	}
	c->fd = -1;
	error = start_next(c, -error);
	/* Only now, so that the next one has another number: by that alone whoever watches it can
	 * tell, and epoll has forgotten this one by itself (epoll(7)). */
	close(failed);
	return error;
}

int conn_connect(struct conn *c)
{
	int r = c->linked ? 1 : link_up(c);

	if (r == 1 && c->tls)
		r = tls_handshake(c->tls, c->fd);
	c->ready = r == 1;
	return r;
}

const char *conn_why(const struct conn *c, int error)
{
	const char *why = c->tls ? tls_why(c->tls) : NULL;

	return why ? why : strerror(-error);
}

static int outcome(ssize_t n)
{
	if (n >= 0)
		return n > INT_MAX ? INT_MAX : (int)n;
	return errno == EAGAIN || errno == EINTR ? 0 : -errno;
}

int conn_readv(struct conn *c, const struct iovec *iov, int n)
{
	ssize_t got;

	if (c->tls)
		return tls_readv(c->tls, iov, n);
	got = readv(c->fd, iov, n);
	return got == 0 ? -ECONNRESET : outcome(got);
}

int conn_writev(struct conn *c, const struct iovec *iov, int n)
{
	struct msghdr message = {.msg_iov = (struct iovec *)iov, .msg_iovlen = (size_t)n};

	if (c->tls)
		return tls_writev(c->tls, iov, n);
	return outcome(sendmsg(c->fd, &message, MSG_NOSIGNAL));
}

int conn_fill(struct conn *c, void *buf, size_t need, size_t *have)
{
	while (*have < need) {
		struct iovec iov = {(char *)buf + *have, need - *have};
		int n = conn_readv(c, &iov, 1);

		if (n <= 0)
			return n;
		*have += (size_t)n;
	}
	return 1;
}

bool conn_drain(struct conn *c)
{
	return c->tls && tls_drain(c->tls);
}

void conn_await(struct conn *c, int bytes)
{
	if (c->awaited == bytes)
		return;
	if (c->tls) {
		tls_await(c->tls);
		return;
	}
	set_option(c->fd, SOL_SOCKET, SO_RCVLOWAT, bytes);
	c->awaited = bytes;
}

void conn_peer(const struct conn *c, char out[CONN_ADDRESS_SIZE])
{
	union {
		struct sockaddr any;
		struct sockaddr_in6 in6;
		struct sockaddr_storage room;
	} address;
	socklen_t size = sizeof(address);

	if (getpeername(c->fd, &address.any, &size) ||
		getnameinfo(&address.any, size, out, CONN_ADDRESS_SIZE, NULL, 0, NI_NUMERICHOST)) {
		*out = '\0';
		return;
	}
	/* As people know it, also where a socket for both has accepted it. */
	if (address.any.sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&address.in6.sin6_addr))
		(void)inet_ntop(
			AF_INET, &address.in6.sin6_addr.s6_addr[12], out, CONN_ADDRESS_SIZE);
}

struct conn_info conn_info(const struct conn *c)
{
	struct tcp_info info;
	socklen_t size = sizeof(info);

	memset(&info, 0, sizeof(info));
	(void)getsockopt(c->fd, IPPROTO_TCP, TCP_INFO, &info, &size);
	return (struct conn_info){info.tcpi_rtt, info.tcpi_total_retrans};
}

void conn_close(struct conn *c)
{
	tls_free(c->tls);
	if (c->fd >= 0)
		close(c->fd);
	if (c->addresses)
		freeaddrinfo(c->addresses);
	memset(c, 0, sizeof(*c));
	c->fd = -1;
}
