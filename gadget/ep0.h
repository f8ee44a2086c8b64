/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ep0: the thread that serves a FunctionFS control file.
 *
 * The data stage of a control request blocks even on an O_NONBLOCK file (__ffs_ep0_queue_wait), so
 * ep0 is served by a thread of its own that shares nothing with the rest but one SOCK_SEQPACKET
 * pair: messages go up, one answer comes down for each SETUP. While a SETUP is unanswered the
 * thread does not touch ep0 (a read would stall it), so at most one control request is under way
 * and the kernel keeps the phone waiting.
 */
#ifndef GADGET_EP0_H
#define GADGET_EP0_H

#include <stddef.h>
#include <stdint.h>

#include <pthread.h>

#include <linux/usb/ch9.h>
#include <linux/usb/functionfs.h>

/* USB_COMP_EP0_BUFSIZ: composite_setup stalls or clamps what is larger. */
#define EP0_MAX_DATA 4096

enum ep0_answer {
	EP0_DATA,  /* data stage of an IN request; may be shorter than wLength, also 0 */
	EP0_ACK,   /* status stage of a request without data */
	EP0_STALL, /* of either */
};

struct ep0_message {
	enum usb_functionfs_event_type type;
	struct usb_ctrlrequest setup; /* FUNCTIONFS_SETUP only; little endian as on the wire */
	uint32_t size;		      /* bytes of data: the data stage of an OUT request */
	uint8_t data[EP0_MAX_DATA];
};

struct ep0 {
	pthread_t thread;
	int file;	/* ep0 of the mounted FunctionFS, O_NONBLOCK; belongs to the caller */
	int sockets[2]; /* [0] the owner's, [1] the thread's */
};

/* Starts the thread. `file` stays the caller's and must outlive ep0_stop. Installs an empty handler
 * for SIGUSR2, by which ep0_stop interrupts the thread in a data stage that the phone has given up.
 * 0 or -errno. */
int ep0_start(struct ep0 *ep0, int file);

/* Ends the thread, which takes the phone's request under way with it. Unbind the UDC first. */
void ep0_stop(struct ep0 *ep0);

/* Readable when ep0_receive has something. */
int ep0_fd(const struct ep0 *ep0);

/* 1: *m is filled; 0: nothing there; -errno: the thread has ended (-EPIPE) or failed. */
int ep0_receive(struct ep0 *ep0, struct ep0_message *m);

/* Exactly once for each FUNCTIONFS_SETUP received. An OUT request with data has been acknowledged
 * by reading it, so its answer only says that the next request may come. */
int ep0_answer(struct ep0 *ep0, enum ep0_answer answer, const void *data, size_t size);

#endif
