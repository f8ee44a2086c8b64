/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tap: copies of a session's URBs, as the kernel's usbmon would show them at the camera's host, for
 * who captures them.
 *
 * A reader is a SOCK_SEQPACKET socket. Each message is a record: a pcap_usb_header_mmapped
 * (libpcap's LINKTYPE_USB_LINUX_MMAPPED; Documentation/usb/usbmon.rst) in host byte order and what
 * data there is, at most TAP_MAX_MESSAGE bytes. A message of 4 bytes, a uint32_t, says how many
 * records are missing before the next, as a reader may be too slow; 0 is the first message. Nothing
 * waits for it, and nothing is kept but by the socket, which has its bound.
 */
#ifndef BRIDGE_TAP_H
#define BRIDGE_TAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pcap/usb.h>

#define TAP_MAX_READERS 2
#define TAP_MAX_DATA 65536 /* bytes of a URB that are copied; those of a relay have no more */
#define TAP_MAX_MESSAGE (sizeof(pcap_usb_header_mmapped) + TAP_MAX_DATA)

struct usb_profile;

struct tap {
	unsigned num_readers;
	struct tap_reader {
		int fd;
		uint32_t lost; /* records, that it has not been told of */
	} readers[TAP_MAX_READERS];
};

struct tap_event {
	uint8_t type;	      /* URB_SUBMIT, URB_COMPLETE */
	uint32_t seqnum;      /* the same for both of a URB; not 0 */
	uint32_t devid;	      /* of USB/IP: bus and device number at the camera's host */
	uint8_t endpoint;     /* direction bit included, of control as well */
	const uint8_t *setup; /* 8 bytes, of URB_SUBMIT of control; else NULL */
	const void *data;     /* NULL: what passes now has none */
	uint32_t length;      /* bytes asked for or to be sent; of URB_COMPLETE: moved */
	int status;	      /* of URB_COMPLETE: 0 or a negative errno */
	uint32_t interval;    /* 0 but for interrupt endpoints */
	uint32_t flags;
};

/* Takes `fd` over. Returns the reader, valid until the next call; or NULL, and closes it, where
 * there are as many as may be. */
struct tap_reader *tap_add(struct tap *t, int fd);

void tap_put(struct tap *t, const struct tap_event *event);

/* For one reader alone, as if its host had just read them: the camera's device and configuration
 * descriptors, by which Wireshark knows what the endpoints are of a capture that begins later.
 * These URBs have the id 0. */
void tap_show_camera(
	struct tap *t, struct tap_reader *reader, uint32_t devid, const struct usb_profile *camera);

void tap_fini(struct tap *t);

#endif
