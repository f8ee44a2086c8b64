/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/boardcheck.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "bridge/board.h"
#include "bridge/lookup.h"

#define SETUP "sudo ip2usb setup"
#define GADGET "ip2usb" /* the name of our own */

static const struct boardcheck_finding port = {.severity = BOARDCHECK_PROBLEM, .about = "port"};

/* `remedy` is text, or NULL. */
static void add(struct boardcheck *c, const struct boardcheck_finding *kind, const char *remedy,
	const char *format, ...) __attribute__((format(printf, 4, 5)));

static void add(struct boardcheck *c, const struct boardcheck_finding *kind, const char *remedy,
	const char *format, ...)
{
	struct boardcheck_finding *f = &c->findings[c->num_findings];
	va_list arguments;

	assert(c->num_findings < BOARDCHECK_MAX);
	c->num_findings++;
	*f = *kind;
	va_start(arguments, format);
	(void)vsnprintf(f->text, sizeof(f->text), format, arguments);
	va_end(arguments);
	(void)snprintf(f->remedy, sizeof(f->remedy), "%s", remedy ? remedy : "");
}

const char *boardcheck_severity_str(enum boardcheck_severity severity)
{
	static const char *const names[] = {"problem", "warning", "note"};

	return names[severity];
}

/* ---- the port ---- */

static bool is_configured(const struct board *b)
{
	return b->config && !b->config_error && b->bootconfig.role == BOOTCONFIG_PERIPHERAL;
}

/* Why there is none; what is missing first of what it takes. */
static void judge_no_udc(struct boardcheck *c, const struct board *b)
{
	if (b->config && b->config_error)
		add(c, &port, "mend the file", "there is no USB device port (UDC), and %s: %s",
			b->config, strerror(-b->config_error));
	else if (b->config && !is_configured(b))
		add(c, &port, SETUP ", then reboot",
			"there is no USB device port (UDC), as %s does not make it one", b->config);
	else if (b->config && !b->has_overlay)
		add(c, &port, "use Raspberry Pi OS, or bring that file",
			"there is no USB device port (UDC): %s asks for it, but overlays/dwc2.dtbo "
			"beside it is missing",
			b->config);
	else if (b->config && b->live != BOOTCONFIG_PERIPHERAL)
		add(c, &port, "sudo reboot",
			"%s makes it a device port, but this kernel was booted without that",
			b->config);
	else if (b->config)
		add(c, &port, "sudo modprobe dwc2, then see sudo dmesg",
			"it is set up as a device port, but there is none (UDC) in " UDC_FOLDER);
	else if (b->config_moved)
		add(c, &port, "sudo mount /boot/firmware, then " SETUP,
			"there is no USB device port (UDC), and the boot partition is not mounted "
			"at /boot/firmware");
	else
		add(c, &port, "another board, or its driver (dr_mode = \"peripheral\")",
			"this machine has no USB device port (UDC), nor a config.txt that could "
			"make it one");
}

static void judge_udc(struct boardcheck *c, const struct board *b)
{
	static const struct boardcheck_finding otg = {
		.severity = BOARDCHECK_WARNING, .about = "port"};
	char remedy[96];

	if (*b->udc.gadget && strcmp(b->udc.gadget, GADGET) != 0) {
		(void)snprintf(remedy, sizeof(remedy),
			strncmp(b->udc.gadget, "g_", 2) ? "end what has made that"
							: "sudo modprobe -r %.40s",
			b->udc.gadget);
		add(c, &port, remedy, "%s is taken by another gadget, %s", b->udc.name,
			b->udc.gadget);
	}
	if (b->is_otg && b->config && !b->has_overlay)
		add(c, &otg, NULL,
			"%s is an OTG port: the cable decides who is the host, and the phone is "
			"told so; overlays/dwc2.dtbo, which would change that, is missing",
			b->udc.name);
	else if (b->is_otg)
		add(c, &otg,
			is_configured(b)    ? "sudo reboot"
				: b->config ? SETUP ", then reboot"
					    : NULL,
			"%s is an OTG port: the cable decides who is the host, and the phone is "
			"told so",
			b->udc.name);
	else if (b->config && !b->config_error && b->has_overlay && !is_configured(b))
		add(c, &otg, SETUP,
			"it is a device port now, but %s does not make it one at the next boot",
			b->config);
}

static void judge_config(struct boardcheck *c, const struct board *b)
{
	static const struct boardcheck_finding note = {
		.severity = BOARDCHECK_NOTE, .about = "port"};
	const struct bootconfig *config = &b->bootconfig;

	if (!b->config || b->config_error)
		return;
	if (config->role != BOOTCONFIG_UNSET && config->role != BOOTCONFIG_PERIPHERAL)
		add(c, &note, NULL, "line %u of %s makes it %s%s", config->line, b->config,
			config->role == BOOTCONFIG_HOST ? "a host's" : "an OTG port",
			config->doubtful ? ", if the filter before it lets it count" : "");
	if (config->includes && config->role != BOOTCONFIG_PERIPHERAL)
		add(c, &note, NULL, "%s includes other files, which have not been looked at",
			b->config);
}

static void judge_gadget_module(struct boardcheck *c, const struct board *b)
{
	static const struct boardcheck_finding loaded = {
		.severity = BOARDCHECK_WARNING, .about = "port"};
	char remedy[160];

	if (!b->gadget_file)
		return;
	(void)snprintf(remedy, sizeof(remedy), "remove %s there%s", b->gadget_module,
		strstr(b->gadget_file, "cmdline") ? ", and the rest of modules-load= if nothing "
						    "else is in it"
						  : "");
	add(c, &loaded, remedy, "%s loads %s, which takes the port at each boot", b->gadget_file,
		b->gadget_module);
}

static void judge_port(struct boardcheck *c, const struct board *b)
{
	if (b->has_udc)
		judge_udc(c, b);
	else
		judge_no_udc(c, b);
	judge_config(c, b);
	judge_gadget_module(c, b);
}

void boardcheck_judge_files(struct boardcheck *c, const struct board *b)
{
	static const struct boardcheck_finding overlay = {
		.severity = BOARDCHECK_WARNING, .about = "port"};

	c->num_findings = 0;
	if (b->config && !b->config_error && !b->has_overlay)
		add(c, &overlay, NULL,
			"overlays/dwc2.dtbo beside %s is missing, as in Debian's raspi-firmware: "
			"without it the port stays as the kernel's own device tree has it",
			b->config);
	judge_gadget_module(c, b);
}

/* ---- all else ---- */

static void judge_kernel(struct boardcheck *c, const struct board *b)
{
	static const struct boardcheck_finding kernel = {
		.severity = BOARDCHECK_PROBLEM, .about = "kernel"};
	static const char remedy[] = "a kernel of Raspberry Pi OS or Debian has it";

	if (!b->has_modules && !(b->has_libcomposite && b->has_functionfs)) {
		add(c, &kernel, "sudo reboot, if the kernel has just been updated",
			"the modules of the running kernel, %s, are not in /lib/modules",
			b->release);
		return;
	}
	if (!b->has_libcomposite)
		add(c, &kernel, remedy,
			"it has no USB gadgets (libcomposite, CONFIG_USB_CONFIGFS)");
	if (!b->has_functionfs)
		add(c, &kernel, remedy, "it has no FunctionFS (CONFIG_USB_CONFIGFS_F_FS)");
	if (!b->has_configfs)
		add(c, &kernel, "sudo systemctl start sys-kernel-config.mount",
			"configfs is not mounted at /sys/kernel/config");
}

static void judge_service(struct boardcheck *c, const struct board *b)
{
	static const struct boardcheck_finding note = {
		.severity = BOARDCHECK_NOTE, .about = "service"};

	if (b->has_service && !b->is_enabled)
		add(c, &note, SETUP, "ip2usb is not started at boot");
}

static void judge_wifi(struct boardcheck *c, const struct board *b)
{
	static const struct boardcheck_finding wifi = {
		.severity = BOARDCHECK_WARNING, .about = "WiFi"};

	for (unsigned i = 0; i < b->num_wifi; i++)
		if (b->wifi[i].power_save == 1)
			add(c, &wifi, SETUP, "%s saves power, which delays every exchange",
				b->wifi[i].name);
}

static void judge_power(struct boardcheck *c, const struct board *b)
{
	static const struct boardcheck_finding power = {
		.severity = BOARDCHECK_WARNING, .about = "power"};
	bool now = b->throttled & BOARD_UNDER_VOLTAGE;

	if (now || b->throttled & BOARD_UNDER_VOLTAGE << BOARD_SINCE_BOOT)
		add(c, &power, "a shorter cable, or a supply of its own (README, Power)",
			"%s: the phone or the cable gives too little",
			now ? "there is under-voltage" : "there has been under-voltage");
}

static void judge_clock(struct boardcheck *c, const struct board *b)
{
	static const struct boardcheck_finding clock = {
		.severity = BOARDCHECK_NOTE, .about = "clock"};
	static const char hurts[] = "only the times in the log are wrong, ip2usb and its key do "
				    "not depend on it";

	if (b->now < b->built)
		add(c, &clock, "a network with a time server",
			"it is before this program was built; %s", hurts);
	else if (!b->is_synchronised)
		add(c, &clock, NULL, "not synchronised; at worst %s", hurts);
}

static bool ends_local(const char *name)
{
	size_t n = strlen(name);

	if (n && name[n - 1] == '.')
		n--;
	return n > 6 && !strncmp(name + n - 6, ".local", 6);
}

static void judge_name(struct boardcheck *c, const struct board *b)
{
	static const struct boardcheck_finding name = {
		.severity = BOARDCHECK_PROBLEM, .about = "name"};

	if (!b->host || b->name == BOARD_NAME_UNKNOWN || b->name == BOARD_NAME_FOUND)
		return;
	if (!strcmp(b->host, LOOKUP_AUTO)) {
		add(c, &name, "ip2usb discover, which tells more, and ip2usb pair, which names one",
			"there is not one server alone that announces itself");
		return;
	}
	add(c, &name,
		ends_local(b->host) && !b->has_mdns ? "sudo apt install avahi-daemon libnss-mdns"
			: ends_local(b->host)
			? "is that machine on, and does it announce its name (avahi-daemon)?"
			: "correct [server] host in the configuration, or write an address there",
		b->name == BOARD_NAME_SLOW ? "nobody says what address %s has"
					   : "%s has no address",
		b->host);
}

void boardcheck_judge(struct boardcheck *c, const struct board *b)
{
	c->num_findings = 0;
	judge_kernel(c, b);
	judge_port(c, b);
	judge_service(c, b);
	judge_wifi(c, b);
	judge_power(c, b);
	judge_name(c, b);
	judge_clock(c, b);
}
