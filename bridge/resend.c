/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/resend.h"

#include <assert.h>
#include <stddef.h>

#include "bridge/outbox.h"

static struct outbox_message *merge(struct outbox_message *a, struct outbox_message *b)
{
	struct outbox_message *first = NULL, **last = &first;

	while (a && b) {
		struct outbox_message **lower = a->number < b->number ? &a : &b;

		*last = *lower;
		last = &(*lower)->next;
		*lower = *last;
	}
	*last = a ? a : b;
	return first;
}

void resend_add(struct resend *r, struct outbox_message *m)
{
	unsigned n = 0;

	m->next = NULL;
	for (; r->runs[n]; n++) {
		assert(n + 1 < RESEND_RUNS);
		m = merge(r->runs[n], m);
		r->runs[n] = NULL;
	}
	r->runs[n] = m;
}

void resend_put(const struct resend *r, uint64_t *next, struct outbox *o)
{
	struct outbox_message *all = NULL;

	for (unsigned n = 0; n < RESEND_RUNS; n++)
		all = merge(r->runs[n], all);
	while (all) {
		struct outbox_message *m = all;

		all = m->next;
		m->number = (*next)++;
		outbox_put(o, m);
	}
}
