/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/ptp_session.h"

#include <string.h>

/* For command and response; longer than cameras need that have just been reset. */
#define TIMEOUT_S 5.

void ptp_session_stop(struct ptp_session *s)
{
	ev_timer_stop(s->loop, &s->timeout);
	s->client = NULL;
}

static void finish(struct ptp_session *s, const char *problem)
{
	ptp_session_stop(s);
	s->done(s->user, problem);
}

static void on_in(struct client_urb *urb, int status, uint32_t actual)
{
	struct ptp_session *s = urb->user;
	uint16_t code = 0;

	if (!s->client)
		return;
	if (!status && ptp_is_short(PTP_RESPONSE, s->response, actual))
		code = ptp_code_of(s->response);
	if (code == PTP_OK || code == PTP_SESSION_ALREADY_OPEN)
		finish(s, NULL);
	else
		finish(s, "the camera is back, but does not open the phone's session again");
}

static void on_out(struct client_urb *urb, int status, uint32_t actual)
{
	struct ptp_session *s = urb->user;

	if (!s->client)
		return;
	if (status || actual != urb->length || (s->answered && client_submit(s->client, &s->in)))
		finish(s, "the camera is back, but does not take a command");
	else if (!s->answered)
		finish(s, NULL);
}

static void on_timeout(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct ptp_session *s = timer->data;

	(void)loop;
	(void)events;
	/* What is unlinked is done, with an error. */
	client_unlink(s->client, s->out.seqnum ? &s->out : &s->in);
}

static void begin(struct ptp_session *s, struct client *client, const struct usb_endpoint *out,
	uint32_t size, bool answered)
{
	s->client = client;
	s->answered = answered;
	s->out.endpoint = out->address;
	s->out.length = size;
	ev_timer_again(s->loop, &s->timeout);
	if (client_submit(client, &s->out))
		finish(s, "the camera is gone again");
}

void ptp_session_open(struct ptp_session *s, struct client *client, const struct usb_endpoint *in,
	const struct usb_endpoint *out, uint32_t id)
{
	ptp_open_session(s->command, id);
	s->in.endpoint = in->address;
	s->in.length = in->max_packet;
	begin(s, client, out, PTP_ONE_PARAMETER, true);
}

void ptp_session_ask(struct ptp_session *s, struct client *client, const struct usb_endpoint *out,
	const uint8_t *command, uint32_t size)
{
	memcpy(s->command, command, size);
	begin(s, client, out, size, false);
}

void ptp_session_init(struct ptp_session *s, struct ev_loop *loop,
	void (*done)(void *user, const char *problem), void *user)
{
	memset(s, 0, sizeof(*s));
	s->loop = loop;
	s->done = done;
	s->user = user;
	ev_init(&s->timeout, on_timeout);
	s->timeout.repeat = TIMEOUT_S;
	s->timeout.data = s;
	s->out.buffer = s->command;
	s->out.done = on_out;
	s->in.buffer = s->response;
	s->in.done = on_in;
	s->out.user = s->in.user = s;
}
