/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataset.h"

#include <err.h>
#include <string.h>

void dataset_put(struct dataset *d, const void *bytes, size_t size)
{
	if (size > sizeof(d->bytes) - d->size)
		errx(1, "a dataset of more than %zu bytes", sizeof(d->bytes));
	memcpy(d->bytes + d->size, bytes, size);
	d->size += size;
}

static void put(struct dataset *d, uint64_t value, size_t size)
{
	uint8_t bytes[8];

	for (size_t i = 0; i < size; i++)
		bytes[i] = (uint8_t)(value >> (8 * i));
	dataset_put(d, bytes, size);
}

void dataset_put_u8(struct dataset *d, uint8_t value)
{
	put(d, value, 1);
}

void dataset_put_u16(struct dataset *d, uint16_t value)
{
	put(d, value, 2);
}

void dataset_put_u32(struct dataset *d, uint32_t value)
{
	put(d, value, 4);
}

void dataset_put_u64(struct dataset *d, uint64_t value)
{
	put(d, value, 8);
}

void dataset_put_u16s(struct dataset *d, const uint16_t *values, size_t count)
{
	dataset_put_u32(d, (uint32_t)count);
	for (size_t i = 0; i < count; i++)
		dataset_put_u16(d, values[i]);
}

void dataset_put_string(struct dataset *d, const char *text)
{
	size_t length = strlen(text);

	/* The count includes the terminating null; an empty string is the count 0 alone. */
	dataset_put_u8(d, (uint8_t)(length ? length + 1 : 0));
	for (size_t i = 0; length && i <= length; i++)
		dataset_put_u16(d, (uint8_t)text[i]);
}
