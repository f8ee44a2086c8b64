/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * led: what goes on, by an LED of /sys/class/leds.
 *
 * The kernel blinks where it has the trigger that is needed (timer, pattern), else a timer of the
 * loop does. A trigger that was there before is put back at the end. That there is no LED, or none
 * that may be written, is no error: then nothing is shown.
 */
#ifndef BRIDGE_LED_H
#define BRIDGE_LED_H

#include <stdbool.h>

#include <ev.h>

enum led_code {
	LED_NOTHING,	/* dark: not running */
	LED_SEARCHING,	/* slow blinking: the network, the server */
	LED_NO_CAMERA,	/* two blinks: the server is there, the camera is not */
	LED_NEEDS_YOU,	/* three blinks: the camera is of no use as it is */
	LED_READY,	/* a short blip: the camera is there, no phone */
	LED_CONFIGURED, /* lit, and flickers with data: the phone uses the camera */
	LED_HOLDING,	/* fast blinking: the link is lost, the phone waits */
	LED_FAULT,	/* SOS */
	NUM_LED_CODES
};

/* LEDs of Linux, as the argument `folder` of led_init. */
#define LED_FOLDER "/sys/class/leds"
#define LED_NONE "none" /* the name of no LED */

struct led {
	struct ev_loop *loop;
	ev_timer step;	 /* of a blinking of our own, or of a flicker */
	int folder;	 /* the LED's; -1: there is none to show on */
	unsigned max;	 /* its brightness when lit */
	unsigned former; /* its brightness before */
	char former_trigger[64];
	bool has_timer, has_pattern; /* triggers */
	enum led_code code;
	unsigned at; /* which step of the blinking, or of the flicker */
};

/* Takes over the LED `name`, and shows LED_NOTHING. `loop` must stay. */
void led_init(struct led *l, struct ev_loop *loop, const char *folder, const char *name);

void led_show(struct led *l, enum led_code code);

/* Data has moved. Cheap; to be called as often as it does. */
void led_flicker(struct led *l);

/* Leaves the LED as it was found. */
void led_fini(struct led *l);

#endif
