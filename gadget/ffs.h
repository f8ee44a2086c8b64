/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ffs: one mounted FunctionFS instance: its control file, its endpoint files, halts.
 *
 * Exposes two fds for the owner's event loop and a dispatch function for each; callbacks come only
 * out of those, in the owner's thread. The instance (functions/ffs.NAME) must exist in configfs
 * before, and the gadget is bound to a UDC after, ffs_new.
 */
#ifndef GADGET_FFS_H
#define GADGET_FFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/usb/ch9.h>
#include <linux/usb/functionfs.h>

struct ffs;
struct ffsaio_request;
struct ffsblob;

enum ep0_answer;

struct ffs_callbacks {
	/* Anything but FUNCTIONFS_SETUP. FUNCTIONFS_ENABLE may come without a DISABLE before it
	 * (bus reset): every request posted before has been, or is about to be, completed with
	 * -ESHUTDOWN. */
	void (*event)(void *user, enum usb_functionfs_event_type type);
	/* One control request; ffs_answer exactly once, now or later. `data`, the data stage of an
	 * OUT request, is valid during the call. */
	void (*setup)(
		void *user, const struct usb_ctrlrequest *setup, const uint8_t *data, size_t size);
	/* The control file is dead; nothing but ffs_free is left to do. */
	void (*failed)(void *user, int error);
};

/*
 * Mounts instance `name` on `mountpoint` (made if missing), writes the blobs, opens ep1 .. epN in
 * the descriptors' order and starts the ep0 thread. `depth`: aio requests that may be out at once.
 * 0 or -errno, then nothing is left behind.
 */
int ffs_new(const char *name, const char *mountpoint, const struct ffsblob *blob,
	unsigned num_endpoints, unsigned depth, const struct ffs_callbacks *callbacks, void *user,
	struct ffs **out);

/* Unbind the gadget first. Cancels all aio (no `done` is called), closes and unmounts. */
void ffs_free(struct ffs *ffs);

/* Unmounts whatever a killed predecessor left at `mountpoint`. */
void ffs_clean(const char *mountpoint);

int ffs_ep0_fd(const struct ffs *ffs);
int ffs_aio_fd(const struct ffs *ffs);
void ffs_dispatch_ep0(struct ffs *ffs);
void ffs_dispatch_aio(struct ffs *ffs);

/* Queue aio on endpoint `at` (0 = the first of the descriptors); see ffsaio.h. Reading is for OUT
 * endpoints, with a multiple of the packet size; writing for IN endpoints, 0 bytes being a
 * zero-length packet. ffs_flush hands over what is queued. */
void ffs_read(struct ffs *ffs, unsigned at, struct ffsaio_request *req, void *buf, size_t size);
void ffs_write(
	struct ffs *ffs, unsigned at, struct ffsaio_request *req, const void *buf, size_t size);
void ffs_flush(struct ffs *ffs);

/* Takes a request back, see ffsaio_cancel. Not one that the phone may have begun to fill: dwc2's
 * way of stopping an OUT endpoint is not to be trusted. */
void ffs_cancel(struct ffs *ffs, struct ffsaio_request *req);

/* Halts endpoint `at`, whose direction is given: the phone gets STALL until it clears the halt,
 * which nobody reports. 0, -EAGAIN while requests are queued (all UDCs for IN, dwc2 also for OUT)
 * or -errno. */
int ffs_halt(struct ffs *ffs, unsigned at, bool in);

/* bEndpointAddress that the phone sees for endpoint `at`; -errno before the gadget is configured.
 */
int ffs_address(const struct ffs *ffs, unsigned at);

/* The same of wMaxPacketSize, bytes of one packet at the speed that the phone runs at. */
int ffs_packet_size(const struct ffs *ffs, unsigned at);

int ffs_answer(struct ffs *ffs, enum ep0_answer answer, const void *data, size_t size);

#endif
