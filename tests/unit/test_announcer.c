/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * announcer: clients that connect by real sockets, and do as they should, or anything else. Timers
 * are faster than they ask for, by `haste`.
 *
 * Linked with --wrap=calloc,ev_timer_start,log_write,sendmsg.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "bridge/announcer.h"
#include "bridge/log.h"
#include "tests/unit/peer.h"

#define HELLO "Client hello"

static struct rig {
	struct ev_loop *loop;
	struct announcer announcer;
	struct sockaddr_in address;
	int clients[40]; /* -1: none */
	char busid[USBIP_BUSID_SIZE];
} rig;

static double haste, stall_haste; /* of those of 10 s; 0: no other */
static unsigned calloc_failures;  /* still to come */
static size_t send_room;	  /* bytes that a call takes at most; 0: as it is */
static unsigned logged[LOG_DEBUG + 1];

static bool no_descriptor;

int __real_accept4(int fd, struct sockaddr *address, socklen_t *size, int flags);
int __wrap_accept4(int fd, struct sockaddr *address, socklen_t *size, int flags);
void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
ssize_t __real_sendmsg(int fd, const struct msghdr *message, int flags);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *message, int flags);
void __real_ev_timer_start(struct ev_loop *loop, ev_timer *timer);
void __wrap_ev_timer_start(struct ev_loop *loop, ev_timer *timer);
void __wrap_log_write(int level, const char *format, ...);

int __wrap_accept4(int fd, struct sockaddr *address, socklen_t *size, int flags)
{
	errno = EMFILE;
	return no_descriptor ? -1 : __real_accept4(fd, address, size, flags);
}

void *__wrap_calloc(size_t n, size_t size)
{
	if (!calloc_failures)
		return __real_calloc(n, size);
	calloc_failures--;
	return NULL;
}

ssize_t __wrap_sendmsg(int fd, const struct msghdr *message, int flags)
{
	if (send_room && message->msg_iov->iov_len > send_room)
		message->msg_iov->iov_len = send_room;
	return __real_sendmsg(fd, message, flags);
}

void __wrap_ev_timer_start(struct ev_loop *loop, ev_timer *timer)
{
	timer->at /= timer->at == 10. && stall_haste > 0. ? stall_haste : haste;
	__real_ev_timer_start(loop, timer);
}

void __wrap_log_write(int level, const char *format, ...)
{
	(void)format;
	logged[level]++;
}

/* ---- the rig ---- */

static void on_alarm(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)timer;
	(void)events;
	ev_break(loop, EVBREAK_ALL);
}

static void run(double seconds)
{
	ev_timer alarm;

	ev_now_update(rig.loop);
	ev_timer_init(&alarm, on_alarm, seconds, 0.);
	__real_ev_timer_start(rig.loop, &alarm);
	ev_run(rig.loop, 0);
	ev_timer_stop(rig.loop, &alarm);
}

/* Until it holds, for 10 s. */
#define UNTIL(condition)                                                                           \
	do {                                                                                       \
		for (int i_ = 0; !(condition) && i_ < 2000; i_++)                                  \
			run(0.005);                                                                \
		assert_true(condition);                                                            \
	} while (0)

static int set_up(void **state)
{
	socklen_t size = sizeof(rig.address);
	char port[8];
	int listener = peer_tcp_port(true, port);

	(void)state;
	memset(&rig, 0, sizeof(rig));
	memset(rig.clients, -1, sizeof(rig.clients));
	memset(logged, 0, sizeof(logged));
	haste = 1000;
	stall_haste = 10;
	no_descriptor = false;
	send_room = 0;
	rig.loop = ev_loop_new(0);
	assert_return_code(fcntl(listener, F_SETFL, O_NONBLOCK), errno);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&rig.address, &size), 0);
	announcer_init(&rig.announcer, rig.loop, listener);
	return 0;
}

static void hang_up(unsigned i)
{
	if (rig.clients[i] >= 0)
		assert_int_equal(close(rig.clients[i]), 0);
	rig.clients[i] = -1;
}

/* And that nothing is left to happen. */
static int tear_down(void **state)
{
	(void)state;
	announcer_fini(&rig.announcer);
	assert_int_equal(rig.announcer.num_clients, 0);
	assert_int_equal(ev_run(rig.loop, EVRUN_NOWAIT), 0);
	ev_loop_destroy(rig.loop);
	for (unsigned i = 0; i < PEER_COUNT(rig.clients); i++)
		hang_up(i);
	return 0;
}

/* ---- a client ---- */

/* With so little room for what it does not read; 0: as it is. */
static void connect_narrow(unsigned i, int room)
{
	static const int on = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (room)
		assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room)), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&rig.address, sizeof(rig.address)), 0);
	assert_int_equal(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)), 0);
	rig.clients[i] = fd;
}

static void connect_client(unsigned i)
{
	connect_narrow(i, 0);
}

static void say(unsigned i, const char *text, size_t size)
{
	assert_int_equal(send(rig.clients[i], text, size, MSG_NOSIGNAL), size);
}

/* What it has to read just now, as a string; NULL: the end. */
static const char *read_once(unsigned i)
{
	static char text[65536];
	ssize_t n = recv(rig.clients[i], text, sizeof(text) - 1, MSG_DONTWAIT);

	if (n < 0 && errno == EAGAIN)
		n = 0;
	else if (n <= 0)
		return NULL;
	text[n] = '\0';
	return text;
}

static bool is_closed(unsigned i)
{
	const char *text = read_once(i);

	assert_true(!text || !*text);
	return !text;
}

/* It reads the text in the end, and not a byte more. */
static void expect(unsigned i, const char *wanted)
{
	char got[65536] = "";

	for (int tries = 0; tries < 4000 && strlen(got) < strlen(wanted); tries++) {
		const char *text;

		run(0.002);
		text = read_once(i);
		assert_non_null(text);
		strcat(got, text);
	}
	run(0.01);
	assert_string_equal(got, wanted);
	assert_false(is_closed(i));
}

/* One that has been greeted, and has heard what is there. */
static void join(unsigned i, const char *there)
{
	connect_client(i);
	say(i, HELLO, 12);
	expect(i, there);
}

static unsigned num_clients(void)
{
	return rig.announcer.num_clients;
}

static const char *busid(unsigned i)
{
	(void)snprintf(rig.busid, sizeof(rig.busid), "%u-%u", i / 100, i % 100 + 1);
	return rig.busid;
}

static void plug(const char *what)
{
	assert_int_equal(announcer_plugged(&rig.announcer, what), 0);
}

static void unplug(const char *what)
{
	announcer_unplugged(&rig.announcer, what);
}

/* ---- what is told ---- */

static void test_several(void **state)
{
	(void)state;
	plug("1-1");
	plug("1-2.4");
	join(0, "1-1;PLUGGED;\n1-2.4;PLUGGED;\n");
	join(1, "1-1;PLUGGED;\n1-2.4;PLUGGED;\n");
	unplug("1-1");
	plug("3-1");
	for (unsigned i = 0; i < 2; i++)
		expect(i, "1-1;UNPLUGGED;\n3-1;PLUGGED;\n");
	hang_up(0);
	UNTIL(num_clients() <= 2);
	plug("1-1");
	expect(1, "1-1;PLUGGED;\n");
	join(3, "1-2.4;PLUGGED;\n3-1;PLUGGED;\n1-1;PLUGGED;\n");
}

/* What is known, or is no device, is not told. */
static void test_known(void **state)
{
	(void)state;
	join(0, "");
	plug("1-1");
	expect(0, "1-1;PLUGGED;\n");
	plug("1-1");
	unplug("1-2");
	assert_int_equal(announcer_plugged(&rig.announcer, ""), -EINVAL);
	assert_int_equal(announcer_plugged(&rig.announcer, "1-1;PLUGGED;\n"), -EINVAL);
	assert_int_equal(
		announcer_plugged(&rig.announcer, "0123456789abcdef0123456789abcdef"), -EINVAL);
	expect(0, "");
	unplug("1-1");
	unplug("1-1");
	expect(0, "1-1;UNPLUGGED;\n");
	join(1, "");
}

/* Plugged in while a client says its hello: told once. */
static void test_meanwhile(void **state)
{
	(void)state;
	haste = 100;
	connect_client(0);
	say(0, HELLO, 6);
	UNTIL(num_clients() == 1);
	plug("1-1");
	say(0, &HELLO[6], 6);
	expect(0, "1-1;PLUGGED;\n");
	run(0.05);
	expect(0, "");
}

/* The socket takes a few bytes at a time. */
static void test_pieces(void **state)
{
	(void)state;
	haste = 100;
	plug("1-1");
	plug("1-2.4");
	for (send_room = 1; send_room < 20; send_room++) {
		join(0, "1-1;PLUGGED;\n1-2.4;PLUGGED;\n");
		hang_up(0);
		UNTIL(!num_clients());
	}
}

/* A line a read, to one that reads at once: pyusbip-notify's client takes no more. */
static void test_one_line_a_read(void **state)
{
	struct timespec now, last = {0};
	unsigned lines = 0;

	(void)state;
	haste = 10;
	for (unsigned i = 0; i < 5; i++)
		plug(busid(i));
	connect_client(0);
	say(0, HELLO, 12);
	while (lines < 7) {
		const char *text;

		run(0.001);
		text = read_once(0);
		assert_non_null(text);
		if (!*text)
			continue;
		assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
		clock_gettime(CLOCK_MONOTONIC, &now);
		/* 0.5 s. */
		assert_true(!lines++ ||
			(double)(now.tv_sec - last.tv_sec) +
					(double)(now.tv_nsec - last.tv_nsec) / 1e9 >
				0.04);
		last = now;
		if (lines == 3) {
			plug("9-1");
			plug("9-2");
		}
	}
	/* After a rest the next is told at once. */
	haste = 0.001;
	run(0.1);
	plug("9-3");
	run(0.005);
	assert_string_equal(read_once(0), "9-3;PLUGGED;\n");
}

/* What comes and goes faster than it is told: all that is left of it, and nothing that would be
 * wrong in the end. */
static void test_behind(void **state)
{
	const char *text;

	(void)state;
	haste = 20;
	plug("1-1");
	plug("1-2");
	plug("1-3");
	connect_client(0);
	say(0, HELLO, 12);
	/* Not a turn more: each could bring the next line. */
	while (!*(text = read_once(0)))
		ev_run(rig.loop, EVRUN_ONCE);
	assert_string_equal(text, "1-1;PLUGGED;\n");
	unplug("1-3"); /* not told yet */
	for (unsigned i = 0; i < 300; i++) {
		unplug("1-1"); /* was told */
		plug("1-1");
		plug("1-4");
		unplug("1-4");
	}
	unplug("1-2");
	expect(0, "1-1;UNPLUGGED;\n1-1;PLUGGED;\n");
	unplug("1-1");
	expect(0, "1-1;UNPLUGGED;\n");
	join(1, "");
}

/* 300 at once: 256 have room, and are told, all of them, in their order. */
static void test_many(void **state)
{
	char all[8192] = "";

	(void)state;
	join(0, "");
	for (unsigned i = 0; i < 300; i++) {
		assert_int_equal(
			announcer_plugged(&rig.announcer, busid(i)), i < 256 ? 0 : -ENOSPC);
		if (i < 256)
			(void)snprintf(all + strlen(all), 64, "%s;PLUGGED;\n", rig.busid);
	}
	expect(0, all);
	join(1, all);
	/* Each with all that can wait for a client: each device gone, and another in its place. */
	haste = 0.001;
	unplug("0-1");
	for (unsigned i = 1; i < 256; i++)
		unplug(busid(i));
	for (unsigned i = 300; i < 556; i++)
		plug(busid(i));
	for (unsigned i = 300; i < 556; i++)
		unplug(busid(i));
	for (unsigned i = 0; i < 256; i++)
		plug(busid(i));
	haste = 1000;
	assert_int_equal(num_clients(), 2);
}

/* ---- the hello ---- */

static void test_hello_in_pieces(void **state)
{
	(void)state;
	haste = 1;
	plug("1-1");
	for (size_t piece = 1; piece < 12; piece++) {
		connect_client(0);
		for (size_t at = 0; at < 12; at += piece) {
			run(0.002);
			assert_string_equal(read_once(0), "");
			say(0, &HELLO[at], piece < 12 - at ? piece : 12 - at);
		}
		expect(0, "1-1;PLUGGED;\n");
		hang_up(0);
		UNTIL(!num_clients());
	}
}

static void test_wrong_hello(void **state)
{
	static const char *const later[] = {"\n", "Client hello", "x"};
	char wrong[12];

	(void)state;
	haste = 1;
	plug("1-1");
	for (size_t at = 0; at < 12; at++) {
		memcpy(wrong, HELLO, 12);
		wrong[at] ^= 0x20;
		connect_client(0);
		say(0, wrong, at + 1);
		UNTIL(is_closed(0));
		hang_up(0);
	}
	connect_client(0);
	say(0, HELLO "\n", 13);
	UNTIL(is_closed(0));
	hang_up(0);
	for (size_t i = 0; i < PEER_COUNT(later); i++) {
		join(0, "1-1;PLUGGED;\n");
		say(0, later[i], strlen(later[i]));
		UNTIL(is_closed(0));
		hang_up(0);
	}
	assert_int_equal(num_clients(), 0);
}

/* Closed or reset by the client after each byte, and before it. */
static void test_gone(void **state)
{
	static const struct linger reset = {.l_onoff = 1};

	(void)state;
	haste = 1;
	plug("1-1");
	plug("1-2");
	for (size_t at = 0; at <= 12; at++) {
		for (unsigned i = 0; i < 2; i++) {
			connect_client(i);
			say(i, HELLO, at);
		}
		UNTIL(num_clients() == 2);
		run(0.002);
		assert_int_equal(
			setsockopt(rig.clients[0], SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)),
			0);
		hang_up(0);
		hang_up(1);
		UNTIL(!num_clients());
	}
}

static void test_no_hello(void **state)
{
	(void)state;
	haste = 50;
	connect_client(0);
	connect_client(1);
	say(1, HELLO, 11);
	UNTIL(num_clients() == 2);
	plug("1-1"); /* of which they are not told */
	run(0.1);    /* 5 s */
	assert_false(is_closed(0));
	assert_false(is_closed(1));
	UNTIL(is_closed(0) && is_closed(1));
	/* After the hello it may be silent for ever. */
	join(2, "1-1;PLUGGED;\n");
	run(0.4);
	assert_false(is_closed(2));
}

/* ---- too many, too little ---- */

static void test_places(void **state)
{
	(void)state;
	haste = 1;
	plug("1-1");
	for (unsigned i = 0; i < 17; i++) {
		if (i == 3 || i == 7)
			connect_client(i);
		else
			join(i, "1-1;PLUGGED;\n");
		UNTIL(num_clients() == (i < 16 ? i + 1 : 16));
	}
	/* The oldest that has not said it; then the other. */
	UNTIL(is_closed(3));
	assert_false(is_closed(7));
	join(17, "1-1;PLUGGED;\n");
	assert_true(is_closed(7));
	assert_int_equal(logged[LOG_WARNING], 0);
	/* Now all have. */
	for (unsigned i = 18; i < 22; i++) {
		connect_client(i);
		UNTIL(is_closed(i));
	}
	assert_int_equal(logged[LOG_WARNING], 1);
	assert_int_equal(num_clients(), 16);
	unplug("1-1");
	for (unsigned i = 0; i < 18; i++) {
		if (i != 3 && i != 7)
			expect(i, "1-1;UNPLUGGED;\n");
	}
	hang_up(5);
	UNTIL(num_clients() == 15);
	join(22, "");
}

/* Those who come stay in their order, whoever goes. */
static void test_oldest(void **state)
{
	(void)state;
	haste = 1;
	join(0, "");
	for (unsigned i = 1; i < 16; i++) {
		connect_client(i);
		UNTIL(num_clients() == i + 1);
	}
	hang_up(0);
	UNTIL(num_clients() == 15);
	for (unsigned i = 16; i < 20; i++)
		join(i, "");
	for (unsigned i = 1; i < 16; i++)
		assert_int_equal(is_closed(i), i <= 3);
}

/* Of one device that comes and goes, so many times, while client 1 reads and client 0 does not. As
 * long as both are there. */
static unsigned come_and_go(unsigned times)
{
	unsigned told = 0;

	while (num_clients() == 2 && told < times) {
		const char *text = "";

		if (told++ % 2)
			unplug("1-1");
		else
			plug("1-1");
		for (int i = 0; i < 1000 && !*(text = read_once(1)); i++)
			run(0.0005);
		assert_string_equal(text, told % 2 ? "1-1;PLUGGED;\n" : "1-1;UNPLUGGED;\n");
	}
	return told;
}

/* It reads in the end, when there was no room for a line: it has the whole line, and what waited
 * behind it, without anything else to happen. */
static void test_late(void **state)
{
	char all[65536] = "";

	(void)state;
	stall_haste = 1;
	connect_narrow(0, 1);
	say(0, HELLO, 12);
	join(1, "");
	assert_int_equal(come_and_go(1000), 1000);
	plug("1-2");
	for (int i = 0; i < 1000; i++) {
		const char *text = read_once(0);

		strcat(all, text);
		run(*text ? 0. : 0.001);
	}
	/* Not all of it has been told. */
	assert_in_range(strlen(all), 100, 1000 / 2 * 27);
	for (const char *at = all; strcmp(at, "1-2;PLUGGED;\n"); at = strchr(at, '\n') + 1) {
		assert_memory_equal(at, "1-1;PLUGGED;\n", 13);
		at += 13;
		assert_memory_equal(at, "1-1;UNPLUGGED;\n", 15);
	}
	assert_int_equal(num_clients(), 2);
}

/* Who does not read has to go, and nobody waits for it. */
static void test_deaf(void **state)
{
	(void)state;
	connect_narrow(0, 1);
	say(0, HELLO, 12);
	join(1, "");
	/* What the kernel keeps of it is bounded. */
	assert_in_range(come_and_go(20000), 20, 2000);
	assert_int_equal(num_clients(), 1);
}

/* A client that vanishes says nothing: TCP finds out (conn_adopt). */
static void test_keepalive(void **state)
{
	int value = 0, fd;
	socklen_t size = sizeof(value);

	(void)state;
	haste = 1;
	fd = dup(rig.announcer.listener); /* the next descriptor is the connection's */
	connect_client(0);
	close(fd);
	UNTIL(num_clients() == 1);
	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &value, &size), 0);
	assert_int_equal(value, 1);
	assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &value, &size), 0);
	assert_int_equal(value, 5000);
	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &value, &size), 0);
	assert_in_range(value, 1, 16384);
}

/* No descriptor is left: it is tried again, and the processor has its rest meanwhile. Not by a
 * limit: valgrind's accept takes the connection and closes it. */
static void test_no_descriptor(void **state)
{
	unsigned turns;

	(void)state;
	haste = 50;
	join(0, "");
	no_descriptor = true;
	connect_client(1);
	say(1, HELLO, 12);
	turns = ev_iteration(rig.loop);
	run(0.2); /* 10 s */
	turns = ev_iteration(rig.loop) - turns;
	no_descriptor = false;
	assert_in_range(turns, 1, 40); /* that it is tried again is seen below */
	assert_int_equal(num_clients(), 1);
	assert_int_equal(logged[LOG_WARNING], 1);
	plug("1-1");
	expect(0, "1-1;PLUGGED;\n");
	expect(1, "1-1;PLUGGED;\n");
}

static void test_no_memory(void **state)
{
	(void)state;
	haste = 50;
	join(0, "");
	calloc_failures = 2;
	connect_client(1);
	connect_client(2);
	UNTIL(!calloc_failures);
	assert_true(is_closed(1));
	assert_true(is_closed(2));
	assert_int_equal(logged[LOG_WARNING], 1);
	join(3, "");
	plug("1-1");
	expect(0, "1-1;PLUGGED;\n");
	expect(3, "1-1;PLUGGED;\n");
	/* The next time it is said again. */
	calloc_failures = 1;
	connect_client(4);
	UNTIL(is_closed(4));
	assert_int_equal(logged[LOG_WARNING], 2);
}

/* Ended in the middle of everything: see tear_down. */
static void test_fini(void **state)
{
	(void)state;
	haste = 1;
	for (unsigned i = 0; i < 10; i++)
		plug(busid(i));
	connect_client(0);
	connect_client(1);
	say(1, HELLO, 6);
	connect_client(2);
	say(2, HELLO, 12);
	UNTIL(num_clients() == 3);
	calloc_failures = 1;
	connect_client(3);
	UNTIL(!calloc_failures);
	connect_client(4);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_several),
		TEST(test_known),
		TEST(test_meanwhile),
		TEST(test_pieces),
		TEST(test_one_line_a_read),
		TEST(test_behind),
		TEST(test_many),
		TEST(test_hello_in_pieces),
		TEST(test_wrong_hello),
		TEST(test_gone),
		TEST(test_no_hello),
		TEST(test_places),
		TEST(test_oldest),
		TEST(test_late),
		TEST(test_deaf),
		TEST(test_keepalive),
		TEST(test_no_descriptor),
		TEST(test_no_memory),
		TEST(test_fini),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
