/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pairing: which server and camera are meant, written into and removed from the configuration file.
 *
 * The file is replaced in one step, or left as it was: it never is half of both, nor does it say
 * anything but what was meant. Comments and all other keys stay, and so do its mode and owner; but
 * one that has a key of the server in it is for its owner alone (0600).
 */
#ifndef BRIDGE_PAIRING_H
#define BRIDGE_PAIRING_H

#include <stddef.h>

struct config;

/* Writes [server] and [camera] of `wanted` into the file `path`, or the file that it links to;
 * makes it if there is none. All else of `wanted` is ignored; its texts need not be fit for the
 * file. An empty host removes the pairing. 0, or -errno with a text for people in `error`, of which
 * -EINVAL: what is in the file now is no configuration; -EILSEQ: it would say something else than
 * was meant, as one of the texts has what it cannot have. */
int pairing_write(const char *path, const struct config *wanted, char *error, size_t size);

#endif
