/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pairing: files in a folder of its own. Linked with --wrap=fsync,rename,fchown, which can fail. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "bridge/config.h"
#include "bridge/inischema.h"
#include "bridge/pairing.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define X10(s) s s s s s s s s s s
#define REFUSED                                                                                    \
	"f is left as it was: the camera's serial number, or the server's name, cannot be "        \
	"written there"

/* ---- calls that can fail ---- */

static const char *failing; /* the name of one; NULL: none */

static int outcome_of(const char *name)
{
	if (!failing || strcmp(failing, name) != 0)
		return 0;
	errno = EIO;
	return -1;
}

#define WRAPPED(name, parameters, arguments)                                                       \
	int __real_##name parameters;                                                              \
	int __wrap_##name parameters;                                                              \
	int __wrap_##name parameters                                                               \
	{                                                                                          \
		return outcome_of(#name) ? -1 : __real_##name arguments;                           \
	}

WRAPPED(fsync, (int fd), (fd))
WRAPPED(rename, (const char *from, const char *to), (from, to))
WRAPPED(fchown, (int fd, uid_t uid, gid_t gid), (fd, uid, gid))

/* ---- a folder ---- */

static char folder[64];

static int make_folder(void **state)
{
	(void)state;
	failing = NULL;
	strcpy(folder, "/tmp/test_pairing.XXXXXX");
	return !mkdtemp(folder) || chdir(folder);
}

/* How many names there are; all of them removed where `removed`. */
static unsigned names(bool removed)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	unsigned n = 0;

	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		if (*entry->d_name == '.')
			continue;
		n++;
		if (removed)
			(void)remove(entry->d_name);
	}
	(void)closedir(dir);
	return n;
}

static int remove_folder(void **state)
{
	(void)state;
	(void)names(true);
	return chdir("/") || rmdir(folder);
}

static void put(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void check(const char *path, const char *expected)
{
	char text[4096];
	FILE *file = fopen(path, "r");

	assert_non_null(file);
	text[fread(text, 1, sizeof(text) - 1, file)] = 0;
	(void)fclose(file);
	assert_string_equal(text, expected);
}

static struct config camera(
	const char *host, const char *port, const char *busid, bool has_id, const char *serial)
{
	struct config c = {.camera = {.has_id = has_id}};

	if (has_id) {
		c.camera.vendor = 0x04a9;
		c.camera.product = 0x3218;
	}
	strcpy(c.server.host, host);
	strcpy(c.server.port, port);
	strcpy(c.camera.busid, busid);
	strcpy(c.camera.serial, serial);
	return c;
}

static int write_error(const char *path, const struct config *wanted, const char *expected)
{
	char error[400] = "";
	int r = pairing_write(path, wanted, error, sizeof(error));

	assert_string_equal(error, expected);
	return r;
}

#define NOTHING camera("", "", "", false, "")
#define BY_SERIAL camera("pi", "3240", "", true, "A 1")

/* ---- what is written ---- */

static const struct edit {
	const char *name, *host, *port, *busid, *serial, *before, *after; /* before NULL: no file */
} edits[] = {
	{"no file", "pi", "3240", "", "A 1", NULL,
		"[server]\nhost = pi\n\n[camera]\nid = 04a9:3218\nserial = A 1\n"},
	{"another port, no serial number", "::1", "99", "1-1.2", "", "",
		"[server]\nhost = ::1\nport = 99\n\n[camera]\nbusid = 1-1.2\nid = 04a9:3218\n"},
	{"all else stays", "pi", "3240", "", "A",
		"; one\n[server] ; two\nhost = old ; three\nport = 9\nnotices = "
		"off\n#four\n\n[gadget]\n"
		"udc = u\n\n[camera]\n; five\n;serial =\n\n; six\n[led]\nname = none",
		"; one\n[server] ; two\nhost = pi ; three\nnotices = off\n#four\n\n[gadget]\n"
		"udc = u\n\n[camera]\n; five\n;serial =\nid = 04a9:3218\nserial = A\n\n; six\n"
		"[led]\nname = none"},
	{"what was paired before goes", "pi", "3240", "", "A",
		"[server]\r\nhost=a\r\nport=1\r\nhost=b\r\n[camera]\r\nbusid=1-1\r\nid=1234:"
		"5678\r\n"
		"[camera]\r\nserial=x\r\n",
		"[server]\r\nhost=pi\r\n[camera]\r\nid=04a9:3218\r\n[camera]\r\nserial=A\r\n"},
	{"from one with a serial number to one without", "pi", "3240", "1-1", "",
		"[server]\nhost = pi\n[camera]\nserial = x ; the old one",
		"[server]\nhost = pi\n[camera]\nbusid = 1-1\nid = 04a9:3218\n"},
	{"odd, and all the same", "pi", "3240", "", "\"a\";#=:[b] 'c'", "",
		"[server]\nhost = pi\n\n[camera]\nid = 04a9:3218\nserial = \"a\";#=:[b] 'c'\n"},
	{"in UTF-8", "pi", "3240", "", "\xc3\xa4\xe2\x82\xac", "",
		"[server]\nhost = pi\n\n[camera]\nid = 04a9:3218\nserial = \xc3\xa4\xe2\x82\xac\n"},
	{"as long as it may be", "pi", "3240", "", X10("0123456789") X10("ab") "1234567", "",
		"[server]\nhost = pi\n\n[camera]\nid = 04a9:3218\nserial = " X10("0123456789")
			X10("ab") "1234567\n"},
};

static void test_written(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(edits); i++) {
		const struct edit *e = &edits[i];
		struct config c = camera(e->host, e->port, e->busid, true, e->serial), read;
		char error[400];

		(void)names(true);
		if (e->before)
			put("f", e->before);
		if (pairing_write("f", &c, error, sizeof(error)))
			fail_msg("%s: %s", e->name, error);
		check("f", e->after);
		assert_int_equal(names(false), 1);
		assert_int_equal(config_read(&read, "f", error, sizeof(error)), 0);
		assert_string_equal(read.camera.serial, e->serial);
		/* Once more changes nothing. */
		assert_int_equal(write_error("f", &c, ""), 0);
		check("f", e->after);
	}
}

static void test_removed(void **state)
{
	static const char *const texts[][2] = {
		{"; c\n[server]\nhost = pi\n;port\nport = 9\n\n[camera]\nserial = "
		 "A\n[led]\nname=none\n",
			"; c\n[server]\n;port\n\n[camera]\n[led]\nname=none\n"},
		{"[server]\r\nhost=a\r\nhost=b\r\n[camera]\r\nid=1234:5678\r\n[server]\r\nport=1",
			"[server]\r\n[camera]\r\n[server]\r\n"},
		{"; nothing", "; nothing"},
		{"", ""},
	};
	const struct config nothing = NOTHING;
	struct config c;
	char error[400];

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		put("f", texts[i][0]);
		assert_int_equal(write_error("f", &nothing, ""), 0);
		check("f", texts[i][1]);
		assert_int_equal(names(false), 1);
		assert_int_equal(config_read(&c, "f", error, sizeof(error)), -ENODATA);
	}
}

/* ---- what is not ---- */

/* What a camera may send for a serial number. */
static void test_serials(void **state)
{
	static const char *const serials[] = {
		" a",
		"a ",
		"a\t",
		";a",
		"a ;b",
		"a\t;b",
		"\n",
		"a\n",
		"a\nudc = u",
		"a\nserial = b",
		"a\n[gadget]\nudc = u",
		"a\n[gadget]\nudc = auto",
		"a\r\nbusid = 1-1",
		"a\rb",
		"a\vb",
		"a\033[2Jb",
		"a\177",
		"a\xc2\x9b",
		"a\xff",
	};
	static const char before[] = "[server]\nhost = pi\n";

	(void)state;
	put("f", before);
	for (size_t i = 0; i < COUNT(serials); i++) {
		struct config c = camera("pi", "3240", "", true, serials[i]);

		assert_int_equal(write_error("f", &c, REFUSED), -EILSEQ);
		check("f", before);
		assert_int_equal(names(false), 1);
	}
}

static void test_hosts(void **state)
{
	static const char *const hosts[] = {"pi pi", "pi;", "a/b", "pi:1", "pi\nport = 9"};

	(void)state;
	for (size_t i = 0; i < COUNT(hosts); i++) {
		struct config c = camera(hosts[i], "3240", "", true, "A");

		assert_int_equal(write_error("f", &c, REFUSED), -EILSEQ);
		assert_int_equal(names(false), 0);
	}
}

/* A file that is no configuration is not made worse. */
static void test_no_configuration(void **state)
{
	static const char nul[] = "[server]\n\0host = pi\n";
	const struct config c = BY_SERIAL;
	char *large = malloc(INISCHEMA_MAX_FILE + 1);
	FILE *file;

	(void)state;
	put("f", "[server]\nhots = pi\n");
	assert_int_equal(write_error("f", &c,
				 "f:2: unknown key 'hots'; allowed in this section: host, port, "
				 "notices, key"),
		-EINVAL);
	check("f", "[server]\nhots = pi\n");
	file = fopen("f", "w");
	assert_int_equal(fwrite(nul, 1, sizeof(nul) - 1, file), sizeof(nul) - 1);
	(void)fclose(file);
	assert_int_equal(write_error("f", &c, "f:2: a NUL byte; allowed: text in UTF-8"), -EINVAL);
	memset(large, '\n', INISCHEMA_MAX_FILE);
	large[INISCHEMA_MAX_FILE] = 0;
	put("f", large);
	assert_int_equal(write_error("f", &c, "f: File too large"), -EFBIG);
	free(large);
	assert_int_equal(names(false), 1);
}

static void test_no_file(void **state)
{
	const struct config c = BY_SERIAL;

	(void)state;
	assert_int_equal(write_error("none/f", &c, "none/f: No such file or directory"), -ENOENT);
	assert_int_equal(write_error("", &c, ": No such file or directory"), -ENOENT);
}

static void test_devices(void **state)
{
	const struct config c = BY_SERIAL;

	(void)state;
	assert_int_equal(mkfifo("fifo", 0600), 0);
	assert_int_equal(symlink("/dev/null", "null"), 0);
	assert_int_equal(write_error("fifo", &c, "fifo: not a regular file"), -EINVAL);
	assert_int_equal(write_error("null", &c, "null: not a regular file"), -EINVAL);
	assert_int_equal(write_error("/", &c, "/: not a regular file"), -EINVAL);
}

/* Without root's rights, which a read-only folder does not stop. */
static void test_read_only(void **state)
{
	const struct config c = BY_SERIAL;
	uid_t uid = geteuid();

	(void)state;
	put("f", "[server]\nhost = a\n");
	assert_int_equal(chmod("f", 0666), 0);
	assert_int_equal(chmod(folder, 0555), 0);
	assert_int_equal(uid ? 0 : seteuid(65534), 0);
	assert_int_equal(write_error("f", &c, "f: Permission denied"), -EACCES);
	assert_int_equal(uid ? 0 : seteuid(uid), 0);
	assert_int_equal(chmod(folder, 0755), 0);
	check("f", "[server]\nhost = a\n");
	assert_int_equal(names(false), 1);
}

static void test_failures(void **state)
{
	static const char *const calls[] = {"fsync", "rename", "fchown"};
	const struct config c = BY_SERIAL;

	(void)state;
	put("f", "; a\n");
	for (size_t i = 0; i < COUNT(calls); i++) {
		failing = calls[i];
		assert_int_equal(write_error("f", &c, "f: Input/output error"), -EIO);
		check("f", "; a\n");
		assert_int_equal(names(false), 1);
	}
}

/* ---- whose file it is ---- */

static void test_mode(void **state)
{
	static const mode_t modes[] = {0600, 0640, 0644, 0666, 0400};
	const struct config c = BY_SERIAL;
	mode_t mask = umask(077);
	struct stat before, after;

	(void)state;
	assert_int_equal(write_error("f", &c, ""), 0);
	assert_int_equal(stat("f", &after), 0);
	assert_int_equal(after.st_mode & 07777, 0644);
	for (size_t i = 0; i < COUNT(modes); i++) {
		put("f", "");
		assert_int_equal(chmod("f", modes[i]), 0);
		/* As root of another owner: a daemon's. */
		assert_int_equal(geteuid() ? 0 : chown("f", 1234, 5678), 0);
		assert_int_equal(stat("f", &before), 0);
		assert_int_equal(write_error("f", &c, ""), 0);
		assert_int_equal(stat("f", &after), 0);
		assert_int_equal(after.st_mode, before.st_mode);
		assert_int_equal(after.st_uid, before.st_uid);
		assert_int_equal(after.st_gid, before.st_gid);
		assert_int_not_equal(after.st_ino, before.st_ino); /* it has been replaced */
		assert_int_equal(unlink("f"), 0);
	}
	(void)umask(mask);
}

#define KEY "IP2USB1-000G40R-40M30E2-09185GR-38E1W81-24GK2GA-HC5RR34-D1P70X3-RFT5WF7"

/* For its owner's eyes alone, whatever it was before. */
static void test_key(void **state)
{
	static const mode_t modes[] = {0600, 0640, 0644, 0666, 0400};
	struct config c = BY_SERIAL, plain = BY_SERIAL, read;
	struct stat after;
	char error[400];

	(void)state;
	c.server.has_key = true;
	for (uint8_t i = 0; i < PAIRINGKEY_SIZE; i++)
		c.server.key.bytes[i] = i;
	for (size_t i = 0; i <= COUNT(modes); i++) {
		if (i) {
			put("f", "[server]\nhost = b\nkey = none\n");
			assert_int_equal(chmod("f", modes[i - 1]), 0);
		}
		assert_int_equal(write_error("f", &c, ""), 0);
		check("f",
			"[server]\nhost = pi\nkey = " KEY
			"\n\n[camera]\nid = 04a9:3218\nserial = A 1\n");
		assert_int_equal(stat("f", &after), 0);
		assert_int_equal(after.st_mode & 07777, 0600);
		assert_int_equal(config_read(&read, "f", error, sizeof(error)), 0);
		assert_memory_equal(&read.server, &c.server, sizeof(c.server.host));
		assert_true(read.server.has_key);
	}
	/* It goes with the server that it is of. */
	assert_int_equal(write_error("f", &plain, ""), 0);
	check("f", "[server]\nhost = pi\n\n[camera]\nid = 04a9:3218\nserial = A 1\n");
}

static void test_link(void **state)
{
	const struct config c = BY_SERIAL;
	char to[64] = "";

	(void)state;
	put("f", "; a\n");
	assert_int_equal(symlink("f", "g"), 0);
	assert_int_equal(symlink("g", "h"), 0);
	assert_int_equal(write_error("h", &c, ""), 0);
	check("f", "; a\n\n[server]\nhost = pi\n\n[camera]\nid = 04a9:3218\nserial = A 1\n");
	assert_int_equal(readlink("g", to, sizeof(to)), 1);
	assert_string_equal(to, "f");
	assert_int_equal(names(false), 3);
	assert_int_equal(unlink("f"), 0);
	assert_int_equal(write_error("h", &c, "h: a link to a file that is not there"), -ENOENT);
	assert_int_equal(names(false), 2);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, make_folder, remove_folder)
	const struct CMUnitTest tests[] = {
		TEST(test_written),
		TEST(test_removed),
		TEST(test_serials),
		TEST(test_hosts),
		TEST(test_no_configuration),
		TEST(test_no_file),
		TEST(test_devices),
		TEST(test_read_only),
		TEST(test_failures),
		TEST(test_mode),
		TEST(test_key),
		TEST(test_link),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
