/* SPDX-License-Identifier: GPL-2.0-or-later */
/* importer, and at the other end our own client: what the one says the other takes. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "bridge/client.h"
#include "bridge/conn.h"
#include "bridge/importer.h"
#include "tests/unit/fake_usbdevice.h"

#define URBS 4

struct both {
	struct importer *importer;
	struct client *client;
	struct usbdevice device;
	enum usbip_status status;
	unsigned num_listed;
	struct conn conn; /* the client's */
	char log[1024], closed[200];
	unsigned ends; /* of the importer */
	struct client_urb urbs[URBS];
	uint8_t data[URBS][20000];
};

static const struct usbip_device description = {.path = "/sys/devices/1-1",
	.busid = "1-1.4",
	.busnum = 1,
	.devnum = 0xffff,
	.speed = 5,
	.vendor = 0x04a9,
	.num_interfaces = 32};

static unsigned on_list(void *user, struct devlist_entry **entries)
{
	const struct both *b = user;

	*entries = calloc(b->num_listed + 1, sizeof(**entries));
	assert_non_null(*entries);
	for (unsigned i = 0; i < b->num_listed; i++) {
		(*entries)[i].device = description;
		(*entries)[i].device.devnum = i;
		(*entries)[i].interfaces[31].class = (uint8_t)i;
	}
	return b->num_listed;
}

static void on_import(void *user, const char *busid)
{
	struct both *b = user;

	assert_string_equal(busid, "1-1.4");
	if (b->status)
		importer_refuse(b->importer, b->status);
	else
		importer_give(b->importer, &b->device, &description);
}

static void on_end(void *user, const char *reason)
{
	struct both *b = user;

	(void)snprintf(b->closed, sizeof(b->closed), "%s", reason);
	b->ends++;
}

static const struct importer_callbacks callbacks = {
	.list = on_list, .import = on_import, .closed = on_end};

static void say(struct both *b, const char *format, int a, unsigned n)
{
	size_t used = strlen(b->log);

	(void)snprintf(b->log + used, sizeof(b->log) - used, format, a, n);
}

static void on_imported(void *user, const struct usbip_device *device)
{
	assert_int_equal(device->devnum, 0xffff);
	say(user, "imported ", 0, 0);
}

static void on_closed(void *user, int error, const char *reason)
{
	(void)reason;
	say(user, "closed %d ", error, 0);
}

static const struct client_callbacks client_callbacks = {
	.imported = on_imported, .closed = on_closed};

static void on_done(struct client_urb *urb, int status, uint32_t actual)
{
	say(urb->user, "%d:%u ", status, actual);
}

static void open_both(struct both *b)
{
	struct conn conn;
	int fds[2];

	memset(b, 0, sizeof(*b));
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	conn_adopt(&conn, fds[0]);
	conn_adopt(&b->conn, fds[1]);
	b->importer = importer_new(&conn, &callbacks, b);
	assert_non_null(b->importer);
}

static void import(struct both *b)
{
	assert_int_equal(client_new(&b->conn, "1-1.4", &client_callbacks, b, &b->client), 0);
	for (unsigned i = 0; i < URBS; i++) {
		static const uint8_t endpoints[URBS] = {0x81, 2, 0, 0};

		b->urbs[i] = (struct client_urb){.endpoint = endpoints[i],
			.buffer = b->data[i],
			.length = i < 2 ? sizeof(b->data[i]) : 18,
			.done = on_done,
			.user = b};
	}
	memcpy(b->urbs[2].setup, "\x80\x06\0\1\0\0\x12\0", 8);
	memcpy(b->urbs[3].setup, "\x21\x06\0\1\0\0\x12\0", 8);
}

static void run(struct both *b)
{
	for (int n = 0; n < 100; n++) {
		struct pollfd fd = {importer_fd(b->importer), importer_events(b->importer), 0};

		importer_flush(b->importer);
		if (poll(&fd, 1, 0) > 0)
			importer_dispatch(b->importer);
		if (!b->client || client_fd(b->client) < 0)
			continue;
		client_flush(b->client);
		fd = (struct pollfd){client_fd(b->client), client_events(b->client), 0};
		if (poll(&fd, 1, 0) > 0)
			client_dispatch(b->client);
	}
}

static void close_both(struct both *b)
{
	if (b->client)
		client_free(b->client);
	b->client = NULL;
	run(b);
	assert_int_equal(b->ends, 1);
	fake_usbdevice_end_all(&b->device, -ECONNRESET);
	importer_free(b->importer);
}

static void test_list(void **state)
{
	static const unsigned nums[] = {0, 1, 256};

	(void)state;
	for (size_t i = 0; i < sizeof(nums) / sizeof(nums[0]); i++) {
		struct both *b = calloc(1, sizeof(*b));
		struct devlist list;
		const char *why;
		int r = 0;

		assert_non_null(b);
		open_both(b);
		b->num_listed = nums[i];
		devlist_init(&list, &b->conn);
		for (int n = 0; !r && n < 100; n++) {
			r = devlist_dispatch(&list, &why);
			run(b);
		}
		assert_int_equal(r, 1);
		assert_int_equal(list.total, nums[i]);
		for (unsigned n = 0; n < nums[i]; n++) {
			assert_int_equal(list.entries[n].device.devnum, n);
			assert_int_equal(list.entries[n].interfaces[31].class, (uint8_t)n);
		}
		assert_string_equal(b->closed, "");
		devlist_fini(&list);
		close_both(b);
		free(b);
	}
}

static void test_refused(void **state)
{
	struct both *b = calloc(1, sizeof(*b));

	(void)state;
	assert_non_null(b);
	open_both(b);
	b->status = USBIP_ST_DEV_BUSY;
	import(b);
	run(b);
	assert_string_equal(b->log, "closed -16 ");
	close_both(b);
	free(b);
}

/* The log is in the order of the answers. */
static void test_session(void **state)
{
	struct both *b = calloc(1, sizeof(*b));

	(void)state;
	assert_non_null(b);
	open_both(b);
	import(b);
	run(b);
	memset(b->data[1], 0x5a, sizeof(b->data[1]));
	for (unsigned i = 0; i < URBS; i++)
		assert_int_equal(client_submit(b->client, &b->urbs[i]), 0);
	run(b);
	assert_int_equal(b->device.num_urbs, URBS);
	assert_int_equal(fake_usbdevice_urb(&b->device, 1)->buffer[19999], 0x5a);
	fake_usbdevice_end(fake_usbdevice_urb(&b->device, 3), 0, NULL, 18);
	fake_usbdevice_end(fake_usbdevice_urb(&b->device, 2), 0, "descriptor", 10);
	fake_usbdevice_end(fake_usbdevice_urb(&b->device, 1), -EPIPE, NULL, 512);
	run(b);
	assert_string_equal(b->log, "imported 0:18 0:10 -32:512 ");
	assert_memory_equal(b->data[2], "descriptor", 10);
	/* Given up; and one that ends before that is heard of. */
	assert_int_equal(client_submit(b->client, &b->urbs[2]), 0);
	run(b);
	client_unlink(b->client, &b->urbs[0]);
	client_unlink(b->client, &b->urbs[2]);
	run(b);
	fake_usbdevice_end(fake_usbdevice_urb(&b->device, 1), 0, "faster", 6);
	assert_int_equal(fake_usbdevice_end_cancelled(&b->device), 1);
	run(b);
	assert_string_equal(b->log, "imported 0:18 0:10 -32:512 0:6 -104:0 ");
	assert_memory_equal(b->data[2], "faster", 6);
	assert_int_equal(client_in_flight(b->client), 0);
	/* The device goes. */
	assert_int_equal(client_submit(b->client, &b->urbs[0]), 0);
	run(b);
	importer_unplugged(b->importer, "the device was unplugged");
	fake_usbdevice_end_all(&b->device, -ESHUTDOWN);
	run(b);
	assert_non_null(strstr(b->log, "-104:0 -108:0 closed"));
	assert_string_equal(b->closed, "the device was unplugged");
	close_both(b);
	free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_session),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
