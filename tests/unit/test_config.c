/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "bridge/config.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define HOST "[server]\nhost = pi\n"
#define BOM "\xef\xbb\xbf"
#define X10(s) s s s s s s s s s s
#define HEX31 "0123456789abcdef0123456789abcde"
#define NO_HOST "F: [server] host is missing; 'ip2usb pair HOST' finds the camera and writes it"
#define KEY "IP2USB1-000G40R-40M30E2-09185GR-38E1W81-24GK2GA-HC5RR34-D1P70X3-RFT5WF7"
#define KEYS "allowed: none, or all that 'ip2usb-export key' has printed in one line"
#define SYNTAX "neither [section] nor key = value"
#define HOSTS "allowed: a host name or an address, without port or brackets"
#define NOTICES "allowed: auto, off, or 1 to 65535"
#define BUSIDS "allowed: a bus id such as 1-1.4, at most 31 characters"
#define IDS "allowed: VID:PID, four hexadecimal digits each, such as 04a9:3218"
#define SERIALS "allowed: a serial number, at most 127 characters"
#define UDCS "allowed: auto, or a name in /sys/class/udc"
#define POWERS "allowed: mirror, or 0 to 500"
#define SELF "allowed: mirror, yes, no"
#define UNPLUG "allowed: never, or 1 to 3600"
#define LEDS "allowed: none, or a name in /sys/class/leds"
#define SECTIONS "allowed: server, camera, gadget, link, led"
#define TOO_LONG "the line is too long; allowed: 198 characters"

/* ---- what is taken ---- */

static const struct good {
	const char *name, *text;
	const char *host, *port, *notices, *busid, *id, *serial, *udc, *led; /* NULL: the default */
	int power, self, unplug, hold; /* and 1 more, so that 0 is the default */
} goods[] = {
	{.name = "least", .text = HOST},
	{.name = "everything",
		.text = "[server]\nhost=10.0.0.1\nport=1\nnotices=2\n[camera]\nbusid=1-1.4\nid="
			"04A9:3218\n"
			"serial=0123 AB\n[gadget]\nudc=fe980000.usb\n"
			"max_power_ma=20\nself_powered=yes\n[led]\nname=led0\n",
		.host = "10.0.0.1",
		.port = "1",
		.notices = "2",
		.busid = "1-1.4",
		.id = "04a9:3218",
		.serial = "0123 AB",
		.udc = "fe980000.usb",
		.led = "led0",
		.power = 21,
		.self = 2},
	{.name = "no power", .text = HOST "[gadget]\nmax_power_ma = 0\n", .power = 1},
	{.name = "most power", .text = HOST "[gadget]\nmax_power_ma = 500\n", .power = 501},
	{.name = "soonest unplug", .text = HOST "[gadget]\nunplug_after_s = 1\n", .unplug = 2},
	{.name = "latest unplug", .text = HOST "[gadget]\nunplug_after_s = 3600\n", .unplug = 3601},
	{.name = "no hold", .text = HOST "[link]\nhold_s = 0\n", .hold = 1},
	{.name = "longest hold", .text = HOST "[link]\nhold_s = 600\n", .hold = 601},
	{.name = "no unplug", .text = HOST "[gadget]\nunplug_after_s = never\n", .unplug = 1},
	{.name = "bus-powered", .text = HOST "[gadget]\nself_powered = no\n", .self = 1},
	{.name = "mirror, by name",
		.text = HOST "[gadget]\nmax_power_ma = 8\nmax_power_ma = mirror\n"
			     "self_powered = no\nself_powered = mirror\n"},
	{.name = "empty values", .text = HOST "[camera]\nbusid =\nid =\nserial =\n"},
	{.name = "IPv6", .text = "[server]\nhost = fe80::1%wlan0\n", .host = "fe80::1%wlan0"},
	{.name = "port 65535", .text = HOST "port = 65535\n", .port = "65535"},
	{.name = "no notices", .text = HOST "notices = off\n", .notices = "off"},
	{.name = "notices, by name", .text = HOST "notices = 9\nnotices = auto\n"},
	{.name = "longest busid", .text = HOST "[camera]\nbusid = " HEX31 "\n", .busid = HEX31},
	{.name = "longest serial",
		.text = HOST "[camera]\nserial = " X10("0123456789") X10("ab") "1234567\n",
		.serial = X10("0123456789") X10("ab") "1234567"},
	{.name = "ids' limits", .text = HOST "[camera]\nid = ffff:0000\n", .id = "ffff:0000"},
	{.name = "id given, then emptied", .text = HOST "[camera]\nid = 1234:5678\nid =\n"},
	{.name = "the last of two", .text = HOST "host = zero\n", .host = "zero"},
	{.name = "sections in parts",
		.text = "[gadget]\nudc=u\n[server]\nport=9\n[camera]\n[server]\nhost=pi\n",
		.port = "9",
		.udc = "u"},
	{.name = "comments",
		.text = "; one\n# two\n   ; three\n[server] ; four\nhost = pi ; five\n;port = 9\n"},
	{.name = "a semicolon without a space",
		.text = HOST "[camera]\nserial = a;b\n",
		.serial = "a;b"},
	{.name = "colons for equals signs", .text = "[server]\nhost: pi\nport:9\n", .port = "9"},
	{.name = "blanks", .text = "\n  \n\t[server]\t\n\t host \t=\t pi \t\n\n"},
	{.name = "indented keys",
		.text = "[server]\n  host = pi\n  port = 9\n[camera]\n  serial = a\n  busid = "
			"1-1\n",
		.port = "9",
		.busid = "1-1",
		.serial = "a"},
	{.name = "CRLF",
		.text = "; c\r\n\r\n[server]\r\nhost = pi\r\nport = 9\r\n[camera]\r\nid=\r\n",
		.port = "9"},
	{.name = "CRLF, indented",
		.text = "[server]\r\n\thost = pi\r\n\tport = 9\r\n",
		.port = "9"},
	{.name = "BOM", .text = BOM HOST},
	{.name = "BOM and CRLF", .text = BOM "[server]\r\nhost = pi\r\n"},
	{.name = "BOM before a comment", .text = BOM "; c\n" HOST},
	{.name = "no newline at the end", .text = "[server]\nhost = pi"},
	{.name = "blanks at the end", .text = HOST "  "},
	{.name = "longest line", .text = HOST ";" X10("0123456789") X10("012345678") "0123456\n"},
	{.name = "UTF-8", .text = HOST "[camera]\nserial = \xc3\xa4\n", .serial = "\xc3\xa4"},
};

static void check(const char *of, const char *what, const char *have, const char *expected)
{
	if (strcmp(have, expected))
		fail_msg("%s: %s is '%s' instead of '%s'", of, what, have, expected);
}

static void test_good(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(goods); i++) {
		const struct good *g = &goods[i];
		char *text = strdup(g->text), error[200] = "", id[16] = "";
		struct config c;

		memset(&c, 0xff, sizeof(c));
		if (config_parse(&c, "F", text, error, sizeof(error)))
			fail_msg("%s: %s", g->name, error);
		free(text); /* it keeps nothing of it */
		if (c.camera.has_id)
			(void)snprintf(
				id, sizeof(id), "%04x:%04x", c.camera.vendor, c.camera.product);
		check(g->name, "host", c.server.host, g->host ? g->host : "pi");
		check(g->name, "port", c.server.port, g->port ? g->port : "3240");
		check(g->name, "notices", c.server.notices, g->notices ? g->notices : "auto");
		check(g->name, "busid", c.camera.busid, g->busid ? g->busid : "");
		check(g->name, "id", id, g->id ? g->id : "");
		check(g->name, "serial", c.camera.serial, g->serial ? g->serial : "");
		check(g->name, "udc", c.gadget.udc, g->udc ? g->udc : "auto");
		check(g->name, "led", c.led.name, g->led ? g->led : "ACT");
		assert_int_equal(c.gadget.max_power_ma, g->power - 1);
		assert_int_equal(c.gadget.self_powered, g->self - 1);
		assert_int_equal(c.gadget.unplug_after_s, g->unplug ? g->unplug - 1 : 5);
		assert_int_equal(c.link.hold_s, g->hold ? g->hold - 1 : 10);
	}
}

/* ---- what is refused, and with what text ---- */

static const struct bad {
	const char *text, *error;
} bads[] = {
	{"", NO_HOST},
	{"[server]\nport = 9\n", NO_HOST},
	{BOM, NO_HOST},
	/* sections */
	{HOST "[lamp]\nname = ACT\n", "F:3: unknown section 'lamp'; " SECTIONS},
	{HOST "[lamp]\n", "F:3: unknown section 'lamp'; " SECTIONS},
	{HOST "\n [lamp] ; c\r\n", "F:4: unknown section 'lamp'; " SECTIONS},
	{BOM "[lamp]\n" HOST, "F:1: unknown section 'lamp'; " SECTIONS},
	{"[Server]\nhost = pi\n", "F:1: unknown section 'Server'; " SECTIONS},
	{"[ server ]\nhost = pi\n", "F:1: unknown section ' server '; " SECTIONS},
	{"[]\nhost = pi\n", "F:1: unknown section ''; " SECTIONS},
	{"host = pi\n", "F:1: 'host' is in no section; " SECTIONS},
	{"\n\nhost = pi\n[server]\n", "F:3: 'host' is in no section; " SECTIONS},
	{"[" X10("0123456789") "]\n", "F:1: unknown section '" X10("0123456789") "'; " SECTIONS},
	/* keys */
	{HOST "hold_s = 10\n",
		"F:3: unknown key 'hold_s'; allowed in this section: host, port, notices, key"},
	{HOST "Port = 10\n",
		"F:3: unknown key 'Port'; allowed in this section: host, port, notices, key"},
	{HOST "[camera]\nhost = pi\n",
		"F:4: unknown key 'host'; allowed in this section: busid, id, serial"},
	{HOST "[gadget]\nid = 1\n",
		"F:4: unknown key 'id'; allowed in this section: udc, max_power_ma, self_powered, "
		"unplug_after_s"},
	{HOST "= 3\n", "F:3: unknown key ''; allowed in this section: host, port, notices, key"},
	/* a key: nothing of it is shown */
	{HOST "key =\n", "F:3: '...' is no value for key; " KEYS},
	{HOST "key = None\n", "F:3: '...' is no value for key; " KEYS},
	{HOST "key = " KEY "0\n", "F:3: '...' is no value for key; " KEYS},
	{HOST "key = IP2USB1-1" KEY "\n", "F:3: '...' is no value for key; " KEYS},
	/* neither */
	{"[server\nhost = pi\n", "F:1: " SYNTAX},
	{HOST "port\n", "F:3: " SYNTAX},
	{HOST "port 9\r\n", "F:3: " SYNTAX},
	{HOST "port\nhold = 3\n[lamp]\n", "F:3: " SYNTAX},
	{HOST "hold = 3\nport\n",
		"F:3: unknown key 'hold'; allowed in this section: host, port, notices, key"},
	{HOST "port\n" X10(X10("0123456789")), "F:3: " SYNTAX},
	/* values */
	{"[server]\nhost =\n", "F:2: '' is no value for host; " HOSTS},
	{"[server]\nhost = pi camera\n", "F:2: 'pi camera' is no value for host; " HOSTS},
	{"[server]\nhost = pi # c\n", "F:2: 'pi # c' is no value for host; " HOSTS},
	{"[server]\nhost = pi;c\n", "F:2: 'pi;c' is no value for host; " HOSTS},
	{"[server]\nhost = \"pi\"\n", "F:2: '\"pi\"' is no value for host; " HOSTS},
	{"[server]\nhost = pi:3240\n", "F:2: 'pi:3240' is no value for host; " HOSTS},
	{"[server]\nhost = [::1]\n", "F:2: '[::1]' is no value for host; " HOSTS},
	{"[server]\nhost = a/b\n", "F:2: 'a/b' is no value for host; " HOSTS},
	{HOST "port =\n", "F:3: '' is no value for port; allowed: 1 to 65535"},
	{HOST "port = 0\n", "F:3: '0' is no value for port; allowed: 1 to 65535"},
	{HOST "port = 65536\n", "F:3: '65536' is no value for port; allowed: 1 to 65535"},
	{HOST "port = -1\n", "F:3: '-1' is no value for port; allowed: 1 to 65535"},
	{HOST "port = +1\n", "F:3: '+1' is no value for port; allowed: 1 to 65535"},
	{HOST "port = 1 2\n", "F:3: '1 2' is no value for port; allowed: 1 to 65535"},
	{HOST "port = 0x10\n", "F:3: '0x10' is no value for port; allowed: 1 to 65535"},
	{HOST "port = 00000001\n", "F:3: '00000001' is no value for port; allowed: 1 to 65535"},
	{HOST "port = 18446744073709551617\n",
		"F:3: '18446744073709551617' is no value for port; allowed: 1 to 65535"},
	{HOST "port = 9 ;c\n port = x", "F:4: 'x' is no value for port; allowed: 1 to 65535"},
	{HOST "notices =\n", "F:3: '' is no value for notices; " NOTICES},
	{HOST "notices = 0\n", "F:3: '0' is no value for notices; " NOTICES},
	{HOST "notices = 65536\n", "F:3: '65536' is no value for notices; " NOTICES},
	{HOST "notices = 00000001\n", "F:3: '00000001' is no value for notices; " NOTICES},
	{HOST "notices = on\n", "F:3: 'on' is no value for notices; " NOTICES},
	{HOST "[camera]\nbusid = 1/1\n", "F:4: '1/1' is no value for busid; " BUSIDS},
	{HOST "[camera]\nbusid = " HEX31 "f\n", "F:4: '" HEX31 "f' is no value for busid; " BUSIDS},
	{HOST "[camera]\nid = 04a9\n", "F:4: '04a9' is no value for id; " IDS},
	{HOST "[camera]\nid = 04a9:321\n", "F:4: '04a9:321' is no value for id; " IDS},
	{HOST "[camera]\nid = 04a9:32188\n", "F:4: '04a9:32188' is no value for id; " IDS},
	{HOST "[camera]\nid = 04a9 3218\n", "F:4: '04a9 3218' is no value for id; " IDS},
	{HOST "[camera]\nid = 04a93:218\n", "F:4: '04a93:218' is no value for id; " IDS},
	{HOST "[camera]\nid = 4a9:03218\n", "F:4: '4a9:03218' is no value for id; " IDS},
	{HOST "[camera]\nid = 0x4a:3218\n", "F:4: '0x4a:3218' is no value for id; " IDS},
	{HOST "[camera]\nid = 04a9:321g\n", "F:4: '04a9:321g' is no value for id; " IDS},
	{HOST "[camera]\nid = :::::::::\n", "F:4: ':::::::::' is no value for id; " IDS},
	{HOST "[camera]\nid = 04a9:3218 x\n", "F:4: '04a9:3218 x' is no value for id; " IDS},
	{HOST "[camera]\nserial = " X10("0123456789") X10("ab") "12345678\n",
		"F:4: '" X10("0123456789") X10("ab") "12345678' is no value for serial; " SERIALS},
	{HOST "[gadget]\nudc =\n", "F:4: '' is no value for udc; " UDCS},
	{HOST "[gadget]\nmax_power_ma = 501\n", "F:4: '501' is no value for max_power_ma; " POWERS},
	{HOST "[gadget]\nmax_power_ma = -1\n", "F:4: '-1' is no value for max_power_ma; " POWERS},
	{HOST "[gadget]\nmax_power_ma = 20mA\n",
		"F:4: '20mA' is no value for max_power_ma; " POWERS},
	{HOST "[gadget]\nmax_power_ma =\n", "F:4: '' is no value for max_power_ma; " POWERS},
	{HOST "[gadget]\nunplug_after_s = 0\n", "F:4: '0' is no value for unplug_after_s; " UNPLUG},
	{HOST "[gadget]\nunplug_after_s = 3601\n",
		"F:4: '3601' is no value for unplug_after_s; " UNPLUG},
	{HOST "[gadget]\nunplug_after_s = 1.5\n",
		"F:4: '1.5' is no value for unplug_after_s; " UNPLUG},
	{HOST "[gadget]\nself_powered = 1\n", "F:4: '1' is no value for self_powered; " SELF},
	{HOST "[gadget]\nself_powered =\n", "F:4: '' is no value for self_powered; " SELF},
	{HOST "[gadget]\nudc = ../x\n", "F:4: '../x' is no value for udc; " UDCS},
	{HOST "[link]\nhold_s = 601\n", "F:4: '601' is no value for hold_s; allowed: 0 to 600"},
	{HOST "[link]\nhold_s = never\n", "F:4: 'never' is no value for hold_s; allowed: 0 to 600"},
	{HOST "[led]\nname =\n", "F:4: '' is no value for name; " LEDS},
	{HOST "[led]\nname = ..\n", "F:4: '..' is no value for name; " LEDS},
	{HOST "[led]\nname = " HEX31 HEX31 "01\n",
		"F:4: '" HEX31 HEX31 "01' is no value for name; " LEDS},
	{HOST "[led]\nname = a/b\n", "F:4: 'a/b' is no value for name; " LEDS},
	{HOST "[gadget]\nudc = " HEX31 HEX31 "01\n",
		"F:4: '" HEX31 HEX31 "01' is no value for udc; " UDCS},
	/* lines */
	{HOST ";" X10("0123456789") X10("012345678") "01234567\n", "F:3: " TOO_LONG},
	{HOST ";" X10("0123456789") X10("012345678") "0123456\r\n", "F:3: " TOO_LONG},
	{X10(X10("0123456789")), "F:1: " TOO_LONG},
	/* old line ends: one line, which is never taken for several */
	{"[server]\rhost = pi\r", NO_HOST},
};

static int result(const char *error)
{
	return strcmp(error, NO_HOST) ? -EINVAL : -ENODATA;
}

static void test_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(bads); i++) {
		const struct bad *b = &bads[i];
		char *text = strdup(b->text), error[400] = "";
		struct config c;

		assert_int_equal(
			config_parse(&c, "F", text, error, sizeof(error)), result(b->error));
		assert_string_equal(error, b->error);
		free(text);
	}
}

/* However little room there is for the text. */
static void test_error_size(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(bads); i++) {
		for (size_t size = 1; size < 60; size++) {
			char *error = malloc(size);
			struct config c;

			assert_int_equal(config_parse(&c, "F", bads[i].text, error, size),
				result(bads[i].error));
			assert_int_equal(strncmp(error, bads[i].error, size - 1), 0);
			assert_in_range(strnlen(error, size), 0, size - 1);
			free(error);
		}
	}
}

/* A value that was overwritten leaves nothing behind. */
static void test_equal(void **state)
{
	static const char *const texts[] = {
		HOST "[camera]\nserial = abc\nserial =\n",
		"[server]\nhost = somewhere\n" HOST "[gadget]\nudc = long name\nudc = auto\n",
		HOST "[camera]\nid = 1234:5678\nid =\nbusid = 1-1.4.4.4\nbusid =\n",
		HOST "key = " KEY "\nkey = none\n",
	};
	char error[200];
	struct config least, c;

	(void)state;
	assert_int_equal(config_parse(&least, "F", HOST, error, sizeof(error)), 0);
	for (size_t i = 0; i < COUNT(texts); i++) {
		assert_int_equal(config_parse(&c, "F", texts[i], error, sizeof(error)), 0);
		assert_memory_equal(&c, &least, sizeof(c));
	}
}

static void test_key(void **state)
{
	struct pairingkey expected;
	char error[200];
	struct config c;

	(void)state;
	for (uint8_t i = 0; i < PAIRINGKEY_SIZE; i++)
		expected.bytes[i] = i;
	assert_int_equal(config_parse(&c, "F", HOST, error, sizeof(error)), 0);
	assert_null(config_key(&c, "pi", "3240"));
	assert_int_equal(
		config_parse(&c, "F", HOST "key = " KEY " ; c\n", error, sizeof(error)), 0);
	assert_true(c.server.has_key);
	assert_memory_equal(&c.server.key, &expected, sizeof(expected));
	assert_ptr_equal(config_key(&c, "pi", "3240"), &c.server.key);
	assert_null(config_key(&c, "pi", "3241"));
	assert_null(config_key(&c, "pi2", "3240"));
}

/* ---- files ---- */

static int read_bytes(const void *bytes, size_t size, char *path, char error[200])
{
	struct config c;
	int fd, r;

	strcpy(path, "/tmp/test_config.XXXXXX");
	fd = mkstemp(path);
	assert_int_equal(write(fd, bytes, size), size);
	close(fd);
	r = config_read(&c, path, error, 200);
	(void)unlink(path);
	if (!r)
		assert_string_equal(c.server.host, "pi");
	return r;
}

static void test_files(void **state)
{
	static const char utf16[] = "\xff\xfe[\0s\0]\0";
	static const char nul[] = HOST "\n\0[led]\n";
	char *large = malloc(65537), path[64], error[200] = "", expected[200];
	struct config c;

	(void)state;
	assert_int_equal(read_bytes(HOST, strlen(HOST), path, error), 0);
	assert_int_equal(read_bytes(utf16, sizeof(utf16) - 1, path, error), -EINVAL);
	(void)snprintf(
		expected, sizeof(expected), "%s:1: a NUL byte; allowed: text in UTF-8", path);
	assert_string_equal(error, expected);
	assert_int_equal(read_bytes(nul, sizeof(nul) - 1, path, error), -EINVAL);
	(void)snprintf(
		expected, sizeof(expected), "%s:4: a NUL byte; allowed: text in UTF-8", path);
	assert_string_equal(error, expected);
	/* A NUL at the end, no byte more and no byte less. */
	assert_int_equal(read_bytes(HOST, sizeof(HOST), path, error), -EINVAL);

	memset(large, '\n', 65537);
	memcpy(large, HOST, strlen(HOST));
	assert_int_equal(read_bytes(large, 65536, path, error), 0);
	assert_int_equal(read_bytes(large, 65537, path, error), -EFBIG);
	(void)snprintf(expected, sizeof(expected), "%s: File too large", path);
	assert_string_equal(error, expected);
	free(large);

	assert_int_equal(config_read(&c, "/nonexistent/f", error, sizeof(error)), -ENOENT);
	assert_string_equal(error, "/nonexistent/f: No such file or directory");
	assert_int_equal(config_read(&c, "/", error, sizeof(error)), -EISDIR);
	assert_string_equal(error, "/: Is a directory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_error_size),
		cmocka_unit_test(test_equal),
		cmocka_unit_test(test_key),
		cmocka_unit_test(test_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
