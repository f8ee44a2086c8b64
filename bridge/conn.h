/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * conn: one non-blocking byte stream, to a server or from a client.
 *
 * The loss of the link is noticed within about 5 s: keepalive when nothing is under way,
 * TCP_USER_TIMEOUT when something is.
 */
#ifndef BRIDGE_CONN_H
#define BRIDGE_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

struct addrinfo;

struct conn {
	int fd;		     /* -1: closed. Another number after each conn_connect that returns 0 */
	bool ready;	     /* connected */
	int awaited;	     /* by conn_await; 0: not called yet */
	uint16_t local_port; /* 0: any */
	struct addrinfo *addresses, *next; /* still to be tried */
};

/* Resolves `host` (blocking, unless it is an address) and starts to connect, from `local_port`
 * unless that is 0 or taken. 0, or -errno with *why set to a text for people that stays valid.
 *
 * From the port that it had before, a client that lost power ends what the server has of it still:
 * that would go on for hours, and the camera be in use (RFC 9293, 3.5.1; usbipd sets no keepalive).
 * So that the port is free again at once, a close is a reset. */
int conn_open(
	struct conn *c, const char *host, const char *port, uint16_t local_port, const char **why);

/* The same with addresses that have been looked up, which it frees, whatever comes of it. */
int conn_start(struct conn *c, struct addrinfo *addresses, uint16_t local_port, const char **why);

/* Takes over a connected stream socket, which accept(2) gave for example, and makes it
 * non-blocking. A server's end has the same options as a client's: a client that vanishes says
 * nothing either. */
void conn_adopt(struct conn *c, int fd);

/* Call when the fd is writable and !ready. 1: connected; 0: trying the next address; -errno: no
 * address answered. */
int conn_connect(struct conn *c);

/* Bytes moved (> 0), 0 = would block, -ECONNRESET when the peer has closed, other -errno. */
int conn_readv(struct conn *c, const struct iovec *iov, int n);
int conn_writev(struct conn *c, const struct iovec *iov, int n);

/* Reads until *have == need, over as many calls as it takes. 1: complete; 0: would block; -errno.
 */
int conn_fill(struct conn *c, void *buf, size_t need, size_t *have);

/* The fd is to be readable once `bytes` (> 0) have come, rather than with the first: each packet
 * would wake us for a part that is of no use. The end of the stream, an error, and more bytes than
 * the socket may hold make it readable all the same (tcp_stream_is_readable). */
void conn_await(struct conn *c, int bytes);

/* What the kernel knows of the link; all 0 where it tells nothing. */
struct conn_info {
	uint32_t rtt_us;	/* smoothed */
	uint32_t retransmitted; /* segments, since it was opened */
};

struct conn_info conn_info(const struct conn *c);

/* The address of the other end, for conn_open; empty: there is none. */
#define CONN_ADDRESS_SIZE 64
void conn_peer(const struct conn *c, char out[CONN_ADDRESS_SIZE]);

void conn_close(struct conn *c);

#endif
