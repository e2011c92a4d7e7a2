/* SPDX-License-Identifier: Apache-2.0 */
#include "msg/value.h"

#include <float.h>
#include <libxml/tree.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "msg/json.h"
#include "msg/xml.h"

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

#define assert_text(str, z) \
	assert_string_equal(arena_str(arena, str).p, z)

/* What java.lang.Double.toString gives. */
static void
prints_java_doubles(void **state)
{
	static const struct {
		double x;
		const char *text;
	} table[] = {
		{ 0, "0.0" }, { -0.0, "-0.0" }, { 1, "1.0" }, { -1, "-1.0" },
		{ 2, "2.0" }, { 10, "10.0" }, { 100, "100.0" },
		{ 1.5, "1.5" }, { 0.1, "0.1" }, { 0.5, "0.5" },
		{ 123.456, "123.456" }, { 123456.789, "123456.789" },
		{ 1234567, "1234567.0" }, { 9999999, "9999999.0" },
		{ 9999999.999, "9999999.999" }, { 1e7, "1.0E7" },
		{ 12345678.9, "1.23456789E7" }, { -1e7, "-1.0E7" },
		{ 1e-3, "0.001" }, { 0.00123, "0.00123" },
		{ 9.99e-4, "9.99E-4" }, { 1e-4, "1.0E-4" },
		{ 1e-5, "1.0E-5" }, { 1e21, "1.0E21" }, { 1e22, "1.0E22" },
		{ 1e23, "1.0E23" }, { 1e100, "1.0E100" },
		{ 0.1 + 0.2, "0.30000000000000004" },
		{ 1.0 / 3, "0.3333333333333333" },
		{ 2.0 / 3, "0.6666666666666666" },
		{ 9007199254740992, "9.007199254740992E15" },
		{ 9007199254740993, "9.007199254740992E15" },
		{ 12345678901234567890.0, "1.2345678901234567E19" },
		{ DBL_MAX, "1.7976931348623157E308" },
		{ DBL_MIN, "2.2250738585072014E-308" },
		{ 0x1p-1074, "4.9E-324" }, { 0x1p-1073, "9.9E-324" },
		{ 3 * 0x1p-1074, "1.5E-323" },
		{ 0x1p-44, "5.684341886080802E-14" },
		{ 0x1p-24, "5.960464477539063E-8" },
		{ 0x1p63, "9.223372036854776E18" },
		{ 1.1, "1.1" }, { 6, "6.0" }, { 2.5e-7, "2.5E-7" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		assert_text(value_double_text(table[i].x, arena),
		    table[i].text);
	assert_text(value_double_text((double)NAN, arena), "NaN");
	assert_text(value_double_text(HUGE_VAL, arena), "Infinity");
	assert_text(value_double_text(-HUGE_VAL, arena), "-Infinity");
}

/* Every text reads back as the number, and no shorter one of printf's does. */
static void
doubles_read_back(void **state)
{
	uint64_t seed = 1;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		char shorter[40];
		struct str s;
		double x;
		size_t digits = 0;

		seed = seed * 6364136223846793005u + 1442695040888963407u;
		memcpy(&x, &seed, sizeof(x));
		if (!isfinite(x))
			continue;
		s = value_double_text(x, arena);
		assert_true(strtod(s.p, NULL) == x);
		for (const char *p = s.p; *p && *p != 'E'; p++)
			digits += *p >= '0' && *p <= '9';
		snprintf(shorter, sizeof(shorter), "%.*e", (int)digits - 2,
		    x);
		if (digits > 2 && str_find(s, 'E') < s.n)
			assert_true(strtod(shorter, NULL) != x);
	}
}

static void
prints_each_type(void **state)
{
	struct value v = { .type = VALUE_NULL };
	struct err err;

	(void)state;
	assert_null(value_text(&v, arena).p);
	v = VALUE_OF_STR(STR("x"));
	assert_text(value_text(&v, arena), "x");
	v = VALUE_OF_BOOL(true);
	assert_text(value_text(&v, arena), "true");
	v = VALUE_OF_BOOL(false);
	assert_text(value_text(&v, arena), "false");
	v = VALUE_OF_INT(-5);
	assert_text(value_text(&v, arena), "-5");
	v = (struct value){ .type = VALUE_LONG, .i = INT64_MIN };
	assert_text(value_text(&v, arena), "-9223372036854775808");
	v = (struct value){ .type = VALUE_DOUBLE, .d = 2 };
	assert_text(value_text(&v, arena), "2.0");
	v = (struct value){ .type = VALUE_FLOAT, .d = (double)0.1f };
	assert_text(value_text(&v, arena), "0.1");
	v = (struct value){ .type = VALUE_FLOAT, .d = (double)16777216.0f };
	assert_text(value_text(&v, arena), "1.6777216E7");
	v = (struct value){ .type = VALUE_FLOAT, .d = (double)0x1p-149f };
	assert_text(value_text(&v, arena), "1.4E-45");
	v = (struct value){ .type = VALUE_JSON,
		.json = json_parse(arena, STR("{\"a\": [1.50, \"x\"]}"), 0,
		    &err) };
	assert_text(value_text(&v, arena), "{\"a\":[1.50,\"x\"]}");
	v = (struct value){ .type = VALUE_OBJECT, .s = STR("thing") };
	assert_text(value_text(&v, arena), "thing");
}

static void
prints_nodes(void **state)
{
	struct err err;
	xmlDoc *doc = xml_parse(arena, STR("<a i=' 1 '>t<b>1</b> <c/></a>"),
	    0, &err);
	xmlNode *a = xmlDocGetRootElement(doc), *t = a->children;
	xmlNode *b = t->next, *c = b->next->next;
	xmlNode *at = (xmlNode *)(void *)a->properties;
	xmlNode *list[] = { b, t, at, c };
	struct value v = { .type = VALUE_XML, .xml = { list, 4 } }, copy;

	(void)state;
	assert_text(value_text(&v, arena), "<b>1</b>t 1 <c/>");
	copy = value_copy(&v, arena);
	assert_ptr_not_equal(copy.xml.node[0], b);
	assert_text(value_text(&copy, arena), "<b>1</b>t 1 <c/>");
	v.xml.count = 1;
	assert_text(value_text(&v, arena), "1");
	v.xml.node[0] = c;
	assert_text(value_text(&v, arena), "<c/>");
	v.xml.node[0] = at;
	assert_text(value_text(&v, arena), " 1 ");
	v.xml.count = 0;
	assert_text(value_text(&v, arena), "");
}

/* NULL: cannot be converted. */
static const struct {
	const char *text, *type, *constant, *expression;
} conversions[] = {
	{ "x", "STRING", "x", "x" },
	{ "5", "INTEGER", "5", "5" }, { "-5", "INTEGER", "-5", "-5" },
	{ "+5", "INTEGER", "5", "5" },
	{ "2147483647", "INTEGER", "2147483647", "2147483647" },
	{ "2147483648", "INTEGER", NULL, NULL },
	{ "5.7", "INTEGER", NULL, "5" }, { "-5.7", "INTEGER", NULL, "-5" },
	{ "x", "INTEGER", NULL, NULL }, { "", "INTEGER", NULL, NULL },
	{ " 5", "INTEGER", NULL, NULL }, { "a.b", "INTEGER", NULL, NULL },
	{ "32767", "SHORT", "32767", "32767" },
	{ "32768", "SHORT", NULL, NULL }, { "1.9", "SHORT", NULL, "1" },
	{ "9223372036854775807", "LONG", "9223372036854775807",
	    "9223372036854775807" },
	{ "9223372036854775808", "LONG", NULL, NULL },
	{ "5.0", "LONG", NULL, NULL },
	{ "1.5", "DOUBLE", "1.5", "1.5" }, { "5", "DOUBLE", "5.0", "5.0" },
	{ " 1.5 ", "DOUBLE", "1.5", "1.5" }, { "1e3", "DOUBLE", "1000.0",
	    "1000.0" },
	{ "1.5d", "DOUBLE", "1.5", "1.5" }, { "x", "DOUBLE", NULL, NULL },
	{ "NaN", "DOUBLE", "NaN", "NaN" }, { "1e400", "DOUBLE", "Infinity",
	    "Infinity" },
	{ "-1e400", "DOUBLE", "-Infinity", "-Infinity" },
	{ "-Infinity", "DOUBLE", "-Infinity", "-Infinity" },
	{ "", "DOUBLE", NULL, NULL }, { "d", "DOUBLE", NULL, NULL },
	{ "0.1", "FLOAT", "0.1", "0.1" },
	{ "true", "BOOLEAN", "true", "true" },
	{ "TRUE", "BOOLEAN", "true", "true" },
	{ "yes", "BOOLEAN", "true", "true" }, { "1", "BOOLEAN", "true",
	    "true" },
	{ "no", "BOOLEAN", "false", "false" }, { "", "BOOLEAN", "false",
	    "false" },
	{ "<a>1</a>", "OM", "1", "1" }, { "<a/>", "OM", "<a/>", "<a/>" },
	{ "<a>", "OM", NULL, NULL }, { "x", "OM", NULL, NULL },
	{ "{\"a\":1}", "JSON", "{\"a\":1}", "{\"a\":1}" },
	{ "[1]", "JSON", "[1]", "[1]" }, { "abc", "JSON", "\"abc\"",
	    "\"abc\"" },
	{ "{\"a\"", "JSON", NULL, NULL },
	{ "5", "Integer", NULL, NULL }, { "5", "", NULL, NULL },
	{ "5", "XML", NULL, NULL },
};

static void
check_conversion(size_t i, enum value_source source, const char *want)
{
	struct value v = { .type = VALUE_NULL };
	struct err err = { .text = "" };
	int rc = value_convert(str_of(conversions[i].text),
	    str_of(conversions[i].type), source, arena, &v, &err);

	if (!want) {
		if (rc == 0)
			fail_msg("%s became %s", conversions[i].text,
			    conversions[i].type);
		assert_int_equal(err.kind, ERR_VALUE);
		assert_non_null(strstr(err.text, "Unknown type : "));
		return;
	}
	if (rc)
		fail_msg("%s: %s", conversions[i].text, err.text);
	assert_text(value_text(&v, arena), want);
}

static void
converts(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(conversions); i++) {
		check_conversion(i, VALUE_FROM_CONSTANT,
		    conversions[i].constant);
		check_conversion(i, VALUE_FROM_EXPRESSION,
		    conversions[i].expression);
	}
	assert_true(value_type_known(STR("OM")));
	assert_true(value_type_known(STR("STRING")));
	assert_false(value_type_known(STR("string")));
	assert_false(value_type_known(STR("")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prints_java_doubles),
		cmocka_unit_test(doubles_read_back),
		cmocka_unit_test(prints_each_type),
		cmocka_unit_test(prints_nodes),
		cmocka_unit_test(converts),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
