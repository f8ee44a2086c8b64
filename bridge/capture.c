/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/capture.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <pcap/pcap.h>

#include "bridge/control.h"
#include "bridge/log.h"
#include "bridge/tap.h"

#define INTERVAL_MS 1000
#define BURST 64   /* messages between two looks at all else */
#define REST 16384 /* in the end: more than a socket of 2 MiB has room for */

#define FILE_HEADER_SIZE 24   /* of pcap's file format, */
#define RECORD_HEADER_SIZE 16 /* and on disk, where a time has 32 bits */

struct capture {
	const struct capture_options *options;
	int records; /* the daemon's socket */
	pcap_t *format;
	pcap_dumper_t *dumper;
	uint64_t num_records, num_lost, size;
	const char *end; /* why, once it is over */
	bool broken;	 /* the file, of which that has been looked at */
	bool failed;
	time_t shown;
};

/* A handler cannot be told more. Not signalfd: what blocks, such as a pipe that nobody reads, is to
 * be interrupted; and again each second, as what blocks may have begun after the signal. */
static volatile sig_atomic_t signalled;

static void on_signal(int signal)
{
	(void)signal;
	signalled = 1;
	(void)alarm(1);
}

static void catch_signals(void)
{
	const struct sigaction action = {.sa_handler = on_signal};
	struct sigaction hangup;

	signalled = 0;
	(void)sigaction(SIGINT, &action, NULL);
	(void)sigaction(SIGTERM, &action, NULL);
	(void)sigaction(SIGALRM, &action, NULL);
	/* nohup(1) has it ignored. */
	if (!sigaction(SIGHUP, NULL, &hangup) && hangup.sa_handler != SIG_IGN)
		(void)sigaction(SIGHUP, &action, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
}

/* ---- the file ---- */

static bool open_file(struct capture *c)
{
	/* There may be photographs in it. */
	mode_t mask = umask(077);

	c->format = pcap_open_dead(DLT_USB_LINUX_MMAPPED, TAP_MAX_MESSAGE);
	if (c->format)
		c->dumper = pcap_dump_open(c->format, c->options->file);
	umask(mask);
	c->size = FILE_HEADER_SIZE;
	if (!c->dumper)
		log_error("%s", c->format ? pcap_geterr(c->format) : "out of memory");
	return c->dumper;
}

/* After what has written to it; errno is of that. */
static void look_at_file(struct capture *c)
{
	int error = errno;

	if (!ferror(pcap_dump_file(c->dumper)) || c->broken)
		return;
	c->broken = true;
	/* Whoever reads a pipe may have seen enough. */
	if (error == EPIPE || error == EINTR) {
		c->end = error == EPIPE ? "nobody reads it any more" : "a signal has ended it";
		return;
	}
	c->end = "the file cannot be written";
	c->failed = true;
	log_error("%s: %s", c->options->file, strerror(error));
}

static void write_record(struct capture *c, const pcap_usb_header_mmapped *record, uint32_t size)
{
	const struct pcap_pkthdr header = {
		.ts = {.tv_sec = (time_t)record->ts_sec, .tv_usec = record->ts_usec},
		.caplen = size,
		.len = record->data_len ? (uint32_t)sizeof(*record) + record->urb_len : size,
	};

	pcap_dump((u_char *)c->dumper, &header, (const u_char *)record);
	look_at_file(c);
	c->num_records++;
	c->size += RECORD_HEADER_SIZE + size;
}

static void flush(struct capture *c)
{
	(void)pcap_dump_flush(c->dumper);
	look_at_file(c);
}

static void close_file(struct capture *c)
{
	if (c->dumper)
		pcap_dump_close(c->dumper);
	if (c->format)
		pcap_close(c->format);
}

/* ---- records ---- */

/* The first message, which says that there will be others. */
static bool is_served(const struct capture *c)
{
	uint32_t lost;

	if (recv(c->records, &lost, sizeof(lost), 0) == sizeof(lost))
		return true;
	if (!signalled)
		log_error("ip2usb ends, or has %d captures already, which is all that it may",
			TAP_MAX_READERS);
	return false;
}

/* False: there is no more for now. */
static bool receive(struct capture *c)
{
	static union {
		pcap_usb_header_mmapped record;
		uint32_t lost;
		uint8_t bytes[TAP_MAX_MESSAGE];
	} message;
	ssize_t n = recv(c->records, &message, sizeof(message), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n == sizeof(message.lost))
		c->num_lost += message.lost;
	else if (n < (ssize_t)sizeof(message.record))
		c->end = "ip2usb has ended";
	else if (c->size + RECORD_HEADER_SIZE + (uint64_t)n > c->options->limit)
		c->end = "the file has as much as it may (--limit)";
	else
		write_record(c, &message.record, (uint32_t)n);
	return !c->end;
}

/* Once a second: it may pass the link that is captured. */
static void show_progress(struct capture *c)
{
	time_t now = time(NULL);

	if (now == c->shown || !isatty(STDERR_FILENO))
		return;
	c->shown = now;
	fprintf(stderr, "\r%" PRIu64 " records, %" PRIu64 " KiB ", c->num_records, c->size / 1024);
}

/* On one processor the daemon would fill the socket before this had its turn, whose sandbox may
 * make it no larger than the kernel's limit for everybody. */
static void hurry(void)
{
	(void)sched_setscheduler(0, SCHED_RR, &(struct sched_param){.sched_priority = 1});
}

static void capture(struct capture *c)
{
	struct pollfd fds[] = {{c->records, POLLIN, 0}, {fileno(pcap_dump_file(c->dumper)), 0, 0}};

	while (!c->end) {
		bool over;

		flush(c);
		show_progress(c);
		if (!c->end && poll(fds, 2, INTERVAL_MS) < 0 && errno != EINTR) {
			log_error("poll: %s", strerror(errno));
			c->failed = true;
			return;
		}
		/* What has come by then is in it. */
		over = signalled;
		for (unsigned i = 0; i < (over ? REST : BURST) && !c->end && receive(c); i++)
			;
		if (!c->end && over)
			c->end = "a signal has ended it";
		else if (!c->end && fds[1].revents)
			c->end = "nobody reads it any more";
	}
	flush(c);
	if (isatty(STDERR_FILENO))
		fputc('\n', stderr);
}

static void tell(const struct capture *c)
{
	log_info("%s: %" PRIu64 " records, %" PRIu64 " KiB", c->end ? c->end : "it fails",
		c->num_records, c->size / 1024);
	if (c->num_lost)
		log_warning("%" PRIu64 " more are not there: they came faster than they were taken",
			c->num_lost);
}

int capture_run(const struct capture_options *options)
{
	struct capture c = {.options = options, .failed = true};

	if (!strcmp(options->file, "-") && isatty(STDOUT_FILENO)) {
		log_error("a capture is nothing for a terminal");
		return 1;
	}
	catch_signals();
	c.records = control_connect(options->socket);
	if (c.records < 0)
		return 1;
	/* A file that is there stays as it is where there is nothing to capture. */
	if (is_served(&c) && open_file(&c)) {
		c.failed = false;
		log_info("capturing into %s, until Ctrl-C", options->file);
		hurry();
		capture(&c);
		tell(&c);
	}
	close_file(&c);
	close(c.records);
	return c.failed;
}
