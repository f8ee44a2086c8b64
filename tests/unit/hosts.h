/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hosts: machines of a subnet, 127.0.0.0/8, with something at one and the same port, which is a
 * free one. A process of their own serves it.
 */
#ifndef TESTS_UNIT_HOSTS_H
#define TESTS_UNIT_HOSTS_H

#include <sys/types.h>

#define HOSTS_MAX 16

enum hosts_kind {
	HOSTS_END,
	HOSTS_CAMERA,  /* exports 1-1.4, 04a9:3218 */
	HOSTS_NOTHING, /* exports nothing */
	HOSTS_GARBAGE, /* no USB/IP */
	HOSTS_HANGS_UP,
	HOSTS_CUT,    /* hangs up within its answer */
	HOSTS_SILENT, /* accepts, and says nothing */
	HOSTS_DEAF,   /* does not answer at all */
};

struct hosts {
	char port[8];
	int fds[HOSTS_MAX], others[HOSTS_MAX];
	pid_t pid;
};

struct hosts_host {
	unsigned address; /* 127.0.0.address */
	enum hosts_kind kind;
};

/* `hosts` ends with HOSTS_END. */
void hosts_start(struct hosts *h, const struct hosts_host *hosts);
void hosts_stop(struct hosts *h);

#endif
