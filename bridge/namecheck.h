/* SPDX-License-Identifier: GPL-2.0-or-later */
/* namecheck: whether a server's name has an address here, within a time. */
#ifndef BRIDGE_NAMECHECK_H
#define BRIDGE_NAMECHECK_H

#include "bridge/board.h"

/* Runs a loop of its own, for 5 s at most. */
enum board_name namecheck_run(const char *host, const char *port);

#endif
