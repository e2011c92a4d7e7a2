/* SPDX-License-Identifier: Apache-2.0 */
/* Expressions of all languages on one message; the reference's own cases are
 * in test_expr_cases.c. */
#include "msg/expr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/clock.h"
#include "expr_fixture.h"
#include "msg/xml.h"

static const char xml_body[] = "<n:r xmlns:n=\"urn:n\" id=\"5\"> x <a>1</a>"
    "<a>2</a><e/><deep><m>t</m></deep></n:r>";

static void
test_xpath(void **state)
{
	static const struct row rows[] = {
		{ "//a", "<a>1</a><a>2</a>", true },
		{ "//a[1]", "1", true },
		{ "//n:r", "x", true },
		{ "//e", "<e/>", true },
		{ "//zz", "", false },
		{ "//a/text()", "12", true },
		{ "//@id", "5", true },
		{ "count(//a)", "2.0", true },
		{ "1 div 0", "Infinity", true },
		{ "0 div 0", "NaN", false },
		{ "//a = '2'", "true", true },
		{ "'abc'", "abc", true },
		{ "''", "", false },
		{ "true()", "true", true },
		{ "false( )", "false", false },
		{ "string(//m)", "t", true },
		{ "//a[1]/node()", "<a>1</a>", true },
		{ "//deep/node()", "<m>t</m>", true },
		{ "//namespace::*", "", false },
		{ "/*", "<soapenv:Envelope xmlns:soapenv=\"http://schemas."
		    "xmlsoap.org/soap/envelope/\"><soapenv:Body><n:r xmlns:n="
		    "\"urn:n\" id=\"5\"> x <a>1</a><a>2</a><e/><deep><m>t</m>"
		    "</deep></n:r></soapenv:Body></soapenv:Envelope>", true },
		{ "$body/n:r/@id", "5", true },
		{ "$env/*/n:r/a[2]", "2", true },
		{ "$header/x", "", false },
		{ "position()", "1.0", true },
	};
	struct fixture f;

	(void)state;
	begin(&f, "application/xml", xml_body);
	check_rows(&f, rows, ARRAY_LEN(rows));
	end(&f);
}

static void
test_properties(void **state)
{
	static const struct row rows[] = {
		{ "get-property('p')", "pv", true },
		{ "synapse:get-property( 'default' , \"p\" )", "pv", true },
		{ "get-property('nosuch')", NULL, false },
		{ "get-property('')", "", false },
		{ "get-property('axis2','q')", "a2", true },
		{ "get-property('axis2','zz')", NULL, false },
		{ "get-property('operation','q')", "op", true },
		{ "get-property('transport','h-X')", "hv", true },
		{ "get-property('system','os.name')", "from outside", true },
		{ "get-property('system','zz')", "", false },
		{ "get-property('file','cfg')", "from outside", true },
		{ "get-property('file','zz')", "", false },
		{ "get-property('env','WSGW_TEST_ENV')", "e v", true },
		{ "get-property('env','WSGW_TEST_NONE')", "", false },
		{ "get-property('registry','conf:entry')", "{\"r\":[1,2]}",
		    true },
		{ "get-property('registry','conf:zz')", "", false },
		{ "get-property('func','par')", "pval", true },
		{ "get-property('func','zz')", NULL, false },
		{ "get-property('p','ignored')", "pv", true },
		{ "get-property('conf:entry')", "{\"r\":[1,2]}", true },
		{ "get-property('To')", "http://h/p?Ab=1%202&c=x+y&d", true },
		{ "get-property('ReplyTo')", "", false },
		{ "get-property('FAULT')", "", false },
		{ "get-property('MESSAGE_FORMAT')", "pox", true },
		{ "get-property('SYSTEM_TIME')", "86400123", true },
		{ "get-property('SYSTEM_DATE')", "1/2/70, 12:00 AM", true },
		{ "get-property('i')", "7", true },
		{ "get-property('no')", "false", false },
		{ "get-property('false')", "false", true },
		{ "get-property('empty')", "", false },
		{ "get-property('j')", "{\"x\":7,\"l\":[1.50]}", true },
		{ "$ctx:p", "pv", true },
		{ "$ctx:nosuch", NULL, false },
		{ "$axis2:q", "a2", true },
		{ "$trp:H-x", "hv", true },
		{ "$operation:q", "op", true },
		{ "$sys:zz", "", false },
		{ "$func:par", "pval", true },
		{ "$var:lim", "10", true },
		{ "$url:ab", "1 2", true },
		{ "$url:c", "x y", true },
		{ "$url:d", "", false },
		{ "$url:zz", "", false },
		{ "$j:x", "7", true },
		/* Through the engine. */
		{ "concat($ctx:p,'-',$ctx:i)", "pv-7", true },
		{ "$ctx:i + 1", "8.0", true },
		{ "$ctx:nosuch = 'x'", "false", false },
		{ "$ctx:nosuch != 'x'", "false", false },
		{ "$ctx:no", "false", false },
		{ "$ctx:no = false()", "true", true },
		{ "get-property('p') = 'pv' and not($ctx:nosuch)", "true",
		    true },
		{ "concat(x:get-property('default','p'),'!')", "pv!", true },
		{ "string-length($j:l)", "6.0", true },
	};
	struct fixture f;

	(void)state;
	setenv("WSGW_TEST_ENV", "e v", 1);
	unsetenv("WSGW_TEST_NONE");
	clock_set(0, INT64_C(86400123456));
	begin(&f, "application/json", json_body);
	check_rows(&f, rows, ARRAY_LEN(rows));
	end(&f);
	clock_unset();
}

static void
test_functions(void **state)
{
	static const struct row rows[] = {
		{ "base64Encode('hi')", "aGk=", true },
		{ "base64Encode('h\xC3\xA9', 'ISO-8859-1')", "aOk=", true },
		{ "base64Encode('')", "", false },
		{ "base64Encode('a','b','c')", "", false },
		{ "synapse:base64Decode('aGk=')", "hi", true },
		{ "base64Decode(' aG\nk')", "hi", true },
		{ "base64Decode('aOk=', 'ISO-8859-1')", "h\xC3\xA9", true },
		{ "base64Decode('/w==')", "\xEF\xBF\xBD", true },
		{ "url-encode('a b?c&d=\xC3\xA9/%+')",
		    "a%20b?c&d=%C3%A9/%25+", true },
		{ "url-encode('a+b')", "a%2Bb", true },
		{ "hmac-generate('p','k')",
		    "7bb52a07091770e40dd3c174408773b1c45a324d", true },
		{ "hmac-generate('p','k','HmacSHA256')",
		    "d17ee4f69291880257e3ee28cf42d1e1"
		    "3a29ba3feb6132cc1517554cf7271299", true },
		{ "hmac-generate('p')", "", false },
	};
	struct fixture f;

	(void)state;
	begin(&f, "application/json", json_body);
	check_rows(&f, rows, ARRAY_LEN(rows));
	end(&f);
}

static void
test_json_eval(void **state)
{
	static const struct row rows[] = {
		{ "json-eval($.b)", "true", true },
		{ "json-eval($.name)", "Ann", false },
		{ "json-eval($.nul)", "null", false },
		{ "json-eval($.none)", "", false },
		{ "json-eval($.name.x)", "", false },
		{ "json-eval($.f)", "2.5", false },
		{ "json-eval($.nums[1])", "2.50", false },
		{ "json-eval($.nums)", "[1,2.50,3]", false },
		{ "json-eval($ctx:doc)", "{\"x\":[1,2]}", false },
		{ "json-eval($ctx:doc.)", "{\"x\":[1,2]}", false },
		{ "json-eval($ctx:doc.x[1])", "2", false },
		{ "json-eval($ctx:j.l[0])", "1.50", false },
		{ "json-eval($ctx:nosuch.x)", "", false },
		{ "json-eval($ctx:nosuch)", "", false },
		{ "json-eval($.{json-eval($.path)})", "Ann", false },
		{ "json-eval($.tags[{json-eval($.idx)}])", "b", false },
		{ "json-eval($ctx:doc.{$ctx:nosuch}x)", "[1,2]", false },
	};
	struct fixture f;

	(void)state;
	begin(&f, "application/json", json_body);
	check_rows(&f, rows, ARRAY_LEN(rows));
	end(&f);
}

static void
test_synapse(void **state)
{
	static const struct row rows[] = {
		/* Numbers taken from an array by index count as doubles. */
		{ "${payload.nums[0] + 1}", "2.0", false },
		{ "${payload.nums[0]}", "1", false },
		{ "${payload.age + 1}", "31", false },
		{ "${payload.big + 1}", "12345678902", false },
		{ "${payload.huge + 1}", "", false },
		{ "${payload.huge}", "123456789012345678901", false },
		{ "${payload.name + \"x\"}", "Annx", false },
		{ "${\"a\" + 1}", "", false },
		{ "${2147483647 * 2}", "4294967294", false },
		{ "${2147483647 - -5}", "-2147483644", false },
		{ "${7 / 2}", "3.5", false },
		{ "${5 % 0}", "", false },
		{ "${1.0 / 0}", "", false },
		{ "${5.5 % 2}", "1.5", false },
		{ "${-7 % 3}", "-1", false },
		{ "${2 / 3.0}", "0.7", false },
		{ "${0.1 + 0.2}", "0.3", false },
		{ "${1.5 - 0.5 * 3.0}", "0.0", false },
		{ "${(1 + 2) * 3}", "9", false },
		{ "${10 - 2 - 3}", "5", false },
		{ "${1 < 2 == true}", "true", true },
		{ "${\"a\" < \"b\"}", "", false },
		{ "${5 == 5.0}", "false", false },
		{ "${payload.nul == null}", "true", true },
		{ "${null != 1}", "true", true },
		{ "${false and true or true}", "false", false },
		{ "${true || 1}", "", false },
		{ "${not(1)}", "", false },
		{ "${1 ? 1 : 2}", "", false },
		{ "${true ? false ? 1 : 2 : 3}", "2", false },
		{ "${[1, 2.5, \"a\", [true], payload.o]}",
		    "[1,2.5,\"a\",\"[\\\"true\\\"]\",\"{\\\"k\\\":\\\"v\\\"}\"]",
		    false },
		{ "${[]}", "[]", false },
		{ "${\"a\\\"b\"}", "a\\\"b", false },
		{ "${vars.v}", "{\"a\":[1,2]}", false },
		{ "${vars.v.a[1]}", "2", false },
		{ "${vars.[\"v\"].a}", "[1,2]", false },
		{ "${vars.j.l[0]}", "1.50", false },
		{ "${vars.lim.x}", "", false },
		{ "${vars.nope}", "", false },
		{ "${headers.H-x}", "hv", false },
		{ "${headers[\"h-X\"]}", "hv", false },
		{ "${headers.nope}", "", false },
		{ "${properties.synapse.i + 1}", "8", false },
		{ "${props.axis2[\"q\"]}", "a2", false },
		{ "${params.queryParams.q}", "12", false },
		{ "${params.pathParams.q}", "", false },
		{ "${params.functionParams.par}", "pval", false },
		{ "${configs.cfg}", "from outside", false },
		{ "${payload.tags[payload.idx:]}", "[\"b\",\"c\"]", false },
		{ "${payload.tags[-(2):]}", "[\"b\",\"c\"]", false },
		{ "${payload.tags[payload.idx,0]}", "[\"b\",\"a\"]", false },
		{ "${payload.tags[*]}", "[\"a\",\"b\",\"c\"]", false },
		{ "${payload[\"na\" + \"me\"]}", "Ann", false },
		{ "${payload..n}", "[\"x\",\"y\"]", false },
		{ "${payload.tags.length()}", "3", false },
		{ "${payload.i[?(@.p > vars.lim)].n}", "[\"y\"]", false },
		{ "${payload.i[?(@.p > vars.lim && @.n =~ /y|\\)/)].n}",
		    "[\"y\"]", false },
		{ "${payload.i[(@.n == \"x\")].p}", "[5]", false },
		/* A text in a filter stays one text, whatever is in it. */
		{ "${payload.i[?(@.n == payload.inj)].n}", "[]", false },
		{ "${payload.i[?(@.n == payload.none)].n}", "", false },
		{ "${exists(payload.none)}", "false", false },
		{ "${$.name}", "Ann", false },
		{ "${payload.name.length}", "", false },
		{ "${xpath('//jsonObject/o/k')}", "v", false },
		{ "${xpath('//jsonObject/' + 'o/k')}", "v", false },
		{ "${registry(\"conf:entry\").r[1]}", "2", false },
		{ "${registry(\"conf:entry\").property(\"author\")}",
		    "from outside", false },
		{ "${registry(\"nope\")}", "", false },
	};
	struct fixture f;

	(void)state;
	begin(&f, "application/json", json_body);
	check_rows(&f, rows, ARRAY_LEN(rows));
	end(&f);
}

static void
test_synapse_functions(void **state)
{
	static const struct row rows[] = {
		{ "${length(payload.emo)}", "4", false },
		{ "${length(5)}", "", false },
		{ "${length()}", "", false },
		{ "${subString(payload.emo,1,3)}", "\xF0\x9F\x98\x80", false },
		{ "${subString(payload.emo,3)}", "b", false },
		{ "${subString(\"abc\",2,1)}", "", false },
		{ "${charAt(payload.emo,3)}", "b", false },
		{ "${charAt(\"abc\",3)}", "", false },
		{ "${indexOf(payload.emo,\"b\")}", "3", false },
		{ "${indexOf(\"abcabc\",\"b\",2)}", "4", false },
		{ "${indexOf(\"abc\",\"z\")}", "-1", false },
		{ "${toUpper(\"stra\xC3\x9F" "e \xC3\xA9\")}",
		    "STRASSE \xC3\x89", false },
		{ "${toUpper(payload.age)}", "30", false },
		{ "${toLower(5)}", "", false },
		{ "${trim(payload.s)}", "hi", false },
		{ "${startsWith(\"abc\",\"ab\")}", "true", true },
		{ "${endsWith(\"abc\",\"abcd\")}", "false", false },
		{ "${contains(\"abc\",\"\")}", "true", true },
		{ "${replace(\"abc\",\"\",\"-\")}", "-a-b-c-", false },
		{ "${replace(\"aXbX\",\"X\",\"\")}", "ab", false },
		{ "${split(\"a,b,,c,,\",\",\")}", "[\"a\",\"b\",\"\",\"c\"]",
		    false },
		{ "${split(\"abc\",\"\")}", "[\"a\",\"b\",\"c\"]", false },
		{ "${split(\"a1b22c\",\"[0-9]+\")}", "[\"a\",\"b\",\"c\"]",
		    false },
		{ "${split(\"\",\"x\")}", "[\"\"]", false },
		{ "${split(\"a.b\",\".\")}", "[]", false },
		{ "${split(\"a b\",\" \")[0]}", "[\"a\",\"b\"]", false },
		{ "${split(\"x\",\"(\")}", "", false },
		{ "${abs(-5)}", "5", false },
		{ "${ceil(2)}", "2", false },
		{ "${floor(2.7)}", "2.0", false },
		{ "${round(2.5)}", "3", false },
		{ "${round(-2.5)}", "-2", false },
		{ "${round(2.445,2)}", "2.45", false },
		{ "${round(5,2)}", "5", false },
		{ "${round(payload.big)}", "", false },
		{ "${sqrt(2)}", "1.4142135623730951", false },
		{ "${pow(2,10)}", "1024.0", false },
		{ "${log(100)}", "2.0", false },
		{ "${log(8,2)}", "3.0", false },
		{ "${sqrt(-1)}", "NaN", false },
		{ "${sqrt(-1) + 1}", "", false },
		{ "${base64encode(\"h\xC3\xA9\",\"ISO-8859-1\")}", "aOk=",
		    false },
		{ "${base64decode(\"aGk\")}", "hi", false },
		{ "${base64decode(\"!!\")}", "", false },
		{ "${urlEncode(\"a b*~\")}", "a%20b%2A%7E", false },
		{ "${urlEncode(\"a b*\",\"ISO-8859-1\")}", "a+b*", false },
		{ "${urlDecode(\"a%20b+c\")}", "a b c", false },
		{ "${urlDecode(\"%zz\")}", "", false },
		{ "${isString(payload.name)}", "true", true },
		{ "${isNumber(\"1\")}", "false", false },
		{ "${isArray(\"[1]\")}", "true", true },
		{ "${isObject(payload.js)}", "true", true },
		{ "${integer(\"12\")}", "12", false },
		{ "${integer(\"12345678901\")}", "", false },
		{ "${float(3)}", "3.0", false },
		{ "${float(\"x\")}", "", false },
		{ "${boolean(\"TRUE\")}", "true", true },
		{ "${object(payload.js).q[1]}", "2", false },
		{ "${object(\"x\")}", "", false },
		{ "${array(\"[1,2]\")[0]}", "1", false },
		{ "${now()}", "86400123", false },
		{ "${formatDateTime(now(),\"d.M.yyyy HH:mm:ss.SSS\")}",
		    "2.1.1970 00:00:00.123", false },
		{ "${formatDateTime(0,\"yyyy z\")}", "", false },
		{ "${string(payload.o)}", "{\"k\":\"v\"}", false },
	};
	struct fixture f;

	(void)state;
	clock_set(0, INT64_C(86400123456));
	begin(&f, "application/json", json_body);
	check_rows(&f, rows, ARRAY_LEN(rows));
	end(&f);
	clock_unset();
}

static void
test_synapse_on_xml(void **state)
{
	static const struct row rows[] = {
		{ "${payload.r.a}", "[1,2]", false },
		{ "${payload}", "<soapenv:Body xmlns:soapenv=\"http://schemas."
		    "xmlsoap.org/soap/envelope/\"><r><a>1</a><a>2</a></r>"
		    "</soapenv:Body>", false },
		{ "${xpath('//a[2]')}", "2", false },
		{ "${xpath('//a') + \"!\"}", "<a>1</a><a>2</a>!", false },
	};
	struct fixture f;

	(void)state;
	begin(&f, "application/xml", "<r><a>1</a><a>2</a></r>");
	check_rows(&f, rows, ARRAY_LEN(rows));
	end(&f);
}

static void
test_values(void **state)
{
	static const struct {
		const char *expression;
		enum value_type type;
	} rows[] = {
		{ "get-property('i')", VALUE_INT },
		{ "get-property('nosuch')", VALUE_NULL },
		{ "$ctx:j", VALUE_JSON },
		{ "//k", VALUE_XML },
		{ "1 + 1", VALUE_DOUBLE },
		{ "1 = 1", VALUE_BOOL },
		{ "string(//k)", VALUE_STRING },
		{ "json-eval($.name)", VALUE_JSON },
		{ "json-eval($.nul)", VALUE_JSON },
		{ "json-eval($..n)", VALUE_JSON },
		{ "json-eval($.none)", VALUE_STRING },
		{ "${payload.name}", VALUE_JSON },
		{ "${toUpper(payload.name)}", VALUE_STRING },
		{ "${payload.nul}", VALUE_STRING },
		{ "${payload.none}", VALUE_STRING },
		{ "${payload.o}", VALUE_JSON },
		{ "${1}", VALUE_INT },
		{ "${12345678901}", VALUE_LONG },
		{ "${1.5}", VALUE_DOUBLE },
		{ "${1 < 2}", VALUE_BOOL },
		{ "${xpath('//k')}", VALUE_XML },
	};
	struct fixture f;

	(void)state;
	begin(&f, "application/json", json_body);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct value v;

		assert_int_equal(expr_value(compiled(&f, rows[i].expression),
		    f.m, &v, NULL), 0);
		if (v.type != rows[i].type)
			fail_msg("%s has type %d", rows[i].expression, v.type);
	}
	end(&f);
}

static void
test_reads_body(void **state)
{
	static const struct {
		const char *expression;
		bool reads;
	} rows[] = {
		{ "get-property('p')", false },
		{ "get-property('FAULT')", true },
		{ "$ctx:p", false },
		{ "concat($ctx:a, '/', $trp:b) = 'x[1]'", false },
		{ "$ctx:a > 5 and not($axis2:b = 'c' or 1 div 2 = 0.5)", false },
		{ "string($ctx:a)", false },
		{ "base64Encode(get-property('p'))", false },
		{ "$body", true }, { "$ctx:a/b", true }, { "//a", true },
		{ "a", true }, { "and", true }, { "string()", true },
		{ "position()", true }, { "$ctx:a and b", true },
		{ "*", true }, { "@id", true }, { ".", true },
		{ "concat('a', b)", true }, { "text()", true },
		{ "count($env)", true },
		{ "json-eval($.a)", true },
		{ "json-eval($ctx:doc.a)", false },
		{ "json-eval($ctx:doc.{json-eval($.a)})", true },
		{ "${vars.v + 1}", false }, { "${payload.a}", true },
		{ "${vars.v[payload.a]}", true }, { "${$}", true },
		{ "${xpath('//a')}", true }, { "${headers.a == 1}", false },
		{ "${vars.v[?(@.a == payload.b)]}", true },
	};
	struct fixture f;

	(void)state;
	begin(&f, "application/json", "{");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (expr_reads_body(compiled(&f, rows[i].expression)) !=
		    rows[i].reads)
			fail_msg("%s", rows[i].expression);
	end(&f);
}

static void
test_templates(void **state)
{
	static const struct {
		const char *text, *result;
	} rows[] = {
		{ "", "" }, { "plain $ { } ${", "plain $ { } ${" },
		{ "Hi ${payload.name}!", "Hi Ann!" },
		{ "${payload.name}${payload.age}", "Ann30" },
		{ "a ${payload.none} b", "a  b" },
		{ "$${vars.lim}", "$10" },
		{ "${a\n}", "${a\n}" },
	};
	struct fixture f;
	struct err err = { 0 };

	(void)state;
	begin(&f, "application/json", json_body);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct expr_template *t = expr_template_compile(f.arena,
		    str_of(rows[i].text), NULL, NULL);
		struct str s;

		assert_non_null(t);
		assert_int_equal(expr_template_string(t, f.m, &s, NULL), 0);
		if (!str_is(s, rows[i].result))
			fail_msg("%s gives %.*s", rows[i].text, STR_FMT(s));
	}
	assert_null(expr_template_compile(f.arena,
	    STR("ab ${vars.v} ${1 +}"), NULL, &err));
	assert_int_equal(err.at.column, 19);
	assert_true(expr_template_reads_body(expr_template_compile(f.arena,
	    STR("a ${payload.a}"), NULL, NULL)));
	assert_false(expr_template_reads_body(expr_template_compile(f.arena,
	    STR("a ${vars.a}"), NULL, NULL)));
	end(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_xpath),
		cmocka_unit_test(test_properties),
		cmocka_unit_test(test_functions),
		cmocka_unit_test(test_json_eval),
		cmocka_unit_test(test_synapse),
		cmocka_unit_test(test_synapse_functions),
		cmocka_unit_test(test_synapse_on_xml),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_reads_body),
		cmocka_unit_test(test_templates),
	};
	int rc;

	setenv("TZ", "UTC", 1);
	xml_global_init();
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	xml_global_fini();
	return rc;
}
