/* SPDX-License-Identifier: GPL-2.0-or-later */
/* exportconfig: keys and texts; test_inischema and test_config have the reader. */
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
#include "bridge/inischema.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define X4(s) s s s s
#define X64(s) X4(X4(X4(s)))
#define S "[server]\n"
#define E "[export]\n"
#define HOSTS                                                                                      \
	"allowed: an address or a host name, without port or brackets; empty for all addresses"
#define RULES                                                                                      \
	"allowed: any, mtp, VID:PID, VID:*, class CC[/SS[/PP]], port BUSID, port HUB.*, "          \
	"serial TEXT, or several that must all hold; at most 64 lines"
#define KEYS "allowed: none, or all that 'ip2usb-export key' has printed in one line"
#define BOTH(n) "F: [server] port and notices are both " n "; allowed: two ports, or notices = off"

/* docs/protocol.md: 00 01 02 ... 1f */
#define KEY "IP2USB1-000G40R-40M30E2-09185GR-38E1W81-24GK2GA-HC5RR34-D1P70X3-RFT5WF7"

static const struct good {
	const char *text, *listen, *port, *notices; /* NULL: the default */
	bool is_quiet, has_key, plain_anywhere;
	const char *rules[3]; /* with + or - in front */
} goods[] = {
	{.text = ""},
	{.text = S E},
	{.text = S "listen =\nport = 3240\nnotices = 65432\nannounce = yes\n"},
	{.text = S "listen = 192.168.1.2\nport = 1\nnotices = 2\nannounce = no\n",
		.listen = "192.168.1.2",
		.port = "1",
		.notices = "2",
		.is_quiet = true},
	{.text = S "listen = fe80::1%eth0\n", .listen = "fe80::1%eth0"},
	{.text = S "listen = ::\n", .listen = "::"},
	{.text = S "listen = localhost\n", .listen = "localhost"},
	{.text = S "listen = ::1\nlisten =\n"},
	{.text = S "notices = off\n", .notices = "off"},
	{.text = S "port = 65432\nnotices = 3240\n", .port = "65432", .notices = "3240"},
	{.text = S "port = 65432\nnotices = off\n", .port = "65432", .notices = "off"},
	{.text = S "announce = no\nannounce = yes\n"},
	{.text = S "key = " KEY "\n", .has_key = true},
	{.text = S "key = none\n"},
	{.text = S "key = " KEY "\nkey = none\n"},
	{.text = S "key = none\nkey = " KEY " ; ours\n", .has_key = true},
	{.text = S "plain = private\n"},
	{.text = S "plain = anywhere\n", .plain_anywhere = true},
	{.text = S "plain = anywhere\nplain = private\n"},
	{.text = E "allow = any\n", .rules = {"+any"}},
	{.text = E "deny = 04a9:3218\n", .rules = {"-04a9:3218"}},
	{.text = E "allow = 04a9:*\ndeny = class 06/01/01\nallow = mtp\n",
		.rules = {"+04a9:*", "-class 06/01/01", "+mtp"}},
	{.text = E "allow = serial \"0123 AB\" ; mine\n" S E "deny = port 1-1.*\n",
		.rules = {"+serial \"0123 AB\"", "-port 1-1.*"}},
	{.text = E "  allow = mtp\n  allow = mtp\n", .rules = {"+mtp", "+mtp"}},
};

static void expect(struct exportconfig *c, const struct good *g)
{
	memset(c, 0, sizeof(*c));
	strcpy(c->listen, g->listen ? g->listen : "");
	strcpy(c->port, g->port ? g->port : "3240");
	strcpy(c->notices, g->notices ? g->notices : "65432");
	c->announce = !g->is_quiet;
	c->has_key = g->has_key;
	for (uint8_t i = 0; g->has_key && i < PAIRINGKEY_SIZE; i++)
		c->key.bytes[i] = i;
	c->plain_anywhere = g->plain_anywhere;
	for (size_t i = 0; i < COUNT(g->rules) && g->rules[i]; i++)
		assert_true(exportrules_add(&c->rules, *g->rules[i] == '+', g->rules[i] + 1));
}

static void test_good(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(goods); i++) {
		struct exportconfig expected, c;
		char *text = strdup(goods[i].text), error[400] = "";

		expect(&expected, &goods[i]);
		memset(&c, 0xff, sizeof(c));
		if (exportconfig_parse(&c, "F", text, error, sizeof(error)))
			fail_msg("%s: %s", text, error);
		free(text);
		assert_string_equal(c.listen, expected.listen);
		assert_string_equal(c.port, expected.port);
		assert_string_equal(c.notices, expected.notices);
		assert_int_equal(c.announce, expected.announce);
		assert_int_equal(c.rules.num_rules, expected.rules.num_rules);
		assert_memory_equal(&c, &expected, sizeof(c));
	}
}

static const struct bad {
	const char *text, *error;
} bads[] = {
	{"[camera]\n", "F:1: unknown section 'camera'; allowed: server, export"},
	{S "host = a\n",
		"F:2: unknown key 'host'; allowed in this section: listen, port, notices, "
		"announce, key, plain"},
	{E "denied = any\n", "F:2: unknown key 'denied'; allowed in this section: allow, deny"},
	{S "listen = [::1]\n", "F:2: '[::1]' is no value for listen; " HOSTS},
	{S "listen = 10.0.0.1:3240\n", "F:2: '10.0.0.1:3240' is no value for listen; " HOSTS},
	{S "port = 0\n", "F:2: '0' is no value for port; allowed: 1 to 65535"},
	{S "port = off\n", "F:2: 'off' is no value for port; allowed: 1 to 65535"},
	{S "notices = auto\n", "F:2: 'auto' is no value for notices; allowed: off, or 1 to 65535"},
	{S "notices =\n", "F:2: '' is no value for notices; allowed: off, or 1 to 65535"},
	{S "announce = 1\n", "F:2: '1' is no value for announce; allowed: yes, no"},
	{S "announce =\n", "F:2: '' is no value for announce; allowed: yes, no"},
	/* Nothing of a key is shown. */
	{S "key = IP2USB1-000G40\n", "F:2: '...' is no value for key; " KEYS},
	{S "key =\n", "F:2: '...' is no value for key; " KEYS},
	{S "plain = yes\n", "F:2: 'yes' is no value for plain; allowed: private, anywhere"},
	{S "plain =\n", "F:2: '' is no value for plain; allowed: private, anywhere"},
	{E "allow =\n", "F:2: '' is no value for allow; " RULES},
	{E "allow = any\ndeny = keyboard\n", "F:3: 'keyboard' is no value for deny; " RULES},
	{E X64("allow = mtp\n") "allow = mtp\n", "F:66: 'mtp' is no value for allow; " RULES},
	{E X64("allow = mtp\n") "deny = mtp\n", "F:66: 'mtp' is no value for deny; " RULES},
	{S "port = 65432\n", BOTH("65432")},
	{S "notices = 3240\n", BOTH("3240")},
	{S "notices = 03240\n", BOTH("3240")},
};

static void test_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(bads); i++) {
		struct exportconfig c;
		char *text = strdup(bads[i].text), error[400] = "";

		assert_int_equal(exportconfig_parse(&c, "F", text, error, sizeof(error)), -EINVAL);
		assert_string_equal(error, bads[i].error);
		free(text);
	}
}

/* However little room there is for the text. */
static void test_error_size(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(bads); i++) {
		for (size_t size = 1; size < 60; size++) {
			struct exportconfig c;
			char *error = malloc(size);

			assert_int_equal(
				exportconfig_parse(&c, "F", bads[i].text, error, size), -EINVAL);
			assert_int_equal(strncmp(error, bads[i].error, size - 1), 0);
			assert_int_equal(strlen(error) < size, true);
			free(error);
		}
	}
}

/* ---- files ---- */

static void assert_defaults(const struct exportconfig *c)
{
	struct exportconfig defaults;

	expect(&defaults, &goods[0]);
	assert_memory_equal(c, &defaults, sizeof(*c));
}

static void test_read(void **state)
{
	char path[] = "/tmp/test_exportconfig.XXXXXX", error[INISCHEMA_MAX_ERROR];
	static const char text[] = E "deny = any\n";
	struct exportconfig c;
	int fd = mkstemp(path);

	(void)state;
	assert_int_equal(exportconfig_read(&c, path, error, sizeof(error)), 0);
	assert_defaults(&c);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(exportconfig_read(&c, path, error, sizeof(error)), 0);
	assert_int_equal(c.rules.num_rules, 1);
	assert_int_equal(write(fd, "x\n", 2), 2);
	assert_int_equal(exportconfig_read(&c, path, error, sizeof(error)), -EINVAL);
	close(fd);
	(void)unlink(path);

	memset(&c, 0xff, sizeof(c));
	assert_int_equal(exportconfig_read(&c, "/nonexistent/f", error, sizeof(error)), -ENOENT);
	assert_string_equal(error, "/nonexistent/f: No such file or directory");
	assert_defaults(&c);
	assert_int_equal(exportconfig_read(&c, "/", error, sizeof(error)), -EISDIR);
}

/* ---- the example that is installed ---- */

static bool is_for_people(const char *line)
{
	return line[0] == ';' && line[1] == ' ';
}

static const struct exportrules_device a_camera = {.busid = "1-1",
	.interfaces = &(const struct usbip_interface){6, 1, 1},
	.num_interfaces = 1};
static const struct exportrules_device a_phone = {.busid = "1-1", .is_mtp = true};
static const struct exportrules_device a_keyboard = {.busid = "1-1",
	.interfaces = &(const struct usbip_interface){3, 1, 1},
	.num_interfaces = 1};

/* What is commented out in it is the default; of the rules, what comes to the same. */
static void test_example(void **state)
{
	char line[256], *text = calloc(1, INISCHEMA_MAX_FILE), error[INISCHEMA_MAX_ERROR] = "";
	FILE *file = fopen(EXAMPLE, "re");
	struct exportconfig c;
	unsigned commented = 0;

	(void)state;
	assert_int_equal(exportconfig_read(&c, EXAMPLE, error, sizeof(error)), 0);
	assert_defaults(&c);
	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		bool is_key = *line == ';' && !is_for_people(line);

		commented += is_key;
		strcat(text, line + is_key);
	}
	(void)fclose(file);
	if (exportconfig_parse(&c, EXAMPLE, text, error, sizeof(error)))
		fail_msg("%s", error);
	assert_true(commented >= 6);
	assert_int_equal(c.rules.num_rules, 2);
	assert_true(exportrules_permits(&c.rules, &a_camera));
	assert_true(exportrules_permits(&c.rules, &a_phone));
	assert_false(exportrules_permits(&c.rules, &a_keyboard));
	memset(&c.rules, 0, sizeof(c.rules));
	assert_defaults(&c);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_error_size),
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_example),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
