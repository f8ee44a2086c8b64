/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * supervisor: `ip2usb run`. It alone makes and frees the acquisition of a camera and its
 * presentation, which report to it by callback; what they report is carried out before the loop
 * sleeps next, never inside the callback.
 *
 *   acquisition -> PRESENTED <-> ACTIVE
 *   any of them -> DRAINING, with a reason -> the end
 */
#ifndef BRIDGE_SUPERVISOR_H
#define BRIDGE_SUPERVISOR_H

#include "bridge/acquisition.h"

/* Relays until SIGTERM or SIGINT (OUTCOME_DONE), or until something is lost, which is logged.
 * Leaves nothing behind. */
enum outcome supervisor_run(const struct config *config);

#endif
