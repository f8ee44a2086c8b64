/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/hosts.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/peer.h"

static struct sockaddr_in address_of(unsigned host, uint16_t port)
{
	return (struct sockaddr_in){.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(0x7f000000u + host)};
}

/* -1: the port is taken there. */
static int listen_at(unsigned host, uint16_t port, int backlog)
{
	struct sockaddr_in address = address_of(host, port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) || listen(fd, backlog)) {
		assert_int_equal(errno, EADDRINUSE);
		close(fd);
		return -1;
	}
	return fd;
}

/* With its queue full the kernel drops each SYN (tcp_conn_request). */
static int fill_queue(unsigned host, uint16_t port)
{
	struct sockaddr_in address = address_of(host, port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static void answer(enum hosts_kind kind, int fd)
{
	static const struct peer_device camera = {"1-1.4", 1, 7, 3, 0x04a9, 0x3218, 0, 1};
	static const uint8_t count[4] = {0, 0, 0, 1}, none[4], interface[4] = {6, 1, 1, 0};
	struct peer p = {.fd = -1};
	uint8_t request[8];

	if (kind == HOSTS_HANGS_UP)
		return;
	if (kind == HOSTS_GARBAGE)
		peer_send(&p, "SSH-2.0-OpenSSH_9.2p1\r\n", 23);
	else
		peer_send_op(&p, 5, 0);
	if (kind == HOSTS_NOTHING)
		peer_send(&p, none, 4);
	if (kind == HOSTS_CAMERA || kind == HOSTS_CUT) {
		peer_send(&p, count, 4);
		peer_send_device(&p, &camera);
		peer_send(&p, interface, kind == HOSTS_CUT ? 3 : 4);
	}
	/* The client may have gone. */
	if (read(fd, request, sizeof(request)) == sizeof(request) &&
		write(fd, p.out, p.out_size) < 0)
		_exit(1);
	peer_fini(&p);
}

static void serve(const struct hosts *h, const struct hosts_host *hosts)
{
	struct pollfd fds[HOSTS_MAX];
	nfds_t n = 0;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (; hosts[n].kind; n++)
		fds[n] = (struct pollfd){
			.fd = hosts[n].kind < HOSTS_SILENT ? h->fds[n] : -1, .events = POLLIN};
	for (;;) {
		(void)poll(fds, n, -1);
		for (nfds_t i = 0; i < n; i++) {
			if (!fds[i].revents)
				continue;
			int fd = accept(fds[i].fd, NULL, NULL);

			answer(hosts[i].kind, fd);
			close(fd);
		}
	}
}

static void close_all(struct hosts *h)
{
	for (unsigned i = 0; i < HOSTS_MAX; i++) {
		if (h->fds[i] >= 0)
			close(h->fds[i]);
		if (h->others[i] >= 0)
			close(h->others[i]);
		h->fds[i] = h->others[i] = -1;
	}
}

/* Whether it is free at all of them. */
static int take(struct hosts *h, const struct hosts_host *hosts, uint16_t port)
{
	for (unsigned i = 0; hosts[i].kind; i++) {
		assert_true(i < HOSTS_MAX);
		h->fds[i] =
			listen_at(hosts[i].address, port, hosts[i].kind == HOSTS_DEAF ? 0 : 256);
		if (h->fds[i] < 0)
			return 0;
		if (hosts[i].kind == HOSTS_DEAF)
			h->others[i] = fill_queue(hosts[i].address, port);
	}
	return 1;
}

void hosts_start(struct hosts *h, const struct hosts_host *hosts)
{
	memset(h, -1, sizeof(*h));
	for (;;) {
		int probe = peer_tcp_port(false, h->port);
		unsigned port;

		close(probe);
		assert_int_equal(sscanf(h->port, "%u", &port), 1);
		if (take(h, hosts, (uint16_t)port))
			break;
		close_all(h);
	}
	(void)fflush(NULL);
	h->pid = fork();
	if (!h->pid)
		serve(h, hosts);
}

void hosts_stop(struct hosts *h)
{
	kill(h->pid, SIGKILL);
	assert_int_equal(waitpid(h->pid, NULL, 0), h->pid);
	close_all(h);
}
