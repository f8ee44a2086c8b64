/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ptp: the bulk container of still image devices (USB Still Image Capture Device Definition 1.0,
 * "Generic Container Structure"), little endian: length (4, this header included), type (2), code
 * (2), transaction (4), payload; and the codes that are understood here (PIMA 15740, 10 and 11).
 * Pure.
 */
#ifndef BRIDGE_PTP_H
#define BRIDGE_PTP_H

#include <stdbool.h>
#include <stdint.h>

#include "bridge/bytes.h"

#define PTP_HEADER 12
#define PTP_MAX_SHORT (PTP_HEADER + 5 * 4) /* bytes of what has at most parameters */
#define PTP_ONE_PARAMETER (PTP_HEADER + 4)
#define PTP_UNBOUNDED 0xffffffffu /* MTP: a length that 32 bits cannot say */

enum ptp_type {
	PTP_COMMAND = 1,
	PTP_DATA = 2,
	PTP_RESPONSE = 3,
};

enum ptp_code {
	PTP_GET_DEVICE_INFO = 0x1001,
	PTP_OPEN_SESSION = 0x1002,
	PTP_CLOSE_SESSION = 0x1003,
	PTP_GET_STORAGE_IDS = 0x1004,
	PTP_GET_STORAGE_INFO = 0x1005,
	PTP_GET_NUM_OBJECTS = 0x1006,
	PTP_GET_OBJECT_HANDLES = 0x1007,
	PTP_GET_OBJECT_INFO = 0x1008,
	PTP_GET_OBJECT = 0x1009,
	PTP_GET_THUMB = 0x100a,
	PTP_RESET_DEVICE = 0x1010, /* closes the session too (MTP 1.1) */
	PTP_GET_DEVICE_PROP_DESC = 0x1014,
	PTP_GET_DEVICE_PROP_VALUE = 0x1015,
	PTP_GET_PARTIAL_OBJECT = 0x101b,
	MTP_GET_OBJECT_PROPS_SUPPORTED = 0x9801,
	MTP_GET_OBJECT_PROP_DESC = 0x9802,
	MTP_GET_OBJECT_PROP_VALUE = 0x9803,
	MTP_GET_OBJECT_PROP_LIST = 0x9805,
	PTP_OK = 0x2001,
	PTP_SESSION_ALREADY_OPEN = 0x201e,
};

/* OpenSession(id) as a command; of transaction 0 (PIMA 15740, 10.4.2). */
void ptp_open_session(uint8_t out[PTP_ONE_PARAMETER], uint32_t id);

/* Whether a command only asks, and may be asked twice: one of the standard's (PIMA 15740, 10.4; MTP
 * 1.1, D.2 and E) that changes nothing and has no data of the phone's; and OpenSession. */
bool ptp_is_repeatable(uint16_t code);

/* Whether what it asks for is stored in the camera, and is the same each time: where a part of two
 * answers is the same, so is the rest. */
bool ptp_is_stored(uint16_t code);

/* Of PTP_HEADER bytes. */
static inline enum ptp_type ptp_type_of(const uint8_t *container)
{
	return (enum ptp_type)bytes_le16(container + 4);
}
static inline uint16_t ptp_code_of(const uint8_t *container)
{
	return bytes_le16(container + 6);
}

/* Whether `len` bytes are a whole container of this type with at most parameters. Here, because it
 * is asked of every transfer. */
static inline bool ptp_is_short(enum ptp_type type, const uint8_t *data, uint32_t len)
{
	return len >= PTP_HEADER && len <= PTP_MAX_SHORT && bytes_le32(data) == len &&
		ptp_type_of(data) == type;
}

#endif
