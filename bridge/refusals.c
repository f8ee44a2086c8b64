/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/refusals.h"

#include <stdio.h>
#include <string.h>

static bool was_told(const struct refusals *r, const struct refusals_told *what)
{
	for (unsigned i = 0; i < REFUSALS_MAX; i++) {
		if (!strcmp(r->told[i].peer, what->peer) &&
			!strcmp(r->told[i].reason, what->reason))
			return true;
	}
	return false;
}

bool refusals_add(
	struct refusals *r, const char *peer, const char *reason, double now, unsigned *others)
{
	struct refusals_told what;

	/* Cut as what is remembered was. */
	(void)snprintf(what.peer, sizeof(what.peer), "%s", peer);
	(void)snprintf(what.reason, sizeof(what.reason), "%s", reason);
	if (was_told(r, &what))
		return false;
	if (now < r->quiet_until) {
		r->left_out++;
		return false;
	}
	r->told[r->next] = what;
	r->next = (r->next + 1) % REFUSALS_MAX;
	r->quiet_until = now + REFUSALS_REST_S;
	*others = r->left_out;
	r->left_out = 0;
	return true;
}
