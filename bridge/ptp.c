/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/ptp.h"

#include <string.h>

void ptp_open_session(uint8_t out[PTP_ONE_PARAMETER], uint32_t id)
{
	const uint8_t command[PTP_ONE_PARAMETER] = {PTP_ONE_PARAMETER, 0, 0, 0, PTP_COMMAND, 0,
		PTP_OPEN_SESSION & 0xff, PTP_OPEN_SESSION >> 8, 0, 0, 0, 0, (uint8_t)id,
		(uint8_t)(id >> 8), (uint8_t)(id >> 16), (uint8_t)(id >> 24)};

	memcpy(out, command, sizeof(command));
}
