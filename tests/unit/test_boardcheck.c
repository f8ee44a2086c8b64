/* SPDX-License-Identifier: GPL-2.0-or-later */
/* boardcheck: a board that is as it should be has no findings; each thing that is not is one. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <errno.h>
#include <string.h>

#include <cmocka.h>

#include "bridge/board.h"
#include "bridge/boardcheck.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define CONFIG "/boot/firmware/config.txt"

static const struct board healthy = {
	.model = "Raspberry Pi Zero W Rev 1.1",
	.release = "6.1",
	.has_modules = true,
	.has_libcomposite = true,
	.has_functionfs = true,
	.has_configfs = true,
	.config = CONFIG,
	.bootconfig = {BOOTCONFIG_PERIPHERAL, 9, false, true},
	.has_overlay = true,
	.live = BOOTCONFIG_PERIPHERAL,
	.has_udc = true,
	.udc = {.name = "20980000.usb", .gadget = "ip2usb"},
	.has_service = true,
	.is_enabled = true,
	.num_wifi = 2,
	.wifi = {{"wlan0", 0}, {"wlan1", -EOPNOTSUPP}},
	.throttled = 0x60006, /* capped, but not for the voltage */
	.is_synchronised = true,
	.now = 2,
	.built = 1,
	.host = "pi.local",
	.name = BOARD_NAME_FOUND,
};

/* ---- what can be wrong ---- */

static void no_udc(struct board *b)
{
	b->has_udc = false;
	b->live = BOOTCONFIG_OTG;
}

static void no_line(struct board *b)
{
	no_udc(b);
	b->bootconfig = (struct bootconfig){0};
}

static void a_hosts(struct board *b)
{
	no_udc(b);
	b->bootconfig = (struct bootconfig){BOOTCONFIG_HOST, 7, true, true};
}

static void no_reboot(struct board *b)
{
	no_udc(b);
}

static void no_overlay(struct board *b)
{
	no_udc(b);
	b->has_overlay = false;
}

static void no_driver(struct board *b)
{
	b->has_udc = false;
}

static void no_config(struct board *b)
{
	no_udc(b);
	b->config = NULL;
}

static void moved_config(struct board *b)
{
	no_config(b);
	b->config_moved = true;
}

static void bad_config(struct board *b)
{
	no_udc(b);
	b->config_error = -EFBIG;
}

static void another_gadget(struct board *b)
{
	strcpy(b->udc.gadget, "g_ether");
}

static void a_configfs_gadget(struct board *b)
{
	strcpy(b->udc.gadget, "webcam");
}

static void otg(struct board *b)
{
	b->is_otg = true;
}

static void otg_of_debian(struct board *b)
{
	b->is_otg = true;
	b->has_overlay = false;
	b->bootconfig = (struct bootconfig){0};
}

static void otg_by_config(struct board *b)
{
	b->is_otg = true;
	b->bootconfig = (struct bootconfig){BOOTCONFIG_OTG, 3, false, false};
}

static void not_next_time(struct board *b)
{
	b->bootconfig = (struct bootconfig){0};
}

static void gadget_module(struct board *b)
{
	b->gadget_file = "/boot/firmware/cmdline.txt";
	strcpy(b->gadget_module, "g_ether");
}

static void no_modules(struct board *b)
{
	b->has_modules = b->has_functionfs = false;
}

static void no_gadgets(struct board *b)
{
	b->has_libcomposite = b->has_functionfs = b->has_configfs = false;
}

static void not_enabled(struct board *b)
{
	b->is_enabled = false;
}

static void saving(struct board *b)
{
	b->wifi[1].power_save = 1;
}

static void weak_now(struct board *b)
{
	b->throttled = 0x50005;
}

static void weak_before(struct board *b)
{
	b->throttled = 0x10000;
}

static void no_name(struct board *b)
{
	b->name = BOARD_NAME_NONE;
}

static void no_name_but_mdns(struct board *b)
{
	b->name = BOARD_NAME_SLOW;
	b->has_mdns = true;
}

static void no_other_name(struct board *b)
{
	b->name = BOARD_NAME_NONE;
	b->host = "nolocal";
}

static void no_short_name(struct board *b)
{
	b->name = BOARD_NAME_NONE;
	b->host = "pi";
}

static void no_server(struct board *b)
{
	b->name = BOARD_NAME_NONE;
	b->host = "auto";
}

static void unsynchronised(struct board *b)
{
	b->is_synchronised = false;
}

static void before_built(struct board *b)
{
	unsynchronised(b);
	b->now = 0;
}

static void nothing(struct board *b)
{
	(void)b;
}

#define SETUP "sudo ip2usb setup, then reboot"

static const struct check_case {
	void (*spoil)(struct board *b);
	unsigned findings;
	enum boardcheck_severity severity; /* of the first */
	const char *about, *text, *remedy; /* the text begins so, the remedy is all of it */
	const char *second;		   /* so the second's text; NULL: there is none */
} checks[] = {
	{nothing, 0, BOARDCHECK_NOTE, "", "", "", NULL},
	{no_line, 1, BOARDCHECK_PROBLEM, "port", "there is no USB device port (UDC), as " CONFIG,
		SETUP, NULL},
	{a_hosts, 3, BOARDCHECK_PROBLEM, "port", "there is no USB device port (UDC), as " CONFIG,
		SETUP,
		"line 7 of " CONFIG " makes it a host's, if the filter before it lets it count"},
	{no_reboot, 1, BOARDCHECK_PROBLEM, "port",
		CONFIG " makes it a device port, but this kernel was booted without", "sudo reboot",
		NULL},
	{no_overlay, 1, BOARDCHECK_PROBLEM, "port",
		"there is no USB device port (UDC): " CONFIG " asks for it, but overlays/dwc2.dtbo",
		"use Raspberry Pi OS, or bring that file", NULL},
	{no_driver, 1, BOARDCHECK_PROBLEM, "port", "it is set up as a device port, but there is",
		"sudo modprobe dwc2, then see sudo dmesg", NULL},
	{no_config, 1, BOARDCHECK_PROBLEM, "port", "this machine has no USB device port (UDC), nor",
		"another board, or its driver (dr_mode = \"peripheral\")", NULL},
	{moved_config, 1, BOARDCHECK_PROBLEM, "port",
		"there is no USB device port (UDC), and the boot partition is not mounted",
		"sudo mount /boot/firmware, then sudo ip2usb setup", NULL},
	{bad_config, 1, BOARDCHECK_PROBLEM, "port",
		"there is no USB device port (UDC), and " CONFIG ": File too large",
		"mend the file", NULL},
	{another_gadget, 1, BOARDCHECK_PROBLEM, "port",
		"20980000.usb is taken by another gadget, g_ether", "sudo modprobe -r g_ether",
		NULL},
	{a_configfs_gadget, 1, BOARDCHECK_PROBLEM, "port",
		"20980000.usb is taken by another gadget, webcam", "end what has made that", NULL},
	{otg, 1, BOARDCHECK_WARNING, "port", "20980000.usb is an OTG port: the cable",
		"sudo reboot", NULL},
	{otg_of_debian, 1, BOARDCHECK_WARNING, "port", "20980000.usb is an OTG port: the cable", "",
		NULL},
	{otg_by_config, 2, BOARDCHECK_WARNING, "port", "20980000.usb is an OTG port: the cable",
		SETUP, "line 3 of " CONFIG " makes it an OTG port"},
	{not_next_time, 1, BOARDCHECK_WARNING, "port",
		"it is a device port now, but " CONFIG " does not", "sudo ip2usb setup", NULL},
	{gadget_module, 1, BOARDCHECK_WARNING, "port",
		"/boot/firmware/cmdline.txt loads g_ether, which takes the port at each boot",
		"remove g_ether there, and the rest of modules-load= if nothing else is in it",
		NULL},
	{no_modules, 1, BOARDCHECK_PROBLEM, "kernel", "the modules of the running kernel, 6.1,",
		"sudo reboot, if the kernel has just been updated", NULL},
	{no_gadgets, 3, BOARDCHECK_PROBLEM, "kernel", "it has no USB gadgets (libcomposite",
		"a kernel of Raspberry Pi OS or Debian has it", "it has no FunctionFS"},
	{not_enabled, 1, BOARDCHECK_NOTE, "service", "ip2usb is not started at boot",
		"sudo ip2usb setup", NULL},
	{saving, 1, BOARDCHECK_WARNING, "WiFi", "wlan1 saves power, which delays every exchange",
		"sudo ip2usb setup", NULL},
	{weak_now, 1, BOARDCHECK_WARNING, "power", "there is under-voltage: the phone or",
		"a shorter cable, or a supply of its own (README, Power)", NULL},
	{weak_before, 1, BOARDCHECK_WARNING, "power", "there has been under-voltage: the phone",
		"a shorter cable, or a supply of its own (README, Power)", NULL},
	{no_name, 1, BOARDCHECK_PROBLEM, "name", "pi.local has no address",
		"sudo apt install avahi-daemon libnss-mdns", NULL},
	{no_name_but_mdns, 1, BOARDCHECK_PROBLEM, "name", "nobody says what address pi.local has",
		"is that machine on, and does it announce its name (avahi-daemon)?", NULL},
	{no_other_name, 1, BOARDCHECK_PROBLEM, "name", "nolocal has no address",
		"correct [server] host in the configuration, or write an address there", NULL},
	{no_short_name, 1, BOARDCHECK_PROBLEM, "name", "pi has no address",
		"correct [server] host in the configuration, or write an address there", NULL},
	{no_server, 1, BOARDCHECK_PROBLEM, "name", "there is not one server alone that announces",
		"ip2usb discover, which tells more, and ip2usb pair, which names one", NULL},
	{unsynchronised, 1, BOARDCHECK_NOTE, "clock", "not synchronised; at worst only the times",
		"", NULL},
	{before_built, 1, BOARDCHECK_NOTE, "clock", "it is before this program was built; only",
		"a network with a time server", NULL},
};

static bool begins(const char *text, const char *wanted)
{
	return !strncmp(text, wanted, strlen(wanted));
}

static void test_each(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(checks); i++) {
		const struct check_case *k = &checks[i];
		const struct boardcheck_finding *f;
		struct board b = healthy;
		struct boardcheck c;

		k->spoil(&b);
		boardcheck_judge(&c, &b);
		f = c.findings;
		if (c.num_findings != k->findings)
			fail_msg("case %zu: %u findings, %s", i, c.num_findings,
				c.num_findings ? f->text : "");
		if (!k->findings)
			continue;
		if (f->severity != k->severity || strcmp(f->about, k->about) != 0 ||
			!begins(f->text, k->text) || strcmp(f->remedy, k->remedy) != 0)
			fail_msg("case %zu: %s %s: %s; %s", i, boardcheck_severity_str(f->severity),
				f->about, f->text, f->remedy);
		if (k->second && !begins(f[1].text, k->second))
			fail_msg("case %zu: %s", i, f[1].text);
	}
}

/* All that can be at once has room, and none of it is cut. */
static void test_all(void **state)
{
	struct board b = healthy;
	struct boardcheck c;

	(void)state;
	for (size_t i = 0; i < COUNT(checks); i++)
		checks[i].spoil(&b);
	for (b.num_wifi = 0; b.num_wifi < BOARD_MAX_WIFI; b.num_wifi++)
		b.wifi[b.num_wifi].power_save = 1;
	b.has_modules = b.has_udc = true;
	memset(b.udc.name, 'u', sizeof(b.udc.name) - 1);
	memset(b.gadget_module, 'g', sizeof(b.gadget_module) - 1);
	boardcheck_judge(&c, &b);
	assert_in_range(c.num_findings, 14, BOARDCHECK_MAX);
	for (unsigned i = 0; i < c.num_findings; i++) {
		assert_in_range(strlen(c.findings[i].text), 1, sizeof(c.findings[i].text) - 2);
		assert_in_range(strlen(c.findings[i].remedy), 0, sizeof(c.findings[i].remedy) - 2);
	}
}

static void test_files(void **state)
{
	struct board b = healthy;
	struct boardcheck c;

	(void)state;
	boardcheck_judge_files(&c, &b);
	assert_int_equal(c.num_findings, 0);
	b.has_overlay = false;
	gadget_module(&b);
	boardcheck_judge_files(&c, &b);
	assert_int_equal(c.num_findings, 2);
	assert_true(begins(c.findings[0].text, "overlays/dwc2.dtbo beside " CONFIG));
	assert_true(begins(c.findings[1].text, "/boot/firmware/cmdline.txt loads g_ether"));
	b.config = NULL;
	b.gadget_file = NULL;
	boardcheck_judge_files(&c, &b);
	assert_int_equal(c.num_findings, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each),
		cmocka_unit_test(test_all),
		cmocka_unit_test(test_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
