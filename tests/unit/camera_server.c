/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The server's side of camera.h. */
#include "tests/unit/camera.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include <linux/usb/ch9.h>

#define RX_SIZE (1u << 20)
#define OUT_SIZE (4u << 20)

/* ---- the server runs ---- */

static void complete(struct camera *c, struct camera_urb *urb, int status)
{
	urb->status = status;
	urb->next = NULL;
	*c->tx_last = urb;
	c->tx_last = &urb->next;
}

static struct camera_urb *detach(struct camera_endpoint *e, struct camera_urb **at)
{
	struct camera_urb *urb = *at;

	*at = urb->next;
	if (e->last == &urb->next)
		e->last = at;
	e->pending--;
	return urb;
}

void camera_run(struct camera *c)
{
	for (unsigned i = 0; i <= c->num_endpoints; i++) {
		struct camera_endpoint *e = &c->endpoints[i];
		int status = 0;

		while (e->first && !e->blocked) {
			if (!i)
				status = camera_control(c, e->first);
			else if (!camera_move(e, &status))
				break;
			complete(c, detach(e, &e->first), status);
		}
	}
}

/* ---- the server receives ---- */

static struct camera_endpoint *find(struct camera *c, const struct usbip_header *h)
{
	uint8_t address = (uint8_t)(h->ep | (h->direction == USBIP_DIR_IN ? USB_DIR_IN : 0));

	if (!h->ep)
		return &c->endpoints[0];
	for (unsigned i = 1; i <= c->num_endpoints; i++) {
		if (c->endpoints[i].address == address)
			return &c->endpoints[i];
	}
	/* stub_rx is silent about those, and its stream is out of step from then on. */
	fail_msg("a URB for endpoint 0x%02x, which there is not", address);
	return NULL;
}

static void on_submit(struct camera *c, const struct usbip_header *h, const uint8_t *data)
{
	struct camera_endpoint *e = find(c, h);
	uint32_t size = h->u.cmd_submit.transfer_buffer_length;
	struct camera_urb *urb = calloc(1, sizeof(*urb));

	assert_int_equal(h->devid, CAMERA_DEVID);
	urb->submit = *h;
	urb->data = malloc(size);
	if (data && size)
		memcpy(urb->data, data, size);
	c->urbs_out++;
	urb->number = e->urbs++;
	e->interval = h->u.cmd_submit.interval;
	/* tweak_clear_halt_cmd: done on the spot. */
	if (camera_is_clear_halt(urb)) {
		complete(c, urb, camera_control(c, urb));
		return;
	}
	assert_true(!h->ep || !camera_urb_is_in(urb) ||
		(size && (e->exact || size % e->max_packet == 0)));
	*e->last = urb;
	e->last = &urb->next;
	e->pending++;
}

static void free_urb(struct camera_urb *urb)
{
	free(urb->data);
	free(urb);
}

static struct camera_urb **find_urb(struct camera_endpoint *e, uint32_t seqnum)
{
	struct camera_urb **at = &e->first;

	while (*at && (*at)->submit.seqnum != seqnum)
		at = &(*at)->next;
	return at;
}

static bool is_on_its_way(const struct camera *c, uint32_t seqnum)
{
	for (const struct camera_urb *urb = c->tx; urb; urb = urb->next) {
		if (urb->submit.seqnum == seqnum)
			return true;
	}
	return false;
}

/* stub_recv_cmd_unlink: only a URB that waits can be unlinked; then RET_UNLINK is its only answer.
 */
static int unlink_urb(struct camera *c, unsigned endpoint, uint32_t seqnum)
{
	struct camera_endpoint *e = &c->endpoints[endpoint];
	struct camera_urb **at = find_urb(e, seqnum);
	int status = -ECONNRESET, moved;

	if (*at) {
		c->advances += (*at)->next != NULL;
		if (c->too_late && endpoint && *at == e->first && !e->blocked &&
			camera_move(e, &moved))
			status = moved;
		free_urb(detach(e, at));
		c->urbs_out--;
		c->awake = true;
		camera_lose(e, seqnum);
	} else {
		status = 0;
		/* A client that hears first of the unlink has no use for the data any more. */
		if (c->overtakes && is_on_its_way(c, seqnum))
			camera_lose(e, seqnum);
	}
	return status;
}

static void on_unlink(struct camera *c, const struct usbip_header *h)
{
	struct usbip_header reply = {.command = USBIP_RET_UNLINK, .seqnum = h->seqnum};

	c->unlinks++;
	for (unsigned i = 0; i <= c->num_endpoints && !reply.u.ret_unlink.status; i++)
		reply.u.ret_unlink.status = unlink_urb(c, i, h->u.cmd_unlink.seqnum);
	assert_true(c->num_unlinked < 1024);
	c->unlinked[c->num_unlinked++] = reply;
}

/* One message off the front of the buffer; false when it is not there in whole. */
static bool take_message(struct camera *c, size_t *at)
{
	const uint8_t *message = c->rx + *at;
	size_t have = c->rx_size - *at, need = USBIP_HEADER_SIZE;
	struct usbip_header h;
	const char *field;

	if (have < need)
		return false;
	assert_int_equal(usbip_get_header(message, &h, &field), 0);
	if (h.command == USBIP_CMD_SUBMIT && h.direction == USBIP_DIR_OUT)
		need += h.u.cmd_submit.transfer_buffer_length;
	if (have < need)
		return false;
	*at += need;
	if (h.command == USBIP_CMD_SUBMIT)
		on_submit(c, &h, need > USBIP_HEADER_SIZE ? message + USBIP_HEADER_SIZE : NULL);
	else
		on_unlink(c, &h);
	return true;
}

static void fill(struct camera *c)
{
	ssize_t n;

	do {
		n = recv(c->fd, c->rx + c->rx_size, RX_SIZE - c->rx_size, MSG_DONTWAIT);
		if (n > 0) {
			c->rx_size += (size_t)n;
			c->moved += (size_t)n;
		}
	} while (n > 0);
}

void camera_receive(struct camera *c)
{
	size_t at = 0;

	if (c->deaf)
		return;
	do {
		fill(c);
		at = 0;
		while (take_message(c, &at))
			;
		memmove(c->rx, c->rx + at, c->rx_size - at);
		c->rx_size -= at;
	} while (at);
}

/* ---- the server sends ---- */

static uint8_t *reserve(struct camera *c, size_t size)
{
	assert_true(c->out_size + size <= OUT_SIZE);
	c->out_size += size;
	return c->out + c->out_size - size;
}

static void put_header(struct camera *c, const struct usbip_header *h)
{
	const char *field;

	assert_int_equal(usbip_put_header(reserve(c, USBIP_HEADER_SIZE), h, &field), 0);
}

static void put_submit(struct camera *c, struct camera_urb *urb)
{
	struct usbip_header h = {.command = USBIP_RET_SUBMIT, .seqnum = urb->submit.seqnum};

	h.u.ret_submit.status = urb->status;
	h.u.ret_submit.actual_length = urb->done;
	put_header(c, &h);
	if (camera_urb_is_in(urb) && urb->done)
		memcpy(reserve(c, urb->done), urb->data, urb->done);
	c->urbs_out--;
}

static uint32_t random_below(struct camera *c, uint32_t below)
{
	c->shuffle = c->shuffle * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(c->shuffle >> 33) % below;
}

static uint32_t order_group(const struct camera *c, const struct camera_urb *urb)
{
	if (c->together >> urb->submit.ep & 1)
		return UINT32_MAX;
	return urb->submit.ep << 1 | urb->submit.direction;
}

/* The next RET_SUBMIT: the oldest, or the oldest of a random endpoint. */
static struct camera_urb **pick(struct camera *c)
{
	struct camera_urb **at = &c->tx;
	uint32_t group;

	if (!c->shuffle)
		return at;
	for (uint32_t skip = random_below(c, 8); skip && (*at)->next; skip--)
		at = &(*at)->next;
	group = order_group(c, *at);
	for (at = &c->tx; order_group(c, *at) != group;)
		at = &(*at)->next;
	return at;
}

static void put_submits(struct camera *c)
{
	while (c->tx) {
		struct camera_urb **at = pick(c), *urb = *at;

		*at = urb->next;
		put_submit(c, urb);
		free_urb(urb);
	}
	c->tx_last = &c->tx;
}

static void put_unlinks(struct camera *c)
{
	for (unsigned i = 0; i < c->num_unlinked; i++)
		put_header(c, &c->unlinked[i]);
	c->num_unlinked = 0;
}

void camera_send(struct camera *c)
{
	size_t size;
	ssize_t n;

	if (c->overtakes)
		put_unlinks(c);
	/* stub_tx_loop is woken by what completes, but not by the unlink of what has completed. */
	if (c->tx || c->awake) {
		put_submits(c);
		put_unlinks(c);
	}
	c->awake = false;
	size = c->piece && c->out_size > c->piece ? c->piece : c->out_size;
	n = send(c->fd, c->out, size, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n > 0) {
		c->moved += (size_t)n;
		c->out_size -= (size_t)n;
		memmove(c->out, c->out + n, c->out_size);
	}
}

/* ---- life ---- */

void camera_hand_over(struct camera *c)
{
	struct usbip_op_common op = {.version = USBIP_VERSION, .code = USBIP_OP_REP_IMPORT};
	struct usbip_device device = {.path = "/sys/devices/3-1.4", .busid = CAMERA_BUSID};
	const char *field;

	device.busnum = CAMERA_DEVID >> 16;
	device.devnum = CAMERA_DEVID & 0xffff;
	device.speed = USB_SPEED_HIGH;
	fill(c);
	assert_int_equal(c->rx_size, USBIP_OP_COMMON_SIZE + USBIP_BUSID_SIZE);
	c->rx_size = 0;
	assert_int_equal(usbip_put_op_common(reserve(c, USBIP_OP_COMMON_SIZE), &op, &field), 0);
	assert_int_equal(usbip_put_device(reserve(c, USBIP_DEVICE_SIZE), &device, &field), 0);
	camera_send(c);
}

struct camera *camera_new(int fd)
{
	struct camera *c = calloc(1, sizeof(*c));

	assert_non_null(c);
	c->fd = fd;
	c->tx_last = &c->tx;
	c->rx = malloc(RX_SIZE);
	c->out = malloc(OUT_SIZE);
	c->endpoints[0].last = &c->endpoints[0].first;
	return c;
}

struct camera_endpoint *camera_add(struct camera *c, uint8_t address, uint32_t max_packet)
{
	struct camera_endpoint *e = &c->endpoints[++c->num_endpoints];

	assert_true(c->num_endpoints < 9);
	e->address = address;
	e->max_packet = max_packet;
	e->last = &e->first;
	return e;
}

static void free_urbs(struct camera_urb *urb)
{
	while (urb) {
		struct camera_urb *next = urb->next;

		free_urb(urb);
		urb = next;
	}
}

static void free_endpoint_urbs(struct camera_endpoint *e)
{
	free_urbs(e->first);
	e->first = NULL;
	e->last = &e->first;
	e->pending = 0;
}

void camera_hang_up(struct camera *c)
{
	for (unsigned i = 0; i <= c->num_endpoints; i++) {
		free_endpoint_urbs(&c->endpoints[i]);
		if (c->endpoints[i].address & USB_DIR_IN)
			camera_forget(&c->endpoints[i]);
		/* The next session begins with the same. */
		for (unsigned n = 0; n < c->endpoints[i].num; n++)
			c->endpoints[i].packets[n].seqnum = 0;
		c->endpoints[i].halted = false;
	}
	free_urbs(c->tx);
	c->tx = NULL;
	c->tx_last = &c->tx;
	c->num_unlinked = c->urbs_out = 0;
	c->rx_size = c->out_size = 0;
	close(c->fd);
	c->fd = -1;
}

void camera_free(struct camera *c)
{
	for (unsigned i = 0; i <= c->num_endpoints; i++) {
		c->endpoints[i].given = 0;
		camera_forget(&c->endpoints[i]);
		free(c->endpoints[i].packets);
		free_endpoint_urbs(&c->endpoints[i]);
	}
	free_urbs(c->tx);
	close(c->fd);
	free(c->rx);
	free(c->out);
	free(c);
}
