/* SPDX-License-Identifier: GPL-2.0-or-later */
/* listener. With accept4, getsockname and socket wrapped. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "bridge/listener.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static int accept_error;
static bool no_ipv6;
static const char *address; /* the socket's, if it is to be another */

int __real_accept4(int fd, struct sockaddr *peer, socklen_t *size, int flags);
int __wrap_accept4(int fd, struct sockaddr *peer, socklen_t *size, int flags);
int __real_getsockname(int fd, struct sockaddr *out, socklen_t *size);
int __wrap_getsockname(int fd, struct sockaddr *out, socklen_t *size);
int __real_socket(int family, int type, int protocol);
int __wrap_socket(int family, int type, int protocol);

int __wrap_accept4(int fd, struct sockaddr *peer, socklen_t *size, int flags)
{
	if (!accept_error)
		return __real_accept4(fd, peer, size, flags);
	errno = accept_error;
	return -1;
}

int __wrap_socket(int family, int type, int protocol)
{
	if (family != AF_INET6 || !no_ipv6)
		return __real_socket(family, type, protocol);
	errno = EAFNOSUPPORT;
	return -1;
}

int __wrap_getsockname(int fd, struct sockaddr *out, socklen_t *size)
{
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)(void *)out;
	struct sockaddr_in *in = (struct sockaddr_in *)(void *)out;

	if (!address)
		return __real_getsockname(fd, out, size);
	memset(out, 0, *size);
	if (inet_pton(AF_INET, address, &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
	} else {
		memset(out, 0, *size);
		assert_int_equal(inet_pton(AF_INET6, address, &in6->sin6_addr), 1);
		in6->sin6_family = AF_INET6;
	}
	return 0;
}

/* ---- sockets ---- */

static uint16_t port_of(int fd)
{
	struct sockaddr_in6 at;
	socklen_t size = sizeof(at);

	assert_int_equal(__real_getsockname(fd, (struct sockaddr *)(void *)&at, &size), 0);
	return ntohs(at.sin6_port); /* IPv4 has it at the same place */
}

static bool can_connect(const char *host, uint16_t port)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};
	int fd = __real_socket(AF_INET, SOCK_STREAM, 0);
	bool connected;

	assert_int_equal(inet_pton(AF_INET, host, &in.sin_addr), 1);
	connected = !connect(fd, (struct sockaddr *)(void *)&in, sizeof(in));
	close(fd);
	return connected;
}

static void check_flags(int fd)
{
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
}

static void test_socket(void **state)
{
	const char *why = NULL;
	socklen_t size = sizeof(int);
	char port[8];
	int fd, again, reuses;

	(void)state;
	fd = listener_socket("usbip", "127.0.0.1", "0", &why);
	assert_true(fd >= 0);
	check_flags(fd);
	assert_true(can_connect("127.0.0.1", port_of(fd)));
	assert_false(can_connect("127.0.0.2", port_of(fd)));
	(void)snprintf(port, sizeof(port), "%u", port_of(fd));
	assert_int_equal(listener_socket("usbip", "127.0.0.1", port, &why), -EADDRINUSE);
	assert_string_equal(why, strerror(EADDRINUSE));
	close(fd);
	/* What is left of a connection is in nobody's way. */
	again = listener_socket("usbip", "127.0.0.1", port, &why);
	assert_true(again >= 0);
	assert_int_equal(getsockopt(again, SOL_SOCKET, SO_REUSEADDR, &reuses, &size), 0);
	assert_true(reuses);
	close(again);
	assert_int_equal(listener_socket("usbip", "192.0.2.1", "0", &why), -EADDRNOTAVAIL);
	assert_string_equal(why, strerror(EADDRNOTAVAIL));
	assert_true(listener_socket("usbip", "256.1.1.1.", "0", &why) < 0);
	assert_true(*why);
}

/* All addresses: also where there is no IPv6. */
static void test_everywhere(void **state)
{
	(void)state;
	for (int without = 0; without < 2; without++) {
		const char *why = NULL;
		int fd;

		no_ipv6 = without;
		fd = listener_socket("usbip", "", "0", &why);
		assert_true(fd >= 0);
		check_flags(fd);
		assert_true(can_connect("127.0.0.1", port_of(fd)));
		assert_true(can_connect("127.0.0.2", port_of(fd)));
		/* It says nothing; where somebody has come to does. */
		assert_false(listener_is_public(fd));
		close(fd);
	}
	no_ipv6 = false;
}

/* sd_listen_fds(3): descriptors from 3 on, if the process is the one that is meant. */
static void test_handed_over(void **state)
{
	static const struct {
		const char *pid, *fds, *names, *name;
		int is; /* -1: none of them */
	} cases[] = {
		{NULL, "2", "usbip:notices", "usbip", 3},
		{NULL, "2", "usbip:notices", "notices", 4},
		{NULL, "2", "notices:usbip", "usbip", 4},
		{NULL, "1", "usbip", "usbip", 3},
		{NULL, "2", "usbip2:usbip", "usbip", 4},
		{NULL, "2", "x:y", "usbip", -1},
		{NULL, "1", "notices:usbip", "usbip", -1},
		{NULL, "2", "", "usbip", -1},
		{NULL, "0", "usbip", "usbip", -1},
		{"1", "2", "usbip:notices", "usbip", -1},
		{"", "2", "usbip:notices", "usbip", -1},
	};
	int saved[2];

	(void)state;
	for (int i = 0; i < 2; i++) {
		saved[i] = fcntl(3 + i, F_DUPFD_CLOEXEC, 10);
		assert_int_equal(dup2(0, 3 + i), 3 + i);
	}
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *why;
		char pid[16];
		int fd;

		(void)snprintf(pid, sizeof(pid), "%d", (int)getpid());
		setenv("LISTEN_PID", cases[i].pid ? cases[i].pid : pid, 1);
		setenv("LISTEN_FDS", cases[i].fds, 1);
		setenv("LISTEN_FDNAMES", cases[i].names, 1);
		fd = listener_socket(cases[i].name, "127.0.0.1", "0", &why);
		if (cases[i].is >= 0) {
			assert_int_equal(fd, cases[i].is);
			check_flags(fd);
		} else {
			assert_true(fd > 4);
			close(fd);
		}
	}
	unsetenv("LISTEN_PID");
	for (int i = 0; i < 2; i++) {
		if (saved[i] >= 0)
			(void)dup2(saved[i], 3 + i);
		else
			close(3 + i);
		close(saved[i]);
	}
	/* Standard input is what they were. */
	(void)fcntl(0, F_SETFL, fcntl(0, F_GETFL) & ~O_NONBLOCK);
}

static void test_public(void **state)
{
	/* All of them are test_publicaddress'. */
	static const char *const private[] = {"127.0.0.1", "0.0.0.0", "::1", "::"};
	static const char *const public[] = {"1.1.1.1", "2001:db8::1"};
	struct sockaddr_un local = {.sun_family = AF_UNIX};
	int fd = __real_socket(AF_UNIX, SOCK_STREAM, 0);

	(void)state;
	for (size_t i = 0; i < COUNT(private); i++) {
		address = private[i];
		if (listener_is_public(fd))
			fail_msg("%s is public", address);
	}
	for (size_t i = 0; i < COUNT(public); i++) {
		address = public[i];
		if (!listener_is_public(fd))
			fail_msg("%s is not public", address);
	}
	address = NULL;
	assert_int_equal(bind(fd, (struct sockaddr *)(void *)&local, sizeof(sa_family_t)), 0);
	assert_false(listener_is_public(fd));
	close(fd);
	/* Of what nothing is known. */
	assert_true(listener_is_public(-1));
}

/* ---- who connects ---- */

static unsigned accepted;

static void on_accepted(void *user, int fd)
{
	accepted++;
	assert_string_equal(user, "user");
	check_flags(fd);
	close(fd);
}

static void test_accept(void **state)
{
	static const int errors[] = {EMFILE, ENFILE, ENOBUFS, ENOMEM, ECONNABORTED, EAGAIN};
	struct ev_loop *loop = ev_loop_new(0);
	struct listener l;
	const char *why;
	uint16_t port;
	int fd;

	(void)state;
	fd = listener_socket("usbip", "127.0.0.1", "0", &why);
	port = port_of(fd);
	listener_start(&l, loop, fd, on_accepted, (char[]){"user"});
	for (size_t i = 0; i < COUNT(errors); i++) {
		bool rests = i < 4;

		accepted = 0;
		accept_error = errors[i];
		assert_true(can_connect("127.0.0.1", port));
		for (int n = 0; n < 3; n++)
			ev_run(loop, EVRUN_NOWAIT);
		assert_int_equal(accepted, 0);
		/* It would be readable all the time. */
		assert_int_equal(ev_is_active(&l.io), !rests);
		accept_error = 0;
		l.rest.repeat = 0.01;
		if (rests)
			ev_timer_again(loop, &l.rest);
		while (!accepted)
			ev_run(loop, EVRUN_ONCE);
		assert_int_equal(accepted, 1);
		assert_false(ev_is_active(&l.rest));
	}
	/* While it rests. */
	accept_error = EMFILE;
	assert_true(can_connect("127.0.0.1", port));
	ev_run(loop, EVRUN_ONCE);
	listener_stop(&l);
	listener_stop(&l);
	accept_error = 0;
	assert_false(can_connect("127.0.0.1", port));
	assert_false(ev_run(loop, EVRUN_NOWAIT));
	ev_loop_destroy(loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_socket),
		cmocka_unit_test(test_everywhere),
		cmocka_unit_test(test_handed_over),
		cmocka_unit_test(test_public),
		cmocka_unit_test(test_accept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
