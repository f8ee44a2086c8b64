/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/selection.h"

#include <stdio.h>
#include <string.h>

#include "bridge/devlist.h"

bool selection_set_busid(struct selection_criteria *c, const char *text)
{
	uint8_t wire[USBIP_BUSID_SIZE];
	const char *field;

	if (usbip_put_busid(wire, text, &field))
		return false;
	memset(c->busid, 0, sizeof(c->busid));
	strcpy(c->busid, text);
	return true;
}

bool selection_set_id(struct selection_criteria *c, const char *text)
{
	unsigned vendor, product;
	int end = 0;

	if (strspn(text, "0123456789abcdefABCDEF:") != 9 ||
		sscanf(text, "%4x:%4x%n", &vendor, &product, &end) != 2 || text[end] || end != 9)
		return false;
	c->has_id = true;
	c->vendor = (uint16_t)vendor;
	c->product = (uint16_t)product;
	return true;
}

bool selection_could_be(const struct selection_criteria *c, const struct usbip_device *d)
{
	if (*c->busid && strcmp(c->busid, d->busid))
		return false;
	return !c->has_id || (d->vendor == c->vendor && d->product == c->product);
}

void selection_init(struct selection *s, const struct selection_criteria *criteria,
	const struct devlist_entry *entries, size_t num_entries)
{
	memset(s, 0, sizeof(*s));
	s->criteria = criteria;
	for (size_t i = 0; i < num_entries && i < USBIP_MAX_DEVICES; i++) {
		if (selection_could_be(criteria, &entries[i].device))
			memcpy(s->candidates[s->num_candidates++], entries[i].device.busid,
				USBIP_BUSID_SIZE);
	}
}

static enum selection_verdict verdict(
	struct selection *s, unsigned matches, const char *match, const char **busid)
{
	if (matches != 1)
		return matches ? SELECTION_AMBIGUOUS : SELECTION_NONE;
	*busid = s->current = match;
	return SELECTION_FOUND;
}

enum selection_verdict selection_next(struct selection *s, const char **busid)
{
	if (!*s->criteria->serial)
		return verdict(s, s->num_candidates, s->candidates[0], busid);
	if (s->at == s->num_candidates)
		return verdict(s, s->num_matches, s->match, busid);
	*busid = s->current = s->candidates[s->at++];
	return SELECTION_LOOK;
}

void selection_serial(struct selection *s, const char *serial)
{
	bool match = serial && !strcmp(serial, s->criteria->serial);

	if (!*s->criteria->serial)
		return;
	if (s->current == s->match) {
		/* Looked at before: it may be another device by now. */
		s->num_matches = match;
	} else if (match) {
		s->num_matches++;
		s->match = s->current;
	}
}

const char *selection_describe(const struct selection_criteria *c, char *out, size_t size)
{
	char id[16] = "";

	if (c->has_id)
		(void)snprintf(id, sizeof(id), " id %04x:%04x", c->vendor, c->product);
	(void)snprintf(out, size, "%s%s%s%s%s", *c->busid ? " busid " : "", c->busid, id,
		*c->serial ? " serial " : "", c->serial);
	if (!*out)
		(void)snprintf(out, size, " any");
	return out;
}
