/* SPDX-License-Identifier: GPL-2.0-or-later */
/* task: its thread, and who does not wait for it. With pthread_create and eventfd wrapped. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <ev.h>

#include "bridge/task.h"

static bool no_threads, no_eventfds;

int __real_pthread_create(
	pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *), void *arg);
int __wrap_pthread_create(
	pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *), void *arg);
int __real_eventfd(unsigned count, int flags);
int __wrap_eventfd(unsigned count, int flags);

int __wrap_pthread_create(
	pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *), void *arg)
{
	return no_threads ? EAGAIN : __real_pthread_create(thread, attr, run, arg);
}

int __wrap_eventfd(unsigned count, int flags)
{
	if (!no_eventfds)
		return __real_eventfd(count, flags);
	errno = EMFILE;
	return -1;
}

struct rig {
	struct ev_loop *loop;
	sem_t may_run;
	int result; /* of the thread, in no atomic: task orders it */
	bool blocked_signals, other_thread;
	pthread_t looping;
	unsigned done;
	atomic_uint discarded;
};

static void run(void *arg)
{
	struct rig *r = arg;
	sigset_t blocked;

	while (sem_wait(&r->may_run))
		;
	pthread_sigmask(SIG_SETMASK, NULL, &blocked);
	r->blocked_signals = sigismember(&blocked, SIGTERM) && sigismember(&blocked, SIGCHLD);
	r->other_thread = !pthread_equal(pthread_self(), r->looping);
	r->result = 42;
}

static void done(void *arg)
{
	struct rig *r = arg;

	r->done++;
	assert_true(pthread_equal(pthread_self(), r->looping));
	ev_break(r->loop, EVBREAK_ALL);
}

static void discard(void *arg)
{
	atomic_fetch_add(&((struct rig *)arg)->discarded, 1);
}

static const struct task_work work = {.run = run, .done = done, .discard = discard};

static void open_rig(struct rig *r)
{
	memset(r, 0, sizeof(*r));
	sem_init(&r->may_run, 0, 0);
	r->looping = pthread_self();
	r->loop = ev_loop_new(0);
	assert_non_null(r->loop);
}

static unsigned open_fds(void)
{
	unsigned n = 0;

	for (int fd = 0; fd < 64; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void wait_discarded(struct rig *r)
{
	for (int i = 0; i < 5000 && !atomic_load(&r->discarded); i++)
		usleep(1000);
	assert_int_equal(atomic_load(&r->discarded), 1);
}

static void test_done(void **state)
{
	const unsigned fds = open_fds();
	sigset_t blocked;
	struct rig r;

	(void)state;
	open_rig(&r);
	assert_non_null(task_start(r.loop, &work, &r));
	pthread_sigmask(SIG_SETMASK, NULL, &blocked);
	assert_false(sigismember(&blocked, SIGTERM));
	for (int i = 0; i < 3; i++)
		ev_run(r.loop, EVRUN_NOWAIT);
	assert_int_equal(r.done, 0);
	sem_post(&r.may_run);
	ev_run(r.loop, 0);
	assert_int_equal(r.done, 1);
	assert_int_equal(r.result, 42);
	assert_true(r.blocked_signals && r.other_thread);
	/* Nothing of it keeps the loop. */
	assert_false(ev_run(r.loop, EVRUN_NOWAIT));
	assert_int_equal(r.done, 1);
	assert_int_equal(atomic_load(&r.discarded), 0);
	ev_loop_destroy(r.loop);
	for (int i = 0; i < 1000 && open_fds() != fds; i++)
		usleep(1000);
	assert_int_equal(open_fds(), fds);
}

static void test_many(void **state)
{
	struct rig r[16];

	(void)state;
	open_rig(&r[0]);
	for (int i = 0; i < 16; i++) {
		if (i) {
			open_rig(&r[i]);
			ev_loop_destroy(r[i].loop);
			r[i].loop = r[0].loop;
		}
		assert_non_null(task_start(r[0].loop, &work, &r[i]));
		sem_post(&r[i].may_run);
	}
	for (int i = 0; i < 16; i++) {
		while (!r[i].done)
			ev_run(r[0].loop, EVRUN_ONCE);
		assert_int_equal(r[i].result, 42);
	}
	ev_loop_destroy(r[0].loop);
}

/* Its thread is at it, or has been; the loop may be gone. */
static void test_abandoned(void **state)
{
	(void)state;
	for (int ran = 0; ran < 2; ran++) {
		struct task *t;
		struct rig r;

		open_rig(&r);
		t = task_start(r.loop, &work, &r);
		assert_non_null(t);
		if (ran) {
			sem_post(&r.may_run);
			usleep(50000);
		}
		task_abandon(t);
		ev_run(r.loop, EVRUN_NOWAIT);
		ev_loop_destroy(r.loop);
		sem_post(&r.may_run);
		wait_discarded(&r);
		assert_int_equal(r.done, 0);
	}
	task_abandon(NULL);
}

static void test_without_thread(void **state)
{
	struct task *t;
	struct rig r;

	(void)state;
	open_rig(&r);
	no_threads = true;
	assert_non_null(task_done(r.loop, &work, &r));
	assert_int_equal(r.done, 0);
	ev_run(r.loop, 0);
	assert_int_equal(r.done, 1);
	assert_int_equal(r.result, 0);
	t = task_done(r.loop, &work, &r);
	task_abandon(t);
	assert_int_equal(atomic_load(&r.discarded), 1);
	ev_run(r.loop, EVRUN_NOWAIT);
	assert_int_equal(r.done, 1);
	no_threads = false;
	ev_loop_destroy(r.loop);
}

static void test_none_to_be_had(void **state)
{
	const unsigned fds = open_fds();
	sigset_t before, after;
	struct rig r;

	(void)state;
	open_rig(&r);
	pthread_sigmask(SIG_SETMASK, NULL, &before);
	no_threads = true;
	assert_null(task_start(r.loop, &work, &r));
	no_threads = false;
	no_eventfds = true;
	assert_null(task_start(r.loop, &work, &r));
	assert_null(task_done(r.loop, &work, &r));
	no_eventfds = false;
	assert_false(ev_run(r.loop, EVRUN_NOWAIT));
	assert_int_equal(r.done + atomic_load(&r.discarded), 0);
	pthread_sigmask(SIG_SETMASK, NULL, &after);
	for (int s = 1; s < 32; s++)
		assert_int_equal(sigismember(&before, s), sigismember(&after, s));
	ev_loop_destroy(r.loop);
	assert_int_equal(open_fds(), fds);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_done),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_abandoned),
		cmocka_unit_test(test_without_thread),
		cmocka_unit_test(test_none_to_be_had),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
