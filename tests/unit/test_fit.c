/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fit: every finding word for word, of real devices and of what is wrong with none of them. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "gadget/fit.h"
#include "gadget/udc.h"
#include "tests/unit/descrules.h"
#include "tests/unit/samples.h"

/* clang-format off */
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define BYTES(...) (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})
#define INTERFACE(number, alternate, class, subclass, protocol) \
	9, 4, number, alternate, 0, class, subclass, protocol, 0
#define VENDOR(number) INTERFACE(number, 0, 0xff, 0, 0)
#define BULK(address) 7, 5, address, 2, 64, 0, 0
#define ISO(address, size) 7, 5, address, 5, size, 0, 1
#define CS 5, 0x24, 1, 0, 1
#define HID 9, 0x21, 0x11, 1, 0, 1, 0x22, 63, 0
#define HID2 12, 0x21, 0x11, 1, 0, 2, 0x22, 63, 0, 0x23, 1, 0
#define WAKEUP "lost remote wake-up: it cannot wake the phone\n"
#define LOSES_1 "its 1 class descriptor cannot be presented; "
#define LOSES(n) "its " #n " class descriptors cannot be presented; "
#define NO(it, what) "without " it " hosts find no " what " in it\n"
#define MAYBE(it) "a driver that reads " it " may not work\n"
#define WITHOUT(what) "refused none of its interfaces would work at the phone without the " what \
	" that cannot be presented\n"

static const struct device {
	unsigned sample;
	const char *findings;
} devices[] = {
	{SAMPLE_PTP, ""},
	{SAMPLE_USB_MTP, WAKEUP},
	{SAMPLE_USB_KBD, WAKEUP},
	{SAMPLE_FTDI, WAKEUP},
	{SAMPLE_CCID, ""},
	{SAMPLE_LOW_SPEED, "note low speed is presented as full speed\n" WAKEUP},
	{SAMPLE_CDC, "lost interface 0 (communications): " LOSES(4) NO("them", "modem or network")
		"lost interface 1 (CDC data): of no use without interface 0\n"},
	{SAMPLE_UVC, "lost interface 0 (video): " LOSES(3) NO("them", "picture")
		"lost interface 1 (video): " LOSES_1 NO("it", "picture")
		"lost interface 1 (video): its 2 alternate settings besides 0, with isochronous endpoints, "
		"cannot be presented; 0 has no endpoints, so it carries nothing\n"
		WITHOUT("class descriptors and alternate settings and isochronous endpoints")
		"note the phone is told that it draws 500 mA; an iPhone, or a hub without a supply, may "
		"refuse more than 100: see max_power_ma\n"},
};

/* What follows the configuration descriptor of a camera at full speed. */
static const struct tail {
	const char *name;
	const uint8_t *bytes;
	size_t size;
	const char *findings;
} tails[] = {
	{"no interface", BYTES(8, 0x0b, 0, 1, 0, 0, 0, 0), "refused its configuration has no interface\n"},
	{"an interface without endpoints", BYTES(VENDOR(0)), ""},
	/* class descriptors */
	{"a vendor's", BYTES(VENDOR(0), CS, BULK(1), 2, 0x41), "lost interface 0 (vendor specific): " LOSES(2) MAYBE("them")},
	{"before any interface", BYTES(CS, VENDOR(0)), ""},
	{"in an alternate", BYTES(VENDOR(0), BULK(1), INTERFACE(0, 1, 0xff, 0, 0), CS),
		"lost interface 0 (vendor specific): its 1 alternate setting besides 0 cannot be presented\n"},
	{"standard ones that look like a class's", BYTES(VENDOR(0), BULK(1), 6, 0x30, 0, 0, 0, 0,
		8, 0x31, 1, 0, 0, 0, 0, 0, 3, 9, 3), ""},
	{"MIDI", BYTES(INTERFACE(0, 0, 1, 1, 0), CS, INTERFACE(1, 0, 1, 3, 0), CS, BULK(0x81), 5, 0x25, 1, 1, 1),
		"lost interface 0 (audio): " LOSES_1 NO("it", "sound or MIDI")
		"lost interface 1 (audio): " LOSES(2) NO("them", "sound or MIDI") WITHOUT("class descriptors")},
	{"an audio interface that has none", BYTES(INTERFACE(0, 0, 1, 3, 0), BULK(0x81)), ""},
	{"RNDIS, which does without", BYTES(INTERFACE(5, 0, 2, 2, 0xff), CS, INTERFACE(6, 0, 0x0a, 0, 0), BULK(1)),
		"lost interface 5 (communications): " LOSES_1 MAYBE("it")},
	{"a data interface after another's", BYTES(INTERFACE(0, 0, 2, 2, 1), CS, INTERFACE(1, 0, 0x0a, 0, 0), BULK(1),
		INTERFACE(2, 0, 2, 2, 0xff), INTERFACE(3, 0, 0x0a, 0, 0), BULK(2)),
		"lost interface 0 (communications): " LOSES_1 NO("it", "modem or network")
		"lost interface 1 (CDC data): of no use without interface 0\n"},
	{"a data interface alone", BYTES(INTERFACE(1, 0, 0x0a, 0, 0), BULK(1)), ""},
	{"NCM", BYTES(INTERFACE(0, 0, 2, 13, 0), CS, INTERFACE(1, 0, 0x0a, 0, 1), INTERFACE(1, 1, 0x0a, 0, 1), BULK(1)),
		"lost interface 0 (communications): " LOSES_1 NO("it", "modem or network")
		"lost interface 1 (CDC data): its 1 alternate setting besides 0 cannot be presented; 0 has no endpoints, so it carries nothing\n"
		WITHOUT("class descriptors and alternate settings")},
	{"HID", BYTES(INTERFACE(0, 0, 3, 0, 0), HID, BULK(0x81)), ""},
	{"HID with two reports", BYTES(INTERFACE(0, 0, 3, 0, 0), HID2, BULK(0x81)),
		"lost interface 0 (HID): " LOSES_1 NO("it", "input device") WITHOUT("class descriptors")},
	{"HID, and something else", BYTES(INTERFACE(0, 0, 3, 0, 0), HID, CS, BULK(0x81)),
		"lost interface 0 (HID): " LOSES_1 MAYBE("it")},
	{"HID, and one with two reports", BYTES(INTERFACE(0, 0, 3, 0, 0), HID, HID2, BULK(0x81)),
		"lost interface 0 (HID): " LOSES_1 MAYBE("it")},
	{"another type of HID's size", BYTES(INTERFACE(0, 0, 3, 0, 0), HID, 9, 0x24, 0, 0, 0, 0, 0, 0, 0, BULK(0x81)),
		"lost interface 0 (HID): " LOSES_1 MAYBE("it")},
	{"a card reader with HID's descriptor", BYTES(INTERFACE(0, 0, 0x0b, 0, 0), HID, BULK(0x81)),
		"lost interface 0 (smart card): " LOSES_1 NO("it", "card reader") WITHOUT("class descriptors")},
	{"UAS beside bulk-only", BYTES(INTERFACE(0, 0, 8, 6, 0x50), BULK(0x81), BULK(2), INTERFACE(0, 1, 8, 6, 0x62),
		BULK(0x81), 4, 0x24, 1, 0, BULK(2), 4, 0x24, 2, 0),
		"lost interface 0 (mass storage): its 1 alternate setting besides 0 cannot be presented\n"},
	{"UAS alone", BYTES(INTERFACE(0, 0, 8, 6, 0x62), BULK(0x81), 4, 0x24, 1, 0),
		"lost interface 0 (mass storage): " LOSES_1 NO("it", "disk") WITHOUT("class descriptors")},
	{"bulk-only with a vendor's", BYTES(INTERFACE(0, 0, 8, 6, 0x50), CS, BULK(0x81)),
		"lost interface 0 (mass storage): " LOSES_1 MAYBE("it")},
	{"DFU", BYTES(INTERFACE(0, 0, 0xfe, 1, 2), HID), "lost interface 0 (application specific): " LOSES_1 MAYBE("it")},
	/* isochronous endpoints */
	{"isochronous alone", BYTES(VENDOR(0), ISO(0x81, 8)),
		"lost interface 0 (vendor specific): its isochronous endpoint (0x81) is left out, as the network would be late; "
		"nothing else carries data in it\n" WITHOUT("isochronous endpoints")},
	{"isochronous and bulk", BYTES(VENDOR(0), ISO(0x83, 8), ISO(3, 8), BULK(1)),
		"lost interface 0 (vendor specific): its isochronous endpoints (0x83 ...) are left out, as the network would be late\n"},
	{"isochronous and bulk, of no use", BYTES(INTERFACE(0, 0, 1, 2, 0), CS, ISO(0x83, 8), BULK(1), INTERFACE(0, 1, 1, 2, 0)),
		"lost interface 0 (audio): " LOSES_1 NO("it", "sound or MIDI")
		"lost interface 0 (audio): its isochronous endpoint (0x83) is left out, as the network would be late\n"
		"lost interface 0 (audio): its 1 alternate setting besides 0 cannot be presented\n"
		WITHOUT("class descriptors and isochronous endpoints")},
	{"isochronous, of size 0", BYTES(VENDOR(0), ISO(0x81, 0)),
		"lost interface 0 (vendor specific): its isochronous endpoint (0x81) is left out, as the network would be late\n"},
	{"Bluetooth", BYTES(INTERFACE(0, 0, 0xe0, 1, 1), BULK(1), INTERFACE(1, 0, 0xe0, 1, 1), ISO(0x83, 0), ISO(3, 0),
		INTERFACE(1, 1, 0xe0, 1, 1), ISO(0x83, 9), ISO(3, 9), INTERFACE(1, 2, 0xe0, 1, 1), ISO(0x83, 17), ISO(3, 17)),
		"lost interface 1 (wireless): its isochronous endpoints (0x83 ...) are left out, as the network would be late\n"
		"lost interface 1 (wireless): its 2 alternate settings besides 0, with isochronous endpoints, cannot be presented; "
		"0 has no endpoints, so it carries nothing\n"},
	/* alternate settings */
	{"alternates of another order", BYTES(INTERFACE(7, 1, 0xff, 0, 0), BULK(1), INTERFACE(3, 0, 0xff, 0, 0),
		INTERFACE(7, 0, 0xff, 0, 0)),
		"lost interface 7 (vendor specific): its 1 alternate setting besides 0 cannot be presented; 0 has no endpoints, "
		"so it carries nothing\n"},
	{"alternates without endpoints", BYTES(VENDOR(0), INTERFACE(0, 1, 0xff, 0, 0)),
		"lost interface 0 (vendor specific): its 1 alternate setting besides 0 cannot be presented\n"},
	/* endpoints */
	{"a control endpoint", BYTES(VENDOR(0), BULK(1), 7, 5, 0x82, 0, 64, 0, 0),
		"refused its endpoint 0x82 is a control endpoint, for which no port has a place\n"},
};
/* clang-format on */

static char *findings(const struct fit *fit, char out[8192])
{
	*out = 0;
	for (unsigned i = 0; i < fit->num_findings; i++)
		(void)snprintf(out + strlen(out), 8192 - strlen(out), "%s %s\n",
			fit_severity_str(fit->findings[i].severity), fit->findings[i].text);
	return out;
}

static void assert_fit(const struct usb_profile *p, const struct udc *udc, const char *wanted)
{
	struct fit fit;
	char text[8192];
	int r = fit_check(&fit, p, udc);
	const char *refusal = strstr(wanted, "refused ");

	assert_string_equal(findings(&fit, text), wanted);
	assert_int_equal(r, refusal ? -EOPNOTSUPP : 0);
	assert_int_equal(!fit_refusal(&fit), !refusal);
	assert_null(descrules_fit(p));
}

static void read_sample(struct usb_profile *p, unsigned sample)
{
	const struct sample *c = &samples[sample];

	assert_int_equal(sample_profile(p, c, c->config, c->config_size), 0);
}

static void read_tail(struct usb_profile *p, const uint8_t *bytes, size_t size)
{
	struct sample c = samples[SAMPLE_FTDI];
	uint8_t config[512] = {
		9, 2, (uint8_t)(9 + size), (uint8_t)((9 + size) >> 8), 1, 1, 0, 0x80, 50};

	assert_in_range(size, 0, sizeof(config) - 9);
	memcpy(config + 9, bytes, size);
	assert_int_equal(sample_profile(p, &c, config, 9 + size), 0);
}

static void test_devices(void **state)
{
	struct usb_profile p;

	(void)state;
	assert_int_equal(COUNT(devices), SAMPLES);
	for (size_t i = 0; i < COUNT(devices); i++) {
		print_message("%s\n", samples[devices[i].sample].name);
		read_sample(&p, devices[i].sample);
		assert_fit(&p, NULL, devices[i].findings);
	}
}

static void test_tails(void **state)
{
	struct usb_profile p;

	(void)state;
	for (size_t i = 0; i < COUNT(tails); i++) {
		print_message("%s\n", tails[i].name);
		read_tail(&p, tails[i].bytes, tails[i].size);
		assert_fit(&p, NULL, tails[i].findings);
	}
}

static void test_number_of_interfaces(void **state)
{
	struct usb_profile p;
	uint8_t tail[17 * 9];

	(void)state;
	for (unsigned i = 0; i < 17; i++)
		memcpy(tail + 9 * i, (const uint8_t[]){VENDOR((uint8_t)i)}, 9);
	read_tail(&p, tail, 16 * 9);
	assert_fit(&p, NULL, "");
	read_tail(&p, tail, 17 * 9);
	assert_fit(
		&p, NULL, "refused it has 17 interfaces, and a gadget can have no more than 16\n");
}

/* 31 interfaces that each lose what they can, and all that a device can lose beside them. */
static void test_most_findings(void **state)
{
	static const uint8_t head[] = {INTERFACE(0, 0, 2, 0, 0), CS};
	static const uint8_t data[] = {INTERFACE(0, 0, 0x0a, 0, 0), CS, ISO(0x81, 8)};
	uint8_t config[9 + sizeof(head) + 30 * sizeof(data)] = {
		9, 2, (uint8_t)sizeof(config), (uint8_t)(sizeof(config) >> 8), 1, 1, 0, 0xa0, 250};
	struct sample c = samples[SAMPLE_FTDI];
	uint8_t *at = config + 9;
	struct usb_profile p;
	struct fit fit;

	(void)state;
	at = (uint8_t *)memcpy(at, head, sizeof(head)) + sizeof(head);
	for (uint8_t i = 1; i <= 30; i++, at += sizeof(data)) {
		memcpy(at, data, sizeof(data));
		at[2] = i;
	}
	c.device[2] = 0x10; /* bcdUSB */
	c.device[17] = 2;   /* bNumConfigurations */
	assert_int_equal(sample_profile(&p, &c, config, sizeof(config)), 0);
	assert_int_equal(fit_check(&fit, &p, NULL), -EOPNOTSUPP);
	/* Refusals for their number and for none that works; then configurations, wake-up, BOS,
	 * power. */
	assert_int_equal(fit.num_findings, 1 + 30 * 2 + 2 + 4);
	assert_null(descrules_fit(&p));
}

#define PHONE_TOLD(mA)                                                                             \
	"note the phone is told that it draws " mA " mA; an iPhone, or a hub without a supply, "   \
	"may refuse more than 100: see max_power_ma\n"

static void test_configuration(void **state)
{
	static const struct {
		uint16_t ma;
		const char *findings;
	} powers[] = {
		{0, ""}, {100, ""}, {102, PHONE_TOLD("102")}, {500, PHONE_TOLD("500")},
		{896, PHONE_TOLD("500")}, /* composite tells no more */
	};
	struct usb_profile p;

	(void)state;
	read_sample(&p, SAMPLE_PTP);
	for (size_t i = 0; i < COUNT(powers); i++) {
		p.max_power_ma = powers[i].ma;
		assert_fit(&p, NULL, powers[i].findings);
	}
	p.max_power_ma = 0;
	p.num_configurations = 3;
	p.bcd_usb = 0x0201;
	assert_fit(&p, NULL,
		"lost of its 3 configurations only the first is presented\n"
		"lost the BOS descriptor, and what a host learns from it (WebUSB, Microsoft OS "
		"2.0)\n");
}

static void test_speeds(void **state)
{
	static const char super[] =
		"lost SuperSpeed is presented as high speed: 480 Mbit/s at most\n";
	static const char unknown[] = "refused its server does not tell its speed\n";
	static const struct {
		enum usb_device_speed camera, udc;
		const char *findings;
	} cases[] = {
		{USB_SPEED_LOW, USB_SPEED_FULL, "note low speed is presented as full speed\n"},
		{USB_SPEED_FULL, USB_SPEED_FULL, ""},
		{USB_SPEED_HIGH, USB_SPEED_HIGH, ""},
		{USB_SPEED_HIGH, USB_SPEED_SUPER_PLUS, ""},
		{USB_SPEED_HIGH, USB_SPEED_UNKNOWN, ""},
		{USB_SPEED_HIGH, USB_SPEED_FULL,
			"lost UDC x () runs at full speed: 12 Mbit/s at most\n"},
		{USB_SPEED_SUPER, USB_SPEED_HIGH, super},
		{USB_SPEED_SUPER_PLUS, USB_SPEED_SUPER, super},
		{USB_SPEED_UNKNOWN, USB_SPEED_HIGH, unknown},
		{USB_SPEED_WIRELESS, USB_SPEED_HIGH, unknown},
		{(enum usb_device_speed)77, USB_SPEED_HIGH, unknown},
	};
	struct usb_profile p;

	(void)state;
	read_sample(&p, SAMPLE_PTP);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct udc udc = {.name = "x", .speed = cases[i].udc};

		p.speed = cases[i].camera;
		assert_fit(&p, &udc, cases[i].findings);
	}
}

static void test_endpoints(void **state)
{
	struct udc udc = {.name = "20980000.usb", .driver = "dwc2", .speed = USB_SPEED_HIGH};
	uint8_t tail[9 + 8 * 7] = {VENDOR(0)};
	struct usb_profile p;

	(void)state;
	for (unsigned i = 0; i < 8; i++)
		memcpy(tail + 9 + 7 * i, (const uint8_t[]){BULK((uint8_t)(0x81 + i))}, 7);
	read_tail(&p, tail, sizeof(tail));
	assert_fit(&p, &udc, "");
	udc_set_endpoints(&udc, "brcm,bcm2835-usb");
	assert_fit(&p, &udc,
		"refused UDC 20980000.usb (dwc2) has no place for its endpoint 0x88 (bulk IN): the "
		"camera needs 8 IN and 0 OUT endpoints, the UDC has 7 and 7\n");
	read_tail(&p, tail, sizeof(tail) - 7);
	assert_fit(&p, &udc, "");
}

static void test_strings(void **state)
{
	struct usb_profile p;

	(void)state;
	read_sample(&p, SAMPLE_PTP);
	memset(p.strings[0].text, 'a', 126);
	p.strings[0].text[126] = 0;
	assert_fit(&p, NULL, "");
	strcat(p.strings[0].text, "a");
	assert_fit(&p, NULL, "note 1 of its strings is longer than 126 bytes and cut there\n");
	memcpy(p.strings[1].text, p.strings[0].text, sizeof(p.strings[0].text));
	p.num_langs = USBDESC_MAX_LANGS;
	for (unsigned i = p.num_strings; i < USBDESC_MAX_STRINGS; i++)
		p.strings[p.num_strings++] = (struct usb_string){.text = "b"};
	assert_fit(&p, NULL,
		"note 2 of its strings are longer than 126 bytes and cut there\n"
		"note of its strings no more than 64 are presented\n"
		"note of its languages no more than 16 are presented\n");
}

static void test_add(void **state)
{
	struct fit fit = {0};

	(void)state;
	for (unsigned i = 0; i < FIT_MAX_FINDINGS + 1; i++)
		fit_add(&fit, FIT_NOTE, "%0*u", 2 * FIT_MAX_TEXT, i);
	assert_int_equal(fit.num_findings, FIT_MAX_FINDINGS);
	assert_int_equal(strlen(fit.findings[0].text), FIT_MAX_TEXT - 1);
	assert_null(fit_refusal(&fit));
	fit.findings[7].severity = fit.findings[8].severity = FIT_REFUSED;
	assert_ptr_equal(fit_refusal(&fit), fit.findings[7].text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_devices),
		cmocka_unit_test(test_tails),
		cmocka_unit_test(test_number_of_interfaces),
		cmocka_unit_test(test_most_findings),
		cmocka_unit_test(test_configuration),
		cmocka_unit_test(test_speeds),
		cmocka_unit_test(test_endpoints),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_add),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
