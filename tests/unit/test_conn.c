/* SPDX-License-Identifier: GPL-2.0-or-later */
/* conn: which port of ours it connects from, and what it tells of the link and its other end. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "bridge/conn.h"

static const struct {
	int family;
	const char *host;
} families[] = {{AF_INET, "127.0.0.1"}, {AF_INET6, "::1"}};

struct server {
	int listener, peer; /* -1: none */
	char port[8];
};

static uint16_t port_of(int fd)
{
	struct sockaddr_in6 address;
	socklen_t size = sizeof(address);

	/* The port is at the same place in both families. */
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	return ntohs(address.sin6_port);
}

/* False: there is no such family here. */
static bool open_server(struct server *s, int family)
{
	struct sockaddr_in6 any6 = {.sin6_family = AF_INET6, .sin6_addr = in6addr_loopback};
	struct sockaddr_in any = {
		.sin_family = AF_INET, .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
	bool is6 = family == AF_INET6;

	s->peer = -1;
	s->listener = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (s->listener < 0 ||
		bind(s->listener, is6 ? (struct sockaddr *)&any6 : (struct sockaddr *)&any,
			is6 ? sizeof(any6) : sizeof(any)))
		return false;
	assert_int_equal(listen(s->listener, 4), 0);
	(void)snprintf(s->port, sizeof(s->port), "%u", port_of(s->listener));
	return true;
}

static void close_server(struct server *s)
{
	if (s->peer >= 0)
		close(s->peer);
	close(s->listener);
}

static void open_conn(struct conn *c, struct server *s, const char *host, uint16_t local_port)
{
	struct pollfd ready = {.events = POLLOUT};
	const char *why = "";

	assert_int_equal(conn_open(c, host, s->port, local_port, &why), 0);
	ready.fd = c->fd;
	assert_int_equal(poll(&ready, 1, 5000), 1);
	assert_int_equal(conn_connect(c), 1);
	if (s->peer >= 0)
		close(s->peer);
	s->peer = accept(s->listener, NULL, NULL);
	assert_true(s->peer >= 0);
}

/* One that is free just now. */
static uint16_t some_port(void)
{
	struct server s;
	uint16_t port;

	assert_true(open_server(&s, AF_INET));
	port = port_of(s.listener);
	close_server(&s);
	return port;
}

static void carries(struct conn *c, struct server *s)
{
	char byte = 'x';
	struct iovec iov = {&byte, 1};

	assert_int_equal(conn_writev(c, &iov, 1), 1);
	byte = 0;
	assert_int_equal(recv(s->peer, &byte, 1, 0), 1);
	assert_int_equal(byte, 'x');
}

/* Again and again, at once. */
static void test_always_the_same(void **state)
{
	uint16_t port = some_port();

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct server s;
		struct conn c;

		if (!open_server(&s, families[i].family)) {
			print_message("%s is not to be had here\n", families[i].host);
			continue;
		}
		for (unsigned round = 0; round < 3; round++) {
			open_conn(&c, &s, families[i].host, port);
			assert_int_equal(port_of(c.fd), port);
			carries(&c, &s);
			conn_close(&c);
		}
		close_server(&s);
	}
}

static void test_taken(void **state)
{
	uint16_t port = some_port();
	struct conn first, second;
	struct server s, other;

	(void)state;
	assert_true(open_server(&s, AF_INET));
	open_conn(&first, &s, "127.0.0.1", port);
	open_conn(&second, &s, "127.0.0.1", port);
	assert_int_not_equal(port_of(second.fd), port);
	carries(&second, &s);
	conn_close(&second);
	/* Somebody listens there. */
	assert_true(open_server(&other, AF_INET));
	open_conn(&second, &s, "127.0.0.1", port_of(other.listener));
	assert_int_not_equal(port_of(second.fd), port_of(other.listener));
	conn_close(&second);
	conn_close(&first);
	close_server(&other);
	close_server(&s);
}

/* As with the next address of one server, while the one that has refused is still open. */
static void test_another_server(void **state)
{
	uint16_t port = some_port();
	struct conn first, second;
	struct server s, other;

	(void)state;
	assert_true(open_server(&s, AF_INET));
	assert_true(open_server(&other, AF_INET));
	open_conn(&first, &s, "127.0.0.1", port);
	open_conn(&second, &other, "127.0.0.1", port);
	assert_int_equal(port_of(first.fd), port);
	assert_int_equal(port_of(second.fd), port);
	conn_close(&second);
	conn_close(&first);
	close_server(&other);
	close_server(&s);
}

static void test_info(void **state)
{
	struct conn_info info;
	struct server s;
	struct conn c;

	(void)state;
	assert_true(open_server(&s, AF_INET));
	open_conn(&c, &s, "127.0.0.1", 0);
	carries(&c, &s);
	info = conn_info(&c);
	assert_in_range(info.rtt_us, 1, 5000000);
	assert_int_equal(info.retransmitted, 0);
	conn_close(&c);
	info = conn_info(&c);
	assert_int_equal(info.rtt_us, 0);
	close_server(&s);
}

static void test_any(void **state)
{
	struct server s;
	struct conn first, second;

	(void)state;
	assert_true(open_server(&s, AF_INET));
	open_conn(&first, &s, "127.0.0.1", 0);
	open_conn(&second, &s, "127.0.0.1", 0);
	assert_int_not_equal(port_of(first.fd), port_of(second.fd));
	conn_close(&first);
	conn_close(&second);
	close_server(&s);
}

/* By which it is connected to again. */
static void test_peer(void **state)
{
	char address[CONN_ADDRESS_SIZE];

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct server s;
		struct conn c;

		if (!open_server(&s, families[i].family)) {
			print_message("%s is not to be had here\n", families[i].host);
			continue;
		}
		open_conn(&c, &s, families[i].host, 0);
		for (unsigned round = 0; round < 2; round++) {
			memset(address, 'x', sizeof(address));
			conn_peer(&c, address);
			assert_string_equal(address, families[i].host);
			conn_close(&c);
			open_conn(&c, &s, address, 0);
			carries(&c, &s);
		}
		conn_close(&c);
		close_server(&s);
	}
}

static int option(const struct conn *c, int level, int name)
{
	int value = -1;
	socklen_t size = sizeof(value);

	assert_int_equal(getsockopt(c->fd, level, name, &value, &size), 0);
	return value;
}

/* A server's end notices the loss of the link as a client's does. */
static void test_adopted(void **state)
{
	struct server s;
	struct conn c, adopted;

	(void)state;
	assert_true(open_server(&s, AF_INET));
	open_conn(&c, &s, "127.0.0.1", 0);
	conn_adopt(&adopted, s.peer);
	s.peer = -1;
	assert_int_equal(option(&adopted, SOL_SOCKET, SO_KEEPALIVE), 1);
	assert_int_equal(option(&adopted, IPPROTO_TCP, TCP_NODELAY), 1);
	assert_int_equal(
		option(&adopted, IPPROTO_TCP, TCP_KEEPIDLE), option(&c, IPPROTO_TCP, TCP_KEEPIDLE));
	assert_int_equal(option(&adopted, IPPROTO_TCP, TCP_USER_TIMEOUT), 5000);
	assert_true(fcntl(adopted.fd, F_GETFL) & O_NONBLOCK);
	conn_close(&adopted);
	conn_close(&c);
	close_server(&s);
}

/* Where there is no other end: nobody has answered, it has been reset, it has been closed. */
static void test_no_peer(void **state)
{
	const struct linger reset = {.l_onoff = 1};
	char address[CONN_ADDRESS_SIZE] = "x", byte;
	struct pollfd gone = {.events = POLLIN};
	struct iovec iov = {&byte, 1};
	struct server s;
	struct conn c;

	(void)state;
	conn_adopt(&c, socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
	conn_peer(&c, address);
	assert_string_equal(address, "");
	conn_close(&c);

	assert_true(open_server(&s, AF_INET));
	open_conn(&c, &s, "127.0.0.1", 0);
	assert_int_equal(setsockopt(s.peer, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)), 0);
	close(s.peer);
	s.peer = -1;
	gone.fd = c.fd;
	assert_int_equal(poll(&gone, 1, 5000), 1);
	assert_true(conn_readv(&c, &iov, 1) < 0);
	address[0] = 'x';
	conn_peer(&c, address);
	assert_string_equal(address, "");

	conn_close(&c);
	address[0] = 'x';
	conn_peer(&c, address);
	assert_string_equal(address, "");
	close_server(&s);
}

/* A socket for both has IPv4's addresses mapped (RFC 4291, 2.5.5.2). */
static void test_mapped_peer(void **state)
{
	struct sockaddr_in6 at = {.sin6_family = AF_INET6};
	socklen_t size = sizeof(at);
	char address[CONN_ADDRESS_SIZE], port[8];
	const char *why;
	int no = 0, listener = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct conn c, accepted;

	(void)state;
	if (listener < 0) {
		print_message("no IPv6 here\n");
		skip();
	}
	assert_int_equal(setsockopt(listener, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof(no)), 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&at, size), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&at, &size), 0);
	(void)snprintf(port, sizeof(port), "%u", ntohs(at.sin6_port));
	assert_int_equal(conn_open(&c, "127.0.0.1", port, 0, &why), 0);
	conn_adopt(&accepted, accept(listener, NULL, NULL));
	conn_peer(&accepted, address);
	assert_string_equal(address, "127.0.0.1");
	conn_close(&accepted);
	conn_close(&c);
	close(listener);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mapped_peer),
		cmocka_unit_test(test_always_the_same),
		cmocka_unit_test(test_taken),
		cmocka_unit_test(test_another_server),
		cmocka_unit_test(test_any),
		cmocka_unit_test(test_info),
		cmocka_unit_test(test_peer),
		cmocka_unit_test(test_adopted),
		cmocka_unit_test(test_no_peer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
