/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The camera's side of USB: FunctionFS, mounted and not yet set up. One thread, the caller of
 * port_receive, moves the bulk endpoints' data; port_serve_control is another. A transaction lasts
 * from port_receive to the next port_receive, and until it ends, it can be cancelled: then what
 * moves its data fails with ECANCELED.
 */
#ifndef CAMERA_PORT_H
#define CAMERA_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PORT_PACKET 512

/* Ends the program where it fails. The calling thread will move the bulk endpoints' data. */
void port_open(const char *mountpoint);
/* The interrupt endpoint's file. */
int *port_event_file(void);

/* One transfer of the phone's: its length, or -1 and errno. ECONNRESET: the phone has reset the
 * camera or unplugged it, so its session is over. ENODEV: it is over for good. */
ssize_t port_receive(void *bytes, size_t size);
/* The phone's data within a transaction. */
ssize_t port_receive_data(void *bytes, size_t size);
/* Part of a transfer; all but the last part are multiples of PORT_PACKET. 0 or -1 and errno. */
int port_send(const void *bytes, size_t size);

/* Two threads: the first serves the control endpoint, the second is to cancel whatever goes on, as
 * a camera does whose card is pulled out: the bulk endpoints are halted. */
void *port_serve_control(void *unused);
void port_cancel(void);

#endif
