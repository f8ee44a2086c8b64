/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/daemon.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <ev.h>

#include "bridge/client.h"
#include "bridge/control.h"
#include "bridge/log.h"
#include "bridge/notify.h"
#include "bridge/presentation.h"
#include "bridge/report.h"
#include "bridge/settings.h"
#include "bridge/supervisor.h"
#include "bridge/tap.h"

struct daemon {
	const struct daemon_options *options;
	struct ev_loop *loop;
	ev_signal sigterm, sigint, sighup, sigusr1;
	struct control status, capture;
	struct tap tap;
	struct notify notify;
	struct supervisor supervisor;
};

/* ---- sockets ---- */

static void on_status(void *user, int fd)
{
	const struct daemon *d = user;
	const struct acquisition *session = supervisor_session(&d->supervisor);
	struct conn_info link;
	struct report report;
	char *text;

	supervisor_report(&d->supervisor, &report);
	if (session) {
		link = client_link(session->client);
		report.link = &link;
	}
	text = report_write(&report);
	control_answer(fd, text);
	free(text);
}

static void on_capture(void *user, int fd)
{
	struct daemon *d = user;
	const struct acquisition *session = supervisor_session(&d->supervisor);
	struct tap_reader *reader = tap_add(&d->tap, fd);

	/* Its descriptors have passed already. */
	if (reader && session)
		tap_show_camera(&d->tap, reader, client_devid(session->client),
			acquisition_profile(session));
}

/* ---- signals ---- */

static void on_end(struct ev_loop *loop, ev_signal *signal, int events)
{
	struct daemon *d = signal->data;
	char reason[64];

	(void)loop;
	(void)events;
	notify_stopping(&d->notify);
	(void)snprintf(reason, sizeof(reason), "ending on %s", strsignal(signal->signum));
	supervisor_stop(&d->supervisor, reason);
}

static void on_sighup(struct ev_loop *loop, ev_signal *signal, int events)
{
	struct daemon *d = signal->data;
	struct settings settings;
	int r;

	(void)loop;
	(void)events;
	notify_reloading(&d->notify);
	r = settings_read(&settings, d->options->config, d->options->overrides);
	/* What is not paired is nothing wrong. */
	if (r && r != -ENODATA)
		strcpy(settings.problem, settings.error);
	supervisor_configure(&d->supervisor, &settings);
	notify_ready(&d->notify);
}

static void on_sigusr1(struct ev_loop *loop, ev_signal *signal, int events)
{
	const struct daemon *d = signal->data;

	(void)loop;
	(void)events;
	supervisor_log(&d->supervisor);
}

static void start_signal(struct daemon *d, ev_signal *signal, int signum,
	void (*on)(struct ev_loop *, ev_signal *, int))
{
	ev_signal_init(signal, on, signum);
	signal->data = d;
	ev_signal_start(d->loop, signal);
}

static void start_signals(struct daemon *d)
{
	start_signal(d, &d->sigterm, SIGTERM, on_end);
	start_signal(d, &d->sigint, SIGINT, on_end);
	start_signal(d, &d->sighup, SIGHUP, on_sighup);
	start_signal(d, &d->sigusr1, SIGUSR1, on_sigusr1);
}

/* ---- all of it ---- */

enum outcome daemon_run(const struct settings *settings, const struct daemon_options *options)
{
	struct daemon d = {.options = options, .loop = ev_default_loop(0)};
	const struct supervisor_options supervisor = {options->once, &d.tap, &d.notify};
	int claim = presentation_claim();

	if (claim < 0)
		return OUTCOME_FAILED;
	start_signals(&d);
	(void)control_open(&d.status, d.loop, &control_status, on_status, &d);
	(void)control_open(&d.capture, d.loop, &control_capture, on_capture, &d);
	notify_init(&d.notify, d.loop);
	notify_ready(&d.notify);
	supervisor_init(&d.supervisor, d.loop, settings, &supervisor);
	ev_run(d.loop, 0);
	supervisor_fini(&d.supervisor);
	notify_fini(&d.notify);
	control_close(&d.capture);
	control_close(&d.status);
	tap_fini(&d.tap);
	ev_loop_destroy(d.loop);
	close(claim);
	return d.supervisor.outcome;
}
