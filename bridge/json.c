/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/json.h"

#include <stdio.h>
#include <stdlib.h>

#include <cjson/cJSON.h>

void json_add_hex(cJSON *object, const char *name, unsigned value, int digits)
{
	char text[16];

	(void)snprintf(text, sizeof(text), "%0*x", digits, value);
	cJSON_AddStringToObject(object, name, text);
}

cJSON *json_class(uint8_t class, uint8_t subclass, uint8_t protocol)
{
	cJSON *object = cJSON_CreateObject();

	json_add_hex(object, "class", class, 2);
	json_add_hex(object, "subclass", subclass, 2);
	json_add_hex(object, "protocol", protocol, 2);
	return object;
}

bool json_print(cJSON *root)
{
	char *text = cJSON_Print(root);
	bool printed = text && puts(text) >= 0;

	free(text);
	cJSON_Delete(root);
	return printed;
}
