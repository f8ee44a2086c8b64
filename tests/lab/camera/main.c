/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * camera FUNCTIONFS PICTURES CONTROL
 *
 * A still camera: a PTP responder that takes itself for a Nikon, on a FunctionFS that is mounted
 * and part of a gadget not yet bound. It takes the pictures of a folder and has those below it that
 * it took earlier (card.h), its live view shows others (liveview.h). What is done to it by hand
 * comes by lines into a FIFO that it makes:
 *
 *     shutter             the button is pressed
 *     PROPERTY VALUE      a setting is changed (properties.h), the property in hexadecimal
 *     cancel              it gives up what it is just doing for the phone, and halts
 *
 * "ready" on standard output says that the gadget may be bound. Each frame of live view that is
 * given out is named there, too.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "card.h"
#include "events.h"
#include "liveview.h"
#include "port.h"
#include "properties.h"
#include "ptp.h"

/* Of the exposure, and of writing each file to the card. */
#define EXPOSURE_MS 100
#define WRITING_MS 50

static FILE *control;

/* PTP's side presses the button by the same way as everybody else. */
static void release(uint32_t transaction)
{
	(void)fprintf(control, "shutter %x\n", transaction);
	(void)fflush(control);
}

static void take_picture(uint32_t transaction)
{
	uint32_t handles[2];
	unsigned n;

	ptp_set_busy(true);
	usleep(EXPOSURE_MS * 1000);
	n = card_take(handles);
	for (unsigned i = 0; i < n; i++) {
		usleep(WRITING_MS * 1000);
		events_send(EVENT_OBJECT_ADDED, transaction, handles[i]);
	}
	ptp_set_busy(false);
	events_send(EVENT_CAPTURE_COMPLETE, transaction, 0);
}

static void *serve_hands(void *file)
{
	char line[64];
	uint32_t code, value;

	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "shutter %x", &value) == 1)
			take_picture(value);
		else if (!strcmp(line, "shutter\n"))
			take_picture(EVENT_NO_TRANSACTION);
		else if (!strcmp(line, "cancel\n"))
			port_cancel();
		else if (sscanf(line, "%x %u", &code, &value) != 2 ||
			!properties_change((uint16_t)code, value))
			warnx("cannot do this to a camera: %s", line);
	}
	err(1, "control");
}

static FILE *open_control(const char *path)
{
	FILE *reader;

	if (mkfifo(path, 0600) < 0)
		err(1, "%s", path);
	/* For both, so that neither end is ever the last. */
	reader = fopen(path, "r+e");
	control = fopen(path, "r+e");
	if (!reader || !control)
		err(1, "%s", path);
	return reader;
}

static void start(void *(*serve)(void *), void *argument)
{
	pthread_t thread;

	errno = pthread_create(&thread, NULL, serve, argument);
	if (errno)
		err(1, "pthread_create");
}

int main(int argc, char *argv[])
{
	if (argc != 4)
		errx(2, "usage: camera FUNCTIONFS PICTURES CONTROL");
	card_init(argv[2]);
	liveview_init(argv[2]);
	port_open(argv[1]);
	start(port_serve_control, NULL);
	start(events_serve, port_event_file());
	start(serve_hands, open_control(argv[3]));
	(void)puts("ready");
	(void)fflush(stdout);
	ptp_serve(release);
	return 0;
}
