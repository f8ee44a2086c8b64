/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/descrules.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "gadget/fit.h"
#include "gadget/udc.h"
#include "tests/unit/ffskernel.h"

#define RULE(holds)                                                                                \
	do {                                                                                       \
		if (!(holds))                                                                      \
			return #holds;                                                             \
	} while (0)

static const char *check_interfaces(const struct usb_profile *p)
{
	unsigned endpoints = 0, next_logical = 0;

	RULE(p->num_interfaces <= USBDESC_MAX_INTERFACES);
	for (unsigned i = 0; i < p->num_interfaces; i++) {
		const struct usb_interface *it = &p->interfaces[i];
		bool zero = false;

		RULE(it->logical < p->num_logical);
		for (unsigned j = 0; j < p->num_interfaces; j++) {
			const struct usb_interface *other = &p->interfaces[j];

			zero = zero || (other->number == it->number && !other->alternate);
			RULE((other->number == it->number) == (other->logical == it->logical));
			RULE(i == j || other->number != it->number ||
				other->alternate != it->alternate);
		}
		RULE(zero);
		if (it->alternate) {
			RULE(!it->num_endpoints);
			continue;
		}
		RULE(it->logical == next_logical);
		RULE(it->first_endpoint == endpoints);
		next_logical++;
		endpoints += it->num_endpoints;
	}
	RULE(next_logical == p->num_logical);
	RULE(endpoints == p->num_endpoints);
	return NULL;
}

static const char *check_endpoints(const struct usb_profile *p)
{
	RULE(p->num_endpoints <= USBDESC_MAX_ENDPOINTS);
	for (unsigned k = 0; k < p->num_endpoints; k++) {
		const struct usb_endpoint *e = &p->endpoints[k];

		RULE(e->interface_at < p->num_interfaces);
		RULE(k >= p->interfaces[e->interface_at].first_endpoint);
		RULE(k < p->interfaces[e->interface_at].first_endpoint +
				p->interfaces[e->interface_at].num_endpoints);
		RULE(e->max_packet && e->max_packet <= 1024);
		RULE(e->address & 0x0f && !(e->address & 0x70));
		for (unsigned j = 0; j < k; j++)
			RULE(p->endpoints[j].address != e->address);
	}
	return NULL;
}

static bool is_utf8(const char *s)
{
	uint8_t blob[16 + 2 + USBDESC_STRING_SIZE] = {0};
	struct ffskernel k = {.strings_count = 1, .str_count = 1, .lang_count = 1, .strings = blob};
	uint16_t out[126];
	size_t step;

	/* In pieces, since the kernel looks at no more than 126 bytes. */
	for (; *s; s += step) {
		step = usbdesc_text_cut(s, USB_MAX_STRING_LEN);
		memcpy(blob + 2, s, step);
		blob[2 + step] = 0;
		if (!step || ffskernel_get_string(&k, 0, 1, out) < 0)
			return false;
	}
	return true;
}

static const char *check_strings(const struct usb_profile *p)
{
	RULE(p->num_langs <= USBDESC_MAX_LANGS);
	RULE(p->num_strings <= USBDESC_MAX_STRINGS);
	for (unsigned i = 0; i < p->num_strings; i++) {
		const struct usb_string *s = &p->strings[i];

		RULE(s->index);
		RULE(strnlen(s->text, sizeof(s->text)) < sizeof(s->text));
		RULE(usbdesc_text(p, s->index, s->lang) == s->text);
		RULE(usbdesc_text(p, s->index, 0));
		RULE(is_utf8(s->text));
	}
	return NULL;
}

const char *descrules_profile(const struct usb_profile *p)
{
	const char *broken = check_interfaces(p);
	unsigned at = 0, interfaces = 0;

	broken = broken ? broken : check_endpoints(p);
	broken = broken ? broken : check_strings(p);
	if (broken)
		return broken;
	RULE(p->config_size <= USBDESC_MAX_CONFIG);
	for (; at < p->config_size; at += p->config[at]) {
		RULE(p->config[at] >= 2);
		if (at && p->config[at + 1] == USB_DT_INTERFACE) {
			RULE(interfaces < p->num_interfaces);
			RULE(p->config[at + 2] == p->interfaces[interfaces].number);
			RULE(p->config[at + 3] == p->interfaces[interfaces].alternate);
			interfaces++;
		}
	}
	RULE(at == p->config_size);
	RULE(interfaces == p->num_interfaces);
	return NULL;
}

/* What the phone reads is the beginning of the camera's text, and all of it if it is not long. */
static const char *check_text(
	const struct ffskernel *k, const struct usb_profile *p, uint8_t index, unsigned ordinal)
{
	uint16_t units[126];

	RULE(!ordinal == !usbdesc_text(p, index, 0));
	for (unsigned l = 0; ordinal && l < p->num_langs; l++) {
		const char *text = usbdesc_text(p, index, p->langs[l]);
		int n = ffskernel_get_string(k, p->langs[l], ordinal, units);
		size_t at = 0;

		RULE(n >= 0 || !text);
		if (n < 0)
			continue;
		/* As many characters as come in at most 126 bytes. */
		for (int i = 0; i < n; i++) {
			if ((units[i] & 0xfc00) == 0xdc00) /* the pair's first half took it */
				continue;
			RULE(text && text[at]);
			RULE(units[i] >= 0x80 || text[at] == (char)units[i]);
			for (at++; ((uint8_t)text[at] & 0xc0) == 0x80; at++)
				;
		}
		RULE(at <= 126 && (!text || !text[at] || at + 4 > 126));
	}
	return NULL;
}

static const char *check_interface(const struct ffskernel *k, const struct usb_profile *p,
	const struct usb_interface *i, const uint8_t *d)
{
	unsigned endpoints = 0;

	RULE(d[2] == i->logical);
	RULE(k->interfaces_nums[d[2]] == i->logical);
	RULE(d[3] == 0);
	RULE(d[5] == i->class && d[6] == i->subclass && d[7] == i->protocol);
	for (const uint8_t *e = d + d[0]; e < k->descs + k->descs_size && e[1] != USB_DT_INTERFACE;
		e += e[0])
		endpoints += e[1] == USB_DT_ENDPOINT;
	RULE(d[4] == endpoints);
	RULE(endpoints == i->num_endpoints);
	return check_text(k, p, i->string, d[8]);
}

/* An association holds the same interfaces at the phone as at the camera, of which it is one. */
static const char *check_association(
	const struct ffskernel *k, const struct usb_profile *p, const uint8_t *d)
{
	for (const uint8_t *c = p->config; c < p->config + p->config_size; c += c[0]) {
		bool same = c[1] == d[1] && c[0] == 8 && c[3] == d[3] && !memcmp(c + 4, d + 4, 3);

		for (unsigned i = 0; same && i < p->num_interfaces; i++) {
			const struct usb_interface *it = &p->interfaces[i];
			unsigned there = (unsigned)it->number - c[2],
				 here = (unsigned)it->logical - d[2];

			same = (there < c[3]) == (here < d[3]) && (there == 0) == (here == 0);
		}
		if (same && !check_text(k, p, c[7], d[7]))
			return NULL;
	}
	return "association is one of the camera's";
}

static const char *check_descs(
	const struct ffskernel *k, const struct usb_profile *p, unsigned dropped)
{
	unsigned all = 0, kept = 0, interface = 0;
	const char *broken = NULL;

	for (const uint8_t *d = p->config; d < p->config + p->config_size; d += d[0])
		all++;
	for (const uint8_t *d = k->descs; d < k->descs + k->descs_size && !broken; d += d[0]) {
		kept++;
		RULE(d[1] != USB_DT_OTG && d[1] != USB_DT_SS_ENDPOINT_COMP);
		if (d[1] == USB_DT_INTERFACE) {
			while (interface < p->num_interfaces && p->interfaces[interface].alternate)
				interface++;
			RULE(interface < p->num_interfaces);
			broken = check_interface(k, p, &p->interfaces[interface++], d);
		} else if (d[1] == USB_DT_INTERFACE_ASSOCIATION) {
			broken = check_association(k, p, d);
		}
	}
	while (interface < p->num_interfaces && p->interfaces[interface].alternate)
		interface++;
	RULE(broken || interface == p->num_interfaces);
	RULE(broken || all == 1 + kept + dropped); /* 1: the configuration descriptor */
	return broken;
}

/* Packets of an endpoint at the phone: as the camera's, or what there may be at the phone's speed,
 * of which whole ones make the camera's. */
static const char *check_packet(
	const struct usb_endpoint *e, enum usb_device_speed camera, bool high, uint16_t size)
{
	bool interrupt = (e->attributes & 3) == USB_ENDPOINT_XFER_INT;

	if (camera <= USB_SPEED_FULL || (high && camera == USB_SPEED_HIGH)) {
		RULE((size & 0x7ff) == e->max_packet);
		return NULL;
	}
	RULE(size && size <= (high ? 1024 : 64) && size <= e->max_packet);
	RULE(interrupt || !high || size <= 512);
	RULE(size == e->max_packet || size == (!high ? 64 : interrupt ? 1024 : 512));
	return NULL;
}

static const char *check_endpoint_order(const struct ffskernel *k, const struct usb_profile *p,
	const uint8_t *descs, size_t descs_size, bool high)
{
	unsigned at = 0;

	RULE(k->eps_count == p->num_endpoints);
	for (const uint8_t *d = descs; d < descs + descs_size; d += d[0]) {
		const struct usb_endpoint *e = &p->endpoints[at];
		const char *broken;

		if (d[1] != USB_DT_ENDPOINT)
			continue;
		broken = check_packet(e, p->speed, high, (uint16_t)(d[4] | d[5] << 8));
		if (broken)
			return broken;
		RULE(d[2] == e->address);
		RULE(d[3] == e->attributes);
		RULE(d[6] == e->interval || (!high && p->speed >= USB_SPEED_HIGH));
		at++;
	}
	RULE(at == p->num_endpoints);
	return NULL;
}

/* A slower set is the other one, but for what endpoints cannot do at its speed. */
static const char *check_slow(const struct ffskernel *k, const struct usb_profile *p)
{
	const uint8_t *fast = k->descs;

	RULE(!k->slow_descs == (p->speed < USB_SPEED_HIGH));
	if (!k->slow_descs)
		return NULL;
	RULE(k->slow_size == k->descs_size);
	for (const uint8_t *d = k->slow_descs; d < k->slow_descs + k->slow_size; d += d[0]) {
		RULE(d[0] == fast[0]);
		RULE(!memcmp(d, fast, d[1] == USB_DT_ENDPOINT ? 4 : d[0]));
		fast += d[0];
	}
	return check_endpoint_order(k, p, k->slow_descs, k->slow_size, false);
}

const char *descrules_blob(const struct ffsblob *b, const struct usb_profile *p)
{
	struct ffskernel k;
	const char *broken;
	bool high = p->speed >= USB_SPEED_HIGH;

	RULE(b->descs_size <= sizeof(b->descs) && b->strings_size <= sizeof(b->strings));
	RULE(!ffskernel_descs(&k, b->descs, b->descs_size));
	RULE(!ffskernel_strings(&k, b->strings, b->strings_size));
	RULE(!ffskernel_bind(&k));
	RULE(k.flags == (high ? 67 : 65));
	RULE(k.interfaces_count == p->num_logical);
	RULE(k.str_count == k.strings_count);
	broken = check_endpoint_order(&k, p, k.descs, k.descs_size, high);
	broken = broken ? broken : check_slow(&k, p);
	return broken ? broken : check_descs(&k, p, b->dropped);
}

static const char *check_findings(const struct fit *fit, int r)
{
	RULE(r == 0 || r == -EOPNOTSUPP);
	RULE(!r == !fit_refusal(fit));
	RULE(fit->num_findings < FIT_MAX_FINDINGS);
	for (unsigned i = 0; i < fit->num_findings; i++) {
		size_t size = strlen(fit->findings[i].text);

		RULE(size && size < FIT_MAX_TEXT - 1);
	}
	return NULL;
}

const char *descrules_fit(const struct usb_profile *p)
{
	static const struct udc udcs[] = {
		{.driver = "dwc2", .speed = USB_SPEED_HIGH}, {.driver = "dummy_udc"}};
	const char *broken;
	struct fit fit;
	struct ffsblob b;
	int r = fit_check(&fit, p, NULL);

	broken = check_findings(&fit, r);
	/* What is not refused can be built. */
	RULE(r || p->speed > USB_SPEED_HIGH || !ffsblob_build(&b, p));
	for (unsigned i = 0; i < sizeof(udcs) / sizeof(udcs[0]) && !broken; i++) {
		struct udc udc = udcs[i];
		int on_udc;

		udc_set_endpoints(&udc, "brcm,bcm2835-usb");
		RULE(udc.num_endpoints);
		on_udc = fit_check(&fit, p, &udc);
		broken = check_findings(&fit, on_udc);
		/* A port takes away, and gives nothing. */
		RULE(broken || !r || on_udc);
		RULE(broken || on_udc || !udc_misfit(&udc, p));
	}
	return broken;
}
