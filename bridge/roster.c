/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/roster.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "bridge/json.h"
#include "bridge/list.h"

static struct roster_server *make_room(struct roster *r, bool listed)
{
	if (r->count < ROSTER_MAX)
		return &r->servers[r->count++];
	r->full = true;
	for (unsigned i = 0; listed && i < ROSTER_MAX; i++)
		if (!r->servers[i].listed)
			return &r->servers[i];
	return NULL;
}

void roster_add(struct roster *r, const struct roster_server *server)
{
	struct roster_server *room = make_room(r, server->listed);

	if (room) {
		*room = *server;
		r->listed += server->listed;
	} else if (server->listed) {
		struct devlist list = server->list;

		devlist_fini(&list);
	}
}

static int by_id(const void *left, const void *right)
{
	const struct roster_server *a = left, *b = right;

	return a->id < b->id ? -1 : a->id > b->id;
}

void roster_sort(struct roster *r)
{
	qsort(r->servers, r->count, sizeof(r->servers[0]), by_id);
}

void roster_fini(struct roster *r)
{
	for (unsigned i = 0; i < r->count; i++)
		if (r->servers[i].listed)
			devlist_fini(&r->servers[i].list);
	r->count = r->listed = 0;
}

/* Such as DNS has them; any other is not for a shell. */
static bool is_host_name(const char *host)
{
	return *host && *host != '-' &&
		strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-") ==
		strlen(host);
}

static void print_hint(const struct roster_server *s)
{
	const char *host = is_host_name(s->host) ? s->host : s->address;
	bool brackets = strchr(host, ':');

	printf("\nTo choose a camera: sudo ip2usb pair ");
	if (strcmp(s->port, USBIP_PORT))
		printf("%s%s%s:%s\n", brackets ? "[" : "", host, brackets ? "]" : "", s->port);
	else
		printf("%s\n", host);
}

bool roster_print(const struct roster *r)
{
	const struct roster_server *first = NULL;

	for (unsigned i = 0; i < r->count; i++) {
		const struct roster_server *s = &r->servers[i];

		printf("%s%s%s port %s%s%s\n", s->host, *s->host ? "  " : "", s->address, s->port,
			s->listed ? "" : ": ", s->listed ? "" : s->why);
		if (!s->listed)
			continue;
		list_print(&s->list, "  ");
		if (!s->list.total)
			printf("  nothing that is not in use\n");
		else if (!first)
			first = s;
	}
	if (first)
		print_hint(first);
	return !ferror(stdout);
}

bool roster_print_json(const struct roster *r)
{
	cJSON *root = cJSON_CreateArray();

	for (unsigned i = 0; i < r->count; i++) {
		const struct roster_server *s = &r->servers[i];
		cJSON *object = cJSON_CreateObject();

		cJSON_AddStringToObject(object, "address", s->address);
		cJSON_AddNumberToObject(object, "port", atoi(s->port));
		cJSON_AddItemToObject(object, "name",
			*s->host ? cJSON_CreateString(s->host) : cJSON_CreateNull());
		if (s->listed)
			cJSON_AddItemToObject(object, "devices", list_json(&s->list));
		else
			cJSON_AddStringToObject(object, "error", s->why);
		cJSON_AddItemToArray(root, object);
	}
	return json_print(root);
}
