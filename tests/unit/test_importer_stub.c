/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * importer: its answers to URBs that are given up, beside those of Linux' own server
 * (drivers/usb/usbip/stub_rx.c, stub_tx.c, stub_main.c), of which this has a model.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bridge/urbpool.h"
#include "tests/unit/importrig.h"

/* What happens, in its order:
 *   s1     CMD_SUBMIT 1 is read
 *   u9:1   CMD_UNLINK 9, of 1, is read
 *   e1:-32 the device is done with 1, with this status, or 0
 *   c1     it has cancelled 1
 *   .      what has been answered is sent; also behind each s and u
 * What is answered: S1:-32 RET_SUBMIT, U9:-104 RET_UNLINK. */
static const struct {
	const char *name, *steps, *ours;
	const char *stub; /* NULL: the same */
} cases[] = {
	{"nothing is given up", "s1 s2 e2 e1:-32", "S2:0 S1:-32", NULL},
	{"before the reply", "s1 u9:1 c1", "U9:-104", NULL},
	{"not before it has come back", "s1 u9:1 .", "", NULL},
	{"others go on", "s1 s2 u9:1 e2 . c1", "S2:0 U9:-104", NULL},
	{"in any order", "s1 s2 u8:2 u9:1 c1 c2", "U9:-104 U8:-104", NULL},
	{"done, and not sent", "s1 e1 u9:1", "S1:0 U9:0", NULL},
	{"failed, and not sent", "s1 e1:-32 u9:1", "S1:-32 U9:0", NULL},
	{"sent", "s1 e1 . u9:1", "S1:0 U9:0", NULL},
	{"cancelled by itself", "s1 c1 u9:1", "S1:-104 U9:0", NULL},
	{"twice", "s1 u8:1 u9:1 c1", "U9:0 U8:-104", NULL},
	{"twice, and it has come back", "s1 u8:1 c1 u9:1", "U8:-104 U9:0", NULL},
	{"twice, and sent", "s1 u8:1 c1 . u9:1", "U8:-104 U9:0", NULL},
	{"unknown", "u9:77", "U9:0", NULL},
	{"unknown, beside others", "s1 u9:77 e1", "U9:0 S1:0", NULL},
	{"itself", "u9:9", "U9:0", NULL},
	{"an unlink, answered", "s1 u8:1 c1 . u9:8", "U8:-104 U9:0", NULL},
	{"the number again", "s1 u9:1 c1 s1 e1", "U9:-104 S1:0", NULL},
	{"the number again, given up again", "s1 u8:1 c1 s1 u9:1 c1", "U8:-104 U9:-104", NULL},
	/* Where ours is another: the stub drops what such a URB has brought, as vhci would anyway;
	 * our own client makes use of it. */
	{"it was faster", "s1 u9:1 e1", "S1:0 U9:0", "U9:0"},
	{"it was faster, and failed", "s1 u9:1 e1:-32", "S1:-32 U9:0", "U9:-32"},
	/* The stub keeps the unlink's number in the URB's place, takes that for a URB's, and never
	 * answers the first. */
	{"an unlink, under way", "s1 u8:1 u9:8 c1", "U9:0 U8:-104", "U9:-104"},
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define MAX_URBS 8

struct step {
	char what;
	uint32_t seqnum;
	int of; /* the victim, or a status */
};

static bool next_step(const char **at, struct step *s)
{
	char *end;

	*at += strspn(*at, " ");
	if (!**at)
		return false;
	*s = (struct step){.what = *(*at)++};
	s->seqnum = (uint32_t)strtoul(*at, &end, 10);
	if (*end == ':')
		s->of = (int)strtol(end + 1, &end, 10);
	*at = end;
	return true;
}

static void put(char *out, char what, uint32_t seqnum, int status)
{
	(void)sprintf(
		out + strlen(out), "%s%c%u:%d", *out ? " " : "", what, (unsigned)seqnum, status);
}

/* ---- Linux' server ---- */

struct stub {
	/* priv_init: at the device. The number is the unlink's once it is unlinking. */
	struct {
		uint32_t seqnum, of;
		bool unlinking;
	} init[MAX_URBS];
	unsigned num_init;
	char submits[200], unlinks[200]; /* priv_tx, unlink_tx */
	char sent[400];
};

/* stub_tx_loop: stub_send_ret_submit, then stub_send_ret_unlink. */
static void stub_send(struct stub *s)
{
	char *queues[] = {s->submits, s->unlinks};

	for (int i = 0; i < 2; i++) {
		if (*queues[i])
			strcat(strcat(s->sent, *s->sent ? " " : ""), queues[i]);
		*queues[i] = '\0';
	}
}

/* stub_recv_cmd_unlink */
static void stub_unlink(struct stub *s, uint32_t seqnum, uint32_t victim)
{
	for (unsigned i = 0; i < s->num_init; i++) {
		if (s->init[i].seqnum != victim)
			continue;
		s->init[i].unlinking = true;
		s->init[i].seqnum = seqnum;
		return;
	}
	put(s->unlinks, 'U', seqnum, 0);
}

/* stub_complete; `of` is the CMD_SUBMIT's number. */
static void stub_complete(struct stub *s, uint32_t of, int status)
{
	unsigned i = 0;

	while (i < s->num_init && s->init[i].of != of)
		i++;
	assert_true(i < s->num_init);
	if (s->init[i].unlinking)
		put(s->unlinks, 'U', s->init[i].seqnum, status);
	else
		put(s->submits, 'S', of, status);
	s->init[i] = s->init[--s->num_init];
}

static void stub_do(struct stub *s, const struct step *step)
{
	switch (step->what) {
	case 's':
		s->init[s->num_init].seqnum = s->init[s->num_init].of = step->seqnum;
		s->init[s->num_init++].unlinking = false;
		break;
	case 'u':
		stub_unlink(s, step->seqnum, (uint32_t)step->of);
		break;
	case 'e':
	case 'c':
		stub_complete(s, step->seqnum, step->what == 'c' ? -ECONNRESET : step->of);
		return;
	default:
		break;
	}
	stub_send(s);
}

/* ---- ours ---- */

static struct usbdevice_urb *find(const struct importrig *r, uint32_t seqnum)
{
	for (unsigned i = 0; i < r->device.num_urbs; i++) {
		struct usbdevice_urb *urb = fake_usbdevice_urb(&r->device, i);

		if (((struct urbpool_urb *)urb->user)->seqnum == seqnum)
			return urb;
	}
	return NULL;
}

static void ours_do(struct importrig *r, const struct step *step)
{
	struct usbdevice_urb *urb = find(r, step->seqnum);

	switch (step->what) {
	case 's':
		importrig_ask(r, step->seqnum, 64);
		break;
	case 'u':
		importrig_unlink(r, step->seqnum, (uint32_t)step->of);
		break;
	case 'c':
		assert_non_null(urb);
		/* That is when a device has one cancelled, but for one that cancels by itself. */
		fake_usbdevice_end(urb, -ECONNRESET, NULL, 0);
		return;
	case 'e':
		assert_non_null(urb);
		fake_usbdevice_end(urb, step->of, "hello", 5);
		return;
	default:
		importrig_run(r);
		return;
	}
	/* It is read before anything is sent, as by a loop that finds both. */
	importrig_prepare(r);
	importer_dispatch(r->importer);
}

static void take_answers(struct importrig *r, char *out)
{
	struct importrig_answer a;

	importrig_run(r);
	while (importrig_answer(r, &a)) {
		put(out, a.command == 3 ? 'S' : 'U', a.seqnum, a.status);
		assert_int_equal(a.actual, a.command == 3 && a.status != -ECONNRESET ? 5 : 0);
	}
	importrig_expect_nothing(r);
}

static void test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *at = cases[i].steps;
		char ours[400] = "";
		struct stub stub = {0};
		struct importrig r;
		struct step step;

		print_message("%s\n", cases[i].name);
		importrig_open(&r);
		while (next_step(&at, &step)) {
			stub_do(&stub, &step);
			ours_do(&r, &step);
		}
		stub_send(&stub);
		take_answers(&r, ours);
		assert_string_equal(ours, cases[i].ours);
		assert_string_equal(stub.sent, cases[i].stub ? cases[i].stub : cases[i].ours);
		assert_true(!cases[i].stub || strcmp(cases[i].stub, cases[i].ours) != 0);
		importrig_fini(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_cases)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
