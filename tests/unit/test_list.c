/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * list: what a server may be called, and what is printed, of a server that is another process.
 * Linked with --wrap=sd_hwdb_new, so that no machine's database of ids has a say in it.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "bridge/conn.h"
#include "bridge/list.h"
#include "tests/unit/capture.h"
#include "bridge/devlist.h"
#include "tests/unit/peer.h"
#include "tests/unit/tlsgate.h"

int __wrap_sd_hwdb_new(void **hwdb);

int __wrap_sd_hwdb_new(void **hwdb)
{
	*hwdb = NULL;
	return -1;
}

#define H63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define H255 H63 "." H63 "." H63 "." H63

static const struct server {
	const char *text;
	const char *host, *port; /* NULL: it is none */
} servers[] = {
	{"pi", "pi", "3240"},
	{"pi.local:1", "pi.local", "1"},
	{"10.0.0.1:65535", "10.0.0.1", "65535"},
	{"pi:03240", "pi", "03240"},
	{"::1", "::1", "3240"},
	{"fe80::1%wlan0", "fe80::1%wlan0", "3240"},
	{"[::1]", "::1", "3240"},
	{"[fe80::1%wlan0]:99", "fe80::1%wlan0", "99"},
	{"[pi]:99", "pi", "99"},
	{H255, H255, "3240"},
	{H255 ":1", H255, "1"},
	{"[" H255 "]:1", H255, "1"},
	{"", NULL, NULL},
	{":", NULL, NULL},
	{":3240", NULL, NULL},
	{"pi:", NULL, NULL},
	{"pi:0", NULL, NULL},
	{"pi:00000", NULL, NULL},
	{"pi:65536", NULL, NULL},
	{"pi:99999", NULL, NULL},
	{"pi:000001", NULL, NULL},
	{"pi:4294967297", NULL, NULL},
	{"pi:-1", NULL, NULL},
	{"pi:+1", NULL, NULL},
	{"pi: 1", NULL, NULL},
	{"pi:1 ", NULL, NULL},
	{"pi:http", NULL, NULL},
	{"[", NULL, NULL},
	{"[]", NULL, NULL},
	{"[]:1", NULL, NULL},
	{"[::1", NULL, NULL},
	{"[::1]1", NULL, NULL},
	{"[::1]x99", NULL, NULL},
	{"[::1]:", NULL, NULL},
	{"[::1]:0", NULL, NULL},
	{"[::1]:1:1", NULL, NULL},
	{"a" H255, NULL, NULL},
	{"a" H255 ":1", NULL, NULL},
	{"[a" H255 "]", NULL, NULL},
	{"a" H255 "::", NULL, NULL},
};

static void test_parse_server(void **state)
{
	(void)state;
	for (size_t i = 0; i < PEER_COUNT(servers); i++) {
		const struct server *s = &servers[i];
		/* Of these sizes exactly. */
		char *text = strdup(s->text), *host = malloc(256), *port = malloc(8);

		if (list_parse_server(text, host, port) != !!s->host)
			fail_msg("'%s'", s->text);
		if (s->host) {
			assert_string_equal(host, s->host);
			assert_string_equal(port, s->port);
		}
		free(text);
		free(host);
		free(port);
	}
}

/* ---- a server in a process of its own ---- */

static const struct peer_device devices[] = {
	{"1-1.4", 1, 7, 3, 0x04a9, 0x3218, 0, 2},
	{"1-2", 1, 8, 2, 0x0403, 0x6001, 0xef, 1},
	{"2-1", 2, 9, 5, 0x1d6b, 0x0002, 9, 0},
	{"2-2", 2, 9, 0, 0xfff0, 0x000a, 0, 0},
	{"3-1.2.3.4.5", 3, 1, 1, 1, 2, 0x42, 0},
};

static void serve(int listening, bool whole)
{
	static const uint8_t count[4] = {0, 0, 0, PEER_COUNT(devices)};
	static const uint8_t interfaces[3][4] = {{6, 1, 1, 0}, {8, 6, 0x50, 0}, {0xff, 1, 2, 0}};
	struct peer p = {.fd = -1};
	uint8_t request[8];
	int fd = accept(listening, NULL, NULL);

	peer_send_op(&p, 5, 0);
	peer_send(&p, count, 4);
	for (size_t i = 0; i < PEER_COUNT(devices); i++) {
		peer_send_device(&p, &devices[i]);
		if (i < 2)
			peer_send(&p, i ? interfaces[2] : interfaces[0], i ? 4 : 8);
	}
	if (read(fd, request, sizeof(request)) != sizeof(request) ||
		write(fd, p.out, p.out_size - !whole) < 0)
		_exit(1);
	_exit(0);
}

/* Runs list_run with its standard output in `out`; its exit code. */
static int list_of(bool served, bool whole, bool json, char out[4096])
{
	char port[8], server[32];
	int listening = peer_tcp_port(served, port), code;
	struct capture capture;
	pid_t pid = 0;

	(void)snprintf(server, sizeof(server), "127.0.0.1:%s", port);
	(void)fflush(stdout);
	if (served) {
		pid = fork();
		if (!pid)
			serve(listening, whole);
	}
	capture_begin(&capture, 1);
	code = list_run(server, NULL, json);
	capture_end(&capture, out, 4096);
	if (pid)
		assert_int_equal(waitpid(pid, NULL, 0), pid);
	close(listening);
	return code;
}

static void test_people(void **state)
{
	char out[4096];

	(void)state;
	assert_int_equal(list_of(true, true, false, out), 0);
	assert_string_equal(out,
		"1-1.4      04a9:3218  high    still image     \n"
		"1-2        0403:6001  full    vendor specific \n"
		"2-1        1d6b:0002  super   hub             \n"
		"2-2        fff0:000a  unknown  per interface   \n"
		"3-1.2.3.4.5 0001:0002  low     unknown class   \n");
}

static const char golden_json[] =
	"{\n\t\"devices\":\t[{\n"
	"\t\t\t\"class\":\t\"00\",\n\t\t\t\"subclass\":\t\"00\",\n"
	"\t\t\t\"protocol\":\t\"00\",\n\t\t\t\"interfaces\":\t[{\n"
	"\t\t\t\t\t\"class\":\t\"06\",\n\t\t\t\t\t\"subclass\":\t\"01\",\n"
	"\t\t\t\t\t\"protocol\":\t\"01\"\n\t\t\t\t}, {\n"
	"\t\t\t\t\t\"class\":\t\"08\",\n\t\t\t\t\t\"subclass\":\t\"06\",\n"
	"\t\t\t\t\t\"protocol\":\t\"50\"\n\t\t\t\t}],\n"
	"\t\t\t\"busid\":\t\"1-1.4\",\n\t\t\t\"vendor\":\t\"04a9\",\n"
	"\t\t\t\"product\":\t\"3218\",\n\t\t\t\"speed\":\t\"high\",\n"
	"\t\t\t\"class_name\":\t\"still image\",\n";

static void test_json(void **state)
{
	char out[4096];

	(void)state;
	assert_int_equal(list_of(true, true, true, out), 0);
	assert_non_null(strstr(out, golden_json));
	assert_non_null(strstr(out, "\"busid\":\t\"3-1.2.3.4.5\""));
	assert_string_equal(out + strlen(out) - 5, "}]\n}\n");
}

static void test_failures(void **state)
{
	char out[4096];

	(void)state;
	/* What is not there in whole is not printed. */
	assert_int_equal(list_of(true, false, false, out), 1);
	assert_string_equal(out, "");
	assert_int_equal(list_of(false, false, true, out), 1);
	assert_string_equal(out, "");
	assert_int_equal(list_run("pi:0", NULL, false), 2);
}

/* ---- with a key ---- */

static const struct pairingkey right = {.bytes = "one"}, wrong = {.bytes = "another"};

/* What a server says to who asks with `key`; it has the right one, or none. */
static void ask(bool is_paired, const struct pairingkey *key, int expected, const char *words)
{
	char port[8];
	int listening = peer_tcp_port(true, port), r;
	bool is_served = !is_paired || key == &right;
	struct devlist list;
	struct tlsgate gate;
	const char *why = "";
	pid_t pid = is_served ? fork() : 0;

	if (is_served && !pid)
		serve(listening, true);
	if (is_paired)
		tlsgate_start(&gate, &right, port, 1);
	r = list_fetch(&list, "127.0.0.1", is_paired ? gate.port : port, key, &why);
	assert_int_equal(r, expected);
	if (r) {
		assert_int_equal(strncmp(why, words, strlen(words)), 0);
	} else {
		assert_int_equal(list.total, PEER_COUNT(devices));
		assert_string_equal(list.entries[4].device.busid, "3-1.2.3.4.5");
		devlist_fini(&list);
	}
	if (is_paired)
		assert_int_equal(tlsgate_end(&gate), key != &right);
	if (pid)
		assert_int_equal(waitpid(pid, NULL, 0), pid);
	close(listening);
}

static void test_key(void **state)
{
	(void)state;
	ask(true, &right, 0, "");
	ask(true, &wrong, -EACCES, "it has another key: 'ip2usb pair HOST --key KEY'");
	ask(true, NULL, -EACCES, "it wants a key: 'ip2usb pair HOST --key KEY'");
	ask(false, NULL, 0, "");
	ask(false, &right, -EPROTO, "it is not paired: it answered without encryption");
}

/* Hangs up without a word, as usbipd does when it is sent what it does not know. */
static void test_key_unknown(void **state)
{
	char port[8], request[8];
	int listening = peer_tcp_port(true, port), fd;
	struct devlist list;
	const char *why;
	pid_t pid = fork();

	(void)state;
	if (!pid) {
		fd = accept(listening, NULL, NULL);
		_exit(read(fd, request, sizeof(request)) != sizeof(request));
	}
	assert_int_equal(list_fetch(&list, "127.0.0.1", port, &right, &why), -ECONNRESET);
	assert_int_equal(strncmp(why, "it is not paired, or something else than", 40), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	close(listening);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse_server),
		cmocka_unit_test(test_people),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_key),
		cmocka_unit_test(test_key_unknown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
