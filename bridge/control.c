/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/control.h"

#include <errno.h>
#include <grp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "bridge/log.h"

const struct control_socket control_status = {"/run/ip2usb/status", SOCK_STREAM, true};
const struct control_socket control_capture = {"/run/ip2usb/capture", SOCK_SEQPACKET, false};

/* A socket and its address: the descriptor, or -errno. */
static int make(const struct control_socket *s, int flags, struct sockaddr_un *address)
{
	int fd;

	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (strlen(s->path) >= sizeof(address->sun_path))
		return -ENAMETOOLONG;
	strcpy(address->sun_path, s->path);
	fd = socket(AF_UNIX, s->type | SOCK_CLOEXEC | flags, 0);
	return fd < 0 ? -errno : fd;
}

/* ---- the daemon's end ---- */

static void on_connect(struct ev_loop *loop, ev_io *io, int events)
{
	struct control *c = io->data;
	int fd = accept4(io->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	(void)loop;
	(void)events;
	if (fd >= 0)
		c->connected(c->user, fd);
}

static int listen_at(const struct control_socket *s)
{
	struct sockaddr_un address;
	const struct group *group = s->group ? getgrnam(CONTROL_GROUP) : NULL;
	int fd = make(s, SOCK_NONBLOCK, &address), error = 0;
	mode_t mask;

	if (fd < 0)
		return fd;
	/* One of a daemon that was killed; there can be one daemon. */
	(void)unlink(s->path);
	mask = umask(s->group ? 0117 : 0177);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 8) < 0)
		error = -errno;
	umask(mask);
	if (error) {
		close(fd);
		return error;
	}
	if (group && chown(s->path, (uid_t)-1, group->gr_gid) < 0)
		log_debug("%s: %s", s->path, strerror(errno));
	return fd;
}

int control_open(struct control *c, struct ev_loop *loop, const struct control_socket *socket,
	void (*connected)(void *user, int fd), void *user)
{
	int fd = listen_at(socket);

	*c = (struct control){.loop = loop, .socket = socket, .connected = connected, .user = user};
	ev_io_init(&c->listener, on_connect, fd < 0 ? -1 : fd, EV_READ);
	c->listener.data = c;
	if (fd < 0) {
		log_warning("%s: %s; nobody can ask there", socket->path, strerror(-fd));
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
	(void)unlink(c->socket->path);
}

void control_answer(int fd, const char *text)
{
	if (text && send(fd, text, strlen(text), MSG_NOSIGNAL) < 0)
		log_debug("status: %s", strerror(errno));
	close(fd);
}

/* ---- the asker's end ---- */

static void complain(const struct control_socket *s, int error)
{
	if (error == ENOENT || error == ECONNREFUSED)
		log_error("ip2usb does not run here");
	else if (error == EACCES)
		log_error("%s: only root%s may ask", s->path,
			s->group ? " and the group " CONTROL_GROUP : "");
	else
		log_error("%s: %s", s->path, strerror(error));
}

int control_connect(const struct control_socket *s)
{
	struct sockaddr_un address;
	int fd = make(s, 0, &address), error = fd < 0 ? -fd : 0;

	if (!error && connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		error = errno;
		close(fd);
	}
	if (!error)
		return fd;
	complain(s, error);
	return -1;
}
