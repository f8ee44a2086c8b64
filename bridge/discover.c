/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/discover.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <ev.h>

#include "bridge/browse.h"
#include "bridge/inquiry.h"
#include "bridge/log.h"
#include "bridge/roster.h"
#include "bridge/subnet.h"

#define EXAMPLE "ip2usb discover 192.168.1.0/24"

/* Exit codes. */
enum {
	EXIT_FOUND,
	EXIT_FAILED,
	EXIT_USAGE,
	EXIT_NONE,
};

struct discover {
	const struct discover_options *options;
	struct subnet subnet;
	struct browse browse;
	struct inquiry inquiry;
	struct ev_loop *loop;
	int signals;
	unsigned total, next, answered;
	struct roster roster;
	unsigned unsent; /* that could not even be tried, and why */
	const char *unsent_why;
	bool interrupted, shows; /* it has written how far it is */
};

/* ---- who is asked ---- */

static void server_of(struct discover *d, unsigned id, struct inquiry_server *out)
{
	out->id = id;
	if (d->options->subnet) {
		(void)subnet_address(&d->subnet, id, out->host);
		(void)snprintf(out->port, sizeof(out->port), "%s", d->options->port);
	} else {
		const struct browse_server *s = &d->browse.servers[id];

		(void)snprintf(out->host, sizeof(out->host), "%s", s->address);
		(void)snprintf(out->port, sizeof(out->port), "%u", s->port);
	}
}

static bool on_next(void *user, struct inquiry_server *out)
{
	struct discover *d = user;

	if (d->next == d->total)
		return false;
	server_of(d, d->next++, out);
	return true;
}

static void on_answered(void *user, unsigned id, enum inquiry_verdict verdict, struct devlist *list,
	const char *why)
{
	struct discover *d = user;
	struct roster_server server = {.id = id, .listed = list, .why = why};
	struct inquiry_server asked;

	d->answered++;
	if (verdict == INQUIRY_UNSENT) {
		d->unsent++;
		d->unsent_why = why;
	}
	/* In a subnet, that is no server; one that has announced itself is one. */
	if (d->options->subnet && verdict != INQUIRY_LISTED && verdict != INQUIRY_FAILED)
		return;
	server_of(d, id, &asked);
	server.host = d->options->subnet ? "" : d->browse.servers[id].host;
	memcpy(server.address, asked.host, sizeof(server.address));
	memcpy(server.port, asked.port, sizeof(server.port));
	if (list)
		server.list = *list;
	roster_add(&d->roster, &server);
}

static void on_over(void *user)
{
	struct discover *d = user;

	ev_break(d->loop, EVBREAK_ALL);
}

static const struct inquiry_callbacks callbacks = {on_next, on_answered, on_over};

/* ---- asking ---- */

static void on_signal(struct ev_loop *loop, ev_io *io, int events)
{
	(void)io;
	(void)events;
	ev_break(loop, EVBREAK_ALL);
}

static void show(struct discover *d, const char *text)
{
	if (!isatty(STDERR_FILENO))
		return;
	fprintf(stderr, "\r\033[K%s", text);
	(void)fflush(stderr);
	d->shows = *text;
}

static void on_progress(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct discover *d = timer->data;
	char text[80];

	(void)loop;
	(void)events;
	(void)snprintf(text, sizeof(text), "%u of %u asked, %u found", d->answered, d->total,
		d->roster.listed);
	show(d, text);
}

static void ask(struct discover *d)
{
	ev_timer progress;
	ev_io signals;

	ev_io_init(&signals, on_signal, d->signals, EV_READ);
	ev_timer_init(&progress, on_progress, 1., 0.5);
	progress.data = d;
	ev_io_start(d->loop, &signals);
	ev_timer_start(d->loop, &progress);
	inquiry_init(&d->inquiry, d->loop, &callbacks, d);
	ev_run(d->loop, 0);
	inquiry_fini(&d->inquiry);
	ev_timer_stop(d->loop, &progress);
	ev_io_stop(d->loop, &signals);
}

/* 0 or -errno. */
static int browse(struct discover *d)
{
	const char *why;
	int r;

	show(d, "listening for servers that announce themselves");
	r = browse_run(&d->browse, d->signals, &why);
	d->total = d->browse.count;
	if (d->shows)
		show(d, "");
	if (r == -ENOTSUP)
		log_error("no mDNS: %s; to ask a subnet instead: " EXAMPLE, why);
	else if (r)
		log_error("no mDNS: %s; it needs avahi-daemon: apt install avahi-daemon; to ask a "
			  "subnet instead: " EXAMPLE,
			why);
	return r;
}

/* ---- the command ---- */

/* What there is to say beside the servers; the exit code. */
static int judge(const struct discover *d, bool browsed)
{
	const struct discover_options *o = d->options;

	if (d->unsent)
		log_write(d->unsent == d->total ? LOG_ERR : LOG_WARNING,
			"%u of %u could not be asked: %s", d->unsent, d->total, d->unsent_why);
	if (d->roster.full)
		log_warning("there are more servers than the %u that are shown", ROSTER_MAX);
	if (d->roster.listed)
		return EXIT_FOUND;
	if (!browsed || d->interrupted || (d->unsent && d->unsent == d->total))
		return EXIT_FAILED;
	if (d->roster.count)
		log_error("no server says what it exports");
	else if (o->subnet)
		log_error("no server answers at port %s of %s", o->port, o->subnet);
	else
		log_error("no server announces itself, as not all do; to ask a whole "
			  "subnet: " EXAMPLE);
	return EXIT_NONE;
}

static int discover(struct discover *d)
{
	bool browsed = d->options->subnet || !browse(d), printed;
	struct signalfd_siginfo signal;
	int code;

	if (d->total)
		ask(d);
	if (d->shows)
		show(d, "");
	/* Taken, or it would come when it is not blocked any more. */
	while (read(d->signals, &signal, sizeof(signal)) > 0)
		d->interrupted = true;
	roster_sort(&d->roster);
	code = judge(d, browsed);
	printed = d->options->json ? roster_print_json(&d->roster) : roster_print(&d->roster);
	if (!printed || fflush(stdout) || ferror(stdout)) {
		log_error("the servers cannot be written");
		code = EXIT_FAILED;
	}
	roster_fini(&d->roster);
	return code;
}

int discover_run(const struct discover_options *options)
{
	struct discover *d = calloc(1, sizeof(*d));
	sigset_t set, before;
	const char *wrong = NULL;
	int code = EXIT_FAILED;

	if (!d)
		return EXIT_FAILED;
	d->options = options;
	if (options->subnet)
		wrong = subnet_parse(&d->subnet, options->subnet);
	if (wrong) {
		log_error("'%s' is %s", options->subnet, wrong);
		free(d);
		return EXIT_USAGE;
	}
	d->total = options->subnet ? d->subnet.count : 0;
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	(void)sigprocmask(SIG_BLOCK, &set, &before);
	d->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	d->loop = ev_loop_new(0);
	if (d->signals >= 0 && d->loop)
		code = discover(d);
	else
		log_error("no signals or no loop: %s", strerror(errno));
	if (d->loop)
		ev_loop_destroy(d->loop);
	if (d->signals >= 0)
		close(d->signals);
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	free(d);
	return code;
}
