/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bootconfig, marked: whatever is in a config.txt, with our lines at its end the port is a
 * device's, and without them the text is what it was, byte for byte. The first byte chooses the
 * board.
 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/bootconfig.h"
#include "bridge/marked.h"
#include "tests/fuzz/fuzz.h"

static const char lines[] = "[all]\ndtoverlay=dwc2,dr_mode=peripheral\n";

static const char *const models[] = {
	"", "Raspberry Pi Zero W Rev 1.1", "Raspberry Pi Zero 2 W Rev 1.0", "Raspberry Pi 4"};

static void check_modules(const char *text, size_t size)
{
	char module[BOOTCONFIG_MAX_MODULE] = "g_";

	(void)bootconfig_modules_gadget(module, text, size);
	require(!strncmp(module, "g_", 2) && strlen(module) < sizeof(module));
	(void)bootconfig_cmdline_gadget(module, text, size);
	require(!strncmp(module, "g_", 2) && strlen(module) < sizeof(module));
}

static void check_marked(const char *text, size_t size, const char *model)
{
	struct marked added, removed;
	struct bootconfig b;

	if (marked_find(text, size, lines) != -ENOENT)
		return;
	require(!marked_add(&added, text, size, lines, !size));
	bootconfig_read(&b, added.text, added.size, model);
	require(b.role == BOOTCONFIG_PERIPHERAL && !b.doubtful);
	require(!marked_remove(&removed, added.text, added.size, lines));
	require(removed.size == size && !memcmp(removed.text, text, size));
	require(removed.none == !size);
	free(added.text);
	free(removed.text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bootconfig b;
	struct marked m = {0};
	const char *model;
	char *text;

	if (!size)
		return 0;
	model = models[data[0] % (sizeof(models) / sizeof(models[0]))];
	size--;
	text = malloc(size ? size : 1);
	require(text);
	memcpy(text, data + 1, size);
	bootconfig_read(&b, text, size, model);
	require(b.role == BOOTCONFIG_UNSET ? !b.line : b.line > 0);
	require(!(b.doubtful && b.role == BOOTCONFIG_PERIPHERAL));
	(void)bootconfig_is_generated(text, size);
	check_modules(text, size);
	check_marked(text, size, model);
	if (!marked_remove(&m, text, size, lines))
		require(m.size < size);
	free(m.text);
	free(text);
	return 0;
}
