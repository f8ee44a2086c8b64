/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/backoff.h"

#include <stdlib.h>
#include <string.h>

void backoff_begin_anew(struct backoff *b)
{
	b->next_s = b->first_s;
}

void backoff_init(struct backoff *b, double first, unsigned seed)
{
	memset(b, 0, sizeof(*b));
	b->chance[0] = (unsigned short)seed;
	b->chance[1] = (unsigned short)(seed >> 16);
	b->first_s = first;
	backoff_begin_anew(b);
}

double backoff_next(struct backoff *b, double longest)
{
	double seconds = b->next_s < longest ? b->next_s : longest;

	/* In a thousand attempts infinite, which is as good. */
	b->next_s *= BACKOFF_GROWTH;
	return seconds * (1. + BACKOFF_JITTER * (2. * erand48(b->chance) - 1.));
}
