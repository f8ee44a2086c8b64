/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * usbdesc by example: what samples send, and each rule with what breaks it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "gadget/usbdesc.h"
#include "tests/unit/samples.h"

#define BYTES(...) {__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})

/* Parses from exact-size copies. `*why` must be set exactly if it is refused. */
static int device(struct usb_profile *p, enum usb_device_speed speed, const uint8_t *buf,
	size_t len, const char **why)
{
	uint8_t *exact = sample_exact(buf, len);
	int r = usbdesc_device(p, speed, exact, len, why);

	free(exact);
	return r;
}

static int config(struct usb_profile *p, const uint8_t *buf, size_t len, const char **why)
{
	uint8_t *exact = sample_exact(buf, len);
	int r = usbdesc_config(p, exact, len, why);

	free(exact);
	return r;
}

/* A configuration descriptor and `tail` behind it. */
static int tail_config(struct usb_profile *p, const uint8_t *tail, size_t size, const char **why)
{
	static const uint8_t head[9] = {9, 2, 0, 0, 1, 1, 0, 0x80, 50};
	uint8_t buf[2 * USBDESC_MAX_CONFIG];

	memcpy(buf, head, sizeof(head));
	memcpy(buf + sizeof(head), tail, size);
	buf[2] = (uint8_t)(sizeof(head) + size);
	buf[3] = (uint8_t)((sizeof(head) + size) >> 8);
	return config(p, buf, sizeof(head) + size, why);
}

static void assert_refused(int r, const char *why, const char *names)
{
	assert_int_equal(r, -EPROTO);
	assert_non_null(why);
	if (!strstr(why, names))
		fail_msg("\"%s\" does not name %s", why, names);
}

static void assert_no_config(const struct usb_profile *p)
{
	assert_int_equal(p->num_interfaces, 0);
	assert_int_equal(p->num_logical, 0);
	assert_int_equal(p->num_endpoints, 0);
	assert_int_equal(p->config_size, 0);
}

static void test_device_fields(void **state)
{
	static const uint8_t buf[18] = {18, 1, 0x10, 0x02, 0xef, 0x03, 0x01, 64, 0xa9, 0x04, 0x18,
		0x32, 0x34, 0x12, 7, 8, 9, 2};
	struct usb_profile p;
	const char *why = NULL;

	(void)state;
	memset(&p, 0xa5, sizeof(p));
	assert_int_equal(device(&p, USB_SPEED_HIGH, buf, sizeof(buf), &why), 0);
	assert_int_equal(p.speed, USB_SPEED_HIGH);
	assert_int_equal(p.bcd_usb, 0x0210);
	assert_int_equal(p.class, 0xef);
	assert_int_equal(p.subclass, 3);
	assert_int_equal(p.protocol, 1);
	assert_int_equal(p.max_packet0, 64);
	assert_int_equal(p.vendor, 0x04a9);
	assert_int_equal(p.product, 0x3218);
	assert_int_equal(p.bcd_device, 0x1234);
	assert_int_equal(p.manufacturer_string, 7);
	assert_int_equal(p.product_string, 8);
	assert_int_equal(p.serial_string, 9);
	assert_int_equal(p.num_configurations, 2);
	assert_no_config(&p);
	assert_int_equal(p.num_langs, 0);
	assert_int_equal(p.num_strings, 0);
}

static void test_device_rules(void **state)
{
	static const struct {
		enum usb_device_speed speed;
		uint8_t at, value;
		const char *names; /* NULL: accepted */
	} cases[] = {
		{USB_SPEED_HIGH, 0, 17, "bLength"},
		{USB_SPEED_HIGH, 0, 0, "bLength"},
		{USB_SPEED_HIGH, 0, 19, NULL},
		{USB_SPEED_HIGH, 1, 2, "bDescriptorType"},
		{USB_SPEED_HIGH, 1, 0, "bDescriptorType"},
		{USB_SPEED_HIGH, 7, 0, "bMaxPacketSize0"},
		{USB_SPEED_HIGH, 7, 9, "bMaxPacketSize0"},
		{USB_SPEED_HIGH, 7, 255, "bMaxPacketSize0"},
		{USB_SPEED_LOW, 7, 8, NULL},
		{USB_SPEED_FULL, 7, 16, NULL},
		{USB_SPEED_FULL, 7, 32, NULL},
		{USB_SPEED_SUPER, 7, 9, NULL},
		{USB_SPEED_SUPER_PLUS, 7, 9, NULL},
		{USB_SPEED_SUPER, 7, 64, "bMaxPacketSize0"},
		{USB_SPEED_HIGH, 17, 0, "bNumConfigurations"},
		{USB_SPEED_HIGH, 17, 255, NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t buf[18];
		struct usb_profile p;
		const char *why = NULL;
		int r;

		memcpy(buf, samples[SAMPLE_PTP].device, sizeof(buf));
		buf[cases[i].at] = cases[i].value;
		r = device(&p, cases[i].speed, buf, sizeof(buf), &why);
		if (cases[i].names)
			assert_refused(r, why, cases[i].names);
		else
			assert_int_equal(r, 0);
		assert_int_equal(p.speed, cases[i].speed);
	}
}

static void test_config_size(void **state)
{
	static const struct {
		uint8_t head[9];
		size_t len;
		uint16_t want;
	} cases[] = {
		{{9, 2, 39, 0, 1, 1, 0, 0xc0, 1}, 9, 39},
		{{9, 2, 39, 0, 1, 1, 0, 0xc0, 1}, 8, 0},
		{{9, 2, 39, 0, 1, 1, 0, 0xc0, 1}, 0, 0},
		{{9, 2, 9, 0, 0, 1, 0, 0xc0, 1}, 9, 9},
		{{9, 2, 8, 0, 0, 1, 0, 0xc0, 1}, 9, 0},
		{{9, 2, 0x00, 0x10, 1, 1, 0, 0xc0, 1}, 9, 4096},
		{{9, 2, 0x01, 0x10, 1, 1, 0, 0xc0, 1}, 9, 0},
		{{9, 2, 0xff, 0xff, 1, 1, 0, 0xc0, 1}, 9, 0},
		{{8, 2, 39, 0, 1, 1, 0, 0xc0, 1}, 9, 0},
		{{10, 2, 39, 0, 1, 1, 0, 0xc0, 1}, 9, 39},
		{{10, 2, 9, 0, 1, 1, 0, 0xc0, 1}, 9, 0},
		{{9, 7, 39, 0, 1, 1, 0, 0xc0, 1}, 9, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t *exact = sample_exact(cases[i].head, cases[i].len);

		assert_int_equal(usbdesc_config_size(exact, cases[i].len), cases[i].want);
		free(exact);
	}
}

struct shape {
	uint8_t num_logical, num_interfaces, num_endpoints;
	struct usb_interface interfaces[6];
	struct usb_endpoint endpoints[6];
};

/* number, alternate, class, subclass, protocol, string, logical, first_endpoint, num_endpoints;
 * address, attributes, max_packet, interval, interface_at */
static const struct shape shapes[SAMPLES] = {
	[SAMPLE_PTP] = {1, 1, 3, {{0, 0, 6, 1, 1, 4, 0, 0, 3}},
		{{0x81, 2, 512, 0, 0}, {0x02, 2, 512, 0, 0}, {0x83, 3, 8, 9, 0}}},
	[SAMPLE_USB_MTP] = {1, 1, 3, {{0, 0, 6, 1, 1, 4, 0, 0, 3}},
		{{0x81, 2, 512, 0, 0}, {0x02, 2, 512, 0, 0}, {0x83, 3, 64, 10, 0}}},
	[SAMPLE_USB_KBD] = {1, 1, 1, {{0, 0, 3, 1, 1, 0, 0, 0, 1}}, {{0x81, 3, 8, 10, 0}}},
	[SAMPLE_CDC] = {3, 3, 5,
		{{0, 0, 2, 2, 1, 5, 0, 0, 1}, {1, 0, 10, 0, 0, 0, 1, 1, 2},
			{4, 0, 0xff, 1, 2, 5, 2, 3, 2}},
		{{0x82, 3, 16, 8, 0}, {0x81, 2, 512, 0, 1}, {0x01, 2, 512, 0, 1},
			{0x03, 2, 512, 0, 2}, {0x83, 2, 512, 0, 2}}},
	[SAMPLE_UVC] = {2, 4, 1,
		{{0, 0, 14, 1, 0, 2, 0, 0, 1}, {1, 0, 14, 2, 0, 0, 1, 1, 0},
			{1, 1, 14, 2, 0, 0, 1, 0, 0}, {1, 2, 14, 2, 0, 0, 1, 0, 0}},
		{{0x83, 3, 16, 6, 0}}},
	[SAMPLE_FTDI] = {1, 1, 2, {{0, 0, 0xff, 0xff, 0xff, 2, 0, 0, 2}},
		{{0x81, 2, 64, 0, 0}, {0x02, 2, 64, 0, 0}}},
	[SAMPLE_CCID] = {1, 1, 3, {{0, 0, 11, 0, 0, 0, 0, 0, 3}},
		{{0x81, 3, 8, 16, 0}, {0x02, 2, 64, 0, 0}, {0x82, 2, 64, 0, 0}}},
	[SAMPLE_LOW_SPEED] = {1, 1, 1, {{0, 0, 3, 1, 2, 0, 0, 0, 1}}, {{0x81, 3, 4, 10, 0}}},
};

static void assert_shape(const struct usb_profile *p, const struct shape *s)
{
	assert_int_equal(p->num_logical, s->num_logical);
	assert_int_equal(p->num_interfaces, s->num_interfaces);
	assert_int_equal(p->num_endpoints, s->num_endpoints);
	/* Neither struct has padding before its end: 9 bytes; 2, 2, 2. */
	assert_memory_equal(
		p->interfaces, s->interfaces, s->num_interfaces * sizeof(*s->interfaces));
	for (unsigned i = 0; i < s->num_endpoints; i++) {
		assert_int_equal(p->endpoints[i].address, s->endpoints[i].address);
		assert_int_equal(p->endpoints[i].attributes, s->endpoints[i].attributes);
		assert_int_equal(p->endpoints[i].max_packet, s->endpoints[i].max_packet);
		assert_int_equal(p->endpoints[i].interval, s->endpoints[i].interval);
		assert_int_equal(p->endpoints[i].interface_at, s->endpoints[i].interface_at);
	}
}

static void test_samples(void **state)
{
	(void)state;
	for (size_t i = 0; i < SAMPLES; i++) {
		const struct sample *c = &samples[i];
		struct usb_profile p;

		assert_int_equal(sample_profile(&p, c, c->config, c->config_size), 0);
		assert_shape(&p, &shapes[i]);
		assert_int_equal(p.config_size, c->config_size);
		assert_memory_equal(p.config, c->config, c->config_size);
		assert_int_equal(p.configuration_value, c->config[5]);
		assert_int_equal(p.configuration_string, c->config[6]);
		assert_int_equal(p.attributes, c->config[7]);
		assert_int_equal(p.max_power_ma, c->config[8] * 2);
	}
}

static void test_max_power(void **state)
{
	static const struct {
		enum usb_device_speed speed;
		uint16_t want;
	} cases[] = {{USB_SPEED_LOW, 510}, {USB_SPEED_FULL, 510}, {USB_SPEED_HIGH, 510},
		{USB_SPEED_SUPER, 2040}, {USB_SPEED_SUPER_PLUS, 2040}};
	static const uint8_t buf[] = {9, 2, 9, 0, 0, 1, 0, 0x80, 255};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct usb_profile p = {.speed = cases[i].speed};
		const char *why = NULL;

		assert_int_equal(config(&p, buf, sizeof(buf), &why), 0);
		assert_int_equal(p.max_power_ma, cases[i].want);
	}
}

/* Every cut of every camera: by what arrived, and by what wTotalLength says. */
static void test_truncations(void **state)
{
	(void)state;
	for (size_t i = 0; i < SAMPLES; i++) {
		const struct sample *c = &samples[i];
		size_t border = c->config[0];
		struct usb_profile p;
		const char *why;
		int r;

		for (size_t len = 0; len < sizeof(c->device); len++) {
			why = NULL;
			r = device(&p, c->speed, c->device, len, &why);
			assert_refused(r, why, "18");
		}
		for (size_t len = 0; len < c->config_size; len++) {
			why = NULL;
			/* Nor does the one before survive. */
			assert_int_equal(config(&p, c->config, c->config_size, &why), 0);
			r = config(&p, c->config, len, &why);
			assert_refused(r, why, "");
			assert_no_config(&p);
		}
		for (size_t total = 0; total < c->config_size; total++) {
			uint8_t buf[256];

			memcpy(buf, c->config, c->config_size);
			buf[2] = (uint8_t)total;
			why = NULL;
			/* What is behind wTotalLength is there, but not looked at. */
			r = config(&p, buf, total % 2 ? total : c->config_size, &why);
			if (total == border) {
				assert_int_equal(r, 0);
				assert_int_equal(p.config_size, total);
				border += c->config[border];
			} else {
				assert_refused(r, why, "");
				assert_no_config(&p);
			}
		}
	}
}

#define INTERFACE(number, alternate) 9, 4, number, alternate, 0, 0xff, 0, 0, 0
#define ENDPOINT(address, type, size) 7, 5, address, type, (size)&0xff, (size) >> 8, 1

static const struct config_case {
	const char *name;
	const char *names; /* what the refusal names; NULL: accepted */
	uint8_t tail[96];
	size_t size;
	uint8_t num_logical, num_interfaces, num_endpoints;
} config_cases[] = {
	{"length 1", "bLength", BYTES(INTERFACE(0, 0), 1, 0xff), 0, 0, 0},
	{"length 0", "bLength", BYTES(INTERFACE(0, 0), 0, 0xff, 0), 0, 0, 0},
	{"one byte left", "bLength", BYTES(INTERFACE(0, 0), 2), 0, 0, 0},
	{"length 2", NULL, BYTES(INTERFACE(0, 0), 2, 0xff), 1, 1, 0},
	{"overrun by 1", "wTotalLength", BYTES(INTERFACE(0, 0), 5, 0xff, 0, 0), 0, 0, 0},
	{"overrun, endpoint", "wTotalLength", BYTES(INTERFACE(0, 0), 7, 5, 0x81, 2, 8, 0), 0, 0, 0},
	{"unknown types", NULL,
		BYTES(3, 0xff, 1, INTERFACE(0, 0), 9, 2, 0, 0, 0, 0, 0, 0, 0, 2, 0, 3, 1, 0), 1, 1,
		0},
	{"nothing", NULL, {0}, 0, 0, 0, 0},
	{"interface of 8", "interface's bLength", BYTES(8, 4, 0, 0, 0, 0, 0, 0), 0, 0, 0},
	{"interface of 10", "interface's bLength", BYTES(10, 4, 0, 0, 0, 0, 0, 0, 0, 0), 0, 0, 0},
	{"interface twice", "twice", BYTES(INTERFACE(3, 0), INTERFACE(1, 0), INTERFACE(3, 0)), 0, 0,
		0},
	{"alternate twice", "twice", BYTES(INTERFACE(3, 0), INTERFACE(3, 7), INTERFACE(3, 7)), 0, 0,
		0},
	{"no alternate 0", "bAlternateSetting 0", BYTES(INTERFACE(3, 0), INTERFACE(1, 1)), 0, 0, 0},
	{"alternate 0 later", NULL, BYTES(INTERFACE(3, 1), INTERFACE(3, 0)), 1, 2, 0},
	{"endpoint first", "before", BYTES(ENDPOINT(0x81, 2, 64), INTERFACE(0, 0)), 0, 0, 0},
	{"endpoint of 6", "endpoint's bLength", BYTES(INTERFACE(0, 0), 6, 5, 0x81, 2, 64, 0), 0, 0,
		0},
	{"endpoint of 6, alternate", "endpoint's bLength",
		BYTES(INTERFACE(0, 0), INTERFACE(0, 1), 6, 5, 0x81, 2, 64, 0), 0, 0, 0},
	{"endpoint of 8", NULL, BYTES(INTERFACE(0, 0), 8, 5, 0x81, 2, 64, 0, 0, 0), 1, 1, 1},
	{"endpoint of 9", NULL, BYTES(INTERFACE(0, 0), 9, 5, 0x81, 2, 64, 0, 0, 0, 0), 1, 1, 1},
	{"endpoint of 10", NULL, BYTES(INTERFACE(0, 0), 10, 5, 0x81, 2, 64, 0, 0, 0, 0, 0), 1, 1,
		1},
	{"endpoint 0", "bEndpointAddress", BYTES(INTERFACE(0, 0), ENDPOINT(0x80, 2, 64)), 0, 0, 0},
	{"address bit 4", "bEndpointAddress", BYTES(INTERFACE(0, 0), ENDPOINT(0x91, 2, 64)), 0, 0,
		0},
	{"address bit 6", "bEndpointAddress", BYTES(INTERFACE(0, 0), ENDPOINT(0x41, 2, 64)), 0, 0,
		0},
	{"addresses 0x81 and 1", NULL,
		BYTES(INTERFACE(0, 0), ENDPOINT(0x81, 2, 64), ENDPOINT(0x01, 2, 64)), 1, 1, 2},
	{"address 15", NULL, BYTES(INTERFACE(0, 0), ENDPOINT(0x8f, 2, 64)), 1, 1, 1},
	{"address twice", "twice",
		BYTES(INTERFACE(0, 0), ENDPOINT(0x81, 2, 64), ENDPOINT(0x81, 3, 8)), 0, 0, 0},
	{"address in two interfaces", "twice",
		BYTES(INTERFACE(0, 0), ENDPOINT(0x81, 2, 64), INTERFACE(1, 0),
			ENDPOINT(0x81, 2, 64)),
		0, 0, 0},
	{"address in two alternates", NULL,
		BYTES(INTERFACE(0, 0), ENDPOINT(0x81, 2, 64), INTERFACE(0, 1),
			ENDPOINT(0x81, 2, 64), ENDPOINT(0x81, 2, 64)),
		1, 2, 1},
	{"bad endpoints in an alternate", NULL,
		BYTES(INTERFACE(0, 0), INTERFACE(0, 1), ENDPOINT(0xf0, 2, 0)), 1, 2, 0},
	{"packet 0, bulk", "wMaxPacketSize", BYTES(INTERFACE(0, 0), ENDPOINT(0x81, 2, 0)), 0, 0, 0},
	{"packet 0, interrupt", "wMaxPacketSize", BYTES(INTERFACE(0, 0), ENDPOINT(0x81, 3, 0x1800)),
		0, 0, 0},
	{"packet 0, control", "wMaxPacketSize", BYTES(INTERFACE(0, 0), ENDPOINT(0x81, 0, 0)), 0, 0,
		0},
	{"packet 0, isochronous", NULL, BYTES(INTERFACE(0, 0), ENDPOINT(0x81, 5, 0)), 1, 1, 0},
	{"packet 0, isochronous, then bulk", NULL,
		BYTES(INTERFACE(0, 0), ENDPOINT(0x81, 1, 0), ENDPOINT(0x82, 2, 64)), 1, 1, 1},
	{"packet 1023, isochronous, then bulk", NULL,
		BYTES(INTERFACE(0, 0), ENDPOINT(0x81, 1, 1023), ENDPOINT(0x82, 2, 64)), 1, 1, 1},
	{"packet 1024", NULL, BYTES(INTERFACE(0, 0), ENDPOINT(0x81, 3, 1024)), 1, 1, 1},
	{"packet 1025", "wMaxPacketSize", BYTES(INTERFACE(0, 0), ENDPOINT(0x81, 3, 1025)), 0, 0, 0},
	{"packet 1025, isochronous", "wMaxPacketSize",
		BYTES(INTERFACE(0, 0), ENDPOINT(0x81, 1, 1025)), 0, 0, 0},
	{"packet 3 x 1024", NULL, BYTES(INTERFACE(0, 0), ENDPOINT(0x81, 3, 0x1400)), 1, 1, 1},
	{"bNumEndpoints is not true", NULL,
		BYTES(9, 4, 0, 0, 200, 0xff, 0, 0, 0, ENDPOINT(0x81, 2, 64)), 1, 1, 1},
};

static void test_config_case(void **state)
{
	const struct config_case *c = *state;
	struct usb_profile p = {.speed = USB_SPEED_HIGH};
	const char *why = NULL;
	int r = tail_config(&p, c->tail, c->size, &why);

	if (c->names) {
		assert_refused(r, why, c->names);
		assert_no_config(&p);
	} else {
		assert_int_equal(r, 0);
		assert_int_equal(p.num_logical, c->num_logical);
		assert_int_equal(p.num_interfaces, c->num_interfaces);
		assert_int_equal(p.num_endpoints, c->num_endpoints);
	}
}

static void test_logical_numbers(void **state)
{
	static const uint8_t tail[] = {INTERFACE(7, 1), INTERFACE(200, 0), ENDPOINT(0x81, 2, 64),
		INTERFACE(7, 0), INTERFACE(200, 9), ENDPOINT(0x81, 2, 64), INTERFACE(0, 0),
		ENDPOINT(0x01, 2, 0x1234 & 0x1fff)};
	static const struct shape want = {3, 5, 2,
		{{7, 1, 0xff, 0, 0, 0, 1, 0, 0}, {200, 0, 0xff, 0, 0, 0, 0, 0, 1},
			{7, 0, 0xff, 0, 0, 0, 1, 1, 0}, {200, 9, 0xff, 0, 0, 0, 0, 0, 0},
			{0, 0, 0xff, 0, 0, 0, 2, 1, 1}},
		{{0x81, 2, 64, 1, 1}, {0x01, 2, 0x234, 1, 4}}};
	struct usb_profile p = {.speed = USB_SPEED_HIGH};
	const char *why = NULL;

	(void)state;
	assert_int_equal(tail_config(&p, tail, sizeof(tail), &why), 0);
	assert_shape(&p, &want);
}

static void test_config_limits(void **state)
{
	uint8_t tail[2 * USBDESC_MAX_CONFIG] = {INTERFACE(0, 0)};
	struct usb_profile p = {.speed = USB_SPEED_HIGH};
	const char *why = NULL;
	int r;

	(void)state;
	for (uint8_t i = 0; i < 33; i++)
		memcpy(tail + 9 * i, (const uint8_t[]){INTERFACE(i / 4, i % 4)}, 9);
	assert_int_equal(tail_config(&p, tail, 9 * 32, &why), 0);
	assert_int_equal(p.num_interfaces, 32);
	assert_int_equal(p.num_logical, 8);
	r = tail_config(&p, tail, 9 * 33, &why);
	assert_refused(r, why, "32");

	for (uint8_t i = 0; i < 30; i++)
		memcpy(tail + 9 + 7 * i,
			(const uint8_t[]){ENDPOINT((uint8_t)((i / 2 + 1) | i % 2 << 7), 2, 512)},
			7);
	memcpy(tail + 9 + 7 * 30, (const uint8_t[]){ENDPOINT(0x87, 2, 512)}, 7);
	assert_int_equal(tail_config(&p, tail, 9 + 7 * 30, &why), 0);
	assert_int_equal(p.num_endpoints, 30);
	r = tail_config(&p, tail, 9 + 7 * 31, &why);
	assert_refused(r, why, "twice");

	/* 9 + 9 + 6 + 509 * 8 = 4096 */
	memcpy(tail + 9, (const uint8_t[]){6, 0xff, 0, 0, 0, 0}, 6);
	for (size_t i = 15; i < sizeof(tail) - 8; i += 8)
		memcpy(tail + i, (const uint8_t[]){8, 0xff, 0, 0, 0, 0, 0, 0}, 8);
	assert_int_equal(tail_config(&p, tail, 4087, &why), 0);
	assert_int_equal(p.config_size, 4096);
	r = tail_config(&p, tail, 4095, &why);
	assert_refused(r, why, "4096");
}

static void test_string_indices(void **state)
{
	static const struct {
		int camera;
		uint8_t want[5];
		size_t n;
	} cases[] = {
		{SAMPLE_PTP, BYTES(1, 2, 3, 4)},
		{SAMPLE_USB_MTP, BYTES(1, 2, 3, 4, 6)},
		{SAMPLE_USB_KBD, BYTES(1, 4, 5, 8)},
		{SAMPLE_CDC, BYTES(1, 2, 4, 5)},
		{SAMPLE_UVC, BYTES(1, 2)},
		{SAMPLE_CCID, {0}, 0},
	};
	static const uint8_t tail[] = {9, 4, 0, 0, 0, 0, 0, 0, 255, 9, 4, 0, 1, 0, 0, 0, 0, 20, 8,
		0x0b, 0, 1, 0, 0, 0, 7, 7, 0x0b, 0, 1, 0, 0, 0, 9, 0x0b, 0, 1, 0, 0, 0, 8, 0, 9, 2,
		0, 0, 0, 0, 6, 0, 0};
	const char *why = NULL;
	struct usb_profile p;
	uint8_t out[256];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct sample *c = &samples[cases[i].camera];

		assert_int_equal(sample_profile(&p, c, c->config, c->config_size), 0);
		assert_int_equal(usbdesc_string_indices(&p, out, sizeof(out)), cases[i].n);
		assert_memory_equal(out, cases[i].want, cases[i].n);
	}
	/* Of an alternate and of an association, but not of something that is none. */
	memset(&p, 0, sizeof(p));
	assert_int_equal(tail_config(&p, tail, sizeof(tail), &why), 0);
	assert_int_equal(usbdesc_string_indices(&p, out, sizeof(out)), 3);
	assert_memory_equal(out, ((const uint8_t[]){7, 20, 255}), 3);
	memset(out, 0xa5, sizeof(out));
	assert_int_equal(usbdesc_string_indices(&p, out, 2), 2);
	assert_memory_equal(out, ((const uint8_t[]){7, 20, 0xa5}), 3);
	assert_int_equal(usbdesc_string_indices(&p, out, 0), 0);
}

static void test_speed_str(void **state)
{
	(void)state;
	assert_string_equal(usb_speed_str(USB_SPEED_LOW), "low");
	assert_string_equal(usb_speed_str(USB_SPEED_FULL), "full");
	assert_string_equal(usb_speed_str(USB_SPEED_HIGH), "high");
	assert_string_equal(usb_speed_str(USB_SPEED_SUPER), "super");
	assert_string_equal(usb_speed_str(USB_SPEED_SUPER_PLUS), "super+");
	assert_string_equal(usb_speed_str(USB_SPEED_UNKNOWN), "unknown");
	assert_string_equal(usb_speed_str(USB_SPEED_WIRELESS), "unknown");
	assert_string_equal(usb_speed_str((enum usb_device_speed)99), "unknown");
}

int main(void)
{
	enum {
		CASES = sizeof(config_cases) / sizeof(config_cases[0])
	};
	const struct CMUnitTest fixed[] = {
		cmocka_unit_test(test_device_fields),
		cmocka_unit_test(test_device_rules),
		cmocka_unit_test(test_config_size),
		cmocka_unit_test(test_samples),
		cmocka_unit_test(test_max_power),
		cmocka_unit_test(test_truncations),
		cmocka_unit_test(test_logical_numbers),
		cmocka_unit_test(test_config_limits),
		cmocka_unit_test(test_string_indices),
		cmocka_unit_test(test_speed_str),
	};
	struct CMUnitTest tests[CASES + sizeof(fixed) / sizeof(fixed[0])];

	memcpy(tests, fixed, sizeof(fixed));
	for (size_t i = 0; i < CASES; i++)
		tests[sizeof(fixed) / sizeof(fixed[0]) + i] =
			(struct CMUnitTest){config_cases[i].name, test_config_case, NULL, NULL,
				(void *)&config_cases[i]};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
