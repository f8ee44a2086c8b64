/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * supervisor: whose client it is while a lost link is held. What it makes is faked: what the
 * acquisition and the relay tell it comes from a script, a word an iteration of the loop.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include <ev.h>

#include "bridge/config.h"
#include "bridge/control.h"
#include "bridge/log.h"
#include "bridge/phone.h"
#include "bridge/presentation.h"
#include "bridge/relay.h"
#include "bridge/supervisor.h"
#include "gadget/fit.h"
#include "gadget/udc.h"
#include "gadget/usbdesc.h"

static struct {
	const char *const *words;
	struct acquisition *acquisition;
	struct ev_loop *loop;
	ev_timer turn;
	const struct presentation_callbacks *presentation_callbacks;
	void *presentation_user;
	struct client *client; /* that the relay has */
	bool freed;	       /* while it had it */
	unsigned holds, inits, agains;
} fake;

/* ---- bridge/acquisition.h ---- */

static struct usb_profile profile;
static struct phone phone;
static max_align_t client, relay;

static void on_turn(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)loop;
	(void)timer;
	(void)events;
}

static void turn(void)
{
	ev_timer_init(&fake.turn, on_turn, 0., 0.);
	ev_timer_start(fake.loop, &fake.turn);
}

void acquisition_init(struct acquisition *a, struct ev_loop *loop, const struct config *config,
	const struct acquisition_options *options, const struct acquisition_callbacks *callbacks,
	void *user)
{
	memset(a, 0, sizeof(*a));
	a->config = config;
	a->options = *options;
	a->callbacks = callbacks;
	a->user = user;
	fake.acquisition = a;
	fake.loop = loop;
	fake.inits++;
	turn();
}

void acquisition_again(struct acquisition *a, const struct acquisition_options *options)
{
	/* It frees the client. */
	fake.freed |= fake.client != NULL;
	a->options = *options;
	a->lost = false;
	fake.agains++;
	turn();
}

void acquisition_prepare(struct acquisition *a)
{
	const char *word = *fake.words;

	if (ev_is_active(&fake.turn) || !word)
		return;
	if (!strcmp(word, "pause")) {
		/* acquisition_again goes on */
		fake.words++;
		return;
	}
	fake.words++;
	turn();
	if (!strcmp(word, "acquired")) {
		a->client = (struct client *)&client;
		a->callbacks->acquired(a->user);
	} else if (!strcmp(word, "gone on")) {
		fake.presentation_callbacks->gone_on(fake.presentation_user);
	} else if (!strcmp(word, "end")) {
		a->client = NULL;
		(void)raise(SIGTERM);
	} else {
		a->lost = !strcmp(word, "lost");
		a->callbacks->ended(a->user, OUTCOME_FAILED, word);
	}
}

struct usb_profile *acquisition_profile(const struct acquisition *a)
{
	(void)a;
	return &profile;
}

const char *acquisition_state_str(const struct acquisition *a)
{
	(void)a;
	return "acquiring";
}

void acquisition_let_go(struct acquisition *a)
{
	(void)a;
}

void acquisition_fini(struct acquisition *a)
{
	(void)a;
}

/* ---- bridge/presentation.h ---- */

int presentation_claim(void)
{
	return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

bool presentation_judge(
	struct usb_profile *p, const struct config *config, struct udc *udc, struct fit *fit)
{
	(void)p;
	(void)config;
	memset(udc, 0, sizeof(*udc));
	memset(fit, 0, sizeof(*fit));
	return true;
}

int presentation_new(struct ev_loop *loop, const struct usb_profile *p, struct client *c,
	const struct presentation_options *options, const struct presentation_callbacks *callbacks,
	void *user, struct presentation **out)
{
	(void)loop;
	(void)p;
	(void)options;
	fake.presentation_callbacks = callbacks;
	fake.presentation_user = user;
	fake.client = c;
	*out = (struct presentation *)&relay;
	return 0;
}

const char *presentation_udc(const struct presentation *p)
{
	(void)p;
	return "udc";
}

const struct relay *presentation_relay(const struct presentation *p)
{
	return (const struct relay *)p;
}

bool presentation_can_hold(const struct presentation *p)
{
	(void)p;
	return true;
}

void presentation_hold(struct presentation *p)
{
	(void)p;
	fake.holds++;
	fake.client = NULL;
}

void presentation_go_on(struct presentation *p, struct client *c)
{
	(void)p;
	fake.client = c;
}

void presentation_flush(struct presentation *p)
{
	(void)p;
}

void presentation_stop(struct presentation *p)
{
	(void)p;
}

void presentation_free(struct presentation *p)
{
	(void)p;
}

/* ---- bridge/relay.h, bridge/control.h ---- */

const struct phone *relay_phone(const struct relay *r)
{
	(void)r;
	return &phone;
}

size_t relay_num_pipes(const struct relay *r)
{
	(void)r;
	return 0;
}

const struct pipe *relay_pipe(const struct relay *r, size_t at)
{
	(void)r;
	(void)at;
	return NULL;
}

int control_open(struct control *c, struct ev_loop *loop, const char *path,
	char *(*text)(void *user), void *user)
{
	(void)c;
	(void)loop;
	(void)path;
	(void)text;
	(void)user;
	return 0;
}

void control_close(struct control *c)
{
	(void)c;
}

/* ---- tests ---- */

struct story {
	const char *words[10];
	unsigned holds; /* and as many acquisition_agains */
};

static bool run(const struct story *story)
{
	static const struct supervisor_options options = {"/nonexistent", false};
	static struct config config;

	log_set_level(LOG_EMERG);
	config.link.hold_s = 10;
	fake.words = story->words;
	return supervisor_run(&config, &options) == OUTCOME_DONE && !*fake.words && !fake.freed &&
		fake.inits == 1 && fake.holds == story->holds && fake.agains == story->holds;
}

/* A process each: libev has one default loop, and its signals. */
static void test(void **state)
{
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (!child)
		_exit(!run(*state));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

int main(void)
{
	static struct story
		once = {{"acquired", "lost", "pause", "acquired", "gone on", "end"}, 1},
		/* The session that the relay has just been given ends, before all has gone on. */
		again = {{"acquired", "lost", "pause", "acquired", "lost", "pause", "acquired",
				 "gone on", "end"},
			2},
		broke = {{"acquired", "lost", "pause", "acquired", "a breach of the protocol",
				 "pause", "acquired", "gone on", "end"},
			2};
	const struct CMUnitTest tests[] = {
		{"held", test, NULL, NULL, &once},
		{"lost again", test, NULL, NULL, &again},
		{"a breach of the protocol meanwhile", test, NULL, NULL, &broke},
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
