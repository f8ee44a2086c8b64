/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
static void escape(const char *text, char *out)
{
	for (const uint8_t *at = (const uint8_t *)text; *at; at++) {
		if (*at == 0xc2 && at[1] >= 0x80 && at[1] < 0xa0)
			out += sprintf(out, "\\u%04x", *++at);
		else if (*at == 0x7f)
			out += sprintf(out, "\\u%04x", *at);
		else
			*out++ = (char)*at;
	}
	*out++ = '\n';
	*out = 0;
}

char *json_text(const cJSON *root)
{
	char *text = cJSON_Print(root);
	char *escaped = text ? malloc(6 * strlen(text) + 2) : NULL;

	if (escaped)
		escape(text, escaped);
	free(text);
	return escaped;
}

bool json_print(cJSON *root)
{
	char *text = json_text(root);
	bool printed = text && fputs(text, stdout) >= 0;

	free(text);
	cJSON_Delete(root);
	return printed;
}
