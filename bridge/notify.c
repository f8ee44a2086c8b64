/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/notify.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bridge/log.h"

#define STATUS "STATUS="

/* A manager that is behind is waited for where the message is needed and does not come again
 * (`flags` 0); the camera does not stand still for the others (MSG_DONTWAIT). */
static void tell(const struct notify *n, const char *message, int flags)
{
	if (n->fd < 0)
		return;
	if (sendto(n->fd, message, strlen(message), flags | MSG_NOSIGNAL,
		    (const struct sockaddr *)&n->address, n->address_size) < 0)
		log_debug("telling the service manager: %s", strerror(errno));
}

/* A path, or '@' and an abstract name. False: it is neither, or too long. */
static bool parse_address(struct notify *n, const char *text)
{
	size_t size = strlen(text);

	if ((*text != '/' && *text != '@') || size < 2 || size >= sizeof(n->address.sun_path))
		return false;
	n->address.sun_family = AF_UNIX;
	memcpy(n->address.sun_path, text, size);
	if (*text == '@')
		n->address.sun_path[0] = 0;
	/* Without a NUL: an abstract name ends where its size says, unix(7). */
	n->address_size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size);
	return true;
}

static void open_socket(struct notify *n)
{
	const char *text = getenv("NOTIFY_SOCKET");

	n->fd = -1;
	if (!text)
		return;
	if (!parse_address(n, text)) {
		log_warning("NOTIFY_SOCKET: not understood: %s", text);
		return;
	}
	n->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (n->fd < 0)
		log_warning("NOTIFY_SOCKET: %s", strerror(errno));
}

/* False: not a number and nothing else. */
static bool parse(const char *text, uintmax_t *out)
{
	char *end;

	if (!text || *text < '0' || *text > '9')
		return false;
	errno = 0;
	*out = strtoumax(text, &end, 10);
	return !errno && !*end;
}

/* Half of the time that the manager waits, as sd_watchdog_enabled(3) advises, in s; 0: it does not
 * wait for us. */
static double watchdog_s(void)
{
	const char *pid = getenv("WATCHDOG_PID");
	uintmax_t us, wanted;

	if (!parse(getenv("WATCHDOG_USEC"), &us))
		return 0.;
	/* Inherited from a service that is somebody else. */
	if (pid && (!parse(pid, &wanted) || wanted != (uintmax_t)getpid()))
		return 0.;
	return (double)us / 1e6 / 2.;
}

static void on_watchdog(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)loop;
	(void)events;
	tell(timer->data, "WATCHDOG=1", MSG_DONTWAIT);
}

void notify_init(struct notify *n, struct ev_loop *loop)
{
	double s = watchdog_s();

	memset(n, 0, sizeof(*n));
	n->loop = loop;
	open_socket(n);
	ev_timer_init(&n->watchdog, on_watchdog, s, s);
	n->watchdog.data = n;
	if (n->fd >= 0 && s > 0.)
		ev_timer_start(loop, &n->watchdog);
}

void notify_fini(struct notify *n)
{
	ev_timer_stop(n->loop, &n->watchdog);
	if (n->fd >= 0)
		close(n->fd);
	n->fd = -1;
}

void notify_ready(const struct notify *n)
{
	tell(n, "READY=1", 0);
}

void notify_reloading(const struct notify *n)
{
	struct timespec now;
	char message[64];

	/* Type=notify-reload wants the time, to tell this reload from an earlier one. */
	clock_gettime(CLOCK_MONOTONIC, &now);
	(void)snprintf(message, sizeof(message), "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
		(uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000);
	tell(n, message, 0);
}

void notify_stopping(const struct notify *n)
{
	tell(n, "STOPPING=1\n" STATUS "ending", 0);
}

void notify_status(struct notify *n, const char *state, const char *reason)
{
	char message[sizeof(n->status)];

	if (n->fd < 0)
		return;
	(void)snprintf(
		message, sizeof(message), STATUS "%s%s%s", state, *reason ? ": " : "", reason);
	/* A new line would begin another variable; what is no UTF-8 makes systemd drop it. */
	log_clean(message, strlen(message));
	if (!strcmp(message, n->status))
		return;
	strcpy(n->status, message);
	tell(n, message, MSG_DONTWAIT);
}
