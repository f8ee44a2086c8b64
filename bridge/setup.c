/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/setup.h"

#include <errno.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bridge/acquisition.h"
#include "bridge/board.h"
#include "bridge/boardcheck.h"
#include "bridge/log.h"
#include "bridge/setupplan.h"
#include "bridge/wifi.h"

extern char **environ;

struct setup {
	const struct setup_options *options;
	struct board board;
	struct setupplan plan;
	bool starts, stops; /* the service, at once */
};

/* ---- what it is to do ---- */

/* A tree becomes the root, so that its links lead nowhere else. 0, or an outcome. */
static int enter(const struct setup_options *o)
{
	if (geteuid()) {
		log_error(
			"ip2usb setup must be root: sudo ip2usb setup%s", o->undo ? " --undo" : "");
		return OUTCOME_FAILED;
	}
	if (o->root && (chroot(o->root) || chdir("/"))) {
		log_error("%s: %s", o->root, strerror(errno));
		return OUTCOME_USAGE;
	}
	return 0;
}

static bool runs_systemd(void)
{
	return !access("/run/systemd/system", F_OK);
}

static int plan(struct setup *s)
{
	int r;

	if (s->options->root)
		board_read_files(&s->board, "");
	else
		board_read(&s->board, "", "auto");
	r = s->options->undo ? setupplan_make_undo(&s->plan, "")
			     : setupplan_make(&s->plan, "", &s->board);
	if (r)
		return r;
	if (s->plan.service && !s->options->root && runs_systemd()) {
		s->stops = s->options->undo;
		s->starts = !s->options->undo && s->board.has_udc;
	}
	return 0;
}

/* Interfaces that save power now. */
static unsigned saving(const struct setup *s)
{
	unsigned n = 0;

	for (unsigned i = 0; !s->options->undo && i < s->board.num_wifi; i++)
		n += s->board.wifi[i].power_save == 1;
	return n;
}

static void show(const struct setup *s)
{
	struct boardcheck check;

	setupplan_print(&s->plan, stdout);
	for (unsigned i = 0; saving(s) && i < s->board.num_wifi; i++)
		if (s->board.wifi[i].power_save == 1)
			printf("%s: power saving goes from on to off, at once\n",
				s->board.wifi[i].name);
	if (s->starts || s->stops)
		printf("ip2usb.service: %s, at once\n", s->starts ? "started" : "stopped");
	if (s->options->undo)
		return;
	boardcheck_judge_files(&check, &s->board);
	for (unsigned i = 0; i < check.num_findings; i++) {
		const struct boardcheck_finding *f = &check.findings[i];

		printf("%s: %s%s%s\n", boardcheck_severity_str(f->severity), f->text,
			*f->remedy ? "; " : "", f->remedy);
	}
}

bool setup_ask(FILE *in, FILE *out)
{
	char line[16] = "";

	fprintf(out, "Change that? [y/N] ");
	(void)fflush(out);
	if (!fgets(line, sizeof(line), in))
		fprintf(out, "\n");
	return !strcmp(line, "y\n") || !strcmp(line, "Y\n") || !strcmp(line, "yes\n");
}

/* 0: it may. */
static int may(const struct setup_options *o)
{
	if (o->yes)
		return 0;
	(void)fflush(stdout);
	if (!isatty(0) || !isatty(1)) {
		log_error("nothing has been changed: this is no terminal to ask at; --yes does it "
			  "without asking");
		return OUTCOME_USAGE;
	}
	if (setup_ask(stdin, stdout))
		return 0;
	printf("nothing has been changed\n");
	return OUTCOME_FAILED;
}

/* ---- doing it ---- */

static bool systemctl(const char *verb, const char *unit)
{
	char *arguments[] = {"systemctl", (char *)verb, (char *)unit, NULL};
	pid_t pid;
	int status = -1;

	if (posix_spawnp(&pid, "systemctl", NULL, NULL, arguments, environ))
		return false;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) && !WEXITSTATUS(status);
}

static void quiet_wifi(const struct setup *s)
{
	for (unsigned i = 0; i < s->board.num_wifi; i++) {
		const char *name = s->board.wifi[i].name;
		int r = s->board.wifi[i].power_save == 1 ? wifi_set_power_save(name, false) : 0;

		if (r)
			log_warning("%s saves power until the next boot: %s", name, strerror(-r));
	}
}

/* What runs hears of what has been written. */
static bool tell(const struct setup *s)
{
	bool told = true;

	if (saving(s))
		quiet_wifi(s);
	if (!runs_systemd())
		return true;
	if (s->plan.wifi && s->board.has_network_manager)
		(void)systemctl("reload", "NetworkManager.service"); /* which may not run */
	if (s->plan.service)
		told = systemctl("daemon-reload", NULL);
	if (s->starts || s->stops)
		told = systemctl(s->starts ? "start" : "stop", "ip2usb.service") && told;
	return told;
}

/* A port that is a device's only after a reboot. */
static bool waits_for_boot(const struct setup *s)
{
	const struct board *b = &s->board;
	bool configured = s->plan.port ||
		(b->config && !b->config_error && b->bootconfig.role == BOOTCONFIG_PERIPHERAL);

	return !s->options->root && configured && b->has_overlay &&
		b->live != BOOTCONFIG_PERIPHERAL && (!b->has_udc || b->is_otg);
}

static void say_end(const struct setup *s, const char *done)
{
	bool reboots = s->options->undo ? s->plan.port && !s->options->root : waits_for_boot(s);

	printf("%s%s\n", done,
		!reboots		   ? ""
			: s->options->undo ? "; reboot for the port to be as it was: sudo reboot"
					   : "; reboot for the port to be a device's: sudo reboot");
}

static int carry_out(const struct setup *s)
{
	const char *failed = NULL;
	int r = setupplan_apply(&s->plan, &failed);

	if (r) {
		log_error("%s: %s", failed,
			r == -ESTALE ? "it has been changed meanwhile; once more" : strerror(-r));
		return OUTCOME_FAILED;
	}
	if (!s->options->root && !tell(s)) {
		log_error("systemctl has failed; what it says is above");
		return OUTCOME_FAILED;
	}
	say_end(s, s->options->undo ? "taken back" : "done");
	return OUTCOME_DONE;
}

static int show_and_do(const struct setup *s)
{
	int r;

	show(s);
	if (!s->plan.num_changes && !saving(s)) {
		say_end(s,
			s->options->undo ? "there is nothing to take back"
					 : "there is nothing to change");
		return OUTCOME_DONE;
	}
	r = may(s->options);
	return r ? r : carry_out(s);
}

int setup_run(const struct setup_options *options)
{
	struct setup s = {.options = options};
	int r = enter(options);

	if (r)
		return r;
	r = plan(&s);
	if (r) {
		log_error("%s", strerror(-r));
		r = OUTCOME_FAILED;
	} else {
		r = show_and_do(&s);
	}
	setupplan_free(&s.plan);
	return r;
}
