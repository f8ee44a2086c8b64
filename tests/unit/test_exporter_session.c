/* SPDX-License-Identifier: GPL-2.0-or-later */
/* exporter: sessions whose importer is lost, for how long, and for whom. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/exportrig.h"
#include "tests/unit/peer.h"

#define ALL 3u /* interfaces */

static uint8_t token[USBIP_TOKEN_SIZE];

static bool is_free(void)
{
	const struct libusb_device *d = fake_libusb_at(1);

	return !d->opened && !d->claimed && d->drivers == ALL;
}

/* From this address of the loopback interface. */
static int connect_from(const struct exportrig *r, const char *address)
{
	struct sockaddr_in from = {.sin_family = AF_INET}, to;
	socklen_t size = sizeof(to);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(inet_pton(AF_INET, address, &from.sin_addr), 1);
	assert_int_equal(bind(fd, (struct sockaddr *)(void *)&from, sizeof(from)), 0);
	assert_int_equal(
		getsockname(r->exporter.listener.io.fd, (struct sockaddr *)(void *)&to, &size), 0);
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(connect(fd, (struct sockaddr *)(void *)&to, size), 0);
	return fd;
}

static uint8_t ask_session(struct exportrig *r, int fd, uint32_t hold_s)
{
	uint8_t request[8 + 36] = {1, 0x11, 0x80, 0x10}, answer[8 + 312 + 16];

	memcpy(request + 8, "99-1", 4);
	peer_put_be32(request + 40, hold_s);
	exportrig_send(fd, request, sizeof(request));
	assert_int_equal(exportrig_receive(r, fd, answer, 8), 8);
	assert_memory_equal(answer, "\1\x11\0\x10\0\0\0", 7);
	if (answer[7])
		return answer[7];
	assert_int_equal(exportrig_receive(r, fd, answer, 312 + 16), 312 + 16);
	memcpy(token, answer + 312, sizeof(token));
	return 0;
}

static uint8_t ask_resume(struct exportrig *r, int fd)
{
	uint8_t request[8 + 24] = {1, 0x11, 0x80, 0x11}, answer[12];

	memcpy(request + 8, token, sizeof(token));
	exportrig_send(fd, request, sizeof(request));
	assert_int_equal(exportrig_receive(r, fd, answer, 8), 8);
	assert_memory_equal(answer, "\1\x11\0\x11\0\0\0", 7);
	if (!answer[7])
		assert_int_equal(exportrig_receive(r, fd, answer, 4), 4);
	return answer[7];
}

/* One that is lost. */
static void start(struct exportrig *r, uint32_t hold_s)
{
	int fd;

	exportrig_open(r, 1);
	fd = exportrig_connect(r);
	assert_int_equal(ask_session(r, fd, hold_s), 0);
	close(fd);
	exportrig_turn(r, 20);
	assert_int_equal(r->exporter.num_sessions, 1);
	assert_int_equal(fake_libusb_at(1)->claimed, ALL);
}

static void test_kept(void **state)
{
	struct exportrig r = {0};
	int fd, again;

	(void)state;
	start(&r, 600);
	/* From another address, as the Pi's may be by then. */
	fd = connect_from(&r, "127.0.0.2");
	assert_int_equal(ask_resume(&r, fd), 0);
	/* In somebody's hands, so the list does not have it. */
	exportrig_expect_list(&r, "");
	assert_int_equal(fake_libusb_at(1)->claimed, ALL);
	/* Lost once more, it is that address that may begin anew. */
	close(fd);
	exportrig_turn(&r, 20);
	exportrig_expect_list(&r, "");
	fd = exportrig_connect(&r);
	assert_int_equal(ask_resume(&r, fd), 0);
	exportrig_expect_list(&r, "");
	/* Once more, while that one seems to live. */
	again = exportrig_connect(&r);
	assert_int_equal(ask_resume(&r, again), 0);
	exportrig_expect_end(&r, fd);
	close(fd);
	close(again);
	exportrig_close(&r);
}

static void test_too_late(void **state)
{
	struct exportrig r = {.haste = 10};
	int fd;

	(void)state;
	start(&r, 20);
	EXPORTRIG_UNTIL(&r, is_free());
	exportrig_settle(&r);
	exportrig_expect_list(&r, "99-1 ");
	fd = exportrig_connect(&r);
	assert_int_equal(ask_resume(&r, fd), USBIP_ST_NODEV);
	exportrig_expect_end(&r, fd);
	close(fd);
	exportrig_close(&r);
}

/* Who has been lost may begin anew; others wait. */
static void test_begins_anew(void **state)
{
	struct exportrig r = {0};
	int fd, other, again;

	(void)state;
	start(&r, 600);
	other = connect_from(&r, "127.0.0.2");
	assert_int_equal(ask_session(&r, other, 1), USBIP_ST_DEV_BUSY);
	close(other);
	other = connect_from(&r, "127.0.0.2");
	assert_int_equal(exportrig_import(&r, other, "99-1"), USBIP_ST_DEV_BUSY);
	close(other);
	exportrig_expect_list(&r, "99-1 ");
	assert_int_equal(fake_libusb_at(1)->claimed, ALL);
	fd = exportrig_connect(&r);
	assert_int_equal(ask_session(&r, fd, 1), USBIP_ST_DEV_BUSY);
	close(fd);
	EXPORTRIG_UNTIL(&r, is_free());
	exportrig_settle(&r);
	again = exportrig_connect(&r);
	assert_int_equal(exportrig_import(&r, again, "99-1"), USBIP_ST_OK);
	close(again);
	exportrig_close(&r);
}

static void test_unplugged(void **state)
{
	struct exportrig r = {0};
	int fd;

	(void)state;
	start(&r, 600);
	fake_libusb_unplug(fake_libusb_at(1));
	exportrig_settle(&r);
	fd = exportrig_connect(&r);
	assert_int_equal(ask_resume(&r, fd), USBIP_ST_NODEV);
	close(fd);
	exportrig_close(&r);
}

/* The exporter ends; it waits for nobody. */
static void test_ends(void **state)
{
	struct exportrig r = {0};

	(void)state;
	start(&r, 600);
	exportrig_close(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kept),
		cmocka_unit_test(test_too_late),
		cmocka_unit_test(test_begins_anew),
		cmocka_unit_test(test_unplugged),
		cmocka_unit_test(test_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
