/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/ptp_session.h"

#include <string.h>

#include "bridge/bytes.h"

/* For each half of it; longer than cameras need that have just been reset. */
#define TIMEOUT_S 5.

#define PTP_COMMAND 1
#define PTP_RESPONSE 3
#define PTP_HEADER 12
#define PTP_OPEN_SESSION 0x1002
#define PTP_OK 0x2001
#define PTP_SESSION_ALREADY_OPEN 0x201e

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

/* 0: it is none. */
static uint16_t response_code(const struct ptp_session *s, uint32_t size)
{
	if (size < PTP_HEADER || bytes_le32(s->response) != size ||
		bytes_le16(s->response + 4) != PTP_RESPONSE)
		return 0;
	return bytes_le16(s->response + 6);
}

static void on_in(struct client_urb *urb, int status, uint32_t actual)
{
	struct ptp_session *s = urb->user;
	uint16_t code = status ? 0 : response_code(s, actual);

	if (!s->client)
		return;
	if (code == PTP_OK || code == PTP_SESSION_ALREADY_OPEN)
		finish(s, NULL);
	else
		finish(s, "the camera is back, but does not open the phone's session again");
}

static void on_out(struct client_urb *urb, int status, uint32_t actual)
{
	struct ptp_session *s = urb->user;

	(void)actual;
	if (!s->client)
		return;
	if (status || client_submit(s->client, &s->in))
		finish(s, "the camera is back, but does not take a command");
}

static void on_timeout(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct ptp_session *s = timer->data;

	(void)loop;
	(void)events;
	/* What is unlinked is done, with an error. */
	client_unlink(s->client, s->out.seqnum ? &s->out : &s->in);
}

void ptp_session_open(struct ptp_session *s, struct client *client, const struct usb_endpoint *in,
	const struct usb_endpoint *out, uint32_t id)
{
	const uint8_t command[PTP_SESSION_COMMAND] = {sizeof(command), 0, 0, 0, PTP_COMMAND, 0,
		PTP_OPEN_SESSION & 0xff, PTP_OPEN_SESSION >> 8, 0, 0, 0, 0, /* transaction 0 */
		(uint8_t)id, (uint8_t)(id >> 8), (uint8_t)(id >> 16), (uint8_t)(id >> 24)};

	s->client = client;
	memcpy(s->command, command, sizeof(command));
	s->out.endpoint = out->address;
	s->in.endpoint = in->address;
	s->in.length = in->max_packet;
	ev_timer_again(s->loop, &s->timeout);
	if (client_submit(client, &s->out))
		finish(s, "the camera is gone again");
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
	s->out.length = sizeof(s->command);
	s->out.done = on_out;
	s->in.buffer = s->response;
	s->in.done = on_in;
	s->out.user = s->in.user = s;
}
