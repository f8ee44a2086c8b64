/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/usbhost.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include <libusb.h>

#include "bridge/log.h"

#define SYSFS "/sys/bus/usb/devices"
#define MAX_PORTS 7 /* USB 3.2, 8.9: five hubs behind a root port */

/* ---- libusb's descriptors in the loop ---- */

struct usbhost_watch {
	struct usbhost_watch *next;
	ev_io io;
};

static void on_event(struct ev_loop *loop, ev_io *io, int events)
{
	const struct usbhost *h = io->data;
	struct timeval now = {0};

	(void)loop;
	(void)events;
	/* Whichever descriptor it was, it looks at them all. */
	(void)libusb_handle_events_timeout_completed(h->context, &now, NULL);
}

static void watch(int fd, short events, void *user)
{
	struct usbhost *h = user;
	struct usbhost_watch *w = calloc(1, sizeof(*w));

	if (!w) {
		log_error("libusb: %s", strerror(ENOMEM));
		return;
	}
	w->next = h->watches;
	h->watches = w;
	ev_io_init(&w->io, on_event, fd,
		(events & POLLIN ? EV_READ : 0) | (events & POLLOUT ? EV_WRITE : 0));
	w->io.data = h;
	ev_io_start(h->loop, &w->io);
}

static void unwatch(int fd, void *user)
{
	struct usbhost *h = user;

	for (struct usbhost_watch **at = &h->watches; *at; at = &(*at)->next) {
		struct usbhost_watch *w = *at;

		if (w->io.fd != fd)
			continue;
		*at = w->next;
		ev_io_stop(h->loop, &w->io);
		free(w);
		return;
	}
}

static int watch_all(struct usbhost *h)
{
	const struct libusb_pollfd **fds = libusb_get_pollfds(h->context);

	if (!fds)
		return -ENOMEM;
	for (size_t i = 0; fds[i]; i++)
		watch(fds[i]->fd, fds[i]->events, h);
	libusb_free_pollfds(fds);
	libusb_set_pollfd_notifiers(h->context, watch, unwatch, h);
	return 0;
}

/* ---- devices that come and go ---- */

static int LIBUSB_CALL on_hotplug(
	libusb_context *context, libusb_device *device, libusb_hotplug_event event, void *user)
{
	const struct usbhost *h = user;

	(void)context;
	if (event == LIBUSB_HOTPLUG_EVENT_DEVICE_ARRIVED)
		h->callbacks->arrived(h->user, device);
	else
		h->callbacks->left(h->user, device);
	return 0; /* go on */
}

int usbhost_init(struct usbhost *h, struct ev_loop *loop, const struct usbhost_callbacks *callbacks,
	void *user, const char **why)
{
	int r;

	*h = (struct usbhost){.loop = loop, .callbacks = callbacks, .user = user};
	r = libusb_init(&h->context);
	if (r) {
		*why = libusb_strerror(r);
		return usbhost_errno(r);
	}
	r = watch_all(h);
	if (!r)
		r = usbhost_errno(libusb_hotplug_register_callback(h->context,
			LIBUSB_HOTPLUG_EVENT_DEVICE_ARRIVED | LIBUSB_HOTPLUG_EVENT_DEVICE_LEFT,
			LIBUSB_HOTPLUG_ENUMERATE, LIBUSB_HOTPLUG_MATCH_ANY,
			LIBUSB_HOTPLUG_MATCH_ANY, LIBUSB_HOTPLUG_MATCH_ANY, on_hotplug, h, NULL));
	if (!r)
		return 0;
	*why = strerror(-r);
	usbhost_fini(h);
	return r;
}

void usbhost_fini(struct usbhost *h)
{
	if (!h->context)
		return;
	libusb_exit(h->context);
	h->context = NULL;
	while (h->watches)
		unwatch(h->watches->io.fd, h);
}

/* ---- what is known of one ---- */

void usbhost_busid(struct libusb_device *device, char busid[USBIP_BUSID_SIZE])
{
	uint8_t ports[MAX_PORTS];
	int num_ports = libusb_get_port_numbers(device, ports, MAX_PORTS);
	int n = snprintf(busid, USBIP_BUSID_SIZE, "%d", libusb_get_bus_number(device));

	for (int i = 0; i < num_ports && n < USBIP_BUSID_SIZE; i++)
		n += snprintf(
			busid + n, (size_t)(USBIP_BUSID_SIZE - n), "%c%d", i ? '.' : '-', ports[i]);
}

/* One line of a device's folder in sysfs, cleaned; empty where there is none. libusb would have to
 * open the device, and to ask it. */
static void read_attribute(const char *folder, const char *name, char *out, size_t size)
{
	char path[128];
	FILE *file;

	*out = '\0';
	(void)snprintf(path, sizeof(path), SYSFS "/%s/%s", folder, name);
	file = fopen(path, "re");
	if (!file)
		return;
	if (!fgets(out, (int)size, file))
		*out = '\0';
	(void)fclose(file);
	out[strcspn(out, "\n")] = '\0';
	log_clean(out, strlen(out));
}

static bool is_mtp(const char *busid, const struct libusb_config_descriptor *config)
{
	for (unsigned i = 0; i < config->bNumInterfaces; i++) {
		char folder[64], name[16];

		(void)snprintf(
			folder, sizeof(folder), "%s:%u.%u", busid, config->bConfigurationValue, i);
		read_attribute(folder, "interface", name, sizeof(name));
		if (!strcmp(name, "MTP"))
			return true;
	}
	return false;
}

/* Their first settings, as a list has it. */
static void describe_interfaces(
	struct devlist_entry *entry, const struct libusb_config_descriptor *config)
{
	struct usbip_device *d = &entry->device;

	for (unsigned i = 0; i < config->bNumInterfaces && i < USBIP_MAX_INTERFACES; i++) {
		const struct libusb_interface_descriptor *setting = config->interface[i].altsetting;

		if (config->interface[i].num_altsetting < 1)
			continue;
		entry->interfaces[d->num_interfaces++] =
			(struct usbip_interface){setting->bInterfaceClass,
				setting->bInterfaceSubClass, setting->bInterfaceProtocol};
	}
}

static uint32_t speed_of(libusb_device *device)
{
	/* enum usb_device_speed of linux/usb/ch9.h, which has wireless USB in between. */
	static const uint32_t speeds[] = {
		[LIBUSB_SPEED_LOW] = 1,
		[LIBUSB_SPEED_FULL] = 2,
		[LIBUSB_SPEED_HIGH] = 3,
		[LIBUSB_SPEED_SUPER] = 5,
		[LIBUSB_SPEED_SUPER_PLUS] = 6,
	};
	int speed = libusb_get_device_speed(device);

	return speed >= 0 && (size_t)speed < sizeof(speeds) / sizeof(speeds[0]) ? speeds[speed] : 0;
}

static void describe_place(struct usbip_device *d, libusb_device *device)
{
	char link[64], path[PATH_MAX];

	usbhost_busid(device, d->busid);
	(void)snprintf(link, sizeof(link), SYSFS "/%s", d->busid);
	if (!realpath(link, path) || strlen(path) >= sizeof(d->path))
		strcpy(path, link);
	strcpy(d->path, path);
	d->busnum = libusb_get_bus_number(device);
	d->devnum = libusb_get_device_address(device);
	d->speed = speed_of(device);
}

int usbhost_describe(struct libusb_device *device, struct usbhost_description *out)
{
	struct libusb_device_descriptor descriptor;
	struct libusb_config_descriptor *config;
	struct usbip_device *d = &out->entry.device;
	bool configured;

	memset(out, 0, sizeof(*out));
	if (libusb_get_device_descriptor(device, &descriptor))
		return -ENODEV;
	if (descriptor.bDeviceClass == LIBUSB_CLASS_HUB)
		return -ENOTSUP;
	configured = !libusb_get_active_config_descriptor(device, &config);
	if (!configured && libusb_get_config_descriptor(device, 0, &config))
		return -ENODEV;
	describe_place(d, device);
	d->vendor = descriptor.idVendor;
	d->product = descriptor.idProduct;
	d->bcd_device = descriptor.bcdDevice;
	d->class = descriptor.bDeviceClass;
	d->subclass = descriptor.bDeviceSubClass;
	d->protocol = descriptor.bDeviceProtocol;
	d->num_configurations = descriptor.bNumConfigurations;
	d->configuration_value = configured ? config->bConfigurationValue : 0;
	describe_interfaces(&out->entry, config);
	read_attribute(d->busid, "serial", out->serial, sizeof(out->serial));
	read_attribute(d->busid, "product", out->product, sizeof(out->product));
	out->is_mtp = is_mtp(d->busid, config);
	libusb_free_config_descriptor(config);
	return 0;
}

struct exportrules_device usbhost_for_rules(const struct usbhost_description *d)
{
	const struct usbip_device *device = &d->entry.device;

	return (struct exportrules_device){
		.vendor = device->vendor,
		.product = device->product,
		.busid = device->busid,
		.serial = *d->serial ? d->serial : NULL,
		.class = device->class,
		.subclass = device->subclass,
		.protocol = device->protocol,
		.interfaces = d->entry.interfaces,
		.num_interfaces = device->num_interfaces,
		.is_mtp = d->is_mtp,
	};
}

int usbhost_errno(int error)
{
	switch (error) {
	case LIBUSB_SUCCESS:
		return 0;
	case LIBUSB_ERROR_INVALID_PARAM:
		return -EINVAL;
	case LIBUSB_ERROR_ACCESS:
		return -EACCES;
	case LIBUSB_ERROR_NO_DEVICE:
		return -ENODEV;
	case LIBUSB_ERROR_NOT_FOUND:
		return -ENOENT;
	case LIBUSB_ERROR_BUSY:
		return -EBUSY;
	case LIBUSB_ERROR_TIMEOUT:
		return -ETIMEDOUT;
	case LIBUSB_ERROR_OVERFLOW:
		return -EOVERFLOW;
	case LIBUSB_ERROR_PIPE:
		return -EPIPE;
	case LIBUSB_ERROR_INTERRUPTED:
		return -EINTR;
	case LIBUSB_ERROR_NO_MEM:
		return -ENOMEM;
	case LIBUSB_ERROR_NOT_SUPPORTED:
		return -ENOTSUP;
	default:
		return -EIO;
	}
}
