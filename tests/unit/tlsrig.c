/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/tlsrig.h"

#include <stdarg.h>
#include <setjmp.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define MAX_TURNS 200000

const struct tlsrig_options tlsrig_usual = {.same_key = true, .aes = {true, true}};
const struct pairingkey tlsrig_key = {{0x5a, 0x17, 0x99, 0xc3, 0x2e, 0xf1, 0x60, 0xb8, 0x04, 0xd5,
	0x7b, 0x31, 0xea, 0x8c, 0x42, 0x9f, 0x13, 0x66, 0xfd, 0x28, 0xb1, 0x0e, 0x74, 0xc9, 0x95,
	0x3a, 0xe2, 0x57, 0x8d, 0x1b, 0xa6, 0x40}};

static void secure(struct conn *c, enum tls_role role, const struct pairingkey *key, bool has_aes)
{
	struct tls_context *context;

	assert_int_equal(tls_context_new(role, key, has_aes, &context), 0);
	assert_int_equal(conn_secure(c, context), 0);
	/* A connection does not need it any more. */
	tls_context_free(context);
}

int tlsrig_alone(struct conn *c, enum tls_role role)
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	conn_adopt(c, fds[0]);
	secure(c, role, &tlsrig_key, true);
	return fds[1];
}

static void tcp_pair(int fds[2])
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t size = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(listener, (struct sockaddr *)&address, size), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
	fds[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(fds[0], (struct sockaddr *)&address, size), 0);
	fds[1] = accept(listener, NULL, NULL);
	assert_true(fds[1] >= 0);
	close(listener);
}

void tlsrig_init(struct tlsrig *r, const struct tlsrig_options *options)
{
	struct pairingkey key = tlsrig_key;

	memset(r, 0, sizeof(*r));
	for (int i = 0; i < 2; i++) {
		int fds[2];

		if (options->tcp)
			tcp_pair(fds);
		else
			assert_int_equal(
				socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
		conn_adopt(&r->ends[i], fds[0]);
		r->wire[i] = fds[1];
		r->ways[i].cut = r->ways[i].flipped = SIZE_MAX;
		if (!options->plain[i])
			secure(&r->ends[i], i == RIG_SERVER ? TLS_SERVER : TLS_CLIENT, &key,
				options->aes[i]);
		assert_int_equal(r->ends[i].ready, options->plain[i]);
		r->result[i] = options->plain[i];
		key.bytes[31] ^= !options->same_key;
	}
}

void tlsrig_hang_up(struct tlsrig *r, int end)
{
	if (r->wire[end] >= 0)
		close(r->wire[end]);
	r->wire[end] = -1;
}

void tlsrig_fini(struct tlsrig *r)
{
	for (int i = 0; i < 2; i++) {
		conn_close(&r->ends[i]);
		tlsrig_hang_up(r, i);
		free(r->ways[i].bytes);
	}
}

static bool collect(struct tlsrig *r, int from)
{
	struct tlsrig_way *w = &r->ways[from];
	ssize_t n;

	if (r->wire[from] < 0)
		return false;
	if (w->size + 65536 > w->room) {
		w->room = 2 * (w->size + 65536);
		w->bytes = realloc(w->bytes, w->room);
		assert_non_null(w->bytes);
	}
	n = recv(r->wire[from], w->bytes + w->size, 65536, MSG_DONTWAIT);
	if (n <= 0)
		return false;
	if (w->flipped >= w->size && w->flipped < w->size + (size_t)n)
		w->bytes[w->flipped] ^= 0x04;
	w->size += (size_t)n;
	return true;
}

static bool deliver(struct tlsrig *r, int from)
{
	struct tlsrig_way *w = &r->ways[from];
	size_t left = (w->size < w->cut ? w->size : w->cut) - w->moved;
	ssize_t n = 0;

	if (r->piece && left > r->piece)
		left = r->piece;
	if (left && r->wire[!from] >= 0)
		n = send(r->wire[!from], w->bytes + w->moved, left, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n > 0)
		w->moved += (size_t)n;
	if (w->moved == w->cut && r->wire[!from] >= 0) {
		tlsrig_hang_up(r, !from);
		tlsrig_hang_up(r, from);
		return true;
	}
	return n > 0;
}

void tlsrig_carry_part(struct tlsrig *r, int from, size_t size)
{
	struct tlsrig_way *w = &r->ways[from];

	(void)collect(r, from);
	size = w->size - w->moved < size ? w->size - w->moved : size;
	assert_int_equal(send(r->wire[!from], w->bytes + w->moved, size, MSG_NOSIGNAL), size);
	w->moved += size;
}

bool tlsrig_carry(struct tlsrig *r)
{
	bool any = collect(r, RIG_CLIENT);

	any |= collect(r, RIG_SERVER);
	any |= deliver(r, RIG_CLIENT);
	any |= deliver(r, RIG_SERVER);
	return any;
}

static bool shake(struct tlsrig *r, int end)
{
	struct conn *c = &r->ends[end];
	struct pollfd fd = {.fd = c->fd};

	if (r->result[end])
		return false;
	fd.events = conn_events(c);
	if (poll(&fd, 1, 0) <= 0)
		return false;
	r->result[end] = conn_connect(c);
	r->calls[end]++;
	assert_int_equal(c->ready, r->result[end] == 1);
	if (r->result[end] < 0) {
		r->why[end] = conn_why(c, r->result[end]);
		conn_close(c);
	}
	return true;
}

void tlsrig_run(struct tlsrig *r)
{
	for (unsigned turns = 0;; turns++) {
		bool busy = shake(r, RIG_CLIENT);

		busy |= shake(r, RIG_SERVER);
		if (!busy && !tlsrig_carry(r))
			break;
		assert_in_range(turns, 0, MAX_TURNS);
	}
}

static void open_with(struct tlsrig *r, const struct tlsrig_options *options)
{
	tlsrig_init(r, options);
	for (unsigned i = 0; i < 100 && (r->result[RIG_CLIENT] != 1 || r->result[RIG_SERVER] != 1);
		i++) {
		tlsrig_run(r);
		/* TCP delivers a moment later. */
		if (options->tcp)
			usleep(1000);
	}
	assert_int_equal(r->result[RIG_CLIENT], 1);
	assert_int_equal(r->result[RIG_SERVER], 1);
}

void tlsrig_open(struct tlsrig *r)
{
	open_with(r, &tlsrig_usual);
}

void tlsrig_open_tcp(struct tlsrig *r)
{
	struct tlsrig_options options = tlsrig_usual;

	options.tcp = true;
	open_with(r, &options);
}

int tlsrig_put(struct tlsrig *r, int end, const void *bytes, size_t size)
{
	struct iovec iov = {(void *)(uintptr_t)bytes, size};

	return conn_writev(&r->ends[end], &iov, 1);
}

int tlsrig_get(struct tlsrig *r, int end, void *bytes, size_t size)
{
	struct iovec iov = {bytes, size};

	return conn_readv(&r->ends[end], &iov, 1);
}
