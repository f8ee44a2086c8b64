/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * presentation: a probed camera as a gadget on a UDC, relayed; from nothing to bound, and back.
 */
#ifndef BRIDGE_PRESENTATION_H
#define BRIDGE_PRESENTATION_H

#include <stdbool.h>

struct client;
struct config;
struct ev_loop;
struct fit;
struct presentation;
struct relay;
struct udc;
struct usb_profile;

struct presentation_options {
	const char *udc;	 /* its name */
	unsigned unplug_after_s; /* see relay_new */
};

struct presentation_callbacks {
	/* The phone has configured the gadget, or has gone. */
	void (*configured)(void *user, bool configured);
	/* After presentation_go_on: everything is as before. */
	void (*gone_on)(void *user);
	/* The camera or the gadget is of no use any more. Called at most once; stop, then free, but
	 * not from here. */
	void (*failed)(void *user, const char *reason);
};

/* The gadget and its mount have fixed names, so there can be one daemon; and what a killed one left
 * may be removed only while none is running. Takes the lock, then removes leftovers. Returns a file
 * descriptor that holds the lock until it is closed, or -errno with the cause in the log. */
int presentation_claim(void);

/* Whether another process holds that lock; false also where only root could know. */
bool presentation_is_claimed(void);

/* Changes in a probed profile what the configuration wants the phone to be told, finds the UDC that
 * it wants, and judges what would become of the profile there; that there is no UDC, or no free
 * one, is a reason to refuse as well. False: there is none, and `udc` is not set. */
bool presentation_judge(
	struct usb_profile *profile, const struct config *config, struct udc *udc, struct fit *fit);

/* `profile` must stay. 0 or -errno, with the cause in the log. */
int presentation_new(struct ev_loop *loop, const struct usb_profile *profile, struct client *client,
	const struct presentation_options *options, const struct presentation_callbacks *callbacks,
	void *user, struct presentation **out);

const char *presentation_udc(const struct presentation *p);
const struct relay *presentation_relay(const struct presentation *p);

/* As relay_can_hold, relay_hold and relay_go_on. */
bool presentation_can_hold(const struct presentation *p);
void presentation_hold(struct presentation *p);
void presentation_go_on(struct presentation *p, struct client *client);

/* Once an iteration of the loop, before it sleeps. */
void presentation_flush(struct presentation *p);

/* The phone sees an unplug; the gadget's tree is gone afterwards. */
void presentation_stop(struct presentation *p);

/* After presentation_stop and client_free: the client holds URBs of the relay. NULL is fine. */
void presentation_free(struct presentation *p);

#endif
