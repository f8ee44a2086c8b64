/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/lookup.h"

#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "bridge/browse.h"

static struct addrinfo *look_up(const char *host, const char *port, const char **why)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *addresses;
	int r = getaddrinfo(host, port, &hints, &addresses);

	if (!r)
		return addresses;
	*why = r == EAI_SYSTEM ? strerror(errno) : gai_strerror(r);
	return NULL;
}

/* Which of several is meant is never guessed. NULL: none or several. */
static const struct browse_server *only_host(const struct browse *b, const char **why)
{
	*why = "no server announces itself; ip2usb.conf may name one";
	if (!b->count)
		return NULL;
	/* They are sorted by name; one host may have several ports. */
	*why = "several servers announce themselves; 'ip2usb discover' shows them, 'ip2usb pair' "
	       "chooses";
	return strcmp(b->servers[0].host, b->servers[b->count - 1].host) ? NULL : b->servers;
}

struct addrinfo *lookup(const char *host, const char *port, const char **why)
{
	const struct browse_server *server = NULL;
	struct addrinfo *addresses = NULL;
	struct browse *b;

	if (strcmp(host, LOOKUP_AUTO))
		return look_up(host, port, why);
	*why = strerror(ENOMEM);
	b = malloc(sizeof(*b));
	if (b && !browse_run(b, -1, why))
		server = only_host(b, why);
	if (server)
		addresses = look_up(server->address, port, why);
	free(b);
	return addresses;
}
