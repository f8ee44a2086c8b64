/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_usbip: the USB/IP codec. The first byte chooses what the rest is:
 *   0..5  one message off the wire: what is taken may be sent, and comes back the same
 *   6     what a server sends: OP_REP_DEVLIST or OP_REP_IMPORT, read off a cursor to its end
 *   7     operations on cursors
 *   8     a struct usbip_device or usbip_header of any content: what may be sent is taken
 *   9     a RET_SUBMIT against what was asked for
 *   10    a packet of an isochronous URB, as 0..5
 *   11    what follows OP_REQ_SESSION, likewise; 12 OP_REQ_RESUME
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/bytes.h"
#include "bridge/usbip.h"
#include "tests/fuzz/fuzz.h"

/* 0 or -EPROTO, and a text with the latter only. */
static int result(int r, const char *const *field)
{
	require(r ? r == -EPROTO && *field && strstr(*field, ": ") : !*field);
	return r;
}

/* In memory of its exact size; NULL when there is too little. */
static uint8_t *message(const uint8_t *data, size_t size, size_t want)
{
	uint8_t *p = size >= want ? malloc(want) : NULL;

	if (p)
		memcpy(p, data, want);
	return p;
}

static void op_common(const uint8_t *in)
{
	uint8_t out[USBIP_OP_COMMON_SIZE];
	struct usbip_op_common op;
	const char *field = NULL;

	if (result(usbip_get_op_common(in, &op, &field), &field))
		return;
	require(!usbip_put_op_common(out, &op, &field));
	require(!memcmp(in, out, sizeof(out)));
	require(usbip_status_str(op.status)[0]);
}

static void busid(const uint8_t *in)
{
	uint8_t out[USBIP_BUSID_SIZE];
	char id[USBIP_BUSID_SIZE];
	const char *field = NULL;

	if (result(usbip_get_busid(in, id, &field), &field))
		return;
	require(memchr(id, 0, sizeof(id)) && id[0] && !strcmp(id, (const char *)in));
	require(!usbip_put_busid(out, id, &field));
	require(!memcmp(id, out, sizeof(out)));
}

static void check_sent_device(const struct usbip_device *d)
{
	uint8_t out[USBIP_DEVICE_SIZE];
	struct usbip_device again;
	const char *field = NULL;

	require(!usbip_put_device(out, d, &field));
	require(!usbip_get_device(out, &again, &field));
	require(!memcmp(out, again.path, sizeof(again.path)));
	require(!strcmp(d->path, again.path) && !strcmp(d->busid, again.busid));
	require(!memcmp(
		&d->busnum, &again.busnum, sizeof(again) - offsetof(struct usbip_device, busnum)));
	require(d->num_interfaces <= USBIP_MAX_INTERFACES);
}

static int device(const uint8_t *in, struct usbip_device *d)
{
	const char *field = NULL;

	if (result(usbip_get_device(in, d, &field), &field))
		return -EPROTO;
	check_sent_device(d);
	return 0;
}

static void interface(const uint8_t *in)
{
	uint8_t out[USBIP_INTERFACE_SIZE];
	struct usbip_interface i;

	usbip_get_interface(in, &i);
	usbip_put_interface(out, &i);
	if (usbip_get_resumable(in))
		usbip_put_resumable(out);
	require(!memcmp(in, out, 3) && out[3] == (in[3] & 1));
}

static void session(const uint8_t *in)
{
	uint8_t out[USBIP_SESSION_SIZE];
	struct usbip_session s, again;
	const char *field = NULL;

	if (result(usbip_get_session(in, &s, &field), &field))
		return;
	require(!usbip_put_session(out, &s, &field) && !usbip_get_session(out, &again, &field));
	require(!memcmp(&s, &again, sizeof(s)) && !memcmp(in + 32, out + 32, 4));
}

static void resume(const uint8_t *in)
{
	uint8_t out[USBIP_RESUME_SIZE];
	struct usbip_resume r;

	usbip_get_resume(in, &r);
	usbip_put_resume(out, &r);
	require(!memcmp(in, out, sizeof(out)));
}

static int count(const uint8_t *in, uint32_t *n)
{
	uint8_t out[4];
	const char *field = NULL;

	if (result(usbip_get_count(in, n, &field), &field))
		return -EPROTO;
	require(*n <= USBIP_MAX_DEVICES);
	require(!usbip_put_count(out, *n, &field));
	require(!memcmp(in, out, 4));
	return 0;
}

static void check_sent_header(const struct usbip_header *h)
{
	uint8_t out[USBIP_HEADER_SIZE], out_again[USBIP_HEADER_SIZE];
	struct usbip_header again;
	const char *field = NULL;

	require(!usbip_put_header(out, h, &field));
	require(!usbip_get_header(out, &again, &field));
	require(!usbip_put_header(out_again, &again, &field));
	require(!memcmp(out, out_again, sizeof(out)));
	require(again.command == h->command && again.seqnum == h->seqnum);
	if (h->command == USBIP_CMD_SUBMIT)
		require(!memcmp(h, &again, sizeof(again)) &&
			h->u.cmd_submit.transfer_buffer_length <= USBIP_MAX_TRANSFER);
	else if (h->command == USBIP_RET_SUBMIT)
		require(!memcmp(&h->u, &again.u, sizeof(again.u.ret_submit)) &&
			h->u.ret_submit.actual_length <= USBIP_MAX_TRANSFER && !again.devid &&
			!again.direction && !again.ep);
}

static void header(const uint8_t *in)
{
	struct usbip_header h;
	const char *field = NULL;

	if (!result(usbip_get_header(in, &h, &field), &field))
		check_sent_header(&h);
}

static void iso_packet(const uint8_t *in)
{
	uint8_t out[USBIP_ISO_PACKET_SIZE];
	struct usbip_iso_packet p;
	const char *field = NULL;

	if (result(usbip_get_iso_packet(in, &p, &field), &field))
		return;
	require(p.actual_length <= p.length && p.length <= USBIP_MAX_TRANSFER &&
		p.offset <= USBIP_MAX_TRANSFER && p.offset + p.length <= USBIP_MAX_TRANSFER);
	require(!usbip_put_iso_packet(out, &p, &field));
	require(!memcmp(in, out, sizeof(out)));
}

/* What is read off the wire record by record never passes the end. */
static void server(const uint8_t *data, size_t size)
{
	uint8_t record[USBIP_DEVICE_SIZE];
	struct usbip_op_common op;
	struct usbip_device d;
	struct bytes_reader r;
	const char *field = NULL;
	uint32_t n = 1;

	bytes_reader_init(&r, data, size);
	bytes_get(&r, record, USBIP_OP_COMMON_SIZE);
	if (result(usbip_get_op_common(record, &op, &field), &field) || op.status)
		return;
	if (op.code == USBIP_OP_REP_DEVLIST) {
		bytes_get(&r, record, 4);
		if (count(record, &n))
			return;
	}
	while (n-- && !r.overrun) {
		bytes_get(&r, record, USBIP_DEVICE_SIZE);
		if (device(record, &d) || op.code != USBIP_OP_REP_DEVLIST)
			break;
		while (d.num_interfaces-- && !r.overrun) {
			bytes_get(&r, record, USBIP_INTERFACE_SIZE);
			interface(record);
		}
	}
	require(r.left <= size && r.at == data + (size - r.left));
}

/* A byte a step: which operation, and how many bytes. The result is compared with a plain copy. */
static void cursors(const uint8_t *data, size_t size)
{
	uint8_t out[64], copy[64];
	struct bytes_reader r;
	struct bytes_writer w;
	size_t step = 0;

	bytes_reader_init(&r, data, size);
	bytes_writer_init(&w, out, size < sizeof(out) ? size : sizeof(out));
	for (; step < size && !r.overrun && !w.overrun; step++) {
		size_t len = data[step] >> 3, left = r.left, room = w.left;

		switch (data[step] & 7) {
		case 0:
			bytes_put_u8(&w, bytes_get_u8(&r));
			len = 1;
			break;
		case 1:
			bytes_put_be16(&w, bytes_get_be16(&r));
			len = 2;
			break;
		case 2:
			bytes_put_be32(&w, bytes_get_be32(&r));
			len = 4;
			break;
		case 3:
			bytes_get(&r, copy, len);
			bytes_put(&w, copy, len);
			break;
		default:
			bytes_skip(&r, data[step] == 0xff ? SIZE_MAX : len);
			bytes_put_zeros(&w, data[step] == 0xff ? SIZE_MAX : len);
			require(data[step] != 0xff || (r.overrun && w.overrun));
			continue;
		}
		require(r.overrun == (len > left) && w.overrun == (len > room));
		if (!r.overrun && !w.overrun)
			require(!memcmp(r.at - len, w.at - len, len));
	}
	require(r.left <= size && r.at == data + (size - r.left));
}

static void structs(const uint8_t *data, size_t size)
{
	uint8_t out[USBIP_DEVICE_SIZE];
	const char *field = NULL;
	struct usbip_device d;
	struct usbip_header h;

	if (size >= sizeof(d)) {
		memcpy(&d, data, sizeof(d));
		if (!result(usbip_put_device(out, &d, &field), &field))
			check_sent_device(&d);
	} else if (size >= sizeof(h)) {
		memcpy(&h, data, sizeof(h));
		if (!result(usbip_put_header(out, &h, &field), &field))
			check_sent_header(&h);
	}
}

static void reply(const uint8_t *data, size_t size)
{
	struct usbip_ret_submit ret = {0};
	struct bytes_reader r;
	const char *field = NULL;
	uint32_t asked, sent;

	bytes_reader_init(&r, data, size);
	ret.actual_length = bytes_get_be32(&r);
	ret.number_of_packets = bytes_get_be32(&r);
	asked = bytes_get_be32(&r);
	sent = bytes_get_be32(&r);
	if (!result(usbip_check_reply(&ret, asked, sent, &field), &field))
		require(ret.actual_length <= asked &&
			(ret.number_of_packets == sent ||
				ret.number_of_packets + sent == UINT32_MAX));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const size_t sizes[] = {
		USBIP_OP_COMMON_SIZE,
		USBIP_BUSID_SIZE,
		USBIP_DEVICE_SIZE,
		USBIP_INTERFACE_SIZE,
		4,
		USBIP_HEADER_SIZE,
		[10] = USBIP_ISO_PACKET_SIZE,
		[11] = USBIP_SESSION_SIZE,
		[12] = USBIP_RESUME_SIZE,
	};
	struct usbip_device d;
	uint8_t *in, kind;
	uint32_t n;

	if (!size)
		return 0;
	kind = *data++;
	size--;
	in = message(data, size, kind < 13 && sizes[kind] ? sizes[kind] : size);
	if (!in)
		return 0;
	switch (kind) {
	case 0:
		op_common(in);
		break;
	case 1:
		busid(in);
		break;
	case 2:
		(void)device(in, &d);
		break;
	case 3:
		interface(in);
		break;
	case 4:
		(void)count(in, &n);
		break;
	case 5:
		header(in);
		break;
	case 11:
		session(in);
		break;
	case 12:
		resume(in);
		break;
	case 6:
		server(in, size);
		break;
	case 7:
		cursors(in, size);
		break;
	case 8:
		structs(in, size);
		break;
	case 9:
		reply(in, size);
		break;
	case 10:
		iso_packet(in);
		break;
	}
	free(in);
	return 0;
}
