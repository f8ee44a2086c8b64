/* SPDX-License-Identifier: GPL-2.0-or-later */
/* usbhost, and exportlist above it. With fopen and realpath wrapped. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "bridge/exportconfig.h"
#include "bridge/exportlist.h"
#include "bridge/usbhost.h"
#include "tests/unit/fake_libusb.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define SYSFS "/sys/bus/usb/devices/"

/* ---- sysfs ---- */

static const struct attribute {
	const char *path;
	const char *text;
} * attributes;		 /* until one without a path; NULL: there are none */
static const char *real; /* what realpath says; NULL: an error */

FILE *__real_fopen(const char *path, const char *mode);
FILE *__wrap_fopen(const char *path, const char *mode);
char *__wrap_realpath(const char *path, char *out);

FILE *__wrap_fopen(const char *path, const char *mode)
{
	if (strncmp(path, SYSFS, strlen(SYSFS)) != 0)
		return __real_fopen(path, mode);
	for (const struct attribute *a = attributes; a && a->path; a++) {
		if (!strcmp(path + strlen(SYSFS), a->path))
			return *a->text ? fmemopen((void *)a->text, strlen(a->text), "r")
					: __real_fopen("/dev/null", mode);
	}
	errno = ENOENT;
	return NULL;
}

char *__wrap_realpath(const char *path, char *out)
{
	assert_int_equal(strncmp(path, SYSFS, strlen(SYSFS)), 0);
	return real ? strcpy(out, real) : NULL;
}

static int as_usual(void **state)
{
	(void)state;
	attributes = NULL;
	real = NULL;
	fake_libusb_init();
	return 0;
}

/* ---- one device ---- */

static void test_describe(void **state)
{
	static const struct attribute some[] = {{"99-1/serial",
							"12\x1b"
							"3\n"},
		{"99-1/product", "Canon Digital Camera\n"}, {"99-1:1.1/interface", "MTP\n"},
		{NULL, NULL}};
	struct libusb_device *device = fake_libusb_plug(1);
	struct usbhost_description d;
	struct exportrules_device of;

	(void)state;
	attributes = some;
	real = "/sys/devices/pci0/usb99/99-1";
	assert_int_equal(usbhost_describe(device, &d), 0);
	assert_string_equal(d.entry.device.path, real);
	assert_string_equal(d.entry.device.busid, "99-1");
	assert_int_equal(d.entry.device.busnum, 99);
	assert_int_equal(d.entry.device.devnum, device->address);
	assert_int_equal(d.entry.device.speed, 3);
	assert_int_equal(d.entry.device.vendor, 0x04a9);
	assert_int_equal(d.entry.device.product, 0x3218);
	assert_int_equal(d.entry.device.bcd_device, 0x0102);
	assert_int_equal(d.entry.device.configuration_value, 1);
	assert_int_equal(d.entry.device.num_configurations, 2);
	assert_int_equal(d.entry.device.num_interfaces, 2);
	assert_int_equal(d.entry.interfaces[0].class, 6);
	assert_int_equal(d.entry.interfaces[1].class, 1);
	assert_string_equal(d.serial, "12?3");
	assert_string_equal(d.product, "Canon Digital Camera");
	assert_true(d.is_mtp);
	of = usbhost_for_rules(&d);
	assert_string_equal(of.serial, "12?3");
	assert_string_equal(of.busid, "99-1");
	assert_int_equal(of.num_interfaces, 2);
	assert_true(of.is_mtp);
	/* Nothing of that is there; a serial number that is empty is none. */
	attributes = NULL;
	real = NULL;
	device->configuration = 0;
	assert_int_equal(usbhost_describe(device, &d), 0);
	assert_string_equal(d.entry.device.path, SYSFS "99-1");
	assert_int_equal(d.entry.device.configuration_value, 0);
	assert_int_equal(d.entry.device.num_interfaces, 2);
	assert_string_equal(d.product, "");
	assert_false(d.is_mtp);
	assert_null(usbhost_for_rules(&d).serial);
}

/* Texts of others, and of any length. */
static void test_attributes(void **state)
{
	static char longest[1024], path[300];
	static const struct attribute some[] = {{"99-1/serial", longest}, {"99-1/product", ""},
		{"99-1:1.0/interface", "MTP2\n"}, {"99-1:2.0/interface", "MTP\n"}, {NULL, NULL}};
	struct libusb_device *device = fake_libusb_plug(1);
	struct usbhost_description d;

	(void)state;
	memset(longest, 'x', sizeof(longest) - 1);
	memset(path, 'y', sizeof(path) - 1);
	attributes = some;
	real = path;
	assert_int_equal(usbhost_describe(device, &d), 0);
	assert_int_equal(strlen(d.serial), sizeof(d.serial) - 1);
	assert_string_equal(d.product, "");
	assert_false(d.is_mtp);
	assert_string_equal(d.entry.device.path, SYSFS "99-1");
}

static void test_not_described(void **state)
{
	struct libusb_device *device = fake_libusb_plug(1);
	struct usbhost_description d;

	(void)state;
	device->descriptor.bDeviceClass = LIBUSB_CLASS_HUB;
	assert_int_equal(usbhost_describe(device, &d), -ENOTSUP);
	device->descriptor.bDeviceClass = 0;
	fake_libusb.errors[FAKE_LIBUSB_DESCRIPTOR] = LIBUSB_ERROR_IO;
	assert_int_equal(usbhost_describe(device, &d), -ENODEV);
	fake_libusb.errors[FAKE_LIBUSB_DESCRIPTOR] = 0;
	fake_libusb.errors[FAKE_LIBUSB_ACTIVE_CONFIG] = LIBUSB_ERROR_IO;
	assert_int_equal(usbhost_describe(device, &d), 0);
	fake_libusb.errors[FAKE_LIBUSB_CONFIG] = LIBUSB_ERROR_IO;
	assert_int_equal(usbhost_describe(device, &d), -ENODEV);
}

static void test_speeds(void **state)
{
	static const struct {
		int speed;
		uint32_t is;
	} cases[] = {{LIBUSB_SPEED_UNKNOWN, 0}, {LIBUSB_SPEED_LOW, 1}, {LIBUSB_SPEED_FULL, 2},
		{LIBUSB_SPEED_HIGH, 3}, {LIBUSB_SPEED_SUPER, 5}, {LIBUSB_SPEED_SUPER_PLUS, 6},
		{6, 0}, {-1, 0}};
	struct libusb_device *device = fake_libusb_plug(1);
	struct usbhost_description d;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		device->speed = cases[i].speed;
		assert_int_equal(usbhost_describe(device, &d), 0);
		assert_int_equal(d.entry.device.speed, cases[i].is);
	}
}

static void test_busid(void **state)
{
	static const struct {
		uint8_t ports[7];
		int num;
		const char *is;
	} cases[] = {
		{{0}, 0, "99"},
		{{1}, 1, "99-1"},
		{{1, 4}, 2, "99-1.4"},
		{{15, 14, 13, 12, 11, 10, 9}, 7, "99-15.14.13.12.11.10.9"},
		/* What no chain of hubs is; it fits all the same. */
		{{255, 255, 255, 255, 255, 255, 255}, 7, "99-255.255.255.255.255.255.255"},
	};
	struct libusb_device *device = fake_libusb_plug(1);
	char busid[USBIP_BUSID_SIZE];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		memcpy(device->ports, cases[i].ports, sizeof(device->ports));
		device->num_ports = cases[i].num;
		usbhost_busid(device, busid);
		assert_string_equal(busid, cases[i].is);
	}
}

static void test_errno(void **state)
{
	static const int errors[][2] = {{LIBUSB_SUCCESS, 0}, {LIBUSB_ERROR_IO, -EIO},
		{LIBUSB_ERROR_INVALID_PARAM, -EINVAL}, {LIBUSB_ERROR_ACCESS, -EACCES},
		{LIBUSB_ERROR_NO_DEVICE, -ENODEV}, {LIBUSB_ERROR_NOT_FOUND, -ENOENT},
		{LIBUSB_ERROR_BUSY, -EBUSY}, {LIBUSB_ERROR_TIMEOUT, -ETIMEDOUT},
		{LIBUSB_ERROR_OVERFLOW, -EOVERFLOW}, {LIBUSB_ERROR_PIPE, -EPIPE},
		{LIBUSB_ERROR_INTERRUPTED, -EINTR}, {LIBUSB_ERROR_NO_MEM, -ENOMEM},
		{LIBUSB_ERROR_NOT_SUPPORTED, -ENOTSUP}, {LIBUSB_ERROR_OTHER, -EIO}, {-50, -EIO}};

	(void)state;
	for (size_t i = 0; i < COUNT(errors); i++)
		assert_int_equal(usbhost_errno(errors[i][0]), errors[i][1]);
}

/* ---- exportlist ---- */

static const char *list(const struct exportconfig *config, int code)
{
	static char text[2048];
	int out = dup(STDOUT_FILENO), fds[2];
	ssize_t n;

	assert_int_equal(pipe(fds), 0);
	fflush(stdout);
	assert_true(dup2(fds[1], STDOUT_FILENO) >= 0);
	assert_int_equal(exportlist_run(config), code);
	fflush(stdout);
	assert_true(dup2(out, STDOUT_FILENO) >= 0);
	close(out);
	close(fds[1]);
	n = read(fds[0], text, sizeof(text) - 1);
	assert_true(n >= 0);
	text[n] = '\0';
	close(fds[0]);
	return text;
}

#define NO_KEY "There is no key, and nothing is encrypted.\n"

static void test_list(void **state)
{
	static const struct attribute some[] = {
		{"99-2/serial", "0123\n"}, {"99-2/product", "A camera\n"}, {NULL, NULL}};
	struct exportconfig config = {0};

	(void)state;
	attributes = some;
	assert_string_equal(list(&config, 0), NO_KEY);
	(void)fake_libusb_plug(1);
	fake_libusb_at(1)->configuration = 2;
	(void)fake_libusb_plug(2);
	fake_libusb_plug(3)->descriptor.bDeviceClass = LIBUSB_CLASS_HUB;
	assert_string_equal(list(&config, 0),
		"99-2      04a9:3218  yes  A camera\n"
		"                            serial 0123\n"
		"99-1      04a9:3218  no   (no name)\n"
		"                            not exported: no still camera, and there is no allow "
		"line\n" NO_KEY);
	fake_libusb.errors[FAKE_LIBUSB_INIT] = LIBUSB_ERROR_OTHER;
	assert_string_equal(list(&config, 1), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_describe, as_usual),
		cmocka_unit_test_setup(test_attributes, as_usual),
		cmocka_unit_test_setup(test_not_described, as_usual),
		cmocka_unit_test_setup(test_speeds, as_usual),
		cmocka_unit_test_setup(test_busid, as_usual),
		cmocka_unit_test_setup(test_errno, as_usual),
		cmocka_unit_test_setup(test_list, as_usual),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
