/* SPDX-License-Identifier: GPL-2.0-or-later */
/* notify: what comes to a service manager's socket. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "bridge/notify.h"
#include "tests/unit/capture.h"

#define NUM(table) (sizeof(table) / sizeof(table[0]))

struct rig {
	int fd; /* the manager's */
	char folder[32], path[48];
	struct ev_loop *loop;
	struct notify notify;
};

/* Where `is_abstract`, the same name with an '@' before it. */
static void listen_at(struct rig *r, bool is_abstract)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t size;

	strcpy(r->folder, "/tmp/test_notify.XXXXXX");
	assert_non_null(mkdtemp(r->folder));
	(void)snprintf(r->path, sizeof(r->path), "%s%s/socket", is_abstract ? "@" : "", r->folder);
	size = strlen(r->path);
	memcpy(address.sun_path, r->path, size);
	if (is_abstract)
		address.sun_path[0] = 0;
	r->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* One byte more would be another abstract name. */
	assert_int_equal(bind(r->fd, (struct sockaddr *)&address,
				 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size)),
		0);
	setenv("NOTIFY_SOCKET", r->path, 1);
	r->loop = ev_loop_new(0);
}

static void open_rig(struct rig *r)
{
	listen_at(r, false);
	notify_init(&r->notify, r->loop);
}

static void close_rig(struct rig *r)
{
	int fd = r->notify.fd;

	notify_fini(&r->notify);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
	assert_false(ev_is_active(&r->notify.watchdog));
	ev_loop_destroy(r->loop);
	close(r->fd);
	if (*r->path == '/')
		assert_int_equal(unlink(r->path), 0);
	assert_int_equal(rmdir(r->folder), 0);
	unsetenv("NOTIFY_SOCKET");
}

/* The next message; empty: there is none. */
static const char *next(const struct rig *r)
{
	static char message[2048];
	ssize_t n = recv(r->fd, message, sizeof(message) - 1, 0);

	message[n > 0 ? n : 0] = 0;
	return message;
}

static void test_messages(void **state)
{
	struct rig r;

	(void)state;
	for (int is_abstract = 0; is_abstract < 2; is_abstract++) {
		listen_at(&r, is_abstract);
		notify_init(&r.notify, r.loop);
		assert_string_equal(next(&r), "");
		notify_ready(&r.notify);
		assert_string_equal(next(&r), "READY=1");
		notify_stopping(&r.notify);
		assert_string_equal(next(&r), "STOPPING=1\nSTATUS=ending");
		assert_string_equal(next(&r), "");
		close_rig(&r);
	}
}

static void test_reloading(void **state)
{
	struct timespec now;
	struct rig r;
	uint64_t us;
	double age_s;

	(void)state;
	open_rig(&r);
	notify_reloading(&r.notify);
	assert_int_equal(sscanf(next(&r), "RELOADING=1\nMONOTONIC_USEC=%" SCNu64, &us), 1);
	clock_gettime(CLOCK_MONOTONIC, &now);
	age_s = (double)now.tv_sec + (double)now.tv_nsec / 1e9 - (double)us / 1e6;
	assert_true(age_s > -0.001 && age_s < 60.);
	close_rig(&r);
}

static void test_status(void **state)
{
	char reason[2000];
	const char *message;
	struct rig r;

	(void)state;
	open_rig(&r);
	notify_status(&r.notify, "active", "");
	assert_string_equal(next(&r), "STATUS=active");
	notify_status(&r.notify, "active", "");
	assert_string_equal(next(&r), "");
	/* Others' text is neither another variable nor anything that is not UTF-8. */
	notify_status(&r.notify, "backoff", "a\nWATCHDOG=trigger\xff\xc3\xbc");
	assert_string_equal(next(&r), "STATUS=backoff: a?WATCHDOG=trigger?\xc3\xbc");
	notify_status(&r.notify, "backoff", "b");
	assert_string_equal(next(&r), "STATUS=backoff: b");
	notify_status(&r.notify, "active", "");
	assert_string_equal(next(&r), "STATUS=active");
	/* Too long: cut, and not within a character; the same beginning is the same. */
	for (size_t i = 0; i + 2 < sizeof(reason); i += 2)
		memcpy(reason + i, "\xc3\xbc", 3);
	notify_status(&r.notify, "x", reason);
	message = next(&r);
	assert_in_range(strlen(message), 600, 1000);
	for (size_t i = strlen("STATUS=x: "); message[i]; i += message[i] == '?' ? 1 : 2)
		assert_true(!memcmp(message + i, "\xc3\xbc", 2) || !strcmp(message + i, "?"));
	close_rig(&r);
}

/* What WATCHDOG_USEC says, in ms between two messages. */
static void test_watchdog(void **state)
{
	char own[16], next_pid[16];
	const struct {
		const char *usec, *pid;
		unsigned ms; /* 0: none come */
	} cases[] = {
		{"120000000", NULL, 60000},
		{"120000000", own, 60000},
		{"120000000", next_pid, 0},
		{"120000000", "", 0},
		{"120000000", "me", 0},
		{NULL, own, 0},
		{"", NULL, 0},
		{"0", NULL, 0},
		{"-1", NULL, 0},
		{" 1000000", NULL, 0},
		{"1000000 ", NULL, 0},
		{"99999999999999999999", NULL, 0},
	};
	struct rig r;

	(void)state;
	(void)snprintf(own, sizeof(own), "%d", (int)getpid());
	(void)snprintf(next_pid, sizeof(next_pid), "%d", (int)getpid() + 1);
	for (size_t i = 0; i < NUM(cases); i++) {
		unsigned ms = 0;

		if (cases[i].usec)
			setenv("WATCHDOG_USEC", cases[i].usec, 1);
		if (cases[i].pid)
			setenv("WATCHDOG_PID", cases[i].pid, 1);
		open_rig(&r);
		if (ev_is_active(&r.notify.watchdog))
			ms = (unsigned)(r.notify.watchdog.repeat * 1000.);
		assert_int_equal(ms, cases[i].ms);
		close_rig(&r);
		unsetenv("WATCHDOG_USEC");
		unsetenv("WATCHDOG_PID");
	}
}

/* It comes again and again while the loop turns, and only then. */
static void test_loop_turns(void **state)
{
	struct rig r;

	(void)state;
	setenv("WATCHDOG_USEC", "20000", 1);
	open_rig(&r);
	for (int i = 0; i < 3; i++) {
		assert_string_equal(next(&r), "");
		usleep(15000);
		assert_string_equal(next(&r), "");
		ev_run(r.loop, EVRUN_ONCE);
		assert_string_equal(next(&r), "WATCHDOG=1");
	}
	close_rig(&r);
	unsetenv("WATCHDOG_USEC");
}

/* Nor does it wait for a manager that does not read. */
static void test_full(void **state)
{
	char reason[16];
	struct rig r;
	int sent = 0;

	(void)state;
	open_rig(&r);
	alarm(60);
	for (int i = 0; i < 5000; i++) {
		(void)snprintf(reason, sizeof(reason), "%d", i);
		notify_status(&r.notify, "x", reason);
		ev_invoke(r.loop, &r.notify.watchdog, EV_TIMER);
	}
	alarm(0);
	while (*next(&r))
		sent++;
	assert_in_range(sent, 1, 9999);
	notify_ready(&r.notify);
	assert_string_equal(next(&r), "READY=1");
	close_rig(&r);
}

/* Without a manager, or with one that cannot be talked to, all goes on. */
static void test_nobody(void **state)
{
	char too_long[120] = "/";
	const struct {
		const char *socket, *warning;
	} cases[] = {
		{NULL, ""},
		{"", "warning: NOTIFY_SOCKET: not understood: \n"},
		{"/", "warning: NOTIFY_SOCKET: not understood: /\n"},
		{"@", "warning: NOTIFY_SOCKET: not understood: @\n"},
		{"run/notify", "warning: NOTIFY_SOCKET: not understood: run/notify\n"},
		{"vsock:2:1", "warning: NOTIFY_SOCKET: not understood: vsock:2:1\n"},
		{too_long, NULL},
		{"/nonexistent/notify", ""},
	};
	struct capture capture;
	struct notify n;
	char out[1024];

	(void)state;
	memset(too_long + 1, 'x', sizeof(too_long) - 2);
	setenv("WATCHDOG_USEC", "1000000", 1);
	for (size_t i = 0; i < NUM(cases); i++) {
		struct ev_loop *loop = ev_loop_new(0);

		if (cases[i].socket)
			setenv("NOTIFY_SOCKET", cases[i].socket, 1);
		capture_begin(&capture, 2);
		notify_init(&n, loop);
		notify_ready(&n);
		notify_status(&n, "active", "");
		notify_stopping(&n);
		capture_end(&capture, out, sizeof(out));
		if (cases[i].warning)
			assert_string_equal(out, cases[i].warning);
		else
			assert_memory_equal(out, "warning:", 8);
		assert_int_equal(n.fd >= 0, cases[i].socket && !strncmp(cases[i].socket, "/n", 2));
		assert_int_equal(!!ev_is_active(&n.watchdog), n.fd >= 0);
		notify_fini(&n);
		ev_loop_destroy(loop);
		unsetenv("NOTIFY_SOCKET");
	}
	unsetenv("WATCHDOG_USEC");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_messages),
		cmocka_unit_test(test_reloading),
		cmocka_unit_test(test_status),
		cmocka_unit_test(test_watchdog),
		cmocka_unit_test(test_loop_turns),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
