/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: what is printed, word for word. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <cjson/cJSON.h>

#include "bridge/board.h"
#include "bridge/boardcheck.h"
#include "bridge/check.h"
#include "gadget/fit.h"
#include "gadget/udc.h"
#include "tests/unit/capture.h"
#include "tests/unit/samples.h"

static const struct udc pi = {.name = "20980000.usb", .driver = "dwc2", .speed = USB_SPEED_HIGH};

/* What check_print writes to standard output. */
static void print(const struct usb_profile *p, const struct udc *udc, const struct fit *fit,
	bool json, char out[4096])
{
	struct capture capture;

	capture_begin(&capture, 1);
	assert_true(check_print("1-1.4", p, udc, fit, json, NULL));
	capture_end(&capture, out, 4096);
}

static void read_sample(struct usb_profile *p, unsigned sample)
{
	const struct sample *c = &samples[sample];

	assert_int_equal(sample_profile(p, c, c->config, c->config_size), 0);
}

static void test_people(void **state)
{
	struct usb_profile p;
	struct fit fit;
	char out[4096];

	(void)state;
	read_sample(&p, SAMPLE_PTP);
	assert_int_equal(fit_check(&fit, &p, &pi), 0);
	print(&p, &pi, &fit, false, out);
	assert_string_equal(out,
		"camera   1-1.4: 04a9:3218 Canon Digital Camera, high speed, 2 mA\n"
		"         interface 0: still image (06/01/01): 0x81 bulk, 0x02 bulk, 0x83 "
		"interrupt\n"
		"port     20980000.usb (dwc2), high speed\n"
		"verdict  the camera can be presented\n");
}

/* By severity, whatever the order in which they were found; alternates are no interfaces. */
static void test_refused(void **state)
{
	struct udc nameless = pi;
	struct usb_profile p;
	struct fit fit = {0};
	char out[4096];

	(void)state;
	read_sample(&p, SAMPLE_UVC);
	fit_add(&fit, FIT_NOTE, "a");
	fit_add(&fit, FIT_LOST, "b");
	fit_add(&fit, FIT_REFUSED, "c");
	fit_add(&fit, FIT_LOST, "d");
	*nameless.driver = 0;
	p.strings[1].text[0] = '\033';
	print(&p, &nameless, &fit, false, out);
	assert_string_equal(out,
		"camera   1-1.4: 046d:082d ?ebcam, high speed, 500 mA\n"
		"         interface 0: video (0e/01/00): 0x83 interrupt\n"
		"         interface 1: video (0e/02/00)\n"
		"port     20980000.usb (unknown driver), high speed\n"
		"refused  c\nlost     b\nlost     d\nnote     a\n"
		"verdict  the camera cannot be presented\n");
	/* CSI in UTF-8, which usbdesc keeps because the phone is to have it; and the longest. */
	memcpy(p.strings[1].text, "\xc2\x9b\x7fZ\xc3\xbc", 7);
	print(&p, NULL, &fit, false, out);
	assert_non_null(strstr(out, "046d:082d ???Z\xc3\xbc, high speed"));
	memset(p.strings[1].text, 'x', USBDESC_STRING_SIZE - 1);
	print(&p, NULL, &fit, false, out);
	assert_ptr_equal(strstr(out, "x, high speed"), strchr(out, 'x') + USBDESC_STRING_SIZE - 2);
	p.num_langs = 0; /* so it has no product string */
	print(&p, NULL, &fit, false, out);
	assert_non_null(strstr(out, "046d:082d , high speed"));
	assert_non_null(strstr(out, "\nport     none\n"));
}

static const char golden_json[] =
	"{\n\t\"camera\":\t{\n"
	"\t\t\"class\":\t\"00\",\n\t\t\"subclass\":\t\"00\",\n\t\t\"protocol\":\t\"00\",\n"
	"\t\t\"interfaces\":\t[{\n"
	"\t\t\t\t\"class\":\t\"03\",\n\t\t\t\t\"subclass\":\t\"01\",\n"
	"\t\t\t\t\"protocol\":\t\"01\",\n\t\t\t\t\"number\":\t0,\n"
	"\t\t\t\t\"endpoints\":\t[{\n\t\t\t\t\t\t\"address\":\t\"81\",\n"
	"\t\t\t\t\t\t\"type\":\t\"interrupt\",\n\t\t\t\t\t\t\"max_packet\":\t8\n"
	"\t\t\t\t\t}]\n\t\t\t}],\n"
	"\t\t\"busid\":\t\"1-1.4\",\n\t\t\"vendor\":\t\"0627\",\n\t\t\"product\":\t\"0001\",\n"
	"\t\t\"product_name\":\t\"QEMU USB Keyboard\",\n\t\t\"speed\":\t\"full\",\n"
	"\t\t\"max_power_ma\":\t100\n\t},\n"
	"\t\"udc\":\t{\n\t\t\"name\":\t\"20980000.usb\",\n\t\t\"driver\":\t\"dwc2\",\n"
	"\t\t\"speed\":\t\"high\"\n\t},\n"
	"\t\"findings\":\t[{\n\t\t\t\"severity\":\t\"lost\",\n"
	"\t\t\t\"text\":\t\"remote wake-up: it cannot wake the phone\"\n\t\t}],\n"
	"\t\"presentable\":\ttrue\n}\n";

static void test_json(void **state)
{
	struct usb_profile p;
	struct fit fit;
	char out[4096];

	(void)state;
	read_sample(&p, SAMPLE_USB_KBD);
	assert_int_equal(fit_check(&fit, &p, &pi), 0);
	print(&p, &pi, &fit, true, out);
	assert_string_equal(out, golden_json);
	fit_add(&fit, FIT_REFUSED, "c");
	print(&p, NULL, &fit, true, out);
	assert_non_null(strstr(out, "\t\"udc\":\tnull,\n"));
	assert_non_null(strstr(out, "\t\"presentable\":\tfalse\n}\n"));
}

/* A webcam's two interfaces have three alternates more. */
static void test_json_interfaces(void **state)
{
	struct usb_profile p;
	struct fit fit;
	char out[4096];
	const char *at = out;
	unsigned n = 0;

	(void)state;
	read_sample(&p, SAMPLE_UVC);
	(void)fit_check(&fit, &p, &pi);
	print(&p, &pi, &fit, true, out);
	while ((at = strstr(at, "\"number\":"))) {
		n++;
		at++;
	}
	assert_int_equal(n, 2);
}

/* The whole string, and nothing that a terminal could take for itself. */
static void test_json_controls(void **state)
{
	struct usb_profile p;
	struct fit fit = {0};
	char out[4096];

	(void)state;
	read_sample(&p, SAMPLE_UVC);
	strcpy(p.strings[1].text,
		"\033\x7f\xc2\x80\xc2\x9b\xc2\x9f\xc2\xa0\xc3\x9b\xe2\x82\x9b\"\\");
	print(&p, NULL, &fit, true, out);
	assert_non_null(strstr(out,
		"\"product_name\":"
		"\t\"\\u001b\\u007f\\u0080\\u009b\\u009f\xc2\xa0\xc3\x9b\xe2\x82\x9b"
		"\\\"\\\\\","));
}

/* ---- the board ---- */

static const struct board zero = {.model = "Raspberry Pi Zero W Rev 1.1\033",
	.machine = "armv6l",
	.release = "6.1",
	.memory_mib = 427};
static const struct boardcheck ill = {
	2, {{BOARDCHECK_NOTE, "clock", "b", ""}, {BOARDCHECK_PROBLEM, "port", "c", "do d"}}};

static void test_board(void **state)
{
	static const struct boardcheck healthy;
	struct capture capture;
	char out[1024];

	(void)state;
	capture_begin(&capture, 1);
	check_print_board(&zero, &healthy);
	check_print_board(&zero, &ill);
	capture_end(&capture, out, sizeof(out));
	assert_string_equal(out,
		"board    Raspberry Pi Zero W Rev 1.1? (armv6l, 427 MiB), Linux 6.1\n"
		"board    Raspberry Pi Zero W Rev 1.1? (armv6l, 427 MiB), Linux 6.1\n"
		"problem  port: c; do d\n"
		"note     clock: b\n");
}

static void test_board_json(void **state)
{
	struct usb_profile p;
	struct fit fit = {0};
	struct capture capture;
	char out[8192];

	(void)state;
	read_sample(&p, SAMPLE_PTP);
	capture_begin(&capture, 1);
	assert_true(check_print("1-1", &p, &pi, &fit, true, check_board_json(&zero, &ill)));
	capture_end(&capture, out, sizeof(out));
	assert_ptr_equal(strstr(out,
				 "{\n\t\"board\":\t[{\n\t\t\t\"severity\":\t\"note\",\n"
				 "\t\t\t\"about\":\t\"board\",\n"
				 "\t\t\t\"text\":\t\"Raspberry Pi Zero W Rev 1.1? (armv6l, 427 "
				 "MiB), Linux 6.1\",\n\t\t\t\"remedy\":\tnull\n\t\t}, {\n"
				 "\t\t\t\"severity\":\t\"note\",\n"),
		out);
	assert_non_null(strstr(out,
		"\"severity\":\t\"problem\",\n\t\t\t\"about\":\t\"port\",\n"
		"\t\t\t\"text\":\t\"c\",\n\t\t\t\"remedy\":\t\"do d\"\n\t\t}],\n"
		"\t\"camera\":\t{"));
}

static void test_full(void **state)
{
	struct usb_profile p;
	struct fit fit;
	int saved = dup(1);

	(void)state;
	read_sample(&p, SAMPLE_PTP);
	assert_int_equal(fit_check(&fit, &p, &pi), 0);
	(void)fflush(stdout);
	assert_non_null(freopen("/dev/full", "w", stdout));
	assert_false(check_print("1-1", &p, &pi, &fit, false, NULL));
	assert_false(check_print("1-1", &p, &pi, &fit, true, NULL));
	clearerr(stdout);
	assert_int_equal(dup2(saved, 1), 1);
	close(saved);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_people),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_json_interfaces),
		cmocka_unit_test(test_json_controls),
		cmocka_unit_test(test_board),
		cmocka_unit_test(test_board_json),
		cmocka_unit_test(test_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
