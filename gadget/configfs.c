/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gadget/configfs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <usbg/function/ffs.h>
#include <usbg/usbg.h>

#include "gadget/glog.h"
#include "gadget/usbdesc.h"

#define CONFIGFS "/sys/kernel/config"
#define GADGETS CONFIGFS "/usb_gadget"

struct configfs {
	usbg_state *state;
	usbg_gadget *gadget;
	usbg_config *config;
	usbg_udc *udc; /* NULL: not bound */
};

static int usbg_errno(int error)
{
	switch (error) {
	case USBG_SUCCESS:
		return 0;
	case USBG_ERROR_NO_MEM:
		return -ENOMEM;
	case USBG_ERROR_NO_ACCESS:
		return -EACCES;
	case USBG_ERROR_NOT_FOUND:
		return -ENOENT;
	case USBG_ERROR_NO_DEV:
		return -ENODEV;
	case USBG_ERROR_BUSY:
		return -EBUSY;
	case USBG_ERROR_EXIST:
		return -EEXIST;
	case USBG_ERROR_INVALID_PARAM:
		return -EINVAL;
	default:
		return -EIO;
	}
}

static int explain(const char *what, int error)
{
	if (error)
		glog(LOG_ERR, "%s: %s", what, usbg_strerror(error));
	return usbg_errno(error);
}

/* Attributes that libusbgx 0.2 has no setter for, or a too narrow one (MaxPower). `format` gives
 * the file below the gadget's folder. */
static int write_attribute(const struct configfs *c, const char *value, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int write_attribute(const struct configfs *c, const char *value, const char *format, ...)
{
	char file[64], path[PATH_MAX];
	va_list args;
	int fd, r = 0;

	va_start(args, format);
	(void)vsnprintf(file, sizeof(file), format, args);
	va_end(args);
	(void)snprintf(path, sizeof(path), GADGETS "/%s/%s", usbg_get_gadget_name(c->gadget), file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, value, strlen(value)) < 0) {
		r = -errno;
		glog(LOG_ERR, "writing %s to %s: %s", value, path, strerror(errno));
	}
	if (fd >= 0)
		close(fd);
	return r;
}

/* 0, or -errno with the cause in the log. */
static int make_folder(const char *path)
{
	if (mkdir(path, 0755) == 0 || errno == EEXIST)
		return 0;
	glog(LOG_ERR, "making %s: %s", path, strerror(errno));
	return -errno;
}

/*
 * libusbgx reads every gadget of the tree that it is given, and gives up on all when one has a
 * function that it does not know (usbg_init). Other people's gadgets are none of our business, so
 * it is given a tree of our own, `view`, in which there is ours alone, as a link.
 */
static int make_view(const char *name, const char *view)
{
	char folder[PATH_MAX], link[PATH_MAX], gadget[PATH_MAX];
	int r;

	(void)snprintf(folder, sizeof(folder), "%s/usb_gadget", view);
	if ((size_t)snprintf(link, sizeof(link), "%s/usb_gadget/%s", view, name) >= sizeof(link) ||
		(size_t)snprintf(gadget, sizeof(gadget), GADGETS "/%s", name) >= sizeof(gadget))
		return -ENAMETOOLONG;
	r = make_folder(view);
	if (!r)
		r = make_folder(folder);
	if (!r && symlink(gadget, link) < 0 && errno != EEXIST) {
		r = -errno;
		glog(LOG_ERR, "making %s: %s", link, strerror(errno));
	}
	return r;
}

/* Opens the gadget `name`, whose folder exists. */
static int open_gadget(struct configfs *c, const char *name, const char *view)
{
	int r = make_view(name, view);

	if (!r)
		r = explain("reading the gadget's tree", usbg_init(view, &c->state));
	if (r)
		return r;
	c->gadget = usbg_get_gadget(c->state, name);
	return c->gadget ? 0 : -ENOENT;
}

/* Looked for here, because libusbgx would print words of its own. */
static int check_support(void)
{
	if (access(GADGETS, F_OK) == 0)
		return 0;
	glog(LOG_ERR,
		"no USB gadget support in " CONFIGFS
		": load the module libcomposite, mount configfs");
	return -ENOENT;
}

/* Not by usbg_rm_gadget: it would try to remove the link of the view as a folder. */
static int remove_gadget(struct configfs *c)
{
	char path[PATH_MAX];
	int *langs = NULL; /* of its strings, and a 0 */
	int error = usbg_get_gadget_strs_langs(c->gadget, &langs);
	usbg_function *function;
	usbg_config *config;

	while (!error && (config = usbg_get_first_config(c->gadget)))
		error = usbg_rm_config(config, USBG_RM_RECURSE);
	while (!error && (function = usbg_get_first_function(c->gadget)))
		error = usbg_rm_function(function, USBG_RM_RECURSE);
	for (int *lang = langs; !error && *lang; lang++)
		error = usbg_rm_gadget_strs(c->gadget, *lang);
	free(langs);
	if (error)
		return explain("removing the gadget", error);
	(void)snprintf(path, sizeof(path), GADGETS "/%s", usbg_get_gadget_name(c->gadget));
	if (rmdir(path) == 0)
		return 0;
	glog(LOG_ERR, "removing %s: %s", path, strerror(errno));
	return -errno;
}

static void close_gadget(struct configfs *c)
{
	if (c->state)
		usbg_cleanup(c->state);
}

int configfs_clean(const char *name, const char *view)
{
	struct configfs c = {0};
	char path[PATH_MAX];
	int r = check_support();

	(void)snprintf(path, sizeof(path), GADGETS "/%s", name);
	if (r || access(path, F_OK) < 0)
		return r;
	r = open_gadget(&c, name, view);
	if (!r) {
		/* A killed daemon's gadget is unbound already, and says so with an error. */
		(void)usbg_disable_gadget(c.gadget);
		r = remove_gadget(&c);
	}
	if (!r)
		glog(LOG_INFO, "removed gadget %s, left behind by a predecessor", name);
	close_gadget(&c);
	return r;
}

/* configfs takes at most USB_MAX_STRING_LEN bytes (usb_string_copy). */
static char *string(const struct usb_profile *p, uint8_t index, uint16_t lang, char out[128])
{
	const char *text = index ? usbdesc_text(p, index, lang) : NULL;
	size_t size = text ? usbdesc_text_cut(text, 126) : 0;

	if (size)
		memcpy(out, text, size);
	out[size] = 0;
	return out;
}

static int set_strings(struct configfs *c, const struct usb_profile *p)
{
	for (unsigned i = 0; i < p->num_langs; i++) {
		char manufacturer[128], product[128], serial[128], configuration[128];
		uint16_t lang = p->langs[i];
		struct usbg_gadget_strs strs = {
			.manufacturer = string(p, p->manufacturer_string, lang, manufacturer),
			.product = string(p, p->product_string, lang, product),
			.serial = string(p, p->serial_string, lang, serial),
		};
		int error = 0;

		if (*manufacturer || *product || *serial)
			error = usbg_set_gadget_strs(c->gadget, lang, &strs);
		if (!error && *string(p, p->configuration_string, lang, configuration))
			error = usbg_set_config_string(c->config, lang, configuration);
		if (error)
			return explain("setting the gadget's strings", error);
	}
	return 0;
}

/* The phone must see packets of the camera's size, so the gadget may not be faster than the camera.
 */
static int set_speed_and_power(struct configfs *c, const struct usb_profile *p)
{
	const char *config = usbg_get_config_label(c->config);
	bool fast = p->speed >= USB_SPEED_HIGH;
	char power[8];
	int r;

	(void)snprintf(power, sizeof(power), "%u", p->max_power_ma);
	r = write_attribute(c, fast ? "high-speed" : "full-speed", "max_speed");
	return r ? r
		 : write_attribute(c, power, "configs/%s.%d/MaxPower", config,
			   usbg_get_config_id(c->config));
}

static int build(struct configfs *c, const struct usb_profile *p, const char *name)
{
	struct usbg_gadget_attrs attrs = {
		.bcdUSB = 0x0200, /* composite_setup reports its own anyway */
		.bDeviceClass = p->class,
		.bDeviceSubClass = p->subclass,
		.bDeviceProtocol = p->protocol,
		.bMaxPacketSize0 = 64,
		.idVendor = p->vendor,
		.idProduct = p->product,
		.bcdDevice = p->bcd_device,
	};
	struct usbg_config_attrs config_attrs = {
		/* Not remote wake-up: nothing here can ask for it, and dwc2 gadgets wedge on it. */
		.bmAttributes = USB_CONFIG_ATT_ONE | (p->attributes & USB_CONFIG_ATT_SELFPOWER),
	};
	usbg_function *function;
	int error;

	error = usbg_set_gadget_attrs(c->gadget, &attrs);
	if (error)
		return explain("setting the gadget's attributes", error);
	error = usbg_create_function(c->gadget, USBG_F_FFS, name, NULL, &function);
	if (error)
		return explain("creating the FunctionFS function (module usb_f_fs)", error);
	error = usbg_create_config(
		c->gadget, p->configuration_value, "c", &config_attrs, NULL, &c->config);
	if (!error)
		error = usbg_add_config_function(c->config, name, function);
	if (error)
		return explain("creating the configuration", error);
	int r = set_strings(c, p);
	return r ? r : set_speed_and_power(c, p);
}

static int make_gadget(const char *name)
{
	char path[PATH_MAX];
	int r = check_support();

	(void)snprintf(path, sizeof(path), GADGETS "/%s", name);
	return r ? r : make_folder(path);
}

int configfs_new(const struct usb_profile *profile, const char *name, const char *view,
	struct configfs **out)
{
	struct configfs *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return -ENOMEM;
	r = make_gadget(name);
	if (!r)
		r = open_gadget(c, name, view);
	if (!r)
		r = build(c, profile, name);
	if (r) {
		configfs_free(c);
		return r;
	}
	*out = c;
	return 0;
}

int configfs_bind(struct configfs *c, const char *udc)
{
	usbg_udc *found = usbg_get_udc(c->state, udc);
	int error;

	if (!found) {
		glog(LOG_ERR, "UDC %s has gone", udc);
		return -ENODEV;
	}
	error = usbg_enable_gadget(c->gadget, found);
	if (error) {
		glog(LOG_ERR, "binding to UDC %s: %s; the kernel's log tells more",
			usbg_get_udc_name(found), usbg_strerror(error));
		return usbg_errno(error);
	}
	c->udc = found;
	return 0;
}

const char *configfs_udc(const struct configfs *c)
{
	return c->udc ? usbg_get_udc_name(c->udc) : NULL;
}

void configfs_unbind(struct configfs *c)
{
	/* Also when we did not bind it: harmless, and the kernel may have unbound it by itself. */
	if (c->udc)
		(void)usbg_disable_gadget(c->gadget);
	c->udc = NULL;
}

void configfs_free(struct configfs *c)
{
	if (!c)
		return;
	if (c->gadget) {
		configfs_unbind(c);
		(void)remove_gadget(c);
	}
	close_gadget(c);
	free(c);
}
