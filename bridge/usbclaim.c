/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/usbclaim.h"

#include <string.h>

#include <libusb.h>
#include <linux/usb/ch9.h>

#include "bridge/log.h"

static void learn_setting(struct usbclaim *c, const struct libusb_interface_descriptor *setting)
{
	for (unsigned i = 0; i < setting->bNumEndpoints; i++) {
		const struct libusb_endpoint_descriptor *e = &setting->endpoint[i];
		bool in = e->bEndpointAddress & USB_DIR_IN;

		c->endpoints[in][e->bEndpointAddress & USB_ENDPOINT_NUMBER_MASK] =
			(struct usbclaim_endpoint){true,
				e->bmAttributes & USB_ENDPOINT_XFERTYPE_MASK,
				setting->bInterfaceNumber};
	}
}

/* Those of the settings that are chosen: no other endpoint can be used. */
static void learn_endpoints(struct usbclaim *c)
{
	struct libusb_config_descriptor *config;

	memset(c->endpoints, 0, sizeof(c->endpoints));
	if (libusb_get_active_config_descriptor(libusb_get_device(c->handle), &config))
		return; /* not configured */
	for (unsigned i = 0; i < config->bNumInterfaces; i++) {
		const struct libusb_interface *interface = &config->interface[i];

		for (int j = 0; j < interface->num_altsetting; j++) {
			const struct libusb_interface_descriptor *s = &interface->altsetting[j];

			if (s->bInterfaceNumber < USBCLAIM_MAX_INTERFACES &&
				s->bAlternateSetting == c->settings[s->bInterfaceNumber])
				learn_setting(c, s);
		}
	}
	libusb_free_config_descriptor(config);
}

static int take_one(struct usbclaim *c, unsigned interface)
{
	int r = libusb_claim_interface(c->handle, (int)interface);

	if (!r)
		c->claimed |= 1u << interface;
	else
		log_warning("%s: interface %u is in use here (%s); whoever imports the device "
			    "cannot use it",
			c->busid, interface, libusb_strerror(r));
	return r;
}

/* Drivers that are detached go back to what they find when they come again: first settings. */
static int take_all(struct usbclaim *c)
{
	struct libusb_config_descriptor *config;
	int r = 0;

	memset(c->settings, 0, sizeof(c->settings));
	if (libusb_get_active_config_descriptor(libusb_get_device(c->handle), &config))
		return 0;
	for (unsigned i = 0; i < config->bNumInterfaces; i++) {
		const struct libusb_interface *interface = &config->interface[i];

		if (interface->num_altsetting > 0 &&
			interface->altsetting->bInterfaceNumber < USBCLAIM_MAX_INTERFACES)
			r = take_one(c, interface->altsetting->bInterfaceNumber);
	}
	libusb_free_config_descriptor(config);
	return c->claimed ? 0 : r;
}

/* With the drivers that it had before, or without. */
static void release_all(struct usbclaim *c, bool drivers)
{
	(void)libusb_set_auto_detach_kernel_driver(c->handle, drivers);
	for (unsigned i = 0; i < USBCLAIM_MAX_INTERFACES; i++) {
		if (usbclaim_has(c, i))
			(void)libusb_release_interface(c->handle, (int)i);
	}
	c->claimed = 0;
	(void)libusb_set_auto_detach_kernel_driver(c->handle, 1);
}

void usbclaim_init(struct usbclaim *c, struct libusb_device_handle *handle, const char *busid)
{
	*c = (struct usbclaim){.handle = handle, .busid = busid};
	(void)libusb_set_auto_detach_kernel_driver(handle, 1);
}

int usbclaim_take(struct usbclaim *c)
{
	int r = take_all(c);

	learn_endpoints(c);
	return r;
}

void usbclaim_release(struct usbclaim *c)
{
	release_all(c, true);
	memset(c->endpoints, 0, sizeof(c->endpoints));
}

int usbclaim_reset(struct usbclaim *c)
{
	int r = libusb_reset_device(c->handle);

	c->fresh = !r;
	return r;
}

/* Devices that are functions of another's Linux go through all of it twice, at once, and not all of
 * them survive that. */
static bool has_just_been_set(const struct usbclaim *c, uint8_t value)
{
	static const uint8_t first[USBCLAIM_MAX_INTERFACES];
	int is;

	return c->fresh && !memcmp(c->settings, first, sizeof(first)) &&
		!libusb_get_configuration(c->handle, &is) && is == value;
}

/* usbfs refuses it as long as anybody has an interface (proc_setconfig). */
int usbclaim_set_configuration(struct usbclaim *c, uint8_t value)
{
	int r, taking;

	if (has_just_been_set(c, value))
		return 0;
	release_all(c, false);
	r = libusb_set_configuration(c->handle, value ? value : -1);
	taking = usbclaim_take(c);
	return r ? r : taking;
}

int usbclaim_set_interface(struct usbclaim *c, unsigned interface, unsigned setting)
{
	int r;

	if (!usbclaim_has(c, interface))
		return LIBUSB_ERROR_ACCESS;
	r = libusb_set_interface_alt_setting(c->handle, (int)interface, (int)setting);
	if (r)
		return r;
	c->settings[interface] = (uint8_t)setting;
	learn_endpoints(c);
	return 0;
}

bool usbclaim_has(const struct usbclaim *c, unsigned interface)
{
	return interface < USBCLAIM_MAX_INTERFACES && c->claimed & 1u << interface;
}

const struct usbclaim_endpoint *usbclaim_endpoint(const struct usbclaim *c, uint8_t address)
{
	return &c->endpoints[(address & USB_DIR_IN) > 0][address & USB_ENDPOINT_NUMBER_MASK];
}
