/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tlsgate: the server's end of the paired link, in front of any plain server, in a process of its
 * own: takes connections one after the other, and carries what is in those whose client has the
 * key. A client that has not is refused, and told apart in what tlsgate_end returns.
 */
#ifndef TESTS_TLSGATE_H
#define TESTS_TLSGATE_H

#include <sys/types.h>

#include "bridge/pairingkey.h"

struct tlsgate {
	char port[8];
	pid_t pid;
};

/* Takes `connections`, each carried to `port`, where the server's closing ends it. */
void tlsgate_start(
	struct tlsgate *g, const struct pairingkey *key, const char *port, unsigned connections);

/* When all of them have been. How many it has refused. */
int tlsgate_end(struct tlsgate *g);

#endif
