/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/supervisor.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <ev.h>

#include "bridge/client.h"
#include "bridge/config.h"
#include "bridge/log.h"
#include "bridge/pipe.h"
#include "bridge/presentation.h"
#include "bridge/probe.h"
#include "bridge/relay.h"
#include "gadget/fit.h"
#include "gadget/udc.h"

struct supervisor {
	const struct config *config;
	struct ev_loop *loop;
	ev_signal sigterm, sigint, sigusr1;
	ev_prepare prepare;
	struct acquisition acquisition;
	struct presentation *presentation; /* NULL before the camera is there */
	bool ending, draining;		   /* to be carried out; under way */
	enum outcome outcome;
};

static void end(struct supervisor *s, enum outcome outcome, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The first reason is the reason. */
static void end(struct supervisor *s, enum outcome outcome, const char *format, ...)
{
	char reason[600];
	va_list args;

	if (s->ending || s->draining)
		return;
	va_start(args, format);
	(void)vsnprintf(reason, sizeof(reason), format, args);
	va_end(args);
	log_write(outcome == OUTCOME_DONE ? LOG_INFO : LOG_ERR, "%s", reason);
	s->ending = true;
	s->outcome = outcome;
}

/* ---- presenting ---- */

static void on_configured(void *user, bool configured)
{
	struct supervisor *s = user;

	if (!s->draining)
		log_info(configured ? "the phone uses the camera"
				    : "the phone has let go of the camera");
}

static void on_failed(void *user, const char *reason)
{
	end(user, OUTCOME_FAILED, "%s", reason);
}

static const struct presentation_callbacks presentation_callbacks = {
	.configured = on_configured,
	.failed = on_failed,
};

static void log_findings(const struct fit *fit)
{
	for (unsigned i = 0; i < fit->num_findings; i++) {
		const struct fit_finding *f = &fit->findings[i];

		if (f->severity != FIT_REFUSED)
			log_write(f->severity == FIT_LOST ? LOG_WARNING : LOG_INFO, "%s: %s",
				fit_severity_str(f->severity), f->text);
	}
}

static void present(struct supervisor *s)
{
	struct usb_profile *profile = &s->acquisition.probe->profile;
	const char *product = usbdesc_text(profile, profile->product_string, 0);
	struct presentation_options options;
	struct udc udc;
	struct fit fit;
	int r;

	log_info("imported %s: %04x:%04x %s, %s speed", s->acquisition.imported, profile->vendor,
		profile->product, product ? product : "", usb_speed_str(profile->speed));
	(void)presentation_judge(profile, s->config, &udc, &fit);
	log_findings(&fit);
	if (fit_refusal(&fit)) {
		end(s, OUTCOME_UNPRESENTABLE, "the camera cannot be presented: %s",
			fit_refusal(&fit));
		return;
	}
	options = (struct presentation_options){udc.name, s->config->gadget.unplug_after_s};
	r = presentation_new(s->loop, profile, s->acquisition.client, &options,
		&presentation_callbacks, s, &s->presentation);
	if (r)
		end(s, OUTCOME_FAILED, "the camera cannot be presented: %s", strerror(-r));
	else
		log_info("presented on %s, waiting for the phone",
			presentation_udc(s->presentation));
}

/* ---- the camera ---- */

static void on_acquired(void *user)
{
	present(user);
}

static void on_ended(void *user, enum outcome outcome, const char *reason)
{
	end(user, outcome, "%s", reason);
}

static const struct acquisition_callbacks acquisition_callbacks = {
	.acquired = on_acquired,
	.ended = on_ended,
};

/* Ends whatever goes on with the server and the phone, in the order that the kernel likes. */
static void let_go(struct supervisor *s)
{
	if (s->presentation)
		presentation_stop(s->presentation);
	acquisition_let_go(&s->acquisition);
	presentation_free(s->presentation);
	acquisition_fini(&s->acquisition);
	s->presentation = NULL;
}

static void log_counters(const struct supervisor *s)
{
	const struct relay *relay = presentation_relay(s->presentation);
	struct rusage usage;

	for (size_t i = 0; i < relay_num_pipes(relay); i++) {
		const struct pipe *p = relay_pipe(relay, i);

		log_info(
			"endpoint 0x%02x: %llu bytes, %llu requests, %llu errors, %u in flight, %s",
			p->address, (unsigned long long)p->bytes, (unsigned long long)p->urbs,
			(unsigned long long)p->errors, p->urbs_out, pipe_state_str(p->state));
	}
	log_info("URBs: %u of %u", client_in_flight(s->acquisition.client), CLIENT_MAX_URBS);
	if (!getrusage(RUSAGE_SELF, &usage))
		log_info("memory %ld KiB at most, CPU %ld.%02ld s user, %ld.%02ld s system",
			usage.ru_maxrss, (long)usage.ru_utime.tv_sec,
			(long)usage.ru_utime.tv_usec / 10000, (long)usage.ru_stime.tv_sec,
			(long)usage.ru_stime.tv_usec / 10000);
}

/* ---- the loop ---- */

static void drain(struct supervisor *s)
{
	s->draining = true;
	if (s->presentation)
		log_counters(s);
	let_go(s);
	ev_break(s->loop, EVBREAK_ALL);
}

static void on_prepare(struct ev_loop *loop, ev_prepare *prepare, int events)
{
	struct supervisor *s = prepare->data;

	(void)loop;
	(void)events;
	if (s->presentation)
		presentation_flush(s->presentation);
	acquisition_prepare(&s->acquisition);
	if (s->ending)
		drain(s);
}

static void on_signal(struct ev_loop *loop, ev_signal *signal, int events)
{
	struct supervisor *s = signal->data;

	(void)loop;
	(void)events;
	end(s, OUTCOME_DONE, "ending on %s", strsignal(signal->signum));
}

static void on_sigusr1(struct ev_loop *loop, ev_signal *signal, int events)
{
	struct supervisor *s = signal->data;

	(void)loop;
	(void)events;
	if (s->presentation)
		log_counters(s);
	else
		log_info("no camera is presented yet");
}

static void start_watchers(struct supervisor *s)
{
	ev_signal_init(&s->sigterm, on_signal, SIGTERM);
	ev_signal_init(&s->sigint, on_signal, SIGINT);
	ev_signal_init(&s->sigusr1, on_sigusr1, SIGUSR1);
	ev_prepare_init(&s->prepare, on_prepare);
	s->sigterm.data = s->sigint.data = s->sigusr1.data = s->prepare.data = s;
	ev_signal_start(s->loop, &s->sigterm);
	ev_signal_start(s->loop, &s->sigint);
	ev_signal_start(s->loop, &s->sigusr1);
	ev_prepare_start(s->loop, &s->prepare);
}

enum outcome supervisor_run(const struct config *config)
{
	struct supervisor s = {.config = config, .loop = ev_default_loop(0)};
	int claim = presentation_claim();

	if (claim < 0)
		return OUTCOME_FAILED;
	start_watchers(&s);
	acquisition_init(&s.acquisition, s.loop, config, &acquisition_callbacks, &s);
	ev_run(s.loop, 0);
	ev_loop_destroy(s.loop);
	close(claim);
	return s.outcome;
}
