/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * inischema: an INI file into a struct, by a table of sections, keys, setters and what is allowed.
 *
 * Strict: an unknown section, key or value is an error that names file, line and what is allowed.
 * Lines are as inih sees them, but that an indented one is a line of its own.
 */
#ifndef BRIDGE_INISCHEMA_H
#define BRIDGE_INISCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define INISCHEMA_MAX_FILE 65536 /* bytes; a configuration has a few hundred */
#define INISCHEMA_MAX_ERROR 1024 /* bytes of a text that has room for every error */

/* Called for each line that has the key, in order; false: the value is not allowed. It keeps
 * nothing of `value`. */
typedef bool inischema_setter(void *into, const char *value);

struct inischema_key {
	const char *section; /* all keys of one stand together */
	const char *name;
	inischema_setter *set;
	const char *allowed; /* in words, for people */
};

struct inischema {
	const struct inischema_key *keys;
	size_t num_keys;
	inischema_setter *secret; /* what is mistyped for it is next to it: no error shows that */
};

/* Reads `text`, which `path` is only the name of, over `into`: what it leaves out stays as it is.
 * 0; or -EINVAL with a text of at most `size` bytes for people in `error`, "FILE:LINE: what is
 * wrong; allowed: ...", of the first thing that is wrong. Then `into` is of no use. */
int inischema_parse(const struct inischema *s, void *into, const char *path, const char *text,
	char *error, size_t size);

/* The text of an open file, as inischema_parse wants it, into INISCHEMA_MAX_FILE + 1 bytes. 0, or
 * -errno with a text in `error` as above. */
int inischema_load(FILE *file, const char *path, char *text, char *error, size_t size);

/* The same of the file at `path`, into *text, for inischema_forget. On an error it is NULL. */
int inischema_load_path(const char *path, char **text, char *error, size_t size);

/* Frees that, and leaves nothing of it in memory, as there may be a secret in it. NULL is fine. */
void inischema_forget(char *text);

/* ---- what setters have in common; false: not allowed, and nothing is written ---- */

/* A text of less than `size` bytes. Nothing of an earlier value is left behind: equal
 * configurations have equal bytes. */
bool inischema_text(char *out, size_t size, const char *value);

/* A decimal number of at most `max`, and nothing else. */
bool inischema_number(const char *value, unsigned max, unsigned *out);

/* A port's number, 1 to 65535. */
bool inischema_port(char *out, size_t size, const char *value);

/* A host name or an address, without port or brackets. Empty is one too. */
bool inischema_host(char *out, size_t size, const char *value);

#endif
