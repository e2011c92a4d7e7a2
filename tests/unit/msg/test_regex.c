/* SPDX-License-Identifier: Apache-2.0 */
#include "msg/regex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static struct arena *arena;

static int
setup(void **state)
{
	(void)state;
	arena = arena_new(0);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	arena_free(&arena);
	return 0;
}

static int
matches(const char *pattern, struct str subject)
{
	struct err err = { .text = "" };
	struct regex *re = regex_compile(arena, str_of(pattern), &err);

	if (!re)
		fail_msg("%s: %s", pattern, err.text);
	return regex_matches(re, subject, &err);
}

static void
matches_the_whole_value(void **state)
{
	static const struct {
		const char *pattern, *subject;
		int want;
	} table[] = {
		{ "abc", "abc", 1 }, { "abc", "abcd", 0 }, { "b", "abc", 0 },
		{ ".*b.*", "abc", 1 }, { "", "", 1 }, { "", "a", 0 },
		{ "a|ab", "ab", 1 }, { "a*?", "aaa", 1 },
		{ "^abc$", "abc", 1 }, { "a.c", "a\nc", 0 },
		{ "(?s)a.c", "a\nc", 1 }, { "abc", "abc\n", 0 },
		{ "(?i)abc", "ABC", 1 }, { "\\d+", "123", 1 },
		{ "\\d+", "\xD9\xA1", 0 }, { ".", "\xC3\xA9", 1 },
		{ "\xC3\xA9+", "\xC3\xA9\xC3\xA9", 1 },
		{ "\\Qa.b\\E", "a.b", 1 }, { "\\Qa.b\\E", "axb", 0 },
		{ "(\\w+)@\\1", "a@a", 1 }, { "[^/]+", "a/b", 0 },
		{ "a++b", "aab", 1 }, { "\\p{L}+", "\xC3\xA9t\xC3\xA9", 1 },
		{ ".*", "\xFF", 0 },
		/* As Java spells it. */
		{ "\\u00e9", "\xC3\xA9", 1 }, { "[\\u00E9x]+", "x\xC3\xA9",
		    1 },
		{ "\\uD83D\\uDE00", "\xF0\x9F\x98\x80", 1 },
		{ "\\\\u0041", "\\u0041", 1 }, { "\\Q\\u0041\\E",
		    "\\u0041", 1 },
		{ "\\p{Alpha}+", "abc", 1 }, { "\\p{Alpha}+", "a1c", 0 },
		{ "[\\p{Upper}\\p{Digit}]+", "A1", 1 },
		{ "\\P{Digit}+", "abc", 1 }, { "\\P{Digit}+", "ab1", 0 },
		{ "[^\\p{Punct}]+", "a.c", 0 },
		{ "\\p{IsLatin}+", "abc", 1 }, { "\\p{IsAlphabetic}+",
		    "\xC3\xA9", 1 },
		{ "\\p{Lu}", "A", 1 }, { "[^]]+", "abc", 1 },
		{ "[]a]+", "a]", 1 }, { "[\\]\\[]+", "[]", 1 },
		{ "a{2}[x]{1,2}", "aax", 1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (matches(table[i].pattern, str_of(table[i].subject)) !=
		    table[i].want)
			fail_msg("/%s/ and %s", table[i].pattern,
			    table[i].subject);
	assert_int_equal(matches("", STR_NULL), 1);
	assert_int_equal(matches("a\\x00b", STR("a\0b")), 1);
}

static void
gives_groups(void **state)
{
	struct err err;
	struct regex *re = regex_compile(arena, STR("(a)(b)?(.*)"), &err);
	struct str g;

	(void)state;
	assert_int_equal(regex_group(re, STR("ac"), 0, &g, &err), 1);
	assert_true(str_is(g, "ac"));
	assert_int_equal(regex_group(re, STR("ac"), 1, &g, &err), 1);
	assert_true(str_is(g, "a"));
	assert_int_equal(regex_group(re, STR("ac"), 2, &g, &err), 1);
	assert_null(g.p);
	assert_int_equal(regex_group(re, STR("ac"), 3, &g, &err), 1);
	assert_true(str_is(g, "c"));
	assert_int_equal(regex_group(re, STR("ac"), 4, &g, &err), 1);
	assert_null(g.p);
	assert_int_equal(regex_group(re, STR("x"), 1, &g, &err), 0);
	assert_null(g.p);
}

static void
has_room_for_many_groups(void **state)
{
	struct buf_text {
		char p[1000];
	} pattern = { "" }, subject = { "" };
	struct err err;
	struct regex *re;
	struct str g;

	(void)state;
	for (int i = 0; i < 100; i++) {
		strcat(pattern.p, "(.)");
		strcat(subject.p, i == 99 ? "z" : "a");
	}
	re = regex_compile(arena, str_of(pattern.p), &err);
	assert_non_null(re);
	assert_int_equal(regex_group(re, str_of(subject.p), 100, &g, &err),
	    1);
	assert_true(str_is(g, "z"));
}

static void
refuses_bad_patterns(void **state)
{
	static const struct {
		const char *pattern;
		int column;
	} table[] = {
		{ "(", 2 }, { "a)", 2 }, { "[a", 3 }, { "*a", 1 },
		{ "a{2,1}", 7 }, { "(?<n>a)(?<n>b)", 13 }, { "\\", 2 },
	};
	struct err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		err.kind = ERR_NONE;
		assert_null(regex_compile(arena, str_of(table[i].pattern),
		    &err));
		assert_int_equal(err.kind, ERR_SYNTAX);
		if (abs(err.at.column - table[i].column) > 1)
			fail_msg("%s: column %d", table[i].pattern,
			    err.at.column);
	}
	assert_null(regex_compile(arena, STR("\xFF"), NULL));
	/* What would silently mean something else. */
	assert_null(regex_compile(arena, STR("[a-z&&[^b]]"), NULL));
	assert_null(regex_compile(arena, STR("x[a[b]]"), &err));
	assert_int_equal(err.kind, ERR_UNSUPPORTED);
	assert_int_equal(err.at.column, 4);
	assert_null(regex_compile(arena, STR("\\p{Nonsense}"), NULL));
	assert_null(regex_compile(arena, STR("\\p{Alpha"), NULL));
	assert_null(regex_compile(arena, STR("[a\\Qb"), NULL));
}

/* Patterns that try a number of ways that grows with the power of the length:
 * the answer, whichever, comes by the limit. */
static void
gives_up(void **state)
{
	static const char *const patterns[] = {
		"(a+)+", "(a|aa)+", "(a*)*", "(a|a?)+", "(.*a){20}",
		"(x+x+)+y", "^(([a-z])+.)+[A-Z]([a-z])+$",
	};
	char subject[20001];
	struct err err;

	(void)state;
	memset(subject, 'a', sizeof(subject));
	subject[sizeof(subject) - 1] = '!';
	for (size_t i = 0; i < ARRAY_LEN(patterns); i++) {
		struct regex *re = regex_compile(arena, str_of(patterns[i]),
		    &err);
		int rc;

		assert_non_null(re);
		err.kind = ERR_NONE;
		rc = regex_matches(re, (struct str){ subject,
		    sizeof(subject) }, &err);
		assert_int_not_equal(rc, 1);
		if (rc == -1)
			assert_int_equal(err.kind, ERR_LIMIT);
	}
	/* This one can only end so. */
	assert_int_equal(matches("(a|aa)+", (struct str){ subject + 19000,
	    1001 }), -1);
	/* A long subject alone is no reason. */
	assert_int_equal(matches(".*!", (struct str){ subject,
	    sizeof(subject) }), 1);
	assert_int_equal(matches("(?:a)*!", (struct str){ subject,
	    sizeof(subject) }), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(matches_the_whole_value),
		cmocka_unit_test(gives_groups),
		cmocka_unit_test(has_room_for_many_groups),
		cmocka_unit_test(refuses_bad_patterns),
		cmocka_unit_test(gives_up),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
