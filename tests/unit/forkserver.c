/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/forkserver.h"

#include <setjmp.h>
#include <stdarg.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/peer.h"
#include "tests/unit/samples.h"

#define ST_BUSY 2 /* of OP_REP_IMPORT: device busy */
#define ST_NODEV 4
#define PATIENCE_S 30 /* then it is no more */

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

static void answer_request(
	struct peer *p, const uint8_t header[48], enum forkserver_step step, unsigned i)
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
	if (step == STEP_GIVE_GONE || step == STEP_GIVE_ERROR) {
		peer_send_ret_submit(
			p, seqnum, step == STEP_GIVE_GONE ? -ESHUTDOWN : -EPROTO, NULL, 0);
		return;
	}
	if (setup[3] == USB_DT_DEVICE) {
		size = sizeof(c->device);
		memcpy(buf, c->device, size);
		buf[12] = (uint8_t)(buf[12] + (step == STEP_GIVE_NEWER));
	} else if (setup[3] == USB_DT_CONFIG) {
		size = (uint32_t)c->config_size;
		memcpy(buf, c->config, size);
		buf[1] = step == STEP_GIVE_BROKEN ? 0 : buf[1];
	} else {
		size = (uint32_t)sample_string(buf, setup[2] ? serial : langs, 1);
	}
	peer_send_ret_submit(p, seqnum, 0, buf, size < length ? size : length);
}

/* Of the session; and its messages so far. */
static const uint8_t token[16] = "a token of ours";
static uint32_t num_received;

static void serve_urbs(struct peer *p, int fd, enum forkserver_step step, unsigned i)
{
	uint8_t header[48];

	while (take(fd, header, sizeof(header)) && step != STEP_GIVE_HALF) {
		num_received++;
		if (step == STEP_GIVE_DEAF)
			continue;
		answer_request(p, header, step, i);
		flush(p, fd);
	}
}

static void give(struct peer *p, int fd, enum forkserver_step step, unsigned i)
{
	char busid[8];
	struct peer_device d = device(i, busid);

	d.vendor = step == STEP_GIVE_OTHER ? 0xffff : d.vendor;
	peer_send_op(p, step == STEP_SESSION ? 0x10 : 3, 0);
	peer_send_device(p, &d);
	if (step == STEP_SESSION)
		peer_send(p, token, sizeof(token));
	num_received = 0;
	flush(p, fd);
	serve_urbs(p, fd, step, i);
}

/* By what it says it has had all answers, and has sent what has come here. */
static void resume(struct peer *p, int fd, enum forkserver_step step)
{
	uint8_t how[24], received[4];

	if (!take(fd, how, sizeof(how)) || memcmp(how, token, sizeof(token)))
		_exit(2);
	peer_put_be32(received, num_received + (step == STEP_RESUME_WRONG));
	if (memcmp(how + 20, received, 4) && step == STEP_RESUME)
		_exit(3);
	peer_send_op(p, 0x11, step == STEP_RESUME_NODEV ? ST_NODEV : 0);
	if (step != STEP_RESUME_NODEV)
		peer_send(p, received, sizeof(received));
	flush(p, fd);
	serve_urbs(p, fd, step, 0);
}

static void list(struct peer *p, int fd, enum forkserver_step step, unsigned num_devices)
{
	static const uint8_t interface[4] = {6, 1, 1, 1};
	const uint8_t count[4] = {0, 0, 0, (uint8_t)num_devices};

	peer_send_op(p, 5, step == STEP_LIST || step == STEP_LIST_RESUMABLE ? 0 : 1);
	peer_send(p, count, sizeof(count));
	for (unsigned i = 0; i < num_devices; i++) {
		char name[8];
		struct peer_device d = device(i, name);

		d.interfaces = step == STEP_LIST_RESUMABLE;
		peer_send_device(p, &d);
		peer_send(p, interface, d.interfaces * sizeof(interface));
	}
	flush(p, fd);
}

static void serve_one(int fd, enum forkserver_step step, unsigned num_devices, int asked)
{
	struct peer p = {.fd = -1};
	uint8_t request[8], busid[36];
	bool session;

	if (!take(fd, request, sizeof(request)))
		_exit(1);
	session = request[3] == 0x10;
	if (request[3] == 0x11)
		dprintf(asked, "resume ");
	if (request[3] == 5) {
		dprintf(asked, "list ");
		list(&p, fd, step, num_devices);
	} else if (request[3] == 0x11 && step < STEP_CLOSE) {
		resume(&p, fd, step);
	} else if (request[3] != 0x11 && take(fd, busid, session ? 36 : 32)) {
		dprintf(asked, "%s%s ", session ? "session " : "", (const char *)busid);
		if (step == STEP_BUSY || step == STEP_NODEV)
			peer_send_op(
				&p, session ? 0x10 : 3, step == STEP_BUSY ? ST_BUSY : ST_NODEV);
		if (step >= STEP_GIVE && step < STEP_CLOSE)
			give(&p, fd, step, (unsigned)(busid[2] - '1'));
		else
			flush(&p, fd);
	}
	while (step == STEP_SILENT && take(fd, request, 1))
		;
	free(p.out);
}

static void serve(int listening, const enum forkserver_step *steps, unsigned num_devices, int asked)
{
	const enum forkserver_step *end = steps + FORKSERVER_STEPS;

	(void)alarm(PATIENCE_S);
	for (const enum forkserver_step *step = steps; step < end && *step; step++) {
		int fd = accept(listening, NULL, NULL);

		/* The last one that it takes: who comes later is refused. */
		if (step + 1 == end || !step[1])
			close(listening);
		serve_one(fd, *step, num_devices, asked);
		close(fd);
	}
	_exit(0);
}

void forkserver_start(struct forkserver *s, const enum forkserver_step steps[FORKSERVER_STEPS],
	unsigned num_devices)
{
	int listening = peer_tcp_port(*steps != STEP_NONE, s->port), asked[2];

	assert_int_equal(pipe(asked), 0);
	s->pid = fork();
	if (!s->pid)
		serve(listening, steps, num_devices, asked[1]);
	assert_true(s->pid > 0);
	close(listening);
	close(asked[1]);
	s->asked = asked[0];
}

int forkserver_end(struct forkserver *s, char *asked, size_t size)
{
	int status;
	ssize_t n;

	assert_int_equal(waitpid(s->pid, &status, 0), s->pid);
	n = read(s->asked, asked, size - 1);
	asked[n > 0 ? n : 0] = 0;
	close(s->asked);
	return status;
}
