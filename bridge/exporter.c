/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/exporter.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bridge/conn.h"
#include "bridge/importer.h"
#include "bridge/log.h"
#include "bridge/tls_context.h"
#include "bridge/usbdevice.h"

#define ASK_S 10. /* for who connects to ask for something, and to be given it */

#define REMEDY                                                                                     \
	"anybody could import devices there: 'ip2usb-export key' makes a key for both ends, and "  \
	"[server] plain = anywhere does without"

/* One connection, and the device that it has. */
struct exporter_session {
	struct exporter_session *next;
	struct exporter *exporter;
	struct importer *importer;
	ev_io io;
	ev_timer deadline;
	char peer[CONN_ADDRESS_SIZE], busid[USBIP_BUSID_SIZE];
	struct exportdevice *held; /* NULL: none, or it is unplugged */
	struct usbdevice *usb;	   /* until it is closed */
	bool opened, closing;
	bool detached; /* the connection is lost, and may be followed by another */
	bool over;     /* it is, for good */
};

/* ---- sessions ---- */

/* Not before it has been opened. */
static void close_usb(struct exporter_session *s)
{
	if (!s->usb || !s->opened || s->closing)
		return;
	s->closing = true;
	usbdevice_close(s->usb);
}

static void on_opened(void *user, int error)
{
	struct exporter_session *s = user;

	s->opened = true;
	if (!error && (!s->held || !exportdevices_permit(&s->exporter->devices, s->held)))
		error = -ENODEV;
	if (!error && !s->over) {
		log_info("%s: imported by %s", s->busid, s->peer);
		ev_timer_stop(s->exporter->loop, &s->deadline);
		importer_give(s->importer, s->usb, &s->held->is.entry.device);
		return;
	}
	if (error)
		log_warning("%s: %s", s->busid, strerror(-error));
	importer_refuse(s->importer, error == -ENODEV ? USBIP_ST_NODEV : USBIP_ST_NA);
	close_usb(s);
}

static void on_usb_closed(void *user)
{
	struct exporter_session *s = user;

	s->usb = NULL;
	if (!s->held)
		return;
	s->held->holder = NULL;
	exportdevices_describe(&s->exporter->devices, s->held);
	s->held = NULL;
}

static const struct usbdevice_callbacks usb_callbacks = {
	.opened = on_opened, .closed = on_usb_closed};

/* It has the device, though nobody is connected who could use it; the one who had may begin anew,
 * as it was switched off and on for example. */
static bool is_left_by(const struct exporter_session *holder, const struct exporter_session *s)
{
	return holder->detached && !strcmp(holder->peer, s->peer);
}

static enum usbip_status open_device(struct exporter_session *s, struct exportdevice *d)
{
	const struct exporter_session *holder = d->holder;
	const char *why;
	int r;

	if (holder && is_left_by(holder, s))
		importer_end(holder->importer, "it begins anew");
	if (holder)
		return USBIP_ST_DEV_BUSY;
	r = usbdevice_open(
		s->exporter->loop, d->device, d->busid, &usb_callbacks, s, &s->usb, &why);
	if (r) {
		log_warning("%s: cannot be opened: %s", d->busid, why);
		return USBIP_ST_NA;
	}
	strcpy(s->busid, d->busid);
	s->held = d;
	d->holder = s;
	return USBIP_ST_OK;
}

static void on_import(void *user, const char *busid)
{
	struct exporter_session *s = user;
	struct exportdevice *d = exportdevices_find(&s->exporter->devices, busid);
	enum usbip_status status = d ? open_device(s, d) : USBIP_ST_NODEV;

	if (!status)
		return;
	log_info("%s is not given to %s: %s", busid, s->peer, usbip_status_str(status));
	importer_refuse(s->importer, status);
}

/* As Linux' server: without those that are in use. */
static unsigned on_list(void *user, struct devlist_entry **entries)
{
	const struct exporter_session *s = user;
	const struct exportdevices *devices = &s->exporter->devices;
	unsigned n = 0, room = 0;

	for (const struct exportdevice *d = devices->first; d; d = d->next)
		room++;
	*entries = calloc(room + 1, sizeof(**entries));
	for (const struct exportdevice *d = devices->first; *entries && d; d = d->next) {
		bool free = !d->holder || is_left_by(d->holder, s);

		if (n < USBIP_MAX_DEVICES && free && exportdevices_permit(devices, d))
			(*entries)[n++] = d->is.entry;
	}
	return n;
}

static void tell_refusal(struct exporter *e, const char *peer, const char *reason)
{
	struct timespec now;
	unsigned others;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	if (!refusals_add(&e->refusals, peer, reason,
		    (double)now.tv_sec + (double)now.tv_nsec / 1e9, &others)) {
		log_debug("%s is refused: %s", peer, reason);
		return;
	}
	log_warning("%s is refused: %s", peer, reason);
	if (others)
		log_warning("so were %u before it", others);
}

static void on_closed(void *user, const char *reason)
{
	struct exporter_session *s = user;

	s->over = true;
	ev_io_stop(s->exporter->loop, &s->io);
	ev_timer_stop(s->exporter->loop, &s->deadline);
	if (!importer_is_let_in(s->importer) && !s->exporter->ending)
		tell_refusal(s->exporter, s->peer, reason);
	else if (s->opened)
		log_info("%s: no longer imported by %s: %s", s->busid, s->peer, reason);
	else
		log_debug("%s: %s", s->peer, *reason ? reason : "served");
	close_usb(s);
}

static void on_detached(void *user, const char *reason)
{
	struct exporter_session *s = user;
	uint32_t hold_s = importer_hold_s(s->importer);

	s->detached = true;
	ev_io_stop(s->exporter->loop, &s->io);
	ev_timer_set(&s->deadline, hold_s, 0.);
	ev_timer_start(s->exporter->loop, &s->deadline);
	log_info("%s: the link to %s is lost: %s; kept for up to %u s", s->busid, s->peer, reason,
		hold_s);
}

/* A session goes on by the connection of another, which is over. */
static void attach(struct exporter_session *s, const struct exporter_session *by)
{
	s->detached = false;
	strcpy(s->peer, by->peer);
	ev_timer_stop(s->exporter->loop, &s->deadline);
	ev_io_stop(s->exporter->loop, &s->io);
	ev_io_set(&s->io, importer_fd(s->importer), EV_READ);
	ev_io_start(s->exporter->loop, &s->io);
	log_info("%s: the link to %s is back", s->busid, s->peer);
}

static void on_resume(void *user, const struct usbip_resume *how)
{
	struct exporter_session *s = user, *of = s->exporter->sessions;

	while (of && !importer_has_token(of->importer, how->token))
		of = of->next;
	if (of && !importer_resume(of->importer, s->importer, how)) {
		attach(of, s);
		return;
	}
	log_info("%s wants to go on with a session that is over", s->peer);
	importer_refuse(s->importer, USBIP_ST_NODEV);
}

static const struct importer_callbacks importer_callbacks = {
	.list = on_list,
	.import = on_import,
	.closed = on_closed,
	.detached = on_detached,
	.resume = on_resume,
};

static void on_withdrawn(void *user, struct exportdevice *d, const char *reason)
{
	const struct exporter_session *s = d->holder;

	(void)user;
	importer_unplugged(s->importer, reason);
}

static void on_left(void *user, struct exportdevice *d)
{
	struct exporter_session *s = d->holder;

	(void)user;
	s->held = NULL;
}

static const struct exportdevices_callbacks devices_callbacks = {
	.withdrawn = on_withdrawn, .left = on_left};

static void on_io(struct ev_loop *loop, ev_io *io, int events)
{
	const struct exporter_session *s = io->data;

	(void)loop;
	(void)events;
	importer_dispatch(s->importer);
}

static void on_deadline(struct ev_loop *loop, ev_timer *timer, int events)
{
	const struct exporter_session *s = timer->data;

	(void)events;
	ev_timer_stop(loop, timer);
	importer_end(s->importer,
		s->detached				  ? "it is not back"
			: importer_is_let_in(s->importer) ? "it has asked for nothing"
							  : "it has not shown that it has the key");
}

static void start_session(struct exporter *e, struct exporter_session *s, const struct conn *conn)
{
	s->exporter = e;
	s->next = e->sessions;
	e->sessions = s;
	e->num_sessions++;
	conn_peer(conn, s->peer);
	ev_io_init(&s->io, on_io, conn->fd, EV_READ);
	ev_timer_init(&s->deadline, on_deadline, ASK_S, 0.);
	s->io.data = s->deadline.data = s;
	ev_io_start(e->loop, &s->io);
	ev_timer_start(e->loop, &s->deadline);
}

/* Anybody can connect and say nothing: that is not to keep out who has the key. */
static bool make_room(const struct exporter *e)
{
	struct exporter_session *oldest = NULL;

	for (struct exporter_session *s = e->sessions; s; s = s->next) {
		if (!s->over && !importer_is_let_in(s->importer))
			oldest = s;
	}
	if (!oldest)
		return false;
	importer_end(oldest->importer, "others came before it had shown that it has the key");
	importer_flush(oldest->importer);
	return true;
}

/* Whether there is room for one more. */
static bool has_room(struct exporter *e)
{
	bool is_full = e->num_sessions >= EXPORTER_MAX_IMPORTERS && !make_room(e);

	if (is_full && !e->full_told)
		log_warning("there are %d connections; others are refused", EXPORTER_MAX_IMPORTERS);
	e->full_told = is_full;
	return !is_full;
}

/* Without a key where one is needed. */
static bool is_exposed(const struct exporter *e, int fd)
{
	return !e->config.has_key && !e->config.plain_anywhere && listener_is_public(fd);
}

/* False: no memory for it. */
static bool open_conn(const struct exporter *e, struct conn *conn, int fd)
{
	conn_adopt(conn, fd);
	if (!e->config.has_key || (e->context && !conn_secure(conn, e->context)))
		return true;
	conn_close(conn);
	return false;
}

static void on_accepted(void *user, int fd)
{
	struct exporter *e = user;
	struct exporter_session *s;
	struct conn conn;
	char peer[CONN_ADDRESS_SIZE];

	if (!has_room(e)) {
		close(fd);
		return;
	}
	if (!open_conn(e, &conn, fd))
		return;
	if (is_exposed(e, fd)) {
		conn_peer(&conn, peer);
		tell_refusal(e, peer, "it came to an address of the Internet; " REMEDY);
		conn_close(&conn);
		return;
	}
	s = calloc(1, sizeof(*s));
	if (s)
		s->importer = importer_new(&conn, &importer_callbacks, s);
	if (s && s->importer) {
		start_session(e, s, &conn);
		return;
	}
	conn_close(&conn);
	free(s);
}

static void update_io(struct exporter_session *s)
{
	short wanted = importer_events(s->importer);
	int events = (wanted & POLLIN ? EV_READ : 0) | (wanted & POLLOUT ? EV_WRITE : 0);

	if (s->over || s->detached || events == (s->io.events & (EV_READ | EV_WRITE)))
		return;
	ev_io_stop(s->exporter->loop, &s->io);
	ev_io_set(&s->io, s->io.fd, events);
	ev_io_start(s->exporter->loop, &s->io);
}

static void free_session(struct exporter *e, struct exporter_session *s)
{
	e->num_sessions--;
	importer_free(s->importer);
	free(s);
}

/* Before the loop sleeps: what has been answered goes out, and who is over goes. */
static void on_prepare(struct ev_loop *loop, ev_prepare *prepare, int events)
{
	struct exporter *e = prepare->data;
	struct exporter_session **at = &e->sessions;

	(void)events;
	while (*at) {
		struct exporter_session *s = *at;

		importer_flush(s->importer);
		update_io(s);
		if (s->over && !s->usb) {
			*at = s->next;
			free_session(e, s);
		} else {
			at = &s->next;
		}
	}
	if (e->ending && !e->sessions && !exportdevices_are_busy(&e->devices))
		ev_break(loop, EVBREAK_ALL);
}

/* ---- all of it ---- */

static int start_listening(struct exporter *e)
{
	const char *host = e->config.listen, *why;
	int fd = listener_socket("usbip", host, e->config.port, &why);

	if (fd < 0) {
		log_error("cannot listen at %s port %s: %s", *host ? host : "all addresses",
			e->config.port, why);
		return fd;
	}
	if (*host && is_exposed(e, fd)) {
		log_error("%s is an address of the Internet; " REMEDY, host);
		close(fd);
		return -EPERM;
	}
	listener_start(&e->listener, e->loop, fd, on_accepted, e);
	return 0;
}

/* Who is connected already has no need of it any more. */
static void set_key(struct exporter *e, const struct exportconfig *config)
{
	tls_context_free(e->context);
	e->context = NULL;
	e->config.has_key = config->has_key;
	pairingkey_wipe(&e->config.key);
	if (config->has_key &&
		tls_context_new(TLS_SERVER, &config->key, tls_cpu_has_aes(), &e->context))
		log_error("nobody can connect: no memory for the key");
	/* With another key it is another question. */
	memset(&e->refusals, 0, sizeof(e->refusals));
}

int exporter_init(struct exporter *e, struct ev_loop *loop, const struct exportconfig *config)
{
	int r;

	*e = (struct exporter){.config = *config, .loop = loop};
	set_key(e, config);
	ev_prepare_init(&e->prepare, on_prepare);
	e->prepare.data = e;
	ev_prepare_start(loop, &e->prepare);
	r = start_listening(e);
	if (!r)
		r = exportdevices_init(&e->devices, loop, config, &devices_callbacks, e);
	if (r)
		exporter_fini(e);
	return r;
}

void exporter_configure(struct exporter *e, const struct exportconfig *config)
{
	e->config.plain_anywhere = config->plain_anywhere;
	set_key(e, config);
	exportdevices_configure(&e->devices, &config->rules);
}

void exporter_end(struct exporter *e)
{
	e->ending = true;
	listener_stop(&e->listener);
	for (struct exporter_session *s = e->sessions; s; s = s->next)
		importer_end(s->importer, "the exporter ends");
}

void exporter_fini(struct exporter *e)
{
	ev_prepare_stop(e->loop, &e->prepare);
	listener_stop(&e->listener);
	exportdevices_fini(&e->devices);
	tls_context_free(e->context);
}
