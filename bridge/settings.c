/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/settings.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

const char *const settings_overrides[] = {
	"/boot/firmware/ip2usb.conf",
	"/boot/ip2usb.conf",
	NULL,
};

/* All of a file counts, or nothing of it. */
static void override(struct settings *s, const char *const *paths)
{
	struct config config = s->config;

	while (*paths && access(*paths, F_OK))
		paths++;
	if (!*paths || config_override(&config, *paths, s->problem, sizeof(s->problem)))
		return;
	s->config = config;
	s->override = *paths;
}

int settings_read(struct settings *s, const char *path, const char *const *overrides)
{
	int r = config_read(&s->config, path, s->error, sizeof(s->error));

	if (!r)
		*s->error = '\0';
	*s->problem = '\0';
	s->override = NULL;
	if ((r && r != -ENODATA) || !overrides)
		return r;
	override(s, overrides);
	if (r && *s->config.server.host) {
		*s->error = '\0';
		r = 0;
	}
	return r;
}
