/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/phone.h"

#include <string.h>

static void on_reset(void *user)
{
	struct phone *p = user;

	if (!p->configured)
		return;
	p->gone = false;
	p->callbacks->start(p->user);
}

static void set_configured(struct phone *p, bool configured)
{
	bool changed = configured != p->configured;

	p->gone |= p->configured && !configured;
	p->configured = configured;
	p->callbacks->stop(p->user, p->asleep);
	/* What the server has of the phone's last URBs comes before the reset, what the phone sends
	 * next comes after. */
	if (configured && p->gone && !p->reset.running)
		reset_start(&p->reset);
	else if (phone_is_served(p))
		p->callbacks->start(p->user);
	if (changed)
		p->callbacks->configured(p->user, configured);
}

static void on_unplug(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct phone *p = timer->data;

	(void)events;
	ev_timer_stop(loop, timer);
	p->asleep |= p->configured;
	set_configured(p, false);
}

static void resume(struct phone *p)
{
	if (!p->asleep) {
		p->callbacks->wake(p->user);
		return;
	}
	p->gone = false;
	set_configured(p, true);
}

void phone_event(struct phone *p, enum usb_functionfs_event_type type)
{
	p->suspended = type == FUNCTIONFS_SUSPEND;
	if (type == FUNCTIONFS_SUSPEND && p->unplug.repeat > 0.) {
		ev_timer_again(p->loop, &p->unplug);
		return;
	}
	ev_timer_stop(p->loop, &p->unplug);
	if (type == FUNCTIONFS_RESUME)
		resume(p);
	p->asleep = false;
	if (type == FUNCTIONFS_ENABLE)
		set_configured(p, true);
	else if (type == FUNCTIONFS_DISABLE || type == FUNCTIONFS_UNBIND)
		set_configured(p, false);
}

void phone_leave(struct phone *p)
{
	p->asleep = false;
	set_configured(p, false);
}

void phone_set_client(struct phone *p, struct client *client, bool fresh)
{
	reset_set_client(&p->reset, client, fresh);
}

bool phone_is_served(const struct phone *p)
{
	return p->configured && !p->reset.running;
}

void phone_init(struct phone *p, struct ev_loop *loop, struct client *client,
	const struct usb_profile *profile, unsigned unplug_after_s,
	const struct phone_callbacks *callbacks, void *user)
{
	memset(p, 0, sizeof(*p));
	p->callbacks = callbacks;
	p->user = user;
	p->loop = loop;
	ev_init(&p->unplug, on_unplug);
	p->unplug.repeat = unplug_after_s;
	p->unplug.data = p;
	reset_init(&p->reset, loop, client, profile, on_reset, p);
}

void phone_fini(struct phone *p)
{
	ev_timer_stop(p->loop, &p->unplug);
	reset_fini(&p->reset);
}
