/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/led.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bridge/log.h"

#define MAX_STEPS 18
#define FLICKER_MS 50 /* dark, and then lit before it may be dark again */

#define DOT 150
#define DASH 450
#define WITHIN 150 /* dark between two of a letter */
#define BETWEEN 450
#define AFTER 1500

/* In ms, lit and dark by turns, again and again; empty: always the same. */
struct blinking {
	unsigned num;
	unsigned short ms[MAX_STEPS];
};

static const struct blinking blinkings[NUM_LED_CODES] = {
	[LED_SEARCHING] = {2, {1000, 1000}},
	[LED_NO_CAMERA] = {4, {DOT, WITHIN, DOT, AFTER}},
	[LED_NEEDS_YOU] = {6, {DOT, WITHIN, DOT, WITHIN, DOT, AFTER}},
	[LED_READY] = {2, {50, 1950}},
	[LED_HOLDING] = {2, {100, 100}},
	[LED_FAULT] = {18,
		{DOT, WITHIN, DOT, WITHIN, DOT, BETWEEN, DASH, WITHIN, DASH, WITHIN, DASH, BETWEEN,
			DOT, WITHIN, DOT, WITHIN, DOT, AFTER}},
};

/* ---- its files ---- */

static bool get(const struct led *l, const char *name, char *out, size_t size)
{
	int fd = openat(l->folder, name, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, out, size - 1);

	if (fd >= 0)
		close(fd);
	out[n > 0 ? n : 0] = 0;
	return n > 0;
}

static bool put(const struct led *l, const char *name, const char *text)
{
	int fd = openat(l->folder, name, O_WRONLY | O_TRUNC | O_CLOEXEC);
	size_t size = strlen(text);
	bool done = fd >= 0 && write(fd, text, size) == (ssize_t)size;

	if (fd >= 0)
		close(fd);
	return done;
}

static bool put_number(const struct led *l, const char *name, unsigned value)
{
	char text[16];

	(void)snprintf(text, sizeof(text), "%u", value);
	return put(l, name, text);
}

static unsigned get_number(const struct led *l, const char *name)
{
	char text[16];

	return get(l, name, text, sizeof(text)) ? (unsigned)strtoul(text, NULL, 10) : 0;
}

/* ---- its triggers ---- */

/* A list of words, the one that is set in brackets (led_trigger_read). */
static void read_triggers(struct led *l)
{
	char list[4096], *next = NULL;

	if (!get(l, "trigger", list, sizeof(list)))
		return;
	for (char *word = strtok_r(list, " \n", &next); word; word = strtok_r(NULL, " \n", &next)) {
		size_t n = strlen(word);
		bool is_set = n > 2 && word[0] == '[' && word[n - 1] == ']';

		if (is_set) {
			word[n - 1] = 0;
			word++;
		}
		l->has_timer |= !strcmp(word, "timer");
		l->has_pattern |= !strcmp(word, "pattern");
		if (is_set && strlen(word) < sizeof(l->former_trigger))
			strcpy(l->former_trigger, word);
	}
}

static bool blink_by_timer(const struct led *l, const struct blinking *b)
{
	return l->has_timer && b->num == 2 && put(l, "trigger", "timer") &&
		put_number(l, "delay_on", b->ms[0]) && put_number(l, "delay_off", b->ms[1]);
}

/* The trigger dims from each brightness to the next over the time given, so each stands twice: for
 * its time, and then to leave it at once (sysfs-class-led-trigger-pattern). */
static bool blink_by_pattern(const struct led *l, const struct blinking *b)
{
	char text[MAX_STEPS * 32];
	size_t n = 0;

	if (!l->has_pattern)
		return false;
	for (unsigned i = 0; i < b->num; i++) {
		unsigned brightness = i % 2 ? 0 : l->max;

		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%u %u %u 0", n ? " " : "",
			brightness, b->ms[i], brightness);
	}
	return put(l, "trigger", "pattern") && put(l, "pattern", text);
}

/* ---- blinking without ---- */

static void set_step(struct led *l, unsigned ms)
{
	ev_timer_stop(l->loop, &l->step);
	ev_timer_set(&l->step, ms / 1000., 0.);
	ev_timer_start(l->loop, &l->step);
}

static void take_step(struct led *l)
{
	const struct blinking *b = &blinkings[l->code];

	(void)put_number(l, "brightness", l->at % 2 ? 0 : l->max);
	set_step(l, b->ms[l->at]);
	l->at = (l->at + 1) % b->num;
}

static void on_step(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct led *l = timer->data;

	(void)loop;
	(void)events;
	if (blinkings[l->code].num) {
		take_step(l);
	} else if (!l->at) {
		(void)put_number(l, "brightness", l->max);
		l->at = 1;
		set_step(l, FLICKER_MS);
	}
}

/* ---- showing ---- */

void led_show(struct led *l, enum led_code code)
{
	const struct blinking *b = &blinkings[code];

	if (l->folder < 0 || code == l->code)
		return;
	l->code = code;
	l->at = 0;
	ev_timer_stop(l->loop, &l->step);
	if (b->num && (blink_by_timer(l, b) || blink_by_pattern(l, b)))
		return;
	(void)put(l, "trigger", "none");
	if (b->num)
		take_step(l);
	else
		(void)put_number(l, "brightness", code == LED_CONFIGURED ? l->max : 0);
}

void led_flicker(struct led *l)
{
	if (l->folder < 0 || l->code != LED_CONFIGURED || ev_is_active(&l->step))
		return;
	(void)put_number(l, "brightness", 0);
	l->at = 0;
	set_step(l, FLICKER_MS);
}

void led_init(struct led *l, struct ev_loop *loop, const char *folder, const char *name)
{
	char path[256];

	memset(l, 0, sizeof(*l));
	l->loop = loop;
	ev_init(&l->step, on_step);
	l->step.data = l;
	l->folder = -1;
	if (!strcmp(name, LED_NONE))
		return;
	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	l->folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (l->folder < 0) {
		log_info("no LED shows what goes on: %s: %s", path, strerror(errno));
		return;
	}
	read_triggers(l);
	l->max = get_number(l, "max_brightness");
	l->former = get_number(l, "brightness");
	/* This ends its trigger, too (sysfs-class-led). */
	if (put_number(l, "brightness", 0))
		return;
	log_warning("no LED shows what goes on: %s/brightness: %s", path, strerror(errno));
	close(l->folder);
	l->folder = -1;
}

void led_fini(struct led *l)
{
	if (l->folder < 0)
		return;
	ev_timer_stop(l->loop, &l->step);
	(void)put(l, "trigger", "none");
	(void)put_number(l, "brightness", l->former);
	if (*l->former_trigger)
		(void)put(l, "trigger", l->former_trigger);
	close(l->folder);
	l->folder = -1;
}
