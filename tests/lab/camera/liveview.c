/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "liveview.h"

#include <dirent.h>
#include <err.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "dataset.h"
#include "properties.h"

#define INTERVAL_NS 100000000
#define FRAME_SIZE 61440
#define HEADER_SIZE 384 /* Nikon's, with the focus and so on; empty here */
#define MAX_SCENES 16
#define MAX_PACKET 512
#define CONTAINER_HEADER 12
#define FULL_EVERY 8

static struct {
	unsigned num_scenes;
	struct scene {
		size_t size;
		uint8_t bytes[FRAME_SIZE];
	} scenes[MAX_SCENES];
	bool on;
	int64_t began;	    /* ns, CLOCK_MONOTONIC */
	int64_t handed_out; /* number of the last frame */
} liveview;

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void load(const char *path)
{
	struct scene *scene = &liveview.scenes[liveview.num_scenes];
	FILE *file = fopen(path, "re");

	if (!file)
		err(1, "%s", path);
	scene->size = fread(scene->bytes, 1, sizeof(scene->bytes), file);
	/* Room for the comments, and a JPEG at all. */
	if (scene->size > FRAME_SIZE - 2048 || scene->size < 2 ||
		memcmp(scene->bytes, "\xff\xd8", 2))
		errx(1, "%s: no JPEG of less than %d bytes", path, FRAME_SIZE);
	(void)fclose(file);
	liveview.num_scenes++;
}

void liveview_init(const char *folder)
{
	char path[PATH_MAX];
	struct dirent *entry;
	DIR *dir;

	(void)snprintf(path, sizeof(path), "%s/liveview", folder);
	dir = opendir(path);
	while (dir && liveview.num_scenes < MAX_SCENES && (entry = readdir(dir))) {
		if (!strstr(entry->d_name, ".JPG"))
			continue;
		(void)snprintf(path, sizeof(path), "%s/liveview/%s", folder, entry->d_name);
		load(path);
	}
	if (dir)
		closedir(dir);
}

bool liveview_start(void)
{
	if (!liveview.num_scenes)
		return false;
	if (liveview.on)
		return true;
	liveview.on = true;
	liveview.began = now();
	liveview.handed_out = 0;
	return properties_set(PROPERTY_LIVE_VIEW_STATUS, 1);
}

void liveview_end(void)
{
	liveview.on = false;
	(void)properties_set(PROPERTY_LIVE_VIEW_STATUS, 0);
}

bool liveview_is_on(void)
{
	return liveview.on;
}

/* A JPEG comment (ITU-T T.81, B.2.4.5) of this size in all, beginning with the text. */
static void put_comment(struct dataset *d, const char *text, size_t size)
{
	static const uint8_t blanks[FRAME_SIZE];
	size_t length = strlen(text);

	dataset_put(d, "\xff\xfe", 2);
	dataset_put_u8(d, (uint8_t)((size - 2) >> 8));
	dataset_put_u8(d, (uint8_t)(size - 2));
	dataset_put(d, text, length);
	dataset_put(d, blanks, size - 4 - length);
}

bool liveview_put_frame(struct dataset *d)
{
	static const uint8_t header[HEADER_SIZE];
	/* The first at once: libgphoto2 asks 20 times in 200 ms, and throws it away. */
	int64_t number = (now() - liveview.began) / INTERVAL_NS + 1;
	int64_t exposed = liveview.began + (number - 1) * INTERVAL_NS;
	const struct scene *scene = &liveview.scenes[number % liveview.num_scenes];
	size_t size = FRAME_SIZE - HEADER_SIZE;
	char text[64];

	if (number == liveview.handed_out)
		return false;
	liveview.handed_out = number;
	(void)snprintf(text, sizeof(text), "frame %lld %lld.%09lld\n", (long long)number,
		(long long)(exposed / 1000000000), (long long)(exposed % 1000000000));
	/* Now and then the container fills its last packet exactly. */
	if (number % FULL_EVERY == 0)
		size -= (CONTAINER_HEADER + HEADER_SIZE + size) % MAX_PACKET;
	(void)printf("frame %lld\n", (long long)number);
	(void)fflush(stdout);
	dataset_put(d, header, sizeof(header));
	dataset_put(d, scene->bytes, 2);
	put_comment(d, text, size - scene->size);
	dataset_put(d, scene->bytes + 2, scene->size - 2);
	return true;
}
