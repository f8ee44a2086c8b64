/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/many.h"

static void on_done(struct client_urb *urb, int status, uint32_t actual)
{
	struct many *m = urb->user;

	assert_int_equal(urb->seqnum, 0);
	assert_true(actual <= urb->length);
	m->done++;
	m->status = status;
	m->last = urb;
	if (m->again == urb)
		assert_int_equal(client_submit(m->s.client, urb), 0);
	if (m->victim)
		client_unlink(m->s.client, m->victim);
	if (m->flush)
		client_flush(m->s.client);
}

struct many *many_new(void)
{
	struct many *m = calloc(1, sizeof(*m));

	assert_non_null(m);
	session_open(&m->s);
	for (unsigned i = 0; i < MANY; i++)
		m->urbs[i] = (struct client_urb){.endpoint = 0x81,
			.buffer = m->data[i],
			.length = sizeof(m->data[i]),
			.done = on_done,
			.user = m};
	return m;
}

void many_free(struct many *m)
{
	session_fini(&m->s);
	free(m);
}

void many_submit(struct many *m, unsigned first, unsigned end)
{
	for (unsigned i = first; i < end; i++)
		assert_int_equal(client_submit(m->s.client, &m->urbs[i]), 0);
}

void many_see(struct many *m)
{
	struct peer_command c;

	session_run(&m->s);
	m->num_seqnums = 0;
	while (peer_take_command(&m->s.peer, &c))
		m->seqnums[m->num_seqnums++] = c.seqnum;
	assert_int_equal(m->s.peer.in_size, m->s.peer.in_taken);
	m->s.peer.in_size = m->s.peer.in_taken = 0;
	if (m->s.peer.out_sent == m->s.peer.out_size)
		m->s.peer.out_size = m->s.peer.out_sent = 0;
}

void many_answer(struct many *m, uint32_t seqnum)
{
	static const uint8_t payload[8] = {1, 2, 3, 4, 5, 6, 7, 8};

	peer_send_ret_submit(&m->s.peer, seqnum, 0, payload, sizeof(payload));
}

void many_answer_all(struct many *m)
{
	for (unsigned i = 0; i < m->num_seqnums; i++)
		many_answer(m, m->seqnums[i]);
}
