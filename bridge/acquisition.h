/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * acquisition: from a configuration to a probed camera: lists, selects, imports, probes; then holds
 * its session.
 *
 *   LISTING -> IMPORTING -> PROBING -> ACQUIRED
 *    ^___|      ^___|           |       not listed, busy: the same again after a moment
 *               ^_______________|       a survey: look at the next candidate
 *   ACQUIRED <-> RESUMING               the link is lost, in a session that outlives it
 *   any of them -> ENDED, with a reason
 *
 * What the server and the camera do is carried out in acquisition_prepare, never inside a callback
 * of theirs.
 */
#ifndef BRIDGE_ACQUISITION_H
#define BRIDGE_ACQUISITION_H

#include <stdbool.h>

#include <ev.h>

#include "bridge/conn.h"
#include "bridge/connector.h"
#include "bridge/resumer.h"
#include "bridge/search.h"

struct client;
struct config;
struct probe;
struct tap;

/* What a command has come to; its exit code. */
enum outcome {
	OUTCOME_DONE = 0,
	OUTCOME_FAILED = 1,
	OUTCOME_USAGE = 2, /* the command line or the configuration is wrong */
	OUTCOME_NO_CAMERA = 3,
	OUTCOME_AMBIGUOUS = 4,
	OUTCOME_UNPRESENTABLE = 5,
};

/* All come from acquisition_prepare alone, and in them the acquisition may not be freed. */
struct acquisition_callbacks {
	/* The camera is imported and probed; its client is the taker's to use, and to flush. */
	void (*acquired)(void *user);
	/* There will be no camera, or it is gone again. Called at most once, and nothing after it,
	 * once it has been let go of, which may be in here; but for acquisition_again. */
	void (*ended)(void *user, enum outcome outcome, const char *reason);
	/* With `hold_s` alone: the link is lost, and the session waits at the server. The client
	 * may be used as ever; nothing is lost, nor comes twice. Then one of `resumed` and
	 * `ended`. */
	void (*suspended)(void *user, const char *reason);
	void (*resumed)(void *user);
};

struct acquisition_options {
	uint16_t local_port; /* of its connections, see conn_open; 0: any */
	bool quiet;	     /* what stands in the way has been said before */
	double connect_s;    /* that listing and importing may take each; 0: 10 */
	struct tap *tap;     /* of its session, see client_set_tap */
	unsigned hold_s;     /* that the session outlives its link by, if the server can; 0: not */
};

struct acquisition {
	const struct config *config;
	struct acquisition_options options;
	struct ev_loop *loop;
	const struct acquisition_callbacks *callbacks;
	void *user;
	ev_io server;
	ev_timer timer; /* of a step, or of a pause */
	unsigned state, todo;
	enum outcome outcome;
	char reason[512];
	unsigned busy, unlisted; /* retries for either reason; busy: of `imported` */
	bool pausing;
	bool probed;
	bool lost;		    /* the link, since the camera was acquired */
	bool asked, plain;	    /* for a session; it is no use to ask */
	struct connector connector; /* at work where LISTING and IMPORTING begin */
	struct resumer resumer;	    /* at work in RESUMING */
	/* the session; NULL what there is not */
	struct client *client;		 /* from ACQUIRED on: for the taker */
	struct probe *probe;		 /* from ACQUIRED on: holds the profile */
	struct probe *former;		 /* of the camera that acquisition_again looks for, */
	char address[CONN_ADDRESS_SIZE]; /* and that of its server */
	struct search search;		 /* which device; has no list from ACQUIRED on */
	enum outcome unmatched; /* if none matches: no camera, or why one was not looked at */
	char imported[USBIP_BUSID_SIZE]; /* the busid of the session's */
};

/* Starts. `config` and `loop` must stay. */
void acquisition_init(struct acquisition *a, struct ev_loop *loop, const struct config *config,
	const struct acquisition_options *options, const struct acquisition_callbacks *callbacks,
	void *user);

/* The camera's, once it has been acquired. Stays where it is, and as it is, to the end. */
struct usb_profile *acquisition_profile(const struct acquisition *a);

/* After `ended`, when the camera had been acquired: looks for it once more, at the same address;
 * what is not the same camera, by all that it says of itself and by its busid, as some say the same
 * of themselves, ends with OUTCOME_NO_CAMERA. */
void acquisition_again(struct acquisition *a, const struct acquisition_options *options);

/* "connecting", "importing", "probing", "acquired", "resuming" or "ended". */
const char *acquisition_state_str(const struct acquisition *a);

/* Once an iteration of the loop, before it sleeps, and after whoever uses the client: carries out
 * what has happened, watches for more. */
void acquisition_prepare(struct acquisition *a);

/* Closes the connection, upon which the server resets the device. */
void acquisition_let_go(struct acquisition *a);

/* Lets go, and frees what is left. */
void acquisition_fini(struct acquisition *a);

#endif
