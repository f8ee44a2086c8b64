/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gadget/ffsblob.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <string.h>
#include <linux/usb/functionfs.h>

#include "gadget/usbdesc.h"

#define DT_FUNCTIONAL (USB_TYPE_CLASS | 0x01)
#define HID_SIZE 9   /* sizeof(struct hid_descriptor): one report descriptor */
#define CCID_SIZE 54 /* sizeof(struct ccid_descriptor) */

static_assert(FFSBLOB_DESCS_SIZE >= 20 + 2 * USBDESC_MAX_CONFIG,
	"head, and descriptors as they came, for two speeds");
static_assert(FFSBLOB_STRINGS_SIZE >= 16 + USBDESC_MAX_LANGS * 2 +
			USBDESC_MAX_STRINGS * FFSBLOB_MAX_TEXT +
			USBDESC_MAX_LANGS * USBDESC_MAX_STRINGS,
	"head, LANGIDs, texts, and a NUL for each string in each language");
static_assert(FFSBLOB_MAX_TEXT == USB_MAX_STRING_LEN, "cut where the kernel does");

struct build {
	struct ffsblob *blob;
	const struct usb_profile *profile;
	unsigned at;			     /* interface descriptors seen so far */
	enum usb_device_speed speed;	     /* at the phone, of the descriptors being written */
	uint32_t count;			     /* of them */
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

/* What an endpoint of a faster camera is at this speed (USB 2.0, 5.7.3, 5.8.3 and table 9-13). */
static void slow_down(const struct build *w, struct usb_endpoint_descriptor *d)
{
	bool is_interrupt = (d->bmAttributes & USB_ENDPOINT_XFERTYPE_MASK) == USB_ENDPOINT_XFER_INT;
	uint16_t size = (uint16_t)usb_endpoint_maxp(d);
	uint16_t most = w->speed == USB_SPEED_FULL ? 64 : is_interrupt ? 1024 : 512;

	if (w->speed >= w->profile->speed || w->profile->speed == USB_SPEED_LOW)
		return;
	d->wMaxPacketSize = htole16(size < most ? size : most);
	/* 2^(bInterval-1) microframes, which is the same at SuperSpeed, as frames. */
	if (w->speed == USB_SPEED_FULL && is_interrupt)
		d->bInterval = (uint8_t)(d->bInterval > 11 ? 255
				: d->bInterval > 4	   ? 1 << (d->bInterval - 4)
							   : 1);
	else if (w->speed == USB_SPEED_FULL)
		d->bInterval = 0;
}

/* The address may stay: FunctionFS gives out its own, in this order (usb_ep_autoconfig). */
static bool put_endpoint(struct build *w, const uint8_t *d)
{
	struct usb_endpoint_descriptor out;
	uint8_t size = d[0] < USB_DT_ENDPOINT_AUDIO_SIZE ? USB_DT_ENDPOINT_SIZE
							 : USB_DT_ENDPOINT_AUDIO_SIZE;

	memcpy(&out, d, size);
	out.bLength = size;
	/* The isochronous are not among the profile's (usbdesc_config). */
	if (!current(w) ||
		(out.bmAttributes & USB_ENDPOINT_XFERTYPE_MASK) == USB_ENDPOINT_XFER_ISOC)
		return false;
	slow_down(w, &out);
	return keep(w, &out, size);
}

/* Kernel 6.1's rule; it goes by the class of the interface before it. */
bool ffsblob_keeps_class(const struct usb_interface *i, const uint8_t *d)
{
	return d[1] == DT_FUNCTIONAL &&
		((i->class == USB_CLASS_HID && d[0] == HID_SIZE) ||
			(i->class == USB_CLASS_CSCID && d[0] == CCID_SIZE));
}

static bool put_functional(struct build *w, const uint8_t *d)
{
	const struct usb_interface *i = current(w);

	return i && ffsblob_keeps_class(i, d) && keep(w, d, d[0]);
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

/* All descriptors of one speed; their number. */
static uint32_t build_speed(struct build *w, enum usb_device_speed speed)
{
	const struct usb_profile *p = w->profile;

	w->speed = speed;
	w->at = w->count = w->blob->dropped = 0;
	for (const uint8_t *d = p->config + p->config[0]; d < p->config + p->config_size; d += d[0])
		if (!put_descriptor(w, d))
			w->blob->dropped++;
	return w->count;
}

/* The kernel wants the same endpoints at each speed, in the same order (__ffs_data_do_entity). */
static void build_descs(struct build *w)
{
	struct ffsblob *b = w->blob;
	bool fast = w->profile->speed >= USB_SPEED_HIGH;
	uint32_t flags = FUNCTIONFS_HAS_FS_DESC | (fast ? FUNCTIONFS_HAS_HS_DESC : 0);

	b->descs_size = sizeof(struct usb_functionfs_descs_head_v2) + (fast ? 8 : 4);
	put_le32(b->descs + 12, build_speed(w, USB_SPEED_FULL));
	if (fast)
		put_le32(b->descs + 16, build_speed(w, USB_SPEED_HIGH));
	put_le32(b->descs, FUNCTIONFS_DESCRIPTORS_MAGIC_V2);
	put_le32(b->descs + 4, (uint32_t)b->descs_size);
	put_le32(b->descs + 8, flags | FUNCTIONFS_ALL_CTRL_RECIP);
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
	if (p->speed == USB_SPEED_UNKNOWN)
		return -EOPNOTSUPP;
	if (!p->num_logical || p->num_logical > FFSBLOB_MAX_INTERFACES)
		return -EOPNOTSUPP;
	build_descs(&w);
	build_strings(&w);
	return 0;
}
