/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * led: what is written to a folder that looks like one of /sys/class/leds, and when.
 *
 * Linked with --wrap=ev_timer_start.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "bridge/led.h"

#define ALL "none kbd-numlock [mmc0] timer pattern oneshot\n"
#define NO_PATTERN "none [mmc0] timer\n"
#define NEITHER "none [mmc0] timers patterns\n"

struct rig {
	char folder[32];
	struct ev_loop *loop;
	struct led led;
};

static void in_folder(const struct rig *r, const char *name, char path[128])
{
	(void)snprintf(path, 128, "%s/ACT%s%s", r->folder, *name ? "/" : "", name);
}

static void put(const struct rig *r, const char *name, const char *text)
{
	char path[128];
	FILE *file;

	in_folder(r, name, path);
	file = fopen(path, "we");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void expect(const struct rig *r, const char *name, const char *wanted)
{
	char path[128], text[512] = "";
	FILE *file;

	in_folder(r, name, path);
	file = fopen(path, "re");
	assert_non_null(file);
	text[fread(text, 1, sizeof(text) - 1, file)] = 0;
	fclose(file);
	assert_string_equal(text, wanted);
}

/* A LED that some trigger lights, as the memory card's does. */
static void open_rig(struct rig *r, const char *triggers)
{
	char path[128];

	strcpy(r->folder, "/tmp/test_led.XXXXXX");
	assert_non_null(mkdtemp(r->folder));
	in_folder(r, "", path);
	assert_int_equal(mkdir(path, 0700), 0);
	put(r, "trigger", triggers);
	put(r, "brightness", "1\n");
	put(r, "max_brightness", "255\n");
	/* The kernel makes these when the trigger is set. */
	put(r, "delay_on", "");
	put(r, "delay_off", "");
	put(r, "pattern", "");
	r->loop = ev_loop_new(0);
	led_init(&r->led, r->loop, r->folder, "ACT");
}

static void close_rig(struct rig *r)
{
	static const char *const files[] = {
		"trigger", "brightness", "max_brightness", "delay_on", "delay_off", "pattern", ""};
	char path[128];

	led_fini(&r->led);
	assert_false(ev_is_active(&r->led.step));
	ev_loop_destroy(r->loop);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		in_folder(r, files[i], path);
		assert_int_equal(remove(path), 0);
	}
	assert_int_equal(rmdir(r->folder), 0);
}

static double started_s; /* what the last timer was started for */

void __real_ev_timer_start(struct ev_loop *loop, ev_timer *timer);
void __wrap_ev_timer_start(struct ev_loop *loop, ev_timer *timer);

void __wrap_ev_timer_start(struct ev_loop *loop, ev_timer *timer)
{
	started_s = timer->at;
	__real_ev_timer_start(loop, timer);
}

/* The time until the next step, which is then taken. */
static unsigned step(struct rig *r)
{
	unsigned ms = (unsigned)(started_s * 1000. + 0.5);

	assert_true(ev_is_active(&r->led.step));
	ev_timer_stop(r->loop, &r->led.step);
	ev_invoke(r->loop, &r->led.step, EV_TIMER);
	return ms;
}

static void test_taken_and_given_back(void **state)
{
	struct rig r;

	(void)state;
	open_rig(&r, ALL);
	expect(&r, "brightness", "0");
	led_show(&r.led, LED_CONFIGURED);
	expect(&r, "trigger", "none");
	expect(&r, "brightness", "255");
	led_fini(&r.led);
	expect(&r, "brightness", "1");
	expect(&r, "trigger", "mmc0");
	close_rig(&r);
}

static void test_timer(void **state)
{
	struct rig r;

	(void)state;
	open_rig(&r, ALL);
	led_show(&r.led, LED_SEARCHING);
	expect(&r, "trigger", "timer");
	expect(&r, "delay_on", "1000");
	expect(&r, "delay_off", "1000");
	assert_false(ev_is_active(&r.led.step));
	led_show(&r.led, LED_HOLDING);
	expect(&r, "delay_on", "100");
	led_show(&r.led, LED_NOTHING);
	expect(&r, "trigger", "none");
	expect(&r, "brightness", "0");
	close_rig(&r);
}

static void test_pattern(void **state)
{
	struct rig r;

	(void)state;
	open_rig(&r, ALL);
	led_show(&r.led, LED_NO_CAMERA);
	expect(&r, "trigger", "pattern");
	expect(&r, "pattern", "255 150 255 0 0 150 0 0 255 150 255 0 0 1500 0 0");
	assert_false(ev_is_active(&r.led.step));
	close_rig(&r);
}

/* How often it is lit in a period, and how long a period is. */
static void test_by_ourselves(void **state)
{
	static const struct {
		enum led_code code;
		unsigned steps, ms;
	} cases[] = {
		{LED_SEARCHING, 2, 2000},
		{LED_NO_CAMERA, 4, 1950},
		{LED_NEEDS_YOU, 6, 2250},
		{LED_READY, 2, 2000},
		{LED_HOLDING, 2, 200},
		{LED_FAULT, 18, 6 * 150 + 3 * 450 + 6 * 150 + 2 * 450 + 1500},
	};
	struct rig r;

	(void)state;
	open_rig(&r, NEITHER);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		unsigned ms = 0;

		led_show(&r.led, cases[i].code);
		expect(&r, "trigger", "none");
		for (unsigned at = 0; at < cases[i].steps; at++) {
			expect(&r, "brightness", at % 2 ? "0" : "255");
			ms += step(&r);
		}
		assert_int_equal(ms, cases[i].ms);
		expect(&r, "brightness", "255");
	}
	led_show(&r.led, LED_NOTHING);
	assert_false(ev_is_active(&r.led.step));
	expect(&r, "brightness", "0");
	close_rig(&r);
}

static void test_pattern_missing(void **state)
{
	struct rig r;

	(void)state;
	open_rig(&r, NO_PATTERN);
	led_show(&r.led, LED_HOLDING);
	expect(&r, "trigger", "timer");
	led_show(&r.led, LED_NEEDS_YOU);
	expect(&r, "trigger", "none");
	assert_true(ev_is_active(&r.led.step));
	close_rig(&r);
}

static void test_flicker(void **state)
{
	struct rig r;

	(void)state;
	open_rig(&r, ALL);
	led_flicker(&r.led);
	assert_false(ev_is_active(&r.led.step));
	led_show(&r.led, LED_CONFIGURED);
	led_flicker(&r.led);
	expect(&r, "brightness", "0");
	put(&r, "brightness", "not written again");
	led_flicker(&r.led);
	expect(&r, "brightness", "not written again");
	assert_int_equal(step(&r), 50);
	expect(&r, "brightness", "255");
	/* It is lit for a moment, whatever comes. */
	led_flicker(&r.led);
	expect(&r, "brightness", "255");
	assert_int_equal(step(&r), 50);
	assert_false(ev_is_active(&r.led.step));
	led_flicker(&r.led);
	expect(&r, "brightness", "0");
	led_show(&r.led, LED_HOLDING);
	assert_false(ev_is_active(&r.led.step));
	close_rig(&r);
}

/* What is shown already does not begin again. */
static void test_same(void **state)
{
	struct rig r;

	(void)state;
	open_rig(&r, ALL);
	led_show(&r.led, LED_NO_CAMERA);
	put(&r, "pattern", "not written again");
	led_show(&r.led, LED_NO_CAMERA);
	expect(&r, "pattern", "not written again");
	close_rig(&r);
}

/* One that may not be written stays as it is. */
static void test_not_writable(void **state)
{
	char path[128];
	struct rig r;

	(void)state;
	open_rig(&r, ALL);
	led_fini(&r.led);
	put(&r, "trigger", ALL);
	in_folder(&r, "brightness", path);
	assert_int_equal(remove(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	led_init(&r.led, r.loop, r.folder, "ACT");
	led_show(&r.led, LED_FAULT);
	expect(&r, "trigger", ALL);
	assert_false(ev_is_active(&r.led.step));
	close_rig(&r);
}

static void test_none(void **state)
{
	char name[64];
	struct led led;
	struct rig r;

	(void)state;
	/* Even if there is one of that name. */
	open_rig(&r, ALL);
	led_fini(&r.led);
	(void)snprintf(name, sizeof(name), "%s/" LED_NONE, r.folder);
	assert_int_equal(symlink("ACT", name), 0);
	led_init(&led, r.loop, r.folder, LED_NONE);
	led_show(&led, LED_CONFIGURED);
	expect(&r, "brightness", "1");
	led_fini(&led);
	assert_int_equal(remove(name), 0);
	close_rig(&r);

	led_init(&led, NULL, "/nowhere", "ACT");
	led_show(&led, LED_FAULT);
	led_show(&led, LED_CONFIGURED);
	led_flicker(&led);
	led_fini(&led);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_taken_and_given_back),
		cmocka_unit_test(test_timer),
		cmocka_unit_test(test_pattern),
		cmocka_unit_test(test_by_ourselves),
		cmocka_unit_test(test_pattern_missing),
		cmocka_unit_test(test_flicker),
		cmocka_unit_test(test_same),
		cmocka_unit_test(test_not_writable),
		cmocka_unit_test(test_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
