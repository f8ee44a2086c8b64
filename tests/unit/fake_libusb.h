/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fake_libusb: the functions of libusb that bridge/ uses, over devices that a test plugs in. A test
 * that refers to anything here has it in libusb's place.
 *
 * It aborts on what libusb or the kernel would not survive, or hide: a transfer that is submitted
 * twice, freed or moved while it is under way, one of an interface that is not claimed, a device
 * that is closed, reset or configured with transfers under way. OUT data has to be the same when it
 * is done; IN buffers are spoilt at first. Transfers end when the test says so.
 *
 * Functions that block may be called by other threads, as in bridge/usbdevice; the test's own are
 * for the loop's.
 */
#ifndef TESTS_UNIT_FAKE_LIBUSB_H
#define TESTS_UNIT_FAKE_LIBUSB_H

#include <stdbool.h>
#include <stdint.h>

#include <libusb.h>

#define FAKE_LIBUSB_BUS 99 /* none of this machine's */

enum fake_libusb_call {
	FAKE_LIBUSB_INIT,
	FAKE_LIBUSB_POLLFDS,
	FAKE_LIBUSB_HOTPLUG,
	FAKE_LIBUSB_DESCRIPTOR,
	FAKE_LIBUSB_ACTIVE_CONFIG,
	FAKE_LIBUSB_CONFIG,
	FAKE_LIBUSB_OPEN,
	FAKE_LIBUSB_SET_CONFIGURATION,
	FAKE_LIBUSB_SET_INTERFACE,
	FAKE_LIBUSB_CLEAR_HALT,
	FAKE_LIBUSB_RESET,
	FAKE_LIBUSB_ALLOC,
	FAKE_LIBUSB_SUBMIT,
	FAKE_LIBUSB_NUM_CALLS
};

/* A camera that is also a microphone and loudspeakers:
 *   configuration 1   interface 0: bulk IN 0x81, bulk OUT 0x02, interrupt IN 0x83
 *                     interface 1, setting 0: nothing; 1: isochronous IN 0x84 and OUT 0x05
 *   configuration 2   interface 0: bulk IN 0x81 */
struct libusb_device {
	struct libusb_device *next;
	struct libusb_device_descriptor descriptor;
	uint8_t ports[7];
	int num_ports;
	int address, speed;
	int configuration; /* its value; 0: not configured */
	uint32_t drivers;  /* bits: interfaces that have one of the kernel's */
	uint32_t claimed;  /* likewise, by us */
	uint8_t settings[2];
	bool plugged;
	unsigned refs, opened;
};

struct fake_libusb {
	int errors[FAKE_LIBUSB_NUM_CALLS]; /* enum libusb_error, as long as it stands here */
	int claim_errors[2];		   /* by interface */
	bool cancels_late;		   /* what is cancelled ends when the test says so */
	unsigned num_transfers;		   /* under way */
	unsigned allocated;		   /* transfers */
	unsigned submitted, done;
	unsigned contexts, configs; /* that have not been given back */
};

extern struct fake_libusb fake_libusb;

/* As if the program began. Fails where the one before has left anything. */
void fake_libusb_init(void);

/* At port `port` of bus FAKE_LIBUSB_BUS. */
struct libusb_device *fake_libusb_plug(int port);
/* What is plugged in there; NULL: nothing. */
struct libusb_device *fake_libusb_at(int port);
/* There is a device to which there are more references than so many, and than it is open. */
bool fake_libusb_is_referred_to(unsigned references);
/* Its transfers end; the device is freed with its last reference. */
void fake_libusb_unplug(struct libusb_device *device);

/* The n-th oldest that is under way; NULL: there are not so many. */
struct libusb_transfer *fake_libusb_transfer(unsigned n);

/* It ends so: `actual` bytes, in IN of `data`; those of packets have been set. Told by
 * fake_libusb_deliver, or by libusb_handle_events... */
void fake_libusb_end(struct libusb_transfer *t, enum libusb_transfer_status status,
	const void *data, int actual);
void fake_libusb_deliver(void);

/* What has been called since the last time, such as "claim 0, reset, ". */
const char *fake_libusb_calls(void);

/* Calls that block do so until they may. */
void fake_libusb_block(bool block);

#endif
