/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * acquisition against a server that is another process, and knows one connection after the other.
 *
 * Linked with --wrap=ev_timer_start,getaddrinfo,log_write.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/acquirer.h"
#include "tests/unit/peer.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct scene scenes[] = {
	{"the only one", {.busid = ""}, 1, {STEP_LIST, STEP_GIVE}, OUTCOME_DONE, "1-1",
		"list 1-1 "},
	{"busy at first", {.busid = "1-2"}, 2, {STEP_LIST, STEP_BUSY, STEP_BUSY, STEP_GIVE},
		OUTCOME_DONE, "1-2", "list 1-2 1-2 1-2 "},
	{"another in its place", {.has_id = true, .vendor = 0x04a9, .product = 0x3218}, 1,
		{STEP_LIST, STEP_BUSY, STEP_GIVE_OTHER}, OUTCOME_NO_CAMERA, "ffff:3218, is at 1-1",
		"list 1-1 1-1 "},
	{"by serial, the last looked at", {.serial = "B"}, 2, {STEP_LIST, STEP_GIVE, STEP_GIVE},
		OUTCOME_DONE, "1-2", "list 1-1 1-2 "},
	{"by serial, another", {.serial = "A"}, 2, {STEP_LIST, STEP_GIVE, STEP_GIVE, STEP_GIVE},
		OUTCOME_DONE, "1-1", "list 1-1 1-2 1-1 "},
	{"by serial, busy at first", {.serial = "B"}, 2,
		{STEP_LIST, STEP_GIVE, STEP_BUSY, STEP_BUSY, STEP_GIVE}, OUTCOME_DONE, "1-2",
		"list 1-1 1-2 1-2 1-2 "},
	{"by serial, busy later", {.serial = "A"}, 2,
		{STEP_LIST, STEP_GIVE, STEP_GIVE, STEP_BUSY, STEP_GIVE}, OUTCOME_DONE, "1-1",
		"list 1-1 1-2 1-1 1-1 "},
	{"by serial, one broken", {.serial = "B"}, 2, {STEP_LIST, STEP_GIVE_BROKEN, STEP_GIVE},
		OUTCOME_DONE, "1-2", "list 1-1 1-2 "},
	{"by serial, one not given", {.serial = "B"}, 2, {STEP_LIST, STEP_NODEV, STEP_GIVE},
		OUTCOME_DONE, "1-2", "list 1-1 1-2 "},
	{"by serial, one closed in the probe", {.serial = "B"}, 2,
		{STEP_LIST, STEP_GIVE_HALF, STEP_GIVE}, OUTCOME_DONE, "1-2", "list 1-1 1-2 "},
	{"by serial, another in place of one",
		{.has_id = true, .vendor = 0x04a9, .product = 0x3218, .serial = "B"}, 2,
		{STEP_LIST, STEP_GIVE_OTHER, STEP_GIVE}, OUTCOME_DONE, "1-2", "list 1-1 1-2 "},
	{"by serial, the last broken", {.serial = "A"}, 2,
		{STEP_LIST, STEP_GIVE, STEP_GIVE_BROKEN, STEP_GIVE}, OUTCOME_DONE, "1-1",
		"list 1-1 1-2 1-1 "},
	{"by serial, found and gone", {.serial = "A"}, 2,
		{STEP_LIST, STEP_GIVE, STEP_GIVE, STEP_NODEV}, OUTCOME_FAILED,
		"does not hand device 1-1 over", "list 1-1 1-2 1-1 "},
	{"by serial, all that there is broken", {.serial = "A"}, 1, {STEP_LIST, STEP_GIVE_BROKEN},
		OUTCOME_UNPRESENTABLE, "unless it is one that could not", "list 1-1 "},
	{"by serial, two failed", {.serial = "A"}, 2, {STEP_LIST, STEP_NODEV, STEP_GIVE_BROKEN},
		OUTCOME_FAILED, "unless it is one that could not", "list 1-1 1-2 "},
	{"not listed", {.busid = "1-1"}, 0,
		{STEP_LIST, STEP_LIST, STEP_LIST, STEP_LIST, STEP_LIST, STEP_LIST},
		OUTCOME_NO_CAMERA, "no such camera", "list list list list list list "},
	{"gone", {.busid = ""}, 1, {STEP_LIST, STEP_NODEV}, OUTCOME_FAILED, "1-1", "list 1-1 "},
	{"not to be understood", {.busid = ""}, 1, {STEP_LIST, STEP_GIVE_BROKEN},
		OUTCOME_UNPRESENTABLE, "configuration descriptor", "list 1-1 "},
	{"unplugged in the probe", {.busid = ""}, 1, {STEP_LIST, STEP_GIVE_GONE}, OUTCOME_FAILED,
		"device descriptor: it has been unplugged", "list 1-1 "},
	{"USB error in the probe", {.busid = ""}, 1, {STEP_LIST, STEP_GIVE_ERROR}, OUTCOME_FAILED,
		"device descriptor: Protocol error", "list 1-1 "},
	{"closed in the probe", {.busid = ""}, 1, {STEP_LIST, STEP_GIVE_HALF}, OUTCOME_FAILED,
		"closed", "list 1-1 "},
	{"nobody there", {.busid = ""}, 0, {STEP_NONE}, OUTCOME_FAILED, "Connection refused", ""},
};

static void test_scene(void **state)
{
	acquirer_play(*state);
}

/* Who has to say more is told what there is. */
static void test_listed(void **state)
{
	static const struct scene none = {.camera.serial = "C",
		.num_devices = 2,
		.steps = {STEP_LIST, STEP_GIVE, STEP_GIVE},
		.outcome = OUTCOME_NO_CAMERA,
		.words = "no such camera: serial C",
		.asked = "list 1-1 1-2 "};
	static const struct scene several = {.num_devices = 2,
		.steps = {STEP_LIST},
		.outcome = OUTCOME_AMBIGUOUS,
		.words = "several",
		.asked = "list "};
	static const struct scene *const both[] = {&none, &several};

	(void)state;
	for (size_t i = 0; i < COUNT(both); i++) {
		acquirer_play(both[i]);
		assert_non_null(strstr(acquirer.logged,
			"the server exports 2 devices\n"
			"  busid 1-1 id 04a9:3218\n"
			"  busid 1-2 id 04a9:3218\n"));
	}
}

/* What has been said before is not said again. */
static void test_quiet(void **state)
{
	static const struct scene scene = {.camera.serial = "C",
		.num_devices = 2,
		.steps = {STEP_LIST, STEP_GIVE, STEP_BUSY, STEP_GIVE_BROKEN},
		.outcome = OUTCOME_UNPRESENTABLE,
		.words = "unless it is one that could not",
		.asked = "list 1-1 1-2 1-2 "};

	(void)state;
	acquirer_play(&scene);
	assert_non_null(strstr(acquirer.logged, "; trying again\n"));
	assert_non_null(strstr(acquirer.logged, "1-2: the camera cannot be presented"));
	acquirer.options.quiet = true;
	acquirer_play(&scene);
	assert_string_equal(acquirer.logged, "");
}

static void test_local_port(void **state)
{
	char port[8];

	(void)state;
	close(peer_tcp_port(false, port));
	acquirer.options.local_port = (uint16_t)atoi(port);
	acquirer_play(&scenes[0]);
}

/* One that hangs in the survey costs its 10 s and no more. */
static void test_deaf(void **state)
{
	static const struct scene scene = {.camera.serial = "B",
		.num_devices = 2,
		.steps = {STEP_LIST, STEP_GIVE_DEAF, STEP_GIVE},
		.words = "1-2",
		.asked = "list 1-1 1-2 "};

	(void)state;
	acquirer.haste = 10;
	acquirer_play(&scene);
	assert_non_null(strstr(acquirer.logged, "1-1: the camera does not answer\n"));
}

/* Finding the server's address takes longer than a step may, each time, and keeps nobody. */
static void test_slow_resolver(void **state)
{
	(void)state;
	acquirer.haste = 10;
	acquirer.resolving_us = 1200000;
	acquirer_play(&scenes[0]);
	assert_true(acquirer.ticks >= 10);
}

/* The server's first address refuses, which connect() does not tell at once. */
static void test_second_address(void **state)
{
	int fd = peer_tcp_port(false, acquirer.refusing);

	(void)state;
	acquirer_play(&scenes[0]);
	close(fd);
}

/* ---- with a key ---- */

static void test_encrypted(void **state)
{
	(void)state;
	acquirer.has_key = true;
	acquirer.encrypted = 2;
	acquirer_play(&scenes[0]);
	assert_int_equal(acquirer.refused, 0);
}

/* Nothing of USB/IP is said to who has not shown the key, by either end. */
static void refuse(bool has_key, bool wrong, bool is_encrypted, const char *words)
{
	const struct scene scene = {
		.name = words,
		.num_devices = 1,
		.steps = {STEP_NONE},
		.outcome = OUTCOME_FAILED,
		.words = words,
		.asked = "",
	};

	acquirer.has_key = has_key;
	acquirer.wrong = wrong;
	acquirer.encrypted = is_encrypted;
	acquirer_play(&scene);
	assert_int_equal(acquirer.refused, is_encrypted);
}

static void test_wrong_key(void **state)
{
	(void)state;
	refuse(true, true, true, ": it has another key: 'ip2usb pair HOST --key KEY' takes");
}

static void test_no_key(void **state)
{
	(void)state;
	refuse(false, false, true, ": it wants a key: 'ip2usb pair HOST --key KEY' takes");
}

int main(void)
{
	const struct CMUnitTest others[] = {
		cmocka_unit_test(test_listed),
		cmocka_unit_test_teardown(test_quiet, acquirer_as_usual),
		cmocka_unit_test_teardown(test_local_port, acquirer_as_usual),
		cmocka_unit_test_teardown(test_deaf, acquirer_as_usual),
		cmocka_unit_test_teardown(test_slow_resolver, acquirer_as_usual),
		cmocka_unit_test_teardown(test_second_address, acquirer_as_usual),
		cmocka_unit_test_teardown(test_encrypted, acquirer_as_usual),
		cmocka_unit_test_teardown(test_wrong_key, acquirer_as_usual),
		cmocka_unit_test_teardown(test_no_key, acquirer_as_usual),
	};
	struct CMUnitTest tests[COUNT(scenes) + COUNT(others)];

	for (size_t i = 0; i < COUNT(scenes); i++)
		tests[i] = (struct CMUnitTest){.name = scenes[i].name,
			.test_func = test_scene,
			.initial_state = (void *)&scenes[i]};
	memcpy(tests + COUNT(scenes), others, sizeof(others));
	return _cmocka_run_group_tests("acquisition", tests, COUNT(tests), NULL, NULL);
}
