/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gadget/fit.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "gadget/ffsblob.h"
#include "gadget/udc.h"
#include "gadget/usbclass.h"
#include "gadget/usbdesc.h"

#define DT_FUNCTIONAL (USB_TYPE_CLASS | 0x01)
#define GENERAL 16	    /* findings that are not about an interface: fewer */
#define UAS 0x62	    /* bInterfaceProtocol of USB attached SCSI */
#define BCD_USB_BOS 0x0201  /* from here on there is a BOS descriptor (usb_get_bos_descriptor) */
#define POWER_MANY_GIVE 100 /* mA; USB 2.0 section 7.2.1: a low-power port, and what iOS allows */
#define POWER_MAX 500	    /* mA that composite tells at most (encode_bMaxPower) */

/* An interface gives one finding for each of: class descriptors, isochronous endpoints, control
 * interface, alternate settings. */
static_assert(FIT_MAX_FINDINGS >= 3 * USBDESC_MAX_INTERFACES + GENERAL,
	"three for each alternate setting 0, and one if it has others, which are counted too");

/* What the raw descriptors tell of an interface. */
struct facts {
	const struct usb_interface *zero; /* its alternate setting 0 */
	/* of alternate setting 0, and not presented */
	unsigned class_descriptors, isochronous;
	uint8_t isochronous_address; /* of the first */
	bool has_functional, lacks_functional, lacks_class_specific;
	bool lacks_data; /* had an isochronous endpoint that carries something */
	/* of the others */
	unsigned alternates;
	bool alternates_carry, alternates_isochronous;
	/* the verdict */
	bool useless;
};

struct view {
	struct fit *fit;
	const struct usb_profile *profile;
	const struct udc *udc;
	struct facts interfaces[USBDESC_MAX_INTERFACES]; /* num_logical, by logical number */
};

void fit_add(struct fit *f, enum fit_severity severity, const char *format, ...)
{
	struct fit_finding *finding = &f->findings[f->num_findings];
	va_list args;

	if (f->num_findings == FIT_MAX_FINDINGS)
		return;
	f->num_findings++;
	finding->severity = severity;
	va_start(args, format);
	(void)vsnprintf(finding->text, sizeof(finding->text), format, args);
	va_end(args);
}

const char *fit_refusal(const struct fit *f)
{
	for (unsigned i = 0; i < f->num_findings; i++)
		if (f->findings[i].severity == FIT_REFUSED)
			return f->findings[i].text;
	return NULL;
}

const char *fit_severity_str(enum fit_severity severity)
{
	return severity == FIT_REFUSED ? "refused" : severity == FIT_LOST ? "lost" : "note";
}

static const char *plural(unsigned n)
{
	return n == 1 ? "" : "s";
}

/* ---- what the descriptors say ---- */

static bool is_isochronous(const uint8_t *endpoint)
{
	return (endpoint[3] & USB_ENDPOINT_XFERTYPE_MASK) == USB_ENDPOINT_XFER_ISOC;
}

/* Class and vendor types, but not the standard ones that look like a class's. */
static bool is_class_specific(const uint8_t *d)
{
	return (d[1] & USB_TYPE_MASK) && d[1] != USB_DT_SS_ENDPOINT_COMP &&
		d[1] != USB_DT_SSP_ISOC_ENDPOINT_COMP;
}

static void see_in_zero(struct facts *f, const uint8_t *d)
{
	if (d[1] == USB_DT_ENDPOINT && is_isochronous(d)) {
		if (!f->isochronous++)
			f->isochronous_address = d[2];
		f->lacks_data = f->lacks_data || d[4] || d[5];
	} else if (is_class_specific(d) && ffsblob_keeps_class(f->zero, d)) {
		f->has_functional = true;
	} else if (is_class_specific(d)) {
		f->class_descriptors++;
		f->lacks_functional = f->lacks_functional || d[1] == DT_FUNCTIONAL;
		f->lacks_class_specific = f->lacks_class_specific || d[1] == USB_DT_CS_INTERFACE;
	}
}

static void see_in_alternate(struct facts *f, const uint8_t *d)
{
	if (d[1] != USB_DT_ENDPOINT)
		return;
	f->alternates_carry = true;
	f->alternates_isochronous = f->alternates_isochronous || is_isochronous(d);
}

static void see_all(struct view *v)
{
	const struct usb_profile *p = v->profile;
	const struct usb_interface *i = NULL;
	unsigned at = 0;

	for (unsigned k = 0; k < p->num_interfaces; k++)
		if (!p->interfaces[k].alternate)
			v->interfaces[p->interfaces[k].logical].zero = &p->interfaces[k];
	for (const uint8_t *d = p->config + p->config[0]; d < p->config + p->config_size;
		d += d[0]) {
		if (d[1] == USB_DT_INTERFACE) {
			i = &p->interfaces[at++];
			v->interfaces[i->logical].alternates += i->alternate != 0;
		} else if (i && i->alternate) {
			see_in_alternate(&v->interfaces[i->logical], d);
		} else if (i) {
			see_in_zero(&v->interfaces[i->logical], d);
		}
	}
}

/* ---- interfaces ---- */

/*
 * What hosts find in an interface by its class descriptors alone; NULL: nothing.
 * Linux: snd_usb_create_streams, acm_probe and usbnet_generic_cdc_bind (which does without in the
 * vendor's protocol that is RNDIS), usbhid_parse, uas_find_endpoints, uvc_parse_control; pcscd's
 * libccid looks for its descriptor too.
 */
static const char *purpose(const struct facts *f)
{
	bool no_functional = f->lacks_functional && !f->has_functional;
	const struct usb_interface *i = f->zero;

	switch (i->class) {
	case USB_CLASS_AUDIO:
		return f->lacks_class_specific ? "sound or MIDI" : NULL;
	case USB_CLASS_COMM:
		return f->lacks_class_specific && i->protocol != 0xff ? "modem or network" : NULL;
	case USB_CLASS_HID:
		return no_functional ? "input device" : NULL;
	case USB_CLASS_MASS_STORAGE:
		return f->lacks_class_specific && i->protocol == UAS ? "disk" : NULL;
	case USB_CLASS_CSCID:
		return no_functional ? "card reader" : NULL;
	case USB_CLASS_VIDEO:
		return f->lacks_class_specific ? "picture" : NULL;
	default:
		return NULL;
	}
}

#define INTERFACE "interface %u (%s): "
#define INTERFACE_ARGS(f) (f)->zero->number, usb_class_str((f)->zero->class)

static void judge_class(struct view *v, struct facts *f)
{
	const char *lost = purpose(f);

	if (!f->class_descriptors)
		return;
	if (lost)
		fit_add(v->fit, FIT_LOST,
			INTERFACE "its %u class descriptor%s cannot be presented; without %s hosts "
				  "find no %s in it",
			INTERFACE_ARGS(f), f->class_descriptors, plural(f->class_descriptors),
			f->class_descriptors == 1 ? "it" : "them", lost);
	else
		fit_add(v->fit, FIT_LOST,
			INTERFACE "its %u class descriptor%s cannot be presented; a driver that "
				  "reads %s may not work",
			INTERFACE_ARGS(f), f->class_descriptors, plural(f->class_descriptors),
			f->class_descriptors == 1 ? "it" : "them");
	f->useless = lost;
}

static void judge_isochronous(struct view *v, struct facts *f)
{
	bool nothing = f->lacks_data && !f->zero->num_endpoints;

	if (!f->isochronous)
		return;
	fit_add(v->fit, FIT_LOST,
		INTERFACE "its isochronous endpoint%s (0x%02x%s) %s left out, as the network would "
			  "be late%s",
		INTERFACE_ARGS(f), plural(f->isochronous), f->isochronous_address,
		f->isochronous > 1 ? " ..." : "", f->isochronous > 1 ? "are" : "is",
		nothing ? "; nothing else carries data in it" : "");
	f->useless = f->useless || nothing;
}

static void judge_alternates(struct view *v, struct facts *f)
{
	bool nothing = f->alternates_carry && !f->zero->num_endpoints;

	if (!f->alternates)
		return;
	fit_add(v->fit, FIT_LOST,
		INTERFACE "its %u alternate setting%s besides 0%s cannot be presented%s",
		INTERFACE_ARGS(f), f->alternates, plural(f->alternates),
		f->alternates_isochronous ? ", with isochronous endpoints," : "",
		nothing ? "; 0 has no endpoints, so it carries nothing" : "");
	f->useless = f->useless || nothing;
}

/* A data interface belongs to the control interface before it (CDC 1.2 section 3.3.1 has a
 * descriptor that says so, but nobody finds it without the control interface). */
static void judge_data(struct view *v, struct facts *f, const struct facts *control)
{
	if (f->zero->class != USB_CLASS_CDC_DATA || f->useless || !control || !control->useless)
		return;
	fit_add(v->fit, FIT_LOST, INTERFACE "of no use without interface %u", INTERFACE_ARGS(f),
		control->zero->number);
	f->useless = true;
}

static void refuse_useless(struct view *v)
{
	bool class = false, alternates = false, isochronous = false;
	unsigned n = v->profile->num_logical;

	for (unsigned i = 0; i < n; i++) {
		const struct facts *f = &v->interfaces[i];

		if (!f->useless)
			return;
		class = class || f->class_descriptors;
		alternates = alternates || f->alternates_carry;
		isochronous = isochronous || f->isochronous || f->alternates_isochronous;
	}
	fit_add(v->fit, FIT_REFUSED,
		"none of its interfaces would work at the phone without the%s%s%s%s%s that "
		"cannot be presented",
		class ? " class descriptors" : "", class && alternates ? " and" : "",
		alternates ? " alternate settings" : "",
		(class || alternates) && isochronous ? " and" : "",
		isochronous ? " isochronous endpoints" : "");
}

static void judge_interfaces(struct view *v)
{
	const struct usb_profile *p = v->profile;
	const struct facts *control = NULL;

	if (!p->num_logical) {
		fit_add(v->fit, FIT_REFUSED, "its configuration has no interface");
		return;
	}
	if (p->num_logical > FFSBLOB_MAX_INTERFACES)
		fit_add(v->fit, FIT_REFUSED,
			"it has %u interfaces, and a gadget can have no more than %u",
			p->num_logical, FFSBLOB_MAX_INTERFACES);
	for (unsigned i = 0; i < p->num_logical; i++) {
		struct facts *f = &v->interfaces[i];

		judge_class(v, f);
		judge_isochronous(v, f);
		judge_alternates(v, f);
		judge_data(v, f, control);
		if (f->zero->class == USB_CLASS_COMM)
			control = f;
	}
	refuse_useless(v);
}

/* ---- the port ---- */

static unsigned needs(const struct usb_profile *p, uint8_t direction)
{
	unsigned n = 0;

	for (unsigned i = 0; i < p->num_endpoints; i++)
		n += (p->endpoints[i].address & USB_DIR_IN) == direction;
	return n;
}

static void judge_endpoints(struct view *v)
{
	const struct usb_profile *p = v->profile;
	const struct udc *udc = v->udc;
	const struct usb_endpoint *e;

	for (unsigned i = 0; i < p->num_endpoints; i++) {
		e = &p->endpoints[i];
		if ((e->attributes & USB_ENDPOINT_XFERTYPE_MASK) == USB_ENDPOINT_XFER_CONTROL) {
			fit_add(v->fit, FIT_REFUSED,
				"its endpoint 0x%02x is a control endpoint, for which no port has "
				"a place",
				e->address);
			return;
		}
	}
	e = udc && udc->num_endpoints ? udc_misfit(udc, p) : NULL;
	if (!e)
		return;
	fit_add(v->fit, FIT_REFUSED,
		"UDC %s (%s) has no place for its endpoint 0x%02x (%s %s): the camera needs %u IN "
		"and %u OUT endpoints, the UDC has %u and %u",
		udc->name, udc->driver, e->address, usb_endpoint_str(e->attributes),
		e->address & USB_DIR_IN ? "IN" : "OUT", needs(p, USB_DIR_IN), needs(p, USB_DIR_OUT),
		udc_count(udc, USB_DIR_IN), udc_count(udc, USB_DIR_OUT));
}

static void judge_speed(struct view *v)
{
	enum usb_device_speed speed = v->profile->speed;
	const struct udc *udc = v->udc;

	switch (speed) {
	case USB_SPEED_LOW:
		fit_add(v->fit, FIT_NOTE, "low speed is presented as full speed");
		break;
	case USB_SPEED_FULL:
	case USB_SPEED_HIGH:
		break;
	case USB_SPEED_SUPER:
	case USB_SPEED_SUPER_PLUS:
		fit_add(v->fit, FIT_LOST,
			"SuperSpeed is presented as high speed: 480 Mbit/s at most");
		speed = USB_SPEED_HIGH;
		break;
	default:
		fit_add(v->fit, FIT_REFUSED, "its server does not tell its speed");
		return;
	}
	if (udc && udc->speed == USB_SPEED_FULL && speed == USB_SPEED_HIGH)
		fit_add(v->fit, FIT_LOST, "UDC %s (%s) runs at full speed: 12 Mbit/s at most",
			udc->name, udc->driver);
}

/* ---- the rest ---- */

static void judge_strings(struct view *v)
{
	const struct usb_profile *p = v->profile;
	unsigned cut = 0;

	for (unsigned i = 0; i < p->num_strings; i++)
		cut += strlen(p->strings[i].text) > FFSBLOB_MAX_TEXT;
	if (cut)
		fit_add(v->fit, FIT_NOTE, "%u of its strings %s longer than %u bytes and cut there",
			cut, cut == 1 ? "is" : "are", FFSBLOB_MAX_TEXT);
	if (p->num_strings == USBDESC_MAX_STRINGS)
		fit_add(v->fit, FIT_NOTE, "of its strings no more than %u are presented",
			USBDESC_MAX_STRINGS);
	if (p->num_langs == USBDESC_MAX_LANGS)
		fit_add(v->fit, FIT_NOTE, "of its languages no more than %u are presented",
			USBDESC_MAX_LANGS);
}

static void judge_configuration(struct view *v)
{
	const struct usb_profile *p = v->profile;
	unsigned power = p->max_power_ma < POWER_MAX ? p->max_power_ma : POWER_MAX;

	if (p->num_configurations > 1)
		fit_add(v->fit, FIT_LOST, "of its %u configurations only the first is presented",
			p->num_configurations);
	if (p->attributes & USB_CONFIG_ATT_WAKEUP)
		fit_add(v->fit, FIT_LOST, "remote wake-up: it cannot wake the phone");
	if (p->bcd_usb >= BCD_USB_BOS)
		fit_add(v->fit, FIT_LOST,
			"the BOS descriptor, and what a host learns from it (WebUSB, Microsoft OS "
			"2.0)");
	if (power > POWER_MANY_GIVE)
		fit_add(v->fit, FIT_NOTE,
			"the phone is told that it draws %u mA; an iPhone, or a hub without a "
			"supply, may refuse more than %u: see max_power_ma",
			power, POWER_MANY_GIVE);
}

int fit_check(struct fit *f, const struct usb_profile *p, const struct udc *udc)
{
	struct view v = {.fit = f, .profile = p, .udc = udc};

	f->num_findings = 0;
	if (p->config_size)
		see_all(&v);
	judge_interfaces(&v);
	judge_endpoints(&v);
	judge_speed(&v);
	judge_configuration(&v);
	judge_strings(&v);
	return fit_refusal(f) ? -EOPNOTSUPP : 0;
}
