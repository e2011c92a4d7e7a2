/* SPDX-License-Identifier: Apache-2.0 */
#include "msg/expr_date.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>

/* Thursday 29 February 2024 13:04:05.067 UTC */
#define MOMENT INT64_C(1709211845067)

static void
in_zone(const char *zone)
{
	setenv("TZ", zone, 1);
	tzset();
}

static void
check_format(const char *zone, int64_t ms, enum date_dialect dialect,
    const char *pattern, const char *want)
{
	struct arena *a = arena_new(0);
	struct err err = { 0 };
	struct date d;
	struct str got = STR("");
	int rc;

	in_zone(zone);
	date_of_ms(ms, &d);
	rc = date_format(&d, dialect, str_of(pattern), a, &got, &err);
	if (!want) {
		if (rc == 0)
			fail_msg("%s gives %s", pattern, got.p);
	} else if (rc == -1 || !str_is(got, want)) {
		fail_msg("%s gives %s%s", pattern, got.p, err.text);
	}
	arena_free(&a);
}

static void
test_format(void **state)
{
	static const struct {
		const char *pattern, *want;
	} rows[] = {
		{ "", "" },
		{ "yyyy-MM-dd'T'HH:mm:ss.SSSZ", "2024-02-29T13:04:05.067+0000" },
		{ "y yy yyy yyyyy", "2024 24 2024 02024" },
		{ "M MM MMM MMMM L", "2 02 Feb February 2" },
		{ "d dd ddd D DDD", "29 29 029 60 060" },
		{ "E EEE EEEE u", "Thu Thu Thursday 4" },
		{ "H HH k K KK h hh a", "13 13 13 1 01 1 01 PM" },
		{ "m mm s ss S SSSS", "4 04 5 05 67 0067" },
		{ "G z Z X XX XXX", "AD UTC +0000 Z Z Z" },
		{ "Y w W F", "2024 9 5 5" },
		{ "'o''clock' '' h", "o'clock ' 1" },
		{ "yyyy/MM/dd, [x]", NULL },
		{ "[yyyy]", "[2024]" },
		{ "'open", NULL }, { "Q", NULL }, { "b", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check_format("UTC", MOMENT, DATE_SIMPLE, rows[i].pattern,
		    rows[i].want);
	check_format("XYZ-5:30", MOMENT, DATE_SIMPLE, "HH:mm z Z X XX XXX",
	    "18:34 XYZ +0530 +05 +0530 +05:30");
	check_format("UTC", -1, DATE_SIMPLE, "yyyy SSS", "1969 999");
	check_format("UTC", MOMENT + INT64_C(305) * 86400000, DATE_SIMPLE,
	    "yyyy-MM-dd YYYY w", "2024-12-30 2025 1");
	check_format("UTC", MOMENT, DATE_FORMATTER, "u QQ QQQ SSSS n [HH]",
	    "2024 01 Q1 0670 67000000 13");
	check_format("UTC", MOMENT, DATE_FORMATTER, "yyyy Z", NULL);
}

static void
test_parse(void **state)
{
	static const struct {
		const char *text, *pattern, *want;	/* want NULL: refused */
	} rows[] = {
		{ "2024-01-15", "yyyy-MM-dd", "2024-01-15" },
		{ "20240115", "yyyyMMdd", "2024-01-15" },
		{ "15/1/24", "d/M/yy", "2024-01-15" },
		{ "15 Jan 2024", "dd MMM yyyy", "2024-01-15" },
		{ "Monday, January 15 2024", "EEEE, MMMM d yyyy", "2024-01-15" },
		{ "Tue 15 Jan 2024", "EEE dd MMM yyyy", NULL },
		{ "2024-02-31", "yyyy-MM-dd", "2024-02-29" },
		{ "2024 366", "yyyy DDD", "2024-12-31" },
		{ "2024-13-01", "yyyy-MM-dd", NULL },
		{ "2024-1-15", "yyyy-MM-dd", NULL },
		{ "2024-01-15x", "yyyy-MM-dd", NULL },
		{ "2024-01", "yyyy-MM", NULL },
		{ "2024-01-15", "yyyy-MM-dd['T'HH]", "2024-01-15" },
		{ "2024-01-15", "'yyyy", NULL },
		{ "2024-01-15", "yyyy-MM-dd[", NULL },
		{ "2024-01-15]", "yyyy-MM-dd]", NULL },
		{ "x", "", NULL }, { "", "", NULL },
	};
	struct arena *a = arena_new(0);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err err = { 0 };
		struct date d;
		struct str got;

		if (date_parse(str_of(rows[i].text), str_of(rows[i].pattern),
		    &d, &err) == -1) {
			if (rows[i].want)
				fail_msg("%s: %s", rows[i].text, err.text);
			continue;
		}
		if (!rows[i].want)
			fail_msg("%s is read", rows[i].text);
		assert_int_equal(date_format(&d, DATE_FORMATTER,
		    STR("yyyy-MM-dd"), a, &got, NULL), 0);
		assert_string_equal(got.p, rows[i].want);
	}
	arena_free(&a);
}

static void
test_parse_time(void **state)
{
	static const struct {
		const char *text, *pattern, *want;
	} rows[] = {
		{ "13:04:05.067", "HH:mm:ss.SSS", "13:04:05.067" },
		{ "01:04 PM", "hh:mm a", "13:04:00.000" },
		{ "12:04 AM", "hh:mm a", "00:04:00.000" },
		{ "12", "HH", "12:00:00.000" }, { "24", "kk", "00:00:00.000" },
		{ "13:04", "hh:mm a", NULL }, { "01:04", "hh:mm", NULL },
		{ "13:60", "HH:mm", NULL }, { "04", "mm", NULL },
	};
	struct arena *a = arena_new(0);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct date d;
		struct str got;

		if (date_parse(str_of(rows[i].text), str_of(rows[i].pattern),
		    &d, NULL) == -1) {
			assert_null(rows[i].want);
			continue;
		}
		assert_non_null(rows[i].want);
		assert_int_equal(date_format(&d, DATE_FORMATTER,
		    STR("HH:mm:ss.SSS"), a, &got, NULL), 0);
		assert_string_equal(got.p, rows[i].want);
		assert_int_equal(date_format(&d, DATE_FORMATTER, STR("yyyy"),
		    a, &got, NULL), -1);
	}
	arena_free(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_format),
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_parse_time),
	};

	in_zone("UTC");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
