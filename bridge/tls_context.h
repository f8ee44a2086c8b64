/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tls_context: what all TLS connections with one key have in common: the key, the suites, and what
 * TLS has besides and is not wanted here.
 */
#ifndef BRIDGE_TLS_CONTEXT_H
#define BRIDGE_TLS_CONTEXT_H

#include <stdbool.h>

#include "bridge/pairingkey.h"

#define TLS_IDENTITY "ip2usb" /* of the key, in the clear */

struct ssl_ctx_st;

enum tls_role {
	TLS_CLIENT,
	TLS_SERVER,
};

struct tls_context {
	enum tls_role role;
	struct ssl_ctx_st *ssl; /* each SSL of it has a struct pairingkey as its app data */
	struct pairingkey key;
};

/* Whether AES is fast here. If it is not at either end, ChaCha20-Poly1305 is used. */
bool tls_cpu_has_aes(void);

/* What connections with one key have in common; `key` is copied. 0 or -ENOMEM. */
int tls_context_new(
	enum tls_role role, const struct pairingkey *key, bool has_aes, struct tls_context **out);

/* Connections that were made of it may live on. NULL is fine. */
void tls_context_free(struct tls_context *c);

#endif
