/* SPDX-License-Identifier: GPL-2.0-or-later */
/* samples: descriptors as devices send them, and how to make a profile of them. */
#ifndef TESTS_SAMPLES_H
#define TESTS_SAMPLES_H

#include <stddef.h>
#include <stdint.h>
#include <uchar.h>

#include "gadget/usbdesc.h"

#define SAMPLE_STRINGS 8

struct sample {
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
	} strings[SAMPLE_STRINGS]; /* up to the first index 0 */
};

enum {
	SAMPLE_PTP,	  /* a PTP camera at high speed */
	SAMPLE_USB_MTP,	  /* QEMU's usb-mtp */
	SAMPLE_USB_KBD,	  /* QEMU's usb-kbd at full speed */
	SAMPLE_CDC,	  /* a serial function of two interfaces, and a vendor's, number 4 */
	SAMPLE_UVC,	  /* a webcam's alternate settings */
	SAMPLE_FTDI,	  /* a serial converter at full speed */
	SAMPLE_CCID,	  /* a card reader */
	SAMPLE_LOW_SPEED, /* a mouse at low speed */
	SAMPLES,
};

extern const struct sample samples[SAMPLES];

/* A malloc'd copy of exactly this size, so that a sanitizer sees what is read beyond it. */
void *sample_exact(const void *buf, size_t size);

/* A string descriptor of `units` UTF-16 units, 126 at most; returns its size. */
size_t sample_string(uint8_t out[255], const char16_t *text, size_t units);

/* Reads a camera with this configuration (its own, or a changed one); the first parser's error. */
int sample_profile(
	struct usb_profile *p, const struct sample *c, const uint8_t *config, size_t config_size);

#endif
