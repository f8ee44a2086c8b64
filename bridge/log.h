/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * log: lines on standard error, for a person or for the journal.
 *
 * Where standard error is the journal's (JOURNAL_STREAM names it) each line starts with its level
 * as <N>, sd-daemon(3); else with "error: " or "warning: ". What others sent is cleaned
 * (log_clean).
 */
#ifndef BRIDGE_LOG_H
#define BRIDGE_LOG_H

#include <stddef.h>
#include <syslog.h> /* LOG_ERR .. LOG_DEBUG */

/* Lines above this level are dropped; LOG_INFO at start. */
void log_set_level(int level);

/* Preserves errno; callable from any thread. */
void log_write(int level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...) log_write(LOG_ERR, __VA_ARGS__)
#define log_warning(...) log_write(LOG_WARNING, __VA_ARGS__)
#define log_info(...) log_write(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_write(LOG_DEBUG, __VA_ARGS__)

/* For glog_set. */
void log_text(int level, const char *text);

/* Replaces by '?' each byte that is of no printable character in UTF-8: control characters (C0,
 * DEL, C1), and what is not UTF-8. For all text of others that goes to a terminal. */
void log_clean(char *text, size_t size);

#endif
