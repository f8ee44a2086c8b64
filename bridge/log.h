/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * log: lines on standard error, for a person or for the journal.
 *
 * Under systemd (JOURNAL_STREAM is set) each line starts with its level as <N>, sd-daemon(3); else
 * with "error: " or "warning: ". Control characters of what others sent are replaced.
 */
#ifndef BRIDGE_LOG_H
#define BRIDGE_LOG_H

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

#endif
