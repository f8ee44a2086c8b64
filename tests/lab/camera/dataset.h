/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PTP's datasets as they are written (PIMA 15740:2000, 5.3), little endian as on USB. What has no
 * room any more ends the program: the room is for the largest dataset of this camera.
 */
#ifndef CAMERA_DATASET_H
#define CAMERA_DATASET_H

#include <stddef.h>
#include <stdint.h>

struct dataset {
	size_t size;
	uint8_t bytes[256 * 1024];
};

void dataset_put(struct dataset *d, const void *bytes, size_t size);
void dataset_put_u8(struct dataset *d, uint8_t value);
void dataset_put_u16(struct dataset *d, uint16_t value);
void dataset_put_u32(struct dataset *d, uint32_t value);
void dataset_put_u64(struct dataset *d, uint64_t value);
void dataset_put_u16s(struct dataset *d, const uint16_t *values, size_t count);
/* ASCII only. */
void dataset_put_string(struct dataset *d, const char *text);

#endif
