/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/quick.h"

#include <stdlib.h>

bool quick_is_set(void)
{
	return getenv("IP2USB_TEST_QUICK");
}

unsigned quick_part(unsigned n, unsigned divisor)
{
	if (!quick_is_set())
		return n;
	return n > divisor ? n / divisor : 1;
}

unsigned quick_step(unsigned step)
{
	return quick_is_set() ? step : 1;
}
