/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * inquiry: what becomes of servers that answer, and of those that do not, and how many are asked at
 * the same time. Linked with --wrap=ev_timer_start: the time for an answer is cut short.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "bridge/inquiry.h"
#include "tests/unit/hosts.h"
#include "tests/unit/peer.h"

#define MAX_ASKED 210

void __real_ev_timer_start(struct ev_loop *loop, ev_timer *timer);
void __wrap_ev_timer_start(struct ev_loop *loop, ev_timer *timer);

static double connect_s, answer_s; /* what it wanted */

void __wrap_ev_timer_start(struct ev_loop *loop, ev_timer *timer)
{
	if (timer->at > 4.) {
		answer_s = timer->at;
		timer->at = 1.5;
	} else {
		connect_s = timer->at;
	}
	__real_ev_timer_start(loop, timer);
}

struct rig {
	struct ev_loop *loop;
	struct inquiry inquiry;
	const char *port;
	const char *const *addresses;
	unsigned total, next, answered, over, most;
	struct {
		unsigned times;
		enum inquiry_verdict verdict;
		int devices; /* -1: no list */
		char why[80];
	} outcomes[MAX_ASKED];
};

static bool on_next(void *user, struct inquiry_server *out)
{
	struct rig *r = user;

	if (r->next == r->total)
		return false;
	out->id = r->next;
	strcpy(out->host, r->addresses[r->next]);
	strcpy(out->port, r->port);
	r->next++;
	if (r->next - r->answered > r->most)
		r->most = r->next - r->answered;
	return true;
}

static void on_answered(void *user, unsigned id, enum inquiry_verdict verdict, struct devlist *list,
	const char *why)
{
	struct rig *r = user;

	r->answered++;
	assert_true(id < r->next);
	assert_true((verdict == INQUIRY_LISTED) == (list != NULL));
	assert_true(!list == (why != NULL));
	r->outcomes[id].times++;
	r->outcomes[id].verdict = verdict;
	r->outcomes[id].devices = list ? (int)list->total : -1;
	(void)snprintf(r->outcomes[id].why, sizeof(r->outcomes[id].why), "%s", why ? why : "");
	if (list && list->total) {
		assert_string_equal(list->entries[0].device.busid, "1-1.4");
		assert_int_equal(list->entries[0].interfaces[0].class, 6);
	}
	if (list) {
		struct devlist mine = *list;

		devlist_fini(&mine);
	}
}

static void on_over(void *user)
{
	struct rig *r = user;

	r->over++;
	ev_break(r->loop, EVBREAK_ALL);
}

static const struct inquiry_callbacks callbacks = {on_next, on_answered, on_over};

static struct rig *rig_new(const char *port, const char *const *addresses, unsigned total)
{
	struct rig *r = calloc(1, sizeof(*r));

	r->port = port;
	r->addresses = addresses;
	r->total = total;
	r->loop = ev_loop_new(0);
	inquiry_init(&r->inquiry, r->loop, &callbacks, r);
	return r;
}

static void rig_free(struct rig *r)
{
	inquiry_fini(&r->inquiry);
	/* Nothing of it is left in the loop. */
	ev_run(r->loop, EVRUN_NOWAIT);
	assert_int_equal(ev_pending_count(r->loop), 0);
	ev_loop_destroy(r->loop);
	free(r);
}

static void test_verdicts(void **state)
{
	static const struct hosts_host hosts[] = {{2, HOSTS_CAMERA}, {3, HOSTS_SILENT},
		{4, HOSTS_GARBAGE}, {5, HOSTS_NOTHING}, {6, HOSTS_HANGS_UP}, {7, HOSTS_CUT},
		{8, HOSTS_DEAF}, {0, HOSTS_END}};
	static const char *const addresses[] = {"127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4",
		"127.0.0.5", "127.0.0.6", "127.0.0.7", "127.0.0.8", "224.0.0.1", "fe80::1"};
	static const struct {
		enum inquiry_verdict verdict;
		int devices;
		const char *why;
	} wanted[] = {
		{INQUIRY_CLOSED, -1, "refused"},
		{INQUIRY_LISTED, 1, ""},
		{INQUIRY_FAILED, -1, "no answer"},
		{INQUIRY_FAILED, -1, "op_common.version"},
		{INQUIRY_LISTED, 0, ""},
		{INQUIRY_FAILED, -1, "reset"},
		{INQUIRY_FAILED, -1, "reset"},
		{INQUIRY_CLOSED, -1, "no answer"},
		{INQUIRY_UNSENT, -1, ""},
		{INQUIRY_UNSENT, -1, ""},
	};
	struct hosts h;
	struct rig *r;

	(void)state;
	hosts_start(&h, hosts);
	r = rig_new(h.port, addresses, PEER_COUNT(addresses));
	ev_run(r->loop, 0);
	assert_int_equal(r->over, 1);
	for (unsigned i = 0; i < PEER_COUNT(addresses); i++) {
		if (r->outcomes[i].times != 1 || r->outcomes[i].verdict != wanted[i].verdict ||
			r->outcomes[i].devices != wanted[i].devices ||
			!strstr(r->outcomes[i].why, wanted[i].why))
			fail_msg("%s: %u times, verdict %d, %d devices, '%s'", addresses[i],
				r->outcomes[i].times, r->outcomes[i].verdict,
				r->outcomes[i].devices, r->outcomes[i].why);
	}
	/* A SYN that was lost is repeated after 1 s. */
	assert_true(connect_s > 1. && connect_s <= 2.);
	assert_true(answer_s > 4. && answer_s <= 10.);
	rig_free(r);
	hosts_stop(&h);
}

/* So many at a time and no more, and all of them, whatever becomes of each. */
static void test_bounded(void **state)
{
	static const struct hosts_host hosts[] = {
		{2, HOSTS_SILENT}, {3, HOSTS_CAMERA}, {0, HOSTS_END}};
	static const char *addresses[MAX_ASKED];
	unsigned closed = 0, listed = 0, failed = 0;
	struct rlimit few = {100, 100}, before;
	struct hosts h;
	struct rig *r;

	(void)state;
	for (unsigned i = 0; i < MAX_ASKED; i++)
		addresses[i] = i % 3 == 0 ? "127.0.0.2" : i % 3 == 1 ? "127.0.0.3" : "127.0.0.4";
	hosts_start(&h, hosts);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	few.rlim_max = before.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	r = rig_new(h.port, addresses, MAX_ASKED);
	ev_run(r->loop, 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(r->over, 1);
	assert_int_equal(r->most, INQUIRY_PARALLEL);
	for (unsigned i = 0; i < MAX_ASKED; i++) {
		assert_int_equal(r->outcomes[i].times, 1);
		closed += r->outcomes[i].verdict == INQUIRY_CLOSED;
		listed += r->outcomes[i].verdict == INQUIRY_LISTED;
		failed += r->outcomes[i].verdict == INQUIRY_FAILED;
	}
	assert_int_equal(closed, MAX_ASKED / 3);
	assert_int_equal(listed, MAX_ASKED / 3);
	assert_int_equal(failed, MAX_ASKED / 3);
	rig_free(r);
	hosts_stop(&h);
}

static void test_nobody(void **state)
{
	struct rig *r = rig_new("1", NULL, 0);

	(void)state;
	ev_run(r->loop, 0);
	assert_int_equal(r->over, 1);
	assert_int_equal(r->answered, 0);
	rig_free(r);
}

/* Ended while it waits: nothing more comes of it, and nothing is left (valgrind, ASan). */
static void test_ended(void **state)
{
	static const struct hosts_host hosts[] = {
		{2, HOSTS_SILENT}, {3, HOSTS_DEAF}, {0, HOSTS_END}};
	static const char *const addresses[] = {"127.0.0.2", "127.0.0.3"};
	struct hosts h;
	struct rig *r;

	(void)state;
	hosts_start(&h, hosts);
	r = rig_new(h.port, addresses, PEER_COUNT(addresses));
	for (int i = 0; i < 10; i++)
		ev_run(r->loop, EVRUN_NOWAIT);
	assert_int_equal(r->next, 2);
	rig_free(r);
	hosts_stop(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verdicts),
		cmocka_unit_test(test_bounded),
		cmocka_unit_test(test_nobody),
		cmocka_unit_test(test_ended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
