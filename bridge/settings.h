/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * settings: the configuration from where it is kept: a file, and what another of the same form on
 * the boot partition, which any computer can write to, says otherwise.
 */
#ifndef BRIDGE_SETTINGS_H
#define BRIDGE_SETTINGS_H

#include "bridge/config.h"
#include "bridge/inischema.h"

struct settings {
	struct config config;		 /* no host: which camera has not been said yet */
	char error[INISCHEMA_MAX_ERROR]; /* why there is none; or no host; else empty */
	const char *override; /* the file on the boot partition, of which all counts; NULL: none */
	/* What is wrong with that, which is left out then; else empty. */
	char problem[INISCHEMA_MAX_ERROR];
};

/* Where the file on the boot partition may be, of Debian 12 and before; NULL at the end. */
extern const char *const settings_overrides[];

/* Reads `path`, and the first of `overrides` that is there; NULL: none is looked for. 0 or -errno,
 * as config_read; of a problem with the latter none. */
int settings_read(struct settings *s, const char *path, const char *const *overrides);

#endif
