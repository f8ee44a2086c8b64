/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gadget/usbdesc.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define ADDRESS_RESERVED 0x70 /* table 9-13: bits 4..6 of bEndpointAddress */
#define PACKET_SIZE_MAX 1024  /* of any endpoint at any speed (sections 5.6.3 to 5.8.3) */

/* parse_endpoint refuses an address that it has seen, so endpoints[] cannot overflow. */
static_assert(USBDESC_MAX_ENDPOINTS == 2 * 15, "numbers 1 to 15, in two directions");

static int refuse(const char **why, const char *text)
{
	*why = text;
	return -EPROTO;
}

static bool is_super(enum usb_device_speed speed)
{
	return speed == USB_SPEED_SUPER || speed == USB_SPEED_SUPER_PLUS;
}

int usbdesc_device(struct usb_profile *p, enum usb_device_speed speed, const uint8_t *buf,
	size_t len, const char **why)
{
	struct usb_device_descriptor d;

	memset(p, 0, sizeof(*p));
	p->speed = speed;
	if (len < sizeof(d))
		return refuse(why, "shorter than 18 bytes");
	memcpy(&d, buf, sizeof(d));
	if (d.bLength < sizeof(d))
		return refuse(why, "bLength is less than 18");
	if (d.bDescriptorType != USB_DT_DEVICE)
		return refuse(why, "bDescriptorType is not 1");
	/* A SuperSpeed device gives the exponent (USB 3.2 table 9-11). */
	if (is_super(speed) ? d.bMaxPacketSize0 != 9
			    : d.bMaxPacketSize0 != 8 && d.bMaxPacketSize0 != 16 &&
				d.bMaxPacketSize0 != 32 && d.bMaxPacketSize0 != 64)
		return refuse(why, "bMaxPacketSize0 is none that there is");
	if (!d.bNumConfigurations)
		return refuse(why, "bNumConfigurations is 0");
	p->bcd_usb = le16toh(d.bcdUSB);
	p->vendor = le16toh(d.idVendor);
	p->product = le16toh(d.idProduct);
	p->bcd_device = le16toh(d.bcdDevice);
	p->class = d.bDeviceClass;
	p->subclass = d.bDeviceSubClass;
	p->protocol = d.bDeviceProtocol;
	p->max_packet0 = d.bMaxPacketSize0;
	p->manufacturer_string = d.iManufacturer;
	p->product_string = d.iProduct;
	p->serial_string = d.iSerialNumber;
	p->num_configurations = d.bNumConfigurations;
	return 0;
}

uint16_t usbdesc_config_size(const uint8_t *buf, size_t len)
{
	struct usb_config_descriptor d;
	uint16_t total;

	if (len < USB_DT_CONFIG_SIZE)
		return 0;
	memcpy(&d, buf, USB_DT_CONFIG_SIZE);
	total = le16toh(d.wTotalLength);
	if (d.bLength < USB_DT_CONFIG_SIZE || d.bDescriptorType != USB_DT_CONFIG ||
		total < d.bLength || total > USBDESC_MAX_CONFIG)
		return 0;
	return total;
}

static struct usb_interface *find_interface(
	struct usb_profile *p, uint8_t number, uint8_t alternate)
{
	for (unsigned i = 0; i < p->num_interfaces; i++)
		if (p->interfaces[i].number == number && p->interfaces[i].alternate == alternate)
			return &p->interfaces[i];
	return NULL;
}

static int parse_interface(struct usb_profile *p, const uint8_t *buf, const char **why)
{
	struct usb_interface_descriptor d;
	struct usb_interface *i = &p->interfaces[p->num_interfaces];

	if (buf[0] != USB_DT_INTERFACE_SIZE)
		return refuse(why, "interface's bLength is not 9");
	memcpy(&d, buf, USB_DT_INTERFACE_SIZE);
	if (p->num_interfaces == USBDESC_MAX_INTERFACES)
		return refuse(why, "more than 32 interface descriptors");
	if (find_interface(p, d.bInterfaceNumber, d.bAlternateSetting))
		return refuse(why, "interface's bInterfaceNumber and bAlternateSetting come twice");
	/* bNumEndpoints is not looked at: what counts is what is there. */
	*i = (struct usb_interface){
		.number = d.bInterfaceNumber,
		.alternate = d.bAlternateSetting,
		.class = d.bInterfaceClass,
		.subclass = d.bInterfaceSubClass,
		.protocol = d.bInterfaceProtocol,
		.string = d.iInterface,
	};
	if (!i->alternate) {
		/* usb_interface_id counts the interfaces as they come in the blob, which holds no
		 * other alternate: only so is this the number that the phone sees. */
		i->logical = p->num_logical++;
		i->first_endpoint = p->num_endpoints;
	}
	p->num_interfaces++;
	return 0;
}

static int parse_endpoint(struct usb_profile *p, const uint8_t *buf, const char **why)
{
	struct usb_endpoint_descriptor d;
	struct usb_interface *i;
	uint16_t size;
	bool isochronous;

	if (!p->num_interfaces)
		return refuse(why, "endpoint before any interface");
	/* What is beyond 7 is an audio endpoint's, or nobody's: as usb_parse_endpoint has it. */
	if (buf[0] < USB_DT_ENDPOINT_SIZE)
		return refuse(why, "endpoint's bLength is less than 7");
	memcpy(&d, buf, USB_DT_ENDPOINT_SIZE);
	i = &p->interfaces[p->num_interfaces - 1];
	/* No other alternate is ever chosen, so what is in it does no harm. */
	if (i->alternate)
		return 0;
	if (d.bEndpointAddress & ADDRESS_RESERVED ||
		!(d.bEndpointAddress & USB_ENDPOINT_NUMBER_MASK))
		return refuse(why, "endpoint's bEndpointAddress");
	for (unsigned k = 0; k < p->num_endpoints; k++)
		if (p->endpoints[k].address == d.bEndpointAddress)
			return refuse(why, "endpoint's bEndpointAddress comes twice");
	size = (uint16_t)usb_endpoint_maxp(&d);
	isochronous = (d.bmAttributes & USB_ENDPOINT_XFERTYPE_MASK) == USB_ENDPOINT_XFER_ISOC;
	/* Section 5.6.3 wants 0 of an isochronous one in alternate setting 0. */
	if ((!size && !isochronous) || size > PACKET_SIZE_MAX)
		return refuse(why, "endpoint's wMaxPacketSize is 0 or more than 1024");
	if (isochronous)
		return 0;
	p->endpoints[p->num_endpoints++] = (struct usb_endpoint){
		.address = d.bEndpointAddress,
		.attributes = d.bmAttributes,
		.max_packet = size,
		.interval = d.bInterval,
		.interface_at = (uint8_t)(p->num_interfaces - 1),
	};
	i->num_endpoints++;
	return 0;
}

/* All that follows the configuration descriptor. */
static int parse_descriptors(
	struct usb_profile *p, const uint8_t *buf, size_t left, const char **why)
{
	int r = 0;

	for (; left && !r; left -= buf[0], buf += buf[0]) {
		if (buf[0] < 2)
			return refuse(why, "a descriptor's bLength is less than 2");
		if (buf[0] > left)
			return refuse(why, "a descriptor's bLength goes beyond wTotalLength");
		if (buf[1] == USB_DT_INTERFACE)
			r = parse_interface(p, buf, why);
		else if (buf[1] == USB_DT_ENDPOINT)
			r = parse_endpoint(p, buf, why);
	}
	return r;
}

/* Every interface has an alternate setting 0 (section 9.2.3); it lends its logical number to
 * others. */
static int number_alternates(struct usb_profile *p, const char **why)
{
	for (unsigned i = 0; i < p->num_interfaces; i++) {
		const struct usb_interface *zero = find_interface(p, p->interfaces[i].number, 0);

		if (!zero)
			return refuse(why, "interface without bAlternateSetting 0");
		p->interfaces[i].logical = zero->logical;
	}
	return 0;
}

static void forget_config(struct usb_profile *p)
{
	p->configuration_value = p->configuration_string = p->attributes = 0;
	p->max_power_ma = p->config_size = 0;
	p->num_logical = p->num_interfaces = p->num_endpoints = 0;
}

int usbdesc_config(struct usb_profile *p, const uint8_t *buf, size_t len, const char **why)
{
	uint16_t total = usbdesc_config_size(buf, len);
	struct usb_config_descriptor d;
	int r;

	forget_config(p);
	if (!total)
		return refuse(why, "no configuration descriptor, or wTotalLength beyond 4096");
	if (total > len)
		return refuse(why, "shorter than its wTotalLength");
	memcpy(&d, buf, USB_DT_CONFIG_SIZE);
	r = parse_descriptors(p, buf + d.bLength, total - d.bLength, why);
	if (!r)
		r = number_alternates(p, why);
	if (r) {
		forget_config(p);
		return r;
	}
	p->configuration_value = d.bConfigurationValue;
	p->configuration_string = d.iConfiguration;
	p->attributes = d.bmAttributes;
	p->max_power_ma = (uint16_t)(d.bMaxPower * (is_super(p->speed) ? 8 : 2));
	memcpy(p->config, buf, total);
	p->config_size = total;
	return 0;
}

size_t usbdesc_string_indices(const struct usb_profile *p, uint8_t *out, size_t size)
{
	bool wanted[256] = {false};
	size_t n = 0;

	wanted[p->manufacturer_string] = true;
	wanted[p->product_string] = true;
	wanted[p->serial_string] = true;
	wanted[p->configuration_string] = true;
	for (unsigned i = 0; i < p->num_interfaces; i++)
		wanted[p->interfaces[i].string] = true;
	for (const uint8_t *d = p->config; d < p->config + p->config_size; d += d[0])
		if (d[1] == USB_DT_INTERFACE_ASSOCIATION &&
			d[0] == sizeof(struct usb_interface_assoc_descriptor))
			wanted[d[offsetof(struct usb_interface_assoc_descriptor, iFunction)]] =
				true;
	for (unsigned i = 1; i < 256 && n < size; i++)
		if (wanted[i])
			out[n++] = (uint8_t)i;
	return n;
}

const char *usb_speed_str(enum usb_device_speed speed)
{
	switch (speed) {
	case USB_SPEED_LOW:
		return "low";
	case USB_SPEED_FULL:
		return "full";
	case USB_SPEED_HIGH:
		return "high";
	case USB_SPEED_SUPER:
		return "super";
	case USB_SPEED_SUPER_PLUS:
		return "super+";
	default:
		return "unknown";
	}
}

static bool is_same_text(const struct usb_string *a, const struct usb_string *b)
{
	return a->lang == b->lang && a->index == b->index && !strcmp(a->text, b->text);
}

bool usbdesc_is_same(const struct usb_profile *a, const struct usb_profile *b)
{
	bool same = a->speed == b->speed && a->bcd_usb == b->bcd_usb && a->vendor == b->vendor &&
		a->product == b->product && a->bcd_device == b->bcd_device &&
		a->class == b->class && a->subclass == b->subclass && a->protocol == b->protocol &&
		a->manufacturer_string == b->manufacturer_string &&
		a->product_string == b->product_string && a->serial_string == b->serial_string &&
		a->config_size == b->config_size && a->num_langs == b->num_langs &&
		a->num_strings == b->num_strings;

	if (!same || memcmp(a->config, b->config, a->config_size) != 0 ||
		memcmp(a->langs, b->langs, a->num_langs * sizeof(a->langs[0])) != 0)
		return false;
	for (unsigned i = 0; i < a->num_strings; i++) {
		if (!is_same_text(&a->strings[i], &b->strings[i]))
			return false;
	}
	return true;
}
