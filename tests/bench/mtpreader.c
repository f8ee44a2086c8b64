/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mtpreader BUS:DEV browse|get FOLDER: reads a PTP or MTP camera as Android's MtpDevice does: one
 * bulk request of at most 16 KiB at a time, never two in flight. Data of whole packets is to be
 * followed by an empty one, or the response comes in the same request and is taken for too much.
 *
 * Of each file on it, "get" writes the whole, "browse" the first 8 KiB, as for a gallery of
 * thumbnails, to FOLDER under the file's name. Prints "SIZE NAME" for each, and at the end how many
 * transactions there were: "COUNT exchanges". Exit: 0, 1 with a message, 2 usage.
 *
 * Containers: USB Still Image Capture Device Definition 1.0, 7.1; datasets: PIMA 15740:2000.
 */
#include <err.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libusb.h>

#define TIMEOUT_MS 30000u
#define REQUEST 16384
#define THUMBNAIL 8192u
#define HEADER 12u
#define MAX_PARAMS 5
#define MAX_DATASET (1u << 20)
#define MAX_OBJECTS 65536u

#define ALL_STORAGES 0xffffffffu
#define AT_THE_ROOT 0xffffffffu
#define FORMAT_ASSOCIATION 0x3001

enum {
	COMMAND = 1,
	DATA = 2,
	RESPONSE = 3,
};

enum {
	OPEN_SESSION = 0x1002,
	CLOSE_SESSION = 0x1003,
	GET_OBJECT_HANDLES = 0x1007,
	GET_OBJECT_INFO = 0x1008,
	GET_OBJECT = 0x1009,
	GET_PARTIAL_OBJECT = 0x101b,
};

#define OK 0x2001

static struct {
	libusb_device_handle *device;
	int interface;
	uint8_t in, out; /* endpoint addresses */
	uint32_t transaction, exchanges;
	int folder;
} reader = {.interface = -1};

struct object {
	bool is_folder;
	uint32_t size;
	char name[256];
};

/* Where the data of a transaction goes: a file, or memory, or nowhere. */
struct sink {
	int file; /* -1: into bytes */
	uint8_t *bytes;
	size_t room;
	uint64_t size; /* that have come */
};

static uint16_t get_u16(const uint8_t *bytes)
{
	return (uint16_t)(bytes[0] | bytes[1] << 8);
}

static uint32_t get_u32(const uint8_t *bytes)
{
	return get_u16(bytes) | (uint32_t)get_u16(bytes + 2) << 16;
}

static void put_u32(uint8_t *bytes, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		bytes[i] = (uint8_t)(value >> (8 * i));
}

/* ---- the device */

static void usb(int result, const char *what)
{
	if (result < 0)
		errx(1, "%s: %s", what, libusb_error_name(result));
}

/* Still image, or a vendor's interface that calls itself MTP, as Android's. */
static bool is_camera(const struct libusb_interface_descriptor *interface)
{
	unsigned char name[64] = "";

	if (interface->bInterfaceClass == 6 && interface->bInterfaceSubClass == 1 &&
		interface->bInterfaceProtocol == 1)
		return true;
	return interface->bInterfaceClass == LIBUSB_CLASS_VENDOR_SPEC && interface->iInterface &&
		libusb_get_string_descriptor_ascii(
			reader.device, interface->iInterface, name, sizeof(name) - 1) > 0 &&
		strstr((const char *)name, "MTP");
}

static void take_endpoints(const struct libusb_interface_descriptor *interface)
{
	for (int i = 0; i < interface->bNumEndpoints; i++) {
		const struct libusb_endpoint_descriptor *endpoint = &interface->endpoint[i];

		if ((endpoint->bmAttributes & 3) != LIBUSB_TRANSFER_TYPE_BULK)
			continue;
		if (endpoint->bEndpointAddress & LIBUSB_ENDPOINT_IN)
			reader.in = endpoint->bEndpointAddress;
		else
			reader.out = endpoint->bEndpointAddress;
	}
}

static void claim(libusb_device *device)
{
	struct libusb_config_descriptor *config;

	usb(libusb_open(device, &reader.device), "opening the device");
	usb(libusb_get_active_config_descriptor(device, &config), "its configuration");
	for (int i = 0; i < config->bNumInterfaces && reader.interface < 0; i++) {
		const struct libusb_interface_descriptor *interface =
			config->interface[i].altsetting;

		if (!is_camera(interface))
			continue;
		reader.interface = interface->bInterfaceNumber;
		take_endpoints(interface);
	}
	libusb_free_config_descriptor(config);
	if (reader.interface < 0 || !reader.in || !reader.out)
		errx(1, "the device is no camera");
	usb(libusb_claim_interface(reader.device, reader.interface), "claiming its interface");
}

static void open_device(unsigned bus, unsigned address)
{
	libusb_device **devices;
	ssize_t n;

	usb(libusb_init(NULL), "libusb");
	n = libusb_get_device_list(NULL, &devices);
	usb((int)n, "the list of devices");
	for (ssize_t i = 0; i < n && !reader.device; i++) {
		if (libusb_get_bus_number(devices[i]) == bus &&
			libusb_get_device_address(devices[i]) == address)
			claim(devices[i]);
	}
	if (!reader.device)
		errx(1, "no device %u:%u", bus, address);
	libusb_free_device_list(devices, 1);
}

static void close_device(void)
{
	usb(libusb_release_interface(reader.device, reader.interface), "releasing the interface");
	libusb_close(reader.device);
	libusb_exit(NULL);
}

/* ---- transactions */

static size_t receive(uint8_t bytes[static REQUEST])
{
	int n;

	usb(libusb_bulk_transfer(reader.device, reader.in, bytes, REQUEST, &n, TIMEOUT_MS),
		"bulk IN");
	return (size_t)n;
}

static void send_command(uint16_t code, unsigned num_params, const uint32_t *params)
{
	uint8_t bytes[HEADER + 4 * MAX_PARAMS];
	uint32_t size = HEADER + 4 * num_params;
	int n;

	put_u32(bytes, size);
	put_u32(bytes + 4, (uint32_t)code << 16 | COMMAND);
	put_u32(bytes + 8, reader.transaction);
	for (unsigned i = 0; i < num_params; i++)
		put_u32(bytes + HEADER + 4 * i, params[i]);
	usb(libusb_bulk_transfer(reader.device, reader.out, bytes, (int)size, &n, TIMEOUT_MS),
		"bulk OUT");
	if ((uint32_t)n != size)
		errx(1, "operation 0x%04x: only %d bytes went out", code, n);
}

static void absorb(struct sink *sink, const uint8_t *bytes, size_t size)
{
	if (sink->file >= 0) {
		if (write(sink->file, bytes, size) != (ssize_t)size)
			err(1, "writing");
	} else {
		if (sink->size + size > sink->room)
			errx(1, "more data than expected");
		memcpy(sink->bytes + sink->size, bytes, size);
	}
	sink->size += size;
}

static uint16_t check_container(const uint8_t *bytes, size_t size, uint16_t code)
{
	if (size < HEADER || get_u32(bytes) < HEADER)
		errx(1, "operation 0x%04x: %zu bytes that are no container", code, size);
	if (get_u32(bytes + 8) != reader.transaction)
		errx(1, "operation 0x%04x: the answer is another transaction's", code);
	return get_u16(bytes + 4);
}

/* The data phase whose first packets are there. */
static void receive_data(uint8_t bytes[static REQUEST], size_t n, uint16_t code, struct sink *sink)
{
	uint32_t left = get_u32(bytes);

	if (!sink)
		errx(1, "operation 0x%04x: data that nobody wants", code);
	if (get_u16(bytes + 6) != code || n > left)
		errx(1, "operation 0x%04x: data that is another's or too long", code);
	absorb(sink, bytes + HEADER, n - HEADER);
	for (left -= (uint32_t)n; left; left -= (uint32_t)n) {
		n = receive(bytes);
		if (!n || n > left)
			errx(1, "operation 0x%04x: %zu bytes where %u are left", code, n, left);
		absorb(sink, bytes, n);
	}
}

/* Ends the program unless the answer is OK. */
static void exchange(uint16_t code, unsigned num_params, const uint32_t *params, struct sink *sink)
{
	static uint8_t bytes[REQUEST];
	size_t n;

	send_command(code, num_params, params);
	n = receive(bytes);
	if (check_container(bytes, n, code) == DATA) {
		receive_data(bytes, n, code, sink);
		n = receive(bytes);
		/* The empty packet after data of whole packets. */
		if (!n)
			n = receive(bytes);
	}
	if (check_container(bytes, n, code) != RESPONSE || n != get_u32(bytes))
		errx(1, "operation 0x%04x: what comes is no response", code);
	if (get_u16(bytes + 6) != OK)
		errx(1, "operation 0x%04x: response 0x%04x", code, get_u16(bytes + 6));
	reader.transaction++;
	reader.exchanges++;
}

/* ---- objects */

/* Appends those in a folder to the list; its new length. */
static uint32_t list(uint32_t parent, uint32_t *handles, uint32_t count)
{
	static uint8_t bytes[MAX_DATASET];
	struct sink sink = {.file = -1, .bytes = bytes, .room = sizeof(bytes)};
	uint32_t more;

	exchange(GET_OBJECT_HANDLES, 3, (uint32_t[]){ALL_STORAGES, 0, parent}, &sink);
	more = sink.size < 4 ? 0 : get_u32(bytes);
	if (sink.size < 4 || sink.size != 4 + 4 * (uint64_t)more)
		errx(1, "a list of objects that is none");
	if (more > MAX_OBJECTS - count)
		errx(1, "more than %u objects", MAX_OBJECTS);
	for (uint32_t i = 0; i < more; i++)
		handles[count + i] = get_u32(bytes + 4 + 4 * i);
	return count + more;
}

/* The name becomes that of a file of ours. */
static void take_name(char *name, const uint8_t *text, size_t room)
{
	size_t length = room ? text[0] : 0; /* with the terminating null */

	if (length < 2 || room < 1 + 2 * length)
		errx(1, "an object without a name");
	for (size_t i = 0; i < length; i++) {
		uint16_t c = get_u16(text + 1 + 2 * i);

		if (c == '/' || c > 126 || (c < ' ') != (i == length - 1) || (!i && c == '.'))
			errx(1, "an object's name is none for a file");
		name[i] = (char)c;
	}
	if (name[length - 1])
		errx(1, "an object's name does not end");
}

static struct object get_info(uint32_t handle)
{
	enum {
		FORMAT_AT = 4,
		SIZE_AT = 8,
		NAME_AT = 52
	};
	static uint8_t bytes[REQUEST];
	struct sink sink = {.file = -1, .bytes = bytes, .room = sizeof(bytes)};
	struct object object;

	exchange(GET_OBJECT_INFO, 1, &handle, &sink);
	if (sink.size < NAME_AT)
		errx(1, "object %u: %zu bytes of information", handle, (size_t)sink.size);
	object.is_folder = get_u16(bytes + FORMAT_AT) == FORMAT_ASSOCIATION;
	object.size = get_u32(bytes + SIZE_AT);
	take_name(object.name, bytes + NAME_AT, (size_t)sink.size - NAME_AT);
	return object;
}

static void fetch(uint32_t handle, const struct object *object, bool whole)
{
	uint32_t wanted = whole || object->size < THUMBNAIL ? object->size : THUMBNAIL;
	struct sink sink = {.file = openat(reader.folder, object->name,
				    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644)};

	if (sink.file < 0)
		err(1, "%s", object->name);
	if (whole)
		exchange(GET_OBJECT, 1, &handle, &sink);
	else
		exchange(GET_PARTIAL_OBJECT, 3, (uint32_t[]){handle, 0, THUMBNAIL}, &sink);
	if (sink.size != wanted)
		errx(1, "%s: %zu bytes of %u", object->name, (size_t)sink.size, wanted);
	if (close(sink.file) < 0)
		err(1, "%s", object->name);
	(void)printf("%u %s\n", object->size, object->name);
}

static void read_all(bool whole)
{
	static uint32_t handles[MAX_OBJECTS];
	uint32_t count;

	exchange(OPEN_SESSION, 1, (uint32_t[]){1}, NULL);
	/* OpenSession's is 0, the session's begin with 1. */
	reader.transaction = 1;
	count = list(AT_THE_ROOT, handles, 0);
	for (uint32_t i = 0; i < count; i++) {
		struct object object = get_info(handles[i]);

		if (object.is_folder)
			count = list(handles[i], handles, count);
		else
			fetch(handles[i], &object, whole);
	}
	exchange(CLOSE_SESSION, 0, NULL, NULL);
}

int main(int argc, char *argv[])
{
	unsigned bus, address;
	char rest;

	if (argc != 4 || sscanf(argv[1], "%u:%u%c", &bus, &address, &rest) != 2 ||
		(strcmp(argv[2], "browse") && strcmp(argv[2], "get"))) {
		fprintf(stderr, "usage: mtpreader BUS:DEV browse|get FOLDER\n");
		return 2;
	}
	reader.folder = open(argv[3], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (reader.folder < 0)
		err(1, "%s", argv[3]);
	open_device(bus, address);
	read_all(!strcmp(argv[2], "get"));
	close_device();
	(void)printf("%u exchanges\n", reader.exchanges);
	return 0;
}
