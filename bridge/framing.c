/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/framing.h"

#include <assert.h>
#include <string.h>

#include "gadget/usbdesc.h"

#define CLASS_IMAGE 0x06
#define CLASS_STORAGE 0x08
#define CLASS_VENDOR 0xff
#define STORAGE_BULK_ONLY 0x50

#define CLASS_REQUEST_OUT 0x21 /* bmRequestType: to an interface */
#define PTP_CANCEL 0x64

static const struct kind {
	uint8_t reset_request;
	uint32_t min_packet; /* below it in either direction the generic framing is used */
	uint32_t (*next)(const struct framing *f, enum framing_dir dir);
	void (*done)(struct framing *f, enum framing_dir dir, const uint8_t *data, uint32_t len,
		bool is_short);
	void (*restart)(struct framing *f, enum framing_dir dir);
	void (*begin)(struct framing *f, enum framing_dir dir);
	bool (*is_command)(const uint8_t *data, uint32_t len);
} kinds[] = {
	/* Not on endpoints of 8 to 32 bytes: their packets split a header, and a command or
	 * response may fill them exactly. No camera is known to have one. */
	[FRAMING_PTP] = {0x66, 33, ptp_next, ptp_done, ptp_restart, ptp_begin, ptp_is_command},
	[FRAMING_BOT] = {0xff, 32, bot_next, bot_done, bot_restart, bot_begin, bot_is_command},
};

enum framing_kind framing_for_class(uint8_t class, uint8_t subclass, uint8_t protocol, bool mtp)
{
	if (class == CLASS_IMAGE && subclass == 1 && protocol == 1)
		return FRAMING_PTP;
	/* A device of MTP before it had a class is known by its interface string alone. */
	if (mtp && (class == CLASS_IMAGE || class == CLASS_VENDOR))
		return FRAMING_PTP;
	if (class == CLASS_STORAGE && protocol == STORAGE_BULK_ONLY)
		return FRAMING_BOT;
	return FRAMING_GENERIC;
}

enum framing_kind framing_of_interface(const struct usb_profile *profile, unsigned at)
{
	const struct usb_interface *i = &profile->interfaces[at];
	const char *name = usbdesc_text(profile, i->string, 0);

	return framing_for_class(i->class, i->subclass, i->protocol, name && !strcmp(name, "MTP"));
}

uint8_t framing_reset_request(enum framing_kind kind)
{
	return kinds[kind].reset_request;
}

void framing_init(struct framing *f, enum framing_kind kind)
{
	memset(f, 0, sizeof(*f));
	f->kind = kind;
}

void framing_stream_init(
	struct framing *f, enum framing_dir dir, uint32_t max_packet, uint32_t max_request)
{
	struct framing_stream *s = &f->stream[dir];

	assert(max_packet);
	/* For both directions: each tells the other what is due. */
	if (max_packet < kinds[f->kind].min_packet)
		f->kind = FRAMING_GENERIC;
	memset(s, 0, sizeof(*s));
	s->max_packet = s->unit = max_packet;
	s->max_request = max_request - max_request % max_packet;
	if (!s->max_request)
		s->max_request = max_packet;
}

/* In the other kinds each direction minds itself alone, and who tells of it asks it again. */
static void changed(struct framing *f)
{
	f->changes += f->kind == FRAMING_BOT;
}

void framing_set_packets(struct framing *f, uint32_t max_packet, uint32_t unit)
{
	struct framing_stream *s = &f->stream[FRAMING_OUT];

	assert(max_packet && unit && unit % max_packet == 0 && unit <= s->max_request);
	s->max_packet = max_packet;
	s->unit = unit;
	s->into = 0;
	changed(f);
}

/* NULL: generic. */
static const struct kind *kind_of(const struct framing *f)
{
	return f->kind == FRAMING_GENERIC ? NULL : &kinds[f->kind];
}

uint32_t framing_step(const struct framing_stream *s, uint64_t due)
{
	uint64_t more, most, beyond;

	if (s->asked < due) {
		more = due - s->asked;
		/* Not a division of 64 bits for every request: the Pi has no instruction for one.
		 */
		beyond = s->unit > s->max_packet ? (s->into + s->asked) % s->unit : 0;
		most = beyond ? s->unit - beyond : s->max_request;
		return (uint32_t)(more < most ? more : most);
	}
	return s->asked - due < s->max_packet ? s->max_packet : 0;
}

uint32_t framing_next(struct framing *f, enum framing_dir dir)
{
	struct framing_stream *s = &f->stream[dir];
	const struct kind *kind = kind_of(f);
	uint32_t next = kind && !s->lost ? kind->next(f, dir) : s->max_packet;

	s->asked += next;
	return next;
}

void framing_done(
	struct framing *f, enum framing_dir dir, uint32_t asked, const uint8_t *data, uint32_t len)
{
	struct framing_stream *s = &f->stream[dir];
	const struct kind *kind = kind_of(f);

	assert(len <= asked && asked <= s->asked);
	s->asked -= asked;
	changed(f);
	f->untaken += dir == FRAMING_OUT;
	if (kind)
		kind->done(f, dir, data, len, len < asked);
	if (dir == FRAMING_OUT)
		s->into = len < asked || framing_is_over(f) ? 0 : (s->into + len) % s->unit;
}

bool framing_is_over(const struct framing *f)
{
	const struct framing_stream *s = &f->stream[FRAMING_OUT];

	if (!kind_of(f) || s->lost)
		return false;
	return f->kind == FRAMING_PTP ? !s->got : f->phase != BOT_DATA_OUT;
}

void framing_taken(struct framing *f)
{
	assert(f->untaken);
	f->untaken--;
	changed(f);
}

void framing_cancelled(struct framing *f, enum framing_dir dir, uint32_t asked)
{
	struct framing_stream *s = &f->stream[dir];

	assert(asked <= s->asked);
	s->asked -= asked;
	changed(f);
}

void framing_restart(struct framing *f, enum framing_dir dir)
{
	f->stream[dir].into = 0;
	changed(f);
	if (f->kind != FRAMING_GENERIC)
		kinds[f->kind].restart(f, dir);
}

void framing_begin(struct framing *f, enum framing_dir dir)
{
	f->stream[dir].into = 0;
	changed(f);
	if (f->kind != FRAMING_GENERIC)
		kinds[f->kind].begin(f, dir);
}

bool framing_is_abort(const struct framing *f, uint8_t request_type, uint8_t request)
{
	uint8_t reset = framing_reset_request(f->kind);

	return request_type == CLASS_REQUEST_OUT &&
		((reset && request == reset) || (f->kind == FRAMING_PTP && request == PTP_CANCEL));
}

bool framing_is_command(const struct framing *f, const uint8_t *data, uint32_t len)
{
	const struct kind *kind = kind_of(f);

	return kind && kind->is_command(data, len);
}

bool framing_clears_halts(const struct framing *f)
{
	return f->kind == FRAMING_BOT;
}

bool framing_is_under_way(const struct framing *f)
{
	return f->under_way;
}

void framing_halted(struct framing *f)
{
	f->halted = true;
}

bool framing_is_halted(const struct framing *f)
{
	return f->halted;
}

uint32_t framing_session(const struct framing *f)
{
	return f->session;
}

void framing_end_session(struct framing *f)
{
	f->session = 0;
}

bool framing_is_taken(const struct framing *f)
{
	return !f->untaken;
}
