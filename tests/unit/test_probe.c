/* SPDX-License-Identifier: GPL-2.0-or-later */
/* probe against a camera that answers, refuses or errs at each of its requests. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bridge/probe.h"
#include "tests/unit/session.h"

/* ---- a camera ---- */

/* clang-format off */
static const uint8_t device[18] = {
	18, 1, 0x00, 0x02, 0, 0, 0, 64, 0xa9, 0x04, 0x18, 0x32, 0x02, 0x01, 1, 7, 0, 1,
};

static const uint8_t config[] = {
	9, 2, 39, 0, 1, 5, 0, 0xc0, 1, /* bConfigurationValue 5 */
	9, 4, 0, 0, 3, 6, 1, 1, 7,
	7, 5, 0x81, 2, 0x00, 0x02, 0,
	7, 5, 0x02, 2, 0x00, 0x02, 0,
	7, 5, 0x83, 3, 0x08, 0x00, 9,
};
/* clang-format on */

static const uint8_t no_strings[18] = {
	18, 1, 0x00, 0x02, 0, 0, 0, 64, 0xa9, 0x04, 0x18, 0x32, 0x02, 0x01, 0, 0, 0, 1};
static const uint8_t silent[39] = {
	9, 2, 39, 0, 1, 5, 0, 0xc0, 1, 9, 4, 0, 0, 0, 6, 1, 1, 0, 21, 0x24};
static const uint8_t twice[] = {9, 2, 32, 0, 1, 1, 0, 0xc0, 1, 9, 4, 0, 0, 2, 6, 1, 1, 0, 7, 5,
	0x81, 2, 0, 2, 0, 7, 5, 0x81, 2, 0, 2, 0};
static const uint8_t too_long[9] = {9, 2, 0x01, 0x10, 1, 1, 0, 0xc0, 1};
static const uint8_t other_size[9] = {9, 2, 40, 0, 1, 5, 0, 0xc0, 1};

#define INSTEAD 3

/* What comes in place of the camera's own answer to its n-th request after the reset. */
struct instead {
	unsigned request; /* from 1, the reset is 1; 0: none */
	int status;
	const void *bytes;
	size_t size;
};

#define STALL(n) .request = (n) + 1, .status = -EPIPE
#define ERROR(n, s) .request = (n) + 1, .status = s
#define ANSWER(n, b, s) .request = (n) + 1, .bytes = b, .size = s

/* Its requests, one after the other. */
#define RESET "23 03 0004 0000 0\n"
#define DEVICE "80 06 0100 0000 18\n"
#define HEAD "80 06 0200 0000 9\n"
#define CONFIG "80 06 0200 0000 39\n"
#define SET "00 09 0005 0000 0\n"
#define LANGS "80 06 0300 0000 255\n"
#define FIRST RESET DEVICE
#define STRING(index, lang) "80 06 03" index " " lang " 255\n"
#define DESCRIPTORS FIRST HEAD CONFIG SET
#define STRINGS DESCRIPTORS LANGS STRING("01", "0409") STRING("07", "0409")

static const struct scene {
	const char *name;
	struct instead instead[INSTEAD];
	const char *requests, *result;
} scenes[] = {
	{"all is well", {{.request = 0}}, STRINGS, "done: 1/409=A 7/409=G"},
	{"reset refused", {{STALL(0)}}, STRINGS, "done: 1/409=A 7/409=G"},
	{"reset not known", {{ERROR(0, -ENODEV)}}, STRINGS, "done: 1/409=A 7/409=G"},
	{"reset failed", {{ERROR(0, -EPROTO)}}, STRINGS, "done: 1/409=A 7/409=G"},
	{"no strings", {{ANSWER(1, no_strings, 18)}, {ANSWER(3, silent, 39)}}, DESCRIPTORS,
		"done:"},
	{"several languages", {{ANSWER(5, "\6\3\x11\4\x07\4", 6)}},
		DESCRIPTORS LANGS STRING("01", "0411") STRING("07", "0411") STRING("01", "0407")
			STRING("07", "0407"),
		"done: 1/411=A 7/411=G 1/407=A 7/407=G"},
	{"string 0 refused", {{STALL(5)}}, DESCRIPTORS LANGS, "done:"},
	{"string 0 lost", {{ERROR(5, -EPROTO)}}, DESCRIPTORS LANGS, "done:"},
	{"no language", {{ANSWER(5, "\2\3", 2)}}, DESCRIPTORS LANGS, "done:"},
	{"string 0 empty", {{ANSWER(5, "", 0)}}, DESCRIPTORS LANGS, "done:"},
	{"string 0 is no string", {{ANSWER(5, "\4\1\x09\4", 4)}}, DESCRIPTORS LANGS, "done:"},
	{"one string refused", {{STALL(6)}}, STRINGS, "done: 7/409=G"},
	{"the last string refused", {{STALL(7)}}, STRINGS, "done: 1/409=A"},
	{"all strings refused", {{STALL(6)}, {STALL(7)}}, STRINGS, "done:"},
	{"a string that is none", {{ANSWER(6, "\4\2A\0", 4)}}, STRINGS, "done: 7/409=G"},
	{"a string that is empty", {{ANSWER(7, "", 0)}}, STRINGS, "done: 1/409=A"},

	{"device refused", {{STALL(1)}}, FIRST, "unfit: device descriptor: refused by the camera"},
	{"device lost", {{ERROR(1, -ETIMEDOUT)}}, FIRST,
		"failed: device descriptor: Connection timed out"},
	{"device not read", {{ERROR(1, -EPROTO)}}, FIRST,
		"failed: device descriptor: Protocol error"},
	{"unplugged", {{ERROR(1, -ESHUTDOWN)}}, FIRST,
		"failed: device descriptor: it has been unplugged"},
	{"device short", {{ANSWER(1, device, 17)}}, FIRST,
		"unfit: device descriptor: shorter than 18 bytes"},
	{"device empty", {{ANSWER(1, device, 0)}}, FIRST,
		"unfit: device descriptor: shorter than 18 bytes"},
	{"device is none", {{ANSWER(1, config, 18)}}, FIRST,
		"unfit: device descriptor: bLength is less than 18"},
	{"configuration refused", {{STALL(2)}}, FIRST HEAD,
		"unfit: configuration descriptor: refused by the camera"},
	{"configuration's head short", {{ANSWER(2, config, 8)}}, FIRST HEAD,
		"unfit: configuration descriptor: not one, or longer than 4096 bytes"},
	{"configuration too long", {{ANSWER(2, too_long, 9)}}, FIRST HEAD,
		"unfit: configuration descriptor: not one, or longer than 4096 bytes"},
	{"configuration not read", {{ERROR(3, -EPROTO)}}, FIRST HEAD CONFIG,
		"failed: configuration descriptor: Protocol error"},
	{"configuration refused in whole", {{STALL(3)}}, FIRST HEAD CONFIG,
		"unfit: configuration descriptor: refused by the camera"},
	{"configuration short", {{ANSWER(3, config, 38)}}, FIRST HEAD CONFIG,
		"unfit: configuration descriptor: shorter than its wTotalLength"},
	{"configuration that grows", {{ANSWER(3, other_size, 9)}}, FIRST HEAD CONFIG,
		"unfit: configuration descriptor: shorter than its wTotalLength"},
	{"configuration longer than it says at first", {{ANSWER(2, other_size, 9)}},
		FIRST HEAD "80 06 0200 0000 40\n" SET LANGS STRING("01", "0409")
			STRING("07", "0409"),
		"done: 1/409=A 7/409=G"},
	{"configuration not valid", {{ANSWER(3, twice, sizeof(twice))}}, FIRST HEAD CONFIG,
		"unfit: configuration descriptor: endpoint's bEndpointAddress comes twice"},
	{"SET_CONFIGURATION refused", {{STALL(4)}}, DESCRIPTORS,
		"unfit: SET_CONFIGURATION: refused by the camera"},
	{"SET_CONFIGURATION lost", {{ERROR(4, -ENODEV)}}, DESCRIPTORS,
		"failed: SET_CONFIGURATION: it has been unplugged"},
	{"unplugged before the languages", {{ERROR(5, -ENODEV)}}, DESCRIPTORS LANGS,
		"failed: string languages: it has been unplugged"},
	{"unplugged before the strings", {{ERROR(6, -ESHUTDOWN)}},
		DESCRIPTORS LANGS STRING("01", "0409"), "failed: string: it has been unplugged"},
};

/* ---- acting it ---- */

struct acting {
	struct session s;
	struct probe *probe;
	char requests[8192];
	unsigned num_requests;
	char result[4096];
	unsigned done;
};

static void on_done(void *user, enum probe_result result, const char *reason)
{
	static const char *const words[] = {
		[PROBE_COMPLETE] = "done:", [PROBE_UNFIT] = "unfit: ", [PROBE_FAILED] = "failed: "};
	struct acting *a = user;
	const struct usb_profile *p = &a->probe->profile;
	size_t used;

	assert_non_null(reason);
	a->done++;
	used = (size_t)snprintf(a->result, sizeof(a->result), "%s%s", words[result], reason);
	assert_int_equal(!*reason, result == PROBE_COMPLETE);
	for (unsigned i = 0; result == PROBE_COMPLETE && i < p->num_strings; i++)
		used += (size_t)snprintf(a->result + used, sizeof(a->result) - used, " %u/%x=%s",
			p->strings[i].index, p->strings[i].lang, p->strings[i].text);
}

/* The camera's own answer. */
static size_t answer(const struct peer_command *c, uint8_t out[USBDESC_MAX_CONFIG])
{
	static const uint8_t langs[] = {4, 3, 0x09, 0x04};
	uint8_t string[] = {4, 3, (uint8_t)('@' + c->setup[2]), 0};
	const uint8_t *from = c->setup[3] == 1 ? device
		: c->setup[3] == 2	       ? config
		: c->setup[2]		       ? string
					       : langs;
	size_t size = c->setup[3] == 1 ? sizeof(device) : c->setup[3] == 2 ? sizeof(config) : 4;

	if (c->setup[1] != 6)
		return 0;
	if (size > c->length)
		size = c->length;
	memcpy(out, from, size);
	return size;
}

static void act(
	struct acting *a, const struct instead instead[INSTEAD], const struct peer_command *c)
{
	uint8_t out[USBDESC_MAX_CONFIG];
	size_t used = strlen(a->requests);
	const uint8_t *setup = c->setup;
	unsigned length = setup[6] | setup[7] << 8;

	(void)snprintf(a->requests + used, sizeof(a->requests) - used,
		"%02x %02x %02x%02x %02x%02x %u\n", setup[0], setup[1], setup[3], setup[2],
		setup[5], setup[4], length);
	assert_int_equal(c->command, 1);
	assert_int_equal(c->ep, 0);
	assert_int_equal(c->direction, setup[0] >> 7);
	assert_int_equal(c->length, length);
	assert_int_equal(c->flags, 0);
	assert_int_equal(c->interval, 0);
	a->num_requests++;
	for (int i = 0; i < INSTEAD; i++) {
		if (instead[i].request == a->num_requests) {
			peer_send_ret_submit(&a->s.peer, c->seqnum, instead[i].status,
				instead[i].bytes, (uint32_t)instead[i].size);
			return;
		}
	}
	peer_send_ret_submit(&a->s.peer, c->seqnum, 0, out, (uint32_t)answer(c, out));
}

static const struct probe_callbacks callbacks = {.done = on_done};

/* Until there are no more requests, or `most` have been answered. */
static void play(struct acting *a, const struct instead instead[INSTEAD], unsigned most)
{
	struct peer_command c;

	memset(a, 0, sizeof(*a));
	session_open(&a->s);
	a->probe = malloc(sizeof(*a->probe));
	memset(a->probe, 0xff, sizeof(*a->probe));
	probe_start(a->probe, a->s.client, USB_SPEED_HIGH, &callbacks, a);
	session_run(&a->s);
	while (a->num_requests < most && peer_take_command(&a->s.peer, &c)) {
		assert_int_equal(a->done, 0);
		act(a, instead, &c);
		/* One at a time. */
		assert_int_equal(a->s.peer.in_taken, a->s.peer.in_size);
		session_run(&a->s);
	}
}

static void end(struct acting *a)
{
	session_fini(&a->s);
	free(a->probe);
}

static void test_scenes(void **state)
{
	(void)state;
	for (size_t i = 0; i < PEER_COUNT(scenes); i++) {
		const struct scene *scene = &scenes[i];
		struct acting a;

		play(&a, scene->instead, 100);
		if (strcmp(a.requests, scene->requests) || strcmp(a.result, scene->result))
			fail_msg("%s:\n%s%s\ninstead of:\n%s%s", scene->name, a.requests, a.result,
				scene->requests, scene->result);
		assert_int_equal(a.done, 1);
		assert_string_equal(a.s.log, "");
		end(&a);
	}
}

static void test_profile(void **state)
{
	static const struct instead nothing[INSTEAD];
	const struct usb_profile *p;
	struct acting a;

	(void)state;
	play(&a, nothing, 100);
	p = &a.probe->profile;
	assert_int_equal(p->speed, USB_SPEED_HIGH);
	assert_int_equal(p->vendor, 0x04a9);
	assert_int_equal(p->product, 0x3218);
	assert_int_equal(p->configuration_value, 5);
	assert_int_equal(p->num_endpoints, 3);
	assert_int_equal(p->config_size, sizeof(config));
	assert_memory_equal(p->config, config, sizeof(config));
	end(&a);
}

/* More strings than are kept: those that are too many are not asked for. */
static void test_many_strings(void **state)
{
	static const uint8_t many[18] = {
		18, 1, 0, 2, 0, 0, 0, 64, 0xa9, 4, 0x18, 0x32, 2, 1, 1, 2, 3, 1};
	uint8_t langs[2 + 2 * 16] = {sizeof(langs), 3}, named[sizeof(config)];
	const struct instead instead[INSTEAD] = {{ANSWER(1, many, 18)},
		{ANSWER(3, named, sizeof(named))}, {ANSWER(5, langs, sizeof(langs))}};
	struct acting a;

	(void)state;
	memcpy(named, config, sizeof(config));
	named[6] = 4; /* iConfiguration */
	for (unsigned i = 0; i < 16; i++) {
		langs[2 + 2 * i] = (uint8_t)(i + 1);
		langs[3 + 2 * i] = 4;
	}
	play(&a, instead, 1000);
	assert_int_equal(a.done, 1);
	/* 1, 2, 3, 4 and 7 in 12 languages, and all but 7 in the 13th. */
	assert_int_equal(a.num_requests, 6 + 64);
	assert_int_equal(a.probe->profile.num_strings, 64);
	assert_non_null(strstr(a.requests, STRING("04", "040d")));
	end(&a);
}

/* A session that ends is its user's to notice, from the client. */
static void test_closed(void **state)
{
	static const struct instead nothing[INSTEAD];

	(void)state;
	for (unsigned most = 0; most < 8; most++) {
		struct acting a;

		play(&a, nothing, most);
		a.s.peer.closing = true;
		session_run(&a.s);
		assert_int_equal(a.done, 0);
		assert_string_equal(a.s.log, "closed -104 the server closed the connection\n");
		end(&a);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scenes),
		cmocka_unit_test(test_profile),
		cmocka_unit_test(test_many_strings),
		cmocka_unit_test(test_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
