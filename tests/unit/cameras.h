/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cameras: descriptors as devices send them, and how to make a profile of them. */
#ifndef TESTS_UNIT_CAMERAS_H
#define TESTS_UNIT_CAMERAS_H

#include <stddef.h>
#include <stdint.h>
#include <uchar.h>

#include "gadget/usbdesc.h"

#define CAMERA_STRINGS 8

struct camera {
	const char *name;
	enum usb_device_speed speed;
	uint8_t device[18];
	const uint8_t *config;
	size_t config_size;
	uint16_t langs[3]; /* up to the first 0 */
	struct {
		uint8_t index;
		uint16_t lang;
		const char16_t *text;
	} strings[CAMERA_STRINGS]; /* up to the first index 0 */
};

enum {
	CAMERA_PTP,	  /* a PTP camera at high speed */
	CAMERA_USB_MTP,	  /* QEMU's usb-mtp */
	CAMERA_USB_KBD,	  /* QEMU's usb-kbd at full speed */
	CAMERA_CDC,	  /* a serial function of two interfaces, and a vendor's, number 4 */
	CAMERA_UVC,	  /* a webcam's alternate settings */
	CAMERA_FTDI,	  /* a serial converter at full speed */
	CAMERA_CCID,	  /* a card reader */
	CAMERA_LOW_SPEED, /* a mouse at low speed */
	CAMERAS,
};

extern const struct camera cameras[CAMERAS];

/* A malloc'd copy of exactly this size, so that a sanitizer sees what is read beyond it. */
void *camera_exact(const void *buf, size_t size);

/* A string descriptor of `units` UTF-16 units, 126 at most; returns its size. */
size_t camera_string(uint8_t out[255], const char16_t *text, size_t units);

/* Reads a camera with this configuration (its own, or a changed one); the first parser's error. */
int camera_profile(
	struct usb_profile *p, const struct camera *c, const uint8_t *config, size_t config_size);

#endif
