/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/setupplan.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bridge/board.h"
#include "bridge/filetext.h"
#include "bridge/marked.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

#define CUSTOM "/etc/default/raspi-firmware-custom"
#define WANTS "/etc/systemd/system/usb-gadget.target.wants/ip2usb.service"
#define MADE_BY                                                                                    \
	"# Made by 'ip2usb setup'; 'ip2usb setup --undo' removes this file as long as it is so.\n"

static const char port_lines[] = "[all]\ndtoverlay=dwc2,dr_mode=peripheral\n";
static const char *const configs[] = {"/boot/firmware/config.txt", "/boot/config.txt", CUSTOM};

/* Files that are ours alone. */
enum file {
	MODULES,
	NETWORK_MANAGER,
	UDEV
};

static const struct own {
	const char *path, *what, *text;
} files[] = {
	[MODULES] = {"/etc/modules-load.d/ip2usb.conf", "the kernel's part, loaded at boot",
		MADE_BY "libcomposite\nusb_f_fs\n"},
	/* The last of its folder wins; Ubuntu has one that says 3. */
	[NETWORK_MANAGER] = {"/etc/NetworkManager/conf.d/zz-ip2usb.conf",
		"WiFi does not save power, says NetworkManager from now on",
		MADE_BY "[connection]\nwifi.powersave=2\n"},
	/* Behind 80-net-setup-link.rules, which give the interface its name. What is set here
	 * stays when the interface goes down and up (cfg80211_netdev_notifier_call). */
	[UDEV] = {"/etc/udev/rules.d/90-ip2usb-wifi.rules",
		"WiFi does not save power, from the next boot on",
		MADE_BY "ACTION==\"add\", SUBSYSTEM==\"net\", ENV{DEVTYPE}==\"wlan\", "
			"RUN+=\"/usr/sbin/iw dev $name set power_save off\"\n"},
};

/* systemctl's own links are absolute. */
static const struct unit {
	const char *path, *target;
} units[] = {
	{"/etc/systemd/system/ip2usb.service", "../ip2usb.service"},
	{"/usr/local/lib/systemd/system/ip2usb.service",
		"../../../../usr/local/lib/systemd/system/ip2usb.service"},
	{"/usr/lib/systemd/system/ip2usb.service",
		"../../../../usr/lib/systemd/system/ip2usb.service"},
	{"/lib/systemd/system/ip2usb.service", "../../../../lib/systemd/system/ip2usb.service"},
};

struct place {
	char path[PATH_MAX];
};

static struct place in(const struct setupplan *p, const char *path)
{
	struct place place;

	(void)snprintf(place.path, sizeof(place.path), "%s%s", p->root, path);
	return place;
}

static bool is_there(const struct setupplan *p, const char *path)
{
	struct stat stat;

	return !lstat(in(p, path).path, &stat);
}

static void note(struct setupplan *p, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void note(struct setupplan *p, const char *format, ...)
{
	va_list arguments;

	if (p->num_notes == SETUPPLAN_MAX_NOTES)
		return;
	va_start(arguments, format);
	(void)vsnprintf(p->notes[p->num_notes++], sizeof(p->notes[0]), format, arguments);
	va_end(arguments);
}

/* Whether the folder of its folder is there; the latter is made. If not, nothing here reads it. */
static bool has_place(struct setupplan *p, const char *path)
{
	struct place place = in(p, path);

	for (int i = 0; i < 2; i++)
		*strrchr(place.path, '/') = 0;
	if (!access(place.path, F_OK))
		return true;
	note(p, "%s is not made: there is no %s here", path, place.path + strlen(p->root));
	return false;
}

static struct setupplan_change *change(struct setupplan *p, enum setupplan_kind kind,
	const char *path, const char *what, const char *lines)
{
	struct setupplan_change *c = &p->changes[p->num_changes++];

	*c = (struct setupplan_change){.kind = kind,
		.path = path,
		.what = what,
		.lines = lines,
		.goes = kind == SETUPPLAN_REMOVE};
	return c;
}

/* ---- the port ---- */

/* The text, to be freed, and what the file is; NULL: left alone, which has been noted. Where there
 * is none, empty. */
static char *read_old(struct setupplan *p, const char *path, struct stat *old, size_t *size)
{
	struct place place = in(p, path);
	char *text = NULL;
	int r;

	old->st_nlink = 0;
	r = lstat(place.path, old) ? -errno
				   : filetext_read(place.path, BOOTCONFIG_MAX_FILE, &text, size);
	if (r == -ENOENT && !old->st_nlink) {
		*size = 0;
		return calloc(1, 1);
	}
	if (r)
		note(p, "%s is left as it is: %s", path,
			r == -ELOOP	       ? "it is a link"
				: r == -EINVAL ? "it is no file"
				: r == -EFBIG  ? "it is larger than 64 KiB"
					       : strerror(-r));
	return text;
}

/* Puts our lines into the text, or takes them out. 0, -errno: there is nothing to change, or
 * -ENOMEM. */
static int edited(struct setupplan *p, struct marked *m, const char *path, const char *text,
	size_t size, bool adds, bool made)
{
	int r = marked_find(text, size, port_lines);

	if (r == -EINVAL)
		note(p,
			"%s is left as it is: somebody has changed what was between '" MARKED_BEGIN
			"' and '" MARKED_END "', or one of the two; remove the lines by hand",
			path);
	else if (!r && adds)
		note(p,
			"%s is left as it is: what has been added to it is overruled by a line "
			"behind; remove that, or 'ip2usb setup --undo' first",
			path);
	if (adds)
		return r == -ENOENT ? marked_add(m, text, size, port_lines, made) : -EEXIST;
	return r ? r : marked_remove(m, text, size, port_lines);
}

static int edit(struct setupplan *p, const char *path, bool adds)
{
	struct marked m = {0};
	struct setupplan_change *c;
	struct stat old;
	size_t size;
	char *text = read_old(p, path, &old, &size);
	int r;

	if (!text)
		return 0;
	r = edited(p, &m, path, text, size, adds, !old.st_nlink);
	free(text);
	if (r)
		return r == -ENOMEM ? r : 0;
	c = change(p, m.none ? SETUPPLAN_REMOVE : SETUPPLAN_WRITE, path,
		!strcmp(path, CUSTOM) ? "the same when raspi-firmware makes config.txt anew"
			: adds	      ? "the USB port is to be a device's, from the next boot on"
				      : "the USB port as it was, from the next boot on",
		port_lines);
	c->goes = !adds;
	c->is_new = adds && !old.st_nlink;
	c->old = old;
	c->text = m.text;
	c->size = m.size;
	p->port |= strcmp(path, CUSTOM) != 0;
	return 0;
}

/* By hand, or by an earlier setup. */
static bool custom_does(const struct setupplan *p, const char *model)
{
	struct bootconfig custom;
	char *text;
	size_t size;

	if (filetext_read(in(p, CUSTOM).path, BOOTCONFIG_MAX_FILE, &text, &size))
		return false;
	bootconfig_read(&custom, text, size, model);
	free(text);
	return custom.role == BOOTCONFIG_PERIPHERAL;
}

/* A config.txt that is made from others has the lines from there at its next making, and until then
 * because they are in itself as well. */
static int plan_port(struct setupplan *p, const struct board *b)
{
	const struct bootconfig *now = &b->bootconfig;
	int r = 0;

	if (b->config_moved)
		note(p,
			"the boot partition, with config.txt, is not mounted at /boot/firmware: "
			"the port stays as it is");
	else if (!b->config)
		note(p,
			"there is no config.txt in /boot/firmware or /boot: the port stays as it "
			"is");
	else if (b->config_error || now->role != BOOTCONFIG_PERIPHERAL)
		r = edit(p, b->config, true);
	if (!r && p->port && now->role != BOOTCONFIG_UNSET && !now->doubtful)
		note(p,
			"until now line %u of %s makes it %s; the new lines come after it and "
			"count",
			now->line, b->config,
			now->role == BOOTCONFIG_HOST ? "a host's" : "an OTG port");
	if (!r && b->config && b->is_generated && !custom_does(p, b->model))
		r = edit(p, CUSTOM, true);
	return r;
}

/* ---- files of ours ---- */

/* 1: it is there, as we write it; 0: it is not there; -EEXIST: another one. */
static int look_at_own(const struct setupplan *p, const struct own *own)
{
	char *text;
	size_t size;
	int r = filetext_read(in(p, own->path).path, BOOTCONFIG_MAX_FILE, &text, &size);
	bool same;

	if (r)
		return r == -ENOENT ? 0 : -EEXIST;
	same = size == strlen(own->text) && !memcmp(text, own->text, size);
	free(text);
	return same ? 1 : -EEXIST;
}

static int plan_own(struct setupplan *p, enum file file)
{
	const struct own *own = &files[file];
	struct setupplan_change *c;
	int r = look_at_own(p, own);

	if (r < 0)
		note(p, "%s is left as it is: it is not what setup writes there", own->path);
	if (r || !has_place(p, own->path))
		return 0;
	c = change(p, SETUPPLAN_WRITE, own->path, own->what, own->text);
	c->is_new = true;
	c->text = strdup(own->text);
	c->size = strlen(own->text);
	p->wifi |= file != MODULES;
	return c->text ? 0 : -ENOMEM;
}

static void plan_own_undo(struct setupplan *p, enum file file)
{
	const struct own *own = &files[file];
	int r = look_at_own(p, own);

	if (r < 0)
		note(p, "%s is left as it is: somebody has changed it", own->path);
	if (r != 1)
		return;
	(void)change(p, SETUPPLAN_REMOVE, own->path, own->what, own->text);
	p->wifi |= file != MODULES;
}

static int plan_files(struct setupplan *p, const struct board *b)
{
	static const char *const packaged[] = {"/usr/lib/modules-load.d/ip2usb.conf",
		"/lib/modules-load.d/ip2usb.conf", "/usr/local/lib/modules-load.d/ip2usb.conf"};
	bool has_modules = false;
	int r = 0;

	for (size_t i = 0; i < COUNT(packaged); i++)
		has_modules |= is_there(p, packaged[i]);
	if (!has_modules)
		r = plan_own(p, MODULES);
	if (!r)
		r = plan_own(p, b->has_network_manager ? NETWORK_MANAGER : UDEV);
	if (!b->has_network_manager && !b->has_iw)
		note(p, "%s needs iw: sudo apt install iw", files[UDEV].path);
	return r;
}

/* ---- the service ---- */

static void plan_link(struct setupplan *p)
{
	size_t i = 0;

	if (is_there(p, WANTS))
		return;
	while (i < COUNT(units) && !is_there(p, units[i].path))
		i++;
	if (i == COUNT(units)) {
		note(p, "ip2usb.service is not installed, so it is not started at boot");
		return;
	}
	if (!has_place(p, WANTS))
		return;
	change(p, SETUPPLAN_LINK, WANTS, "ip2usb is started at boot, as systemctl enable has it",
		NULL)
		->target = units[i].target;
	p->service = true;
}

static void plan_link_undo(struct setupplan *p)
{
	char target[PATH_MAX];
	ssize_t n = readlink(in(p, WANTS).path, target, sizeof(target) - 1);

	target[n > 0 ? n : 0] = 0;
	for (size_t i = 0; i < COUNT(units); i++) {
		if (strcmp(target, units[i].target) != 0)
			continue;
		change(p, SETUPPLAN_REMOVE, WANTS, "ip2usb is not started at boot any more", NULL)
			->target = units[i].target;
		p->service = true;
	}
}

/* ---- all of it ---- */

/* By a link for the file, or for its folder. */
static bool is_one_file(const struct setupplan *p, const char *a, const char *b)
{
	struct stat one, other;

	return !stat(in(p, a).path, &one) && !stat(in(p, b).path, &other) &&
		one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

int setupplan_make(struct setupplan *p, const char *root, const struct board *b)
{
	int r;

	*p = (struct setupplan){.root = root};
	r = plan_port(p, b);
	if (!r)
		r = plan_files(p, b);
	if (!r)
		plan_link(p);
	return r;
}

int setupplan_make_undo(struct setupplan *p, const char *root)
{
	int r = 0;

	*p = (struct setupplan){.root = root};
	for (size_t i = 0; i < COUNT(configs) && !r; i++)
		if (!i || !is_one_file(p, configs[i], configs[i - 1]))
			r = edit(p, configs[i], false);
	for (enum file f = MODULES; f <= UDEV && !r; f++)
		plan_own_undo(p, f);
	if (!r)
		plan_link_undo(p);
	return r;
}

void setupplan_free(struct setupplan *p)
{
	for (unsigned i = 0; i < p->num_changes; i++)
		free(p->changes[i].text);
}
