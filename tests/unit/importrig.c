/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "bridge/conn.h"
#include "tests/unit/importrig.h"

/* ---- the exporter's part ---- */

static unsigned on_list(void *user, struct devlist_entry **entries)
{
	struct importrig *r = user;

	r->lists++;
	*entries = calloc(r->num_listed + 1, sizeof(**entries));
	for (unsigned i = 0; *entries && i < r->num_listed; i++) {
		(*entries)[i].device = r->description;
		for (unsigned n = 0; n < r->description.num_interfaces; n++)
			(*entries)[i].interfaces[n] =
				(struct usbip_interface){6, (uint8_t)i, (uint8_t)n};
	}
	return *entries ? r->num_listed : 0;
}

static void on_import(void *user, const char *busid)
{
	struct importrig *r = user;

	r->imports++;
	(void)snprintf(r->busid, sizeof(r->busid), "%s", busid);
	if (!r->status)
		importer_give(r->importer, &r->device, &r->description);
	else if (r->status > 0)
		importer_refuse(r->importer, (enum usbip_status)r->status);
}

static void on_closed(void *user, const char *reason)
{
	struct importrig *r = user;

	r->closed++;
	(void)snprintf(r->reason, sizeof(r->reason), "%s", reason);
}

static const struct importer_callbacks callbacks = {
	.list = on_list, .import = on_import, .closed = on_closed};

/* ---- turns ---- */

static int subject_fd(const void *rig)
{
	const struct importer *i = ((const struct importrig *)rig)->importer;

	/* libev does not watch for nothing. */
	return importer_events(i) ? importer_fd(i) : -1;
}

static short subject_events(const void *rig)
{
	return importer_events(((const struct importrig *)rig)->importer);
}

static void subject_dispatch(void *rig)
{
	importer_dispatch(((struct importrig *)rig)->importer);
	importer_flush(((struct importrig *)rig)->importer);
}

static const struct peer_subject subject = {subject_fd, subject_events, subject_dispatch};

void importrig_run(struct importrig *r)
{
	do {
		importer_flush(r->importer);
		peer_run(&r->peer, &subject, r);
	} while (r->peer.turns > 1);
}

void importrig_prepare(struct importrig *r)
{
	size_t left = r->peer.out_size - r->peer.out_sent;

	assert_int_equal(
		send(r->peer.fd, r->peer.out + r->peer.out_sent, left, MSG_DONTWAIT), left);
	r->peer.out_sent += left;
}

void importrig_init(struct importrig *r)
{
	struct conn conn;

	memset(r, 0, sizeof(*r));
	r->description = (struct usbip_device){.path = "/sys/devices/usb3/3-1",
		.busid = "3-1",
		.busnum = 3,
		.devnum = 7,
		.speed = 3,
		.vendor = 0x04a9,
		.product = 0x3218,
		.num_configurations = 1,
		.num_interfaces = 1};
	peer_init(&r->peer, &conn);
	r->importer = importer_new(&conn, &callbacks, r);
	assert_non_null(r->importer);
	assert_true(importer_is_new(r->importer));
}

void importrig_narrow(struct importrig *r)
{
	const int bytes = 4096;

	assert_int_equal(
		setsockopt(importer_fd(r->importer), SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes)),
		0);
}

void importrig_import(struct importrig *r, const char *busid)
{
	uint8_t wire[USBIP_BUSID_SIZE] = {0};

	(void)memcpy(wire, busid, strnlen(busid, sizeof(wire)));
	peer_send_op(&r->peer, 0x8003, 0);
	peer_send(&r->peer, wire, sizeof(wire));
}

void importrig_open(struct importrig *r)
{
	importrig_init(r);
	importrig_import(r, "3-1");
	importrig_run(r);
	assert_int_equal(r->imports, 1);
	assert_false(importer_is_new(r->importer));
	assert_non_null(peer_take(&r->peer, 8 + USBIP_DEVICE_SIZE));
	importrig_expect_nothing(r);
}

void importrig_fini(struct importrig *r)
{
	unsigned closed;

	r->peer.deaf = false;
	peer_close(&r->peer);
	r->device.busy = r->device.busy_by_control = false;
	importrig_run(r);
	closed = r->closed;
	fake_usbdevice_end_all(&r->device, -ECONNRESET);
	importer_dispatch(r->importer);
	importer_flush(r->importer);
	assert_int_equal(r->device.submitted, r->device.done);
	assert_in_range(r->closed, closed, 1);
	importer_free(r->importer);
	peer_fini(&r->peer);
}

/* ---- what is sent ---- */

uint8_t importrig_byte(uint32_t seqnum, uint32_t i)
{
	return (uint8_t)(seqnum * 31 + i * 7 + i / 256 + 1);
}

static void send_data(struct importrig *r, const struct importrig_request *q)
{
	uint8_t *data = malloc(q->length);

	assert_true(data || !q->length);
	for (uint32_t i = 0; i < q->length; i++)
		data[i] = q->data ? ((const uint8_t *)q->data)[i] : importrig_byte(q->seqnum, i);
	peer_send(&r->peer, data, q->length);
	free(data);
}

static void send_packets(struct importrig *r, const struct importrig_request *q)
{
	for (unsigned i = 0; i < q->num_packets; i++) {
		uint8_t wire[16];

		peer_put_be32(wire, q->packets[i].offset);
		peer_put_be32(wire + 4, q->packets[i].length);
		peer_put_be32(wire + 8, q->packets[i].actual_length);
		peer_put_be32(wire + 12, (uint32_t)q->packets[i].status);
		peer_send(&r->peer, wire, sizeof(wire));
	}
}

void importrig_submit(struct importrig *r, const struct importrig_request *q)
{
	const uint32_t words[] = {1, q->seqnum, IMPORTRIG_DEVID, q->in, q->ep, q->flags, q->length,
		0, q->num_packets, 0};
	uint8_t wire[48] = {0};

	for (size_t i = 0; i < PEER_COUNT(words); i++)
		peer_put_be32(wire + 4 * i, words[i]);
	memcpy(wire + 40, q->setup, sizeof(q->setup));
	peer_send(&r->peer, wire, sizeof(wire));
	assert_true(q->seqnum < IMPORTRIG_SEQNUMS);
	r->in[q->seqnum] = q->in;
	r->packets[q->seqnum] = q->packets ? (uint16_t)q->num_packets : 0;
	if (!q->in)
		send_data(r, q);
	if (q->packets)
		send_packets(r, q);
}

void importrig_ask(struct importrig *r, uint32_t seqnum, uint32_t length)
{
	importrig_submit(r,
		&(struct importrig_request){
			.seqnum = seqnum, .ep = 1, .in = true, .length = length});
}

void importrig_unlink(struct importrig *r, uint32_t seqnum, uint32_t victim)
{
	const uint32_t words[] = {2, seqnum, IMPORTRIG_DEVID, 0, 0, victim};

	peer_send_header(&r->peer, words, PEER_COUNT(words));
}

/* ---- what has come ---- */

static uint32_t be32(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static void get_submitted(struct importrig *r, struct importrig_answer *a, const uint8_t *at)
{
	static const uint8_t padding[8];

	a->actual = be32(at + 24);
	assert_int_equal(be32(at + 28), 0); /* start_frame */
	a->num_packets = be32(at + 32);
	a->errors = be32(at + 36);
	assert_memory_equal(at + 40, padding, 8);
	assert_int_equal(a->num_packets, r->packets[a->seqnum]);
	if (r->in[a->seqnum])
		a->data = peer_take(&r->peer, a->actual);
	a->packets = peer_take(&r->peer, (size_t)16 * a->num_packets);
	assert_true(a->packets && (a->data || !r->in[a->seqnum]));
}

bool importrig_answer(struct importrig *r, struct importrig_answer *a)
{
	static const uint8_t zeros[24];
	const uint8_t *at = peer_take(&r->peer, 48);

	memset(a, 0, sizeof(*a));
	if (!at)
		return false;
	a->command = be32(at);
	a->seqnum = be32(at + 4);
	a->status = (int32_t)be32(at + 20);
	assert_in_range(a->command, 3, 4);
	assert_true(a->seqnum < IMPORTRIG_SEQNUMS);
	assert_memory_equal(at + 8, zeros, 12); /* devid, direction, ep */
	if (a->command == 3)
		get_submitted(r, a, at);
	else
		assert_memory_equal(at + 24, zeros, 24);
	return true;
}

void importrig_expect(struct importrig *r, uint32_t command, uint32_t seqnum, int32_t status)
{
	struct importrig_answer a;

	assert_true(importrig_answer(r, &a));
	assert_int_equal(a.command, command);
	assert_int_equal(a.seqnum, seqnum);
	assert_int_equal(a.status, status);
}

void importrig_expect_nothing(struct importrig *r)
{
	assert_int_equal(r->peer.in_size, r->peer.in_taken);
	r->peer.in_size = r->peer.in_taken = 0;
	if (r->peer.out_sent == r->peer.out_size)
		r->peer.out_size = r->peer.out_sent = 0;
}

void importrig_expect_closed(struct importrig *r, const char *reason)
{
	assert_int_equal(r->closed, 1);
	assert_string_equal(r->reason, reason);
	assert_int_equal(importer_fd(r->importer), -1);
	assert_int_equal(importer_events(r->importer), 0);
}
