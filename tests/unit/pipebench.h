/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pipebench: the two bulk pipes of one interface on a relaybench. */
#ifndef TESTS_PIPEBENCH_H
#define TESTS_PIPEBENCH_H

#include "bridge/pipe.h"
#include "tests/unit/relaybench.h"

/* positions of the endpoints */
enum {
	PIPE_IN,
	PIPE_OUT,
};

#define PIPEBENCH_SLOTS 16
#define PIPEBENCH_REQUEST 16384

struct pipebench {
	struct bench bench;
	struct framing framing;
	struct pipe in, out;
	struct camera_endpoint *camera_in, *camera_out;
	unsigned failed, stirred;
};

struct pipebench_options {
	enum framing_kind framing;
	uint32_t max_packet;   /* 0: 512 */
	uint32_t phone_packet; /* 0: the same */
	uint32_t max_request;  /* 0: PIPEBENCH_REQUEST */
	unsigned slots;	       /* 0: PIPEBENCH_SLOTS */
	bool dwc2;
};

/* Enabled by the phone, not started. */
void pipebench_open(struct pipebench *p, const struct pipebench_options *options);
/* Checks that what each pipe counts is consistent. */
void pipebench_close(struct pipebench *p);

void pipebench_start(struct pipebench *p);
void pipebench_stop(struct pipebench *p);

/* Of one packet, told by its id: the camera has it ready, the phone receives it next, the phone
 * sends it. */
void pipebench_put(struct pipebench *p, uint32_t size, uint32_t id);
void pipebench_expect(struct pipebench *p, uint32_t size, uint32_t id);
enum fake_handshake pipebench_send(struct pipebench *p, uint32_t size, uint32_t id);

/* One fresh packet each way arrives, and first. */
void pipebench_exchange(struct pipebench *p, uint32_t id);

#endif
