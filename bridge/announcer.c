/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/announcer.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bridge/conn.h"
#include "bridge/log.h"
#include "bridge/noticetext.h"

/* It is the first thing that a client does. */
#define HELLO_S 10.

/* Between two lines to one client. pyusbip-notify's takes what it reads at once for one line, and
 * ends where there are two; and between two reads it waits for usbip(8), to list and to attach. */
#define PACE_S 0.5

/* A line that the socket does not take for so long is for nobody: the kernel has some hundred that
 * have not been read. */
#define STALL_S 10.

/* Where there is no descriptor for a connection it stays in the listener's queue, which is readable
 * all that time. */
#define REST_S 1.

/* The kernel is to keep no more than this of what a client does not read, bytes; it would be some
 * hundred times as much. */
#define SEND_BUFFER 4096

/* Lines that wait for one client. More than two a device there cannot be: one for each that was
 * there when the last was sent, and is not any more, and one for each that is there now, as what
 * has been plugged in since, and is gone again, is taken back. */
#define MAX_QUEUE (2 * USBIP_MAX_DEVICES)

static const char hello[] = NOTICETEXT_HELLO;

#define HELLO_SIZE (sizeof(hello) - 1)

struct change {
	enum noticetext_event event;
	char busid[USBIP_BUSID_SIZE];
};

struct announcer_client {
	struct announcer *announcer;
	struct conn conn;
	ev_io io;
	ev_timer timer; /* for its hello; for a line that it does not read; the pause after one */
	size_t heard;	/* bytes of its hello */
	char line[NOTICETEXT_LINE_SIZE];
	size_t size, sent;		/* of the line under way; 0: there is none */
	struct change queue[MAX_QUEUE]; /* the oldest first, a ring */
	unsigned head, count;
};

/* ---- a client ---- */

static bool is_greeted(const struct announcer_client *c)
{
	return c->heard == HELLO_SIZE;
}

static void set_timer(struct announcer_client *c, double after)
{
	ev_timer_stop(c->announcer->loop, &c->timer);
	ev_timer_set(&c->timer, after, 0.);
	ev_timer_start(c->announcer->loop, &c->timer);
}

/* Frees it. */
static void lose(struct announcer_client *c, const char *why)
{
	struct announcer *a = c->announcer;
	char address[CONN_ADDRESS_SIZE];
	unsigned i = 0;

	conn_peer(&c->conn, address);
	log_debug("notices: no more to %s: %s", *address ? address : "a client that is gone", why);
	ev_io_stop(a->loop, &c->io);
	ev_timer_stop(a->loop, &c->timer);
	conn_close(&c->conn);
	while (a->clients[i] != c)
		i++;
	a->num_clients--;
	memmove(&a->clients[i], &a->clients[i + 1], (a->num_clients - i) * sizeof(c));
	free(c);
}

static struct change *queued(struct announcer_client *c, unsigned i)
{
	return &c->queue[(c->head + i) % MAX_QUEUE];
}

static void next_line(struct announcer_client *c)
{
	const struct change *next = queued(c, 0);

	c->size = noticetext_line(c->line, next->event, next->busid);
	c->sent = 0;
	c->head = (c->head + 1) % MAX_QUEUE;
	c->count--;
}

static void watch(struct announcer_client *c)
{
	int events = EV_READ | (c->size ? EV_WRITE : 0);

	if (c->io.events == events && ev_is_active(&c->io))
		return;
	ev_io_stop(c->announcer->loop, &c->io);
	ev_io_set(&c->io, c->conn.fd, events);
	ev_io_start(c->announcer->loop, &c->io);
}

/* One line, or what the socket takes of it. It may free the client. */
static void send_on(struct announcer_client *c)
{
	struct iovec iov;
	int r;

	if (!c->size && c->count && !ev_is_active(&c->timer))
		next_line(c);
	if (c->size) {
		iov = (struct iovec){c->line + c->sent, c->size - c->sent};
		r = conn_writev(&c->conn, &iov, 1);
		if (r < 0) {
			lose(c, strerror(-r));
			return;
		}
		c->sent += (size_t)r;
		if (c->sent == c->size) {
			c->size = 0;
			set_timer(c, PACE_S);
		} else if (!ev_is_active(&c->timer)) {
			set_timer(c, STALL_S);
		}
	}
	watch(c);
}

/* What a client has not been told yet, and is no longer so, it need not know: pyusbip-notify's
 * detaches another device where it does not know the one that was unplugged. */
static bool take_back(struct announcer_client *c, const char *busid)
{
	unsigned i = c->count;

	/* What is said of it last: that it is plugged in, as it is now. */
	while (i-- && strcmp(queued(c, i)->busid, busid))
		;
	if (i >= c->count)
		return false;
	for (c->count--; i < c->count; i++)
		*queued(c, i) = *queued(c, i + 1);
	return true;
}

static void queue(struct announcer_client *c, enum noticetext_event event, const char *busid)
{
	struct change *last;

	if (event == NOTICETEXT_UNPLUGGED && take_back(c, busid))
		return;
	assert(c->count < MAX_QUEUE);
	last = queued(c, c->count++);
	last->event = event;
	strcpy(last->busid, busid);
}

static void greet(struct announcer_client *c)
{
	struct announcer *a = c->announcer;
	char address[CONN_ADDRESS_SIZE];

	conn_peer(&c->conn, address);
	log_debug("notices: to %s", address);
	ev_timer_stop(a->loop, &c->timer);
	for (unsigned i = 0; i < a->num_busids; i++)
		queue(c, NOTICETEXT_PLUGGED, a->busids[i]);
	send_on(c);
}

static void listen_to(struct announcer_client *c)
{
	char text[HELLO_SIZE + 1];
	const struct iovec iov = {text, sizeof(text)};
	int r = conn_readv(&c->conn, &iov, 1);

	if (r < 0) {
		lose(c, strerror(-r));
		return;
	}
	if ((size_t)r > HELLO_SIZE - c->heard || memcmp(hello + c->heard, text, (size_t)r)) {
		lose(c, "it says something else than '" NOTICETEXT_HELLO "'");
		return;
	}
	c->heard += (size_t)r;
	if (r > 0 && is_greeted(c))
		greet(c);
}

static void on_client(struct ev_loop *loop, ev_io *io, int events)
{
	(void)loop;
	/* Either may free it. What is left to write comes again. */
	if (events & EV_READ)
		listen_to(io->data);
	else
		send_on(io->data);
}

static void on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct announcer_client *c = timer->data;

	(void)loop;
	(void)events;
	if (c->size)
		lose(c, "it does not read");
	else if (is_greeted(c))
		send_on(c);
	else
		lose(c, "it does not say '" NOTICETEXT_HELLO "'");
}

/* ---- who connects ---- */

static bool make_room(struct announcer *a)
{
	if (a->num_clients < ANNOUNCER_MAX_CLIENTS)
		return true;
	for (unsigned i = 0; i < a->num_clients; i++) {
		if (!is_greeted(a->clients[i])) {
			lose(a->clients[i], "others want to be told");
			return true;
		}
	}
	if (!a->full_told)
		log_warning("notices: %u clients listen; others are turned away",
			ANNOUNCER_MAX_CLIENTS);
	a->full_told = true;
	return false;
}

/* Takes over `fd`, whatever comes of it. False: out of memory. */
static bool add(struct announcer *a, int fd)
{
	static const int send_buffer = SEND_BUFFER;
	struct announcer_client *c = make_room(a) ? calloc(1, sizeof(*c)) : NULL;

	if (!c) {
		close(fd);
		return a->num_clients == ANNOUNCER_MAX_CLIENTS;
	}
	c->announcer = a;
	conn_adopt(&c->conn, fd);
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &send_buffer, sizeof(send_buffer));
	ev_init(&c->io, on_client);
	ev_init(&c->timer, on_timer);
	c->io.data = c->timer.data = c;
	a->clients[a->num_clients++] = c;
	watch(c);
	set_timer(c, HELLO_S);
	return true;
}

static void rest(struct announcer *a, int error)
{
	if (!a->failed_told)
		log_warning("notices: a client cannot be taken: %s", strerror(error));
	a->failed_told = true;
	ev_io_stop(a->loop, &a->io);
	ev_timer_set(&a->rest, REST_S, 0.);
	ev_timer_start(a->loop, &a->rest);
}

static void on_listener(struct ev_loop *loop, ev_io *io, int events)
{
	struct announcer *a = io->data;
	int fd = accept4(a->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)loop;
	(void)events;
	if (fd >= 0 && !add(a, fd))
		rest(a, ENOMEM);
	else if (fd >= 0)
		a->failed_told = false;
	else if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
		rest(a, errno);
}

static void on_rest(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct announcer *a = timer->data;

	(void)events;
	ev_io_start(loop, &a->io);
}

/* ---- what is plugged in ---- */

static unsigned find(const struct announcer *a, const char *busid)
{
	unsigned i = 0;

	while (i < a->num_busids && strcmp(a->busids[i], busid))
		i++;
	return i;
}

static void tell(struct announcer *a, enum noticetext_event event, const char *busid)
{
	/* Backwards, as each may have to go. */
	for (unsigned i = a->num_clients; i--;) {
		struct announcer_client *c = a->clients[i];

		if (!is_greeted(c))
			continue;
		queue(c, event, busid);
		send_on(c);
	}
}

int announcer_plugged(struct announcer *a, const char *busid)
{
	char line[NOTICETEXT_LINE_SIZE];

	if (!noticetext_line(line, NOTICETEXT_PLUGGED, busid))
		return -EINVAL;
	if (find(a, busid) < a->num_busids)
		return 0;
	if (a->num_busids == USBIP_MAX_DEVICES)
		return -ENOSPC;
	strcpy(a->busids[a->num_busids++], busid);
	tell(a, NOTICETEXT_PLUGGED, busid);
	return 0;
}

void announcer_unplugged(struct announcer *a, const char *busid)
{
	unsigned i = find(a, busid);

	if (i == a->num_busids)
		return;
	/* Before its name goes, which may be the one that we were given. */
	tell(a, NOTICETEXT_UNPLUGGED, busid);
	a->num_busids--;
	memmove(a->busids[i], a->busids[i + 1], (a->num_busids - i) * sizeof(a->busids[0]));
}

void announcer_init(struct announcer *a, struct ev_loop *loop, int listener)
{
	memset(a, 0, sizeof(*a));
	a->loop = loop;
	a->listener = listener;
	ev_io_init(&a->io, on_listener, listener, EV_READ);
	ev_init(&a->rest, on_rest);
	a->io.data = a->rest.data = a;
	ev_io_start(loop, &a->io);
}

void announcer_fini(struct announcer *a)
{
	while (a->num_clients)
		lose(a->clients[a->num_clients - 1], "we end");
	ev_io_stop(a->loop, &a->io);
	ev_timer_stop(a->loop, &a->rest);
	close(a->listener);
}
