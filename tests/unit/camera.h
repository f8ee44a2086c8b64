/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * camera: a camera behind a USB/IP server, both in memory, at the other end of a stream socket.
 *
 * The server answers as Linux' stub driver does (stub_rx.c, stub_tx.c): in order on each endpoint,
 * RET_SUBMITs before RET_UNLINKs, of a URB that is unlinked in time only RET_UNLINK. Time stands
 * still between camera_receive, camera_run and camera_send.
 */
#ifndef TESTS_CAMERA_H
#define TESTS_CAMERA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bridge/usbip.h"

#define CAMERA_DEVID 0x00030002u
#define CAMERA_BUSID "3-1.4"
#define CAMERA_REQUESTS 64
#define CAMERA_FAILURES 4096

struct camera_urb {
	struct camera_urb *next;
	struct usbip_header submit;
	uint8_t *data;
	uint32_t done;	  /* bytes moved */
	unsigned packets; /* moved */
	unsigned number;  /* of its endpoint's URBs, from 0 */
	int status;
};

/* What one transaction moves; or an error instead of it. */
struct camera_packet {
	int error;
	uint32_t size;
	uint32_t seqnum; /* of the URB that moved it, and its number */
	unsigned urb;
	bool lost; /* IN: that URB has been unlinked before it was answered */
	uint8_t *data;
};

struct camera_endpoint {
	uint8_t address;
	uint32_t max_packet;
	bool halted;
	bool sticky;  /* halts again at the first transaction after its halt was cleared */
	bool blocked; /* answers NAK */
	bool exact;   /* IN: may be asked for what is no multiple of max_packet */
	/* IN: all there ever were to give, those before `given` are gone. OUT: all that came. */
	struct camera_packet *packets;
	unsigned num, room, given;
	int fail; /* OUT: what the transaction after `fail_at` packets ends with; -EPIPE halts */
	unsigned fail_at;
	unsigned failed[CAMERA_FAILURES], num_failed; /* OUT: `num` when a URB met a halt */
	unsigned urbs, clears; /* CMD_SUBMITs, CLEAR_FEATUREs(ENDPOINT_HALT) that came */
	uint32_t interval;     /* of the last CMD_SUBMIT */
	struct camera_urb *first, **last;
	unsigned pending; /* URBs that wait */
};

struct camera_request {
	uint8_t setup[8];
	uint32_t length; /* transfer_buffer_length */
	uint32_t size;	 /* of OUT data */
	uint8_t data[64];
};

struct camera {
	int fd;
	unsigned num_endpoints;
	struct camera_endpoint endpoints[9]; /* 0 is the control endpoint */
	/* control requests other than CLEAR_FEATURE(ENDPOINT_HALT): the last ones, and the answer
	 * to all */
	unsigned num_requests;
	struct camera_request requests[CAMERA_REQUESTS];
	int answer_status;
	uint32_t answer_size;
	uint8_t answer[4096];
	int clear_status; /* of CLEAR_FEATURE */
	/* how the server behaves */
	bool deaf;	/* reads nothing */
	bool too_late;	/* a URB completes while it is being unlinked: its data is dropped, status 0
			 */
	bool overtakes; /* RET_UNLINK before a RET_SUBMIT that is older, as usbipd-win does */
	uint64_t
		shuffle; /* not 0: RET_SUBMITs of different endpoints in random order, except ... */
	uint32_t together;   /* ... these endpoint numbers, a bit each, as stub_tx keeps all */
	size_t piece;	     /* not 0: at most so many bytes a camera_send */
	unsigned unlinks;    /* CMD_UNLINKs that came */
	unsigned advances;   /* of these, of a URB that had others behind it on its endpoint */
	unsigned urbs_out;   /* CMD_SUBMITs not yet answered */
	unsigned long moved; /* bytes of the socket, for ever; tells whether anything goes on */
	/* the server's lists (stub_device.priv_tx, unlink_tx) */
	struct camera_urb *tx, **tx_last;
	struct usbip_header unlinked[1024];
	unsigned num_unlinked;
	bool awake;
	uint8_t *rx, *out;
	size_t rx_size, out_size;
};

struct camera *camera_new(int fd);
void camera_free(struct camera *c);
struct camera_endpoint *camera_add(struct camera *c, uint8_t address, uint32_t max_packet);

/* The link is lost: the server forgets its client's URBs, and the device is reset. */
void camera_hang_up(struct camera *c);

/* Answers OP_REQ_IMPORT, which must be there in whole. */
void camera_hand_over(struct camera *c);

/* Puts a packet or an error (-EPIPE halts) at the end of what an IN endpoint has to give. */
void camera_put(struct camera_endpoint *e, const void *data, uint32_t size);
void camera_put_error(struct camera_endpoint *e, int error);

/* The camera forgets what it has not given yet. */
void camera_forget(struct camera_endpoint *e);

void camera_receive(struct camera *c); /* what the client sent: CMD_SUBMIT, CMD_UNLINK */
void camera_run(struct camera *c);     /* moves packets and completes URBs */
void camera_send(struct camera *c);    /* answers */

/* Between the camera and its server: */
bool camera_urb_is_in(const struct camera_urb *urb);
uint32_t camera_urb_length(const struct camera_urb *urb);

/* Moves the oldest URB of a data endpoint as far as it goes; true when it is complete. */
bool camera_move(struct camera_endpoint *e, int *status);

/* Carries a control request out. */
int camera_control(struct camera *c, struct camera_urb *urb);
bool camera_is_clear_halt(const struct camera_urb *urb);

/* What was given to this URB reaches nobody. */
void camera_lose(struct camera_endpoint *e, uint32_t seqnum);

#endif
