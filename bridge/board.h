/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * board: what this machine is and how it is set up, as far as ip2usb depends on it. Facts only;
 * what they mean is boardcheck's.
 */
#ifndef BRIDGE_BOARD_H
#define BRIDGE_BOARD_H

#include <stdbool.h>

#include "bridge/bootconfig.h"
#include "gadget/udc.h"

#define BOARD_MAX_WIFI 4

/* What get_throttled of the firmware says; since the boot: the same shifted by 16. */
#define BOARD_UNDER_VOLTAGE 1u
#define BOARD_SINCE_BOOT 16

enum board_name {
	BOARD_NAME_UNKNOWN,
	BOARD_NAME_FOUND,
	BOARD_NAME_NONE,
	BOARD_NAME_SLOW
};

struct board {
	char model[96];		       /* empty: not known */
	char machine[32], release[96]; /* uname's */
	unsigned memory_mib;

	/* The kernel. */
	bool has_modules; /* those of the running kernel are there */
	bool has_libcomposite, has_functionfs;
	bool has_configfs; /* mounted */

	/* The port. */
	const char *config; /* below the root: "/boot/firmware/config.txt"; NULL: there is none */
	bool config_moved;  /* there is none, but a file that says where, on another partition */
	int config_error;   /* -errno: it cannot be read, and all of it below is not set */
	struct bootconfig bootconfig;
	bool is_generated;	   /* from others, by raspi-firmware */
	bool has_overlay;	   /* the file that a line of it would load */
	enum bootconfig_role live; /* of the running kernel's device tree; UNSET: no such port */
	bool has_udc, is_otg;
	struct udc udc;
	/* A gadget module that is loaded at boot, and the file that has it so; NULL: none. */
	char gadget_module[BOOTCONFIG_MAX_MODULE];
	const char *gadget_file;

	/* The service. */
	bool has_service, is_enabled;

	/* The network: interfaces of WiFi, each with what wifi_power_save says of it. */
	unsigned num_wifi;
	struct {
		char name[16];
		int power_save;
	} wifi[BOARD_MAX_WIFI];
	bool has_network_manager, has_iw;
	/* The configured server's name; set by the caller. */
	const char *host; /* NULL: none */
	enum board_name name;
	bool has_mdns; /* names that end in .local are looked for by more than DNS */

	/* The rest. */
	unsigned throttled; /* by bits, see above */
	bool is_synchronised;
	long long now, built; /* seconds since 1970; the latter this program's */
};

/* All but the server's name. Paths are `root`'s, "" where it is this machine. `udc` is the
 * configured one, or "auto". */
void board_read(struct board *b, const char *root, const char *udc);

/* Only what its files say, for a tree that does not run: the port without the device tree and the
 * UDC, the service and WiFi without its interfaces. */
void board_read_files(struct board *b, const char *root);

#endif
