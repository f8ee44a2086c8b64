/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The messages before the URBs: OP_REQ_*, OP_REP_* and what follows them. */
#include "bridge/usbip.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "bridge/bytes.h"

/* Limits in the texts below are the header's. */
#define STR2(x) #x
#define STR(x) STR2(x)

#define PADDING 3 /* of usbip_usb_interface; its bits: */
#define RESUMABLE 1

#define MAX_SPEED 6 /* USB_SPEED_SUPER_PLUS, the last of linux/usb/ch9.h */

static int refuse(const char **field, const char *what)
{
	*field = what;
	return -EPROTO;
}

/* ---- validators: one a message, for both directions ---- */

static int check_op_common(const struct usbip_op_common *op, const char **field)
{
	if (op->version != USBIP_VERSION)
		return refuse(field, "op_common.version: not 0x0111");
	switch (op->code) {
	case USBIP_OP_REQ_DEVLIST:
	case USBIP_OP_REP_DEVLIST:
	case USBIP_OP_REQ_IMPORT:
	case USBIP_OP_REP_IMPORT:
	case USBIP_OP_REQ_SESSION:
	case USBIP_OP_REP_SESSION:
	case USBIP_OP_REQ_RESUME:
	case USBIP_OP_REP_RESUME:
		return 0;
	default:
		return refuse(field, "op_common.code: neither DEVLIST nor IMPORT");
	}
}

/* By hand, as isalnum depends on the locale. */
static bool is_busid_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		c == '-' || c == '.' || c == ':' || c == '_';
}

/*
 * "1-1.4" of Linux, "1-4" of usbipd-win, "usbip-vudc.0". It is printed, is typed on command lines
 * and stands in configuration files, so nothing that means something to any of these.
 */
static int check_busid(const char *busid, const char **field)
{
	size_t len = strnlen(busid, USBIP_BUSID_SIZE);

	if (!len)
		return refuse(field, "busid: empty");
	if (len == USBIP_BUSID_SIZE)
		return refuse(field, "busid: no NUL within " STR(USBIP_BUSID_SIZE) " bytes");
	for (size_t i = 0; i < len; i++) {
		if (!is_busid_char(busid[i]))
			return refuse(field, "busid: a character other than A-Z a-z 0-9 . : _ -");
	}
	return 0;
}

/* A path of sysfs, or a device instance of Windows. Only ever shown, so no escape sequences. */
static int check_path(const char *path, const char **field)
{
	size_t len = strnlen(path, USBIP_PATH_SIZE);

	if (len == USBIP_PATH_SIZE)
		return refuse(field,
			"usbip_usb_device.path: no NUL within " STR(USBIP_PATH_SIZE) " bytes");
	for (size_t i = 0; i < len; i++) {
		if (path[i] < 0x20 || path[i] > 0x7e)
			return refuse(field, "usbip_usb_device.path: not printable ASCII");
	}
	return 0;
}

static int check_device(const struct usbip_device *d, const char **field)
{
	int r = check_path(d->path, field);

	if (!r)
		r = check_busid(d->busid, field);
	if (r)
		return r;
	if (d->speed > MAX_SPEED)
		return refuse(field, "usbip_usb_device.speed: over " STR(MAX_SPEED));
	if (d->num_interfaces > USBIP_MAX_INTERFACES)
		return refuse(
			field, "usbip_usb_device.bNumInterfaces: over " STR(USBIP_MAX_INTERFACES));
	return 0;
}

static int check_count(uint32_t n, const char **field)
{
	if (n > USBIP_MAX_DEVICES)
		return refuse(field, "op_devlist_reply.ndev: over " STR(USBIP_MAX_DEVICES));
	return 0;
}

/* ---- codec ---- */

int usbip_put_op_common(
	uint8_t out[USBIP_OP_COMMON_SIZE], const struct usbip_op_common *op, const char **field)
{
	struct bytes_writer w;
	int r = check_op_common(op, field);

	if (r)
		return r;
	bytes_writer_init(&w, out, USBIP_OP_COMMON_SIZE);
	bytes_put_be16(&w, op->version);
	bytes_put_be16(&w, op->code);
	bytes_put_be32(&w, op->status);
	return 0;
}

int usbip_get_op_common(
	const uint8_t in[USBIP_OP_COMMON_SIZE], struct usbip_op_common *op, const char **field)
{
	struct usbip_op_common got;
	struct bytes_reader r;
	int err;

	bytes_reader_init(&r, in, USBIP_OP_COMMON_SIZE);
	got.version = bytes_get_be16(&r);
	got.code = bytes_get_be16(&r);
	got.status = bytes_get_be32(&r);
	err = check_op_common(&got, field);
	if (!err)
		*op = got;
	return err;
}

/* A string that has been checked, padded with NULs. */
static void put_string(struct bytes_writer *w, const char *s, size_t size)
{
	size_t len = strnlen(s, size);

	bytes_put(w, s, len);
	bytes_put_zeros(w, size - len);
}

/* What some servers leave behind the NUL is of no interest to anybody. Not yet checked. */
static void get_string(struct bytes_reader *r, char *s, size_t size)
{
	size_t len;

	bytes_get(r, s, size);
	len = strnlen(s, size);
	memset(s + len, 0, size - len);
}

int usbip_put_busid(uint8_t out[USBIP_BUSID_SIZE], const char *busid, const char **field)
{
	struct bytes_writer w;
	int r = check_busid(busid, field);

	if (r)
		return r;
	bytes_writer_init(&w, out, USBIP_BUSID_SIZE);
	put_string(&w, busid, USBIP_BUSID_SIZE);
	return 0;
}

int usbip_get_busid(
	const uint8_t in[USBIP_BUSID_SIZE], char busid[USBIP_BUSID_SIZE], const char **field)
{
	char got[USBIP_BUSID_SIZE];
	struct bytes_reader r;
	int err;

	bytes_reader_init(&r, in, USBIP_BUSID_SIZE);
	get_string(&r, got, sizeof(got));
	err = check_busid(got, field);
	if (!err)
		memcpy(busid, got, sizeof(got));
	return err;
}

int usbip_put_device(
	uint8_t out[USBIP_DEVICE_SIZE], const struct usbip_device *d, const char **field)
{
	struct bytes_writer w;
	int r = check_device(d, field);

	if (r)
		return r;
	bytes_writer_init(&w, out, USBIP_DEVICE_SIZE);
	put_string(&w, d->path, USBIP_PATH_SIZE);
	put_string(&w, d->busid, USBIP_BUSID_SIZE);
	bytes_put_be32(&w, d->busnum);
	bytes_put_be32(&w, d->devnum);
	bytes_put_be32(&w, d->speed);
	bytes_put_be16(&w, d->vendor);
	bytes_put_be16(&w, d->product);
	bytes_put_be16(&w, d->bcd_device);
	bytes_put_u8(&w, d->class);
	bytes_put_u8(&w, d->subclass);
	bytes_put_u8(&w, d->protocol);
	bytes_put_u8(&w, d->configuration_value);
	bytes_put_u8(&w, d->num_configurations);
	bytes_put_u8(&w, d->num_interfaces);
	return 0;
}

int usbip_get_device(
	const uint8_t in[USBIP_DEVICE_SIZE], struct usbip_device *d, const char **field)
{
	struct usbip_device got;
	struct bytes_reader r;
	int err;

	bytes_reader_init(&r, in, USBIP_DEVICE_SIZE);
	get_string(&r, got.path, sizeof(got.path));
	get_string(&r, got.busid, sizeof(got.busid));
	got.busnum = bytes_get_be32(&r);
	got.devnum = bytes_get_be32(&r);
	got.speed = bytes_get_be32(&r);
	got.vendor = bytes_get_be16(&r);
	got.product = bytes_get_be16(&r);
	got.bcd_device = bytes_get_be16(&r);
	got.class = bytes_get_u8(&r);
	got.subclass = bytes_get_u8(&r);
	got.protocol = bytes_get_u8(&r);
	got.configuration_value = bytes_get_u8(&r);
	got.num_configurations = bytes_get_u8(&r);
	got.num_interfaces = bytes_get_u8(&r);
	err = check_device(&got, field);
	if (!err)
		*d = got;
	return err;
}

void usbip_put_interface(uint8_t out[USBIP_INTERFACE_SIZE], const struct usbip_interface *i)
{
	struct bytes_writer w;

	bytes_writer_init(&w, out, USBIP_INTERFACE_SIZE);
	bytes_put_u8(&w, i->class);
	bytes_put_u8(&w, i->subclass);
	bytes_put_u8(&w, i->protocol);
	bytes_put_u8(&w, 0);
}

void usbip_get_interface(const uint8_t in[USBIP_INTERFACE_SIZE], struct usbip_interface *i)
{
	struct bytes_reader r;

	bytes_reader_init(&r, in, USBIP_INTERFACE_SIZE);
	i->class = bytes_get_u8(&r);
	i->subclass = bytes_get_u8(&r);
	i->protocol = bytes_get_u8(&r);
}

void usbip_put_resumable(uint8_t out[USBIP_INTERFACE_SIZE])
{
	out[PADDING] |= RESUMABLE;
}

bool usbip_get_resumable(const uint8_t in[USBIP_INTERFACE_SIZE])
{
	return in[PADDING] & RESUMABLE;
}

int usbip_put_count(uint8_t out[4], uint32_t n, const char **field)
{
	struct bytes_writer w;
	int r = check_count(n, field);

	if (r)
		return r;
	bytes_writer_init(&w, out, 4);
	bytes_put_be32(&w, n);
	return 0;
}

int usbip_get_count(const uint8_t in[4], uint32_t *n, const char **field)
{
	struct bytes_reader r;
	uint32_t got;
	int err;

	bytes_reader_init(&r, in, 4);
	got = bytes_get_be32(&r);
	err = check_count(got, field);
	if (!err)
		*n = got;
	return err;
}

int usbip_put_session(
	uint8_t out[USBIP_SESSION_SIZE], const struct usbip_session *s, const char **field)
{
	struct bytes_writer w;
	int r = usbip_put_busid(out, s->busid, field);

	if (r)
		return r;
	bytes_writer_init(&w, out + USBIP_BUSID_SIZE, 4);
	bytes_put_be32(&w, s->hold_s);
	return 0;
}

int usbip_get_session(
	const uint8_t in[USBIP_SESSION_SIZE], struct usbip_session *s, const char **field)
{
	struct bytes_reader reader;
	int r = usbip_get_busid(in, s->busid, field);

	if (r)
		return r;
	bytes_reader_init(&reader, in + USBIP_BUSID_SIZE, 4);
	s->hold_s = bytes_get_be32(&reader);
	return 0;
}

void usbip_put_resume(uint8_t out[USBIP_RESUME_SIZE], const struct usbip_resume *r)
{
	struct bytes_writer w;

	bytes_writer_init(&w, out, USBIP_RESUME_SIZE);
	bytes_put(&w, r->token, sizeof(r->token));
	bytes_put_be32(&w, r->received);
	bytes_put_be32(&w, r->first);
}

void usbip_get_resume(const uint8_t in[USBIP_RESUME_SIZE], struct usbip_resume *r)
{
	struct bytes_reader reader;

	bytes_reader_init(&reader, in, USBIP_RESUME_SIZE);
	bytes_get(&reader, r->token, sizeof(r->token));
	r->received = bytes_get_be32(&reader);
	r->first = bytes_get_be32(&reader);
}

void usbip_put_received(uint8_t out[4], uint32_t n)
{
	struct bytes_writer w;

	bytes_writer_init(&w, out, 4);
	bytes_put_be32(&w, n);
}

uint32_t usbip_get_received(const uint8_t in[4])
{
	struct bytes_reader r;

	bytes_reader_init(&r, in, 4);
	return bytes_get_be32(&r);
}

const char *usbip_status_str(uint32_t status)
{
	switch (status) {
	case USBIP_ST_OK:
		return "done";
	case USBIP_ST_NA:
		return "request failed, or device is not exported";
	case USBIP_ST_DEV_BUSY:
		return "device is exported to somebody else already";
	case USBIP_ST_DEV_ERR:
		return "device is unusable until it is bound again at the server";
	case USBIP_ST_NODEV:
		return "no such device";
	case USBIP_ST_ERROR:
		return "unexpected error at the server";
	default:
		return "unknown status";
	}
}
