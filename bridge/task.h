/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * task: work that blocks, in a thread of its own; the loop hears of its end.
 */
#ifndef BRIDGE_TASK_H
#define BRIDGE_TASK_H

struct ev_loop;
struct task;

struct task_work {
	void (*run)(void *arg);	    /* in the thread */
	void (*done)(void *arg);    /* in the loop, once; the task is gone then */
	void (*discard)(void *arg); /* instead of that, from either, if it was abandoned */
};

/* Starts a thread, which gets no signals. `work` must stay. NULL: out of memory, descriptors or
 * threads; then nothing is called. */
struct task *task_start(struct ev_loop *loop, const struct task_work *work, void *arg);

/* The same for what has been done already: `done` comes from the loop, without a thread. */
struct task *task_done(struct ev_loop *loop, const struct task_work *work, void *arg);

/* Nobody waits for it any more. `run` goes on to its end, as a call that blocks cannot be ended.
 * Not after `done`. NULL is fine. */
void task_abandon(struct task *t);

#endif
