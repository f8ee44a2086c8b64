/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int max_level = LOG_INFO;

void log_set_level(int level)
{
	max_level = level;
}

static const char *prefix(int level)
{
	if (getenv("JOURNAL_STREAM")) {
		static const char *const numbers[] = {
			"<0>", "<1>", "<2>", "<3>", "<4>", "<5>", "<6>", "<7>"};
		return numbers[level & 7];
	}
	return level <= LOG_ERR ? "error: " : level == LOG_WARNING ? "warning: " : "";
}

static void log_args(int level, const char *format, va_list args)
{
	char line[640];
	int head = snprintf(line, sizeof(line) - 1, "%s", prefix(level));
	int n = vsnprintf(line + head, sizeof(line) - 1 - (size_t)head, format, args);
	size_t size = (size_t)head + (n > 0 ? (size_t)n : 0);

	if (size > sizeof(line) - 2)
		size = sizeof(line) - 2;
	for (size_t i = 0; i < size; i++) {
		if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
			line[i] = '?';
	}
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
