/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pipe: one data endpoint of the camera and its twin at the phone (a pipe in the words of
 * USB 2.0, 5.3.2).
 *
 * A ring of slots, each a buffer with its URB and its aio request. A slot is first *asked* with
 * (IN: a URB at the camera; OUT: an aio read at the phone), and what has come is *sent* on (IN: an
 * aio write; OUT: a URB). Many are asked at once, as many bytes as the framing allows; order is
 * kept.
 *
 *        tail            send             head
 *     ... | being sent    | asked or come  | free ...
 */
#ifndef BRIDGE_PIPE_H
#define BRIDGE_PIPE_H

#include <stdbool.h>
#include <stdint.h>

#include "bridge/client.h"
#include "bridge/framing.h"
#include "gadget/ffsaio.h"

struct ffs;
struct pipe;

enum pipe_state {
	PIPE_STOPPED, /* nothing is asked for; what comes is dropped, unless `holds` */
	PIPE_RUNNING,
	PIPE_STOPPING, /* the camera's answers are awaited: of what has been unlinked, or left to it
			*/
	PIPE_HALTING,  /* the camera has halted: what came before drains, the rest is unlinked */
	PIPE_HALTED,   /* the phone sees the halt, the camera's is kept until the phone stirs */
	PIPE_CLEARING, /* CLEAR_FEATURE(ENDPOINT_HALT) under way to the camera */
	PIPE_EARLY,    /* the camera may have been asked too early: the phone is not told yet */
};

struct pipe_slot {
	struct pipe *pipe;
	enum {
		SLOT_FREE,
		SLOT_ASKED,
		SLOT_COME,
		SLOT_SENT,
		SLOT_DONE
	} state;
	unsigned position; /* of the ring counters */
	unsigned epoch;	   /* pipe.epoch when it was asked with */
	uint32_t asked;	   /* bytes */
	uint32_t size;	   /* bytes that have come, and are still to be sent */
	bool ended;	   /* a zero-length packet came after them */
	bool framed;	   /* the framing has seen them */
	bool again;	   /* the phone's port did not take them: send them again */
	bool remnant;	   /* OUT: may begin with whole packets of a transfer given up since */
	unsigned aio_out;
	struct client_urb urb;
	struct ffsaio_request aio, zlp;
};

struct pipe_callbacks {
	/* The camera does not work any more. */
	void (*failed)(void *user, const char *reason);
	/* OUT: the phone has sent something. */
	void (*stirred)(void *user, struct pipe *pipe);
	/* All of the phone's endpoints have been disabled: stop all pipes. */
	void (*shut_down)(void *user);
};

struct pipe {
	struct client *client; /* NULL: the link is lost (pipe_hold) */
	struct ffs *ffs;
	struct framing *framing;
	enum framing_dir dir;
	const struct pipe_callbacks *callbacks;
	void *user;
	unsigned at; /* endpoint's position in the descriptors */
	unsigned interface_at;
	uint8_t address;   /* at the camera */
	uint32_t interval; /* for the URB */
	bool is_bulk;
	uint32_t max_packet; /* at the camera */
	/* At the phone as it has configured the camera: less where it runs slower. */
	uint32_t phone_packet;
	uint32_t max_request;
	/* OUT: bytes that URBs are a multiple of, but for the last of a transfer; the slot that
	 * gathers them, or NULL; nothing has come for it since the last pipe_age_gathered */
	uint32_t unit;
	struct pipe_slot *gather;
	bool gather_aged;
	enum pipe_state state;
	bool start_again; /* when stopped */
	bool holds;	  /* what has come before the start is for after it: IN, pipe_sleep; OUT,
			     pipe_abort */
	bool parked;	  /* the phone's port sleeps (-EAGAIN): what has come waits for pipe_wake */
	bool moved;	  /* something has come since the last halt */
	bool swallows;	  /* OUT: the camera takes no more of the transfer under way */
	bool deaf;	  /* OUT, pipe_cut: what comes is dropped until a command does */
	bool halts_late;  /* OUT, PIPE_HALTING: what comes is dropped until no read stands */
	bool early; /* the camera's last halt was put down to read-ahead, which is done once */
	enum pipe_state cleared; /* PIPE_CLEARING: the state to come */
	bool camera_halted;	 /* and nothing has been done about it */
	unsigned epoch;		 /* counts the phone's configurations, and what it has given up */
	unsigned num_slots;
	unsigned tail, send, head; /* free running; slot = counter % num_slots */
	unsigned halt_at;	   /* PIPE_HALTING: the last slot from before the halt */
	unsigned urbs_out;
	struct pipe_slot *slots;
	uint8_t *buffers;
	struct client_urb clear;
	struct framing own_framing; /* unless it shares its interface's */
	unsigned seen;		    /* of the framing's changes, by the last pipe_pump */
	/* since the start */
	uint64_t bytes, urbs, errors;
	/* IN: what has come last; there until something comes in its place, a ring later */
	const uint8_t *last;
	uint32_t last_size;
};

struct pipe_options {
	struct client *client;
	struct ffs *ffs;
	struct framing *framing; /* NULL: generic, of its own */
	unsigned at, interface_at;
	uint8_t address, attributes, binterval; /* of the camera's endpoint descriptor */
	uint16_t max_packet;
	bool high_speed;
	unsigned num_slots;   /* at least 2; rounded down to a power of two */
	uint32_t max_request; /* bytes */
	const struct pipe_callbacks *callbacks;
	void *user;
};

/* 0 or -ENOMEM. All memory that the pipe will ever need. */
int pipe_init(struct pipe *p, const struct pipe_options *options);

/* The client must have been freed, and the ffs' aio ended. */
void pipe_fini(struct pipe *p);

/* The phone has configured the gadget: start, or stop and start when it runs. */
void pipe_start(struct pipe *p);

/* The phone is gone: unlink everything at the camera, drop what came. */
void pipe_stop(struct pipe *p);

/* The same of a phone that may only sleep: what has come for it is kept, on an endpoint without
 * a framing, until it wakes (pipe_start) or turns out to be gone (pipe_stop). */
void pipe_sleep(struct pipe *p);

/* The phone has given up the transfer under way, and now asks the camera to: as pipe_stop, and the
 * phone will see nothing of it any more. But what the phone has sent, and what the camera is at,
 * the camera may still finish, for as long as the caller lets it (pipe_unlink_all). Then
 * pipe_start. `goes_on`: the phone may send its next command before, which is kept for it; else
 * whatever comes is of before. */
void pipe_abort(struct pipe *p, bool goes_on);

/* The link is lost, and with it what the camera was asked and sent. The phone gets what had come,
 * and then waits; what it sends waits as well. Before client_abandon. */
void pipe_hold(struct pipe *p);

/* OUT, after client_abandon: if the link was lost in a transaction, what the phone still sends of
 * that is dropped, until a command comes. */
void pipe_cut(struct pipe *p);

/* What has become of the transaction that a lost link was in the middle of. */
enum pipe_remains {
	PIPE_NOTHING,  /* there was none, or the phone waits for nothing more of it */
	PIPE_CUT,      /* the phone waits for its end, which never comes: IN halts */
	PIPE_REPEATED, /* the camera has been asked again, and all of it comes */
};

/* Whether nothing of a transaction that is asked for again has ended here: no halt has been shown
 * to the phone, and none will be. Before pipe_go_on, to both pipes. */
bool pipe_may_repeat(struct pipe *p);

/* The camera is there again, as after a reset. */
void pipe_go_on(struct pipe *p, struct client *client, enum pipe_remains remains);

/* Asks the camera to give up all URBs of this pipe. */
void pipe_unlink_all(struct pipe *p);

/* The phone's port is awake again. */
void pipe_wake(struct pipe *p);

/* The phone does something on this interface: a halt that the camera repeats is tried to be
 * cleared. */
void pipe_kick(struct pipe *p);

/* IN, PIPE_EARLY: all that the phone sends has arrived at the camera, so it may be asked again; or
 * that does not come about, so the halt was one, and the phone is told. */
static inline bool pipe_is_early(const struct pipe *p)
{
	return p->state == PIPE_EARLY || (p->state == PIPE_HALTING && p->early);
}
void pipe_resume(struct pipe *p);
void pipe_give_up(struct pipe *p);

/* OUT: a part of a packet of the camera's has come and waits for the rest. If nothing comes between
 * two calls of pipe_age_gathered, that was the end of the transfer, and is sent. */
static inline bool pipe_is_gathering(const struct pipe *p)
{
	return p->gather;
}
void pipe_age_gathered(struct pipe *p);

/* Once an iteration of the loop: what must not happen inside a callback (halting), and what the
 * other direction has made possible. As a rule there is nothing. */
void pipe_catch_up(struct pipe *p);
static inline void pipe_flush(struct pipe *p)
{
	if (p->state != PIPE_RUNNING || p->camera_halted || p->seen != p->framing->changes)
		pipe_catch_up(p);
}

/* Requests at the camera and at the phone that are not answered yet. */
bool pipe_idle(const struct pipe *p);

const char *pipe_state_str(enum pipe_state state);

/* ---- between pipe.c and pipe_....c only ---- */

static inline struct pipe_slot *pipe_slot_at(struct pipe *p, unsigned counter)
{
	return &p->slots[counter % p->num_slots];
}

static inline uint8_t *pipe_buffer(const struct pipe_slot *slot)
{
	return slot->urb.buffer;
}

static inline bool pipe_is_in(const struct pipe *p)
{
	return p->dir == FRAMING_IN;
}

/* What comes now is of no use to the other side. */
static inline bool pipe_is_dropping(const struct pipe *p)
{
	return p->state == PIPE_STOPPED || p->state == PIPE_STOPPING;
}

/* What this slot was to bring, or has brought, goes nowhere. */
void pipe_drop(struct pipe_slot *slot);

/* The framing sees what this slot has brought; once, however often that is sent. */
void pipe_tell_framing(struct pipe_slot *slot);

/* IN: writes what is left of this slot to the phone's port. */
void pipe_send_to_phone(struct pipe_slot *slot);
/* Cancels that; what the phone has not taken comes back with -ECONNRESET. */
void pipe_take_back(struct pipe_slot *slot);
void pipe_on_aio_done(struct ffsaio_request *req, int result);
void pipe_on_zlp_done(struct ffsaio_request *req, int result);

/* Moves everything on that can move. */
void pipe_pump(struct pipe *p);

/* False: the session is over, of which the relay's owner hears. */
bool pipe_submit(struct pipe_slot *slot, uint32_t length, uint32_t flags);

/* OUT: takes the packet size that the phone has of this endpoint now. */
void pipe_read_packet_size(struct pipe *p);

/* OUT: what has come in this slot is to go to the camera: as a URB, or as a part of one. */
void pipe_send_to_camera(struct pipe_slot *slot);
void pipe_drop_gathered(struct pipe *p);

/* OUT: `size` bytes have come in a read that stood when the phone gave a transfer up: how many of
 * them count, now at the buffer's beginning; -ECONNRESET: none. */
int pipe_skip_remnant(struct pipe_slot *slot, int size);

/* OUT: takes back the reads of more than a packet at the phone's port: they are as long as a
 * transfer that is given up would have been, and would wait for more than the next one has. The
 * oldest stands all the same; `remnant`: the phone may have filled a part of it, and ends it with
 * its next command. */
void pipe_cancel_reads(struct pipe *p, bool remnant);

/* As pipe_stop, but what the camera has been sent, or asked for, is left to it. */
void pipe_drain(struct pipe *p);

/* The camera has failed the URB of this slot: the end of PIPE_RUNNING. */
void pipe_halted(struct pipe_slot *slot, int status);

/* OUT, halts_late: whether what has come is a command: the phone goes on as if there had been no
 * halt, and so does the pipe. */
bool pipe_has_gone_on(struct pipe *p, const uint8_t *data, uint32_t size);

/* CLEAR_FEATURE(ENDPOINT_HALT) to the camera; `next` is the state when it has answered. */
void pipe_clear_halt(struct pipe *p, enum pipe_state next);
void pipe_on_cleared(struct client_urb *urb, int status, uint32_t actual);

#endif
