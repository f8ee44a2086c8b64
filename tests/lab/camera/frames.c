/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * frames < MOVIE
 *
 * Reads what `gphoto2 --capture-movie` writes, the frames of liveview.h one after the other, as it
 * comes. A line a frame: its number, its age in ms when its last byte was here. Ends with 1 at
 * anything else.
 */
#include <err.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MAX_FRAME 65536

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Up to the end of the JPEG; 0 at the end of the stream. */
static size_t read_frame(uint8_t bytes[static MAX_FRAME])
{
	size_t size = 0;
	int c;

	while ((c = getchar_unlocked()) != EOF) {
		if (size == MAX_FRAME)
			errx(1, "a frame of more than %d bytes", MAX_FRAME);
		bytes[size++] = (uint8_t)c;
		if (size >= 2 && c == 0xd9 && bytes[size - 2] == 0xff)
			return size;
	}
	if (size)
		errx(1, "the last frame is cut off");
	return 0;
}

int main(void)
{
	static uint8_t frame[MAX_FRAME];
	size_t size;
	long number;
	double exposed;

	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	while ((size = read_frame(frame))) {
		if (size < 64 || memcmp(frame, "\xff\xd8\xff\xfe", 4) ||
			sscanf((const char *)frame + 6, "frame %ld %lf", &number, &exposed) != 2)
			errx(1, "a JPEG that is no frame of the camera");
		(void)printf("%ld %.0f\n", number, (now() - exposed) * 1000);
	}
	return 0;
}
