/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The card: DCIM/100NIKON, what is on it already and the pictures that have been taken since the
 * program began. */
#ifndef CAMERA_CARD_H
#define CAMERA_CARD_H

#include <stdbool.h>
#include <stdint.h>

struct dataset;

#define CARD_STORAGE 0x00010001u

/* What the camera "sees": every NAME.JPG of the folder is a picture, and NAME.NEF, if there, its
 * raw twin. They are taken in the order of their names, again and again. What is in card/ of the
 * folder is on the card already, and then there may be no picture to take. */
void card_init(const char *folder);
/* Takes the next picture; the handles of its files, two at most. */
unsigned card_take(uint32_t handles[2]);

void card_put_storage_info(struct dataset *d);
/* GetObjectHandles' parent: 0 all, 0xffffffff those at the root; false: no such folder. */
bool card_put_handles(struct dataset *d, uint32_t parent);
bool card_put_object_info(struct dataset *d, uint32_t handle);
/* Opens its file; -1: no such object, or a folder. */
int card_open(uint32_t handle);
bool card_delete(uint32_t handle);

#endif
