/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * supervisor, and the daemon around it: whose client it is while a lost link is held; what it makes
 * of its configuration, and of notices. What it makes is faked: what the acquisition and the relay
 * tell it comes from a script, a word an iteration of the loop, and so does what is done to its
 * files, and expected of its report. A server on the loopback interface gives the notices.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>
#include <linux/sockios.h>

#include <ev.h>

#include "bridge/control.h"
#include "bridge/daemon.h"
#include "bridge/log.h"
#include "bridge/phone.h"
#include "bridge/presentation.h"
#include "bridge/relay.h"
#include "bridge/settings.h"
#include "gadget/fit.h"
#include "gadget/udc.h"
#include "gadget/usbdesc.h"
#include "tests/unit/peer.h"

static struct {
	const char *const *words;
	struct acquisition *acquisition;
	struct ev_loop *loop;
	ev_timer turn, idle;
	const struct presentation_callbacks *presentation_callbacks;
	void *presentation_user;
	struct client *client; /* that the relay has */
	bool freed;	       /* while it had it */
	bool let_go, kept;     /* since the last attempt; not, before another */
	bool pausing;	       /* until acquisition_again */
	unsigned holds, inits, agains;
	int listener, server; /* for notices */
	double ended, waited; /* when an attempt ended first; from then to the last attempt, s */
	double slowness;      /* that a pause is longer by */
	void (*status)(void *user, int fd);
	void *status_user;
	const char *wanted; /* of what it answers */
	bool has_wanted;
	bool refuted; /* the report is not what the script says */
	bool cannot_hold;
} fake;

/* ---- files, and the report ---- */

#define BASE "base.conf"
#define OVERRIDE "override.conf"

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	if (!file || fputs(text, file) < 0 || fclose(file))
		abort();
}

static bool report_has(const char *part)
{
	fake.wanted = part;
	fake.status(fake.status_user, -1);
	return fake.has_wanted;
}

/* "?PART": the report has it. "[...": the override, and SIGHUP. "@...": the same of the base. */
static bool carry_out(const char *word)
{
	if (*word == '?') {
		if (!report_has(word + 1)) {
			fprintf(stderr, "not in the report: %s\n", word + 1);
			fake.refuted = true;
		}
		return true;
	}
	if (*word != '[' && *word != '@')
		return false;
	write_file(*word == '[' ? OVERRIDE : BASE, *word == '[' ? word : word + 1);
	(void)raise(SIGHUP);
	return true;
}

/* The words, one after the other, where nobody asks for an acquisition. */
static void on_idle(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)loop;
	(void)timer;
	(void)events;
	if (report_has("\"unpaired\"") && carry_out(*fake.words))
		fake.words++;
}

/* ---- libev ---- */

void __real_ev_timer_start(struct ev_loop *loop, ev_timer *timer);
void __wrap_ev_timer_start(struct ev_loop *loop, ev_timer *timer);

/* A pause of the supervisor's is from 0.5 to 1.2 s. */
void __wrap_ev_timer_start(struct ev_loop *loop, ev_timer *timer)
{
	if (fake.slowness > 0. && timer->at > 0.4 && timer->at < 1.5)
		timer->at *= fake.slowness;
	__real_ev_timer_start(loop, timer);
}

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

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
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
	fake.pausing = false;
	fake.inits++;
	fake.waited = now_s() - fake.ended;
	ev_timer_stop(loop, &fake.idle);
	turn();
}

void acquisition_again(struct acquisition *a, const struct acquisition_options *options)
{
	/* It frees the client. */
	fake.freed |= fake.client != NULL;
	fake.kept |= !fake.let_go;
	fake.let_go = false;
	a->options = *options;
	a->lost = false;
	fake.pausing = false;
	fake.agains++;
	fake.waited = now_s() - fake.ended;
	turn();
}

/* The server has the connection for notices, and its hello. */
static bool is_met(void)
{
	char hello[16];

	if (fake.server <= 0)
		fake.server = accept4(fake.listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	return fake.server >= 0 && recv(fake.server, hello, sizeof(hello), 0) > 0;
}

/* What is said is heard in the next iteration: what has been acknowledged is there to be read. */
static void say(void)
{
	const char *word = *fake.words;
	int unheard = 1;

	if (!word || strncmp(word, "say ", 4))
		return;
	word += 4;
	(void)send(fake.server, word, strlen(word), MSG_NOSIGNAL);
	for (int i = 0; i < 10000 && !ioctl(fake.server, SIOCOUTQ, &unheard) && unheard; i++)
		usleep(100);
	fake.words++;
}

static void ended(struct acquisition *a, const char *word)
{
	a->lost = !strcmp(word, "lost");
	if (fake.ended == 0.)
		fake.ended = now_s();
	a->callbacks->ended(a->user, OUTCOME_FAILED, word);
}

void acquisition_prepare(struct acquisition *a)
{
	const char *word = *fake.words;

	if (ev_is_active(&fake.turn) || fake.pausing || !word)
		return;
	turn();
	if (!strcmp(word, "meet") && !is_met())
		return;
	/* Nobody is there, as often as it is tried, until the supervisor gives the camera up. */
	if (!strcmp(word, "nobody") && fake.inits == 1) {
		fake.pausing = true;
		ended(a, word);
		return;
	}
	/* Until the supervisor gives the camera up, by itself. */
	if (!strcmp(word, "wait") && fake.inits == 1)
		return;
	fake.words++;
	if (carry_out(word))
		return;
	if (!strcmp(word, "meet") || !strcmp(word, "nobody") || !strcmp(word, "turn") ||
		!strcmp(word, "wait")) {
		/* Nothing but what is said. */
	} else if (!strcmp(word, "acquired")) {
		strcpy(a->imported, "1-4");
		a->client = (struct client *)&client;
		a->callbacks->acquired(a->user);
	} else if (!strcmp(word, "suspended")) {
		fake.ended = now_s();
		a->callbacks->suspended(a->user, word);
	} else if (!strcmp(word, "resumed")) {
		a->callbacks->resumed(a->user);
	} else if (!strcmp(word, "gone on")) {
		fake.presentation_callbacks->gone_on(fake.presentation_user);
	} else if (!strcmp(word, "end")) {
		a->client = NULL;
		(void)raise(SIGTERM);
	} else {
		ended(a, word);
	}
	say();
	fake.pausing = *fake.words && !strcmp(*fake.words, "pause");
	fake.words += fake.pausing;
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
	fake.let_go = true;
}

void acquisition_fini(struct acquisition *a)
{
	(void)a;
	fake.acquisition = NULL;
	ev_timer_start(fake.loop, &fake.idle);
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
	return !fake.cannot_hold;
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

const struct control_socket control_status = {.path = "status"};
const struct control_socket control_capture = {.path = "capture"};

int control_open(struct control *c, struct ev_loop *loop, const struct control_socket *socket,
	void (*connected)(void *user, int fd), void *user)
{
	(void)c;
	if (socket != &control_status)
		return 0;
	fake.status = connected;
	fake.status_user = user;
	ev_timer_init(&fake.idle, on_idle, 0.01, 0.01);
	ev_timer_start(loop, &fake.idle);
	return 0;
}

void control_close(struct control *c)
{
	(void)c;
}

void control_answer(int fd, const char *text)
{
	(void)fd;
	fake.has_wanted = text && strstr(text, fake.wanted);
}

/* ---- tests ---- */

struct story {
	const char *words[10];
	unsigned holds;	   /* and as many acquisition_agains, unless the camera is given up */
	unsigned restarts; /* of the acquisition: given up, or another configuration */
	double slowness;   /* of pauses */
	unsigned hold_s;   /* 0: 6 */
	double shortest, longest; /* wait from the first end of an attempt to the last attempt, s */
	const char *base, *override; /* the files at the start */
	bool cannot_hold;
};

#define PAIRED "[server]\nhost = 127.0.0.1\nnotices = off\n"

static bool play(const struct story *story, const char *base)
{
	static const char *const overrides[] = {"nowhere", OVERRIDE, NULL};
	static const struct daemon_options options = {BASE, overrides, false};
	struct settings settings;
	int r;

	write_file(BASE, base);
	if (story->override)
		write_file(OVERRIDE, story->override);
	r = settings_read(&settings, BASE, overrides);
	fake.words = story->words;
	fake.slowness = story->slowness;
	fake.cannot_hold = story->cannot_hold;
	return (!r || r == -ENODATA) && daemon_run(&settings, &options) == OUTCOME_DONE &&
		!*fake.words && !fake.freed && !fake.kept && !fake.refuted &&
		fake.inits == 1 + story->restarts &&
		(story->longest > 0. ||
			(fake.holds == story->holds && fake.agains == story->holds)) &&
		(story->longest == 0. ||
			(fake.waited >= story->shortest && fake.waited <= story->longest));
}

static bool run(const struct story *story)
{
	bool notices = !strcmp(story->words[0], "meet"), as_told;
	char folder[] = "/tmp/test_supervisor.XXXXXX", base[200], port[8];

	if (!mkdtemp(folder) || chdir(folder))
		return false;
	log_set_level(LOG_EMERG);
	fake.listener = peer_tcp_port(true, port);
	(void)fcntl(fake.listener, F_SETFL, O_NONBLOCK);
	(void)snprintf(base, sizeof(base),
		"[server]\nhost = 127.0.0.1\nnotices = %s\n[camera]\nbusid = 1-4\n[link]\n"
		"hold_s = %u\n",
		notices ? port : "off", story->hold_s ? story->hold_s : 6);
	as_told = play(story, story->base ? story->base : base);
	(void)unlink(BASE);
	(void)unlink(OVERRIDE);
	(void)rmdir(folder);
	return as_told;
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
		once = {.words = {"acquired", "lost", "pause", "acquired", "gone on", "end"},
			.holds = 1},
		/* The session that the relay has just been given ends, before all has gone on. */
		again = {.words = {"acquired", "lost", "pause", "acquired", "lost", "pause",
				 "acquired", "gone on", "end"},
			.holds = 2},
		broke = {.words = {"acquired", "lost", "pause", "acquired",
				 "a breach of the protocol", "pause", "acquired", "gone on", "end"},
			.holds = 2},
		resumed = {.words = {"acquired", "suspended", "?\"holding\"", "resumed",
				   "?\"presented\"", "end"}},
		/* Also of what could not be held by itself. */
		resumed_unheld = {.words = {"acquired", "suspended", "resumed", "?\"presented\"",
					  "end"},
			.cannot_hold = true},
		resumed_twice = {.words = {"acquired", "suspended", "suspended", "resumed",
					 "?\"presented\"", "suspended", "?\"holding\"", "resumed",
					 "end"}},
		not_resumed = {.words = {"acquired", "suspended", "lost", "pause", "?\"holding\"",
				       "acquired", "gone on", "end"},
			.holds = 1},
		not_resumed_unheld = {.words = {"acquired", "suspended", "lost", "end"},
			.restarts = 1,
			.shortest = 0.5,
			.longest = 60,
			.cannot_hold = true},
		/* What is to be repeated has not been yet. */
		resumed_midway = {.words = {"acquired", "lost", "pause", "acquired", "suspended",
					  "resumed", "?\"holding\"", "gone on", "end"},
			.holds = 1},
		too_late = {.words = {"acquired", "suspended", "wait", "end"},
			.restarts = 1,
			.hold_s = 3,
			.shortest = 3,
			.longest = 60},
		unplugged_meanwhile = {.words = {"meet", "acquired", "suspended",
					       "say 1-4;UNPLUGGED;\n", "wait", "end"},
			.restarts = 1,
			.hold_s = 100,
			.shortest = 2.5,
			.longest = 60},
		/* A pause is 1 s, more or less. */
		unannounced = {.words = {"meet", "nobody there", "end"},
			.restarts = 1,
			.shortest = 0.7,
			.longest = 60},
		announced = {.words = {"meet", "nobody there", "say 1-4;PLUGGED;\n", "end"},
			.restarts = 1,
			.slowness = 20,
			.longest = 14},
		early = {.words = {"meet", "say 1-4;PLUGGED;\n", "turn", "nobody there", "end"},
			.restarts = 1,
			.slowness = 20,
			.longest = 14},
		foreign = {.words = {"meet", "nobody there", "say 1-5;PLUGGED;\n", "end"},
			.restarts = 1,
			.shortest = 0.7,
			.longest = 60},
		/* And 0.5 s while a link is held, 10 s so. */
		announced_held = {.words = {"meet", "acquired", "lost", "say 1-4;PLUGGED;\n",
					  "pause", "acquired", "gone on", "end"},
			.slowness = 20,
			.longest = 8},
		/* A hold is 100 s, and this one 3 s. */
		unplugged = {.words = {"meet", "acquired", "lost", "say 1-4;UNPLUGGED;\n", "pause",
				     "nobody", "end"},
			.restarts = 1,
			.hold_s = 100,
			.shortest = 2.5,
			.longest = 60},
		unplugged_before = {.words = {"meet", "acquired", "say 1-4;UNPLUGGED;\n", "turn",
					    "lost", "pause", "nobody", "end"},
			.restarts = 1,
			.hold_s = 100,
			.shortest = 2.5,
			.longest = 60},
		exported_again = {.words = {"meet", "acquired", "lost", "say 1-4;UNPLUGGED;\n",
					  "pause", "acquired", "gone on", "end"},
			.holds = 1},
		foreign_unplugged = {.words = {"meet", "acquired", "lost", "say 1-5;UNPLUGGED;\n",
					     "pause", "nobody", "end"},
			.restarts = 1,
			.shortest = 6,
			.longest = 60},
		paired = {.words = {"?\"unpaired\"", "?host is missing", "@" PAIRED,
				  "?\"acquiring\"", "end"},
			.base = "[led]\nname = none\n"},
		unpaired = {.words = {"acquired", "@[led]\n", "?\"unpaired\"", "@" PAIRED, "end"},
			.restarts = 1},
		overridden = {.words = {"?\"host\":\t\"127.0.0.2\"", "[server]\nhost = 127.0.0.3\n",
				      "?\"host\":\t\"127.0.0.3\"", "end"},
			.restarts = 1,
			.override = "[server]\nhost = 127.0.0.2\n"},
		/* What runs goes on, and the problem is gone with its cause. */
		broken = {.words = {"?\"problem\":\t\"\"", "[server]\nhsot = c\n",
				  "?unknown key 'hsot'", "?\"host\":\t\"127.0.0.2\"",
				  "[server]\nhost = 127.0.0.2\n", "?\"problem\":\t\"\"",
				  "@nonsense\n", "?base.conf:1: ", "end"},
			.override = "[server]\nhost = 127.0.0.2\n"},
		broken_before = {
			.words = {"?unknown section 'sever'", "?\"host\":\t\"127.0.0.1\"", "end"},
			.override = "[sever]\n"};
	const struct CMUnitTest tests[] = {
		{"held", test, NULL, NULL, &once},
		{"lost again", test, NULL, NULL, &again},
		{"a breach of the protocol meanwhile", test, NULL, NULL, &broke},
		{"resumed", test, NULL, NULL, &resumed},
		{"resumed, what cannot be held", test, NULL, NULL, &resumed_unheld},
		{"resumed twice", test, NULL, NULL, &resumed_twice},
		{"not resumed", test, NULL, NULL, &not_resumed},
		{"not resumed, what cannot be held", test, NULL, NULL, &not_resumed_unheld},
		{"resumed, when it is to go on", test, NULL, NULL, &resumed_midway},
		{"resumed too late", test, NULL, NULL, &too_late},
		{"unplugged, when it is to be resumed", test, NULL, NULL, &unplugged_meanwhile},
		{"a pause", test, NULL, NULL, &unannounced},
		{"announced in a pause", test, NULL, NULL, &announced},
		{"announced before it", test, NULL, NULL, &early},
		{"another announced", test, NULL, NULL, &foreign},
		{"announced in a hold", test, NULL, NULL, &announced_held},
		{"unplugged in a hold", test, NULL, NULL, &unplugged},
		{"unplugged before it", test, NULL, NULL, &unplugged_before},
		{"unplugged, and exported again", test, NULL, NULL, &exported_again},
		{"another unplugged", test, NULL, NULL, &foreign_unplugged},
		{"paired while it runs", test, NULL, NULL, &paired},
		{"unpaired while it runs", test, NULL, NULL, &unpaired},
		{"overridden", test, NULL, NULL, &overridden},
		{"an override that becomes wrong", test, NULL, NULL, &broken},
		{"an override that is wrong", test, NULL, NULL, &broken_before},
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
