/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * report: how a running daemon is: as JSON for `ip2usb status`, in the form of docs/protocol.md,
 * and as lines of the log.
 */
#ifndef BRIDGE_REPORT_H
#define BRIDGE_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "bridge/conn.h"

#define REPORT_VERSION 1 /* higher when a reader of this one would misunderstand it */

struct client;
struct relay;
struct usb_profile;

struct report {
	const char *state;
	const char *reason;  /* of the last end; empty: none since a camera was there */
	const char *problem; /* with a file of the configuration; empty: none */
	double since_s;	     /* how long the state has lasted */
	const char *host, *port;
	bool encrypted;			  /* the link to it, as it has a key */
	const struct conn_info *link;	  /* NULL: none */
	const char *busid;		  /* of the camera */
	const struct usb_profile *camera; /* NULL: none is there */
	const char *udc;		  /* where it is presented; NULL: it is not */
	const struct relay *relay;	  /* while it is presented */
};

/* A text with a newline at its end, to be freed; NULL: out of memory. */
char *report_write(const struct report *r);

/* The counters, as lines of the log. `client` may be NULL. */
void report_log(const struct relay *relay, const struct client *client);

#endif
