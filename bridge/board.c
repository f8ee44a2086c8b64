/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/board.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/timex.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "bridge/filetext.h"
#include "bridge/wifi.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define MAX_FILE (64u << 10) /* of any other */

struct path {
	char text[PATH_MAX];
};

/* One that is too long is nowhere. */
static struct path at(const char *root, const char *path)
{
	struct path p;

	if (snprintf(p.text, sizeof(p.text), "%s%s", root, path) >= (int)sizeof(p.text))
		p.text[0] = '\0';
	return p;
}

static bool is_there(const char *root, const char *path)
{
	return !access(at(root, path).text, F_OK);
}

/* Also where it leads to nowhere. */
static bool is_link(const char *root, const char *path)
{
	struct stat stat;

	return !lstat(at(root, path).text, &stat);
}

static int is_name(const struct dirent *entry)
{
	return *entry->d_name != '.';
}

/* Calls `look` for each entry of a folder, in order, until it says true. */
static bool any_of(const char *root, const char *folder, struct board *b,
	bool (*look)(struct board *b, const char *root, const char *path, const char *name))
{
	struct dirent **entries;
	bool found = false;
	int n = scandir(at(root, folder).text, &entries, is_name, alphasort);
	char path[PATH_MAX];

	for (int i = 0; i < n; i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", folder, entries[i]->d_name);
		found = found || look(b, root, path, entries[i]->d_name);
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
	return found;
}

/* ---- the port ---- */

static void read_config(struct board *b, const char *root)
{
	static const char *const paths[] = {"/boot/firmware/config.txt", "/boot/config.txt"};
	char *text;
	size_t size;

	for (size_t i = 0; i < COUNT(paths) && !b->config; i++)
		if (is_link(root, paths[i]))
			b->config = paths[i];
	if (!b->config)
		return;
	b->config_error =
		filetext_read(at(root, b->config).text, BOOTCONFIG_MAX_FILE, &text, &size);
	if (b->config_error)
		return;
	b->config_moved = bootconfig_has_moved(text, size);
	if (b->config_moved) {
		b->config = NULL;
		free(text);
		return;
	}
	bootconfig_read(&b->bootconfig, text, size, b->model);
	b->is_generated = bootconfig_is_generated(text, size);
	free(text);
	b->has_overlay = is_there(root,
		b->config == paths[0] ? "/boot/firmware/overlays/dwc2.dtbo"
				      : "/boot/overlays/dwc2.dtbo");
}

static bool has_gadget(struct board *b, const char *root, const char *path, const char *name)
{
	size_t n = strlen(name), size;
	char *text;
	bool found;

	if (n < 5 || strcmp(name + n - 5, ".conf") != 0 ||
		filetext_read(at(root, path).text, MAX_FILE, &text, &size))
		return false;
	found = bootconfig_modules_gadget(b->gadget_module, text, size);
	free(text);
	return found;
}

static void read_gadget_modules(struct board *b, const char *root)
{
	static const char *const cmdlines[] = {"/boot/firmware/cmdline.txt", "/boot/cmdline.txt"};
	char *text;
	size_t size;

	for (size_t i = 0; i < COUNT(cmdlines) && !b->gadget_file; i++) {
		if (filetext_read(at(root, cmdlines[i]).text, MAX_FILE, &text, &size))
			continue;
		if (bootconfig_cmdline_gadget(b->gadget_module, text, size))
			b->gadget_file = cmdlines[i];
		free(text);
	}
	/* /etc/modules is one of these by a link, on Debian. */
	if (!b->gadget_file &&
		!filetext_read(at(root, "/etc/modules").text, MAX_FILE, &text, &size)) {
		if (bootconfig_modules_gadget(b->gadget_module, text, size))
			b->gadget_file = "/etc/modules";
		free(text);
	}
	if (!b->gadget_file && any_of(root, "/etc/modules-load.d", b, has_gadget))
		b->gadget_file = "/etc/modules-load.d";
}

/* Raspberry Pi's kernel and the mainline one have the port at the same place. The old driver's
 * device tree, "brcm,bcm2708-usb", has no other role than a host's. */
static void read_live(struct board *b, const char *root)
{
	static const char port[] = "/proc/device-tree/soc/usb@7e980000";
	char folder[128], text[64];

	if (!is_there(root, port))
		return;
	(void)snprintf(folder, sizeof(folder), "%s/compatible", port);
	filetext_line(text, sizeof(text), at(root, folder).text);
	if (!strcmp(text, "brcm,bcm2708-usb")) {
		b->live = BOOTCONFIG_HOST;
		return;
	}
	(void)snprintf(folder, sizeof(folder), "%s/dr_mode", port);
	filetext_line(text, sizeof(text), at(root, folder).text);
	b->live = bootconfig_role_of(text, strlen(text));
}

static void read_udc(struct board *b, const char *root, const char *wanted)
{
	char path[128], text[8];

	b->has_udc = !udc_find(&b->udc, at(root, UDC_FOLDER).text, wanted);
	if (!b->has_udc)
		return;
	(void)snprintf(path, sizeof(path), UDC_FOLDER "/%s/is_otg", b->udc.name);
	filetext_line(text, sizeof(text), at(root, path).text);
	b->is_otg = !strcmp(text, "1");
}

/* ---- the kernel ---- */

static bool has_module(const struct board *b, const char *root, const char *name)
{
	static const char *const lists[] = {"modules.dep", "modules.builtin"};
	char path[256], file[64];

	(void)snprintf(file, sizeof(file), "/%s.ko", name);
	for (size_t i = 0; i < COUNT(lists); i++) {
		(void)snprintf(path, sizeof(path), "/lib/modules/%s/%s", b->release, lists[i]);
		if (filetext_has(at(root, path).text, file))
			return true;
	}
	return false;
}

static void read_kernel(struct board *b, const char *root)
{
	char path[256];

	(void)snprintf(path, sizeof(path), "/lib/modules/%s/modules.dep", b->release);
	b->has_modules = is_there(root, path);
	b->has_libcomposite =
		is_there(root, "/sys/module/libcomposite") || has_module(b, root, "libcomposite");
	b->has_functionfs = filetext_has(at(root, "/proc/filesystems").text, "\tfunctionfs\n") ||
		has_module(b, root, "usb_f_fs");
	b->has_configfs = filetext_has(at(root, "/proc/mounts").text, " configfs ") ||
		filetext_has(at(root, "/proc/self/mounts").text, " configfs ");
}

/* ---- the rest ---- */

static void read_machine(struct board *b, const char *root)
{
	struct utsname name;
	char line[128];

	filetext_line(b->model, sizeof(b->model), at(root, "/proc/device-tree/model").text);
	if (!uname(&name)) {
		(void)snprintf(b->machine, sizeof(b->machine), "%.31s", name.machine);
		(void)snprintf(b->release, sizeof(b->release), "%.95s", name.release);
	}
	/* "MemTotal:  440000 kB" is the first line. */
	filetext_line(line, sizeof(line), at(root, "/proc/meminfo").text);
	if (!strncmp(line, "MemTotal:", 9))
		b->memory_mib = (unsigned)(strtoul(line + 9, NULL, 10) >> 10);
}

static bool is_wifi(struct board *b, const char *root, const char *path, const char *name)
{
	char phy[PATH_MAX + 16];

	(void)snprintf(phy, sizeof(phy), "%s/phy80211", path);
	if (!is_there(root, phy) || strlen(name) >= sizeof(b->wifi[0].name))
		return false;
	strcpy(b->wifi[b->num_wifi].name, name);
	b->wifi[b->num_wifi].power_save = wifi_power_save(name);
	return ++b->num_wifi == BOARD_MAX_WIFI;
}

static bool is_voltage(struct board *b, const char *root, const char *path, const char *name)
{
	char file[PATH_MAX + 32], text[32];

	(void)name;
	(void)snprintf(file, sizeof(file), "%s/name", path);
	filetext_line(text, sizeof(text), at(root, file).text);
	if (strcmp(text, "rpi_volt") != 0)
		return false;
	(void)snprintf(file, sizeof(file), "%s/in0_lcrit_alarm", path);
	filetext_line(text, sizeof(text), at(root, file).text);
	/* Of the firmware's "sticky" bit: since it was last asked. */
	if (!strcmp(text, "1"))
		b->throttled |= BOARD_UNDER_VOLTAGE << BOARD_SINCE_BOOT;
	return true;
}

static void read_power(struct board *b, const char *root)
{
	char text[32];

	filetext_line(text, sizeof(text),
		at(root, "/sys/devices/platform/soc/soc:firmware/get_throttled").text);
	b->throttled = (unsigned)strtoul(text, NULL, 16);
	(void)any_of(root, "/sys/class/hwmon", b, is_voltage);
}

static void read_clock(struct board *b, const char *root)
{
	struct timex timex = {0};
	struct stat program;

	b->is_synchronised = adjtimex(&timex) != TIME_ERROR;
	b->now = (long long)time(NULL);
	if (!stat(at(root, "/proc/self/exe").text, &program))
		b->built = (long long)program.st_mtime;
}

/* The line "hosts:" of nsswitch.conf. */
static bool looks_by_mdns(const char *root)
{
	char *text, *line;
	size_t size;
	bool found = false;

	if (filetext_read(at(root, "/etc/nsswitch.conf").text, MAX_FILE, &text, &size))
		return false;
	for (char *rest = text; (line = strsep(&rest, "\n"));)
		if (!strncmp(line, "hosts:", 6))
			found = strstr(line, "mdns") || strstr(line, "resolve");
	free(text);
	return found;
}

static void read_service(struct board *b, const char *root)
{
	static const char *const units[] = {"/etc/systemd/system/ip2usb.service",
		"/usr/local/lib/systemd/system/ip2usb.service",
		"/usr/lib/systemd/system/ip2usb.service", "/lib/systemd/system/ip2usb.service"};

	for (size_t i = 0; i < COUNT(units); i++)
		b->has_service |= is_there(root, units[i]);
	b->is_enabled = is_link(root, "/etc/systemd/system/usb-gadget.target.wants/ip2usb.service");
}

static void read_files(struct board *b, const char *root)
{
	read_config(b, root);
	read_gadget_modules(b, root);
	read_service(b, root);
	b->has_network_manager = is_there(root, "/usr/sbin/NetworkManager");
	b->has_iw = is_there(root, "/usr/sbin/iw") || is_there(root, "/sbin/iw");
	b->has_mdns = looks_by_mdns(root);
}

void board_read_files(struct board *b, const char *root)
{
	*b = (struct board){0};
	read_files(b, root);
}

void board_read(struct board *b, const char *root, const char *udc)
{
	*b = (struct board){0};
	read_machine(b, root);
	read_files(b, root);
	read_kernel(b, root);
	read_live(b, root);
	read_udc(b, root, udc);
	(void)any_of(root, "/sys/class/net", b, is_wifi);
	read_power(b, root);
	read_clock(b, root);
}
