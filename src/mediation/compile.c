/* SPDX-License-Identifier: Apache-2.0 */
/* Elements become nodes, through the register. */
#include "mediation/compile.h"

#include <stdio.h>

#include "mediation/value.h"

/* ---- complaints -------------------------------------------------------- */

void
med_report(struct med_compile *c, const struct err *err)
{
	if (err->kind != ERR_UNSUPPORTED) {
		c->wrong++;
		diag_add(c->diag, DIAG_ERROR, err);
		return;
	}
	c->unsupported++;
	diag_add(c->diag, c->config->lenient ? DIAG_WARNING : DIAG_ERROR, err);
}

void
med_report_left(struct med_compile *c, const struct err *err)
{
	if (err->kind != ERR_NONE)
		med_report(c, err);
}

static void
place(struct err *err, const struct xml_el *el)
{
	if (err->kind != ERR_NONE && !err->at.file)
		err->at = xml_pos(el);
}

/* ---- mediators --------------------------------------------------------- */

static int
unknown_mediator(const struct xml_el *el, struct err *err)
{
	struct str name = xml_name(el), ns = xml_namespace(el);
	const char *why = xml_in_synapse(el) ? registry_refusal(name) : NULL;
	const char *near = xml_in_synapse(el)
	    ? str_nearest(name, registry_names()) : NULL;

	if (why)
		xml_error(el, err, "not supported: %.*s mediator (%s)",
		    STR_FMT(name), why);
	else if (ns.n == 0)
		xml_error(el, err, "Unknown mediator referenced by "
		    "configuration element : %.*s (it is not in the namespace "
		    SYNAPSE_NS ")", STR_FMT(name));
	else
		xml_error(el, err, "Unknown mediator referenced by "
		    "configuration element : {%.*s}%.*s%s%s%s%s", STR_FMT(ns),
		    STR_FMT(name), near ? "; did you mean <" : "",
		    near ? near : "", near ? ">?" : "",
		    str_find(name, '.') < name.n
		    ? " (operations of connectors are not supported)" : "");
	err->kind = ERR_UNSUPPORTED;
	return -1;
}

static int
compile_known(struct med_compile *c, const struct xml_el *el,
    const struct mediator_type *type, struct med_node *to, struct err *err)
{
	void *data = NULL;
	int result;

	/* Accepted on every mediator, of no effect here. */
	xml_attr(el, "description");
	xml_attr(el, "statistics");
	xml_attr(el, "trace");
	result = type->compile(c, el, &data, err);
	if (result < 0)
		return -1;
	if (type->body > c->body)
		c->body = type->body;
	*to = (struct med_node){ .exec = type->exec, .data = data,
	    .type = type, .at = xml_pos(el) };
	return element_check(el, type->element, err);
}

static int
compile_one(struct med_compile *c, const struct xml_el *el,
    struct med_node *to)
{
	const struct mediator_type *type = xml_in_synapse(el)
	    ? registry_mediator(xml_name(el)) : NULL;
	struct err err = { 0 };
	int result = type ? compile_known(c, el, type, to, &err)
	    : unknown_mediator(el, &err);

	xml_mark_done(el);
	if (result == 0)
		return 0;
	place(&err, el);
	med_report_left(c, &err);
	return -1;
}

static bool
skipped(const struct xml_el *el, const char *const *skip)
{
	if (xml_in_synapse(el) && str_is(xml_name(el), "description")) {
		xml_mark_done(el);
		return true;
	}
	if (!xml_in_synapse(el))
		return false;
	for (; skip && *skip; skip++)
		if (str_is(xml_name(el), *skip))
			return true;
	return false;
}

int
med_children(struct med_compile *c, const struct xml_el *el,
    const char *const *skip, struct med_list **out, struct err *err)
{
	struct med_list *list = arena_zalloc(c->set->arena, sizeof(*list));
	struct med_node *node;
	size_t n = 0;
	int result = 0;

	for (const struct xml_el *k = xml_any_child(el); k; k = xml_any_next(k))
		n++;
	node = arena_zalloc(c->set->arena, n * sizeof(*node));
	for (const struct xml_el *k = xml_any_child(el); k;
	    k = xml_any_next(k)) {
		if (skipped(k, skip))
			continue;
		if (compile_one(c, k, &node[list->count]) < 0)
			result = -1;
		else
			list->count++;
	}
	list->node = node;
	*out = list;
	if (result < 0)
		err->kind = ERR_NONE;	/* all is in the diag */
	return result;
}

struct arena *
med_arena(struct med_compile *c)
{
	return c->set->arena;
}

void
med_reaches_body(struct med_compile *c, enum med_body what)
{
	if (what > c->body)
		c->body = what;
}

bool
med_entry(struct med_compile *c, struct str key, struct str *out,
    struct err *err)
{
	return entry_find(c, key, out, err) == 0;
}

void
med_warn(struct med_compile *c, const struct xml_el *el, const char *text)
{
	diag_warn(c->diag, xml_pos(el), "%s", text);
}

void
med_warn_once(struct med_compile *c, const struct xml_el *el,
    const char *text)
{
	size_t i = 0;

	while (i < ARRAY_LEN(c->warned) && c->warned[i] &&
	    c->warned[i] != text)
		i++;
	if (i == ARRAY_LEN(c->warned) || c->warned[i])
		return;
	c->warned[i] = text;
	med_warn(c, el, text);
}

/* ---- sequences --------------------------------------------------------- */

struct sequence *
med_sequence(struct med_compile *c, const struct xml_el *el, struct str name)
{
	struct sequence *s = arena_zalloc(c->set->arena, sizeof(*s));
	struct str on_error = xml_attr(el, "onError");
	struct med_list *list = NULL;
	struct err err = { 0 };

	s->name = name;
	s->at = xml_pos(el);
	s->trace = str_is(xml_attr(el, "trace"), "enable");
	xml_attr(el, "statistics");
	xml_attr(el, "traceFilter");
	if (on_error.p)
		s->on_error = med_sequence_ref_at(c, on_error, s->at);
	if (med_children(c, el, NULL, &list, &err) < 0)
		med_report_left(c, &err);
	s->list = list;
	if (element_check(el, "definitions/sequence", &err) < 0)
		med_report_left(c, &err);
	xml_mark_done(el);
	return s;
}

static void
reaches(struct med_compile *c, const struct sequence_ref *ref,
    const struct template_ref *template)
{
	struct reach *r = arena_zalloc(c->set->arena, sizeof(*r));

	*r = (struct reach){ .next = c->reach, .ref = ref,
	    .template = template };
	c->reach = r;
}

struct sequence_ref *
med_sequence_ref_at(struct med_compile *c, struct str name, struct src_pos at)
{
	struct sequence_ref *ref = hmap_get(&c->sequence_refs, name);

	if (!ref) {
		ref = arena_zalloc(c->set->arena, sizeof(*ref));
		ref->name = arena_str(c->set->arena, name);
		ref->at = at;
		hmap_set(&c->sequence_refs, name, ref);
		*c->sequence_last = ref;
		c->sequence_last = &ref->next;
	}
	reaches(c, ref, NULL);
	return ref;
}

struct sequence_ref *
med_sequence_ref(struct med_compile *c, const struct xml_el *el,
    struct str name)
{
	return med_sequence_ref_at(c, name, xml_pos(el));
}

struct template_ref *
med_template(struct med_compile *c, const struct xml_el *el, struct str name)
{
	struct template_ref *ref = hmap_get(&c->template_refs, name);

	if (!ref) {
		ref = arena_zalloc(c->set->arena, sizeof(*ref));
		ref->name = arena_str(c->set->arena, name);
		ref->at = xml_pos(el);
		hmap_set(&c->template_refs, name, ref);
		ref->next = c->template_first;
		c->template_first = ref;
	}
	reaches(c, NULL, ref);
	return ref;
}

/* ---- expressions and values -------------------------------------------- */

/* The caret goes under the byte of the attribute that the expression's error
 * names; where there is no attribute, the text says which character it is. */
static int
bad_expression(const struct xml_el *el, const char *what, struct str text,
    struct err *err)
{
	struct err inner = *err;
	int column = inner.at.column;
	struct src_pos at = column > 0 && text.p
	    ? xml_place(el, text.p + column - 1) : xml_pos(el);
	char where[40] = "";

	if (column > 0 && at.column == 0)
		snprintf(where, sizeof(where), ", at character %d", column);
	xml_error(el, err, "Invalid XPath expression for %s : %.*s (%s%s)",
	    what, STR_FMT(str_head(text, 160)), inner.text, where);
	err->at = at;
	err->kind = ERR_SYNTAX;
	return -1;
}

struct expr *
med_expr_text(struct med_compile *c, const struct xml_el *el, const char *what,
    struct str text, struct err *err)
{
	struct expr_scope scope;
	struct expr *e;

	xml_scope(el, c->set->arena, &scope);
	e = expr_compile(c->set->arena, text, &scope, err);
	if (!e)
		bad_expression(el, what, text, err);
	else if (expr_reads_body(e))
		med_reaches_body(c, MED_BODY_READ);
	return e;
}

struct expr *
med_expr_as(struct med_compile *c, const struct xml_el *el, const char *what,
    enum expr_language language, struct str text, struct err *err)
{
	struct expr_scope scope;
	struct expr *e;

	xml_scope(el, c->set->arena, &scope);
	e = expr_compile_as(c->set->arena, language, text, &scope, err);
	if (!e)
		bad_expression(el, what, text, err);
	else if (expr_reads_body(e))
		med_reaches_body(c, MED_BODY_READ);
	return e;
}

int
med_expr(struct med_compile *c, const struct xml_el *el, const char *attr,
    struct expr **out, struct err *err)
{
	struct str text = xml_attr(el, attr);
	char what[80];

	*out = NULL;
	if (!text.p)
		return 0;
	snprintf(what, sizeof(what), "attribute '%s'", attr);
	*out = med_expr_text(c, el, what, text, err);
	return *out ? 0 : -1;
}

void
med_scope(struct med_compile *c, const struct xml_el *el,
    struct expr_scope *out)
{
	xml_scope(el, c->set->arena, out);
}

struct expr_template *
med_template_text(struct med_compile *c, const struct xml_el *el,
    struct str text, struct err *err)
{
	struct expr_scope scope;
	struct expr_template *t;

	xml_scope(el, c->set->arena, &scope);
	t = expr_template_compile(c->set->arena, text, &scope, err);
	if (!t)
		bad_expression(el, "a template", text, err);
	else if (expr_template_reads_body(t))
		med_reaches_body(c, MED_BODY_READ);
	return t;
}

int
med_value_text(struct med_compile *c, const struct xml_el *el,
    const char *what, struct str text, struct med_value **out, struct err *err)
{
	struct med_value *v = arena_zalloc(c->set->arena, sizeof(*v));

	*out = v;
	v->text = text;
	if (text.n < 2 || text.p[0] != '{' || text.p[text.n - 1] != '}')
		return 0;
	text = str_head(str_from(text, 1), text.n - 2);
	if (text.n >= 2 && text.p[0] == '{' && text.p[text.n - 1] == '}') {
		v->deferred = true;
		text = str_head(str_from(text, 1), text.n - 2);
	}
	v->expr = med_expr_text(c, el, what, text, err);
	return v->expr ? 0 : -1;
}

int
med_value(struct med_compile *c, const struct xml_el *el, const char *attr,
    struct med_value **out, struct err *err)
{
	struct str text = xml_attr(el, attr);
	char what[80];

	*out = NULL;
	if (!text.p)
		return 0;
	snprintf(what, sizeof(what), "attribute '%s'", attr);
	return med_value_text(c, el, what, text, out, err);
}
