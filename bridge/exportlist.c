/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/exportlist.h"

#include <stdio.h>
#include <stdlib.h>

#include "bridge/exportconfig.h"
#include "bridge/log.h"
#include "bridge/usbhost.h"

static void on_arrived(void *user, struct libusb_device *device)
{
	const struct exportconfig *config = user;
	struct exportrules_device of;
	struct usbhost_description is;
	const char *refusal;

	if (usbhost_describe(device, &is))
		return;
	of = usbhost_for_rules(&is);
	refusal = exportrules_refusal(&config->rules, &of);
	printf("%-9s %04x:%04x  %-3s  %s\n", of.busid, of.vendor, of.product,
		refusal ? "no" : "yes", *is.product ? is.product : "(no name)");
	if (*is.serial)
		printf("%21s  %-3s  serial %s\n", "", "", is.serial);
	if (refusal)
		printf("%21s  %-3s  not exported: %s\n", "", "", refusal);
}

static void on_left(void *user, struct libusb_device *device)
{
	(void)user;
	(void)device;
}

static const struct usbhost_callbacks callbacks = {.arrived = on_arrived, .left = on_left};

int exportlist_run(const struct exportconfig *config)
{
	struct ev_loop *loop = ev_default_loop(0);
	struct usbhost host;
	const char *why;

	if (usbhost_init(&host, loop, &callbacks, (void *)config, &why)) {
		log_error("no USB here: %s", why);
		return EXIT_FAILURE;
	}
	usbhost_fini(&host);
	printf(config->has_key ? "Who imports needs the key, and all is encrypted.\n"
			       : "There is no key, and nothing is encrypted.\n");
	return EXIT_SUCCESS;
}
