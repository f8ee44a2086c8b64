/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/tlsgate.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "bridge/conn.h"
#include "bridge/tls.h"
#include "tests/unit/peer.h"

#define PATIENCE_S 30 /* then it is no more */
#define PATIENCE_MS 5000

static void wait_for(int fd, short events)
{
	struct pollfd p = {.fd = fd, .events = events};

	if (poll(&p, 1, PATIENCE_MS) != 1)
		_exit(100);
}

static bool let_in(struct conn *client)
{
	int r = 0;

	while (!r) {
		wait_for(client->fd, conn_events(client));
		r = conn_connect(client);
	}
	return r > 0;
}

/* True as long as there may be more. */
static bool carry(struct conn *from, struct conn *to)
{
	uint8_t bytes[5000];
	struct iovec iov = {bytes, sizeof(bytes)};
	int n = conn_readv(from, &iov, 1);

	for (size_t sent = 0; n > 0 && sent < (size_t)n;) {
		struct iovec rest = {bytes + sent, (size_t)n - sent};
		int r = conn_writev(to, &rest, 1);

		if (r < 0)
			return false;
		if (!r)
			wait_for(to->fd, POLLOUT);
		sent += (size_t)r;
	}
	return n >= 0;
}

static void serve(struct conn *client, struct conn *server)
{
	for (;;) {
		struct pollfd fds[] = {
			{.fd = client->fd, .events = POLLIN}, {.fd = server->fd, .events = POLLIN}};

		if (poll(fds, 2, conn_drain(client) ? 0 : PATIENCE_S * 1000) < 0)
			_exit(101);
		if (!carry(client, server) || !carry(server, client))
			return;
	}
}

static unsigned serve_one(int listening, const struct tls_context *context, const char *port)
{
	struct conn client, server;
	unsigned refused = 0;
	const char *why;

	conn_adopt(&client, accept(listening, NULL, NULL));
	if (conn_secure(&client, context))
		_exit(102);
	if (!let_in(&client)) {
		refused = 1;
	} else {
		if (conn_open(&server, "127.0.0.1", port, 0, &why))
			_exit(103);
		wait_for(server.fd, POLLOUT);
		if (conn_connect(&server) == 1)
			serve(&client, &server);
		conn_close(&server);
	}
	conn_close(&client);
	return refused;
}

void tlsgate_start(
	struct tlsgate *g, const struct pairingkey *key, const char *port, unsigned connections)
{
	int listening = peer_tcp_port(true, g->port);

	g->pid = fork();
	if (!g->pid) {
		struct tls_context *context;
		unsigned refused = 0;

		(void)alarm(PATIENCE_S);
		if (tls_context_new(TLS_SERVER, key, tls_cpu_has_aes(), &context))
			_exit(104);
		while (connections--)
			refused += serve_one(listening, context, port);
		tls_context_free(context);
		_exit((int)refused);
	}
	assert_true(g->pid > 0);
	close(listening);
}

int tlsgate_end(struct tlsgate *g)
{
	int status;

	assert_int_equal(waitpid(g->pid, &status, 0), g->pid);
	assert_true(WIFEXITED(status));
	assert_in_range(WEXITSTATUS(status), 0, 99);
	return WEXITSTATUS(status);
}
