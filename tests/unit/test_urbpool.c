/* SPDX-License-Identifier: GPL-2.0-or-later */
/* urbpool. With malloc, calloc and realloc wrapped. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

#include "bridge/urbpool.h"
#include "bridge/usbip.h"
#include "tests/unit/allocations.h"
#include "tests/unit/fake_libusb.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define MAX_BYTES ((1u << 20) + (64u << 10))

/* All of what was asked for is there (ASan sees what is not), and not more than twice of it. */
static void test_sizes(void **state)
{
	static const uint32_t sizes[] = {0, 1, 8, 511, 512, 520, 521, 1032, 1033, 16384, 16392,
		65536 + 8, USBIP_MAX_TRANSFER, USBIP_MAX_TRANSFER + 8, USBIP_MAX_TRANSFER + 9,
		MAX_BYTES};
	struct urbpool pool = {0};
	struct urbpool_urb *large;

	(void)state;
	for (size_t i = 0; i < COUNT(sizes); i++) {
		struct urbpool_urb *u = urbpool_take(&pool, sizes[i], 3);

		assert_non_null(u);
		memset(u->buffer, 1, sizes[i]);
		memset(u->packets, 1, 3 * sizeof(*u->packets));
		assert_in_range(pool.bytes_used, sizes[i], 2 * sizes[i] + 520);
		assert_int_equal(pool.num_used, 1);
		urbpool_give(&pool, u);
		assert_int_equal(pool.num_used, 0);
		assert_int_equal(pool.bytes_used, 0);
	}
	/* A setup packet does not cost the next size. */
	large = urbpool_take(&pool, 16384 + 8, 0);
	assert_int_equal(pool.bytes_used, 16384 + 8);
	urbpool_give(&pool, urbpool_take(&pool, 0, 0));
	assert_int_equal(pool.bytes_used, 16384 + 8);
	assert_int_equal(pool.num_used, 1);
	urbpool_give(&pool, large);
	urbpool_fini(&pool);
}

static void test_again(void **state)
{
	struct urbpool pool = {0};
	struct urbpool_urb *u = urbpool_take(&pool, 4096, 2), *other;
	unsigned before;

	(void)state;
	u->at_device.transfer = libusb_alloc_transfer(0);
	u->in = u->unlinking = true;
	u->next = u;
	u->link = &u->next;
	urbpool_give(&pool, u);
	before = allocations;
	/* With what it has of the device. */
	assert_ptr_equal(urbpool_take(&pool, 3000, 2), u);
	assert_int_equal(allocations, before);
	assert_non_null(u->at_device.transfer);
	assert_true(!u->in && !u->unlinking && !u->next && !u->link);
	/* It is in use; the next is another, and so is one of another size. */
	other = urbpool_take(&pool, 3000, 0);
	assert_ptr_not_equal(other, u);
	urbpool_give(&pool, u);
	u = urbpool_take(&pool, 512, 0);
	assert_int_equal(pool.num_used, 2);
	urbpool_give(&pool, u);
	urbpool_give(&pool, other);
	/* More packets: room for them is made. */
	u = urbpool_take(&pool, 4096, 1024);
	memset(u->packets, 1, 1024 * sizeof(*u->packets));
	urbpool_give(&pool, u);
	urbpool_fini(&pool);
	assert_int_equal(fake_libusb.allocated, 0);
}

/* What is not in use is bounded, whatever has been. */
static void test_bounded(void **state)
{
	struct urbpool_urb *urbs[16];
	struct urbpool pool = {0};

	(void)state;
	for (size_t i = 0; i < COUNT(urbs); i++) {
		urbs[i] = urbpool_take(&pool, USBIP_MAX_TRANSFER, 0);
		urbs[i]->at_device.transfer = libusb_alloc_transfer(0);
	}
	for (size_t i = 0; i < COUNT(urbs); i++)
		urbpool_give(&pool, urbs[i]);
	assert_in_range(pool.bytes_kept, 1, URBPOOL_MAX_KEPT);
	assert_int_equal(pool.bytes_used, 0);
	assert_in_range(fake_libusb.allocated, 1, URBPOOL_MAX_KEPT / USBIP_MAX_TRANSFER);
	urbpool_fini(&pool);
	assert_int_equal(fake_libusb.allocated, 0);
}

static void test_no_memory(void **state)
{
	struct urbpool pool = {0};
	struct urbpool_urb *u;

	(void)state;
	/* Itself, its buffer, its packets. */
	for (unsigned n = 1; n <= 3; n++) {
		allocations_fail(n);
		assert_null(urbpool_take(&pool, 4096, 1));
		allocations_fail(0);
		assert_int_equal(pool.num_used, 0);
		assert_int_equal(pool.bytes_used, 0);
		assert_int_equal(pool.bytes_kept, 0);
	}
	/* Of one that was kept: packets. It is gone, and counted so. */
	urbpool_give(&pool, urbpool_take(&pool, 4096, 1));
	allocations_fail(1);
	assert_null(urbpool_take(&pool, 4096, 2));
	allocations_fail(0);
	assert_int_equal(pool.bytes_kept, 0);
	u = urbpool_take(&pool, 4096, 2);
	assert_non_null(u);
	urbpool_give(&pool, u);
	urbpool_fini(&pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_again),
		cmocka_unit_test(test_bounded),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
