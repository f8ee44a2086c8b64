/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/search.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/conn.h"
#include "bridge/devlist.h"
#include "bridge/log.h"

void search_init(struct search *s, const struct selection_criteria *criteria)
{
	memset(s, 0, sizeof(*s));
	s->criteria = *criteria;
	s->verdict = SELECTION_NONE;
}

int search_start(struct search *s, struct conn *conn)
{
	search_stop(s);
	s->list = malloc(sizeof(*s->list));
	if (!s->list) {
		conn_close(conn);
		return -ENOMEM;
	}
	devlist_init(s->list, conn);
	return 0;
}

void search_stop(struct search *s)
{
	if (s->list)
		devlist_fini(s->list);
	free(s->list);
	s->list = NULL;
}

int search_dispatch(struct search *s, const char **why)
{
	int r = devlist_dispatch(s->list, why);

	if (r > 0)
		selection_init(&s->selection, &s->criteria, s->list->entries, s->list->total);
	return r;
}

enum selection_verdict search_next(struct search *s, const char **busid)
{
	s->verdict = selection_next(&s->selection, busid);
	return s->verdict;
}

bool search_is_for_session(const struct search *s, const char *busid)
{
	bool meant = s->verdict == SELECTION_FOUND || s->selection.num_candidates == 1;

	return meant && devlist_can_resume(s->list, busid);
}

void search_explain(const struct search *s, const char *host, bool unseen, char *out, size_t size)
{
	char what[200];

	selection_describe(&s->criteria, what, sizeof(what));
	if (s->verdict == SELECTION_NONE)
		(void)snprintf(out, size, "server %s exports no such camera:%s (%s)", host, what,
			unseen ? "unless it is one that could not be looked at"
			       : "one that is in use is not listed");
	else
		(void)snprintf(out, size,
			"several devices match:%s; say more in [camera]: busid, id, serial", what);
}

void search_log(const struct search *s, int level)
{
	const struct devlist *list = s->list;

	log_write(
		level, "the server exports %u device%s", list->total, list->total == 1 ? "" : "s");
	for (unsigned i = 0; i < list->total; i++) {
		const struct usbip_device *d = &list->entries[i].device;

		log_write(level, "  busid %s id %04x:%04x", d->busid, d->vendor, d->product);
	}
}
