/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <ev.h>

#include "bridge/announcer.h"
#include "tests/unit/exportrig.h"
#include "tests/unit/peer.h"

#define SETTLE_S 0.05

static double haste = 1;

void __real_ev_timer_start(struct ev_loop *loop, ev_timer *timer);
void __wrap_ev_timer_start(struct ev_loop *loop, ev_timer *timer);

void __wrap_ev_timer_start(struct ev_loop *loop, ev_timer *timer)
{
	ev_timer_set(timer, timer->at / haste, timer->repeat);
	__real_ev_timer_start(loop, timer);
}

void exportrig_open(struct exportrig *r, int devices)
{
	fake_libusb_init();
	for (int port = 1; port <= devices; port++)
		(void)fake_libusb_plug(port);
	r->loop = ev_loop_new(0);
	assert_non_null(r->loop);
	strcpy(r->config.listen, "127.0.0.1");
	strcpy(r->config.port, "0");
	if (!*r->config.notices)
		strcpy(r->config.notices, EXPORTCONFIG_OFF);
	haste = r->haste > 0 ? r->haste : 1;
	assert_int_equal(exporter_init(&r->exporter, r->loop, &r->config), 0);
	/* What is plugged in is looked at a little later; not so much here. */
	r->exporter.devices.settle.repeat = SETTLE_S;
	if (devices)
		ev_timer_again(r->loop, &r->exporter.devices.settle);
	exportrig_settle(r);
}

void exportrig_settle(struct exportrig *r)
{
	exportrig_turn(r, 10);
	EXPORTRIG_UNTIL(r, !ev_is_active(&r->exporter.devices.settle));
	/* Whoever looks at one has it. */
	EXPORTRIG_UNTIL(r, !fake_libusb_is_referred_to(1));
}

void exportrig_close(struct exportrig *r)
{
	exporter_end(&r->exporter);
	/* Until it breaks out, as ip2usb-export does; ended by a signal where that never comes. */
	alarm(60);
	ev_run(r->loop, 0);
	alarm(0);
	assert_null(r->exporter.sessions);
	exporter_fini(&r->exporter);
	ev_loop_destroy(r->loop);
	fake_libusb_init();
	haste = 1;
}

void exportrig_step(struct exportrig *r)
{
	ev_run(r->loop, EVRUN_NOWAIT);
	usleep(100);
}

void exportrig_turn(struct exportrig *r, int turns)
{
	for (int i = 0; i < turns; i++) {
		ev_run(r->loop, EVRUN_NOWAIT);
		usleep(1000);
	}
}

/* ---- who connects ---- */

static int connect_to(const struct exportrig *r, int listener)
{
	struct sockaddr_in address;
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)r;
	assert_int_equal(getsockname(listener, (struct sockaddr *)(void *)&address, &size), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)(void *)&address, size), 0);
	return fd;
}

int exportrig_connect(struct exportrig *r)
{
	return connect_to(r, r->exporter.listener.io.fd);
}

int exportrig_connect_notices(struct exportrig *r)
{
	return connect_to(r, r->exporter.devices.announcer->listener);
}

void exportrig_send(int fd, const void *bytes, size_t size)
{
	assert_int_equal(send(fd, bytes, size, MSG_NOSIGNAL), size);
}

size_t exportrig_receive(struct exportrig *r, int fd, void *bytes, size_t size)
{
	size_t have = 0;

	for (int i = 0; have < size && i < 100000; i++) {
		ssize_t n = recv(fd, (char *)bytes + have, size - have, MSG_DONTWAIT);

		if (!n || (n < 0 && errno != EAGAIN))
			return have;
		have += n > 0 ? (size_t)n : 0;
		ev_run(r->loop, EVRUN_NOWAIT);
		if (n < 0)
			usleep(100);
	}
	assert_int_equal(have, size);
	return have;
}

void exportrig_expect_end(struct exportrig *r, int fd)
{
	char byte;

	assert_int_equal(exportrig_receive(r, fd, &byte, 1), 0);
}

/* ---- lists and imports ---- */

static uint32_t be32(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

const char *exportrig_list(struct exportrig *r)
{
	static const uint8_t request[8] = {1, 0x11, 0x80, 5};
	static char busids[1024];
	int fd = exportrig_connect(r);
	uint8_t head[12], device[USBIP_DEVICE_SIZE], interfaces[4 * 255];

	*busids = '\0';
	exportrig_send(fd, request, sizeof(request));
	assert_int_equal(exportrig_receive(r, fd, head, sizeof(head)), sizeof(head));
	assert_memory_equal(head, "\1\x11\0\5\0\0\0\0", 8);
	for (uint32_t n = be32(head + 8); n; n--) {
		assert_int_equal(exportrig_receive(r, fd, device, sizeof(device)), sizeof(device));
		assert_int_equal(
			exportrig_receive(r, fd, interfaces, 4u * device[311]), 4 * device[311]);
		strcat(strcat(busids, (const char *)device + 256), " ");
	}
	exportrig_expect_end(r, fd);
	close(fd);
	return busids;
}

/* The order is nobody's. */
void exportrig_expect_list(struct exportrig *r, const char *busids)
{
	char expected[1024], *at;
	const char *list = exportrig_list(r);

	assert_int_equal(strlen(list), strlen(busids));
	strcpy(expected, busids);
	for (at = strtok(expected, " "); at; at = strtok(NULL, " "))
		assert_non_null(strstr(list, at));
}

void exportrig_ask_import(int fd, const char *busid)
{
	uint8_t request[8 + USBIP_BUSID_SIZE] = {1, 0x11, 0x80, 3};

	(void)memcpy(request + 8, busid, strlen(busid));
	exportrig_send(fd, request, sizeof(request));
}

int exportrig_import_status(struct exportrig *r, int fd)
{
	uint8_t answer[8], device[USBIP_DEVICE_SIZE];
	size_t n = exportrig_receive(r, fd, answer, sizeof(answer));

	if (!n)
		return -1;
	assert_int_equal(n, sizeof(answer));
	assert_memory_equal(answer, "\1\x11\0\3", 4);
	if (!be32(answer + 4))
		assert_int_equal(exportrig_receive(r, fd, device, sizeof(device)), sizeof(device));
	return (int)be32(answer + 4);
}

int exportrig_import(struct exportrig *r, int fd, const char *busid)
{
	exportrig_ask_import(fd, busid);
	return exportrig_import_status(r, fd);
}

static uint32_t devid(void)
{
	return FAKE_LIBUSB_BUS << 16 | (uint32_t)fake_libusb_at(1)->address;
}

void exportrig_submit(int fd, uint32_t seqnum, uint32_t length)
{
	const uint32_t words[] = {1, seqnum, devid(), 1, 1, 0, length};
	uint8_t wire[48] = {0};

	for (size_t i = 0; i < PEER_COUNT(words); i++)
		peer_put_be32(wire + 4 * i, words[i]);
	exportrig_send(fd, wire, sizeof(wire));
}

void exportrig_expect_submitted(struct exportrig *r, int fd, uint32_t seqnum, int32_t status)
{
	uint8_t wire[48], data[4096];
	size_t actual;

	assert_int_equal(exportrig_receive(r, fd, wire, sizeof(wire)), sizeof(wire));
	assert_int_equal(be32(wire), 3);
	assert_int_equal(be32(wire + 4), seqnum);
	assert_int_equal((int32_t)be32(wire + 20), status);
	actual = be32(wire + 24);
	assert_in_range(actual, 0, sizeof(data));
	assert_int_equal(exportrig_receive(r, fd, data, actual), actual);
}
