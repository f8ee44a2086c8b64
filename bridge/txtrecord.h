/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * txtrecord: what is plugged in as the TXT record of DNS-SD (RFC 6763, 6; docs/protocol.md,
 * "mDNS").
 *
 * Pure: no I/O, no allocation, no logging.
 */
#ifndef BRIDGE_TXTRECORD_H
#define BRIDGE_TXTRECORD_H

#include <stddef.h>
#include <stdint.h>

/* Bytes: all of what is announced is to fit into one packet (RFC 6763, 6.2), and of one string. */
#define TXTRECORD_MAX 1200
#define TXTRECORD_MAX_STRING 255

struct txtrecord {
	uint8_t bytes[TXTRECORD_MAX]; /* strings, each behind a byte with its length */
	size_t size;
};

struct txtrecord_device {
	const char *busid; /* as in the list of exported devices */
	uint16_t vendor, product;
	const char *name; /* UTF-8 that the device says, or NULL */
};

/* "txtvers=1", "devices=N" and "BUSID=VID:PID NAME" of each device, in this order, as far as they
 * fit: one that does not is left out, and counted in N. A name that is too long is cut; what of it
 * is not printable is '?'. */
void txtrecord_make(struct txtrecord *t, const struct txtrecord_device *devices, unsigned n);

#endif
