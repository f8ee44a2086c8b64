/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/acquisition.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/client.h"
#include "bridge/config.h"
#include "bridge/conn.h"
#include "bridge/devlist.h"
#include "bridge/log.h"
#include "bridge/probe.h"

/* For a server or a camera to answer, in each state before ACQUIRED; unless the options say. */
#define STEP_TIMEOUT_S 10.
#define RETRY_S 0.5
/* A stock server needs a moment after a detach: retries of a device that is said to be busy, and of
 * one that is not listed. */
#define MAX_BUSY 20
#define MAX_UNLISTED 5

enum {
	STATE_LISTING,
	STATE_IMPORTING,
	STATE_PROBING,
	STATE_ACQUIRED,
	STATE_RESUMING,
	STATE_ENDED,
};

/* What is to be done before the loop sleeps next. */
enum {
	TODO_NOTHING,
	TODO_RETRY,  /* let go of the session, wait, and the same again */
	TODO_SELECT, /* go on with the selection */
	TODO_RESUME, /* the session, on another connection */
	TODO_GO_ON,  /* it is */
	TODO_END,    /* with `outcome` */
};

static void end(struct acquisition *a, enum outcome outcome, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
static void fail_device(struct acquisition *a, enum outcome outcome, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static bool is_over(const struct acquisition *a)
{
	return a->todo == TODO_END || a->state == STATE_ENDED;
}

/* The level of what stands in the way: low where it has been said before. */
static int level(const struct acquisition *a, int first)
{
	return a->options.quiet ? LOG_DEBUG : first;
}

/* The first reason is the reason. */
static void end(struct acquisition *a, enum outcome outcome, const char *format, ...)
{
	va_list args;

	if (is_over(a))
		return;
	va_start(args, format);
	(void)vsnprintf(a->reason, sizeof(a->reason), format, args);
	va_end(args);
	a->todo = TODO_END;
	a->outcome = outcome;
}

/* The device at hand is not to be had. One that is only looked at may be anybody's, and is no
 * reason to end as long as there are others. */
static void fail_device(struct acquisition *a, enum outcome outcome, const char *format, ...)
{
	char reason[sizeof(a->reason)];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(reason, sizeof(reason), format, args);
	va_end(args);
	if (a->search.verdict != SELECTION_LOOK) {
		end(a, outcome, "%s", reason);
	} else if (!is_over(a)) {
		log_write(level(a, LOG_WARNING), "%s: %s", a->imported, reason);
		if (a->unmatched == OUTCOME_NO_CAMERA)
			a->unmatched = outcome;
		/* It may have been probed, and lost before the selection could go on. */
		a->probed = false;
		a->todo = TODO_SELECT;
	}
}

static void set_timer(struct acquisition *a, double after)
{
	ev_timer_stop(a->loop, &a->timer);
	ev_timer_set(&a->timer, after, 0.);
	ev_timer_start(a->loop, &a->timer);
}

static void enter(struct acquisition *a, unsigned state)
{
	bool hurried = state < STATE_PROBING && a->options.connect_s > 0.;

	a->state = state;
	if (state < STATE_ACQUIRED)
		set_timer(a, hurried ? a->options.connect_s : STEP_TIMEOUT_S);
	else
		ev_timer_stop(a->loop, &a->timer);
}

static void drop_client(struct acquisition *a)
{
	connector_stop(&a->connector);
	resumer_stop(&a->resumer);
	ev_io_stop(a->loop, &a->server);
	client_free(a->client);
	a->client = NULL;
}

static void drop_probe(struct acquisition *a)
{
	free(a->probe);
	a->probe = NULL;
	a->probed = false;
}

static void drop_session(struct acquisition *a)
{
	drop_client(a);
	drop_probe(a);
}

void acquisition_let_go(struct acquisition *a)
{
	ev_timer_stop(a->loop, &a->timer);
	drop_client(a);
	search_stop(&a->search);
}

void acquisition_fini(struct acquisition *a)
{
	acquisition_let_go(a);
	drop_probe(a);
	free(a->former);
	connector_fini(&a->connector);
}

struct usb_profile *acquisition_profile(const struct acquisition *a)
{
	return &(a->former ? a->former : a->probe)->profile;
}

/* ---- a state that starts with a connection ---- */

static void list(struct acquisition *a, struct conn *conn);
static void import(struct acquisition *a, struct conn *conn);

static void on_started(void *user, struct conn *conn, const char *why)
{
	struct acquisition *a = user;

	if (!conn && why) {
		end(a, OUTCOME_FAILED, "server %s: %s", a->config->server.host, why);
		return;
	}
	if (!conn) {
		end(a, OUTCOME_FAILED, "out of memory");
		return;
	}
	enter(a, a->state);
	if (a->state == STATE_LISTING)
		list(a, conn);
	else
		import(a, conn);
}

/* Its time begins when the server's name is known. */
static void enter_by_conn(struct acquisition *a, unsigned state)
{
	ev_timer_stop(a->loop, &a->timer);
	a->state = state;
	if (connector_start(&a->connector, a->address, a->options.local_port))
		end(a, OUTCOME_FAILED, "out of memory");
}

/* ---- listing: which camera ---- */

static void start_listing(struct acquisition *a)
{
	search_stop(&a->search);
	enter_by_conn(a, STATE_LISTING);
}

static void list(struct acquisition *a, struct conn *conn)
{
	if (search_start(&a->search, conn))
		end(a, OUTCOME_FAILED, "out of memory");
}

static void dispatch_list(struct acquisition *a)
{
	const char *why;
	int r = search_dispatch(&a->search, &why);

	if (r < 0)
		end(a, OUTCOME_FAILED, "server %s port %s: %s", a->config->server.host,
			a->config->server.port, why);
	if (r > 0)
		a->todo = TODO_SELECT;
}

/* ---- importing and probing ---- */

/* One that is only looked at, as others are, is not to be kept from who else wants it. */
static bool wants_session(const struct acquisition *a)
{
	return a->options.hold_s && !a->plain && search_is_for_session(&a->search, a->imported);
}

/* It has been asked for something that it does not know after all. */
static bool ask_plainly(struct acquisition *a)
{
	if (a->state != STATE_IMPORTING || !a->asked)
		return false;
	a->plain = true;
	a->todo = TODO_RETRY;
	return true;
}

static void on_closed(void *user, int error, const char *reason)
{
	struct acquisition *a = user;

	if (a->state == STATE_IMPORTING && (error == -EBUSY || error == -EAGAIN) &&
		a->busy < MAX_BUSY) {
		if (!a->busy)
			log_write(level(a, LOG_INFO), "%s; trying again", reason);
		a->busy++;
		a->todo = TODO_RETRY;
		return;
	}
	if ((error == -ECONNRESET || error == -EPROTO) && ask_plainly(a))
		return;
	a->lost = a->state == STATE_ACQUIRED && error != -EPROTO;
	fail_device(a, OUTCOME_FAILED, "%s", reason);
}

static void on_lost(void *user, int error, const char *reason)
{
	struct acquisition *a = user;

	if (a->state != STATE_ACQUIRED) {
		on_closed(user, error, reason);
	} else if (!is_over(a)) {
		(void)snprintf(a->reason, sizeof(a->reason), "%s", reason);
		a->todo = TODO_RESUME;
	}
}

static void on_probed(void *user, enum probe_result result, const char *reason)
{
	struct acquisition *a = user;
	const struct usb_profile *profile = &a->probe->profile;

	if (result == PROBE_UNFIT)
		fail_device(a, OUTCOME_UNPRESENTABLE, "the camera cannot be presented: %s", reason);
	else if (result == PROBE_FAILED)
		fail_device(a, OUTCOME_FAILED, "the camera cannot be read: %s", reason);
	if (result != PROBE_COMPLETE)
		return;
	selection_serial(&a->search.selection, usbdesc_text(profile, profile->serial_string, 0));
	a->probed = true;
	a->todo = TODO_SELECT;
}

static const struct probe_callbacks probe_callbacks = {.done = on_probed};

static void on_imported(void *user, const struct usbip_device *device)
{
	struct acquisition *a = user;

	/* It is some time since the list, while it was busy or others were looked at. */
	if (!selection_could_be(&a->search.criteria, device)) {
		fail_device(a, OUTCOME_NO_CAMERA, "another device, %04x:%04x, is at %s by now",
			device->vendor, device->product, a->imported);
		return;
	}
	enter(a, STATE_PROBING);
	a->probe = malloc(sizeof(*a->probe));
	if (!a->probe) {
		end(a, OUTCOME_FAILED, "out of memory");
		return;
	}
	probe_start(a->probe, a->client, (enum usb_device_speed)device->speed, &probe_callbacks, a);
}

static const struct client_callbacks client_callbacks = {
	.imported = on_imported,
	.closed = on_closed,
	.lost = on_lost,
};

static void import(struct acquisition *a, struct conn *conn)
{
	if (client_new(conn, a->imported, &client_callbacks, a, &a->client)) {
		conn_close(conn);
		end(a, OUTCOME_FAILED, "out of memory");
		return;
	}
	client_set_tap(a->client, a->options.tap);
	a->asked = wants_session(a);
	if (a->asked)
		client_ask_session(a->client, a->options.hold_s);
}

static void start_import(struct acquisition *a)
{
	enter_by_conn(a, STATE_IMPORTING);
}

/* ---- selecting ---- */

static void no_camera(struct acquisition *a)
{
	bool several = a->search.verdict == SELECTION_AMBIGUOUS;
	char why[sizeof(a->reason)];

	/* A device that is in use is not in the list, and a predecessor's may be for a moment. Not
	 * so if there are others to look at: each look resets them. */
	if (!a->search.selection.num_candidates && a->unlisted < MAX_UNLISTED) {
		a->unlisted++;
		a->todo = TODO_RETRY;
		return;
	}
	search_log(&a->search, level(a, LOG_ERR));
	search_explain(&a->search, a->config->server.host, a->unmatched != OUTCOME_NO_CAMERA, why,
		sizeof(why));
	end(a, several ? OUTCOME_AMBIGUOUS : a->unmatched, "%s", why);
}

/* With the profile that its taker has, if it is to be the same camera as before. */
static void acquire(struct acquisition *a)
{
	if (a->former && !usbdesc_is_same(&a->former->profile, &a->probe->profile)) {
		end(a, OUTCOME_NO_CAMERA, "another camera is at %s by now", a->imported);
		return;
	}
	if (a->former) {
		drop_probe(a);
		a->probe = a->former;
		a->former = NULL;
	}
	search_stop(&a->search);
	/* The resolver may need the link that is lost by then. */
	client_peer(a->client, a->address);
	enter(a, STATE_ACQUIRED);
	a->callbacks->acquired(a->user);
}

/* Imported and probed as it is to be. */
static bool is_at_hand(const struct acquisition *a, const char *busid)
{
	return a->search.verdict == SELECTION_FOUND && a->probed && !strcmp(a->imported, busid) &&
		(client_in_session(a->client) || !wants_session(a));
}

static void select_camera(struct acquisition *a)
{
	const char *busid;
	enum selection_verdict verdict = search_next(&a->search, &busid);

	if (verdict == SELECTION_NONE || verdict == SELECTION_AMBIGUOUS) {
		no_camera(a);
	} else if (is_at_hand(a, busid)) {
		acquire(a);
	} else {
		drop_session(a);
		a->busy = 0;
		strcpy(a->imported, busid);
		start_import(a);
	}
}

/* ---- the session on another connection ---- */

static void start_resuming(struct acquisition *a)
{
	struct usbip_resume how;

	enter(a, STATE_RESUMING);
	client_resumption(a->client, &how);
	resumer_start(&a->resumer, a->address, a->config->server.port, a->options.local_port,
		a->connector.tls, &how);
	a->callbacks->suspended(a->user, a->reason);
}

static void on_resume_failed(void *user, const char *reason)
{
	struct acquisition *a = user;

	a->lost = true;
	end(a, OUTCOME_FAILED, "the link is lost, and the session with it: %s", reason);
}

static void on_resumed(void *user, struct conn *conn, uint32_t received)
{
	struct acquisition *a = user;

	/* It may be lost again before the loop sleeps. */
	a->state = STATE_ACQUIRED;
	a->todo = TODO_GO_ON;
	if (client_resume(a->client, conn, received))
		on_resume_failed(a, "the server has received what was not sent");
	else
		/* What came with the reply may have been taken from the socket, see conn_drain. */
		client_dispatch(a->client);
}

static const struct resumer_callbacks resumer_callbacks = {
	.resumed = on_resumed, .failed = on_resume_failed};

/* ---- the loop ---- */

static void carry_out(struct acquisition *a)
{
	unsigned todo = a->todo;

	a->todo = TODO_NOTHING;
	switch (todo) {
	case TODO_RETRY:
		drop_session(a);
		a->pausing = true;
		set_timer(a, RETRY_S);
		break;
	case TODO_SELECT:
		select_camera(a);
		break;
	case TODO_RESUME:
		start_resuming(a);
		break;
	case TODO_GO_ON:
		a->callbacks->resumed(a->user);
		break;
	case TODO_END:
		enter(a, STATE_ENDED);
		a->callbacks->ended(a->user, a->outcome, a->reason);
		break;
	}
}

/* What is watched follows from the state, here and nowhere else. */
static void watch_server(struct acquisition *a)
{
	int fd = a->client	 ? client_fd(a->client)
		: a->search.list ? devlist_fd(a->search.list)
				 : -1;
	short wanted = a->client ? client_events(a->client)
		: a->search.list ? devlist_events(a->search.list)
				 : (short)0;
	int events = (wanted & POLLIN ? EV_READ : 0) | (wanted & POLLOUT ? EV_WRITE : 0);

	if (ev_is_active(&a->server) && a->server.fd == fd &&
		(a->server.events & (EV_READ | EV_WRITE)) == events)
		return;
	ev_io_stop(a->loop, &a->server);
	if (fd < 0 || !events)
		return;
	ev_io_set(&a->server, fd, events);
	ev_io_start(a->loop, &a->server);
}

void acquisition_prepare(struct acquisition *a)
{
	if (a->client && a->state < STATE_ACQUIRED)
		client_flush(a->client);
	while (a->todo != TODO_NOTHING)
		carry_out(a);
	watch_server(a);
}

static void on_server(struct ev_loop *loop, ev_io *io, int events)
{
	struct acquisition *a = io->data;

	(void)loop;
	(void)events;
	if (a->client)
		client_dispatch(a->client);
	else if (a->search.list)
		dispatch_list(a);
}

static void on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct acquisition *a = timer->data;

	(void)loop;
	(void)events;
	if (a->pausing) {
		a->pausing = false;
		if (a->state == STATE_LISTING)
			start_listing(a);
		else
			start_import(a);
		return;
	}
	if (a->state == STATE_PROBING)
		fail_device(a, OUTCOME_FAILED, "the camera does not answer");
	else if (!ask_plainly(a))
		fail_device(a, OUTCOME_FAILED, "server %s port %s does not answer",
			a->config->server.host, a->config->server.port);
}

const char *acquisition_state_str(const struct acquisition *a)
{
	static const char *const names[] = {
		[STATE_LISTING] = "connecting",
		[STATE_IMPORTING] = "importing",
		[STATE_PROBING] = "probing",
		[STATE_ACQUIRED] = "acquired",
		[STATE_RESUMING] = "resuming",
		[STATE_ENDED] = "ended",
	};

	return names[a->state];
}

void acquisition_again(struct acquisition *a, const struct acquisition_options *options)
{
	acquisition_let_go(a);
	if (!a->former) {
		a->former = a->probe;
		a->probe = NULL;
	}
	drop_probe(a);
	strcpy(a->search.criteria.busid, a->imported);
	a->options = *options;
	a->todo = TODO_NOTHING;
	a->busy = a->unlisted = 0;
	a->pausing = a->lost = a->plain = false;
	a->search.verdict = SELECTION_NONE;
	a->unmatched = OUTCOME_NO_CAMERA;
	start_listing(a);
}

void acquisition_init(struct acquisition *a, struct ev_loop *loop, const struct config *config,
	const struct acquisition_options *options, const struct acquisition_callbacks *callbacks,
	void *user)
{
	memset(a, 0, sizeof(*a));
	a->loop = loop;
	a->config = config;
	search_init(&a->search, &config->camera);
	a->options = *options;
	a->callbacks = callbacks;
	a->user = user;
	a->unmatched = OUTCOME_NO_CAMERA;
	ev_init(&a->server, on_server);
	ev_init(&a->timer, on_timer);
	a->server.data = a->timer.data = a;
	connector_init(&a->connector, loop, config, on_started, a);
	resumer_init(&a->resumer, loop, &resumer_callbacks, a);
	start_listing(a);
}
