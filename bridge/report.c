/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/report.h"

#include <sys/resource.h>

#include <cjson/cJSON.h>

#include "bridge/client.h"
#include "bridge/json.h"
#include "bridge/log.h"
#include "bridge/phone.h"
#include "bridge/pipe.h"
#include "bridge/relay.h"
#include "gadget/ffs.h"
#include "gadget/udc.h"
#include "gadget/usbclass.h"
#include "gadget/usbdesc.h"

static void add_server(cJSON *root, const struct report *r)
{
	cJSON *server = cJSON_AddObjectToObject(root, "server");

	cJSON_AddStringToObject(server, "host", r->host);
	cJSON_AddStringToObject(server, "port", r->port);
	cJSON_AddBoolToObject(server, "encrypted", r->encrypted);
	if (!r->link)
		return;
	cJSON_AddNumberToObject(server, "rtt_us", r->link->rtt_us);
	cJSON_AddNumberToObject(server, "retransmitted", r->link->retransmitted);
}

static void add_text(cJSON *object, const char *name, const struct usb_profile *p, uint8_t index)
{
	const char *text = usbdesc_text(p, index, 0);

	cJSON_AddStringToObject(object, name, text ? text : "");
}

static void add_camera(cJSON *root, const struct report *r)
{
	const struct usb_profile *p = r->camera;
	cJSON *camera;

	if (!p)
		return;
	camera = cJSON_AddObjectToObject(root, "camera");
	cJSON_AddStringToObject(camera, "busid", r->busid);
	json_add_hex(camera, "vendor", p->vendor, 4);
	json_add_hex(camera, "product", p->product, 4);
	cJSON_AddStringToObject(camera, "speed", usb_speed_str(p->speed));
	add_text(camera, "manufacturer_name", p, p->manufacturer_string);
	add_text(camera, "product_name", p, p->product_string);
	add_text(camera, "serial", p, p->serial_string);
}

static void add_phone(cJSON *root, const struct report *r)
{
	const struct phone *phone;
	cJSON *object;

	if (!r->udc)
		return;
	phone = relay_phone(r->relay);
	object = cJSON_AddObjectToObject(root, "phone");
	cJSON_AddStringToObject(object, "udc", r->udc);
	cJSON_AddStringToObject(object, "speed", usb_speed_str(udc_speed(UDC_FOLDER, r->udc)));
	cJSON_AddBoolToObject(object, "configured", phone->configured);
	cJSON_AddBoolToObject(object, "suspended", phone->suspended);
}

static cJSON *endpoint(const struct pipe *p)
{
	cJSON *object = cJSON_CreateObject();
	int address = ffs_address(p->ffs, p->at);

	/* Before the phone has configured the camera it has none there. */
	if (address >= 0)
		json_add_hex(object, "address", (unsigned)address, 2);
	json_add_hex(object, "remote_address", p->address, 2);
	cJSON_AddStringToObject(object, "type", p->is_bulk ? "bulk" : "interrupt");
	cJSON_AddStringToObject(object, "state", pipe_state_str(p->state));
	cJSON_AddNumberToObject(object, "bytes", (double)p->bytes);
	cJSON_AddNumberToObject(object, "urbs", (double)p->urbs);
	cJSON_AddNumberToObject(object, "errors", (double)p->errors);
	cJSON_AddNumberToObject(object, "in_flight", p->urbs_out);
	return object;
}

static void add_endpoints(cJSON *root, const struct report *r)
{
	cJSON *endpoints = cJSON_AddArrayToObject(root, "endpoints");

	for (size_t i = 0; r->udc && i < relay_num_pipes(r->relay); i++)
		cJSON_AddItemToArray(endpoints, endpoint(relay_pipe(r->relay, i)));
}

char *report_write(const struct report *r)
{
	cJSON *root = cJSON_CreateObject();
	char *text;

	cJSON_AddNumberToObject(root, "version", REPORT_VERSION);
	cJSON_AddStringToObject(root, "state", r->state);
	cJSON_AddNumberToObject(root, "since_s", (double)(uint64_t)(r->since_s * 10.) / 10.);
	cJSON_AddStringToObject(root, "reason", r->reason);
	cJSON_AddStringToObject(root, "problem", r->problem);
	add_server(root, r);
	add_camera(root, r);
	add_phone(root, r);
	add_endpoints(root, r);
	text = json_text(root);
	cJSON_Delete(root);
	return text;
}

void report_log(const struct relay *relay, const struct client *client)
{
	struct rusage usage;

	for (size_t i = 0; i < relay_num_pipes(relay); i++) {
		const struct pipe *p = relay_pipe(relay, i);

		log_info(
			"endpoint 0x%02x: %llu bytes, %llu requests, %llu errors, %u in flight, %s",
			p->address, (unsigned long long)p->bytes, (unsigned long long)p->urbs,
			(unsigned long long)p->errors, p->urbs_out, pipe_state_str(p->state));
	}
	if (client)
		log_info("URBs: %u of %u", client_in_flight(client), CLIENT_MAX_URBS);
	if (!getrusage(RUSAGE_SELF, &usage))
		log_info("memory %ld KiB at most, CPU %ld.%02ld s user, %ld.%02ld s system",
			usage.ru_maxrss, (long)usage.ru_utime.tv_sec,
			(long)usage.ru_utime.tv_usec / 10000, (long)usage.ru_stime.tv_sec,
			(long)usage.ru_stime.tv_usec / 10000);
}
