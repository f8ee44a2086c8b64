/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bridge/exportrules.h"
#include "tests/unit/quick.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define X10(s) s s s s s s s s s s
#define X127 X10("0123456789") X10("ab") "1234567"
#define HUB "a hub"
#define DENIED "a deny line is for it"
#define NOT_ALLOWED "no allow line is for it"
#define NO_CAMERA "no still camera, and there is no allow line"

/* ---- devices ---- */

static const struct usbip_interface image[] = {{6, 1, 1}};
static const struct usbip_interface keyboard[] = {{3, 1, 1}};
static const struct usbip_interface disk[] = {{8, 6, 0x50}};
static const struct usbip_interface phone[] = {{0xff, 0xff, 0}, {0xff, 0x42, 1}};
static const struct usbip_interface several[] = {{3, 0, 0}, {8, 6, 0x50}, {6, 1, 1}};
static const struct usbip_interface other_image[] = {{6, 1, 2}};
static const struct usbip_interface of_hub[] = {{9, 0, 0}};

enum {
	CAMERA,
	KEYBOARD,
	DISK,
	PHONE, /* MTP */
	SEVERAL,
	OTHER_IMAGE,
	CLASS_OF_ITS_OWN, /* 06/01/01 is the device's own */
	BARE,		  /* no interfaces: not configured */
	HUB_OF_CLASS,
	HUB_BY_INTERFACE,
	NUM_DEVICES
};

#define INTERFACES(a) .interfaces = (a), .num_interfaces = COUNT(a)

static const struct exportrules_device devices[NUM_DEVICES] = {
	[CAMERA] = {.vendor = 0x04a9,
		.product = 0x3218,
		.busid = "1-1.4",
		.serial = "0123 AB",
		INTERFACES(image)},
	[KEYBOARD] = {.vendor = 0x046d, .product = 0xc31c, .busid = "1-1.2", INTERFACES(keyboard)},
	[DISK] = {.vendor = 0x0781,
		.product = 0x5567,
		.busid = "2-1",
		.serial = "4C53",
		INTERFACES(disk)},
	[PHONE] = {.vendor = 0x18d1,
		.product = 0x4ee1,
		.busid = "1-1.4.2",
		.serial = "",
		.is_mtp = true,
		INTERFACES(phone)},
	[SEVERAL] = {.vendor = 0x04a9,
		.product = 0x0001,
		.busid = "1-10",
		.class = 0xef,
		.subclass = 2,
		.protocol = 1,
		INTERFACES(several)},
	[OTHER_IMAGE] = {.vendor = 0, .product = 0, .busid = "11-1", INTERFACES(other_image)},
	[CLASS_OF_ITS_OWN] = {.vendor = 0xffff,
		.product = 0xffff,
		.busid = "1-1",
		.class = 6,
		.subclass = 1,
		.protocol = 1,
		INTERFACES(disk)},
	[BARE] = {.vendor = 0x04a9, .product = 0x3218, .busid = "1-2"},
	[HUB_OF_CLASS] = {.vendor = 0x05e3,
		.product = 0x0608,
		.busid = "1-1",
		.class = 9,
		.is_mtp = true,
		INTERFACES(image)},
	[HUB_BY_INTERFACE] = {.vendor = 0x05e3,
		.product = 0x0610,
		.busid = "1-3",
		INTERFACES(of_hub)},
};

#define BIT(device) (1u << (device))
#define HUBS (BIT(HUB_OF_CLASS) | BIT(HUB_BY_INTERFACE))
#define ALL (BIT(NUM_DEVICES) - 1 - HUBS)
#define CAMERAS (BIT(CAMERA) | BIT(PHONE) | BIT(SEVERAL) | BIT(CLASS_OF_ITS_OWN))

static unsigned permitted(const struct exportrules *r)
{
	unsigned set = 0;

	for (unsigned i = 0; i < NUM_DEVICES; i++) {
		if (exportrules_permits(r, &devices[i]))
			set |= BIT(i);
		assert_int_equal(
			exportrules_permits(r, &devices[i]), !exportrules_refusal(r, &devices[i]));
	}
	return set;
}

/* ---- one rule ---- */

static const struct good {
	const char *text;
	unsigned matched; /* of all that are no hubs */
} goods[] = {
	{"any", ALL},
	{"mtp", BIT(PHONE)},
	{"04a9:3218", BIT(CAMERA) | BIT(BARE)},
	{"04A9:3218", BIT(CAMERA) | BIT(BARE)},
	{"04a9:0001", BIT(SEVERAL)},
	{"04a9:*", BIT(CAMERA) | BIT(SEVERAL) | BIT(BARE)},
	{"04a9:0000", 0},
	{"0000:0000", BIT(OTHER_IMAGE)},
	{"0000:*", BIT(OTHER_IMAGE)},
	{"ffff:ffff", BIT(CLASS_OF_ITS_OWN)},
	{"class 06", CAMERAS - BIT(PHONE) + BIT(OTHER_IMAGE)},
	{"class 06/01", CAMERAS - BIT(PHONE) + BIT(OTHER_IMAGE)},
	{"class 06/02", 0},
	{"class 06/01/01", CAMERAS - BIT(PHONE)},
	{"class 06/01/02", BIT(OTHER_IMAGE)},
	{"class 06/01/00", 0},
	{"class 03", BIT(KEYBOARD) | BIT(SEVERAL)},
	{"class 03/01", BIT(KEYBOARD)},
	{"class 08/06/50", BIT(DISK) | BIT(SEVERAL) | BIT(CLASS_OF_ITS_OWN)},
	{"class ef/02/01", BIT(SEVERAL)},
	{"class EF", BIT(SEVERAL)},
	{"class ff/42", BIT(PHONE)},
	{"class 00", ALL - BIT(SEVERAL) - BIT(CLASS_OF_ITS_OWN)},
	{"class 09", 0},
	{"port 1-1", BIT(CLASS_OF_ITS_OWN)},
	{"port 1-1.4", BIT(CAMERA)},
	{"port 1-1.*", BIT(CAMERA) | BIT(KEYBOARD) | BIT(PHONE)},
	{"port 1-1.4.*", BIT(PHONE)},
	{"port 1-10", BIT(SEVERAL)},
	{"port 1-*", ALL - BIT(DISK) - BIT(OTHER_IMAGE)},
	{"port 2-*", BIT(DISK)},
	{"port 2-1.*", 0},
	{"port 11-1", BIT(OTHER_IMAGE)},
	{"port 1-1.1.1.1.1.1.1.1.1.1.1.1.1.1.1", 0}, /* 31 characters */
	{"serial 4C53", BIT(DISK)},
	{"serial 4c53", 0},
	{"serial 4C5", 0},
	{"serial \"4C53\"", BIT(DISK)},
	{"serial \"0123 AB\"", BIT(CAMERA)},
	{"serial \"0123  AB\"", 0},
	{"serial any", 0},
	{"serial " X127, 0},
	{"serial \"" X127 "\"", 0},
	{"04a9:* mtp", 0},
	{"04a9:* class 08", BIT(SEVERAL)},
	{"class 03 port 1-1.*", BIT(KEYBOARD)},
	{"any 04a9:*", BIT(CAMERA) | BIT(SEVERAL) | BIT(BARE)},
	{"04a9:* any", BIT(CAMERA) | BIT(SEVERAL) | BIT(BARE)},
	{"serial \"0123 AB\" 04a9:3218", BIT(CAMERA)},
	{"serial \"0123 AB\" 04a9:3219", 0},
	{" \tserial\t4C53  any\t", BIT(DISK)},
	{"any mtp 18d1:4ee1 class ff/42/01 port 1-1.4.2", BIT(PHONE)},
	{"any mtp 18d1:4ee1 class ff/42/01 port 1-1.4.2 serial x", 0},
};

static void test_good(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(goods); i++) {
		struct exportrules allow = {0}, deny = {0};
		char *text = strdup(goods[i].text);

		if (!exportrules_add(&allow, true, text) || !exportrules_add(&deny, false, text))
			fail_msg("'%s' is no rule", text);
		free(text); /* it keeps nothing of it */
		if (permitted(&allow) != goods[i].matched)
			fail_msg("allow '%s': %x", goods[i].text, permitted(&allow));
		if (permitted(&deny) != (CAMERAS & ~goods[i].matched))
			fail_msg("deny '%s': %x", goods[i].text, permitted(&deny));
	}
}

static const char *const bads[] = {
	"",
	" \t",
	"*",
	"none",
	"Any",
	"anything",
	"any;",
	"any,mtp",
	"\"any\"",
	"04a9",
	"04a9:",
	":3218",
	"*:3218",
	"*:*",
	"4a9:3218",
	"04a9:321",
	"04a9:32188",
	"04a9:321g",
	"04a9:3218:",
	"04a9:32*",
	"04a9:**",
	"04a9 3218",
	"0x4a:3218",
	"04a9-3218",
	"class",
	"class 6",
	"class 006",
	"class 06/",
	"class 06/1",
	"class 06/01/",
	"class 06/01/1",
	"class 06/01/01/",
	"class 06/01/01/01",
	"class 06/*",
	"class *",
	"class 0x06",
	"class 06,08",
	"class06",
	"class mtp",
	"port",
	"port 1",
	"port 1-",
	"port -1",
	"port 1-0",
	"port 0-1",
	"port 01-1",
	"port 1-01",
	"port 1-1.",
	"port 1-1.04",
	"port 1-1..4",
	"port 1-1*",
	"port 1-1.*.4",
	"port 1-1.**",
	"port 1*",
	"port *",
	"port 1.1",
	"port 1-1-1",
	"port 1-1:1.0",
	"port usb1",
	"port 1-1.1.1.1.1.1.1.1.1.1.1.1.1.1.10", /* 32 characters */
	"port 1-1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.*",
	"serial",
	"serial ",
	"serial \"",
	"serial \"\"",
	"serial \"a",
	"serial a\"",
	"serial a\"b",
	"serial \"a\"b",
	"serial \"a\"any",
	"serial \"a\"\"b\"",
	"serial 0123 AB",
	"serial " X127 "8",
	"serial \"" X127 "8\"",
	"any any",
	"mtp mtp",
	"04a9:3218 04a9:3218",
	"04a9:* 04a9:3218",
	"class 06 class 08",
	"port 1-1 port 1-1",
	"serial a serial a",
	"04a9:3218 x",
	X127 X127,
};

/* Refused, and nothing is changed by it. */
static void test_bad(void **state)
{
	struct exportrules before = {0}, after;

	(void)state;
	assert_true(exportrules_add(&before, true, "04a9:*"));
	for (size_t i = 0; i < COUNT(bads); i++) {
		char *text = strdup(bads[i]);

		memcpy(&after, &before, sizeof(after));
		if (exportrules_add(&after, true, text) || exportrules_add(&after, false, text))
			fail_msg("'%s' is a rule", text);
		assert_memory_equal(&after, &before, sizeof(after));
		free(text);
	}
}

static void test_full(void **state)
{
	struct exportrules r = {0};

	(void)state;
	for (unsigned i = 0; i < EXPORTRULES_MAX; i++)
		assert_true(exportrules_add(&r, i % 2, "04a9:3218"));
	assert_false(exportrules_add(&r, true, "any"));
	assert_false(exportrules_add(&r, false, "any"));
	assert_int_equal(r.num_rules, EXPORTRULES_MAX);
}

/* Whatever the stack had before. */
static void test_equal(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(goods); i++) {
		struct exportrules *a = calloc(1, sizeof(*a)), *b = calloc(1, sizeof(*b));

		assert_true(exportrules_add(a, true, goods[i].text));
		(void)permitted(a);
		(void)exportrules_add(b, true, "serial \"somebody else's\" port 9-9.9.9 x");
		assert_true(exportrules_add(b, true, goods[i].text));
		assert_memory_equal(a, b, sizeof(*a));
		free(a);
		free(b);
	}
}

/* ---- several rules ---- */

static const struct set {
	const char *name;
	const char *rules[4]; /* with + or - in front */
	unsigned permitted;
} sets[] = {
	{"nothing said", {NULL}, CAMERAS},
	{"the default in words", {"+class 06/01/01", "+mtp"}, CAMERAS},
	{"a deny alone", {"-04a9:*"}, CAMERAS & ~(BIT(CAMERA) | BIT(SEVERAL))},
	{"a deny of all", {"-any"}, 0},
	{"an allow alone", {"+class 08"}, BIT(DISK) | BIT(SEVERAL) | BIT(CLASS_OF_ITS_OWN)},
	{"an allow that is for nothing there", {"+1234:5678"}, 0},
	{"deny before allow", {"-class 03", "+any"}, ALL & ~(BIT(KEYBOARD) | BIT(SEVERAL))},
	{"allow before deny", {"+any", "-class 03"}, ALL & ~(BIT(KEYBOARD) | BIT(SEVERAL))},
	{"the same allowed and denied", {"+04a9:3218", "-04a9:3218"}, 0},
	{"two allowed", {"+mtp", "+port 2-1"}, BIT(PHONE) | BIT(DISK)},
	{"all, but one hub's", {"+any", "-port 1-1.*", "-mtp"},
		ALL & ~(BIT(CAMERA) | BIT(KEYBOARD) | BIT(PHONE))},
};

static void test_sets(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(sets); i++) {
		struct exportrules r = {0};

		for (unsigned k = 0; k < 4 && sets[i].rules[k]; k++)
			assert_true(exportrules_add(
				&r, *sets[i].rules[k] == '+', sets[i].rules[k] + 1));
		if (permitted(&r) != sets[i].permitted)
			fail_msg("%s: %x", sets[i].name, permitted(&r));
	}
}

static void test_refusals(void **state)
{
	struct exportrules r = {0};

	(void)state;
	assert_null(exportrules_refusal(&r, &devices[CAMERA]));
	assert_string_equal(exportrules_refusal(&r, &devices[KEYBOARD]), NO_CAMERA);
	assert_string_equal(exportrules_refusal(&r, &devices[HUB_OF_CLASS]), HUB);
	assert_string_equal(exportrules_refusal(&r, &devices[HUB_BY_INTERFACE]), HUB);
	assert_true(exportrules_add(&r, false, "04a9:3218"));
	assert_string_equal(exportrules_refusal(&r, &devices[CAMERA]), DENIED);
	assert_string_equal(exportrules_refusal(&r, &devices[KEYBOARD]), NO_CAMERA);
	assert_true(exportrules_add(&r, true, "any"));
	assert_null(exportrules_refusal(&r, &devices[KEYBOARD]));
	assert_string_equal(exportrules_refusal(&r, &devices[CAMERA]), DENIED);
	assert_string_equal(exportrules_refusal(&r, &devices[HUB_OF_CLASS]), HUB);
	memset(&r, 0, sizeof(r));
	assert_true(exportrules_add(&r, true, "mtp"));
	assert_string_equal(exportrules_refusal(&r, &devices[CAMERA]), NOT_ALLOWED);
}

/* ---- properties ---- */

static unsigned below(unsigned n)
{
	return (unsigned)rand() % n;
}

/* Of few values, so that rules match devices. */
static void make_rule(char *out, size_t size)
{
	static const char *const kinds[][5] = {
		{"04a9:3218", "04a9:*", "046d:*", "18d1:4ee1", "0781:5567"},
		{"class 06", "class 06/01/01", "class 03", "class 08/06", "class 00"},
		{"port 1-1.*", "port 1-1.4", "port 1-*", "port 2-1", "port 1-1"},
		{"serial 4C53", "serial \"0123 AB\"", "serial x", "serial any", "serial 1"},
		{"mtp", "mtp", "mtp", "mtp", "mtp"},
		{"any", "any", "any", "any", "any"},
	};
	unsigned chosen = 1 + below((1 << COUNT(kinds)) - 1);

	*out = 0;
	if (below(2))
		chosen &= 1u << below(COUNT(kinds));
	if (!chosen)
		chosen = 1;
	for (size_t i = 0; i < COUNT(kinds); i++) {
		if (chosen >> i & 1)
			(void)snprintf(out + strlen(out), size - strlen(out), "%s%s",
				*out ? " " : "", kinds[i][below(5)]);
	}
}

static bool has_allow(const struct exportrules *r)
{
	for (unsigned i = 0; i < r->num_rules; i++)
		if (r->rules[i].allow)
			return true;
	return false;
}

static void test_properties(void **state)
{
	unsigned rounds = quick_part(20000, 100);

	(void)state;
	srand(1);
	for (unsigned round = 0; round < rounds; round++) {
		struct exportrules r = {0}, more, back = {0};
		char text[200];
		unsigned before, after;

		for (unsigned n = below(5); n; n--) {
			make_rule(text, sizeof(text));
			assert_true(exportrules_add(&r, below(2), text));
		}
		before = permitted(&r);
		assert_int_equal(before & HUBS, 0);

		/* A deny more never permits more, and takes away what it is for. */
		make_rule(text, sizeof(text));
		memcpy(&more, &r, sizeof(r));
		assert_true(exportrules_add(&more, false, text));
		after = permitted(&more);
		assert_int_equal(after & ~before, 0);
		memset(&back, 0, sizeof(back));
		assert_true(exportrules_add(&back, true, text));
		assert_int_equal(after, before & ~permitted(&back));

		/* An allow more never permits less, but for the first, which ends the default. */
		memcpy(&more, &r, sizeof(r));
		assert_true(exportrules_add(&more, true, text));
		after = permitted(&more);
		if (has_allow(&r))
			assert_int_equal(before & ~after, 0);
		assert_int_equal(after & ~(before | permitted(&back)), 0);

		/* Their order does not matter. */
		memset(&back, 0, sizeof(back));
		for (unsigned i = r.num_rules; i; i--)
			back.rules[back.num_rules++] = r.rules[i - 1];
		assert_int_equal(permitted(&back), before);
	}
}

/* What a rule is for is what each of its conditions is for. */
static void test_conditions(void **state)
{
	(void)state;
	srand(2);
	for (unsigned round = 0; round < quick_part(2000, 20); round++) {
		struct exportrules one = {0};
		unsigned matched = ALL;
		char text[200], *at = text, part[100];

		make_rule(text, sizeof(text));
		assert_true(exportrules_add(&one, true, text));
		while (*at) {
			struct exportrules of_part = {0};
			bool is_serial = !strncmp(at, "serial ", 7);
			bool has_value =
				is_serial || !strncmp(at, "class ", 6) || !strncmp(at, "port ", 5);
			size_t n = strcspn(at, " ");

			if (is_serial && at[7] == '"')
				n = 9 + strcspn(at + 8, "\"");
			else if (has_value)
				n += 1 + strcspn(at + n + 1, " ");
			(void)snprintf(part, sizeof(part), "%.*s", (int)n, at);
			assert_true(exportrules_add(&of_part, true, part));
			matched &= permitted(&of_part);
			at += n;
			at += strspn(at, " ");
		}
		assert_int_equal(permitted(&one), matched);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_equal),
		cmocka_unit_test(test_sets),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_properties),
		cmocka_unit_test(test_conditions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
