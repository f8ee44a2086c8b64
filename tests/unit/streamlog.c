/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/streamlog.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/unit/camera.h"
#include "tests/unit/fake_ffs.h"

void streamlog_put(struct streamlog *l, const void *data, size_t size)
{
	struct streamlog_packet *p;

	if (l->num == l->room) {
		l->room = l->room ? 2 * l->room : 256;
		l->packets = realloc(l->packets, l->room * sizeof(*l->packets));
		assert_non_null(l->packets);
	}
	p = &l->packets[l->num++];
	*p = (struct streamlog_packet){.size = (uint32_t)size, .data = malloc(size)};
	if (size)
		memcpy(p->data, data, size);
}

void streamlog_stall(struct streamlog *l)
{
	assert_true(l->num_stalls < STREAMLOG_STALLS);
	l->stalls[l->num_stalls++] = (struct streamlog_stall){l->num_sessions - 1, l->num};
}

void streamlog_session(struct streamlog *l, unsigned urb)
{
	assert_true(l->num_sessions < STREAMLOG_SESSIONS);
	l->sessions[l->num_sessions++] = (struct streamlog_session){l->num, urb};
}

void streamlog_cut(struct streamlog *l, const struct camera_endpoint *e)
{
	assert_true(l->num_cuts < STREAMLOG_SESSIONS);
	l->cuts[l->num_cuts++] = e->num;
}

void streamlog_free(struct streamlog *l)
{
	for (unsigned i = 0; i < l->num; i++)
		free(l->packets[i].data);
	free(l->packets);
}

static bool is_last(const struct streamlog *l, unsigned session)
{
	return session + 1 == l->num_sessions;
}

static struct streamlog_session end(const struct streamlog *l, unsigned session)
{
	if (is_last(l, session))
		return (struct streamlog_session){l->num, UINT_MAX};
	return l->sessions[session + 1];
}

static bool is_same(const struct streamlog_packet *p, const struct camera_packet *c)
{
	return p->size == c->size && (!p->size || !memcmp(p->data, c->data, p->size));
}

/* ---- IN ---- */

static bool is_stalled_at(const struct streamlog *l, unsigned session, unsigned packet)
{
	for (unsigned i = 0; i < l->num_stalls; i++) {
		if (l->stalls[i].session == session && l->stalls[i].packet == packet)
			return true;
	}
	return false;
}

/* The first packet from `from` on that the phone is to get in a session; `error`: one was passed.
 */
static unsigned next_given(
	const struct camera_endpoint *e, unsigned from, unsigned end_urb, bool *error)
{
	for (; from < e->given && e->packets[from].urb < end_urb; from++) {
		*error |= e->packets[from].error;
		if (!e->packets[from].error && !e->packets[from].lost)
			return from;
	}
	return UINT_MAX;
}

/* The first cut at or behind this packet; UINT_MAX: none. */
static unsigned next_cut(const struct streamlog *l, unsigned at)
{
	for (unsigned i = 0; i < l->num_cuts; i++) {
		if (l->cuts[i] >= at)
			return l->cuts[i];
	}
	return UINT_MAX;
}

/* As next_given, but what follows may be lost, up to where the link was: until `packet` is met. */
static unsigned next_of_link(const struct streamlog *l, const struct camera_endpoint *e,
	unsigned from, unsigned end_urb, const struct streamlog_packet *packet, bool *error)
{
	unsigned given = next_given(e, from, end_urb, error), cut = next_cut(l, from);

	*error |= given != UINT_MAX ? cut <= given : cut <= e->given;
	while (given != UINT_MAX && (!packet || !is_same(packet, &e->packets[given])) &&
		(cut = next_cut(l, given + 1)) != UINT_MAX) {
		*error = true;
		given = next_given(e, cut, end_urb, error);
	}
	return given;
}

void streamlog_check_in(const struct streamlog *l, const struct camera_endpoint *e)
{
	unsigned at = 0;
	bool error = false; /* also one that was passed between two sessions */

	for (unsigned s = 0; s < l->num_sessions; s++) {
		unsigned i = l->sessions[s].packet;

		while (at < e->given && e->packets[at].urb < l->sessions[s].urb)
			error |= e->packets[at++].error;
		for (;; i++) {
			bool over = i == end(l, s).packet;
			unsigned given = next_of_link(
				l, e, at, end(l, s).urb, over ? NULL : &l->packets[i], &error);

			if (is_stalled_at(l, s, i) && !error)
				fail_msg("a stall before packet %u, where no error is", i);
			if (over) {
				if (is_last(l, s) && given != UINT_MAX)
					fail_msg("packet %u has not come", given);
				break;
			}
			if (given == UINT_MAX)
				fail_msg("packet %u is not of session %u", i, s);
			if (!is_same(&l->packets[i], &e->packets[given]))
				fail_msg("packet %u is not packet %u of the camera", i, given);
			at = given + 1;
			error = false;
		}
	}
}

/* ---- OUT ---- */

static bool has_failed_at(const struct camera_endpoint *e, unsigned taken)
{
	for (unsigned i = 0; i < e->num_failed; i++) {
		if (e->failed[i] == taken)
			return true;
	}
	return false;
}

/* Packets from..to (excluded) of the phone may be missing before packet `taken` of the camera. */
static bool may_miss(const struct camera_endpoint *e, const struct fake_endpoint *phone,
	unsigned from, unsigned to, unsigned taken, bool strict)
{
	unsigned halted = 0;

	/* What the camera halted at was not taken; of the first packet of a session that is not to
	 * be said. */
	if (from == to)
		return !strict || !has_failed_at(e, taken);
	/* What the phone had sent when its last halt before `to` was made, or tried. */
	for (unsigned i = 0; i < phone->num_tried; i++) {
		if (phone->tried[i] <= to)
			halted = phone->tried[i];
	}
	return to <= halted && has_failed_at(e, taken);
}

/* Nothing of the phone's came to the camera between the loss of a link and packet `taken`. */
static bool is_cut_before(
	const struct streamlog *l, const struct camera_endpoint *e, unsigned taken)
{
	while (taken && e->packets[taken - 1].lost && next_cut(l, taken) != taken)
		taken--;
	return next_cut(l, taken) == taken;
}

static bool is_command(const struct streamlog_packet *p)
{
	return p->size >= 12 && p->size <= 32 && p->data[0] == p->size && p->data[4] == 1 &&
		!p->data[5];
}

/* The same where a link was lost. */
static bool may_be_cut(
	const struct streamlog *l, const struct camera_endpoint *e, unsigned to, unsigned taken)
{
	return (to == l->num || is_command(&l->packets[to])) && is_cut_before(l, e, taken);
}

void streamlog_check_out(const struct streamlog *l, const struct camera_endpoint *e,
	const struct fake_endpoint *phone)
{
	unsigned at = 0;

	for (unsigned s = 0; s < l->num_sessions; s++) {
		unsigned sent = l->sessions[s].packet;

		for (; at < e->num; at++) {
			unsigned from = sent;

			/* Of an URB that the relay does not count. */
			if (e->packets[at].lost)
				continue;
			if (e->packets[at].urb >= end(l, s).urb)
				break;
			/* Zero-length ones are all the same. */
			while (sent < end(l, s).packet &&
				(!is_same(&l->packets[sent], &e->packets[at]) ||
					(!may_miss(e, phone, from, sent, at,
						 from > l->sessions[s].packet) &&
						!may_be_cut(l, e, sent, at))))
				sent++;
			if (sent++ == end(l, s).packet)
				fail_msg("packet %u of the camera after %u of the phone", at, from);
		}
		if (is_last(l, s) && !may_miss(e, phone, sent, l->num, at, false) &&
			!may_be_cut(l, e, l->num, at))
			fail_msg("packet %u has not come", sent);
	}
	assert_int_equal(at, e->num);
}
