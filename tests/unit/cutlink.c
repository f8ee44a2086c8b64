/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/cutlink.h"

#include <stdarg.h>
#include <setjmp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "bridge/conn.h"

#define PART 4096

static void open_pair(int *ours, struct conn *theirs, bool narrow)
{
	const int bytes = 1;
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	if (narrow)
		assert_int_equal(
			setsockopt(fds[1], SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes)), 0);
	*ours = fds[0];
	conn_adopt(theirs, fds[1]);
}

void cutlink_open(struct cutlink *l, struct conn *client, struct conn *server, bool narrow)
{
	memset(l, 0, sizeof(*l));
	l->left[0] = l->left[1] = SIZE_MAX;
	open_pair(&l->fds[0], client, narrow);
	open_pair(&l->fds[1], server, narrow);
}

static void close_end(struct cutlink *l, int end)
{
	if (l->fds[end] >= 0)
		close(l->fds[end]);
	l->fds[end] = -1;
}

void cutlink_cut(struct cutlink *l)
{
	l->cut = true;
	for (int end = 0; end < 2; end++) {
		if (!l->silent[end])
			close_end(l, end);
	}
}

void cutlink_close(struct cutlink *l)
{
	l->cut = true;
	close_end(l, 0);
	close_end(l, 1);
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Nothing is taken that cannot be given. */
static size_t carry(struct cutlink *l, int from)
{
	uint8_t bytes[PART];
	size_t most = least(l->left[from], least(l->piece ? l->piece : PART, PART));
	ssize_t n = recv(l->fds[from], bytes, most, MSG_DONTWAIT | MSG_PEEK);

	if (most && n == 0) {
		/* One of them has closed. */
		cutlink_close(l);
		return 0;
	}
	if (n > 0)
		n = send(l->fds[!from], bytes, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n <= 0)
		return 0;
	assert_int_equal(recv(l->fds[from], bytes, (size_t)n, MSG_DONTWAIT), n);
	l->carried[from] += (uint64_t)n;
	if (l->left[from] != SIZE_MAX)
		l->left[from] -= (size_t)n;
	return (size_t)n;
}

size_t cutlink_run(struct cutlink *l)
{
	size_t n = 0;

	for (int from = 0; from < 2 && !l->cut; from++) {
		n += carry(l, from);
		if (!l->left[from])
			cutlink_cut(l);
	}
	return n;
}
