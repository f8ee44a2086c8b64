/* SPDX-License-Identifier: GPL-2.0-or-later */
/* udc: which one is found in a folder that looks like sysfs, and which endpoints it gives out. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "gadget/udc.h"
#include "gadget/usbdesc.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* ---- sysfs ---- */

static char folder[] = "/tmp/test_udc.XXXXXX";

static void in_folder(const char *name, const char *file, char path[256])
{
	(void)snprintf(path, 256, "%s/%s/%s", folder, name, file);
}

static void put(const char *name, const char *file, const char *text, size_t size)
{
	char path[256];
	int fd;

	in_folder(name, file, path);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_int_equal(write(fd, text, size), size);
	close(fd);
}

static void put_line(const char *name, const char *file, const char *line)
{
	put(name, file, line, strlen(line));
}

static void make_folder(const char *name, const char *file)
{
	char path[256];

	in_folder(name, file, path);
	assert_int_equal(mkdir(path, 0700), 0);
}

static void make_udc(const char *name, const char *driver, const char *speed, const char *gadget)
{
	char path[256], target[256];

	make_folder(name, "");
	make_folder(name, "device");
	in_folder(name, "device/driver", path);
	(void)snprintf(target, sizeof(target), "../../../bus/platform/drivers/%s", driver);
	assert_int_equal(symlink(target, path), 0);
	put_line(name, "maximum_speed", speed);
	put_line(name, "function", gadget);
}

static int make_all(void **state)
{
	/* The device tree's lists end each name with a NUL. */
	static const char bcm[] = "brcm,bcm2835-usb", other[] = "snps,dwc2\0brcm,bcm2835-usb";

	(void)state;
	if (!mkdtemp(folder))
		return -1;
	make_udc("b.usb", "dwc2", "high-speed\n", "");
	make_folder("b.usb", "device/of_node");
	put("b.usb", "device/of_node/compatible", bcm, sizeof(bcm));
	make_udc("a.usb", "dwc2", "super-speed-plus\n", "g_ether\n");
	make_folder("a.usb", "device/of_node");
	put("a.usb", "device/of_node/compatible", other, sizeof(other));
	make_udc("c.0", "dummy_udc", "UNKNOWN\n", "ip2usb\n");
	make_folder("d", ""); /* of which nothing is known */
	return 0;
}

static int remove_all(void **state)
{
	char command[64];

	(void)state;
	(void)snprintf(command, sizeof(command), "rm -r %s", folder);
	return system(command);
}

static void rename_udc(const char *from, const char *to)
{
	char a[256], b[256];

	in_folder(from, "", a);
	in_folder(to, "", b);
	assert_int_equal(rename(a, b), 0);
}

static void test_by_name(void **state)
{
	static const struct {
		const char *name, *driver, *gadget;
		enum usb_device_speed speed;
		unsigned in, out;
	} udcs[] = {
		{"a.usb", "dwc2", "g_ether", USB_SPEED_SUPER_PLUS, 0, 0},
		{"b.usb", "dwc2", "", USB_SPEED_HIGH, 7, 7},
		{"c.0", "dummy_udc", "ip2usb", USB_SPEED_UNKNOWN, 7, 4},
		{"d", "", "", USB_SPEED_UNKNOWN, 0, 0},
	};
	struct udc udc;

	(void)state;
	for (size_t i = 0; i < COUNT(udcs); i++) {
		memset(&udc, 0xa5, sizeof(udc));
		assert_int_equal(udc_find(&udc, folder, udcs[i].name), 0);
		assert_string_equal(udc.name, udcs[i].name);
		assert_string_equal(udc.driver, udcs[i].driver);
		assert_string_equal(udc.gadget, udcs[i].gadget);
		assert_int_equal(udc.speed, udcs[i].speed);
		assert_int_equal(udc_count(&udc, USB_DIR_IN), udcs[i].in);
		assert_int_equal(udc_count(&udc, USB_DIR_OUT), udcs[i].out);
	}
	assert_int_equal(udc_find(&udc, folder, "b"), -ENODEV);
	assert_int_equal(udc_find(&udc, "/nonexistent", "auto"), -ENODEV);
	assert_int_equal(udc_speed(folder, "b"), USB_SPEED_UNKNOWN);
}

static void test_speeds(void **state)
{
	static const struct {
		const char *text;
		enum usb_device_speed speed;
	} speeds[] = {
		{"low-speed\n", USB_SPEED_LOW},
		{"full-speed\n", USB_SPEED_FULL},
		{"high-speed\n", USB_SPEED_HIGH},
		{"super-speed\n", USB_SPEED_SUPER},
		{"super-speed-plus\n", USB_SPEED_SUPER_PLUS},
		{"wireless\n", USB_SPEED_UNKNOWN},
		{"high\n", USB_SPEED_UNKNOWN},
		{"", USB_SPEED_UNKNOWN},
	};
	struct udc udc;

	(void)state;
	for (size_t i = 0; i < COUNT(speeds); i++) {
		put_line("d", "maximum_speed", speeds[i].text);
		put_line("d", "current_speed", speeds[i].text);
		assert_int_equal(udc_speed(folder, "d"), speeds[i].speed);
		assert_int_equal(udc_find(&udc, folder, "d"), 0);
		assert_int_equal(udc.speed, speeds[i].speed);
	}
}

static void test_auto(void **state)
{
	struct udc udc;

	(void)state;
	/* a is taken, b and d are free. */
	assert_int_equal(udc_find(&udc, folder, "auto"), 0);
	assert_string_equal(udc.name, "b.usb");
	put_line("b.usb", "function", "g_serial\n");
	assert_int_equal(udc_find(&udc, folder, "auto"), 0);
	assert_string_equal(udc.name, "d");
	put_line("d", "function", "g_zero\n");
	assert_int_equal(udc_find(&udc, folder, "auto"), 0);
	assert_string_equal(udc.name, "a.usb");
	assert_string_equal(udc.gadget, "g_ether");
	rename_udc("a.usb", "e");
	assert_int_equal(udc_find(&udc, folder, "auto"), 0);
	assert_string_equal(udc.name, "b.usb");
}

/* ---- endpoints ---- */

/* Adds `n` endpoints of a type; their addresses do not matter but for the direction. */
static void add(struct usb_profile *p, unsigned n, uint8_t direction, uint8_t type)
{
	while (n--)
		p->endpoints[p->num_endpoints++] = (struct usb_endpoint){
			.address = (uint8_t)(direction | (p->num_endpoints % 15 + 1)),
			.attributes = type,
			.max_packet = 64,
		};
}

static void test_misfit(void **state)
{
	enum {
		BULK = USB_ENDPOINT_XFER_BULK,
		INT = USB_ENDPOINT_XFER_INT
	};
	static const struct {
		const char *name, *driver;
		struct {
			uint8_t n, direction, type;
		} groups[4];
		int misfit; /* position, or -1 */
	} cases[] = {
		{"nothing", "dwc2", {{0, 0, 0}}, -1},
		{"all of dwc2", "dwc2", {{7, USB_DIR_IN, BULK}, {7, 0, INT}}, -1},
		{"8 IN", "dwc2", {{4, USB_DIR_IN, BULK}, {4, USB_DIR_IN, INT}}, 7},
		{"8 OUT", "dwc2", {{1, USB_DIR_IN, BULK}, {8, 0, BULK}}, 8},
		{"all of dummy_hcd", "dummy_udc",
			{{4, USB_DIR_IN, BULK}, {3, USB_DIR_IN, INT}, {4, 0, BULK}}, -1},
		{"5 bulk IN", "dummy_udc", {{5, USB_DIR_IN, BULK}}, 4},
		{"interrupt OUT at a bulk one", "dummy_udc", {{4, 0, INT}}, -1},
		{"a control endpoint", "dwc2", {{1, USB_DIR_IN, BULK}, {1, 0, 0}}, 1},
		{"5 OUT", "dummy_udc", {{4, 0, BULK}, {1, 0, INT}}, 4},
		/* Interrupt endpoints take ep1in-bulk, ep5in-int, ep6in-bulk: as they come. */
		{"interrupt first", "dummy_udc", {{3, USB_DIR_IN, INT}, {3, USB_DIR_IN, BULK}}, 5},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct udc udc = {.name = ""};
		struct usb_profile p = {.num_endpoints = 0};
		const struct usb_endpoint *misfit;

		print_message("%s\n", cases[i].name);
		strcpy(udc.driver, cases[i].driver);
		udc_set_endpoints(&udc, "brcm,bcm2835-usb");
		for (unsigned k = 0; k < 4; k++)
			add(&p, cases[i].groups[k].n, cases[i].groups[k].direction,
				cases[i].groups[k].type);
		misfit = udc_misfit(&udc, &p);
		assert_int_equal(misfit ? misfit - p.endpoints : -1, cases[i].misfit);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_by_name),
		cmocka_unit_test(test_speeds),
		cmocka_unit_test(test_auto),
		cmocka_unit_test(test_misfit),
	};

	return cmocka_run_group_tests(tests, make_all, remove_all);
}
