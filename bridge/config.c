/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/config.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ini.h>

#define BOM "\xef\xbb\xbf"

struct parse {
	struct config *config;
	char *error; /* of the first problem */
	size_t size;
	const char *path;
	const char *text; /* what is left for ini_parse_stream's reader */
	int line;	  /* that the reader has delivered last */
	bool failed;
};

typedef bool setter(struct config *c, const char *value);

/* Nothing of an earlier value is left behind: whole configurations are compared. */
static bool copy(char *out, size_t size, const char *value)
{
	if (strlen(value) >= size)
		return false;
	memset(out, 0, size);
	strcpy(out, value);
	return true;
}

static bool set_host(struct config *c, const char *value)
{
	const char *colon = strchr(value, ':');

	/* One colon would be before a port; an IPv6 address has more. */
	if (colon && !strchr(colon + 1, ':'))
		return false;
	return *value && !strpbrk(value, " \t/;#[]\"'") &&
		copy(c->server.host, sizeof(c->server.host), value);
}

bool config_number(const char *value, unsigned max, unsigned *out)
{
	char *end;
	unsigned long n = strtoul(value, &end, 10);

	if (!isdigit((unsigned char)*value) || *end || n > max)
		return false;
	*out = (unsigned)n;
	return true;
}

static bool set_port(struct config *c, const char *value)
{
	unsigned port;

	return config_number(value, 65535, &port) && port &&
		copy(c->server.port, sizeof(c->server.port), value);
}

static bool set_notices(struct config *c, const char *value)
{
	unsigned port;

	return (!strcmp(value, CONFIG_AUTO) || !strcmp(value, CONFIG_OFF) ||
		       (config_number(value, 65535, &port) && port)) &&
		copy(c->server.notices, sizeof(c->server.notices), value);
}

static bool set_busid(struct config *c, const char *value)
{
	memset(c->camera.busid, 0, sizeof(c->camera.busid));
	return !*value || selection_set_busid(&c->camera, value);
}

static bool set_id(struct config *c, const char *value)
{
	c->camera.has_id = false;
	c->camera.vendor = c->camera.product = 0;
	return !*value || selection_set_id(&c->camera, value);
}

static bool set_serial(struct config *c, const char *value)
{
	return copy(c->camera.serial, sizeof(c->camera.serial), value);
}

static bool set_udc(struct config *c, const char *value)
{
	return *value && !strchr(value, '/') && copy(c->gadget.udc, sizeof(c->gadget.udc), value);
}

static bool set_max_power(struct config *c, const char *value)
{
	unsigned ma;
	bool is_number = config_number(value, 500, &ma);

	c->gadget.max_power_ma = is_number ? (int)ma : CONFIG_MIRROR;
	return is_number || !strcmp(value, "mirror");
}

static bool set_self_powered(struct config *c, const char *value)
{
	bool is_yes = !strcmp(value, "yes"), is_no = !strcmp(value, "no");

	c->gadget.self_powered = is_yes ? 1 : is_no ? 0 : CONFIG_MIRROR;
	return is_yes || is_no || !strcmp(value, "mirror");
}

static bool set_unplug_after(struct config *c, const char *value)
{
	unsigned *s = &c->gadget.unplug_after_s;

	if (!strcmp(value, "never")) {
		*s = 0;
		return true;
	}
	return config_number(value, 3600, s) && *s;
}

static bool set_hold(struct config *c, const char *value)
{
	return config_number(value, 600, &c->link.hold_s);
}

static bool set_led(struct config *c, const char *value)
{
	return *value && !strchr(value, '/') && *value != '.' &&
		copy(c->led.name, sizeof(c->led.name), value);
}

static const struct key {
	const char *section, *name;
	setter *set;
	const char *allowed;
} keys[] = {
	{"server", "host", set_host, "a host name or an address, without port or brackets"},
	{"server", "port", set_port, "1 to 65535"},
	{"server", "notices", set_notices, "auto, off, or 1 to 65535"},
	{"camera", "busid", set_busid, "a bus id such as 1-1.4, at most 31 characters"},
	{"camera", "id", set_id, "VID:PID, four hexadecimal digits each, such as 04a9:3218"},
	{"camera", "serial", set_serial, "a serial number, at most 127 characters"},
	{"gadget", "udc", set_udc, "auto, or a name in /sys/class/udc"},
	{"gadget", "max_power_ma", set_max_power, "mirror, or 0 to 500"},
	{"gadget", "self_powered", set_self_powered, "mirror, yes, no"},
	{"gadget", "unplug_after_s", set_unplug_after, "never, or 1 to 3600"},
	{"link", "hold_s", set_hold, "0 to 600"},
	{"led", "name", set_led, "none, or a name in /sys/class/leds"},
};

#define NUM_KEYS (sizeof(keys) / sizeof(keys[0]))

/* inih stops at, and names, the line for which this returns 0. */
static int fail(struct parse *p, const char *format, const char *what, const char *allowed)
{
	if (!p->failed) {
		char text[512];

		(void)snprintf(text, sizeof(text), format, what, allowed);
		(void)snprintf(p->error, p->size, "%s:%d: %s", p->path, p->line, text);
	}
	p->failed = true;
	return 0;
}

/* The names of all sections, or of all keys of one. */
static const char *names(const char *section, char *out, size_t size)
{
	*out = 0;
	for (size_t i = 0; i < NUM_KEYS; i++) {
		const char *name = section ? keys[i].name : keys[i].section;

		if (section ? strcmp(keys[i].section, section) != 0
			    : i && !strcmp(keys[i - 1].section, name))
			continue;
		(void)snprintf(
			out + strlen(out), size - strlen(out), "%s%s", *out ? ", " : "", name);
	}
	return out;
}

static int on_key(void *user, const char *section, const char *name, const char *value)
{
	struct parse *p = user;
	char allowed[256];

	for (size_t i = 0; i < NUM_KEYS; i++) {
		if (strcmp(keys[i].section, section) || strcmp(keys[i].name, name))
			continue;
		if (keys[i].set(p->config, value))
			return 1;
		(void)snprintf(allowed, sizeof(allowed), "%s; allowed: %s", name, keys[i].allowed);
		return fail(p, "'%s' is no value for %s", value, allowed);
	}
	if (!*section)
		return fail(p, "'%s' is in no section; allowed: %s", name,
			names(NULL, allowed, sizeof(allowed)));
	return fail(p, "unknown key '%s'; allowed in this section: %s", name,
		names(section, allowed, sizeof(allowed)));
}

/* inih tells of a section only with its keys, and it may have none. */
static bool check_section(struct parse *p, const char *line)
{
	char section[256], allowed[256];

	(void)snprintf(section, sizeof(section), "%.*s", (int)strcspn(line + 1, "]"), line + 1);
	for (size_t i = 0; i < NUM_KEYS; i++) {
		if (!strcmp(keys[i].section, section))
			return true;
	}
	return fail(p, "unknown section '%s'; allowed: %s", section,
		names(NULL, allowed, sizeof(allowed)));
}

/* fgets for inih, which tells on_key no line numbers: count them here. */
static char *read_line(char *out, int size, void *user)
{
	struct parse *p = user;
	size_t n;

	if (!*p->text || p->failed)
		return NULL;
	p->line++;
	/* inih takes an indented line for more of the value before it. */
	p->text += strspn(p->text, " \t\v\f\r");
	n = strcspn(p->text, "\n");
	if (n >= (size_t)size - 1) {
		fail(p, "%s; allowed: %s", "the line is too long", "198 characters");
		return NULL;
	}
	memcpy(out, p->text, n);
	out[n] = 0;
	p->text += n + (p->text[n] == '\n');
	return *out == '[' && strchr(out, ']') && !check_section(p, out) ? NULL : out;
}

static void set_defaults(struct config *c)
{
	memset(c, 0, sizeof(*c));
	strcpy(c->server.port, USBIP_PORT);
	strcpy(c->server.notices, CONFIG_AUTO);
	strcpy(c->gadget.udc, CONFIG_AUTO);
	c->gadget.max_power_ma = CONFIG_MIRROR;
	c->gadget.self_powered = CONFIG_MIRROR;
	c->gadget.unplug_after_s = 5;
	c->link.hold_s = 10;
	strcpy(c->led.name, "ACT");
}

/* Over what `c` has. */
static int parse(struct config *c, const char *path, const char *text, char *error, size_t size)
{
	struct parse p = {.config = c, .error = error, .size = size, .path = path, .text = text};
	int line;

	if (!strncmp(text, BOM, strlen(BOM)))
		p.text += strlen(BOM);
	line = ini_parse_stream(read_line, &p, on_key, &p);
	/* Of two problems the first: it may be the cause of the other. */
	if (p.failed && (!line || line == p.line))
		return -EINVAL;
	if (line) {
		(void)snprintf(error, size, "%s:%d: neither [section] nor key = value", path, line);
		return -EINVAL;
	}
	return 0;
}

int config_parse(struct config *c, const char *path, const char *text, char *error, size_t size)
{
	int r;

	set_defaults(c);
	r = parse(c, path, text, error, size);
	if (r || *c->server.host)
		return r;
	(void)snprintf(error, size,
		"%s: [server] host is missing; 'ip2usb pair HOST' finds the camera and writes it",
		path);
	return -ENODATA;
}

/* What follows the NUL would be left out without a word. UTF-16, which some editors write, has
 * many. */
static int refuse_nul(const char *path, const char *text, char *error, size_t size)
{
	int line = 1;

	for (const char *at = text; *at; at++)
		line += *at == '\n';
	(void)snprintf(error, size, "%s:%d: a NUL byte; allowed: text in UTF-8", path, line);
	return -EINVAL;
}

int config_load(FILE *file, const char *path, char *text, char *error, size_t size)
{
	size_t n = fread(text, 1, CONFIG_MAX_FILE + 1, file);
	int r = ferror(file) ? -errno : n > CONFIG_MAX_FILE ? -EFBIG : 0;

	if (r) {
		(void)snprintf(error, size, "%s: %s", path, strerror(-r));
		return r;
	}
	text[n] = 0;
	return strlen(text) == n ? 0 : refuse_nul(path, text, error, size);
}

static int read_file(struct config *c, const char *path, char *error, size_t size,
	int (*parse_text)(struct config *, const char *, const char *, char *, size_t))
{
	FILE *file = fopen(path, "re");
	char *text = file ? malloc(CONFIG_MAX_FILE + 1) : NULL;
	int r = text ? 0 : -errno;

	if (r)
		(void)snprintf(error, size, "%s: %s", path, strerror(-r));
	else
		r = config_load(file, path, text, error, size);
	if (!r)
		r = parse_text(c, path, text, error, size);
	if (file)
		(void)fclose(file);
	free(text);
	return r;
}

int config_read(struct config *c, const char *path, char *error, size_t size)
{
	return read_file(c, path, error, size, config_parse);
}

int config_override(struct config *c, const char *path, char *error, size_t size)
{
	return read_file(c, path, error, size, parse);
}
