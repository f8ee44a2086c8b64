/* SPDX-License-Identifier: GPL-2.0-or-later */
/* glog: the one callback through which gadget/ logs; whoever uses gadget/ decides where it goes. */
#ifndef GADGET_GLOG_H
#define GADGET_GLOG_H

#include <syslog.h> /* LOG_ERR .. LOG_DEBUG */

typedef void (*glog_handler)(int level, const char *text);

/* NULL (the default) drops everything. Set before any other call into gadget/. */
void glog_set(glog_handler handler);

/* Preserves errno. `text` of the handler has no newline. Callable from any thread. */
void glog(int level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
