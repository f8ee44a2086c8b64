/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/list.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#ifdef HAVE_HWDB
#include <systemd/sd-hwdb.h>
#endif

#include "bridge/devlist.h"
#include "bridge/json.h"
#include "bridge/log.h"
#include "bridge/lookup.h"
#include "bridge/tls_context.h"
#include "gadget/usbclass.h"
#include "gadget/usbdesc.h"

#define TIMEOUT_MS 10000 /* without a byte from the server */

bool list_parse_server(const char *server, char host[256], char port[8])
{
	const char *colon = strrchr(server, ':');
	size_t len = colon ? (size_t)(colon - server) : strlen(server);

	strcpy(port, USBIP_PORT);
	if (*server == '[') { /* [ADDRESS] or [ADDRESS]:PORT */
		const char *bracket = strchr(server, ']');

		if (!bracket || (bracket[1] && bracket[1] != ':'))
			return false;
		colon = bracket[1] ? bracket + 1 : NULL;
		len = (size_t)(bracket - ++server);
	} else if (colon && strchr(server, ':') != colon) { /* a bare IPv6 address */
		colon = NULL;
		len = strlen(server);
	}
	if (!len || len > 255)
		return false;
	memcpy(host, server, len);
	host[len] = 0;
	if (!colon)
		return true;
	/* getaddrinfo would take any number, modulo 65536. */
	if (strspn(colon + 1, "0123456789") != strlen(colon + 1) || strlen(colon + 1) > 5 ||
		atoi(colon + 1) < 1 || atoi(colon + 1) > 65535)
		return false;
	strcpy(port, colon + 1);
	return true;
}

/* ---- names ---- */

static const char *class_name(const struct devlist_entry *entry)
{
	uint8_t class = entry->device.class;

	/* 0 says: look at the interfaces; so does 0xef, of composite devices. A stock server knows
	 * none of a device that is not configured. */
	if ((!class || class == 0xef) && entry->device.num_interfaces)
		class = entry->interfaces[0].class;
	return usb_class_str(class);
}

/* A list has no product string; what there is is udev's database of ids. */
struct product {
	char vendor[128], model[128];
};

static void look_up(const struct usbip_device *d, struct product *out)
{
	memset(out, 0, sizeof(*out));
#ifdef HAVE_HWDB
	char modalias[32];
	const char *value;
	sd_hwdb *hwdb;

	if (sd_hwdb_new(&hwdb) < 0)
		return;
	(void)snprintf(modalias, sizeof(modalias), "usb:v%04Xp%04X", d->vendor, d->product);
	if (sd_hwdb_get(hwdb, modalias, "ID_VENDOR_FROM_DATABASE", &value) >= 0)
		(void)snprintf(out->vendor, sizeof(out->vendor), "%s", value);
	if (sd_hwdb_get(hwdb, modalias, "ID_MODEL_FROM_DATABASE", &value) >= 0)
		(void)snprintf(out->model, sizeof(out->model), "%s", value);
	sd_hwdb_unref(hwdb);
#else
	(void)d;
#endif
}

/* ---- output ---- */

const char *list_line(const struct devlist_entry *entry, char *out, size_t size)
{
	const struct usbip_device *d = &entry->device;
	struct product product;

	look_up(d, &product);
	(void)snprintf(out, size, "%-10s %04x:%04x  %-6s  %-15s %s%s%s", d->busid, d->vendor,
		d->product, usb_speed_str((enum usb_device_speed)d->speed), class_name(entry),
		product.vendor, *product.vendor && *product.model ? " " : "", product.model);
	return out;
}

void list_print(const struct devlist *list, const char *indent)
{
	char line[LIST_MAX_LINE];

	for (unsigned i = 0; i < list->total; i++)
		printf("%s%s\n", indent, list_line(&list->entries[i], line, sizeof(line)));
}

static cJSON *device_json(const struct devlist_entry *entry)
{
	const struct usbip_device *d = &entry->device;
	cJSON *object = json_class(d->class, d->subclass, d->protocol);
	cJSON *interfaces = cJSON_AddArrayToObject(object, "interfaces");
	struct product product;

	look_up(d, &product);
	cJSON_AddStringToObject(object, "busid", d->busid);
	json_add_hex(object, "vendor", d->vendor, 4);
	json_add_hex(object, "product", d->product, 4);
	cJSON_AddStringToObject(object, "speed", usb_speed_str((enum usb_device_speed)d->speed));
	cJSON_AddStringToObject(object, "class_name", class_name(entry));
	cJSON_AddStringToObject(object, "vendor_name", product.vendor);
	cJSON_AddStringToObject(object, "product_name", product.model);
	for (unsigned i = 0; i < d->num_interfaces; i++)
		cJSON_AddItemToArray(interfaces,
			json_class(entry->interfaces[i].class, entry->interfaces[i].subclass,
				entry->interfaces[i].protocol));
	return object;
}

cJSON *list_json(const struct devlist *list)
{
	cJSON *devices = cJSON_CreateArray();

	for (unsigned i = 0; i < list->total; i++)
		cJSON_AddItemToArray(devices, device_json(&list->entries[i]));
	return devices;
}

static bool print_json(const struct devlist *list)
{
	cJSON *root = cJSON_CreateObject();

	cJSON_AddItemToObject(root, "devices", list_json(list));
	return json_print(root);
}

/* ---- asking ---- */

/* 1 or -errno. */
static int wait_for(struct devlist *list, const char **why)
{
	int r;

	do {
		struct pollfd fd = {.fd = devlist_fd(list), .events = devlist_events(list)};
		int n = poll(&fd, 1, TIMEOUT_MS);

		if (n == 0) {
			*why = "no answer";
			return -ETIMEDOUT;
		}
		if (n < 0 && errno != EINTR) {
			*why = strerror(errno);
			return -errno;
		}
		r = devlist_dispatch(list, why);
	} while (!r);
	return r;
}

static int secure(struct conn *conn, const struct pairingkey *key, const char **why)
{
	struct tls_context *context;
	int r = tls_context_new(TLS_CLIENT, key, tls_cpu_has_aes(), &context);

	if (!r) {
		r = conn_secure(conn, context);
		tls_context_free(context);
	}
	if (r)
		*why = strerror(-r);
	return r;
}

int list_fetch(struct devlist *list, const char *host, const char *port,
	const struct pairingkey *key, const char **why)
{
	struct addrinfo *addresses = lookup(host, port, why);
	struct conn conn;
	int r;

	if (!addresses)
		return -EHOSTUNREACH;
	r = conn_start(&conn, addresses, 0, why);
	if (!r && key)
		r = secure(&conn, key, why);
	if (r) {
		conn_close(&conn);
		return r;
	}
	devlist_init(list, &conn);
	r = wait_for(list, why);
	if (r > 0)
		return 0;
	devlist_fini(list);
	return r;
}

int list_run(const char *server, const struct pairingkey *key, bool json)
{
	char host[256], port[8];
	struct devlist list;
	const char *why;
	bool printed = true;
	int r;

	if (!list_parse_server(server, host, port)) {
		log_error("'%s' is no server; allowed: HOST, HOST:PORT, [ADDRESS]:PORT", server);
		return 2;
	}
	r = list_fetch(&list, host, port, key, &why);
	if (!r) {
		if (json)
			printed = print_json(&list);
		else
			list_print(&list, "");
		devlist_fini(&list);
	}
	if (r < 0)
		log_error("server %s port %s: %s", host, port, why);
	else if (!printed || fflush(stdout))
		log_error("the list cannot be written");
	return r < 0 || !printed || ferror(stdout);
}
