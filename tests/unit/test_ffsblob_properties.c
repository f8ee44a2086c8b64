/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * usbdesc and ffsblob by property: whatever usbdesc makes of a damaged camera, it keeps its
 * promises; and if it accepts it, the kernel accepts the blobs and the phone sees the camera in
 * them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <string.h>
#include <cmocka.h>

#include "gadget/ffsblob.h"
#include "gadget/usbdesc.h"
#include "tests/unit/samples.h"
#include "tests/unit/descrules.h"
#include "tests/unit/quick.h"

#define RUNS quick_part(100000, 50)

static uint32_t rnd(uint32_t *seed, uint32_t below)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed % below;
}

/* A position where a descriptor begins. */
static size_t pick(const uint8_t *config, size_t size, uint32_t *seed)
{
	size_t at = config[0] < size ? config[0] : 0;

	for (uint32_t n = rnd(seed, 20); n && at + config[at] < size; n--)
		at += config[at];
	return at;
}

static size_t mutate(uint8_t *config, size_t size, uint32_t *seed)
{
	static const uint8_t liked[] = {
		0, 1, 2, 3, 4, 5, 7, 8, 9, 0x0b, 0x21, 0x24, 0x30, 0x81, 0xff};
	const struct sample *other = &samples[rnd(seed, SAMPLES)];
	size_t at, from, n;

	switch (rnd(seed, 5)) {
	case 0: /* a byte */
		config[rnd(seed, (uint32_t)size)] = (uint8_t)rnd(seed, 256);
		break;
	case 1: /* a likely byte in a descriptor's head */
		at = pick(config, size, seed) + rnd(seed, 9);
		if (at < size)
			config[at] = liked[rnd(seed, sizeof(liked))];
		break;
	case 2: /* one descriptor less */
		at = pick(config, size, seed);
		n = config[at];
		if (at && at + n <= size) {
			memmove(config + at, config + at + n, size - at - n);
			size -= n;
		}
		break;
	default: /* one of another camera more */
		at = pick(config, size, seed);
		from = pick(other->config, other->config_size, seed);
		n = other->config[from];
		memmove(config + at + n, config + at, size - at);
		memcpy(config + at, other->config + from, n);
		size += n;
	}
	if (size < 9 || rnd(seed, 50) == 0)
		return size;
	config[2] = (uint8_t)size;
	config[3] = (uint8_t)(size >> 8);
	return size;
}

static void random_strings(struct usb_profile *p, uint32_t *seed)
{
	static const char16_t likely[] = {'a', 0, 0x00e4, 0x30ab, 0xd83d, 0xdcf7, 0xfffe};
	char16_t text[126];
	uint8_t buf[255];
	const char *why;

	for (uint32_t n = rnd(seed, 12); n && p->num_langs; n--) {
		uint32_t units = rnd(seed, 4) ? rnd(seed, 10) : rnd(seed, 127);
		size_t size;

		for (uint32_t i = 0; i < units; i++)
			text[i] = rnd(seed, 8) ? likely[rnd(seed, 7)] : (char16_t)rnd(seed, 65536);
		size = sample_string(buf, text, units);
		(void)usbdesc_string(p, (uint8_t)rnd(seed, 12), p->langs[rnd(seed, p->num_langs)],
			buf, size - rnd(seed, 2), &why);
	}
}

static void test_mutations(void **state)
{
	uint32_t seed = 0x1234567, accepted = 0, presented = 0;
	uint8_t config[4096];

	(void)state;
	for (unsigned run = 0; run < RUNS; run++) {
		const struct sample *c = &samples[run % SAMPLES];
		size_t size = c->config_size;
		uint32_t start = seed;
		struct usb_profile p;
		struct ffsblob b;
		const char *broken;
		int r;

		memcpy(config, c->config, size);
		for (uint32_t n = 1 + rnd(&seed, 6); n; n--)
			size = mutate(config, size, &seed);
		if (sample_profile(&p, c, config, size))
			continue;
		accepted++;
		random_strings(&p, &seed);
		broken = descrules_profile(&p);
		broken = broken ? broken : descrules_fit(&p);
		r = ffsblob_build(&b, &p);
		assert_int_equal(r, p.num_logical && p.num_logical <= 16 ? 0 : -EOPNOTSUPP);
		if (!r) {
			presented++;
			broken = broken ? broken : descrules_blob(&b, &p);
		}
		if (broken)
			fail_msg("run %u (seed 0x%x): broken: %s", run, start, broken);
	}
	print_message("accepted %u of %u, presented %u\n", accepted, RUNS, presented);
	/* The property says little if next to nothing is accepted. */
	assert_true(presented > RUNS / 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mutations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
