/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * backoff: how long to wait before the next attempt: twice as long each time, up to what the
 * trouble allows. A fifth of it, more or less, is chance: of many that have lost one
 * server not all come back at once. Pure.
 */
#ifndef BRIDGE_BACKOFF_H
#define BRIDGE_BACKOFF_H

#define BACKOFF_GROWTH 2.
#define BACKOFF_JITTER 0.2

struct backoff {
	double first_s, next_s; /* without the limit */
	unsigned short chance[3];
};

/* `first` is the seconds before the first new attempt. */
void backoff_init(struct backoff *b, double first, unsigned seed);

/* The seconds until the next attempt, which counts: at most `longest`, but for the chance. */
double backoff_next(struct backoff *b, double longest);

/* Something has been achieved; or somebody has changed what there is to try. */
void backoff_begin_anew(struct backoff *b);

#endif
