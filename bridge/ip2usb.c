/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command line. */
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/capture.h"
#include "bridge/check.h"
#include "bridge/control.h"
#include "bridge/daemon.h"
#include "bridge/discover.h"
#include "bridge/inischema.h"
#include "bridge/list.h"
#include "bridge/log.h"
#include "bridge/pair.h"
#include "bridge/settings.h"
#include "bridge/setup.h"
#include "bridge/status.h"
#include "bridge/usbip.h"
#include "gadget/glog.h"

#define LIMIT 64 /* MiB: files are often in memory */
#define MAX_LIMIT 65536

struct options {
	const char *config;
	const char *const *overrides; /* NULL: -c is given */
	bool json, once, watch, undo, yes, help;
	const char *root;	 /* NULL: this machine */
	const char *operands[2]; /* NULL: none */
	char *key;		 /* NULL: none */
	unsigned limit;		 /* MiB */
};

static int command_setup(const struct options *options);
static int command_run(const struct options *options);
static int command_check(const struct options *options);
static int command_list(const struct options *options);
static int command_discover(const struct options *options);
static int command_pair(const struct options *options);
static int command_unpair(const struct options *options);
static int command_status(const struct options *options);
static int command_capture(const struct options *options);

static const struct command {
	const char *name, *arguments, *help;
	const char *takes;	    /* of the options, by their letters */
	int operands, max_operands; /* that it needs, that it takes */
	int (*run)(const struct options *options);
} commands[] = {
	{"setup", "[--undo] [--yes] [--root DIR]", "make this board ready", "uyr", 0, 0,
		command_setup},
	{"run", "[-c FILE] [--once] [-v]", "present the configured camera until SIGTERM", "cov", 0,
		0, command_run},
	{"check", "[-c FILE] [--json] [-v]",
		"show what is missing here, and what could be presented of it", "cjv", 0, 0,
		command_check},
	{"list", "[HOST[:PORT]] [-c FILE] [--json] [-v]", "show what a server exports", "cjv", 0, 1,
		command_list},
	{"discover", "[SUBNET] [--json] [-v]", "find servers", "jv", 0, 1, command_discover},
	{"pair", "HOST[:PORT] [MATCH] [--key KEY] [-c FILE] [-v]",
		"choose a camera and configure it", "ckv", 1, 2, command_pair},
	{"unpair", "[-c FILE]", "undo that", "c", 0, 0, command_unpair},
	{"status", "[--json] [--watch]", "show how a running one is", "jw", 0, 0, command_status},
	{"capture", "FILE [--limit MIB]", "record what it and the camera say, for Wireshark", "l",
		1, 1, command_capture},
};

#define NUM_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void print_usage(FILE *out)
{
	fprintf(out, "Usage: ip2usb COMMAND\n\n");
	for (size_t i = 0; i < NUM_COMMANDS; i++)
		fprintf(out, "  ip2usb %-8s %-47s %s\n", commands[i].name, commands[i].arguments,
			commands[i].help);
	fprintf(out,
		"  ip2usb --help | --version\n\n"
		"  -c FILE    the configuration, " IP2USB_CONF " unless given\n"
		"  MATCH      a bus id such as 1-1.4, or VID:PID; any device unless given\n"
		"  SUBNET     such as 192.168.1.0/24, all of which is asked; without it mDNS is\n"
		"  --key      what 'ip2usb-export key' has printed at HOST; - reads it from "
		"standard "
		"input\n"
		"  --limit    the size that FILE may have, 64 MiB unless given; - is standard "
		"output\n"
		"  --undo     take back what setup has changed; --yes: without asking; --root DIR: "
		"of "
		"a tree\n"
		"             that does not run\n"
		"  --once     end where something is lost or not there, instead of waiting for it\n"
		"  -v         say more; with list, HOST is the configured server unless given\n\n"
		"Exit: 0 done, 1 failed, 2 usage, 3 no such camera or server, 4 ambiguous,\n"
		"5 cannot be presented.\n"
		"See ip2usb(8) and ip2usb.conf(5).\n");
}

static bool parse_limit(const char *text, unsigned *limit)
{
	if (inischema_number(text, MAX_LIMIT, limit) && *limit)
		return true;
	fprintf(stderr, "ip2usb: --limit %s: not a number of MiB from 1 to %d\n", text, MAX_LIMIT);
	return false;
}

/* False: it is wrong, which has been complained of. */
static bool take_option(struct options *o, int option)
{
	switch (option) {
	case 'c':
		o->config = optarg;
		o->overrides = NULL;
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
	case 'l':
		return parse_limit(optarg, &o->limit);
	case 'k':
		o->key = optarg;
		break;
	case 'u':
		o->undo = true;
		break;
	case 'y':
		o->yes = true;
		break;
	case 'r':
		o->root = optarg;
		break;
	case 'v':
		log_set_level(LOG_DEBUG);
		break;
	case 'h':
		o->help = true;
		break;
	}
	return true;
}

/* False on what the command does not take, which has been complained of. */
static bool parse_options(const struct command *command, int argc, char **argv, struct options *o)
{
	static const struct option known[] = {
		{"config", required_argument, NULL, 'c'},
		{"json", no_argument, NULL, 'j'},
		{"once", no_argument, NULL, 'o'},
		{"watch", no_argument, NULL, 'w'},
		{"limit", required_argument, NULL, 'l'},
		{"key", required_argument, NULL, 'k'},
		{"undo", no_argument, NULL, 'u'},
		{"yes", no_argument, NULL, 'y'},
		{"root", required_argument, NULL, 'r'},
		{"verbose", no_argument, NULL, 'v'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int c, i = 0;

	*o = (struct options){
		.config = IP2USB_CONF, .overrides = settings_overrides, .limit = LIMIT};
	while ((c = getopt_long(argc, argv, "c:vh", known, NULL)) != -1) {
		if (c == '?')
			return false;
		if (c != 'h' && !strchr(command->takes, c)) {
			while (known[i].val != c)
				i++;
			fprintf(stderr, "ip2usb: %s does not take --%s\n", command->name,
				known[i].name);
			return false;
		}
		if (!take_option(o, c))
			return false;
	}
	for (i = 0; i < command->max_operands && optind < argc; i++)
		o->operands[i] = argv[optind++];
	if (optind == argc && (!command->operands || o->operands[0] || o->help))
		return true;
	fprintf(stderr, "ip2usb: usage: ip2usb %s %s\n", command->name, command->arguments);
	return false;
}

/* 0, or -errno, which has been complained of. */
static int read_settings(struct settings *settings, const struct options *options)
{
	int r = settings_read(settings, options->config, options->overrides);

	if (*settings->problem)
		log_error("%s", settings->problem);
	return r;
}

/* What needs a server. */
static bool read_config(struct settings *settings, const struct options *options)
{
	int r = read_settings(settings, options);

	if (r)
		log_error("%s", settings->error);
	return !r;
}

static int command_run(const struct options *options)
{
	struct daemon_options daemon = {options->config, options->overrides, options->once};
	struct settings settings;
	int r = read_settings(&settings, options);

	/* What is not paired waits for it. */
	if (!r || (r == -ENODATA && !options->once))
		return (int)daemon_run(&settings, &daemon);
	log_error("%s", settings.error);
	return OUTCOME_USAGE;
}

static int command_setup(const struct options *options)
{
	return setup_run(&(struct setup_options){options->undo, options->yes, options->root});
}

/* The board is of interest before there is a server. */
static int command_check(const struct options *options)
{
	struct settings settings;
	int r = read_settings(&settings, options);

	return (int)check_run(r && r != -ENODATA ? NULL : &settings.config,
		r ? settings.error : NULL, options->json);
}

/* With the key of the configured server, if it is that; whether there is any does not matter. */
static int list_of(const struct options *options)
{
	const char *server = options->operands[0];
	const struct pairingkey *key = NULL;
	char host[256], port[8];
	struct settings settings;

	if (list_parse_server(server, host, port) &&
		!settings_read(&settings, options->config, options->overrides))
		key = config_key(&settings.config, host, port);
	return list_run(server, key, options->json);
}

static int command_list(const struct options *options)
{
	struct settings settings;
	char server[300];

	if (options->operands[0])
		return list_of(options);
	if (!read_config(&settings, options))
		return OUTCOME_USAGE;
	(void)snprintf(server, sizeof(server), "[%s]:%s", settings.config.server.host,
		settings.config.server.port);
	return list_run(server, settings.config.server.has_key ? &settings.config.server.key : NULL,
		options->json);
}

static int command_discover(const struct options *options)
{
	return discover_run(
		&(struct discover_options){options->operands[0], USBIP_PORT, options->json});
}

static int command_pair(const struct options *options)
{
	return pair_run(&(struct pair_options){options->operands[0], options->operands[1],
		options->key, options->config, options->overrides});
}

static int command_unpair(const struct options *options)
{
	return pair_undo(options->config);
}

static int command_status(const struct options *options)
{
	return status_run(&(struct status_options){&control_status, options->json, options->watch});
}

static int command_capture(const struct options *options)
{
	return capture_run(&(struct capture_options){
		&control_capture, options->operands[0], (uint64_t)options->limit << 20});
}

static int run_command(const struct command *command, int argc, char **argv)
{
	struct options options;

	if (!parse_options(command, argc, argv, &options)) {
		fprintf(stderr, "Try 'ip2usb --help'.\n");
		return OUTCOME_USAGE;
	}
	if (options.help) {
		print_usage(stdout);
		return EXIT_SUCCESS;
	}
	return command->run(&options);
}

int main(int argc, char **argv)
{
	glog_set(log_text);
	if (argc < 2) {
		print_usage(stderr);
		return OUTCOME_USAGE;
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
			return run_command(&commands[i], argc - 1, argv + 1);
	}
	fprintf(stderr, "ip2usb: unknown command '%s'\nTry 'ip2usb --help'.\n", argv[1]);
	return OUTCOME_USAGE;
}
