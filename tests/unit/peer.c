/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "bridge/conn.h"
#include "tests/unit/peer.h"

#define MAX_TURNS 100000

void peer_init(struct peer *p, struct conn *other)
{
	int fds[2];

	memset(p, 0, sizeof(*p));
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	p->fd = fds[0];
	conn_adopt(other, fds[1]);
}

void peer_close(struct peer *p)
{
	if (p->fd >= 0)
		close(p->fd);
	p->fd = -1;
}

void peer_fini(struct peer *p)
{
	peer_close(p);
	free(p->in);
	free(p->out);
}

static uint8_t *room(uint8_t **buf, size_t size, size_t *have, size_t more)
{
	if (size + more > *have) {
		*have = 2 * (size + more);
		*buf = realloc(*buf, *have);
		assert_non_null(*buf);
	}
	return *buf + size;
}

/* ---- what the server sends ---- */

void peer_send(struct peer *p, const void *bytes, size_t size)
{
	if (size)
		memcpy(room(&p->out, p->out_size, &p->out_room, size), bytes, size);
	p->out_size += size;
}

void peer_put_be32(uint8_t *at, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		at[i] = (uint8_t)(value >> (24 - 8 * i));
}

void peer_send_op(struct peer *p, uint16_t code, uint32_t status)
{
	uint8_t wire[8] = {0x01, 0x11, (uint8_t)(code >> 8), (uint8_t)code};

	peer_put_be32(wire + 4, status);
	peer_send(p, wire, sizeof(wire));
}

void peer_send_device(struct peer *p, const struct peer_device *d)
{
	uint8_t wire[312] = {0};

	strcpy((char *)wire, "/sys/devices/usb");
	strcpy((char *)wire + 256, d->busid);
	peer_put_be32(wire + 288, d->busnum);
	peer_put_be32(wire + 292, d->devnum);
	peer_put_be32(wire + 296, d->speed);
	peer_put_be32(wire + 300, (uint32_t)d->vendor << 16 | d->product);
	wire[306] = d->class;
	wire[310] = 1;
	wire[311] = d->interfaces;
	peer_send(p, wire, sizeof(wire));
}

void peer_send_header(struct peer *p, const uint32_t *words, size_t num_words)
{
	uint8_t wire[48] = {0};

	for (size_t i = 0; i < num_words; i++)
		peer_put_be32(wire + 4 * i, words[i]);
	peer_send(p, wire, sizeof(wire));
}

void peer_send_ret_submit(
	struct peer *p, uint32_t seqnum, int status, const void *payload, uint32_t actual)
{
	const uint32_t words[] = {3, seqnum, 0, 0, 0, (uint32_t)status, actual};

	peer_send_header(p, words, PEER_COUNT(words));
	if (payload)
		peer_send(p, payload, actual);
}

void peer_send_ret_unlink(struct peer *p, uint32_t seqnum, int status)
{
	const uint32_t words[] = {4, seqnum, 0, 0, 0, (uint32_t)status};

	peer_send_header(p, words, PEER_COUNT(words));
}

/* ---- what has come ---- */

const uint8_t *peer_take(struct peer *p, size_t size)
{
	if (p->in_size - p->in_taken < size)
		return NULL;
	p->in_taken += size;
	return p->in + p->in_taken - size;
}

static uint32_t be32(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static void get_command(const uint8_t *at, struct peer_command *c)
{
	memset(c, 0, sizeof(*c));
	c->command = be32(at);
	c->seqnum = be32(at + 4);
	c->devid = be32(at + 8);
	c->direction = be32(at + 12);
	c->ep = be32(at + 16);
	if (c->command == 2) {
		c->unlinked = be32(at + 20);
		return;
	}
	c->flags = be32(at + 20);
	c->length = be32(at + 24);
	c->start_frame = be32(at + 28);
	c->packets = be32(at + 32);
	c->interval = be32(at + 36);
	memcpy(c->setup, at + 40, sizeof(c->setup));
}

bool peer_take_command(struct peer *p, struct peer_command *c)
{
	const uint8_t *at = peer_take(p, 48);

	if (!at)
		return false;
	get_command(at, c);
	assert_in_range(c->command, 1, 2);
	if (c->command == 1 && !c->direction) {
		c->payload = peer_take(p, c->length);
		if (!c->payload) {
			p->in_taken -= 48;
			return false;
		}
	}
	return true;
}

/* ---- turns ---- */

static bool receive(struct peer *p)
{
	bool any = false;
	ssize_t n;

	while (!p->deaf && p->fd >= 0) {
		uint8_t *at = room(&p->in, p->in_size, &p->in_room, 65536);

		n = recv(p->fd, at, 65536, MSG_DONTWAIT);
		if (n <= 0)
			break;
		p->in_size += (size_t)n;
		any = true;
	}
	return any;
}

/* How many bytes may have gone before the code under test comes to rest the next time. */
static size_t next_gate(const struct peer *p)
{
	size_t gate = p->out_sent < p->split ? p->split
		: p->piece		     ? p->out_sent + p->piece
					     : p->out_size;

	return gate < p->out_size ? gate : p->out_size;
}

static bool transmit(struct peer *p, size_t end)
{
	ssize_t n = 0;

	if (p->fd < 0)
		return false;
	if (p->out_sent < end)
		n = send(p->fd, p->out + p->out_sent, end - p->out_sent,
			MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n > 0)
		p->out_sent += (size_t)n;
	if (n < 0 && errno != EAGAIN)
		p->out_sent = p->out_size; /* the client has gone; nobody will read it */
	if (p->closing && p->out_sent == p->out_size) {
		peer_close(p);
		return true;
	}
	return n > 0;
}

static bool dispatch(const struct peer_subject *subject, void *object)
{
	struct pollfd fd = {.fd = subject->fd(object), .events = subject->events(object)};

	if (fd.fd < 0 || poll(&fd, 1, 0) <= 0)
		return false;
	subject->dispatch(object);
	return true;
}

void peer_run(struct peer *p, const struct peer_subject *subject, void *object)
{
	size_t gate = next_gate(p);
	bool busy = true;

	for (p->turns = 0; busy; p->turns++) {
		assert_in_range(p->turns, 0, MAX_TURNS);
		busy = receive(p);
		busy |= transmit(p, gate);
		busy |= dispatch(subject, object);
		if (!busy && p->fd >= 0 && p->out_sent == gate && gate < p->out_size) {
			gate = next_gate(p);
			busy = true;
		}
	}
}

int peer_tcp_port(bool listening, char port[8])
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
	assert_int_equal(listening ? listen(fd, 8) : 0, 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	(void)snprintf(port, 8, "%u", ntohs(address.sin_port));
	return fd;
}
