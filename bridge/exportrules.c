/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/exportrules.h"

#include <ctype.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define BLANKS " \t"
#define CLASS_HUB 0x09

/* ---- a rule's text ---- */

/* The next word, of at most EXPORTRULES_MAX_SERIAL bytes. */
static bool get_word(const char **at, char out[EXPORTRULES_MAX_SERIAL + 1])
{
	size_t n;

	*at += strspn(*at, BLANKS);
	n = strcspn(*at, BLANKS);
	if (!n || n > EXPORTRULES_MAX_SERIAL)
		return false;
	memcpy(out, *at, n);
	out[n] = 0;
	*at += n;
	return true;
}

/* Exactly so many digits. */
static bool get_hex(const char **at, unsigned digits, uint16_t *out)
{
	char text[5] = "";

	for (unsigned i = 0; i < digits; i++) {
		if (!isxdigit((unsigned char)(*at)[i]))
			return false;
		text[i] = (*at)[i];
	}
	*out = (uint16_t)strtoul(text, NULL, 16);
	*at += digits;
	return true;
}

static bool get_id(struct exportrules_rule *rule, const char *word)
{
	if (!get_hex(&word, 4, &rule->vendor) || *word++ != ':')
		return false;
	rule->conditions |= EXPORTRULES_VENDOR;
	if (!strcmp(word, "*"))
		return true;
	rule->conditions |= EXPORTRULES_PRODUCT;
	return get_hex(&word, 4, &rule->product) && !*word;
}

static bool get_class(struct exportrules_rule *rule, const char **at)
{
	static const uint16_t conditions[] = {
		EXPORTRULES_CLASS, EXPORTRULES_SUBCLASS, EXPORTRULES_PROTOCOL};
	uint8_t *const out[] = {&rule->class, &rule->subclass, &rule->protocol};
	char text[EXPORTRULES_MAX_SERIAL + 1];
	const char *word = text;

	if (!get_word(at, text))
		return false;
	for (unsigned i = 0; i < 3; i++) {
		uint16_t value;

		if (!get_hex(&word, 2, &value))
			return false;
		*out[i] = (uint8_t)value;
		rule->conditions |= conditions[i];
		if (!*word)
			return true;
		if (*word++ != '/')
			return false;
	}
	return false;
}

/* No zeros in front: it would match nothing, and a deny would be one in name only. */
static bool skip_number(const char **at)
{
	if (**at < '1' || **at > '9')
		return false;
	*at += strspn(*at, "0123456789");
	return true;
}

/* BUS-PORT.PORT..., where a star may be for the last and all that follow it. */
static bool get_port(struct exportrules_rule *rule, const char **at)
{
	char word[EXPORTRULES_MAX_SERIAL + 1];
	const char *end = word;

	if (!get_word(at, word) || !skip_number(&end) || *end != '-')
		return false;
	do {
		end++;
		rule->is_below = !strcmp(end, "*");
		if (!rule->is_below && !skip_number(&end))
			return false;
	} while (*end == '.');
	if ((*end && !rule->is_below) || (size_t)(end - word) >= sizeof(rule->busid))
		return false;
	rule->conditions |= EXPORTRULES_PORT;
	memcpy(rule->busid, word, (size_t)(end - word));
	return true;
}

static bool get_quoted(const char **at, char out[EXPORTRULES_MAX_SERIAL + 1])
{
	const char *text = *at + 1;
	size_t n = strcspn(text, "\"");

	if (!n || n > EXPORTRULES_MAX_SERIAL || !text[n] ||
		(text[n + 1] && !strchr(BLANKS, text[n + 1])))
		return false;
	memcpy(out, text, n);
	out[n] = 0;
	*at = text + n + 1;
	return true;
}

static bool get_serial(struct exportrules_rule *rule, const char **at)
{
	rule->conditions |= EXPORTRULES_SERIAL;
	*at += strspn(*at, BLANKS);
	if (**at == '"')
		return get_quoted(at, rule->serial);
	return get_word(at, rule->serial) && !strchr(rule->serial, '"');
}

/* What it is, and what follows it. */
static bool get_condition(struct exportrules_rule *rule, const char *word, const char **at)
{
	if (!strcmp(word, "class"))
		return get_class(rule, at);
	if (!strcmp(word, "port"))
		return get_port(rule, at);
	if (!strcmp(word, "serial"))
		return get_serial(rule, at);
	if (!strcmp(word, "mtp"))
		rule->conditions |= EXPORTRULES_MTP;
	else if (!strcmp(word, "any"))
		rule->conditions |= EXPORTRULES_ANY;
	else
		return get_id(rule, word);
	return true;
}

bool exportrules_add(struct exportrules *r, bool allow, const char *text)
{
	struct exportrules_rule rule;
	char word[EXPORTRULES_MAX_SERIAL + 1];

	if (r->num_rules == EXPORTRULES_MAX)
		return false;
	memset(&rule, 0, sizeof(rule));
	rule.allow = allow;
	do {
		uint16_t before = rule.conditions;

		rule.conditions = 0;
		if (!get_word(&text, word) || !get_condition(&rule, word, &text) ||
			(rule.conditions & before))
			return false;
		rule.conditions |= before;
	} while (text[strspn(text, BLANKS)]);
	memcpy(&r->rules[r->num_rules++], &rule, sizeof(rule));
	return true;
}

/* ---- devices ---- */

static bool is_of_class(
	const struct exportrules_rule *rule, uint8_t class, uint8_t subclass, uint8_t protocol)
{
	if (class != rule->class)
		return false;
	if ((rule->conditions & EXPORTRULES_SUBCLASS) && subclass != rule->subclass)
		return false;
	return !(rule->conditions & EXPORTRULES_PROTOCOL) || protocol == rule->protocol;
}

/* Of the device or of any interface. */
static bool has_class(const struct exportrules_rule *rule, const struct exportrules_device *d)
{
	if (is_of_class(rule, d->class, d->subclass, d->protocol))
		return true;
	for (unsigned i = 0; i < d->num_interfaces; i++) {
		const struct usbip_interface *in = &d->interfaces[i];

		if (is_of_class(rule, in->class, in->subclass, in->protocol))
			return true;
	}
	return false;
}

static bool is_at(const struct exportrules_rule *rule, const char *busid)
{
	if (rule->is_below)
		return !strncmp(busid, rule->busid, strlen(rule->busid));
	return !strcmp(busid, rule->busid);
}

static bool matches(const struct exportrules_rule *rule, const struct exportrules_device *d)
{
	unsigned conditions = rule->conditions;

	if ((conditions & EXPORTRULES_VENDOR) && d->vendor != rule->vendor)
		return false;
	if ((conditions & EXPORTRULES_PRODUCT) && d->product != rule->product)
		return false;
	if ((conditions & EXPORTRULES_CLASS) && !has_class(rule, d))
		return false;
	if ((conditions & EXPORTRULES_PORT) && !is_at(rule, d->busid))
		return false;
	if ((conditions & EXPORTRULES_SERIAL) && (!d->serial || strcmp(d->serial, rule->serial)))
		return false;
	return !(conditions & EXPORTRULES_MTP) || d->is_mtp;
}

/* By the device or by an interface, as for Linux's hub driver (hub_id_table). */
static bool is_hub(const struct exportrules_device *d)
{
	static const struct exportrules_rule hub = {
		.conditions = EXPORTRULES_CLASS, .class = CLASS_HUB};

	return has_class(&hub, d);
}

/* Still Image, PTP (USB Still Image Capture Device Definition, 3), or MTP. */
static bool is_camera(const struct exportrules_device *d)
{
	static const struct exportrules_rule image = {
		.conditions = EXPORTRULES_CLASS | EXPORTRULES_SUBCLASS | EXPORTRULES_PROTOCOL,
		.class = 6,
		.subclass = 1,
		.protocol = 1};

	return d->is_mtp || has_class(&image, d);
}

const char *exportrules_refusal(const struct exportrules *r, const struct exportrules_device *d)
{
	bool is_said = false, is_allowed = false;

	if (is_hub(d))
		return "a hub";
	for (unsigned i = 0; i < r->num_rules; i++) {
		const struct exportrules_rule *rule = &r->rules[i];

		if (rule->allow)
			is_said = true;
		if (!matches(rule, d))
			continue;
		if (!rule->allow)
			return "a deny line is for it";
		is_allowed = true;
	}
	if (is_said)
		return is_allowed ? NULL : "no allow line is for it";
	return is_camera(d) ? NULL : "no still camera, and there is no allow line";
}

bool exportrules_permits(const struct exportrules *r, const struct exportrules_device *d)
{
	return !exportrules_refusal(r, d);
}
