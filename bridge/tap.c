/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/tap.h"

#include <endian.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "gadget/usbdesc.h"

#define URB_DIR_IN 0x0200 /* linux/usb.h: usb_submit_urb adds it */

/* About what is asked of a camera at a time; the kernel gives what net.core.wmem_max allows. */
#define SEND_BUFFER (1 << 20)

static void drop(struct tap *t, struct tap_reader *reader)
{
	close(reader->fd);
	*reader = t->readers[--t->num_readers];
}

/* Who has left while nothing passed is still among the readers. */
static void sweep(struct tap *t)
{
	for (unsigned i = t->num_readers; i--;) {
		struct pollfd left = {t->readers[i].fd, 0, 0};

		if (poll(&left, 1, 0) > 0)
			drop(t, &t->readers[i]);
	}
}

static bool send_whole(int fd, const struct iovec *iov, size_t parts)
{
	const struct msghdr message = {.msg_iov = (struct iovec *)iov, .msg_iovlen = parts};

	return sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0;
}

/* Tells how many it has lost; none, in the beginning. */
static bool send_lost(const struct tap_reader *reader)
{
	const struct iovec lost = {(void *)&reader->lost, sizeof(reader->lost)};

	return send_whole(reader->fd, &lost, 1);
}

struct tap_reader *tap_add(struct tap *t, int fd)
{
	const int size = SEND_BUFFER;
	struct tap_reader *reader;

	sweep(t);
	if (t->num_readers == TAP_MAX_READERS) {
		close(fd);
		return NULL;
	}
	/* What was not permitted leaves the default. */
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) < 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	reader = &t->readers[t->num_readers++];
	*reader = (struct tap_reader){.fd = fd};
	(void)send_lost(reader);
	return reader;
}

/* False: it has left, and is no reader any more. */
static bool send_to(struct tap *t, struct tap_reader *reader, const struct iovec *iov, size_t parts)
{
	if (reader->lost && send_lost(reader))
		reader->lost = 0;
	if (!reader->lost && send_whole(reader->fd, iov, parts))
		return true;
	if (errno == EPIPE || errno == ECONNRESET) {
		drop(t, reader);
		return false;
	}
	reader->lost++;
	return true;
}

static pcap_usb_header_mmapped header_of(const struct tap_event *event)
{
	bool in = event->endpoint & USB_DIR_IN, submit = event->type == URB_SUBMIT;
	uint32_t copied = !event->data	       ? 0
		: event->length < TAP_MAX_DATA ? event->length
					       : TAP_MAX_DATA;
	pcap_usb_header_mmapped h = {
		.id = event->seqnum,
		.event_type = event->type,
		.transfer_type = !(event->endpoint & USB_ENDPOINT_NUMBER_MASK) ? URB_CONTROL
			: event->interval				       ? URB_INTERRUPT
									       : URB_BULK,
		.endpoint_number = event->endpoint,
		.device_address = (uint8_t)event->devid,
		.bus_id = (uint16_t)(event->devid >> 16),
		.setup_flag = event->setup ? 0 : '-',
		/* As usbmon has it: which way the data goes that passes at the other time. */
		.data_flag = (char)(in != submit ? 0
				: in		 ? '<'
						 : '>'),
		.status = submit ? -EINPROGRESS : event->status,
		.urb_len = event->length,
		.data_len = copied,
		.interval = (int32_t)event->interval,
		.xfer_flags = event->flags | (in ? URB_DIR_IN : 0),
	};
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	h.ts_sec = now.tv_sec;
	h.ts_usec = (int32_t)(now.tv_nsec / 1000);
	if (event->setup)
		memcpy(&h.s.setup, event->setup, sizeof(h.s.setup));
	return h;
}

void tap_put(struct tap *t, const struct tap_event *event)
{
	pcap_usb_header_mmapped header = header_of(event);
	const struct iovec iov[] = {
		{&header, sizeof(header)}, {(void *)event->data, header.data_len}};

	/* Backwards: one that leaves gives its place to the last. */
	for (unsigned i = t->num_readers; i--;)
		(void)send_to(t, &t->readers[i], iov, 2);
}

/* The answer to GET_DESCRIPTOR(`type`, 0). False: the reader has left. */
static bool show_descriptor(struct tap *t, struct tap_reader *reader, uint32_t devid, uint8_t type,
	const void *descriptor, uint16_t size)
{
	const uint8_t setup[8] = {USB_DIR_IN, USB_REQ_GET_DESCRIPTOR, 0, type, 0, 0, (uint8_t)size,
		(uint8_t)(size >> 8)};
	pcap_usb_header_mmapped submit = header_of(&(struct tap_event){.type = URB_SUBMIT,
		.devid = devid,
		.endpoint = USB_DIR_IN,
		.setup = setup,
		.length = size});
	pcap_usb_header_mmapped complete = header_of(&(struct tap_event){.type = URB_COMPLETE,
		.devid = devid,
		.endpoint = USB_DIR_IN,
		.data = descriptor,
		.length = size});
	const struct iovec asked = {&submit, sizeof(submit)};
	const struct iovec answered[] = {{&complete, sizeof(complete)}, {(void *)descriptor, size}};

	return send_to(t, reader, &asked, 1) && send_to(t, reader, answered, 2);
}

void tap_show_camera(
	struct tap *t, struct tap_reader *reader, uint32_t devid, const struct usb_profile *camera)
{
	const struct usb_device_descriptor device = {
		.bLength = USB_DT_DEVICE_SIZE,
		.bDescriptorType = USB_DT_DEVICE,
		.bcdUSB = htole16(camera->bcd_usb),
		.bDeviceClass = camera->class,
		.bDeviceSubClass = camera->subclass,
		.bDeviceProtocol = camera->protocol,
		.bMaxPacketSize0 = camera->max_packet0,
		.idVendor = htole16(camera->vendor),
		.idProduct = htole16(camera->product),
		.bcdDevice = htole16(camera->bcd_device),
		.iManufacturer = camera->manufacturer_string,
		.iProduct = camera->product_string,
		.iSerialNumber = camera->serial_string,
		.bNumConfigurations = camera->num_configurations,
	};

	if (show_descriptor(t, reader, devid, USB_DT_DEVICE, &device, USB_DT_DEVICE_SIZE))
		(void)show_descriptor(
			t, reader, devid, USB_DT_CONFIG, camera->config, camera->config_size);
}

void tap_fini(struct tap *t)
{
	while (t->num_readers)
		drop(t, &t->readers[0]);
}
