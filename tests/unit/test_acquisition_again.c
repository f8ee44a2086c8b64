/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * acquisition after the link has been lost: the same camera is acquired once more, and nothing
 * else; its profile stays where it is.
 *
 * Linked with --wrap=ev_timer_start,getaddrinfo,log_write.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>

#include <cmocka.h>

#include "tests/unit/acquirer.h"

static const struct loss {
	unsigned losses;
	struct scene scene;
} losses[] = {
	{1,
		{.name = "once",
			.num_devices = 1,
			.steps = {STEP_LIST, STEP_GIVE, STEP_LIST, STEP_GIVE},
			.words = "1-1",
			.asked = "list 1-1 list 1-1 "}},
	{2,
		{.name = "another in its place, for a while",
			.num_devices = 1,
			.steps = {STEP_LIST, STEP_GIVE, STEP_LIST, STEP_GIVE_NEWER, STEP_LIST,
				STEP_GIVE},
			.words = "1-1",
			.asked = "list 1-1 list 1-1 list 1-1 "}},
	{1,
		{.name = "another in its place",
			.num_devices = 1,
			.steps = {STEP_LIST, STEP_GIVE, STEP_LIST, STEP_GIVE_NEWER},
			.outcome = OUTCOME_NO_CAMERA,
			.words = "another camera is at 1-1",
			.asked = "list 1-1 list 1-1 "}},
	{2,
		{.name = "not given, for a while",
			.num_devices = 1,
			.steps = {STEP_LIST, STEP_GIVE, STEP_LIST, STEP_NODEV, STEP_LIST,
				STEP_GIVE},
			.words = "1-1",
			.asked = "list 1-1 list 1-1 list 1-1 "}},
	{2,
		{.name = "lost in the probe",
			.num_devices = 1,
			.steps = {STEP_LIST, STEP_GIVE, STEP_LIST, STEP_GIVE_HALF, STEP_LIST,
				STEP_GIVE},
			.words = "1-1",
			.asked = "list 1-1 list 1-1 list 1-1 "}},
	{1,
		{.name = "busy at first",
			.num_devices = 1,
			.steps = {STEP_LIST, STEP_GIVE, STEP_LIST, STEP_BUSY, STEP_GIVE},
			.words = "1-1",
			.asked = "list 1-1 list 1-1 1-1 "}},
	{1,
		{.name = "by serial: no other is looked at",
			.camera.serial = "B",
			.num_devices = 2,
			.steps = {STEP_LIST, STEP_GIVE, STEP_GIVE, STEP_LIST, STEP_GIVE},
			.words = "1-2",
			.asked = "list 1-1 1-2 list 1-2 "}},
};

#define LOSSES (sizeof(losses) / sizeof(losses[0]))

static void test_loss(void **state)
{
	const struct loss *loss = *state;

	acquirer.losses = loss->losses;
	acquirer_play(&loss->scene);
	assert_int_equal(acquirer.losses, 0);
}

int main(void)
{
	struct CMUnitTest tests[LOSSES];

	for (size_t i = 0; i < LOSSES; i++)
		tests[i] = (struct CMUnitTest){.name = losses[i].scene.name,
			.test_func = test_loss,
			.teardown_func = acquirer_as_usual,
			.initial_state = (void *)&losses[i]};
	return _cmocka_run_group_tests("acquisition, again", tests, LOSSES, NULL, NULL);
}
