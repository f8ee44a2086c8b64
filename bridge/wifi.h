/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wifi: power saving of a WiFi interface, by nl80211; alone knows libnl. */
#ifndef BRIDGE_WIFI_H
#define BRIDGE_WIFI_H

#include <stdbool.h>

/* 1: it saves power, 0: it does not; -errno: not known, of which -EOPNOTSUPP: it has none, or this
 * was built without libnl. */
int wifi_power_save(const char *interface);

/* Until the next boot, or until somebody else sets it. Takes CAP_NET_ADMIN. 0 or -errno. */
int wifi_set_power_save(const char *interface, bool on);

#endif
