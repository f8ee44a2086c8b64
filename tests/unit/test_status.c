/* SPDX-License-Identifier: GPL-2.0-or-later */
/* status: from a report through the socket to what a person is shown. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "bridge/control.h"
#include "bridge/report.h"
#include "bridge/status.h"
#include "tests/unit/capture.h"
#include "tests/unit/samples.h"

static const struct report searching = {
	.state = "backoff",
	.reason = "server pi: \x1b[31m \xc2\x9b \"no\"",
	.problem = "f:1: wrong",
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
		"\t\"problem\":\t\"f:1: wrong\",\n"
		"\t\"server\":\t{\n\t\t\"host\":\t\"pi\",\n\t\t\"port\":\t\"3240\","
		"\n\t\t\"encrypted\":\tfalse\n\t},\n"
		"\t\"endpoints\":\t[]\n}\n");
	free(text);
}

/* What is all to be escaped has six times the size. */
static void test_escaped(void **state)
{
	struct report report = searching;
	char reason[1000], *text;

	(void)state;
	memset(reason, 0x7f, sizeof(reason) - 1);
	reason[sizeof(reason) - 1] = 0;
	report.reason = reason;
	text = report_write(&report);
	assert_non_null(strstr(text, "\"\\u007f\\u007f"));
	assert_true(strlen(text) > 6 * strlen(reason));
	free(text);
}

static void test_camera(void **state)
{
	const struct conn_info link = {.rtt_us = 4250, .retransmitted = 7};
	struct report report = searching;
	const struct sample *sample = &samples[SAMPLE_PTP];
	struct usb_profile profile;
	char *text;

	(void)state;
	assert_int_equal(sample_profile(&profile, sample, sample->config, sample->config_size), 0);
	report.link = &link;
	report.encrypted = true;
	report.busid = "1-1";
	report.camera = &profile;
	text = report_write(&report);
	assert_non_null(strstr(text,
		"\"port\":\t\"3240\",\n\t\t\"encrypted\":\ttrue,\n\t\t\"rtt_us\":\t4250,"
		"\n\t\t\"retransmitted\":\t7\n\t},\n"
		"\t\"camera\":\t{\n\t\t\"busid\":\t\"1-1\",\n\t\t\"vendor\":\t\"04a9\",\n"));
	free(text);
}

#define SERVER                                                                                     \
	"\"server\":{\"host\":\"pi\",\"port\":\"3240\",\"encrypted\":true,"                        \
	"\"rtt_us\":4250,\"retransmitted\":7}"
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
			"server    pi port 3240, not encrypted\n"},
		{ACTIVE("4096"), NULL,
			"state     active: the phone uses the camera, for 1 h 2 min\n"
			"server    pi port 3240, encrypted, round trip 4.2 ms, 7 segments sent "
			"again\n"
			"camera    1-1 04a9:3218 Can?on EOS, serial A1, high speed\n"
			"phone     on u: high speed\n"
			"endpoint  82 bulk              4096 bytes  20 requests, 1 errors, "
			"64 in flight, running\n"},
		{ACTIVE("6144"), ACTIVE("4096"),
			"state     active: the phone uses the camera, for 1 h 2 min\n"
			"server    pi port 3240, encrypted, round trip 4.2 ms, 7 segments sent "
			"again\n"
			"camera    1-1 04a9:3218 Can?on EOS, serial A1, high speed\n"
			"phone     on u: high speed\n"
			"endpoint  82 bulk              6144 bytes      2.0 KiB/s  20 requests, 1 "
			"errors, 64 in flight, running\n"},
		{"{\"version\":1,\"state\":\"presented\",\"since_s\":9,\"reason\":\"\"," SERVER
		 ",\"camera\":{\"busid\":\"1-1\",\"vendor\":\"04a9\",\"product\":\"3218\","
		 "\"speed\":"
		 "\"full\",\"manufacturer_name\":\"a\",\"product_name\":\"b\",\"serial\":\"\"},"
		 "\"phone\":{\"udc\":\"u\",\"speed\":\"unknown\",\"configured\":false}}",
			NULL,
			"state     presented: the camera is there, no phone uses it, for 9 s\n"
			"server    pi port 3240, encrypted, round trip 4.2 ms, 7 segments sent "
			"again\n"
			"camera    1-1 04a9:3218 a b, full speed\n"
			"phone     on u: none\n"},
		{"{\"version\":1,\"state\":\"holding\",\"since_s\":1,\"reason\":\"\",\"problem\":"
		 "\"f:1: \\u001b\",\"server\":{\"host\":\"pi\",\"port\":\"1\"}}",
			NULL,
			"state     holding: the link is lost, and the phone waits, for 1 s\n"
			"problem   f:1: ?\n"
			"server    pi port 1, not encrypted\n"},
		{"{\"version\":1,\"state\":\"unpaired\",\"since_s\":0,\"reason\":\"why\","
		 "\"problem\":"
		 "\"\",\"server\":{\"host\":\"\",\"port\":\"3240\"}}",
			NULL,
			"state     unpaired: no server is configured, for 0 s\n"
			"reason    why\n"},
		/* As long as one gets. */
		{"{\"version\":1,\"reason\":\"" REASON "\"}", NULL,
			"state     , for 0 s\nreason    " REASON "\n"},
		/* What is not there, or something else, is shown as nothing. */
		{"{\"version\":1}", NULL, "state     , for 0 s\n"},
		{"{\"version\":1,\"state\":3,\"server\":[],\"endpoints\":{}}", "nothing",
			"state     , for 0 s\n"},
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

static char path[32];
static const struct control_socket at_path = {path, SOCK_STREAM, true};

static void answer_report(void *user, int fd)
{
	char *text = report_write(user);

	control_answer(fd, text);
	free(text);
}

static void answer_nothing(void *user, int fd)
{
	(void)user;
	control_answer(fd, NULL);
}

#define LONG (1 << 20) /* more than a socket takes */

static void answer_long(void *user, int fd)
{
	char *text = malloc(LONG + 1);

	(void)user;
	assert_non_null(text);
	memset(text, 'x', LONG);
	text[LONG] = 0;
	control_answer(fd, text);
	free(text);
}

static void open_control(struct control *control, void (*answer)(void *user, int fd))
{
	strcpy(path, "/tmp/test_status.XXXXXX");
	assert_int_equal(close(mkstemp(path)), 0); /* what a killed daemon has left */
	assert_int_equal(
		control_open(control, ev_default_loop(0), &at_path, answer, (void *)&searching), 0);
}

static void on_child(struct ev_loop *loop, ev_child *child, int events)
{
	(void)events;
	/* It is on somebody's stack. */
	ev_child_stop(loop, child);
	ev_break(loop, EVBREAK_ALL);
}

/* `ip2usb status`, as another process; its exit status. */
static int ask(void)
{
	struct status_options options = {.socket = &at_path, .json = true};
	ev_child child;
	pid_t pid;

	(void)fflush(stdout);
	pid = fork();
	if (!pid)
		_exit(status_run(&options));
	ev_child_init(&child, on_child, pid, 0);
	ev_child_start(ev_default_loop(0), &child);
	ev_run(ev_default_loop(0), 0);
	return child.rstatus;
}

static void test_socket(void **state)
{
	mode_t mask = umask(022);
	struct control control;
	struct capture capture;
	struct stat info;
	char out[4096], wanted[4096], *text = report_write(&searching);
	int status;

	(void)state;
	/* The child would have lost it. */
	(void)snprintf(wanted, sizeof(wanted), "%s", text);
	free(text);
	open_control(&control, answer_report);
	assert_int_equal(umask(mask), 022);
	assert_int_equal(stat(path, &info), 0);
	assert_true(S_ISSOCK(info.st_mode));
	assert_int_equal(info.st_mode & 0777, 0660);
	capture_begin(&capture, 1);
	status = ask();
	capture_end(&capture, out, sizeof(out));
	assert_int_equal(status, 0);
	assert_string_equal(out, wanted);
	control_close(&control);
	assert_int_not_equal(access(path, F_OK), 0);
	assert_int_not_equal(ask(), 0);
}

/* What does not come as a whole is not shown. */
static void test_incomplete(void **state)
{
	static void (*const answers[])(void *user, int fd) = {answer_nothing, answer_long};
	struct control control;
	struct capture capture;
	char out[16];

	(void)state;
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		open_control(&control, answers[i]);
		capture_begin(&capture, 1);
		assert_int_not_equal(ask(), 0);
		capture_end(&capture, out, sizeof(out));
		assert_string_equal(out, "");
		control_close(&control);
	}
}

/* Nobody is waited for. */
static void test_not_read(void **state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct control control;

	(void)state;
	open_control(&control, answer_long);
	strcpy(address.sun_path, path);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	(void)alarm(10);
	ev_run(ev_default_loop(0), EVRUN_ONCE);
	(void)alarm(0);
	close(fd);
	control_close(&control);
}

static void test_no_socket(void **state)
{
	static const struct control_socket nowhere = {"/nowhere/status", SOCK_STREAM, true};
	struct control control;

	(void)state;
	assert_true(control_open(&control, NULL, &nowhere, answer_report, NULL) < 0);
	control_close(&control);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_report),
		cmocka_unit_test(test_escaped),
		cmocka_unit_test(test_camera),
		cmocka_unit_test(test_people),
		cmocka_unit_test(test_socket),
		cmocka_unit_test(test_incomplete),
		cmocka_unit_test(test_not_read),
		cmocka_unit_test(test_no_socket),
	};

	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	ev_loop_destroy(ev_default_loop(0));
	return failed;
}
