/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/visit.h"

#include "bridge/log.h"
#include "bridge/presentation.h"

struct visit {
	ev_prepare prepare;
	struct acquisition acquisition;
	enum outcome (*look)(void *user, struct acquisition *a);
	void *user;
	bool done;
	enum outcome outcome;
};

static void on_acquired(void *user)
{
	struct visit *v = user;

	v->done = true;
	v->outcome = v->look(v->user, &v->acquisition);
}

static void on_ended(void *user, enum outcome outcome, const char *reason)
{
	struct visit *v = user;

	log_error("%s", reason);
	v->done = true;
	v->outcome = outcome;
}

static const struct acquisition_callbacks callbacks = {
	.acquired = on_acquired,
	.ended = on_ended,
};

static void on_prepare(struct ev_loop *loop, ev_prepare *prepare, int events)
{
	struct visit *v = prepare->data;

	(void)events;
	acquisition_prepare(&v->acquisition);
	if (!v->done)
		return;
	acquisition_fini(&v->acquisition);
	ev_break(loop, EVBREAK_ALL);
}

enum outcome visit_run(const struct config *config,
	enum outcome (*look)(void *user, struct acquisition *a), void *user)
{
	static const struct acquisition_options options = {0};
	struct visit v = {.look = look, .user = user};
	struct ev_loop *loop = ev_default_loop(0);

	if (presentation_is_claimed())
		log_warning("another ip2usb is running, and the camera that it presents is not "
			    "listed");
	ev_prepare_init(&v.prepare, on_prepare);
	v.prepare.data = &v;
	ev_prepare_start(loop, &v.prepare);
	acquisition_init(&v.acquisition, loop, config, &options, &callbacks, &v);
	ev_run(loop, 0);
	ev_loop_destroy(loop);
	return v.outcome;
}
