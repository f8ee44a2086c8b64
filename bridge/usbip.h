/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * usbip: USB/IP 1.1.1 messages <-> host-order structs (Documentation/usb/usbip_protocol.rst).
 *
 * Pure: no I/O, no allocation, no logging. Every message has one validator, used on what is sent
 * and on what is received, whichever end we are. Numbers and names are the protocol text's.
 */
#ifndef BRIDGE_USBIP_H
#define BRIDGE_USBIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define USBIP_PORT "3240"
#define USBIP_VERSION 0x0111

/* Sizes on the wire, bytes. */
#define USBIP_OP_COMMON_SIZE 8
#define USBIP_BUSID_SIZE 32
#define USBIP_PATH_SIZE 256
#define USBIP_DEVICE_SIZE 312  /* struct usbip_usb_device */
#define USBIP_INTERFACE_SIZE 4 /* struct usbip_usb_interface */
#define USBIP_HEADER_SIZE 48   /* usbip_header of every message of the URB phase */
#define USBIP_ISO_PACKET_SIZE 16
/* The same of our own messages (docs/protocol.md, "Resume"), behind op_common. */
#define USBIP_TOKEN_SIZE 16
#define USBIP_SESSION_SIZE (USBIP_BUSID_SIZE + 4)
#define USBIP_RESUME_SIZE (USBIP_TOKEN_SIZE + 8)

/* Bounds of our own, so that a hostile peer costs bounded memory. */
#define USBIP_MAX_DEVICES 256	     /* in one OP_REP_DEVLIST */
#define USBIP_MAX_INTERFACES 32	     /* bNumInterfaces of one device */
#define USBIP_MAX_TRANSFER (1 << 20) /* transfer_buffer_length, bytes */
#define USBIP_MAX_ISO_PACKETS 1024   /* as the kernel's USBIP_MAX_ISO_PACKETS */

enum usbip_op {
	USBIP_OP_REQ_DEVLIST = 0x8005,
	USBIP_OP_REP_DEVLIST = 0x0005,
	USBIP_OP_REQ_IMPORT = 0x8003,
	USBIP_OP_REP_IMPORT = 0x0003,
	/* Our own, for a server that says that it has them: */
	USBIP_OP_REQ_SESSION = 0x8010,
	USBIP_OP_REP_SESSION = 0x0010,
	USBIP_OP_REQ_RESUME = 0x8011,
	USBIP_OP_REP_RESUME = 0x0011,
};

/* op_common.status of a reply (usbip_common.h of the kernel's tools). */
enum usbip_status {
	USBIP_ST_OK,
	USBIP_ST_NA,	   /* request failed */
	USBIP_ST_DEV_BUSY, /* exported already */
	USBIP_ST_DEV_ERR,  /* unusable until it is bound again at the server */
	USBIP_ST_NODEV,
	USBIP_ST_ERROR,
};

struct usbip_op_common {
	uint16_t version;
	uint16_t code; /* enum usbip_op */
	uint32_t status;
};

struct usbip_device {
	char path[USBIP_PATH_SIZE];   /* NUL terminated printable ASCII */
	char busid[USBIP_BUSID_SIZE]; /* NUL terminated, of A-Z a-z 0-9 . : _ -, never empty */
	uint32_t busnum, devnum;
	uint32_t speed; /* enum usb_device_speed */
	uint16_t vendor, product, bcd_device;
	uint8_t class, subclass, protocol;
	uint8_t configuration_value; /* 0: not configured */
	uint8_t num_configurations;
	uint8_t num_interfaces; /* in OP_REP_DEVLIST as many usbip_interface follow */
};

struct usbip_interface {
	uint8_t class, subclass, protocol;
};

/* An import that outlives its connection. */
struct usbip_session {
	char busid[USBIP_BUSID_SIZE]; /* as above */
	uint32_t hold_s;	      /* that the server waits for when the connection is lost */
};

/* That session on another connection. Messages of the URB phase are counted from its start, mod
 * 2^32, in each direction. */
struct usbip_resume {
	uint8_t token[USBIP_TOKEN_SIZE];
	uint32_t received; /* by the client */
	uint32_t first;	   /* the number that the client's next message has */
};

enum usbip_command {
	USBIP_CMD_SUBMIT = 1,
	USBIP_CMD_UNLINK = 2,
	USBIP_RET_SUBMIT = 3,
	USBIP_RET_UNLINK = 4,
};

enum usbip_direction {
	USBIP_DIR_OUT,
	USBIP_DIR_IN,
};

/* transfer_flags (uapi linux/usbip.h). */
#define USBIP_URB_SHORT_NOT_OK 0x0001u
#define USBIP_URB_ISO_ASAP 0x0002u
#define USBIP_URB_ZERO_PACKET 0x0040u

struct usbip_cmd_submit {
	uint32_t transfer_flags;
	uint32_t transfer_buffer_length;
	uint32_t start_frame;
	uint32_t number_of_packets; /* 0 or 0xffffffff when not isochronous */
	uint32_t interval;
	uint8_t setup[8];
};

struct usbip_ret_submit {
	int32_t status; /* 0 or a negative errno of Linux */
	uint32_t actual_length;
	uint32_t start_frame;
	uint32_t number_of_packets;
	uint32_t error_count;
};

struct usbip_cmd_unlink {
	uint32_t seqnum; /* of the CMD_SUBMIT that is to be given up */
};

struct usbip_ret_unlink {
	int32_t status;
};

/* One packet of an isochronous URB: number_of_packets of them follow the data, in CMD_SUBMIT and in
 * RET_SUBMIT. What came of a packet is 0 in a CMD_SUBMIT. */
struct usbip_iso_packet {
	uint32_t offset; /* of its data in the transfer's buffer; in a RET_SUBMIT data is packed */
	uint32_t length;
	uint32_t actual_length;
	int32_t status; /* 0 or a negative errno of Linux */
};

/* One message of the URB phase, usbip_header_basic and what its command adds. */
struct usbip_header {
	uint32_t command; /* enum usbip_command */
	uint32_t seqnum;
	/* busnum << 16 | devnum; in a session the messages that the client has received. 0 in
	 * RET_*, whatever is put or came. */
	uint32_t devid;
	uint32_t direction; /* enum usbip_direction; 0 in RET_* */
	uint32_t ep;	    /* endpoint number, no direction bit; 0 in RET_* */
	union {
		struct usbip_cmd_submit cmd_submit;
		struct usbip_ret_submit ret_submit;
		struct usbip_cmd_unlink cmd_unlink;
		struct usbip_ret_unlink ret_unlink;
	} u;
};

/*
 * put: host order -> wire. `out` has the size of the message. The validator runs first.
 * get: wire -> host order. `in` has the size of the message. The validator runs last.
 * Both return 0, or -EPROTO with *field set to a static text that names the field at fault and what
 * was expected ("op_common.version: not 0x0111"); then nothing else has been written.
 */
int usbip_put_op_common(
	uint8_t out[USBIP_OP_COMMON_SIZE], const struct usbip_op_common *op, const char **field);
int usbip_get_op_common(
	const uint8_t in[USBIP_OP_COMMON_SIZE], struct usbip_op_common *op, const char **field);

/* busid of OP_REQ_IMPORT; NUL terminated in host form, NUL padded on the wire. */
int usbip_put_busid(uint8_t out[USBIP_BUSID_SIZE], const char *busid, const char **field);
int usbip_get_busid(
	const uint8_t in[USBIP_BUSID_SIZE], char busid[USBIP_BUSID_SIZE], const char **field);

int usbip_put_device(
	uint8_t out[USBIP_DEVICE_SIZE], const struct usbip_device *d, const char **field);
int usbip_get_device(
	const uint8_t in[USBIP_DEVICE_SIZE], struct usbip_device *d, const char **field);

void usbip_put_interface(uint8_t out[USBIP_INTERFACE_SIZE], const struct usbip_interface *i);
void usbip_get_interface(const uint8_t in[USBIP_INTERFACE_SIZE], struct usbip_interface *i);

/* In the byte of an interface that others pad with: the server has OP_REQ_SESSION. After
 * usbip_put_interface. */
void usbip_put_resumable(uint8_t out[USBIP_INTERFACE_SIZE]);
bool usbip_get_resumable(const uint8_t in[USBIP_INTERFACE_SIZE]);

/* Number of devices that OP_REP_DEVLIST carries after op_common. */
int usbip_put_count(uint8_t out[4], uint32_t n, const char **field);
int usbip_get_count(const uint8_t in[4], uint32_t *n, const char **field);

int usbip_put_session(
	uint8_t out[USBIP_SESSION_SIZE], const struct usbip_session *s, const char **field);
int usbip_get_session(
	const uint8_t in[USBIP_SESSION_SIZE], struct usbip_session *s, const char **field);

void usbip_put_resume(uint8_t out[USBIP_RESUME_SIZE], const struct usbip_resume *r);
void usbip_get_resume(const uint8_t in[USBIP_RESUME_SIZE], struct usbip_resume *r);

/* What OP_REP_RESUME carries: the client's messages that the server has received. */
void usbip_put_received(uint8_t out[4], uint32_t n);
uint32_t usbip_get_received(const uint8_t in[4]);

int usbip_put_header(
	uint8_t out[USBIP_HEADER_SIZE], const struct usbip_header *h, const char **field);
int usbip_get_header(
	const uint8_t in[USBIP_HEADER_SIZE], struct usbip_header *h, const char **field);

int usbip_put_iso_packet(
	uint8_t out[USBIP_ISO_PACKET_SIZE], const struct usbip_iso_packet *p, const char **field);
int usbip_get_iso_packet(
	const uint8_t in[USBIP_ISO_PACKET_SIZE], struct usbip_iso_packet *p, const char **field);

/*
 * A RET_SUBMIT against the CMD_SUBMIT that it answers: actual_length may not pass what was asked
 * for, number_of_packets is what was sent (0 and 0xffffffff are one). 0 or -EPROTO and *field.
 */
int usbip_check_reply(const struct usbip_ret_submit *ret, uint32_t transfer_buffer_length,
	uint32_t number_of_packets, const char **field);

/* "device is exported to somebody else already", "unknown status" and so on; never NULL. */
const char *usbip_status_str(uint32_t status);

#endif
