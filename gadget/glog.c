/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gadget/glog.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

static glog_handler current;

void glog_set(glog_handler handler)
{
	current = handler;
}

void glog(int level, const char *format, ...)
{
	int saved = errno;
	char text[512];
	va_list args;

	if (!current)
		return;
	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	current(level, text);
	errno = saved;
}
