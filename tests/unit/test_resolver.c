/* SPDX-License-Identifier: GPL-2.0-or-later */
/* resolver: names that take their time, and who does not wait for them. With --wrap=getaddrinfo. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <netdb.h>
#include <semaphore.h>
#include <signal.h>
#include <string.h>
#include <cmocka.h>

#include <ev.h>

#include "bridge/resolver.h"

/* ---- the system's */

static sem_t may_answer, has_answered;
static int error;
static sigset_t blocked; /* where it looks names up */

int __real_getaddrinfo(
	const char *host, const char *port, const struct addrinfo *hints, struct addrinfo **out);
int __wrap_getaddrinfo(
	const char *host, const char *port, const struct addrinfo *hints, struct addrinfo **out);

int __wrap_getaddrinfo(
	const char *host, const char *port, const struct addrinfo *hints, struct addrinfo **out)
{
	int r;

	if (hints->ai_flags & AI_NUMERICHOST)
		return __real_getaddrinfo(host, port, hints, out);
	pthread_sigmask(SIG_SETMASK, NULL, &blocked);
	sem_wait(&may_answer);
	errno = EMFILE;
	r = error;
	if (!r)
		r = __real_getaddrinfo("127.0.0.1", port, hints, out);
	sem_post(&has_answered);
	return r;
}

/* ---- who asks */

struct rig {
	struct ev_loop *loop;
	struct resolver *resolver;
	unsigned done;
	bool found;
	char why[100];
};

static void on_done(void *user, struct addrinfo *addresses, const char *why)
{
	struct rig *r = user;

	r->done++;
	r->found = addresses;
	assert_true(!addresses == (why != NULL));
	(void)strncpy(r->why, why ? why : "", sizeof(r->why) - 1);
	if (addresses)
		freeaddrinfo(addresses);
	resolver_free(r->resolver);
	r->resolver = NULL;
	ev_break(r->loop, EVBREAK_ALL);
}

static void open_rig(struct rig *r, const char *host)
{
	memset(r, 0, sizeof(*r));
	sem_init(&may_answer, 0, 0);
	sem_init(&has_answered, 0, 0);
	error = 0;
	r->loop = ev_loop_new(0);
	r->resolver = resolver_new(r->loop, host, "3240", on_done, r);
	assert_non_null(r->resolver);
	assert_int_equal(r->done, 0);
}

static void close_rig(struct rig *r)
{
	resolver_free(r->resolver);
	ev_loop_destroy(r->loop);
}

static void test_address(void **state)
{
	struct rig r;

	(void)state;
	open_rig(&r, "::1");
	ev_run(r.loop, 0);
	assert_int_equal(r.done, 1);
	assert_true(r.found);
	close_rig(&r);
}

/* The loop turns meanwhile, and signals come to it. */
static void test_name(void **state)
{
	struct rig r;

	(void)state;
	open_rig(&r, "camera-pi.local");
	for (int i = 0; i < 3; i++)
		ev_run(r.loop, EVRUN_NOWAIT);
	assert_int_equal(r.done, 0);
	sem_post(&may_answer);
	ev_run(r.loop, 0);
	assert_int_equal(r.done, 1);
	assert_true(r.found);
	assert_true(sigismember(&blocked, SIGTERM) && sigismember(&blocked, SIGHUP));
	pthread_sigmask(SIG_SETMASK, NULL, &blocked);
	assert_false(sigismember(&blocked, SIGTERM));
	close_rig(&r);
}

static void test_error(void **state)
{
	const int *which = *state;
	struct rig r;

	open_rig(&r, "camera-pi.local");
	error = *which;
	sem_post(&may_answer);
	ev_run(r.loop, 0);
	assert_int_equal(r.done, 1);
	assert_false(r.found);
	assert_string_equal(r.why, *which == EAI_SYSTEM ? strerror(EMFILE) : gai_strerror(*which));
	close_rig(&r);
}

/* Nobody is told; and the thread, which goes on, touches nothing of ours. */
static void test_cancelled(void **state)
{
	struct rig r;

	(void)state;
	open_rig(&r, "camera-pi.local");
	close_rig(&r);
	sem_post(&may_answer);
	sem_wait(&has_answered);
	assert_int_equal(r.done, 0);
}

int main(void)
{
	static int again = EAI_AGAIN, of_system = EAI_SYSTEM;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_address),
		cmocka_unit_test(test_name),
		{"try again", test_error, NULL, NULL, &again},
		{"of the system", test_error, NULL, NULL, &of_system},
		cmocka_unit_test(test_cancelled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
