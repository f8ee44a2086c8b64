/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/check.h"

#include <stdio.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "bridge/board.h"
#include "bridge/boardcheck.h"
#include "bridge/config.h"
#include "bridge/json.h"
#include "bridge/log.h"
#include "bridge/namecheck.h"
#include "bridge/presentation.h"
#include "bridge/visit.h"
#include "gadget/fit.h"
#include "gadget/udc.h"
#include "gadget/usbclass.h"
#include "gadget/usbdesc.h"

/* ---- the board ---- */

/* What this machine is. The names are of the firmware's and the kernel's. */
static void describe(char out[256], const struct board *b)
{
	(void)snprintf(out, 256, "%s (%s, %u MiB), Linux %s",
		*b->model ? b->model : "a machine without a device tree", b->machine, b->memory_mib,
		b->release);
	log_clean(out, strlen(out));
}

void check_print_board(const struct board *b, const struct boardcheck *c)
{
	char line[256];

	describe(line, b);
	printf("board    %s\n", line);
	for (enum boardcheck_severity s = BOARDCHECK_PROBLEM; s <= BOARDCHECK_NOTE; s++)
		for (unsigned i = 0; i < c->num_findings; i++) {
			const struct boardcheck_finding *f = &c->findings[i];

			if (f->severity == s)
				printf("%-8s %s: %s%s%s\n", boardcheck_severity_str(s), f->about,
					f->text, *f->remedy ? "; " : "", f->remedy);
		}
}

static void add_json(
	cJSON *array, const char *severity, const char *about, const char *text, const char *remedy)
{
	cJSON *finding = cJSON_CreateObject();

	cJSON_AddStringToObject(finding, "severity", severity);
	cJSON_AddStringToObject(finding, "about", about);
	cJSON_AddStringToObject(finding, "text", text);
	if (*remedy)
		cJSON_AddStringToObject(finding, "remedy", remedy);
	else
		cJSON_AddNullToObject(finding, "remedy");
	cJSON_AddItemToArray(array, finding);
}

cJSON *check_board_json(const struct board *b, const struct boardcheck *c)
{
	cJSON *array = cJSON_CreateArray();
	char line[256];

	describe(line, b);
	add_json(array, boardcheck_severity_str(BOARDCHECK_NOTE), "board", line, "");
	for (unsigned i = 0; i < c->num_findings; i++) {
		const struct boardcheck_finding *f = &c->findings[i];

		add_json(array, boardcheck_severity_str(f->severity), f->about, f->text, f->remedy);
	}
	return array;
}

/* ---- the camera ---- */

static const char *product(const struct usb_profile *p)
{
	const char *text = usbdesc_text(p, p->product_string, 0);

	return text ? text : "";
}

/* A camera's text may be meant for the terminal rather than for its reader. */
static void print_text(const char *text)
{
	char clean[USBDESC_STRING_SIZE];

	(void)snprintf(clean, sizeof(clean), "%s", text);
	log_clean(clean, strlen(clean));
	(void)fputs(clean, stdout);
}

static void print_interface(const struct usb_profile *p, const struct usb_interface *i)
{
	printf("         interface %u: %s (%02x/%02x/%02x)", i->number, usb_class_str(i->class),
		i->class, i->subclass, i->protocol);
	for (unsigned k = 0; k < i->num_endpoints; k++) {
		const struct usb_endpoint *e = &p->endpoints[i->first_endpoint + k];

		printf("%s 0x%02x %s", k ? "," : ":", e->address, usb_endpoint_str(e->attributes));
	}
	(void)putchar('\n');
}

static void print_people(const char *busid, const struct usb_profile *p, const struct udc *udc,
	const struct fit *fit)
{
	printf("camera   %s: %04x:%04x ", busid, p->vendor, p->product);
	print_text(product(p));
	printf(", %s speed, %u mA\n", usb_speed_str(p->speed), p->max_power_ma);
	for (unsigned i = 0; i < p->num_interfaces; i++)
		if (!p->interfaces[i].alternate)
			print_interface(p, &p->interfaces[i]);
	if (udc)
		printf("port     %s (%s), %s speed\n", udc->name,
			*udc->driver ? udc->driver : "unknown driver", usb_speed_str(udc->speed));
	else
		printf("port     none\n");
	for (enum fit_severity s = FIT_REFUSED; s <= FIT_NOTE; s++)
		for (unsigned i = 0; i < fit->num_findings; i++)
			if (fit->findings[i].severity == s)
				printf("%-8s %s\n", fit_severity_str(s), fit->findings[i].text);
	printf("verdict  %s\n",
		fit_refusal(fit) ? "the camera cannot be presented"
				 : "the camera can be presented");
}

static cJSON *camera_json(const char *busid, const struct usb_profile *p)
{
	cJSON *camera = json_class(p->class, p->subclass, p->protocol);
	cJSON *interfaces = cJSON_AddArrayToObject(camera, "interfaces");

	cJSON_AddStringToObject(camera, "busid", busid);
	json_add_hex(camera, "vendor", p->vendor, 4);
	json_add_hex(camera, "product", p->product, 4);
	cJSON_AddStringToObject(camera, "product_name", product(p));
	cJSON_AddStringToObject(camera, "speed", usb_speed_str(p->speed));
	cJSON_AddNumberToObject(camera, "max_power_ma", p->max_power_ma);
	for (unsigned i = 0; i < p->num_interfaces; i++) {
		const struct usb_interface *it = &p->interfaces[i];
		cJSON *object, *endpoints;

		if (it->alternate)
			continue;
		object = json_class(it->class, it->subclass, it->protocol);
		cJSON_AddNumberToObject(object, "number", it->number);
		endpoints = cJSON_AddArrayToObject(object, "endpoints");
		for (unsigned k = 0; k < it->num_endpoints; k++) {
			const struct usb_endpoint *e = &p->endpoints[it->first_endpoint + k];
			cJSON *endpoint = cJSON_CreateObject();

			json_add_hex(endpoint, "address", e->address, 2);
			cJSON_AddStringToObject(endpoint, "type", usb_endpoint_str(e->attributes));
			cJSON_AddNumberToObject(endpoint, "max_packet", e->max_packet);
			cJSON_AddItemToArray(endpoints, endpoint);
		}
		cJSON_AddItemToArray(interfaces, object);
	}
	return camera;
}

static bool print_json(const char *busid, const struct usb_profile *p, const struct udc *udc,
	const struct fit *fit, cJSON *board)
{
	cJSON *root = cJSON_CreateObject(), *port, *findings;

	if (board)
		cJSON_AddItemToObject(root, "board", board);
	cJSON_AddItemToObject(root, "camera", camera_json(busid, p));
	if (udc) {
		port = cJSON_AddObjectToObject(root, "udc");
		cJSON_AddStringToObject(port, "name", udc->name);
		cJSON_AddStringToObject(port, "driver", udc->driver);
		cJSON_AddStringToObject(port, "speed", usb_speed_str(udc->speed));
	} else {
		cJSON_AddNullToObject(root, "udc");
	}
	findings = cJSON_AddArrayToObject(root, "findings");
	for (unsigned i = 0; i < fit->num_findings; i++) {
		cJSON *finding = cJSON_CreateObject();

		cJSON_AddStringToObject(
			finding, "severity", fit_severity_str(fit->findings[i].severity));
		cJSON_AddStringToObject(finding, "text", fit->findings[i].text);
		cJSON_AddItemToArray(findings, finding);
	}
	cJSON_AddBoolToObject(root, "presentable", !fit_refusal(fit));
	return json_print(root);
}

bool check_print(const char *busid, const struct usb_profile *p, const struct udc *udc,
	const struct fit *fit, bool json, cJSON *board)
{
	bool printed = true;

	if (json)
		printed = print_json(busid, p, udc, fit, board);
	else
		print_people(busid, p, udc, fit);
	return printed && !fflush(stdout) && !ferror(stdout);
}

/* ---- checking ---- */

struct check {
	const struct config *config;
	bool json;
	cJSON *board; /* until it has been printed */
};

static enum outcome look(void *user, struct acquisition *a)
{
	struct check *c = user;
	struct usb_profile *profile = acquisition_profile(a);
	cJSON *board = c->board;
	struct udc udc;
	struct fit fit;
	bool has_udc = presentation_judge(profile, c->config, &udc, &fit);

	c->board = NULL;
	if (check_print(a->imported, profile, has_udc ? &udc : NULL, &fit, c->json, board))
		return fit_refusal(&fit) ? OUTCOME_UNPRESENTABLE : OUTCOME_DONE;
	log_error("the verdict cannot be written");
	return OUTCOME_FAILED;
}

static void look_at_board(struct check *c)
{
	static const char unknown[] = "auto";
	struct boardcheck check;
	struct board board;

	board_read(&board, "", c->config ? c->config->gadget.udc : unknown);
	if (c->config && *c->config->server.host) {
		board.host = c->config->server.host;
		board.name = namecheck_run(board.host, c->config->server.port);
	}
	boardcheck_judge(&check, &board);
	if (c->json) {
		c->board = check_board_json(&board, &check);
		return;
	}
	check_print_board(&board, &check);
	(void)fflush(stdout);
}

enum outcome check_run(const struct config *config, const char *error, bool json)
{
	struct check c = {.config = config, .json = json};
	enum outcome outcome = OUTCOME_USAGE;
	cJSON *root;

	look_at_board(&c);
	if (error)
		log_error("%s", error);
	else
		outcome = visit_run(config, look, &c);
	if (c.board) {
		root = cJSON_CreateObject();
		cJSON_AddItemToObject(root, "board", c.board);
		(void)json_print(root);
	}
	return outcome;
}
