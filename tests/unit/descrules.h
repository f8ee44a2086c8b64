/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * descrules: what must hold for anything that usbdesc has accepted, and for the blobs made of it.
 *
 * Each check returns NULL, or a static text that names the rule broken. They look at every byte, so
 * that a sanitizer does too.
 */
#ifndef TESTS_UNIT_DESCRULES_H
#define TESTS_UNIT_DESCRULES_H

#include "gadget/ffsblob.h"
#include "gadget/usbdesc.h"

const char *descrules_profile(const struct usb_profile *p);

/* `b` is a successful ffsblob_build of `p`. */
const char *descrules_blob(const struct ffsblob *b, const struct usb_profile *p);

/* What fit says of it, on several UDCs. */
const char *descrules_fit(const struct usb_profile *p);

#endif
