/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/acquirer.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "bridge/client.h"
#include "bridge/config.h"
#include "bridge/log.h"
#include "bridge/probe.h"
#include "tests/unit/tlsgate.h"

struct acquirer acquirer = {.haste = 1};

int acquirer_as_usual(void **state)
{
	(void)state;
	acquirer = (struct acquirer){.haste = 1};
	return 0;
}

/* ---- the resolver ---- */

int __real_getaddrinfo(
	const char *host, const char *port, const struct addrinfo *hints, struct addrinfo **out);
int __wrap_getaddrinfo(
	const char *host, const char *port, const struct addrinfo *hints, struct addrinfo **out);

int __wrap_getaddrinfo(
	const char *host, const char *port, const struct addrinfo *hints, struct addrinfo **out)
{
	if (acquirer.resolving_us && hints->ai_flags & AI_NUMERICHOST)
		return EAI_NONAME;
	(void)usleep(acquirer.resolving_us);
	if (*acquirer.refusing) {
		assert_int_equal(__real_getaddrinfo(host, acquirer.refusing, hints, out), 0);
		out = &(*out)->ai_next;
	}
	return __real_getaddrinfo(host, port, hints, out);
}

/* ---- the clock ---- */

void __real_ev_timer_start(struct ev_loop *loop, ev_timer *timer);
void __wrap_ev_timer_start(struct ev_loop *loop, ev_timer *timer);

void __wrap_ev_timer_start(struct ev_loop *loop, ev_timer *timer)
{
	timer->at /= acquirer.haste;
	__real_ev_timer_start(loop, timer);
}

/* ---- the log ---- */

void __wrap_log_write(int level, const char *format, ...) __attribute__((format(printf, 2, 3)));

void __wrap_log_write(int level, const char *format, ...)
{
	size_t used = strlen(acquirer.logged);
	va_list args;

	if (level > LOG_INFO)
		return;
	va_start(args, format);
	(void)vsnprintf(acquirer.logged + used, sizeof(acquirer.logged) - used, format, args);
	va_end(args);
	used = strlen(acquirer.logged);
	(void)snprintf(acquirer.logged + used, sizeof(acquirer.logged) - used, "\n");
}

/* ---- the client ---- */

static uint16_t port_of(int fd)
{
	struct sockaddr_in address;
	socklen_t size = sizeof(address);

	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	return ntohs(address.sin_port);
}

struct user {
	struct acquisition acquisition;
	bool done, again;
	enum outcome outcome;
	char words[512];
	const struct usb_profile *profile; /* the first that was acquired */
};

/* The link of a camera that had been acquired is lost, or it is still not the same again. */
static bool is_to_be_looked_for(const struct user *u)
{
	return u->profile && (u->acquisition.lost || acquirer.losses);
}

static void on_acquired(void *user)
{
	struct user *u = user;

	assert_false(u->done);
	if (!u->profile)
		u->profile = acquisition_profile(&u->acquisition);
	assert_ptr_equal(acquisition_profile(&u->acquisition), u->profile);
	if (acquirer.losses) {
		acquirer.losses--;
		(void)shutdown(client_fd(u->acquisition.client), SHUT_RDWR);
		return;
	}
	u->done = true;
	(void)snprintf(u->words, sizeof(u->words), "%s", u->acquisition.imported);
	assert_int_equal(u->acquisition.probe->profile.vendor, 0x04a9);
	assert_non_null(u->acquisition.client);
	if (acquirer.options.local_port)
		assert_int_equal(
			port_of(client_fd(u->acquisition.client)), acquirer.options.local_port);
}

static void on_ended(void *user, enum outcome outcome, const char *reason)
{
	struct user *u = user;

	assert_false(u->done);
	if (is_to_be_looked_for(u)) {
		u->again = true;
		acquirer.losses -= !u->acquisition.lost;
		return;
	}
	u->done = true;
	u->outcome = outcome;
	(void)snprintf(u->words, sizeof(u->words), "%s", reason);
}

static void on_suspended(void *user, const char *reason)
{
	const struct user *u = user;

	assert_false(u->done);
	assert_string_equal(acquisition_state_str(&u->acquisition), "resuming");
	assert_true(*reason);
	acquirer.suspensions++;
}

/* The session that there was, on another connection. */
static void on_resumed(void *user)
{
	acquirer.resumes++;
	on_acquired(user);
}

static const struct acquisition_callbacks callbacks = {.acquired = on_acquired,
	.ended = on_ended,
	.suspended = on_suspended,
	.resumed = on_resumed};

static void on_prepare(struct ev_loop *loop, ev_prepare *prepare, int events)
{
	struct user *u = prepare->data;

	(void)events;
	acquisition_prepare(&u->acquisition);
	if (u->again)
		acquisition_again(&u->acquisition, &acquirer.options);
	u->again = false;
	if (u->done)
		ev_break(loop, EVBREAK_ALL);
}

static void on_tick(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)loop;
	(void)timer;
	(void)events;
	acquirer.ticks++;
}

static void acquire(struct user *u, const struct config *config)
{
	struct ev_loop *loop = ev_loop_new(0);
	ev_prepare prepare;
	ev_timer tick;

	acquirer.ticks = acquirer.suspensions = acquirer.resumes = 0;
	ev_timer_init(&tick, on_tick, 0.1, 0.1);
	__real_ev_timer_start(loop, &tick);

	memset(u, 0, sizeof(*u));
	ev_prepare_init(&prepare, on_prepare);
	prepare.data = u;
	ev_prepare_start(loop, &prepare);
	acquisition_init(&u->acquisition, loop, config, &acquirer.options, &callbacks, u);
	ev_run(loop, 0);
	acquisition_fini(&u->acquisition);
	ev_loop_destroy(loop);
}

void acquirer_play(const struct scene *scene)
{
	struct config config = {.server.host = "127.0.0.1", .camera = scene->camera};
	static const struct pairingkey key = {.bytes = "a key of the test's, 32 bytes "};
	struct forkserver server;
	struct tlsgate gate;
	char asked[256];
	struct user u;
	int status;

	*acquirer.logged = 0;
	forkserver_start(&server, scene->steps, scene->num_devices);
	if (acquirer.encrypted)
		tlsgate_start(&gate, &key, server.port, acquirer.encrypted);
	memcpy(config.server.port, acquirer.encrypted ? gate.port : server.port,
		sizeof(server.port));
	config.server.has_key = acquirer.has_key;
	config.server.key = key;
	config.server.key.bytes[0] ^= acquirer.wrong;
	acquire(&u, &config);
	if (acquirer.encrypted)
		acquirer.refused = tlsgate_end(&gate);
	status = forkserver_end(&server, asked, sizeof(asked));
	assert_string_equal(asked, scene->asked);
	assert_int_equal(u.outcome, scene->outcome);
	if (!strstr(u.words, scene->words))
		fail_msg("'%s' has no '%s'", u.words, scene->words);
	assert_int_equal(status, 0);
}
