/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Events on their way to the interrupt endpoint (PIMA 15740:2000, 12; USB Still Image Capture
 * Device Definition 1.0, 7.3.1), one at a time, in order. */
#ifndef CAMERA_EVENTS_H
#define CAMERA_EVENTS_H

#include <stdint.h>

enum {
	EVENT_OBJECT_ADDED = 0x4002,
	EVENT_DEVICE_PROP_CHANGED = 0x4006,
	EVENT_CAPTURE_COMPLETE = 0x400d,
};

#define EVENT_NO_TRANSACTION 0xffffffffu

/* Events are for a session: those that nobody has fetched go with it. */
void events_begin(void);
void events_send(uint16_t code, uint32_t transaction, uint32_t param);
/* A thread: carries them out to this endpoint file. */
void *events_serve(void *file);

#endif
