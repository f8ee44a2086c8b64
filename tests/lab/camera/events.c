/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "events.h"

#include <err.h>
#include <errno.h>
#include <pthread.h>
#include <unistd.h>

#include "dataset.h"

#define MAX_EVENTS 64

static struct {
	pthread_mutex_t lock;
	pthread_cond_t more;
	unsigned head, tail;
	struct event {
		uint16_t code;
		uint32_t transaction, param;
	} queue[MAX_EVENTS];
} events = {.lock = PTHREAD_MUTEX_INITIALIZER, .more = PTHREAD_COND_INITIALIZER};

void events_begin(void)
{
	pthread_mutex_lock(&events.lock);
	events.tail = events.head;
	pthread_mutex_unlock(&events.lock);
}

void events_send(uint16_t code, uint32_t transaction, uint32_t param)
{
	pthread_mutex_lock(&events.lock);
	if (events.head - events.tail == MAX_EVENTS)
		errx(1, "%d events that nobody fetches", MAX_EVENTS);
	events.queue[events.head++ % MAX_EVENTS] = (struct event){code, transaction, param};
	pthread_cond_signal(&events.more);
	pthread_mutex_unlock(&events.lock);
}

static struct event next(void)
{
	struct event event;

	pthread_mutex_lock(&events.lock);
	while (events.head == events.tail)
		pthread_cond_wait(&events.more, &events.lock);
	event = events.queue[events.tail++ % MAX_EVENTS];
	pthread_mutex_unlock(&events.lock);
	return event;
}

void *events_serve(void *file)
{
	static struct dataset d;

	for (;;) {
		struct event event = next();

		d.size = 0;
		dataset_put_u32(&d, 16);
		dataset_put_u16(&d, 4);
		dataset_put_u16(&d, event.code);
		dataset_put_u32(&d, event.transaction);
		dataset_put_u32(&d, event.param);
		if (write(*(int *)file, d.bytes, d.size) < 0)
			warn("event 0x%04x", event.code);
	}
	return NULL;
}
