/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/tls_context.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#define AES "TLS_AES_128_GCM_SHA256"
#define CHACHA "TLS_CHACHA20_POLY1305_SHA256"

bool tls_cpu_has_aes(void)
{
#if defined(__x86_64__) || defined(__i386__)
	return __builtin_cpu_supports("aes") && __builtin_cpu_supports("pclmul");
#elif defined(__aarch64__)
	return getauxval(AT_HWCAP) & 1 << 3; /* HWCAP_AES */
#elif defined(__arm__)
	return getauxval(AT_HWCAP2) & 1 << 0; /* HWCAP2_AES */
#else
	return false;
#endif
}

/* The session that OpenSSL wants a key as. The suite says only which hash goes with it. */
static SSL_SESSION *session(SSL *ssl)
{
	static const unsigned char suite[] = {0x13, 0x01}; /* AES */
	const struct pairingkey *key = SSL_get_app_data(ssl);
	SSL_SESSION *s = SSL_SESSION_new();

	if (s && SSL_SESSION_set1_master_key(s, key->bytes, sizeof(key->bytes)) &&
		SSL_SESSION_set_cipher(s, SSL_CIPHER_find(ssl, suite)) &&
		SSL_SESSION_set_protocol_version(s, TLS1_3_VERSION))
		return s;
	SSL_SESSION_free(s);
	return NULL;
}

/* The client's. `md` is the hash that is settled already, or NULL; both suites have the same. */
static int use_key(
	SSL *ssl, const EVP_MD *md, const unsigned char **identity, size_t *size, SSL_SESSION **out)
{
	(void)md;
	*identity = (const unsigned char *)TLS_IDENTITY;
	*size = strlen(TLS_IDENTITY);
	*out = session(ssl);
	return *out != NULL;
}

/* The server's. */
static int find_key(SSL *ssl, const unsigned char *identity, size_t size, SSL_SESSION **out)
{
	bool is_ours = size == strlen(TLS_IDENTITY) &&
		!memcmp(identity, TLS_IDENTITY, strlen(TLS_IDENTITY));

	*out = is_ours ? session(ssl) : NULL;
	return !is_ours || *out;
}

/* A server that shows a certificate has no key; whose certificate it is does not matter. */
static int refuse_certificate(int verified, X509_STORE_CTX *certificate)
{
	(void)verified;
	(void)certificate;
	return 0;
}

static bool set_up(SSL_CTX *ssl, enum tls_role role, bool has_aes)
{
	const char *suites = has_aes ? AES ":" CHACHA : CHACHA ":" AES;
	/* A server without AES insists; else the client's first is taken. */
	uint64_t preference = has_aes ? 0 : SSL_OP_CIPHER_SERVER_PREFERENCE;

	SSL_CTX_set_options(ssl,
		SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | preference);
	SSL_CTX_clear_options(ssl, SSL_OP_ENABLE_MIDDLEBOX_COMPAT | SSL_OP_ALLOW_NO_DHE_KEX);
	SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
	/* Without AUTO_RETRY a call reads one record, whatever is in it. */
	SSL_CTX_clear_mode(ssl, SSL_MODE_AUTO_RETRY);
	SSL_CTX_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	if (role == TLS_SERVER) {
		SSL_CTX_set_psk_find_session_callback(ssl, find_key);
	} else {
		SSL_CTX_set_psk_use_session_callback(ssl, use_key);
		SSL_CTX_set_verify(ssl, SSL_VERIFY_PEER, refuse_certificate);
	}
	return SSL_CTX_set_min_proto_version(ssl, TLS1_3_VERSION) &&
		SSL_CTX_set_max_proto_version(ssl, TLS1_3_VERSION) &&
		SSL_CTX_set_ciphersuites(ssl, suites) &&
		SSL_CTX_set1_groups_list(ssl, "X25519:P-256") && SSL_CTX_set_num_tickets(ssl, 0) &&
		SSL_CTX_set_max_early_data(ssl, 0);
}

int tls_context_new(
	enum tls_role role, const struct pairingkey *key, bool has_aes, struct tls_context **out)
{
	struct tls_context *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->role = role;
	c->key = *key;
	/* What the machine's own configuration of OpenSSL says is not meant for this. */
	if (OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, NULL))
		c->ssl =
			SSL_CTX_new(role == TLS_SERVER ? TLS_server_method() : TLS_client_method());
	if (!c->ssl || !set_up(c->ssl, role, has_aes)) {
		ERR_clear_error();
		tls_context_free(c);
		return -ENOMEM;
	}
	*out = c;
	return 0;
}

void tls_context_free(struct tls_context *c)
{
	if (!c)
		return;
	SSL_CTX_free(c->ssl);
	pairingkey_wipe(&c->key);
	free(c);
}
