/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/pair.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bridge/devlist.h"
#include "bridge/inischema.h"
#include "bridge/list.h"
#include "bridge/log.h"
#include "bridge/pairing.h"
#include "bridge/settings.h"
#include "bridge/visit.h"
#include "gadget/usbdesc.h"

struct pair {
	const struct pair_options *options;
	struct config config; /* the server, and what is asked of the device */
};

/* ---- the key ---- */

bool pair_read_key(FILE *in, struct pairingkey *key, const char **why)
{
	char line[4 * PAIRINGKEY_TEXT_SIZE];
	bool is_key;

	*why = "there is none";
	is_key = fgets(line, sizeof(line), in) && pairingkey_parse(key, line, why);
	explicit_bzero(line, sizeof(line));
	return is_key;
}

static bool take_key(struct pair *p)
{
	struct pairingkey *key = &p->config.server.key;
	char *text = p->options->key;
	const char *why;

	if (!strcmp(text, "-")) {
		if (isatty(STDIN_FILENO)) {
			printf("Key: ");
			(void)fflush(stdout);
		}
		p->config.server.has_key = pair_read_key(stdin, key, &why);
	} else {
		p->config.server.has_key = pairingkey_parse(key, text, &why);
		/* Whoever lists processes sees it no longer. */
		memset(text, '*', strlen(text));
	}
	if (!p->config.server.has_key)
		log_error("this is no key: %s; allowed: all that 'ip2usb-export key' has printed "
			  "in one line",
			why);
	return p->config.server.has_key;
}

/* ---- which device ---- */

unsigned pair_ask(FILE *in, FILE *out, unsigned n)
{
	char line[32], *end;
	unsigned long number;

	for (;;) {
		fprintf(out, "Which one (1 to %u)? ", n);
		(void)fflush(out);
		if (!fgets(line, sizeof(line), in))
			break;
		number = strtoul(line, &end, 10);
		if (isdigit((unsigned char)*line) && *end == '\n' && number >= 1 && number <= n)
			return (unsigned)number;
	}
	(void)fputc('\n', out);
	return 0;
}

static void narrow(struct pair *p, const struct usbip_device *d)
{
	p->config.camera = (struct selection_criteria){
		.has_id = true, .vendor = d->vendor, .product = d->product};
	strcpy(p->config.camera.busid, d->busid);
}

/* None at all is left to the acquisition, which looks again before it says so. */
static enum outcome choose(struct pair *p, const struct devlist *list)
{
	bool can_ask = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
	const struct devlist_entry *matches[USBIP_MAX_DEVICES];
	unsigned n = 0, chosen;
	char text[LIST_MAX_LINE];

	for (unsigned i = 0; i < list->total; i++)
		if (selection_could_be(&p->config.camera, &list->entries[i].device))
			matches[n++] = &list->entries[i];
	for (unsigned i = 0; n > 1 && i < n; i++) {
		list_line(matches[i], text, sizeof(text));
		if (can_ask)
			printf("%3u  %s\n", i + 1, text);
		else
			log_error("  %s", text);
	}
	chosen = n > 1 && can_ask ? pair_ask(stdin, stdout, n) : n == 1;
	if (chosen)
		narrow(p, &matches[chosen - 1]->device);
	if (chosen || !n)
		return OUTCOME_DONE;
	log_error("several devices match; name one by its bus id: ip2usb pair %s %s",
		p->options->server, matches[0]->device.busid);
	return OUTCOME_AMBIGUOUS;
}

static enum outcome ask_server(struct pair *p)
{
	const char *host = p->config.server.host, *port = p->config.server.port, *why;
	enum outcome outcome;
	struct devlist list;

	if (list_fetch(&list, host, port, config_key(&p->config, host, port), &why)) {
		log_error("server %s port %s: %s", host, port, why);
		return OUTCOME_FAILED;
	}
	outcome = choose(p, &list);
	devlist_fini(&list);
	return outcome;
}

/* ---- writing ---- */

static void print(const char *busid, const struct usb_profile *profile, const char *serial)
{
	const char *product = usbdesc_text(profile, profile->product_string, 0);
	char line[2 * USBDESC_STRING_SIZE + 100];

	(void)snprintf(line, sizeof(line), "paired with %s: %04x:%04x %s, %s%s", busid,
		profile->vendor, profile->product, product ? product : "",
		serial ? "serial number " : "known by its bus id, as it has no serial number",
		serial ? serial : "");
	log_clean(line, strlen(line));
	printf("%s\n", line);
}

/* What has been written is of no use where another file says otherwise. */
static void warn_of_override(const struct pair_options *options, const struct config *written)
{
	struct settings settings;

	if (settings_read(&settings, options->config, options->overrides))
		return;
	if (*settings.problem)
		log_warning("%s", settings.problem);
	else if (memcmp(&settings.config.server, &written->server, sizeof(written->server)) ||
		memcmp(&settings.config.camera, &written->camera, sizeof(written->camera)))
		log_warning("%s says otherwise, and counts", settings.override);
}

static enum outcome look(void *user, struct acquisition *a)
{
	struct pair *p = user;
	const struct usb_profile *profile = acquisition_profile(a);
	const char *serial = usbdesc_text(profile, profile->serial_string, 0);
	struct config wanted = {.server = p->config.server,
		.camera = {.has_id = true, .vendor = profile->vendor, .product = profile->product}};
	char error[INISCHEMA_MAX_ERROR];
	int r = 0;

	if (serial && !*serial)
		serial = NULL;
	if (!serial)
		strcpy(wanted.camera.busid, a->imported);
	else if (strlen(serial) < sizeof(wanted.camera.serial))
		strcpy(wanted.camera.serial, serial);
	else
		r = -EILSEQ;
	if (!r)
		r = pairing_write(p->options->config, &wanted, error, sizeof(error));
	if (r == -EILSEQ)
		log_error("%s is left as it was: the camera's serial number '%.40s' cannot be "
			  "written into it; write by hand [server] host = %s and [camera] "
			  "busid = %s",
			p->options->config, serial ? serial : "", wanted.server.host, a->imported);
	else if (r)
		log_error("%s", error);
	if (r)
		return OUTCOME_FAILED;
	print(a->imported, profile, serial);
	warn_of_override(p->options, &wanted);
	printf("written to %s; restart an ip2usb that is running, or send it SIGHUP\n",
		p->options->config);
	return OUTCOME_DONE;
}

/* ---- the commands ---- */

/* What would be in the way at the end is said before a camera is reset for it. `c` is what is there
 * now. */
static bool may_be_edited(const char *path, struct config *c)
{
	char error[INISCHEMA_MAX_ERROR];
	int r = config_read(c, path, error, sizeof(error));

	if (!r || r == -ENOENT || r == -ENODATA)
		return true;
	log_error("%s", error);
	return false;
}

int pair_run(const struct pair_options *options)
{
	struct pair p = {.options = options};
	struct config now = {0};
	const struct pairingkey *key;
	enum outcome outcome;

	if (!list_parse_server(options->server, p.config.server.host, p.config.server.port)) {
		log_error("'%s' is no server; allowed: HOST, HOST:PORT, [ADDRESS]:PORT",
			options->server);
		return OUTCOME_USAGE;
	}
	if (options->match && !selection_set_id(&p.config.camera, options->match) &&
		!selection_set_busid(&p.config.camera, options->match)) {
		log_error("'%s' is no device; allowed: a bus id such as 1-1.4, or VID:PID such as "
			  "04a9:3218",
			options->match);
		return OUTCOME_USAGE;
	}
	if (options->key && !take_key(&p))
		return OUTCOME_USAGE;
	if (!may_be_edited(options->config, &now))
		return OUTCOME_USAGE;
	key = config_key(&now, p.config.server.host, p.config.server.port);
	if (key && !options->key) {
		p.config.server.has_key = true;
		p.config.server.key = *key;
	}
	outcome = ask_server(&p);
	if (!outcome)
		outcome = visit_run(&p.config, look, &p);
	pairingkey_wipe(&p.config.server.key);
	pairingkey_wipe(&now.server.key);
	return outcome;
}

int pair_undo(const char *config)
{
	static const struct config nothing;
	struct config now;
	char error[INISCHEMA_MAX_ERROR];
	int r;

	if (access(config, F_OK)) {
		log_error("%s: %s", config, strerror(errno));
		return OUTCOME_USAGE;
	}
	if (!may_be_edited(config, &now))
		return OUTCOME_USAGE;
	r = pairing_write(config, &nothing, error, sizeof(error));
	if (r) {
		log_error("%s", error);
		return OUTCOME_FAILED;
	}
	printf("no pairing is left in %s; restart an ip2usb that is running, or send it SIGHUP\n",
		config);
	return OUTCOME_DONE;
}
