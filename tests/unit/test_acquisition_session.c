/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * acquisition of a camera as a session that outlives its connection: when it is asked for, and what
 * becomes of it when the link is lost.
 *
 * Linked with --wrap=ev_timer_start,getaddrinfo,log_write.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>

#include <cmocka.h>

#include "tests/unit/acquirer.h"

static const struct trial {
	unsigned hold_s, losses, suspensions, resumes, encrypted;
	struct scene scene;
} trials[] = {
	{10, 0, 0, 0, 0,
		{.name = "asked for",
			.num_devices = 1,
			.steps = {STEP_LIST_RESUMABLE, STEP_SESSION},
			.words = "1-1",
			.asked = "list session 1-1 "}},
	{0, 0, 0, 0, 0,
		{.name = "nothing is held",
			.num_devices = 1,
			.steps = {STEP_LIST_RESUMABLE, STEP_GIVE},
			.words = "1-1",
			.asked = "list 1-1 "}},
	{10, 0, 0, 0, 0,
		{.name = "a stock server",
			.num_devices = 1,
			.steps = {STEP_LIST, STEP_GIVE},
			.words = "1-1",
			.asked = "list 1-1 "}},
	{10, 0, 0, 0, 0,
		{.name = "a server that has none after all",
			.num_devices = 1,
			.steps = {STEP_LIST_RESUMABLE, STEP_CLOSE, STEP_GIVE},
			.words = "1-1",
			.asked = "list session 1-1 1-1 "}},
	{10, 0, 0, 0, 0,
		{.name = "one that is silent about it",
			.num_devices = 1,
			.steps = {STEP_LIST_RESUMABLE, STEP_SILENT, STEP_GIVE},
			.words = "1-1",
			.asked = "list session 1-1 1-1 "}},
	{10, 0, 0, 0, 0,
		{.name = "busy",
			.num_devices = 1,
			.steps = {STEP_LIST_RESUMABLE, STEP_BUSY, STEP_SESSION},
			.words = "1-1",
			.asked = "list session 1-1 session 1-1 "}},
	{10, 0, 0, 0, 0,
		{.name = "the only candidate of a survey",
			.camera.serial = "A",
			.num_devices = 1,
			.steps = {STEP_LIST_RESUMABLE, STEP_SESSION},
			.words = "1-1",
			.asked = "list session 1-1 "}},
	{10, 0, 0, 0, 0,
		{.name = "one of several, the last that was looked at",
			.camera.serial = "B",
			.num_devices = 2,
			.steps = {STEP_LIST_RESUMABLE, STEP_GIVE, STEP_GIVE, STEP_SESSION},
			.words = "1-2",
			.asked = "list 1-1 1-2 session 1-2 "}},
	{10, 1, 1, 1, 0,
		{.name = "resumed",
			.num_devices = 1,
			.steps = {STEP_LIST_RESUMABLE, STEP_SESSION, STEP_RESUME},
			.words = "1-1",
			.asked = "list session 1-1 resume "}},
	{10, 3, 3, 3, 0,
		{.name = "resumed again and again",
			.num_devices = 1,
			.steps = {STEP_LIST_RESUMABLE, STEP_SESSION, STEP_RESUME, STEP_RESUME,
				STEP_RESUME},
			.words = "1-1",
			.asked = "list session 1-1 resume resume resume "}},
	{10, 2, 2, 2, 4,
		{.name = "with a key",
			.num_devices = 1,
			.steps = {STEP_LIST_RESUMABLE, STEP_SESSION, STEP_RESUME, STEP_RESUME},
			.words = "1-1",
			.asked = "list session 1-1 resume resume "}},
	{10, 1, 1, 1, 0,
		{.name = "after some tries",
			.num_devices = 1,
			.steps = {STEP_LIST_RESUMABLE, STEP_SESSION, STEP_CLOSE, STEP_SILENT,
				STEP_CLOSE, STEP_RESUME},
			.words = "1-1",
			.asked = "list session 1-1 resume resume resume resume "}},
	{10, 1, 1, 0, 0,
		{.name = "given up by the server",
			.num_devices = 1,
			.steps = {STEP_LIST_RESUMABLE, STEP_SESSION, STEP_RESUME_NODEV,
				STEP_LIST_RESUMABLE, STEP_SESSION},
			.words = "1-1",
			.asked = "list session 1-1 resume list session 1-1 "}},
	{10, 1, 1, 0, 0,
		{.name = "another server in its place",
			.num_devices = 1,
			.steps = {STEP_LIST_RESUMABLE, STEP_SESSION, STEP_CLOSE, STEP_CLOSE,
				STEP_CLOSE, STEP_CLOSE, STEP_CLOSE, STEP_CLOSE},
			.outcome = OUTCOME_FAILED,
			.words = "refused",
			.asked = "list session 1-1 resume resume resume resume resume resume "}},
	{10, 1, 1, 0, 0,
		{.name = "a server that cannot count",
			.num_devices = 1,
			.steps = {STEP_LIST_RESUMABLE, STEP_SESSION, STEP_RESUME_WRONG, STEP_LIST,
				STEP_GIVE},
			.words = "1-1",
			.asked = "list session 1-1 resume list 1-1 "}},
	{10, 1, 0, 0, 0,
		{.name = "not where there is no session",
			.num_devices = 1,
			.steps = {STEP_LIST, STEP_GIVE, STEP_LIST_RESUMABLE, STEP_SESSION},
			.words = "1-1",
			.asked = "list 1-1 list session 1-1 "}},
};

#define TRIALS (sizeof(trials) / sizeof(trials[0]))

static void test_trial(void **state)
{
	const struct trial *trial = *state;

	acquirer.losses = trial->losses;
	acquirer.options.hold_s = trial->hold_s;
	/* A handshake has as long as it takes; under valgrind that is some tenths of a second. */
	acquirer.haste = trial->encrypted ? 1 : 10;
	acquirer.has_key = trial->encrypted;
	acquirer.encrypted = trial->encrypted;
	acquirer_play(&trial->scene);
	assert_int_equal(acquirer.losses, 0);
	assert_int_equal(acquirer.suspensions, trial->suspensions);
	assert_int_equal(acquirer.resumes, trial->resumes);
}

int main(void)
{
	struct CMUnitTest tests[TRIALS];

	for (size_t i = 0; i < TRIALS; i++)
		tests[i] = (struct CMUnitTest){.name = trials[i].scene.name,
			.test_func = test_trial,
			.teardown_func = acquirer_as_usual,
			.initial_state = (void *)&trials[i]};
	return _cmocka_run_group_tests("acquisition, session", tests, TRIALS, NULL, NULL);
}
