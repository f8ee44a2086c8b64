/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * resolver: looks a server's name up without keeping the loop: in a thread, as only getaddrinfo
 * knows all the ways that a system is set up for, mDNS among them; `auto` as lookup has it. An
 * address needs none.
 */
#ifndef BRIDGE_RESOLVER_H
#define BRIDGE_RESOLVER_H

struct addrinfo;
struct ev_loop;
struct resolver;

/* Looks up `host` and `port`, which are copied. `done` comes once, from the loop: with addresses,
 * which are the taker's to free (freeaddrinfo), or NULL and a text for people that stays valid.
 * NULL: out of memory or threads. */
struct resolver *resolver_new(struct ev_loop *loop, const char *host, const char *port,
	void (*done)(void *user, struct addrinfo *addresses, const char *why), void *user);

/* At any time, also in `done`, before which it is a cancelling: the thread ends by itself when the
 * system has given the name up. NULL is fine. */
void resolver_free(struct resolver *r);

#endif
