/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int max_level = LOG_INFO;

void log_set_level(int level)
{
	max_level = level;
}

/* The variable is inherited by whatever a service starts, also where standard error goes elsewhere;
 * so it has device and inode of the journal's socket (systemd.exec(5)). */
static bool is_journal(int fd)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char wanted[64];
	struct stat is;

	if (!stream || fstat(fd, &is) < 0)
		return false;
	(void)snprintf(
		wanted, sizeof(wanted), "%ju:%ju", (uintmax_t)is.st_dev, (uintmax_t)is.st_ino);
	return !strcmp(stream, wanted);
}

static const char *prefix(int level)
{
	if (is_journal(STDERR_FILENO)) {
		static const char *const numbers[] = {
			"<0>", "<1>", "<2>", "<3>", "<4>", "<5>", "<6>", "<7>"};
		return numbers[level & 7];
	}
	return level <= LOG_ERR ? "error: " : level == LOG_WARNING ? "warning: " : "";
}

/* Bytes of the printable character at `at`, where `left` are; 0: there is none.
 * The second byte's bounds are those of Unicode 15.0, table 3-7, but for U+0080 to U+009F: they are
 * control characters (C1), and U+009B begins an escape sequence in UTF-8 too (Linux' do_con_trol).
 */
static size_t printable(const uint8_t *at, size_t left)
{
	uint8_t lead = at[0];
	size_t size = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
	uint8_t min = lead == 0xc2 || lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
	uint8_t max = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;

	if (size == 1)
		return lead >= 0x20 && lead != 0x7f;
	if (lead < 0xc2 || lead > 0xf4 || size > left || at[1] < min || at[1] > max)
		return 0;
	for (size_t i = 2; i < size; i++)
		if ((at[i] & 0xc0) != 0x80)
			return 0;
	return size;
}

void log_clean(char *text, size_t size)
{
	for (size_t i = 0, n; i < size; i += n ? n : 1) {
		n = printable((const uint8_t *)text + i, size - i);
		if (!n)
			text[i] = '?';
	}
}

static void log_args(int level, const char *format, va_list args)
{
	char line[640];
	int head = snprintf(line, sizeof(line) - 1, "%s", prefix(level));
	int n = vsnprintf(line + head, sizeof(line) - 1 - (size_t)head, format, args);
	size_t size = (size_t)head + (n > 0 ? (size_t)n : 0);

	if (size > sizeof(line) - 2)
		size = sizeof(line) - 2;
	log_clean(line, size);
	line[size++] = '\n';
	/* One write a line, so that the lines of two threads do not mix. */
	if (write(STDERR_FILENO, line, size) < 0)
		return;
}

void log_write(int level, const char *format, ...)
{
	int saved = errno;
	va_list args;

	if (level > max_level)
		return;
	va_start(args, format);
	log_args(level, format, args);
	va_end(args);
	errno = saved;
}

void log_text(int level, const char *text)
{
	log_write(level, "%s", text);
}
