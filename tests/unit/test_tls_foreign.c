/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tls with somebody else at the other end: the openssl program as client and as server. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/peer.h"
#include "tests/unit/tlsrig.h"

#define MAX_ARGUMENTS 16
#define PATIENCE_MS 10000
#define KEY "5a1799c32ef160b804d57b31ea8c429f1366fd28b10e74c9953ae2578d1ba640"
#define OTHER "6a1799c32ef160b804d57b31ea8c429f1366fd28b10e74c9953ae2578d1ba640"
#define NO_KEY "it speaks TLS, but does not know of a key: is it an ip2usb-export that has one?"

struct foreign {
	pid_t pid;
	int in, out; /* its standard input; its output, and what it complains of */
	char port[8];
};

static char folder[] = "/tmp/test_tls_foreign.XXXXXX";

/* `arguments` ends with NULL. */
static void run(struct foreign *f, const char *const *arguments)
{
	const char *argv[MAX_ARGUMENTS + 2] = {"openssl"};
	int in[2], out[2];

	for (size_t i = 0; arguments[i]; i++)
		argv[i + 1] = arguments[i];
	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	f->pid = fork();
	if (!f->pid) {
		if (dup2(in[0], 0) < 0 || dup2(out[1], 1) < 0 || dup2(out[1], 2) < 0)
			_exit(126);
		(void)execvp("openssl", (char **)(uintptr_t)argv);
		_exit(127);
	}
	assert_true(f->pid > 0);
	close(in[0]);
	close(out[1]);
	f->in = in[1];
	f->out = out[0];
}

static void end(struct foreign *f)
{
	(void)kill(f->pid, SIGTERM);
	assert_int_equal(waitpid(f->pid, NULL, 0), f->pid);
	close(f->in);
	close(f->out);
}

static int shake(struct conn *c)
{
	int r = 0;

	while (!r) {
		struct pollfd fd = {.fd = c->fd, .events = conn_events(c)};

		assert_int_equal(poll(&fd, 1, PATIENCE_MS), 1);
		r = conn_connect(c);
	}
	return r;
}

/* Until `words` have come, among others. */
static void expect_text(int fd, const char *words)
{
	char text[8192] = "";
	size_t have = 0;

	while (!strstr(text, words)) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		ssize_t n;

		assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
		n = read(fd, text + have, sizeof(text) - 1 - have);
		if (n <= 0)
			fail_msg("'%s' instead of '%s'", text, words);
		have += (size_t)n;
		text[have] = '\0';
	}
}

static void expect_data(struct conn *c, const char *words)
{
	char text[200] = "";
	size_t have = 0;

	while (have < strlen(words)) {
		struct pollfd p = {.fd = c->fd, .events = POLLIN};
		int r;

		assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
		r = conn_fill(c, text, strlen(words), &have);
		assert_true(r >= 0);
		conn_await(c, 5000);
	}
	assert_string_equal(text, words);
}

static void put(struct conn *c, const char *words)
{
	struct iovec iov = {(void *)(uintptr_t)words, strlen(words)};

	assert_int_equal(conn_writev(c, &iov, 1), strlen(words));
}

static void converse(struct conn *c, struct foreign *f)
{
	for (int i = 0; i < 3; i++) {
		put(c, "a word of ours\n");
		expect_text(f->out, "a word of ours\n");
		assert_int_equal(write(f->in, "one of theirs\n", 14), 14);
		expect_data(c, "one of theirs\n");
	}
}

static void secure(struct conn *c, enum tls_role role)
{
	struct tls_context *context;

	assert_int_equal(tls_context_new(role, &tlsrig_key, true, &context), 0);
	assert_int_equal(conn_secure(c, context), 0);
	tls_context_free(context);
}

/* ---- their server ---- */

static void start_server(struct foreign *f, const char *const *arguments)
{
	const char *all[MAX_ARGUMENTS] = {"s_server", "-quiet", "-accept"};
	char address[32];
	size_t n = 3;

	close(peer_tcp_port(false, f->port));
	(void)snprintf(address, sizeof(address), "127.0.0.1:%s", f->port);
	all[n++] = address;
	for (size_t i = 0; arguments[i]; i++)
		all[n++] = arguments[i];
	run(f, all);
}

static void connect_to(struct conn *c, const struct foreign *f)
{
	const char *why;
	int r = -1;

	/* It listens a moment after it has been started. */
	for (unsigned i = 0; r < 0 && i < 500; i++) {
		struct pollfd p = {.events = POLLOUT};

		(void)usleep(20000);
		assert_int_equal(conn_open(c, "127.0.0.1", f->port, 0, &why), 0);
		p.fd = c->fd;
		assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
		r = conn_connect(c);
		if (r < 0)
			conn_close(c);
	}
	assert_int_equal(r, 1);
	secure(c, TLS_CLIENT);
}

static void test_server(void **state)
{
	/* It sends tickets that nobody has asked for. */
	static const char *const servers[][10] = {
		{"-nocert", "-psk", KEY, "-psk_identity", "ip2usb"},
		{"-nocert", "-psk", KEY, "-psk_identity", "ip2usb", "-tls1_3", "-ciphersuites",
			"TLS_CHACHA20_POLY1305_SHA256"},
		{"-nocert", "-psk", KEY, "-psk_identity", "ip2usb", "-groups", "P-256"},
		{"-nocert", "-psk", KEY, "-psk_identity", "ip2usb", "-num_tickets", "5"},
	};

	(void)state;
	for (size_t i = 0; i < PEER_COUNT(servers); i++) {
		struct foreign f;
		struct conn c;

		start_server(&f, servers[i]);
		connect_to(&c, &f);
		assert_int_equal(shake(&c), 1);
		converse(&c, &f);
		conn_close(&c);
		end(&f);
	}
}

static void test_server_refused(void **state)
{
	static const struct {
		const char *arguments[10];
		int error;
		const char *why;
	} servers[] = {
		{{"-nocert", "-psk", OTHER, "-psk_identity", "ip2usb"}, -EACCES,
			"it has another key: "},
		{{"-nocert", "-psk", KEY, "-psk_identity", "ip2usb2"}, -EACCES, NO_KEY},
		{{"-cert", "cert.pem", "-key", "key.pem"}, -EACCES, NO_KEY},
		{{"-cert", "cert.pem", "-key", "key.pem", "-tls1_2"}, -EPROTO,
			"it broke the TLS protocol"},
		/* It knows the key, and shows a certificate all the same. */
		{{"-cert", "cert.pem", "-key", "key.pem", "-psk", KEY, "-psk_identity", "other"},
			-EACCES, NO_KEY},
	};

	(void)state;
	for (size_t i = 0; i < PEER_COUNT(servers); i++) {
		struct foreign f;
		struct conn c;
		int r;

		start_server(&f, servers[i].arguments);
		connect_to(&c, &f);
		r = shake(&c);
		if (r != servers[i].error ||
			strncmp(conn_why(&c, r), servers[i].why, strlen(servers[i].why)) != 0)
			fail_msg("server %zu: %d, %s", i, r, conn_why(&c, r));
		conn_close(&c);
		end(&f);
	}
}

/* ---- their client ---- */

static void start_client(struct foreign *f, struct conn *c, const char *const *arguments)
{
	const char *all[MAX_ARGUMENTS] = {"s_client", "-connect"};
	int listening = peer_tcp_port(true, f->port);
	char address[32];
	size_t n = 2;

	(void)snprintf(address, sizeof(address), "127.0.0.1:%s", f->port);
	all[n++] = address;
	for (size_t i = 0; arguments[i]; i++)
		all[n++] = arguments[i];
	run(f, all);
	conn_adopt(c, accept(listening, NULL, NULL));
	close(listening);
	secure(c, TLS_SERVER);
}

static void test_client(void **state)
{
	static const char *const clients[][10] = {
		{"-quiet", "-tls1_3", "-psk", KEY, "-psk_identity", "ip2usb"},
		{"-quiet", "-tls1_3", "-psk", KEY, "-psk_identity", "ip2usb", "-ciphersuites",
			"TLS_CHACHA20_POLY1305_SHA256"},
		{"-quiet", "-psk", KEY, "-psk_identity", "ip2usb", "-groups", "P-256"},
		{"-quiet", "-psk", KEY, "-psk_identity", "ip2usb", "-allow_no_dhe_kex"},
		/* A share that is of no use, and then another. */
		{"-quiet", "-psk", KEY, "-psk_identity", "ip2usb", "-groups", "P-521:X25519"},
	};

	(void)state;
	for (size_t i = 0; i < PEER_COUNT(clients); i++) {
		struct foreign f;
		struct conn c;

		start_client(&f, &c, clients[i]);
		assert_int_equal(shake(&c), 1);
		converse(&c, &f);
		conn_close(&c);
		end(&f);
	}
}

/* It changes its keys, and wants ours changed. */
static void test_client_rekeys(void **state)
{
	static const char *const client[] = {
		"-tls1_3", "-psk", KEY, "-psk_identity", "ip2usb", NULL};
	struct foreign f;
	struct conn c;

	(void)state;
	start_client(&f, &c, client);
	assert_int_equal(shake(&c), 1);
	for (int i = 0; i < 3; i++) {
		/* A command is one if it is read alone. */
		assert_int_equal(write(f.in, i == 1 ? "k\n" : "K\n", 2), 2);
		expect_text(f.out, "KEYUPDATE");
		assert_int_equal(write(f.in, "one of theirs\n", 14), 14);
		expect_data(&c, "one of theirs\n");
		put(&c, "a word of ours\n");
		expect_text(f.out, "a word of ours\n");
	}
	conn_close(&c);
	end(&f);
}

static void test_client_refused(void **state)
{
	static const struct {
		const char *arguments[10];
		int error;
		const char *why;
	} clients[] = {
		{{"-tls1_3", "-psk", OTHER, "-psk_identity", "ip2usb"}, -EACCES,
			"it has another key"},
		{{"-tls1_3", "-psk", KEY, "-psk_identity", "ip2us"}, -EACCES,
			"it has no key for this server"},
		{{"-tls1_3", "-psk", KEY, "-psk_identity", "ip2usb2"}, -EACCES,
			"it has no key for this server"},
		{{"-tls1_3"}, -EACCES, "it has no key for this server"},
		{{"-tls1_2"}, -EPROTO, "it broke the TLS protocol"},
		{{"-tls1_2", "-psk", KEY, "-psk_identity", "ip2usb"}, -EPROTO,
			"it broke the TLS protocol"},
		{{"-tls1_3", "-psk", KEY, "-psk_identity", "ip2usb", "-ciphersuites",
			 "TLS_AES_256_GCM_SHA384"},
			-EPROTO, "it broke the TLS protocol"},
	};

	(void)state;
	for (size_t i = 0; i < PEER_COUNT(clients); i++) {
		struct foreign f;
		struct conn c;
		int r;

		start_client(&f, &c, clients[i].arguments);
		r = shake(&c);
		if (r != clients[i].error || strcmp(conn_why(&c, r), clients[i].why) != 0)
			fail_msg("client %zu: %d, %s", i, r, conn_why(&c, r));
		conn_close(&c);
		end(&f);
	}
}

/* ---- a certificate ---- */

static int make_certificate(void **state)
{
	(void)state;
	if (!mkdtemp(folder) || chdir(folder))
		return 1;
	return system("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes "
		      "-keyout key.pem -out cert.pem -subj /CN=x -days 1 2>/dev/null");
}

static int remove_certificate(void **state)
{
	(void)state;
	(void)unlink("key.pem");
	(void)unlink("cert.pem");
	return chdir("/") || rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_server),
		cmocka_unit_test(test_server_refused),
		cmocka_unit_test(test_client),
		cmocka_unit_test(test_client_rekeys),
		cmocka_unit_test(test_client_refused),
	};

	return cmocka_run_group_tests(tests, make_certificate, remove_certificate);
}
