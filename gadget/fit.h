/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fit: whether a camera can be presented through FunctionFS at all. Pure. */
#ifndef GADGET_FIT_H
#define GADGET_FIT_H

struct usb_profile;

/* 0, or -EOPNOTSUPP with *why set to a static text for people. */
int fit_check(const struct usb_profile *p, const char **why);

#endif
