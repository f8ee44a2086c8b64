/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gadget/ffs.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gadget/ep0.h"
#include "gadget/ffsaio.h"
#include "gadget/ffsblob.h"
#include "gadget/glog.h"
#include "gadget/usbdesc.h"

struct ffs {
	const struct ffs_callbacks *callbacks;
	void *user;
	char mountpoint[PATH_MAX];
	bool mounted;
	int ep0_file;
	struct ep0 ep0;
	bool ep0_running;
	struct ffsaio aio;
	unsigned num_endpoints;
	int endpoints[USBDESC_MAX_ENDPOINTS];
};

static int make_folders(const char *path)
{
	char part[PATH_MAX];

	for (const char *slash = strchr(path + 1, '/');; slash = strchr(slash + 1, '/')) {
		size_t len = slash ? (size_t)(slash - path) : strlen(path);

		if (len >= sizeof(part))
			return -ENAMETOOLONG;
		memcpy(part, path, len);
		part[len] = 0;
		if (mkdir(part, 0755) < 0 && errno != EEXIST)
			return -errno;
		if (!slash)
			return 0;
	}
}

static int open_file(const struct ffs *ffs, const char *name)
{
	char path[PATH_MAX];

	if ((size_t)snprintf(path, sizeof(path), "%s/%s", ffs->mountpoint, name) >= sizeof(path))
		return -ENAMETOOLONG;
	int fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int write_blob(int fd, const char *what, const uint8_t *blob, size_t size)
{
	ssize_t n = write(fd, blob, size);
	int r = n < 0 ? -errno : (size_t)n == size ? 0 : -EIO;

	if (r)
		glog(LOG_ERR, "FunctionFS refuses the %s: %s", what, strerror(-r));
	return r;
}

/* Endpoint files exist once both blobs are written. They are opened now and not at ENABLE, because
 * older kernels block an open while ep0 waits for the phone (ffs->mutex). */
static int open_endpoints(struct ffs *ffs, unsigned n)
{
	for (; ffs->num_endpoints < n; ffs->num_endpoints++) {
		char name[16];
		int fd;

		(void)snprintf(name, sizeof(name), "ep%u", ffs->num_endpoints + 1);
		fd = open_file(ffs, name);
		if (fd < 0)
			return fd;
		ffs->endpoints[ffs->num_endpoints] = fd;
	}
	return 0;
}

static int set_up(struct ffs *ffs, const char *name, const struct ffsblob *blob,
	unsigned num_endpoints, unsigned depth)
{
	int r = make_folders(ffs->mountpoint);

	if (r)
		return r;
	if (mount(name, ffs->mountpoint, "functionfs", MS_NOSUID | MS_NODEV | MS_NOEXEC,
		    "rmode=0700,fmode=0600") < 0) {
		glog(LOG_ERR, "mounting FunctionFS on %s: %s", ffs->mountpoint, strerror(errno));
		return -errno;
	}
	ffs->mounted = true;
	ffs->ep0_file = open_file(ffs, "ep0");
	if (ffs->ep0_file < 0)
		return ffs->ep0_file;
	r = write_blob(ffs->ep0_file, "descriptors", blob->descs, blob->descs_size);
	if (!r)
		r = write_blob(ffs->ep0_file, "strings", blob->strings, blob->strings_size);
	if (!r)
		r = open_endpoints(ffs, num_endpoints);
	if (!r)
		r = ffsaio_init(&ffs->aio, depth);
	if (!r)
		r = ep0_start(&ffs->ep0, ffs->ep0_file);
	ffs->ep0_running = !r;
	return r;
}

int ffs_new(const char *name, const char *mountpoint, const struct ffsblob *blob,
	unsigned num_endpoints, unsigned depth, const struct ffs_callbacks *callbacks, void *user,
	struct ffs **out)
{
	struct ffs *ffs;
	int r;

	if (num_endpoints > USBDESC_MAX_ENDPOINTS || strlen(mountpoint) >= PATH_MAX)
		return -EINVAL;
	ffs = calloc(1, sizeof(*ffs));
	if (!ffs)
		return -ENOMEM;
	ffs->callbacks = callbacks;
	ffs->user = user;
	ffs->ep0_file = -1;
	strcpy(ffs->mountpoint, mountpoint);
	r = set_up(ffs, name, blob, num_endpoints, depth);
	if (r) {
		ffs_free(ffs);
		return r;
	}
	*out = ffs;
	return 0;
}

void ffs_free(struct ffs *ffs)
{
	if (!ffs)
		return;
	/* aio first: with requests pending the endpoint files do not let go of the UDC. */
	ffsaio_fini(&ffs->aio);
	for (unsigned i = 0; i < ffs->num_endpoints; i++)
		close(ffs->endpoints[i]);
	if (ffs->ep0_running)
		ep0_stop(&ffs->ep0);
	if (ffs->ep0_file >= 0)
		close(ffs->ep0_file);
	if (ffs->mounted) {
		if (umount2(ffs->mountpoint, 0) < 0) {
			glog(LOG_WARNING, "unmounting %s: %s", ffs->mountpoint, strerror(errno));
			umount2(ffs->mountpoint, MNT_DETACH);
		}
		rmdir(ffs->mountpoint);
	}
	free(ffs);
}

void ffs_clean(const char *mountpoint)
{
	while (umount2(mountpoint, MNT_DETACH) == 0)
		glog(LOG_INFO, "unmounted %s, left behind by a predecessor", mountpoint);
}

int ffs_ep0_fd(const struct ffs *ffs)
{
	return ep0_fd(&ffs->ep0);
}

int ffs_aio_fd(const struct ffs *ffs)
{
	return ffs->aio.eventfd;
}

void ffs_dispatch_ep0(struct ffs *ffs)
{
	struct ep0_message m;
	int r = ep0_receive(&ffs->ep0, &m);

	if (r < 0)
		ffs->callbacks->failed(ffs->user, r);
	else if (r && m.type == FUNCTIONFS_SETUP)
		ffs->callbacks->setup(ffs->user, &m.setup, m.data, m.size);
	else if (r)
		ffs->callbacks->event(ffs->user, m.type);
}

void ffs_dispatch_aio(struct ffs *ffs)
{
	ffsaio_dispatch(&ffs->aio);
}

void ffs_read(struct ffs *ffs, unsigned at, struct ffsaio_request *req, void *buf, size_t size)
{
	ffsaio_read(&ffs->aio, req, ffs->endpoints[at], buf, size);
}

void ffs_write(
	struct ffs *ffs, unsigned at, struct ffsaio_request *req, const void *buf, size_t size)
{
	ffsaio_write(&ffs->aio, req, ffs->endpoints[at], buf, size);
}

void ffs_flush(struct ffs *ffs)
{
	ffsaio_flush(&ffs->aio);
}

void ffs_cancel(struct ffs *ffs, struct ffsaio_request *req)
{
	ffsaio_cancel(&ffs->aio, req);
}

int ffs_halt(struct ffs *ffs, unsigned at, bool in)
{
	/* I/O in the wrong direction is FunctionFS's way to say halt; EBADMSG is its success
	 * (ffs_epfile_io). */
	ssize_t n = in ? read(ffs->endpoints[at], NULL, 0) : write(ffs->endpoints[at], NULL, 0);

	if (n >= 0)
		return -EIO;
	return errno == EBADMSG ? 0 : -errno;
}

/* At the speed that the phone runs at. */
static int get_descriptor(
	const struct ffs *ffs, unsigned at, struct usb_endpoint_descriptor *descriptor)
{
	return ioctl(ffs->endpoints[at], FUNCTIONFS_ENDPOINT_DESC, descriptor) < 0 ? -errno : 0;
}

int ffs_address(const struct ffs *ffs, unsigned at)
{
	struct usb_endpoint_descriptor descriptor;
	int r = get_descriptor(ffs, at, &descriptor);

	return r ? r : descriptor.bEndpointAddress;
}

int ffs_packet_size(const struct ffs *ffs, unsigned at)
{
	struct usb_endpoint_descriptor descriptor;
	int r = get_descriptor(ffs, at, &descriptor);

	return r ? r : usb_endpoint_maxp(&descriptor);
}

int ffs_answer(struct ffs *ffs, enum ep0_answer answer, const void *data, size_t size)
{
	return ep0_answer(&ffs->ep0, answer, data, size);
}
