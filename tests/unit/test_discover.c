/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * discover: what is said and with which exit code, of a subnet on the loopback interface, and of
 * what mDNS is said to have found. Linked with --wrap=sd_hwdb_new,ev_timer_start: what takes
 * seconds takes a part of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <pthread.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <ev.h>

#include "bridge/browse.h"
#include "bridge/discover.h"
#include "tests/unit/capture.h"
#include "tests/unit/hosts.h"

int __wrap_sd_hwdb_new(void **hwdb);
void __real_ev_timer_start(struct ev_loop *loop, ev_timer *timer);
void __wrap_ev_timer_start(struct ev_loop *loop, ev_timer *timer);

int __wrap_sd_hwdb_new(void **hwdb)
{
	*hwdb = NULL;
	return -1;
}

static double answer_s = 1.5;

void __wrap_ev_timer_start(struct ev_loop *loop, ev_timer *timer)
{
	if (timer->at > 4.)
		timer->at = answer_s;
	__real_ev_timer_start(loop, timer);
}

/* ---- mDNS */

static struct browse announced;
static int browse_error;
static unsigned browsed;

int browse_run(struct browse *b, int stop, const char **why)
{
	assert_true(stop >= 0);
	*b = announced;
	*why = "the reason";
	browsed++;
	return browse_error;
}

static void announce(const char *host, const char *address, const char *port)
{
	struct browse_server *s = &announced.servers[announced.count++];

	strcpy(s->host, host);
	strcpy(s->address, address);
	s->port = (uint16_t)atoi(port);
}

static int reset(void **state)
{
	(void)state;
	memset(&announced, 0, sizeof(announced));
	browse_error = 0;
	browsed = 0;
	answer_s = 1.5;
	return 0;
}

/* ---- what it says */

static struct said {
	int code;
	char out[8192], err[4096];
} said;

static void run(const char *subnet, const char *port, bool json)
{
	struct capture out, err;

	(void)fflush(stdout);
	capture_begin(&out, 1);
	capture_begin(&err, 2);
	said.code = discover_run(&(struct discover_options){subnet, port, json});
	capture_end(&err, said.err, sizeof(said.err));
	capture_end(&out, said.out, sizeof(said.out));
}

static void expect(int code, const char *out, const char *err)
{
	if (said.code != code || strcmp(said.out, out) || !strstr(said.err, err) ||
		(!*err && *said.err))
		fail_msg("exit %d\n%s----\n%s", said.code, said.out, said.err);
}

#define CAMERA "  1-1.4      04a9:3218  high    still image     \n"

static void test_subnet(void **state)
{
	static const struct hosts_host hosts[] = {{2, HOSTS_CAMERA}, {3, HOSTS_SILENT},
		{4, HOSTS_GARBAGE}, {9, HOSTS_NOTHING}, {11, HOSTS_CAMERA}, {12, HOSTS_HANGS_UP},
		{0, HOSTS_END}};
	struct hosts h;
	char wanted[2048];

	(void)state;
	hosts_start(&h, hosts);
	run("127.0.0.5/28", h.port, false);
	/* By address, in whatever order they have answered. */
	(void)snprintf(wanted, sizeof(wanted),
		"127.0.0.2 port %1$s\n" CAMERA "127.0.0.3 port %1$s: no answer\n"
		"127.0.0.4 port %1$s: op_common.version: not 0x0111\n"
		"127.0.0.9 port %1$s\n  nothing that is not in use\n"
		"127.0.0.11 port %1$s\n" CAMERA "127.0.0.12 port %1$s: Connection reset by peer\n"
		"\nTo choose a camera: sudo ip2usb pair 127.0.0.2:%1$s\n",
		h.port);
	expect(0, wanted, "");
	run("127.0.0.9/32", h.port, true);
	(void)snprintf(wanted, sizeof(wanted),
		"[{\n\t\t\"address\":\t\"127.0.0.9\",\n\t\t\"port\":\t%s,\n\t\t\"name\":\tnull,\n"
		"\t\t\"devices\":\t[]\n\t}]\n",
		h.port);
	expect(0, wanted, "");
	run("127.0.0.4/32", h.port, false);
	assert_int_equal(said.code, 3);
	assert_non_null(strstr(said.err, "no server says what it exports"));
	assert_int_equal(browsed, 0);
	hosts_stop(&h);
}

static void test_none(void **state)
{
	static const struct hosts_host hosts[] = {{0, HOSTS_END}};
	struct hosts h;

	(void)state;
	hosts_start(&h, hosts);
	run("127.0.0.0/28", h.port, true);
	expect(3, "[]\n", "no server answers at port ");
	run("127.0.0.0/28", h.port, false);
	expect(3, "", "of 127.0.0.0/28\n");
	/* Not a subnet without servers. */
	run("224.0.0.0/28", h.port, false);
	expect(1, "", "error: 14 of 14 could not be asked: ");
	hosts_stop(&h);
}

static void test_usage(void **state)
{
	(void)state;
	run("10.0.0.0/8", "3240", false);
	expect(2, "", "error: '10.0.0.0/8' is too large a subnet; allowed: /20 to /32\n");
	run("10.0.0.1", "3240", true);
	expect(2, "", "error: '10.0.0.1' is no IPv4 subnet; allowed: ADDRESS/BITS");
	assert_int_equal(browsed, 0);
}

static void test_announced(void **state)
{
	static const struct hosts_host hosts[] = {
		{2, HOSTS_NOTHING}, {3, HOSTS_CAMERA}, {0, HOSTS_END}};
	struct hosts h;
	char wanted[2048];

	(void)state;
	hosts_start(&h, hosts);
	announce("a.local", "127.0.0.2", h.port);
	announce("b.local", "127.0.0.9", h.port);
	announce("c.local", "127.0.0.3", h.port);
	run(NULL, "1", false);
	(void)snprintf(wanted, sizeof(wanted),
		"a.local  127.0.0.2 port %1$s\n  nothing that is not in use\n"
		"b.local  127.0.0.9 port %1$s: Connection refused\n"
		"c.local  127.0.0.3 port %1$s\n" CAMERA
		"\nTo choose a camera: sudo ip2usb pair c.local:%1$s\n",
		h.port);
	expect(0, wanted, "");
	/* What was found until it failed is shown all the same. */
	browse_error = -EIO;
	run(NULL, "1", false);
	expect(0, wanted, "error: no mDNS: the reason; it needs avahi-daemon: apt install");
	hosts_stop(&h);
}

static void test_nothing_announced(void **state)
{
	(void)state;
	run(NULL, "1", true);
	expect(3, "[]\n", "to ask a whole subnet: ip2usb discover 192.168.1.0/24\n");
	browse_error = -EIO;
	run(NULL, "1", true);
	expect(1, "[]\n", "apt install avahi-daemon; to ask a subnet instead: ip2usb discover ");
	browse_error = -ENOTSUP;
	run(NULL, "1", false);
	expect(1, "", "error: no mDNS: the reason; to ask a subnet instead: ip2usb discover ");
	assert_null(strstr(said.err, "apt"));
}

/* ---- while it runs */

static void *interrupt(void *signal)
{
	sleep(1);
	kill(getpid(), *(int *)signal);
	return NULL;
}

/* With what has been found until then; and the signal is not there any more afterwards. */
static void test_interrupted(void **state)
{
	static const struct hosts_host hosts[] = {
		{2, HOSTS_SILENT}, {5, HOSTS_CAMERA}, {0, HOSTS_END}};
	static int signals[] = {SIGINT, SIGTERM};
	struct hosts h;
	sigset_t set, before;
	pthread_t thread;
	char wanted[1024];

	(void)state;
	/* The other thread's, too. */
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	answer_s = 60.;
	hosts_start(&h, hosts);
	(void)snprintf(wanted, sizeof(wanted),
		"127.0.0.5 port %1$s\n" CAMERA
		"\nTo choose a camera: sudo ip2usb pair 127.0.0.5:%1$s\n",
		h.port);
	for (size_t i = 0; i < 2; i++) {
		pthread_sigmask(SIG_BLOCK, &set, &before);
		pthread_create(&thread, NULL, interrupt, &signals[i]);
		pthread_sigmask(SIG_SETMASK, &before, NULL);
		run("127.0.0.0/28", h.port, false);
		pthread_join(thread, NULL);
		expect(0, wanted, "");
	}
	pthread_sigmask(SIG_BLOCK, &set, &before);
	pthread_create(&thread, NULL, interrupt, &signals[0]);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	run("127.0.0.2/32", h.port, true);
	pthread_join(thread, NULL);
	/* Whether there is one is not known. */
	expect(1, "[]\n", "");
	hosts_stop(&h);
}

/* A terminal sees how far it is, after a second, and nothing of that when it is over. */
static void test_progress(void **state)
{
	static const struct hosts_host hosts[] = {
		{2, HOSTS_SILENT}, {5, HOSTS_CAMERA}, {0, HOSTS_END}};
	int master, slave, saved = dup(2);
	struct capture capture;
	char seen[4096], out[4096];
	struct hosts h;
	size_t size = 0;
	ssize_t n;

	(void)state;
	answer_s = 1.8;
	hosts_start(&h, hosts);
	assert_int_equal(openpty(&master, &slave, NULL, NULL, NULL), 0);
	(void)fflush(stdout);
	capture_begin(&capture, 1);
	dup2(slave, 2);
	assert_int_equal(
		discover_run(&(struct discover_options){"127.0.0.0/28", h.port, false}), 0);
	dup2(saved, 2);
	capture_end(&capture, out, sizeof(out));
	close(slave);
	/* In parts, as the kernel hands it over (flush_to_ldisc); an error when that was all. */
	while ((n = read(master, seen + size, sizeof(seen) - 1 - size)) > 0)
		size += (size_t)n;
	seen[size] = 0;
	assert_true(size > 9);
	assert_ptr_equal(strstr(seen, "\r\033[K13 of 14 asked, 1 found\r\033[K"), seen);
	/* The line is empty in the end. */
	assert_string_equal(seen + size - 9, "found\r\033[K");
	close(saved);
	close(master);
	hosts_stop(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_subnet, reset),
		cmocka_unit_test_setup(test_none, reset),
		cmocka_unit_test_setup(test_usage, reset),
		cmocka_unit_test_setup(test_announced, reset),
		cmocka_unit_test_setup(test_nothing_announced, reset),
		cmocka_unit_test_setup(test_interrupted, reset),
		cmocka_unit_test_setup(test_progress, reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
