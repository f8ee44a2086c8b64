/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/control.h"

#include <errno.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "bridge/log.h"

/* A text has a few KiB, which a socket that was just made takes as one; one that does not is not
 * waited for. */
static void on_connect(struct ev_loop *loop, ev_io *io, int events)
{
	struct control *c = io->data;
	int fd = accept4(io->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	char *text;

	(void)loop;
	(void)events;
	if (fd < 0)
		return;
	text = c->text(c->user);
	if (text && send(fd, text, strlen(text), MSG_NOSIGNAL) < 0)
		log_debug("status: %s", strerror(errno));
	free(text);
	close(fd);
}

static int listen_at(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const struct group *group = getgrnam(CONTROL_GROUP);
	int fd, error = 0;
	mode_t mask;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	strcpy(address.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	/* One of a daemon that was killed; there can be one daemon. */
	(void)unlink(path);
	mask = umask(0117);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 8) < 0)
		error = -errno;
	umask(mask);
	if (error) {
		close(fd);
		return error;
	}
	if (group && chown(path, (uid_t)-1, group->gr_gid) < 0)
		log_debug("%s: %s", path, strerror(errno));
	return fd;
}

int control_open(struct control *c, struct ev_loop *loop, const char *path,
	char *(*text)(void *user), void *user)
{
	int fd = listen_at(path);

	*c = (struct control){.loop = loop, .path = path, .text = text, .user = user};
	ev_io_init(&c->listener, on_connect, fd < 0 ? -1 : fd, EV_READ);
	c->listener.data = c;
	if (fd < 0) {
		log_warning("%s: %s; there will be no status", path, strerror(-fd));
		return fd;
	}
	ev_io_start(loop, &c->listener);
	return 0;
}

void control_close(struct control *c)
{
	if (c->listener.fd < 0)
		return;
	ev_io_stop(c->loop, &c->listener);
	close(c->listener.fd);
	(void)unlink(c->path);
}
