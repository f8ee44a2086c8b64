/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * forkserver: a USB/IP server that is another process, knows one connection after the other, and
 * does with each what it has been told beforehand.
 */
#ifndef TESTS_FORKSERVER_H
#define TESTS_FORKSERVER_H

#include <stddef.h>
#include <sys/types.h>

#define FORKSERVER_STEPS 8

/* What it does with a connection; for an import the device is that asked for. */
enum forkserver_step {
	STEP_NONE,
	STEP_LIST,
	STEP_BUSY,
	STEP_NODEV,
	STEP_GIVE,
	STEP_GIVE_OTHER,  /* of another vendor than the list says */
	STEP_GIVE_NEWER,  /* of another bcdDevice than the others */
	STEP_GIVE_BROKEN, /* its configuration is none */
	STEP_GIVE_GONE,	  /* unplugged by the time of the first descriptor */
	STEP_GIVE_ERROR,  /* a USB error instead of it */
	STEP_GIVE_HALF,	  /* closes at the first request */
	STEP_GIVE_DEAF,	  /* answers none */
	/* A server that has sessions: */
	STEP_LIST_RESUMABLE,
	STEP_SESSION,
	STEP_RESUME,	   /* goes on */
	STEP_RESUME_NODEV, /* has given it up */
	STEP_RESUME_WRONG, /* has received what was never sent */
	/* And one that seems to have: */
	STEP_CLOSE,  /* whatever is asked */
	STEP_SILENT, /* until who asks gives up */
};

struct forkserver {
	char port[8];
	pid_t pid;
	int asked;
};

/* Has `num_devices`: 1-1, 1-2 ... with serial numbers A, B ..., otherwise the same camera. Takes
 * connections up to the first STEP_NONE, and refuses who comes later. */
void forkserver_start(struct forkserver *s, const enum forkserver_step steps[FORKSERVER_STEPS],
	unsigned num_devices);

/* When all its connections have been. What it was asked for: "list ", or the busid of an import,
 * "session " before it, or "resume " each. Returns its exit status, 0 unless something went wrong.
 */
int forkserver_end(struct forkserver *s, char *asked, size_t size);

#endif
