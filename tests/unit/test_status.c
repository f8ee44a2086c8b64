/* SPDX-License-Identifier: GPL-2.0-or-later */
/* status: from a report through the socket to what a person is shown. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "bridge/control.h"
#include "bridge/report.h"
#include "bridge/status.h"
#include "tests/unit/capture.h"

static const struct report searching = {
	.state = "backoff",
	.reason = "server pi: \x1b[31m \xc2\x9b \"no\"",
	.since_s = 3.29,
	.host = "pi",
	.port = "3240",
};

static void test_report(void **state)
{
	char *text = report_write(&searching);

	(void)state;
	assert_string_equal(text,
		"{\n\t\"version\":\t1,\n\t\"state\":\t\"backoff\",\n\t\"since_s\":\t3.2,\n"
		"\t\"reason\":\t\"server pi: \\u001b[31m \\u009b \\\"no\\\"\",\n"
		"\t\"server\":\t{\n\t\t\"host\":\t\"pi\",\n\t\t\"port\":\t\"3240\"\n\t},\n"
		"\t\"endpoints\":\t[]\n}\n");
	free(text);
}

#define SERVER "\"server\":{\"host\":\"pi\",\"port\":\"3240\",\"rtt_us\":4250,\"retransmitted\":7}"
#define CAMERA                                                                                     \
	"\"camera\":{\"busid\":\"1-1\",\"vendor\":\"04a9\",\"product\":\"3218\",\"speed\":"        \
	"\"high\","                                                                                \
	"\"manufacturer_name\":\"Can\\u001bon\",\"product_name\":\"EOS\",\"serial\":\"A1\"}"
#define PHONE "\"phone\":{\"udc\":\"u\",\"speed\":\"high\",\"configured\":true,\"suspended\":false}"
#define ENDPOINT(bytes)                                                                            \
	"\"endpoints\":[{\"address\":\"81\",\"remote_address\":\"82\",\"type\":\"bulk\","          \
	"\"state\":\"running\",\"bytes\":" bytes ",\"urbs\":20,\"errors\":1,\"in_flight\":64}]"
#define ACTIVE(bytes)                                                                              \
	"{\"version\":1,\"state\":\"active\",\"since_s\":3725.5,\"reason\":\"\"," SERVER           \
	"," CAMERA "," PHONE "," ENDPOINT(bytes) "}"

#define X10(s) s s s s s s s s s s
#define REASON X10(X10("words")) /* the longest there is has 511 bytes */

static void test_people(void **state)
{
	static const struct {
		const char *report, *before, *printed;
	} cases[] = {
		{"{\"version\":1,\"state\":\"backoff\",\"since_s\":61,\"reason\":\"a\\u001bb\","
		 "\"server\":{\"host\":\"pi\",\"port\":\"3240\"},\"endpoints\":[]}",
			NULL,
			"state     backoff: waiting, to try again, for 1 min 1 s\n"
			"reason    a?b\n"
			"server    pi port 3240\n"},
		{ACTIVE("4096"), NULL,
			"state     active: the phone uses the camera, for 1 h 2 min\n"
			"server    pi port 3240, round trip 4.2 ms, 7 segments sent again\n"
			"camera    1-1 04a9:3218 Can?on EOS, serial A1, high speed\n"
			"phone     on u: high speed\n"
			"endpoint  82 bulk              4096 bytes  20 requests, 1 errors, "
			"64 in flight, running\n"},
		{ACTIVE("6144"), ACTIVE("4096"),
			"state     active: the phone uses the camera, for 1 h 2 min\n"
			"server    pi port 3240, round trip 4.2 ms, 7 segments sent again\n"
			"camera    1-1 04a9:3218 Can?on EOS, serial A1, high speed\n"
			"phone     on u: high speed\n"
			"endpoint  82 bulk              6144 bytes      2.0 KiB/s  20 requests, 1 "
			"errors, 64 in flight, running\n"},
		/* As long as one gets. */
		{"{\"version\":1,\"reason\":\"" REASON "\"}", NULL,
			"state     , for 0 s\nreason    " REASON "\nserver     port \n"},
		/* What is not there, or something else, is shown as nothing. */
		{"{\"version\":1}", NULL, "state     , for 0 s\nserver     port \n"},
		{"{\"version\":1,\"state\":3,\"server\":[],\"endpoints\":{}}", "nothing",
			"state     , for 0 s\nserver     port \n"},
		{"{\"version\":2}", NULL, ""},
		{"no JSON", NULL, ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct capture capture;
		char out[4096];
		bool is_report;

		capture_begin(&capture, 1);
		is_report = status_print(cases[i].report, cases[i].before);
		(void)fflush(stdout);
		capture_end(&capture, out, sizeof(out));
		assert_string_equal(out, cases[i].printed);
		assert_int_equal(is_report, *cases[i].printed != 0);
	}
}

/* ---- the socket ---- */

static char path[] = "/tmp/test_status.XXXXXX";

static char *text_of(void *user)
{
	return report_write(user);
}

static void on_child(struct ev_loop *loop, ev_child *child, int events)
{
	(void)events;
	(void)child;
	ev_break(loop, EVBREAK_ALL);
}

static void test_socket(void **state)
{
	struct ev_loop *loop = ev_default_loop(0);
	struct status_options options = {.socket = path, .json = true};
	struct control control;
	struct capture capture;
	struct stat info;
	char out[4096], wanted[4096], *text = report_write(&searching);
	ev_child child;
	pid_t pid;

	(void)state;
	/* The child would have lost it. */
	(void)snprintf(wanted, sizeof(wanted), "%s", text);
	free(text);
	assert_int_equal(close(mkstemp(path)), 0); /* what a killed daemon has left */
	assert_int_equal(control_open(&control, loop, path, text_of, (void *)&searching), 0);
	assert_int_equal(stat(path, &info), 0);
	assert_true(S_ISSOCK(info.st_mode));
	assert_int_equal(info.st_mode & 0777, 0660);
	(void)fflush(stdout);
	capture_begin(&capture, 1);
	pid = fork();
	if (!pid)
		_exit(status_run(&options));
	ev_child_init(&child, on_child, pid, 0);
	ev_child_start(loop, &child);
	ev_run(loop, 0);
	capture_end(&capture, out, sizeof(out));
	assert_int_equal(child.rstatus, 0);
	assert_string_equal(out, wanted);
	control_close(&control);
	assert_int_not_equal(access(path, F_OK), 0);
	assert_int_equal(status_run(&options), 1);
	ev_loop_destroy(loop);
}

static void test_no_socket(void **state)
{
	struct control control;

	(void)state;
	assert_true(control_open(&control, NULL, "/nowhere/status", text_of, NULL) < 0);
	control_close(&control);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_report),
		cmocka_unit_test(test_people),
		cmocka_unit_test(test_socket),
		cmocka_unit_test(test_no_socket),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
