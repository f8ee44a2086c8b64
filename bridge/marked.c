/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/marked.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CUT ", which had no end of line before it"
#define MADE ", which was not there"

/* Of the first line, as editors have it. */
static const char *end_of_line(const char *text, size_t size)
{
	const char *lf = memchr(text, '\n', size);

	return lf && lf > text && lf[-1] == '\r' ? "\r\n" : "\n";
}

/* ---- adding ---- */

static void put(struct marked *m, const char *bytes, size_t size)
{
	memcpy(m->text + m->size, bytes, size);
	m->size += size;
}

static void put_line(struct marked *m, const char *line, size_t size, const char *end)
{
	put(m, line, size);
	put(m, end, strlen(end));
}

int marked_add(struct marked *m, const char *text, size_t size, const char *lines, bool made)
{
	const char *end = end_of_line(text, size);
	bool cut = size && text[size - 1] != '\n';
	const char *begin = made ? MARKED_BEGIN MADE : cut ? MARKED_BEGIN CUT : MARKED_BEGIN;

	/* Each line of ours may get a byte more. */
	*m = (struct marked){
		.text = malloc(size + 2 * strlen(lines) + strlen(begin) + strlen(MARKED_END) + 8)};
	if (!m->text)
		return -ENOMEM;
	put(m, text, size);
	if (cut)
		put(m, end, strlen(end));
	put_line(m, begin, strlen(begin), end);
	for (size_t n; *lines; lines += n + 1) {
		n = strcspn(lines, "\n");
		put_line(m, lines, n, end);
	}
	put_line(m, MARKED_END, strlen(MARKED_END), end);
	m->text[m->size] = 0;
	return 0;
}

/* ---- removing ---- */

/* A line, without its end, which `after` is behind. */
struct line {
	const char *at;
	size_t size, after;
	bool crlf;
};

static struct line line_at(const char *text, size_t size, size_t at)
{
	const char *lf = memchr(text + at, '\n', size - at);
	struct line l = {text + at, 0, lf ? (size_t)(lf - text) + 1 : size, false};

	l.size = l.after - at - (lf != NULL);
	l.crlf = l.size && l.at[l.size - 1] == '\r';
	l.size -= l.crlf;
	return l;
}

static bool is(const struct line *l, const char *wanted)
{
	return l->size == strlen(wanted) && !memcmp(l->at, wanted, l->size);
}

struct block {
	size_t begin, end; /* of bytes */
	bool cut, made;
	bool crlf; /* at the ends of our lines, and so of what was cut */
};

/* True: it is the next of `lines`, which goes on to the one behind. */
static bool is_next(const struct line *l, const char **lines)
{
	size_t n = strcspn(*lines, "\n");

	if (!**lines || l->size != n || memcmp(l->at, *lines, n) != 0)
		return false;
	*lines += n + 1;
	return true;
}

static int find(struct block *b, const char *text, size_t size, const char *lines)
{
	bool begun = false;

	for (size_t at = 0; at < size;) {
		struct line l = line_at(text, size, at);
		bool cut = is(&l, MARKED_BEGIN CUT), made = is(&l, MARKED_BEGIN MADE);

		if (is(&l, MARKED_END)) {
			b->end = l.after;
			return begun && !*lines ? 0 : -EINVAL;
		}
		if (begun && !is_next(&l, &lines))
			return -EINVAL;
		if (cut || made || is(&l, MARKED_BEGIN)) {
			begun = true;
			*b = (struct block){at, 0, cut, made, l.crlf};
		}
		at = l.after;
	}
	return begun ? -EINVAL : -ENOENT;
}

int marked_find(const char *text, size_t size, const char *lines)
{
	struct block b;

	return find(&b, text, size, lines);
}

int marked_remove(struct marked *m, const char *text, size_t size, const char *lines)
{
	struct block b;
	int r = find(&b, text, size, lines);

	if (r)
		return r;
	/* An end of line that was added goes too, unless it ends a line before another now. */
	if (b.cut && b.end == size && b.begin && text[b.begin - 1] == '\n') {
		b.begin--;
		b.begin -= b.crlf && b.begin && text[b.begin - 1] == '\r';
	}
	*m = (struct marked){.text = malloc(size - (b.end - b.begin) + 1)};
	if (!m->text)
		return -ENOMEM;
	put(m, text, b.begin);
	put(m, text + b.end, size - b.end);
	m->text[m->size] = 0;
	m->none = b.made && !m->size;
	return 0;
}
