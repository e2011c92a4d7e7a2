/* SPDX-License-Identifier: Apache-2.0 */
#include "mediation/mediators/gather.h"

#include "msg/json.h"
#include "msg/split.h"

/* ---- compile ----------------------------------------------------------- */

int
gather_default(struct med_compile *c, const struct xml_el *el,
    struct gather *g, struct err *err)
{
	g->expr = med_expr_text(c, el, "expression", STR("/*/*[local-name() = "
	    "'Body']/*[1]"), err);
	return g->expr ? 0 : -1;
}

int
gather_read(struct med_compile *c, const struct xml_el *el, struct gather *g,
    struct err *err)
{
	struct str type = xml_attr(el, "aggregateElementType");

	g->enclosing = xml_attr(el, "enclosingElementProperty");
	g->merge = str_is(type, "child");
	if (type.p && !g->merge && !str_is(type, "root"))
		return xml_error(el, err, "attribute \"aggregateElementType\""
		    " must be \"root\" or \"child\"");
	if (med_expr(c, el, "expression", &g->expr, err) < 0)
		return -1;
	if (!g->expr)
		return gather_default(c, el, g, err);
	g->json = expr_language(g->expr) != EXPR_XPATH;
	return 0;
}

/* ---- JSON -------------------------------------------------------------- */

static bool
framed(struct str s, char first, char last)
{
	return s.n >= 2 && s.p[0] == first && s.p[s.n - 1] == last;
}

/* Text is taken for what it looks like. */
static struct cJSON *
read_text(struct str text, struct arena *a)
{
	struct cJSON *node = NULL;

	text = str_trim(text);
	if (json_is_number(text) || str_is(text, "true") ||
	    str_is(text, "false") || framed(text, '[', ']') ||
	    framed(text, '{', '}') || framed(text, '"', '"'))
		node = json_parse(a, text, 0, NULL);
	return node ? node : json_new_string(a, text);
}

/* Of an array, its only element, or null when it is empty. */
static struct cJSON *
piece_of(const struct value *v, struct arena *a)
{
	const struct cJSON *json = v->json;

	if (v->type != VALUE_JSON) {
		struct str text = value_text(v, a);

		return text.n ? read_text(text, a) : json_new_null(a);
	}
	if (json_type_of(json) == JSON_ARRAY && json_count(json) < 2) {
		json = json_first(json);
		return json ? json_copy(a, json) : json_new_null(a);
	}
	if (json_type_of(json) == JSON_STRING)
		return read_text(json_string(json, a), a);
	return json_copy(a, json);
}

/* Into an array that becomes one when it is none. */
static void
add_to_member(struct cJSON *object, struct str key, struct cJSON *old,
    struct cJSON *more, struct arena *a)
{
	struct cJSON *array;

	if (json_type_of(old) == JSON_ARRAY) {
		json_append(old, more);
		return;
	}
	array = json_new_array(a);
	json_append(array, json_copy(a, old));
	json_append(array, more);
	json_set(a, object, key, array);
}

static void merge_into(struct cJSON *to, const struct cJSON *from,
    struct arena *);

static void
merge_member(struct cJSON *to, struct str key, const struct cJSON *item,
    struct arena *a)
{
	struct cJSON *old = json_member(to, key);
	enum json_type type = json_type_of(item);

	if (!old) {
		json_add(a, to, key, json_copy(a, item));
	} else if (type == JSON_ARRAY && json_type_of(old) == JSON_ARRAY) {
		for (const struct cJSON *i = json_first(item); i;
		    i = json_next(i))
			json_append(old, json_copy(a, i));
	} else if (type == JSON_OBJECT && json_type_of(old) == JSON_OBJECT) {
		merge_into(old, item, a);
	} else {
		add_to_member(to, key, old, json_copy(a, item), a);
	}
}

/* As deep as the reader lets a document be. */
static void
merge_into(struct cJSON *to, const struct cJSON *from, struct arena *a)
{
	for (const struct cJSON *i = json_first(from); i; i = json_next(i))
		merge_member(to, json_key(i, a), i, a);
}

static int
merge(const struct gather *g, struct gathered *all, const struct cJSON *piece,
    struct fault *fault)
{
	struct str text = expr_text(g->expr);
	const struct cJSON *first = json_type_of(piece) == JSON_ARRAY ?
	    json_first(piece) : NULL;

	if (json_type_of(piece) == JSON_OBJECT) {
		merge_into(all->json, piece, all->arena);
		return 0;
	}
	for (; first; first = json_next(first)) {
		if (json_type_of(first) != JSON_OBJECT)
			break;
		merge_into(all->json, first, all->arena);
		if (!json_next(first))
			return 0;
	}
	return fault_set(fault, FAULT_MEDIATOR, "Error merging aggregation "
	    "results using JSONPath : %.*s", STR_FMT(text));
}

static int
add_json(const struct gather *g, struct gathered *all, struct message *msg,
    struct fault *fault)
{
	struct err err = { 0 };
	struct cJSON *piece;
	struct value v;

	if (expr_value(g->expr, msg, &v, &err) < 0)
		return med_fault_from(fault, &err);
	piece = piece_of(&v, all->arena);
	if (g->merge)
		return merge(g, all, piece, fault);
	json_append(all->json, piece);
	return 0;
}

/* ---- XML --------------------------------------------------------------- */

static int
add_xml(const struct gather *g, struct gathered *all, struct message *msg,
    size_t *more, struct fault *fault)
{
	struct err err = { 0 };
	struct split found;

	if (split_find(msg, g->expr, &found, &err) < 0) {
		if (err.kind == ERR_VALUE)
			return fault_set(fault, FAULT_MEDIATOR,
			    "Could not add to the aggregate: %s", err.text);
		return med_fault_from(fault, &err);
	}
	if (found.count == 0 && all->count > 0)
		return fault_set(fault, FAULT_MEDIATOR,
		    "Could not find matching elements to aggregate.");
	for (size_t i = 0; i < found.count; i++)
		*more += split_collect(all->xml, found.node[i]);
	return 0;
}

/* ---- the whole --------------------------------------------------------- */

void
gather_start(const struct gather *g, struct gathered *all, struct arena *a)
{
	all->arena = a;
	if (!g->json)
		all->xml = split_new_root(a, STR("all"));
	else
		all->json = g->merge ? json_new_object(a) : json_new_array(a);
}

int
gather_add(const struct gather *g, struct gathered *all, struct message *msg,
    size_t *more, struct fault *fault)
{
	int result;

	*more = 0;
	result = g->json ? add_json(g, all, msg, fault) :
	    add_xml(g, all, msg, more, fault);
	all->count++;
	return result;
}

/* The element that the property holds; NULL without enclosing. */
static int
find_enclosing(const struct gather *g, struct message *msg,
    struct _xmlNode **out, struct fault *fault)
{
	struct value v;

	*out = NULL;
	if (!g->enclosing.p)
		return 0;
	if (!message_prop(msg, SCOPE_DEFAULT, g->enclosing, &v))
		return fault_set(fault, FAULT_MEDIATOR, "Enclosing Element "
		    "property: %.*s not found in message context",
		    STR_FMT(g->enclosing));
	if (v.type != VALUE_XML || v.xml.count == 0)
		return fault_set(fault, FAULT_MEDIATOR, "Enclosing Element "
		    "defined in the property: %.*s is not an element",
		    STR_FMT(g->enclosing));
	*out = v.xml.node[0];
	return 0;
}

static void
finish_json(const struct gathered *all, struct message *msg,
    const struct _xmlNode *enclosing)
{
	struct arena *a = message_arena(msg);
	struct cJSON *whole = json_copy(a, all->json), *outer;

	if (enclosing) {
		outer = json_new_object(a);
		json_add(a, outer, split_name(enclosing), whole);
		whole = outer;
	}
	message_set_json(msg, whole);
}

static int
finish_xml(const struct gathered *all, struct message *msg,
    const struct _xmlNode *enclosing, struct fault *fault)
{
	struct err err = { 0 };
	struct _xmlNode *body, *first;
	int result = enclosing ? split_set_body(msg, enclosing, &err) :
	    split_clear_body(msg, &err);

	if (result < 0 || message_soap_body(msg, &body, &first, &err) < 0)
		return med_fault_body(fault, &err);
	if (enclosing)
		body = first;
	for (struct _xmlNode *n = NULL; (n = split_next(all->xml, n));)
		split_append(msg, body, n);
	return 0;
}

int
gather_finish(const struct gather *g, const struct gathered *all,
    struct message *msg, struct fault *fault)
{
	struct _xmlNode *enclosing;

	if (find_enclosing(g, msg, &enclosing, fault) < 0)
		return -1;
	if (!g->json)
		return finish_xml(all, msg, enclosing, fault);
	finish_json(all, msg, enclosing);
	return 0;
}
