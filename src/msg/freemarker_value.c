/* SPDX-License-Identifier: Apache-2.0 */
/* What templates work on: the data, and how values look as text. */
#include "msg/freemarker_priv.h"

#include <libxml/tree.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include "msg/xml.h"

/* ---- JSON --------------------------------------------------------------- */

struct fm_value
fm_of_json(struct fm_run *r, const struct cJSON *j)
{
	switch (json_type_of(j)) {
	case JSON_NULL:
		break;
	case JSON_FALSE:
		return FM_BOOL(false);
	case JSON_TRUE:
		return FM_BOOL(true);
	case JSON_NUMBER:
		return FM_NUMBER(json_number(j));
	case JSON_STRING:
		return FM_STRING(json_string(j, r->arena));
	case JSON_ARRAY:
	case JSON_OBJECT:
		return (struct fm_value){ .type = FM_V_JSON, .json = j };
	}
	return (struct fm_value){ .type = FM_V_NONE };
}

/* ---- XML ---------------------------------------------------------------- */

static struct fm_value
of_nodes(struct _xmlNode **node, size_t count, bool one)
{
	return (struct fm_value){ .type = FM_V_XML, .xml = { .node = node,
	    .count = count, .one = one } };
}

static struct fm_value
of_node(struct fm_run *r, struct _xmlNode *n)
{
	struct _xmlNode **all = arena_alloc(r->arena, sizeof(struct _xmlNode *));

	*all = n;
	return of_nodes(all, 1, true);
}

/* Names without a prefix are of no namespace. */
static bool
is_element(const struct _xmlNode *n, struct str name)
{
	return n->type == XML_ELEMENT_NODE && (str_is(name, "*") ||
	    (!n->ns && str_eq(name, str_of((const char *)n->name))));
}

static struct fm_value
attribute(struct fm_run *r, struct _xmlNode *n, struct str name)
{
	for (xmlAttr *a = n->properties; a; a = a->next)
		if (!a->ns && str_eq(name, str_of((const char *)a->name)))
			return of_node(r, (struct _xmlNode *)(void *)a);
	return of_nodes(NULL, 0, false);
}

/* The children of that name of one node. */
static size_t
children(struct _xmlNode *n, struct str name, struct _xmlNode **out)
{
	size_t count = 0;

	if (n->type != XML_ELEMENT_NODE && n->type != XML_DOCUMENT_NODE)
		return 0;
	for (struct _xmlNode *k = n->children; k; k = k->next)
		if (is_element(k, name)) {
			if (out)
				out[count] = k;
			count++;
		}
	return count;
}

static struct fm_value
node_member(struct fm_run *r, const struct fm_value *v, struct str name)
{
	struct _xmlNode **all;
	size_t count = 0, at = 0;

	if (v->xml.one && name.n > 1 && name.p[0] == '@' &&
	    v->xml.node[0]->type == XML_ELEMENT_NODE)
		return attribute(r, v->xml.node[0], str_from(name, 1));
	for (size_t i = 0; i < v->xml.count; i++)
		count += children(v->xml.node[i], name, NULL);
	all = arena_alloc(r->arena, (count + 1) * sizeof(struct _xmlNode *));
	for (size_t i = 0; i < v->xml.count; i++)
		at += children(v->xml.node[i], name, all + at);
	return of_nodes(all, count, count == 1);
}

static int
element_text(struct fm_run *r, const struct fm_expr *at,
    const struct _xmlNode *n, struct str *out)
{
	for (const struct _xmlNode *k = n->children; k; k = k->next)
		if (k->type == XML_ELEMENT_NODE)
			return fm_fail(r, at, ERR_VALUE, "Only elements with "
			    "no child elements can be processed as text. This "
			    "element with name \"%.100s\" has a child element "
			    "named: %.100s", (const char *)n->name,
			    (const char *)k->name);
	*out = xml_own_text(n, r->arena);
	return 0;
}

static int
node_text(struct fm_run *r, const struct fm_expr *at,
    const struct fm_value *v, struct str *out)
{
	if (v->xml.count != 1)
		return fm_fail(r, at, ERR_VALUE, "For \"%.*s\" a string was "
		    "expected, but this XML query has %zu nodes; it must have "
		    "exactly 1", STR_FMT(str_head(at->source, 100)),
		    v->xml.count);
	if (v->xml.node[0]->type == XML_ELEMENT_NODE)
		return element_text(r, at, v->xml.node[0], out);
	if (v->xml.node[0]->type == XML_DOCUMENT_NODE)
		return fm_fail(r, at, ERR_VALUE, "a document cannot be "
		    "processed as text: name its root element");
	*out = xml_own_text(v->xml.node[0], r->arena);
	return 0;
}

/* ---- the data ----------------------------------------------------------- */

static int
xml_payload(struct fm_run *r, struct fm_value *out)
{
	struct _xmlNode *body, *first, *root;
	xmlDoc *doc;

	if (message_soap_body(r->data->msg, &body, &first, r->err) < 0)
		return -1;
	if (!first)
		return 0;
	/* A document of its own, so that the root is a step. */
	doc = xmlNewDoc(NULL);
	if (!doc)
		return err_set(r->err, ERR_LIMIT, "out of memory");
	xml_keep_doc(r->arena, doc);
	root = xmlDocCopyNode(first, doc, 1);
	if (!root)
		return err_set(r->err, ERR_LIMIT, "out of memory");
	xmlDocSetRootElement(doc, root);
	*out = of_node(r, (struct _xmlNode *)(void *)doc);
	return 0;
}

static int
text_payload(struct fm_run *r, struct fm_value *out)
{
	struct buf b = { 0 };
	struct str text;

	if (message_text(r->data->msg, &text, r->err) < 0)
		return -1;
	xml_escape(&b, text);
	*out = FM_STRING(arena_str(r->arena, buf_str(&b)));
	buf_fini(&b);
	return 0;
}

static int
json_payload(struct fm_run *r, struct fm_value *out)
{
	struct cJSON *root;

	if (message_is_empty(r->data->msg))
		return 0;
	if (message_json(r->data->msg, &root, r->err) < 0)
		return -1;
	*out = fm_of_json(r, root);
	return 0;
}

static int
get_payload(struct fm_run *r, const struct fm_expr *at, struct fm_value *out)
{
	*out = (struct fm_value){ .type = FM_V_NONE };
	switch (message_kind(r->data->msg)) {
	case CONTENT_JSON:
		return json_payload(r, out);
	case CONTENT_XML:
	case CONTENT_SOAP11:
	case CONTENT_SOAP12:
		return xml_payload(r, out);
	case CONTENT_TEXT:
		return text_payload(r, out);
	case CONTENT_NONE:
	case CONTENT_BINARY:
		break;
	}
	return fm_fail(r, at, ERR_VALUE, "Invalid payload type. Supports only "
	    "XML, JSON and TEXT payloads");
}

int
fm_root(struct fm_run *r, const struct fm_expr *at, struct str name,
    struct fm_value *out)
{
	static const char *const scopes[] = {
		[FM_S_ARGS] = "args", [FM_S_CTX] = "ctx",
		[FM_S_AXIS2] = "axis2", [FM_S_TRP] = "trp",
		[FM_S_VARS] = "vars",
	};

	*out = (struct fm_value){ .type = FM_V_NONE };
	if (str_is(name, "payload")) {
		if (!r->has_payload && get_payload(r, at, &r->payload) < 0)
			return -1;
		r->has_payload = true;
		*out = r->payload;
		return 0;
	}
	for (size_t i = 0; i < ARRAY_LEN(scopes); i++)
		if (str_is(name, scopes[i]))
			*out = (struct fm_value){ .type = FM_V_SCOPE,
			    .scope = (enum fm_scope)i };
	return 0;
}

static struct str
argument(struct fm_run *r, struct str name)
{
	uint64_t number;

	if (!str_starts(name, "arg") ||
	    !str_to_u64(str_from(name, 3), &number) || number == 0 ||
	    number > r->data->args)
		return STR_NULL;
	return r->data->arg[number - 1];
}

static struct fm_value
scope_member(struct fm_run *r, enum fm_scope scope, struct str name)
{
	struct message *m = r->data->msg;
	struct str text = STR_NULL;
	struct value v;

	switch (scope) {
	case FM_S_ARGS:
		text = argument(r, name);
		break;
	case FM_S_CTX:
		text = message_prop_text(m, SCOPE_DEFAULT, name);
		break;
	case FM_S_AXIS2:
		text = message_prop_text(m, SCOPE_AXIS2, name);
		break;
	case FM_S_TRP:
		text = message_prop_text(m, SCOPE_TRANSPORT, name);
		break;
	case FM_S_VARS:
		if (message_var(m, name, &v))
			text = value_text(&v, r->arena);
		break;
	}
	if (!text.p)
		return (struct fm_value){ .type = FM_V_NONE };
	return FM_STRING(text);
}

int
fm_member(struct fm_run *r, const struct fm_expr *at,
    const struct fm_value *v, struct str name, struct fm_value *out)
{
	const struct cJSON *j;

	*out = (struct fm_value){ .type = FM_V_NONE };
	if (v->type == FM_V_SCOPE) {
		*out = scope_member(r, v->scope, name);
	} else if (v->type == FM_V_XML) {
		*out = node_member(r, v, name);
		return fm_take(r, at, (fm_size(out) + 1) *
		    sizeof(struct _xmlNode *));
	} else if (fm_is_map(v)) {
		j = json_member(v->json, name);
		if (j)
			*out = fm_of_json(r, j);
	} else {
		return fm_expected(r, at, "hash", v);
	}
	return 0;
}

/* ---- lists and maps ----------------------------------------------------- */

bool
fm_is_map(const struct fm_value *v)
{
	return (v->type == FM_V_JSON && json_type_of(v->json) ==
	    JSON_OBJECT) || v->type == FM_V_SCOPE ||
	    (v->type == FM_V_XML && v->xml.count > 0);
}

bool
fm_is_list(const struct fm_value *v)
{
	return (v->type == FM_V_JSON && json_type_of(v->json) == JSON_ARRAY) ||
	    v->type == FM_V_XML || v->type == FM_V_LIST ||
	    v->type == FM_V_RANGE;
}

size_t
fm_size(const struct fm_value *v)
{
	switch (v->type) {
	case FM_V_JSON:
		return json_count(v->json);
	case FM_V_XML:
		return v->xml.count;
	case FM_V_LIST:
		return v->list.count;
	case FM_V_RANGE:
		return v->range.count;
	case FM_V_NONE:
	case FM_V_STRING:
	case FM_V_NUMBER:
	case FM_V_BOOL:
	case FM_V_SCOPE:
		break;
	}
	return 0;
}

bool
fm_has_content(const struct fm_value *v)
{
	if (v->type == FM_V_NONE)
		return false;
	if (v->type == FM_V_STRING)
		return v->s.n > 0;
	if (v->type == FM_V_NUMBER || v->type == FM_V_BOOL ||
	    v->type == FM_V_SCOPE)
		return true;
	return fm_size(v) > 0;
}

bool
fm_next(struct fm_run *r, const struct fm_value *v, struct fm_walk *w,
    struct fm_value *item)
{
	if (w->index >= fm_size(v))
		return false;
	if (v->type == FM_V_JSON) {
		w->json = w->json ? json_next(w->json) : json_first(v->json);
		*item = fm_of_json(r, w->json);
	} else if (v->type == FM_V_XML) {
		*item = of_nodes(v->xml.node + w->index, 1, true);
	} else if (v->type == FM_V_LIST) {
		*item = v->list.item[w->index];
	} else {
		*item = FM_NUMBER(v->range.from +
		    v->range.step * (double)w->index);
	}
	w->index++;
	return true;
}

int
fm_at(struct fm_run *r, const struct fm_expr *at, const struct fm_value *v,
    size_t index, struct fm_value *out)
{
	struct fm_walk w = { 0 };

	*out = (struct fm_value){ .type = FM_V_NONE };
	if (index >= fm_size(v))
		return 0;
	if (v->type != FM_V_JSON) {
		w.index = index;
		(void)fm_next(r, v, &w, out);
		return 0;
	}
	for (size_t i = 0; i < index; i++) {
		if (i % 64 == 63 && fm_step(r, at) < 0)
			return -1;
		w.json = w.json ? json_next(w.json) : json_first(v->json);
	}
	w.index = index;
	(void)fm_next(r, v, &w, out);
	return 0;
}

/* ---- text --------------------------------------------------------------- */

const char *
fm_type_name(const struct fm_value *v)
{
	switch (v->type) {
	case FM_V_NONE:
		return "missing value";
	case FM_V_STRING:
		return "string";
	case FM_V_NUMBER:
		return "number";
	case FM_V_BOOL:
		return "boolean";
	case FM_V_JSON:
		return json_type_of(v->json) == JSON_ARRAY ? "sequence" :
		    "extended_hash";
	case FM_V_XML:
		return v->xml.one ? "node" : "sequence of nodes";
	case FM_V_LIST:
		return "sequence";
	case FM_V_RANGE:
		return "range";
	case FM_V_SCOPE:
		break;
	}
	return "extended_hash";
}

static struct str
odd_number(double x)
{
	if (isnan(x))
		return STR("\xEF\xBF\xBD");
	return x > 0 ? STR("\xE2\x88\x9E") : STR("-\xE2\x88\x9E");
}

/* Without zeros at the end, of which at least min stay. */
static size_t
cut_zeros(const char *digits, size_t n, size_t min)
{
	const char *point = memchr(digits, '.', n);
	size_t least;

	if (!point)
		return n;
	least = (size_t)(point - digits) + (min ? 1 + min : 0);
	while (n > least && (digits[n - 1] == '0' || digits[n - 1] == '.'))
		n--;
	return n;
}

struct shape {
	int places;		/* after the point, at most */
	size_t min_places, min_digits;
	bool group;
};

static struct str
shaped(struct arena *a, double x, const struct shape *shape)
{
	char digits[400], text[600];
	size_t n, whole, at = 0;
	const char *p = digits;

	if (!isfinite(x))
		return odd_number(x);
	n = (size_t)snprintf(digits, sizeof(digits), "%.*f", shape->places, x);
	if (*p == '-') {
		text[at++] = '-';
		p++;
		n--;
	}
	n = cut_zeros(p, n, shape->min_places);
	if (n == 1 && *p == '0')
		at = 0;
	whole = str_find((struct str){ p, n }, '.');
	for (size_t i = whole; i < shape->min_digits; i++)
		text[at++] = '0';
	for (size_t i = 0; i < n; i++) {
		if (shape->group && i > 0 && i < whole && (whole - i) % 3 == 0)
			text[at++] = ',';
		text[at++] = p[i];
	}
	return arena_str(a, (struct str){ text, at });
}

struct str
fm_number_text(struct arena *a, double x)
{
	return shaped(a, x, &(struct shape){ .places = 3, .group = true });
}

/* The fewest digits that say the same, up to 16 after the point. */
struct str
fm_number_c(struct arena *a, double x)
{
	char digits[32];
	int precision = 1, exponent, places;

	if (!isfinite(x))
		return isnan(x) ? STR("NaN") : x > 0 ? STR("INF") : STR("-INF");
	do
		snprintf(digits, sizeof(digits), "%.*e", precision - 1, x);
	while (strtod(digits, NULL) != x && precision++ < 17);
	exponent = atoi(strchr(digits, 'e') + 1);
	places = precision - 1 - exponent;
	places = places < 0 ? 0 : places > 16 ? 16 : places;
	return shaped(a, x, &(struct shape){ .places = places });
}

/* What of Java's DecimalFormat is in use: 0 # , and . */
struct str
fm_number_pattern(struct arena *a, double x, struct str pattern)
{
	struct shape shape = { .places = 0 };
	bool fraction = false;

	if (pattern.n == 0 || pattern.n > 40)
		return STR_NULL;
	for (size_t i = 0; i < pattern.n; i++) {
		char c = pattern.p[i];

		if (c == '.' && !fraction)
			fraction = true;
		else if (c == ',' && !fraction)
			shape.group = true;
		else if (c != '0' && c != '#')
			return STR_NULL;
		else if (fraction)
			shape.places++;
		if (c == '0')
			fraction ? shape.min_places++ : shape.min_digits++;
	}
	return shaped(a, x, &shape);
}

bool
fm_is_string(const struct fm_value *v)
{
	return v->type == FM_V_STRING || v->type == FM_V_XML;
}

int
fm_string(struct fm_run *r, const struct fm_expr *at,
    const struct fm_value *v, struct str *out)
{
	if (v->type == FM_V_XML)
		return node_text(r, at, v, out);
	if (v->type != FM_V_STRING)
		return fm_expected(r, at, "string", v);
	*out = v->s;
	return 0;
}

int
fm_text(struct fm_run *r, const struct fm_expr *at, const struct fm_value *v,
    struct str *out)
{
	if (v->type == FM_V_NUMBER) {
		*out = fm_number_text(r->arena, v->n);
		return fm_take(r, at, out->n);
	}
	if (v->type == FM_V_BOOL)
		return fm_fail(r, at, ERR_VALUE, "Can't convert boolean to "
		    "string automatically: ==> %.*s; write ?c, or "
		    "?string(\"yes\", \"no\")",
		    STR_FMT(str_head(at->source, 100)));
	if (!fm_is_string(v))
		return fm_expected(r, at, "string or something automatically "
		    "convertible to string (number, date or boolean)", v);
	return fm_string(r, at, v, out);
}
