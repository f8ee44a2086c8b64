/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * importer under a hostile client, over a fake device that ends URBs in any order. What must hold:
 * each URB is in its own memory (the fake looks at all of it) and done with once, no more memory is
 * had than the bounds say, `closed` comes once and nothing after it; and while the client keeps to
 * the protocol, each request has its one answer and each unlink its own, and it is let go of only
 * where it has more under way than the bounds say.
 *
 *   byte 0   bits 0-1: 0 the client's first bytes, in pieces of byte 1; else a session;
 *            bit 2: the socket takes little; bit 3: control requests keep the device busy
 *   session  steps, see act()
 */
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bridge/conn.h"
#include "bridge/importer.h"
#include "bridge/urbpool.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/fake_usbdevice.h"

#define DEVID 0x10002
#define MAX_TURNS 20000
#define MAX_SEQNUMS 4096
#define MAX_MEMORY (64u << 20)

/* Where there is a sanitizer. */
size_t __sanitizer_get_current_allocated_bytes(void) __attribute__((weak));

struct session {
	int client; /* -1: closed */
	struct importer *importer;
	struct usbdevice device;
	unsigned closed, imports, detached;
	bool ended;
	/* While it keeps to the protocol: */
	bool clean, lost;	    /* bytes of it have not all gone to the importer */
	uint32_t next;		    /* seqnum */
	uint8_t kinds[MAX_SEQNUMS]; /* of the CMD: 'i', 'o', 'u' or, once answered, 0 */
	uint16_t packets[MAX_SEQNUMS];
	uint32_t victims[MAX_SEQNUMS]; /* of 'u' */
	unsigned due;		       /* answers */
	uint8_t *in;
	size_t in_have, in_room;
};

static const struct usbip_device description = {
	.path = "/sys", .busid = "1-1", .busnum = 1, .devnum = 2};

/* ---- the exporter's part ---- */

static unsigned on_list(void *user, struct devlist_entry **entries)
{
	(void)user;
	*entries = calloc(3, sizeof(**entries));
	require(*entries);
	for (int i = 0; i < 3; i++)
		(*entries)[i].device = description;
	return 3;
}

static void on_import(void *user, const char *busid)
{
	struct session *s = user;

	require(!s->imports++ && !s->closed && *busid && strlen(busid) < USBIP_BUSID_SIZE);
	if (*busid == '1')
		importer_give(s->importer, &s->device, &description);
	else if (*busid != '2')
		importer_refuse(s->importer, USBIP_ST_NODEV);
}

/* A URB has up to twice the memory that it needs, and 512 bytes at least. */
static bool is_full(const struct session *s)
{
	size_t bytes = USBIP_MAX_TRANSFER;

	for (const struct usbdevice_urb *u = s->device.urbs; u; u = u->next)
		bytes += 2 * u->length + 1024;
	return s->device.num_urbs >= IMPORTER_MAX_URBS || bytes >= IMPORTER_MAX_BYTES;
}

static void on_closed(void *user, const char *reason)
{
	struct session *s = user;

	require(!s->closed++ && reason);
	/* Who keeps to the protocol is let go of for no other reason than this, and if it holds. */
	if (s->clean && !s->lost && !s->ended)
		require(!strncmp(reason, "it has more than ", 17) && is_full(s));
}

/* What keeps to the protocol here asks for no session. */
static void on_detached(void *user, const char *reason)
{
	struct session *s = user;

	require(!s->detached++ && !s->closed && !s->clean && reason &&
		!importer_events(s->importer));
}

static void on_resume(void *user, const struct usbip_resume *how)
{
	const struct session *s = user;

	require(!importer_has_token(s->importer, how->token));
	require(importer_resume(s->importer, s->importer, how));
	importer_refuse(s->importer, USBIP_ST_NODEV);
}

static const struct importer_callbacks callbacks = {.list = on_list,
	.import = on_import,
	.closed = on_closed,
	.detached = on_detached,
	.resume = on_resume};

static void check_memory(const struct session *s)
{
	size_t bytes = 0;

	for (const struct usbdevice_urb *u = s->device.urbs; u; u = u->next) {
		const struct urbpool_urb *of = u->user;

		bytes += u->length;
		/* Or it would carry what the buffer has had in it before. */
		require(u->endpoint || !u->length || of->in == fake_usbdevice_is_in(u));
	}
	require(s->device.num_urbs <= IMPORTER_MAX_URBS && bytes <= IMPORTER_MAX_BYTES);
	if (__sanitizer_get_current_allocated_bytes)
		require(__sanitizer_get_current_allocated_bytes() < MAX_MEMORY);
}

/* ---- what comes ---- */

static uint32_t be32(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static void answered(struct session *s, uint32_t seqnum)
{
	s->kinds[seqnum] = 0;
	require(s->due--);
}

/* Its size; 0: not all of it is there. */
static size_t take_answer(struct session *s, const uint8_t *at, size_t left)
{
	uint32_t seqnum;
	size_t size = 48;
	int32_t status;

	if (left < size)
		return 0;
	seqnum = be32(at + 4);
	status = (int32_t)be32(at + 20);
	require(seqnum && seqnum < s->next && s->kinds[seqnum]);
	require(status <= 0 && status > -4096);
	if (be32(at) == 4) {
		require(s->kinds[seqnum] == 'u' && (!status || status == -ECONNRESET));
		if (status)
			require(s->kinds[s->victims[seqnum]]);
		if (status)
			answered(s, s->victims[seqnum]);
		answered(s, seqnum);
		return size;
	}
	require(be32(at) == 3 && s->kinds[seqnum] != 'u');
	require(be32(at + 32) == s->packets[seqnum]);
	size += (s->kinds[seqnum] == 'i' ? be32(at + 24) : 0) + 16 * (size_t)s->packets[seqnum];
	if (left < size)
		return 0;
	answered(s, seqnum);
	return size;
}

static void drain(struct session *s)
{
	ssize_t n = 1;
	size_t at = 0, size;

	while (s->client >= 0 && n > 0) {
		if (s->in_room - s->in_have < 65536) {
			s->in_room = 2 * s->in_room + 65536;
			s->in = realloc(s->in, s->in_room);
			require(s->in);
		}
		n = recv(s->client, s->in + s->in_have, 65536, MSG_DONTWAIT);
		s->in_have += n > 0 ? (size_t)n : 0;
	}
	if (!s->clean) {
		s->in_have = 0;
		return;
	}
	while ((size = take_answer(s, s->in + at, s->in_have - at)) > 0)
		at += size;
	memmove(s->in, s->in + at, s->in_have - at);
	s->in_have -= at;
}

/* ---- turns ---- */

static bool turn(struct session *s)
{
	struct pollfd fd = {importer_fd(s->importer), importer_events(s->importer), 0};

	require((s->closed || s->detached) == (fd.fd < 0));
	if (!fd.events || poll(&fd, 1, 0) <= 0)
		return false;
	importer_dispatch(s->importer);
	importer_flush(s->importer);
	check_memory(s);
	return true;
}

/* Until the importer has nothing to do; what it sends is read, or not. */
static void run(struct session *s, bool deaf)
{
	unsigned turns = 0;

	do {
		require(turns++ < MAX_TURNS);
		importer_flush(s->importer);
		if (!deaf)
			drain(s);
	} while (turn(s));
}

static void send_bytes(struct session *s, const void *bytes, size_t size)
{
	const uint8_t *at = bytes;

	while (size && s->client >= 0 && !s->lost) {
		ssize_t n = send(s->client, at, size, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n > 0) {
			at += n;
			size -= (size_t)n;
		} else if (!turn(s)) {
			/* The rest is lost, and the stream with it: nothing may come behind it. */
			s->lost = true;
		}
	}
}

static void start(struct session *s, uint8_t flags)
{
	const int little = 4096;
	struct conn conn;
	int fds[2];

	memset(s, 0, sizeof(*s));
	require(!socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
	if (flags & 4)
		require(!setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &little, sizeof(little)));
	conn_adopt(&conn, fds[0]);
	s->client = fds[1];
	s->next = 1;
	s->device.busy_by_control = flags & 8;
	s->importer = importer_new(&conn, &callbacks, s);
	require(s->importer);
}

static void stop(struct session *s)
{
	unsigned closed;

	/* What is owed is paid. */
	if (s->clean && !s->lost && !s->ended && !s->closed) {
		s->device.busy = s->device.busy_by_control = false;
		run(s, false);
		while (s->device.num_urbs && !s->closed) {
			fake_usbdevice_end_all(&s->device, -EPIPE);
			run(s, false);
		}
		require(s->closed || (!s->due && !s->in_have));
	}
	s->clean = false;
	if (s->client >= 0)
		close(s->client);
	s->client = -1;
	s->device.busy = s->device.busy_by_control = false;
	run(s, true);
	importer_end(s->importer, "over");
	run(s, true);
	require(s->closed == 1 || s->device.num_urbs || importer_is_new(s->importer));
	closed = s->closed;
	fake_usbdevice_end_all(&s->device, -ECONNRESET);
	importer_dispatch(s->importer);
	importer_flush(s->importer);
	require(s->device.submitted == s->device.done && s->closed == closed);
	importer_free(s->importer);
	free(s->in);
}

/* ---- steps ---- */

static void put_be32(uint8_t *at, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		at[i] = (uint8_t)(value >> (24 - 8 * i));
}

/* The longest is rare, as it takes its time. */
static uint32_t length_of(struct input *in)
{
	static const uint32_t lengths[] = {0, 1, 8, 64, 512, 5000, 16384, 65536};
	uint8_t a = byte(in);

	if (a == 0xf7)
		return USBIP_MAX_TRANSFER;
	return a & 8 ? byte(in) : lengths[a & 7];
}

static void remember(struct session *s, uint8_t kind, uint16_t packets, uint32_t victim)
{
	s->kinds[s->next] = kind;
	s->packets[s->next] = packets;
	s->victims[s->next++] = victim;
	s->due++;
}

static void send_submit(struct session *s, struct input *in)
{
	static uint8_t data[USBIP_MAX_TRANSFER];
	uint8_t header[48] = {0}, what = byte(in);
	uint32_t length = length_of(in);
	unsigned packets = what & 0x80 ? byte(in) : 0;
	bool is_in = what & 0x10;

	put_be32(header, 1);
	put_be32(header + 4, s->next);
	put_be32(header + 8, DEVID);
	put_be32(header + 12, is_in);
	put_be32(header + 16, what & 15);
	put_be32(header + 20, what >> 5 & 1);
	put_be32(header + 24, length);
	put_be32(header + 32, packets);
	header[40] = what & 0x40 ? byte(in) : (uint8_t)(is_in ? 0x80 : 0);
	send_bytes(s, header, sizeof(header));
	if (!is_in)
		send_bytes(s, data, length);
	for (unsigned i = 0; i < packets; i++) {
		uint8_t packet[16] = {0};

		put_be32(packet, i * 64);
		put_be32(packet + 4, i & 1 ? 64 : byte(in));
		send_bytes(s, packet, sizeof(packet));
	}
	remember(s, is_in ? 'i' : 'o', (uint16_t)packets, 0);
}

/* The same ones. */
static void send_submits(struct session *s, struct input *in, unsigned n)
{
	struct input same = *in;

	for (unsigned i = 0; i < n && s->next < MAX_SEQNUMS; i++) {
		*in = same;
		send_submit(s, in);
	}
}

static void send_unlink(struct session *s, struct input *in)
{
	uint32_t back = byte(in), victim = back < s->next ? s->next - back : 0x1000000;
	uint8_t header[48] = {0};

	put_be32(header, 2);
	put_be32(header + 4, s->next);
	put_be32(header + 8, DEVID);
	put_be32(header + 20, victim);
	send_bytes(s, header, sizeof(header));
	remember(s, 'u', 0, victim < MAX_SEQNUMS ? victim : 0);
}

/* A header of which some bytes are anything at all, and bytes behind it. */
static void send_anything(struct session *s, struct input *in, size_t n)
{
	uint8_t header[48] = {0, 0, 0, 1, 0, 0, 0, 1, 0, 1, 0, 2};

	s->clean = false;
	for (int i = 0; i < 3; i++) {
		uint8_t at = byte(in);

		if (at < sizeof(header))
			header[at] = byte(in);
	}
	send_bytes(s, header, sizeof(header));
	n = n < in->left ? n : in->left;
	send_bytes(s, in->at, n);
	in->at += n;
	in->left -= n;
}

static void end_one(struct session *s, struct input *in, unsigned n)
{
	static uint8_t data[USBIP_MAX_TRANSFER];
	struct usbdevice_urb *urb;
	uint32_t actual = length_of(in), packed = 0;

	if (!s->device.num_urbs)
		return;
	urb = fake_usbdevice_urb(&s->device, n % s->device.num_urbs);
	actual = actual < urb->length ? actual : urb->length;
	for (unsigned i = 0; i < urb->num_packets; i++) {
		struct usbip_iso_packet *p = &urb->packets[i];
		uint32_t left = urb->length - packed;

		p->actual_length = p->length < left ? p->length : left;
		packed += p->actual_length;
	}
	fake_usbdevice_end(urb, -(int)(byte(in) & 127), fake_usbdevice_is_in(urb) ? data : NULL,
		urb->num_packets ? packed : actual);
}

static void act(struct session *s, struct input *in)
{
	uint8_t step = byte(in);
	unsigned n = step >> 3;

	switch (step & 7) {
	case 0:
		for (unsigned i = 0; i <= (n & 16 ? n * 4 : 0) && s->next < MAX_SEQNUMS; i++)
			send_submit(s, in);
		break;
	case 1:
		send_submits(s, in, 4 * n + 1);
		break;
	case 2:
		if (s->next < MAX_SEQNUMS)
			send_unlink(s, in);
		break;
	case 3:
		end_one(s, in, n);
		break;
	case 4:
		run(s, n & 1);
		break;
	case 5:
		if (n == 31)
			send_anything(s, in, byte(in));
		else if (n & 1)
			(void)fake_usbdevice_end_cancelled(&s->device);
		else
			s->device.refuse = n ? -(int)n : 0;
		break;
	case 6:
		if (!s->device.busy_by_control)
			s->device.busy = n & 1;
		break;
	default:
		if (n == 31) {
			importer_end(s->importer, "end");
			s->ended = true;
		} else if (n == 30) {
			importer_unplugged(s->importer, "unplugged");
			s->ended = true;
		} else {
			importer_dispatch(s->importer);
		}
	}
	check_memory(s);
}

static void fuzz_first(struct session *s, struct input in)
{
	size_t piece = (size_t)byte(&in) + 1;

	while (in.left && !s->closed) {
		size_t n = in.left < piece ? in.left : piece;

		send_bytes(s, in.at, n);
		in.at += n;
		in.left -= n;
		run(s, false);
		fake_usbdevice_end_all(&s->device, 0);
	}
}

static void fuzz_session(struct session *s, struct input in)
{
	static const uint8_t import[40] = {1, 0x11, 0x80, 3, 0, 0, 0, 0, '1', '-', '1'};

	send_bytes(s, import, sizeof(import));
	run(s, false);
	require(s->imports && !s->closed);
	s->in_have = 0;
	s->clean = true;
	while (in.left && !s->closed)
		act(s, &in);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct session s;
	struct input in = {data, size};
	uint8_t flags = byte(&in);

	start(&s, flags);
	if (flags & 3)
		fuzz_session(&s, in);
	else
		fuzz_first(&s, in);
	stop(&s);
	return 0;
}
