/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * client: one USB/IP session: imports a device, then submits and unlinks URBs.
 *
 * Event driven: watch client_fd for client_events, call client_dispatch; call client_flush once an
 * iteration, so that what was submitted meanwhile leaves in one gathered write. Nothing is
 * allocated after client_new: a URB belongs to its user, who embeds it beside its buffer, and the
 * payload is read from the socket straight into that buffer.
 */
#ifndef BRIDGE_CLIENT_H
#define BRIDGE_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "bridge/client_urbs.h" /* struct client_urb */
#include "bridge/usbip.h"

#define CLIENT_MAX_URBS 1024 /* in flight */

struct client;
struct conn;
struct conn_info;
struct tap;

struct client_callbacks {
	/* The server has handed the device over; URBs may be submitted. */
	void (*imported)(void *user, const struct usbip_device *device);
	/*
	 * The session is over, `reason` says why. Called once, from client_dispatch or
	 * client_flush; afterwards only client_abandon and client_free may be called, and not from
	 * here. error: -EBUSY
	 * exported to somebody else, -ENODEV no such device, -EPROTO the server broke the protocol,
	 * other errnos of the connection.
	 */
	void (*closed)(void *user, int error, const char *reason);
	/* Of client_ask_session alone; from client_dispatch or client_flush: the connection is
	 * lost, and client_resume may give it another. Until then URBs may be submitted and
	 * unlinked as ever; none is given back. */
	void (*lost)(void *user, int error, const char *reason);
};

/* Takes `conn` over (its struct is copied) and asks for `busid` as soon as it is connected. */
int client_new(const struct conn *conn, const char *busid, const struct client_callbacks *callbacks,
	void *user, struct client **out);

/* Asks for a session that outlives its connection, of a server that has such (devlist_can_resume):
 * one without closes the connection. `hold_s`: for how long the server is to wait, s. Before
 * anything else. */
void client_ask_session(struct client *c, uint32_t hold_s);

/* After `lost`, how the session is to be gone on with; it may be asked for more than once. */
void client_resumption(const struct client *c, struct usbip_resume *out);

/* Takes `conn` over, on which the server has agreed, and has received so many messages. What of
 * the URBs in flight it lacks is sent again, what it has answered meanwhile comes; each is done
 * once. 0; -EPROTO: it cannot have received so many, and the session is as it was. */
int client_resume(struct client *c, struct conn *conn, uint32_t received);

/* Copies of all URBs from now on; `tap` must stay as long as the client. */
void client_set_tap(struct client *c, struct tap *tap);

/* Gives the session up, so that the server resets the device: `closed` follows, from client_flush.
 */
void client_disconnect(struct client *c);

/* When the session is over, or `lost` and not to be resumed: what the server had is done, with
 * -ENOTCONN and no data. */
void client_abandon(struct client *c);

/* Closes the connection, upon which the server resets the device. No `done` is called any more. */
void client_free(struct client *c);

int client_fd(const struct client *c);
short client_events(const struct client *c); /* POLLIN, POLLOUT */
void client_dispatch(struct client *c);
void client_flush(struct client *c);

/* 0; -ENOBUFS: CLIENT_MAX_URBS are in flight; -ENOTCONN: the session is over; -EINVAL: a field is
 * out of range. On an error `done` is not called. */
int client_submit(struct client *c, struct client_urb *urb);

/* Submits `urb` as the request upon which a Linux server resets the device before it goes on
 * reading (a hub's SET_FEATURE(PORT_RESET), USB 2.0, 11.24.2.13; stub_rx.c,
 * tweak_reset_device_cmd); its configuration stays. Other servers pass it on to the camera, which
 * refuses it. Sets `urb`'s setup and length; returns as client_submit. */
int client_reset_device(struct client *c, struct client_urb *urb);

/* Asks for a URB in flight to be given up. Its `done` follows in any case: with -ECONNRESET and
 * without data, or as it ended if that came first. No effect on one that is not in flight. */
void client_unlink(struct client *c, struct client_urb *urb);

/* Of its connection: conn_info; and conn_peer, CONN_ADDRESS_SIZE bytes. */
struct conn_info client_link(const struct client *c);
void client_peer(const struct client *c, char *out);

/* USB/IP's number of the imported device: its bus's in the upper 16 bits, its own in the lower. */
uint32_t client_devid(const struct client *c);

/* The session is there, and may be resumed when its connection is lost. */
bool client_in_session(const struct client *c);

/* URBs that the server has. */
unsigned client_in_flight(const struct client *c);

#endif
