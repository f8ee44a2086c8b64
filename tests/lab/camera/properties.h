/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The camera's settings (PIMA 15740:2000, 13). In its mode a higher sensitivity shortens the
 * exposure, as with automatic exposure: a change that the phone has not asked for, and is told of.
 */
#ifndef CAMERA_PROPERTIES_H
#define CAMERA_PROPERTIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dataset;

enum {
	PROPERTY_BATTERY_LEVEL = 0x5001,
	PROPERTY_EXPOSURE_TIME = 0x500d,
	PROPERTY_EXPOSURE_INDEX = 0x500f,
	PROPERTY_LIVE_VIEW_STATUS = 0xd1a2, /* Nikon's */
};

void properties_put_codes(struct dataset *d);
/* False: there is no such property. */
bool properties_put_description(struct dataset *d, uint16_t code);
bool properties_put_value(struct dataset *d, uint16_t code);
/* The size of its value in bytes; 0: there is no such property, or it may only be read. */
size_t properties_writable_size(uint16_t code);
/* Sets it without telling the phone; false: not one of its values. */
bool properties_set(uint16_t code, uint32_t value);
/* Changes it as at the camera: the phone is told. */
bool properties_change(uint16_t code, uint32_t value);

#endif
