/* SPDX-License-Identifier: GPL-2.0-or-later */
/* exporter: a device that is imported and let go of a thousand times, over real connections: no
 * descriptor, thread or memory is left. With ev_timer_start wrapped. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <dirent.h>
#include <malloc.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "bridge/log.h"
#include "tests/unit/exportrig.h"
#include "tests/unit/quick.h"

#define ROUNDS 1000
#define FIRST 20 /* in which what stays is made */
#define SLACK                                                                                      \
	4096 /* bytes; less than 5 a round: glibc keeps stacks of threads, a few more or less */

/* Where there is a sanitizer. */
size_t __sanitizer_get_current_allocated_bytes(void) __attribute__((weak));

static unsigned entries(const char *folder)
{
	DIR *dir = opendir(folder);
	unsigned n = 0;

	assert_non_null(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static size_t allocated(void)
{
	return __sanitizer_get_current_allocated_bytes ? __sanitizer_get_current_allocated_bytes()
						       : mallinfo2().uordblks;
}

static bool is_free(const struct exportrig *r)
{
	return !r->exporter.sessions && fake_libusb_at(1)->drivers == 3;
}

/* With nothing under way, with URBs, with one that has been answered; closed, or reset. */
static void import_once(struct exportrig *r, unsigned round)
{
	static const struct linger reset = {.l_onoff = 1};
	int fd = exportrig_connect(r);

	assert_int_equal(exportrig_import(r, fd, "99-1"), USBIP_ST_OK);
	if (round % 3) {
		exportrig_submit(fd, 1, 512);
		exportrig_submit(fd, 2, 4096);
		EXPORTRIG_UNTIL(r, fake_libusb.num_transfers == 2);
	}
	if (round % 3 == 2) {
		fake_libusb_end(fake_libusb_transfer(1), LIBUSB_TRANSFER_STALL, NULL, 0);
		exportrig_expect_submitted(r, fd, 2, -32);
	}
	if (round % 2)
		assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)), 0);
	close(fd);
	EXPORTRIG_UNTIL(r, is_free(r));
	(void)fake_libusb_calls();
}

static void test_thousand(void **state)
{
	const unsigned rounds = quick_part(ROUNDS, 10);
	unsigned fds = 0, threads;
	size_t bytes = 0;
	struct exportrig r = {0};

	(void)state;
	log_set_level(LOG_WARNING);
	exportrig_open(&r, 1);
	threads = entries("/proc/self/task");
	for (unsigned round = 0; round < rounds; round++) {
		import_once(&r, round);
		if (round != FIRST - 1 && round != rounds - 1)
			continue;
		/* The last one's threads are gone, and it has been looked at again. */
		EXPORTRIG_UNTIL(&r, entries("/proc/self/task") == threads);
		exportrig_turn(&r, 20);
		if (round < FIRST) {
			fds = entries("/proc/self/fd");
			bytes = allocated();
		} else {
			assert_int_equal(entries("/proc/self/fd"), fds);
			assert_in_range(allocated(), 0, bytes + SLACK);
		}
	}
	exportrig_expect_list(&r, "99-1 ");
	exportrig_close(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_thousand)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
