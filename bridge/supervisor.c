/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/supervisor.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <ev.h>

#include "bridge/client.h"
#include "bridge/config.h"
#include "bridge/conn.h"
#include "bridge/devlist.h"
#include "bridge/log.h"
#include "bridge/pipe.h"
#include "bridge/presentation.h"
#include "bridge/probe.h"
#include "bridge/relay.h"
#include "bridge/selection.h"
#include "gadget/fit.h"

/* For a server or a camera to answer, in each state before PRESENTED. */
#define STEP_TIMEOUT_S 10.
#define RETRY_S 0.5
/* A stock server needs a moment after a detach: retries of a device that is said to be busy, and of
 * one that is not listed. */
#define MAX_BUSY 20
#define MAX_UNLISTED 5

enum state {
	STATE_LISTING,
	STATE_IMPORTING,
	STATE_PROBING,
	STATE_PRESENTED,
	STATE_ACTIVE,
	STATE_DRAINING,
};

/* What is to be done before the loop sleeps next. */
enum todo {
	TODO_NOTHING,
	TODO_RETRY,  /* let go of the session, wait, list again */
	TODO_SELECT, /* go on with the selection */
	TODO_END,    /* with `exit` */
};

struct supervisor {
	const struct config *config;
	struct ev_loop *loop;
	ev_signal sigterm, sigint;
	ev_prepare prepare;
	ev_io server;
	ev_timer timer; /* STEP_TIMEOUT_S, or RETRY_S */
	enum state state;
	enum todo todo;
	enum supervisor_exit exit;
	unsigned busy, unlisted; /* retries for either reason */
	bool retrying;
	bool probed;
	/* the session; all NULL between two */
	struct devlist *list;
	struct client *client;
	struct probe *probe;
	struct presentation *presentation;
	/* which device; `imported` is the busid of the session's */
	struct selection selection;
	char imported[USBIP_BUSID_SIZE];
};

static void end(struct supervisor *s, enum supervisor_exit code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The first reason is the reason. */
static void end(struct supervisor *s, enum supervisor_exit code, const char *format, ...)
{
	char reason[512];
	va_list args;

	if (s->todo == TODO_END || s->state == STATE_DRAINING)
		return;
	va_start(args, format);
	(void)vsnprintf(reason, sizeof(reason), format, args);
	va_end(args);
	log_write(code == SUPERVISOR_DONE ? LOG_INFO : LOG_ERR, "%s", reason);
	s->todo = TODO_END;
	s->exit = code;
}

static void enter(struct supervisor *s, enum state state)
{
	s->state = state;
	ev_timer_stop(s->loop, &s->timer);
	if (state < STATE_PRESENTED) {
		ev_timer_set(&s->timer, STEP_TIMEOUT_S, 0.);
		ev_timer_start(s->loop, &s->timer);
	}
}

/* Ends whatever goes on with the server and the phone, in the order that the kernel likes. */
static void let_go(struct supervisor *s)
{
	ev_io_stop(s->loop, &s->server);
	ev_timer_stop(s->loop, &s->timer);
	if (s->presentation)
		presentation_stop(s->presentation);
	client_free(s->client);
	presentation_free(s->presentation);
	free(s->probe);
	if (s->list)
		devlist_fini(s->list);
	free(s->list);
	s->presentation = NULL;
	s->client = NULL;
	s->probe = NULL;
	s->list = NULL;
	s->probed = false;
}

static bool open_conn(struct supervisor *s, struct conn *conn)
{
	const char *why;

	if (!conn_open(conn, s->config->server.host, s->config->server.port, &why))
		return true;
	end(s, SUPERVISOR_FAILED, "server %s: %s", s->config->server.host, why);
	return false;
}

/* ---- listing: which camera ---- */

static void start_listing(struct supervisor *s)
{
	struct conn conn;

	enter(s, STATE_LISTING);
	if (!open_conn(s, &conn))
		return;
	s->list = malloc(sizeof(*s->list));
	if (!s->list) {
		conn_close(&conn);
		end(s, SUPERVISOR_FAILED, "out of memory");
		return;
	}
	devlist_init(s->list, &conn);
}

static void log_list(const struct devlist *list)
{
	log_error("the server exports %u device%s", list->total, list->total == 1 ? "" : "s");
	for (unsigned i = 0; i < list->total; i++) {
		const struct usbip_device *d = &list->entries[i].device;

		log_error("  busid %s id %04x:%04x", d->busid, d->vendor, d->product);
	}
}

static void dispatch_list(struct supervisor *s)
{
	const char *why;
	int r = devlist_dispatch(s->list, &why);

	if (r < 0)
		end(s, SUPERVISOR_FAILED, "server %s port %s: %s", s->config->server.host,
			s->config->server.port, why);
	if (r <= 0)
		return;
	selection_init(&s->selection, &s->config->camera, s->list->entries, s->list->total);
	s->todo = TODO_SELECT;
}

/* ---- importing and probing ---- */

static void on_closed(void *user, int error, const char *reason)
{
	struct supervisor *s = user;

	if (s->state == STATE_IMPORTING && (error == -EBUSY || error == -EAGAIN) &&
		s->busy < MAX_BUSY) {
		if (!s->busy)
			log_info("%s; trying again", reason);
		s->busy++;
		s->todo = TODO_RETRY;
		return;
	}
	end(s, SUPERVISOR_FAILED, "%s", reason);
}

static void on_probed(void *user, int error, const char *reason);

static const struct probe_callbacks probe_callbacks = {.done = on_probed};

static void on_imported(void *user, const struct usbip_device *device)
{
	struct supervisor *s = user;

	enter(s, STATE_PROBING);
	s->probe = malloc(sizeof(*s->probe));
	if (!s->probe) {
		end(s, SUPERVISOR_FAILED, "out of memory");
		return;
	}
	probe_start(s->probe, s->client, (enum usb_device_speed)device->speed, &probe_callbacks, s);
}

static const struct client_callbacks client_callbacks = {
	.imported = on_imported,
	.closed = on_closed,
};

static void start_import(struct supervisor *s, const char *busid)
{
	struct conn conn;

	enter(s, STATE_IMPORTING);
	if (!open_conn(s, &conn))
		return;
	strcpy(s->imported, busid);
	if (client_new(&conn, busid, &client_callbacks, s, &s->client)) {
		conn_close(&conn);
		end(s, SUPERVISOR_FAILED, "out of memory");
	}
}

static void on_probed(void *user, int error, const char *reason)
{
	struct supervisor *s = user;
	const struct usb_profile *profile = &s->probe->profile;

	if (error) {
		end(s, SUPERVISOR_UNPRESENTABLE, "the camera cannot be presented: %s", reason);
		return;
	}
	selection_serial(&s->selection, usbdesc_text(profile, profile->serial_string, 0));
	s->probed = true;
	s->todo = TODO_SELECT;
}

/* ---- presenting ---- */

static void on_configured(void *user, bool configured)
{
	struct supervisor *s = user;

	if (s->state == STATE_DRAINING)
		return;
	log_info(configured ? "the phone uses the camera" : "the phone has let go of the camera");
	enter(s, configured ? STATE_ACTIVE : STATE_PRESENTED);
}

static void on_failed(void *user, const char *reason)
{
	end(user, SUPERVISOR_FAILED, "%s", reason);
}

static const struct presentation_callbacks presentation_callbacks = {
	.configured = on_configured,
	.failed = on_failed,
};

/* Some phones refuse what the camera draws at its own port, which is not theirs. */
static void override_power(struct usb_profile *profile, const struct config *config)
{
	if (config->gadget.max_power_ma != CONFIG_MIRROR)
		profile->max_power_ma = (uint16_t)config->gadget.max_power_ma;
	if (config->gadget.self_powered == CONFIG_MIRROR)
		return;
	profile->attributes &= (uint8_t)~USB_CONFIG_ATT_SELFPOWER;
	if (config->gadget.self_powered)
		profile->attributes |= USB_CONFIG_ATT_SELFPOWER;
}

static void present(struct supervisor *s)
{
	const struct presentation_options options = {
		.udc = s->config->gadget.udc,
		.unplug_after_s = s->config->gadget.unplug_after_s,
	};
	struct usb_profile *profile = &s->probe->profile;
	const char *product = usbdesc_text(profile, profile->product_string, 0);
	const char *why;
	int r;

	log_info("imported %s: %04x:%04x %s, %s speed", s->imported, profile->vendor,
		profile->product, product ? product : "", usb_speed_str(profile->speed));
	if (fit_check(profile, &why)) {
		end(s, SUPERVISOR_UNPRESENTABLE, "the camera cannot be presented: %s", why);
		return;
	}
	override_power(profile, s->config);
	r = presentation_new(s->loop, profile, s->client, &options, &presentation_callbacks, s,
		&s->presentation);
	if (r) {
		end(s, SUPERVISOR_FAILED, "the camera cannot be presented: %s", strerror(-r));
		return;
	}
	enter(s, STATE_PRESENTED);
	log_info("presented on %s, waiting for the phone", presentation_udc(s->presentation));
}

/* ---- selecting ---- */

static void no_camera(struct supervisor *s, enum selection_verdict verdict)
{
	char what[200];

	/* A device that is in use is not in the list, and a predecessor's may be for a moment. */
	if (verdict == SELECTION_NONE && s->unlisted < MAX_UNLISTED) {
		s->unlisted++;
		s->todo = TODO_RETRY;
		return;
	}
	if (s->list)
		log_list(s->list);
	selection_describe(&s->config->camera, what, sizeof(what));
	if (verdict == SELECTION_NONE)
		end(s, SUPERVISOR_NO_CAMERA,
			"server %s exports no such camera:%s (one that is in use is not listed)",
			s->config->server.host, what);
	else
		end(s, SUPERVISOR_AMBIGUOUS,
			"several devices match:%s; say more in [camera]: busid, id, serial", what);
}

static void select_camera(struct supervisor *s)
{
	const char *busid;
	enum selection_verdict verdict = selection_next(&s->selection, &busid);

	if (verdict == SELECTION_NONE || verdict == SELECTION_AMBIGUOUS) {
		no_camera(s, verdict);
	} else if (verdict == SELECTION_FOUND && s->probed && !strcmp(s->imported, busid)) {
		present(s);
	} else {
		let_go(s);
		start_import(s, busid);
	}
}

static void log_totals(const struct supervisor *s)
{
	const struct relay *relay;
	struct rusage usage;

	if (!s->presentation)
		return;
	relay = presentation_relay(s->presentation);
	for (size_t i = 0; i < relay_num_pipes(relay); i++) {
		const struct pipe *p = relay_pipe(relay, i);

		log_info("endpoint 0x%02x: %llu bytes, %llu requests, %llu errors, %s", p->address,
			(unsigned long long)p->bytes, (unsigned long long)p->urbs,
			(unsigned long long)p->errors, pipe_state_str(p->state));
	}
	if (!getrusage(RUSAGE_SELF, &usage))
		log_info("memory %ld KiB at most, CPU %ld.%02ld s user, %ld.%02ld s system",
			usage.ru_maxrss, (long)usage.ru_utime.tv_sec,
			(long)usage.ru_utime.tv_usec / 10000, (long)usage.ru_stime.tv_sec,
			(long)usage.ru_stime.tv_usec / 10000);
}

/* ---- the loop ---- */

static void carry_out(struct supervisor *s)
{
	enum todo todo = s->todo;

	s->todo = TODO_NOTHING;
	switch (todo) {
	case TODO_NOTHING:
		break;
	case TODO_RETRY:
		let_go(s);
		s->retrying = true;
		ev_timer_set(&s->timer, RETRY_S, 0.);
		ev_timer_start(s->loop, &s->timer);
		break;
	case TODO_SELECT:
		select_camera(s);
		break;
	case TODO_END:
		log_totals(s);
		s->state = STATE_DRAINING;
		let_go(s);
		ev_break(s->loop, EVBREAK_ALL);
		break;
	}
}

/* What is watched follows from the state, here and nowhere else. */
static void watch_server(struct supervisor *s)
{
	int fd = s->client ? client_fd(s->client) : s->list ? devlist_fd(s->list) : -1;
	short wanted = s->client ? client_events(s->client)
		: s->list	 ? devlist_events(s->list)
				 : (short)0;
	int events = (wanted & POLLIN ? EV_READ : 0) | (wanted & POLLOUT ? EV_WRITE : 0);

	if (ev_is_active(&s->server) && s->server.fd == fd &&
		(s->server.events & (EV_READ | EV_WRITE)) == events)
		return;
	ev_io_stop(s->loop, &s->server);
	if (fd < 0 || !events)
		return;
	ev_io_set(&s->server, fd, events);
	ev_io_start(s->loop, &s->server);
}

static void on_prepare(struct ev_loop *loop, ev_prepare *prepare, int events)
{
	struct supervisor *s = prepare->data;

	(void)loop;
	(void)events;
	if (s->presentation)
		presentation_flush(s->presentation);
	else if (s->client)
		client_flush(s->client);
	while (s->todo != TODO_NOTHING)
		carry_out(s);
	watch_server(s);
}

static void on_server(struct ev_loop *loop, ev_io *io, int events)
{
	struct supervisor *s = io->data;

	(void)loop;
	(void)events;
	if (s->client)
		client_dispatch(s->client);
	else if (s->list)
		dispatch_list(s);
}

static void on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct supervisor *s = timer->data;

	(void)loop;
	(void)events;
	if (s->retrying) {
		s->retrying = false;
		start_listing(s);
		return;
	}
	if (s->state == STATE_PROBING)
		end(s, SUPERVISOR_FAILED, "the camera does not answer");
	else
		end(s, SUPERVISOR_FAILED, "server %s port %s does not answer",
			s->config->server.host, s->config->server.port);
}

static void on_signal(struct ev_loop *loop, ev_signal *signal, int events)
{
	struct supervisor *s = signal->data;

	(void)loop;
	(void)events;
	end(s, SUPERVISOR_DONE, "ending on %s", strsignal(signal->signum));
}

static void start_watchers(struct supervisor *s)
{
	ev_signal_init(&s->sigterm, on_signal, SIGTERM);
	ev_signal_init(&s->sigint, on_signal, SIGINT);
	ev_prepare_init(&s->prepare, on_prepare);
	ev_init(&s->server, on_server);
	ev_init(&s->timer, on_timer);
	s->sigterm.data = s->sigint.data = s->prepare.data = s->server.data = s->timer.data = s;
	ev_signal_start(s->loop, &s->sigterm);
	ev_signal_start(s->loop, &s->sigint);
	ev_prepare_start(s->loop, &s->prepare);
}

enum supervisor_exit supervisor_run(const struct config *config)
{
	struct supervisor s = {.config = config, .loop = ev_default_loop(0)};
	int claim = presentation_claim();

	if (claim < 0)
		return SUPERVISOR_FAILED;
	start_watchers(&s);
	start_listing(&s);
	ev_run(s.loop, 0);
	ev_loop_destroy(s.loop);
	close(claim);
	return s.exit;
}
