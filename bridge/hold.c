/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/hold.h"

#include <string.h>

/* How long a hold goes on, and its beginning may come after, when the server says that the camera
 * was unplugged. Not at once: a server that exports a device again may say so too, and then has it
 * back. */
#define UNPLUGGED_S 3.

static void on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct hold *h = timer->data;

	(void)loop;
	(void)events;
	h->on = false;
	h->over(h->user);
}

void hold_init(struct hold *h, struct ev_loop *loop, void (*over)(void *user), void *user)
{
	memset(h, 0, sizeof(*h));
	h->loop = loop;
	h->over = over;
	h->user = user;
	ev_init(&h->timer, on_timer);
	h->timer.data = h;
}

static void go_on_for(struct hold *h, double seconds)
{
	ev_timer_stop(h->loop, &h->timer);
	ev_timer_set(&h->timer, seconds, 0.);
	ev_timer_start(h->loop, &h->timer);
	h->seconds = seconds;
}

void hold_begin(struct hold *h, double longest)
{
	bool unplugged = h->told > 0. && ev_now(h->loop) - h->told < UNPLUGGED_S;

	h->on = true;
	h->extended = false;
	go_on_for(h, unplugged && longest > UNPLUGGED_S ? UNPLUGGED_S : longest);
}

void hold_extend(struct hold *h, double least)
{
	if (h->on && !h->extended && ev_timer_remaining(h->loop, &h->timer) < least)
		go_on_for(h, least);
	h->extended = true;
	h->told = 0.;
}

void hold_unplugged(struct hold *h)
{
	h->told = ev_now(h->loop);
	if (h->on && ev_timer_remaining(h->loop, &h->timer) > UNPLUGGED_S)
		go_on_for(h, UNPLUGGED_S);
}

void hold_end(struct hold *h)
{
	h->on = false;
	ev_timer_stop(h->loop, &h->timer);
}
