/* SPDX-License-Identifier: Apache-2.0 */
#include "msg/value.h"

#include <inttypes.h>
#include <libxml/tree.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/must.h"
#include "msg/json.h"
#include "msg/xml.h"

/* Decimal digits and exponent: 0.d1d2d3... times 10^point. */
struct decimal {
	char digit[24];
	int count, point;
};

static double
read_back(const char *text, bool single)
{
	return single ? (double)strtof(text, NULL) : strtod(text, NULL);
}

/* "d.ddde[-]xx" as printf has it. */
static void
take_digits(const char *text, struct decimal *d)
{
	const char *p = text;

	d->count = 0;
	for (; *p && *p != 'e'; p++)
		if (*p != '.')
			d->digit[d->count++] = *p;
	d->point = atoi(p + 1) + 1;
	while (d->count > 1 && d->digit[d->count - 1] == '0')
		d->count--;
}

/* The next decimal above, of the same length; false when digits run over. */
static bool
step_up(char *text)
{
	char *p = strchr(text, 'e');

	while (p-- > text) {
		if (*p == '.')
			continue;
		if (*p != '9') {
			(*p)++;
			return true;
		}
		*p = '0';
	}
	return false;
}

/*
 * The fewest digits that read back as x. At a power of two the spacing below
 * is half of that above, so that the shortest decimal may be the one next to
 * the nearest.
 */
static void
shortest(double x, bool single, struct decimal *d)
{
	int normal = single ? 6 : 15, last = single ? 9 : 17, n;
	char text[40];

	/* Numbers close to zero hold fewer digits; Java shows two at least. */
	if (fabs(x) < (single ? 0x1p-126 : 0x1p-1022))
		normal = 2;
	for (n = normal; n < last; n++) {
		snprintf(text, sizeof(text), "%.*e", n - 1, x);
		if (read_back(text, single) == x)
			break;
		if (step_up(text) && read_back(text, single) == x)
			break;
	}
	if (n == last)
		snprintf(text, sizeof(text), "%.*e", last - 1, x);
	take_digits(text, d);
}

static void
print_plain(struct buf *b, const struct decimal *d)
{
	if (d->point <= 0)
		buf_addz(b, "0.");
	for (int i = d->point; i < 0; i++)
		buf_putc(b, '0');
	for (int i = 0; i < d->count; i++) {
		buf_putc(b, d->digit[i]);
		if (i + 1 == d->point && i + 1 < d->count)
			buf_putc(b, '.');
	}
	for (int i = d->count; i < d->point; i++)
		buf_putc(b, '0');
	if (d->point >= d->count)
		buf_addz(b, ".0");
}

static void
print_scientific(struct buf *b, const struct decimal *d)
{
	buf_putc(b, d->digit[0]);
	buf_putc(b, '.');
	if (d->count > 1)
		buf_add(b, d->digit + 1, (size_t)d->count - 1);
	else
		buf_putc(b, '0');
	buf_printf(b, "E%d", d->point - 1);
}

static struct str
float_text(double x, bool single, struct arena *a)
{
	struct decimal d;
	char memory[48];
	struct buf b = { .p = memory, .cap = sizeof(memory) };

	if (isnan(x))
		return STR("NaN");
	if (isinf(x))
		return x > 0 ? STR("Infinity") : STR("-Infinity");
	if (x == 0)
		return signbit(x) ? STR("-0.0") : STR("0.0");
	if (x < 0)
		buf_putc(&b, '-');
	x = fabs(x);
	shortest(x, single, &d);
	if (x >= 1e-3 && x < 1e7)
		print_plain(&b, &d);
	else
		print_scientific(&b, &d);
	return arena_str(a, buf_str(&b));
}

struct str
value_double_text(double x, struct arena *a)
{
	return float_text(x, false, a);
}

/* Several nodes, or one that is no element. */
static struct str
nodes_text(const struct value *v, struct arena *a)
{
	struct buf b = { .p = NULL };
	struct str s;

	if (v->xml.count == 1 &&
	    v->xml.node[0]->type == XML_ELEMENT_NODE)
		return xml_string_value(v->xml.node[0], a);
	for (size_t i = 0; i < v->xml.count; i++) {
		if (v->xml.node[i]->type == XML_ELEMENT_NODE)
			xml_print(v->xml.node[i], &b);
		else
			buf_add_str(&b, xml_string_value(v->xml.node[i], a));
	}
	s = arena_str(a, buf_str(&b));
	buf_fini(&b);
	return s;
}

struct str
value_text(const struct value *v, struct arena *a)
{
	switch (v->type) {
	case VALUE_NULL:
		return STR_NULL;
	case VALUE_STRING:
	case VALUE_OBJECT:
		return v->s;
	case VALUE_BOOL:
		return v->b ? STR("true") : STR("false");
	case VALUE_SHORT:
	case VALUE_INT:
	case VALUE_LONG:
		return arena_printf(a, "%" PRId64, v->i);
	case VALUE_FLOAT:
		return float_text(v->d, true, a);
	case VALUE_DOUBLE:
		return float_text(v->d, false, a);
	case VALUE_JSON:
		return json_text(v->json, a);
	case VALUE_XML:
		return nodes_text(v, a);
	}
	return STR_NULL;
}

/* A copy of one node in a document of its own. */
static xmlNode *
copy_node(xmlNode *n, struct arena *a)
{
	xmlDoc *doc = xmlNewDoc((const xmlChar *)"1.0");
	xmlNode *copy, *holder;

	must(doc);
	xml_keep_doc(a, doc);
	if (n->type == XML_ATTRIBUTE_NODE) {
		holder = xmlNewDocNode(doc, NULL, (const xmlChar *)"a", NULL);
		must(holder);
		xmlDocSetRootElement(doc, holder);
		copy = (xmlNode *)(void *)xmlCopyProp(holder,
		    (xmlAttr *)(void *)n);
		must(copy);
		holder->properties = (xmlAttr *)(void *)copy;
		return copy;
	}
	copy = xmlDocCopyNode(n, doc, 1);
	must(copy);
	if (copy->type == XML_ELEMENT_NODE)
		xmlDocSetRootElement(doc, copy);
	else
		xmlAddChild((xmlNode *)(void *)doc, copy);
	return copy;
}

struct value
value_copy(const struct value *v, struct arena *a)
{
	struct value copy = *v;

	switch (v->type) {
	case VALUE_STRING:
	case VALUE_OBJECT:
		copy.s = arena_str(a, v->s);
		break;
	case VALUE_JSON:
		copy.json = json_copy(a, v->json);
		break;
	case VALUE_XML:
		copy.xml.node = arena_alloc(a,
		    v->xml.count * sizeof(*copy.xml.node));
		for (size_t i = 0; i < v->xml.count; i++)
			copy.xml.node[i] = copy_node(v->xml.node[i], a);
		break;
	case VALUE_NULL:
	case VALUE_BOOL:
	case VALUE_SHORT:
	case VALUE_INT:
	case VALUE_LONG:
	case VALUE_FLOAT:
	case VALUE_DOUBLE:
		break;
	}
	return copy;
}

/* Double.parseDouble: blanks around, NaN, Infinity, d and f at the end. */
static bool
java_double(struct str s, double *out)
{
	bool minus;

	s = str_trim(s);
	if (str_is(s, "NaN") || str_is(s, "+NaN") || str_is(s, "-NaN")) {
		*out = (double)NAN;
		return true;
	}
	minus = str_starts(s, "-");
	if (str_is(s, "Infinity") || str_is(s, "+Infinity") ||
	    str_is(s, "-Infinity")) {
		*out = minus ? -HUGE_VAL : HUGE_VAL;
		return true;
	}
	if (s.n > 1 && strchr("dDfF", s.p[s.n - 1]))
		s.n--;
	if (str_to_double(s, out))
		return true;
	/* Out of range is no error in Java. */
	*out = minus ? -HUGE_VAL : HUGE_VAL;
	return json_is_number(str_from(s, minus || str_starts(s, "+")));
}

static int
to_integer(struct str text, enum value_source source, int64_t low,
    int64_t high, int64_t *out)
{
	double d;

	if (source == VALUE_FROM_EXPRESSION &&
	    str_find(text, '.') < text.n) {
		if (!java_double(text, &d))
			return -1;
		d = isnan(d) ? 0 : trunc(d);
		*out = d <= (double)low ? low : d >= (double)high ? high :
		    (int64_t)d;
		return 0;
	}
	return str_to_i64(text, out) && *out >= low && *out <= high ? 0 : -1;
}

static int
to_om(struct str text, struct arena *a, struct value *out)
{
	struct err err;
	xmlDoc *doc = xml_parse(a, text, 0, &err);

	if (!doc)
		return -1;
	out->type = VALUE_XML;
	out->xml.node = arena_alloc(a, sizeof(*out->xml.node));
	out->xml.node[0] = xmlDocGetRootElement(doc);
	out->xml.count = 1;
	return 0;
}

/* What is no JSON is tried as a string. */
static int
to_json(struct str text, struct arena *a, struct value *out)
{
	struct err err;
	struct cJSON *json = json_parse(a, text, 0, &err);

	if (!json)
		json = json_parse(a, arena_printf(a, "\"%.*s\"",
		    STR_FMT(text)), 0, &err);
	out->type = json ? VALUE_JSON : VALUE_NULL;
	out->json = json;
	return json ? 0 : -1;
}

enum named_type {
	TYPE_STRING, TYPE_INTEGER, TYPE_SHORT, TYPE_LONG, TYPE_FLOAT,
	TYPE_DOUBLE, TYPE_BOOLEAN, TYPE_OM, TYPE_JSON, TYPE_COUNT,
};

static enum named_type
type_of_name(struct str name)
{
	static const char *const names[TYPE_COUNT] = {
		[TYPE_STRING] = "STRING", [TYPE_INTEGER] = "INTEGER",
		[TYPE_SHORT] = "SHORT", [TYPE_LONG] = "LONG",
		[TYPE_FLOAT] = "FLOAT", [TYPE_DOUBLE] = "DOUBLE",
		[TYPE_BOOLEAN] = "BOOLEAN", [TYPE_OM] = "OM",
		[TYPE_JSON] = "JSON",
	};
	int t = 0;

	while (t < TYPE_COUNT && !str_is(name, names[t]))
		t++;
	return (enum named_type)t;
}

bool
value_type_known(struct str type)
{
	return type_of_name(type) != TYPE_COUNT;
}

static int
convert(struct str text, enum named_type type, enum value_source source,
    struct arena *a, struct value *out)
{
	switch (type) {
	case TYPE_STRING:
		*out = VALUE_OF_STR(text);
		return 0;
	case TYPE_INTEGER:
		out->type = VALUE_INT;
		return to_integer(text, source, INT32_MIN, INT32_MAX, &out->i);
	case TYPE_SHORT:
		out->type = VALUE_SHORT;
		return to_integer(text, source, INT16_MIN, INT16_MAX, &out->i);
	case TYPE_LONG:
		out->type = VALUE_LONG;
		return str_to_i64(text, &out->i) ? 0 : -1;
	case TYPE_FLOAT:
		out->type = VALUE_FLOAT;
		if (!java_double(text, &out->d))
			return -1;
		out->d = (double)(float)out->d;
		return 0;
	case TYPE_DOUBLE:
		out->type = VALUE_DOUBLE;
		return java_double(text, &out->d) ? 0 : -1;
	case TYPE_BOOLEAN:
		*out = VALUE_OF_BOOL(str_iis(text, "true") ||
		    str_iis(text, "yes") || str_is(text, "1"));
		return 0;
	case TYPE_OM:
		return to_om(text, a, out);
	case TYPE_JSON:
		return to_json(text, a, out);
	case TYPE_COUNT:
		return -1;
	}
	return -1;
}

int
value_convert(struct str text, struct str type, enum value_source source,
    struct arena *a, struct value *out, struct err *err)
{
	struct value v = { .type = VALUE_NULL };

	if (convert(text, type_of_name(type), source, a, &v))
		return err_set(err, ERR_VALUE, "Unknown type : %.*s for the "
		    "property mediator or the property value cannot be "
		    "converted into the specified type.", STR_FMT(type));
	*out = v;
	return 0;
}
