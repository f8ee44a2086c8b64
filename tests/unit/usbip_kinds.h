/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * usbip_kinds: every message of bridge/usbip.h behind one face, for the tests.
 *
 * What the tests of the codec share: to be included once, after cmocka.
 */
#ifndef TESTS_UNIT_USBIP_KINDS_H
#define TESTS_UNIT_USBIP_KINDS_H

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/usbip.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static int get_op(const uint8_t *in, void *host, const char **field)
{
	return usbip_get_op_common(in, host, field);
}

static int put_op(uint8_t *out, const void *host, const char **field)
{
	return usbip_put_op_common(out, host, field);
}

static int get_busid(const uint8_t *in, void *host, const char **field)
{
	return usbip_get_busid(in, host, field);
}

static int put_busid(uint8_t *out, const void *host, const char **field)
{
	return usbip_put_busid(out, host, field);
}

static int get_count(const uint8_t *in, void *host, const char **field)
{
	return usbip_get_count(in, host, field);
}

static int put_count(uint8_t *out, const void *host, const char **field)
{
	uint32_t n;

	memcpy(&n, host, sizeof(n));
	return usbip_put_count(out, n, field);
}

static int get_device(const uint8_t *in, void *host, const char **field)
{
	return usbip_get_device(in, host, field);
}

static int put_device(uint8_t *out, const void *host, const char **field)
{
	return usbip_put_device(out, host, field);
}

static int get_interface(const uint8_t *in, void *host, const char **field)
{
	(void)field;
	usbip_get_interface(in, host);
	return 0;
}

static int put_interface(uint8_t *out, const void *host, const char **field)
{
	(void)field;
	usbip_put_interface(out, host);
	return 0;
}

static int get_header(const uint8_t *in, void *host, const char **field)
{
	return usbip_get_header(in, host, field);
}

static int put_header(uint8_t *out, const void *host, const char **field)
{
	return usbip_put_header(out, host, field);
}

static int get_iso_packet(const uint8_t *in, void *host, const char **field)
{
	return usbip_get_iso_packet(in, host, field);
}

static int put_iso_packet(uint8_t *out, const void *host, const char **field)
{
	return usbip_put_iso_packet(out, host, field);
}

static int get_session(const uint8_t *in, void *host, const char **field)
{
	return usbip_get_session(in, host, field);
}

static int put_session(uint8_t *out, const void *host, const char **field)
{
	return usbip_put_session(out, host, field);
}

static int get_resume(const uint8_t *in, void *host, const char **field)
{
	(void)field;
	usbip_get_resume(in, host);
	return 0;
}

static int put_resume(uint8_t *out, const void *host, const char **field)
{
	(void)field;
	usbip_put_resume(out, host);
	return 0;
}

static int get_received(const uint8_t *in, void *host, const char **field)
{
	uint32_t n = usbip_get_received(in);

	(void)field;
	memcpy(host, &n, sizeof(n));
	return 0;
}

static int put_received(uint8_t *out, const void *host, const char **field)
{
	uint32_t n;

	(void)field;
	memcpy(&n, host, sizeof(n));
	usbip_put_received(out, n);
	return 0;
}

struct kind {
	size_t size, host_size;
	int (*get)(const uint8_t *in, void *host, const char **field);
	int (*put)(uint8_t *out, const void *host, const char **field);
};

static const struct kind op_common = {8, sizeof(struct usbip_op_common), get_op, put_op};
static const struct kind busid = {32, 32, get_busid, put_busid};
static const struct kind count = {4, sizeof(uint32_t), get_count, put_count};
static const struct kind device = {312, sizeof(struct usbip_device), get_device, put_device};
static const struct kind interface = {
	4, sizeof(struct usbip_interface), get_interface, put_interface};
static const struct kind iso_packet = {
	16, sizeof(struct usbip_iso_packet), get_iso_packet, put_iso_packet};
static const struct kind session = {36, sizeof(struct usbip_session), get_session, put_session};
static const struct kind resume = {24, sizeof(struct usbip_resume), get_resume, put_resume};
static const struct kind received = {4, sizeof(uint32_t), get_received, put_received};
static const struct kind header = {48, sizeof(struct usbip_header), get_header, put_header};

/* So that memcmp compares the structs: no padding. */
_Static_assert(sizeof(struct usbip_op_common) == 8, "");
_Static_assert(sizeof(struct usbip_device) == 312, "");
_Static_assert(sizeof(struct usbip_interface) == 3, "");
_Static_assert(sizeof(struct usbip_session) == 36, "");
_Static_assert(sizeof(struct usbip_resume) == 24, "");
_Static_assert(sizeof(struct usbip_header) == 48, "");
_Static_assert(sizeof(struct usbip_iso_packet) == 16, "");

#define MAX_SIZE 312

/* The calls see buffers of exactly their size, for ASan; what a refusal left is 0xa5. */
static inline int get(const struct kind *k, const uint8_t *wire, void *host, const char **field)
{
	uint8_t *in = malloc(k->size), *out = malloc(k->host_size);
	int r;

	assert_true(in && out);
	memcpy(in, wire, k->size);
	memset(out, 0xa5, k->host_size);
	*field = NULL;
	r = k->get(in, out, field);
	memcpy(host, out, k->host_size);
	free(in);
	free(out);
	return r;
}

static inline int put(const struct kind *k, uint8_t *wire, const void *host, const char **field)
{
	uint8_t *in = malloc(k->host_size), *out = malloc(k->size);
	int r;

	assert_true(in && out);
	memcpy(in, host, k->host_size);
	memset(out, 0xa5, k->size);
	*field = NULL;
	r = k->put(out, in, field);
	memcpy(wire, out, k->size);
	free(in);
	free(out);
	return r;
}

/* -EPROTO, with a text that starts with the field's name, and nothing written. */
static inline void assert_refused(
	int r, const char *field, const char *name, const uint8_t *written, size_t size)
{
	if (r != -EPROTO || !field || strncmp(field, name, strlen(name)) ||
		strncmp(field + strlen(name), ": ", 2))
		fail_msg("%s: %d, %s", name, r, field ? field : "no field");
	for (size_t i = 0; i < size; i++)
		assert_int_equal(written[i], 0xa5);
}

/* A header in words of 32 bits, as the protocol text prints it. */
static inline void put_words(uint8_t wire[48], const uint32_t words[12])
{
	for (size_t i = 0; i < 48; i++)
		wire[i] = (uint8_t)(words[i / 4] >> (24 - i % 4 * 8));
}

/* path and busid are the protocol text's examples. */
static const struct usbip_device camera = {
	.path = "/sys/devices/pci0000:00/0000:00:1d.1/usb3/3-2",
	.busid = "3-2",
	.busnum = 3,
	.devnum = 31,
	.speed = 3,
	.vendor = 0x04a9,
	.product = 0x3218,
	.bcd_device = 0x0102,
	.class = 0xef,
	.subclass = 2,
	.protocol = 3,
	.configuration_value = 4,
	.num_configurations = 5,
	.num_interfaces = 2,
};

#endif
