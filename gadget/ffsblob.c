/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gadget/ffsblob.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <linux/usb/functionfs.h>

#include "gadget/usbdesc.h"

#define DT_FUNCTIONAL (USB_TYPE_CLASS | 0x01)
#define HID_SIZE 9   /* sizeof(struct hid_descriptor): one report descriptor */
#define CCID_SIZE 54 /* sizeof(struct ccid_descriptor) */

static_assert(FFSBLOB_DESCS_SIZE >= 16 + USBDESC_MAX_CONFIG, "head, and descriptors as they came");
static_assert(FFSBLOB_STRINGS_SIZE >= 16 + USBDESC_MAX_LANGS * 2 +
			USBDESC_MAX_STRINGS * FFSBLOB_MAX_TEXT +
			USBDESC_MAX_LANGS * USBDESC_MAX_STRINGS,
	"head, LANGIDs, texts, and a NUL for each string in each language");
static_assert(FFSBLOB_MAX_TEXT == USB_MAX_STRING_LEN, "cut where the kernel does");

struct build {
	struct ffsblob *blob;
	const struct usb_profile *profile;
	unsigned at;			     /* interface descriptors seen so far */
	uint32_t count;			     /* descriptors presented */
	uint8_t wanted[USBDESC_MAX_STRINGS]; /* the camera's string indices, by ordinal - 1 */
	unsigned num_wanted;
};

static void put_le32(uint8_t *at, uint32_t v)
{
	v = htole32(v);
	memcpy(at, &v, sizeof(v));
}

/* The interface whose descriptors are being walked; NULL before the first and in alternates. */
static const struct usb_interface *current(const struct build *w)
{
	const struct usb_interface *i = w->at ? &w->profile->interfaces[w->at - 1] : NULL;

	return i && !i->alternate ? i : NULL;
}

/* A camera's string index -> the ordinal that the strings blob gives it, 0 if there is no such
 * text. A string that has a text is one of usb_profile.strings, so that `wanted` has room for all.
 */
static uint8_t ordinal(struct build *w, uint8_t index)
{
	unsigned i = 0;

	if (!usbdesc_text(w->profile, index, 0))
		return 0;
	while (i < w->num_wanted && w->wanted[i] != index)
		i++;
	if (i == w->num_wanted)
		w->wanted[w->num_wanted++] = index;
	return (uint8_t)(i + 1);
}

static bool keep(struct build *w, const void *descriptor, size_t size)
{
	memcpy(w->blob->descs + w->blob->descs_size, descriptor, size);
	w->blob->descs_size += size;
	w->count++;
	return true;
}

static bool put_interface(struct build *w, const uint8_t *d)
{
	struct usb_interface_descriptor out;
	const struct usb_interface *i;

	w->at++;
	i = current(w);
	if (!i)
		return false;
	memcpy(&out, d, sizeof(out));
	out.bInterfaceNumber = i->logical;
	out.bNumEndpoints = i->num_endpoints;
	out.iInterface = ordinal(w, i->string);
	return keep(w, &out, sizeof(out));
}

/* The address may stay: FunctionFS gives out its own, in this order (usb_ep_autoconfig). */
static bool put_endpoint(struct build *w, const uint8_t *d)
{
	struct usb_endpoint_descriptor out;
	uint8_t size = d[0] < USB_DT_ENDPOINT_AUDIO_SIZE ? USB_DT_ENDPOINT_SIZE
							 : USB_DT_ENDPOINT_AUDIO_SIZE;

	memcpy(&out, d, size);
	out.bLength = size;
	/* One of packet size 0 is not among the profile's (usbdesc_config). */
	if (!current(w) || !(le16toh(out.wMaxPacketSize) & 0x7ff))
		return false;
	return keep(w, &out, size);
}

/* Kernel 6.1's rule; it goes by the class of the interface before it. */
static bool put_functional(struct build *w, const uint8_t *d)
{
	const struct usb_interface *i = current(w);

	if (i &&
		((i->class == USB_CLASS_HID && d[0] == HID_SIZE) ||
			(i->class == USB_CLASS_CSCID && d[0] == CCID_SIZE)))
		return keep(w, d, d[0]);
	return false;
}

static int logical(const struct usb_profile *p, int number)
{
	for (unsigned i = 0; i < p->num_interfaces; i++)
		if (p->interfaces[i].number == number)
			return p->interfaces[i].logical;
	return -1;
}

/* The kernel passes bFirstInterface on as it is; the logical numbers are those of the phone. */
static bool put_association(struct build *w, const uint8_t *d)
{
	struct usb_interface_assoc_descriptor out;
	int camera_first, first;

	if (d[0] != sizeof(out))
		return false;
	memcpy(&out, d, sizeof(out));
	camera_first = out.bFirstInterface;
	first = logical(w->profile, camera_first);
	if (first < 0)
		return false;
	for (int i = 1; i < out.bInterfaceCount; i++)
		if (logical(w->profile, camera_first + i) != first + i)
			return false;
	out.bFirstInterface = (uint8_t)first;
	out.iFunction = ordinal(w, out.iFunction);
	return keep(w, &out, sizeof(out));
}

static bool put_descriptor(struct build *w, const uint8_t *d)
{
	switch (d[1]) {
	case USB_DT_INTERFACE:
		return put_interface(w, d);
	case USB_DT_ENDPOINT:
		return put_endpoint(w, d);
	case DT_FUNCTIONAL:
		return put_functional(w, d);
	case USB_DT_INTERFACE_ASSOCIATION:
		return put_association(w, d);
	default: /* the kernel refuses them, or takes their place itself (OTG, SuperSpeed) */
		return false;
	}
}

static void build_descs(struct build *w)
{
	const struct usb_profile *p = w->profile;
	struct ffsblob *b = w->blob;
	uint32_t speed =
		p->speed == USB_SPEED_HIGH ? FUNCTIONFS_HAS_HS_DESC : FUNCTIONFS_HAS_FS_DESC;

	b->descs_size = sizeof(struct usb_functionfs_descs_head_v2) + 4;
	for (const uint8_t *d = p->config + p->config[0]; d < p->config + p->config_size; d += d[0])
		if (!put_descriptor(w, d))
			b->dropped++;
	put_le32(b->descs, FUNCTIONFS_DESCRIPTORS_MAGIC_V2);
	put_le32(b->descs + 4, (uint32_t)b->descs_size);
	put_le32(b->descs + 8, speed | FUNCTIONFS_ALL_CTRL_RECIP);
	put_le32(b->descs + 12, w->count);
}

/* Appends one language; nothing and false if it has none of the strings. What it lacks is an empty
 * text, which the kernel presents as an empty string descriptor. */
static bool put_lang(struct build *w, uint16_t lang)
{
	struct ffsblob *b = w->blob;
	uint16_t id = htole16(lang);
	uint8_t *at = b->strings + b->strings_size;
	bool any = false;

	memcpy(at, &id, sizeof(id));
	at += sizeof(id);
	for (unsigned i = 0; i < w->num_wanted; i++) {
		const char *text = usbdesc_text(w->profile, w->wanted[i], lang);
		size_t size = text ? usbdesc_text_cut(text, FFSBLOB_MAX_TEXT) : 0;

		any = any || text;
		memcpy(at, text ? text : "", size);
		at[size] = 0;
		at += size + 1;
	}
	if (any)
		b->strings_size = (size_t)(at - b->strings);
	return any;
}

static void build_strings(struct build *w)
{
	struct ffsblob *b = w->blob;
	uint32_t langs = 0;

	b->strings_size = sizeof(struct usb_functionfs_strings_head);
	for (unsigned i = 0; i < w->profile->num_langs; i++)
		langs += put_lang(w, w->profile->langs[i]);
	put_le32(b->strings, FUNCTIONFS_STRINGS_MAGIC);
	put_le32(b->strings + 4, (uint32_t)b->strings_size);
	put_le32(b->strings + 8, w->num_wanted);
	put_le32(b->strings + 12, langs); /* 0 exactly if no string is wanted: each has a text */
}

int ffsblob_build(struct ffsblob *b, const struct usb_profile *p)
{
	struct build w = {.blob = b, .profile = p};

	b->descs_size = b->strings_size = 0;
	b->dropped = 0;
	if (p->speed != USB_SPEED_LOW && p->speed != USB_SPEED_FULL && p->speed != USB_SPEED_HIGH)
		return -EOPNOTSUPP;
	if (!p->num_logical || p->num_logical > FFSBLOB_MAX_INTERFACES)
		return -EOPNOTSUPP;
	build_descs(&w);
	build_strings(&w);
	return 0;
}
