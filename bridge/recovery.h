/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * recovery: brings a camera that was reset while its link was lost to where the phone has it,
 * before anything of the phone's reaches it: one PTP interface after the other its session, and the
 * command that the phone waits for an answer to, if that may be asked twice. What the phone has had
 * of the answer is skipped.
 */
#ifndef BRIDGE_RECOVERY_H
#define BRIDGE_RECOVERY_H

#include <stdbool.h>

#include "bridge/pipe.h"
#include "bridge/ptp_session.h"

/* What it is about; all of it must stay. */
struct recovery_options {
	const struct usb_profile *profile;
	struct framing *framings; /* of its interfaces, */
	struct pipe *pipes;	  /* and its endpoints */
	/* NULL: the camera is where the phone has it; else why it cannot be brought there. */
	void (*done)(void *user, const char *problem);
	/* It has to be reset once more before it can be; by then no less is asked of it. */
	void (*stuck)(void *user);
	void *user;
};

struct recovery {
	struct recovery_options options;
	struct client *client;
	struct ptp_session session;
	unsigned at;	/* the interface that it is at */
	bool opened;	/* whose session is open */
	unsigned noted; /* the interface that recovery_note was about */
	bool spoken;	/* something has been sent to the camera */
	enum pipe_remains remains[USBDESC_MAX_INTERFACES];
};

void recovery_init(
	struct recovery *r, struct ev_loop *loop, const struct recovery_options *options);

/* The link is lost: notes what it takes to go on. Between pipe_hold and client_abandon. */
void recovery_note(struct recovery *r);

/* While the pipes are held (pipe_hold, pipe_cut). True: there is nothing to do; else `done`
 * follows.
 */
bool recovery_start(struct recovery *r, struct client *client);

/* Of the transaction that a pipe's interface was in the middle of, when it is done. */
enum pipe_remains recovery_remains(const struct recovery *r, const struct pipe *p);

/* Before client_abandon, or in the end. */
void recovery_stop(struct recovery *r);

#endif
