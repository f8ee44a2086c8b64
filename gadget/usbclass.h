/* SPDX-License-Identifier: GPL-2.0-or-later */
/* usbclass: names of USB classes and transfer types, for people. Pure. */
#ifndef GADGET_USBCLASS_H
#define GADGET_USBCLASS_H

#include <stdint.h>

/* "still image" for 06, "unknown class" for what is not in the table. */
const char *usb_class_str(uint8_t class);

/* By bmAttributes: "control", "isochronous", "bulk" or "interrupt". */
const char *usb_endpoint_str(uint8_t attributes);

#endif
