/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "port.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/usb/functionfs.h>

/* Requests of the class (USB Still Image Capture Device Definition 1.0, 5.2). */
#define CANCEL_REQUEST 0x64
#define GET_EXTENDED_EVENT_DATA 0x65
#define DEVICE_RESET_REQUEST 0x66
#define GET_DEVICE_STATUS 0x67

#define STATUS_OK 0x2001
#define STATUS_BUSY 0x2019
#define STATUS_TRANSACTION_CANCELLED 0x201f

/* How long it takes the camera to clear up after a cancelled transaction. */
#define CLEARING_MS 30

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "what is USB's and PTP's is little endian, and so is the machine of the lab"
#endif

static struct {
	int control, in, out, event;
	pthread_t mover;		  /* of the bulk endpoints' data */
	atomic_bool moving;		  /* a transaction is under way */
	atomic_bool cancelled, resetting; /* it is to end; and so is the session */
	atomic_int status;		  /* for GET_DEVICE_STATUS */
} port = {.status = STATUS_OK};

#define ENDPOINT(address, type, packet, period)                                                    \
	{                                                                                          \
		.bLength = USB_DT_ENDPOINT_SIZE, .bDescriptorType = USB_DT_ENDPOINT,               \
		.bEndpointAddress = (address), .bmAttributes = (type), .wMaxPacketSize = packet,   \
		.bInterval = (period)                                                              \
	}
#define SPEED(bulk, period)                                                                        \
	{                                                                                          \
		.interface = {.bLength = USB_DT_INTERFACE_SIZE,                                    \
			.bDescriptorType = USB_DT_INTERFACE,                                       \
			.bNumEndpoints = 3,                                                        \
			.bInterfaceClass = USB_CLASS_STILL_IMAGE,                                  \
			.bInterfaceSubClass = 1,                                                   \
			.bInterfaceProtocol = 1},                                                  \
		.in = ENDPOINT(0x81, USB_ENDPOINT_XFER_BULK, bulk, 0),                             \
		.out = ENDPOINT(0x02, USB_ENDPOINT_XFER_BULK, bulk, 0),                            \
		.event = ENDPOINT(0x83, USB_ENDPOINT_XFER_INT, 32, period),                        \
	}

struct speed {
	struct usb_interface_descriptor interface;
	struct usb_endpoint_descriptor_no_audio in, out, event;
} __attribute__((packed));

static const struct {
	struct usb_functionfs_descs_head_v2 head;
	__le32 fs_count, hs_count;
	struct speed fs, hs;
} __attribute__((packed)) descriptors = {
	.head = {.magic = FUNCTIONFS_DESCRIPTORS_MAGIC_V2,
		.length = sizeof(descriptors),
		.flags = FUNCTIONFS_HAS_FS_DESC | FUNCTIONFS_HAS_HS_DESC},
	.fs_count = 4,
	.hs_count = 4,
	.fs = SPEED(64, 10),
	.hs = SPEED(PORT_PACKET, 7),
};

static const struct usb_functionfs_strings_head strings = {
	.magic = FUNCTIONFS_STRINGS_MAGIC, .length = sizeof(strings)};

static int open_file(const char *mountpoint, const char *name)
{
	char path[PATH_MAX];
	int file;

	(void)snprintf(path, sizeof(path), "%s/%s", mountpoint, name);
	file = open(path, O_RDWR | O_CLOEXEC);
	if (file < 0)
		err(1, "%s", path);
	return file;
}

static void on_interrupt(int number)
{
	(void)number;
}

void port_open(const char *mountpoint)
{
	struct sigaction action = {
		.sa_handler = on_interrupt}; /* no SA_RESTART: EINTR is the point */

	sigaction(SIGUSR1, &action, NULL);
	port.mover = pthread_self();
	port.control = open_file(mountpoint, "ep0");
	if (write(port.control, &descriptors, sizeof(descriptors)) < 0)
		err(1, "descriptors");
	if (write(port.control, &strings, sizeof(strings)) < 0)
		err(1, "strings");
	port.in = open_file(mountpoint, "ep1");
	port.out = open_file(mountpoint, "ep2");
	port.event = open_file(mountpoint, "ep3");
}

int *port_event_file(void)
{
	return &port.event;
}

/* ---- the mover of data */

/* What a failed read or write means. */
static int failure(void)
{
	if (port.resetting || errno == ESHUTDOWN)
		errno = ECONNRESET;
	else if (port.cancelled)
		errno = ECANCELED;
	return -1;
}

/* Ends the transaction: nobody interrupts this thread from here on. */
static void end_transaction(void)
{
	bool halt = port.cancelled && port.status == STATUS_TRANSACTION_CANCELLED;

	port.moving = false;
	if (!port.cancelled)
		return;
	if (halt) {
		/* I/O in the wrong direction halts an endpoint (ffs_epfile_io). */
		if (read(port.in, NULL, 0) >= 0 || errno != EBADMSG)
			warn("halting the IN endpoint");
		if (write(port.out, NULL, 0) >= 0 || errno != EBADMSG)
			warn("halting the OUT endpoint");
	} else {
		usleep(CLEARING_MS * 1000);
		port.status = STATUS_OK;
	}
	port.cancelled = false;
}

ssize_t port_receive(void *bytes, size_t size)
{
	ssize_t n;

	end_transaction();
	do
		n = read(port.out, bytes, size);
	while (n == 0 || (n < 0 && errno == EINTR && !port.resetting));
	if (n > 0)
		port.status = STATUS_OK; /* so the phone has cleared the halts, if there were any */
	if (n < 0) {
		failure();
		port.resetting = false;
		return -1;
	}
	port.moving = true;
	return n;
}

ssize_t port_receive_data(void *bytes, size_t size)
{
	ssize_t n;

	do
		n = port.cancelled ? -1 : read(port.out, bytes, size);
	while (n < 0 && errno == EINTR && !port.cancelled);
	return n < 0 ? failure() : n;
}

int port_send(const void *bytes, size_t size)
{
	ssize_t n;

	do
		n = port.cancelled ? -1 : write(port.in, bytes, size);
	while (n < 0 && errno == EINTR && !port.cancelled);
	return n < 0 ? failure() : 0;
}

/* ---- the others */

/* Returns when no data moves any more. A signal that comes between two system calls is lost: it is
 * repeated until it is heard. */
static void stop_moving(int status, bool reset)
{
	if (!port.moving)
		return;
	port.status = status;
	port.resetting = reset;
	port.cancelled = true;
	while (port.moving) {
		pthread_kill(port.mover, SIGUSR1);
		usleep(1000);
	}
}

void port_cancel(void)
{
	stop_moving(STATUS_TRANSACTION_CANCELLED, false);
}

static uint32_t address_of(int file)
{
	struct usb_endpoint_descriptor desc;

	return ioctl(file, FUNCTIONFS_ENDPOINT_DESC, &desc) < 0 ? 0 : desc.bEndpointAddress;
}

static void send_status(void)
{
	struct {
		__le16 length, code;
		__le32 endpoints[2];
	} status = {.code = (uint16_t)port.status, .length = 4};

	if (port.status == STATUS_TRANSACTION_CANCELLED) {
		status.length = sizeof(status);
		status.endpoints[0] = address_of(port.in);
		status.endpoints[1] = address_of(port.out);
	}
	if (write(port.control, &status, status.length) < 0)
		warn("device status");
}

static void serve_setup(const struct usb_ctrlrequest *setup)
{
	static const uint8_t no_event[8]; /* code, transaction, number of parameters: none */
	uint8_t bytes[64];
	ssize_t n;

	switch (setup->bRequestType << 8 | setup->bRequest) {
	case 0x2100 | CANCEL_REQUEST:
		/* Before the acknowledgement, so that the phone need not wait after it. */
		stop_moving(STATUS_BUSY, false);
		n = read(port.control, bytes, sizeof(bytes));
		break;
	case 0x2100 | DEVICE_RESET_REQUEST:
		stop_moving(STATUS_BUSY, true);
		n = read(port.control, bytes, 0);
		break;
	case 0xa100 | GET_EXTENDED_EVENT_DATA:
		n = write(port.control, no_event, sizeof(no_event));
		break;
	case 0xa100 | GET_DEVICE_STATUS:
		send_status();
		return;
	default:
		/* The call in the wrong direction is a stall. */
		n = setup->bRequestType & USB_DIR_IN ? read(port.control, bytes, 0)
						     : write(port.control, bytes, 0);
		n = n < 0 && errno == EL2HLT ? 0 : n;
	}
	if (n < 0)
		warn("request 0x%02x 0x%02x", setup->bRequestType, setup->bRequest);
}

/* A read that waits holds a lock that the gadget needs to go (functionfs_unbind). */
static ssize_t read_event(struct usb_functionfs_event *event)
{
	struct pollfd ready = {.fd = port.control, .events = POLLIN};

	if (poll(&ready, 1, -1) < 0)
		return -1;
	return read(port.control, event, sizeof(*event));
}

void *port_serve_control(void *unused)
{
	struct usb_functionfs_event event;

	(void)unused;
	for (;;) {
		if (read_event(&event) > 0) {
			if (event.type == FUNCTIONFS_SETUP)
				serve_setup(&event.u.setup);
		} else if (errno != EINTR && errno != EIDRM) {
			break;
		}
	}
	err(1, "ep0");
}
