/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fake_ffs: gadget/ffs.h without a kernel: endpoint queues in memory, and a phone that is moved
 * packet by packet.
 *
 * Completion rules are those of f_fs.c over a UDC: a read ends when it is full or at a short
 * packet, a write when its last packet has gone; disabling gives everything back with -ESHUTDOWN;
 * an endpoint file without endpoint (O_NONBLOCK, ffs_epfile_wait_ep) and a suspended dwc2 answer
 * -EAGAIN. Stricter than the kernel in one thing: buffers are looked at as late as possible, and a
 * read's is spoilt when it is posted.
 */
#ifndef TESTS_FAKE_FFS_H
#define TESTS_FAKE_FFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gadget/ep0.h"
#include "gadget/ffs.h"
#include "gadget/ffsaio.h"

#define FAKE_FFS_ENDPOINTS 8
#define FAKE_FFS_DEPTH 512

/* What the phone's token is answered with. */
enum fake_handshake {
	FAKE_ACK,
	FAKE_NAK,
	FAKE_STALL,
};

struct fake_request {
	struct ffsaio_request *req;
	unsigned at;
	bool write;
	uint8_t *buf;
	size_t size, moved;
	int result;
};

/* First in, first out. */
struct fake_queue {
	unsigned first, num;
	struct fake_request requests[FAKE_FFS_DEPTH];
};

struct fake_endpoint {
	uint8_t address; /* at the phone */
	uint32_t max_packet;
	bool halted;
	bool active;	  /* halted by the phone over a request that had been started */
	unsigned packets; /* acknowledged */
	unsigned halts;	  /* by ffs_halt */
	/* calls of ffs_halt, whatever came of them: `packets` then */
	unsigned tried[FAKE_FFS_DEPTH], num_tried;
	struct fake_queue queue;
};

struct ffs {
	bool dwc2; /* else as dummy_hcd: an OUT endpoint can be halted over its reads */
	bool configured, suspended;
	int refuse;	     /* not 0: what the next requests that are flushed complete with */
	unsigned depth, out; /* requests allowed, and out */
	unsigned num_endpoints;
	struct fake_endpoint endpoints[FAKE_FFS_ENDPOINTS];
	struct fake_queue unflushed, completed;
	unsigned long submitted, delivered; /* requests, for ever */
	/* ep0 */
	unsigned answers;
	enum ep0_answer answer; /* the last one */
	size_t size;
	uint8_t data[EP0_MAX_DATA];
};

struct ffs *fake_ffs_new(unsigned depth, bool dwc2);
void fake_ffs_free(struct ffs *ffs);
void fake_ffs_add(struct ffs *ffs, uint8_t address, uint32_t max_packet);

/* The phone: SET_CONFIGURATION or SET_INTERFACE; reset or unplug. No event is told: the test does
 * that. */
void fake_ffs_enable(struct ffs *ffs);
void fake_ffs_disable(struct ffs *ffs);

/* One packet, at most max_packet bytes, from the phone; to the phone. */
enum fake_handshake fake_ffs_send(struct ffs *ffs, unsigned at, const void *data, size_t size);
enum fake_handshake fake_ffs_receive(struct ffs *ffs, unsigned at, void *data, size_t *size);

/* SET_FEATURE and CLEAR_FEATURE(ENDPOINT_HALT) of the phone. */
void fake_ffs_set_halt(struct ffs *ffs, unsigned at);
void fake_ffs_clear_halt(struct ffs *ffs, unsigned at);

/* Requests that stand on an endpoint. */
unsigned fake_ffs_posted(const struct ffs *ffs, unsigned at);

/* Delivers the oldest `n` completions (ffs_dispatch_aio: all). */
void fake_ffs_deliver(struct ffs *ffs, unsigned n);

#endif
