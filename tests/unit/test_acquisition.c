/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * acquisition against a server that is another process, and knows one connection after the other.
 *
 * Linked with --wrap=ev_timer_start,getaddrinfo,log_write.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "bridge/acquisition.h"
#include "bridge/client.h"
#include "bridge/config.h"
#include "bridge/log.h"
#include "bridge/probe.h"
#include "tests/unit/peer.h"
#include "tests/unit/samples.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define ST_BUSY 2 /* of OP_REP_IMPORT: device busy */
#define ST_NODEV 4

/* What the server does with its connections, in order; for an import the device is that asked for.
 */
enum step {
	DONE,
	LIST,
	BUSY,
	NODEV,
	GIVE,
	GIVE_OTHER,  /* of another vendor than the list says */
	GIVE_NEWER,  /* of another bcdDevice than the others */
	GIVE_BROKEN, /* its configuration is none */
	GIVE_GONE,   /* unplugged by the time of the first descriptor */
	GIVE_ERROR,  /* a USB error instead of it */
	GIVE_HALF,   /* closes at the first request */
	GIVE_DEAF,   /* answers none */
};

static const struct scene {
	const char *name;
	struct selection_criteria camera;
	unsigned num_devices; /* 1-1, 1-2 ... with serial numbers A, B ... */
	enum step steps[8];
	enum outcome outcome; /* OUTCOME_DONE: acquired */
	const char *words;    /* the busid acquired, or of the reason */
	const char *asked;    /* of the server: lists, and the busids of imports */
} scenes[] = {
	{"the only one", {.busid = ""}, 1, {LIST, GIVE}, OUTCOME_DONE, "1-1", "list 1-1 "},
	{"busy at first", {.busid = "1-2"}, 2, {LIST, BUSY, BUSY, GIVE}, OUTCOME_DONE, "1-2",
		"list 1-2 1-2 1-2 "},
	{"another in its place", {.has_id = true, .vendor = 0x04a9, .product = 0x3218}, 1,
		{LIST, BUSY, GIVE_OTHER}, OUTCOME_NO_CAMERA, "ffff:3218, is at 1-1",
		"list 1-1 1-1 "},
	{"by serial, the last looked at", {.serial = "B"}, 2, {LIST, GIVE, GIVE}, OUTCOME_DONE,
		"1-2", "list 1-1 1-2 "},
	{"by serial, another", {.serial = "A"}, 2, {LIST, GIVE, GIVE, GIVE}, OUTCOME_DONE, "1-1",
		"list 1-1 1-2 1-1 "},
	{"by serial, busy at first", {.serial = "B"}, 2, {LIST, GIVE, BUSY, BUSY, GIVE},
		OUTCOME_DONE, "1-2", "list 1-1 1-2 1-2 1-2 "},
	{"by serial, busy later", {.serial = "A"}, 2, {LIST, GIVE, GIVE, BUSY, GIVE}, OUTCOME_DONE,
		"1-1", "list 1-1 1-2 1-1 1-1 "},
	{"by serial, one broken", {.serial = "B"}, 2, {LIST, GIVE_BROKEN, GIVE}, OUTCOME_DONE,
		"1-2", "list 1-1 1-2 "},
	{"by serial, one not given", {.serial = "B"}, 2, {LIST, NODEV, GIVE}, OUTCOME_DONE, "1-2",
		"list 1-1 1-2 "},
	{"by serial, one closed in the probe", {.serial = "B"}, 2, {LIST, GIVE_HALF, GIVE},
		OUTCOME_DONE, "1-2", "list 1-1 1-2 "},
	{"by serial, another in place of one",
		{.has_id = true, .vendor = 0x04a9, .product = 0x3218, .serial = "B"}, 2,
		{LIST, GIVE_OTHER, GIVE}, OUTCOME_DONE, "1-2", "list 1-1 1-2 "},
	{"by serial, the last broken", {.serial = "A"}, 2, {LIST, GIVE, GIVE_BROKEN, GIVE},
		OUTCOME_DONE, "1-1", "list 1-1 1-2 1-1 "},
	{"by serial, found and gone", {.serial = "A"}, 2, {LIST, GIVE, GIVE, NODEV}, OUTCOME_FAILED,
		"does not hand device 1-1 over", "list 1-1 1-2 1-1 "},
	{"by serial, all that there is broken", {.serial = "A"}, 1, {LIST, GIVE_BROKEN},
		OUTCOME_UNPRESENTABLE, "unless it is one that could not", "list 1-1 "},
	{"by serial, two failed", {.serial = "A"}, 2, {LIST, NODEV, GIVE_BROKEN}, OUTCOME_FAILED,
		"unless it is one that could not", "list 1-1 1-2 "},
	{"not listed", {.busid = "1-1"}, 0, {LIST, LIST, LIST, LIST, LIST, LIST}, OUTCOME_NO_CAMERA,
		"no such camera", "list list list list list list "},
	{"gone", {.busid = ""}, 1, {LIST, NODEV}, OUTCOME_FAILED, "1-1", "list 1-1 "},
	{"not to be understood", {.busid = ""}, 1, {LIST, GIVE_BROKEN}, OUTCOME_UNPRESENTABLE,
		"configuration descriptor", "list 1-1 "},
	{"unplugged in the probe", {.busid = ""}, 1, {LIST, GIVE_GONE}, OUTCOME_FAILED,
		"device descriptor: it has been unplugged", "list 1-1 "},
	{"USB error in the probe", {.busid = ""}, 1, {LIST, GIVE_ERROR}, OUTCOME_FAILED,
		"device descriptor: Protocol error", "list 1-1 "},
	{"closed in the probe", {.busid = ""}, 1, {LIST, GIVE_HALF}, OUTCOME_FAILED, "closed",
		"list 1-1 "},
	{"nobody there", {.busid = ""}, 0, {DONE}, OUTCOME_FAILED, "Connection refused", ""},
};

/* ---- the resolver ---- */

static char refusing[8];      /* port of an address that comes before the server's; empty: none */
static unsigned resolving_us; /* that it takes */

int __real_getaddrinfo(
	const char *host, const char *port, const struct addrinfo *hints, struct addrinfo **out);
int __wrap_getaddrinfo(
	const char *host, const char *port, const struct addrinfo *hints, struct addrinfo **out);

int __wrap_getaddrinfo(
	const char *host, const char *port, const struct addrinfo *hints, struct addrinfo **out)
{
	if (resolving_us && hints->ai_flags & AI_NUMERICHOST)
		return EAI_NONAME;
	(void)usleep(resolving_us);
	if (*refusing) {
		assert_int_equal(__real_getaddrinfo(host, refusing, hints, out), 0);
		out = &(*out)->ai_next;
	}
	return __real_getaddrinfo(host, port, hints, out);
}

/* ---- the clock ---- */

static double haste = 1; /* so many times faster than the loop's */

void __real_ev_timer_start(struct ev_loop *loop, ev_timer *timer);
void __wrap_ev_timer_start(struct ev_loop *loop, ev_timer *timer);

void __wrap_ev_timer_start(struct ev_loop *loop, ev_timer *timer)
{
	timer->at /= haste;
	__real_ev_timer_start(loop, timer);
}

/* ---- the log ---- */

static char logged[2048]; /* in the scene under way, but for what -v shows */

void __wrap_log_write(int level, const char *format, ...) __attribute__((format(printf, 2, 3)));

void __wrap_log_write(int level, const char *format, ...)
{
	size_t used = strlen(logged);
	va_list args;

	if (level > LOG_INFO)
		return;
	va_start(args, format);
	(void)vsnprintf(logged + used, sizeof(logged) - used, format, args);
	va_end(args);
	used = strlen(logged);
	(void)snprintf(logged + used, sizeof(logged) - used, "\n");
}

/* ---- the server, a process of its own ---- */

static bool take(int fd, void *buf, size_t size)
{
	return recv(fd, buf, size, MSG_WAITALL) == (ssize_t)size;
}

static void flush(struct peer *p, int fd)
{
	if (send(fd, p->out, p->out_size, MSG_NOSIGNAL) < 0)
		_exit(1);
	p->out_size = 0;
}

static struct peer_device device(unsigned i, char busid[8])
{
	(void)snprintf(busid, 8, "1-%u", (i + 1) % 10);
	return (struct peer_device){busid, 1, i + 1, USB_SPEED_HIGH, 0x04a9, 0x3218, 0, 0};
}

static void answer_request(struct peer *p, const uint8_t header[48], enum step step, unsigned i)
{
	const struct sample *c = &samples[SAMPLE_PTP];
	const uint8_t *setup = header + 40;
	const char16_t serial[] = {(char16_t)('A' + i)}, langs[] = {0x0409};
	uint32_t seqnum = (uint32_t)(header[6] << 8 | header[7]) | (uint32_t)header[4] << 24 |
		(uint32_t)header[5] << 16;
	uint32_t length = (uint32_t)(setup[6] | setup[7] << 8), size = 0;
	uint8_t buf[255];

	if (setup[0] != USB_DIR_IN) {
		peer_send_ret_submit(p, seqnum, 0, NULL, 0);
		return;
	}
	if (step == GIVE_GONE || step == GIVE_ERROR) {
		peer_send_ret_submit(p, seqnum, step == GIVE_GONE ? -ESHUTDOWN : -EPROTO, NULL, 0);
		return;
	}
	if (setup[3] == USB_DT_DEVICE) {
		size = sizeof(c->device);
		memcpy(buf, c->device, size);
		buf[12] = (uint8_t)(buf[12] + (step == GIVE_NEWER));
	} else if (setup[3] == USB_DT_CONFIG) {
		size = (uint32_t)c->config_size;
		memcpy(buf, c->config, size);
		buf[1] = step == GIVE_BROKEN ? 0 : buf[1];
	} else {
		size = (uint32_t)sample_string(buf, setup[2] ? serial : langs, 1);
	}
	peer_send_ret_submit(p, seqnum, 0, buf, size < length ? size : length);
}

static void give(struct peer *p, int fd, enum step step, unsigned i)
{
	char busid[8];
	struct peer_device d = device(i, busid);
	uint8_t header[48];

	d.vendor = step == GIVE_OTHER ? 0xffff : d.vendor;
	peer_send_op(p, 3, 0);
	peer_send_device(p, &d);
	flush(p, fd);
	while (take(fd, header, sizeof(header)) && step != GIVE_HALF) {
		if (step == GIVE_DEAF)
			continue;
		answer_request(p, header, step, i);
		flush(p, fd);
	}
}

static void serve_one(int fd, enum step step, unsigned num_devices, int asked)
{
	struct peer p = {.fd = -1};
	uint8_t request[8], busid[32], count[4] = {0, 0, 0, (uint8_t)num_devices};

	if (!take(fd, request, sizeof(request)))
		_exit(1);
	if (request[3] == 5) {
		dprintf(asked, "list ");
		peer_send_op(&p, 5, step == LIST ? 0 : 1);
		peer_send(&p, count, sizeof(count));
		for (unsigned i = 0; i < num_devices; i++) {
			char name[8];
			struct peer_device d = device(i, name);

			peer_send_device(&p, &d);
		}
		flush(&p, fd);
	} else if (take(fd, busid, sizeof(busid))) {
		dprintf(asked, "%s ", (const char *)busid);
		if (step == BUSY || step == NODEV)
			peer_send_op(&p, 3, step == BUSY ? ST_BUSY : ST_NODEV);
		if (step >= GIVE)
			give(&p, fd, step, (unsigned)(busid[2] - '1'));
		else
			flush(&p, fd);
	}
	free(p.out);
}

static void serve(int listening, const struct scene *scene, int asked)
{
	(void)alarm(30);
	for (const enum step *step = scene->steps; step < scene->steps + 8 && *step; step++) {
		int fd = accept(listening, NULL, NULL);

		/* The last one that it takes: who comes later is refused. */
		if (step + 1 == scene->steps + 8 || !step[1])
			close(listening);
		serve_one(fd, *step, scene->num_devices, asked);
		close(fd);
	}
	_exit(0);
}

/* ---- the client ---- */

static struct acquisition_options options;
static unsigned losses; /* of the link, once the camera is acquired, that are still to come */

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
	return u->profile && (u->acquisition.lost || losses);
}

static void on_acquired(void *user)
{
	struct user *u = user;

	assert_false(u->done);
	if (!u->profile)
		u->profile = acquisition_profile(&u->acquisition);
	assert_ptr_equal(acquisition_profile(&u->acquisition), u->profile);
	if (losses) {
		losses--;
		(void)shutdown(client_fd(u->acquisition.client), SHUT_RDWR);
		return;
	}
	u->done = true;
	(void)snprintf(u->words, sizeof(u->words), "%s", u->acquisition.imported);
	assert_int_equal(u->acquisition.probe->profile.vendor, 0x04a9);
	assert_non_null(u->acquisition.client);
	if (options.local_port)
		assert_int_equal(port_of(client_fd(u->acquisition.client)), options.local_port);
}

static void on_ended(void *user, enum outcome outcome, const char *reason)
{
	struct user *u = user;

	assert_false(u->done);
	if (is_to_be_looked_for(u)) {
		u->again = true;
		losses -= !u->acquisition.lost;
		return;
	}
	u->done = true;
	u->outcome = outcome;
	(void)snprintf(u->words, sizeof(u->words), "%s", reason);
}

static const struct acquisition_callbacks callbacks = {on_acquired, on_ended};

static void on_prepare(struct ev_loop *loop, ev_prepare *prepare, int events)
{
	struct user *u = prepare->data;

	(void)events;
	acquisition_prepare(&u->acquisition);
	if (u->again)
		acquisition_again(&u->acquisition, &options);
	u->again = false;
	if (u->done)
		ev_break(loop, EVBREAK_ALL);
}

static unsigned ticks; /* of 0.1 s that the loop has seen */

static void on_tick(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)loop;
	(void)timer;
	(void)events;
	ticks++;
}

static void acquire(struct user *u, const struct config *config)
{
	struct ev_loop *loop = ev_loop_new(0);
	ev_prepare prepare;
	ev_timer tick;

	ticks = 0;
	ev_timer_init(&tick, on_tick, 0.1, 0.1);
	__real_ev_timer_start(loop, &tick);

	memset(u, 0, sizeof(*u));
	ev_prepare_init(&prepare, on_prepare);
	prepare.data = u;
	ev_prepare_start(loop, &prepare);
	acquisition_init(&u->acquisition, loop, config, &options, &callbacks, u);
	ev_run(loop, 0);
	acquisition_fini(&u->acquisition);
	ev_loop_destroy(loop);
}

static void play(const struct scene *scene)
{
	struct config config = {.server.host = "127.0.0.1", .camera = scene->camera};
	int listening = peer_tcp_port(*scene->steps != DONE, config.server.port), asked[2], status;
	char log[256];
	struct user u;
	ssize_t n;
	pid_t pid;

	*logged = 0;
	assert_int_equal(pipe(asked), 0);
	pid = fork();
	if (!pid)
		serve(listening, scene, asked[1]);
	close(listening);
	close(asked[1]);
	acquire(&u, &config);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	n = read(asked[0], log, sizeof(log) - 1);
	log[n > 0 ? n : 0] = 0;
	close(asked[0]);
	assert_string_equal(log, scene->asked);
	assert_int_equal(u.outcome, scene->outcome);
	if (!strstr(u.words, scene->words))
		fail_msg("'%s' has no '%s'", u.words, scene->words);
	assert_int_equal(status, 0);
}

static void test_scene(void **state)
{
	play(*state);
}

/* Who has to say more is told what there is. */
static void test_listed(void **state)
{
	static const struct scene none = {.camera.serial = "C",
		.num_devices = 2,
		.steps = {LIST, GIVE, GIVE},
		.outcome = OUTCOME_NO_CAMERA,
		.words = "no such camera: serial C",
		.asked = "list 1-1 1-2 "};
	static const struct scene several = {.num_devices = 2,
		.steps = {LIST},
		.outcome = OUTCOME_AMBIGUOUS,
		.words = "several",
		.asked = "list "};
	static const struct scene *const both[] = {&none, &several};

	(void)state;
	for (size_t i = 0; i < COUNT(both); i++) {
		play(both[i]);
		assert_non_null(strstr(logged,
			"the server exports 2 devices\n"
			"  busid 1-1 id 04a9:3218\n"
			"  busid 1-2 id 04a9:3218\n"));
	}
}

/* What has been said before is not said again. */
static void test_quiet(void **state)
{
	static const struct scene scene = {.camera.serial = "C",
		.num_devices = 2,
		.steps = {LIST, GIVE, BUSY, GIVE_BROKEN},
		.outcome = OUTCOME_UNPRESENTABLE,
		.words = "unless it is one that could not",
		.asked = "list 1-1 1-2 1-2 "};

	(void)state;
	play(&scene);
	assert_non_null(strstr(logged, "; trying again\n"));
	assert_non_null(strstr(logged, "1-2: the camera cannot be presented"));
	options.quiet = true;
	play(&scene);
	assert_string_equal(logged, "");
}

/* The link is lost: the same camera is acquired once more, and nothing else; its profile stays. */
static void test_again(void **state)
{
	static const struct scene once = {.num_devices = 1,
					  .steps = {LIST, GIVE, LIST, GIVE},
					  .words = "1-1",
					  .asked = "list 1-1 list 1-1 "},
				  twice = {.num_devices = 1,
					  .steps = {LIST, GIVE, LIST, GIVE_NEWER, LIST, GIVE},
					  .words = "1-1",
					  .asked = "list 1-1 list 1-1 list 1-1 "},
				  another = {.num_devices = 1,
					  .steps = {LIST, GIVE, LIST, GIVE_NEWER},
					  .outcome = OUTCOME_NO_CAMERA,
					  .words = "another camera is at 1-1",
					  .asked = "list 1-1 list 1-1 "};

	(void)state;
	losses = 1;
	play(&once);
	losses = 2;
	play(&twice);
	losses = 1;
	play(&another);
}

static void test_local_port(void **state)
{
	char port[8];

	(void)state;
	close(peer_tcp_port(false, port));
	options.local_port = (uint16_t)atoi(port);
	play(&scenes[0]);
}

/* One that hangs in the survey costs its 10 s and no more. */
static void test_deaf(void **state)
{
	static const struct scene scene = {.camera.serial = "B",
		.num_devices = 2,
		.steps = {LIST, GIVE_DEAF, GIVE},
		.words = "1-2",
		.asked = "list 1-1 1-2 "};

	(void)state;
	haste = 10;
	play(&scene);
	assert_non_null(strstr(logged, "1-1: the camera does not answer\n"));
}

/* Finding the server's address takes longer than a step may, each time, and keeps nobody. */
static void test_slow_resolver(void **state)
{
	(void)state;
	haste = 10;
	resolving_us = 1200000;
	play(&scenes[0]);
	assert_true(ticks >= 10);
}

/* The server's first address refuses, which connect() does not tell at once. */
static void test_second_address(void **state)
{
	int fd = peer_tcp_port(false, refusing);

	(void)state;
	play(&scenes[0]);
	close(fd);
}

static int as_usual(void **state)
{
	(void)state;
	haste = 1;
	resolving_us = 0;
	*refusing = 0;
	options = (struct acquisition_options){0};
	return 0;
}

int main(void)
{
	const struct CMUnitTest others[] = {
		cmocka_unit_test(test_listed),
		cmocka_unit_test_teardown(test_quiet, as_usual),
		cmocka_unit_test(test_again),
		cmocka_unit_test_teardown(test_local_port, as_usual),
		cmocka_unit_test_teardown(test_deaf, as_usual),
		cmocka_unit_test_teardown(test_slow_resolver, as_usual),
		cmocka_unit_test_teardown(test_second_address, as_usual),
	};
	struct CMUnitTest tests[COUNT(scenes) + COUNT(others)];

	for (size_t i = 0; i < COUNT(scenes); i++)
		tests[i] = (struct CMUnitTest){.name = scenes[i].name,
			.test_func = test_scene,
			.initial_state = (void *)&scenes[i]};
	memcpy(tests + COUNT(scenes), others, sizeof(others));
	return _cmocka_run_group_tests("acquisition", tests, COUNT(tests), NULL, NULL);
}
