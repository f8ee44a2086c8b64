/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ffsblob: struct usb_profile -> the two blobs that FunctionFS wants on ep0 (linux/usb/functionfs.h).
 *
 * Pure. FunctionFS accepts few descriptor types (ffs_do_single_desc): interface, endpoint, HID or CCID
 * functional (0x21), interface association. Everything else, and every alternate setting but 0, is left
 * out and counted. Interfaces and their strings are renumbered as struct usb_interface.logical says.
 */
#ifndef GADGET_FFSBLOB_H
#define GADGET_FFSBLOB_H

#include <stddef.h>
#include <stdint.h>

struct usb_profile;

/* Largest blobs there can be: all strings at their longest. */
#define FFSBLOB_DESCS_SIZE (4096 + 64)
#define FFSBLOB_STRINGS_SIZE (64 * 384 + 16 * 2 + 16)

struct ffsblob {
	uint8_t descs[FFSBLOB_DESCS_SIZE];
	size_t descs_size;
	uint8_t strings[FFSBLOB_STRINGS_SIZE];
	size_t strings_size;
	unsigned dropped; /* descriptors of the camera that cannot be presented */
};

/* Builds both blobs: FUNCTIONFS_DESCRIPTORS_MAGIC_V2 with FUNCTIONFS_ALL_CTRL_RECIP and descriptors
 * for one speed, the profile's: full-speed ones for low and full, high-speed ones for high.
 * 0; -EOPNOTSUPP for SuperSpeed (its translation is not written yet) or no interface at all. */
int ffsblob_build(struct ffsblob *b, const struct usb_profile *p);

#endif
