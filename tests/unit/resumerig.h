/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * resumerig: our client and our importer, over a fake device, in a session whose connection is cut;
 * and what has to be true of it: each URB reaches the device once, in order on its endpoint and
 * with its own bytes, and is done once, as the device ended it, in that order and with those bytes.
 */
#ifndef TESTS_RESUMERIG_H
#define TESTS_RESUMERIG_H

#include "bridge/client.h"
#include "bridge/importer.h"
#include "bridge/resumption.h"
#include "tests/unit/cutlink.h"
#include "tests/unit/fake_usbdevice.h"

#define RESUMERIG_URBS 40  /* in flight */
#define RESUMERIG_MAX 4096 /* submitted, on an endpoint */
#define RESUMERIG_LENGTH 3000
#define RESUMERIG_ENDPOINTS 4 /* control, bulk IN, bulk OUT, interrupt IN */

struct resumerig;
struct tls_context;

struct resumerig_urb {
	struct client_urb urb;
	struct resumerig *rig;
	unsigned endpoint, number; /* its place among those there */
	bool busy;
	uint8_t data[RESUMERIG_LENGTH];
};

struct resumerig_endpoint {
	unsigned submitted, arrived, ended, done;
	uint16_t length[RESUMERIG_MAX];
	int16_t status[RESUMERIG_MAX]; /* as the device ended it; 1: not yet */
	uint16_t actual[RESUMERIG_MAX];
	bool was_done[RESUMERIG_MAX], unlinked[RESUMERIG_MAX];
};

struct resumerig {
	struct client *client;
	struct importer *importer, *newcomer;
	struct usbdevice device;
	struct cutlink link, former; /* former: of which one end may not have heard yet */
	struct resumption resumption;
	bool resuming;
	unsigned options;
	struct tls_context *contexts[2]; /* encrypted: the client's, the server's */
	bool imported, lost, detached;
	unsigned num_lost, num_resumed, num_closed;
	unsigned arrived; /* of device.submitted, that have been looked at */
	uint64_t seed;
	struct resumerig_urb urbs[RESUMERIG_URBS];
	struct resumerig_endpoint endpoints[RESUMERIG_ENDPOINTS];
};

uint32_t resumerig_dice(struct resumerig *r, uint32_t sides);

#define RESUMERIG_NARROW 1u    /* the ends take little at once */
#define RESUMERIG_ENCRYPTED 2u /* the connections are */

/* Imported, and nothing cut yet. */
void resumerig_open(struct resumerig *r, uint64_t seed, unsigned options);
void resumerig_fini(struct resumerig *r);

/* Of any endpoint; false: all are in flight. */
bool resumerig_submit(struct resumerig *r, unsigned endpoint, uint32_t length);
void resumerig_unlink(struct resumerig *r);
/* The device ends the oldest of an endpoint, if there is one, with data for IN. */
void resumerig_end_oldest(struct resumerig *r, unsigned endpoint);
/* The same, or what has been cancelled, or nothing. */
void resumerig_end(struct resumerig *r, unsigned endpoint);

/* Each end has its turn, and the link. */
void resumerig_turn_client(struct resumerig *r);
void resumerig_turn_server(struct resumerig *r);
void resumerig_turn_link(struct resumerig *r);
/* Until none has anything to do. */
void resumerig_run(struct resumerig *r);

/* Another connection, if the former is lost, and none is on its way. */
void resumerig_connect(struct resumerig *r);

/* Nothing is cut any more, all is ended and has to be done. */
void resumerig_settle(struct resumerig *r);

#endif
