/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/initext.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define BOM "\xef\xbb\xbf"

struct line {
	size_t start, end; /* without the blanks around it */
	size_t next;	   /* where the next one begins */
};

static size_t begin_of(const char *text)
{
	return strncmp(text, BOM, strlen(BOM)) ? 0 : strlen(BOM);
}

static bool is_blank(char c)
{
	return c && strchr(" \t\v\f\r", c);
}

static struct line line_at(const char *text, size_t at)
{
	size_t end = at + strcspn(text + at, "\n");
	struct line l = {at, end, end + (text[end] == '\n')};

	while (l.start < l.end && is_blank(text[l.start]))
		l.start++;
	while (l.end > l.start && is_blank(text[l.end - 1]))
		l.end--;
	return l;
}

static bool is_section(const char *text, const struct line *l, const char *section)
{
	const char *name = text + l->start + 1;
	size_t n = strlen(section);

	return !strncmp(name, section, n) && name[n] == ']';
}

/* The line is the key's; what is behind its equals sign begins at *value. */
static bool is_key(const char *text, const struct line *l, const char *key, size_t *value)
{
	size_t at = l->start + strlen(key);

	if (strncmp(text + l->start, key, strlen(key)) != 0)
		return false;
	while (is_blank(text[at]))
		at++;
	*value = at + 1;
	return text[at] == '=' || text[at] == ':';
}

/* Puts `insert` in place of `cut` bytes. */
static int splice(char *text, size_t size, size_t at, size_t cut, const char *insert)
{
	size_t rest = strlen(text + at + cut) + 1, n = strlen(insert);

	if (at + n + rest > size)
		return -ENOSPC;
	memmove(text + at + n, text + at + cut, rest);
	memcpy(text + at, insert, n);
	return 0;
}

/* From behind the equals sign up to the end or a comment, which is a semicolon behind a blank. */
static int replace_value(
	char *text, size_t size, const struct line *l, size_t start, const char *value)
{
	size_t end = start, begin = start;

	while (end < l->end && !(text[end] == ';' && end > start && is_blank(text[end - 1])))
		end++;
	while (end > start && is_blank(text[end - 1]))
		end--;
	while (begin < end && is_blank(text[begin]))
		begin++;
	if (begin < end)
		return splice(text, size, begin, end - begin, value);
	if (splice(text, size, start, 0, " "))
		return -ENOSPC;
	return splice(text, size, start + 1, 0, value);
}

/* Where a key can be added to the section: behind its last key, or its header, and the comments
 * that follow there, as these may have it with its default. */
struct place {
	bool inside; /* the section, at the line at hand */
	bool going_on;
	size_t at; /* 0: there is no such section */
};

static void look_for_place(
	struct place *p, const char *text, const struct line *l, const char *section)
{
	bool is_comment = text[l->start] == ';' || text[l->start] == '#';

	if (text[l->start] == '[') {
		bool is_first = !p->at;

		p->inside = is_section(text, l, section);
		p->going_on = p->inside && is_first;
	} else if (l->start == l->end) {
		p->going_on = false;
	} else if (!is_comment) {
		p->going_on = p->inside;
	}
	if (p->going_on)
		p->at = l->next;
}

static int add(
	char *text, size_t size, size_t at, const char *section, const char *key, const char *value)
{
	const char *first = strchr(text, '\n');
	const char *eol = first && first > text && first[-1] == '\r' ? "\r\n" : "\n";
	char added[INITEXT_MAX_LINE], header[64] = "";
	int n;

	if (!at) {
		struct line last = {0};

		for (at = begin_of(text); text[at]; at = last.next)
			last = line_at(text, at);
		(void)snprintf(header, sizeof(header), "%s[%s]%s", last.start < last.end ? eol : "",
			section, eol);
	}
	n = snprintf(added, sizeof(added), "%s%s%s = %s%s",
		at > begin_of(text) && text[at - 1] != '\n' ? eol : "", header, key, value, eol);
	return n < (int)sizeof(added) ? splice(text, size, at, 0, added) : -ENOSPC;
}

int initext_set(char *text, size_t size, const char *section, const char *key, const char *value)
{
	struct place place = {0};
	bool is_set = !value;
	size_t at = begin_of(text), behind;
	int r = 0;

	while (text[at] && !r) {
		struct line l = line_at(text, at);

		if (place.inside && is_key(text, &l, key, &behind)) {
			if (is_set) {
				r = splice(text, size, at, l.next - at, "");
				continue;
			}
			r = replace_value(text, size, &l, behind, value);
			is_set = true;
			l = line_at(text, at);
		}
		look_for_place(&place, text, &l, section);
		at = l.next;
	}
	return r || is_set ? r : add(text, size, place.at, section, key, value);
}
