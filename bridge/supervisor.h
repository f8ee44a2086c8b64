/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * supervisor: the one state machine; it alone makes and frees sessions and gadgets.
 *
 *   LISTING -> IMPORTING -> PROBING -> PRESENTED <-> ACTIVE
 *      ^___________|            |       busy: list again after a moment
 *                  ^____________|       a survey: look at the next candidate
 *   any of them -> DRAINING, with a reason -> the end
 *
 * Everybody else reports by callback, and what they report is carried out before the loop sleeps
 * next, never inside the callback.
 */
#ifndef BRIDGE_SUPERVISOR_H
#define BRIDGE_SUPERVISOR_H

struct config;

/* Exit codes of the command line. */
enum supervisor_exit {
	SUPERVISOR_DONE = 0,
	SUPERVISOR_FAILED = 1,
	SUPERVISOR_NO_CAMERA = 3,
	SUPERVISOR_AMBIGUOUS = 4,
	SUPERVISOR_UNPRESENTABLE = 5,
};

/* Relays until SIGTERM or SIGINT (SUPERVISOR_DONE), or until something is lost, which is logged.
 * Leaves nothing behind. */
enum supervisor_exit supervisor_run(const struct config *config);

#endif
