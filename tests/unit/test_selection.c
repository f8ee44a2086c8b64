/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bridge/devlist.h"
#include "bridge/selection.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define MAX_DEVICES 256

static const char *const verdicts[] = {
	[SELECTION_LOOK] = "look",
	[SELECTION_FOUND] = "found",
	[SELECTION_NONE] = "none",
	[SELECTION_AMBIGUOUS] = "ambiguous",
};

struct device {
	const char *busid;
	uint16_t vendor, product;
	const char *serial; /* NULL: it has none */
	bool refused;	    /* cannot be imported, so nobody gets to see its serial number */
	/* what is in its place the second time, when it is imported to stay */
	const char *later;
};

static const struct choice {
	const char *name;
	struct selection_criteria criteria;
	struct device devices[4];
	const char *log; /* verdicts and busids, in order */
} choices[] = {
	{"nothing exported", {.busid = ""}, {{.busid = NULL}}, "none"},
	{"the only one", {.busid = ""}, {{"1-1", 1, 2, NULL, false, NULL}}, "found 1-1"},
	{"two, and nothing said", {.busid = ""},
		{{"1-1", 1, 2, NULL, false, NULL}, {"1-2", 3, 4, NULL, false, NULL}}, "ambiguous"},
	{"by busid", {.busid = "1-2"},
		{{"1-1", 1, 2, NULL, false, NULL}, {"1-2", 1, 2, NULL, false, NULL}}, "found 1-2"},
	{"no such busid", {.busid = "1-1"},
		{{"1-10", 1, 2, NULL, false, NULL}, {"1-1.1", 1, 2, NULL, false, NULL},
			{"11-1", 1, 2, NULL, false, NULL}},
		"none"},
	{"by id", {.has_id = true, .vendor = 3, .product = 4},
		{{"1-1", 3, 2, NULL, false, NULL}, {"1-2", 1, 4, NULL, false, NULL},
			{"1-3", 3, 4, NULL, false, NULL}},
		"found 1-3"},
	{"id 0000:0000 is an id", {.has_id = true}, {{"1-1", 1, 2, NULL, false, NULL}}, "none"},
	{"two of one id", {.has_id = true, .vendor = 3, .product = 4},
		{{"1-1", 3, 4, NULL, false, NULL}, {"1-2", 3, 4, NULL, false, NULL}}, "ambiguous"},
	{"busid and id of two devices", {.busid = "1-1", .has_id = true, .vendor = 3, .product = 4},
		{{"1-1", 1, 2, NULL, false, NULL}, {"1-2", 3, 4, NULL, false, NULL}}, "none"},
	{"busid of two of one id", {.busid = "1-2", .has_id = true, .vendor = 3, .product = 4},
		{{"1-1", 3, 4, NULL, false, NULL}, {"1-2", 3, 4, NULL, false, NULL}}, "found 1-2"},
	{"the same busid twice", {.busid = "1-1"},
		{{"1-1", 1, 2, NULL, false, NULL}, {"1-1", 1, 2, NULL, false, NULL}}, "ambiguous"},

	/* Serial numbers are known only of what has been imported. */
	{"by serial", {.serial = "B"},
		{{"1-1", 1, 2, "A", false, NULL}, {"1-2", 1, 2, "B", false, NULL},
			{"1-3", 1, 2, NULL, false, NULL}},
		"look 1-1, look 1-2, look 1-3, found 1-2"},
	{"by serial, the first", {.serial = "A"},
		{{"1-1", 1, 2, "A", false, NULL}, {"1-2", 1, 2, "B", false, NULL}},
		"look 1-1, look 1-2, found 1-1"},
	{"no such serial", {.serial = "B"},
		{{"1-1", 1, 2, "b", false, NULL}, {"1-2", 1, 2, "BB", false, NULL},
			{"1-3", 1, 2, "", false, NULL}},
		"look 1-1, look 1-2, look 1-3, none"},
	{"two of one serial", {.serial = "B"},
		{{"1-1", 1, 2, "B", false, NULL}, {"1-2", 1, 2, "B", false, NULL}},
		"look 1-1, look 1-2, ambiguous"},
	{"id and serial: only those of the id are looked at",
		{.has_id = true, .vendor = 3, .product = 4, .serial = "B"},
		{{"1-1", 1, 2, "B", false, NULL}, {"1-2", 3, 4, "A", false, NULL},
			{"1-3", 3, 4, "B", false, NULL}},
		"look 1-2, look 1-3, found 1-3"},
	{"busid and another's serial", {.busid = "1-1", .serial = "B"},
		{{"1-1", 1, 2, "A", false, NULL}, {"1-2", 1, 2, "B", false, NULL}},
		"look 1-1, none"},
	{"one that cannot be looked at", {.serial = "B"},
		{{"1-1", 1, 2, "B", true, NULL}, {"1-2", 1, 2, "B", false, NULL}},
		"look 1-1, look 1-2, found 1-2"},
	{"the same busid twice, and serial", {.serial = "B"},
		{{"1-1", 1, 2, "B", false, NULL}, {"1-1", 1, 2, "B", false, NULL}},
		"look 1-1, look 1-1, ambiguous"},
	{"another device by the time it is imported to stay", {.serial = "B"},
		{{"1-1", 1, 2, "A", false, NULL}, {"1-2", 1, 2, "B", false, "C"}},
		"look 1-1, look 1-2, found 1-2, none"},
	{"nothing to look at", {.serial = "B"}, {{.busid = NULL}}, "none"},
};

static size_t make_entries(const struct device *devices, struct devlist_entry *entries)
{
	size_t n = 0;

	memset(entries, 0, 4 * sizeof(*entries));
	for (; n < 4 && devices[n].busid; n++) {
		strcpy(entries[n].device.busid, devices[n].busid);
		entries[n].device.vendor = devices[n].vendor;
		entries[n].device.product = devices[n].product;
	}
	return n;
}

/* As the supervisor does: look at what is to be looked at, import what has been found. */
static void choose(const struct choice *c, struct selection *s, char *log, size_t size)
{
	bool kept = false;
	unsigned looked = 0;

	for (int steps = 0; steps < 10; steps++) {
		size_t used = strlen(log);
		const char *busid = NULL;
		enum selection_verdict v = selection_next(s, &busid);
		const struct device *d = c->devices;

		(void)snprintf(log + used, size - used, "%s%s%s%s", used ? ", " : "", verdicts[v],
			busid ? " " : "", busid ? busid : "");
		if (!busid || kept)
			return;
		/* Several have one busid: in the order of the list. */
		while (strcmp(d->busid, busid) || (v == SELECTION_LOOK && d < c->devices + looked))
			d++;
		looked = (unsigned)(d - c->devices) + 1;
		if (!d->refused)
			selection_serial(
				s, v == SELECTION_FOUND && d->later ? d->later : d->serial);
		kept = v == SELECTION_FOUND && !d->later;
		if (kept)
			break;
	}
}

static void test_choices(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(choices); i++) {
		const struct choice *c = &choices[i];
		struct devlist_entry *entries = malloc(4 * sizeof(*entries));
		struct selection *s = malloc(sizeof(*s));
		char log[200] = "";
		const char *busid;

		memset(s, 0xff, sizeof(*s));
		selection_init(s, &c->criteria, entries, make_entries(c->devices, entries));
		free(entries); /* it keeps nothing of them */
		choose(c, s, log, sizeof(log));
		if (strcmp(log, c->log))
			fail_msg("%s: %s\ninstead of: %s", c->name, log, c->log);
		/* What was found stays found. */
		if (strstr(c->log, "found") && !strstr(c->log, ", none")) {
			assert_int_equal(selection_next(s, &busid), SELECTION_FOUND);
			assert_non_null(strstr(strstr(c->log, "found"), busid));
		}
		free(s);
	}
}

static void test_most(void **state)
{
	struct devlist_entry *entries = calloc(MAX_DEVICES, sizeof(*entries));
	struct selection_criteria criteria = {.serial = "255"};
	struct selection s;
	const char *busid;
	char text[32];

	(void)state;
	for (unsigned i = 0; i < MAX_DEVICES; i++)
		(void)snprintf(entries[i].device.busid, sizeof(text), "%031u", i);
	selection_init(&s, &criteria, entries, MAX_DEVICES);
	free(entries);
	for (unsigned i = 0; i < MAX_DEVICES; i++) {
		assert_int_equal(selection_next(&s, &busid), SELECTION_LOOK);
		(void)snprintf(text, sizeof(text), "%031u", i);
		assert_string_equal(busid, text);
		(void)snprintf(text, sizeof(text), "%u", i);
		selection_serial(&s, text);
	}
	assert_int_equal(selection_next(&s, &busid), SELECTION_FOUND);
	(void)snprintf(text, sizeof(text), "%031u", MAX_DEVICES - 1);
	assert_string_equal(busid, text);
}

static void test_describe(void **state)
{
	static const struct {
		struct selection_criteria criteria;
		const char *text;
	} cases[] = {
		{{.busid = ""}, " any"},
		{{.busid = "1-1.4"}, " busid 1-1.4"},
		{{.has_id = true, .vendor = 0x4a9, .product = 0xf}, " id 04a9:000f"},
		{{.serial = "A B"}, " serial A B"},
		{{.busid = "1-1",
			 .has_id = true,
			 .vendor = 0xffff,
			 .product = 0x3218,
			 .serial = "C"},
			" busid 1-1 id ffff:3218 serial C"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		for (size_t size = 1; size < 40; size++) {
			char *out = malloc(size);

			assert_ptr_equal(selection_describe(&cases[i].criteria, out, size), out);
			if (size > strlen(cases[i].text))
				assert_string_equal(out, cases[i].text);
			assert_in_range(strnlen(out, size), 0, size - 1);
			free(out);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_choices),
		cmocka_unit_test(test_most),
		cmocka_unit_test(test_describe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
