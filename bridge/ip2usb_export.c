/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command line of ip2usb-export. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <ev.h>

#include "bridge/exportconfig.h"
#include "bridge/exporter.h"
#include "bridge/exportlist.h"
#include "bridge/keyprint.h"
#include "bridge/log.h"
#include "bridge/notify.h"

#define EXIT_USAGE 2

static const char usage[] =
	"Usage: ip2usb-export COMMAND\n\n"
	"  ip2usb-export run [-c FILE] [-v]   export this machine's cameras "
	"until SIGTERM\n"
	"  ip2usb-export list [-c FILE]       show its devices, and which of "
	"them are exported\n"
	"  ip2usb-export key [-c FILE] [--new] [--qr] [--text]\n"
	"                                     show the key for both ends, or a "
	"new one\n"
	"  ip2usb-export --help | --version\n\n"
	"  -c FILE   the configuration, " IP2USB_EXPORT_CONF " unless given;\n"
	"            where that is not there, still cameras are exported\n"
	"  -v        say more\n"
	"  --new     a new key, even if the configuration has one\n"
	"  --qr      with a QR code and what to do next, not only on a terminal\n"
	"  --text    the key alone, even on a terminal\n\n"
	"Exit: 0 done, 1 failed, 2 usage.\n"
	"See ip2usb-export(8) and ip2usb-export.conf(5).\n";

struct options {
	const char *path; /* of the configuration; NULL: the default one, which need not be there */
	bool is_new;
	enum keyprint_form form;
};

static const char *path_of(const struct options *o)
{
	return o->path ? o->path : IP2USB_EXPORT_CONF;
}

static void warn_of_readers(const char *path)
{
	struct stat file;

	if (!stat(path, &file) && file.st_mode & S_IROTH)
		log_warning("%s: everybody on this machine can read the key in it; 'chmod o= %s'",
			path, path);
}

static bool read_config(struct exportconfig *config, const struct options *o)
{
	char error[1024];
	int r = exportconfig_read(config, path_of(o), error, sizeof(error));

	if (!r && config->has_key)
		warn_of_readers(path_of(o));
	if (!r || (r == -ENOENT && !o->path))
		return true;
	log_error("%s", error);
	return false;
}

/* ---- run ---- */

struct run {
	struct ev_loop *loop;
	struct exporter exporter;
	struct notify notify;
	const struct options *options;
	ev_signal sigterm, sigint, sighup;
};

static void on_end(struct ev_loop *loop, ev_signal *signal, int events)
{
	struct run *r = signal->data;

	(void)events;
	log_info("ending on %s", strsignal(signal->signum));
	/* The next one ends it whatever a device is at. */
	ev_signal_stop(loop, &r->sigterm);
	ev_signal_stop(loop, &r->sigint);
	notify_stopping(&r->notify);
	exporter_end(&r->exporter);
}

static void on_sighup(struct ev_loop *loop, ev_signal *signal, int events)
{
	struct run *r = signal->data;
	struct exportconfig config;

	(void)loop;
	(void)events;
	notify_reloading(&r->notify);
	if (read_config(&config, r->options))
		exporter_configure(&r->exporter, &config);
	pairingkey_wipe(&config.key);
	notify_ready(&r->notify);
}

static void start_signal(struct run *r, ev_signal *signal, int signum,
	void (*on)(struct ev_loop *, ev_signal *, int))
{
	ev_signal_init(signal, on, signum);
	signal->data = r;
	ev_signal_start(r->loop, signal);
}

static int run(const struct exportconfig *config, const struct options *options)
{
	struct run r = {.loop = ev_default_loop(0), .options = options};

	if (exporter_init(&r.exporter, r.loop, config))
		return EXIT_FAILURE;
	start_signal(&r, &r.sigterm, SIGTERM, on_end);
	start_signal(&r, &r.sigint, SIGINT, on_end);
	start_signal(&r, &r.sighup, SIGHUP, on_sighup);
	notify_init(&r.notify, r.loop);
	notify_ready(&r.notify);
	ev_run(r.loop, 0);
	notify_fini(&r.notify);
	exporter_fini(&r.exporter);
	ev_loop_destroy(r.loop);
	return EXIT_SUCCESS;
}

static int list(const struct exportconfig *config, const struct options *options)
{
	(void)options;
	return exportlist_run(config);
}

static int key(const struct exportconfig *config, const struct options *o)
{
	return keyprint_run(config, path_of(o), o->is_new, o->form);
}

/* ---- the command line ---- */

static const struct command {
	const char *name;
	const char *takes; /* of the options, by their letters; -h all do */
	int (*run)(const struct exportconfig *config, const struct options *options);
} commands[] = {{"run", "cvh", run}, {"list", "ch", list}, {"key", "cnqth", key}};

static const struct option known[] = {
	{"config", required_argument, NULL, 'c'},
	{"verbose", no_argument, NULL, 'v'},
	{"help", no_argument, NULL, 'h'},
	/* No letters on the command line: */
	{"new", no_argument, NULL, 'n'},
	{"qr", no_argument, NULL, 'q'},
	{"text", no_argument, NULL, 't'},
	{NULL, 0, NULL, 0},
};

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	}
	return NULL;
}

static int refuse(void)
{
	fprintf(stderr, "Try 'ip2usb-export --help'.\n");
	return EXIT_USAGE;
}

static int refuse_option(const struct command *command, int letter)
{
	const struct option *o = known;

	while (o->val != letter)
		o++;
	if (strchr("cvh", letter))
		fprintf(stderr, "ip2usb-export: %s does not take -%c\n", command->name, letter);
	else
		fprintf(stderr, "ip2usb-export: %s does not take --%s\n", command->name, o->name);
	return refuse();
}

static void set_option(struct options *o, int letter)
{
	if (letter == 'c')
		o->path = optarg;
	else if (letter == 'v')
		log_set_level(LOG_DEBUG);
	else if (letter == 'n')
		o->is_new = true;
	else
		o->form = letter == 'q' ? KEYPRINT_ALL : KEYPRINT_TEXT;
}

static int run_command(const struct command *command, int argc, char **argv)
{
	struct options options = {0};
	struct exportconfig config;
	int c;

	while ((c = getopt_long(argc, argv, "c:vh", known, NULL)) != -1) {
		if (c == '?')
			return refuse();
		if (!strchr(command->takes, c))
			return refuse_option(command, c);
		if (c == 'h') {
			fputs(usage, stdout);
			return EXIT_SUCCESS;
		}
		set_option(&options, c);
	}
	if (optind < argc) {
		fprintf(stderr, "ip2usb-export: %s takes no '%s'\n", command->name, argv[optind]);
		return refuse();
	}
	c = read_config(&config, &options) ? command->run(&config, &options) : EXIT_USAGE;
	pairingkey_wipe(&config.key);
	return c;
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";
	const struct command *command = find_command(name);

	if (command)
		return run_command(command, argc - 1, argv + 1);
	if (!strcmp(name, "--help") || !strcmp(name, "-h") || !strcmp(name, "help")) {
		fputs(usage, stdout);
		return EXIT_SUCCESS;
	}
	if (!strcmp(name, "--version")) {
		printf("ip2usb-export " IP2USB_VERSION "\n");
		return EXIT_SUCCESS;
	}
	if (*name) {
		fprintf(stderr, "ip2usb-export: unknown command '%s'\n", name);
		return refuse();
	}
	fputs(usage, stderr);
	return EXIT_USAGE;
}
