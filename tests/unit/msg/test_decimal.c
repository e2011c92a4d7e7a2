/* SPDX-License-Identifier: Apache-2.0 */
#include "msg/decimal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static struct decimal
parsed(const char *text, struct arena *a)
{
	struct decimal d;

	if (!decimal_parse(str_of(text), a, &d))
		fail_msg("%s is no number", text);
	return d;
}

static void
test_text(void **state)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
		{ "0", "0" }, { "-0", "0" }, { "0.00", "0.00" },
		{ "007.50", "7.50" }, { "-12.5", "-12.5" }, { "+5", "5" },
		{ "1e3", "1E+3" }, { "1.5e3", "1.5E+3" }, { "123e-2", "1.23" },
		{ "0.000001", "0.000001" }, { "0.0000001", "1E-7" },
		{ "12e-9", "1.2E-8" }, { "0e5", "0E+5" },
		{ "123456789012345678901234567890",
		    "123456789012345678901234567890" },
	};
	static const char *const bad[] = { "", "-", ".", "1.2.3", "1e", "e5",
		"1e9999999999", "0x1", " 1", "1 " };
	struct arena *a = arena_new(0);
	struct decimal d;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		d = parsed(rows[i].in, a);
		assert_string_equal(decimal_text(&d, a).p, rows[i].out);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (decimal_parse(str_of(bad[i]), a, &d))
			fail_msg("[%s] is a number", bad[i]);
	arena_free(&a);
}

static void
test_compare(void **state)
{
	static const struct {
		const char *x, *y;
		int sign;
	} rows[] = {
		{ "1", "1.00", 0 }, { "1e3", "1000", 0 }, { "0", "-0.0", 0 },
		{ "2", "10", -1 }, { "-2", "-10", 1 }, { "-1", "1", -1 },
		{ "0", "0.1", -1 }, { "0", "-0.1", 1 },
		{ "1e100", "9e99", 1 }, { "1.0000000000000000000001", "1", 1 },
		{ "1e-400", "1e400", -1 },
	};
	struct arena *a = arena_new(0);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct decimal x = parsed(rows[i].x, a);
		struct decimal y = parsed(rows[i].y, a);

		assert_int_equal(decimal_compare(&x, &y), rows[i].sign);
		assert_int_equal(decimal_compare(&y, &x), -rows[i].sign);
	}
	arena_free(&a);
}

static void
test_arithmetic(void **state)
{
	static const struct {
		const char *x;
		char op;
		const char *y, *result;
	} rows[] = {
		{ "0.1", '+', "0.2", "0.3" }, { "9.9", '+', "0.1", "10.0" },
		{ "5", '+', "-7.5", "-2.5" }, { "-5", '+', "5.00", "0.00" },
		{ "1e3", '+', "1", "1001" }, { "-1", '+', "-2", "-3" },
		{ "1.1", '*', "1.1", "1.21" }, { "-2", '*', "3.50", "-7.00" },
		{ "999999999", '*', "999999999", "999999998000000001" },
		{ "0", '*', "-5", "0" }, { "2e5", '*', "3e-5", "6" },
		{ "1.0", '/', "3", "0.3" }, { "2.0", '/', "3", "0.7" },
		{ "1.00", '/', "3", "0.33" }, { "7.0", '/', "0.5", "14.0" },
		{ "-7", '/', "2", "-4" }, { "1e10", '/', "3", "0E+10" },
		{ "2e10", '/', "3", "1E+10" }, { "0.5", '/', "100", "0.0" },
		{ "5.0", '/', "100.0", "0.1" },
		{ "5.5", '%', "2", "1.5" }, { "-7", '%', "3", "-1" },
		{ "7", '%', "-3", "1" }, { "5.5", '%', "0.1", "0.0" },
		{ "1e20", '%', "7", "2" }, { "0.3", '%', "1", "0.3" },
		{ "2.445", 'r', "2", "2.45" }, { "2.444", 'r', "2", "2.44" },
		{ "-2.445", 'r', "2", "-2.45" }, { "2", 'r', "3", "2.000" },
		{ "0.004", 'r', "2", "0.00" }, { "99.95", 'r', "1", "100.0" },
	};
	struct arena *a = arena_new(0);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct decimal x = parsed(rows[i].x, a);
		struct decimal y = parsed(rows[i].y, a), z;

		if (rows[i].op == '+')
			z = decimal_add(&x, &y, a);
		else if (rows[i].op == '*')
			z = decimal_multiply(&x, &y, a);
		else if (rows[i].op == '/')
			z = decimal_divide(&x, &y, a);
		else if (rows[i].op == '%')
			z = decimal_remainder(&x, &y, a);
		else
			z = decimal_round(&x, atoi(rows[i].y), a);
		if (!str_is(decimal_text(&z, a), rows[i].result))
			fail_msg("%s %c %s gives %s", rows[i].x, rows[i].op,
			    rows[i].y, decimal_text(&z, a).p);
	}
	arena_free(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_compare),
		cmocka_unit_test(test_arithmetic),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
