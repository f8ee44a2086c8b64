/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pair: what is asked of whoever sits at the terminal. The rest takes a server; the lab has it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bridge/pair.h"
#include "bridge/pairingkey.h"

#define QUESTION "Which one (1 to 12)? "
#define KEY "IP2USB1-000G40R-40M30E2-09185GR-38E1W81-24GK2GA-HC5RR34-D1P70X3-RFT5WF7"
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct dialogue {
	const char *typed;
	unsigned chosen;
	unsigned questions;
} dialogues[] = {
	{"1\n", 1, 1},
	{"12\nrest", 12, 1},
	{"0\n13\n\n-1\n 1\n+1\n1 2\nx\n1x\n4294967297\n18446744073709551617\n2\n", 2, 12},
	/* a line that is longer than any answer is several wrong ones, and not the end of one */
	{"                                                  1\n3\n", 3, 3},
	{"1", 0, 2}, /* nobody has pressed Enter */
	{"", 0, 1},
};

static void test_ask(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(dialogues); i++) {
		const struct dialogue *d = &dialogues[i];
		FILE *in = fmemopen((void *)d->typed, strlen(d->typed) + !*d->typed, "r"), *out;
		char *asked;
		size_t size;

		out = open_memstream(&asked, &size);
		if (!*d->typed)
			(void)fgetc(in);
		assert_int_equal(pair_ask(in, out, 12), d->chosen);
		(void)fclose(in);
		(void)fclose(out);
		assert_int_equal(
			size, d->questions * strlen(QUESTION) + (d->chosen ? 0 : strlen("\n")));
		assert_int_equal(strncmp(asked, QUESTION, strlen(QUESTION)), 0);
		free(asked);
	}
}

static void test_key(void **state)
{
	static const struct {
		const char *typed, *why; /* NULL: it is one */
	} keys[] = {
		{KEY "\n", NULL},
		{KEY, NULL},
		{"  " KEY "  \nrest", NULL},
		{"", "there is none"},
		{"\n", "it does not begin with IP2USB1-"},
		{"IP2USB1-\n" KEY, "it is too short"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(keys); i++) {
		FILE *in = fmemopen(
			(void *)keys[i].typed, strlen(keys[i].typed) + !*keys[i].typed, "r");
		struct pairingkey key;
		const char *why;

		if (!*keys[i].typed)
			(void)fgetc(in);
		assert_int_equal(pair_read_key(in, &key, &why), !keys[i].why);
		if (keys[i].why)
			assert_string_equal(why, keys[i].why);
		else
			assert_int_equal(key.bytes[31], 31);
		(void)fclose(in);
	}
}

/* What was typed after --key is nowhere to be seen any more, be it one or not. */
static void test_wrong_key(void **state)
{
	static const char *const words[] = {"IP2USB1-MISTYPED", KEY "0"};

	(void)state;
	for (size_t i = 0; i < COUNT(words); i++) {
		char *key = strdup(words[i]);
		struct pair_options options = {.server = "pi", .key = key, .config = "/none"};

		assert_int_equal(pair_run(&options), 2);
		assert_int_equal(strspn(key, "*"), strlen(words[i]));
		free(key);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ask),
		cmocka_unit_test(test_key),
		cmocka_unit_test(test_wrong_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
