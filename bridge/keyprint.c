/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/keyprint.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef HAVE_QRENCODE
#include <qrencode.h>
#endif

#include "bridge/log.h"
#include "bridge/pairingkey.h"

#ifdef HAVE_QRENCODE
#define MARGIN 4
#define BLACK_AND_WHITE "\033[40;97m"
#define AS_BEFORE "\033[0m"

static bool is_light(const QRcode *code, int x, int y)
{
	bool is_outside = x < 0 || y < 0 || x >= code->width || y >= code->width;

	return is_outside || !(code->data[y * code->width + x] & 1);
}

int keyprint_qr(FILE *out, const char *text)
{
	/* The upper half of a character, and the lower. */
	static const char *const squares[2][2] = {{" ", "\u2584"}, {"\u2580", "\u2588"}};
	/* M: with 15 % of it unreadable it can be read. */
	QRcode *code = QRcode_encodeString(text, 0, QR_ECLEVEL_M, QR_MODE_8, 1);

	if (!code)
		return -errno;
	for (int y = -MARGIN; y < code->width + MARGIN; y += 2) {
		fputs(BLACK_AND_WHITE, out);
		for (int x = -MARGIN; x < code->width + MARGIN; x++)
			fputs(squares[is_light(code, x, y)][is_light(code, x, y + 1)], out);
		fputs(AS_BEFORE "\n", out);
	}
	explicit_bzero(code->data, (size_t)code->width * (size_t)code->width);
	QRcode_free(code);
	return 0;
}
#else
int keyprint_qr(FILE *out, const char *text)
{
	(void)out;
	(void)text;
	return -ENOTSUP;
}
#endif

static void print_all(const char *text, const char *path, bool is_new)
{
	int r;

	printf("%s\n\n", text);
	r = keyprint_qr(stdout, text);
	if (!r)
		printf("\n");
	else
		log_debug("no QR code: %s", strerror(-r));
	if (is_new)
		printf("This key is new, and nobody has it yet. Here, in %s:\n\n"
		       "    [server]\n    key = %s\n\n"
		       "and who runs ip2usb-export alone is to read that file; of the service:\n\n"
		       "    chgrp ip2usb-export %s\n    chmod 640 %s\n"
		       "    systemctl reload ip2usb-export\n\n"
		       "Then, ",
			path, text, path, path);
	else
		printf("This is the key in %s. ", path);
	printf("%s each ip2usb that is to import devices from here, HOST being this machine:\n\n"
	       "    ip2usb pair HOST --key -\n\nwhich asks for the key.\n",
		is_new ? "at" : "At");
}

int keyprint_run(
	const struct exportconfig *config, const char *path, bool is_new, enum keyprint_form form)
{
	bool with_all = form == KEYPRINT_ALL || (form == KEYPRINT_AUTO && isatty(STDOUT_FILENO));
	struct pairingkey key = config->key;
	char text[PAIRINGKEY_TEXT_SIZE];
	int r;

	is_new |= !config->has_key;
	r = is_new ? pairingkey_new(&key) : 0;
	if (r) {
		log_error("no new key: %s", strerror(-r));
		return EXIT_FAILURE;
	}
	pairingkey_format(&key, text);
	pairingkey_wipe(&key);
	if (with_all)
		print_all(text, path, is_new);
	else
		printf("%s\n", text);
	explicit_bzero(text, sizeof(text));
	if (fflush(stdout)) {
		log_error("not all of it could be printed: %s", strerror(errno));
		return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}
