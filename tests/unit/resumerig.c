/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/resumerig.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bridge/conn.h"
#include "bridge/tls_context.h"
#include "tests/unit/tlsrig.h"

static const uint8_t addresses[RESUMERIG_ENDPOINTS] = {0, 0x81, 0x02, 0x83};

uint32_t resumerig_dice(struct resumerig *r, uint32_t sides)
{
	/* xorshift64* */
	r->seed ^= r->seed >> 12;
	r->seed ^= r->seed << 25;
	r->seed ^= r->seed >> 27;
	return (uint32_t)((r->seed * 0x2545f4914f6cdd1dull) >> 33) % sides;
}

/* What is in byte `at` of a transfer's data, whichever way. */
static uint8_t byte_of(unsigned endpoint, unsigned number, uint32_t at)
{
	return (uint8_t)(number * 37 + number / 256 + endpoint * 101 + at * 7 + at / 256);
}

/* ---- the exporter's part ---- */

static const struct usbip_device description = {.path = "/sys/devices/3-1",
	.busid = "3-1",
	.busnum = 3,
	.devnum = 7,
	.speed = 3,
	.num_interfaces = 1};

static unsigned on_list(void *user, struct devlist_entry **entries)
{
	(void)user;
	*entries = NULL;
	return 0;
}

static void on_import(void *user, const char *busid)
{
	struct resumerig *r = user;

	assert_string_equal(busid, "3-1");
	assert_null(r->importer);
	r->importer = r->newcomer;
	r->newcomer = NULL;
	importer_give(r->importer, &r->device, &description);
	assert_int_equal(importer_hold_s(r->importer), 10);
}

static void on_end(void *user, const char *reason)
{
	struct resumerig *r = user;

	(void)reason;
	r->num_closed++;
}

static void on_detached(void *user, const char *reason)
{
	struct resumerig *r = user;

	(void)reason;
	assert_false(r->detached);
	r->detached = true;
}

static void on_resume(void *user, const struct usbip_resume *how)
{
	struct resumerig *r = user;

	assert_true(importer_has_token(r->importer, how->token));
	assert_int_equal(importer_resume(r->importer, r->newcomer, how), 0);
	r->detached = false;
	r->num_resumed++;
}

static const struct importer_callbacks callbacks = {.list = on_list,
	.import = on_import,
	.closed = on_end,
	.detached = on_detached,
	.resume = on_resume};

/* ---- the taker's part ---- */

static void on_imported(void *user, const struct usbip_device *device)
{
	struct resumerig *r = user;

	assert_string_equal(device->busid, "3-1");
	r->imported = true;
}

static void on_closed(void *user, int error, const char *reason)
{
	(void)user;
	fail_msg("closed: %d %s", error, reason);
}

static void on_lost(void *user, int error, const char *reason)
{
	struct resumerig *r = user;

	(void)error;
	assert_non_null(reason);
	assert_false(r->lost);
	r->lost = true;
	r->num_lost++;
}

static const struct client_callbacks client_callbacks = {
	.imported = on_imported, .closed = on_closed, .lost = on_lost};

/* ---- URBs ---- */

static void on_done(struct client_urb *urb, int status, uint32_t actual)
{
	struct resumerig_urb *u = urb->user;
	struct resumerig_endpoint *e = &u->rig->endpoints[u->endpoint];

	assert_true(u->busy);
	assert_false(e->was_done[u->number]);
	e->was_done[u->number] = true;
	u->busy = false;
	assert_int_equal(status, e->status[u->number]);
	assert_int_equal(actual, e->actual[u->number]);
	if (status == -ECONNRESET)
		return;
	/* In the order of the endpoint, but for those that were unlinked: one whose CMD_UNLINK has
	 * not left waits for that. */
	for (; e->done < u->number; e->done++)
		assert_true(e->was_done[e->done] || e->unlinked[e->done]);
	if (addresses[u->endpoint] & 0x80 || (!u->endpoint && urb->setup[0])) {
		for (uint32_t i = 0; i < actual; i++)
			assert_int_equal(u->data[i], byte_of(u->endpoint, u->number, i));
	}
}

bool resumerig_submit(struct resumerig *r, unsigned endpoint, uint32_t length)
{
	struct resumerig_endpoint *e = &r->endpoints[endpoint];
	struct resumerig_urb *u = r->urbs;

	while (u < r->urbs + RESUMERIG_URBS && u->busy)
		u++;
	if (u == r->urbs + RESUMERIG_URBS || e->submitted == RESUMERIG_MAX)
		return false;
	u->urb.endpoint = addresses[endpoint];
	u->urb.length = length;
	u->urb.interval = endpoint == 3 ? 8 : 0;
	u->urb.buffer = u->data;
	u->urb.done = on_done;
	u->urb.user = u;
	memset(u->urb.setup, 0, sizeof(u->urb.setup));
	u->urb.setup[0] = e->submitted & 1 ? 0xc0 : 0;
	u->urb.setup[6] = (uint8_t)length;
	u->urb.setup[7] = (uint8_t)(length >> 8);
	u->rig = r;
	u->endpoint = endpoint;
	u->number = e->submitted++;
	u->busy = true;
	e->length[u->number] = (uint16_t)length;
	e->status[u->number] = 1;
	for (uint32_t i = 0; i < length; i++)
		u->data[i] = byte_of(endpoint, u->number, i);
	assert_int_equal(client_submit(r->client, &u->urb), 0);
	return true;
}

void resumerig_unlink(struct resumerig *r)
{
	struct resumerig_urb *u = &r->urbs[resumerig_dice(r, RESUMERIG_URBS)];

	if (!u->busy)
		return;
	r->endpoints[u->endpoint].unlinked[u->number] = true;
	client_unlink(r->client, &u->urb);
}

/* ---- the device ---- */

static unsigned endpoint_of(const struct usbdevice_urb *urb)
{
	unsigned n = 0;

	while (addresses[n] != urb->endpoint)
		n++;
	return n;
}

/* What has come to it since, in order. */
static void look(struct resumerig *r)
{
	for (; r->arrived < r->device.submitted; r->arrived++) {
		unsigned age = r->device.submitted - r->arrived;
		const struct usbdevice_urb *urb =
			fake_usbdevice_urb(&r->device, r->device.num_urbs - age);
		unsigned endpoint = endpoint_of(urb);
		struct resumerig_endpoint *e = &r->endpoints[endpoint];
		unsigned number = e->arrived++;

		assert_in_range(number, 0, e->submitted - 1);
		assert_int_equal(urb->length, e->length[number]);
		if (fake_usbdevice_is_in(urb))
			continue;
		for (uint32_t i = 0; i < urb->length; i++)
			assert_int_equal(fake_usbdevice_data(urb)[i], byte_of(endpoint, number, i));
	}
}

/* The number, on its endpoint, of a URB that is at the device: those before it have ended. */
static unsigned number_of(struct resumerig *r, unsigned endpoint, unsigned nth)
{
	const struct resumerig_endpoint *e = &r->endpoints[endpoint];
	unsigned number = 0;

	for (;; number++) {
		assert_in_range(number, 0, e->arrived - 1);
		if (e->status[number] == 1 && !nth--)
			return number;
	}
}

static void end_urb(struct resumerig *r, struct usbdevice_urb *urb, unsigned nth, bool cancelled)
{
	unsigned endpoint = endpoint_of(urb), number = number_of(r, endpoint, nth);
	struct resumerig_endpoint *e = &r->endpoints[endpoint];
	uint8_t data[RESUMERIG_LENGTH];
	uint32_t actual = cancelled ? 0 : resumerig_dice(r, urb->length + 1);

	for (uint32_t i = 0; i < actual; i++)
		data[i] = byte_of(endpoint, number, i);
	e->status[number] = (int16_t)(cancelled ? -ECONNRESET : resumerig_dice(r, 8) ? 0 : -EPIPE);
	e->actual[number] = (uint16_t)actual;
	fake_usbdevice_end(urb, e->status[number], fake_usbdevice_is_in(urb) ? data : NULL, actual);
}

void resumerig_end_oldest(struct resumerig *r, unsigned endpoint)
{
	for (unsigned i = 0; i < r->device.num_urbs; i++) {
		struct usbdevice_urb *urb = fake_usbdevice_urb(&r->device, i);

		if (endpoint_of(urb) != endpoint)
			continue;
		end_urb(r, urb, 0, fake_usbdevice_is_cancelled(urb));
		return;
	}
}

void resumerig_end(struct resumerig *r, unsigned endpoint)
{
	unsigned nth = 0;

	for (unsigned i = 0; i < r->device.num_urbs; i++) {
		struct usbdevice_urb *urb = fake_usbdevice_urb(&r->device, i);

		if (endpoint_of(urb) != endpoint)
			continue;
		/* The oldest, or one further back that has been cancelled. */
		if (fake_usbdevice_is_cancelled(urb) && resumerig_dice(r, 3)) {
			end_urb(r, urb, nth, true);
			return;
		}
		if (!nth && !resumerig_dice(r, 3)) {
			end_urb(r, urb, nth, false);
			return;
		}
		nth++;
	}
}

/* ---- turns ---- */

static bool is_ready(int fd, short events)
{
	struct pollfd p = {fd, events, 0};

	return fd >= 0 && events && poll(&p, 1, 0) > 0;
}

static void turn_resumption(struct resumerig *r)
{
	const char *why;
	int n;

	if (!is_ready(resumption_fd(&r->resumption), resumption_events(&r->resumption)))
		return;
	n = resumption_dispatch(&r->resumption, &why);
	if (!n)
		return;
	r->resuming = false;
	if (n == 1) {
		r->lost = false;
		assert_int_equal(
			client_resume(r->client, &r->resumption.conn, r->resumption.received), 0);
	} else {
		assert_true(n == -ECONNRESET || n == -EPIPE);
	}
	resumption_fini(&r->resumption);
}

void resumerig_turn_client(struct resumerig *r)
{
	if (r->resuming)
		turn_resumption(r);
	client_flush(r->client);
	if (is_ready(client_fd(r->client), client_events(r->client)))
		client_dispatch(r->client);
}

static void turn_importer(struct importer *i)
{
	importer_flush(i);
	if (is_ready(importer_fd(i), importer_events(i)))
		importer_dispatch(i);
}

static void free_newcomer(struct resumerig *r)
{
	importer_free(r->newcomer);
	r->newcomer = NULL;
}

void resumerig_turn_server(struct resumerig *r)
{
	unsigned closed = r->num_closed;

	if (r->newcomer)
		turn_importer(r->newcomer);
	if (r->num_closed > closed)
		free_newcomer(r);
	if (r->importer)
		turn_importer(r->importer);
	look(r);
}

void resumerig_turn_link(struct resumerig *r)
{
	(void)cutlink_run(&r->link);
	(void)cutlink_run(&r->former);
}

void resumerig_run(struct resumerig *r)
{
	uint64_t carried = 0, before;
	int idle = 0;

	while (idle < 5) {
		before = carried;
		resumerig_turn_client(r);
		resumerig_turn_link(r);
		resumerig_turn_server(r);
		resumerig_turn_link(r);
		carried = r->link.carried[0] + r->link.carried[1];
		idle = carried == before ? idle + 1 : 0;
	}
}

/* ---- connections ---- */

static void connect_link(struct resumerig *r, struct conn *client)
{
	struct conn server;

	/* Who has not heard of the end of the one before the last hears of it now. */
	cutlink_close(&r->former);
	r->former = r->link;
	cutlink_open(&r->link, client, &server, r->options & RESUMERIG_NARROW);
	if (r->options & RESUMERIG_ENCRYPTED) {
		assert_int_equal(conn_secure(client, r->contexts[0]), 0);
		assert_int_equal(conn_secure(&server, r->contexts[1]), 0);
	}
	if (r->newcomer)
		free_newcomer(r);
	r->newcomer = importer_new(&server, &callbacks, r);
	assert_non_null(r->newcomer);
}

void resumerig_connect(struct resumerig *r)
{
	struct usbip_resume how;
	struct conn conn;

	if (!r->lost || r->resuming)
		return;
	connect_link(r, &conn);
	client_resumption(r->client, &how);
	resumption_init(&r->resumption, &conn, &how);
	r->resuming = true;
}

void resumerig_open(struct resumerig *r, uint64_t seed, unsigned options)
{
	static const enum tls_role roles[2] = {TLS_CLIENT, TLS_SERVER};
	struct conn conn;

	memset(r, 0, sizeof(*r));
	r->seed = seed * 0x9e3779b97f4a7c15ull;
	r->options = options;
	for (int i = 0; i < 2 && options & RESUMERIG_ENCRYPTED; i++)
		assert_int_equal(tls_context_new(roles[i], &tlsrig_key, true, &r->contexts[i]), 0);
	r->link.fds[0] = r->link.fds[1] = r->former.fds[0] = r->former.fds[1] = -1;
	r->link.cut = r->former.cut = true;
	connect_link(r, &conn);
	assert_int_equal(client_new(&conn, "3-1", &client_callbacks, r, &r->client), 0);
	client_ask_session(r->client, 10);
	resumerig_run(r);
	assert_true(r->imported);
	assert_true(client_in_session(r->client));
}

/* What has been given up has been given up at the device. */
static void check_cancelled(struct resumerig *r)
{
	unsigned nth[RESUMERIG_ENDPOINTS] = {0};

	for (unsigned i = 0; i < r->device.num_urbs; i++) {
		const struct usbdevice_urb *urb = fake_usbdevice_urb(&r->device, i);
		unsigned endpoint = endpoint_of(urb);
		unsigned number = number_of(r, endpoint, nth[endpoint]++);

		assert_int_equal(
			fake_usbdevice_is_cancelled(urb), r->endpoints[endpoint].unlinked[number]);
	}
}

void resumerig_settle(struct resumerig *r)
{
	r->device.busy = false;
	r->link.left[0] = r->link.left[1] = SIZE_MAX;
	r->link.piece = 0;
	if (r->link.cut)
		cutlink_close(&r->link);
	do {
		resumerig_connect(r);
		resumerig_run(r);
	} while (r->lost);
	check_cancelled(r);
	for (unsigned n = 0; n < 5000 && (client_in_flight(r->client) || r->lost); n++) {
		resumerig_connect(r);
		resumerig_turn_client(r);
		resumerig_turn_link(r);
		resumerig_turn_server(r);
		resumerig_end(r, n % RESUMERIG_ENDPOINTS);
	}
	for (unsigned i = 0; i < RESUMERIG_URBS; i++)
		assert_false(r->urbs[i].busy);
	assert_int_equal(client_in_flight(r->client), 0);
	assert_int_equal(r->device.num_urbs, 0);
	for (unsigned i = 0; i < RESUMERIG_ENDPOINTS; i++)
		assert_int_equal(r->endpoints[i].arrived, r->endpoints[i].submitted);
}

void resumerig_fini(struct resumerig *r)
{
	if (r->resuming)
		resumption_fini(&r->resumption);
	client_free(r->client);
	cutlink_close(&r->link);
	cutlink_close(&r->former);
	fake_usbdevice_end_all(&r->device, -ECONNRESET);
	importer_free(r->newcomer);
	importer_free(r->importer);
	tls_context_free(r->contexts[0]);
	tls_context_free(r->contexts[1]);
}
