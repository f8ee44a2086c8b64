/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bridge/inischema.h"

static bool set_host(void *into, const char *value)
{
	struct config *c = into;

	return *value && inischema_host(c->server.host, sizeof(c->server.host), value);
}

static bool set_port(void *into, const char *value)
{
	struct config *c = into;

	return inischema_port(c->server.port, sizeof(c->server.port), value);
}

static bool set_notices(void *into, const char *value)
{
	struct config *c = into;
	char *notices = c->server.notices;
	size_t size = sizeof(c->server.notices);

	if (!strcmp(value, CONFIG_AUTO) || !strcmp(value, CONFIG_OFF))
		return inischema_text(notices, size, value);
	return inischema_port(notices, size, value);
}

static bool set_key(void *into, const char *value)
{
	struct config *c = into;

	memset(&c->server.key, 0, sizeof(c->server.key));
	c->server.has_key = strcmp(value, "none") != 0;
	return !c->server.has_key || pairingkey_parse(&c->server.key, value, NULL);
}

static bool set_busid(void *into, const char *value)
{
	struct config *c = into;

	memset(c->camera.busid, 0, sizeof(c->camera.busid));
	return !*value || selection_set_busid(&c->camera, value);
}

static bool set_id(void *into, const char *value)
{
	struct config *c = into;

	c->camera.has_id = false;
	c->camera.vendor = c->camera.product = 0;
	return !*value || selection_set_id(&c->camera, value);
}

static bool set_serial(void *into, const char *value)
{
	struct config *c = into;

	return inischema_text(c->camera.serial, sizeof(c->camera.serial), value);
}

static bool set_udc(void *into, const char *value)
{
	struct config *c = into;

	return *value && !strchr(value, '/') &&
		inischema_text(c->gadget.udc, sizeof(c->gadget.udc), value);
}

static bool set_max_power(void *into, const char *value)
{
	struct config *c = into;
	unsigned ma;
	bool is_number = inischema_number(value, 500, &ma);

	c->gadget.max_power_ma = is_number ? (int)ma : CONFIG_MIRROR;
	return is_number || !strcmp(value, "mirror");
}

static bool set_self_powered(void *into, const char *value)
{
	struct config *c = into;
	bool is_yes = !strcmp(value, "yes"), is_no = !strcmp(value, "no");

	c->gadget.self_powered = is_yes ? 1 : is_no ? 0 : CONFIG_MIRROR;
	return is_yes || is_no || !strcmp(value, "mirror");
}

static bool set_unplug_after(void *into, const char *value)
{
	struct config *c = into;
	unsigned *s = &c->gadget.unplug_after_s;

	if (!strcmp(value, "never")) {
		*s = 0;
		return true;
	}
	return inischema_number(value, 3600, s) && *s;
}

static bool set_hold(void *into, const char *value)
{
	struct config *c = into;

	return inischema_number(value, 600, &c->link.hold_s);
}

static bool set_led(void *into, const char *value)
{
	struct config *c = into;

	return *value && !strchr(value, '/') && *value != '.' &&
		inischema_text(c->led.name, sizeof(c->led.name), value);
}

static const struct inischema_key keys[] = {
	{"server", "host", set_host, "a host name or an address, without port or brackets"},
	{"server", "port", set_port, "1 to 65535"},
	{"server", "notices", set_notices, "auto, off, or 1 to 65535"},
	{"server", "key", set_key, "none, or all that 'ip2usb-export key' has printed in one line"},
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

static const struct inischema schema = {keys, sizeof(keys) / sizeof(keys[0]), set_key};

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

int config_parse(struct config *c, const char *path, const char *text, char *error, size_t size)
{
	int r;

	set_defaults(c);
	r = inischema_parse(&schema, c, path, text, error, size);
	if (r || *c->server.host)
		return r;
	(void)snprintf(error, size,
		"%s: [server] host is missing; 'ip2usb pair HOST' finds the camera and writes it",
		path);
	return -ENODATA;
}

int config_read(struct config *c, const char *path, char *error, size_t size)
{
	char *text;
	int r = inischema_load_path(path, &text, error, size);

	if (!r)
		r = config_parse(c, path, text, error, size);
	inischema_forget(text);
	return r;
}

const struct pairingkey *config_key(const struct config *c, const char *host, const char *port)
{
	bool is_it = !strcmp(c->server.host, host) && !strcmp(c->server.port, port);

	return is_it && c->server.has_key ? &c->server.key : NULL;
}

int config_override(struct config *c, const char *path, char *error, size_t size)
{
	char *text;
	int r = inischema_load_path(path, &text, error, size);

	if (!r)
		r = inischema_parse(&schema, c, path, text, error, size);
	inischema_forget(text);
	return r;
}
