/* SPDX-License-Identifier: GPL-2.0-or-later */
/* namecheck: names that are known, that are not, and about which nobody says anything. With
 * --wrap=getaddrinfo,ev_timer_start. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <netdb.h>
#include <semaphore.h>
#include <stdbool.h>
#include <string.h>

#include <cmocka.h>

#include <ev.h>

#include "bridge/namecheck.h"

static sem_t never;
static bool in_a_hurry; /* 5 s are 50 ms */

int __real_getaddrinfo(
	const char *host, const char *port, const struct addrinfo *hints, struct addrinfo **out);
int __wrap_getaddrinfo(
	const char *host, const char *port, const struct addrinfo *hints, struct addrinfo **out);
void __real_ev_timer_start(struct ev_loop *loop, ev_timer *timer);
void __wrap_ev_timer_start(struct ev_loop *loop, ev_timer *timer);

int __wrap_getaddrinfo(
	const char *host, const char *port, const struct addrinfo *hints, struct addrinfo **out)
{
	if (hints->ai_flags & AI_NUMERICHOST)
		return __real_getaddrinfo(host, port, hints, out);
	if (!strcmp(host, "slow"))
		sem_wait(&never);
	if (strcmp(host, "known") != 0)
		return EAI_NONAME;
	return __real_getaddrinfo("127.0.0.1", port, hints, out);
}

void __wrap_ev_timer_start(struct ev_loop *loop, ev_timer *timer)
{
	if (in_a_hurry)
		ev_timer_set(timer, timer->at / 100, 0);
	__real_ev_timer_start(loop, timer);
}

static void test_names(void **state)
{
	(void)state;
	assert_int_equal(namecheck_run("known", "3240"), BOARD_NAME_FOUND);
	assert_int_equal(namecheck_run("unknown", "3240"), BOARD_NAME_NONE);
	assert_int_equal(namecheck_run("192.0.2.1", "3240"), BOARD_NAME_FOUND);
	in_a_hurry = true;
	assert_int_equal(namecheck_run("slow", "3240"), BOARD_NAME_SLOW);
	sem_post(&never); /* the thread ends, and what it has */
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_names)};

	sem_init(&never, 0, 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
