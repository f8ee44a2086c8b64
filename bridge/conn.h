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
struct tls;
struct tls_context;

struct conn {
	int fd;		 /* -1: closed. Another number when conn_connect tries the next address */
	bool linked;	 /* the other end has accepted it, */
	bool ready;	 /* and has shown that it has the key, if there is one */
	int awaited;	 /* by conn_await; 0: not called yet */
	struct tls *tls; /* NULL: what goes over it is not encrypted */
	uint16_t local_port;		   /* 0: any */
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

/* Everything over it is to be encrypted with the context's key, and nothing is sent or taken
 * otherwise. Call right after one of the above, also where that was ready; it is not any more. 0 or
 * -ENOMEM. */
int conn_secure(struct conn *c, const struct tls_context *context);

/* POLLIN or POLLOUT: what conn_connect waits for. Only while !ready. */
short conn_events(const struct conn *c);

/* Call when the fd has conn_events, and !ready. 1: ready; 0: go on; -errno: no address answered, or
 * as tls_handshake, and conn_why says more. */
int conn_connect(struct conn *c);

/* Why a call has returned `error`, for people, of the other end as "it". Stays valid. */
const char *conn_why(const struct conn *c, int error);

/* Bytes moved (> 0), 0 = would block, -ECONNRESET when the peer has closed, other -errno. What
 * conn_writev has not taken (0) must be given again, at the front: of an encrypted connection it
 * may be half gone. */
int conn_readv(struct conn *c, const struct iovec *iov, int n);
int conn_writev(struct conn *c, const struct iovec *iov, int n);

/* Reads until *have == need, over as many calls as it takes. 1: complete; 0: would block; -errno.
 */
int conn_fill(struct conn *c, void *buf, size_t need, size_t *have);

/* Whether bytes have been taken from the socket that conn_readv has not given out: the fd need not
 * become readable for them. Who has not read until conn_readv gave less than its room goes on until
 * this is false; the next conn_readv takes nothing from the socket, so that this comes to an end.
 */
bool conn_drain(struct conn *c);

/* The fd is to be readable once `bytes` (> 0) have come, rather than with the first: each packet
 * would wake us for a part that is of no use. The end of the stream, an error, and more bytes than
 * the socket may hold make it readable all the same (tcp_stream_is_readable). An encrypted
 * connection's is readable when a record is whole, whatever `bytes` is: before that there is
 * nothing to be had. Call when conn_readv has nothing to give out. */
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
