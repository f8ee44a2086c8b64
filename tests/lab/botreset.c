/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * botreset DEVICE ROUNDS: gives commands of a disk up half-way, and does what bulk-only transport
 * 1.0 has for that: 5.3.4, "Reset Recovery". Linux' own driver resets the port instead; Windows and
 * macOS do this.
 *
 * DEVICE is a usbfs node whose disk is at interface 0, with no driver bound to it. After each reset
 * the next command must bring what the disk holds, which was written before, and its own status.
 * The first 2 MiB of the disk are overwritten. Exit: 0, or 1 with a message.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/usb/ch9.h>
#include <linux/usbdevice_fs.h>

#define BLOCK 512u
#define PACKET 512u
#define KEPT 64u      /* blocks from 0 that are only read once they have been written */
#define SCRATCH 2048u /* first block of what is written half */
#define LARGE 256u    /* blocks of a write that is given up: 128 KiB */
/* Blocks of a read that is: more than a bridge reads ahead. Once all of the data has gone,
 * dummy_hcd holds the status as sent, which nobody can take back (dummy_queue: FIFO_SIZE). */
#define ENDLESS 4096u
#define TIMEOUT_MS 10000u

static int fd;
static unsigned in, out; /* endpoint addresses */
static uint32_t tag;
static const char *what;
static unsigned long at;

static void die(const char *why)
{
	fprintf(stderr, "botreset: round %lu, %s: %s (%s)\n", at, what, why, strerror(errno));
	exit(1);
}

static unsigned bulk(unsigned endpoint, void *data, unsigned size)
{
	struct usbdevfs_bulktransfer transfer = {endpoint, size, TIMEOUT_MS, data};
	int n = ioctl(fd, USBDEVFS_BULK, &transfer);

	if (n < 0)
		die(endpoint == in ? "bulk IN" : "bulk OUT");
	return (unsigned)n;
}

/* READ(10) or WRITE(10) */
static void command(bool is_write, uint32_t block, uint32_t count)
{
	uint32_t length = count * BLOCK;
	uint8_t cbw[31] = {'U', 'S', 'B', 'C'};

	tag++;
	memcpy(cbw + 4, &tag, 4); /* little endian, as this machine */
	memcpy(cbw + 8, &length, 4);
	cbw[12] = is_write ? 0 : 0x80;
	cbw[14] = 10;
	cbw[15] = is_write ? 0x2a : 0x28;
	cbw[19] = (uint8_t)(block >> 8);
	cbw[20] = (uint8_t)block;
	cbw[22] = (uint8_t)(count >> 8);
	cbw[23] = (uint8_t)count;
	if (bulk(out, cbw, sizeof(cbw)) != sizeof(cbw))
		die("command");
}

static void status(void)
{
	uint8_t csw[PACKET];

	if (bulk(in, csw, sizeof(csw)) != 13 || memcmp(csw, "USBS", 4))
		die("what comes is no status");
	if (memcmp(csw + 4, &tag, 4))
		die("the status is of another command");
	if (csw[12])
		die("the status is not good");
}

static void fill(uint8_t *data, uint32_t block, uint32_t count)
{
	for (uint32_t i = 0; i < count * BLOCK; i++)
		data[i] = (uint8_t)((block + i / BLOCK) * 37 + i % BLOCK / 3 + i);
}

static void reset(void)
{
	struct usbdevfs_ctrltransfer request = {
		USB_TYPE_CLASS | USB_RECIP_INTERFACE, 0xff, 0, 0, 0, TIMEOUT_MS, NULL};

	if (ioctl(fd, USBDEVFS_CONTROL, &request) < 0)
		die("bulk-only mass storage reset");
	if (ioctl(fd, USBDEVFS_CLEAR_HALT, &in) < 0 || ioctl(fd, USBDEVFS_CLEAR_HALT, &out) < 0)
		die("clearing a halt");
}

static void works(uint32_t block, uint32_t count)
{
	static uint8_t got[KEPT * BLOCK], wanted[KEPT * BLOCK];

	command(false, block, count);
	if (bulk(in, got, count * BLOCK) != count * BLOCK)
		die("short data after a reset");
	fill(wanted, block, count);
	if (memcmp(got, wanted, count * BLOCK))
		die("other data after a reset");
	status();
}

static void writes(uint32_t block, uint32_t count)
{
	static uint8_t data[KEPT * BLOCK];

	fill(data, block, count);
	command(true, block, count);
	bulk(out, data, count * BLOCK);
	status();
}

/* A command of which only so many packets, fewer than LARGE, have moved. */
static void give_up(bool is_write, unsigned packets)
{
	static uint8_t data[LARGE * BLOCK];

	memset(data, 0x55, sizeof(data));
	command(is_write, is_write ? SCRATCH : 0, is_write ? LARGE : ENDLESS);
	if (packets && bulk(is_write ? out : in, data, packets * PACKET) != packets * PACKET)
		die("data");
	/* What is on its way arrives. */
	usleep(at % 4 * 20000);
	reset();
}

static void find_endpoints(void)
{
	uint8_t descriptors[256];
	ssize_t size = pread(fd, descriptors, sizeof(descriptors), 0);

	for (ssize_t i = 0; i + 7 <= size && descriptors[i]; i += descriptors[i]) {
		if (descriptors[i + 1] != USB_DT_ENDPOINT || descriptors[i + 3] != 2)
			continue;
		if (descriptors[i + 2] & USB_DIR_IN)
			in = descriptors[i + 2];
		else
			out = descriptors[i + 2];
	}
	if (!in || !out)
		die("no bulk endpoints");
}

int main(int argc, char **argv)
{
	unsigned long rounds = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;
	unsigned interface = 0;

	what = "start";
	if (!rounds || (fd = open(argv[1], O_RDWR)) < 0)
		die("botreset DEVICE ROUNDS");
	find_endpoints();
	if (ioctl(fd, USBDEVFS_CLAIMINTERFACE, &interface) < 0)
		die("interface 0 cannot be had");
	tag = (uint32_t)getpid() << 8;
	reset();
	writes(0, KEPT);
	for (at = 0; at < rounds; at++) {
		what = "nothing under way";
		reset();
		works(at % KEPT, 1);
		what = "read, no data taken";
		give_up(false, 0);
		works(at % 8, 40);
		what = "read";
		give_up(false, 1 + (unsigned)at * 37 % (LARGE - 1));
		works(at % 8, 3);
		what = "write, no data sent";
		give_up(true, 0);
		works(at % 8, 3);
		what = "write";
		give_up(true, 1 + (unsigned)at * 37 % (LARGE - 1));
		works(at % 8, 40);
		what = "write, then a write";
		give_up(true, 33 + (unsigned)at * 3 % 32);
		writes(at % 8, 1 + (unsigned)at % 40);
		works(at % 8, 40);
	}
	return 0;
}
