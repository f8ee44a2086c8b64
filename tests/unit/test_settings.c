/* SPDX-License-Identifier: GPL-2.0-or-later */
/* settings: the configuration, and what a file on the boot partition says otherwise. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "bridge/settings.h"

#define BASE "base.conf"
#define NEW "new.conf"
#define OLD "old.conf"

static const char *const overrides[] = {NEW, OLD, NULL};
static struct settings settings;

static void put(const char *path, const char *text)
{
	FILE *file;

	if (!text) {
		(void)unlink(path);
		return;
	}
	file = fopen(path, "we");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

/* NULL: no such file. */
static int read_with(const char *base, const char *new, const char *old)
{
	put(BASE, base);
	put(NEW, new);
	put(OLD, old);
	memset(&settings, 0xa5, sizeof(settings));
	return settings_read(&settings, BASE, overrides);
}

static void assert_config(const char *text)
{
	struct config config;
	char error[INISCHEMA_MAX_ERROR];
	int r = config_parse(&config, "expected", text, error, sizeof(error));

	assert_true(!r || r == -ENODATA);
	assert_memory_equal(&settings.config, &config, sizeof(config));
}

static void test_none(void **state)
{
	(void)state;
	assert_int_equal(read_with("[server]\nhost = a\n", NULL, NULL), 0);
	assert_config("[server]\nhost = a\n");
	assert_string_equal(settings.error, "");
	assert_string_equal(settings.problem, "");
	assert_null(settings.override);
}

static void test_wins(void **state)
{
	(void)state;
	assert_int_equal(read_with("[server]\nhost = a\nport = 1\n[camera]\nbusid = 1-1\n"
				   "serial = x\n[link]\nhold_s = 1\n",
				 "[server]\r\nhost = bcd\r\n[camera]\r\nbusid =\r\n", NULL),
		0);
	assert_config("[server]\nhost = bcd\nport = 1\n[camera]\nserial = x\n[link]\nhold_s = 1\n");
	assert_string_equal(settings.problem, "");
	assert_string_equal(settings.override, NEW);
}

static void test_first_counts(void **state)
{
	(void)state;
	assert_int_equal(
		read_with("[server]\nhost = a\n", "[link]\nhold_s = 2\n", "[server]\nhost = c\n"),
		0);
	assert_config("[server]\nhost = a\n[link]\nhold_s = 2\n");
	assert_int_equal(read_with("[server]\nhost = a\n", NULL, "[server]\nhost = c\n"), 0);
	assert_config("[server]\nhost = c\n");
	assert_string_equal(settings.override, OLD);
}

static void test_host_there(void **state)
{
	(void)state;
	assert_int_equal(read_with("[link]\nhold_s = 3\n", "[server]\nhost = b\n", NULL), 0);
	assert_config("[server]\nhost = b\n[link]\nhold_s = 3\n");
	assert_string_equal(settings.error, "");
}

static void test_no_host(void **state)
{
	(void)state;
	assert_int_equal(read_with("[link]\nhold_s = 3\n", "[led]\nname = none\n", NULL), -ENODATA);
	assert_config("[link]\nhold_s = 3\n[led]\nname = none\n");
	assert_non_null(strstr(settings.error, BASE ": [server] host is missing"));
}

/* Nothing of it counts, what is right before the problem neither. */
static void test_broken(void **state)
{
	(void)state;
	assert_int_equal(
		read_with("[server]\nhost = a\n", "[server]\nhost = b\nprot = 1\n", NULL), 0);
	assert_config("[server]\nhost = a\n");
	assert_string_equal(settings.error, "");
	assert_non_null(strstr(settings.problem, NEW ":3: unknown key 'prot'"));
	assert_null(settings.override);
	/* Nor does another one count instead. */
	assert_int_equal(
		read_with("[link]\nhold_s = 3\n", "x\n", "[server]\nhost = c\n"), -ENODATA);
	assert_non_null(strstr(settings.problem, NEW ":1: "));
}

static void test_broken_base(void **state)
{
	(void)state;
	assert_int_equal(read_with("x\n", "[server]\nhost = b\n", NULL), -EINVAL);
	assert_non_null(strstr(settings.error, BASE ":1: "));
	assert_int_equal(read_with(NULL, "[server]\nhost = b\n", NULL), -ENOENT);
	assert_string_equal(settings.error, BASE ": No such file or directory");
	assert_string_equal(settings.problem, "");
}

static void test_unwanted(void **state)
{
	(void)state;
	(void)read_with("[server]\nhost = a\n", "[server]\nhost = b\n", NULL);
	assert_int_equal(settings_read(&settings, BASE, NULL), 0);
	assert_config("[server]\nhost = a\n");
}

/* What is there and cannot be read is a problem. */
static void test_unreadable(void **state)
{
	(void)state;
	assert_int_equal(symlink(".", "folder.conf"), 0);
	put(BASE, "[server]\nhost = a\n");
	assert_int_equal(
		settings_read(&settings, BASE, (const char *const[]){"folder.conf", NULL}), 0);
	(void)unlink("folder.conf");
	assert_config("[server]\nhost = a\n");
	assert_string_equal(settings.problem, "folder.conf: Is a directory");
}

static char folder[] = "/tmp/test_settings.XXXXXX";

static int enter(void **state)
{
	(void)state;
	return mkdtemp(folder) && !chdir(folder) ? 0 : -1;
}

static int leave(void **state)
{
	(void)state;
	put(BASE, NULL);
	put(NEW, NULL);
	put(OLD, NULL);
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_wins),
		cmocka_unit_test(test_first_counts),
		cmocka_unit_test(test_host_there),
		cmocka_unit_test(test_no_host),
		cmocka_unit_test(test_broken),
		cmocka_unit_test(test_broken_base),
		cmocka_unit_test(test_unwanted),
		cmocka_unit_test(test_unreadable),
	};

	return cmocka_run_group_tests(tests, enter, leave);
}
