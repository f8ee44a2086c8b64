/* SPDX-License-Identifier: GPL-2.0-or-later */
/* visit: a camera is acquired, looked at and let go of at once; what `check` and `pair` share. */
#ifndef BRIDGE_VISIT_H
#define BRIDGE_VISIT_H

#include "bridge/acquisition.h"

/* Blocks until it is over. `look` is called once the camera is there, `a` being valid in it alone;
 * what it returns is the outcome. If there will be no camera it is not called, the outcome says
 * why, and the log too. */
enum outcome visit_run(const struct config *config,
	enum outcome (*look)(void *user, struct acquisition *a), void *user);

#endif
