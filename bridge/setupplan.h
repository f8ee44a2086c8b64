/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * setupplan: what `ip2usb setup` changes of a board's files, or takes back: made first, shown, then
 * carried out, each file in one step.
 *
 * Nothing is kept of what was done: it shows in what is there. Lines in others' files are marked
 * (marked.h), files of ours have to be as we write them, and the link that enables the service is a
 * relative one, which nobody else makes. What somebody has changed of that since then is left alone
 * and named.
 */
#ifndef BRIDGE_SETUPPLAN_H
#define BRIDGE_SETUPPLAN_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/stat.h>

#define SETUPPLAN_MAX 8
#define SETUPPLAN_MAX_NOTES 8

struct board;

enum setupplan_kind {
	SETUPPLAN_WRITE,  /* a file, there or not, gets another text */
	SETUPPLAN_LINK,	  /* a symbolic link is made */
	SETUPPLAN_REMOVE, /* a file or link goes */
};

struct setupplan_change {
	enum setupplan_kind kind;
	const char *path;  /* below the root */
	const char *what;  /* for people: what it is for */
	const char *lines; /* for people: what comes or goes, with LF at the ends */
	bool goes;
	bool is_new;	 /* of WRITE: there is no file */
	struct stat old; /* else */
	char *text;	 /* of WRITE: what it is to be, to be freed */
	size_t size;
	const char *target; /* of a link; NULL: it is a file */
};

struct setupplan {
	const char *root; /* "" or a folder, without a slash at its end */
	unsigned num_changes;
	struct setupplan_change changes[SETUPPLAN_MAX];
	/* What is left alone, and why. */
	unsigned num_notes;
	char notes[SETUPPLAN_MAX_NOTES][256];
	bool port;    /* the port's role at the next boot changes */
	bool wifi;    /* how the network's manager treats power saving changes */
	bool service; /* the service is enabled, or is not any more */
};

/* What is missing; `b` as board_read or board_read_files has read it of `root`. 0 or -ENOMEM. */
int setupplan_make(struct setupplan *p, const char *root, const struct board *b);

/* What of it is there. 0 or -ENOMEM. */
int setupplan_make_undo(struct setupplan *p, const char *root);

void setupplan_print(const struct setupplan *p, FILE *out);

/* Carries all of it out, in order, or up to the first that fails, of which `failed` is the path. A
 * repetition goes on there. 0 or -errno. */
int setupplan_apply(const struct setupplan *p, const char **failed);

void setupplan_free(struct setupplan *p);

#endif
