/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/presentation.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ev.h>

#include "bridge/config.h"
#include "bridge/log.h"
#include "bridge/relay.h"
#include "gadget/configfs.h"
#include "gadget/ffs.h"
#include "gadget/ffsblob.h"
#include "gadget/fit.h"
#include "gadget/udc.h"
#include "gadget/usbdesc.h"

#define NAME "ip2usb" /* of the gadget, its function and its FunctionFS instance */
#define FOLDER "/run/ip2usb"
#define MOUNTPOINT FOLDER "/ffs"
#define VIEW FOLDER "/configfs"

struct presentation {
	struct ev_loop *loop;
	const struct presentation_callbacks *callbacks;
	void *user;
	struct configfs *configfs;
	struct ffs *ffs;
	struct relay *relay;
	ev_io ep0, aio;
};

static int lock(void)
{
	int fd;

	/* Whatever umask is: who may ask for the status goes by the socket's group. */
	if (mkdir(FOLDER, 0755) < 0 ? errno != EEXIST : chmod(FOLDER, 0755) < 0)
		return -errno;
	fd = open(FOLDER "/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		close(fd);
		return -EWOULDBLOCK;
	}
	return fd;
}

int presentation_claim(void)
{
	int fd = lock(), r;

	if (fd == -EWOULDBLOCK)
		log_error("another ip2usb is running");
	else if (fd < 0)
		log_error(FOLDER ": %s; ip2usb run must be root", strerror(-fd));
	if (fd < 0)
		return fd;
	ffs_clean(MOUNTPOINT);
	r = configfs_clean(NAME, VIEW);
	if (!r)
		return fd;
	close(fd);
	return r;
}

bool presentation_is_claimed(void)
{
	int fd = open(FOLDER "/lock", O_RDONLY | O_CLOEXEC);
	bool claimed = fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK;

	if (fd >= 0)
		close(fd);
	return claimed;
}

/* Some phones refuse what the camera draws at its own port, which is not theirs. */
static void override_power(struct usb_profile *profile, const struct config *config)
{
	if (config->gadget.max_power_ma != CONFIG_MIRROR)
		profile->max_power_ma = (uint16_t)config->gadget.max_power_ma;
	if (config->gadget.self_powered == CONFIG_MIRROR)
		return;
	profile->attributes &= (uint8_t)~USB_CONFIG_ATT_SELFPOWER;
	if (config->gadget.self_powered)
		profile->attributes |= USB_CONFIG_ATT_SELFPOWER;
}

bool presentation_judge(
	struct usb_profile *profile, const struct config *config, struct udc *udc, struct fit *fit)
{
	const char *wanted = config->gadget.udc;
	bool found = !udc_find(udc, UDC_FOLDER, wanted);

	override_power(profile, config);
	(void)fit_check(fit, profile, found ? udc : NULL);
	if (!found && strcmp(wanted, "auto"))
		fit_add(fit, FIT_REFUSED,
			"there is no UDC %s here; ls /sys/class/udc shows what there is", wanted);
	else if (!found)
		fit_add(fit, FIT_REFUSED,
			"this machine has no UDC (USB device port): on a Raspberry Pi enable "
			"dtoverlay=dwc2,dr_mode=peripheral");
	else if (*udc->gadget)
		fit_add(fit, FIT_REFUSED, "UDC %s is taken by the gadget %s", udc->name,
			udc->gadget);
	return found;
}

/* ---- callbacks ---- */

static void on_ffs_event(void *user, enum usb_functionfs_event_type type)
{
	struct presentation *p = user;

	if (p->relay)
		relay_event(p->relay, type);
}

static void on_ffs_setup(
	void *user, const struct usb_ctrlrequest *setup, const uint8_t *data, size_t size)
{
	struct presentation *p = user;

	if (p->relay)
		relay_setup(p->relay, setup, data, size);
}

static void on_ffs_failed(void *user, int error)
{
	struct presentation *p = user;

	(void)error;
	ev_io_stop(p->loop, &p->ep0);
	p->callbacks->failed(p->user, "the gadget's control file has failed");
}

static const struct ffs_callbacks ffs_callbacks = {
	.event = on_ffs_event,
	.setup = on_ffs_setup,
	.failed = on_ffs_failed,
};

static void on_relay_configured(void *user, bool configured)
{
	struct presentation *p = user;

	p->callbacks->configured(p->user, configured);
}

static void on_relay_gone_on(void *user)
{
	struct presentation *p = user;

	p->callbacks->gone_on(p->user);
}

static void on_relay_failed(void *user, const char *reason)
{
	struct presentation *p = user;

	p->callbacks->failed(p->user, reason);
}

static const struct relay_callbacks relay_callbacks = {
	.configured = on_relay_configured,
	.gone_on = on_relay_gone_on,
	.failed = on_relay_failed,
};

static void on_ep0(struct ev_loop *loop, ev_io *io, int events)
{
	struct presentation *p = io->data;

	(void)loop;
	(void)events;
	ffs_dispatch_ep0(p->ffs);
}

static void on_aio(struct ev_loop *loop, ev_io *io, int events)
{
	struct presentation *p = io->data;

	(void)loop;
	(void)events;
	ffs_dispatch_aio(p->ffs);
}

/* ---- life ---- */

static int make_ffs(struct presentation *p, const struct usb_profile *profile)
{
	struct ffsblob *blob = malloc(sizeof(*blob));
	int r;

	if (!blob)
		return -ENOMEM;
	r = ffsblob_build(blob, profile);
	if (!r)
		log_debug("%u descriptors of the camera are left out", blob->dropped);
	if (!r)
		r = ffs_new(NAME, MOUNTPOINT, blob, profile->num_endpoints,
			relay_aio_depth(profile), &ffs_callbacks, p, &p->ffs);
	free(blob);
	return r;
}

static void watch(struct presentation *p)
{
	ev_io_init(&p->ep0, on_ep0, ffs_ep0_fd(p->ffs), EV_READ);
	ev_io_init(&p->aio, on_aio, ffs_aio_fd(p->ffs), EV_READ);
	/* Completions first: they belong to what happened before the event that is waiting. */
	ev_set_priority(&p->aio, 1);
	p->ep0.data = p->aio.data = p;
	ev_io_start(p->loop, &p->ep0);
	ev_io_start(p->loop, &p->aio);
}

int presentation_new(struct ev_loop *loop, const struct usb_profile *profile, struct client *client,
	const struct presentation_options *options, const struct presentation_callbacks *callbacks,
	void *user, struct presentation **out)
{
	struct presentation *p = calloc(1, sizeof(*p));
	int r;

	if (!p)
		return -ENOMEM;
	p->loop = loop;
	p->callbacks = callbacks;
	p->user = user;
	r = configfs_new(profile, NAME, VIEW, &p->configfs);
	if (!r)
		r = make_ffs(p, profile);
	if (!r)
		r = relay_new(loop, profile, client, p->ffs, options->unplug_after_s,
			&relay_callbacks, p, &p->relay);
	if (!r)
		r = configfs_bind(p->configfs, options->udc);
	if (r) {
		presentation_stop(p);
		presentation_free(p);
		return r;
	}
	watch(p);
	*out = p;
	return 0;
}

const char *presentation_udc(const struct presentation *p)
{
	return configfs_udc(p->configfs);
}

const struct relay *presentation_relay(const struct presentation *p)
{
	return p->relay;
}

bool presentation_can_hold(const struct presentation *p)
{
	return relay_can_hold(p->relay);
}

void presentation_hold(struct presentation *p)
{
	relay_hold(p->relay);
}

void presentation_go_on(struct presentation *p, struct client *client)
{
	relay_go_on(p->relay, client);
}

void presentation_flush(struct presentation *p)
{
	relay_flush(p->relay);
}

void presentation_stop(struct presentation *p)
{
	ev_io_stop(p->loop, &p->ep0);
	ev_io_stop(p->loop, &p->aio);
	if (p->relay)
		relay_stop(p->relay);
	/* The order keeps clear of the kernel's old races between unbinding and closing. */
	if (p->configfs)
		configfs_unbind(p->configfs);
	ffs_free(p->ffs);
	p->ffs = NULL;
	configfs_free(p->configfs);
	p->configfs = NULL;
}

void presentation_free(struct presentation *p)
{
	if (!p)
		return;
	relay_free(p->relay);
	free(p);
}
