/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/recovery.h"

#include <string.h>

#include "bridge/log.h"

/* Whether the phone waits for what has been cut, and has not begun anew since. */
static bool is_cut(const struct recovery *r, const struct framing *framing)
{
	for (unsigned i = 0; i < r->options.profile->num_endpoints; i++) {
		const struct pipe *p = &r->options.pipes[i];

		if (p->framing == framing && p->deaf)
			return !framing_is_halted(framing);
	}
	return false;
}

/* The bulk endpoint that an interface's framing goes by. */
static struct pipe *framed_pipe(const struct recovery *r, unsigned at, enum framing_dir dir)
{
	for (unsigned i = 0; i < r->options.profile->num_endpoints; i++) {
		struct pipe *p = &r->options.pipes[i];

		if (p->framing == &r->options.framings[at] && p->dir == dir)
			return p;
	}
	return NULL;
}

/* Whether the phone still waits for the whole of what is asked for in its stead: no halt has been
 * shown to it, and none will be. */
static bool waits(const struct recovery *r)
{
	return is_cut(r, &r->options.framings[r->at]) &&
		pipe_may_repeat(framed_pipe(r, r->at, FRAMING_IN)) &&
		pipe_may_repeat(framed_pipe(r, r->at, FRAMING_OUT));
}

static const struct usb_endpoint *endpoint_of(const struct recovery *r, const struct pipe *p)
{
	return &r->options.profile->endpoints[p - r->options.pipes];
}

/* What is kept is of one interface. */
static bool may_ask(
	const struct recovery *r, const uint8_t *command, const struct framing_answer *had)
{
	return !had->size || (r->at == r->noted && ptp_session_knows(&r->session, command, had));
}

/* Whether something has been sent to the camera for this interface, and is to be waited for: first
 * its session, then what the phone waits for an answer to. */
static bool speak(struct recovery *r)
{
	struct framing *framing = &r->options.framings[r->at];
	struct pipe *in = framed_pipe(r, r->at, FRAMING_IN);
	struct pipe *out = framed_pipe(r, r->at, FRAMING_OUT);
	enum pipe_remains *remains = &r->remains[r->at];
	uint32_t id = framing_session(framing), size;
	const uint8_t *command = framing_repeatable(framing, &size);

	if (!in || !out || *remains == PIPE_REPEATED)
		return false;
	if (id && !r->opened) {
		r->opened = r->spoken = true;
		ptp_session_open(
			&r->session, r->client, endpoint_of(r, in), endpoint_of(r, out), id);
		return true;
	}
	*remains = is_cut(r, framing) ? PIPE_CUT : PIPE_NOTHING;
	if (!command || !may_ask(r, command, &framing->answer) || !waits(r) ||
		!framing_ask_again(framing))
		return false;
	*remains = PIPE_REPEATED;
	r->spoken = true;
	ptp_session_ask(&r->session, r->client, endpoint_of(r, in), endpoint_of(r, out), command,
		size, &framing->answer);
	return true;
}

/* Whether all has been said. */
static bool speak_on(struct recovery *r)
{
	for (; r->at < r->options.profile->num_interfaces; r->at++) {
		if (speak(r))
			return false;
		r->opened = false;
	}
	return true;
}

/* Not once more: the phone is told. */
static void give_up(struct recovery *r)
{
	log_info("the camera does not go on where the link was lost; it is reset once more");
	framing_forget(&r->options.framings[r->at]);
	r->options.stuck(r->options.user);
}

static void on_session(void *user, enum ptp_session_result result, const char *problem)
{
	struct recovery *r = user;
	bool asked = r->remains[r->at] == PIPE_REPEATED;

	if (result == PTP_SESSION_FAILED) {
		r->options.done(r->options.user, problem);
		return;
	}
	/* The phone may have lost its patience meanwhile. */
	if (result == PTP_SESSION_STUCK || (asked && result == PTP_SESSION_READY && !waits(r))) {
		give_up(r);
		return;
	}
	if (result == PTP_SESSION_OTHERWISE) {
		framing_forget(&r->options.framings[r->at]);
		r->remains[r->at] = PIPE_NOTHING;
	}
	if (speak_on(r))
		r->options.done(r->options.user, NULL);
}

void recovery_init(struct recovery *r, struct ev_loop *loop, const struct recovery_options *options)
{
	r->options = *options;
	ptp_session_init(&r->session, loop, on_session, r);
}

void recovery_note(struct recovery *r)
{
	for (unsigned at = 0; at < r->options.profile->num_interfaces; at++) {
		const struct framing *framing = &r->options.framings[at];
		const struct pipe *in = framed_pipe(r, at, FRAMING_IN);
		uint32_t size;

		if (!in || !framing_repeatable(framing, &size) || !framing->answer.size)
			continue;
		ptp_session_keep(&r->session, in->last, in->last_size);
		r->noted = at;
		return;
	}
}

bool recovery_start(struct recovery *r, struct client *client)
{
	r->client = client;
	r->at = 0;
	r->opened = r->spoken = false;
	memset(r->remains, 0, sizeof(r->remains));
	return speak_on(r);
}

enum pipe_remains recovery_remains(const struct recovery *r, const struct pipe *p)
{
	return p->framing == &p->own_framing ? PIPE_NOTHING : r->remains[p->interface_at];
}

void recovery_stop(struct recovery *r)
{
	ptp_session_stop(&r->session);
}
