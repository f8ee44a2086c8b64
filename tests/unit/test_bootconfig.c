/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bootconfig: config.txt as it is shipped, and as people edit it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bridge/bootconfig.h"
#include "tests/unit/boardtree.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define X10(s) s s s s s s s s s s
#define ZERO "Raspberry Pi Zero Rev 1.3"
#define ZERO_W "Raspberry Pi Zero W Rev 1.1"
#define ZERO_2 "Raspberry Pi Zero 2 W Rev 1.0"
#define LINE "dtoverlay=dwc2,dr_mode=peripheral\n"

static const struct role_case {
	const char *name, *text, *model;
	enum bootconfig_role role;
	unsigned line;
	bool doubtful, includes;
} roles[] = {
	{"empty", "", ZERO_W, BOOTCONFIG_UNSET, 0, false, false},
	{"bookworm as shipped", BOARDTREE_BOOKWORM, ZERO_W, BOOTCONFIG_UNSET, 0, false, false},
	{"trixie as shipped", BOARDTREE_TRIXIE, ZERO_2, BOOTCONFIG_UNSET, 0, false, false},
	{"... on a module 5", BOARDTREE_TRIXIE, "Raspberry Pi Compute Module 5 Rev 1.0",
		BOOTCONFIG_HOST, 46, false, false},
	{"... on who knows what", BOARDTREE_TRIXIE, "", BOOTCONFIG_HOST, 46, true, false},
	{"... and ours", BOARDTREE_TRIXIE LINE, "", BOOTCONFIG_PERIPHERAL, 49, false, false},
	{"raspi-firmware's", BOARDTREE_DEBIAN, ZERO_W, BOOTCONFIG_UNSET, 0, false, false},
	{"without an end of line", "dtoverlay=dwc2,dr_mode=peripheral", ZERO, BOOTCONFIG_PERIPHERAL,
		1, false, false},
	{"CRLF, blanks", "\r\n \tdtoverlay=dwc2 , dr_mode=peripheral \r\n", ZERO,
		BOOTCONFIG_PERIPHERAL, 2, false, false},
	{"a comment", "#" LINE, ZERO, BOOTCONFIG_UNSET, 0, false, false},
	{"more parameters", "dtoverlay=dwc2,g-rx-fifo-size=256,dr_mode=peripheral,g=1\n", ZERO,
		BOOTCONFIG_PERIPHERAL, 1, false, false},
	{"the old way", "device_tree_overlay=dwc2:dr_mode=peripheral\n", ZERO,
		BOOTCONFIG_PERIPHERAL, 1, false, false},
	{"no mode", "dtoverlay=dwc2\n", ZERO, BOOTCONFIG_OTG, 1, false, false},
	{"host", "dtoverlay=dwc2,dr_mode=host\n", ZERO, BOOTCONFIG_HOST, 1, false, false},
	{"otg", "dtoverlay=dwc2,dr_mode=otg\n", ZERO, BOOTCONFIG_OTG, 1, false, false},
	{"a mode that is none", "dtoverlay=dwc2,dr_mode=peripherals\n", ZERO, BOOTCONFIG_OTG, 1,
		false, false},
	{"another overlay", "dtoverlay=dwc2x,dr_mode=peripheral\n", ZERO, BOOTCONFIG_UNSET, 0,
		false, false},
	{"another key", "xdtoverlay=dwc2,dr_mode=peripheral\n", ZERO, BOOTCONFIG_UNSET, 0, false,
		false},
	{"the last one counts", LINE "dtoverlay=dwc2,dr_mode=host\n", ZERO, BOOTCONFIG_HOST, 2,
		false, false},
	{"... also the right one", "dtoverlay=dwc2\n" LINE, ZERO, BOOTCONFIG_PERIPHERAL, 2, false,
		false},
	{"the old driver", LINE "dtoverlay=dwc-otg\n", ZERO, BOOTCONFIG_HOST, 2, false, false},
	{"upstream", LINE "dtoverlay=upstream\n", ZERO, BOOTCONFIG_OTG, 2, false, false},
	{"a parameter behind", "dtoverlay=dwc2\ndtparam=dr_mode=peripheral\n", ZERO,
		BOOTCONFIG_PERIPHERAL, 2, false, false},
	{"... that undoes it", LINE "[pi0]\ndtparam=audio=on,dr_mode=host\n", ZERO, BOOTCONFIG_HOST,
		3, false, false},
	{"... of another overlay", LINE "dtoverlay=x\ndtparam=dr_mode=host\n", ZERO,
		BOOTCONFIG_PERIPHERAL, 1, false, false},
	{"... of none any more", LINE "dtoverlay=\ndtparam=dr_mode=host\n", ZERO,
		BOOTCONFIG_PERIPHERAL, 1, false, false},
	{"[pi0] is a Zero", "[pi0]\n" LINE, ZERO, BOOTCONFIG_PERIPHERAL, 2, false, false},
	{"... and a Zero 2", "[pi0]\n" LINE, ZERO_2, BOOTCONFIG_PERIPHERAL, 2, false, false},
	{"[pi0w] is no plain Zero", "[pi0w]\n" LINE, ZERO, BOOTCONFIG_UNSET, 0, false, false},
	{"... but a Zero 2", "[pi0w]\n" LINE, ZERO_2, BOOTCONFIG_PERIPHERAL, 2, false, false},
	{"[pi02] is no Zero W", "[pi02]\n" LINE, ZERO_W, BOOTCONFIG_UNSET, 0, false, false},
	{"[pi02]", "[PI02]\n" LINE, ZERO_2, BOOTCONFIG_PERIPHERAL, 2, false, false},
	{"[pi4] replaces [pi0]", "[pi0]\n[pi4]\n" LINE, ZERO, BOOTCONFIG_UNSET, 0, false, false},
	{"[all] ends all", "[none]\n[pi4]\n[gpio4=1]\n[all]\n" LINE, ZERO, BOOTCONFIG_PERIPHERAL, 5,
		false, false},
	{"[none]", "[none]\n" LINE, ZERO, BOOTCONFIG_UNSET, 0, false, false},
	{"[none] is not ended by a board", "[none]\n[pi0]\n" LINE, ZERO, BOOTCONFIG_UNSET, 0, false,
		false},
	{"a pin: not for sure", "[gpio4=1]\n" LINE, ZERO, BOOTCONFIG_UNSET, 0, false, false},
	{"... nor a host", LINE "[gpio4=1]\ndtoverlay=dwc2,dr_mode=host\n", ZERO, BOOTCONFIG_HOST,
		3, true, false},
	{"... but never on another board", LINE "[gpio4=1]\n[pi4]\ndtoverlay=dwc2\n", ZERO,
		BOOTCONFIG_PERIPHERAL, 1, false, false},
	{"an unknown board", "[pi0]\n" LINE, "", BOOTCONFIG_UNSET, 0, false, false},
	{"a filter to come", "[pi9]\n" LINE, ZERO, BOOTCONFIG_UNSET, 0, false, false},
	{"a filter without an end", "[pi0\n" LINE, ZERO, BOOTCONFIG_PERIPHERAL, 2, false, false},
	{"98 bytes count",
		"dtoverlay=dwc2," X10("a=1,") "a=1,a=1,a=1,a=1,a=1,a=1,,"
					      "dr_mode=peripheral\n",
		ZERO, BOOTCONFIG_PERIPHERAL, 1, false, false},
	{"... no more",
		"dtoverlay=dwc2," X10("a=1,") "a=1,a=1,a=1,a=1,a=1,a=1,,,"
					      "dr_mode=peripheral\n",
		ZERO, BOOTCONFIG_OTG, 1, false, false},
	{"an include", "include usercfg.txt\n" LINE, ZERO, BOOTCONFIG_PERIPHERAL, 2, false, true},
	{"... of another board", "[pi4]\ninclude usercfg.txt\n", ZERO, BOOTCONFIG_UNSET, 0, false,
		false},
};

/* Exactly so many bytes, for ASan. */
static char *exactly(const char *text, size_t size)
{
	char *copy = malloc(size ? size : 1);

	assert_non_null(copy);
	memcpy(copy, text, size);
	return copy;
}

static void test_roles(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(roles); i++) {
		const struct role_case *c = &roles[i];
		char *text = exactly(c->text, strlen(c->text));
		struct bootconfig b;

		bootconfig_read(&b, text, strlen(c->text), c->model);
		if (b.role != c->role || b.line != c->line || b.doubtful != c->doubtful ||
			b.includes != c->includes)
			fail_msg("%s: %s, line %u%s%s", c->name, bootconfig_role_str(b.role),
				b.line, b.doubtful ? ", doubtful" : "",
				b.includes ? ", includes" : "");
		free(text);
	}
}

static void test_bytes(void **state)
{
	static const char text[] = "\0dtoverlay=dwc2\n\0\ndtoverlay=dwc2\0,dr_mode=host\n[\n]\n[";
	struct bootconfig b;
	char *copy = exactly(text, sizeof(text) - 1);

	(void)state;
	bootconfig_read(&b, copy, sizeof(text) - 1, ZERO);
	assert_int_equal(b.role, BOOTCONFIG_UNSET);
	free(copy);
}

static void test_generated(void **state)
{
	(void)state;
	assert_true(bootconfig_is_generated(BOARDTREE_DEBIAN, strlen(BOARDTREE_DEBIAN)));
	assert_false(bootconfig_is_generated(BOARDTREE_TRIXIE, strlen(BOARDTREE_TRIXIE)));
	assert_false(bootconfig_is_generated("# Do not modify this file!\n", 27));
}

static const struct module_case {
	const char *text, *module; /* NULL: none */
} cmdlines[] =
	{
		{"", NULL},
		{"console=tty1 root=PARTUUID=1-2 rootwait\n", NULL},
		{"rootwait modules-load=dwc2,g_ether quiet\n", "g_ether"},
		{"modules_load=g_serial", "g_serial"},
		{"modules-load=dwc2,libcomposite", NULL},
		{"xmodules-load=g_ether", NULL},
		{"modules-load=dwc2 g_ether", NULL},
		{"modules-load=a modules-load=g_a\033[b", "g_a??b"},
		{"modules-load=g_" X10("abcdef"), "g_abcdefabcdefabcdefabcdefabcde"},
		{"modules-load=g_", NULL},
},
  lists[] = {
	  {"# g_ether\ni2c-dev\n", NULL},
	  {"i2c-dev\r\n  g_mass_storage file=/x\r\n", "g_mass_storage"},
	  {"g_ether 16384 0 - Live 0x0\n", "g_ether"},
	  {"ag_ether", NULL},
};

static void check_modules(const struct module_case *cases, size_t count,
	bool (*find)(char module[BOOTCONFIG_MAX_MODULE], const char *text, size_t size))
{
	for (size_t i = 0; i < count; i++) {
		char module[BOOTCONFIG_MAX_MODULE] = "";
		size_t n = strlen(cases[i].text);
		char *text = exactly(cases[i].text, n);

		if (find(module, text, n) != !!cases[i].module ||
			(cases[i].module && strcmp(module, cases[i].module) != 0))
			fail_msg("'%s': '%s'", cases[i].text, module);
		free(text);
	}
}

static void test_modules(void **state)
{
	(void)state;
	check_modules(cmdlines, COUNT(cmdlines), bootconfig_cmdline_gadget);
	check_modules(lists, COUNT(lists), bootconfig_modules_gadget);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_roles),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_generated),
		cmocka_unit_test(test_modules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
