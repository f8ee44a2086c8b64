/* SPDX-License-Identifier: GPL-2.0-or-later */
/* relaylink: the link of a relaymodel, which is lost and comes back (relay_hold, relay_go_on). */
#ifndef TESTS_RELAYLINK_H
#define TESTS_RELAYLINK_H

#include "tests/unit/relaymodel.h"

/* At random: it is lost, or comes back; or the phone loses its patience meanwhile. */
void relaylink_step(struct relaymodel *m);

/* In each iteration of the bridge's loop, when all else has been done. */
void relaylink_bridge(struct relaymodel *m);

/* The camera opens the session that the bridge asks for. */
void relaylink_camera(struct relaymodel *m);

/* It is there again, and stays. While no event of the phone's is on its way. */
void relaylink_restore(struct relaymodel *m);

#endif
