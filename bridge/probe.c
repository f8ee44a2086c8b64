/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/probe.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bridge/log.h"

/* The steps, in order. */
enum {
	STEP_RESET,
	STEP_DEVICE,
	STEP_CONFIG_HEAD, /* its 9 bytes tell how long the whole is */
	STEP_CONFIG,
	STEP_SET_CONFIGURATION,
	STEP_LANGS,
	STEP_STRINGS,
};

static const char *const step_names[] = {
	[STEP_RESET] = "reset",
	[STEP_DEVICE] = "device descriptor",
	[STEP_CONFIG_HEAD] = "configuration descriptor",
	[STEP_CONFIG] = "configuration descriptor",
	[STEP_SET_CONFIGURATION] = "SET_CONFIGURATION",
	[STEP_LANGS] = "string languages",
	[STEP_STRINGS] = "string",
};

static void finish(struct probe *p, enum probe_result result, const char *why)
{
	char reason[160] = "";

	if (result != PROBE_COMPLETE)
		(void)snprintf(reason, sizeof(reason), "%s: %s", step_names[p->step], why);
	p->callbacks->done(p->user, result, reason);
}

static void request(struct probe *p, uint8_t type, uint8_t what, uint16_t value, uint16_t index,
	uint16_t length)
{
	const uint8_t setup[8] = {type, what, (uint8_t)value, (uint8_t)(value >> 8), (uint8_t)index,
		(uint8_t)(index >> 8), (uint8_t)length, (uint8_t)(length >> 8)};

	memcpy(p->urb.setup, setup, sizeof(setup));
	p->urb.buffer = p->buffer;
	p->urb.length = length;
	/* Fails only when the session is over, which its user learns from the client. */
	(void)client_submit(p->client, &p->urb);
}

static void get_descriptor(
	struct probe *p, uint8_t type, uint8_t index, uint16_t lang, uint16_t length)
{
	request(p, USB_DIR_IN, USB_REQ_GET_DESCRIPTOR, (uint16_t)(type << 8 | index), lang, length);
}

/* Asks for the next string there is to read; false when there is none. */
static bool get_string(struct probe *p)
{
	size_t total = p->num_indices * p->profile.num_langs;

	if (p->at >= total || p->profile.num_strings == USBDESC_MAX_STRINGS)
		return false;
	get_descriptor(p, USB_DT_STRING, p->indices[p->at % p->num_indices],
		p->profile.langs[p->at / p->num_indices], 255);
	return true;
}

static void ask(struct probe *p)
{
	switch (p->step) {
	case STEP_RESET:
		/* It would begin in the middle of what an earlier client asked for otherwise: a
		 * Linux server resets it when a client goes, but not when it is unbound. */
		(void)client_reset_device(p->client, &p->urb);
		break;
	case STEP_DEVICE:
		get_descriptor(p, USB_DT_DEVICE, 0, 0, USB_DT_DEVICE_SIZE);
		break;
	case STEP_CONFIG_HEAD:
		get_descriptor(p, USB_DT_CONFIG, 0, 0, USB_DT_CONFIG_SIZE);
		break;
	case STEP_CONFIG:
		get_descriptor(
			p, USB_DT_CONFIG, 0, 0, usbdesc_config_size(p->buffer, USB_DT_CONFIG_SIZE));
		break;
	case STEP_SET_CONFIGURATION:
		request(p, USB_DIR_OUT, USB_REQ_SET_CONFIGURATION, p->profile.configuration_value,
			0, 0);
		break;
	case STEP_LANGS:
		p->num_indices =
			usbdesc_string_indices(&p->profile, p->indices, sizeof(p->indices));
		if (p->num_indices)
			get_descriptor(p, USB_DT_STRING, 0, 0, 255);
		else
			finish(p, PROBE_COMPLETE, NULL);
		break;
	case STEP_STRINGS:
		if (!get_string(p))
			finish(p, PROBE_COMPLETE, NULL);
		break;
	}
}

/* Takes the answer of the step in. 0, or an error with *why. */
static int take(struct probe *p, uint32_t actual, const char **why)
{
	struct usb_profile *profile = &p->profile;

	switch (p->step) {
	case STEP_DEVICE:
		return usbdesc_device(profile, profile->speed, p->buffer, actual, why);
	case STEP_CONFIG_HEAD:
		*why = "not one, or longer than 4096 bytes";
		return usbdesc_config_size(p->buffer, actual) ? 0 : -EPROTO;
	case STEP_CONFIG:
		return usbdesc_config(profile, p->buffer, actual, why);
	case STEP_LANGS:
		return usbdesc_langs(profile, p->buffer, actual, why);
	case STEP_STRINGS:
		return usbdesc_string(profile, p->indices[p->at % p->num_indices],
			profile->langs[p->at / p->num_indices], p->buffer, actual, why);
	default:
		return 0;
	}
}

static bool is_gone(int status)
{
	return status == -ENODEV || status == -ESHUTDOWN;
}

/* What a URB's status makes of its step; what the camera answered, take() looks at. */
static enum probe_result judge(int status, const char **why)
{
	*why = status == -EPIPE	  ? "refused by the camera"
		: is_gone(status) ? "it has been unplugged"
				  : strerror(-status);
	return !status ? PROBE_COMPLETE : status == -EPIPE ? PROBE_UNFIT : PROBE_FAILED;
}

static void on_done(struct client_urb *urb, int status, uint32_t actual)
{
	struct probe *p = urb->user;
	const char *why;
	enum probe_result result = judge(status, &why);

	if (!status && take(p, actual, &why))
		result = PROBE_UNFIT;
	if (result != PROBE_COMPLETE && p->step != STEP_RESET &&
		(p->step < STEP_LANGS || is_gone(status))) {
		finish(p, result, why);
		return;
	}
	/* Other servers pass the reset on, and cameras refuse it. They promise strings that they
	 * do not have, too. */
	if (result != PROBE_COMPLETE)
		log_debug("camera's %s: %s", step_names[p->step], why);
	if (p->step == STEP_STRINGS)
		p->at++;
	else
		p->step++;
	ask(p);
}

void probe_start(struct probe *p, struct client *client, enum usb_device_speed speed,
	const struct probe_callbacks *callbacks, void *user)
{
	memset(p, 0, sizeof(*p));
	p->client = client;
	p->callbacks = callbacks;
	p->user = user;
	p->profile.speed = speed;
	p->urb.done = on_done;
	p->urb.user = p;
	ask(p);
}
