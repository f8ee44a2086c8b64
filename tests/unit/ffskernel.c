/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/ffskernel.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <linux/usb/ch9.h>
#include <linux/usb/functionfs.h>

static uint32_t le16(const uint8_t *at)
{
	return (uint32_t)at[0] | (uint32_t)at[1] << 8;
}

static uint32_t le32(const uint8_t *at)
{
	return le16(at) | le16(at + 2) << 16;
}

static int string_entity(struct ffskernel *k, uint8_t ordinal)
{
	if (ordinal > k->strings_count)
		k->strings_count = ordinal;
	return 0;
}

/* __ffs_data_do_entity, FFS_ENDPOINT */
static int endpoint_entity(struct ffskernel *k, uint8_t address)
{
	if (!(address & USB_ENDPOINT_NUMBER_MASK))
		return -EINVAL;
	if (++k->eps_count >= FFSKERNEL_MAX_EPS)
		return -EINVAL;
	/* The first speed makes the map, the others have to fit it. */
	if (k->slow_descs && k->addresses[k->eps_count] != address)
		return -EINVAL;
	k->addresses[k->eps_count] = address;
	return 0;
}

/* ffs_do_single_desc: the descriptor's length or -EINVAL */
static int single_desc(struct ffskernel *k, const uint8_t *d, size_t len, int *current_class)
{
	size_t length, want;
	int r = 0;

	if (len < 2 || len < d[0])
		return -EINVAL;
	length = d[0];
	switch (d[1]) {
	case USB_DT_INTERFACE:
		if (length != 9)
			return -EINVAL;
		if (d[2] >= k->interfaces_count)
			k->interfaces_count = d[2] + 1u;
		r = string_entity(k, d[8]);
		*current_class = d[5];
		break;
	case USB_DT_ENDPOINT:
		if (length != 7 && length != 9)
			return -EINVAL;
		r = endpoint_entity(k, d[2]);
		break;
	case 0x21:
		want = *current_class == 0x03 ? 9 : *current_class == 0x0b ? 54 : 256;
		if (length != want)
			return -EINVAL;
		break;
	case USB_DT_OTG:
		if (length != 3)
			return -EINVAL;
		break;
	case USB_DT_INTERFACE_ASSOCIATION:
		if (length != 8)
			return -EINVAL;
		r = string_entity(k, d[7]);
		break;
	case USB_DT_SS_ENDPOINT_COMP:
		if (length != 6)
			return -EINVAL;
		break;
	default:
		return -EINVAL;
	}
	return r ? r : (int)length;
}

/* ffs_do_descs: the bytes that `count` descriptors take or -EINVAL */
static int do_descs(struct ffskernel *k, uint32_t count, const uint8_t *data, size_t len)
{
	int current_class = -1;
	int total = 0;

	while (count--) {
		int r = single_desc(k, data + total, len - (size_t)total, &current_class);

		if (r < 0)
			return r;
		total += r;
	}
	return total;
}

/* The descriptors of one speed. */
static int speed_descs(struct ffskernel *k, uint32_t count, const uint8_t *data, size_t len)
{
	unsigned interfaces = k->interfaces_count, eps = k->eps_count;
	int r;

	k->slow_descs = k->descs;
	k->slow_size = k->descs_size;
	k->interfaces_count = k->eps_count = 0;
	r = do_descs(k, count, data, len);
	if (r < 0)
		return r;
	if (k->slow_descs && (k->interfaces_count != interfaces || k->eps_count != eps))
		return -EINVAL;
	k->descs = data;
	k->descs_size = (size_t)r;
	return r;
}

/* ffs_ep0_write and __ffs_data_got_descs. SuperSpeed, three sets and OS descriptors are not
 * modelled, and refused with -ENOSYS. */
int ffskernel_descs(struct ffskernel *k, const uint8_t *data, size_t len)
{
	size_t at = 12;
	uint32_t speeds;

	memset(k, 0, sizeof(*k));
	if (len < 16 || le32(data + 4) != len || le32(data) != FUNCTIONFS_DESCRIPTORS_MAGIC_V2)
		return -EINVAL;
	k->flags = le32(data + 8);
	speeds = k->flags & 7;
	if (k->flags & ~(3u | FUNCTIONFS_ALL_CTRL_RECIP))
		return -ENOSYS;
	for (unsigned i = 0; i < 3; i++) {
		if (!(speeds & 1u << i))
			continue;
		if (len - at < 4)
			return -EINVAL;
		k->counts[i] = le32(data + at);
		at += 4;
	}
	for (unsigned i = 0; i < 3; i++) {
		int r = k->counts[i] ? speed_descs(k, k->counts[i], data + at, len - at) : 0;

		if (r < 0)
			return r;
		at += (size_t)r;
	}
	return k->descs_size && at == len ? 0 : -EINVAL;
}

/* __ffs_data_got_strings */
int ffskernel_strings(struct ffskernel *k, const uint8_t *data, size_t len)
{
	if (len < 16 || le32(data) != FUNCTIONFS_STRINGS_MAGIC || le32(data + 4) != len)
		return -EINVAL;
	k->str_count = le32(data + 8);
	k->lang_count = le32(data + 12);
	if (!k->str_count != !k->lang_count || k->str_count < k->strings_count)
		return -EINVAL;
	/* The kernel looks no further, so that anything might follow: here it may not. */
	if (!k->strings_count)
		return k->str_count || len != 16 ? -EBADMSG : 0;
	data += 16;
	len -= 16;
	k->strings = data;
	k->strings_size = len;
	for (uint32_t l = 0; l < k->lang_count; l++) {
		if (len < 3)
			return -EINVAL;
		data += 2;
		len -= 2;
		for (uint32_t s = 0; s < k->str_count; s++) {
			size_t length = strnlen((const char *)data, len);

			if (length == len)
				return -EINVAL;
			data += length + 1;
			len -= length + 1;
		}
	}
	return len ? -EINVAL : 0;
}

/* __ffs_func_bind_do_descs and __ffs_func_bind_do_nums */
int ffskernel_bind(struct ffskernel *k)
{
	int next_interface_id = 0;

	if (!(k->counts[0] || k->counts[1] || k->counts[2]))
		return -ENOTSUP;
	for (unsigned i = 1; i <= k->eps_count; i++)
		for (unsigned j = 1; j < i; j++)
			if (k->addresses[i] == k->addresses[j])
				return -EINVAL; /* "two %sspeed descriptors for EP" */
	memset(k->interfaces_nums, 0xff, sizeof(k->interfaces_nums));
	for (const uint8_t *d = k->descs; d < k->descs + k->descs_size; d += d[0])
		if (d[1] == USB_DT_INTERFACE && k->interfaces_nums[d[2]] < 0) {
			if (next_interface_id == 16) /* MAX_CONFIG_INTERFACES */
				return -ENODEV;	     /* usb_interface_id */
			k->interfaces_nums[d[2]] = next_interface_id++;
		}
	return 0;
}

/* utf8_to_utf32: bytes taken or -EINVAL */
static int get_utf8(const uint8_t *s, int len, uint32_t *c)
{
	static const struct {
		uint8_t mask, value;
		uint32_t least;
	} kinds[] = {
		{0x80, 0x00, 0}, {0xe0, 0xc0, 0x80}, {0xf0, 0xe0, 0x800}, {0xf8, 0xf0, 0x10000}};

	for (int k = 0; k < 4; k++) {
		if ((s[0] & kinds[k].mask) != kinds[k].value)
			continue;
		if (len <= k)
			return -EINVAL;
		*c = s[0] & (uint8_t)~kinds[k].mask;
		for (int i = 1; i <= k; i++) {
			if ((s[i] & 0xc0) != 0x80)
				return -EINVAL;
			*c = *c << 6 | (s[i] & 0x3f);
		}
		return *c < kinds[k].least || *c > 0x10ffff || (*c & ~0x7ffu) == 0xd800 ? -EINVAL
											: k + 1;
	}
	return -EINVAL;
}

/* usb_gadget_get_string and utf8s_to_utf16s */
static int to_utf16(const uint8_t *s, uint16_t out[126])
{
	int len = (int)strnlen((const char *)s, USB_MAX_STRING_LEN);
	int n = 0;
	uint32_t c;

	while (len > 0 && n < 126 && *s) {
		int size = get_utf8(s, len, &c);

		if (size < 0)
			return -EINVAL;
		s += size;
		len -= size;
		if (c < 0x10000) {
			out[n++] = (uint16_t)c;
		} else if (n < 125) {
			out[n++] = (uint16_t)(0xd800 | ((c - 0x10000) >> 10));
			out[n++] = (uint16_t)(0xdc00 | (c & 0x3ff));
		} else {
			break;
		}
	}
	return n;
}

/* lookup_string */
int ffskernel_get_string(
	const struct ffskernel *k, uint16_t lang, unsigned ordinal, uint16_t out[126])
{
	const uint8_t *at = k->strings;

	for (uint32_t l = 0; k->strings_count && l < k->lang_count; l++) {
		bool it = le16(at) == lang;

		at += 2;
		for (uint32_t s = 1; s <= k->str_count; s++) {
			if (it && s == ordinal)
				return to_utf16(at, out);
			at += strlen((const char *)at) + 1;
		}
	}
	return -EINVAL;
}
