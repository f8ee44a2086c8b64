/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * advertiser: has the machine's avahi-daemon announce this server as _usbip._tcp by mDNS and DNS-SD
 * (RFC 6762, 6763), with what is plugged in. browse is the other end.
 *
 * All of Avahi is in a thread of its own: its client waits for each answer of the daemon, for 25 s
 * where that hangs. No daemon, no D-Bus, either of them started later, or anew: it is announced as
 * soon as that is possible, under another name where the name is taken.
 */
#ifndef BRIDGE_ADVERTISER_H
#define BRIDGE_ADVERTISER_H

#include <stdint.h>

#include "bridge/txtrecord.h"

struct advertiser;

/* Announces, on all interfaces, "USB/IP on HOSTNAME" at `port` (in host order), without a device.
 * 0, or -errno with *why for people, which stays valid, and *out NULL; -ENOTSUP: this build has no
 * mDNS. */
int advertiser_new(uint16_t port, struct advertiser **out, const char **why);

/* Ends the announcement; waits for that, for 1 s at most, then the thread frees the rest when it
 * can. NULL is fine. */
void advertiser_free(struct advertiser *a);

/* These devices instead of those before. Never waits. NULL is fine. */
void advertiser_set(struct advertiser *a, const struct txtrecord_device *devices, unsigned n);

#endif
