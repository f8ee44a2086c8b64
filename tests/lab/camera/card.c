/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "card.h"

#include <dirent.h>
#include <err.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "dataset.h"

#define FORMAT_UNDEFINED 0x3000
#define FORMAT_ASSOCIATION 0x3001
#define FORMAT_EXIF_JPEG 0x3801
#define FORMAT_JFIF 0x3808

#define ROOT 0xffffffffu
#define FOLDER 2u /* 100NIKON, whose parent is 1, DCIM */
#define FIRST_PICTURE 3u
#define MAX_OBJECTS 1000

static struct {
	pthread_mutex_t lock;
	const char *folder;
	int num_scenes, next_scene;
	struct dirent **scenes;
	unsigned num_pictures; /* that have been taken */
	uint32_t next_handle;
	struct object {
		bool there;
		uint16_t format;
		uint32_t parent, size;
		char name[NAME_MAX + 1];
		char path[PATH_MAX];
	} objects[MAX_OBJECTS]; /* by handle; there is no 0 */
} card = {.lock = PTHREAD_MUTEX_INITIALIZER, .next_handle = 1};

static int is_jpeg(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');

	return dot && !strcmp(dot, ".JPG");
}

static uint32_t add(uint16_t format, uint32_t parent, const char *name)
{
	uint32_t handle = card.next_handle++;

	if (handle == MAX_OBJECTS)
		errx(1, "the card is full");
	card.objects[handle] = (struct object){.there = true, .format = format, .parent = parent};
	(void)snprintf(card.objects[handle].name, sizeof(card.objects[handle].name), "%s", name);
	return handle;
}

static uint32_t add_file(const char *path, uint16_t format, const char *name)
{
	struct stat st;
	uint32_t handle;

	if (stat(path, &st) < 0)
		return 0;
	if ((uint64_t)st.st_size > UINT32_MAX)
		errx(1, "%s is too large", path);
	handle = add(format, FOLDER, name);
	card.objects[handle].size = (uint32_t)st.st_size;
	strcpy(card.objects[handle].path, path);
	return handle;
}

static uint32_t add_picture(const char *path, uint16_t format, const char *suffix)
{
	char name[16];

	(void)snprintf(name, sizeof(name), "DSC_%04u.%s", card.num_pictures % 10000, suffix);
	return add_file(path, format, name);
}

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* What is on the card already. */
static void add_earlier(const char *folder)
{
	char path[PATH_MAX];
	struct dirent **files;
	int n;

	(void)snprintf(path, sizeof(path), "%s/card", folder);
	n = scandir(path, &files, is_visible, alphasort);
	for (int i = 0; i < n; i++) {
		(void)snprintf(path, sizeof(path), "%s/card/%s", folder, files[i]->d_name);
		if (!add_file(path, FORMAT_EXIF_JPEG, files[i]->d_name))
			err(1, "%s", path);
		free(files[i]);
	}
	if (n >= 0)
		free(files);
}

void card_init(const char *folder)
{
	card.folder = folder;
	card.num_scenes = scandir(folder, &card.scenes, is_jpeg, alphasort);
	add(FORMAT_ASSOCIATION, 0, "DCIM");
	add(FORMAT_ASSOCIATION, 1, "100NIKON");
	add_earlier(folder);
	if (card.num_scenes <= 0 && card.next_handle == FIRST_PICTURE)
		errx(1, "no .JPG in %s, and nothing in its card", folder);
}

unsigned card_take(uint32_t handles[2])
{
	char path[PATH_MAX];
	unsigned n = 0;

	if (card.num_scenes <= 0)
		return 0;
	pthread_mutex_lock(&card.lock);
	card.num_pictures++;
	(void)snprintf(path, sizeof(path), "%s/%s", card.folder,
		card.scenes[card.next_scene++ % card.num_scenes]->d_name);
	handles[n] = add_picture(path, FORMAT_EXIF_JPEG, "JPG");
	n += handles[n] != 0;
	strcpy(strrchr(path, '.'), ".NEF");
	/* As Nikon's: no format of PTP's, but a thumbnail that tells of a picture. */
	handles[n] = add_picture(path, FORMAT_UNDEFINED, "NEF");
	n += handles[n] != 0;
	pthread_mutex_unlock(&card.lock);
	return n;
}

static struct object *find(uint32_t handle)
{
	return handle < MAX_OBJECTS && card.objects[handle].there ? &card.objects[handle] : NULL;
}

void card_put_storage_info(struct dataset *d)
{
	dataset_put_u16(d, 4);		 /* removable RAM */
	dataset_put_u16(d, 3);		 /* DCF */
	dataset_put_u16(d, 0);		 /* read and write */
	dataset_put_u64(d, 64ull << 30); /* of which all is free */
	dataset_put_u64(d, 64ull << 30);
	dataset_put_u32(d, 9999);
	dataset_put_string(d, "card");
	dataset_put_string(d, "");
}

bool card_put_handles(struct dataset *d, uint32_t parent)
{
	uint32_t handles[MAX_OBJECTS], count = 0;
	bool known = !parent || parent == ROOT || find(parent);

	pthread_mutex_lock(&card.lock);
	for (uint32_t handle = 1; handle < card.next_handle; handle++) {
		if (card.objects[handle].there &&
			(!parent || card.objects[handle].parent == (parent == ROOT ? 0 : parent)))
			handles[count++] = handle;
	}
	pthread_mutex_unlock(&card.lock);
	dataset_put_u32(d, count);
	for (uint32_t i = 0; i < count; i++)
		dataset_put_u32(d, handles[i]);
	return known;
}

bool card_put_object_info(struct dataset *d, uint32_t handle)
{
	const struct object *object;

	pthread_mutex_lock(&card.lock);
	object = find(handle);
	if (object) {
		bool is_file = object->format != FORMAT_ASSOCIATION;

		dataset_put_u32(d, CARD_STORAGE);
		dataset_put_u16(d, object->format);
		dataset_put_u16(d, 0); /* not protected */
		dataset_put_u32(d, object->size);
		dataset_put_u16(d, is_file ? FORMAT_JFIF : 0);
		for (int i = 0; i < 6; i++)
			dataset_put_u32(d, 0); /* of thumbnail and picture: sizes unknown */
		dataset_put_u32(d, object->parent);
		dataset_put_u16(d, !is_file); /* a generic folder */
		dataset_put_u32(d, 0);
		dataset_put_u32(d, 0);
		dataset_put_string(d, object->name);
		dataset_put_string(d, "20260101T120000");
		dataset_put_string(d, "20260101T120000");
		dataset_put_string(d, "");
	}
	pthread_mutex_unlock(&card.lock);
	return object;
}

int card_open(uint32_t handle)
{
	const struct object *object;
	int file = -1;

	pthread_mutex_lock(&card.lock);
	object = find(handle);
	if (object && object->format != FORMAT_ASSOCIATION)
		file = open(object->path, O_RDONLY | O_CLOEXEC);
	pthread_mutex_unlock(&card.lock);
	return file;
}

bool card_delete(uint32_t handle)
{
	struct object *object;

	pthread_mutex_lock(&card.lock);
	object = handle < FIRST_PICTURE ? NULL : find(handle);
	if (object)
		object->there = false;
	pthread_mutex_unlock(&card.lock);
	return object;
}
