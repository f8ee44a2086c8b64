/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * config: ip2usb.conf, an INI file, into a validated struct.
 *
 * Strict, as inischema is: what is not known is an error that names file, line and what is allowed.
 */
#ifndef BRIDGE_CONFIG_H
#define BRIDGE_CONFIG_H

#include <stddef.h>

#include "bridge/pairingkey.h"
#include "bridge/selection.h"

#define CONFIG_MIRROR (-1) /* as the camera says */
#define CONFIG_AUTO "auto"
#define CONFIG_OFF "off"

struct config {
	struct {
		char host[256];	 /* required */
		char port[8];	 /* decimal, 1..65535; default USBIP_PORT */
		char notices[8]; /* the same, CONFIG_OFF, or CONFIG_AUTO, the default */
		bool has_key;	 /* default: no */
		struct pairingkey key;
	} server;
	struct selection_criteria camera;
	struct {
		char udc[64];		 /* default "auto" */
		int max_power_ma;	 /* 0..500, or CONFIG_MIRROR, the default */
		int self_powered;	 /* 0, 1, or CONFIG_MIRROR, the default */
		unsigned unplug_after_s; /* 1..3600, or 0 for never; default 5 */
	} gadget;
	struct {
		unsigned hold_s; /* 0..600; default 10 */
	} link;
	struct {
		char name[64]; /* in /sys/class/leds; "none": no LED; default "ACT" */
	} led;
};

/* Reads `path`. 0, or -errno with a text of at most `size` bytes for people in `error`:
 * "FILE:LINE: what is wrong; allowed: ...". -ENODATA: there is no host, and nothing is wrong else;
 * `c` is set. Equal configurations have equal bytes. */
int config_read(struct config *c, const char *path, char *error, size_t size);

/* Reads `path` over `c`: what the file says holds, what it leaves out stays as it is. 0, or as
 * above, but that no host is no error; then `c` is of no use. */
int config_override(struct config *c, const char *path, char *error, size_t size);

/* As config_read, of a text in memory, which `path` is only the name of. */
int config_parse(struct config *c, const char *path, const char *text, char *error, size_t size);

/* The key of a server; NULL: it is not the configured one, or has none. */
const struct pairingkey *config_key(const struct config *c, const char *host, const char *port);

#endif
