/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gadget/udc.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gadget/usbdesc.h"

#define ISOC (1 << USB_ENDPOINT_XFER_ISOC)
#define BULK (1 << USB_ENDPOINT_XFER_BULK)
#define INT (1 << USB_ENDPOINT_XFER_INT)
#define ANY (ISOC | BULK | INT)
#define IN USB_DIR_IN
#define OUT USB_DIR_OUT
#define MAX_ENDPOINTS 30

/*
 * GHWCFG1 and GHWCFG2 of BCM2835 to BCM2711: 7 endpoint numbers besides 0, each of both directions,
 * given out as dwc2_gadget_init lists them. Each IN endpoint has a FIFO of its own, of 1024 bytes
 * at least, whatever the device tree says of them (g-tx-fifo-size): no packet size finds none.
 */
static const struct udc_endpoint bcm283x[] = {{IN, ANY}, {OUT, ANY}, {IN, ANY}, {OUT, ANY},
	{IN, ANY}, {OUT, ANY}, {IN, ANY}, {OUT, ANY}, {IN, ANY}, {OUT, ANY}, {IN, ANY}, {OUT, ANY},
	{IN, ANY}, {OUT, ANY}};

/*
 * ep_info of dummy_hcd.c, as far as its endpoints have numbers. Those that follow in it (ep-aout
 * and so on) are given 1, 2 ... once more (usb_ep_autoconfig_ss), and a host leaves out what has
 * the address of another.
 */
static const struct udc_endpoint dummy[] = {{IN, BULK}, {OUT, BULK}, {IN, INT}, {IN, BULK},
	{OUT, BULK}, {IN, INT}, {IN, BULK}, {OUT, BULK}, {IN, INT}, {OUT, BULK}, {IN, BULK}};

void udc_set_endpoints(struct udc *udc, const char *compatible)
{
	udc->endpoints = NULL;
	udc->num_endpoints = 0;
	if (!strcmp(udc->driver, "dwc2") && !strcmp(compatible, "brcm,bcm2835-usb")) {
		udc->endpoints = bcm283x;
		udc->num_endpoints = sizeof(bcm283x) / sizeof(bcm283x[0]);
	} else if (!strcmp(udc->driver, "dummy_udc")) {
		udc->endpoints = dummy;
		udc->num_endpoints = sizeof(dummy) / sizeof(dummy[0]);
	}
}

unsigned udc_count(const struct udc *udc, uint8_t direction)
{
	unsigned n = 0;

	for (size_t i = 0; i < udc->num_endpoints; i++)
		n += udc->endpoints[i].direction == direction;
	return n;
}

/* usb_gadget_ep_match_desc: bulk endpoints handle interrupt transfers. */
static bool takes(const struct udc_endpoint *at, const struct usb_endpoint *e)
{
	unsigned types = 1u << (e->attributes & USB_ENDPOINT_XFERTYPE_MASK);

	if (types == INT)
		types |= BULK;
	return at->direction == (e->address & USB_DIR_IN) && at->types & types;
}

/* usb_ep_autoconfig takes the first that is free and does, and FunctionFS asks for one in this
 * order (__ffs_func_bind_do_descs). */
const struct usb_endpoint *udc_misfit(const struct udc *udc, const struct usb_profile *p)
{
	bool taken[MAX_ENDPOINTS] = {false};

	assert(udc->num_endpoints <= MAX_ENDPOINTS);
	for (unsigned i = 0; i < p->num_endpoints; i++) {
		size_t k = 0;

		while (k < udc->num_endpoints &&
			(taken[k] || !takes(&udc->endpoints[k], &p->endpoints[i])))
			k++;
		if (k == udc->num_endpoints)
			return &p->endpoints[i];
		taken[k] = true;
	}
	return NULL;
}

/* ---- sysfs ---- */

/* The first line, or the first string, of a file; empty when it cannot be read. */
static void read_text(
	char *out, size_t size, const char *folder, const char *name, const char *file)
{
	char path[PATH_MAX];
	int fd;
	ssize_t n;

	(void)snprintf(path, sizeof(path), "%s/%s/%s", folder, name, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, out, size - 1);
	if (fd >= 0)
		close(fd);
	out[n > 0 ? n : 0] = 0;
	out[strcspn(out, "\n")] = 0;
}

static void read_driver(char *out, size_t size, const char *folder, const char *name)
{
	char path[PATH_MAX], target[PATH_MAX];
	const char *slash;
	ssize_t n;

	(void)snprintf(path, sizeof(path), "%s/%s/device/driver", folder, name);
	n = readlink(path, target, sizeof(target) - 1);
	target[n > 0 ? n : 0] = 0;
	slash = strrchr(target, '/');
	(void)snprintf(out, size, "%.*s", (int)size - 1, slash ? slash + 1 : target);
}

/* usb_speed_string, which maximum_speed and current_speed print. */
static enum usb_device_speed parse_speed(const char *text)
{
	char name[32];

	for (enum usb_device_speed s = USB_SPEED_LOW; s <= USB_SPEED_SUPER; s++) {
		(void)snprintf(name, sizeof(name), "%s-speed", usb_speed_str(s));
		if (!strcmp(text, name))
			return s;
	}
	return strcmp(text, "super-speed-plus") ? USB_SPEED_UNKNOWN : USB_SPEED_SUPER_PLUS;
}

enum usb_device_speed udc_speed(const char *folder, const char *name)
{
	char speed[32];

	read_text(speed, sizeof(speed), folder, name, "current_speed");
	return parse_speed(speed);
}

static void read_udc(struct udc *udc, const char *folder, const char *name)
{
	char speed[32], compatible[64];

	(void)snprintf(udc->name, sizeof(udc->name), "%.*s", (int)sizeof(udc->name) - 1, name);
	read_driver(udc->driver, sizeof(udc->driver), folder, name);
	read_text(udc->gadget, sizeof(udc->gadget), folder, name, "function");
	read_text(speed, sizeof(speed), folder, name, "maximum_speed");
	read_text(compatible, sizeof(compatible), folder, name, "device/of_node/compatible");
	udc->speed = parse_speed(speed);
	udc_set_endpoints(udc, compatible);
}

static int is_name(const struct dirent *entry)
{
	return *entry->d_name != '.';
}

int udc_find(struct udc *udc, const char *folder, const char *wanted)
{
	bool found = false, is_auto = !strcmp(wanted, "auto");
	struct dirent **entries;
	int n = scandir(folder, &entries, is_name, alphasort);

	for (int i = 0; i < n; i++) {
		struct udc one;

		if (is_auto || !strcmp(entries[i]->d_name, wanted)) {
			read_udc(&one, folder, entries[i]->d_name);
			if (!found || (*udc->gadget && !*one.gadget))
				*udc = one;
			found = true;
		}
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
	return found ? 0 : -ENODEV;
}
