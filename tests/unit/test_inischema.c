/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * inischema: a table of its own; test_config has what is wrong with lines. Linked with
 * --wrap=malloc, which can fail.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "bridge/inischema.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);

static bool no_memory;

void *__wrap_malloc(size_t size)
{
	if (!no_memory)
		return __real_malloc(size);
	errno = ENOMEM;
	return NULL;
}

/* ---- the table ---- */

struct seen {
	char log[256]; /* what the setters were called with, in order */
};

static bool note(struct seen *seen, const char *name, const char *value)
{
	size_t n = strlen(seen->log);

	(void)snprintf(seen->log + n, sizeof(seen->log) - n, "%s(%s)", name, value);
	return strcmp(value, "bad") != 0;
}

static bool set_one(void *into, const char *value)
{
	return note(into, "one", value);
}

static bool set_many(void *into, const char *value)
{
	return note(into, "many", value);
}

static bool set_other(void *into, const char *value)
{
	return note(into, "other", value);
}

static bool set_secret(void *into, const char *value)
{
	return note(into, "secret", value);
}

static const struct inischema_key keys[] = {
	{"first", "one", set_one, "anything, but not bad"},
	{"first", "many", set_many, "good ones"},
	{"second", "one", set_other, "another"},
	{"second", "word", set_secret, "what nobody knows"},
};
static const struct inischema schema = {keys, COUNT(keys), set_secret};

static const struct text {
	const char *text, *log, *error; /* error empty: taken */
} texts[] = {
	{"", "", ""},
	{"[first]\n[second]\n", "", ""},
	{"[first]\none = a\n", "one(a)", ""},
	{"[second]\none = a\n", "other(a)", ""},
	{"[first]\nmany = a\nmany = b c\none = 1\nmany = a\n", "many(a)many(b c)one(1)many(a)", ""},
	{"[first]\nmany = a\n[second]\none = x\n[first]\nmany =\n", "many(a)other(x)many()", ""},
	{"[first]\nmany = a\n  many = b\n\tmany = c\n", "many(a)many(b)many(c)", ""},
	/* Nothing is called for what follows the first that is wrong. */
	{"[first]\nmany = a\nmany = bad\nmany = b\n", "many(a)many(bad)",
		"F:3: 'bad' is no value for many; allowed: good ones"},
	{"[first]\none = bad\n[third]\n", "one(bad)",
		"F:2: 'bad' is no value for one; allowed: anything, but not bad"},
	{"[second]\none = bad\n", "other(bad)", "F:2: 'bad' is no value for one; allowed: another"},
	{"[second]\nword = bad\n", "secret(bad)",
		"F:2: '...' is no value for word; allowed: what nobody knows"},
	{"[second]\nmany = a\n", "", "F:2: unknown key 'many'; allowed in this section: one, word"},
	{"[first]\ntwo = a\n", "", "F:2: unknown key 'two'; allowed in this section: one, many"},
	{"[third]\none = a\n", "", "F:1: unknown section 'third'; allowed: first, second"},
	{"one = a\n", "", "F:1: 'one' is in no section; allowed: first, second"},
	{"[first]\nmany = a\nmany\nmany = b\n", "many(a)many(b)",
		"F:3: neither [section] nor key = value"},
};

static void test_parse(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		struct seen seen = {""};
		char error[200] = "";
		int r = inischema_parse(&schema, &seen, "F", texts[i].text, error, sizeof(error));

		assert_string_equal(error, texts[i].error);
		assert_int_equal(r, *texts[i].error ? -EINVAL : 0);
		assert_string_equal(seen.log, texts[i].log);
	}
}

/* ---- values ---- */

static void test_values(void **state)
{
	static const char *const ports[] = {"1", "65535", "00080"};
	static const char *const no_ports[] = {"", "0", "65536", "-1", " 1", "1 ", "1x", "0000080"};
	static const char *const hosts[] = {"", "a", "a.b", "::", "fe80::1%eth0", "1.2.3.4"};
	static const char *const no_hosts[] = {
		"a:1", "[::1]", "a b", "a/b", "a;b", "12345678901234"};
	char out[14];
	unsigned n = 7;

	(void)state;
	for (size_t i = 0; i < COUNT(ports); i++) {
		assert_true(inischema_port(out, 7, ports[i]));
		assert_string_equal(out, ports[i]);
	}
	for (size_t i = 0; i < COUNT(no_ports); i++)
		assert_false(inischema_port(out, 7, no_ports[i]));
	for (size_t i = 0; i < COUNT(hosts); i++) {
		assert_true(inischema_host(out, sizeof(out), hosts[i]));
		assert_string_equal(out, hosts[i]);
	}
	for (size_t i = 0; i < COUNT(no_hosts); i++)
		assert_false(inischema_host(out, sizeof(out), no_hosts[i]));
	assert_string_equal(out, "1.2.3.4");
	assert_false(inischema_number("8", 7, &n));
	assert_false(inischema_number("18446744073709551616", 7, &n));
	assert_int_equal(n, 7);
	assert_true(inischema_number("0", 7, &n));
	assert_int_equal(n, 0);
}

/* To the byte, and nothing of what was there is left. */
static void test_text(void **state)
{
	char *out = malloc(4);

	(void)state;
	assert_false(inischema_text(out, 4, "abcd"));
	assert_true(inischema_text(out, 4, "abc"));
	assert_memory_equal(out, "abc", 4);
	assert_false(inischema_text(out, 4, "defg"));
	assert_memory_equal(out, "abc", 4);
	assert_true(inischema_text(out, 4, ""));
	assert_memory_equal(out, "\0\0\0", 4);
	free(out);
}

/* ---- files ---- */

#define SAMPLE "[first]\none = a\n"

struct source {
	size_t at, fails_at;
};

/* A byte at a time, and then an error or the end. */
static ssize_t read_byte(void *cookie, char *out, size_t size)
{
	struct source *s = cookie;

	if (s->at == s->fails_at) {
		errno = EIO;
		return -1;
	}
	if (!size || s->at == strlen(SAMPLE))
		return 0;
	*out = SAMPLE[s->at++];
	return 1;
}

static void test_read_fails(void **state)
{
	const cookie_io_functions_t functions = {.read = read_byte};
	char *text = malloc(INISCHEMA_MAX_FILE + 1), error[64];

	(void)state;
	for (size_t i = 0; i <= strlen(SAMPLE) + 1; i++) {
		struct source source = {0, i};
		FILE *file = fopencookie(&source, "r", functions);
		int r = inischema_load(file, "F", text, error, sizeof(error));

		if (i <= strlen(SAMPLE)) {
			assert_int_equal(r, -EIO);
			assert_string_equal(error, "F: Input/output error");
		} else {
			assert_int_equal(r, 0);
			assert_string_equal(text, SAMPLE);
		}
		(void)fclose(file);
	}
	inischema_forget(text);
}

/* The lowest number that is free: the same as long as no file is left open. */
static int next_fd(void)
{
	int fd = dup(STDIN_FILENO);

	assert_true(fd >= 0);
	close(fd);
	return fd;
}

static void test_path(void **state)
{
	char path[] = "/tmp/test_inischema.XXXXXX", *text = path, error[200], expected[200];
	int fd = mkstemp(path), free_fd = next_fd();

	(void)state;
	assert_int_equal(write(fd, SAMPLE, strlen(SAMPLE)), strlen(SAMPLE));
	assert_int_equal(inischema_load_path(path, &text, error, sizeof(error)), 0);
	assert_string_equal(text, SAMPLE);
	inischema_forget(text);

	no_memory = true;
	assert_int_equal(inischema_load_path(path, &text, error, sizeof(error)), -ENOMEM);
	no_memory = false;
	assert_null(text);
	(void)snprintf(expected, sizeof(expected), "%s: Cannot allocate memory", path);
	assert_string_equal(error, expected);

	text = path;
	assert_int_equal(write(fd, "", 1), 1);
	assert_int_equal(inischema_load_path(path, &text, error, sizeof(error)), -EINVAL);
	assert_null(text);
	(void)unlink(path);

	text = path;
	assert_int_equal(inischema_load_path(path, &text, error, sizeof(error)), -ENOENT);
	assert_null(text);
	assert_int_equal(inischema_load_path("/", &text, error, sizeof(error)), -EISDIR);
	assert_null(text);
	assert_int_equal(next_fd(), free_fd);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_read_fails),
		cmocka_unit_test(test_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
