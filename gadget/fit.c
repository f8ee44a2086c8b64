/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gadget/fit.h"

#include <errno.h>
#include <stddef.h>

#include "gadget/usbdesc.h"

static const char *reason(const struct usb_profile *p)
{
	if (p->speed == USB_SPEED_UNKNOWN)
		return "its server does not tell its speed";
	if (!p->num_interfaces)
		return "its configuration has no interface";
	for (unsigned i = 0; i < p->num_endpoints; i++) {
		if ((p->endpoints[i].attributes & USB_ENDPOINT_XFERTYPE_MASK) ==
			USB_ENDPOINT_XFER_ISOC)
			return "it has isochronous endpoints";
	}
	return NULL;
}

int fit_check(const struct usb_profile *p, const char **why)
{
	*why = reason(p);
	return *why ? -EOPNOTSUPP : 0;
}
