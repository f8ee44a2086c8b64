/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/ptp_session.h"

#include <string.h>

/* For command and response, longer than cameras need that have just been reset; and for all that is
 * skipped: whoever waits at the phone has been waiting since the link was lost. */
#define TIMEOUT_S 5.

/* Bytes that a stored answer is known again by; what has come last may be a single one. */
#define ENOUGH 1024

void ptp_session_stop(struct ptp_session *s)
{
	ev_timer_stop(s->loop, &s->timeout);
	s->client = NULL;
}

static void finish(struct ptp_session *s, enum ptp_session_result result, const char *problem)
{
	ptp_session_stop(s);
	s->done(s->user, result, problem);
}

static void fail(struct ptp_session *s, const char *problem)
{
	finish(s, PTP_SESSION_FAILED, problem);
}

/* Without its session it is of no use; without the answer, the phone is told. */
static void give_up(struct ptp_session *s)
{
	if (s->step == PTP_SESSION_OPENING)
		fail(s, "the camera is back, but does not take a command");
	else
		finish(s, PTP_SESSION_STUCK, NULL);
}

/* ---- what is skipped ---- */

void ptp_session_keep(struct ptp_session *s, const uint8_t *last, uint32_t size)
{
	s->kept_size = size < PTP_SESSION_KEPT ? size : PTP_SESSION_KEPT;
	if (size)
		memcpy(s->kept, last + (size - s->kept_size), s->kept_size);
}

bool ptp_session_knows(
	const struct ptp_session *s, const uint8_t *command, const struct framing_answer *had)
{
	return had->size <= s->kept_size ||
		(ptp_is_stored(ptp_code_of(command)) && s->kept_size >= ENOUGH);
}

/* Whether `part`, which stands `at` in the answer, is the same in what has come now. */
static bool is_same_part(const struct ptp_session *s, uint32_t actual, uint64_t at,
	const uint8_t *part, uint32_t size)
{
	uint64_t from = at > s->again.size ? at : s->again.size;
	uint64_t to = at + size < s->again.size + actual ? at + size : s->again.size + actual;

	return from >= to ||
		!memcmp(part + (from - at), s->buffer + (from - s->again.size),
			(size_t)(to - from));
}

static bool is_same(const struct ptp_session *s, uint32_t actual)
{
	const struct framing_answer *had = &s->had;
	uint32_t head = had->size < PTP_HEADER ? (uint32_t)had->size : PTP_HEADER;
	uint32_t kept = had->size < s->kept_size ? (uint32_t)had->size : s->kept_size;

	return s->again.size + actual <= had->size && is_same_part(s, actual, 0, had->head, head) &&
		is_same_part(s, actual, had->size - kept, s->kept + (s->kept_size - kept), kept);
}

/* As when it came first, if its transfers were whole requests, or fewer samples were taken then. */
static void take_samples(struct ptp_session *s, uint32_t actual)
{
	/* The first that is behind what has been skipped. */
	uint32_t at = (uint32_t)(-s->again.size % FRAMING_SAMPLE_EVERY);

	for (; at + 8 <= actual; at += FRAMING_SAMPLE_EVERY)
		framing_sample(&s->again, s->buffer + at);
}

static bool has_same_samples(const struct ptp_session *s)
{
	return s->again.num_samples != s->had.num_samples || s->again.samples == s->had.samples;
}

/* To where `had` ends; with the zero-length packet behind it, if there was one. */
static void read_on(struct ptp_session *s)
{
	uint64_t left = s->had.size - s->again.size;
	uint32_t size = PTP_SESSION_CHUNK / s->packet * s->packet;

	if (left < size)
		size = ((uint32_t)left + s->packet - 1) / s->packet * s->packet +
			(s->had.ended ? s->packet : 0);
	s->in.length = size;
	if (client_submit(s->client, &s->in))
		finish(s, PTP_SESSION_STUCK, NULL);
}

static void on_skipped(struct ptp_session *s, uint32_t actual)
{
	bool is_short = actual < s->in.length;

	if (!is_same(s, actual)) {
		bool over = !s->again.size && ptp_is_short(PTP_RESPONSE, s->buffer, actual);

		finish(s, over ? PTP_SESSION_OTHERWISE : PTP_SESSION_STUCK, NULL);
		return;
	}
	take_samples(s, actual);
	s->again.size += actual;
	if (s->again.size == s->had.size && (is_short || !s->had.ended))
		finish(s, has_same_samples(s) ? PTP_SESSION_READY : PTP_SESSION_STUCK, NULL);
	else if (!actual)
		finish(s, PTP_SESSION_STUCK, NULL);
	else
		read_on(s);
}

/* ---- URBs ---- */

static void on_opened(struct ptp_session *s, uint32_t actual)
{
	uint16_t code = 0;

	if (ptp_is_short(PTP_RESPONSE, s->buffer, actual))
		code = ptp_code_of(s->buffer);
	if (code == PTP_OK || code == PTP_SESSION_ALREADY_OPEN)
		finish(s, PTP_SESSION_READY, NULL);
	else
		fail(s, "the camera is back, but does not open the phone's session again");
}

static void on_in(struct client_urb *urb, int status, uint32_t actual)
{
	struct ptp_session *s = urb->user;

	if (!s->client)
		return;
	if (s->step == PTP_SESSION_OPENING)
		on_opened(s, status ? 0 : actual);
	else if (status)
		finish(s, PTP_SESSION_STUCK, NULL);
	else
		on_skipped(s, actual);
}

static void on_out(struct client_urb *urb, int status, uint32_t actual)
{
	struct ptp_session *s = urb->user;

	if (!s->client)
		return;
	if (status || actual != urb->length) {
		give_up(s);
	} else if (s->step == PTP_SESSION_OPENING) {
		if (client_submit(s->client, &s->in))
			give_up(s);
	} else if (!s->had.size) {
		finish(s, PTP_SESSION_READY, NULL);
	} else {
		s->step = PTP_SESSION_SKIPPING;
		read_on(s);
	}
}

static void on_timeout(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct ptp_session *s = timer->data;

	(void)loop;
	(void)events;
	if (s->step != PTP_SESSION_OPENING)
		give_up(s);
	else
		/* What is unlinked is done, with an error. */
		client_unlink(s->client, s->out.seqnum ? &s->out : &s->in);
}

static void begin(struct ptp_session *s, struct client *client, const struct usb_endpoint *in,
	const struct usb_endpoint *out, uint32_t size)
{
	s->client = client;
	s->packet = in->max_packet;
	s->in.endpoint = in->address;
	s->in.length = in->max_packet;
	s->out.endpoint = out->address;
	s->out.length = size;
	ev_timer_again(s->loop, &s->timeout);
	if (client_submit(client, &s->out))
		give_up(s);
}

void ptp_session_open(struct ptp_session *s, struct client *client, const struct usb_endpoint *in,
	const struct usb_endpoint *out, uint32_t id)
{
	ptp_open_session(s->command, id);
	s->step = PTP_SESSION_OPENING;
	begin(s, client, in, out, PTP_ONE_PARAMETER);
}

void ptp_session_ask(struct ptp_session *s, struct client *client, const struct usb_endpoint *in,
	const struct usb_endpoint *out, const uint8_t *command, uint32_t size,
	const struct framing_answer *had)
{
	memcpy(s->command, command, size);
	s->had = *had;
	s->again = (struct framing_answer){.size = 0};
	s->step = PTP_SESSION_ASKING;
	begin(s, client, in, out, size);
}

void ptp_session_init(struct ptp_session *s, struct ev_loop *loop,
	void (*done)(void *user, enum ptp_session_result result, const char *problem), void *user)
{
	memset(s, 0, offsetof(struct ptp_session, kept));
	s->loop = loop;
	s->done = done;
	s->user = user;
	ev_init(&s->timeout, on_timeout);
	s->timeout.repeat = TIMEOUT_S;
	s->timeout.data = s;
	s->out.buffer = s->command;
	s->out.done = on_out;
	s->in.buffer = s->buffer;
	s->in.done = on_in;
	s->out.user = s->in.user = s;
}
