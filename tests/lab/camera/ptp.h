/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The responder: PTP's transactions (PIMA 15740:2000, 9 and 10), one after the other. */
#ifndef CAMERA_PTP_H
#define CAMERA_PTP_H

#include <stdbool.h>
#include <stdint.h>

/* Releases the shutter; the transaction is that of InitiateCapture. Returns at once. */
typedef void ptp_release(uint32_t transaction);

/* Does not return. */
void ptp_serve(ptp_release *release);
/* Told by whoever takes the pictures. */
void ptp_set_busy(bool busy);

#endif
