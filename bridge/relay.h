/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * relay: all endpoints of the camera tied to all endpoints of the gadget.
 *
 * Sits between one client (an imported, probed camera) and one ffs (the gadget made after it), owns
 * neither, and moves everything between them from the phone's configuration on.
 */
#ifndef BRIDGE_RELAY_H
#define BRIDGE_RELAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/usb/ch9.h>
#include <linux/usb/functionfs.h>

struct client;
struct ev_loop;
struct ffs;
struct phone;
struct pipe;
struct relay;
struct usb_profile;

struct relay_callbacks {
	/* The phone has configured the gadget, or has gone. */
	void (*configured)(void *user, bool configured);
	/* After relay_go_on: everything is as before. */
	void (*gone_on)(void *user);
	/* The camera is of no use any more; stop, then free. */
	void (*failed)(void *user, const char *reason);
};

/* aio requests that a relay of this camera may have out at once: the depth that ffs_new wants. */
unsigned relay_aio_depth(const struct usb_profile *profile);

/* All memory that relaying will ever need. `profile` must stay. A phone whose bus has been
 * suspended for `unplug_after_s` is taken for gone until it resumes or configures the camera anew;
 * 0 = never. 0 or -errno. */
int relay_new(struct ev_loop *loop, const struct usb_profile *profile, struct client *client,
	struct ffs *ffs, unsigned unplug_after_s, const struct relay_callbacks *callbacks,
	void *user, struct relay **out);

/* After ffs_free and client_free: requests under way point into the relay's buffers. */
void relay_free(struct relay *r);

/* What the ffs' callbacks bring. */
void relay_event(struct relay *r, enum usb_functionfs_event_type type);
void relay_setup(
	struct relay *r, const struct usb_ctrlrequest *setup, const uint8_t *data, size_t size);

/* Once an iteration of the event loop, before it sleeps: hands what has gathered to both sides. */
void relay_flush(struct relay *r);

/* Whether the phone can be kept from noticing that the link was lost, and the camera reset: false
 * once it has used what has a state that nobody here knows of, an endpoint other than of a still
 * image or an interrupt. */
bool relay_can_hold(const struct relay *r);

/* The client's session is over: the phone waits until relay_go_on, with what it has asked for and
 * sent. Thereafter the client is free to be freed. Without a client nothing happens. */
void relay_hold(struct relay *r);

/* The same camera has been imported again, and is as after a reset: opens the sessions again that
 * the phone had open, then goes on (`gone_on`). What the link was lost in the middle of ends for
 * the phone with a halt. */
void relay_go_on(struct relay *r, struct client *client);

/* Asks for nothing any more and gives up what is under way at the camera. */
void relay_stop(struct relay *r);

const struct phone *relay_phone(const struct relay *r);

/* Pipes, in the order of the endpoint descriptors; for status. */
size_t relay_num_pipes(const struct relay *r);
const struct pipe *relay_pipe(const struct relay *r, size_t at);

#endif
