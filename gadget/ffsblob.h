/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ffsblob: struct usb_profile -> the two blobs of linux/usb/functionfs.h, wanted on ep0.
 *
 * Pure. FunctionFS accepts few descriptor types (ffs_do_single_desc): interface, endpoint, HID or
 * CCID functional (0x21), interface association. Everything else, isochronous endpoints, and every
 * alternate setting but 0, is left out and counted. Interfaces are renumbered as struct
 * usb_interface.logical says, their strings 1, 2 ... as they come. An association whose interfaces
 * are not neighbours at the phone is left out as well. The endpoints are those of struct
 * usb_profile, in its order.
 */
#ifndef GADGET_FFSBLOB_H
#define GADGET_FFSBLOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct usb_interface;
struct usb_profile;

#define FFSBLOB_MAX_INTERFACES 16 /* MAX_CONFIG_INTERFACES; the bind fails with more */

/* The kernel converts USB_MAX_STRING_LEN bytes of a text, and if they end within a character the
 * phone gets a stall (usb_gadget_get_string): texts are cut here. */
#define FFSBLOB_MAX_TEXT 126

/* Largest blobs there can be: all strings at their longest and each in one of 16 languages. */
#define FFSBLOB_DESCS_SIZE (2 * 4096 + 64)
#define FFSBLOB_STRINGS_SIZE (16 + 16 * 2 + 64 * FFSBLOB_MAX_TEXT + 16 * 64)

struct ffsblob {
	uint8_t descs[FFSBLOB_DESCS_SIZE];
	size_t descs_size;
	uint8_t strings[FFSBLOB_STRINGS_SIZE];
	size_t strings_size;
	unsigned dropped; /* descriptors of the camera that cannot be presented */
};

/* Builds both blobs: FUNCTIONFS_DESCRIPTORS_MAGIC_V2 with FUNCTIONFS_ALL_CTRL_RECIP. A low-speed
 * camera has its descriptors as full-speed ones. A faster one has two sets, for a phone that runs
 * at full and one that runs at high speed, with packets no larger, and interrupts about as often,
 * as that allows. 0; -EOPNOTSUPP for an unknown speed, no interface at all or more than
 * FFSBLOB_MAX_INTERFACES. */
int ffsblob_build(struct ffsblob *b, const struct usb_profile *p);

/* Whether a class-specific descriptor that belongs to interface `i` can be presented. */
bool ffsblob_keeps_class(const struct usb_interface *i, const uint8_t *descriptor);

#endif
