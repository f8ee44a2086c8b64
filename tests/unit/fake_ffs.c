/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/fake_ffs.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define SPOILT 0xdb

static void push(struct fake_queue *q, const struct fake_request *r)
{
	assert_true(q->num < FAKE_FFS_DEPTH);
	q->requests[(q->first + q->num++) % FAKE_FFS_DEPTH] = *r;
}

static struct fake_request *first(struct fake_queue *q)
{
	return q->num ? &q->requests[q->first] : NULL;
}

static struct fake_request pop(struct fake_queue *q)
{
	struct fake_request r = *first(q);

	q->first = (q->first + 1) % FAKE_FFS_DEPTH;
	q->num--;
	return r;
}

static bool holds(const struct fake_queue *q, const struct ffsaio_request *req)
{
	for (unsigned i = 0; i < q->num; i++) {
		if (q->requests[(q->first + i) % FAKE_FFS_DEPTH].req == req)
			return true;
	}
	return false;
}

static void complete(struct ffs *ffs, struct fake_request r, int result)
{
	r.result = result;
	push(&ffs->completed, &r);
}

/* ---- gadget/ffs.h ---- */

static void enqueue(struct ffs *ffs, const struct fake_request *r)
{
	bool in = ffs->endpoints[r->at].address & USB_DIR_IN;

	assert_true(r->at < ffs->num_endpoints && r->write == in);
	assert_false(holds(&ffs->unflushed, r->req) || holds(&ffs->completed, r->req) ||
		holds(&ffs->endpoints[r->at].queue, r->req));
	assert_true(ffs->out < ffs->depth);
	ffs->out++;
	ffs->submitted++;
	push(&ffs->unflushed, r);
}

void ffs_read(struct ffs *ffs, unsigned at, struct ffsaio_request *req, void *buf, size_t size)
{
	/* Others lose data (f_fs drops the excess) or fail with -EOVERFLOW. */
	assert_true(size && size % ffs->endpoints[at].max_packet == 0);
	memset(buf, SPOILT, size);
	enqueue(ffs, &(struct fake_request){.req = req, .at = at, .buf = buf, .size = size});
}

void ffs_write(
	struct ffs *ffs, unsigned at, struct ffsaio_request *req, const void *buf, size_t size)
{
	enqueue(ffs,
		&(struct fake_request){.req = req,
			.at = at,
			.write = true,
			.buf = (uint8_t *)(uintptr_t)buf,
			.size = size});
}

void ffs_flush(struct ffs *ffs)
{
	while (ffs->unflushed.num) {
		struct fake_request r = pop(&ffs->unflushed);

		if (!ffs->configured || (ffs->suspended && ffs->dwc2))
			complete(ffs, r, -EAGAIN);
		else if (ffs->refuse)
			complete(ffs, r, ffs->refuse);
		else
			push(&ffs->endpoints[r.at].queue, &r);
	}
}

void fake_ffs_deliver(struct ffs *ffs, unsigned n)
{
	for (; n && ffs->completed.num; n--) {
		struct fake_request r = pop(&ffs->completed);

		ffs->out--;
		ffs->delivered++;
		r.req->done(r.req, r.result);
	}
}

void ffs_dispatch_aio(struct ffs *ffs)
{
	while (ffs->completed.num)
		fake_ffs_deliver(ffs, 1);
}

static bool cancel(struct ffs *ffs, struct fake_queue *q, const struct ffsaio_request *req)
{
	bool found = false;

	for (unsigned n = q->num; n; n--) {
		struct fake_request r = pop(q);

		if (r.req == req) {
			complete(ffs, r, -ECONNRESET);
			found = true;
		} else {
			push(q, &r);
		}
	}
	return found;
}

void ffs_cancel(struct ffs *ffs, struct ffsaio_request *req)
{
	ffs_flush(ffs);
	for (unsigned i = 0; i < ffs->num_endpoints; i++) {
		struct fake_endpoint *e = &ffs->endpoints[i];
		struct fake_request *r = first(&e->queue);

		/* dwc2 cannot be trusted to stop an OUT endpoint. */
		assert_true(!r || r->req != req || e->address & USB_DIR_IN);
		if (cancel(ffs, &e->queue, req))
			return;
	}
}

int ffs_halt(struct ffs *ffs, unsigned at, bool in)
{
	struct fake_endpoint *e = &ffs->endpoints[at];

	assert_true(at < ffs->num_endpoints && in == !!(e->address & USB_DIR_IN));
	assert_true(e->num_tried < FAKE_FFS_DEPTH);
	e->tried[e->num_tried++] = e->packets;
	if (!ffs->configured)
		return -EAGAIN;
	if (e->queue.num && (in || ffs->dwc2))
		return -EAGAIN;
	e->halted = true;
	e->halts++;
	return 0;
}

int ffs_address(const struct ffs *ffs, unsigned at)
{
	return ffs->configured ? ffs->endpoints[at].address : -ENODEV;
}

int ffs_packet_size(const struct ffs *ffs, unsigned at)
{
	return ffs->configured ? (int)ffs->endpoints[at].max_packet : -ENODEV;
}

int ffs_answer(struct ffs *ffs, enum ep0_answer answer, const void *data, size_t size)
{
	assert_true(size <= sizeof(ffs->data));
	ffs->answers++;
	ffs->answer = answer;
	ffs->size = size;
	if (size)
		memcpy(ffs->data, data, size);
	return 0;
}

/* ---- the phone ---- */

void fake_ffs_enable(struct ffs *ffs)
{
	ffs->configured = true;
	ffs->suspended = false;
}

void fake_ffs_disable(struct ffs *ffs)
{
	for (unsigned i = 0; i < ffs->num_endpoints; i++) {
		struct fake_endpoint *e = &ffs->endpoints[i];

		while (e->queue.num)
			complete(ffs, pop(&e->queue), -ESHUTDOWN);
		e->halted = e->active = false;
	}
	ffs->configured = false;
}

enum fake_handshake fake_ffs_send(struct ffs *ffs, unsigned at, const void *data, size_t size)
{
	struct fake_endpoint *e = &ffs->endpoints[at];
	struct fake_request *r = first(&e->queue);

	assert_true(size <= e->max_packet && !(e->address & USB_DIR_IN));
	if (ffs->configured && e->halted)
		return FAKE_STALL;
	if (!ffs->configured || ffs->suspended || !r)
		return FAKE_NAK;
	if (size)
		memcpy(r->buf + r->moved, data, size);
	r->moved += size;
	e->packets++;
	if (r->moved == r->size || size < e->max_packet) {
		int moved = (int)r->moved;

		complete(ffs, pop(&e->queue), moved);
	}
	return FAKE_ACK;
}

enum fake_handshake fake_ffs_receive(struct ffs *ffs, unsigned at, void *data, size_t *size)
{
	struct fake_endpoint *e = &ffs->endpoints[at];
	struct fake_request *r = first(&e->queue);

	assert_true(e->address & USB_DIR_IN);
	if (ffs->configured && e->halted)
		return FAKE_STALL;
	if (!ffs->configured || ffs->suspended || !r)
		return FAKE_NAK;
	*size = r->size - r->moved < e->max_packet ? r->size - r->moved : e->max_packet;
	if (*size)
		memcpy(data, r->buf + r->moved, *size);
	r->moved += *size;
	e->packets++;
	/* No zero-length packet after an exact multiple (req->zero is never set). */
	if (r->moved == r->size) {
		int moved = (int)r->moved;

		complete(ffs, pop(&e->queue), moved);
	}
	return FAKE_ACK;
}

void fake_ffs_set_halt(struct ffs *ffs, unsigned at)
{
	struct fake_endpoint *e = &ffs->endpoints[at];

	e->halted = true;
	e->active = e->queue.num;
}

void fake_ffs_clear_halt(struct ffs *ffs, unsigned at)
{
	struct fake_endpoint *e = &ffs->endpoints[at];

	/* dwc2_hsotg_process_req_feature gives the active request back with its status untouched.
	 */
	if (e->halted && e->active && ffs->dwc2)
		complete(ffs, pop(&e->queue), -EINPROGRESS);
	e->halted = e->active = false;
}

unsigned fake_ffs_posted(const struct ffs *ffs, unsigned at)
{
	return ffs->endpoints[at].queue.num;
}

/* ---- life ---- */

struct ffs *fake_ffs_new(unsigned depth, bool dwc2)
{
	struct ffs *ffs = calloc(1, sizeof(*ffs));

	assert_true(ffs && depth <= FAKE_FFS_DEPTH);
	ffs->depth = depth;
	ffs->dwc2 = dwc2;
	return ffs;
}

void fake_ffs_free(struct ffs *ffs)
{
	free(ffs);
}

void fake_ffs_add(struct ffs *ffs, uint8_t address, uint32_t max_packet)
{
	assert_true(ffs->num_endpoints < FAKE_FFS_ENDPOINTS);
	ffs->endpoints[ffs->num_endpoints++] =
		(struct fake_endpoint){.address = address, .max_packet = max_packet};
}
