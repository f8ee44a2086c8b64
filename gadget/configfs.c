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
#include <unistd.h>

#include <usbg/function/ffs.h>
#include <usbg/usbg.h>

#include "gadget/glog.h"
#include "gadget/usbdesc.h"

#define CONFIGFS "/sys/kernel/config"

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
	(void)snprintf(path, sizeof(path), CONFIGFS "/usb_gadget/%s/%s",
		usbg_get_gadget_name(c->gadget), file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, value, strlen(value)) < 0) {
		r = -errno;
		glog(LOG_ERR, "writing %s to %s: %s", value, path, strerror(errno));
	}
	if (fd >= 0)
		close(fd);
	return r;
}

static int open_state(usbg_state **state)
{
	/* Looked for here, because libusbgx would print words of its own. */
	if (access(CONFIGFS "/usb_gadget", F_OK) < 0) {
		glog(LOG_ERR,
			"no USB gadget support in " CONFIGFS
			": load the module libcomposite, mount configfs");
		return -ENOENT;
	}
	return explain("reading " CONFIGFS "/usb_gadget", usbg_init(CONFIGFS, state));
}

int configfs_clean(const char *name)
{
	usbg_state *state;
	usbg_gadget *gadget;
	int r = open_state(&state);

	if (r)
		return r;
	gadget = usbg_get_gadget(state, name);
	if (gadget) {
		/* A killed daemon's gadget is unbound already, and says so with an error. */
		(void)usbg_disable_gadget(gadget);
		r = explain("removing the gadget of a predecessor",
			usbg_rm_gadget(gadget, USBG_RM_RECURSE));
		if (!r)
			glog(LOG_INFO, "removed gadget %s, left behind by a predecessor", name);
	}
	usbg_cleanup(state);
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

	error = usbg_create_gadget(c->state, name, &attrs, NULL, &c->gadget);
	if (error)
		return explain("creating the gadget", error);
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

int configfs_new(const struct usb_profile *profile, const char *name, struct configfs **out)
{
	struct configfs *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return -ENOMEM;
	r = open_state(&c->state);
	if (!r)
		r = build(c, profile, name);
	if (r) {
		configfs_free(c);
		return r;
	}
	*out = c;
	return 0;
}

static usbg_udc *find_udc(struct configfs *c, const char *name)
{
	usbg_udc *udc;

	if (name && strcmp(name, "auto"))
		return usbg_get_udc(c->state, name);
	for (udc = usbg_get_first_udc(c->state); udc; udc = usbg_get_next_udc(udc)) {
		if (!usbg_get_udc_gadget(udc))
			return udc;
	}
	return NULL;
}

static int no_udc(struct configfs *c, const char *name)
{
	if (name && strcmp(name, "auto"))
		glog(LOG_ERR, "there is no UDC %s here; ls /sys/class/udc shows what there is",
			name);
	else if (usbg_get_first_udc(c->state))
		glog(LOG_ERR, "every UDC of this machine has a gadget already");
	else
		glog(LOG_ERR,
			"this machine has no UDC (USB device port): on a Raspberry Pi enable "
			"dtoverlay=dwc2,dr_mode=peripheral");
	return -ENODEV;
}

int configfs_bind(struct configfs *c, const char *udc)
{
	usbg_udc *found = find_udc(c, udc);
	int error;

	if (!found)
		return no_udc(c, udc);
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
		(void)explain("removing the gadget", usbg_rm_gadget(c->gadget, USBG_RM_RECURSE));
	}
	if (c->state)
		usbg_cleanup(c->state);
	free(c);
}
