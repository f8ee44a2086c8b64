/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fit: what a UDC can present of a camera, and what is lost; before anything is made.
 *
 * Pure. What makes the camera useless is a reason to refuse it; what is only missing at the phone
 * is listed, and the camera presented without it. Refused is what the kernel would refuse at the
 * bind, and a camera none of whose interfaces would work.
 */
#ifndef GADGET_FIT_H
#define GADGET_FIT_H

#include <stdbool.h>

struct udc;
struct usb_profile;

#define FIT_MAX_FINDINGS 112 /* more than there can be: see fit.c */
#define FIT_MAX_TEXT 240     /* bytes of a text, with its NUL */

enum fit_severity {
	FIT_REFUSED, /* the camera is not presented */
	FIT_LOST,    /* the phone does not get it */
	FIT_NOTE,    /* worth knowing when the phone does not like the camera */
};

struct fit_finding {
	enum fit_severity severity;
	char text[FIT_MAX_TEXT]; /* for people: what it is about, and what comes of it */
};

struct fit {
	unsigned num_findings;
	struct fit_finding findings[FIT_MAX_FINDINGS];
};

/* Fills `f`. `udc` NULL: nothing is known of it, and it limits nothing. 0, or -EOPNOTSUPP when
 * there is a reason to refuse the camera. */
int fit_check(struct fit *f, const struct usb_profile *p, const struct udc *udc);

/* Adds a finding of the caller's. */
void fit_add(struct fit *f, enum fit_severity severity, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The first reason to refuse the camera, or NULL. */
const char *fit_refusal(const struct fit *f);

/* "refused", "lost" or "note". */
const char *fit_severity_str(enum fit_severity severity);

#endif
