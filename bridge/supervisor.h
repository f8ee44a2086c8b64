/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * supervisor: has the configured camera presented, for ever. It alone makes and frees the
 * acquisition of a camera and its presentation, which report to it by callback; what they report is
 * carried out before the loop sleeps next, never inside the callback.
 *
 *   acquisition -> PRESENTED <-> ACTIVE <-> HOLDING, while the same camera is looked for
 *   any of them -> DRAINING, with a reason -> a pause -> acquisition
 *                                          -> the end, when it is to stop
 *
 * Without a server in the configuration it waits for another one, UNPAIRED.
 */
#ifndef BRIDGE_SUPERVISOR_H
#define BRIDGE_SUPERVISOR_H

#include <stdbool.h>
#include <stdint.h>

#include <ev.h>

#include "bridge/acquisition.h"
#include "bridge/backoff.h"
#include "bridge/hold.h"
#include "bridge/led.h"
#include "bridge/notice.h"
#include "bridge/settings.h"

struct notify;
struct presentation;
struct report;
struct tap;

struct supervisor_options {
	bool once;	       /* to end where it would pause */
	struct tap *tap;       /* of all sessions */
	struct notify *notify; /* is told the state */
};

struct supervisor {
	struct supervisor_options options;
	struct settings settings; /* that were good last; `problem` is of those read last */
	struct ev_loop *loop;
	ev_prepare prepare;
	ev_timer pause;
	struct hold hold; /* on: the link is lost, and the phone waits */
	bool suspended;	  /* so does the session, for which the hold is on */
	struct led led;
	enum led_code shown; /* if nothing is more urgent */
	struct notice notice;
	struct acquisition acquisition;
	bool acquiring;			   /* there is an acquisition; else there is a pause */
	struct presentation *presentation; /* NULL before the camera is there */
	uint64_t bytes;			   /* that had been relayed when the loop slept last */
	bool ending, draining;		   /* to be carried out; under way */
	bool stopping;			   /* for good */
	enum outcome outcome;
	const struct supervisor_trouble *trouble;
	struct backoff backoff; /* anew since a camera was presented for long */
	bool repeated;		/* what is found now has been said */
	double presented;	/* the loop's time then */
	char reason[600];	/* of the last end, or of the hold; empty: the camera is there */
	const char *state;	/* its name when it changed last, NULL: to be noted, */
	double since;		/* and the time then, in s */
};

/* Starts. What is lost or not there is waited for; with `once` until something is lost, or is not
 * there, which is the outcome. All of it is logged. When it is over it breaks `loop`. `loop`, and
 * what the options point to, must stay. */
void supervisor_init(struct supervisor *s, struct ev_loop *loop, const struct settings *settings,
	const struct supervisor_options *options);

/* Another configuration: where it is another it lets the camera go and starts with it; where it is
 * wrong (`problem`) nothing changes, but that it is shown. */
void supervisor_configure(struct supervisor *s, const struct settings *settings);

/* Lets the camera go, with OUTCOME_DONE, and nothing is left behind. */
void supervisor_stop(struct supervisor *s, const char *reason);

/* When it is over. */
void supervisor_fini(struct supervisor *s);

/* The camera that is presented, while its link is there; or NULL. */
const struct acquisition *supervisor_session(const struct supervisor *s);

/* How it is, but for the link. Valid until the loop goes on. */
void supervisor_report(const struct supervisor *s, struct report *r);

/* The counters, as lines of the log. */
void supervisor_log(const struct supervisor *s);

#endif
