/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/txtrecord.h"

#include <stdio.h>
#include <string.h>

#include "bridge/log.h"

static void add(struct txtrecord *t, const char *text)
{
	size_t size = strlen(text);

	if (size >= sizeof(t->bytes) - t->size)
		return;
	t->bytes[t->size] = (uint8_t)size;
	memcpy(&t->bytes[t->size + 1], text, size);
	t->size += 1 + size;
}

void txtrecord_make(struct txtrecord *t, const struct txtrecord_device *devices, unsigned n)
{
	char text[TXTRECORD_MAX_STRING + 1];

	t->size = 0;
	add(t, "txtvers=1");
	(void)snprintf(text, sizeof(text), "devices=%u", n);
	add(t, text);
	for (unsigned i = 0; i < n; i++) {
		const struct txtrecord_device *d = &devices[i];
		const char *name = d->name ? d->name : "";

		(void)snprintf(text, sizeof(text), "%s=%04x:%04x%s%s", d->busid, d->vendor,
			d->product, *name ? " " : "", name);
		/* Also a character that was cut in the middle. */
		log_clean(text, strlen(text));
		add(t, text);
	}
}
