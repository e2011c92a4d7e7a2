/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#define assert_str(got, want) \
	do { \
		struct str got_ = (got); \
		char text_[256]; \
		snprintf(text_, sizeof(text_), "%.*s", STR_FMT(got_)); \
		assert_string_equal(text_, want); \
	} while (0)

static void
equal(void **state UNUSED)
{
	assert_true(str_eq(STR("ab"), STR("ab")));
	assert_false(str_eq(STR("ab"), STR("aB")));
	assert_false(str_eq(STR("ab"), STR("abc")));
	assert_true(str_eq(STR_NULL, STR("")));
	assert_true(str_eq(STR("a\0b"), STR("a\0b")));
	assert_false(str_eq(STR("a\0b"), STR("a\0c")));
	assert_true(str_is(STR("ab"), "ab"));
	assert_true(str_is(STR_NULL, ""));
	assert_false(str_is(STR("a\0b"), "a"));
	assert_null(str_of(NULL).p);
	assert_int_equal(str_of(NULL).n, 0);
	assert_int_equal(str_of("abc").n, 3);
}

static void
equal_but_case(void **state UNUSED)
{
	assert_true(str_ieq(STR("Sec-WebSocket"), STR("sEC-wEBsOCKET")));
	assert_true(str_iis(STR("UPGRADE"), "upgrade"));
	assert_false(str_iis(STR("upgrade"), "upgrad"));
	/* the neighbours of the letters are no letters */
	assert_false(str_ieq(STR("@[`{"), STR("`{@[")));
	assert_false(str_ieq(STR("\xC4"), STR("\xE4")));
	assert_true(str_ieq(STR_NULL, STR("")));
}

static void
fronts_and_ends(void **state UNUSED)
{
	assert_true(str_starts(STR("abc"), "ab"));
	assert_true(str_starts(STR("abc"), ""));
	assert_true(str_starts(STR_NULL, ""));
	assert_false(str_starts(STR("ab"), "abc"));
	assert_false(str_starts(STR("xabc"), "ab"));
	assert_true(str_istarts(STR("ABc"), "ab"));
	assert_false(str_istarts(STR("A"), "ab"));
	assert_true(str_ends(STR("abc"), "bc"));
	assert_true(str_ends(STR("abc"), ""));
	assert_true(str_ends(STR_NULL, ""));
	assert_false(str_ends(STR("abc"), "ab"));
	assert_false(str_ends(STR("c"), "bc"));
}

static void
find(void **state UNUSED)
{
	assert_int_equal(str_find(STR("abca"), 'a'), 0);
	assert_int_equal(str_find(STR("abca"), 'c'), 2);
	assert_int_equal(str_find(STR("abca"), 'x'), 4);
	assert_int_equal(str_find(STR_NULL, 'x'), 0);
	assert_int_equal(str_search(STR("ababc"), STR("abc")), 2);
	assert_int_equal(str_search(STR("ababc"), STR("abd")), 5);
	assert_int_equal(str_search(STR("ab"), STR("abc")), 2);
	assert_int_equal(str_search(STR("ab"), STR("")), 0);
	assert_int_equal(str_search(STR_NULL, STR("a")), 0);
	assert_int_equal(str_search(STR("a\0bc"), STR("\0b")), 1);
}

static void
pieces(void **state UNUSED)
{
	assert_str(str_from(STR("abc"), 1), "bc");
	assert_str(str_from(STR("abc"), 3), "");
	assert_str(str_from(STR("abc"), 99), "");
	assert_null(str_from(STR_NULL, 3).p);
	assert_str(str_head(STR("abc"), 2), "ab");
	assert_str(str_head(STR("abc"), 99), "abc");
	assert_int_equal(str_head(STR_NULL, 2).n, 0);
}

static void
trim(void **state UNUSED)
{
	assert_str(str_trim(STR(" \t\r\n a b \r\n")), "a b");
	assert_str(str_trim(STR("ab")), "ab");
	assert_str(str_trim(STR("  ")), "");
	assert_null(str_trim(STR_NULL).p);
	assert_str(str_trim(STR("\va\f")), "\va\f");
	assert_true(str_blank(STR(" \t\r\n")));
	assert_true(str_blank(STR_NULL));
	assert_false(str_blank(STR(" x ")));
}

static void
next(void **state UNUSED)
{
	static const struct {
		const char *text;
		const char *parts[6];
	} rows[] = {
		{ "", { "" } },
		{ ",", { "", "" } },
		{ "a", { "a" } },
		{ "a,,b", { "a", "", "b" } },
		{ ",a,", { "", "a", "" } },
		{ "a, b ,c", { "a", " b ", "c" } },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str rest = str_of(rows[i].text), part;

		for (size_t k = 0; rows[i].parts[k]; k++) {
			assert_true(str_next(&rest, ',', &part));
			assert_str(part, rows[i].parts[k]);
		}
		assert_false(str_next(&rest, ',', &part));
		assert_false(str_next(&rest, ',', &part));
	}
}

static void
to_i64(void **state UNUSED)
{
	static const struct {
		const char *text;
		bool ok;
		int64_t value;
	} rows[] = {
		{ "0", true, 0 }, { "-0", true, 0 }, { "+7", true, 7 },
		{ "007", true, 7 }, { "-42", true, -42 },
		{ "9223372036854775807", true, INT64_MAX },
		{ "9223372036854775808", false, 0 },
		{ "-9223372036854775808", true, INT64_MIN },
		{ "-9223372036854775809", false, 0 },
		{ "99999999999999999999999", false, 0 },
		{ "", false, 0 }, { "-", false, 0 }, { "+", false, 0 },
		{ "+-1", false, 0 }, { "-+1", false, 0 }, { "--1", false, 0 },
		{ " 1", false, 0 }, { "1 ", false, 0 }, { "1a", false, 0 },
		{ "0x10", false, 0 }, { "1.0", false, 0 }, { "1e3", false, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int64_t v = 4711;

		if (str_to_i64(str_of(rows[i].text), &v) != rows[i].ok)
			fail_msg("\"%s\"", rows[i].text);
		assert_true(v == (rows[i].ok ? rows[i].value : 4711));
	}
}

static void
to_u64(void **state UNUSED)
{
	uint64_t v = 4711;

	assert_true(str_to_u64(STR("18446744073709551615"), &v));
	assert_true(v == UINT64_MAX);
	assert_false(str_to_u64(STR("18446744073709551616"), &v));
	assert_false(str_to_u64(STR("28446744073709551615"), &v));
	assert_false(str_to_u64(STR("-1"), &v));
	assert_false(str_to_u64(STR_NULL, &v));
	assert_true(v == UINT64_MAX);
	assert_true(str_to_u64((struct str){ "12345678", 3 }, &v));
	assert_true(v == 123);
}

static void
to_double(void **state UNUSED)
{
	static const struct {
		const char *text;
		bool ok;
		double value;
	} rows[] = {
		{ "0", true, 0 }, { "1.5", true, 1.5 }, { "-2e3", true, -2000 },
		{ "+.5", true, .5 }, { "5.", true, 5 }, { "1E-2", true, .01 },
		{ "123456789012345678901234567890123456789012345678901234567890"
		  "12345678901234567890.5", true,
		  123456789012345678901234567890123456789012345678901234567890.0
		  * 1e20 + 12345678901234567890.5 },
		{ "1e-400", true, 0 },
		{ "1e400", false, 0 }, { "-1e400", false, 0 },
		{ "", false, 0 }, { ".", false, 0 }, { "e5", false, 0 },
		{ "1e", false, 0 }, { "+", false, 0 }, { "1.2.3", false, 0 },
		{ "1-2", false, 0 }, { " 1", false, 0 }, { "1 ", false, 0 },
		{ "inf", false, 0 }, { "nan", false, 0 }, { "0x1p3", false, 0 },
		{ "1,5", false, 0 },
	};
	double v = 4711;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		v = 4711;
		if (str_to_double(str_of(rows[i].text), &v) != rows[i].ok)
			fail_msg("\"%s\"", rows[i].text);
		if (!rows[i].ok)
			assert_true(v == 4711);
		else
			assert_true(fabs(v - rows[i].value) <=
			    fabs(rows[i].value) * 1e-15);
	}
	assert_false(str_to_double(STR("1\0"), &v));
	assert_true(str_to_double((struct str){ "1234", 2 }, &v));
	assert_true(v == 12);
}

static void
dup(void **state UNUSED)
{
	char *z = str_dup((struct str){ "abcdef", 3 });

	assert_string_equal(z, "abc");
	free(z);
	z = str_dup(STR(""));
	assert_string_equal(z, "");
	free(z);
	assert_null(str_dup(STR_NULL));
}

static void
nearest(void **state UNUSED)
{
	static const char *const words[] = { "workers", "log", "level", "port",
		"include_dir", "drain_time", "filter", "", NULL };
	static const struct {
		const char *word, *best;
	} rows[] = {
		{ "worker", "workers" },	/* one missing */
		{ "workerss", "workers" },	/* one too many */
		{ "wrokers", "workers" },	/* two swapped */
		{ "WORKERS", "workers" },	/* case counts for nothing */
		{ "prot", "port" }, { "levle", "level" }, { "lgo", "log" },
		{ "drain_tiem", "drain_time" }, { "includedir", "include_dir" },
		{ "fliter", "filter" }, { "wxrkxrs", "workers" },
		{ "wxxkxrs", NULL }, { "xyz", NULL }, { "", NULL },
		{ "pxrx", NULL },
		/* longer than what is looked at */
		{ "workersworkersworkersworkersworkersworkersworkersworkers"
		  "workersworkers", NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *got = str_nearest(str_of(rows[i].word), words);

		if (!rows[i].best)
			assert_null(got);
		else if (!got || strcmp(got, rows[i].best) != 0)
			fail_msg("\"%s\": %s", rows[i].word,
			    got ? got : "nothing");
	}
}

/* The first of equals, the nearer before the first. */
static void
nearest_of_many(void **state UNUSED)
{
	static const char *const words[] = { "sendqueue_a", "send_queue",
		"send_queue2", NULL };
	static const char *const none[] = { NULL };

	assert_string_equal(str_nearest(STR("send_queu"), words), "send_queue");
	assert_string_equal(str_nearest(STR("send_queue2"), words),
	    "send_queue2");
	assert_null(str_nearest(STR("send_queue"), none));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal),
		cmocka_unit_test(equal_but_case),
		cmocka_unit_test(fronts_and_ends),
		cmocka_unit_test(find),
		cmocka_unit_test(pieces),
		cmocka_unit_test(trim),
		cmocka_unit_test(next),
		cmocka_unit_test(to_i64),
		cmocka_unit_test(to_u64),
		cmocka_unit_test(to_double),
		cmocka_unit_test(dup),
		cmocka_unit_test(nearest),
		cmocka_unit_test(nearest_of_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
