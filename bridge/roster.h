/* SPDX-License-Identifier: GPL-2.0-or-later */
/* roster: servers that have been found, with what they export, for people or as JSON. */
#ifndef BRIDGE_ROSTER_H
#define BRIDGE_ROSTER_H

#include <stdbool.h>

#include "bridge/conn.h"
#include "bridge/devlist.h"

#define ROSTER_MAX 64

struct roster_server {
	unsigned id;	  /* by which they are sorted */
	const char *host; /* its name, log_clean'ed; empty: unknown */
	char address[CONN_ADDRESS_SIZE], port[8];
	bool listed;
	struct devlist list; /* if `listed`: what it exports */
	const char *why;     /* else: why that is not known */
};

/* All 0: empty. What is pointed to outlives it. */
struct roster {
	struct roster_server servers[ROSTER_MAX];
	unsigned count, listed;
	bool full; /* some were left out */
};

/* Takes `server` with its list, and, where there is no room, drops it, or one that is not listed
 * for one that is: in some networks a firewall answers in place of all addresses. */
void roster_add(struct roster *r, const struct roster_server *server);
void roster_sort(struct roster *r);
void roster_fini(struct roster *r);

/* To standard output: a server a line, its devices as list_print has them, the command that
 * follows; or an array. False: that failed. */
bool roster_print(const struct roster *r);
bool roster_print_json(const struct roster *r);

#endif
