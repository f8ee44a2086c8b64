/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tls: TLS 1.3 with a pre-shared key over one non-blocking stream socket; beneath conn, at either
 * end. docs/protocol.md, "The paired link", has what is on the wire.
 *
 * Whoever does not have the key does not get past the handshake: no certificates, no resumption, no
 * early data. A connection takes some 75 KiB, whatever goes over it, and up to 100 KiB before the
 * other end has shown that it has the key; TLS_MAX_GREETING of its bytes are read until then.
 */
#ifndef BRIDGE_TLS_H
#define BRIDGE_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "bridge/tls_context.h"

#define TLS_HANDSHAKE_S 10    /* that it may take */
#define TLS_RECORD 16384      /* bytes of data in a record, at most */
#define TLS_MAX_GREETING 8192 /* bytes of the other end's until the handshake is over */
#define TLS_REKEY_AFTER 65536 /* records sent; RFC 8446, 5.5 wants it before 2^24.5 */

struct tls;

/* A connection; nothing is sent yet. 0 or -ENOMEM. */
int tls_new(const struct tls_context *context, struct tls **out);

/* Says farewell if that goes at once. Does not close the socket. NULL is fine. */
void tls_free(struct tls *t);

/* Goes on with the handshake over `fd`, the same each time. 1: it is over, and the other end has
 * the key; 0: wait for tls_events, and call again; -errno: tls_why has more, of which -EACCES: the
 * other end has another key, or none; -EPROTO: it does not speak TLS, or not so; -ETIMEDOUT: it is
 * TLS_HANDSHAKE_S since the first call. Who waits must come back by then, as a silent end causes no
 * event. */
int tls_handshake(struct tls *t, int fd);
short tls_events(const struct tls *t); /* POLLIN or POLLOUT */

/* As conn_readv and conn_writev. -ECONNRESET also where the stream just ends; -EBADMSG: what came
 * is not from the other end, or was changed on its way. */
int tls_readv(struct tls *t, const struct iovec *iov, int n);
int tls_writev(struct tls *t, const struct iovec *iov, int n);

/* As conn_drain; there are TLS_RECORD bytes at most. */
bool tls_drain(struct tls *t);

/* When tls_readv has nothing to give out: the socket is to be readable once it has. */
void tls_await(struct tls *t);

/* Why the handshake failed, or the connection after it, for people, of the other end as "it"; NULL:
 * the errno says all. Stays valid. */
const char *tls_why(const struct tls *t);

/* What a plain client is to say when a server refuses it so. */
#define TLS_WANTS_KEY                                                                              \
	"it wants a key: 'ip2usb pair HOST --key KEY' takes the one that 'ip2usb-export key' "     \
	"printed there"

/* Whether what came instead of a plain answer is a refusal in TLS: the other end wants a key. */
bool tls_is_alert(const uint8_t *bytes, size_t have);

#endif
