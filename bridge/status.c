/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cjson/cJSON.h>

#include "bridge/control.h"
#include "bridge/log.h"
#include "bridge/report.h"

#define MAX_REPORT 65536 /* bytes; one of 30 endpoints has some 8000 */
#define INTERVAL_S 1
#define CLEAR "\033[H\033[J" /* ECMA-48: cursor to the top left, erase what follows */

/* ---- fetching ---- */

static bool read_all(int fd, char text[MAX_REPORT])
{
	size_t have = 0;
	ssize_t n;

	while ((n = read(fd, text + have, MAX_REPORT - 1 - have)) > 0)
		have += (size_t)n;
	text[have] = 0;
	return !n && have && have < MAX_REPORT - 1;
}

static bool fetch(const struct control_socket *socket, char text[MAX_REPORT])
{
	int fd = control_connect(socket);
	bool whole;

	if (fd < 0)
		return false;
	whole = read_all(fd, text);
	close(fd);
	if (!whole)
		log_error("%s: the answer is not complete", socket->path);
	return whole;
}

/* ---- for people ---- */

static const cJSON *get(const cJSON *object, const char *name)
{
	return cJSON_GetObjectItemCaseSensitive(object, name);
}

static double number(const cJSON *object, const char *name)
{
	const cJSON *item = get(object, name);

	return cJSON_IsNumber(item) ? item->valuedouble : 0.;
}

/* Valid until the next call. What the camera said of itself is for no terminal. */
static const char *text(const cJSON *object, const char *name)
{
	static char clean[4][640]; /* as a line of the log */
	static unsigned at;
	const cJSON *item = get(object, name);

	at = (at + 1) % 4;
	(void)snprintf(
		clean[at], sizeof(clean[at]), "%s", cJSON_IsString(item) ? item->valuestring : "");
	log_clean(clean[at], strlen(clean[at]));
	return clean[at];
}

static void print_since(double s)
{
	unsigned whole = s > 0. && s < 4e9 ? (unsigned)s : 0;

	if (whole >= 3600)
		printf(", for %u h %u min\n", whole / 3600, whole % 3600 / 60);
	else if (whole >= 60)
		printf(", for %u min %u s\n", whole / 60, whole % 60);
	else
		printf(", for %u s\n", whole);
}

static void print_state(const cJSON *root)
{
	static const struct {
		const char *state, *meaning;
	} states[] = {
		{"connecting", "asking the server"},
		{"importing", "taking the camera over"},
		{"probing", "reading what the camera is"},
		{"presented", "the camera is there, no phone uses it"},
		{"active", "the phone uses the camera"},
		{"holding", "the link is lost, and the phone waits"},
		{"backoff", "waiting, to try again"},
		{"unpaired", "no server is configured"},
	};
	const char *state = text(root, "state"), *meaning = "";

	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		if (!strcmp(states[i].state, state))
			meaning = states[i].meaning;
	}
	printf("state     %s%s%s", state, *meaning ? ": " : "", meaning);
	print_since(number(root, "since_s"));
	if (*text(root, "reason"))
		printf("reason    %s\n", text(root, "reason"));
	if (*text(root, "problem"))
		printf("problem   %s\n", text(root, "problem"));
}

static void print_server(const cJSON *server)
{
	if (!*text(server, "host"))
		return;
	printf("server    %s port %s%s", text(server, "host"), text(server, "port"),
		cJSON_IsTrue(get(server, "encrypted")) ? ", encrypted" : ", not encrypted");
	if (get(server, "rtt_us"))
		printf(", round trip %.1f ms, %.0f segments sent again",
			number(server, "rtt_us") / 1000., number(server, "retransmitted"));
	printf("\n");
}

static void print_camera(const cJSON *camera)
{
	if (!camera)
		return;
	printf("camera    %s %s:%s", text(camera, "busid"), text(camera, "vendor"),
		text(camera, "product"));
	printf(" %s %s", text(camera, "manufacturer_name"), text(camera, "product_name"));
	if (*text(camera, "serial"))
		printf(", serial %s", text(camera, "serial"));
	printf(", %s speed\n", text(camera, "speed"));
}

static void print_phone(const cJSON *phone)
{
	if (!phone)
		return;
	printf("phone     on %s: ", text(phone, "udc"));
	if (cJSON_IsTrue(get(phone, "configured")))
		printf("%s speed%s\n", text(phone, "speed"),
			cJSON_IsTrue(get(phone, "suspended")) ? ", asleep" : "");
	else
		printf("none\n");
}

static void print_endpoint(const cJSON *endpoint, const cJSON *before)
{
	printf("endpoint  %s %-9s %12.0f bytes", text(endpoint, "remote_address"),
		text(endpoint, "type"), number(endpoint, "bytes"));
	if (before)
		printf(" %8.1f KiB/s",
			(number(endpoint, "bytes") - number(before, "bytes")) / 1024. / INTERVAL_S);
	printf("  %.0f requests, %.0f errors, %.0f in flight, %s\n", number(endpoint, "urbs"),
		number(endpoint, "errors"), number(endpoint, "in_flight"), text(endpoint, "state"));
}

static void print_endpoints(const cJSON *now, const cJSON *before)
{
	bool same = cJSON_GetArraySize(now) == cJSON_GetArraySize(before);

	for (int i = 0; i < cJSON_GetArraySize(now); i++)
		print_endpoint(
			cJSON_GetArrayItem(now, i), same ? cJSON_GetArrayItem(before, i) : NULL);
}

bool status_print(const char *report, const char *before)
{
	cJSON *root = cJSON_Parse(report), *last = before ? cJSON_Parse(before) : NULL;
	bool is_report = number(root, "version") == REPORT_VERSION;

	if (is_report) {
		print_state(root);
		print_server(get(root, "server"));
		print_camera(get(root, "camera"));
		print_phone(get(root, "phone"));
		print_endpoints(get(root, "endpoints"), get(last, "endpoints"));
	} else {
		log_error("the daemon that runs is of another version");
	}
	cJSON_Delete(last);
	cJSON_Delete(root);
	return is_report;
}

/* ---- the command ---- */

static bool show(const struct status_options *o, const char *report, const char *before)
{
	if (o->watch && isatty(STDOUT_FILENO))
		printf(CLEAR);
	if (o->json)
		(void)fputs(report, stdout);
	else if (!status_print(report, before))
		return false;
	return !fflush(stdout) && !ferror(stdout);
}

int status_run(const struct status_options *options)
{
	static char reports[2][MAX_REPORT];
	unsigned at = 0;

	if (!fetch(options->socket, reports[at]) || !show(options, reports[at], NULL))
		return 1;
	while (options->watch) {
		sleep(INTERVAL_S);
		at ^= 1;
		if (!fetch(options->socket, reports[at]) ||
			!show(options, reports[at], reports[at ^ 1]))
			return 1;
	}
	return 0;
}
