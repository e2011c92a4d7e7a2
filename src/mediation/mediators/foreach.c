/* SPDX-License-Identifier: Apache-2.0 */
/* <foreach expression id sequence><sequence/></foreach>: each element becomes
 * the body in turn; what the sequence makes of it takes its place. */
#include "mediation/mediators/foreach2.h"
#include "msg/json.h"
#include "msg/jsonpath.h"
#include "msg/xmledit.h"

struct foreach {
	struct expr *expr;		/* XPath, or: */
	struct jsonpath *path;
	const struct sequence *sequence;	/* or: */
	const struct sequence_ref *ref;
	struct str counter, original;	/* names of properties */
	bool go_on;			/* after a fault */
	const struct foreach2 *second;	/* the other <foreach>, or NULL */
};

/* One loop at work. */
struct loop {
	const struct foreach *node;
	const struct sequence *sequence;
	int64_t count;
	/* JSON */
	struct cJSON *root, *array, *next, *results;
	/* XML */
	struct value items, envelope, parent;
	size_t at;
};

/* ---- compile ----------------------------------------------------------- */

static struct str
prefixed(struct med_compile *c, struct str id, const char *name)
{
	return id.n ? arena_printf(med_arena(c), "%.*s_%s", STR_FMT(id), name)
	    : str_of(name);
}

static int
read_expression(struct med_compile *c, const struct xml_el *el,
    struct foreach *n, struct err *err)
{
	struct str text = xml_attr(el, "expression");

	if (str_blank(text))
		return xml_error(el, err, "XPath/JSONPath expression is "
		    "required for an ForEach Mediator under the "
		    "\"expression\" attribute");
	if (med_expr(c, el, "expression", &n->expr, err) < 0)
		return -1;
	if (expr_language(n->expr) != EXPR_JSONPATH)
		return 0;
	n->path = jsonpath_compile(med_arena(c), str_head(str_from(text, 10),
	    text.n - 11), err);
	return n->path ? 0 : xml_error(el, err, "Invalid JSONPath expression "
	    "for attribute 'expression' : %.*s", STR_FMT(text));
}

static int
read_body(struct med_compile *c, const struct xml_el *el, struct foreach *n,
    struct err *err)
{
	static const char *const forbidden[] = { "call", "send", "callout",
		NULL };
	const struct xml_el *inner = xml_child(el, "sequence");
	struct str name = xml_attr(el, "sequence");

	if (name.n && !inner) {
		n->ref = med_sequence_ref(c, el, name);
		return 0;
	}
	if (!inner || name.n)
		return xml_error(el, err, "A <foreach> needs either the "
		    "attribute \"sequence\" or a <sequence>");
	if (xml_contains(inner, forbidden))
		return xml_error(el, err, "Sequence cannot contain Call, Send "
		    "or CallOut mediators");
	n->sequence = med_sequence(c, inner, STR(""));
	return 0;
}

static int
foreach_compile(struct med_compile *c, const struct xml_el *el, void **node,
    struct err *err)
{
	struct foreach *n = arena_zalloc(med_arena(c), sizeof(*n));
	struct str id = xml_attr(el, "id");

	*node = n;
	if (!str_blank(xml_attr(el, "collection")))
		return foreach2_compile(c, el, &n->second, err);
	if (xml_attr_bool(el, "continueLoopOnFailure", false, &n->go_on,
	    err) < 0)
		return -1;
	n->counter = prefixed(c, id, "FOREACH_COUNTER");
	n->original = prefixed(c, id, "FOREACH_ORIGINAL_MESSAGE");
	if (read_expression(c, el, n, err) < 0)
		return -1;
	return read_body(c, el, n, err);
}

/* ---- turns ------------------------------------------------------------- */

static med_after_fn after_turn;

static enum med_next
begin_turn(struct med_run *run, struct loop *l, struct message *msg)
{
	message_set_prop(msg, SCOPE_DEFAULT, l->node->counter,
	    VALUE_OF_INT(l->count));
	if (l->node->go_on)
		med_enter_branch(run, MED_BRANCH_OPEN, NULL, l->sequence,
		    NULL, after_turn, l);
	else
		med_enter_sequence_then(run, l->sequence, after_turn, l);
	return MED_CHILDREN;
}

static enum med_next
finish(struct loop *l, struct message *msg)
{
	message_set_prop(msg, SCOPE_DEFAULT, l->node->counter,
	    VALUE_OF_INT(l->count));
	return MED_NEXT;
}

/* ---- JSON -------------------------------------------------------------- */

/* The elements are where they were; those done are replaced by results. */
static enum med_next
finish_json(struct loop *l, struct message *msg)
{
	struct cJSON *parent = json_parent(l->array), *item;

	while ((item = l->next)) {
		l->next = json_next(item);
		json_detach(l->array, item);
		json_append(l->results, item);
	}
	if (parent)
		json_replace(parent, l->array, l->results);
	else
		l->root = l->results;
	message_set_json(msg, l->root);
	return finish(l, msg);
}

static enum med_next
next_json(struct med_run *run, struct loop *l, struct message *msg)
{
	struct cJSON *item = l->next;

	if (!item)
		return finish_json(l, msg);
	l->next = json_next(item);
	message_set_json(msg, json_copy(message_arena(msg), item));
	return begin_turn(run, l, msg);
}

static int
take_json(struct loop *l, struct message *msg, struct fault *fault)
{
	struct arena *a = message_arena(msg);
	struct cJSON *result;
	struct err err = { 0 };

	if (message_json(msg, &result, &err) < 0)
		return med_fault_body(fault, &err);
	json_append(l->results, result ? json_copy(a, result)
	    : json_new_null(a));
	return 0;
}

static enum med_next
start_json(struct med_run *run, struct loop *l, struct message *msg,
    struct fault *fault)
{
	struct arena *a = message_arena(msg);
	const struct jsonpath *path = l->node->path;
	struct jsonpath_hits hits;
	struct str text;
	struct err err = { 0 };

	if (message_json(msg, &l->root, &err) < 0 ||
	    message_json_text(msg, &text, &err) < 0) {
		med_fault_body(fault, &err);
		return MED_FAULT;
	}
	if (!l->root || jsonpath_select(path, l->root, a, &hits, &err) !=
	    JSONPATH_FOUND || hits.count == 0 ||
	    json_type_of(hits.hit[0].node) != JSON_ARRAY) {
		fault_set(fault, FAULT_MEDIATOR, "JSON element expressed by "
		    "the path %.*s is not a valid JSON array",
		    STR_FMT(jsonpath_text(path)));
		return MED_FAULT;
	}
	message_set_prop(msg, SCOPE_DEFAULT, l->node->original,
	    VALUE_OF_STR(arena_str(a, text)));
	l->array = hits.hit[0].node;
	l->next = json_first(l->array);
	l->results = json_new_array(a);
	return next_json(run, l, msg);
}

/* ---- XML --------------------------------------------------------------- */

static int
failed(struct fault *fault, const struct err *err)
{
	return med_fault_from(fault, err);
}

static enum med_next
next_xml(struct med_run *run, struct loop *l, struct message *msg,
    struct fault *fault)
{
	struct value item = { .type = VALUE_XML };
	struct err err = { 0 };

	if (l->at < l->items.xml.count) {
		item.xml.node = &l->items.xml.node[l->at++];
		item.xml.count = 1;
		if (xmledit_make_body(msg, &item, &err) == 0)
			return begin_turn(run, l, msg);
	} else if (xmledit_apply_envelope(msg, &l->envelope, &err) == 0) {
		return finish(l, msg);
	}
	failed(fault, &err);
	return MED_FAULT;
}

static int
take_xml(struct loop *l, struct message *msg, struct fault *fault)
{
	struct value result;
	struct err err = { 0 };

	if (xmledit_body(msg, &result, &err) < 0)
		return med_fault_body(fault, &err);
	if (result.type == VALUE_NULL)
		return 0;
	if (xmledit_apply(msg, &l->parent, &result, XMLEDIT_CHILD, &err) < 0)
		return failed(fault, &err);
	return 0;
}

static enum med_next
start_xml(struct med_run *run, struct loop *l, struct message *msg,
    struct fault *fault)
{
	struct value copy;
	struct err err = { 0 };

	if (expr_value(l->node->expr, msg, &l->items, &err) < 0) {
		failed(fault, &err);
		return MED_FAULT;
	}
	if (l->items.type != VALUE_XML || l->items.xml.count == 0)
		return MED_NEXT;
	xmledit_parent(msg, &l->items, &l->parent);
	if (xmledit_envelope(msg, &l->envelope, &err) < 0 ||
	    xmledit_copy(msg, &l->envelope, &copy, &err) < 0) {
		failed(fault, &err);
		return MED_FAULT;
	}
	message_set_prop(msg, SCOPE_DEFAULT, l->node->original, copy);
	xmledit_detach(msg, &l->items);
	return next_xml(run, l, msg, fault);
}

/* The elements that are left go back as they are. */
static enum med_next
stop_xml(struct loop *l, struct message *msg, struct fault *fault)
{
	struct value rest = { .type = VALUE_XML };
	struct err err = { 0 };

	rest.xml.node = &l->items.xml.node[l->at];
	rest.xml.count = l->items.xml.count - l->at;
	if ((rest.xml.count && xmledit_apply(msg, &l->parent, &rest,
	    XMLEDIT_CHILD, &err) < 0) ||
	    xmledit_apply_envelope(msg, &l->envelope, &err) < 0) {
		failed(fault, &err);
		return MED_FAULT;
	}
	return finish(l, msg);
}

/* ---- exec -------------------------------------------------------------- */

/* What comes of an element that failed: nothing in JSON, what is left of it in
 * XML. */
static enum med_next
skip(struct med_run *run, struct loop *l, struct message *msg,
    struct fault *fault)
{
	med_log(run, LOG_L_WARN, arena_printf(message_arena(msg), "Error "
	    "occurred while mediating the sequence for the foreach mediator, "
	    "%s. Continuing with the remaining.", fault->message));
	if (l->node->path)
		return next_json(run, l, msg);
	if (take_xml(l, msg, fault) < 0)
		return MED_FAULT;
	l->count++;
	return next_xml(run, l, msg, fault);
}

static enum med_next
after_turn(struct med_run *run, void *state, enum med_end how,
    struct message *msg, struct fault *fault)
{
	struct loop *l = state;
	bool json = l->node->path != NULL;

	if (how == MED_FAULTED)
		return skip(run, l, msg, fault);
	if ((json ? take_json(l, msg, fault) : take_xml(l, msg, fault)) < 0)
		return MED_FAULT;
	l->count++;
	if (how == MED_STOPPED && !l->node->go_on)
		return json ? finish_json(l, msg) : stop_xml(l, msg, fault);
	return json ? next_json(run, l, msg) : next_xml(run, l, msg, fault);
}

static enum med_next
foreach_exec(struct med_run *run, const void *node, struct message *msg,
    struct fault *fault)
{
	const struct foreach *n = node;
	struct loop *l;

	if (n->second)
		return foreach2_exec(run, n->second, msg, fault);
	l = arena_zalloc(message_arena(msg), sizeof(*l));
	l->node = n;
	l->sequence = n->sequence;
	if (n->ref) {
		l->sequence = sequence_resolve(n->ref);
		if (!l->sequence) {
			fault_set(fault, FAULT_MEDIATOR, "Couldn't find the "
			    "referred sequence with key : %.*s",
			    STR_FMT(sequence_ref_name(n->ref)));
			return MED_FAULT;
		}
	}
	return n->path ? start_json(run, l, msg, fault)
	    : start_xml(run, l, msg, fault);
}

const struct mediator_type mediator_foreach = {
	.element = "foreach",
	.origin = "ForEachMediator",
	.body = MED_BODY_WRITE,
	.compile = foreach_compile,
	.exec = foreach_exec,
};
