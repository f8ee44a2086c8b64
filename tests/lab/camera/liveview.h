/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Live view: 10 frames a second of about 60 KB, of which each is handed out once. A frame is one of
 * the photographs in the folder with a JPEG comment at its start, "frame NUMBER SECONDS", the time
 * by CLOCK_MONOTONIC at which it was exposed; so whoever reads it on this machine knows its age,
 * and whether one is missing.
 */
#ifndef CAMERA_LIVEVIEW_H
#define CAMERA_LIVEVIEW_H

#include <stdbool.h>

struct dataset;

/* Frames are liveview/NAME.JPG of this folder, if there are any. */
void liveview_init(const char *folder);
/* False: there are no frames. */
bool liveview_start(void);
void liveview_end(void);
bool liveview_is_on(void);
/* The newest frame, in what Nikon puts around it; false: there is none since the last one. */
bool liveview_put_frame(struct dataset *d);

#endif
