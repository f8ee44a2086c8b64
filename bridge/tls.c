/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/tls.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#define CONTENT_ALERT 21
#define CONTENT_HANDSHAKE 22

#define WHY_PLAIN_SERVER "it is not paired: it answered without encryption"
#define WHY_PLAIN_CLIENT "it is not paired: it asked without encryption"
#define WHY_OTHER_KEY                                                                              \
	"it has another key: 'ip2usb pair HOST --key KEY' takes the one that 'ip2usb-export key' " \
	"printed there"
#define WHY_OTHER_KEY_CLIENT "it has another key"
#define WHY_NO_KEY "it speaks TLS, but does not know of a key: is it an ip2usb-export that has one?"
#define WHY_NO_KEY_CLIENT "it has no key for this server"
#define WHY_ENDED                                                                                  \
	"it is not paired, or something else than ip2usb-export: it ended the connection when it " \
	"was asked for encryption"
#define WHY_ENDED_LATER "it ended the connection before it had shown that it has the key"
#define WHY_NOT_SHOWN "it has not shown that it has the key"
#define WHY_BROKEN "it broke the TLS protocol"
#define WHY_SLOW "it took too long to show that it has the key"
#define WHY_CHANGED "what came was not from it, or was changed on its way"

struct tls {
	enum tls_role role;
	SSL *ssl;
	BIO_METHOD *method;
	int fd;
	struct pairingkey key; /* until the handshake is over */
	bool established, broken;
	int error; /* of the socket, -errno, or what was found out there */
	const char *why;
	struct timespec deadline;
	size_t greeting; /* bytes that have come until the handshake was over */
	int missing;	 /* that the socket did not have when it was read last */
	int awaited;	 /* by tls_await */
	bool draining;	 /* what has been taken from the socket is given out, and no more */
	uint32_t records;
	size_t unsent; /* bytes of `out` that have been encrypted, and not gone */
	uint8_t out[TLS_RECORD];
};

/* ---- the socket ---- */

/* The first byte tells TLS from USB/IP, whose messages begin with its version, 1. */
static int check_greeting(struct tls *t, const uint8_t *bytes, size_t n)
{
	bool is_tls =
		*bytes == CONTENT_HANDSHAKE || (*bytes == CONTENT_ALERT && t->role == TLS_CLIENT);

	if (!t->greeting && !is_tls)
		t->why = t->role == TLS_SERVER ? WHY_PLAIN_CLIENT : WHY_PLAIN_SERVER;
	t->greeting += n;
	if (!t->why && t->greeting > TLS_MAX_GREETING)
		t->why = WHY_BROKEN;
	return t->why ? -EPROTO : 0;
}

static int on_read(BIO *bio, char *out, int size)
{
	struct tls *t = BIO_get_data(bio);
	ssize_t n;

	BIO_clear_retry_flags(bio);
	do
		n = recv(t->fd, out, (size_t)size, 0);
	while (n < 0 && errno == EINTR);
	if (n > 0) {
		t->missing = size - (int)n;
		if (!t->established)
			t->error = check_greeting(t, (uint8_t *)out, (size_t)n);
		return t->error ? -1 : (int)n;
	}
	t->missing = size;
	if (n < 0 && errno == EAGAIN)
		BIO_set_retry_read(bio);
	else
		t->error = n ? -errno : -ECONNRESET;
	return -1;
}

/* As sockets' own BIO, which has no way to say MSG_NOSIGNAL. */
static int on_write(BIO *bio, const char *bytes, int size)
{
	struct tls *t = BIO_get_data(bio);
	ssize_t n;

	BIO_clear_retry_flags(bio);
	do
		n = send(t->fd, bytes, (size_t)size, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN)
		BIO_set_retry_write(bio);
	else if (n < 0)
		t->error = errno == EPIPE ? -ECONNRESET : -errno;
	return (int)n;
}

static long on_control(BIO *bio, int command, long number, void *pointer)
{
	(void)bio;
	(void)number;
	(void)pointer;
	return command == BIO_CTRL_FLUSH;
}

static bool add_socket(struct tls *t)
{
	BIO *bio;

	t->method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "conn");
	if (!t->method || !BIO_meth_set_read(t->method, on_read) ||
		!BIO_meth_set_write(t->method, on_write) ||
		!BIO_meth_set_ctrl(t->method, on_control))
		return false;
	bio = BIO_new(t->method);
	if (!bio)
		return false;
	BIO_set_data(bio, t);
	SSL_set_bio(t->ssl, bio, bio);
	return true;
}

/* ---- made and unmade ---- */

int tls_new(const struct tls_context *context, struct tls **out)
{
	struct tls *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	t->role = context->role;
	t->key = context->key;
	t->fd = -1;
	t->ssl = SSL_new(context->ssl);
	if (!t->ssl || !SSL_set_app_data(t->ssl, &t->key) || !add_socket(t)) {
		ERR_clear_error();
		tls_free(t);
		return -ENOMEM;
	}
	if (t->role == TLS_SERVER)
		SSL_set_accept_state(t->ssl);
	else
		SSL_set_connect_state(t->ssl);
	*out = t;
	return 0;
}

void tls_free(struct tls *t)
{
	if (!t)
		return;
	if (t->established && !t->broken && !t->unsent)
		(void)SSL_shutdown(t->ssl);
	SSL_free(t->ssl);
	BIO_meth_free(t->method);
	ERR_clear_error();
	/* What was sent is nobody's business either. */
	explicit_bzero(t, sizeof(*t));
	free(t);
}

/* ---- what went wrong ---- */

const char *tls_why(const struct tls *t)
{
	return t->why;
}

bool tls_is_alert(const uint8_t *bytes, size_t have)
{
	return have >= 5 && bytes[0] == CONTENT_ALERT && bytes[1] == 3;
}

static int say(struct tls *t, int error, const char *why)
{
	if (!t->why)
		t->why = why;
	return error;
}

/* Why OpenSSL did not go on with the handshake. */
static int refusal(struct tls *t, int reason)
{
	bool is_server = t->role == TLS_SERVER;

	switch (reason) {
	case SSL_R_TLSV1_ALERT_DECRYPT_ERROR:	  /* what RFC 8446, 4.2.11 has a server say */
	case SSL_R_SSLV3_ALERT_ILLEGAL_PARAMETER: /* what OpenSSL's says */
	case SSL_R_BINDER_DOES_NOT_VERIFY:
		return say(t, -EACCES, is_server ? WHY_OTHER_KEY_CLIENT : WHY_OTHER_KEY);
	case SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM: /* there is no certificate */
		return say(t, -EACCES, WHY_NO_KEY_CLIENT);
	case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
	case SSL_R_TLSV1_ALERT_UNKNOWN_PSK_IDENTITY:
	case SSL_R_CERTIFICATE_VERIFY_FAILED:
		return say(t, -EACCES, WHY_NO_KEY);
	case SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC:
	case SSL_R_DIGEST_CHECK_FAILED:
		return say(t, -EACCES, WHY_NOT_SHOWN);
	default:
		return say(t, -EPROTO, WHY_BROKEN);
	}
}

/* Of what went wrong one after the other the first; but that there is no memory before all. */
static int take_reason(void)
{
	int reason = ERR_GET_REASON(ERR_peek_error());
	unsigned long error;

	while ((error = ERR_get_error()))
		if (ERR_GET_REASON(error) == ERR_R_MALLOC_FAILURE)
			reason = ERR_R_MALLOC_FAILURE;
	return reason;
}

/* 0, where it goes on; else -errno, once and for all. */
static int outcome(struct tls *t, int result)
{
	int error = SSL_get_error(t->ssl, result), reason;

	if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE)
		return 0;
	t->broken = true;
	reason = take_reason();
	if (t->error == -ECONNRESET && !t->established)
		return say(t, t->error,
			t->role == TLS_CLIENT && !t->greeting ? WHY_ENDED : WHY_ENDED_LATER);
	if (t->error)
		return t->error;
	if (error == SSL_ERROR_ZERO_RETURN)
		return -ECONNRESET;
	if (reason == ERR_R_MALLOC_FAILURE)
		return -ENOMEM;
	return t->established ? say(t, -EBADMSG, WHY_CHANGED) : refusal(t, reason);
}

/* ---- the handshake ---- */

static bool is_late(struct tls *t)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	if (!t->deadline.tv_sec) {
		t->deadline = now;
		t->deadline.tv_sec += TLS_HANDSHAKE_S;
	}
	return now.tv_sec > t->deadline.tv_sec ||
		(now.tv_sec == t->deadline.tv_sec && now.tv_nsec >= t->deadline.tv_nsec);
}

/* What has asked without encryption is answered so that it can tell why, and what it has sent is
 * taken, as what is left would make a reset of the close, which can overtake the answer. */
static void refuse_plain(struct tls *t)
{
	static const uint8_t alert[] = {
		CONTENT_ALERT, 3, 3, 0, 2, SSL3_AL_FATAL, SSL_AD_PROTOCOL_VERSION};

	(void)!recv(t->fd, t->out, sizeof(t->out), MSG_DONTWAIT);
	(void)!send(t->fd, alert, sizeof(alert), MSG_DONTWAIT | MSG_NOSIGNAL);
}

int tls_handshake(struct tls *t, int fd)
{
	int r;

	t->fd = fd;
	if (is_late(t)) {
		t->broken = true;
		return say(t, -ETIMEDOUT, WHY_SLOW);
	}
	ERR_clear_error();
	r = SSL_do_handshake(t->ssl);
	if (r <= 0) {
		r = outcome(t, r);
		if (t->why && !strcmp(t->why, WHY_PLAIN_CLIENT))
			refuse_plain(t);
		return r;
	}
	pairingkey_wipe(&t->key);
	/* OpenSSL counts a key as a session that is taken up again. Without one there is nobody at
	 * the other end that we know. */
	if (!SSL_session_reused(t->ssl) || SSL_version(t->ssl) != TLS1_3_VERSION) {
		t->broken = true;
		return say(t, -EACCES, t->role == TLS_SERVER ? WHY_NO_KEY_CLIENT : WHY_NO_KEY);
	}
	t->established = true;
	return 1;
}

short tls_events(const struct tls *t)
{
	bool begins = t->fd < 0 && t->role == TLS_CLIENT;

	return begins || SSL_want_write(t->ssl) ? POLLOUT : POLLIN;
}

/* ---- data ---- */

bool tls_drain(struct tls *t)
{
	t->draining = SSL_pending(t->ssl) > 0;
	return t->draining;
}

/* A record is of no use before it is whole, and OpenSSL asks the socket for no more than that, so
 * what it did not get is what has to come. */
void tls_await(struct tls *t)
{
	int bytes = t->missing > 1 ? t->missing : 1;

	if (t->awaited != bytes)
		(void)setsockopt(t->fd, SOL_SOCKET, SO_RCVLOWAT, &bytes, sizeof(bytes));
	t->awaited = bytes;
}

static int read_some(struct tls *t, const struct iovec *part, size_t have, size_t *got)
{
	ERR_clear_error();
	t->missing = 1;
	if (SSL_read_ex(t->ssl, (uint8_t *)part->iov_base + have, part->iov_len - have, got))
		return 1;
	return outcome(t, 0);
}

int tls_readv(struct tls *t, const struct iovec *iov, int n)
{
	size_t all = 0, got;

	if (t->broken || !t->established)
		return -ECONNRESET;
	for (int i = 0; i < n; i++) {
		for (size_t have = 0; have < iov[i].iov_len; have += got, all += got) {
			int r = 1;

			if (t->draining && all && !SSL_pending(t->ssl))
				r = t->draining = 0;
			if (r)
				r = read_some(t, &iov[i], have, &got);
			if (r <= 0)
				return all ? (int)all : r;
		}
	}
	return (int)all;
}

static size_t gather(uint8_t out[TLS_RECORD], const struct iovec *iov, int n)
{
	size_t all = 0;

	for (int i = 0; i < n && all < TLS_RECORD; i++) {
		size_t part = iov[i].iov_len < TLS_RECORD - all ? iov[i].iov_len : TLS_RECORD - all;

		memcpy(out + all, iov[i].iov_base, part);
		all += part;
	}
	return all;
}

/* A record that has been made goes as it is, even if there is more to send by then. */
int tls_writev(struct tls *t, const struct iovec *iov, int n)
{
	size_t sent;

	if (t->broken || !t->established)
		return -ECONNRESET;
	if (!t->unsent) {
		t->unsent = gather(t->out, iov, n);
		if (!t->unsent)
			return 0;
		if (++t->records % TLS_REKEY_AFTER == 0)
			(void)SSL_key_update(t->ssl, SSL_KEY_UPDATE_NOT_REQUESTED);
	}
	ERR_clear_error();
	if (!SSL_write_ex(t->ssl, t->out, t->unsent, &sent))
		return outcome(t, 0);
	t->unsent = 0;
	return (int)sent;
}
