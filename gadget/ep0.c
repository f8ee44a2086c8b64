/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gadget/ep0.h"

#include <endian.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "gadget/glog.h"

#define MESSAGE_HEAD offsetof(struct ep0_message, data)

struct answer {
	enum ep0_answer answer;
	uint32_t size;
	uint8_t data[EP0_MAX_DATA];
};

#define ANSWER_HEAD offsetof(struct answer, data)

/* False when the owner has gone. */
static bool tell(struct ep0 *ep0, const struct ep0_message *m)
{
	return send(ep0->sockets[1], m, MESSAGE_HEAD + m->size, MSG_NOSIGNAL) >= 0;
}

/* The owner's answer; false when the owner has gone. */
static bool hear(struct ep0 *ep0, struct answer *a)
{
	ssize_t n;

	do
		n = recv(ep0->sockets[1], a, sizeof(*a), 0);
	while (n < 0 && errno == EINTR);
	return n >= (ssize_t)ANSWER_HEAD;
}

static void carry_out(struct ep0 *ep0, const struct usb_ctrlrequest *setup, const struct answer *a)
{
	bool in = setup->bRequestType & USB_DIR_IN;
	uint16_t length = le16toh(setup->wLength);
	ssize_t n;

	/* The call in the request's own direction moves data or acknowledges, the other one stalls
	 * (ffs_ep0_read, ffs_ep0_write). A stall is reported as EL2HLT; EIDRM and EOVERFLOW say
	 * that the phone has given up waiting, which leaves nothing to do. */
	if (a->answer == EP0_STALL)
		n = in ? read(ep0->file, NULL, 0) : write(ep0->file, NULL, 0);
	else if (in)
		n = write(ep0->file, a->data, a->size < length ? a->size : length);
	else
		n = read(ep0->file, NULL, 0);
	if (n < 0 && errno != EL2HLT)
		glog(LOG_DEBUG, "ep0: the phone took no answer: %s", strerror(errno));
}

/* False when the owner has gone. */
static bool serve_setup(struct ep0 *ep0, struct ep0_message *m)
{
	uint16_t length = le16toh(m->setup.wLength);
	bool out_data = !(m->setup.bRequestType & USB_DIR_IN) && length;
	struct answer a;

	if (out_data) {
		/* Reading the data acknowledges it: FunctionFS has no way to answer afterwards. */
		ssize_t n = read(ep0->file, m->data, sizeof(m->data));

		if (n < 0) {
			glog(LOG_DEBUG, "ep0: data stage: %s", strerror(errno));
			return true;
		}
		m->size = (uint32_t)n;
	}
	if (!tell(ep0, m) || !hear(ep0, &a))
		return false;
	if (!out_data)
		carry_out(ep0, &m->setup, &a);
	return true;
}

/* Reads and passes on what is there; false when the thread is to end. */
static bool serve_events(struct ep0 *ep0)
{
	struct usb_functionfs_event events[4];
	struct ep0_message m;
	ssize_t n = read(ep0->file, events, sizeof(events));

	if (n < 0) {
		/* EIDRM: the SETUP that was announced has been cancelled by a later event. */
		if (errno == EAGAIN || errno == EINTR || errno == EIDRM)
			return true;
		glog(LOG_ERR, "ep0: reading events: %s", strerror(errno));
		return false;
	}
	for (size_t i = 0; i < (size_t)n / sizeof(events[0]); i++) {
		m.type = events[i].type;
		m.setup = events[i].u.setup;
		m.size = 0;
		if (m.type == FUNCTIONFS_SETUP ? !serve_setup(ep0, &m) : !tell(ep0, &m))
			return false;
	}
	return true;
}

static void *serve(void *arg)
{
	struct ep0 *ep0 = arg;
	struct pollfd fds[2] = {
		{.fd = ep0->file, .events = POLLIN},
		{.fd = ep0->sockets[1], .events = POLLIN}, /* only ever the owner's hang-up */
	};

	for (;;) {
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			break;
		if (fds[1].revents)
			break;
		if (fds[0].revents && !serve_events(ep0))
			break;
	}
	shutdown(ep0->sockets[1], SHUT_RDWR);
	return NULL;
}

static void on_interrupt(int signal)
{
	(void)signal;
}

int ep0_start(struct ep0 *ep0, int file)
{
	struct sigaction action = {
		.sa_handler = on_interrupt}; /* no SA_RESTART: EINTR is the point */
	sigset_t all, before;
	int r;

	ep0->file = file;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ep0->sockets) < 0)
		return -errno;
	sigaction(SIGUSR2, &action, NULL);
	/* The process's signals are the event loop's business, not this thread's. */
	sigfillset(&all);
	sigdelset(&all, SIGUSR2);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&ep0->thread, NULL, serve, ep0);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (r) {
		close(ep0->sockets[0]);
		close(ep0->sockets[1]);
	}
	return -r;
}

void ep0_stop(struct ep0 *ep0)
{
	struct timespec until;

	shutdown(ep0->sockets[0], SHUT_RDWR);
	/* A signal that comes between two system calls is lost: repeat until it is heard. */
	do {
		pthread_kill(ep0->thread, SIGUSR2);
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += 20 * 1000 * 1000;
		if (until.tv_nsec >= 1000 * 1000 * 1000) {
			until.tv_sec++;
			until.tv_nsec -= 1000 * 1000 * 1000;
		}
	} while (pthread_timedjoin_np(ep0->thread, NULL, &until));
	close(ep0->sockets[0]);
	close(ep0->sockets[1]);
}

int ep0_fd(const struct ep0 *ep0)
{
	return ep0->sockets[0];
}

int ep0_receive(struct ep0 *ep0, struct ep0_message *m)
{
	ssize_t n = recv(ep0->sockets[0], m, sizeof(*m), MSG_DONTWAIT);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	return n >= (ssize_t)MESSAGE_HEAD ? 1 : -EPIPE;
}

int ep0_answer(struct ep0 *ep0, enum ep0_answer answer, const void *data, size_t size)
{
	struct answer a = {.answer = answer};

	if (size > sizeof(a.data))
		return -EMSGSIZE;
	a.size = (uint32_t)size;
	if (size)
		memcpy(a.data, data, size);
	if (send(ep0->sockets[0], &a, ANSWER_HEAD + size, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		return -errno;
	return 0;
}
