/* SPDX-License-Identifier: Apache-2.0 */
#include "msg/jsonpath.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/buf.h"
#include "msg/json.h"

static const char document[] = "{\"a\":{\"b\":[1,2.50,{\"c\":\"x\"}],"
    "\"k-1\":\"kk\",\"n\":null,\"t\":true,\"f\":12345678.9},"
    "\"list\":[{\"id\":1,\"n\":\"A\"},{\"id\":2,\"n\":\"B\",\"p\":9},"
    "{\"id\":\"3\",\"n\":\"C\",\"p\":10.0}],\"nums\":[3,1,2],\"s\":\"str\","
    "\"dup\":1,\"dup\":2,\"empty\":[],\"tags\":[[\"a\",\"b\"],[\"c\"]],"
    "\"q'q\":1,\"nul\\u0000key\":5}";

static struct jsonpath *
compiled(struct arena *a, const char *text)
{
	struct err err = { 0 };
	struct jsonpath *p = jsonpath_compile(a, str_of(text), &err);

	if (!p)
		fail_msg("%s: %s (column %d)", text, err.text, err.at.column);
	return p;
}

static struct cJSON *
parsed(struct arena *a, const char *text)
{
	struct cJSON *root = json_parse(a, str_of(text), 0, NULL);

	assert_non_null(root);
	return root;
}

/* NULL: the path does not exist. */
struct row {
	const char *path, *json;
};

static const struct row rows[] = {
	{ "a.b", "[1,2.50,{\"c\":\"x\"}]" },
	{ "$.a.b[1]", "2.50" },
	{ "$.a.b[2].c", "\"x\"" },
	{ "$.a['k-1']", "\"kk\"" },
	{ "$.a.k-1", "\"kk\"" },
	{ "@.s", "\"str\"" },
	{ "$.a.n", "null" },
	{ "$.a.f", "1.23456789E7" },
	{ "$.dup", "2" },
	{ "$['q\\'q']", "1" },
	{ "$.s.", "\"str\"" },
	{ "$.list[ 1 ].n", "\"B\"" },
	{ "$.missing", NULL },
	{ "$.missing.x", NULL },
	{ "$.a.n.x", NULL },
	{ "$.s[0]", NULL },
	{ "$.list[5]", NULL },
	{ "$.list[-4]", NULL },
	/* Indefinite: what misses behind the first such step is left out. */
	{ "$.list[*].id", "[1,2,\"3\"]" },
	{ "$.list[*].zz", "[]" },
	{ "$.missing[*]", NULL },
	{ "$.s[*]", "[]" },
	{ "$.s[0:1]", NULL },
	{ "$.nums[9][*]", "[]" },
	{ "$.a.*", "[[1,2.50,{\"c\":\"x\"}],\"kk\",null,true,1.23456789E7]" },
	{ "$.list[0,2].id", "[1,\"3\"]" },
	{ "$.list[0:2].id", "[1,2]" },
	{ "$.list[-1:].id", "[\"3\"]" },
	{ "$.list[:-1].id", "[1,2]" },
	{ "$.list[5:]", "[]" },
	{ "$.nums[-2:5]", "[1,2,3,1,2]" },
	{ "$.nums[-2147483648:2147483647]", "[3,1,2,3,1,2]" },
	{ "$.nums[0:3:2]", "[3,1,2]" },
	{ "$.a['t','n']", "{\"t\":true,\"n\":null}" },
	{ "$.list[*]['id','p']",
	    "[{\"id\":1},{\"id\":2,\"p\":9},{\"id\":\"3\",\"p\":10.0}]" },
	{ "$.['a','nope']['n','t']", "[{\"n\":null,\"t\":true}]" },
	/* Scans. */
	{ "$..id", "[1,2,\"3\"]" },
	{ "$..missing", "[]" },
	{ "$..[0]", "[1,{\"id\":1,\"n\":\"A\"},3,[\"a\",\"b\"],\"a\",\"c\"]" },
	{ "$..[0].id", "[1,2,\"3\"]" },
	{ "$..['id','p']",
	    "[{\"id\":2,\"p\":9},{\"id\":\"3\",\"p\":10.0}]" },
	{ "$..[?(@.p)].n", "[\"B\",\"C\"]" },
	{ "$.tags..*", "[[\"a\",\"b\"],[\"c\"],\"a\",\"b\",\"c\"]" },
	/* Filters. */
	{ "$.list[?(@.p > 9)].n", "[\"C\"]" },
	{ "$.list[?(@.p>=9)].n", "[\"B\",\"C\"]" },
	{ "$.list[?(@.p <= 9.00)].n", "[\"B\"]" },
	{ "$.list[?(10 == @.p)].n", "[\"C\"]" },
	{ "$.list[?(@.id == 3)].n", "[\"C\"]" },
	{ "$.list[?(@.id < 4)].n", "[\"A\",\"B\"]" },
	{ "$.list[?(@.id === 3)].n", "[]" },
	{ "$.list[?(@.id !== 3)].n", "[\"A\",\"B\",\"C\"]" },
	{ "$.list[?(@.n > 'A')].n", "[\"B\",\"C\"]" },
	{ "$.list[?(@.p)].n", "[\"B\",\"C\"]" },
	{ "$.list[?(!@.p)].n", "[\"A\"]" },
	{ "$.list[?(!(@.p > 9))].n", "[\"A\",\"B\"]" },
	{ "$.list[?(!(!(@.p > 9)))].n", "[\"C\"]" },
	{ "$.list[?(@.p == null)].n", "[]" },
	{ "$.list[?(@.p != 9)].n", "[\"A\",\"C\"]" },
	{ "$[?(@.n == null)].t", "[]" },
	{ "$.a[?(@.c)]", "[]" },
	{ "$.a.b[?(@.c)]", "[{\"c\":\"x\"}]" },
	{ "$.list[?(@.n == \"A\" || @.n == \"B\" && @.p == 9)].id", "[1,2]" },
	{ "$.list[?((@.n == 'A' || @.n == 'B') && @.p == 9)].id", "[2]" },
	{ "$.list[?(@.n =~ /[a-b]/i)].n", "[\"A\",\"B\"]" },
	{ "$.list[?(@.n =~ /[a-b]/)].n", "[]" },
	{ "$.list[?(@.n =~ /A|/)].n", "[\"A\"]" },
	{ "$.tags[?(@ =~ /a|x/)]", "[[\"a\",\"b\"]]" },
	{ "$.list[?(@.n in ['A', \"C\"])].n", "[\"A\",\"C\"]" },
	{ "$.list[?(@.n in [A, C])].n", "[\"A\",\"C\"]" },
	{ "$.list[?(@.id IN [1, 2.0])].n", "[\"A\",\"B\"]" },
	{ "$.list[?(@.n nin ['A'])].n", "[\"B\",\"C\"]" },
	{ "$.tags[?(@ contains 'a')]", "[[\"a\",\"b\"]]" },
	{ "$.list[?(@.n contains 'B')].n", "[\"B\"]" },
	{ "$.tags[?(@ size 1)]", "[[\"c\"]]" },
	{ "$.list[?(@.n size 1)].n", "[\"A\",\"B\",\"C\"]" },
	{ "$.tags[?(@ empty false)]", "[[\"a\",\"b\"],[\"c\"]]" },
	{ "$.tags[?(@ anyof ['c','z'])]", "[[\"c\"]]" },
	{ "$.tags[?(@ subsetof ['c','z'])]", "[[\"c\"]]" },
	{ "$.tags[?(@ noneof ['c'])]", "[[\"a\",\"b\"]]" },
	{ "$.tags[?(@ all ['a','b'])]", "[[\"a\",\"b\"]]" },
	{ "$.tags[?(@ == ['c'])]", "[[\"c\"]]" },
	{ "$.a.b[?(@ == {c:'x'})]", "[{\"c\":\"x\"}]" },
	{ "$.list[?(@.p > $.nums[0])].n", "[\"B\",\"C\"]" },
	{ "$.tags[?(@.length() > 1)]", "[[\"a\",\"b\"]]" },
	{ "$.list[?(@.p == true)]", "[]" },
	/* Functions. */
	{ "$.nums.length()", "3" },
	{ "$.nums.size()", "3" },
	{ "$.a.length()", "5" },
	{ "$.s.length()", NULL },
	{ "$.a.keys()", "[\"b\",\"k-1\",\"n\",\"t\",\"f\"]" },
	{ "$.nums.min()", "1.0" },
	{ "$.nums.max()", "3.0" },
	{ "$.nums.avg()", "2.0" },
	{ "$.nums.sum()", "6.0" },
	{ "$.nums.stddev()", "0.8164965809277263" },
	{ "$.nums.first()", "3" },
	{ "$.nums.last()", "2" },
	{ "$.nums.index(1)", "1" },
	{ "$.nums.index(-1)", "2" },
	{ "$.nums.index(9)", NULL },
	{ "$.tags[0].concat('-', \"z\")", "\"ab-z\"" },
	{ "$.nums.append(5)", "[3,1,2,5]" },
	{ "$.nums", "[3,1,2]" },
	{ "$.empty.sum()", NULL },
	{ "$.s.keys()", NULL },
	{ "$..p.sum()", "19.0" },
	{ "$..id.length()", "0" },
	{ "$.tags[*].length()", "[2,1]" },
	{ "$.sum($.nums)", "6.0" },
	{ "$.sum($..p, 1)", "20.0" },
	{ "$.list.last().n", "\"C\"" },
};

static void
test_read(void **state)
{
	struct arena *a = arena_new(0);
	struct cJSON *root = parsed(a, document), *got;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err err = { 0 };
		enum jsonpath_result rc = jsonpath_read(
		    compiled(a, rows[i].path), root, a, &got, &err);

		if (!rows[i].json) {
			if (rc != JSONPATH_ABSENT)
				fail_msg("%s exists", rows[i].path);
			continue;
		}
		if (rc != JSONPATH_FOUND)
			fail_msg("%s: %s", rows[i].path, err.text);
		if (!str_is(json_text(got, a), rows[i].json))
			fail_msg("%s gives %s", rows[i].path,
			    json_text(got, a).p);
	}
	arena_free(&a);
}

static void
test_syntax_errors(void **state)
{
	static const struct {
		const char *path;
		int column;
	} bad[] = {
		{ "", 1 }, { ".", 1 }, { "$..", 3 }, { "$.a..", 5 }, { "$a", 2 },
		{ "$.a b", 4 }, { "$.a[", 5 }, { "$.a[]", 5 }, { "$.a[x]", 5 },
		{ "$.a['x", 5 }, { "$.a['x'", 8 }, { "$.a['x' 'y']", 9 },
		{ "$.a['\\u00g0']", 10 }, { "$.a[1", 6 }, { "$.a[1,]", 7 },
		{ "$.a[1;2]", 6 }, { "$.a[:]", 6 }, { "$.a[99999999999]", 5 },
		{ "$.a[*", 6 }, { "$.a[?]", 6 }, { "$.a[?(", 7 },
		{ "$.a[?()]", 7 }, { "$.a[?(@.x ==)]", 13 },
		{ "$.a[?(@.x == 1]", 15 }, { "$.a[?(@.x == y)]", 14 },
		{ "$.a[?(@.x =~ /(/)]", 15 }, { "$.a[?(@.x =~ /a)]", 14 },
		{ "$.a[?(1)]", 8 }, { "$.a[?(@.x >< 1)]", 12 },
		{ "$.a[?(@.a == 1 &&)]", 18 }, { "$.a[?(@.x in [1)]", 16 },
		{ "$.a[?(@.x == 'y)]", 14 }, { "$.a[?((@.x)]", 12 },
		{ "$.a.foo()", 5 }, { "$.a.index(", 11 },
		{ "$.a.index(1", 12 }, { "$..length()", 12 },
	};
	struct arena *a = arena_new(0);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct err err = { 0 };

		if (jsonpath_compile(a, str_of(bad[i].path), &err))
			fail_msg("%s compiles", bad[i].path);
		if (err.at.column != bad[i].column)
			fail_msg("%s: %s at column %d", bad[i].path, err.text,
			    err.at.column);
		assert_int_equal(err.kind, ERR_SYNTAX);
	}
	arena_free(&a);
}

/* A text of parts repeated; the caller frees. */
static char *
repeated(const char *head, const char *part, size_t n, const char *tail)
{
	struct buf b = { 0 };
	char *text;

	buf_addz(&b, head);
	for (size_t i = 0; i < n; i++)
		buf_addz(&b, part);
	buf_addz(&b, tail);
	text = str_dup(buf_str(&b));
	buf_fini(&b);
	return text;
}

static void
refuses(const char *head, const char *part, const char *tail)
{
	struct arena *a = arena_new(0);
	struct err err = { 0 };
	char *text = repeated(head, part, 100000, tail);

	assert_null(jsonpath_compile(a, str_of(text), &err));
	assert_true(err.at.column > 0);
	free(text);
	arena_free(&a);
}

static void
test_hostile_paths(void **state)
{
	(void)state;
	refuses("$[?(", "(", "@.a))]");
	refuses("$[?(", "!", "@.a)]");
	refuses("$[?(@.a in ", "[", "])]");
	refuses("$", "[?(@", ")]");
	refuses("$", ".a", "");
	refuses("$", "[0]", "");
	refuses("$.sum(", "$.sum(", ")");
}

/* Deeper than any parser would hand it over. */
static struct cJSON *
deep_document(struct arena *a, size_t depth)
{
	struct cJSON *inner = json_new_number(a, STR("1"));

	while (depth-- > 0) {
		struct cJSON *box = json_new_array(a);

		json_append(box, inner);
		inner = box;
	}
	return inner;
}

static void
test_hostile_documents(void **state)
{
	struct arena *a = arena_new(0);
	struct cJSON *root = deep_document(a, 100000), *got;
	struct cJSON *wide = json_new_array(a);
	struct err err = { 0 };

	(void)state;
	assert_int_equal(jsonpath_read(compiled(a, "$..x"), root, a, &got,
	    &err), JSONPATH_FAILED);
	assert_int_equal(err.kind, ERR_LIMIT);
	for (int i = 0; i < 3000; i++)
		json_append(wide, json_new_number(a, STR("1")));
	err = (struct err){ 0 };
	assert_int_equal(jsonpath_read(compiled(a,
	    "$[?(@ == 2 || $[?(@ == 2)] == 1)]"), wide, a, &got, &err),
	    JSONPATH_FAILED);
	assert_int_equal(err.kind, ERR_LIMIT);
	arena_free(&a);
}

/* Copies of what is found over and over are bounded too. */
static void
test_overlapping_results(void **state)
{
	struct arena *a = arena_new(0);
	struct cJSON *root = deep_document(a, 5000), *got;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(jsonpath_read(compiled(a, "$..*"), root, a, &got,
	    &err), JSONPATH_FAILED);
	assert_int_equal(err.kind, ERR_LIMIT);
	arena_free(&a);
}

static void
test_regex_gives_up(void **state)
{
	struct arena *a = arena_new(0);
	char *text = repeated("[\"", "a", 5000, "!\"]");
	struct cJSON *root = parsed(a, text), *got;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(jsonpath_read(compiled(a,
	    "$[?(@ =~ /(a+)+(b+)+c|(a|aa)+$/)]"), root, a, &got, &err),
	    JSONPATH_FAILED);
	assert_int_equal(err.kind, ERR_LIMIT);
	free(text);
	arena_free(&a);
}

struct write {
	const char *before, *path, *after;	/* after NULL: absent */
};

static void
gives(struct arena *a, const struct write *w, enum jsonpath_result rc,
    const struct cJSON *root)
{
	if (!w->after) {
		assert_int_equal(rc, JSONPATH_ABSENT);
		assert_string_equal(json_text(root, a).p, w->before);
		return;
	}
	assert_int_equal(rc, JSONPATH_FOUND);
	assert_string_equal(json_text(root, a).p, w->after);
}

static void
test_set(void **state)
{
	static const struct write all[] = {
		{ "{\"a\":1,\"b\":2}", "$.a", "{\"a\":\"v\",\"b\":2}" },
		{ "{\"a\":[1,2]}", "$.a[-1]", "{\"a\":[1,\"v\"]}" },
		{ "{\"a\":[1,2]}", "$.a[*]", "{\"a\":[\"v\",\"v\"]}" },
		{ "{\"a\":[1,2]}", "$.a[0,0]", "{\"a\":[\"v\",2]}" },
		{ "{\"a\":1,\"b\":2}", "$['a','b']",
		    "{\"a\":\"v\",\"b\":\"v\"}" },
		{ "{\"a\":{\"a\":1}}", "$..a", "{\"a\":\"v\"}" },
		{ "{\"a\":1,\"a\":2}", "$.a", "{\"a\":1,\"a\":\"v\"}" },
		{ "{\"a\":1}", "$", "\"v\"" },
		{ "{\"a\":1}", "$.b", NULL },
		{ "{\"a\":1}", "$.b.c", NULL },
		{ "{\"a\":1}", "$..b", "{\"a\":1}" },
	};
	struct arena *a = arena_new(0);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		struct cJSON *root = parsed(a, all[i].before);
		enum jsonpath_result rc = jsonpath_set(
		    compiled(a, all[i].path), &root,
		    json_new_string(a, STR("v")), a, NULL);

		gives(a, &all[i], rc, root);
	}
	arena_free(&a);
}

static void
test_delete(void **state)
{
	static const struct write all[] = {
		{ "{\"a\":1,\"b\":2}", "$.a", "{\"b\":2}" },
		{ "{\"a\":[1,2,3]}", "$.a[0,2,0]", "{\"a\":[2]}" },
		{ "{\"a\":[1,2,3]}", "$.a[*]", "{\"a\":[]}" },
		{ "{\"a\":[{\"x\":1},{\"x\":2}]}", "$.a[?(@.x == 1)]",
		    "{\"a\":[{\"x\":2}]}" },
		{ "{\"a\":[{\"x\":1}]}", "$.a[?(@.x == 9)]",
		    "{\"a\":[{\"x\":1}]}" },
		{ "{\"a\":{\"a\":1},\"b\":2}", "$..a", "{\"b\":2}" },
		{ "{\"a\":1}", "$", "{}" },
		{ "[1]", "$", "[]" },
		{ "{\"a\":1}", "$.b", NULL },
	};
	struct arena *a = arena_new(0);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		struct cJSON *root = parsed(a, all[i].before);
		enum jsonpath_result rc = jsonpath_delete(
		    compiled(a, all[i].path), &root, a, NULL);

		gives(a, &all[i], rc, root);
	}
	arena_free(&a);
}

static void
test_rename(void **state)
{
	static const struct write all[] = {
		{ "{\"a\":1,\"b\":2}", "$.a", "{\"new\":1,\"b\":2}" },
		{ "{\"a\":1,\"new\":2}", "$.a", "{\"new\":1}" },
		{ "{\"l\":[{\"a\":1},{\"b\":2}]}", "$.l[*].a",
		    "{\"l\":[{\"new\":1},{\"b\":2}]}" },
		{ "{\"a\":[1]}", "$.a[0]", NULL },
		{ "{\"a\":1}", "$", NULL },
		{ "{\"a\":1}", "$.b", NULL },
	};
	struct arena *a = arena_new(0);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		struct cJSON *root = parsed(a, all[i].before);
		enum jsonpath_result rc = jsonpath_rename(
		    compiled(a, all[i].path), root, STR("new"), a, NULL);

		gives(a, &all[i], rc, root);
	}
	arena_free(&a);
}

static void
test_append(void **state)
{
	struct arena *a = arena_new(0);
	struct cJSON *root = parsed(a, "{\"a\":[1],\"b\":2}");
	struct cJSON *value = json_new_bool(a, true);
	struct err err = { 0 };

	(void)state;
	assert_int_equal(jsonpath_append(compiled(a, "$.a"), root, value, a,
	    &err), JSONPATH_FOUND);
	assert_string_equal(json_text(root, a).p, "{\"a\":[1,true],\"b\":2}");
	assert_int_equal(jsonpath_append(compiled(a, "$.b"), root, value, a,
	    &err), JSONPATH_FAILED);
	assert_int_equal(err.kind, ERR_VALUE);
	assert_int_equal(jsonpath_append(compiled(a, "$.c"), root, value, a,
	    &err), JSONPATH_ABSENT);
	assert_string_equal(err.text, "No results for path: $.c");
	arena_free(&a);
}

static void
test_number_text(void **state)
{
	static const struct row all[] = {
		{ "1", "1" }, { "1.50", "1.5" }, { "1e3", "1000" },
		{ "1.0", "1.0" }, { "-0", "0" }, { "-0.0", "0.0" },
		{ "12345678.9", "1.23456789E7" }, { "0.0001", "1.0E-4" },
		{ "0.001", "0.001" }, { "9999999.5", "9999999.5" },
		{ "10000000.0", "1.0E7" }, { "2147483648", "2147483648" },
		{ "9223372036854775807", "9223372036854775807" },
		{ "9223372036854775808", "9223372036854775808" },
		{ "12345678901234567890123", "12345678901234567890123" },
		{ "1e400", "1E+400" }, { "-12e30", "-1.2E+31" },
		{ "1e19", "1E+19" }, { "1e18", "1000000000000000000" },
		{ "1.5e400", "1.5E+400" }, { "1e-400", "1E-400" },
		{ "0.1000000000000000055511151231257827",
		    "0.1000000000000000055511151231257827" },
		{ "1e99999999999", "1e99999999999" },
	};
	struct arena *a = arena_new(0);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		struct str got = jsonpath_number_text(str_of(all[i].path), a);

		if (!str_is(got, all[i].json))
			fail_msg("%s prints as %.*s", all[i].path,
			    STR_FMT(got));
	}
	arena_free(&a);
}

static void
test_long_numbers(void **state)
{
	struct arena *a = arena_new(0);
	char *number = repeated("", "7", 100000, "");
	char *text = repeated("{\"n\":", number, 1, ",\"f\":0.");
	char *whole = repeated(text, number, 1, "}");
	struct cJSON *root = parsed(a, whole), *got;

	(void)state;
	assert_int_equal(jsonpath_read(compiled(a, "$.n"), root, a, &got,
	    NULL), JSONPATH_FOUND);
	assert_string_equal(json_text(got, a).p, number);
	assert_int_equal(jsonpath_read(compiled(a, "$[?(@.n == $.f)]"), root,
	    a, &got, NULL), JSONPATH_FOUND);
	assert_string_equal(json_text(got, a).p, "[]");
	free(number);
	free(text);
	free(whole);
	arena_free(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_syntax_errors),
		cmocka_unit_test(test_hostile_paths),
		cmocka_unit_test(test_hostile_documents),
		cmocka_unit_test(test_overlapping_results),
		cmocka_unit_test(test_regex_gives_up),
		cmocka_unit_test(test_set),
		cmocka_unit_test(test_delete),
		cmocka_unit_test(test_rename),
		cmocka_unit_test(test_append),
		cmocka_unit_test(test_number_text),
		cmocka_unit_test(test_long_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
