/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pairingkey: the secret that two paired ends share, and the text in which people carry it.
 *
 *   IP2USB1-000G40R-40M30E2-09185GR-38E1W81-24GK2GA-HC5RR34-D1P70X3-RFT5WF7
 *
 * IP2USB1 names the form. The 56 characters after it are 35 bytes in Crockford's base 32, 5 bits a
 * character, the highest first: the 32 of the key, then 3 of a CRC-24 over them (RFC 4880, 6.1),
 * which finds any one character that is wrong, and any two that are in the other's place. It is
 * read in upper and lower case, with O for 0, and I and L for 1, and with hyphens and spaces
 * anywhere behind the form's name. All of it is in the alphanumeric set of QR codes.
 */
#ifndef BRIDGE_PAIRINGKEY_H
#define BRIDGE_PAIRINGKEY_H

#include <stdbool.h>
#include <stdint.h>

#define PAIRINGKEY_SIZE 32
#define PAIRINGKEY_TEXT_SIZE 72 /* with the NUL */

struct pairingkey {
	uint8_t bytes[PAIRINGKEY_SIZE];
};

/* A new one, from the kernel; waits until that has gathered enough to make one. 0, or -errno. */
int pairingkey_new(struct pairingkey *key);

void pairingkey_format(const struct pairingkey *key, char text[PAIRINGKEY_TEXT_SIZE]);

/* False: `text` is no key, *why says in what way, for people, and shows nothing of it; `key` is as
 * it was. `why` may be NULL. */
bool pairingkey_parse(struct pairingkey *key, const char *text, const char **why);

/* Whoever has had a key, or its text, in memory wipes it when it is of no more use. */
void pairingkey_wipe(struct pairingkey *key);

#endif
