/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * usbdesc: raw USB descriptors -> one validated struct usb_profile.
 *
 * Pure: no I/O, no allocation, no logging. The bytes come from a camera and are hostile; whatever
 * usbdesc accepts, the rest of the program may use without looking again.
 * Rules are those of USB 2.0 chapter 9 (tables 9-8, 9-10, 9-12, 9-13, 9-16).
 */
#ifndef GADGET_USBDESC_H
#define GADGET_USBDESC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/usb/ch9.h> /* enum usb_device_speed, which is also what USB/IP carries */

#define USBDESC_MAX_CONFIG 4096	  /* bytes of a configuration (wTotalLength) that are accepted */
#define USBDESC_MAX_INTERFACES 32 /* interface descriptors, alternate settings included */
#define USBDESC_MAX_ENDPOINTS 30  /* of alternate settings 0; FFS_MAX_EPS_COUNT - 1 */
#define USBDESC_MAX_LANGS 16
#define USBDESC_MAX_STRINGS 64	/* strings kept, languages times indices */
#define USBDESC_STRING_SIZE 384 /* UTF-8 of 126 UTF-16 units, and the final NUL */

struct usb_endpoint {
	uint8_t address;      /* bEndpointAddress at the camera, direction bit included */
	uint8_t attributes;   /* bmAttributes; the low two bits are the transfer type */
	uint16_t max_packet;  /* bytes of one packet: wMaxPacketSize, bits 10..0 */
	uint8_t interval;     /* bInterval, raw */
	uint8_t interface_at; /* position in usb_profile.interfaces */
};

struct usb_interface {
	uint8_t number;	   /* bInterfaceNumber at the camera */
	uint8_t alternate; /* bAlternateSetting */
	uint8_t class, subclass, protocol;
	uint8_t string;		/* iInterface at the camera, 0 = none */
	uint8_t logical;	/* number at the phone: 0, 1, 2 ... as the alternates 0 come */
	uint8_t first_endpoint; /* position in usb_profile.endpoints; only alternate setting 0 */
	uint8_t num_endpoints;	/* that are in usb_profile.endpoints; 0 for other alternates */
};

struct usb_string {
	uint16_t lang; /* LANGID, USB 2.0 section 9.6.7 */
	uint8_t index;
	char text[USBDESC_STRING_SIZE]; /* UTF-8, control characters too; no valid UTF-16: U+FFFD */
};

struct usb_profile {
	enum usb_device_speed speed;
	/* of the device descriptor */
	uint16_t bcd_usb, vendor, product, bcd_device;
	uint8_t class, subclass, protocol, max_packet0;
	uint8_t manufacturer_string, product_string, serial_string; /* indices, 0 = none */
	uint8_t num_configurations;
	/* of the configuration descriptor */
	uint8_t configuration_value, configuration_string;
	uint8_t attributes;	/* bmAttributes, raw */
	uint16_t max_power_ma;	/* bMaxPower in mA: units of 2 mA, of 8 mA from SuperSpeed on */
	uint8_t num_logical;	/* distinct bInterfaceNumber; each has an alternate setting 0 */
	uint8_t num_interfaces; /* interface descriptors, alternate settings included */
	uint8_t num_endpoints;
	struct usb_interface interfaces[USBDESC_MAX_INTERFACES];
	/* descriptor order; of alternates 0, and not isochronous */
	struct usb_endpoint endpoints[USBDESC_MAX_ENDPOINTS];
	/* strings */
	uint8_t num_langs, num_strings;
	uint16_t langs[USBDESC_MAX_LANGS];
	struct usb_string strings[USBDESC_MAX_STRINGS];
	/* the configuration as it came, every descriptor in it of a valid length */
	uint16_t config_size;
	uint8_t config[USBDESC_MAX_CONFIG];
};

/* Each parser returns 0, or -EPROTO with *why set to a static text that names the field at
 * fault. */

/* Empties `p` and reads a device descriptor of `len` bytes (18 or more) into it. */
int usbdesc_device(struct usb_profile *p, enum usb_device_speed speed, const uint8_t *buf,
	size_t len, const char **why);

/* wTotalLength of the first 9 bytes of a configuration descriptor, or 0 if they are not one or it
 * is larger than USBDESC_MAX_CONFIG. */
uint16_t usbdesc_config_size(const uint8_t *buf, size_t len);

/* Reads a whole configuration (configuration descriptor and all that follows it) into `p`; what is
 * behind its wTotalLength is ignored. A failure leaves no configuration in `p`.
 * Refused are: a truncated or overrunning descriptor, too many interfaces, an interface that comes
 * twice or has no alternate setting 0, and in alternates 0 an invalid endpoint address, the same
 * one twice, a max packet of 0 (but see below) or over 1024.
 * Tolerated are: any bNumInterfaces and bNumEndpoints; endpoint descriptors longer than 7 or 9; in
 * other alternates any endpoints; unknown descriptor types. Isochronous endpoints, whose max
 * packet may be 0 (USB 2.0 section 5.6.3), are left out of `endpoints`: nothing here carries what
 * comes too late, and so one must not cost the camera its other interfaces. */
int usbdesc_config(struct usb_profile *p, const uint8_t *buf, size_t len, const char **why);

/* Reads string descriptor 0, and forgets all strings. A camera without strings (len 0, or an empty
 * list) is no error: num_langs stays 0. Of more than USBDESC_MAX_LANGS the first are kept; LANGIDs
 * that configfs refuses (usb_validate_langid) are not, and if no other is left it is 0x0409. */
int usbdesc_langs(struct usb_profile *p, const uint8_t *buf, size_t len, const char **why);

/* Adds one string descriptor in one of `langs`, or replaces it. A wrong bLength is tolerated, an
 * odd byte at the end dropped. -ENOSPC when USBDESC_MAX_STRINGS others are there already. */
int usbdesc_string(struct usb_profile *p, uint8_t index, uint16_t lang, const uint8_t *buf,
	size_t len, const char **why);

/* String indices that the profile refers to (device, configuration, interfaces and their
 * associations): ascending, without duplicates, no 0. Returns how many were written, at most
 * `size`. */
size_t usbdesc_string_indices(const struct usb_profile *p, uint8_t *out, size_t size);

/* The text of a string, or NULL. `lang` 0 means the first language that has it. */
const char *usbdesc_text(const struct usb_profile *p, uint8_t index, uint16_t lang);

/* Whether both are the same device, as far as descriptors and strings tell: its numbers, its serial
 * number, all that it has in its configuration. */
bool usbdesc_is_same(const struct usb_profile *a, const struct usb_profile *b);

/* How many bytes of a UTF-8 text, `max` at most, end where a character ends. */
size_t usbdesc_text_cut(const char *text, size_t max);

/* "low", "full", "high", "super", "super+" or "unknown". */
const char *usb_speed_str(enum usb_device_speed speed);

#endif
