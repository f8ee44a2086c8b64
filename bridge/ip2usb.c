/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command line. */
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/check.h"
#include "bridge/config.h"
#include "bridge/control.h"
#include "bridge/list.h"
#include "bridge/log.h"
#include "bridge/status.h"
#include "bridge/supervisor.h"
#include "gadget/glog.h"

#define EXIT_USAGE 2

static int command_run(int argc, char **argv);
static int command_check(int argc, char **argv);
static int command_list(int argc, char **argv);
static int command_status(int argc, char **argv);

static const struct command {
	const char *name, *arguments, *help;
	int (*run)(int argc, char **argv);
} commands[] = {
	{"run", "[-c FILE] [--once] [-v]", "present the configured camera until SIGTERM",
		command_run},
	{"check", "[-c FILE] [--json] [-v]", "show what could be presented of it", command_check},
	{"list", "[HOST[:PORT]] [-c FILE] [--json]", "show what a server exports", command_list},
	{"status", "[--json] [--watch]", "show how a running one is", command_status},
};

#define NUM_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void print_usage(FILE *out)
{
	fprintf(out, "Usage: ip2usb COMMAND\n\n");
	for (size_t i = 0; i < NUM_COMMANDS; i++)
		fprintf(out, "  ip2usb %-6s %-33s %s\n", commands[i].name, commands[i].arguments,
			commands[i].help);
	fprintf(out,
		"  ip2usb --help | --version\n\n"
		"  -c FILE    the configuration, " IP2USB_CONF " unless given\n"
		"  --once     end where something is lost or not there, instead of waiting for it\n"
		"  -v         say more; with list, HOST is the configured server unless given\n\n"
		"Exit: 0 done, 1 failed, 2 usage, 3 no such camera, 4 ambiguous, 5 cannot be "
		"presented.\n"
		"See ip2usb(8) and ip2usb.conf(5).\n");
}

static int usage_error(const char *problem)
{
	if (problem)
		fprintf(stderr, "ip2usb: %s\n", problem);
	fprintf(stderr, "Try 'ip2usb --help'.\n");
	return EXIT_USAGE;
}

struct options {
	const char *config;
	bool json, once, watch, help;
};

/* False on what is unknown, which getopt has complained of. */
static bool parse_options(int argc, char **argv, struct options *o)
{
	static const struct option known[] = {
		{"config", required_argument, NULL, 'c'},
		{"json", no_argument, NULL, 'j'},
		{"once", no_argument, NULL, 'o'},
		{"watch", no_argument, NULL, 'w'},
		{"verbose", no_argument, NULL, 'v'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int c;

	*o = (struct options){.config = IP2USB_CONF};
	while ((c = getopt_long(argc, argv, "c:vh", known, NULL)) != -1) {
		switch (c) {
		case 'c':
			o->config = optarg;
			break;
		case 'j':
			o->json = true;
			break;
		case 'w':
			o->watch = true;
			break;
		case 'o':
			o->once = true;
			break;
		case 'v':
			log_set_level(LOG_DEBUG);
			break;
		case 'h':
			o->help = true;
			break;
		default:
			return false;
		}
	}
	return true;
}

static bool read_config(struct config *config, const char *path)
{
	char error[1024];

	if (!config_read(config, path, error, sizeof(error)))
		return true;
	log_error("%s", error);
	return false;
}

static int command_run(int argc, char **argv)
{
	struct supervisor_options supervisor;
	struct config config;
	struct options options;

	if (!parse_options(argc, argv, &options))
		return usage_error(NULL);
	if (options.json || options.watch || optind < argc)
		return usage_error("run takes no --json, no --watch and no arguments");
	if (options.help) {
		print_usage(stdout);
		return EXIT_SUCCESS;
	}
	if (!read_config(&config, options.config))
		return EXIT_USAGE;
	supervisor = (struct supervisor_options){options.config, options.once};
	return (int)supervisor_run(&config, &supervisor);
}

static int command_check(int argc, char **argv)
{
	struct config config;
	struct options options;

	if (!parse_options(argc, argv, &options))
		return usage_error(NULL);
	if (options.once || options.watch || optind < argc)
		return usage_error("check takes no --once, no --watch and no arguments");
	if (options.help) {
		print_usage(stdout);
		return EXIT_SUCCESS;
	}
	return read_config(&config, options.config) ? (int)check_run(&config, options.json)
						    : EXIT_USAGE;
}

static int command_list(int argc, char **argv)
{
	struct config config;
	struct options options;
	char server[300];

	if (!parse_options(argc, argv, &options))
		return usage_error(NULL);
	if (options.once || options.watch || optind + 1 < argc)
		return usage_error("list takes one server, no --once and no --watch");
	if (options.help) {
		print_usage(stdout);
		return EXIT_SUCCESS;
	}
	if (optind < argc)
		return list_run(argv[optind], options.json);
	if (!read_config(&config, options.config))
		return EXIT_USAGE;
	(void)snprintf(server, sizeof(server), "[%s]:%s", config.server.host, config.server.port);
	return list_run(server, options.json);
}

static int command_status(int argc, char **argv)
{
	struct options options;

	if (!parse_options(argc, argv, &options))
		return usage_error(NULL);
	if (options.once || optind < argc)
		return usage_error("status takes no --once and no arguments");
	if (options.help) {
		print_usage(stdout);
		return EXIT_SUCCESS;
	}
	return status_run(&(struct status_options){CONTROL_SOCKET, options.json, options.watch});
}

int main(int argc, char **argv)
{
	glog_set(log_text);
	if (argc < 2) {
		print_usage(stderr);
		return EXIT_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		print_usage(stdout);
		return EXIT_SUCCESS;
	}
	if (!strcmp(argv[1], "--version")) {
		printf("ip2usb " IP2USB_VERSION "\n");
		return EXIT_SUCCESS;
	}
	for (size_t i = 0; i < NUM_COMMANDS; i++) {
		if (!strcmp(argv[1], commands[i].name))
			return commands[i].run(argc - 1, argv + 1);
	}
	fprintf(stderr, "ip2usb: unknown command '%s'\n", argv[1]);
	return usage_error(NULL);
}
