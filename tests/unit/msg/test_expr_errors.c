/* SPDX-License-Identifier: Apache-2.0 */
/* Expressions that are wrong, or that mean harm. */
#include "msg/expr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "expr_fixture.h"
#include "msg/xml.h"

/* What asks for no body works on one that cannot be read. */
static void
test_broken_body(void **state)
{
	static const struct row fine[] = {
		{ "concat($ctx:p,'!')", "pv!", true },
		{ "json-eval($)", "{\"a\":", false },
		{ "json-eval($.a)", "", false },
		{ "${vars.lim}", "10", false },
	};
	static const char *const faults[] = { "//a", "${payload.a}",
		"${exists(payload.a)}", "${xpath('//a')}" };
	struct fixture f;

	(void)state;
	begin(&f, "application/json", "{\"a\":");
	check_rows(&f, fine, ARRAY_LEN(fine));
	for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
		struct err err = { 0 };
		struct str s;

		assert_int_equal(expr_string(compiled(&f, faults[i]), f.m, &s,
		    &err), -1);
		assert_int_equal(err.kind, ERR_SYNTAX);
	}
	end(&f);
}

static void
test_faults(void **state)
{
	static const struct {
		const char *expression, *text;
	} rows[] = {
		{ "$foo", "Evaluation of the XPath expression $foo resulted in "
		    "an error: there is no such variable" },
		{ "$foo:bar", "Evaluation of the XPath expression $foo:bar "
		    "resulted in an error: there is no such variable" },
		{ "//m:r", "Evaluation of the XPath expression //m:r resulted "
		    "in an error: a prefix is not declared" },
		{ "foo()", "Evaluation of the XPath expression foo() resulted "
		    "in an error: there is no such function" },
		{ "count('a')", "Evaluation of the XPath expression count('a') "
		    "resulted in an error: a value is of the wrong type" },
		{ "base64Encode('a','x')", "Evaluation of the XPath expression "
		    "base64Encode('a','x') resulted in an error: unsupported "
		    "charset" },
		{ "json-eval($ctx:doc.zz)", "No results for path: $.zz" },
		{ "json-eval($ctx:p.zz)", "property p is no JSON" },
		{ "json-eval($.{$ctx:p}[)", "JSONPath $.pv[: " },
	};
	struct fixture f;

	(void)state;
	begin(&f, "application/json", json_body);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err err = { 0 };
		struct str s;

		assert_int_equal(expr_string(compiled(&f, rows[i].expression),
		    f.m, &s, &err), -1);
		if (strncmp(err.text, rows[i].text, strlen(rows[i].text)) != 0)
			fail_msg("%s: %s", rows[i].expression, err.text);
		assert_int_not_equal(err.kind, ERR_SYNTAX);
	}
	end(&f);
}

static void
test_syntax_errors(void **state)
{
	static const struct {
		const char *expression;
		int column;
	} rows[] = {
		{ "//a[", 5 }, { "//a['x", 7 }, { "a b", 3 },
		{ "  encrypt('a')", 3 }, { "wso2:vault-lookup('a')", 1 },
		{ "json-eval($.a", 14 }, { "json-eval()", 11 },
		{ "json-eval($.a[)", 15 }, { "json-eval($ctx:d.a[)", 20 },
		{ "json-eval($.a{//b[})", 19 },
		{ "${}", 3 }, { "${1 +}", 6 }, { "${10-2}", 5 },
		{ "${payload.}", 11 }, { "${payload[}", 11 },
		{ "${payload.a[?(@.b == )]}", 22 }, { "${foo(1)}", 3 },
		{ "${length(}", 10 }, { "${\"abc}", 3 }, { "${\"\\d\"}", 4 },
		{ "${1 2}", 5 }, { "${true ? 1}", 11 },
		{ "${payload.a[?(@.b}", 18 }, { "${vars}", 7 },
		{ "${properties.foo.x}", 14 }, { "${params.x.y}", 10 },
		{ "${(1}", 5 }, { "${[1}", 5 }, { "${xpath('//a[')}", 14 },
		{ "${wso2-vault(\"a\")}", 3 },
	};
	struct expr_scope scope = { .at = { .file = "f.xml", .line = 3 } };
	struct arena *a = arena_new(0);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err err = { 0 };

		if (expr_compile(a, str_of(rows[i].expression), &scope, &err))
			fail_msg("%s compiles", rows[i].expression);
		if (err.at.column != rows[i].column)
			fail_msg("%s: %s at column %d", rows[i].expression,
			    err.text, err.at.column);
		assert_int_equal(err.at.line, 3);
		assert_string_equal(err.at.file, "f.xml");
	}
	arena_free(&a);
}

/* Compiles or not, but must not fall over; then it must evaluate too. */
static void
survives(struct fixture *f, const char *head, const char *part,
    const char *tail)
{
	char *text = repeated(head, part, 100000, tail);
	struct err err = { 0 };
	struct expr *e = expr_compile(f->arena, str_of(text), NULL, &err);
	struct str s;

	if (!e)
		assert_true(err.at.column > 0);
	else if (expr_string(e, f->m, &s, &err) == -1)
		assert_true(err.text[0] != '\0');
	free(text);
}

static void
test_hostile_expressions(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, "application/json", json_body);
	survives(&f, "", "(", "");
	survives(&f, "", "(", "1");
	survives(&f, "a", "[a", "");
	survives(&f, "", "/a", "");
	survives(&f, "", "-", "1");
	survives(&f, "1", "+1", "");
	survives(&f, "a", "|a", "");
	survives(&f, "", "not(", "");
	survives(&f, "${", "(", "}");
	survives(&f, "${", "[", "}");
	survives(&f, "${1", " + 1", "}");
	survives(&f, "${1", " * 1", "}");
	survives(&f, "${true", " and true", "}");
	survives(&f, "${1", " < 1", "}");
	survives(&f, "${", "true ? 1 : ", "1}");
	survives(&f, "${payload", "[payload", "}");
	survives(&f, "${payload", ".a", "}");
	survives(&f, "${payload.a[?(", "(", "}");
	survives(&f, "${", "not(", "}");
	survives(&f, "${\"", "a", "\"}");
	survives(&f, "json-eval($.{", "json-eval($.{", "a})");
	survives(&f, "json-eval($", "{a}", ")");
	end(&f);
}

static void
test_too_many_steps(void **state)
{
	char *body = repeated("<r>", "<a><b/></a>", 3000, "</r>");
	struct fixture f;
	struct err err = { 0 };
	struct str s;

	(void)state;
	begin(&f, "application/xml", body);
	assert_int_equal(expr_string(compiled(&f, "count(//*[count(//*) > 1])"),
	    f.m, &s, &err), -1);
	assert_int_equal(err.kind, ERR_VALUE);
	end(&f);
	free(body);
}

static void
test_long_results(void **state)
{
	char *body = repeated("{\"s\":\"", "ab", 100000, "\"}");
	struct fixture f;
	struct str s;

	(void)state;
	begin(&f, "application/json", body);
	assert_int_equal(expr_string(compiled(&f, "${length(split(payload.s,"
	    "\"a\"))}"), f.m, &s, NULL), 0);
	assert_true(str_is(s, "100001"));
	assert_int_equal(expr_string(compiled(&f, "${replace(payload.s,"
	    "\"a\",payload.s)}"), f.m, &s, NULL), 0);
	assert_int_equal(s.n, 0);
	assert_int_equal(expr_string(compiled(&f,
	    "${split(payload.s,\"(b|ab)*c|(.+)+$x\")}"), f.m, &s, NULL), 0);
	end(&f);
	free(body);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_broken_body),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_syntax_errors),
		cmocka_unit_test(test_hostile_expressions),
		cmocka_unit_test(test_too_many_steps),
		cmocka_unit_test(test_long_results),
	};
	int rc;

	xml_global_init();
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	xml_global_fini();
	return rc;
}
