/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/fake_usbdevice.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What a URB has of this module, in the place of libusb's transfer. */
struct fake_transfer {
	bool under_way, cancelled;
	uint32_t out_sum;
};

static void require(bool holds)
{
	if (!holds)
		abort();
}

static struct fake_transfer *transfer_of(const struct usbdevice_urb *urb)
{
	return (struct fake_transfer *)(void *)urb->transfer;
}

uint8_t *fake_usbdevice_data(const struct usbdevice_urb *urb)
{
	return urb->buffer + (urb->endpoint ? 0 : USBDEVICE_SETUP_SIZE);
}

bool fake_usbdevice_is_in(const struct usbdevice_urb *urb)
{
	return (urb->endpoint ? urb->endpoint : urb->buffer[0]) & 0x80;
}

bool fake_usbdevice_is_cancelled(const struct usbdevice_urb *urb)
{
	return transfer_of(urb)->cancelled;
}

/* All that the device would be sent. */
static uint32_t sum(const struct usbdevice_urb *urb)
{
	const uint8_t *at = fake_usbdevice_data(urb);
	uint32_t s = 0;

	for (unsigned i = 0; !urb->endpoint && i < USBDEVICE_SETUP_SIZE; i++)
		s = s * 31 + urb->buffer[i];
	for (uint32_t i = 0; i < urb->length && !fake_usbdevice_is_in(urb); i++)
		s = s * 31 + at[i];
	for (unsigned i = 0; i < urb->num_packets; i++)
		s = s * 31 + urb->packets[i].offset + urb->packets[i].length;
	return s;
}

bool usbdevice_is_busy(const struct usbdevice *d)
{
	return d->busy;
}

int usbdevice_submit(struct usbdevice *d, struct usbdevice_urb *urb)
{
	require(!d->busy);
	require(urb->length <= USBIP_MAX_TRANSFER && urb->num_packets <= USBIP_MAX_ISO_PACKETS);
	require(urb->done && urb->buffer && (!urb->num_packets || urb->packets));
	if (d->refuse) {
		d->refused++;
		return d->refuse;
	}
	if (!urb->transfer)
		urb->transfer = calloc(1, sizeof(struct fake_transfer));
	require(urb->transfer);
	require(!transfer_of(urb)->under_way);
	if (fake_usbdevice_is_in(urb))
		memset(fake_usbdevice_data(urb), FAKE_USBDEVICE_SPOILT, urb->length);
	*transfer_of(urb) = (struct fake_transfer){.under_way = true, .out_sum = sum(urb)};
	urb->device = d;
	urb->next = d->urbs;
	urb->link = &d->urbs;
	if (d->urbs)
		d->urbs->link = &urb->next;
	d->urbs = urb;
	d->num_urbs++;
	d->submitted++;
	d->busy = d->busy_by_control && !urb->endpoint;
	return 0;
}

void usbdevice_cancel(struct usbdevice_urb *urb)
{
	require(transfer_of(urb)->under_way);
	urb->device->cancelled += !transfer_of(urb)->cancelled;
	transfer_of(urb)->cancelled = true;
}

void usbdevice_urb_fini(struct usbdevice_urb *urb)
{
	require(!urb->transfer || !transfer_of(urb)->under_way);
	free(urb->transfer);
	urb->transfer = NULL;
}

struct usbdevice_urb *fake_usbdevice_urb(const struct usbdevice *d, unsigned n)
{
	struct usbdevice_urb *urb = d->urbs;

	if (n >= d->num_urbs)
		return NULL;
	for (unsigned i = d->num_urbs - 1; i > n; i--)
		urb = urb->next;
	return urb;
}

void fake_usbdevice_end(struct usbdevice_urb *urb, int status, const void *data, uint32_t actual)
{
	struct usbdevice *d = urb->device;

	require(transfer_of(urb)->under_way && actual <= urb->length);
	require(transfer_of(urb)->out_sum == sum(urb));
	transfer_of(urb)->under_way = false;
	if (data)
		memcpy(fake_usbdevice_data(urb), data, actual);
	*urb->link = urb->next;
	if (urb->next)
		urb->next->link = urb->link;
	urb->status = status;
	urb->actual = actual;
	d->num_urbs--;
	d->done++;
	if (d->busy_by_control && !urb->endpoint)
		d->busy = false;
	urb->done(urb);
}

unsigned fake_usbdevice_end_cancelled(struct usbdevice *d)
{
	unsigned n = 0, i = 0;

	while (i < d->num_urbs) {
		struct usbdevice_urb *urb = fake_usbdevice_urb(d, i);

		if (!fake_usbdevice_is_cancelled(urb)) {
			i++;
			continue;
		}
		fake_usbdevice_end(urb, -ECONNRESET, NULL, 0);
		n++;
	}
	return n;
}

void fake_usbdevice_end_all(struct usbdevice *d, int status)
{
	while (d->num_urbs)
		fake_usbdevice_end(fake_usbdevice_urb(d, 0), status, NULL, 0);
}
