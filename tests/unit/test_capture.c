/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `ip2usb capture`, as another process, of a tap that is this one's; what it wrote is read by
 * libpcap. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <pcap/pcap.h>

#include "bridge/capture.h"
#include "bridge/control.h"
#include "bridge/tap.h"
#include "tests/unit/capture.h"

#define LENGTH 5000
#define EVENTS 6
#define MANY 20 /* 100 KB, more than a pipe takes */

static char folder[] = "/tmp/test_capture.XXXXXX", path[64], file[64];
static const struct control_socket at_path = {path, SOCK_SEQPACKET, false};
static struct ev_loop *loop; /* not the default one, which takes the end of children for itself */
static struct control control;
static struct tap tap;

static uint8_t data[LENGTH];
static unsigned num_events; /* that whoever asks is given at once */
static bool refuses;
static int pipe_ends[2]; /* 0: there is none */

static const struct tap_event event = {.type = URB_COMPLETE,
	.seqnum = 9,
	.devid = 3 << 16 | 7,
	.endpoint = 0x82,
	.data = data,
	.length = LENGTH};

static void on_asked(void *user, int fd)
{
	(void)user;
	if (refuses)
		close(fd);
	else
		assert_non_null(tap_add(&tap, fd));
	for (unsigned i = 0; i < num_events; i++)
		tap_put(&tap, &event);
	ev_break(loop, EVBREAK_ALL);
}

/* Starts it, and waits until it is served: with that many events. */
static pid_t start(uint64_t limit, unsigned events)
{
	const struct capture_options options = {&at_path, file, limit};
	pid_t pid;

	assert_int_equal(control_open(&control, loop, &at_path, on_asked, NULL), 0);
	num_events = events;
	(void)fflush(stdout);
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (!pid) {
		if (pipe_ends[0])
			close(pipe_ends[0]);
		_exit(capture_run(&options));
	}
	(void)alarm(60);
	ev_run(loop, 0);
	(void)alarm(0);
	return pid;
}

static int exit_status(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void stop(void)
{
	tap_fini(&tap);
	control_close(&control);
}

/* How many records it has, each of which has to be `event`'s. */
static unsigned records(void)
{
	char why[PCAP_ERRBUF_SIZE];
	pcap_t *in = pcap_open_offline(file, why);
	struct pcap_pkthdr *header;
	const u_char *bytes;
	unsigned n = 0;
	int r;

	if (!in)
		fail_msg("%s", why);
	assert_int_equal(pcap_datalink(in), DLT_USB_LINUX_MMAPPED);
	while ((r = pcap_next_ex(in, &header, &bytes)) == 1) {
		assert_int_equal(header->caplen, 64 + LENGTH);
		assert_int_equal(header->len, 64 + LENGTH);
		assert_true(header->ts.tv_sec > 1600000000);
		assert_int_equal(bytes[8], 'C');
		assert_int_equal(bytes[10], 0x82);
		assert_memory_equal(bytes + 64, data, LENGTH);
		n++;
	}
	assert_int_equal(r, PCAP_ERROR_BREAK); /* the end of the file */
	pcap_close(in);
	return n;
}

/* ---- tests ---- */

static void test_until_the_end(void **state)
{
	struct stat info;
	pid_t pid = start(1 << 20, EVENTS);

	(void)state;
	assert_int_equal(stat(path, &info), 0);
	assert_int_equal(info.st_mode & 0777, 0600);
	stop();
	assert_int_equal(exit_status(pid), 0);
	assert_int_equal(records(), EVENTS);
	assert_int_equal(stat(file, &info), 0);
	assert_int_equal(info.st_mode & 0777, 0600);
}

/* What has come by then is in it. */
static void test_until_a_signal(void **state)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP};

	(void)state;
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		pid_t pid = start(1 << 20, EVENTS);
		struct stat info = {0};

		/* It is killed before it blocks the signal, otherwise. */
		while (!info.st_size) {
			usleep(1000);
			(void)stat(file, &info);
		}
		assert_int_equal(kill(pid, signals[i]), 0);
		assert_int_equal(exit_status(pid), 0);
		assert_int_equal(records(), EVENTS);
		assert_int_equal(unlink(file), 0);
		stop();
	}
}

static void test_limit(void **state)
{
	struct stat info;
	pid_t pid = start(24 + 3 * (16 + 64 + LENGTH), EVENTS);

	(void)state;
	assert_int_equal(exit_status(pid), 0);
	assert_int_equal(records(), 3);
	assert_int_equal(stat(file, &info), 0);
	assert_int_equal(info.st_size, 24 + 3 * (16 + 64 + LENGTH));
	stop();
	pid = start(24 + 3 * (16 + 64 + LENGTH) - 1, EVENTS);
	assert_int_equal(exit_status(pid), 0);
	assert_int_equal(records(), 2);
	stop();
}

static int run_in_child(const struct capture_options *options)
{
	pid_t pid = fork();

	assert_int_not_equal(pid, -1);
	if (!pid)
		_exit(capture_run(options));
	return exit_status(pid);
}

static void put_text(const char *text)
{
	FILE *out = fopen(file, "we");

	assert_non_null(out);
	assert_true(fputs(text, out) >= 0);
	assert_int_equal(fclose(out), 0);
}

static void assert_text(const char *text)
{
	FILE *in = fopen(file, "re");
	char got[8] = "";

	assert_non_null(in);
	assert_non_null(fgets(got, sizeof(got), in));
	assert_int_equal(fclose(in), 0);
	assert_string_equal(got, text);
}

/* What was in the file stays, if there is nothing to capture. */
static void test_no_daemon(void **state)
{
	const struct capture_options options = {&at_path, file, 1 << 20};

	(void)state;
	put_text("kept");
	assert_int_equal(run_in_child(&options), 1);
	assert_text("kept");
}

/* The same if the daemon closes at once: it has as many as it may. */
static void test_nothing_given(void **state)
{
	pid_t pid;

	(void)state;
	put_text("kept");
	refuses = true;
	pid = start(1 << 20, 0);
	refuses = false;
	assert_int_equal(exit_status(pid), 1);
	stop();
	assert_text("kept");
}

/* Into a pipe, whose other end is in pipe_ends[0]. */
static pid_t start_into_pipe(unsigned events)
{
	int saved = dup(1);
	char name[64];
	pid_t pid;

	(void)fflush(stdout);
	strcpy(name, file);
	strcpy(file, "-");
	assert_int_equal(pipe(pipe_ends), 0);
	assert_int_equal(dup2(pipe_ends[1], 1), 1);
	close(pipe_ends[1]);
	pid = start(1 << 20, events);
	assert_int_equal(dup2(saved, 1), 1);
	close(saved);
	strcpy(file, name);
	return pid;
}

static void end_pipe(void)
{
	close(pipe_ends[0]);
	pipe_ends[0] = 0;
}

static void end_full_pipe(pid_t pid)
{
	(void)alarm(20);
	assert_int_equal(exit_status(pid), 0);
	(void)alarm(0);
	end_pipe();
	stop();
}

/* Its reader has gone: before the next record comes, as the link may be silent. */
static void test_pipe(void **state)
{
	pid_t pid = start_into_pipe(EVENTS);
	char byte;

	(void)state;
	assert_int_equal(read(pipe_ends[0], &byte, 1), 1);
	end_pipe();
	assert_int_equal(exit_status(pid), 0);
	stop();
}

/* Nor does a reader that does not read keep it from ending: where it waits for room when the signal
 * comes, in the middle of a record or after one, and where it has yet to fill the pipe. */
static void test_full_pipe(void **state)
{
	pid_t pid = start_into_pipe(MANY);

	(void)state;
	usleep(100000);
	assert_int_equal(kill(pid, SIGTERM), 0);
	end_full_pipe(pid);

	pid = start_into_pipe(0);
	for (int i = 0; i < MANY; i++) {
		tap_put(&tap, &event);
		usleep(5000);
	}
	assert_int_equal(kill(pid, SIGTERM), 0);
	end_full_pipe(pid);

	pid = start_into_pipe(0);
	assert_int_equal(kill(pid, SIGSTOP), 0);
	assert_int_equal(waitpid(pid, NULL, WUNTRACED), pid);
	for (int i = 0; i < MANY; i++)
		tap_put(&tap, &event);
	assert_int_equal(kill(pid, SIGTERM), 0);
	assert_int_equal(kill(pid, SIGCONT), 0);
	end_full_pipe(pid);
}

static void test_file_refused(void **state)
{
	struct capture capture;
	char said[1024];
	pid_t pid;

	(void)state;
	(void)unlink(file);
	assert_int_equal(mkdir(file, 0700), 0);
	pid = start(1 << 20, EVENTS);
	assert_int_equal(exit_status(pid), 1);
	stop();
	assert_int_equal(rmdir(file), 0);
	assert_int_equal(symlink("/dev/full", file), 0);
	capture_begin(&capture, 2);
	pid = start(1 << 20, EVENTS);
	assert_int_equal(exit_status(pid), 1);
	capture_end(&capture, said, sizeof(said));
	stop();
	assert_non_null(strstr(said, "No space left on device"));
	assert_int_equal(unlink(file), 0);
}

static int set_up(void **state)
{
	(void)state;
	loop = ev_loop_new(0);
	if (!loop || !mkdtemp(folder))
		return -1;
	(void)snprintf(path, sizeof(path), "%s/socket", folder);
	(void)snprintf(file, sizeof(file), "%s/file", folder);
	for (size_t i = 0; i < LENGTH; i++)
		data[i] = (uint8_t)(i * 7);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	(void)unlink(file);
	ev_loop_destroy(loop);
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_until_the_end),
		cmocka_unit_test(test_until_a_signal),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_no_daemon),
		cmocka_unit_test(test_nothing_given),
		cmocka_unit_test(test_pipe),
		cmocka_unit_test(test_full_pipe),
		cmocka_unit_test(test_file_refused),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
