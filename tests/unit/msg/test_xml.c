/* SPDX-License-Identifier: Apache-2.0 */
#include "msg/xml.h"

#include <libxml/tree.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static struct arena *arena;

static int
setup(void **state)
{
	(void)state;
	xml_global_init();
	arena = arena_new(0);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	arena_free(&arena);
	xml_global_fini();
	return 0;
}

static xmlNode *
parse(const char *text)
{
	struct err err = { .text = "" };
	xmlDoc *doc = xml_parse(arena, str_of(text), 0, &err);

	if (!doc)
		fail_msg("%s: %s", text, err.text);
	return xmlDocGetRootElement(doc);
}

#define assert_text(str, z) \
	assert_string_equal(arena_str(arena, str).p, z)

/* The text that a printed document has; NULL: the same as was read. */
static const struct {
	const char *text, *print;
} accepted[] = {
	{ "<a/>", NULL }, { "<a></a>", "<a/>" }, { "<a> </a>", NULL },
	{ "<?xml version=\"1.0\"?><a/>", "<a/>" },
	{ "<?xml version='1.0' encoding='ISO-8859-1'?><a>\xC3\xA9</a>",
	    "<a>\xC3\xA9</a>" },
	{ "<?xml version='1.0' encoding='UTF-16'?><a/>", "<a/>" },
	{ "\xEF\xBB\xBF<a/>", "<a/>" },
	{ "<!-- x --><a/>", "<a/>" },
	{ "<a x='1' y=\"2\">t<b/>u</a>", "<a x=\"1\" y=\"2\">t<b/>u</a>" },
	{ "<a>&lt;&amp;&gt;&quot;&apos;&#65;</a>",
	    "<a>&lt;&amp;&gt;\"'A</a>" },
	{ "<a x='&lt;&amp;&gt;&quot;&apos;&#10;&#9;&#13;'/>",
	    "<a x=\"&lt;&amp;&gt;&quot;'&#xa;&#x9;&#xd;\"/>" },
	{ "<a>x&#13;y</a>", "<a>x&#xd;y</a>" },
	{ "<a><![CDATA[<&>]]></a>", "<a>&lt;&amp;&gt;</a>" },
	{ "<a><!--c--><?pi x?><?q?></a>", NULL },
	{ "<p:a xmlns:p=\"urn:x\" p:q=\"1\"><p:b/></p:a>", NULL },
	{ "<a xmlns=\"urn:x\"><b xmlns=\"\"><c/></b></a>", NULL },
	{ "<a xmlns=''><b xmlns=''/></a>", "<a><b/></a>" },
	{ "<a xmlns='u'><b xmlns=''><c xmlns=''/><d xmlns='v'>"
	    "<e xmlns=''/></d></b></a>", "<a xmlns=\"u\"><b xmlns=\"\"><c/>"
	    "<d xmlns=\"v\"><e xmlns=\"\"/></d></b></a>" },
	{ "<a xmlns=\"u\"><p:b xmlns:p=\"w\" xmlns=\"\"><c/></p:b></a>",
	    NULL },
	{ "<a xml:lang=\"de\"/>", NULL },
	{ "<a xmlns:xsi=\"urn:i\" xsi:nil=\"true\"/>", NULL },
};

static void
prints_what_it_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(accepted); i++) {
		xmlNode *root = parse(accepted[i].text);
		const char *want = accepted[i].print ? accepted[i].print :
		    accepted[i].text;

		assert_text(xml_markup(root, arena), want);
		assert_text(xml_markup(parse(want), arena), want);
	}
}

static void
declares_what_lies_outside(void **state)
{
	xmlNode *root = parse("<a xmlns=\"urn:d\" xmlns:p=\"urn:p\" "
	    "xmlns:q=\"urn:q\"><b p:x=\"1\"><p:c/><q:d/><p:e/></b>"
	    "<f xmlns:p=\"urn:other\"><p:g/></f><h xmlns=\"\"/></a>");
	xmlNode *b = root->children, *f = b->next, *h = f->next;

	(void)state;
	assert_text(xml_markup(b, arena), "<b xmlns=\"urn:d\" "
	    "xmlns:p=\"urn:p\" xmlns:q=\"urn:q\" p:x=\"1\"><p:c/><q:d/>"
	    "<p:e/></b>");
	assert_text(xml_markup(f, arena), "<f xmlns:p=\"urn:other\" "
	    "xmlns=\"urn:d\"><p:g/></f>");
	assert_text(xml_markup(h, arena), "<h/>");
	assert_text(xml_markup(b->children, arena),
	    "<p:c xmlns:p=\"urn:p\"/>");
}

static void
keeps_no_namespace(void **state)
{
	xmlNode *root = parse("<a xmlns=\"urn:d\"/>");
	xmlNode *child = xmlNewChild(root, NULL, (const xmlChar *)"b", NULL);

	(void)state;
	/* xmlNewChild gives the parent's namespace. */
	child->ns = NULL;
	xmlNewChild(child, NULL, (const xmlChar *)"c", NULL);
	assert_text(xml_markup(root, arena),
	    "<a xmlns=\"urn:d\"><b xmlns=\"\"><c/></b></a>");
}

static const struct {
	const char *text;
	const char *says;
} refused[] = {
	{ "", "" }, { " ", "" }, { "x", "" }, { "<a>", "" }, { "<a", "" },
	{ "<a></b>", "" }, { "<a/><b/>", "" }, { "<a/>x", "" },
	{ "<a x=1/>", "" }, { "<a x='1' x='2'/>", "" }, { "<a>&x;</a>", "" },
	{ "<a>&</a>", "" }, { "<a><b></a></b>", "" }, { "<p:a/>", "" },
	{ "<a>\x01</a>", "" }, { "<a>&#0;</a>", "" }, { "<a>&#1;</a>", "" },
	{ "<a>\xFF</a>", "invalid UTF-8" },
	{ "<!DOCTYPE a><a/>", "DOCTYPE" },
	{ "<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>", "DOCTYPE" },
	{ "<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>"
	    "<a>&x;</a>", "DOCTYPE" },
	{ "<!DOCTYPE a [<!ENTITY % x SYSTEM \"http://127.0.0.1:9/\"> %x;]>"
	    "<a/>", "DOCTYPE" },
	{ "<!DOCTYPE lolz [<!ENTITY a \"lol\"><!ENTITY b \"&a;&a;&a;&a;\">"
	    "<!ENTITY c \"&b;&b;&b;&b;\"><!ENTITY d \"&c;&c;&c;&c;\">]>"
	    "<lolz>&d;&d;</lolz>", "DOCTYPE" },
};

static void
refuses_all_else(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		struct err err = { .kind = ERR_NONE };
		size_t n = strlen(refused[i].text);
		char *exact = malloc(n ? n : 1);

		assert_non_null(exact);
		memcpy(exact, refused[i].text, n);
		if (xml_parse(arena, (struct str){ exact, n }, 0, &err))
			fail_msg("%s was accepted", refused[i].text);
		free(exact);
		assert_int_equal(err.kind, ERR_SYNTAX);
		if (!strstr(err.text, refused[i].says))
			fail_msg("%s: %s", refused[i].text, err.text);
		assert_null(strchr(err.text, '\n'));
		/* The next document is not harmed. */
		assert_text(xml_markup(parse("<a>1</a>"), arena), "<a>1</a>");
	}
	assert_null(xml_parse(arena, STR("<a"), 0, NULL));
	assert_null(xml_parse(arena, STR("<a>\0</a>"), 0, NULL));
	assert_null(xml_parse(arena, STR("<\0a\0/\0>\0"), 0, NULL));
}

static void
tells_the_place(void **state)
{
	struct err err;

	(void)state;
	assert_null(xml_parse(arena, STR("<a>\n <b>\n</c></a>"), 0, &err));
	assert_int_equal(err.at.line, 3);
}

/* Nothing of libxml2's goes to standard error. */
static void
is_silent(void **state)
{
	FILE *file = tmpfile();
	int saved = dup(STDERR_FILENO);

	(void)state;
	assert_non_null(file);
	fflush(stderr);
	dup2(fileno(file), STDERR_FILENO);
	(void)!xml_parse(arena, STR("<a><b></a>&x;"), 0, NULL);
	(void)!xml_parse(arena, STR("<!DOCTYPE a [<!ENTITY x SYSTEM 'x'>]>"
	    "<a>&x;</a>"), 0, NULL);
	fflush(stderr);
	dup2(saved, STDERR_FILENO);
	close(saved);
	fseek(file, 0, SEEK_END);
	assert_int_equal(ftell(file), 0);
	fclose(file);
}

/* A "#" in part becomes the number of the turn. */
static struct str
repeated(const char *part, size_t count, const char *before,
    const char *after)
{
	struct buf b = { .p = NULL };
	struct str s;

	buf_addz(&b, before);
	for (size_t i = 0; i < count; i++)
		for (const char *p = part; *p; p++) {
			if (*p == '#')
				buf_printf(&b, "%zu", i);
			else
				buf_putc(&b, *p);
		}
	buf_addz(&b, after);
	s = arena_str(arena, buf_str(&b));
	buf_fini(&b);
	return s;
}

static void
limits_depth(void **state)
{
	struct err err;

	(void)state;
	assert_null(xml_parse(arena, repeated("<a>", 100000, "", ""), 0,
	    &err));
	assert_int_equal(err.kind, ERR_LIMIT);
	assert_null(xml_parse(arena, STR("<a><b><c/></b></a>"), 2, &err));
	assert_int_equal(err.kind, ERR_LIMIT);
	assert_non_null(xml_parse(arena, STR("<a><b><c/></b></a>"), 3, &err));
}

static void
limits_names(void **state)
{
	struct err err;

	(void)state;
	assert_non_null(xml_parse(arena, repeated(" a#='='", 1000, "<a",
	    "/>"), 0, &err));
	assert_null(xml_parse(arena, repeated(" a#='x'", 5000, "<a", "/>"),
	    0, &err));
	assert_int_equal(err.kind, ERR_LIMIT);
	assert_null(xml_parse(arena, repeated(" xmlns:a#='x'", 600, "<a",
	    "/>"), 0, &err));
	assert_int_equal(err.kind, ERR_LIMIT);
	/* Equals signs elsewhere are no attributes. */
	assert_non_null(xml_parse(arena, repeated("=", 20000,
	    "<a><!--", "--><![CDATA[>=<]]></a>"), 0, &err));
	assert_non_null(xml_parse(arena, repeated("=", 20000,
	    "<a x='", "'/>"), 0, &err));
	/* Many names, one document after the other. */
	for (int i = 0; i < 30; i++)
		assert_non_null(xml_parse(arena, repeated("<a#/>", 500,
		    "<r>", "</r>"), 0, &err));
}

static void
string_values(void **state)
{
	static const struct {
		const char *markup, *value;
	} table[] = {
		{ "<a>x</a>", "x" }, { "<a/>", "<a/>" },
		{ "<a> x \n</a>", "x" }, { "<a> </a>", "<a> </a>" },
		{ "<a>\xC2\xA0 x \xC2\xA0</a>", "x" },
		{ "<a>\xC2\xA0</a>", "<a>\xC2\xA0</a>" },
		{ "<a>x<b>y</b>z</a>", "xz" },
		{ "<a><b>y</b></a>", "<a><b>y</b></a>" },
		{ "<a>x<!--c-->y</a>", "xy" },
		{ "<a><![CDATA[ <x> ]]></a>", "<x>" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		assert_text(xml_string_value(parse(table[i].markup), arena),
		    table[i].value);
}

static void
string_values_of_other_nodes(void **state)
{
	xmlNode *root = parse("<a x=' 1 '> t <!--c--></a>");

	(void)state;
	assert_text(xml_string_value(root->children, arena), " t ");
	assert_text(xml_string_value(root->children->next, arena), "c");
	assert_text(xml_string_value((xmlNode *)(void *)root->properties,
	    arena), " 1 ");
}

static void
escapes(void **state)
{
	struct buf b = { .p = NULL };

	(void)state;
	xml_escape(&b, STR("a<b>&\"'\n\r\t\xC3\xA9"));
	assert_text(buf_str(&b), "a&lt;b&gt;&amp;&quot;&apos;\n\r\t"
	    "\xC3\xA9");
	buf_fini(&b);
}

static void
looks_like_element(void **state)
{
	(void)state;
	assert_true(xml_looks_like_element(STR("<a/>")));
	assert_true(xml_looks_like_element(STR("  <a>1</a>\n")));
	assert_false(xml_looks_like_element(STR("<a>")));
	assert_false(xml_looks_like_element(STR("")));
	assert_false(xml_looks_like_element(STR("<>")));
	assert_false(xml_looks_like_element(STR("a<b/>")));
	assert_false(xml_looks_like_element(STR("<a/><b/>")));
	assert_false(xml_looks_like_element(STR_NULL));
}

static void
envelopes(void **state)
{
	xmlDoc *doc = xml_new_envelope(arena), *other;
	struct err err;

	(void)state;
	assert_true(xml_is_envelope(doc));
	assert_text(xml_markup(xmlDocGetRootElement(doc), arena),
	    "<soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/"
	    "soap/envelope/\"><soapenv:Body/></soapenv:Envelope>");
	assert_null(xml_soap_header(doc));
	xmlNewChild(xml_soap_header_make(doc), NULL, (const xmlChar *)"h",
	    NULL)->ns = NULL;
	assert_ptr_equal(xml_soap_header_make(doc), xml_soap_header(doc));

	other = parse("<r><x/></r>")->doc;
	assert_int_equal(xml_make_envelope(other, XML_EXPECT_SOAP, &err), -1);
	assert_int_equal(err.kind, ERR_SYNTAX);
	assert_int_equal(xml_make_envelope(other, XML_WRAP, &err), 0);
	xml_copy_headers(other, doc);
	assert_text(xml_markup(xmlDocGetRootElement(other), arena),
	    "<soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/"
	    "soap/envelope/\"><soapenv:Header><h/></soapenv:Header>"
	    "<soapenv:Body><r><x/></r></soapenv:Body></soapenv:Envelope>");
	assert_int_equal(xml_make_envelope(other, XML_WRAP_UNLESS_SOAP, &err),
	    0);
	assert_non_null(xml_soap_body(other));

	other = parse("<e:Envelope xmlns:e=\"http://www.w3.org/2003/05/"
	    "soap-envelope\"/>")->doc;
	assert_int_equal(xml_make_envelope(other, XML_EXPECT_SOAP, &err), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prints_what_it_read),
		cmocka_unit_test(declares_what_lies_outside),
		cmocka_unit_test(keeps_no_namespace),
		cmocka_unit_test(refuses_all_else),
		cmocka_unit_test(tells_the_place),
		cmocka_unit_test(is_silent),
		cmocka_unit_test(limits_depth),
		cmocka_unit_test(limits_names),
		cmocka_unit_test(string_values),
		cmocka_unit_test(string_values_of_other_nodes),
		cmocka_unit_test(escapes),
		cmocka_unit_test(looks_like_element),
		cmocka_unit_test(envelopes),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
