/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * acquirer: has an acquisition acquire a camera of a forkserver's, on a loop of its own, with a
 * resolver, a clock, a log and a link that are the test's.
 *
 * For tests that are linked with --wrap=ev_timer_start,getaddrinfo,log_write (unit.cmake).
 */
#ifndef TESTS_ACQUIRER_H
#define TESTS_ACQUIRER_H

#include "bridge/acquisition.h"
#include "bridge/selection.h"
#include "tests/unit/forkserver.h"

struct scene {
	const char *name;
	struct selection_criteria camera;
	unsigned num_devices; /* of the server, see forkserver_start */
	enum forkserver_step steps[FORKSERVER_STEPS];
	enum outcome outcome; /* OUTCOME_DONE: acquired */
	const char *words;    /* the busid acquired, or of the reason */
	const char *asked;    /* of the server: lists, and the busids of imports */
};

/* For each scene as the test has set it, until acquirer_as_usual. */
struct acquirer {
	struct acquisition_options options;
	double haste;	       /* so many times faster than the loop's is the clock */
	unsigned resolving_us; /* that it takes to find the server's address */
	char refusing[8];      /* port of an address that comes before it; empty: none */
	unsigned losses;       /* of the link, once the camera is acquired, that are still to come:
				* each is followed by acquisition_again, or by a resume */
	unsigned encrypted;    /* connections that the server takes with a key alone; 0: plain */
	bool has_key, wrong;   /* the acquisition has a key, and it is another one */
	int refused;	       /* of the encrypted ones */
	/* of the last scene */
	unsigned suspensions, resumes;
	char logged[2048]; /* but for what -v shows */
	unsigned ticks;	   /* of 0.1 s that the loop has seen */
};

extern struct acquirer acquirer;

/* All comes as it is written there. */
void acquirer_play(const struct scene *scene);

/* A cmocka fixture. */
int acquirer_as_usual(void **state);

#endif
