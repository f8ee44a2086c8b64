/* SPDX-License-Identifier: GPL-2.0-or-later */
/* relayrig: a whole relay on a relaybench: a PTP camera with a vendor interface beside. */
#ifndef TESTS_RELAYRIG_H
#define TESTS_RELAYRIG_H

#include "bridge/pipe.h"
#include "bridge/relay.h"
#include "gadget/usbdesc.h"
#include "tests/unit/relaybench.h"

struct ev_loop;

/* Positions of the endpoints, which are not in the order of any address. */
enum {
	RIG_PTP_IN,
	RIG_PTP_OUT,
	RIG_EVENT, /* interrupt IN, packets of 64 bytes */
	RIG_VENDOR_OUT,
	RIG_VENDOR_IN,
	RIG_ENDPOINTS,
};

#define RIG_UNPLUG_S 5

struct relayrig {
	struct bench bench;
	struct usb_profile profile;
	struct ev_loop *loop;
	struct relay *relay;
	struct camera_endpoint *camera[RIG_ENDPOINTS];
	/* what the relay told */
	unsigned configured, unconfigured, gone_on, failed;
};

void relayrig_profile(struct usb_profile *profile);

void relayrig_open(struct relayrig *r, bool dwc2);
void relayrig_close(struct relayrig *r);

/* The phone configures the gadget, and the relay hears of it. */
void relayrig_enable(struct relayrig *r);

/* A fresh packet through each pipe. */
void relayrig_exchange(struct relayrig *r, uint32_t id);

/* So many seconds pass for a relay that waits. */
void relayrig_wait(struct relayrig *r, double seconds);

bool relayrig_is_in(unsigned at);

#endif
