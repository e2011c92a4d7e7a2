/* SPDX-License-Identifier: Apache-2.0 */
#include "msg/json.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/must.h"

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

static struct str
printed(const struct cJSON *n)
{
	struct buf b = { .p = NULL };
	struct str s, direct = json_text(n, arena);

	json_print(n, &b);
	s = arena_str(arena, buf_str(&b));
	buf_fini(&b);
	assert_true(str_eq(s, direct));
	return s;
}

static struct cJSON *
parse(struct str text)
{
	struct err err = { .text = "" };
	struct cJSON *n = json_parse(arena, text, 0, &err);

	if (!n)
		fail_msg("%.*s: %s", STR_FMT(text), err.text);
	return n;
}

#define assert_text(str, z) \
	assert_string_equal(arena_str(arena, str).p, z)

/* The text that a printed tree has; NULL: the same as was read. */
static const struct {
	const char *text, *print;
} accepted[] = {
	{ "{}", NULL }, { "[]", NULL }, { "0", NULL }, { "\"\"", NULL },
	{ "true", NULL }, { "false", NULL }, { "null", NULL },
	{ " \t\r\n1 \n", "1" }, { "[ 1 , 2 ]", "[1,2]" },
	{ "{ \"a\" : 1 , \"b\" : [ ] }", "{\"a\":1,\"b\":[]}" },
	{ "[[],[[]],{}]", NULL }, { "{\"a\":{\"b\":{\"c\":[1,{\"d\":2}]}}}",
	    NULL },
	{ "{\"a\":1,\"a\":2}", NULL }, { "{\"\":0}", NULL },
	{ "{\"z\":1,\"a\":2}", NULL },
	{ "-0", NULL }, { "-0.0", NULL }, { "1e400", NULL }, { "-1E+2", NULL },
	{ "9007199254740993", NULL }, { "1.50", NULL }, { "0.1e-7", NULL },
	{ "0e0", NULL }, { "[1,2.0,3e1]", NULL },
	{ "12345678901234567890123456789012345678901234567890", NULL },
	{ "\"\\u0000\"", NULL }, { "\"a\\u0000b\"", NULL },
	{ "\"\\u00e9\\u20AC\"", "\"\xC3\xA9\xE2\x82\xAC\"" },
	{ "\"\\ud83d\\ude00\"", "\"\xF0\x9F\x98\x80\"" },
	{ "\"\\/\\b\\f\\n\\r\\t\\\"\\\\\"", "\"/\\b\\f\\n\\r\\t\\\"\\\\\"" },
	{ "\"\\u0001\\u001F\"", "\"\\u0001\\u001f\"" },
	{ "\"\x7F\"", NULL }, { "\"\xF4\x8F\xBF\xBF\"", NULL },
	{ "\"a long text of more than sixteen bytes\"", NULL },
	{ "\"sixteen bytes...\"", NULL }, { "\"15 bytes text..\"", NULL },
	{ "\"long before an escape\\nand long behind it\"", NULL },
	{ "{\"k\\n\":1,\"\\u0000\":2,\"\\u0000\":3}", NULL },
	{ "[\"\\\\\",\"\\\"\",\"\\\"x\"]", NULL },
	{ "[\"\",\"a\",\"ab\",\"abc\",\"abcd\",\"abcde\",\"abcdef\","
	    "\"abcdefg\",\"abcdefgh\",\"abcdefghi\"]", NULL },
	{ "\"\xEF\xBB\xBF\"", NULL }, { "\"\xE2\x80\xA8\"", NULL },
};

static void
accepts_what_the_rfc_accepts(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(accepted); i++) {
		struct str text = str_of(accepted[i].text);
		struct cJSON *n = parse(text);
		const char *want = accepted[i].print ? accepted[i].print :
		    accepted[i].text;

		assert_text(printed(n), want);
		/* The copy and the text read again are the same. */
		assert_text(printed(json_copy(arena, n)), want);
		assert_text(printed(parse(str_of(want))), want);
	}
}

static const struct {
	const char *text;
	size_t n;		/* 0: up to the NUL */
	int line, column;
} refused[] = {
	{ "", 0, 1, 1 }, { "  ", 0, 1, 3 }, { "{", 0, 1, 2 },
	{ "[", 0, 1, 2 }, { "}", 0, 1, 1 }, { "]", 0, 1, 1 },
	{ "[1,]", 0, 1, 4 }, { "[,1]", 0, 1, 2 }, { "[1 2]", 0, 1, 4 },
	{ "[1}", 0, 1, 3 }, { "{\"a\":1]", 0, 1, 7 }, { "{1:2}", 0, 1, 2 },
	{ "{\"a\"}", 0, 1, 5 }, { "{\"a\" 1}", 0, 1, 6 },
	{ "{\"a\":}", 0, 1, 6 }, { "{\"a\":1,}", 0, 1, 8 },
	{ "{'a':1}", 0, 1, 2 }, { "{a:1}", 0, 1, 2 },
	{ "1 2", 0, 1, 3 }, { "{}x", 0, 1, 3 }, { "[]]", 0, 1, 3 },
	{ "01", 0, 1, 1 }, { "-", 0, 1, 2 }, { "-a", 0, 1, 2 },
	{ "+1", 0, 1, 1 }, { ".5", 0, 1, 1 }, { "1.", 0, 1, 3 },
	{ "1.e1", 0, 1, 3 }, { "1e", 0, 1, 3 }, { "1e+", 0, 1, 4 },
	{ "0x1", 0, 1, 2 }, { "1_0", 0, 1, 2 }, { "NaN", 0, 1, 1 },
	{ "Infinity", 0, 1, 1 }, { "-Infinity", 0, 1, 2 },
	{ "00", 0, 1, 1 }, { "-01", 0, 1, 2 },
	{ "tru", 0, 1, 1 }, { "True", 0, 1, 1 }, { "truex", 0, 1, 5 },
	{ "nul", 0, 1, 1 }, { "[nul]", 0, 1, 2 }, { "undefined", 0, 1, 1 },
	{ "\"", 0, 1, 2 }, { "\"abc", 0, 1, 5 }, { "\"a\\\"", 0, 1, 5 },
	{ "\"\\x\"", 0, 1, 2 }, { "\"\\\"", 0, 1, 4 }, { "\"\\", 0, 1, 2 },
	{ "\"\\u12\"", 0, 1, 2 }, { "\"\\u\"", 0, 1, 2 },
	{ "\"\\uZZZZ\"", 0, 1, 2 }, { "\"\\u00", 0, 1, 2 },
	{ "\"\\ud800\"", 0, 1, 2 }, { "\"\\ud800x\"", 0, 1, 2 },
	{ "\"\\udc00\"", 0, 1, 2 }, { "\"\\ud800\\u0041\"", 0, 1, 2 },
	{ "\"\\ud800\\ud800\"", 0, 1, 2 },
	{ "\"a\nb\"", 0, 1, 3 }, { "\"\x01\"", 0, 1, 2 },
	{ "\"a\0b\"", 5, 1, 3 }, { "1\0", 2, 1, 2 }, { "\0", 1, 1, 1 },
	{ "[1,\0]", 5, 1, 4 }, { "tru\0", 4, 1, 1 },
	{ "{\n \"a\": 1,\n \"b\" 2\n}", 0, 3, 6 },
	{ "/* x */ 1", 0, 1, 1 }, { "1 // x", 0, 1, 3 },
	{ "\xEF\xBB\xBF{}", 0, 1, 1 },
	{ "\"\xFF\"", 0, 1, 2 }, { "\"\xC0\x80\"", 0, 1, 2 },
	{ "\"\xED\xA0\x80\"", 0, 1, 3 }, { "\"\xE2\x82\"", 0, 1, 4 },
	{ "\"\xF4\x90\x80\x80\"", 0, 1, 3 }, { "[\"ok\",\"\x80\"]", 0, 1, 8 },
	{ "\x0C 1", 0, 1, 1 }, { "\xC2\xA0" "1", 0, 1, 1 },
};

static void
refuses_all_else(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		struct err err = { .kind = ERR_NONE };
		size_t n = refused[i].n ? refused[i].n :
		    strlen(refused[i].text);
		char *exact = malloc(n ? n : 1);

		assert_non_null(exact);
		memcpy(exact, refused[i].text, n);
		if (json_parse(arena, (struct str){ exact, n }, 0, &err))
			fail_msg("%s was accepted", refused[i].text);
		free(exact);
		assert_int_equal(err.kind, ERR_SYNTAX);
		if (err.at.line != refused[i].line ||
		    err.at.column != refused[i].column)
			fail_msg("%s: %s, not %d:%d", refused[i].text,
			    err.text, refused[i].line, refused[i].column);
	}
	assert_null(json_parse(arena, STR("["), 0, NULL));
}

static char *
nested(size_t depth, const char *open, const char *inner, const char *close)
{
	size_t o = strlen(open), i = strlen(inner), c = strlen(close);
	char *text = malloc(depth * (o + c) + i + 1), *p = text;

	assert_non_null(text);
	for (size_t k = 0; k < depth; k++, p += o)
		memcpy(p, open, o);
	memcpy(p, inner, i);
	p += i;
	for (size_t k = 0; k < depth; k++, p += c)
		memcpy(p, close, c);
	*p = '\0';
	return text;
}

static void
depth_is_limited(void **state)
{
	char *at = nested(128, "[", "1", "]"), *over = nested(129, "[", "1",
	    "]"), *open = nested(100000, "[", "", "");
	char *objects = nested(100000, "{\"a\":", "1", "}");
	struct err err;

	(void)state;
	assert_text(printed(parse(str_of(at))), at);
	assert_null(json_parse(arena, str_of(over), 0, &err));
	assert_int_equal(err.kind, ERR_LIMIT);
	assert_int_equal(err.at.column, 129);
	assert_non_null(json_parse(arena, str_of(over), 129, &err));
	assert_null(json_parse(arena, str_of(open), 0, &err));
	assert_int_equal(err.kind, ERR_LIMIT);
	assert_null(json_parse(arena, str_of(objects), 0, &err));
	/* Where it is allowed it needs no stack. */
	assert_text(printed(json_copy(arena, json_parse(arena,
	    str_of(objects), 100001, &err))), objects);
	free(at);
	free(over);
	free(open);
	free(objects);
}

static void
long_numbers_and_strings(void **state)
{
	char *digits = nested(100000, "9", "", ""), *word;
	struct cJSON *n = parse(str_of(digits));

	(void)state;
	assert_text(printed(n), digits);
	assert_int_equal(json_number_text(n).n, 100000);
	assert_true(isinf(json_number(n)));
	word = nested(1, "\"", digits, "\"");
	assert_int_equal(json_string(parse(str_of(word)), arena).n, 100000);
	free(digits);
	free(word);
}

static void
every_split_of_a_string(void **state)
{
	char text[120];

	(void)state;
	/* An escape at each place of strings of each length. */
	for (size_t len = 0; len < 50; len++)
		for (size_t at = 0; at <= len; at++) {
			size_t k = 0;
			struct cJSON *n;
			struct str s;

			text[k++] = '"';
			for (size_t i = 0; i <= len; i++) {
				if (i == at) {
					text[k++] = '\\';
					text[k++] = 'n';
				} else {
					text[k++] = 'x';
				}
			}
			text[k++] = '"';
			n = parse((struct str){ text, k });
			s = json_string(n, arena);
			assert_int_equal(s.n, len + 1);
			assert_int_equal(s.p[at], '\n');
			assert_int_equal(str_find(s, '\n'), at);
			s = printed(n);
			assert_true(str_eq(s, ((struct str){ text, k })));
		}
}

static void
asks(void **state)
{
	struct cJSON *n = parse(STR("{\"a\":1.50,\"b\":{\"c\":[true,null,"
	    "\"x\\u0000y\"]},\"a\":2,\"k\\u0000\":3}"));
	struct cJSON *list, *item;

	(void)state;
	assert_int_equal(json_type_of(n), JSON_OBJECT);
	assert_int_equal(json_count(n), 4);
	assert_text(json_number_text(json_member(n, STR("a"))), "1.50");
	assert_true(json_number(json_member(n, STR("a"))) == 1.5);
	assert_null(json_member(n, STR("A")));
	assert_null(json_member(n, STR("ab")));
	assert_null(json_member(n, STR("k")));
	assert_non_null(json_member(n, STR("k\0")));
	assert_null(json_member(n, STR("k\0\0")));
	assert_null(json_member(NULL, STR("a")));
	list = json_member(json_member(n, STR("b")), STR("c"));
	assert_null(json_member(list, STR("a")));
	assert_int_equal(json_type_of(list), JSON_ARRAY);
	assert_ptr_equal(json_parent(list), json_member(n, STR("b")));
	assert_ptr_equal(json_parent(json_parent(list)), n);
	assert_null(json_parent(n));
	item = json_first(list);
	assert_int_equal(json_type_of(item), JSON_TRUE);
	assert_null(json_key(item, arena).p);
	item = json_next(item);
	assert_int_equal(json_type_of(item), JSON_NULL);
	item = json_next(item);
	assert_true(str_eq(json_string(item, arena), STR("x\0y")));
	assert_null(json_next(item));
	assert_true(str_eq(json_key(json_member(n, STR("k\0")), arena),
	    STR("k\0")));
	assert_text(json_key(json_member(n, STR("b")), arena), "b");
	/* cJSON's own look at the tree. */
	assert_true(cJSON_IsObject(n));
	assert_true(cJSON_IsNumber(cJSON_GetObjectItemCaseSensitive(n, "a")));
	assert_int_equal(cJSON_GetArraySize(list), 3);
}

static void
builds(void **state)
{
	struct cJSON *n = json_new_object(arena), *list;

	(void)state;
	assert_text(printed(n), "{}");
	json_set(arena, n, STR("s"), json_new_string(arena,
	    STR("a\"\\\n\0\x1f/\xC3\xA9")));
	json_set(arena, n, STR("n"), json_new_number(arena, STR("1e400")));
	json_set(arena, n, STR("t"), json_new_bool(arena, true));
	json_set(arena, n, STR("f"), json_new_bool(arena, false));
	json_set(arena, n, STR("k\0\""), json_new_null(arena));
	list = json_new_array(arena);
	json_set(arena, n, STR("l"), list);
	assert_text(printed(list), "[]");
	json_append(list, json_new_object(arena));
	json_append(list, json_new_string(arena, STR("")));
	json_append(list, json_new_string(arena, STR_NULL));
	assert_text(printed(n), "{\"s\":\"a\\\"\\\\\\n\\u0000\\u001f/"
	    "\xC3\xA9\",\"n\":1e400,\"t\":true,\"f\":false,"
	    "\"k\\u0000\\\"\":null,\"l\":[{},\"\",\"\"]}");
	assert_text(printed(list), "[{},\"\",\"\"]");
	json_set(arena, n, STR("n"), json_new_string(arena, STR("now")));
	json_add(arena, n, STR("n"), json_new_null(arena));
	json_rename(arena, json_member(n, STR("t")), STR("t\t"));
	assert_text(printed(n), "{\"s\":\"a\\\"\\\\\\n\\u0000\\u001f/"
	    "\xC3\xA9\",\"n\":\"now\",\"t\\t\":true,\"f\":false,"
	    "\"k\\u0000\\\"\":null,\"l\":[{},\"\",\"\"],\"n\":null}");
	assert_text(printed(json_copy(arena, list)), "[{},\"\",\"\"]");
	assert_text(printed(json_copy(arena, json_member(n, STR("n")))),
	    "\"now\"");
}

/* Each member of three taken out, put back at the end, and replaced. */
static void
detaches_and_replaces(void **state)
{
	static const char *const gone[] = {
		"[2,3]", "[1,3]", "[1,2]",
	}, *const back[] = {
		"[2,3,1]", "[1,3,2]", "[1,2,3]",
	}, *const replaced[] = {
		"[{\"x\":0},2,3]", "[1,{\"x\":0},3]", "[1,2,{\"x\":0}]",
	};

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct cJSON *list = parse(STR("[1,2,3]"));
		struct cJSON *item = json_first(list), *other;

		for (int k = 0; k < i; k++)
			item = json_next(item);
		json_detach(list, item);
		assert_text(printed(list), gone[i]);
		json_append(list, item);
		assert_text(printed(list), back[i]);

		list = parse(STR("[1,2,3]"));
		item = json_first(list);
		for (int k = 0; k < i; k++)
			item = json_next(item);
		other = parse(STR("{\"x\":0}"));
		json_replace(list, item, other);
		assert_text(printed(list), replaced[i]);
		assert_ptr_equal(json_parent(other), list);
		json_append(list, item);
		json_detach(list, other);
		assert_null(json_parent(other));
		assert_int_equal(json_count(list), 3);
	}
}

static void
replaces_in_an_object(void **state)
{
	struct cJSON *n = parse(STR("{\"a\":1,\"b\":2}"));

	(void)state;
	json_replace(n, json_first(n), json_new_string(arena, STR("x")));
	assert_text(printed(n), "{\"a\":\"x\",\"b\":2}");
	json_detach(n, json_first(n));
	json_detach(n, json_first(n));
	assert_text(printed(n), "{}");
	json_append(n, json_copy(arena, parse(STR("1"))));
	assert_int_equal(json_count(n), 1);
}

static void
knows_numbers(void **state)
{
	static const char *const yes[] = {
		"0", "-0", "1", "10", "1.5", "1e5", "1E-5", "-1.5e+10",
	}, *const no[] = {
		"", "-", "01", "1.", ".1", "1e", "+1", " 1", "1 ", "1a", "e",
		"--1", "1.5.5", "0x10", "Infinity",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(yes); i++)
		assert_true(json_is_number(str_of(yes[i])));
	for (size_t i = 0; i < ARRAY_LEN(no); i++)
		assert_false(json_is_number(str_of(no[i])));
	/* The slice ends where it says. */
	assert_true(json_is_number(str_head(STR("1.5"), 1)));
	assert_false(json_is_number(str_head(STR("1.5"), 2)));
}

static void
escapes(void **state)
{
	struct buf b = { .p = NULL };

	(void)state;
	json_escape(&b, STR("plain text that is longer than a vector \"q\" "
	    "\0\x01\b\f\n\r\t\\/\x7f"));
	assert_text(buf_str(&b), "plain text that is longer than a vector "
	    "\\\"q\\\" \\u0000\\u0001\\b\\f\\n\\r\\t\\\\/\x7f");
	json_escape(&b, STR(""));
	buf_fini(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accepts_what_the_rfc_accepts),
		cmocka_unit_test(refuses_all_else),
		cmocka_unit_test(depth_is_limited),
		cmocka_unit_test(long_numbers_and_strings),
		cmocka_unit_test(every_split_of_a_string),
		cmocka_unit_test(asks),
		cmocka_unit_test(builds),
		cmocka_unit_test(detaches_and_replaces),
		cmocka_unit_test(replaces_in_an_object),
		cmocka_unit_test(knows_numbers),
		cmocka_unit_test(escapes),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
