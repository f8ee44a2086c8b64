/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/samples.h"

#include <stdlib.h>
#include <string.h>

/* clang-format off */
static const uint8_t ptp[] = {
	9, 2, 39, 0, 1, 1, 0, 0xc0, 1,
	9, 4, 0, 0, 3, 6, 1, 1, 4,
	7, 5, 0x81, 2, 0x00, 0x02, 0,
	7, 5, 0x02, 2, 0x00, 0x02, 0,
	7, 5, 0x83, 3, 0x08, 0x00, 9,
};

static const uint8_t usb_mtp[] = {
	9, 2, 39, 0, 1, 1, 6, 0xa0, 1,
	9, 4, 0, 0, 3, 6, 1, 1, 4,
	7, 5, 0x81, 2, 0x00, 0x02, 0,
	7, 5, 0x02, 2, 0x00, 0x02, 0,
	7, 5, 0x83, 3, 0x40, 0x00, 10,
};

static const uint8_t usb_kbd[] = {
	9, 2, 34, 0, 1, 1, 8, 0xa0, 50,
	9, 4, 0, 0, 1, 3, 1, 1, 0,
	9, 0x21, 0x11, 0x01, 0, 1, 0x22, 63, 0,
	7, 5, 0x81, 3, 0x08, 0x00, 10,
};

static const uint8_t cdc[] = {
	9, 2, 98, 0, 3, 1, 0, 0x80, 50,
	8, 0x0b, 0, 2, 2, 2, 1, 4,
	9, 4, 0, 0, 1, 2, 2, 1, 5,
	5, 0x24, 0x00, 0x10, 0x01,
	5, 0x24, 0x01, 0x00, 0x01,
	4, 0x24, 0x02, 0x02,
	5, 0x24, 0x06, 0, 1,
	7, 5, 0x82, 3, 0x10, 0x00, 8,
	9, 4, 1, 0, 2, 10, 0, 0, 0,
	7, 5, 0x81, 2, 0x00, 0x02, 0,
	7, 5, 0x01, 2, 0x00, 0x02, 0,
	9, 4, 4, 0, 2, 0xff, 1, 2, 5,
	7, 5, 0x03, 2, 0x00, 0x02, 0,
	7, 5, 0x83, 2, 0x00, 0x02, 0,
};

static const uint8_t uvc[] = {
	9, 2, 138, 0, 2, 1, 0, 0x80, 250,
	8, 0x0b, 0, 2, 0x0e, 3, 0, 2,
	9, 4, 0, 0, 1, 0x0e, 1, 0, 2,
	13, 0x24, 1, 0x00, 0x01, 31, 0, 0x80, 0xc3, 0xc9, 0x01, 1, 1,
	18, 0x24, 2, 1, 0x01, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0,
	7, 5, 0x83, 3, 0x10, 0x00, 6,
	5, 0x25, 3, 0x10, 0x00,
	9, 4, 1, 0, 0, 0x0e, 2, 0, 0,
	14, 0x24, 1, 1, 14, 0, 0x81, 0, 3, 0, 0, 0, 1, 0,
	9, 4, 1, 1, 1, 0x0e, 2, 0, 0,
	7, 5, 0x81, 5, 0xc0, 0x00, 1,
	9, 4, 1, 2, 1, 0x0e, 2, 0, 0,
	7, 5, 0x81, 5, 0x00, 0x03, 1,
	7, 0x24, 4, 0, 0, 0, 0,
	7, 5, 0x82, 5, 0x00, 0x14, 1,
};

static const uint8_t ftdi[] = {
	9, 2, 32, 0, 1, 1, 0, 0xa0, 45,
	9, 4, 0, 0, 2, 0xff, 0xff, 0xff, 2,
	7, 5, 0x81, 2, 0x40, 0x00, 0,
	7, 5, 0x02, 2, 0x40, 0x00, 0,
};

static const uint8_t ccid[] = {
	9, 2, 93, 0, 1, 1, 0, 0x80, 50,
	9, 4, 0, 0, 3, 0x0b, 0, 0, 0,
	54, 0x21, 0x10, 0x01, 0, 7, 3, 0, 0, 0, 0xc0, 0x12, 0, 0, 0xc0, 0x12, 0, 0, 0, 0x67,
	0x32, 0, 0, 0xce, 0x99, 0x0c, 0, 35, 0xfe, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	0x30, 0, 1, 0, 0x0f, 1, 0, 0, 0xff, 0xff, 0, 0, 0, 1,
	7, 5, 0x81, 3, 0x08, 0x00, 16,
	7, 5, 0x02, 2, 0x40, 0x00, 0,
	7, 5, 0x82, 2, 0x40, 0x00, 0,
};

static const uint8_t mouse[] = {
	9, 2, 34, 0, 1, 1, 0, 0xa0, 49,
	9, 4, 0, 0, 1, 3, 1, 2, 0,
	9, 0x21, 0x10, 0x01, 0, 1, 0x22, 46, 0,
	7, 5, 0x81, 3, 0x04, 0x00, 10,
};

#define CONFIG(of) .config = of, .config_size = sizeof(of)

const struct sample samples[SAMPLES] = {
	[SAMPLE_PTP] = {
		.name = "PTP camera", .speed = USB_SPEED_HIGH, CONFIG(ptp),
		.device = {18, 1, 0x00, 0x02, 0, 0, 0, 64, 0xa9, 0x04, 0x18, 0x32, 0x02, 0x01, 1, 2, 3, 1},
		.langs = {0x0409, 0x0411},
		.strings = {{1, 0x0409, u"Canon Inc."}, {2, 0x0409, u"Canon Digital Camera"},
			{3, 0x0409, u"0123456789AB"}, {4, 0x0409, u"PTP"}, {2, 0x0411, u"\u30ab\u30e1\u30e9"}},
	},
	[SAMPLE_USB_MTP] = {
		.name = "usb-mtp", .speed = USB_SPEED_HIGH, CONFIG(usb_mtp),
		.device = {18, 1, 0x00, 0x02, 0, 0, 0, 64, 0xf4, 0x46, 0x04, 0x00, 0x00, 0x00, 1, 2, 3, 1},
		.langs = {0x0409},
		.strings = {{1, 0x0409, u"QEMU"}, {2, 0x0409, u"QEMU USB MTP"}, {3, 0x0409, u"34617"},
			{4, 0x0409, u"MTP"}, {6, 0x0409, u"High speed config (usb 2.0)"}},
	},
	[SAMPLE_USB_KBD] = {
		.name = "usb-kbd", .speed = USB_SPEED_FULL, CONFIG(usb_kbd),
		.device = {18, 1, 0x00, 0x01, 0, 0, 0, 8, 0x27, 0x06, 0x01, 0x00, 0x00, 0x00, 1, 4, 5, 1},
		.langs = {0x0409},
		.strings = {{1, 0x0409, u"QEMU"}, {4, 0x0409, u"QEMU USB Keyboard"},
			{5, 0x0409, u"68284"}, {8, 0x0409, u"HID Keyboard"}},
	},
	[SAMPLE_CDC] = {
		.name = "CDC composite", .speed = USB_SPEED_HIGH, CONFIG(cdc),
		.device = {18, 1, 0x00, 0x02, 0xef, 2, 1, 64, 0x83, 0x04, 0x40, 0x57, 0x00, 0x02, 1, 2, 0, 1},
		.langs = {0x0409, 0x0407},
		.strings = {{1, 0x0409, u"ACME"}, {2, 0x0409, u"Gadget"}, {4, 0x0409, u"Modem"},
			{5, 0x0409, u"Data"}, {5, 0x0407, u"D\u00e4ten"}},
	},
	[SAMPLE_UVC] = {
		.name = "UVC", .speed = USB_SPEED_HIGH, CONFIG(uvc),
		.device = {18, 1, 0x00, 0x02, 0xef, 2, 1, 64, 0x6d, 0x04, 0x2d, 0x08, 0x11, 0x00, 0, 2, 1, 1},
		.langs = {0x0409},
		.strings = {{1, 0x0409, u"8EAF10CF"}, {2, 0x0409, u"Webcam"}},
	},
	[SAMPLE_FTDI] = {
		.name = "FTDI", .speed = USB_SPEED_FULL, CONFIG(ftdi),
		.device = {18, 1, 0x00, 0x02, 0, 0, 0, 8, 0x03, 0x04, 0x01, 0x60, 0x00, 0x06, 1, 2, 3, 1},
		.langs = {0x0409},
		.strings = {{1, 0x0409, u"FTDI"}, {2, 0x0409, u"FT232R USB UART"}, {3, 0x0409, u"A50285BI"}},
	},
	[SAMPLE_CCID] = {
		.name = "card reader", .speed = USB_SPEED_FULL, CONFIG(ccid),
		.device = {18, 1, 0x10, 0x01, 0, 0, 0, 16, 0xe6, 0x08, 0x37, 0x34, 0x00, 0x01, 0, 0, 0, 1},
	},
	[SAMPLE_LOW_SPEED] = {
		.name = "low-speed mouse", .speed = USB_SPEED_LOW, CONFIG(mouse),
		.device = {18, 1, 0x00, 0x02, 0, 0, 0, 8, 0x6d, 0x04, 0x0e, 0xc0, 0x10, 0x11, 1, 2, 0, 1},
		.langs = {0x0409},
		.strings = {{2, 0x0409, u"Mouse"}},
	},
};
/* clang-format on */

void *sample_exact(const void *buf, size_t size)
{
	void *copy = malloc(size ? size : 1);

	if (!copy)
		abort();
	return memcpy(copy, buf, size);
}

size_t sample_string(uint8_t out[255], const char16_t *text, size_t units)
{
	for (size_t i = 0; i < units; i++) {
		out[2 + 2 * i] = (uint8_t)text[i];
		out[3 + 2 * i] = (uint8_t)(text[i] >> 8);
	}
	out[0] = (uint8_t)(2 + 2 * units);
	out[1] = USB_DT_STRING;
	return 2 + 2 * units;
}

static size_t length(const char16_t *text)
{
	size_t n = 0;

	while (text[n])
		n++;
	return n;
}

static int read_strings(struct usb_profile *p, const struct sample *c)
{
	const char *why;
	uint8_t buf[255];
	size_t size = sample_string(buf, c->langs, length(c->langs));
	uint8_t *exact = sample_exact(buf, size);
	int r = usbdesc_langs(p, exact, size, &why);

	free(exact);
	for (size_t i = 0; !r && i < SAMPLE_STRINGS && c->strings[i].index; i++) {
		size = sample_string(buf, c->strings[i].text, length(c->strings[i].text));
		exact = sample_exact(buf, size);
		r = usbdesc_string(p, c->strings[i].index, c->strings[i].lang, exact, size, &why);
		free(exact);
	}
	return r;
}

int sample_profile(
	struct usb_profile *p, const struct sample *c, const uint8_t *config, size_t config_size)
{
	const char *why;
	uint8_t *exact = sample_exact(c->device, sizeof(c->device));
	int r = usbdesc_device(p, c->speed, exact, sizeof(c->device), &why);

	free(exact);
	if (r)
		return r;
	exact = sample_exact(config, config_size);
	r = usbdesc_config(p, exact, config_size, &why);
	free(exact);
	return r ? r : read_strings(p, c);
}
