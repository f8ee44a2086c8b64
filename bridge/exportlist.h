/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * exportlist: `ip2usb-export list`: this machine's devices, which of them are exported, why the
 * others are not, and whether there is a key.
 */
#ifndef BRIDGE_EXPORTLIST_H
#define BRIDGE_EXPORTLIST_H

struct exportconfig;

/* Prints them. The exit code: 0, or 1, which has been complained of. */
int exportlist_run(const struct exportconfig *config);

#endif
