/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * usbdesc_is_same: every change that a camera's descriptors and strings can have makes it another
 * one, and nothing but what they say does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "gadget/usbdesc.h"
#include "tests/unit/samples.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Two languages, of which the second has no string: so that each can be changed by itself. */
static struct sample make_base(void)
{
	struct sample s = samples[SAMPLE_USB_MTP];

	s.langs[1] = 0x0411;
	return s;
}

enum {
	SERIAL = 2, /* positions in the base's strings */
	LAST = 4,
};

static void read_sample(struct usb_profile *p, const struct sample *s)
{
	assert_int_equal(sample_profile(p, s, s->config, s->config_size), 0);
}

/* Whichever of the two was there first. */
static bool is_same(const struct usb_profile *a, const struct usb_profile *b)
{
	bool same = usbdesc_is_same(a, b);

	assert_int_equal(usbdesc_is_same(b, a), same);
	return same;
}

/* ---- the device descriptor ---- */

static const struct device_case {
	const char *name;
	uint8_t at, bits;
} device_cases[] = {
	{"bcdUSB", 2, 0x10},
	{"bcdUSB, high byte", 3, 1},
	{"bDeviceClass", 4, 0xff},
	{"bDeviceSubClass", 5, 1},
	{"bDeviceProtocol", 6, 1},
	{"idVendor", 8, 1},
	{"idVendor, high byte", 9, 0x80},
	{"idProduct", 10, 1},
	{"idProduct, high byte", 11, 0x80},
	{"bcdDevice", 12, 1},
	{"bcdDevice, high byte", 13, 0x80},
	{"iManufacturer", 14, 8},
	{"iProduct", 15, 8},
	{"iSerialNumber", 16, 8},
};

static void test_device(void **state)
{
	const struct device_case *c = *state;
	struct sample base = make_base(), other = base;
	struct usb_profile a, b;

	other.device[c->at] ^= c->bits;
	read_sample(&a, &base);
	read_sample(&b, &other);
	assert_false(is_same(&a, &b));
}

/* ---- speed, languages, strings ---- */

static void change_speed(struct sample *s)
{
	s->speed = USB_SPEED_FULL;
}

static void change_lang(struct sample *s)
{
	s->langs[1] = 0x0407;
}

static void remove_lang(struct sample *s)
{
	s->langs[1] = 0;
}

static void swap_langs(struct sample *s)
{
	s->langs[1] = s->langs[0];
	s->langs[0] = 0x0411;
}

static void change_serial(struct sample *s)
{
	s->strings[SERIAL].text = u"34618";
}

static void shorten_serial(struct sample *s)
{
	s->strings[SERIAL].text = u"3461";
}

static void lengthen_serial(struct sample *s)
{
	s->strings[SERIAL].text = u"346170";
}

static void change_last_string(struct sample *s)
{
	s->strings[LAST].text = u"Full speed config (usb 1.1)";
}

static void change_string_index(struct sample *s)
{
	s->strings[LAST].index++;
}

static void change_string_lang(struct sample *s)
{
	s->strings[LAST].lang = s->langs[1];
}

static void remove_string(struct sample *s)
{
	s->strings[LAST].index = 0;
}

static void add_string(struct sample *s)
{
	s->strings[LAST + 1] = s->strings[LAST];
	s->strings[LAST + 1].lang = s->langs[1];
}

static const struct change_case {
	const char *name;
	void (*change)(struct sample *s);
} change_cases[] = {
	{"speed", change_speed},
	{"another language", change_lang},
	{"a language less", remove_lang},
	{"languages in another order", swap_langs},
	{"another serial number", change_serial},
	{"a serial number that is shorter", shorten_serial},
	{"a serial number that is longer", lengthen_serial},
	{"the last string", change_last_string},
	{"a string of another index", change_string_index},
	{"a string in another language", change_string_lang},
	{"a string less", remove_string},
	{"a string more", add_string},
};

static void test_change(void **state)
{
	const struct change_case *c = *state;
	struct sample base = make_base(), other = base;
	struct usb_profile a, b;

	c->change(&other);
	read_sample(&a, &base);
	read_sample(&b, &other);
	assert_false(is_same(&a, &b));
}

/* ---- the configuration ---- */

/* Any bit of it, but where that makes it no configuration. */
static void test_config(void **state)
{
	uint8_t config[USBDESC_MAX_CONFIG];
	struct usb_profile a, b;

	(void)state;
	for (unsigned i = 0; i < SAMPLES; i++) {
		const struct sample *s = &samples[i];
		size_t read = 0;

		read_sample(&a, s);
		memcpy(config, s->config, s->config_size);
		for (size_t bit = 0; bit < 8 * s->config_size; bit++) {
			uint8_t mask = (uint8_t)(1 << bit % 8);

			config[bit / 8] ^= mask;
			if (!sample_profile(&b, s, config, s->config_size)) {
				assert_false(is_same(&a, &b));
				read++;
			}
			config[bit / 8] ^= mask;
		}
		/* It would prove nothing if most were refused. */
		assert_true(read > 4 * s->config_size);
	}
}

/* One that could not be read is not the same as one that could. */
static void test_no_config(void **state)
{
	struct sample base = make_base();
	struct usb_profile a, b;
	const char *why;

	(void)state;
	read_sample(&a, &base);
	read_sample(&b, &base);
	assert_int_not_equal(usbdesc_config(&b, base.config, 0, &why), 0);
	assert_false(is_same(&a, &b));
}

/* ---- the same ---- */

/* Read again; whatever stands where nothing has been read to. */
static void test_same(void **state)
{
	struct usb_profile a, b;

	(void)state;
	for (unsigned i = 0; i < SAMPLES; i++) {
		read_sample(&a, &samples[i]);
		read_sample(&b, &samples[i]);
		assert_true(is_same(&a, &a));
		assert_true(is_same(&a, &b));
		memset(b.config + b.config_size, 0xa5, sizeof(b.config) - b.config_size);
		memset(b.langs + b.num_langs, 0xa5, sizeof(b.langs) - 2 * b.num_langs);
		memset(b.strings + b.num_strings, 0xa5,
			sizeof(b.strings) - b.num_strings * sizeof(b.strings[0]));
		for (unsigned k = 0; k < b.num_strings; k++) {
			size_t used = strlen(b.strings[k].text) + 1;

			memset(b.strings[k].text + used, 0xa5, sizeof(b.strings[k].text) - used);
		}
		assert_true(is_same(&a, &b));
	}
}

static void test_samples_differ(void **state)
{
	struct usb_profile a, b;

	(void)state;
	for (unsigned i = 0; i < SAMPLES; i++) {
		read_sample(&a, &samples[i]);
		for (unsigned k = 0; k < i; k++) {
			read_sample(&b, &samples[k]);
			assert_false(is_same(&a, &b));
		}
	}
}

int main(void)
{
	const struct CMUnitTest fixed[] = {
		cmocka_unit_test(test_config),
		cmocka_unit_test(test_no_config),
		cmocka_unit_test(test_same),
		cmocka_unit_test(test_samples_differ),
	};
	struct CMUnitTest tests[COUNT(device_cases) + COUNT(change_cases) + COUNT(fixed)];
	struct CMUnitTest *t = tests;

	for (size_t i = 0; i < COUNT(device_cases); i++)
		*t++ = (struct CMUnitTest){
			device_cases[i].name, test_device, NULL, NULL, (void *)&device_cases[i]};
	for (size_t i = 0; i < COUNT(change_cases); i++)
		*t++ = (struct CMUnitTest){
			change_cases[i].name, test_change, NULL, NULL, (void *)&change_cases[i]};
	memcpy(t, fixed, sizeof(fixed));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
