/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gadget/usbclass.h"

#include <stddef.h>

#include <linux/usb/ch9.h>

const char *usb_class_str(uint8_t class)
{
	static const struct {
		uint8_t class;
		const char *name;
	} names[] = {
		{0x00, "per interface"},
		{0x01, "audio"},
		{0x02, "communications"},
		{0x03, "HID"},
		{0x06, "still image"},
		{0x07, "printer"},
		{0x08, "mass storage"},
		{0x09, "hub"},
		{0x0a, "CDC data"},
		{0x0b, "smart card"},
		{0x0e, "video"},
		{0xe0, "wireless"},
		{0xef, "miscellaneous"},
		{0xfe, "application specific"},
		{0xff, "vendor specific"},
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (names[i].class == class)
			return names[i].name;
	}
	return "unknown class";
}

const char *usb_endpoint_str(uint8_t attributes)
{
	static const char *const names[] = {"control", "isochronous", "bulk", "interrupt"};

	return names[attributes & USB_ENDPOINT_XFERTYPE_MASK];
}
