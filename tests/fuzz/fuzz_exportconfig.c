/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * exportconfig: any text is either taken, and then whole and within its limits, or refused with a
 * text that says where, whatever room there is for it. What is taken never lets a hub out, and a
 * line added to it does to a device what such a line may.
 *
 *   byte 0        room for the error's text
 *   bytes 1 - 11  a device
 *   then          the file
 */
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/exportconfig.h"
#include "tests/fuzz/fuzz.h"

struct subject {
	struct exportrules_device device;
	struct usbip_interface interfaces[2];
};

static void make_device(struct subject *s, struct input *in)
{
	static const uint16_t vendors[] = {0x04a9, 0x18d1, 0, 0xffff};
	static const uint16_t products[] = {0x3218, 0x4ee1, 0, 0xffff};
	static const char *const busids[] = {"1-1", "1-1.4", "1-1.4.2", "2-10"};
	static const char *const serials[] = {NULL, "", "A", "0123 AB"};
	static const struct usbip_interface classes[] = {
		{0, 0, 0}, {3, 1, 1}, {6, 1, 1}, {8, 6, 0x50}, {9, 0, 0}, {0xff, 0x42, 1}};
	const size_t num_classes = sizeof(classes) / sizeof(classes[0]);
	struct exportrules_device *d = &s->device;

	memset(s, 0, sizeof(*s));
	d->vendor = vendors[byte(in) % 4];
	d->product = products[byte(in) % 4];
	d->busid = busids[byte(in) % 4];
	d->serial = serials[byte(in) % 4];
	d->class = byte(in);
	d->subclass = byte(in);
	d->protocol = byte(in);
	d->is_mtp = byte(in) & 1;
	d->num_interfaces = byte(in) % 3;
	s->interfaces[0] = classes[byte(in) % num_classes];
	s->interfaces[1] = classes[byte(in) % num_classes];
	d->interfaces = s->interfaces;
}

static bool is_hub(const struct exportrules_device *d)
{
	for (unsigned i = 0; i < d->num_interfaces; i++)
		if (d->interfaces[i].class == 9)
			return true;
	return d->class == 9;
}

static void check_port(const char *port, size_t size)
{
	long n = strtol(port, NULL, 10);

	require(strlen(port) < size && n >= 1 && n <= 65535);
}

static void check_taken(const struct exportconfig *c)
{
	require(strlen(c->listen) < sizeof(c->listen) && !strpbrk(c->listen, " \t\n/[]"));
	check_port(c->port, sizeof(c->port));
	if (strcmp(c->notices, EXPORTCONFIG_OFF)) {
		check_port(c->notices, sizeof(c->notices));
		require(strtol(c->notices, NULL, 10) != strtol(c->port, NULL, 10));
	}
	require(c->rules.num_rules <= EXPORTRULES_MAX);
	for (unsigned i = 0; i < c->rules.num_rules; i++) {
		const struct exportrules_rule *rule = &c->rules.rules[i];

		require(rule->conditions);
		require(strlen(rule->busid) < sizeof(rule->busid));
		require(strlen(rule->serial) < sizeof(rule->serial));
		require(!(rule->conditions & EXPORTRULES_PORT) == !*rule->busid);
		require(!(rule->conditions & EXPORTRULES_SERIAL) == !*rule->serial);
	}
}

static void check_rules(struct exportrules *r, const struct exportrules_device *d)
{
	bool before = exportrules_permits(r, d);

	require(!before || !is_hub(d));
	require(before == !exportrules_refusal(r, d));
	/* Without the last rule, if that denies, it may only be permitted the more. */
	if (r->num_rules && !r->rules[r->num_rules - 1].allow) {
		r->num_rules--;
		require(!before || exportrules_permits(r, d));
		r->num_rules++;
	}
	if (exportrules_add(r, true, "any"))
		require(!before || exportrules_permits(r, d));
	if (exportrules_add(r, false, "any"))
		require(!exportrules_permits(r, d));
}

static int parse(struct exportconfig *c, const char *text, char *error, size_t room, int rubbish)
{
	memset(c, rubbish, sizeof(*c));
	return exportconfig_parse(c, "F", text, error, room);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	struct exportconfig *c = malloc(sizeof(*c)), *again = malloc(sizeof(*c));
	size_t room = (size_t)byte(&in) + 1;
	char *error = calloc(1, room), *text;
	struct subject s;

	make_device(&s, &in);
	text = malloc(in.left + 1);
	require(c && again && error && text);
	if (in.left)
		memcpy(text, in.at, in.left);
	text[in.left] = 0;
	if (!parse(c, text, error, room, 0xff)) {
		require(!parse(again, text, error, room, 0));
		require(!memcmp(c, again, sizeof(*c)));
		check_taken(c);
		check_rules(&c->rules, &s.device);
	} else {
		require(strnlen(error, room) < room);
		require(room < 3 || (error[0] == 'F' && error[1] == ':'));
	}
	free(c);
	free(again);
	free(error);
	free(text);
	return 0;
}
