/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * exporter with a key and without one: who is let in, and what the log tells of the others. Real
 * connections, and no devices: there is always a list, if an empty one.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <ev.h>

#include "bridge/devlist.h"
#include "bridge/exporter.h"
#include "bridge/log.h"
#include "bridge/tls.h"
#include "bridge/usbdevice.h"
#include "bridge/usbhost.h"
#include "tests/unit/fake_usbdevice.h"
#include "tests/unit/peer.h"

#define REMEDY                                                                                     \
	"anybody could import devices there: 'ip2usb-export key' makes a key for both ends, and "  \
	"[server] plain = anywhere does without"

static const struct pairingkey keys[] = {{{1, 2, 3}}, {{4, 5, 6}}};

static struct ev_loop *loop;
static struct exporter exporter;
static struct exportconfig config;
static bool is_public, is_hurried, no_memory;
static char told[4096]; /* warnings and errors, a line each */

/* ---- what is beneath it ---- */

int usbhost_init(struct usbhost *h, struct ev_loop *l, const struct usbhost_callbacks *callbacks,
	void *user, const char **why)
{
	(void)h;
	(void)l;
	(void)callbacks;
	(void)user;
	(void)why;
	return 0;
}

void usbhost_fini(struct usbhost *h)
{
	(void)h;
}

void usbhost_busid(struct libusb_device *device, char busid[USBIP_BUSID_SIZE])
{
	(void)device;
	*busid = '\0';
}

int usbhost_describe(struct libusb_device *device, struct usbhost_description *out)
{
	(void)device;
	(void)out;
	return -ENODEV;
}

struct exportrules_device usbhost_for_rules(const struct usbhost_description *d)
{
	(void)d;
	return (struct exportrules_device){0};
}

int usbhost_errno(int error)
{
	return error;
}

int usbdevice_open(struct ev_loop *l, struct libusb_device *device, const char *busid,
	const struct usbdevice_callbacks *callbacks, void *user, struct usbdevice **out,
	const char **why)
{
	(void)l;
	(void)device;
	(void)busid;
	(void)callbacks;
	(void)user;
	(void)out;
	*why = "";
	return -ENODEV;
}

void usbdevice_close(struct usbdevice *d)
{
	fake_usbdevice_end_all(d, -ECONNRESET);
}

bool __wrap_listener_is_public(int fd);
void __wrap_log_write(int level, const char *format, ...);
void __real_ev_timer_start(struct ev_loop *l, ev_timer *timer);
void __wrap_ev_timer_start(struct ev_loop *l, ev_timer *timer);
int __real_tls_context_new(
	enum tls_role role, const struct pairingkey *key, bool has_aes, struct tls_context **out);
int __wrap_tls_context_new(
	enum tls_role role, const struct pairingkey *key, bool has_aes, struct tls_context **out);

bool __wrap_listener_is_public(int fd)
{
	assert_true(fd >= 0);
	return is_public;
}

void __wrap_log_write(int level, const char *format, ...)
{
	size_t n = strlen(told);
	va_list args;

	if (level > LOG_WARNING)
		return;
	va_start(args, format);
	(void)vsnprintf(told + n, sizeof(told) - n, format, args);
	va_end(args);
	strncat(told, "\n", sizeof(told) - strlen(told) - 1);
}

void __wrap_ev_timer_start(struct ev_loop *l, ev_timer *timer)
{
	if (is_hurried)
		ev_timer_set(timer, timer->at / 100, timer->repeat);
	__real_ev_timer_start(l, timer);
}

int __wrap_tls_context_new(
	enum tls_role role, const struct pairingkey *key, bool has_aes, struct tls_context **out)
{
	return no_memory ? -ENOMEM : __real_tls_context_new(role, key, has_aes, out);
}

/* ---- the exporter ---- */

static void set_key(const struct pairingkey *key)
{
	config.has_key = key;
	memset(&config.key, 0, sizeof(config.key));
	if (key)
		config.key = *key;
}

static void start(const struct pairingkey *key)
{
	memset(&config, 0, sizeof(config));
	close(peer_tcp_port(false, config.port));
	strcpy(config.listen, "127.0.0.1");
	strcpy(config.notices, EXPORTCONFIG_OFF);
	set_key(key);
	*told = '\0';
	loop = ev_loop_new(0);
	assert_non_null(loop);
	assert_int_equal(exporter_init(&exporter, loop, &config), 0);
	/* It has it elsewhere. */
	assert_memory_equal(
		&exporter.config.key, &(struct pairingkey){{0}}, sizeof(struct pairingkey));
}

static void end(void)
{
	exporter_end(&exporter);
	ev_run(loop, 0);
	assert_int_equal(exporter.num_sessions, 0);
	exporter_fini(&exporter);
	ev_loop_destroy(loop);
	is_public = is_hurried = no_memory = false;
}

static void expect_told(const char *text)
{
	assert_string_equal(told, text);
	*told = '\0';
}

/* ---- who connects ---- */

static void open_conn(struct conn *c, const struct pairingkey *key)
{
	struct tls_context *context;
	const char *why;

	assert_int_equal(conn_open(c, "127.0.0.1", config.port, 0, &why), 0);
	if (!key)
		return;
	assert_int_equal(__real_tls_context_new(TLS_CLIENT, key, true, &context), 0);
	assert_int_equal(conn_secure(c, context), 0);
	tls_context_free(context);
}

static void turn(int fd, short events)
{
	struct pollfd p = {.fd = fd, .events = events};

	ev_run(loop, EVRUN_NOWAIT);
	(void)poll(&p, 1, 1);
}

/* 1, or -errno with *why. */
static int finish_list(struct devlist *list, const char **why)
{
	int r = 0;

	*why = "";
	for (int i = 0; !r && i < 5000; i++) {
		turn(devlist_fd(list), devlist_events(list));
		r = devlist_dispatch(list, why);
	}
	devlist_fini(list);
	for (int i = 0; i < 3; i++)
		turn(-1, 0);
	return r;
}

static int list_with(const struct pairingkey *key, const char **why)
{
	struct devlist list;
	struct conn c;

	open_conn(&c, key);
	devlist_init(&list, &c);
	return finish_list(&list, why);
}

static bool is_served(const struct pairingkey *key)
{
	const char *why;

	return list_with(key, &why) == 1;
}

static void shake(struct conn *c)
{
	int r = 0;

	for (int i = 0; !r && i < 5000; i++) {
		turn(c->fd, conn_events(c));
		r = conn_connect(c);
	}
	assert_int_equal(r, 1);
}

/* ---- tests ---- */

static void test_key(void **state)
{
	const char *why;

	(void)state;
	start(&keys[0]);
	assert_int_equal(list_with(&keys[0], &why), 1);
	expect_told("");
	assert_int_equal(list_with(NULL, &why), -EACCES);
	assert_non_null(strstr(why, "it wants a key"));
	expect_told("127.0.0.1 is refused: it is not paired: it asked without encryption\n");
	/* Told of once; and one line in 10 s. */
	assert_int_equal(list_with(NULL, &why), -EACCES);
	assert_int_equal(list_with(&keys[1], &why), -EACCES);
	assert_non_null(strstr(why, "it has another key"));
	expect_told("");
	exporter.refusals.quiet_until = 0;
	assert_false(is_served(&keys[1]));
	expect_told("127.0.0.1 is refused: it has another key\nso were 1 before it\n");
	assert_true(is_served(&keys[0]));
	end();
	expect_told("");
}

static void test_no_key(void **state)
{
	const char *why;

	(void)state;
	start(NULL);
	assert_true(is_served(NULL));
	assert_int_equal(list_with(&keys[0], &why), -ECONNRESET);
	assert_non_null(strstr(why, "it is not paired"));
	end();
	expect_told("");
}

/* Somebody else's TLS, with the key. */
static void test_foreign(void **state)
{
	static const uint8_t reply[] = {0x01, 0x11, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0};
	char command[512], hex[2 * PAIRINGKEY_SIZE + 1];
	uint8_t got[sizeof(reply) + 1];
	size_t have = 0;
	FILE *client;

	(void)state;
	start(&keys[0]);
	for (size_t i = 0; i < PAIRINGKEY_SIZE; i++)
		(void)snprintf(hex + 2 * i, 3, "%02x", keys[0].bytes[i]);
	(void)snprintf(command, sizeof(command),
		"printf '\\001\\021\\200\\005\\0\\0\\0\\0' | openssl s_client -quiet -tls1_3 "
		"-psk_identity ip2usb -psk %s -connect 127.0.0.1:%s 2>/dev/null",
		hex, config.port);
	client = popen(command, "re");
	assert_non_null(client);
	(void)fcntl(fileno(client), F_SETFL, O_NONBLOCK);
	for (int i = 0; have < sizeof(reply) && i < 5000; i++) {
		ssize_t n = read(fileno(client), got + have, sizeof(got) - have);

		have += n > 0 ? (size_t)n : 0;
		turn(-1, 0);
	}
	assert_int_equal(have, sizeof(reply));
	assert_memory_equal(got, reply, sizeof(reply));
	/* It ends by itself, as the connection has been closed. */
	assert_int_equal(pclose(client), 0);
	expect_told("");
	end();
}

/* One that is served goes on; the next needs the new one. */
static void test_other_key(void **state)
{
	struct devlist list;
	const char *why;
	struct conn c;

	(void)state;
	start(&keys[0]);
	open_conn(&c, &keys[0]);
	shake(&c);
	set_key(&keys[1]);
	exporter_configure(&exporter, &config);
	assert_false(is_served(&keys[0]));
	assert_true(is_served(&keys[1]));
	devlist_init(&list, &c);
	assert_int_equal(finish_list(&list, &why), 1);
	expect_told("127.0.0.1 is refused: it has another key\n");
	/* The same is told of anew. */
	exporter_configure(&exporter, &config);
	assert_false(is_served(&keys[0]));
	expect_told("127.0.0.1 is refused: it has another key\n");
	set_key(NULL);
	exporter_configure(&exporter, &config);
	assert_true(is_served(NULL));
	end();
}

static void test_no_memory(void **state)
{
	(void)state;
	start(&keys[0]);
	no_memory = true;
	exporter_configure(&exporter, &config);
	expect_told("nobody can connect: no memory for the key\n");
	assert_false(is_served(NULL));
	assert_false(is_served(&keys[0]));
	no_memory = false;
	exporter_configure(&exporter, &config);
	assert_true(is_served(&keys[0]));
	end();
}

static void test_public(void **state)
{
	(void)state;
	is_public = true;
	start(&keys[0]);
	assert_true(is_served(&keys[0]));
	expect_told("");
	end();

	start(NULL);
	is_public = true;
	assert_false(is_served(NULL));
	assert_false(is_served(NULL));
	expect_told("127.0.0.1 is refused: it came to an address of the Internet; " REMEDY "\n");
	config.plain_anywhere = true;
	exporter_configure(&exporter, &config);
	assert_true(is_served(NULL));
	end();
}

/* The port is free, and so on: it is the address alone. */
static void test_public_listen(void **state)
{
	(void)state;
	start(NULL);
	end();
	is_public = true;
	loop = ev_loop_new(0);
	assert_int_equal(exporter_init(&exporter, loop, &config), -EPERM);
	expect_told("127.0.0.1 is an address of the Internet; " REMEDY "\n");
	config.plain_anywhere = true;
	assert_int_equal(exporter_init(&exporter, loop, &config), 0);
	expect_told("");
	end();
}

/* How many of `n` that say nothing are closed. */
static unsigned count_closed(const int *fds, unsigned n)
{
	unsigned num = 0;

	for (int i = 0; i < 100; i++)
		turn(-1, 0);
	for (unsigned i = 0; i < n; i++) {
		char byte;
		ssize_t got = recv(fds[i], &byte, 1, MSG_DONTWAIT);

		num += !got || (got < 0 && errno != EAGAIN);
	}
	return num;
}

static void open_silent(int *fds, struct conn *conns, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		open_conn(&conns[i], NULL);
		fds[i] = conns[i].fd;
		turn(-1, 0);
		turn(-1, 0);
	}
}

static void test_silence(void **state)
{
	struct conn conns[3];
	int fds[3];

	(void)state;
	is_hurried = true;
	start(&keys[0]);
	open_silent(fds, conns, 3);
	assert_int_equal(count_closed(fds, 3), 3);
	expect_told("127.0.0.1 is refused: it has not shown that it has the key\n");
	for (unsigned i = 0; i < 3; i++)
		conn_close(&conns[i]);
	end();
}

/* All that there may be, none of which has shown the key: one of them goes for each that comes. */
static void test_full(void **state)
{
	struct conn conns[EXPORTER_MAX_IMPORTERS], let_in[2];
	int fds[EXPORTER_MAX_IMPORTERS];

	(void)state;
	start(&keys[0]);
	for (unsigned i = 0; i < 2; i++) {
		open_conn(&let_in[i], &keys[0]);
		shake(&let_in[i]);
	}
	open_silent(fds, conns, EXPORTER_MAX_IMPORTERS - 2);
	assert_int_equal(exporter.num_sessions, EXPORTER_MAX_IMPORTERS);
	assert_int_equal(count_closed(fds, EXPORTER_MAX_IMPORTERS - 2), 0);
	assert_true(is_served(&keys[0]));
	expect_told("127.0.0.1 is refused: others came before it had shown that it has the key\n");
	assert_int_equal(count_closed(fds, 1), 1);
	assert_int_equal(count_closed(fds, EXPORTER_MAX_IMPORTERS - 2), 1);
	for (unsigned i = 0; i < 2; i++) {
		char byte;

		assert_int_equal(recv(let_in[i].fd, &byte, 1, MSG_DONTWAIT), -1);
		assert_int_equal(errno, EAGAIN);
		conn_close(&let_in[i]);
	}
	for (unsigned i = 0; i < EXPORTER_MAX_IMPORTERS - 2; i++)
		conn_close(&conns[i]);
	end();
}

/* Without a key nobody makes room. */
static void test_full_plain(void **state)
{
	struct conn conns[EXPORTER_MAX_IMPORTERS];
	int fds[EXPORTER_MAX_IMPORTERS];

	(void)state;
	start(NULL);
	open_silent(fds, conns, EXPORTER_MAX_IMPORTERS);
	assert_false(is_served(NULL));
	assert_false(is_served(NULL));
	expect_told("there are 64 connections; others are refused\n");
	assert_int_equal(count_closed(fds, EXPORTER_MAX_IMPORTERS), 0);
	for (unsigned i = 0; i < EXPORTER_MAX_IMPORTERS; i++)
		conn_close(&conns[i]);
	for (int i = 0; i < 100; i++)
		turn(-1, 0);
	assert_true(is_served(NULL));
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_key),
		cmocka_unit_test(test_no_key),
		cmocka_unit_test(test_foreign),
		cmocka_unit_test(test_other_key),
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_public),
		cmocka_unit_test(test_public_listen),
		cmocka_unit_test(test_silence),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_full_plain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
