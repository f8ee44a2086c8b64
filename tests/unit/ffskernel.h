/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ffskernel: what Linux 6.1 does with FunctionFS's two blobs, from ep0's write to what a phone
 * reads.
 *
 * Written from drivers/usb/gadget/function/f_fs.c, drivers/usb/gadget/usbstring.c and
 * fs/nls/nls_base.c; each function names its models. The blobs must outlive the struct.
 */
#ifndef TESTS_UNIT_FFSKERNEL_H
#define TESTS_UNIT_FFSKERNEL_H

#include <stddef.h>
#include <stdint.h>

#define FFSKERNEL_MAX_EPS 31 /* FFS_MAX_EPS_COUNT; endpoints count from 1 */

struct ffskernel {
	uint32_t flags;
	uint32_t counts[3];   /* of full, high, super speed */
	const uint8_t *descs; /* of the fastest of them */
	size_t descs_size;
	const uint8_t *slow_descs; /* of full speed, when that is not the fastest, or NULL */
	size_t slow_size;
	unsigned interfaces_count, eps_count, strings_count;
	uint8_t addresses[FFSKERNEL_MAX_EPS];
	int interfaces_nums[256]; /* set by bind: the phone's number by the blob's */
	const uint8_t *strings;
	size_t strings_size;
	uint32_t str_count, lang_count;
};

/* The two writes and the bind, in this order. 0 or the kernel's -errno. */
int ffskernel_descs(struct ffskernel *k, const uint8_t *data, size_t len);
int ffskernel_strings(struct ffskernel *k, const uint8_t *data, size_t len);
int ffskernel_bind(struct ffskernel *k);

/* The UTF-16 units that a phone reads of the string with a blob's ordinal; -EINVAL is a stall. */
int ffskernel_get_string(
	const struct ffskernel *k, uint16_t lang, unsigned ordinal, uint16_t out[126]);

#endif
