/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * search: which device of a server's is the camera that the configuration means: has the server
 * list them, and the selection made from that list.
 */
#ifndef BRIDGE_SEARCH_H
#define BRIDGE_SEARCH_H

#include <stdbool.h>
#include <stddef.h>

#include "bridge/selection.h"

struct conn;
struct devlist;

struct search {
	struct selection_criteria criteria;
	struct devlist *list; /* from search_start on; NULL: none, or let go of */
	struct selection selection;
	enum selection_verdict verdict; /* the last; SELECTION_NONE at first */
};

void search_init(struct search *s, const struct selection_criteria *criteria);

/* Takes `conn` over, and asks for the list. 0 or -ENOMEM. */
int search_start(struct search *s, struct conn *conn);

/* Lets go of the list; what has been selected stays. Also frees all that there is. */
void search_stop(struct search *s);

/* As devlist_dispatch; when it is 1 search_next may be called. */
int search_dispatch(struct search *s, const char **why);

/* As selection_next. */
enum selection_verdict search_next(struct search *s, const char **busid);

/* While there is a list: whether what is at hand is asked for because it is meant, and not only to
 * be looked at as others are; and whether the server has sessions for it. */
bool search_is_for_session(const struct search *s, const char *busid);

/* After search_next has found none, or several: why so, for people. `unseen`: some could not be
 * looked at. */
void search_explain(const struct search *s, const char *host, bool unseen, char *out, size_t size);

/* What is in the list, to the log. */
void search_log(const struct search *s, int level);

#endif
