/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * setupplan: made-up trees are made ready and put back, byte for byte. Power is cut between any two
 * calls that change something, and in the middle of a write: --wrap of what is in CALLS.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "bridge/board.h"
#include "bridge/marked.h"
#include "bridge/setupplan.h"
#include "tests/unit/boardtree.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define CONFIG "/boot/firmware/config.txt"
#define CUSTOM "/etc/default/raspi-firmware-custom"
#define WANTS "/etc/systemd/system/usb-gadget.target.wants/ip2usb.service"
#define BLOCK MARKED_BEGIN "\n[all]\ndtoverlay=dwc2,dr_mode=peripheral\n" MARKED_END "\n"
#define MADE_BLOCK                                                                                 \
	MARKED_BEGIN                                                                               \
	", which was not there\n[all]\ndtoverlay=dwc2,dr_mode=peripheral\n" MARKED_END "\n"

/* ---- power that is cut, and calls that fail ---- */

static int calls_left = -1; /* until power is cut; -1: never */
static int fails_at = -1;   /* the call that fails; -1: none */
static char calls[4096];    /* the names of all of them */

static bool may_call(const char *name)
{
	(void)snprintf(calls + strlen(calls), sizeof(calls) - strlen(calls), "%s ", name);
	if (calls_left >= 0 && !calls_left--)
		_exit(99);
	if (fails_at < 0 || fails_at--)
		return true;
	errno = EIO;
	return false;
}

#define CALLS(name, parameters, arguments)                                                         \
	int __real_##name parameters;                                                              \
	int __wrap_##name parameters;                                                              \
	int __wrap_##name parameters                                                               \
	{                                                                                          \
		return may_call(#name) ? __real_##name arguments : -1;                             \
	}

CALLS(mkostemp, (char *template, int flags), (template, flags))
CALLS(fchown, (int fd, uid_t uid, gid_t gid), (fd, uid, gid))
CALLS(fchmod, (int fd, mode_t mode), (fd, mode))
CALLS(fsync, (int fd), (fd))
CALLS(rename, (const char *from, const char *to), (from, to))
CALLS(symlink, (const char *target, const char *path), (target, path))
CALLS(unlink, (const char *path), (path))
CALLS(mkdir, (const char *path, mode_t mode), (path, mode))
CALLS(rmdir, (const char *path), (path))

ssize_t __real_write(int fd, const void *bytes, size_t size);
ssize_t __wrap_write(int fd, const void *bytes, size_t size);

/* A cut in it leaves half of it. */
ssize_t __wrap_write(int fd, const void *bytes, size_t size)
{
	if (calls_left == 0)
		(void)__real_write(fd, bytes, size / 2);
	return may_call("write") ? __real_write(fd, bytes, size) : -1;
}

/* ---- a tree ---- */

static struct boardtree tree;

static int make_tree(void **state)
{
	(void)state;
	calls_left = fails_at = -1;
	boardtree_make(&tree);
	boardtree_put(&tree, CONFIG, BOARDTREE_TRIXIE);
	boardtree_put(&tree, "/boot/firmware/overlays/dwc2.dtbo", "");
	boardtree_put(&tree, "/usr/lib/systemd/system/ip2usb.service", "");
	boardtree_put(&tree, "/usr/lib/modules-load.d/ip2usb.conf", "");
	boardtree_put(&tree, "/usr/sbin/NetworkManager", "");
	boardtree_put(&tree, "/etc/NetworkManager/NetworkManager.conf", "");
	boardtree_put(&tree, "/etc/NetworkManager/conf.d/README", "");
	boardtree_put(&tree, "/etc/systemd/system/x.service", "");
	boardtree_put(&tree, "/etc/udev/rules.d/README", "");
	boardtree_put(&tree, "/etc/modules-load.d/README", "");
	boardtree_put(&tree, "/etc/default/README", "");
	return 0;
}

static int remove_tree(void **state)
{
	(void)state;
	boardtree_remove(&tree);
	return 0;
}

static void plan(struct setupplan *p, bool undo)
{
	struct board b;

	board_read_files(&b, tree.root);
	assert_int_equal(
		undo ? setupplan_make_undo(p, tree.root) : setupplan_make(p, tree.root, &b), 0);
}

/* How many changes there were; negative: -errno. */
static int change(bool undo)
{
	struct setupplan p;
	const char *failed;
	int r, n;

	plan(&p, undo);
	r = setupplan_apply(&p, &failed);
	n = (int)p.num_changes;
	setupplan_free(&p);
	return r ? r : n;
}

static void expect_note(bool undo, unsigned changes, const char *wanted)
{
	struct setupplan p;
	bool found = false;

	plan(&p, undo);
	for (unsigned i = 0; i < p.num_notes; i++)
		found |= !!strstr(p.notes[i], wanted);
	if (!found)
		fail_msg("'%s' instead of '%s'", p.num_notes ? p.notes[0] : "", wanted);
	assert_int_equal(p.num_changes, changes);
	setupplan_free(&p);
}

static void expect_no_notes(bool undo)
{
	struct setupplan p;

	plan(&p, undo);
	if (p.num_notes)
		fail_msg("'%s'", p.notes[0]);
	setupplan_free(&p);
}

/* Frees `before`, which the tree is to be as. */
static void check_tree(char *before)
{
	char *now = boardtree_list(&tree);

	assert_string_equal(now, before);
	free(now);
	free(before);
}

/* ---- what is changed ---- */

static void test_ready(void **state)
{
	char *before = boardtree_list(&tree), *after, *again;

	(void)state;
	expect_no_notes(false);
	assert_int_equal(change(true), 0);
	assert_int_equal(change(false), 3);
	assert_true(boardtree_has(&tree, CONFIG, BOARDTREE_TRIXIE BLOCK));
	assert_true(boardtree_has(&tree, "/etc/NetworkManager/conf.d/zz-ip2usb.conf",
		"# Made by 'ip2usb setup'; 'ip2usb setup --undo' removes this file as long as it "
		"is so.\n[connection]\nwifi.powersave=2\n"));
	assert_true(boardtree_has(&tree, WANTS, ""));
	after = boardtree_list(&tree);
	assert_int_equal(change(false), 0);
	again = boardtree_list(&tree);
	assert_string_equal(again, after);
	assert_int_equal(change(true), 3);
	free(again);
	again = boardtree_list(&tree);
	assert_string_equal(again, before);
	free(before);
	free(after);
	free(again);
}

/* Each with what it is afterwards, and after that has been taken back. */
static const struct edit {
	const char *name, *before, *after;
} edits[] = {
	{"no end of line", "a=1",
		"a=1\n" MARKED_BEGIN ", which had no end of line before it\n[all]\n"
		"dtoverlay=dwc2,dr_mode=peripheral\n" MARKED_END "\n"},
	{"CRLF", "a=1\r\n",
		"a=1\r\n" MARKED_BEGIN
		"\r\n[all]\r\ndtoverlay=dwc2,dr_mode=peripheral\r\n" MARKED_END "\r\n"},
	{"empty", "", BLOCK},
	{"right already", "[all]\ndtoverlay=dwc2,dr_mode=peripheral\n",
		"[all]\ndtoverlay=dwc2,dr_mode=peripheral\n"},
	{"right, but for a filter", "[pi9]\ndtoverlay=dwc2,dr_mode=peripheral\n",
		"[pi9]\ndtoverlay=dwc2,dr_mode=peripheral\n" BLOCK},
	{"a host's", "dtoverlay=dwc2,dr_mode=host\n", "dtoverlay=dwc2,dr_mode=host\n" BLOCK},
	{"as bookworm has it", BOARDTREE_BOOKWORM, BOARDTREE_BOOKWORM BLOCK},
};

static void test_edits(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(edits); i++) {
		boardtree_put(&tree, CONFIG, edits[i].before);
		assert_true(change(false) >= 0);
		if (!boardtree_has(&tree, CONFIG, edits[i].after))
			fail_msg("%s: another after", edits[i].name);
		assert_int_equal(change(false), 0);
		assert_true(change(true) >= 0);
		if (!boardtree_has(&tree, CONFIG, edits[i].before))
			fail_msg("%s: not as it was", edits[i].name);
	}
}

/* Before Debian 12; what is at both places is the newer one's. */
static void test_old_place(void **state)
{
	(void)state;
	boardtree_put(&tree, "/boot/config.txt", "a\n");
	assert_int_equal(change(false), 3);
	assert_true(boardtree_has(&tree, "/boot/config.txt", "a\n"));
	assert_int_equal(change(true), 3);
	boardtree_delete(&tree, CONFIG);
	assert_int_equal(change(false), 3);
	assert_true(boardtree_has(&tree, "/boot/config.txt", "a\n" BLOCK));
	assert_int_equal(change(true), 3);
	assert_true(boardtree_has(&tree, "/boot/config.txt", "a\n"));
	boardtree_put(&tree, "/boot/config.txt", BOARDTREE_MOVED);
	expect_note(false, 2, "the boot partition, with config.txt, is not mounted");
	boardtree_delete(&tree, "/boot/config.txt");
	expect_note(false, 2, "there is no config.txt");
}

/* As DietPi and the first images of Debian 12 have it, or with a link for the folder. */
static void test_one_file(void **state)
{
	char *before;

	(void)state;
	boardtree_link(&tree, "/boot/config.txt", "firmware/config.txt");
	before = boardtree_list(&tree);
	assert_int_equal(change(false), 3);
	expect_no_notes(true);
	assert_int_equal(change(true), 3);
	check_tree(before);
	boardtree_delete(&tree, "/boot/config.txt");
	boardtree_delete_folder(&tree, "/boot/firmware");
	boardtree_link(&tree, "/boot/firmware", ".");
	boardtree_put(&tree, CONFIG, "a\n");
	assert_int_equal(change(false), 3);
	assert_int_equal(change(true), 3);
	assert_true(boardtree_has(&tree, "/boot/config.txt", "a\n"));
}

/* The file that config.txt is made from, and config.txt, which then is made as
 * z50-raspi-firmware does it. */
static void test_raspi_firmware(void **state)
{
	char *before;

	(void)state;
	boardtree_put(&tree, CONFIG, BOARDTREE_DEBIAN);
	before = boardtree_list(&tree);
	assert_int_equal(change(false), 4);
	assert_true(boardtree_has(&tree, CONFIG, BOARDTREE_DEBIAN BLOCK));
	assert_true(boardtree_has(&tree, CUSTOM, MADE_BLOCK));
	assert_int_equal(change(false), 0);
	boardtree_put(&tree, CONFIG, BOARDTREE_DEBIAN "\n# Inserted by " CUSTOM "\n" MADE_BLOCK);
	assert_int_equal(change(false), 0);
	assert_int_equal(change(true), 4);
	assert_true(boardtree_has(&tree, CONFIG, BOARDTREE_DEBIAN "\n# Inserted by " CUSTOM "\n"));
	boardtree_put(&tree, CONFIG, BOARDTREE_DEBIAN);
	check_tree(before);
	/* One that is there stays. */
	boardtree_put(&tree, CUSTOM, "[pi4]\ngpu_mem=16");
	before = boardtree_list(&tree);
	assert_int_equal(change(false), 4);
	assert_int_equal(change(true), 4);
	check_tree(before);
	/* Somebody has had the same thought. */
	boardtree_put(&tree, CUSTOM, "dtoverlay=dwc2,dr_mode=peripheral\n");
	assert_int_equal(change(false), 3);
	assert_int_equal(change(true), 3);
}

static void test_without_network_manager(void **state)
{
	char *before;

	(void)state;
	boardtree_delete(&tree, "/usr/sbin/NetworkManager");
	boardtree_delete(&tree, "/usr/lib/modules-load.d/ip2usb.conf");
	before = boardtree_list(&tree);
	expect_note(false, 4, "needs iw: sudo apt install iw");
	assert_int_equal(change(false), 4);
	assert_true(boardtree_has(&tree, "/etc/modules-load.d/ip2usb.conf",
		"# Made by 'ip2usb setup'; 'ip2usb setup --undo' removes this file as long as it "
		"is so.\nlibcomposite\nusb_f_fs\n"));
	assert_int_equal(change(true), 4);
	check_tree(before);
}

/* ---- what is left alone ---- */

/* Without systemd and udev there are no folders for what is theirs; the rest is done. */
static void test_no_place(void **state)
{
	char *before;

	(void)state;
	boardtree_delete_folder(&tree, "/etc/udev");
	boardtree_delete_folder(&tree, "/etc/systemd");
	boardtree_delete(&tree, "/usr/sbin/NetworkManager");
	before = boardtree_list(&tree);
	expect_note(false, 1, "/etc/udev/rules.d/90-ip2usb-wifi.rules is not made: ");
	expect_note(false, 1, WANTS " is not made: ");
	assert_int_equal(change(false), 1);
	assert_int_equal(change(true), 1);
	check_tree(before);
}

/* systemctl enable has made it: it is not ours to take away. */
static void test_enabled_by_hand(void **state)
{
	(void)state;
	boardtree_link(&tree, WANTS, "/usr/lib/systemd/system/ip2usb.service");
	assert_int_equal(change(false), 2);
	assert_int_equal(change(true), 2);
	assert_false(boardtree_has(&tree, WANTS, "x"));
	boardtree_delete(&tree, WANTS);
	boardtree_delete(&tree, "/usr/lib/systemd/system/ip2usb.service");
	expect_note(false, 2, "ip2usb.service is not installed");
}

static void test_changed_since(void **state)
{
	static const char drop_in[] = "/etc/NetworkManager/conf.d/zz-ip2usb.conf";

	(void)state;
	assert_int_equal(change(false), 3);
	boardtree_put(&tree, drop_in, "[connection]\nwifi.powersave=3\n");
	expect_note(false, 0, "it is not what setup writes there");
	expect_note(true, 2, "somebody has changed it");
	assert_int_equal(change(true), 2);
	assert_true(boardtree_has(&tree, drop_in, "[connection]\nwifi.powersave=3\n"));
	boardtree_put(&tree, CONFIG, BLOCK "dtoverlay=dwc2,dr_mode=host\n");
	expect_note(false, 1, "overruled by a line behind");
	boardtree_put(&tree, CONFIG,
		MARKED_BEGIN "\n[all]\ndtoverlay=dwc2,dr_mode=peripheral\nhdmi_safe=1\n" MARKED_END
			     "\n");
	expect_note(true, 0, "somebody has changed what was between");
	boardtree_put(&tree, CONFIG, MARKED_BEGIN "\n");
	expect_note(false, 1, "remove the lines by hand");
	expect_note(true, 0, "remove the lines by hand");
}

static void test_hostile(void **state)
{
	static char large[BOOTCONFIG_MAX_FILE + 1];

	(void)state;
	boardtree_delete(&tree, CONFIG);
	boardtree_link(&tree, CONFIG, "/etc/passwd");
	expect_note(false, 2, CONFIG " is left as it is: it is a link");
	boardtree_delete(&tree, CONFIG);
	memset(large, '\n', sizeof(large));
	boardtree_put_bytes(&tree, CONFIG, large, sizeof(large));
	expect_note(false, 2, "it is larger than 64 KiB");
	boardtree_put_bytes(&tree, CONFIG, large, sizeof(large) - 1);
	assert_int_equal(change(false), 3);
	expect_note(true, 2, "it is larger than 64 KiB");
	boardtree_delete(&tree, CONFIG);
	boardtree_put(&tree, CONFIG "/x", "");
	expect_note(false, 0, "it is no file");
	boardtree_delete(&tree, CONFIG "/x");
}

/* While a person was asked. */
static void test_meanwhile(void **state)
{
	struct setupplan p;
	const char *failed;

	(void)state;
	plan(&p, false);
	boardtree_put(&tree, CONFIG, "b\n");
	assert_int_equal(setupplan_apply(&p, &failed), -ESTALE);
	assert_string_equal(failed, CONFIG);
	assert_true(boardtree_has(&tree, CONFIG, "b\n"));
	setupplan_free(&p);
}

static void test_mode(void **state)
{
	char path[128];
	struct stat stat_now;

	(void)state;
	(void)snprintf(path, sizeof(path), "%s%s", tree.root, CONFIG);
	assert_int_equal(chmod(path, 0755), 0);
	assert_int_equal(change(false), 3);
	assert_int_equal(stat(path, &stat_now), 0);
	assert_int_equal(stat_now.st_mode & 07777, 0755);
}

static void test_print(void **state)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	struct setupplan p;

	(void)state;
	boardtree_put(&tree, CONFIG, "dtoverlay=dwc2\n");
	plan(&p, false);
	setupplan_print(&p, out);
	(void)fclose(out);
	assert_string_equal(text,
		"/boot/firmware/config.txt: the USB port is to be a device's, from the next boot "
		"on\n"
		"  + [all]\n  + dtoverlay=dwc2,dr_mode=peripheral\n"
		"/etc/NetworkManager/conf.d/zz-ip2usb.conf (new): WiFi does not save power, says "
		"NetworkManager from now on\n"
		"  + [connection]\n  + wifi.powersave=2\n"
		"/etc/systemd/system/usb-gadget.target.wants/ip2usb.service (new): ip2usb is "
		"started at boot, as systemctl enable has it\n"
		"  + -> ../../../../usr/lib/systemd/system/ip2usb.service\n"
		"note: until now line 1 of /boot/firmware/config.txt makes it an OTG port; the new "
		"lines come after it and count\n");
	free(text);
	setupplan_free(&p);
}

/* ---- power that is cut ---- */

/* In a process of its own, before the call of this number. False: there was none any more. */
static bool cut(bool undo, int call)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		calls_left = call;
		_exit(change(undo) < 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_true(WEXITSTATUS(status) == 99 || !WEXITSTATUS(status));
	return WEXITSTATUS(status) == 99;
}

static void check_whole(const char *path, const char *before, const char *after, int call)
{
	if (!boardtree_has(&tree, path, before) && !boardtree_has(&tree, path, after))
		fail_msg("%s is neither old nor new after call %d", path, call);
}

static int new_tree(void)
{
	boardtree_remove(&tree);
	return make_tree(NULL);
}

static void test_cut(void **state)
{
	int call = 0;

	(void)state;
	for (bool cuts = true; cuts; call++) {
		boardtree_put(&tree, CONFIG, BOARDTREE_DEBIAN);
		cuts = cut(false, call);
		check_whole(CONFIG, BOARDTREE_DEBIAN, BOARDTREE_DEBIAN BLOCK, call);
		/* What was under way is done by a repetition; or taken back, as far as it was. */
		assert_true(change(false) >= 0);
		assert_true(boardtree_has(&tree, CONFIG, BOARDTREE_DEBIAN BLOCK));
		assert_true(boardtree_has(&tree, CUSTOM, MADE_BLOCK));
		cuts |= cut(true, call);
		check_whole(CONFIG, BOARDTREE_DEBIAN, BOARDTREE_DEBIAN BLOCK, call);
		assert_true(change(true) >= 0);
		assert_true(boardtree_has(&tree, CONFIG, BOARDTREE_DEBIAN));
		assert_false(boardtree_has(&tree, CUSTOM, MADE_BLOCK));
		(void)new_tree();
	}
	assert_true(call > 20);
}

/* Nothing is left beside a file that could not be replaced, and the file is as it was. */
static void test_failures(void **state)
{
	char *before = boardtree_list(&tree), *after;
	int call = 0;

	(void)state;
	/* Up to the rename of config.txt, which is the first. */
	for (; call < 6; call++) {
		fails_at = call;
		assert_int_equal(change(false), -EIO);
		fails_at = -1;
		after = boardtree_list(&tree);
		assert_string_equal(after, before);
		free(after);
	}
	free(before);
}

/* The text is on the disk before it has the name; the name is, and leads to it, before anybody is
 * told. */
static void test_order(void **state)
{
	(void)state;
	boardtree_delete(&tree, "/usr/lib/systemd/system/ip2usb.service");
	boardtree_put(&tree, "/etc/NetworkManager/conf.d/zz-ip2usb.conf", "");
	*calls = 0;
	assert_int_equal(change(false), 1);
	assert_string_equal(calls, "mkostemp write fchown fchmod fsync rename fsync fsync ");
	*calls = 0;
	assert_int_equal(change(true), 1);
	assert_string_equal(calls, "mkostemp write fchown fchmod fsync rename fsync fsync ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_tree, remove_tree)
		TEST(test_ready),
		TEST(test_edits),
		TEST(test_old_place),
		TEST(test_one_file),
		TEST(test_raspi_firmware),
		TEST(test_without_network_manager),
		TEST(test_no_place),
		TEST(test_enabled_by_hand),
		TEST(test_changed_since),
		TEST(test_hostile),
		TEST(test_meanwhile),
		TEST(test_mode),
		TEST(test_print),
		TEST(test_cut),
		TEST(test_failures),
		TEST(test_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
