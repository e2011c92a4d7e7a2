/* SPDX-License-Identifier: Apache-2.0 */
#include "msg/convert.h"

#include <libxml/tree.h>
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

static struct str
to_xml(struct str json, struct err *err)
{
	struct cJSON *tree = json_parse(arena, json, 600, err);
	xmlDoc *doc = xmlNewDoc((const xmlChar *)"1.0");
	xmlNode *el;

	assert_non_null(tree);
	assert_non_null(doc);
	xml_keep_doc(arena, doc);
	el = convert_to_xml(doc, tree, arena, err);
	if (!el)
		return STR_NULL;
	xmlDocSetRootElement(doc, el);
	return xml_markup(el, arena);
}

static struct str
to_json(const char *xml, struct err *err)
{
	xmlDoc *doc = xml_parse(arena, str_of(xml), 0, err);
	struct cJSON *tree;

	assert_non_null(doc);
	tree = convert_to_json(xmlDocGetRootElement(doc), arena, err);
	return tree ? json_text(tree, arena) : STR_NULL;
}

static const struct {
	const char *json, *xml;
} json_to_xml[] = {
	/* What the original was seen to do. */
	{ "{\"a\":[1,2,3]}",
	    "<jsonObject><a>1</a><a>2</a><a>3</a></jsonObject>" },
	{ "{\"a\":[[1,2],[3]]}", "<jsonObject><a><jsonArray><jsonElement>1"
	    "</jsonElement><jsonElement>2</jsonElement></jsonArray></a><a>"
	    "<jsonArray><jsonElement>3</jsonElement></jsonArray></a>"
	    "</jsonObject>" },
	{ "[1,2]", "<jsonArray><jsonElement>1</jsonElement><jsonElement>2"
	    "</jsonElement></jsonArray>" },
	{ "[{\"a\":1},{\"b\":2}]", "<jsonArray><jsonElement><a>1</a>"
	    "</jsonElement><jsonElement><b>2</b></jsonElement></jsonArray>" },
	{ "{\"a\":\"\"}", "<jsonObject><a></a></jsonObject>" },
	{ "{\"a\":{\"@id\":\"7\",\"$\":\"v\"}}",
	    "<jsonObject><a id=\"7\">v</a></jsonObject>" },
	{ "{\"@x\":\"1\",\"c\":2}", "<jsonObject x=\"1\"><c>2</c>"
	    "</jsonObject>" },
	{ "[[1,2],[3,4]]", "<jsonArray><jsonElement><jsonArray><jsonElement>"
	    "1</jsonElement><jsonElement>2</jsonElement></jsonArray>"
	    "</jsonElement><jsonElement><jsonArray><jsonElement>3"
	    "</jsonElement><jsonElement>4</jsonElement></jsonArray>"
	    "</jsonElement></jsonArray>" },
	/* The rules around them. */
	{ "{}", "<jsonObject/>" }, { "[]", "<jsonArray/>" },
	{ "\"x\"", "<jsonValue>x</jsonValue>" },
	{ "1.50", "<jsonValue>1.50</jsonValue>" },
	{ "null", "<jsonValue/>" },
	{ "{\"a\":null,\"b\":true,\"c\":1e400,\"d\":{}}", "<jsonObject><a/>"
	    "<b>true</b><c>1e400</c><d/></jsonObject>" },
	{ "{\"a\":[],\"b\":1}", "<jsonObject><b>1</b></jsonObject>" },
	{ "{\"a\":[null,{\"b\":1},[]]}", "<jsonObject><a/><a><b>1</b></a><a>"
	    "<jsonArray/></a></jsonObject>" },
	{ "{\"z\":1,\"a\":2,\"z\":3}",
	    "<jsonObject><z>1</z><a>2</a><z>3</z></jsonObject>" },
	{ "{\"1a\":1,\"$b\":2}", "<jsonObject><_JsonReader_PD_1a>1"
	    "</_JsonReader_PD_1a><_JsonReader_PS_b>2</_JsonReader_PS_b>"
	    "</jsonObject>" },
	{ "{\"a b\":1}", "<jsonObject><a_JsonReader_32_b>1"
	    "</a_JsonReader_32_b></jsonObject>" },
	{ "{\"x><evil a='\":1}", "<jsonObject><x_JsonReader_62__JsonReader_"
	    "60_evil_JsonReader_32_a_JsonReader_61__JsonReader_39_>1"
	    "</x_JsonReader_62__JsonReader_60_evil_JsonReader_32_a_JsonReader"
	    "_61__JsonReader_39_></jsonObject>" },
	{ "{\"\":1}", "<jsonObject><_JsonReader_PE_>1</_JsonReader_PE_>"
	    "</jsonObject>" },
	{ "{\"p:a\":1,\"\xC3\xA9\":2}", "<jsonObject><p:a>1</p:a>"
	    "<\xC3\xA9>2</\xC3\xA9></jsonObject>" },
	{ "{\"a\":\"<&>\\u0000\\u0001\"}", "<jsonObject><a>&lt;&amp;&gt;"
	    "\xEF\xBF\xBD\xEF\xBF\xBD</a></jsonObject>" },
	{ "{\"a\":{\"@x\":1,\"@y\":true,\"@z\":null,\"@x\":2}}",
	    "<jsonObject><a x=\"2\" y=\"true\" z=\"\"/></jsonObject>" },
};

static void
turns_json_into_xml(void **state)
{
	struct err err;

	(void)state;
	for (size_t i = 0; i < sizeof(json_to_xml) / sizeof(*json_to_xml);
	    i++)
		assert_text(to_xml(str_of(json_to_xml[i].json), &err),
		    json_to_xml[i].xml);
}

static const struct {
	const char *xml, *json;
} xml_to_json[] = {
	/* What the original was seen to do. */
	{ "<a><b>1</b><b>2</b></a>", "{\"a\":{\"b\":[1,2]}}" },
	{ "<a><b>1</b></a>", "{\"a\":{\"b\":1}}" },
	{ "<a><b>1</b><c>x</c><b>2</b></a>",
	    "{\"a\":{\"b\":1,\"c\":\"x\",\"b\":2}}" },
	{ "<a/>", "{\"a\":null}" }, { "<a><b/></a>", "{\"a\":{\"b\":null}}" },
	{ "<a> <b> x </b> </a>", "{\"a\":{\"b\":\" x \"}}" },
	{ "<a id=\"5\"><b>t</b></a>",
	    "{\"a\":{\"@id\":\"5\",\"b\":\"t\"}}" },
	{ "<a id=\"5\"/>", "{\"a\":{\"@id\":\"5\"}}" },
	{ "<p:a xmlns:p=\"urn:x\" p:q=\"1\"><p:b>1</p:b></p:a>",
	    "{\"a\":{\"@q\":\"1\",\"b\":1}}" },
	{ "<jsonArray><jsonElement>1</jsonElement></jsonArray>", "1" },
	{ "<jsonObject><?xml-multiple a?></jsonObject>", "{\"a\":[]}" },
	{ "<a><t>true</t><f>false</f><n>null</n></a>",
	    "{\"a\":{\"t\":true,\"f\":false,\"n\":null}}" },
	{ "<a>007</a>", "{\"a\":\"007\"}" },
	{ "<a>12345678901234567890</a>", "{\"a\":12345678901234567890}" },
	{ "<a>x<!--c-->y</a>", "{\"a\":\"xy\"}" },
	{ "<a n=\"5\" b=\"true\"><c>5</c></a>",
	    "{\"a\":{\"@n\":\"5\",\"@b\":\"true\",\"c\":5}}" },
	{ "<a>-5</a>", "{\"a\":-5}" },
	/* The rules around them. */
	{ "<a>  </a>", "{\"a\":null}" },
	{ "<a i=\"1\">7</a>", "{\"a\":{\"@i\":\"1\",\"$\":7}}" },
	{ "<a><![CDATA[<b>]]></a>", "{\"a\":\"<b>\"}" },
	{ "<a>1.50</a>", "{\"a\":1.50}" }, { "<a>1e3</a>", "{\"a\":1E+3}" },
	{ "<a>-0</a>", "{\"a\":0}" }, { "<a>+5</a>", "{\"a\":\"+5\"}" },
	{ "<a> 5</a>", "{\"a\":\" 5\"}" }, { "<a>True</a>",
	    "{\"a\":\"True\"}" },
	{ "<a><?xml-multiple b?><b>1</b></a>", "{\"a\":{\"b\":[1]}}" },
	{ "<a><?xml-multiple b?><b>1</b><b>2</b><c/></a>",
	    "{\"a\":{\"b\":[1,2],\"c\":null}}" },
	{ "<a><?xml-multiple b?><c/></a>", "{\"a\":{\"b\":[],\"c\":null}}" },
	{ "<a><?xml-multiple?><b>1</b></a>", "{\"a\":{\"b\":[1]}}" },
	{ "<a><?xml-multiple b?><?xml-multiple c?><c/></a>",
	    "{\"a\":{\"b\":[],\"c\":[null]}}" },
	{ "<jsonObject><a/><b>1</b></jsonObject>", "{\"a\":null,\"b\":1}" },
	{ "<jsonObject/>", "{}" }, { "<jsonArray/>", "null" },
	{ "<jsonValue>x</jsonValue>", "\"x\"" },
	{ "<jsonValue>5</jsonValue>", "5" },
	{ "<jsonElement>5</jsonElement>", "5" },
	{ "<jsonArray><jsonElement>1</jsonElement><jsonElement/></jsonArray>",
	    "[1,null]" },
	{ "<jsonArray><?xml-multiple jsonElement?><jsonElement>1"
	    "</jsonElement></jsonArray>", "[1]" },
	{ "<jsonArray><?xml-multiple jsonElement?></jsonArray>", "[]" },
	{ "<jsonObject><a><jsonArray><jsonElement>1</jsonElement>"
	    "<jsonElement>2</jsonElement></jsonArray></a><a><jsonArray>"
	    "<jsonElement>3</jsonElement></jsonArray></a></jsonObject>",
	    "{\"a\":[[1,2],3]}" },
	{ "<r><x/><jsonArray/></r>",
	    "{\"r\":{\"x\":null,\"jsonArray\":null}}" },
	{ "<r><_JsonReader_PD_1a>1</_JsonReader_PD_1a><_JsonReader_PS_b>2"
	    "</_JsonReader_PS_b><a_JsonReader_32_b>3</a_JsonReader_32_b>"
	    "<_JsonReader_PE_/><_JsonReader_x/></r>", "{\"r\":{\"1a\":1,"
	    "\"$b\":2,\"a b\":3,\"\":null,\"_JsonReader_x\":null}}" },
	{ "<text xmlns=\"http://ws.apache.org/commons/ns/payload\">hi"
	    "</text>", "{\"text\":\"hi\"}" },
	{ "<a>\xC3\xA9/\"\\&#9;</a>", "{\"a\":\"\xC3\xA9/\\\"\\\\\\t\"}" },
};

static void
turns_xml_into_json(void **state)
{
	struct err err;

	(void)state;
	for (size_t i = 0; i < sizeof(xml_to_json) / sizeof(*xml_to_json);
	    i++)
		assert_text(to_json(xml_to_json[i].xml, &err),
		    xml_to_json[i].json);
}

static void
refuses_mixed_content(void **state)
{
	struct err err;

	(void)state;
	assert_null(to_json("<a>t<b>1</b></a>", &err).p);
	assert_int_equal(err.kind, ERR_VALUE);
	assert_null(to_json("<r><a><b>1</b>t</a></r>", &err).p);
	assert_null(to_json("<a>t<?xml-multiple b?></a>", &err).p);
}

/* BigDecimal's toString. */
static void
prints_decimals(void **state)
{
	static const struct {
		const char *text, *want;
	} table[] = {
		{ "0", "0" }, { "-0", "0" }, { "0.0", "0.0" },
		{ "-0.00", "0.00" }, { "1", "1" }, { "-1", "-1" },
		{ "1.50", "1.50" }, { "100", "100" }, { "1e3", "1E+3" },
		{ "1E3", "1E+3" }, { "12e3", "1.2E+4" },
		{ "1.5e3", "1.5E+3" }, { "1.5e1", "15" },
		{ "1.50e1", "15.0" }, { "123e-2", "1.23" },
		{ "1e-3", "0.001" }, { "1e-6", "0.000001" },
		{ "1e-7", "1E-7" }, { "0.0000001", "1E-7" },
		{ "0.000001", "0.000001" }, { "12e-8", "1.2E-7" },
		{ "123e-8", "0.00000123" }, { "0e5", "0E+5" },
		{ "0e-5", "0.00000" }, { "0e-7", "0E-7" },
		{ "0.000000", "0.000000" }, { "0.0000000", "0E-7" },
		{ "-1.5e-10", "-1.5E-10" }, { "1e400", "1E+400" },
		{ "1e0", "1" }, { "10e0", "10" }, { "1e+03", "1E+3" },
		{ "9007199254740993", "9007199254740993" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
		assert_text(convert_decimal(str_of(table[i].text), arena),
		    table[i].want);
	assert_null(convert_decimal(STR("1e99999999999"), arena).p);
	assert_null(convert_decimal(STR("1e99999999999999999999"), arena).p);
}

static void
huge_exponents_stay_text(void **state)
{
	struct err err;

	(void)state;
	assert_text(to_json("<a>1e99999999999</a>", &err),
	    "{\"a\":\"1e99999999999\"}");
}

static struct str
repeated(const char *before, const char *part, size_t count,
    const char *after)
{
	struct buf b = { .p = NULL };
	struct str s;

	buf_addz(&b, before);
	for (size_t i = 0; i < count; i++)
		buf_addz(&b, part);
	buf_addz(&b, after);
	s = arena_str(arena, buf_str(&b));
	buf_fini(&b);
	return s;
}

static void
limits_depth_and_attributes(void **state)
{
	struct cJSON *deep = json_new_array(arena), *box;
	struct err err;
	struct buf b = { .p = NULL };

	(void)state;
	for (int i = 0; i < 2000; i++) {
		box = json_new_array(arena);
		json_append(box, deep);
		deep = box;
	}
	assert_null(convert_to_xml(xml_new_envelope(arena), deep, arena,
	    &err));
	assert_int_equal(err.kind, ERR_LIMIT);

	buf_addz(&b, "{");
	for (int i = 0; i < 1025; i++)
		buf_printf(&b, "%s\"@a%d\":1", i ? "," : "", i);
	buf_addz(&b, "}");
	assert_null(to_xml(buf_str(&b), &err).p);
	assert_int_equal(err.kind, ERR_LIMIT);
	buf_fini(&b);
	/* Many members and items are no trouble. */
	assert_non_null(to_xml(repeated("{\"a\":1", ",\"b\":2", 20000, "}"),
	    &err).p);
	assert_non_null(to_json(repeated("<a>", "<b/>", 20000, "</a>").p,
	    &err).p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(turns_json_into_xml),
		cmocka_unit_test(turns_xml_into_json),
		cmocka_unit_test(refuses_mixed_content),
		cmocka_unit_test(prints_decimals),
		cmocka_unit_test(huge_exponents_stay_text),
		cmocka_unit_test(limits_depth_and_attributes),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
