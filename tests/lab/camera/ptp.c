/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ptp.h"

#include <err.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "card.h"
#include "dataset.h"
#include "events.h"
#include "liveview.h"
#include "port.h"
#include "properties.h"

#define CONTAINER_HEADER 12
#define MAX_PARAMS 5

enum {
	COMMAND = 1,
	DATA = 2,
	RESPONSE = 3,
};

enum {
	OK = 0x2001,
	GENERAL_ERROR = 0x2002,
	SESSION_NOT_OPEN = 0x2003,
	OPERATION_NOT_SUPPORTED = 0x2005,
	INCOMPLETE_TRANSFER = 0x2007,
	INVALID_STORAGE = 0x2008,
	INVALID_OBJECT = 0x2009,
	PROPERTY_NOT_SUPPORTED = 0x200a,
	DEVICE_BUSY = 0x2019,
	INVALID_PROPERTY_VALUE = 0x201c,
	INVALID_PARAMETER = 0x201d,
	SESSION_ALREADY_OPEN = 0x201e,
	NIKON_NOT_LIVE_VIEW = 0xa00b,
	CANCELLED = 0, /* no response at all */
};

/* The transaction under way. */
static struct {
	ptp_release *release;
	bool session_open;
	atomic_bool busy;
	uint16_t code;
	uint32_t transaction, params[MAX_PARAMS];
	struct dataset data; /* for the phone, after a container's header */
	bool has_data;
	int file; /* or this, from where it stands, after the data; -1 */
	size_t file_size;
	bool has_result;
	uint32_t result; /* a parameter of the response */
} ptp = {.file = -1};

static struct dataset *reply(void)
{
	ptp.has_data = true;
	return &ptp.data;
}

/* ---- operations */

static uint16_t get_device_info(void)
{
	static const uint16_t events[] = {
		EVENT_OBJECT_ADDED, EVENT_DEVICE_PROP_CHANGED, EVENT_CAPTURE_COMPLETE};
	static const uint16_t capture_formats[] = {0x3801};
	static const uint16_t image_formats[] = {0x3801, 0x3000, 0x3001};
	/* libgphoto2 waits for events on the interrupt endpoint as long as 0x90c7 (GetEvent) is not
	 * among them, and captures by InitiateCapture without 0x9207 and 0x90c0. */
	static const uint16_t operations[] = {0x1001, 0x1002, 0x1003, 0x1004, 0x1005, 0x1007,
		0x1008, 0x1009, 0x100b, 0x100e, 0x1014, 0x1015, 0x1016, 0x101b, 0x90c8, 0x9201,
		0x9202, 0x9203};
	struct dataset *d = reply();

	dataset_put_u16(d, 100);
	dataset_put_u32(d, 0xa); /* Nikon */
	dataset_put_u16(d, 100);
	dataset_put_string(d, "");
	dataset_put_u16(d, 0);
	dataset_put_u16s(d, operations, sizeof(operations) / sizeof(operations[0]));
	dataset_put_u16s(d, events, sizeof(events) / sizeof(events[0]));
	properties_put_codes(d);
	dataset_put_u16s(d, capture_formats, sizeof(capture_formats) / sizeof(capture_formats[0]));
	dataset_put_u16s(d, image_formats, sizeof(image_formats) / sizeof(image_formats[0]));
	dataset_put_string(d, "Nikon Corporation");
	dataset_put_string(d, "D750");
	dataset_put_string(d, "V1.00");
	dataset_put_string(d, "00000000000000000000000000000001");
	return OK;
}

static uint16_t open_session(void)
{
	if (ptp.session_open)
		return SESSION_ALREADY_OPEN;
	ptp.session_open = true;
	events_begin();
	return OK;
}

static void end_session(void)
{
	ptp.session_open = false;
	liveview_end();
}

static uint16_t close_session(void)
{
	end_session();
	return OK;
}

static uint16_t get_storage_ids(void)
{
	dataset_put_u32(reply(), 1);
	dataset_put_u32(reply(), CARD_STORAGE);
	return OK;
}

static uint16_t get_storage_info(void)
{
	if (ptp.params[0] != CARD_STORAGE)
		return INVALID_STORAGE;
	card_put_storage_info(reply());
	return OK;
}

static uint16_t get_object_handles(void)
{
	return card_put_handles(reply(), ptp.params[2]) ? OK : INVALID_OBJECT;
}

static uint16_t get_object_info(void)
{
	return card_put_object_info(reply(), ptp.params[0]) ? OK : INVALID_OBJECT;
}

static uint16_t get_object(void)
{
	struct stat st;

	ptp.file = card_open(ptp.params[0]);
	if (ptp.file < 0 || fstat(ptp.file, &st) < 0)
		return INVALID_OBJECT;
	ptp.file_size = (size_t)st.st_size;
	(void)reply();
	return OK;
}

static uint16_t get_partial_object(void)
{
	uint32_t offset = ptp.params[1], at_most = ptp.params[2];
	uint16_t result = get_object();

	if (result != OK)
		return result;
	if (offset > ptp.file_size || lseek(ptp.file, offset, SEEK_SET) < 0)
		return INVALID_PARAMETER;
	ptp.file_size -= offset;
	if (ptp.file_size > at_most)
		ptp.file_size = at_most;
	ptp.has_result = true;
	ptp.result = (uint32_t)ptp.file_size;
	return OK;
}

static uint16_t delete_object(void)
{
	return card_delete(ptp.params[0]) ? OK : INVALID_OBJECT;
}

static uint16_t initiate_capture(void)
{
	if (ptp.busy)
		return DEVICE_BUSY;
	ptp.busy = true;
	ptp.release(ptp.transaction);
	return OK;
}

static uint16_t get_property_description(void)
{
	uint16_t code = (uint16_t)ptp.params[0];

	return properties_put_description(reply(), code) ? OK : PROPERTY_NOT_SUPPORTED;
}

static uint16_t get_property_value(void)
{
	uint16_t code = (uint16_t)ptp.params[0];

	return properties_put_value(reply(), code) ? OK : PROPERTY_NOT_SUPPORTED;
}

static uint16_t set_property_value(void)
{
	uint8_t bytes[PORT_PACKET];
	uint16_t code = (uint16_t)ptp.params[0];
	size_t size = properties_writable_size(code);
	ssize_t n = port_receive_data(bytes, sizeof(bytes));
	uint32_t value = 0;

	if (n < 0)
		return CANCELLED;
	if (!size)
		return PROPERTY_NOT_SUPPORTED;
	if ((size_t)n != CONTAINER_HEADER + size)
		return INVALID_PROPERTY_VALUE;
	memcpy(&value, bytes + CONTAINER_HEADER, size);
	return properties_set(code, value) ? OK : INVALID_PROPERTY_VALUE;
}

static uint16_t device_ready(void)
{
	return ptp.busy ? DEVICE_BUSY : OK;
}

static uint16_t start_live_view(void)
{
	return liveview_start() ? OK : GENERAL_ERROR;
}

static uint16_t end_live_view(void)
{
	liveview_end();
	return OK;
}

static uint16_t get_live_view_image(void)
{
	if (!liveview_is_on())
		return NIKON_NOT_LIVE_VIEW;
	return liveview_put_frame(reply()) ? OK : DEVICE_BUSY;
}

static const struct operation {
	uint16_t code;
	uint16_t (*run)(void);
} operations[] = {
	{0x1001, get_device_info},
	{0x1002, open_session},
	{0x1003, close_session},
	{0x1004, get_storage_ids},
	{0x1005, get_storage_info},
	{0x1007, get_object_handles},
	{0x1008, get_object_info},
	{0x1009, get_object},
	{0x100b, delete_object},
	{0x100e, initiate_capture},
	{0x1014, get_property_description},
	{0x1015, get_property_value},
	{0x1016, set_property_value},
	{0x101b, get_partial_object},
	{0x90c8, device_ready},
	{0x9201, start_live_view},
	{0x9202, end_live_view},
	{0x9203, get_live_view_image},
};

static uint16_t run(void)
{
	for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
		/* GetDeviceInfo and OpenSession need no session (PIMA 15740:2000, 10.4). */
		if (operations[i].code == ptp.code)
			return ptp.session_open || ptp.code <= 0x1002 ? operations[i].run()
								      : SESSION_NOT_OPEN;
	}
	return OPERATION_NOT_SUPPORTED;
}

/* ---- containers */

static void put_header(struct dataset *d, size_t size, uint16_t type, uint16_t code)
{
	dataset_put_u32(d, (uint32_t)size);
	dataset_put_u16(d, type);
	dataset_put_u16(d, code);
	dataset_put_u32(d, ptp.transaction);
}

/* The data phase: header and dataset, or header and file, as one transfer. */
static int send_data(void)
{
	size_t left = ptp.file < 0 ? 0 : ptp.file_size;
	struct dataset header = {0};
	ssize_t n;

	put_header(&header, ptp.data.size + left, DATA, ptp.code);
	memcpy(ptp.data.bytes, header.bytes, header.size);
	for (;;) {
		if (left) {
			size_t room = 128 * PORT_PACKET - ptp.data.size;

			n = read(ptp.file, ptp.data.bytes + ptp.data.size,
				left < room ? left : room);
			if (n <= 0)
				err(1, "reading a picture");
			ptp.data.size += (size_t)n;
			left -= (size_t)n;
		}
		if (port_send(ptp.data.bytes, ptp.data.size) < 0)
			return -1;
		if (!left && ptp.data.size % PORT_PACKET)
			return 0;
		/* More of it, or the empty packet that ends a transfer of whole packets. */
		ptp.data.size = 0;
		if (!left)
			return port_send(ptp.data.bytes, 0);
	}
}

static void perform(void)
{
	struct dataset response = {0};
	struct dataset header = {0};
	uint16_t result;

	ptp.data.size = 0;
	put_header(&header, 0, DATA, ptp.code); /* its room; the size is known later */
	dataset_put(&ptp.data, header.bytes, header.size);
	ptp.has_data = ptp.has_result = false;
	result = run();
	if (result == OK && ptp.has_data && send_data() < 0)
		result = CANCELLED;
	if (ptp.file >= 0)
		close(ptp.file);
	ptp.file = -1;
	if (result == CANCELLED)
		return;
	put_header(&response, CONTAINER_HEADER + (ptp.has_result ? 4 : 0), RESPONSE, result);
	if (ptp.has_result)
		dataset_put_u32(&response, ptp.result);
	(void)port_send(response.bytes, response.size);
}

void ptp_set_busy(bool busy)
{
	ptp.busy = busy;
}

void ptp_serve(ptp_release *release)
{
	struct {
		uint32_t size;
		uint16_t type, code;
		uint32_t transaction, params[MAX_PARAMS];
		uint8_t room[PORT_PACKET - 32];
	} command;
	ssize_t n;

	ptp.release = release;
	for (;;) {
		memset(&command, 0, sizeof(command));
		n = port_receive(&command, sizeof(command));
		if (n < 0) {
			warn("the session ends");
			end_session();
			continue;
		}
		if (n < CONTAINER_HEADER || (size_t)n != command.size || command.type != COMMAND) {
			warnx("%zd bytes that are no command", n);
			continue;
		}
		ptp.code = command.code;
		ptp.transaction = command.transaction;
		for (int i = 0; i < MAX_PARAMS; i++)
			ptp.params[i] = command.params[i];
		perform();
	}
}
