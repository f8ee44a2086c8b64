/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/ptp.h"

#include <string.h>

bool ptp_is_repeatable(uint16_t code)
{
	switch (code) {
	case PTP_GET_DEVICE_INFO:
	case PTP_OPEN_SESSION:
	case PTP_GET_STORAGE_IDS:
	case PTP_GET_STORAGE_INFO:
	case PTP_GET_NUM_OBJECTS:
	case PTP_GET_OBJECT_HANDLES:
	case PTP_GET_OBJECT_INFO:
	case PTP_GET_OBJECT:
	case PTP_GET_THUMB:
	case PTP_GET_DEVICE_PROP_DESC:
	case PTP_GET_DEVICE_PROP_VALUE:
	case PTP_GET_PARTIAL_OBJECT:
	case MTP_GET_OBJECT_PROPS_SUPPORTED:
	case MTP_GET_OBJECT_PROP_DESC:
	case MTP_GET_OBJECT_PROP_VALUE:
	case MTP_GET_OBJECT_PROP_LIST:
		return true;
	default:
		return false;
	}
}

bool ptp_is_stored(uint16_t code)
{
	return code == PTP_GET_OBJECT || code == PTP_GET_THUMB || code == PTP_GET_PARTIAL_OBJECT;
}

void ptp_open_session(uint8_t out[PTP_ONE_PARAMETER], uint32_t id)
{
	const uint8_t command[PTP_ONE_PARAMETER] = {PTP_ONE_PARAMETER, 0, 0, 0, PTP_COMMAND, 0,
		PTP_OPEN_SESSION & 0xff, PTP_OPEN_SESSION >> 8, 0, 0, 0, 0, (uint8_t)id,
		(uint8_t)(id >> 8), (uint8_t)(id >> 16), (uint8_t)(id >> 24)};

	memcpy(out, command, sizeof(command));
}
