/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/task.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <ev.h>

struct task {
	atomic_int users; /* the loop and the thread; the last of them frees it */
	int ready;	  /* eventfd: `run` has returned; -1: the loop has closed it */
	struct ev_loop *loop;
	ev_io io;
	const struct task_work *work;
	void *arg; /* NULL: `done` has had it */
};

static void release(struct task *t)
{
	if (atomic_fetch_sub(&t->users, 1) > 1)
		return;
	if (t->arg)
		t->work->discard(t->arg);
	if (t->ready >= 0)
		close(t->ready);
	free(t);
}

static void *run(void *task)
{
	struct task *t = task;

	t->work->run(t->arg);
	/* Fails only when the counter is full. */
	(void)eventfd_write(t->ready, 1);
	release(t);
	return NULL;
}

/* Signals are for the loop. */
static bool start_thread(struct task *t)
{
	sigset_t all, before;
	pthread_t thread;
	int error;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&thread, NULL, run, t);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!error)
		pthread_detach(thread);
	return !error;
}

static void on_ready(struct ev_loop *loop, ev_io *io, int events)
{
	struct task *t = io->data;
	const struct task_work *work = t->work;
	void *arg = t->arg;
	eventfd_t count;

	(void)events;
	/* Read: only then is it sure that all is there which the thread has written. */
	if (eventfd_read(t->ready, &count))
		return;
	ev_io_stop(loop, io);
	/* Not by the thread: libev may still look at it, and it may be somebody else's then. */
	close(t->ready);
	t->ready = -1;
	t->arg = NULL;
	release(t);
	work->done(arg);
}

static struct task *new_task(
	struct ev_loop *loop, const struct task_work *work, void *arg, unsigned ready)
{
	struct task *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->ready = eventfd(ready, EFD_CLOEXEC | EFD_NONBLOCK);
	if (t->ready < 0) {
		free(t);
		return NULL;
	}
	atomic_init(&t->users, ready ? 1 : 2);
	t->loop = loop;
	t->work = work;
	t->arg = arg;
	ev_io_init(&t->io, on_ready, t->ready, EV_READ);
	t->io.data = t;
	return t;
}

struct task *task_start(struct ev_loop *loop, const struct task_work *work, void *arg)
{
	struct task *t = new_task(loop, work, arg, 0);

	if (t && !start_thread(t)) {
		close(t->ready);
		free(t);
		return NULL;
	}
	if (t)
		ev_io_start(loop, &t->io);
	return t;
}

struct task *task_done(struct ev_loop *loop, const struct task_work *work, void *arg)
{
	struct task *t = new_task(loop, work, arg, 1);

	if (t)
		ev_io_start(loop, &t->io);
	return t;
}

void task_abandon(struct task *t)
{
	if (!t)
		return;
	ev_io_stop(t->loop, &t->io);
	release(t);
}
