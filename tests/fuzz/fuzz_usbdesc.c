/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_usbdesc: one input is all that a camera says; what usbdesc accepts of it is judged
 * by fit, and becomes blobs.
 *
 * Input: the speed, 1 byte; then blocks, each with its size before it: device descriptor (size of 1
 * byte), configuration (2, little-endian), string descriptor 0 (1); and strings to the end: index,
 * position of the language, size, the descriptor.
 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gadget/ffsblob.h"
#include "gadget/usbdesc.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/descrules.h"

/* The next `size` bytes or what is left of them, in a copy of just that size. */
static uint8_t *take(struct input *in, size_t *size)
{
	uint8_t *copy;

	if (*size > in->left)
		*size = in->left;
	copy = malloc(*size ? *size : 1);
	require(copy);
	if (*size) {
		memcpy(copy, in->at, *size);
		in->at += *size;
		in->left -= *size;
	}
	return copy;
}

static void must(const char *broken)
{
	if (!broken)
		return;
	fprintf(stderr, "broken: %s\n", broken);
	abort();
}

static void check_result(int r, const char *why)
{
	must(r == 0 || r == -EPROTO || r == -ENOSPC ? NULL : "an error of the contract");
	must(r && !strlen(why) ? "a reason" : NULL);
}

static int read_device(struct usb_profile *p, struct input *in)
{
	enum usb_device_speed speed = (enum usb_device_speed)(byte(in) % 8);
	size_t size = byte(in);
	uint8_t *buf = take(in, &size);
	const char *why = "";
	int r = usbdesc_device(p, speed, buf, size, &why);

	check_result(r, why);
	free(buf);
	return r;
}

static void read_config(struct usb_profile *p, struct input *in)
{
	size_t low = byte(in), size = low | (size_t)byte(in) << 8;
	uint8_t *buf = take(in, &size);
	size_t total = usbdesc_config_size(buf, size);
	const char *why = "";
	int r = usbdesc_config(p, buf, size, &why);

	check_result(r, why);
	must(!r && (total > size || p->config_size != total) ? "wTotalLength" : NULL);
	must(r && (p->config_size || p->num_interfaces) ? "nothing of what is refused" : NULL);
	must(!r && memcmp(p->config, buf, p->config_size) ? "the configuration as it came" : NULL);
	free(buf);
}

static void read_strings(struct usb_profile *p, struct input *in)
{
	size_t size = byte(in);
	uint8_t *buf = take(in, &size);
	const char *why = "";
	int r = usbdesc_langs(p, buf, size, &why);

	check_result(r, why);
	free(buf);
	while (in->left) {
		uint8_t index = byte(in), lang = byte(in);

		size = byte(in);
		buf = take(in, &size);
		why = "";
		r = usbdesc_string(p, index, p->langs[lang % USBDESC_MAX_LANGS], buf, size, &why);
		check_result(r, why);
		free(buf);
	}
}

static void check_indices(const struct usb_profile *p)
{
	uint8_t indices[255];
	size_t n = usbdesc_string_indices(p, indices, sizeof(indices));

	for (size_t i = 0; i < n; i++)
		must(indices[i] > (i ? indices[i - 1] : 0) ? NULL : "ascending indices");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	struct usb_profile *p = malloc(sizeof(*p));
	struct ffsblob *b = malloc(sizeof(*b));

	require(p && b);
	if (!read_device(p, &in)) {
		read_config(p, &in);
		read_strings(p, &in);
		must(descrules_profile(p));
		must(descrules_fit(p));
		check_indices(p);
		if (!ffsblob_build(b, p))
			must(descrules_blob(b, p));
		else
			must(b->descs_size || b->strings_size ? "no blobs" : NULL);
	}
	free(p);
	free(b);
	return 0;
}
