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

/* cJSON escapes C0 alone (print_string_ptr). DEL and C1, U+0080 to U+009F, could be meant for the
 * terminal as well; escaped they are the same string to whoever parses it. */
static bool print_escaped(const char *text)
{
	for (const uint8_t *at = (const uint8_t *)text; *at; at++) {
		if (*at == 0xc2 && at[1] >= 0x80 && at[1] < 0xa0)
			printf("\\u%04x", *++at);
		else if (*at == 0x7f)
			printf("\\u%04x", *at);
		else
			(void)putchar(*at);
	}
	return putchar('\n') != EOF;
}

bool json_print(cJSON *root)
{
	char *text = cJSON_Print(root);
	bool printed = text && print_escaped(text);

	free(text);
	cJSON_Delete(root);
	return printed;
}
