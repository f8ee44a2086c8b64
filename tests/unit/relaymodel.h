/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * relaymodel: a phone that uses a relayrig's camera, and the camera's side of it, step by step and
 * at random: PTP operations on one interface, packets of any size on the others.
 */
#ifndef TESTS_RELAYMODEL_H
#define TESTS_RELAYMODEL_H

#include <limits.h>

#include "tests/unit/relayrig.h"
#include "tests/unit/streamlog.h"

/* One phase of a PTP operation: a container on its way. */
struct phase {
	uint32_t length, at;
	uint16_t type;
	bool zero;     /* its end is a zero-length packet */
	uint16_t code; /* 0: any */
	uint32_t id;
};

enum step {
	OP_IDLE,
	OP_COMMAND,
	OP_DATA, /* of the phone's */
	OP_ANSWER,
};

#define RELAYMODEL_NOT_YET UINT_MAX /* `expected`: the camera has not got all of it */

struct relaymodel {
	struct relayrig rig;
	uint64_t random;
	struct streamlog logs[RIG_ENDPOINTS];
	/* the phone */
	bool wants_clear[RIG_ENDPOINTS]; /* has seen a stall */
	enum usb_functionfs_event_type events[8];
	unsigned num_events;
	unsigned requests;
	/* PTP, phone's side; the camera's is what it has got of the command and the data */
	enum step step;
	struct phase out;
	bool has_data, data_in;
	unsigned tried;	   /* halts, when the operation began */
	unsigned first;	   /* packet of its answer, in the phone's log */
	unsigned expected; /* packets of it */
	bool answered;	   /* and what it was made of */
	uint64_t answer_random;
	uint32_t answer_id;
	/* The camera's packets of it begin here, and those of the time before; it is the same again
	 */
	unsigned answer_from, answer_before;
	bool replayed;
	bool ending; /* no new operation */
	uint32_t id;
	/* relaylink: a link that is lost at times. Then the vendor's endpoints rest, as their
	 * camera would not be held. */
	bool loses;
	enum link {
		LINK_UP,
		LINK_CUT,  /* of which the bridge knows nothing yet */
		LINK_LOST, /* relay_hold */
		LINK_BACK, /* relay_go_on, but not gone on */
	} link;
	unsigned losses, opened, repeated, resumed, stuck;
	bool repeatable; /* the operation's command may be sent again in the phone's stead, */
	bool asked;	 /* and has been, since the link was lost last */
	unsigned sent;	 /* packets by the phone, when it was back, */
	unsigned given;	 /* and PTP IN packets by the camera */
	unsigned submitted[RIG_ENDPOINTS]; /* URBs, when it was lost last */
	unsigned cut;			   /* PTP OUT packets that the camera had got by then */
	bool halted;			   /* the operation has seen a halt */
	bool given_up; /* the one before, and the command of this one has not been sent */
};

uint32_t relaymodel_below(struct relaymodel *m, uint32_t n);
bool relaymodel_one_in(struct relaymodel *m, uint32_t n);

/* The camera gives the same answer once more, of which the phone had `had` packets: what it had
 * been given of it beyond these has come to nobody. */
void relaymodel_had(struct relaymodel *m, unsigned had);

/* The phone sends the next packet of its PTP operation, or begins one; the camera answers. */
void relaymodel_ptp(struct relaymodel *m);

/* The phone asks an IN endpoint for a packet. */
void relaymodel_in(struct relaymodel *m, unsigned at);

/* The phone sends a packet that is not PTP. */
void relaymodel_vendor_out(struct relaymodel *m);

/* The camera has something to give that is not PTP, or an error. */
void relaymodel_camera(struct relaymodel *m, unsigned at);

#endif
