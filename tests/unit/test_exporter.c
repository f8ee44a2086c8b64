/* SPDX-License-Identifier: GPL-2.0-or-later */
/* exporter: devices and importers that come and go. With ev_timer_start and log_write wrapped. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <syslog.h>
#include <unistd.h>

#include <cmocka.h>

#include "bridge/log.h"
#include "tests/unit/exportrig.h"

#define ALL 3u /* interfaces */

static char logged[16384]; /* by the loop and by threads */

void __wrap_log_write(int level, const char *format, ...) __attribute__((format(printf, 2, 3)));

void __wrap_log_write(int level, const char *format, ...)
{
	char line[512];
	va_list args;

	if (level > LOG_INFO)
		return;
	va_start(args, format);
	(void)vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (strlen(logged) + strlen(line) + 2 < sizeof(logged))
		strcat(strcat(logged, line), "\n");
}

static unsigned has_logged(const char *text)
{
	unsigned n = 0;

	for (const char *at = logged; (at = strstr(at, text)); at++)
		n++;
	return n;
}

static int as_usual(void **state)
{
	(void)state;
	*logged = '\0';
	return 0;
}

static bool is_free(int port)
{
	const struct libusb_device *d = fake_libusb_at(port);

	return !d->opened && !d->claimed && d->drivers == ALL;
}

/* ---- lists ---- */

static void test_list(void **state)
{
	struct exportrig r = {0};

	(void)state;
	exportrig_open(&r, 0);
	exportrig_expect_list(&r, "");
	(void)fake_libusb_plug(1);
	(void)fake_libusb_plug(2);
	fake_libusb_plug(3)->descriptor.bDeviceClass = LIBUSB_CLASS_HUB;
	fake_libusb_plug(4)->configuration = 2; /* no camera */
	fake_libusb_plug(5)->configuration = 0; /* not yet */
	/* Not before the kernel has had its time with them. */
	exportrig_expect_list(&r, "");
	exportrig_settle(&r);
	exportrig_expect_list(&r, "99-1 99-2 99-5 ");
	assert_int_equal(has_logged("99-1: 04a9:3218  can be imported"), 1);
	assert_int_equal(has_logged("can be imported"), 3);
	fake_libusb_unplug(fake_libusb_at(2));
	exportrig_expect_list(&r, "99-1 99-5 ");
	assert_int_equal(has_logged("99-2: the device was unplugged"), 1);
	exportrig_close(&r);
}

/* It is told of what libusb cannot tell yet when it can. */
static void test_described_later(void **state)
{
	struct exportrig r = {0};

	(void)state;
	exportrig_open(&r, 0);
	fake_libusb.errors[FAKE_LIBUSB_DESCRIPTOR] = LIBUSB_ERROR_NO_DEVICE;
	(void)fake_libusb_plug(1);
	exportrig_settle(&r);
	exportrig_expect_list(&r, "");
	fake_libusb.errors[FAKE_LIBUSB_DESCRIPTOR] = 0;
	(void)fake_libusb_plug(2);
	exportrig_settle(&r);
	exportrig_expect_list(&r, "99-1 99-2 ");
	exportrig_close(&r);
}

/* ---- imports ---- */

static void test_import(void **state)
{
	struct exportrig r = {0};
	int first, second;

	(void)state;
	exportrig_open(&r, 2);
	first = exportrig_connect(&r);
	assert_int_equal(exportrig_import(&r, first, "99-1"), USBIP_ST_OK);
	assert_int_equal(fake_libusb_at(1)->claimed, ALL);
	exportrig_expect_list(&r, "99-2 ");
	/* One importer a device; each of them has its own. */
	second = exportrig_connect(&r);
	assert_int_equal(exportrig_import(&r, second, "99-1"), USBIP_ST_DEV_BUSY);
	exportrig_expect_end(&r, second);
	close(second);
	second = exportrig_connect(&r);
	assert_int_equal(exportrig_import(&r, second, "99-2"), USBIP_ST_OK);
	exportrig_expect_list(&r, "");
	/* They do not disturb each other. */
	exportrig_submit(first, 1, 64);
	EXPORTRIG_UNTIL(&r, fake_libusb.num_transfers == 1);
	close(second);
	EXPORTRIG_UNTIL(&r, is_free(2));
	assert_int_equal(fake_libusb.num_transfers, 1);
	fake_libusb_end(fake_libusb_transfer(0), LIBUSB_TRANSFER_COMPLETED, "hello", 5);
	exportrig_expect_submitted(&r, first, 1, 0);
	close(first);
	EXPORTRIG_UNTIL(&r, is_free(1));
	exportrig_close(&r);
}

static void test_refused(void **state)
{
	static const char *const none[] = {"99-3", "99-2", "99-4", "1-1", "99-1.1", "99-11"};
	struct exportrig r = {0};
	int fd;

	(void)state;
	exportrig_open(&r, 1);
	fake_libusb_plug(2)->descriptor.bDeviceClass = LIBUSB_CLASS_HUB;
	fake_libusb_plug(4)->configuration = 2;
	exportrig_settle(&r);
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		fd = exportrig_connect(&r);
		assert_int_equal(exportrig_import(&r, fd, none[i]), USBIP_ST_NODEV);
		exportrig_expect_end(&r, fd);
		close(fd);
	}
	assert_string_equal(fake_libusb_calls(), "");
	/* It cannot be opened; nothing of it can be had: then it is given back. */
	fake_libusb.errors[FAKE_LIBUSB_OPEN] = LIBUSB_ERROR_ACCESS;
	fd = exportrig_connect(&r);
	assert_int_equal(exportrig_import(&r, fd, "99-1"), USBIP_ST_NA);
	exportrig_expect_end(&r, fd);
	close(fd);
	assert_int_equal(has_logged("udev rule"), 1);
	fake_libusb.errors[FAKE_LIBUSB_OPEN] = 0;
	fake_libusb.claim_errors[0] = fake_libusb.claim_errors[1] = LIBUSB_ERROR_BUSY;
	fd = exportrig_connect(&r);
	assert_int_equal(exportrig_import(&r, fd, "99-1"), USBIP_ST_NA);
	exportrig_expect_end(&r, fd);
	close(fd);
	fake_libusb.claim_errors[0] = fake_libusb.claim_errors[1] = 0;
	EXPORTRIG_UNTIL(&r, is_free(1) && !r.exporter.sessions);
	fd = exportrig_connect(&r);
	assert_int_equal(exportrig_import(&r, fd, "99-1"), USBIP_ST_OK);
	close(fd);
	exportrig_close(&r);
}

/* With what it had under way; the next may have it as soon as it is free. */
static void test_importer_gone(void **state)
{
	struct exportrig r = {0};
	int fd;

	(void)state;
	exportrig_open(&r, 1);
	for (int round = 0; round < 3; round++) {
		fd = exportrig_connect(&r);
		assert_int_equal(exportrig_import(&r, fd, "99-1"), USBIP_ST_OK);
		exportrig_submit(fd, 1, 64);
		exportrig_submit(fd, 2, 64);
		EXPORTRIG_UNTIL(&r, fake_libusb.num_transfers == 2);
		(void)fake_libusb_calls();
		fake_libusb.cancels_late = round == 1;
		close(fd);
		if (round == 1) {
			/* While the device is at it, nobody else has it. */
			exportrig_turn(&r, 50);
			fd = exportrig_connect(&r);
			assert_int_equal(exportrig_import(&r, fd, "99-1"), USBIP_ST_DEV_BUSY);
			close(fd);
			fake_libusb_end(
				fake_libusb_transfer(0), LIBUSB_TRANSFER_CANCELLED, NULL, 0);
			fake_libusb_end(
				fake_libusb_transfer(1), LIBUSB_TRANSFER_COMPLETED, NULL, 64);
		}
		fake_libusb.cancels_late = false;
		EXPORTRIG_UNTIL(&r, is_free(1));
		assert_non_null(strstr(fake_libusb_calls(), "reset, give back 0, give back 1, "));
		assert_int_equal(fake_libusb.num_transfers, 0);
		EXPORTRIG_UNTIL(&r, !r.exporter.sessions);
		exportrig_expect_list(&r, "99-1 ");
	}
	exportrig_close(&r);
}

/* Before it has been given what it has asked for. */
static void test_importer_gone_early(void **state)
{
	struct exportrig r = {0};
	int fd;

	(void)state;
	exportrig_open(&r, 1);
	fake_libusb_block(true);
	fd = exportrig_connect(&r);
	exportrig_ask_import(fd, "99-1");
	EXPORTRIG_UNTIL(&r, fake_libusb_at(1)->opened);
	close(fd);
	exportrig_turn(&r, 50);
	fake_libusb_block(false);
	/* Nothing is read of who waits for that: it is found gone when it is given the device. */
	EXPORTRIG_UNTIL(&r, is_free(1) && !r.exporter.sessions);
	exportrig_expect_list(&r, "99-1 ");
	exportrig_close(&r);
}

static void test_device_gone(void **state)
{
	struct exportrig r = {0};
	int fd;

	(void)state;
	exportrig_open(&r, 2);
	fd = exportrig_connect(&r);
	assert_int_equal(exportrig_import(&r, fd, "99-1"), USBIP_ST_OK);
	exportrig_submit(fd, 1, 64);
	EXPORTRIG_UNTIL(&r, fake_libusb.num_transfers == 1);
	fake_libusb_unplug(fake_libusb_at(1));
	exportrig_expect_submitted(&r, fd, 1, -ESHUTDOWN);
	exportrig_expect_end(&r, fd);
	close(fd);
	EXPORTRIG_UNTIL(&r, !r.exporter.sessions);
	exportrig_expect_list(&r, "99-2 ");
	/* Another one at its place. */
	(void)fake_libusb_plug(1);
	exportrig_settle(&r);
	fd = exportrig_connect(&r);
	assert_int_equal(exportrig_import(&r, fd, "99-1"), USBIP_ST_OK);
	close(fd);
	exportrig_close(&r);
}

static void test_device_gone_early(void **state)
{
	struct exportrig r = {0};
	int fd;

	(void)state;
	exportrig_open(&r, 1);
	fake_libusb_block(true);
	fd = exportrig_connect(&r);
	exportrig_ask_import(fd, "99-1");
	EXPORTRIG_UNTIL(&r, fake_libusb_at(1)->opened);
	fake_libusb_unplug(fake_libusb_at(1));
	exportrig_turn(&r, 50);
	fake_libusb_block(false);
	/* Its session ends, with an answer or without. */
	(void)exportrig_import_status(&r, fd);
	exportrig_expect_end(&r, fd);
	close(fd);
	EXPORTRIG_UNTIL(&r, !r.exporter.sessions);
	exportrig_close(&r);
}

/* ---- other rules ---- */

static void test_configure(void **state)
{
	struct exportrig r = {0};
	struct exportconfig other;
	int fd;

	(void)state;
	exportrig_open(&r, 2);
	other = r.config;
	fd = exportrig_connect(&r);
	assert_int_equal(exportrig_import(&r, fd, "99-1"), USBIP_ST_OK);
	exportrig_submit(fd, 1, 64);
	EXPORTRIG_UNTIL(&r, fake_libusb.num_transfers == 1);
	/* The same ones: nothing happens. */
	exporter_configure(&r.exporter, &other);
	exportrig_turn(&r, 20);
	assert_int_equal(fake_libusb.num_transfers, 1);
	assert_true(exportrules_add(&other.rules, false, "port 99-1"));
	exporter_configure(&r.exporter, &other);
	exportrig_expect_submitted(&r, fd, 1, -ESHUTDOWN);
	exportrig_expect_end(&r, fd);
	close(fd);
	EXPORTRIG_UNTIL(&r, is_free(1) && !r.exporter.sessions);
	assert_int_equal(has_logged("99-1: it is not exported any more"), 1);
	assert_int_equal(has_logged("99-2: it is not"), 0);
	exportrig_expect_list(&r, "99-2 ");
	fd = exportrig_connect(&r);
	assert_int_equal(exportrig_import(&r, fd, "99-1"), USBIP_ST_NODEV);
	close(fd);
	/* It may be had again. */
	exporter_configure(&r.exporter, &r.config);
	exportrig_expect_list(&r, "99-1 99-2 ");
	fd = exportrig_connect(&r);
	assert_int_equal(exportrig_import(&r, fd, "99-1"), USBIP_ST_OK);
	close(fd);
	exportrig_close(&r);
}

/* The rules change while it is being opened for somebody. */
static void test_configure_early(void **state)
{
	struct exportrig r = {0};
	struct exportconfig other;
	int fd;

	(void)state;
	exportrig_open(&r, 1);
	other = r.config;
	assert_true(exportrules_add(&other.rules, false, "any"));
	fake_libusb_block(true);
	fd = exportrig_connect(&r);
	exportrig_ask_import(fd, "99-1");
	EXPORTRIG_UNTIL(&r, fake_libusb_at(1)->opened);
	exporter_configure(&r.exporter, &other);
	exportrig_turn(&r, 20);
	fake_libusb_block(false);
	assert_int_not_equal(exportrig_import_status(&r, fd), USBIP_ST_OK);
	exportrig_expect_end(&r, fd);
	close(fd);
	EXPORTRIG_UNTIL(&r, is_free(1) && !r.exporter.sessions);
	exportrig_close(&r);
}

/* ---- who is told ---- */

static void expect_line(struct exportrig *r, int fd, const char *line)
{
	char text[64];

	assert_int_equal(exportrig_receive(r, fd, text, strlen(line)), strlen(line));
	assert_memory_equal(text, line, strlen(line));
}

static void test_notices(void **state)
{
	struct exportrig r = {.config.notices = "0"};
	struct exportconfig other;
	int fd;

	(void)state;
	exportrig_open(&r, 1);
	other = r.config;
	fd = exportrig_connect_notices(&r);
	exportrig_send(fd, "Client hello", 12);
	expect_line(&r, fd, "99-1;PLUGGED;\n");
	fake_libusb_plug(3)->configuration = 2; /* which is not exported: nothing */
	(void)fake_libusb_plug(2);
	expect_line(&r, fd, "99-2;PLUGGED;\n");
	fake_libusb_unplug(fake_libusb_at(3));
	fake_libusb_unplug(fake_libusb_at(1));
	expect_line(&r, fd, "99-1;UNPLUGGED;\n");
	assert_true(exportrules_add(&other.rules, false, "any"));
	exporter_configure(&r.exporter, &other);
	expect_line(&r, fd, "99-2;UNPLUGGED;\n");
	exporter_configure(&r.exporter, &r.config);
	expect_line(&r, fd, "99-2;PLUGGED;\n");
	close(fd);
	exportrig_close(&r);
}

/* ---- bounds ---- */

static void test_too_many(void **state)
{
	int fds[EXPORTER_MAX_IMPORTERS], fd;
	struct exportrig r = {0};

	(void)state;
	exportrig_open(&r, 1);
	for (int i = 0; i < EXPORTER_MAX_IMPORTERS; i++) {
		fds[i] = exportrig_connect(&r);
		exportrig_turn(&r, 1);
	}
	EXPORTRIG_UNTIL(&r, r.exporter.num_sessions == EXPORTER_MAX_IMPORTERS);
	for (int i = 0; i < 3; i++) {
		fd = exportrig_connect(&r);
		exportrig_expect_end(&r, fd);
		close(fd);
	}
	assert_int_equal(has_logged("there are 64 connections"), 1);
	/* Those that were there are served. */
	assert_int_equal(exportrig_import(&r, fds[0], "99-1"), USBIP_ST_OK);
	close(fds[1]);
	EXPORTRIG_UNTIL(&r, r.exporter.num_sessions == EXPORTER_MAX_IMPORTERS - 1);
	exportrig_expect_list(&r, "");
	for (int i = 0; i < EXPORTER_MAX_IMPORTERS; i++) {
		if (i != 1)
			close(fds[i]);
	}
	exportrig_close(&r);
}

/* Who asks for nothing has its time; who imports has as long as it likes. */
static void test_idle(void **state)
{
	struct exportrig r = {.haste = 20};
	int idle, half, importing;

	(void)state;
	exportrig_open(&r, 1);
	importing = exportrig_connect(&r);
	assert_int_equal(exportrig_import(&r, importing, "99-1"), USBIP_ST_OK);
	idle = exportrig_connect(&r);
	half = exportrig_connect(&r);
	exportrig_send(half, "\1\x11\x80", 3);
	exportrig_expect_end(&r, idle);
	exportrig_expect_end(&r, half);
	close(idle);
	close(half);
	exportrig_submit(importing, 1, 64);
	EXPORTRIG_UNTIL(&r, fake_libusb.num_transfers == 1);
	close(importing);
	exportrig_close(&r);
}

/* ---- the end, and no beginning ---- */

static void test_end(void **state)
{
	struct exportrig r = {0};
	int fd;

	(void)state;
	exportrig_open(&r, 1);
	fd = exportrig_connect(&r);
	assert_int_equal(exportrig_import(&r, fd, "99-1"), USBIP_ST_OK);
	exportrig_submit(fd, 1, 64);
	EXPORTRIG_UNTIL(&r, fake_libusb.num_transfers == 1);
	(void)fake_libusb_calls();
	exporter_end(&r.exporter);
	exportrig_expect_end(&r, fd);
	close(fd);
	/* Which is when the loop is broken out of. */
	ev_run(r.loop, 0);
	assert_true(is_free(1));
	assert_null(r.exporter.sessions);
	exportrig_close(&r);
}

static void test_no_beginning(void **state)
{
	struct exportrig r = {0}, second = {0};
	struct sockaddr_storage address;
	socklen_t size = sizeof(address);
	static const enum fake_libusb_call calls[] = {
		FAKE_LIBUSB_INIT, FAKE_LIBUSB_POLLFDS, FAKE_LIBUSB_HOTPLUG};
	char port[8];

	(void)state;
	exportrig_open(&r, 0);
	assert_int_equal(
		getsockname(r.exporter.listener.io.fd, (struct sockaddr *)(void *)&address, &size),
		0);
	(void)snprintf(port, sizeof(port), "%u",
		ntohs(((struct sockaddr_in *)(void *)&address)->sin_port));
	second.config = r.config;
	strcpy(second.config.port, port);
	assert_int_equal(exporter_init(&second.exporter, r.loop, &second.config), -EADDRINUSE);
	assert_int_equal(has_logged("cannot listen at 127.0.0.1 port"), 1);
	exportrig_close(&r);
	second.loop = ev_loop_new(0);
	strcpy(second.config.port, "0");
	for (size_t i = 0; i < 3; i++) {
		fake_libusb.errors[calls[i]] = LIBUSB_ERROR_NO_MEM;
		assert_int_equal(
			exporter_init(&second.exporter, second.loop, &second.config), -ENOMEM);
		fake_libusb.errors[calls[i]] = 0;
	}
	assert_int_equal(has_logged("no USB here"), 3);
	ev_loop_destroy(second.loop);
	fake_libusb_init();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_list, as_usual),
		cmocka_unit_test_setup(test_described_later, as_usual),
		cmocka_unit_test_setup(test_import, as_usual),
		cmocka_unit_test_setup(test_refused, as_usual),
		cmocka_unit_test_setup(test_importer_gone, as_usual),
		cmocka_unit_test_setup(test_importer_gone_early, as_usual),
		cmocka_unit_test_setup(test_device_gone, as_usual),
		cmocka_unit_test_setup(test_device_gone_early, as_usual),
		cmocka_unit_test_setup(test_configure, as_usual),
		cmocka_unit_test_setup(test_configure_early, as_usual),
		cmocka_unit_test_setup(test_notices, as_usual),
		cmocka_unit_test_setup(test_too_many, as_usual),
		cmocka_unit_test_setup(test_idle, as_usual),
		cmocka_unit_test_setup(test_end, as_usual),
		cmocka_unit_test_setup(test_no_beginning, as_usual),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
