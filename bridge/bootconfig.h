/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bootconfig: what config.txt, which a Raspberry Pi's firmware reads at boot, makes of the USB
 * port; and which modules that take the port are loaded at boot. Pure.
 *
 * Of https://www.raspberrypi.com/documentation/computers/config_txt.html: a line has 98 bytes that
 * count; filters such as [pi0] of different kinds add up, of the same kind replace each other, and
 * [all] ends them. Of the overlays' README: dtparam belongs to the overlay before it. Of several
 * overlays for the port the last one's dr_mode is what is left in the device tree.
 */
#ifndef BRIDGE_BOOTCONFIG_H
#define BRIDGE_BOOTCONFIG_H

#include <stdbool.h>
#include <stddef.h>

#define BOOTCONFIG_MAX_FILE (64u << 10)
#define BOOTCONFIG_MAX_MODULE 32

enum bootconfig_role {
	BOOTCONFIG_UNSET, /* nothing says anything of it */
	BOOTCONFIG_HOST,
	BOOTCONFIG_OTG, /* the cable decides */
	BOOTCONFIG_PERIPHERAL,
};

struct bootconfig {
	enum bootconfig_role role;
	unsigned line; /* that says so, from 1 */
	/* It may be so: depends on a filter of which nothing is known here. Only of roles other
	 * than peripheral: a line that may not count does not make it that. */
	bool doubtful;
	bool includes; /* there are other files, which have not been looked at */
};

/* `model`: the board as the device tree calls it; empty: not known. */
void bootconfig_read(struct bootconfig *b, const char *text, size_t size, const char *model);

/* Whether the file is made by Debian's raspi-firmware, anew at each of its updates. */
bool bootconfig_is_generated(const char *text, size_t size);

/* Whether it only says where Raspberry Pi OS has config.txt since Debian 12: on the boot partition,
 * which is mounted below the folder that this is in. */
bool bootconfig_has_moved(const char *text, size_t size);

/* The first gadget module, g_ether and the like, that a kernel command line has loaded
 * (modules-load=, systemd-modules-load(8)). False: there is none. */
bool bootconfig_cmdline_gadget(char module[BOOTCONFIG_MAX_MODULE], const char *text, size_t size);

/* The same of a file that has a module in each line: modules-load.d(5), /proc/modules. */
bool bootconfig_modules_gadget(char module[BOOTCONFIG_MAX_MODULE], const char *text, size_t size);

/* "host", "OTG" ... */
const char *bootconfig_role_str(enum bootconfig_role role);

/* Of the device tree's dr_mode. */
enum bootconfig_role bootconfig_role_of(const char *text, size_t size);

#endif
