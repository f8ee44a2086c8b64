/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/supervisor.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <ev.h>

#include "bridge/log.h"
#include "bridge/notify.h"
#include "bridge/phone.h"
#include "bridge/pipe.h"
#include "bridge/presentation.h"
#include "bridge/relay.h"
#include "bridge/report.h"
#include "gadget/fit.h"
#include "gadget/udc.h"
#include "gadget/usbdesc.h"

/* Always the same, see conn_open; below those that are given out to whoever wants any. */
#define LOCAL_PORT 23240

/* Before the first new attempt. */
#define PAUSE_S 1.

/* While the phone waits there is no time for longer and longer pauses, nor for a packet to be sent
 * again. */
#define HOLD_PAUSE_S 0.5
#define HOLD_CONNECT_S 3.

/* What a camera that is back has to be told may take 5 s, twice, and another reset in between. */
#define RECOVERY_S 15.

/* A camera that has been presented for so long was not lost for what ended the attempts before. */
#define STEADY_S 10.

/* What has come to an end, and what may be done about it. */
static const struct supervisor_trouble {
	double longest_pause_s;
	enum led_code led;
} troubles[] = {
	[OUTCOME_DONE] = {0., LED_SEARCHING}, /* the configuration has changed */
	[OUTCOME_FAILED] = {5., LED_SEARCHING},
	/* One that is switched on is not to be waited for. */
	[OUTCOME_NO_CAMERA] = {2., LED_NO_CAMERA},
	/* Each attempt may reset what is plugged in there. */
	[OUTCOME_AMBIGUOUS] = {30., LED_NEEDS_YOU},
	[OUTCOME_UNPRESENTABLE] = {30., LED_NEEDS_YOU},
};
static const struct supervisor_trouble no_gadget = {30., LED_FAULT};

static void end(struct supervisor *s, enum outcome outcome, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The level of what is found: low where it has been said. */
static int level(const struct supervisor *s, int first)
{
	return s->repeated ? LOG_DEBUG : first;
}

/* The first reason is the reason; and of an attempt that ends as the one before it is said once. */
static void end(struct supervisor *s, enum outcome outcome, const char *format, ...)
{
	char reason[sizeof(s->reason)];
	va_list args;

	if (s->ending || s->draining)
		return;
	va_start(args, format);
	(void)vsnprintf(reason, sizeof(reason), format, args);
	va_end(args);
	s->repeated = !strcmp(reason, s->reason);
	log_write(level(s, outcome == OUTCOME_DONE ? LOG_INFO : LOG_ERR), "%s", reason);
	strcpy(s->reason, reason);
	s->ending = true;
	s->outcome = outcome;
	s->trouble = &troubles[outcome];
	if (s->presentation && ev_now(s->loop) - s->presented > STEADY_S)
		backoff_begin_anew(&s->backoff);
}

/* What is wrong with a file is shown where the camera is not in use. */
static void show(struct supervisor *s, enum led_code code)
{
	bool urgent = code == LED_CONFIGURED || code == LED_HOLDING || code == LED_FAULT;

	s->shown = code;
	led_show(&s->led, *s->settings.problem && !urgent ? LED_NEEDS_YOU : code);
}

/* ---- presenting ---- */

static void on_configured(void *user, bool configured)
{
	struct supervisor *s = user;

	if (s->draining)
		return;
	log_info(configured ? "the phone uses the camera" : "the phone has let go of the camera");
	if (!s->hold.on)
		show(s, configured ? LED_CONFIGURED : LED_READY);
}

static void on_failed(void *user, const char *reason)
{
	end(user, OUTCOME_FAILED, "%s", reason);
}

static void show_presented(struct supervisor *s)
{
	show(s,
		relay_phone(presentation_relay(s->presentation))->configured ? LED_CONFIGURED
									     : LED_READY);
}

static void go_on(struct supervisor *s, const char *what)
{
	hold_end(&s->hold);
	*s->reason = '\0';
	ev_timer_stop(s->loop, &s->pause);
	log_info("%s", what);
	show_presented(s);
}

static void on_gone_on(void *user)
{
	struct supervisor *s = user;

	if (!s->ending)
		go_on(s, "the link is back, and so is the camera");
}

static const struct presentation_callbacks presentation_callbacks = {
	.configured = on_configured,
	.gone_on = on_gone_on,
	.failed = on_failed,
};

static void log_findings(const struct supervisor *s, const struct fit *fit)
{
	for (unsigned i = 0; i < fit->num_findings; i++) {
		const struct fit_finding *f = &fit->findings[i];

		if (f->severity != FIT_REFUSED)
			log_write(level(s, f->severity == FIT_LOST ? LOG_WARNING : LOG_INFO),
				"%s: %s", fit_severity_str(f->severity), f->text);
	}
}

static void present(struct supervisor *s)
{
	struct usb_profile *profile = acquisition_profile(&s->acquisition);
	const char *product = usbdesc_text(profile, profile->product_string, 0);
	struct presentation_options options;
	struct udc udc;
	struct fit fit;
	int r;

	log_write(level(s, LOG_INFO), "imported %s: %04x:%04x %s, %s speed",
		s->acquisition.imported, profile->vendor, profile->product, product ? product : "",
		usb_speed_str(profile->speed));
	(void)presentation_judge(profile, &s->settings.config, &udc, &fit);
	log_findings(s, &fit);
	if (fit_refusal(&fit)) {
		end(s, OUTCOME_UNPRESENTABLE, "the camera cannot be presented: %s",
			fit_refusal(&fit));
		return;
	}
	options = (struct presentation_options){udc.name, s->settings.config.gadget.unplug_after_s};
	r = presentation_new(s->loop, profile, s->acquisition.client, &options,
		&presentation_callbacks, s, &s->presentation);
	if (r) {
		end(s, OUTCOME_FAILED, "the camera cannot be presented: %s", strerror(-r));
		s->trouble = &no_gadget;
		return;
	}
	log_info("presented on %s, waiting for the phone", presentation_udc(s->presentation));
	show_presented(s);
	s->repeated = false;
	*s->reason = '\0';
	s->presented = ev_now(s->loop);
}

/* ---- the camera ---- */

static void on_acquired(void *user)
{
	struct supervisor *s = user;

	if (s->hold.on) {
		hold_extend(&s->hold, RECOVERY_S);
		presentation_go_on(s->presentation, s->acquisition.client);
	} else {
		present(s);
	}
	if (s->presentation)
		presentation_flush(s->presentation);
}

static void pause_for(struct supervisor *s, double seconds)
{
	/* Removing the gadget may have blocked the loop for longer than that. */
	ev_now_update(s->loop);
	ev_timer_set(&s->pause, seconds, 0.);
	ev_timer_start(s->loop, &s->pause);
}

static void start_hold(struct supervisor *s, const char *reason)
{
	hold_begin(&s->hold, s->settings.config.link.hold_s);
	log_warning("%s; the phone waits for up to %.0f s", reason, s->hold.seconds);
	(void)snprintf(s->reason, sizeof(s->reason), "%s", reason);
	show(s, LED_HOLDING);
}

static void on_hold_over(void *user)
{
	struct supervisor *s = user;
	char reason[sizeof(s->reason)];

	strcpy(reason, s->reason);
	end(s, OUTCOME_FAILED,
		s->hold.extended ? "%s, and the camera did not go on within %.0f s"
				 : "%s, and the camera was not back within %.0f s",
		reason, s->hold.seconds);
}

static unsigned hold_s(const struct supervisor *s)
{
	return s->options.once ? 0 : (unsigned)s->settings.config.link.hold_s;
}

/* Whatever the camera is: nothing is lost, the phone sees a pause. Where a camera is being brought
 * to where the phone has it, that hold goes on. */
static void on_suspended(void *user, const char *reason)
{
	struct supervisor *s = user;

	if (s->ending || s->hold.on)
		return;
	s->suspended = true;
	start_hold(s, reason);
}

static void on_resumed(void *user)
{
	struct supervisor *s = user;

	if (s->ending)
		return;
	if (s->suspended)
		go_on(s, "the link is back");
	s->suspended = false;
	/* What the camera has answered meanwhile. */
	presentation_flush(s->presentation);
}

static void on_ended(void *user, enum outcome outcome, const char *reason)
{
	struct supervisor *s = user;
	bool lost = s->presentation && s->acquisition.lost;
	bool can_hold = lost && hold_s(s) && presentation_can_hold(s->presentation);

	if (s->ending)
		return;
	/* From here on it is a camera that has been reset. */
	if (s->suspended && !can_hold)
		hold_end(&s->hold);
	s->suspended = false;
	if (can_hold && !s->hold.on)
		start_hold(s, reason);
	if (!s->hold.on) {
		end(s, outcome, "%s", reason);
		return;
	}
	if (!lost)
		log_debug("%s", reason);
	/* Whatever it was: a session that is over is nobody's any more. */
	presentation_hold(s->presentation);
	presentation_flush(s->presentation);
	/* What the server still says in the pause is for nobody, and it may have the camera free.
	 */
	acquisition_let_go(&s->acquisition);
	pause_for(s, HOLD_PAUSE_S);
}

static const struct acquisition_callbacks acquisition_callbacks = {
	.acquired = on_acquired,
	.ended = on_ended,
	.suspended = on_suspended,
	.resumed = on_resumed,
};

/* Ends whatever goes on with the server and the phone, in the order that the kernel likes. */
static void let_go(struct supervisor *s)
{
	if (!s->acquiring)
		return;
	hold_end(&s->hold);
	s->suspended = false;
	ev_timer_stop(s->loop, &s->pause);
	if (s->presentation)
		presentation_stop(s->presentation);
	acquisition_let_go(&s->acquisition);
	presentation_free(s->presentation);
	acquisition_fini(&s->acquisition);
	s->presentation = NULL;
	s->acquiring = false;
}

/* ---- the state ---- */

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static const char *state_str(const struct supervisor *s)
{
	if (!s->acquiring)
		return *s->settings.config.server.host ? "backoff" : "unpaired";
	if (!s->presentation)
		return acquisition_state_str(&s->acquisition);
	if (s->hold.on)
		return "holding";
	return relay_phone(presentation_relay(s->presentation))->configured ? "active"
									    : "presented";
}

static void note_state(struct supervisor *s)
{
	const char *state = state_str(s);

	if (state == s->state)
		return;
	s->state = state;
	s->since = now_s();
	if (!s->stopping)
		notify_status(s->options.notify, state, s->reason);
}

/* ---- the loop ---- */

/* Until SIGHUP. */
static void wait_for_pairing(struct supervisor *s)
{
	log_error("%s", s->settings.error);
	strcpy(s->reason, s->settings.error);
	show(s, LED_NEEDS_YOU);
}

static void start_acquiring(struct supervisor *s)
{
	const struct acquisition_options options = {LOCAL_PORT, s->repeated || s->hold.on,
		s->hold.on ? HOLD_CONNECT_S : 0., s->options.tap, hold_s(s)};

	if (s->hold.on) {
		acquisition_again(&s->acquisition, &options);
		return;
	}
	acquisition_init(
		&s->acquisition, s->loop, &s->settings.config, &options, &acquisition_callbacks, s);
	s->acquiring = true;
}

static void start(struct supervisor *s)
{
	/* Noted even if the attempt ends before the loop sleeps: its reason may be new. */
	if (!s->hold.on)
		s->state = NULL;
	if (*s->settings.config.server.host)
		start_acquiring(s);
	else
		wait_for_pairing(s);
}

static void on_pause(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct supervisor *s = timer->data;

	(void)loop;
	(void)events;
	/* The hold may have ended in this very iteration. */
	if (!s->ending)
		start(s);
}

/* There is no pause to wait for while an attempt is under way. */
static bool on_plugged(void *user)
{
	struct supervisor *s = user;

	if (!ev_is_active(&s->pause) || s->ending)
		return false;
	log_debug("a camera was plugged in: trying at once");
	ev_timer_stop(s->loop, &s->pause);
	start(s);
	return true;
}

static void on_unplugged(void *user, const char *busid)
{
	struct supervisor *s = user;

	if (s->presentation && !strcmp(busid, s->acquisition.imported))
		hold_unplugged(&s->hold);
}

static const struct notice_callbacks notice_callbacks = {
	.plugged = on_plugged,
	.unplugged = on_unplugged,
};

static void start_notice(struct supervisor *s)
{
	const struct config *config = &s->settings.config;

	/* Which waits for nothing; and there may be nobody to listen to. */
	if (!s->options.once && *config->server.host)
		notice_start(&s->notice, s->loop, config, &notice_callbacks, s);
}

/* The server or the camera may have been lost in the middle of something, so there is always a
 * pause. */
static void start_pause(struct supervisor *s)
{
	double pause = backoff_next(&s->backoff, s->trouble->longest_pause_s);

	log_debug("trying again in %.1f s", pause);
	show(s, s->trouble->led);
	pause_for(s, pause);
}

static void drain(struct supervisor *s)
{
	s->draining = true;
	if (s->presentation)
		report_log(presentation_relay(s->presentation), s->acquisition.client);
	let_go(s);
	s->ending = s->draining = false;
	if (s->stopping || (s->options.once && s->outcome != OUTCOME_DONE))
		ev_break(s->loop, EVBREAK_ALL);
	else
		start_pause(s);
}

static void show_data(struct supervisor *s)
{
	const struct relay *relay = presentation_relay(s->presentation);
	uint64_t bytes = 0;

	for (size_t i = 0; i < relay_num_pipes(relay); i++)
		bytes += relay_pipe(relay, i)->bytes;
	if (bytes != s->bytes)
		led_flicker(&s->led);
	s->bytes = bytes;
}

static void on_prepare(struct ev_loop *loop, ev_prepare *prepare, int events)
{
	struct supervisor *s = prepare->data;

	(void)loop;
	(void)events;
	if (s->presentation) {
		presentation_flush(s->presentation);
		show_data(s);
	}
	if (s->acquiring && !s->ending)
		acquisition_prepare(&s->acquisition);
	if (s->ending)
		drain(s);
	note_state(s);
}

/* ---- from outside ---- */

void supervisor_init(struct supervisor *s, struct ev_loop *loop, const struct settings *settings,
	const struct supervisor_options *options)
{
	*s = (struct supervisor){.options = *options, .settings = *settings, .loop = loop};
	backoff_init(&s->backoff, PAUSE_S, (unsigned)getpid());
	led_init(&s->led, loop, LED_FOLDER, s->settings.config.led.name);
	show(s, LED_SEARCHING);
	ev_init(&s->pause, on_pause);
	hold_init(&s->hold, loop, on_hold_over, s);
	ev_prepare_init(&s->prepare, on_prepare);
	s->pause.data = s->prepare.data = s;
	ev_prepare_start(loop, &s->prepare);
	start(s);
	start_notice(s);
}

void supervisor_fini(struct supervisor *s)
{
	ev_prepare_stop(s->loop, &s->prepare);
	notice_stop(&s->notice);
	led_fini(&s->led);
}

void supervisor_stop(struct supervisor *s, const char *reason)
{
	ev_timer_stop(s->loop, &s->pause);
	s->stopping = true;
	end(s, OUTCOME_DONE, "%s", reason);
	s->outcome = OUTCOME_DONE;
}

static void take_over(struct supervisor *s, const struct settings *settings)
{
	bool same_led = !strcmp(settings->config.led.name, s->settings.config.led.name);

	ev_timer_stop(s->loop, &s->pause);
	notice_stop(&s->notice);
	s->settings = *settings;
	start_notice(s);
	if (!same_led) {
		led_fini(&s->led);
		led_init(&s->led, s->loop, LED_FOLDER, s->settings.config.led.name);
	}
	backoff_begin_anew(&s->backoff);
	end(s, OUTCOME_DONE, "the configuration has changed");
}

void supervisor_configure(struct supervisor *s, const struct settings *settings)
{
	strcpy(s->settings.problem, settings->problem);
	if (*settings->problem) {
		log_error("%s", settings->problem);
		log_info("the configuration stays as it was");
	} else if (!memcmp(&settings->config, &s->settings.config, sizeof(settings->config))) {
		log_info("the configuration has not changed");
	} else {
		take_over(s, settings);
	}
	show(s, s->shown);
}

/* ---- what is asked of it ---- */

const struct acquisition *supervisor_session(const struct supervisor *s)
{
	return s->presentation && !s->hold.on ? &s->acquisition : NULL;
}

void supervisor_report(const struct supervisor *s, struct report *r)
{
	*r = (struct report){
		.state = state_str(s),
		.reason = s->reason,
		.problem = s->settings.problem,
		.since_s = now_s() - s->since,
		.host = s->settings.config.server.host,
		.port = s->settings.config.server.port,
		.encrypted = s->settings.config.server.has_key,
	};
	if (!s->presentation)
		return;
	r->busid = s->acquisition.imported;
	r->camera = acquisition_profile(&s->acquisition);
	r->udc = presentation_udc(s->presentation);
	r->relay = presentation_relay(s->presentation);
}

void supervisor_log(const struct supervisor *s)
{
	if (s->presentation)
		report_log(presentation_relay(s->presentation), s->acquisition.client);
	else
		log_info("no camera is presented yet");
}
