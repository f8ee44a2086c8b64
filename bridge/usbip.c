/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The URB phase: CMD_*, RET_*. */
#include "bridge/usbip.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "bridge/bytes.h"

/* Limits in the texts below are the header's. */
#define STR2(x) #x
#define STR(x) STR2(x)

#define MAX_ERRNO 4095	/* linux/err.h of the kernel */
#define MAX_ENDPOINT 15 /* four bits: USB 2.0, 8.3.2.2 */
#define NO_ISO_PACKETS 0xffffffffu

_Static_assert(USBIP_MAX_TRANSFER == 1 << 20, "the texts say 1 MiB");

static int refuse(const char **field, const char *what)
{
	*field = what;
	return -EPROTO;
}

/* ---- validators: one a message, for both directions ---- */

static bool is_packet_count(uint32_t n)
{
	return n <= USBIP_MAX_ISO_PACKETS || n == NO_ISO_PACKETS;
}

static bool is_status(int32_t status)
{
	return status <= 0 && status >= -MAX_ERRNO;
}

static int check_cmd_submit(const struct usbip_cmd_submit *cmd, const char **field)
{
	if (cmd->transfer_buffer_length > USBIP_MAX_TRANSFER)
		return refuse(field, "cmd_submit.transfer_buffer_length: over 1 MiB");
	if (!is_packet_count(cmd->number_of_packets))
		return refuse(
			field, "cmd_submit.number_of_packets: over " STR(USBIP_MAX_ISO_PACKETS));
	return 0;
}

static int check_ret_submit(const struct usbip_ret_submit *ret, const char **field)
{
	if (!is_status(ret->status))
		return refuse(field, "ret_submit.status: not in -" STR(MAX_ERRNO) "..0");
	if (ret->actual_length > USBIP_MAX_TRANSFER)
		return refuse(field, "ret_submit.actual_length: over 1 MiB");
	if (!is_packet_count(ret->number_of_packets))
		return refuse(
			field, "ret_submit.number_of_packets: over " STR(USBIP_MAX_ISO_PACKETS));
	return 0;
}

static bool is_command_of_client(uint32_t command)
{
	return command == USBIP_CMD_SUBMIT || command == USBIP_CMD_UNLINK;
}

static int check_header(const struct usbip_header *h, const char **field)
{
	if (is_command_of_client(h->command)) {
		if (h->direction > USBIP_DIR_IN)
			return refuse(field, "usbip_header_basic.direction: neither 0 nor 1");
		if (h->ep > MAX_ENDPOINT)
			return refuse(field, "usbip_header_basic.ep: over " STR(MAX_ENDPOINT));
	}
	switch (h->command) {
	case USBIP_CMD_SUBMIT:
		return check_cmd_submit(&h->u.cmd_submit, field);
	case USBIP_CMD_UNLINK:
		return 0;
	case USBIP_RET_SUBMIT:
		return check_ret_submit(&h->u.ret_submit, field);
	case USBIP_RET_UNLINK:
		if (!is_status(h->u.ret_unlink.status))
			return refuse(field, "ret_unlink.status: not in -" STR(MAX_ERRNO) "..0");
		return 0;
	default:
		return refuse(field, "usbip_header_basic.command: not 1..4");
	}
}

static int check_iso_packet(const struct usbip_iso_packet *p, const char **field)
{
	if (p->length > USBIP_MAX_TRANSFER)
		return refuse(field, "usbip_iso_packet_descriptor.length: over 1 MiB");
	if (p->offset > USBIP_MAX_TRANSFER - p->length)
		return refuse(field, "usbip_iso_packet_descriptor.offset: ends over 1 MiB");
	if (p->actual_length > p->length)
		return refuse(field, "usbip_iso_packet_descriptor.actual_length: over its length");
	if (!is_status(p->status))
		return refuse(
			field, "usbip_iso_packet_descriptor.status: not in -" STR(MAX_ERRNO) "..0");
	return 0;
}

/* ---- codec ---- */

static void put_command(struct bytes_writer *w, const struct usbip_header *h)
{
	const struct usbip_cmd_submit *cmd = &h->u.cmd_submit;
	const struct usbip_ret_submit *ret = &h->u.ret_submit;

	switch (h->command) {
	case USBIP_CMD_SUBMIT:
		bytes_put_be32(w, cmd->transfer_flags);
		bytes_put_be32(w, cmd->transfer_buffer_length);
		bytes_put_be32(w, cmd->start_frame);
		bytes_put_be32(w, cmd->number_of_packets);
		bytes_put_be32(w, cmd->interval);
		bytes_put(w, cmd->setup, sizeof(cmd->setup));
		break;
	case USBIP_CMD_UNLINK:
		bytes_put_be32(w, h->u.cmd_unlink.seqnum);
		break;
	case USBIP_RET_SUBMIT:
		bytes_put_be32(w, (uint32_t)ret->status);
		bytes_put_be32(w, ret->actual_length);
		bytes_put_be32(w, ret->start_frame);
		bytes_put_be32(w, ret->number_of_packets);
		bytes_put_be32(w, ret->error_count);
		break;
	case USBIP_RET_UNLINK:
		bytes_put_be32(w, (uint32_t)h->u.ret_unlink.status);
		break;
	}
}

int usbip_put_header(
	uint8_t out[USBIP_HEADER_SIZE], const struct usbip_header *h, const char **field)
{
	bool of_client = is_command_of_client(h->command);
	struct bytes_writer w;
	int r = check_header(h, field);

	if (r)
		return r;
	bytes_writer_init(&w, out, USBIP_HEADER_SIZE);
	bytes_put_be32(&w, h->command);
	bytes_put_be32(&w, h->seqnum);
	/* A server's are 0 (setup_base_pdu of stub_tx.c). */
	bytes_put_be32(&w, of_client ? h->devid : 0);
	bytes_put_be32(&w, of_client ? h->direction : 0);
	bytes_put_be32(&w, of_client ? h->ep : 0);
	put_command(&w, h);
	bytes_put_zeros(&w, w.left);
	return 0;
}

static void get_command(struct bytes_reader *r, struct usbip_header *h)
{
	struct usbip_cmd_submit *cmd = &h->u.cmd_submit;
	struct usbip_ret_submit *ret = &h->u.ret_submit;

	switch (h->command) {
	case USBIP_CMD_SUBMIT:
		cmd->transfer_flags = bytes_get_be32(r);
		cmd->transfer_buffer_length = bytes_get_be32(r);
		cmd->start_frame = bytes_get_be32(r);
		cmd->number_of_packets = bytes_get_be32(r);
		cmd->interval = bytes_get_be32(r);
		bytes_get(r, cmd->setup, sizeof(cmd->setup));
		break;
	case USBIP_CMD_UNLINK:
		h->u.cmd_unlink.seqnum = bytes_get_be32(r);
		break;
	case USBIP_RET_SUBMIT:
		ret->status = (int32_t)bytes_get_be32(r);
		ret->actual_length = bytes_get_be32(r);
		ret->start_frame = bytes_get_be32(r);
		ret->number_of_packets = bytes_get_be32(r);
		ret->error_count = bytes_get_be32(r);
		break;
	case USBIP_RET_UNLINK:
		h->u.ret_unlink.status = (int32_t)bytes_get_be32(r);
		break;
	}
}

int usbip_get_header(
	const uint8_t in[USBIP_HEADER_SIZE], struct usbip_header *h, const char **field)
{
	struct usbip_header got;
	struct bytes_reader r;
	int err;

	memset(&got, 0, sizeof(got));
	bytes_reader_init(&r, in, USBIP_HEADER_SIZE);
	got.command = bytes_get_be32(&r);
	got.seqnum = bytes_get_be32(&r);
	got.devid = bytes_get_be32(&r);
	got.direction = bytes_get_be32(&r);
	got.ep = bytes_get_be32(&r);
	/* Some servers send the request's back, others what they like: nobody may come to rely on
	 * it. */
	if (!is_command_of_client(got.command))
		got.devid = got.direction = got.ep = 0;
	get_command(&r, &got);
	err = check_header(&got, field);
	if (!err)
		*h = got;
	return err;
}

int usbip_put_iso_packet(
	uint8_t out[USBIP_ISO_PACKET_SIZE], const struct usbip_iso_packet *p, const char **field)
{
	struct bytes_writer w;
	int r = check_iso_packet(p, field);

	if (r)
		return r;
	bytes_writer_init(&w, out, USBIP_ISO_PACKET_SIZE);
	bytes_put_be32(&w, p->offset);
	bytes_put_be32(&w, p->length);
	bytes_put_be32(&w, p->actual_length);
	bytes_put_be32(&w, (uint32_t)p->status);
	return 0;
}

int usbip_get_iso_packet(
	const uint8_t in[USBIP_ISO_PACKET_SIZE], struct usbip_iso_packet *p, const char **field)
{
	struct usbip_iso_packet got;
	struct bytes_reader r;
	int err;

	bytes_reader_init(&r, in, USBIP_ISO_PACKET_SIZE);
	got.offset = bytes_get_be32(&r);
	got.length = bytes_get_be32(&r);
	got.actual_length = bytes_get_be32(&r);
	got.status = (int32_t)bytes_get_be32(&r);
	err = check_iso_packet(&got, field);
	if (!err)
		*p = got;
	return err;
}

static uint32_t packets(uint32_t number_of_packets)
{
	return number_of_packets == NO_ISO_PACKETS ? 0 : number_of_packets;
}

int usbip_check_reply(const struct usbip_ret_submit *ret, uint32_t transfer_buffer_length,
	uint32_t number_of_packets, const char **field)
{
	if (ret->actual_length > transfer_buffer_length)
		return refuse(field, "ret_submit.actual_length: more than was asked for");
	if (packets(ret->number_of_packets) != packets(number_of_packets))
		return refuse(field, "ret_submit.number_of_packets: not what was sent");
	return 0;
}
