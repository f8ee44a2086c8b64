/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gadget/ffsaio.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

int ffsaio_init(struct ffsaio *aio, unsigned depth)
{
	int r;

	memset(aio, 0, sizeof(*aio));
	aio->eventfd = -1;
	aio->depth = depth;
	aio->queue = calloc(depth, sizeof(*aio->queue));
	if (!aio->queue)
		return -ENOMEM;
	aio->eventfd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (aio->eventfd < 0) {
		r = -errno;
		goto fail;
	}
	r = io_setup((int)depth, &aio->context);
	if (r < 0)
		goto fail;
	return 0;
fail:
	if (aio->eventfd >= 0)
		close(aio->eventfd);
	free(aio->queue);
	memset(aio, 0, sizeof(*aio));
	aio->eventfd = -1;
	return r;
}

void ffsaio_fini(struct ffsaio *aio)
{
	if (!aio->queue)
		return;
	io_destroy(aio->context);
	close(aio->eventfd);
	free(aio->queue);
	memset(aio, 0, sizeof(*aio));
	aio->eventfd = -1;
}

static void enqueue(struct ffsaio *aio, struct ffsaio_request *req)
{
	if (aio->in_flight + aio->queued >= aio->depth) {
		req->done(req, -ENOSPC);
		return;
	}
	io_set_eventfd(&req->iocb, aio->eventfd);
	req->iocb.data = req;
	aio->queue[aio->queued++] = &req->iocb;
}

void ffsaio_read(struct ffsaio *aio, struct ffsaio_request *req, int fd, void *buf, size_t len)
{
	io_prep_pread(&req->iocb, fd, buf, len, 0);
	enqueue(aio, req);
}

void ffsaio_write(
	struct ffsaio *aio, struct ffsaio_request *req, int fd, const void *buf, size_t len)
{
	/* libaio's prototype lacks the const that pwrite has. */
	io_prep_pwrite(&req->iocb, fd, (void *)(uintptr_t)buf, len, 0);
	enqueue(aio, req);
}

/* Takes `n` requests off the front of the queue. */
static void dequeue(struct ffsaio *aio, unsigned n)
{
	aio->queued -= n;
	memmove(aio->queue, aio->queue + n, aio->queued * sizeof(*aio->queue));
}

void ffsaio_flush(struct ffsaio *aio)
{
	while (aio->queued) {
		int n = io_submit(aio->context, (long)aio->queued, aio->queue);

		if (n > 0) {
			aio->in_flight += (unsigned)n;
			dequeue(aio, (unsigned)n);
		} else if (n == -EINTR) {
			continue;
		} else {
			/* The first one is refused: the others may be well. */
			struct ffsaio_request *req = aio->queue[0]->data;

			dequeue(aio, 1);
			req->done(req, n < 0 ? n : -EIO);
		}
	}
}

void ffsaio_cancel(struct ffsaio *aio, struct ffsaio_request *req)
{
	struct io_event event;

	/* What is still queued cannot be told from what has ended. */
	ffsaio_flush(aio);
	/* -EINPROGRESS, and the event comes by the ring; -EINVAL: it has ended (io_cancel(2),
	 * fs/aio.c). */
	(void)io_cancel(aio->context, &req->iocb, &event);
}

void ffsaio_dispatch(struct ffsaio *aio)
{
	struct timespec now = {0, 0};
	struct io_event events[64];
	uint64_t count;
	int n;

	/* Before the ring is read: what completes later signals the eventfd again. */
	if (read(aio->eventfd, &count, sizeof(count)) < 0 && errno != EAGAIN)
		return;
	do {
		n = io_getevents(aio->context, 0, 64, events, &now);
		for (int i = 0; i < n; i++) {
			struct ffsaio_request *req = events[i].data;

			aio->in_flight--;
			req->done(req, (int)(long)events[i].res);
		}
	} while (n == 64);
}
