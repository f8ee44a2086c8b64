/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lookup: of a name, and of the one server that announces itself. With --wrap, no network. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "bridge/browse.h"
#include "bridge/lookup.h"

static struct browse announced;
static int browse_error, name_error;
static unsigned browsed;
static bool no_memory;
static char asked[300];

int __wrap_browse_run(struct browse *b, int stop, const char **why);
int __wrap_getaddrinfo(
	const char *host, const char *port, const struct addrinfo *hints, struct addrinfo **out);
void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);

int __wrap_browse_run(struct browse *b, int stop, const char **why)
{
	assert_true(stop < 0);
	browsed++;
	*b = announced;
	if (browse_error)
		*why = "Daemon not running";
	return browse_error;
}

int __wrap_getaddrinfo(
	const char *host, const char *port, const struct addrinfo *hints, struct addrinfo **out)
{
	static struct addrinfo found;

	assert_int_equal(hints->ai_socktype, SOCK_STREAM);
	(void)snprintf(asked, sizeof(asked), "%s %s", host, port);
	*out = &found;
	errno = EMFILE;
	return name_error;
}

void *__wrap_malloc(size_t size)
{
	return no_memory ? NULL : __real_malloc(size);
}

static int reset(void **state)
{
	(void)state;
	memset(&announced, 0, sizeof(announced));
	browse_error = name_error = 0;
	browsed = 0;
	no_memory = false;
	*asked = 0;
	return 0;
}

static void announce(const char *host, const char *address, uint16_t port)
{
	struct browse_server *s = &announced.servers[announced.count++];

	(void)snprintf(s->host, sizeof(s->host), "%s", host);
	(void)snprintf(s->address, sizeof(s->address), "%s", address);
	s->port = port;
}

static void finds(const char *host, const char *what)
{
	const char *why = NULL;

	assert_non_null(lookup(host, "3240", &why));
	assert_string_equal(asked, what);
}

/* Nothing is looked up that would find it nevertheless. */
static void does_not_find(const char *host, const char *reason)
{
	const char *why = NULL;
	struct addrinfo *none = lookup(host, "3240", &why);

	assert_null(none);
	assert_non_null(why);
	assert_non_null(strstr(why, reason));
}

static void test_name(void **state)
{
	(void)state;
	announce("other.local", "10.0.0.9", 3240);
	finds("camera.local", "camera.local 3240");
	finds("auto.local", "auto.local 3240");
	assert_int_equal(browsed, 0);
	name_error = EAI_NONAME;
	does_not_find("camera.local", gai_strerror(EAI_NONAME));
	name_error = EAI_SYSTEM;
	does_not_find("camera.local", strerror(EMFILE));
}

/* At its address, which needs no mDNS again; the port is the caller's. */
static void test_only_one(void **state)
{
	(void)state;
	announce("camera.local", "fe80::1%wlan0", 3241);
	finds("auto", "fe80::1%wlan0 3240");
	announce("camera.local", "10.0.0.9", 3242);
	finds("auto", "fe80::1%wlan0 3240");
	assert_int_equal(browsed, 2);
	name_error = EAI_NONAME;
	does_not_find("auto", gai_strerror(EAI_NONAME));
}

static void test_none(void **state)
{
	(void)state;
	does_not_find("auto", "no server announces itself");
	assert_string_equal(asked, "");
}

static void test_several(void **state)
{
	(void)state;
	announce("a.local", "10.0.0.1", 3240);
	announce("a.local", "10.0.0.1", 3241);
	announce("b.local", "10.0.0.2", 3240);
	does_not_find("auto", "several servers announce themselves");
	assert_string_equal(asked, "");
}

/* Half of what there is does not tell whether there is one alone. */
static void test_error(void **state)
{
	(void)state;
	announce("a.local", "10.0.0.1", 3240);
	browse_error = -EIO;
	does_not_find("auto", "Daemon not running");
	browse_error = 0;
	no_memory = true;
	does_not_find("auto", strerror(ENOMEM));
	no_memory = false;
	assert_string_equal(asked, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_name, reset),
		cmocka_unit_test_setup(test_only_one, reset),
		cmocka_unit_test_setup(test_none, reset),
		cmocka_unit_test_setup(test_several, reset),
		cmocka_unit_test_setup(test_error, reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
