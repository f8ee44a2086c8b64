/* SPDX-License-Identifier: GPL-2.0-or-later */
/* boardcheck: what a board's facts mean for ip2usb, and what to do about it. Pure. */
#ifndef BRIDGE_BOARDCHECK_H
#define BRIDGE_BOARDCHECK_H

#include <stdbool.h>

struct board;

#define BOARDCHECK_MAX 24 /* findings: more than there can be */

enum boardcheck_severity {
	BOARDCHECK_PROBLEM, /* nothing can be presented, or no server found */
	BOARDCHECK_WARNING, /* it works, but not well, or not after the next boot */
	BOARDCHECK_NOTE,
};

struct boardcheck_finding {
	enum boardcheck_severity severity;
	const char *about; /* "port", "kernel" ... */
	char text[224];	   /* for people */
	char remedy[160];  /* what to do; empty: nothing */
};

struct boardcheck {
	unsigned num_findings;
	struct boardcheck_finding findings[BOARDCHECK_MAX];
};

void boardcheck_judge(struct boardcheck *c, const struct board *b);

/* The part of it that is of the files alone, see board_read_files: what is in the way of a device
 * port at the next boot. */
void boardcheck_judge_files(struct boardcheck *c, const struct board *b);

/* "problem", "warning" or "note". */
const char *boardcheck_severity_str(enum boardcheck_severity severity);

#endif
