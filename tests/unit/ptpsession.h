/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ptpsession: what a phone and a camera send each other in a random PTP session, as packets; knows
 * nothing of framing. The same seed makes the same session.
 */
#ifndef TESTS_PTPSESSION_H
#define TESTS_PTPSESSION_H

#include <stdbool.h>
#include <stdint.h>

#define PTPSESSION_UNBOUNDED 0xffffffffu
#define PTPSESSION_MAX 32 /* containers, each direction */

enum ptpsession_type {
	PTPSESSION_COMMAND = 1,
	PTPSESSION_DATA = 2,
	PTPSESSION_RESPONSE = 3,
};

enum ptpsession_tail {
	PTPSESSION_NO_TAIL,
	PTPSESSION_ZLP,
	PTPSESSION_HALT, /* the endpoint halts where more was to come */
};

struct ptpsession_container {
	uint16_t type;
	uint32_t says;	/* its header's length */
	uint32_t bytes; /* that are sent of it */
	uint32_t sane;	/* bytes after which it can't be understood any more */
	bool split;	/* the header is a transfer of its own */
	enum ptpsession_tail tail;
};

struct ptpsession_cursor {
	uint32_t at;	/* container */
	uint32_t bytes; /* of it */
};

/* One direction; index 0 is phone to camera. */
struct ptpsession_way {
	uint32_t max_packet;
	uint32_t n;
	struct ptpsession_container c[PTPSESSION_MAX];
	struct ptpsession_cursor sent;
	struct ptpsession_cursor arrived; /* what the other side goes by */
};

/* What a session may hold. */
enum {
	PTPSESSION_MAY_ABORT = 1,   /* containers end before their time */
	PTPSESSION_MAY_GARBAGE = 2, /* containers that can't be understood */
	PTPSESSION_MAY_BE_WILD = 4, /* anything at all comes before the first command */
};

enum ptpsession_phase {
	PTPSESSION_WILD,
	PTPSESSION_IDLE,
	PTPSESSION_OPERATION, /* on its way to the camera */
	PTPSESSION_ANSWER,    /* on its way to the phone */
};

struct ptpsession {
	uint64_t random;
	uint32_t may;
	enum ptpsession_phase phase;
	uint32_t operations; /* to come */
	bool answer_data;
	struct ptpsession_way way[2];

	/* What every data container is to be, and in which direction; NULL = random. */
	const struct ptpsession_container *data;
	uint32_t data_way;
};

void ptpsession_init(struct ptpsession *s, uint64_t seed, uint32_t may, uint32_t max_packet);
uint32_t ptpsession_random(struct ptpsession *s, uint32_t below);

/* Lets both sides send what they can send by now. False when the session is over. */
bool ptpsession_talk(struct ptpsession *s);

/* Length of the packet at a cursor, 0 also for a tail; there is one while cursor.at < way.n. */
uint32_t ptpsession_packet(const struct ptpsession_way *w, const struct ptpsession_cursor *c);
void ptpsession_step(const struct ptpsession_way *w, struct ptpsession_cursor *c, uint32_t packet);
/* The bytes of the packet at `arrived`: a container's header, or what might be mistaken for one. */
void ptpsession_write(
	struct ptpsession *s, const struct ptpsession_way *w, uint8_t *to, uint32_t packet);
/* All packets of the container are full ones. */
bool ptpsession_is_multiple(const struct ptpsession_way *w, const struct ptpsession_container *k);

#endif
