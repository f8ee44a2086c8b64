/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ffsaio: a libaio queue for FunctionFS endpoint files, with one eventfd.
 *
 * FunctionFS data endpoints have no poll (ffs_epfile_operations), so completions come through the
 * eventfd. Requests are gathered and given to the kernel by ffsaio_flush, one io_submit for all.
 */
#ifndef GADGET_FFSAIO_H
#define GADGET_FFSAIO_H

#include <stddef.h>
#include <stdint.h>

#include <libaio.h>

/* Embedded in its user's struct, which must stay where it is until `done` has been called. */
struct ffsaio_request {
	struct iocb iocb;
	/* `result`: bytes moved or -errno; from ffsaio_dispatch or ffsaio_flush. */
	void (*done)(struct ffsaio_request *req, int result);
};

struct ffsaio {
	io_context_t context;
	int eventfd;
	unsigned depth;	    /* requests that can be queued or in flight */
	unsigned in_flight; /* at the kernel */
	unsigned queued;    /* waiting for ffsaio_flush */
	struct iocb **queue;
};

/* 0 or -errno (-EAGAIN: /proc/sys/fs/aio-max-nr is exhausted). */
int ffsaio_init(struct ffsaio *aio, unsigned depth);

/* Cancels what is in flight and waits for the kernel to let go of it (io_destroy); no `done` is
 * called. */
void ffsaio_fini(struct ffsaio *aio);

/* Queue one request on an endpoint file that is O_NONBLOCK: io_submit blocks on others until the
 * phone has configured the gadget (ffs_epfile_wait_ep). At most `depth` may be out; more is a
 * caller's bug and is completed with -ENOSPC at once. */
void ffsaio_read(struct ffsaio *aio, struct ffsaio_request *req, int fd, void *buf, size_t len);
void ffsaio_write(
	struct ffsaio *aio, struct ffsaio_request *req, int fd, const void *buf, size_t len);

/* Takes a request back: its `done` follows, with -ECONNRESET, or as it ended if that came first. */
void ffsaio_cancel(struct ffsaio *aio, struct ffsaio_request *req);

/* Submits what is queued. What the kernel refuses is completed with its error. */
void ffsaio_flush(struct ffsaio *aio);

/* Delivers all completions there are; call when the eventfd is readable, or at any time. */
void ffsaio_dispatch(struct ffsaio *aio);

#endif
