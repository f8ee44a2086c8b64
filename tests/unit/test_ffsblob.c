/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ffsblob by example: samples, and each descriptor that is kept, changed or left out.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "gadget/ffsblob.h"
#include "gadget/usbdesc.h"
#include "tests/unit/samples.h"
#include "tests/unit/descrules.h"
#include "tests/unit/ffskernel.h"

#define BYTES(...) {__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})

/* Heads of the two blobs: flags are 64 (all control recipients) and the speed's bit. */
#define DESCS(size, flags, count) 3, 0, 0, 0, size, 0, 0, 0, flags, 0, 0, 0, count, 0, 0, 0
#define STRINGS(size, strings, langs) 2, 0, 0, 0, size, 0, 0, 0, strings, 0, 0, 0, langs, 0, 0, 0
#define FULL 65
#define HIGH 67 /* and full */

static void assert_rules(const struct usb_profile *p, const struct ffsblob *b)
{
	const char *broken = descrules_profile(p);

	broken = broken ? broken : descrules_blob(b, p);
	if (broken)
		fail_msg("broken: %s", broken);
}

/* clang-format off */
static const struct golden {
	int camera;
	unsigned dropped;
	uint8_t descs[112];
	size_t descs_size;
	uint8_t strings[48];
	size_t strings_size;
} goldens[] = {
	{SAMPLE_PTP, 0,
		BYTES(DESCS(46, HIGH, 4),
			9, 4, 0, 0, 3, 6, 1, 1, 1,
			7, 5, 0x81, 2, 0x00, 0x02, 0,
			7, 5, 0x02, 2, 0x00, 0x02, 0,
			7, 5, 0x83, 3, 0x08, 0x00, 9),
		BYTES(STRINGS(22, 1, 1), 0x09, 0x04, 'P', 'T', 'P', 0)},
	{SAMPLE_USB_MTP, 0,
		BYTES(DESCS(46, HIGH, 4),
			9, 4, 0, 0, 3, 6, 1, 1, 1,
			7, 5, 0x81, 2, 0x00, 0x02, 0,
			7, 5, 0x02, 2, 0x00, 0x02, 0,
			7, 5, 0x83, 3, 0x40, 0x00, 10),
		BYTES(STRINGS(22, 1, 1), 0x09, 0x04, 'M', 'T', 'P', 0)},
	{SAMPLE_USB_KBD, 0,
		BYTES(DESCS(41, FULL, 3),
			9, 4, 0, 0, 1, 3, 1, 1, 0,
			9, 0x21, 0x11, 0x01, 0, 1, 0x22, 63, 0,
			7, 5, 0x81, 3, 0x08, 0x00, 10),
		BYTES(STRINGS(16, 0, 0))},
	{SAMPLE_CDC, 4,
		BYTES(DESCS(86, HIGH, 9),
			8, 0x0b, 0, 2, 2, 2, 1, 1,
			9, 4, 0, 0, 1, 2, 2, 1, 2,
			7, 5, 0x82, 3, 0x10, 0x00, 8,
			9, 4, 1, 0, 2, 10, 0, 0, 0,
			7, 5, 0x81, 2, 0x00, 0x02, 0,
			7, 5, 0x01, 2, 0x00, 0x02, 0,
			9, 4, 2, 0, 2, 0xff, 1, 2, 2,
			7, 5, 0x03, 2, 0x00, 0x02, 0,
			7, 5, 0x83, 2, 0x00, 0x02, 0),
		BYTES(STRINGS(39, 2, 2),
			0x09, 0x04, 'M', 'o', 'd', 'e', 'm', 0, 'D', 'a', 't', 'a', 0,
			0x07, 0x04, 0, 'D', 0xc3, 0xa4, 't', 'e', 'n', 0)},
	{SAMPLE_UVC, 10,
		BYTES(DESCS(49, HIGH, 4),
			8, 0x0b, 0, 2, 0x0e, 3, 0, 1,
			9, 4, 0, 0, 1, 0x0e, 1, 0, 1,
			7, 5, 0x83, 3, 0x10, 0x00, 6,
			9, 4, 1, 0, 0, 0x0e, 2, 0, 0),
		BYTES(STRINGS(25, 1, 1), 0x09, 0x04, 'W', 'e', 'b', 'c', 'a', 'm', 0)},
	{SAMPLE_FTDI, 0,
		BYTES(DESCS(39, FULL, 3),
			9, 4, 0, 0, 2, 0xff, 0xff, 0xff, 1,
			7, 5, 0x81, 2, 0x40, 0x00, 0,
			7, 5, 0x02, 2, 0x40, 0x00, 0),
		BYTES(STRINGS(34, 1, 1), 0x09, 0x04,
			'F', 'T', '2', '3', '2', 'R', ' ', 'U', 'S', 'B', ' ', 'U', 'A', 'R', 'T', 0)},
	{SAMPLE_CCID, 0,
		BYTES(DESCS(100, FULL, 5),
			9, 4, 0, 0, 3, 0x0b, 0, 0, 0,
			54, 0x21, 0x10, 0x01, 0, 7, 3, 0, 0, 0, 0xc0, 0x12, 0, 0, 0xc0, 0x12, 0, 0, 0, 0x67,
			0x32, 0, 0, 0xce, 0x99, 0x0c, 0, 35, 0xfe, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
			0x30, 0, 1, 0, 0x0f, 1, 0, 0, 0xff, 0xff, 0, 0, 0, 1,
			7, 5, 0x81, 3, 0x08, 0x00, 16,
			7, 5, 0x02, 2, 0x40, 0x00, 0,
			7, 5, 0x82, 2, 0x40, 0x00, 0),
		BYTES(STRINGS(16, 0, 0))},
	{SAMPLE_LOW_SPEED, 0,
		BYTES(DESCS(41, FULL, 3),
			9, 4, 0, 0, 1, 3, 1, 2, 0,
			9, 0x21, 0x10, 0x01, 0, 1, 0x22, 46, 0,
			7, 5, 0x81, 3, 0x04, 0x00, 10),
		BYTES(STRINGS(16, 0, 0))},
};

#define INTERFACE(number, alternate, endpoints, class)                                             \
	9, 4, number, alternate, endpoints, class, 0, 0, 0
#define BULK(address) 7, 5, address, 2, 64, 0, 0
#define HID 9, 0x21, 0x11, 1, 0, 1, 0x22, 63, 0
#define IAD(first, count, string) 8, 0x0b, first, count, 1, 2, 3, string

/* What follows the configuration descriptor, and what is presented of it. */
static const struct rule {
	const char *name;
	uint8_t in[96];
	size_t in_size;
	uint8_t out[64];
	size_t out_size;
	unsigned dropped;
} rules[] = {
	{"HID with two report descriptors",
		BYTES(INTERFACE(0, 0, 0, 3), 12, 0x21, 0x11, 1, 0, 2, 0x22, 63, 0, 0x23, 1, 0),
		BYTES(INTERFACE(0, 0, 0, 3)), 1},
	{"HID behind an endpoint",
		BYTES(INTERFACE(0, 0, 0, 3), BULK(1), HID),
		BYTES(INTERFACE(0, 0, 1, 3), BULK(1), HID), 0},
	{"HID's size in a card reader",
		BYTES(INTERFACE(0, 0, 0, 11), HID), BYTES(INTERFACE(0, 0, 0, 11)), 1},
	{"HID in a vendor's interface",
		BYTES(INTERFACE(0, 0, 0, 3), INTERFACE(1, 0, 0, 0xff), HID),
		BYTES(INTERFACE(0, 0, 0, 3), INTERFACE(1, 0, 0, 0xff)), 1},
	{"HID in DFU, which 6.1 does not know",
		BYTES(9, 4, 0, 0, 0, 0xfe, 1, 2, 0, 9, 0x21, 1, 1, 0, 1, 0, 1, 0),
		BYTES(9, 4, 0, 0, 0, 0xfe, 1, 2, 0), 1},
	{"HID before any interface",
		BYTES(HID, INTERFACE(0, 0, 0, 3)), BYTES(INTERFACE(0, 0, 0, 3)), 1},
	{"HID in an alternate",
		BYTES(INTERFACE(0, 0, 0, 3), INTERFACE(0, 1, 0, 3), HID),
		BYTES(INTERFACE(0, 0, 0, 3)), 2},
	{"HID behind an association",
		BYTES(INTERFACE(0, 0, 0, 3), IAD(0, 1, 0), HID),
		BYTES(INTERFACE(0, 0, 0, 3), IAD(0, 1, 0), HID), 0},
	{"OTG, companion, qualifier, configuration, device",
		BYTES(3, 9, 3, INTERFACE(0, 0, 0, 0xff), BULK(1), 6, 0x30, 0, 0, 0, 0,
			10, 6, 0, 2, 0, 0, 0, 64, 1, 0, 9, 2, 9, 0, 0, 1, 0, 0x80, 0, 4, 1, 0, 0),
		BYTES(INTERFACE(0, 0, 1, 0xff), BULK(1)), 5},
	{"endpoints of 8, 9, 10",
		BYTES(INTERFACE(0, 0, 3, 1), 8, 5, 1, 2, 64, 0, 1, 2, 9, 5, 2, 2, 64, 0, 1, 2, 3,
			10, 5, 3, 2, 64, 0, 1, 2, 3, 4),
		BYTES(INTERFACE(0, 0, 3, 1), 7, 5, 1, 2, 64, 0, 1, 9, 5, 2, 2, 64, 0, 1, 2, 3,
			9, 5, 3, 2, 64, 0, 1, 2, 3), 0},
	{"isochronous endpoints, with and without data",
		BYTES(INTERFACE(0, 0, 3, 1), 7, 5, 0x81, 5, 0, 0, 1, 7, 5, 0x82, 5, 0xff, 0x13, 4,
			BULK(1)),
		BYTES(INTERFACE(0, 0, 1, 1), BULK(1)), 2},
	{"address of an isochronous endpoint",
		BYTES(INTERFACE(0, 0, 2, 1), 7, 5, 0x81, 5, 8, 0, 1, BULK(0x81)),
		BYTES(INTERFACE(0, 0, 1, 1), BULK(0x81)), 1},
	{"bNumEndpoints is not true",
		BYTES(INTERFACE(0, 0, 0, 1), BULK(1), BULK(2), INTERFACE(1, 0, 9, 1)),
		BYTES(INTERFACE(0, 0, 2, 1), BULK(1), BULK(2), INTERFACE(1, 0, 0, 1)), 0},
	{"interface numbers with gaps",
		BYTES(INTERFACE(9, 0, 0, 1), INTERFACE(0, 0, 0, 2), INTERFACE(255, 0, 0, 3)),
		BYTES(INTERFACE(0, 0, 0, 1), INTERFACE(1, 0, 0, 2), INTERFACE(2, 0, 0, 3)), 0},
	{"alternates in between",
		BYTES(INTERFACE(5, 1, 0, 1), BULK(1), INTERFACE(4, 0, 0, 2), BULK(1),
			INTERFACE(4, 1, 0, 2), BULK(1), INTERFACE(5, 0, 0, 1), BULK(2)),
		BYTES(INTERFACE(0, 0, 1, 2), BULK(1), INTERFACE(1, 0, 1, 1), BULK(2)), 4},
	{"association, renumbered",
		BYTES(INTERFACE(7, 0, 0, 1), IAD(3, 2, 0), INTERFACE(3, 0, 0, 2), INTERFACE(4, 0, 0, 2)),
		BYTES(INTERFACE(0, 0, 0, 1), IAD(1, 2, 0), INTERFACE(1, 0, 0, 2), INTERFACE(2, 0, 0, 2)), 0},
	{"association, among alternates",
		BYTES(INTERFACE(0, 0, 0, 1), INTERFACE(0, 1, 0, 1), IAD(1, 1, 0), INTERFACE(1, 0, 0, 1)),
		BYTES(INTERFACE(0, 0, 0, 1), IAD(1, 1, 0), INTERFACE(1, 0, 0, 1)), 1},
	{"association of an unknown interface",
		BYTES(IAD(1, 1, 0), INTERFACE(0, 0, 0, 1)), BYTES(INTERFACE(0, 0, 0, 1)), 1},
	{"association beyond the last interface",
		BYTES(IAD(0, 2, 0), INTERFACE(0, 0, 0, 1)), BYTES(INTERFACE(0, 0, 0, 1)), 1},
	{"association over a gap",
		BYTES(IAD(0, 2, 0), INTERFACE(0, 0, 0, 1), INTERFACE(2, 0, 0, 1)),
		BYTES(INTERFACE(0, 0, 0, 1), INTERFACE(1, 0, 0, 1)), 1},
	{"association of interfaces in another order",
		BYTES(IAD(0, 2, 0), INTERFACE(1, 0, 0, 1), INTERFACE(0, 0, 0, 1)),
		BYTES(INTERFACE(0, 0, 0, 1), INTERFACE(1, 0, 0, 1)), 1},
	{"associations of a wrong size",
		BYTES(7, 0x0b, 0, 1, 0, 0, 0, INTERFACE(0, 0, 0, 1), 9, 0x0b, 0, 1, 0, 0, 0, 0, 0),
		BYTES(INTERFACE(0, 0, 0, 1)), 2},
	{"association of the last number",
		BYTES(IAD(255, 255, 0), INTERFACE(255, 0, 0, 1)), BYTES(INTERFACE(0, 0, 0, 1)), 1},
};
/* clang-format on */

static size_t make_config(uint8_t *out, const uint8_t *tail, size_t size)
{
	const uint8_t head[9] = {
		9, 2, (uint8_t)(9 + size), (uint8_t)((9 + size) >> 8), 1, 1, 0, 0x80, 50};

	memcpy(out, head, sizeof(head));
	memcpy(out + sizeof(head), tail, size);
	return sizeof(head) + size;
}

/* Of a fast camera `want` is the second set; of the first descrules knows all. */
static void assert_descs(const struct ffsblob *b, const uint8_t *want, size_t size)
{
	if (want[8] == FULL) {
		assert_int_equal(b->descs_size, size);
		assert_memory_equal(b->descs, want, size);
		return;
	}
	assert_int_equal(b->descs_size, 20 + 2 * (size - 16));
	assert_int_equal(b->descs[4], b->descs_size);
	assert_int_equal(b->descs[8], want[8]);
	assert_int_equal(b->descs[12], want[12]);
	assert_int_equal(b->descs[16], want[12]);
	assert_memory_equal(b->descs + b->descs_size - (size - 16), want + 16, size - 16);
}

/* clang-format off */
static const struct slow {
	const char *name;
	enum usb_device_speed speed;
	uint8_t in[7], full[7], high[7];
} slows[] = {
	{"high, bulk", USB_SPEED_HIGH,
		{7, 5, 0x81, 2, 0, 2, 1}, {7, 5, 0x81, 2, 64, 0, 0}, {7, 5, 0x81, 2, 0, 2, 1}},
	{"high, small bulk", USB_SPEED_HIGH,
		{7, 5, 0x81, 2, 32, 0, 0}, {7, 5, 0x81, 2, 32, 0, 0}, {7, 5, 0x81, 2, 32, 0, 0}},
	{"high, interrupt, thrice a microframe", USB_SPEED_HIGH,
		{7, 5, 0x81, 3, 0, 0x14, 1}, {7, 5, 0x81, 3, 64, 0, 1}, {7, 5, 0x81, 3, 0, 0x14, 1}},
	{"high, interrupt, 1 ms", USB_SPEED_HIGH,
		{7, 5, 0x81, 3, 8, 0, 4}, {7, 5, 0x81, 3, 8, 0, 1}, {7, 5, 0x81, 3, 8, 0, 4}},
	{"high, interrupt, 2 ms", USB_SPEED_HIGH,
		{7, 5, 0x81, 3, 8, 0, 5}, {7, 5, 0x81, 3, 8, 0, 2}, {7, 5, 0x81, 3, 8, 0, 5}},
	{"high, interrupt, 128 ms", USB_SPEED_HIGH,
		{7, 5, 0x81, 3, 8, 0, 11}, {7, 5, 0x81, 3, 8, 0, 128}, {7, 5, 0x81, 3, 8, 0, 11}},
	{"high, interrupt, 256 ms", USB_SPEED_HIGH,
		{7, 5, 0x81, 3, 8, 0, 12}, {7, 5, 0x81, 3, 8, 0, 255}, {7, 5, 0x81, 3, 8, 0, 12}},
	{"super, bulk", USB_SPEED_SUPER,
		{7, 5, 2, 2, 0, 4, 0}, {7, 5, 2, 2, 64, 0, 0}, {7, 5, 2, 2, 0, 2, 0}},
	{"super plus, interrupt", USB_SPEED_SUPER_PLUS,
		{7, 5, 0x83, 3, 0, 4, 6}, {7, 5, 0x83, 3, 64, 0, 4}, {7, 5, 0x83, 3, 0, 4, 6}},
};
/* clang-format on */

static void test_slow(void **state)
{
	const struct slow *s = *state;
	struct sample c = samples[SAMPLE_PTP];
	uint8_t config[64], tail[16] = {INTERFACE(0, 0, 1, 0xff)};
	struct usb_profile p;
	struct ffsblob b;

	memcpy(tail + 9, s->in, 7);
	assert_int_equal(sample_profile(&p, &c, config, make_config(config, tail, 16)), 0);
	p.speed = s->speed;
	assert_int_equal(ffsblob_build(&b, &p), 0);
	assert_int_equal(b.descs_size, 20 + 2 * 16);
	assert_memory_equal(b.descs + 20 + 9, s->full, 7);
	assert_memory_equal(b.descs + 20 + 16 + 9, s->high, 7);
	assert_rules(&p, &b);
}

static void test_golden(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(goldens) / sizeof(goldens[0]); i++) {
		const struct golden *g = &goldens[i];
		const struct sample *c = &samples[g->camera];
		struct usb_profile p;
		struct ffsblob b;

		print_message("%s\n", c->name);
		memset(&b, 0xa5, sizeof(b));
		assert_int_equal(sample_profile(&p, c, c->config, c->config_size), 0);
		assert_int_equal(ffsblob_build(&b, &p), 0);
		assert_descs(&b, g->descs, g->descs_size);
		assert_int_equal(b.strings_size, g->strings_size);
		assert_memory_equal(b.strings, g->strings, g->strings_size);
		assert_int_equal(b.dropped, g->dropped);
		assert_rules(&p, &b);
	}
}

static void test_rule(void **state)
{
	const struct rule *rule = *state;
	struct sample c = samples[SAMPLE_PTP];
	uint8_t config[128];
	size_t size = make_config(config, rule->in, rule->in_size);
	struct usb_profile p;
	struct ffsblob b;

	c.strings[0].index = 0;
	assert_int_equal(sample_profile(&p, &c, config, size), 0);
	p.speed = USB_SPEED_FULL;
	assert_int_equal(ffsblob_build(&b, &p), 0);
	assert_int_equal(b.descs_size, 16 + rule->out_size);
	assert_memory_equal(b.descs + 16, rule->out, rule->out_size);
	assert_int_equal(b.dropped, rule->dropped);
	assert_rules(&p, &b);
}

static void test_speeds(void **state)
{
	static const struct {
		enum usb_device_speed speed;
		int want;
		uint8_t flags;
	} cases[] = {
		{USB_SPEED_LOW, 0, FULL},
		{USB_SPEED_FULL, 0, FULL},
		{USB_SPEED_HIGH, 0, HIGH},
		{USB_SPEED_SUPER, 0, HIGH},
		{USB_SPEED_SUPER_PLUS, 0, HIGH},
		{USB_SPEED_UNKNOWN, -EOPNOTSUPP, 0},
	};
	const struct sample *c = &samples[SAMPLE_PTP];
	struct usb_profile p;
	struct ffsblob b;

	(void)state;
	assert_int_equal(sample_profile(&p, c, c->config, c->config_size), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memset(&b, 0xa5, sizeof(b));
		p.speed = cases[i].speed;
		assert_int_equal(ffsblob_build(&b, &p), cases[i].want);
		if (cases[i].want) {
			assert_int_equal(b.descs_size, 0);
			assert_int_equal(b.strings_size, 0);
			assert_int_equal(b.dropped, 0);
		} else {
			assert_int_equal(b.descs[8], cases[i].flags);
		}
	}
}

static void test_number_of_interfaces(void **state)
{
	const struct sample *c = &samples[SAMPLE_PTP];
	uint8_t tail[17 * 9], config[256];
	struct usb_profile p;
	struct ffsblob b;

	(void)state;
	for (uint8_t i = 0; i < 17; i++)
		memcpy(tail + 9 * i, (const uint8_t[]){INTERFACE(i, 0, 0, 0xff)}, 9);
	for (size_t n = 0; n <= 17; n++) {
		assert_int_equal(
			sample_profile(&p, c, config, make_config(config, tail, 9 * n)), 0);
		assert_int_equal(ffsblob_build(&b, &p), n && n <= 16 ? 0 : -EOPNOTSUPP);
		if (n && n <= 16)
			assert_rules(&p, &b);
	}
}

/* Strings */

static void add(
	struct usb_profile *p, uint8_t index, uint16_t lang, const char16_t *text, size_t units)
{
	const char *why;
	uint8_t buf[255];
	size_t size = sample_string(buf, text, units);

	assert_int_equal(usbdesc_string(p, index, lang, buf, size, &why), 0);
}

/* A profile with interfaces 0 ... n - 1, with strings 1 ... n that are not there yet. */
static void make_interfaces(
	struct usb_profile *p, uint8_t n, const char16_t *langs, size_t num_langs)
{
	uint8_t tail[USBDESC_MAX_CONFIG], config[USBDESC_MAX_CONFIG], buf[255];
	const char *why;
	size_t size;

	for (uint8_t i = 0; i < n; i++)
		memcpy(tail + 9 * i, (const uint8_t[]){9, 4, i, 0, 0, 0xff, 0, 0, i + 1}, 9);
	memset(p, 0, sizeof(*p));
	p->speed = USB_SPEED_FULL;
	size = make_config(config, tail, 9 * (size_t)n);
	assert_int_equal(usbdesc_config(p, config, size, &why), 0);
	size = sample_string(buf, langs, num_langs);
	assert_int_equal(usbdesc_langs(p, buf, size, &why), 0);
}

static void assert_strings(const struct ffsblob *b, const uint8_t *want, size_t size)
{
	assert_int_equal(b->strings_size, size);
	assert_memory_equal(b->strings, want, size);
}

static void test_string_choice(void **state)
{
	static const uint8_t want[] = {
		STRINGS(28, 3, 2), 0x09, 0x04, 'A', 0, '\n', 0, 0, 0x07, 0x04, 0, 0, 0};
	struct usb_profile p;
	struct ffsblob b;

	(void)state;
	/* 1: one language. 2: none at all. 3: both, one of them empty. 4: empty. 9: nobody's. */
	make_interfaces(&p, 4, u"\x0409\x0411\x0407", 3);
	add(&p, 1, 0x0409, u"A", 1);
	add(&p, 3, 0x0407, u"", 0);
	add(&p, 3, 0x0409, u"\n", 1);
	add(&p, 4, 0x0407, u"", 0);
	add(&p, 9, 0x0411, u"Z", 1);
	assert_int_equal(ffsblob_build(&b, &p), 0);
	assert_strings(&b, want, sizeof(want));
	assert_int_equal(b.descs[16 + 8], 1);
	assert_int_equal(b.descs[16 + 9 + 8], 0);
	assert_int_equal(b.descs[16 + 18 + 8], 2);
	assert_int_equal(b.descs[16 + 27 + 8], 3);
	assert_rules(&p, &b);
}

static void test_string_of_alternate(void **state)
{
	static const uint8_t tail[] = {9, 4, 0, 0, 0, 0xff, 0, 0, 7, 9, 4, 0, 1, 0, 0xff, 0, 0, 8};
	static const uint8_t want[] = {STRINGS(20, 1, 1), 0x09, 0x04, 'A', 0};
	uint8_t config[64];
	struct usb_profile p;
	struct ffsblob b;
	const char *why;
	size_t size = make_config(config, tail, sizeof(tail));

	(void)state;
	make_interfaces(&p, 0, u"\x0409", 1);
	assert_int_equal(usbdesc_config(&p, config, size, &why), 0);
	add(&p, 7, 0x0409, u"A", 1);
	add(&p, 8, 0x0409, u"not presented", 13);
	assert_int_equal(ffsblob_build(&b, &p), 0);
	assert_strings(&b, want, sizeof(want));
	assert_rules(&p, &b);
}

/* usb_gadget_get_string stalls if byte 126 is within a character. */
static void test_long_texts(void **state)
{
	static const struct {
		const char16_t unit[2];
		size_t units, want; /* bytes */
	} cases[] = {{{'a'}, 125, 125}, {{'a'}, 126, 126}, {{0x00e4}, 126, 126},
		{{0x30ab}, 41, 123}, {{0x30ab}, 42, 126}, {{0x30ab}, 126, 126},
		{{0xd83d, 0xdcf7}, 124, 124}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t step = cases[i].unit[1] ? 2 : 1;
		char16_t text[126] = {0};
		uint16_t units[126];
		struct ffskernel k;
		struct usb_profile p;
		struct ffsblob b;

		for (size_t at = 0; at < cases[i].units; at++)
			text[at] = cases[i].unit[at % step];
		make_interfaces(&p, 1, u"\x0409", 1);
		add(&p, 1, 0x0409, text, cases[i].units);
		assert_int_equal(ffsblob_build(&b, &p), 0);
		assert_int_equal(b.strings_size, 16 + 2 + cases[i].want + 1);
		assert_rules(&p, &b);
		assert_int_equal(ffskernel_descs(&k, b.descs, b.descs_size), 0);
		assert_int_equal(ffskernel_strings(&k, b.strings, b.strings_size), 0);
		assert_true(ffskernel_get_string(&k, 0x0409, 1, units) > 0);
	}
}

/* As much as there can be: 64 strings of 126 bytes, and of 16 languages each has one at least. */
static void test_largest_strings(void **state)
{
	uint8_t tail[64 * 8 + 9], config[1024], buf[255];
	struct usb_profile *p = calloc(1, sizeof(*p));
	struct ffsblob *b = calloc(1, sizeof(*b));
	char16_t langs[16], text[126];
	const char *why;
	size_t size;

	(void)state;
	assert_true(p && b);
	p->speed = USB_SPEED_HIGH;
	memcpy(tail, (const uint8_t[]){INTERFACE(0, 0, 0, 0xff)}, 9);
	for (uint8_t i = 0; i < 64; i++)
		memcpy(tail + 9 + 8 * i, (const uint8_t[]){IAD(0, 1, i + 1)}, 8);
	size = make_config(config, tail, sizeof(tail));
	assert_int_equal(usbdesc_config(p, config, size, &why), 0);
	for (uint8_t i = 0; i < 16; i++)
		langs[i] = (char16_t)(0x0401 + i);
	assert_int_equal(usbdesc_langs(p, buf, sample_string(buf, langs, 16), &why), 0);
	for (size_t i = 0; i < 126; i++)
		text[i] = 'x';
	for (uint8_t i = 0; i < 64; i++)
		add(p, i + 1, langs[i % 16], text, 126);
	assert_int_equal(ffsblob_build(b, p), 0);
	assert_int_equal(b->strings_size, FFSBLOB_STRINGS_SIZE);
	assert_rules(p, b);
	free(p);
	free(b);
}

int main(void)
{
	enum {
		RULES = sizeof(rules) / sizeof(rules[0]),
		SLOWS = sizeof(slows) / sizeof(slows[0]),
	};
	const struct CMUnitTest fixed[] = {
		cmocka_unit_test(test_golden),
		cmocka_unit_test(test_speeds),
		cmocka_unit_test(test_number_of_interfaces),
		cmocka_unit_test(test_string_choice),
		cmocka_unit_test(test_string_of_alternate),
		cmocka_unit_test(test_long_texts),
		cmocka_unit_test(test_largest_strings),
	};
	struct CMUnitTest of_rules[RULES], of_slows[SLOWS];
	int failed;

	for (size_t i = 0; i < RULES; i++)
		of_rules[i] = (struct CMUnitTest){
			rules[i].name, test_rule, NULL, NULL, (void *)&rules[i]};
	for (size_t i = 0; i < SLOWS; i++)
		of_slows[i] = (struct CMUnitTest){
			slows[i].name, test_slow, NULL, NULL, (void *)&slows[i]};
	failed = cmocka_run_group_tests_name("blobs", fixed, NULL, NULL);
	failed += cmocka_run_group_tests_name("rules", of_rules, NULL, NULL);
	return failed + cmocka_run_group_tests_name("speeds", of_slows, NULL, NULL);
}
