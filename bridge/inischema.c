/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/inischema.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <ini.h>

#define BOM "\xef\xbb\xbf"

struct parse {
	const struct inischema *schema;
	void *into;
	char *error; /* of the first problem */
	size_t size;
	const char *path;
	const char *text; /* what is left for ini_parse_stream's reader */
	int line;	  /* that the reader has delivered last */
	bool failed;
};

/* inih stops at, and names, the line for which this returns 0. */
static int fail(struct parse *p, const char *format, const char *what, const char *allowed)
{
	if (!p->failed) {
		char text[512];

		(void)snprintf(text, sizeof(text), format, what, allowed);
		(void)snprintf(p->error, p->size, "%s:%d: %s", p->path, p->line, text);
	}
	p->failed = true;
	return 0;
}

/* The names of all sections, or of all keys of one. */
static const char *names(const struct inischema *s, const char *section, char *out, size_t size)
{
	*out = 0;
	for (size_t i = 0; i < s->num_keys; i++) {
		const struct inischema_key *key = &s->keys[i];
		const char *name = section ? key->name : key->section;

		if (section ? strcmp(key->section, section) != 0
			    : i && !strcmp(key[-1].section, name))
			continue;
		(void)snprintf(
			out + strlen(out), size - strlen(out), "%s%s", *out ? ", " : "", name);
	}
	return out;
}

static int on_key(void *user, const char *section, const char *name, const char *value)
{
	struct parse *p = user;
	char allowed[256];

	for (size_t i = 0; i < p->schema->num_keys; i++) {
		const struct inischema_key *key = &p->schema->keys[i];

		if (strcmp(key->section, section) || strcmp(key->name, name))
			continue;
		if (key->set(p->into, value))
			return 1;
		(void)snprintf(allowed, sizeof(allowed), "%s; allowed: %s", name, key->allowed);
		return fail(p, "'%s' is no value for %s",
			key->set == p->schema->secret ? "..." : value, allowed);
	}
	if (!*section)
		return fail(p, "'%s' is in no section; allowed: %s", name,
			names(p->schema, NULL, allowed, sizeof(allowed)));
	return fail(p, "unknown key '%s'; allowed in this section: %s", name,
		names(p->schema, section, allowed, sizeof(allowed)));
}

/* inih tells of a section only with its keys, and it may have none. */
static bool check_section(struct parse *p, const char *line)
{
	char section[256], allowed[256];

	(void)snprintf(section, sizeof(section), "%.*s", (int)strcspn(line + 1, "]"), line + 1);
	for (size_t i = 0; i < p->schema->num_keys; i++) {
		if (!strcmp(p->schema->keys[i].section, section))
			return true;
	}
	return fail(p, "unknown section '%s'; allowed: %s", section,
		names(p->schema, NULL, allowed, sizeof(allowed)));
}

/* fgets for inih, which tells on_key no line numbers: count them here. */
static char *read_line(char *out, int size, void *user)
{
	struct parse *p = user;
	size_t n;

	if (!*p->text || p->failed)
		return NULL;
	p->line++;
	/* inih takes an indented line for more of the value before it. */
	p->text += strspn(p->text, " \t\v\f\r");
	n = strcspn(p->text, "\n");
	if (n >= (size_t)size - 1) {
		fail(p, "%s; allowed: %s", "the line is too long", "198 characters");
		return NULL;
	}
	memcpy(out, p->text, n);
	out[n] = 0;
	p->text += n + (p->text[n] == '\n');
	return *out == '[' && strchr(out, ']') && !check_section(p, out) ? NULL : out;
}

int inischema_parse(const struct inischema *s, void *into, const char *path, const char *text,
	char *error, size_t size)
{
	struct parse p = {.schema = s,
		.into = into,
		.error = error,
		.size = size,
		.path = path,
		.text = text};
	int line;

	if (!strncmp(text, BOM, strlen(BOM)))
		p.text += strlen(BOM);
	line = ini_parse_stream(read_line, &p, on_key, &p);
	/* Of two problems the first: it may be the cause of the other. */
	if (p.failed && (!line || line == p.line))
		return -EINVAL;
	if (line) {
		(void)snprintf(error, size, "%s:%d: neither [section] nor key = value", path, line);
		return -EINVAL;
	}
	return 0;
}

/* What follows the NUL would be left out without a word. UTF-16, which some editors write, has
 * many. */
static int refuse_nul(const char *path, const char *text, char *error, size_t size)
{
	int line = 1;

	for (const char *at = text; *at; at++)
		line += *at == '\n';
	(void)snprintf(error, size, "%s:%d: a NUL byte; allowed: text in UTF-8", path, line);
	return -EINVAL;
}

int inischema_load(FILE *file, const char *path, char *text, char *error, size_t size)
{
	size_t n = fread(text, 1, INISCHEMA_MAX_FILE + 1, file);
	int r = ferror(file) ? -errno : n > INISCHEMA_MAX_FILE ? -EFBIG : 0;

	if (r) {
		(void)snprintf(error, size, "%s: %s", path, strerror(-r));
		return r;
	}
	text[n] = 0;
	return strlen(text) == n ? 0 : refuse_nul(path, text, error, size);
}

int inischema_load_path(const char *path, char **text, char *error, size_t size)
{
	FILE *file = fopen(path, "re");
	int r;

	*text = file ? malloc(INISCHEMA_MAX_FILE + 1) : NULL;
	r = *text ? 0 : -errno;
	if (r)
		(void)snprintf(error, size, "%s: %s", path, strerror(-r));
	else
		r = inischema_load(file, path, *text, error, size);
	if (file)
		(void)fclose(file);
	if (r) {
		inischema_forget(*text);
		*text = NULL;
	}
	return r;
}

void inischema_forget(char *text)
{
	if (text)
		explicit_bzero(text, INISCHEMA_MAX_FILE + 1);
	free(text);
}

bool inischema_text(char *out, size_t size, const char *value)
{
	if (strlen(value) >= size)
		return false;
	memset(out, 0, size);
	strcpy(out, value);
	return true;
}

bool inischema_number(const char *value, unsigned max, unsigned *out)
{
	char *end;
	unsigned long n = strtoul(value, &end, 10);

	if (!isdigit((unsigned char)*value) || *end || n > max)
		return false;
	*out = (unsigned)n;
	return true;
}

bool inischema_port(char *out, size_t size, const char *value)
{
	unsigned port;

	return inischema_number(value, 65535, &port) && port && inischema_text(out, size, value);
}

bool inischema_host(char *out, size_t size, const char *value)
{
	const char *colon = strchr(value, ':');

	/* One colon would be before a port; an IPv6 address has more. */
	if (colon && !strchr(colon + 1, ':'))
		return false;
	return !strpbrk(value, " \t/;#[]\"'") && inischema_text(out, size, value);
}
