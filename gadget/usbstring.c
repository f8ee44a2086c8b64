/* SPDX-License-Identifier: GPL-2.0-or-later */
/* usbdesc's strings: UTF-16 of any quality to UTF-8, and the languages that it comes in. */
#include "gadget/usbdesc.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define HEAD 2 /* bLength, bDescriptorType */
#define ENGLISH_US 0x0409
#define REPLACEMENT 0xfffd

/* A unit becomes 3 bytes at most: 4 are those of two. bLength has room for 126. */
static_assert(USBDESC_STRING_SIZE > (UINT8_MAX - HEAD) / 2 * 3, "text of any string descriptor");

static uint16_t le16(const uint8_t *at)
{
	return (uint16_t)(at[0] | at[1] << 8);
}

/* Bytes of a string descriptor that are there, a whole number of UTF-16 units behind its head.
 * Cameras get bLength wrong in either direction; so does Linux not insist on it (usb_string_sub).
 */
static int descriptor_size(const uint8_t *buf, size_t len, size_t *size, const char **why)
{
	*why = "bLength is less than 2";
	if (len < HEAD || buf[0] < HEAD)
		return -EPROTO;
	*why = "bDescriptorType is not 3";
	if (buf[1] != USB_DT_STRING)
		return -EPROTO;
	*size = (len < buf[0] ? len : buf[0]) & ~(size_t)1;
	return 0;
}

static bool has_lang(const struct usb_profile *p, uint16_t lang)
{
	for (unsigned i = 0; i < p->num_langs; i++)
		if (p->langs[i] == lang)
			return true;
	return false;
}

/* usb_validate_langid: configfs makes no strings for any other. */
static bool is_valid_lang(uint16_t lang)
{
	unsigned primary = lang & 0x3ff;

	return lang >> 10 && primary && (primary < 0x62 || primary == 0xff);
}

int usbdesc_langs(struct usb_profile *p, const uint8_t *buf, size_t len, const char **why)
{
	size_t size;
	int r;

	p->num_langs = p->num_strings = 0;
	if (!len)
		return 0;
	r = descriptor_size(buf, len, &size, why);
	if (r)
		return r;
	for (size_t i = HEAD; i < size && p->num_langs < USBDESC_MAX_LANGS; i += 2) {
		uint16_t lang = le16(buf + i);

		if (is_valid_lang(lang) && !has_lang(p, lang))
			p->langs[p->num_langs++] = lang;
	}
	/* A camera that names no language rightly does not look at it either (usb_get_langid). */
	if (size > HEAD && !p->num_langs)
		p->langs[p->num_langs++] = ENGLISH_US;
	return 0;
}

static size_t put_utf8(char *out, uint32_t c)
{
	size_t more = c < 0x80 ? 0 : c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
	static const uint8_t lead[] = {0x00, 0xc0, 0xe0, 0xf0};

	out[0] = (char)(lead[more] | c >> 6 * more);
	for (size_t i = 1; i <= more; i++)
		out[i] = (char)(0x80 | (c >> 6 * (more - i) & 0x3f));
	return more + 1;
}

/* Reads one character of `units` UTF-16 units (1 or more); returns how many it took. */
static size_t get_utf16(const uint8_t *at, size_t units, uint32_t *c)
{
	*c = le16(at);
	if ((*c & 0xf800) != 0xd800)
		return 1;
	if (*c < 0xdc00 && units > 1 && (le16(at + 2) & 0xfc00) == 0xdc00) {
		*c = 0x10000 + ((*c & 0x3ff) << 10 | (le16(at + 2) & 0x3ff));
		return 2;
	}
	*c = REPLACEMENT;
	return 1;
}

/* Where a string is in usb_profile.strings; num_strings if it is not. */
static unsigned find_string(const struct usb_profile *p, uint8_t index, uint16_t lang)
{
	unsigned at = 0;

	while (at < p->num_strings &&
		(p->strings[at].index != index || p->strings[at].lang != lang))
		at++;
	return at;
}

int usbdesc_string(struct usb_profile *p, uint8_t index, uint16_t lang, const uint8_t *buf,
	size_t len, const char **why)
{
	unsigned at = find_string(p, index, lang);
	struct usb_string *s = &p->strings[at];
	size_t size, n = 0;
	uint32_t c;
	int r;

	*why = "index 0, or a language that string descriptor 0 does not have";
	if (!index || !has_lang(p, lang))
		return -EPROTO;
	r = descriptor_size(buf, len, &size, why);
	if (r)
		return r;
	*why = "more than 64 strings";
	if (at == USBDESC_MAX_STRINGS)
		return -ENOSPC;
	/* A NUL among them ends the text for whoever reads it. */
	for (size_t i = HEAD; i < size; n += put_utf8(s->text + n, c))
		i += 2 * get_utf16(buf + i, (size - i) / 2, &c);
	s->text[n] = 0;
	s->index = index;
	s->lang = lang;
	if (at == p->num_strings)
		p->num_strings++;
	return 0;
}

const char *usbdesc_text(const struct usb_profile *p, uint8_t index, uint16_t lang)
{
	for (unsigned l = 0; l < p->num_langs; l++) {
		unsigned at = find_string(p, index, p->langs[l]);

		if ((!lang || lang == p->langs[l]) && at < p->num_strings)
			return p->strings[at].text;
	}
	return NULL;
}

size_t usbdesc_text_cut(const char *text, size_t max)
{
	size_t n = strnlen(text, max);

	/* The text goes on at `n` only if it was cut there. */
	while (n && ((uint8_t)text[n] & 0xc0) == 0x80)
		n--;
	return n;
}
