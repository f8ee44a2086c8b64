/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/bootconfig.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define MAX_LINE 98
#define BLANKS " \t\v\f\r"

struct span {
	const char *at;
	size_t size;
};

static bool is(struct span s, const char *text)
{
	return s.size == strlen(text) && !memcmp(s.at, text, s.size);
}

static bool begins(struct span s, const char *text)
{
	return s.size >= strlen(text) && !memcmp(s.at, text, strlen(text));
}

static bool is_blank(char c)
{
	return c && strchr(BLANKS, c);
}

static struct span trim(struct span s)
{
	while (s.size && is_blank(*s.at)) {
		s.at++;
		s.size--;
	}
	while (s.size && is_blank(s.at[s.size - 1]))
		s.size--;
	return s;
}

/* What is before the first of `ends`, which is skipped; `rest` is what is behind it. */
static struct span split(struct span *rest, const char *ends)
{
	struct span first = {rest->at, 0};

	while (first.size < rest->size &&
		!(rest->at[first.size] && strchr(ends, rest->at[first.size])))
		first.size++;
	rest->at += first.size;
	rest->size -= first.size;
	if (rest->size) {
		rest->at++;
		rest->size--;
	}
	return first;
}

/* ---- filters ---- */

/* In this order the least of several is what all of them are. */
enum applies {
	NO,
	MAYBE,
	YES
};

struct scan {
	struct bootconfig *out;
	const char *model;
	enum applies by_model, otherwise; /* filters of boards; of all other kinds */
	bool in_overlay;		  /* dtparam is of the port */
};

/* Names of boards begin so; a board has all the filters whose name it has. */
static const struct {
	const char *filter, *model;
} boards[] = {
	{"pi0", "Raspberry Pi Zero"},
	{"pi0w", "Raspberry Pi Zero W"},
	{"pi0w", "Raspberry Pi Zero 2"},
	{"pi02", "Raspberry Pi Zero 2"},
	{"pi1", "Raspberry Pi Model"},
	{"pi1", "Raspberry Pi Compute Module Rev"},
	{"pi2", "Raspberry Pi 2"},
	{"pi3", "Raspberry Pi 3"},
	{"pi3", "Raspberry Pi Compute Module 3"},
	{"pi3+", "Raspberry Pi 3 Model A Plus"},
	{"pi3+", "Raspberry Pi 3 Model B Plus"},
	{"pi4", "Raspberry Pi 4"},
	{"pi4", "Raspberry Pi Compute Module 4"},
	{"pi400", "Raspberry Pi 400"},
	{"cm4", "Raspberry Pi Compute Module 4"},
	{"cm4s", "Raspberry Pi Compute Module 4S"},
	{"pi5", "Raspberry Pi 5"},
	{"pi5", "Raspberry Pi Compute Module 5"},
	{"pi500", "Raspberry Pi 500"},
	{"cm5", "Raspberry Pi Compute Module 5"},
};

static bool same_name(struct span s, const char *name)
{
	return s.size == strlen(name) && !strncasecmp(s.at, name, s.size);
}

/* False: it is no filter of a board. */
static bool filter_board(struct scan *scan, struct span name)
{
	bool known = false, matches = false;

	for (size_t i = 0; i < sizeof(boards) / sizeof(boards[0]); i++) {
		if (!same_name(name, boards[i].filter))
			continue;
		known = true;
		matches |= !strncmp(scan->model, boards[i].model, strlen(boards[i].model));
	}
	if (known)
		scan->by_model = !*scan->model ? MAYBE : matches ? YES : NO;
	return known;
}

/* Of a serial number, a pin, a monitor and so on nothing is known here, nor of filters to come. */
static void filter(struct scan *scan, struct span line)
{
	struct span name;

	line.at++;
	line.size--;
	name = split(&line, "]");
	if (same_name(name, "all"))
		scan->by_model = scan->otherwise = YES;
	else if (same_name(name, "none"))
		scan->otherwise = NO;
	else if (!filter_board(scan, name) && scan->otherwise == YES)
		scan->otherwise = MAYBE;
}

/* ---- settings ---- */

enum bootconfig_role bootconfig_role_of(const char *text, size_t size)
{
	struct span s = {text, size};

	return is(s, "peripheral") ? BOOTCONFIG_PERIPHERAL
		: is(s, "host")	   ? BOOTCONFIG_HOST
				   : BOOTCONFIG_OTG; /* also what usb_get_dr_mode does not know */
}

const char *bootconfig_role_str(enum bootconfig_role role)
{
	static const char *const names[] = {"not set", "host", "OTG", "peripheral"};

	return names[role];
}

static void set_role(struct scan *scan, enum bootconfig_role role, unsigned line)
{
	enum applies applies = scan->by_model < scan->otherwise ? scan->by_model : scan->otherwise;

	if (applies == NO || (applies == MAYBE && role == BOOTCONFIG_PERIPHERAL))
		return;
	scan->out->role = role;
	scan->out->line = line;
	scan->out->doubtful = applies == MAYBE;
}

/* True: one of the parameters is dr_mode. */
static bool find_mode(struct span parameters, enum bootconfig_role *role)
{
	bool found = false;

	while (parameters.size) {
		struct span one = trim(split(&parameters, ","));

		if (begins(one, "dr_mode=")) {
			*role = bootconfig_role_of(one.at + 8, one.size - 8);
			found = true;
		}
	}
	return found;
}

/* `value` is NAME, NAME,PARAMETERS or NAME:PARAMETERS. */
static void overlay(struct scan *scan, struct span value, unsigned line)
{
	struct span name = trim(split(&value, ",:"));
	enum bootconfig_role role = BOOTCONFIG_OTG; /* that of dwc2-overlay.dts itself */

	if (scan->by_model == NO || scan->otherwise == NO)
		return;
	scan->in_overlay = is(name, "dwc2");
	if (scan->in_overlay) {
		(void)find_mode(value, &role);
		set_role(scan, role, line);
	} else if (is(name, "dwc-otg")) { /* the old driver, which is a host's */
		set_role(scan, BOOTCONFIG_HOST, line);
	} else if (is(name, "upstream")) { /* has dwc2 in it */
		set_role(scan, BOOTCONFIG_OTG, line);
	}
}

static void read_line(struct scan *scan, struct span line, unsigned number)
{
	enum bootconfig_role role;
	struct span key, value = line;

	if (begins(line, "[")) {
		filter(scan, line);
		return;
	}
	if (begins(line, "include ") && scan->by_model != NO && scan->otherwise != NO)
		scan->out->includes = true;
	key = split(&value, "=");
	if (is(key, "dtoverlay") || is(key, "device_tree_overlay"))
		overlay(scan, value, number);
	else if ((is(key, "dtparam") || is(key, "device_tree_param")) && scan->in_overlay &&
		find_mode(value, &role))
		set_role(scan, role, number);
}

void bootconfig_read(struct bootconfig *b, const char *text, size_t size, const char *model)
{
	struct scan scan = {.out = b, .model = model, .by_model = YES, .otherwise = YES};
	struct span rest = {text, size};

	*b = (struct bootconfig){0};
	for (unsigned number = 1; rest.size; number++) {
		struct span line = split(&rest, "\n");

		if (line.size > MAX_LINE)
			line.size = MAX_LINE;
		read_line(&scan, trim(line), number);
	}
}

bool bootconfig_is_generated(const char *text, size_t size)
{
	return begins((struct span){text, size}, "# Do not modify this file!") &&
		memmem(text, size, "/etc/default/raspi-firmware",
			strlen("/etc/default/raspi-firmware"));
}

bool bootconfig_has_moved(const char *text, size_t size)
{
	static const char place[] = "has moved to /boot/firmware/config.txt";

	return begins((struct span){text, size}, "DO NOT EDIT THIS FILE") &&
		memmem(text, size, place, strlen(place));
}

/* ---- modules ---- */

/* All of drivers/usb/gadget/legacy that are bound as soon as they are loaded are called so. */
static bool is_gadget(struct span word, char module[BOOTCONFIG_MAX_MODULE])
{
	if (!begins(word, "g_") || word.size < 3)
		return false;
	(void)snprintf(module, BOOTCONFIG_MAX_MODULE, "%.*s", (int)word.size, word.at);
	for (char *c = module; *c; c++)
		if (!((*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9') || *c == '_'))
			*c = '?';
	return true;
}

bool bootconfig_cmdline_gadget(char module[BOOTCONFIG_MAX_MODULE], const char *text, size_t size)
{
	struct span words = {text, size};

	while (words.size) {
		struct span names = split(&words, " \t\r\n"), key = split(&names, "=");

		if (!is(key, "modules-load") && !is(key, "modules_load"))
			continue;
		while (names.size)
			if (is_gadget(split(&names, ","), module))
				return true;
	}
	return false;
}

bool bootconfig_modules_gadget(char module[BOOTCONFIG_MAX_MODULE], const char *text, size_t size)
{
	struct span rest = {text, size};

	while (rest.size) {
		struct span line = trim(split(&rest, "\n"));

		if (is_gadget(split(&line, BLANKS), module))
			return true;
	}
	return false;
}
