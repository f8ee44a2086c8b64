/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * exporter: has this machine's devices, those that may be, exported: they and their importers come
 * and go here alone.
 */
#ifndef BRIDGE_EXPORTER_H
#define BRIDGE_EXPORTER_H

#include <ev.h>

#include "bridge/exportconfig.h"
#include "bridge/exportdevices.h"
#include "bridge/listener.h"
#include "bridge/refusals.h"

#define EXPORTER_MAX_IMPORTERS 64 /* connections */

struct exporter_session;
struct tls_context;

struct exporter {
	struct exportconfig config;  /* but for the key, */
	struct tls_context *context; /* which is in this; NULL: none, or no memory for one */
	struct refusals refusals;
	struct ev_loop *loop;
	ev_prepare prepare;
	struct listener listener;
	struct exportdevices devices;
	struct exporter_session *sessions;
	unsigned num_sessions;
	bool full_told; /* in the log */
	bool ending;
};

/* Opens sockets and looks at the devices. `e` must stay where it is. 0, or -errno,
 * which has been complained of; then it is as after exporter_fini. */
int exporter_init(struct exporter *e, struct ev_loop *loop, const struct exportconfig *config);

/* Other rules: a device that they do not permit is taken from who has it. Another key, and other
 * addresses at which there need be none: for who connects from now on. What else `config` says is
 * not looked at. */
void exporter_configure(struct exporter *e, const struct exportconfig *config);

/* Lets go of all devices, each reset and with its drivers; then the loop is broken out of. */
void exporter_end(struct exporter *e);

/* After that. */
void exporter_fini(struct exporter *e);

#endif
