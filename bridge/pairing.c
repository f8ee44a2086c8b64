/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/pairing.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bridge/config.h"
#include "bridge/initext.h"
#include "bridge/inischema.h"
#include "bridge/log.h"
#include "bridge/replacement.h"

/* Where there was no file; as a package's. */
#define NEW_MODE 0644
#define SECRET_MODE 0600

struct pairing {
	const char *path; /* for people */
	char target[PATH_MAX];
	bool exists;
	struct stat stat; /* if it exists */
	struct replacement replacement;
	struct config wanted; /* what the file is to be read as */
	char text[INISCHEMA_MAX_FILE + 1];
	char *error;
	size_t size;
};

static int fail(struct pairing *p, int r)
{
	(void)snprintf(p->error, p->size, "%s: %s", p->path, strerror(-r));
	return r;
}

/* The file that is to be replaced: not a link to it, and nothing that only has a file's name. */
static int find_target(struct pairing *p)
{
	p->exists = realpath(p->path, p->target);
	if (p->exists) {
		if (stat(p->target, &p->stat))
			return fail(p, -errno);
		if (S_ISREG(p->stat.st_mode))
			return 0;
		(void)snprintf(p->error, p->size, "%s: not a regular file", p->path);
		return -EINVAL;
	}
	if (errno != ENOENT)
		return fail(p, -errno);
	if (!lstat(p->path, &p->stat)) {
		(void)snprintf(
			p->error, p->size, "%s: a link to a file that is not there", p->path);
		return -ENOENT;
	}
	if (strlen(p->path) >= sizeof(p->target))
		return fail(p, -ENAMETOOLONG);
	strcpy(p->target, p->path);
	return 0;
}

static int load(struct pairing *p)
{
	FILE *file;
	int r = find_target(p);

	if (r || !p->exists)
		return r;
	file = fopen(p->target, "re");
	if (!file)
		return fail(p, -errno);
	r = inischema_load(file, p->path, p->text, p->error, p->size);
	(void)fclose(file);
	return r;
}

static int edit(struct pairing *p, const struct config *wanted)
{
	const struct selection_criteria *camera = &wanted->camera;
	const char *host = wanted->server.host, *port = wanted->server.port;
	char id[16], key[PAIRINGKEY_TEXT_SIZE];
	const struct {
		const char *section, *key, *value;
	} keys[] = {
		{"server", "host", *host ? host : NULL},
		{"server", "port", *port && strcmp(port, USBIP_PORT) != 0 ? port : NULL},
		{"server", "key", wanted->server.has_key ? key : NULL},
		{"camera", "busid", *camera->busid ? camera->busid : NULL},
		{"camera", "id", camera->has_id ? id : NULL},
		{"camera", "serial", *camera->serial ? camera->serial : NULL},
	};
	int r = config_parse(&p->wanted, p->path, p->text, p->error, p->size);

	if (r && r != -ENODATA)
		return r;
	p->wanted.camera = *camera;
	strcpy(p->wanted.server.host, host);
	strcpy(p->wanted.server.port, *port ? port : USBIP_PORT);
	p->wanted.server.has_key = wanted->server.has_key;
	p->wanted.server.key = wanted->server.key;
	(void)snprintf(id, sizeof(id), "%04x:%04x", camera->vendor, camera->product);
	pairingkey_format(&wanted->server.key, key);
	r = 0;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (initext_set(
			    p->text, sizeof(p->text), keys[i].section, keys[i].key, keys[i].value))
			r = fail(p, -EFBIG);
	explicit_bzero(key, sizeof(key));
	return r;
}

/* Of the other sections too: a text could bring further lines with it. */
static bool reads_as(const struct config *got, const struct config *wanted)
{
	const struct selection_criteria *x = &got->camera, *y = &wanted->camera;
	struct config rest = *got;

	memcpy(&rest.server, &wanted->server, sizeof(rest.server));
	memcpy(&rest.camera, y, sizeof(rest.camera));
	return !strcmp(got->server.host, wanted->server.host) &&
		!strcmp(got->server.port, wanted->server.port) &&
		!strcmp(got->server.notices, wanted->server.notices) &&
		got->server.has_key == wanted->server.has_key &&
		!memcmp(&got->server.key, &wanted->server.key, sizeof(got->server.key)) &&
		!strcmp(x->busid, y->busid) && !strcmp(x->serial, y->serial) &&
		x->has_id == y->has_id && x->vendor == y->vendor && x->product == y->product &&
		!memcmp(&rest, wanted, sizeof(rest));
}

/* The file is shown on terminals, to which a camera may not talk. */
static bool is_clean(const char *text)
{
	char clean[sizeof(((struct selection_criteria *)0)->serial)];
	size_t n = strlen(text);

	memcpy(clean, text, n + 1);
	log_clean(clean, n);
	return !strcmp(clean, text);
}

/* As whoever reads the configuration next. */
static int read_back(struct pairing *p)
{
	struct config config;
	int r = config_read(&config, p->replacement.temporary, p->error, p->size);

	if (r && r != -EINVAL && r != -ENODATA)
		return r;
	if (r != -EINVAL && reads_as(&config, &p->wanted) && is_clean(p->wanted.camera.serial))
		return 0;
	(void)snprintf(p->error, p->size,
		"%s is left as it was: the camera's serial number, or the server's name, cannot be "
		"written there",
		p->path);
	return -EILSEQ;
}

static int replace(struct pairing *p)
{
	mode_t mode = p->wanted.server.has_key ? SECRET_MODE
		: p->exists		       ? p->stat.st_mode & 07777
					       : NEW_MODE;
	int r = replacement_begin(&p->replacement, p->target, p->text, strlen(p->text), mode,
		p->exists ? &p->stat : NULL);

	if (r)
		return fail(p, r);
	r = read_back(p);
	if (r) {
		replacement_drop(&p->replacement);
		return r;
	}
	r = replacement_commit(&p->replacement);
	return r ? fail(p, r) : 0;
}

int pairing_write(const char *path, const struct config *wanted, char *error, size_t size)
{
	struct pairing *p = calloc(1, sizeof(*p));
	sigset_t all, before;
	int r;

	if (!p) {
		(void)snprintf(error, size, "%s: %s", path, strerror(ENOMEM));
		return -ENOMEM;
	}
	p->path = path;
	p->error = error;
	p->size = size;
	r = load(p);
	if (!r)
		r = edit(p, wanted);
	if (!r) {
		/* A signal's end of the program would leave the temporary file behind. */
		(void)sigfillset(&all);
		(void)sigprocmask(SIG_BLOCK, &all, &before);
		r = replace(p);
		(void)sigprocmask(SIG_SETMASK, &before, NULL);
	}
	if (!r && size)
		*error = 0;	       /* that there is no host is no error here */
	explicit_bzero(p, sizeof(*p)); /* of a key */
	free(p);
	return r;
}
