/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * udc: a USB device port of this machine: what sysfs tells of it, and what its driver can do.
 *
 * The kernel tells nobody which endpoints a UDC has, so they are known of few drivers only.
 */
#ifndef GADGET_UDC_H
#define GADGET_UDC_H

#include <stddef.h>
#include <stdint.h>

#include <linux/usb/ch9.h>

#define UDC_FOLDER "/sys/class/udc"

/* What struct usb_ep says of an endpoint, apart from packet sizes: no UDC here has one that does
 * not take the 1024 bytes that are the most there are. */
struct udc_endpoint {
	uint8_t direction; /* USB_DIR_IN or USB_DIR_OUT */
	uint8_t types;	   /* a bit for each transfer type: 1 << USB_ENDPOINT_XFER_BULK ... */
};

struct usb_endpoint;
struct usb_profile;

struct udc {
	char name[64];		     /* in /sys/class/udc */
	char driver[32];	     /* empty: not known */
	char gadget[64];	     /* the one that holds it; empty: none does */
	enum usb_device_speed speed; /* at most; USB_SPEED_UNKNOWN: not known */
	/* in the order in which the kernel gives them out; none: not known */
	const struct udc_endpoint *endpoints;
	size_t num_endpoints;
};

/* Finds what `wanted` names, below `folder` (UDC_FOLDER), and reads it. "auto" means the first that
 * no gadget holds, or just the first when all are held. -ENODEV: there is none. */
int udc_find(struct udc *udc, const char *folder, const char *wanted);

/* At which it runs just now. */
enum usb_device_speed udc_speed(const char *folder, const char *name);

/* Sets the endpoints by `driver`; `compatible` is the device tree's name of the hardware, or
 * empty. */
void udc_set_endpoints(struct udc *udc, const char *compatible);

/* How many of a direction it has, USB_DIR_IN or USB_DIR_OUT. */
unsigned udc_count(const struct udc *udc, uint8_t direction);

/* The first endpoint of the profile that would get none of the UDC's, or NULL. Only where these are
 * known. */
const struct usb_endpoint *udc_misfit(const struct udc *udc, const struct usb_profile *p);

#endif
