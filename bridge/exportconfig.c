/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/exportconfig.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/inischema.h"
#include "bridge/notice.h"
#include "bridge/usbip.h"

#define RULES                                                                                      \
	"any, mtp, VID:PID, VID:*, class CC[/SS[/PP]], port BUSID, port HUB.*, serial TEXT, or "   \
	"several that must all hold; at most 64 lines"

static bool set_listen(void *into, const char *value)
{
	struct exportconfig *c = into;

	return inischema_host(c->listen, sizeof(c->listen), value);
}

static bool set_port(void *into, const char *value)
{
	struct exportconfig *c = into;

	return inischema_port(c->port, sizeof(c->port), value);
}

static bool set_notices(void *into, const char *value)
{
	struct exportconfig *c = into;

	if (!strcmp(value, EXPORTCONFIG_OFF))
		return inischema_text(c->notices, sizeof(c->notices), value);
	return inischema_port(c->notices, sizeof(c->notices), value);
}

static bool set_announce(void *into, const char *value)
{
	struct exportconfig *c = into;

	c->announce = !strcmp(value, "yes");
	return c->announce || !strcmp(value, "no");
}

static bool set_key(void *into, const char *value)
{
	struct exportconfig *c = into;

	memset(&c->key, 0, sizeof(c->key));
	c->has_key = strcmp(value, "none") != 0;
	return !c->has_key || pairingkey_parse(&c->key, value, NULL);
}

static bool set_plain(void *into, const char *value)
{
	struct exportconfig *c = into;

	c->plain_anywhere = !strcmp(value, "anywhere");
	return c->plain_anywhere || !strcmp(value, "private");
}

static bool set_allow(void *into, const char *value)
{
	struct exportconfig *c = into;

	return exportrules_add(&c->rules, true, value);
}

static bool set_deny(void *into, const char *value)
{
	struct exportconfig *c = into;

	return exportrules_add(&c->rules, false, value);
}

static const struct inischema_key keys[] = {
	{"server", "listen", set_listen,
		"an address or a host name, without port or brackets; empty for all addresses"},
	{"server", "port", set_port, "1 to 65535"},
	{"server", "notices", set_notices, "off, or 1 to 65535"},
	{"server", "announce", set_announce, "yes, no"},
	{"server", "key", set_key, "none, or all that 'ip2usb-export key' has printed in one line"},
	{"server", "plain", set_plain, "private, anywhere"},
	{"export", "allow", set_allow, RULES},
	{"export", "deny", set_deny, RULES},
};

static const struct inischema schema = {keys, sizeof(keys) / sizeof(keys[0]), set_key};

static void set_defaults(struct exportconfig *c)
{
	memset(c, 0, sizeof(*c));
	strcpy(c->port, USBIP_PORT);
	strcpy(c->notices, NOTICE_PORT);
	c->announce = true;
}

int exportconfig_parse(
	struct exportconfig *c, const char *path, const char *text, char *error, size_t size)
{
	int r;

	set_defaults(c);
	r = inischema_parse(&schema, c, path, text, error, size);
	/* By number: 03240 is a port too. Off is 0. */
	if (r || strtoul(c->port, NULL, 10) != strtoul(c->notices, NULL, 10))
		return r;
	(void)snprintf(error, size,
		"%s: [server] port and notices are both %s; allowed: two ports, or notices = off",
		path, c->port);
	return -EINVAL;
}

int exportconfig_read(struct exportconfig *c, const char *path, char *error, size_t size)
{
	char *text;
	int r = inischema_load_path(path, &text, error, size);

	if (!r)
		r = exportconfig_parse(c, path, text, error, size);
	else
		set_defaults(c);
	inischema_forget(text);
	return r;
}
