/* SPDX-License-Identifier: Apache-2.0 */
/* <aggregate>: gathers what came of the copies that <clone> or <iterate> made
 * of a message; the last one goes on with all of it. */
#include "mediation/mediator.h"
#include "msg/json.h"
#include "msg/xmledit.h"

struct aggregate {
	struct str sequence, correlation;	/* names of properties */
	struct expr *correlate;
	struct med_value *min, *max;
	struct expr *expr;
	const struct med_list *list;
	const struct sequence_ref *ref;
	struct str enclosing;
	bool as_child;
};

/* What was gathered so far; of the root message's arena. */
struct part {
	struct part *next;
	struct value value;
};

struct group {
	struct group *next;
	struct str key;
	size_t count;
	struct part *first, **last;
};

struct groups {
	struct group *first;
};

/* ---- compile ----------------------------------------------------------- */

static int
read_condition(struct med_compile *c, const struct xml_el *el,
    struct aggregate *n, struct err *err)
{
	const struct xml_el *condition = xml_child(el, "completeCondition");
	const struct xml_el *count = condition
	    ? xml_child(condition, "messageCount") : NULL;

	if (condition && xml_attr(condition, "timeout").n)
		med_warn(c, condition, "attribute \"timeout\" has no effect: "
		    "copies of one message are gathered while it is mediated");
	if (!count)
		return 0;
	if (med_value(c, count, "min", &n->min, err) < 0)
		return -1;
	return med_value(c, count, "max", &n->max, err);
}

static int
read_complete(struct med_compile *c, const struct xml_el *el,
    struct aggregate *n, struct err *err)
{
	struct str name = xml_attr(el, "sequence");
	struct str type = xml_attr(el, "aggregateElementType");
	struct med_list *list;

	n->enclosing = xml_attr(el, "enclosingElementProperty");
	n->as_child = str_is(type, "child");
	if (type.p && !n->as_child && !str_is(type, "root"))
		return xml_error(el, err, "attribute \"aggregateElementType\" "
		    "must be \"root\" or \"child\", not \"%.*s\"",
		    STR_FMT(type));
	if (med_expr(c, el, "expression", &n->expr, err) < 0)
		return -1;
	if (!n->expr)
		return xml_error(el, err, "<onComplete> needs the attribute "
		    "\"expression\"");
	if (name.n) {
		n->ref = med_sequence_ref(c, el, name);
		return 0;
	}
	if (med_children(c, el, NULL, &list, err) < 0)
		return -1;
	n->list = list;
	return 0;
}

static void
read_names(struct med_compile *c, struct str id, struct aggregate *n)
{
	struct arena *a = med_arena(c);

	n->sequence = id.n ? arena_printf(a, "messageSequence.%.*s",
	    STR_FMT(id)) : STR("messageSequence");
	n->correlation = id.n ? arena_printf(a, "aggregateCorelation.%.*s",
	    STR_FMT(id)) : STR("aggregateCorelation");
}

static int
aggregate_compile(struct med_compile *c, const struct xml_el *el,
    void **node, struct err *err)
{
	struct aggregate *n = arena_zalloc(med_arena(c), sizeof(*n));
	const struct xml_el *correlate = xml_child(el, "correlateOn");
	const struct xml_el *complete = xml_child(el, "onComplete");

	*node = n;
	read_names(c, xml_attr(el, "id"), n);
	if (correlate) {
		med_warn(c, correlate, "<correlateOn> gathers copies of one "
		    "message only");
		if (med_expr(c, correlate, "expression", &n->correlate,
		    err) < 0)
			return -1;
	}
	if (read_condition(c, el, n, err) < 0)
		return -1;
	return complete ? read_complete(c, complete, n, err) : 0;
}

/* ---- gathering --------------------------------------------------------- */

static int
find_group(struct med_run *run, const struct aggregate *n,
    struct message *msg, struct group **out, struct fault *fault)
{
	struct groups *all = med_slot(run, n, sizeof(*all));
	struct arena *a = message_arena(med_run_root(run));
	struct str key = message_prop_text(msg, SCOPE_DEFAULT, n->correlation);
	struct group *g;

	if (n->correlate && med_expr_string(n->correlate, msg, &key, fault) <
	    0)
		return -1;
	for (g = all->first; g; g = g->next)
		if (str_eq(g->key, key))
			break;
	if (!g) {
		g = arena_zalloc(a, sizeof(*g));
		g->key = arena_str(a, key);
		g->last = &g->first;
		g->next = all->first;
		all->first = g;
	}
	*out = g;
	return 0;
}

/* A copy that outlasts the branch. */
static int
keep(struct message *root, const struct value *from, struct value *out,
    struct err *err)
{
	struct arena *a = message_arena(root);

	*out = *from;
	if (from->type == VALUE_JSON)
		out->json = json_copy(a, from->json);
	else if (from->type == VALUE_STRING)
		out->s = arena_str(a, from->s);
	else if (from->type == VALUE_XML)
		return xmledit_copy(root, from, out, err);
	return 0;
}

static int
gather(struct med_run *run, const struct aggregate *n, struct group *g,
    struct message *msg, struct fault *fault)
{
	struct message *root = med_run_root(run);
	struct part *p = arena_zalloc(message_arena(root), sizeof(*p));
	struct value v = { .type = VALUE_NULL };
	struct err err = { 0 };

	/* The first one brings its whole body, when that is XML. */
	if (n->expr && expr_language(n->expr) == EXPR_XPATH && g->count == 0 &&
	    !n->enclosing.n) {
		if (xmledit_body(msg, &v, &err) < 0)
			return med_fault_body(fault, &err);
	} else if (n->expr && expr_value(n->expr, msg, &v, &err) < 0) {
		return med_fault_from(fault, &err);
	}
	if (keep(root, &v, &p->value, &err) < 0)
		return med_fault_from(fault, &err);
	g->count++;
	*g->last = p;
	g->last = &p->next;
	return 0;
}

static int
limit(const struct med_value *v, struct message *msg, int64_t *out,
    struct fault *fault)
{
	struct str text;

	*out = -1;
	if (!v)
		return 0;
	if (med_value_string(v, msg, &text, fault) < 0)
		return -1;
	if (str_to_i64(str_trim(text), out))
		return 0;
	return fault_set(fault, FAULT_MEDIATOR, "a <messageCount> must be a "
	    "whole number, not \"%.*s\"", STR_FMT(text));
}

static int
is_complete(const struct aggregate *n, const struct group *g,
    struct message *msg, bool *out, struct fault *fault)
{
	struct str text = message_prop_text(msg, SCOPE_DEFAULT, n->sequence);
	uint64_t all;
	int64_t min, max, have = (int64_t)g->count;

	if (limit(n->min, msg, &min, fault) < 0 ||
	    limit(n->max, msg, &max, fault) < 0)
		return -1;
	*out = (min > 0 && have >= min) || (max > 0 && have >= max) ||
	    (str_to_u64(str_from(text, str_find(text, '/') + 1), &all) &&
	    g->count >= all);
	return 0;
}

/* ---- the whole --------------------------------------------------------- */

static void
merge(struct arena *a, struct cJSON *into, const struct cJSON *from)
{
	for (struct cJSON *m = json_first(from); m; m = json_next(m))
		json_set(a, into, json_key(m, a), json_copy(a, m));
}

static struct cJSON *
json_of(struct arena *a, const struct value *v)
{
	if (v->type == VALUE_JSON)
		return json_copy(a, v->json);
	return json_new_string(a, value_text(v, a));
}

static struct cJSON *
whole_json(const struct aggregate *n, const struct group *g, struct arena *a)
{
	struct cJSON *all = n->as_child ? json_new_object(a)
	    : json_new_array(a);

	for (const struct part *p = g->first; p; p = p->next) {
		struct cJSON *one = json_of(a, &p->value);

		if (!n->as_child)
			json_append(all, one);
		else if (json_type_of(one) == JSON_OBJECT)
			merge(a, all, one);
	}
	return all;
}

static int
put_json(const struct aggregate *n, const struct group *g,
    struct message *msg)
{
	struct arena *a = message_arena(msg);
	struct cJSON *all = whole_json(n, g, a), *outer;
	struct str name = n->enclosing.n ? message_prop_text(msg,
	    SCOPE_DEFAULT, n->enclosing) : STR_NULL;

	if (name.n) {
		outer = json_new_object(a);
		json_set(a, outer, name, all);
		all = outer;
	}
	message_set_json(msg, all);
	message_set_prop(msg, SCOPE_AXIS2, STR("messageType"),
	    VALUE_OF_STR(STR("application/json")));
	return 0;
}

/* The element that all others go into. */
static int
put_enclosing(const struct aggregate *n, struct message *msg,
    struct err *err)
{
	struct value v;

	if (!message_prop(msg, SCOPE_DEFAULT, n->enclosing, &v))
		return err_set(err, ERR_VALUE, "Enclosing Element property: "
		    "%.*s not found in message context",
		    STR_FMT(n->enclosing));
	if (v.type != VALUE_XML &&
	    xmledit_parse(msg, value_text(&v, message_arena(msg)), &v,
	    err) < 0)
		return -1;
	return xmledit_make_body(msg, &v, err);
}

static int
put_xml(const struct aggregate *n, const struct group *g,
    struct message *msg, struct err *err)
{
	const struct part *p = g->first;
	struct value outer;

	if (n->enclosing.n) {
		if (put_enclosing(n, msg, err) < 0)
			return -1;
	} else {
		if (xmledit_make_body(msg, &p->value, err) < 0)
			return -1;
		p = p->next;
	}
	for (; p; p = p->next) {
		if (p->value.type != VALUE_XML || p->value.xml.count == 0)
			continue;
		if (!n->enclosing.n) {
			if (xmledit_apply_body(msg, &p->value, XMLEDIT_CHILD,
			    err) < 0)
				return -1;
		} else if (xmledit_body(msg, &outer, err) < 0 ||
		    xmledit_apply(msg, &outer, &p->value, XMLEDIT_CHILD,
		    err) < 0) {
			return -1;
		}
	}
	message_envelope_changed(msg);
	return 0;
}

static enum med_next
complete(struct med_run *run, const struct aggregate *n, struct group *g,
    struct message *msg, struct fault *fault)
{
	const struct sequence *s = n->ref ? sequence_resolve(n->ref) : NULL;
	struct err err = { 0 };

	if (!n->expr)
		return MED_STOP;
	if (expr_language(n->expr) == EXPR_XPATH ? put_xml(n, g, msg, &err) < 0
	    : put_json(n, g, msg) < 0) {
		med_fault_from(fault, &err);
		return MED_FAULT;
	}
	/* The next one of that key begins anew. */
	g->count = 0;
	g->first = NULL;
	g->last = &g->first;
	if (n->ref && !s) {
		fault_set(fault, FAULT_MEDIATOR, "Couldn't find the referred "
		    "sequence with key : %.*s",
		    STR_FMT(sequence_ref_name(n->ref)));
		return MED_FAULT;
	}
	if (s)
		med_enter_sequence(run, s);
	else
		med_enter(run, n->list);
	return MED_CHILDREN;
}

static enum med_next
aggregate_exec(struct med_run *run, const void *node, struct message *msg,
    struct fault *fault)
{
	const struct aggregate *n = node;
	struct group *g;
	bool done;

	if (find_group(run, n, msg, &g, fault) < 0 ||
	    gather(run, n, g, msg, fault) < 0 ||
	    is_complete(n, g, msg, &done, fault) < 0)
		return MED_FAULT;
	return done ? complete(run, n, g, msg, fault) : MED_STOP;
}

const struct mediator_type mediator_aggregate = {
	.element = "aggregate",
	.origin = "AggregateMediator",
	.body = MED_BODY_WRITE,
	.compile = aggregate_compile,
	.exec = aggregate_exec,
};
