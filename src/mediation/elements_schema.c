/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of elements as an XML Schema, for editors. It says yes to what the
 * loader takes; what depends on more than one attribute only the loader knows.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "mediation/elements.h"
#include "mediation/xmlread.h"

static void
xml_out(FILE *f, const char *text)
{
	for (; *text; text++) {
		if (strchr("<>&\"", *text))
			fprintf(f, "&#%d;", *text);
		else
			fputc(*text, f);
	}
}

/* The name of an element's type: its key, made a word of XML. */
static void
type_name(FILE *f, const char *key)
{
	for (; *key; key++) {
		if (*key == '*')
			fputs("any-", f);
		else
			fputc(*key == '/' ? '.' : *key, f);
	}
}

static void
documentation(FILE *f, const char *pad, const char *text)
{
	if (!*text)
		return;
	fprintf(f, "%s<xs:annotation><xs:documentation>", pad);
	xml_out(f, text);
	fputs("</xs:documentation></xs:annotation>\n", f);
}

/* ---- attributes -------------------------------------------------------- */

static void
enumeration(FILE *f, const char *words)
{
	size_t n;

	fputs("<xs:simpleType><xs:restriction base=\"xs:string\">", f);
	for (; *words; words += n + (words[n] == '|')) {
		n = strcspn(words, "|");
		fprintf(f, "<xs:enumeration value=\"%.*s\"/>", (int)n, words);
	}
	fputs("</xs:restriction></xs:simpleType>", f);
}

/* The words for those who pick one, and a pattern for those who write it with
 * other letters. */
static void
anycase(FILE *f, const char *words)
{
	fputs("<xs:simpleType><xs:union>", f);
	enumeration(f, words);
	fputs("<xs:simpleType><xs:restriction base=\"xs:string\">"
	    "<xs:pattern value=\"\\s*(", f);
	for (; *words; words++) {
		int c = (unsigned char)*words;

		if (isalpha(c))
			fprintf(f, "[%c%c]", toupper(c), tolower(c));
		else
			fputc(c, f);
	}
	fputs(")\\s*\"/></xs:restriction></xs:simpleType></xs:union>"
	    "</xs:simpleType>", f);
}

static const char *
named_type(enum attribute_type type)
{
	switch (type) {
	case ATTR_INT:
		return "xs:integer";
	case ATTR_EXPRESSION:
		return "expression";
	case ATTR_VALUE:
		return "value";
	case ATTR_REGEX:
		return "regex";
	case ATTR_NAME:
	case ATTR_KEY:
		return "reference";
	case ATTR_TEXT:
	case ATTR_URI:
	case ATTR_BOOL:
	case ATTR_ENUM:
	case ATTR_ANYCASE:
	case ATTR_REFUSED:
		break;
	}
	return "xs:string";
}

static void
attribute(FILE *f, const struct attribute_row *a)
{
	bool inner = a->type == ATTR_BOOL || a->type == ATTR_ENUM ||
	    a->type == ATTR_ANYCASE;

	fprintf(f, "    <xs:attribute name=\"%s\"", a->name);
	if (!inner)
		fprintf(f, " type=\"%s\"", named_type(a->type));
	if (a->need == NEED_REQUIRED)
		fputs(" use=\"required\"", f);
	if (*a->dflt) {
		fputs(" default=\"", f);
		xml_out(f, a->dflt);
		fputc('"', f);
	}
	fputs(">\n", f);
	documentation(f, "      ", a->doc);
	if (inner) {
		fputs("      ", f);
		if (a->type == ATTR_ENUM)
			enumeration(f, a->words);
		else
			anycase(f, a->words ? a->words : "true|false");
		fputc('\n', f);
	}
	fputs("    </xs:attribute>\n", f);
}

/* Attributes of other namespaces are of no interest to the loader. */
static void
attributes(FILE *f, const struct element *e)
{
	bool described = false;

	for (size_t i = 0; i < attribute_count; i++) {
		const struct attribute_row *a = &attribute_rows[i];

		if (!attribute_belongs(a, e) || a->type == ATTR_REFUSED)
			continue;
		attribute(f, a);
		described |= strcmp(a->name, "description") == 0;
	}
	if (!described)
		fputs("    <xs:attribute name=\"description\" "
		    "type=\"xs:string\"/>\n", f);
	fputs("    <xs:anyAttribute namespace=\"##other\" "
	    "processContents=\"lax\"/>\n", f);
}

/* ---- elements ---------------------------------------------------------- */

static void
child(FILE *f, const char *key, int min, const char *max)
{
	fprintf(f, "      <xs:element name=\"%s\" type=\"",
	    element_name(key));
	type_name(f, key);
	fputc('"', f);
	if (max)
		fprintf(f, " minOccurs=\"%d\" maxOccurs=\"%s\"", min, max);
	fputs("/>\n", f);
}

/* In any order. xs:all can say how often, but allows no more than one. */
static void
children(FILE *f, const struct element *e)
{
	bool all = e->content != INSIDE_MEDIATORS;

	for (size_t i = 0; i < child_count; i++)
		if (child_belongs(&child_rows[i], e) &&
		    child_rows[i].max == CHILD_MANY)
			all = false;
	fputs(all ? "    <xs:all>\n" : "    <xs:choice minOccurs=\"0\" "
	    "maxOccurs=\"unbounded\">\n", f);
	for (size_t i = 0; i < child_count; i++) {
		const struct child_row *c = &child_rows[i];

		if (!child_belongs(c, e) || c->max == CHILD_REFUSED)
			continue;
		if (all)
			child(f, c->child, c->min, "1");
		else
			child(f, c->child, 0, NULL);
	}
	if (e->content == INSIDE_MEDIATORS)
		fputs("      <xs:group ref=\"mediator\"/>\n", f);
	fprintf(f, "      <xs:element name=\"description\" type=\"xs:string\"%s/>"
	    "\n    </xs:%s>\n", all ? " minOccurs=\"0\"" : "",
	    all ? "all" : "choice");
}

static void
complex_type(FILE *f, const struct element *e)
{
	bool any = e->content == INSIDE_ANYTHING;

	fputs("  <xs:complexType name=\"", f);
	type_name(f, e->key);
	fprintf(f, "\"%s>\n", any || e->content == INSIDE_TEXT
	    ? " mixed=\"true\"" : "");
	documentation(f, "    ", e->doc);
	if (any)
		fputs("    <xs:sequence><xs:any minOccurs=\"0\" "
		    "maxOccurs=\"unbounded\" processContents=\"lax\"/>"
		    "</xs:sequence>\n", f);
	else if (e->content != INSIDE_TEXT)
		children(f, e);
	attributes(f, e);
	fputs("  </xs:complexType>\n", f);
}

static void
head(FILE *f)
{
	fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	    "<!-- SPDX-License-Identifier: Apache-2.0 -->\n"
	    "<!-- What wsgw " PACKAGE_VERSION " runs, as printed by itself. -->\n"
	    "<xs:schema xmlns:xs=\"http://www.w3.org/2001/XMLSchema\"\n"
	    "    xmlns=\"" SYNAPSE_NS "\"\n"
	    "    targetNamespace=\"" SYNAPSE_NS "\"\n"
	    "    elementFormDefault=\"qualified\">\n", f);
}

static void
simple_type(FILE *f, const char *name, const char *doc)
{
	fprintf(f, "  <xs:simpleType name=\"%s\">\n", name);
	documentation(f, "    ", doc);
	fputs("    <xs:restriction base=\"xs:string\"/>\n  </xs:simpleType>\n",
	    f);
}

static void
mediators(FILE *f)
{
	fputs("  <xs:group name=\"mediator\">\n    <xs:choice>\n", f);
	for (size_t i = 0; i < element_count; i++)
		if (element_rows[i].class == CLASS_MEDIATOR)
			child(f, element_rows[i].key, 0, NULL);
	fputs("    </xs:choice>\n  </xs:group>\n", f);
}

void
elements_schema(FILE *f)
{
	head(f);
	for (size_t i = 0; i < element_count; i++) {
		if (element_rows[i].class != CLASS_ARTIFACT)
			continue;
		fprintf(f, "  <xs:element name=\"%s\" type=\"",
		    element_name(element_rows[i].key));
		type_name(f, element_rows[i].key);
		fputs("\"/>\n", f);
	}
	simple_type(f, "expression", "XPath 1.0, json-eval(JSONPATH) or "
	    "${...}");
	simple_type(f, "value", "text, or {expression}");
	simple_type(f, "regex", "a regular expression of Java's kind");
	simple_type(f, "reference", "the name of another artifact");
	mediators(f);
	for (size_t i = 0; i < element_count; i++)
		if (!element_is_refused(&element_rows[i]))
			complex_type(f, &element_rows[i]);
	fputs("</xs:schema>\n", f);
}
