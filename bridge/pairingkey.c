/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/pairingkey.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#define FORM "IP2USB1-"
#define GROUP 7 /* characters */
#define SUM_SIZE 3
#define ALL_SIZE (PAIRINGKEY_SIZE + SUM_SIZE)
#define NUM_DIGITS (ALL_SIZE * 8 / 5)

_Static_assert(ALL_SIZE * 8 % 5 == 0, "the digits have no bits left over");
_Static_assert(NUM_DIGITS % GROUP == 0 &&
		sizeof(FORM) - 1 + NUM_DIGITS + NUM_DIGITS / GROUP == PAIRINGKEY_TEXT_SIZE,
	"each group but the last has a hyphen behind it, the last the NUL");

int pairingkey_new(struct pairingkey *key)
{
	ssize_t n;

	/* Up to 256 bytes come whole or not at all (getrandom(2)). */
	do
		n = getrandom(key->bytes, sizeof(key->bytes), 0);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n == sizeof(key->bytes) ? 0 : -EIO;
}

static uint32_t checksum(const uint8_t *bytes)
{
	uint32_t sum = 0xb704ce;

	for (unsigned i = 0; i < PAIRINGKEY_SIZE; i++) {
		sum ^= (uint32_t)bytes[i] << 16;
		for (unsigned bit = 0; bit < 8; bit++)
			sum = sum << 1 ^ (sum & 0x800000 ? 0x1864cfb : 0);
	}
	return sum & 0xffffff;
}

static void put_sum(uint8_t out[SUM_SIZE], const uint8_t *bytes)
{
	uint32_t sum = checksum(bytes);

	out[0] = (uint8_t)(sum >> 16);
	out[1] = (uint8_t)(sum >> 8);
	out[2] = (uint8_t)sum;
}

void pairingkey_format(const struct pairingkey *key, char text[PAIRINGKEY_TEXT_SIZE])
{
	static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
	uint8_t all[ALL_SIZE + 1] = {0}; /* one more, for the last digit's look ahead */

	memcpy(all, key->bytes, sizeof(key->bytes));
	put_sum(all + PAIRINGKEY_SIZE, key->bytes);
	strcpy(text, FORM);
	text += strlen(text);
	for (unsigned i = 0; i < NUM_DIGITS; i++) {
		unsigned bit = i * 5;
		unsigned two = (unsigned)all[bit / 8] << 8 | all[bit / 8 + 1];

		if (i && i % GROUP == 0)
			*text++ = '-';
		*text++ = digits[two >> (11 - bit % 8) & 31];
	}
	*text = '\0';
	explicit_bzero(all, sizeof(all));
}

/* 0..31, or -1: it is none. */
static int digit(char c)
{
	static const char digits[] = "0123456789abcdefghjkmnpqrstvwxyz";
	char lower = (char)tolower((unsigned char)c);
	const char *at;

	if (lower == 'o')
		lower = '0';
	else if (lower == 'i' || lower == 'l')
		lower = '1';
	at = lower ? strchr(digits, lower) : NULL;
	return at ? (int)(at - digits) : -1;
}

/* NULL, or what is wrong. */
static const char *parse(uint8_t all[ALL_SIZE], const char *text)
{
	uint8_t sum[SUM_SIZE];
	unsigned n = 0;

	text += strspn(text, " \t\r\n");
	if (strncasecmp(text, FORM, strlen(FORM)) != 0)
		return "it does not begin with " FORM;
	for (text += strlen(FORM); *text; text++) {
		int value = digit(*text);

		if (strchr("- \t\r\n", *text))
			continue;
		if (value < 0)
			return "a character of it is none that a key has";
		if (n == NUM_DIGITS)
			return "it is too long";
		for (unsigned bit = 0; bit < 5; bit++) {
			unsigned at = n * 5 + bit;

			all[at / 8] = (uint8_t)(all[at / 8] << 1 | (value >> (4 - bit) & 1));
		}
		n++;
	}
	if (n < NUM_DIGITS)
		return "it is too short";
	put_sum(sum, all);
	return memcmp(sum, all + PAIRINGKEY_SIZE, SUM_SIZE) ? "a character of it is wrong" : NULL;
}

bool pairingkey_parse(struct pairingkey *key, const char *text, const char **why)
{
	uint8_t all[ALL_SIZE] = {0};
	const char *wrong = parse(all, text);

	if (!wrong)
		memcpy(key->bytes, all, sizeof(key->bytes));
	else if (why)
		*why = wrong;
	explicit_bzero(all, sizeof(all));
	return !wrong;
}

void pairingkey_wipe(struct pairingkey *key)
{
	explicit_bzero(key, sizeof(*key));
}
