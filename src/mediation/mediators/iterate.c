/* SPDX-License-Identifier: Apache-2.0 */
/* <iterate expression attachPath preservePayload continueParent sequential id>
 * <target/></iterate>: a copy of the message for each element. The copies run
 * one after the other. */
#include "mediation/mediators/split_target.h"
#include "msg/json.h"
#include "msg/jsonpath.h"
#include "msg/xmledit.h"

struct iterate {
	struct expr *expr, *attach;		/* XPath, or: */
	struct jsonpath *path, *attach_path;
	struct split_target target;
	struct split_names names;
	bool preserve, go_on, sequential;
};

struct iterating {
	const struct iterate *node;
	size_t at, count;
	struct cJSON *item;		/* JSON: the next one */
	struct value items;		/* XML */
};

/* ---- compile ----------------------------------------------------------- */

static int
read_path(struct med_compile *c, const struct xml_el *el, const char *attr,
    struct expr **expr, struct jsonpath **path, struct err *err)
{
	struct str text = xml_attr(el, attr);

	if (med_expr(c, el, attr, expr, err) < 0)
		return -1;
	if (!*expr || expr_language(*expr) != EXPR_JSONPATH)
		return 0;
	*path = jsonpath_compile(med_arena(c), str_head(str_from(text, 10),
	    text.n - 11), err);
	return *path ? 0 : xml_error(el, err, "Invalid JSONPath expression "
	    "for attribute '%s' : %.*s", attr, STR_FMT(text));
}

static int
check(const struct xml_el *el, const struct iterate *n, struct err *err)
{
	if (!n->expr)
		return xml_error(el, err, "XPath or JSONPath expression is "
		    "required for an IterateMediator under the \"expression\" "
		    "attribute");
	if (n->attach && !n->preserve)
		return xml_error(el, err, "Wrong configuration for the "
		    "iterate mediator :: if the iterator should not preserve "
		    "payload, then attachPath can not be present");
	if (n->preserve && !n->attach)
		return xml_error(el, err, "<iterate> with preservePayload "
		    "needs the attribute \"attachPath\"");
	if ((n->path == NULL) != (n->attach_path == NULL) && n->attach)
		return xml_error(el, err, "attributes \"expression\" and "
		    "\"attachPath\" must be of one language");
	return 0;
}

static int
iterate_compile(struct med_compile *c, const struct xml_el *el, void **node,
    struct err *err)
{
	struct iterate *n = arena_zalloc(med_arena(c), sizeof(*n));
	const struct xml_el *target = xml_child(el, "target");

	*node = n;
	split_names_make(c, xml_attr(el, "id"), &n->names);
	if (xml_attr_bool(el, "preservePayload", false, &n->preserve,
	    err) < 0 ||
	    xml_attr_bool(el, "continueParent", false, &n->go_on, err) < 0 ||
	    xml_attr_bool(el, "sequential", false, &n->sequential, err) < 0 ||
	    read_path(c, el, "expression", &n->expr, &n->path, err) < 0 ||
	    read_path(c, el, "attachPath", &n->attach, &n->attach_path,
	    err) < 0 || check(el, n, err) < 0)
		return -1;
	if (!target)
		return xml_error(el, err, "Target for an iterate mediator is "
		    "required :: missing target");
	return split_target_read(c, target, &n->target, err);
}

/* ---- one copy ---------------------------------------------------------- */

static int
attach_json(const struct iterate *n, struct message *copy,
    const struct cJSON *item, struct err *err)
{
	struct arena *a = message_arena(copy);
	struct cJSON *root, *now;

	if (message_json(copy, &root, err) < 0)
		return -1;
	now = root;
	if (jsonpath_set(n->attach_path, &now, item, a, err) !=
	    JSONPATH_FOUND)
		return -1;
	message_set_json(copy, now);
	return 0;
}

static int
fill_json(struct iterating *s, struct message *copy, struct err *err)
{
	const struct cJSON *item = s->item;

	s->item = json_next(s->item);
	if (s->node->preserve)
		return attach_json(s->node, copy, item, err);
	message_set_json(copy, json_copy(message_arena(copy), item));
	return 0;
}

static int
attach_xml(const struct iterate *n, struct message *copy,
    const struct value *item, struct err *err)
{
	struct value at, old;

	/* In the copy, the elements themselves make room for one of them. */
	if (expr_value(n->attach, copy, &at, err) < 0 ||
	    expr_value(n->expr, copy, &old, err) < 0)
		return -1;
	xmledit_detach(copy, &old);
	if (xmledit_apply(copy, &at, item, XMLEDIT_CHILD, err) < 0)
		return -1;
	message_envelope_changed(copy);
	return 0;
}

static int
fill_xml(struct iterating *s, struct message *copy, struct err *err)
{
	struct value item = { .type = VALUE_XML };

	item.xml.node = &s->items.xml.node[s->at];
	item.xml.count = 1;
	if (s->node->preserve)
		return attach_xml(s->node, copy, &item, err);
	return xmledit_make_body(copy, &item, err);
}

/* ---- exec -------------------------------------------------------------- */

static med_after_fn after_copy;

static enum med_next
next_copy(struct med_run *run, struct iterating *s, struct message *msg,
    struct fault *fault)
{
	const struct iterate *n = s->node;
	struct message *copy;
	struct err err = { 0 };

	if (s->at == s->count)
		return n->go_on ? MED_NEXT : MED_STOP;
	copy = message_copy(msg);
	if ((n->path ? fill_json(s, copy, &err) : fill_xml(s, copy, &err)) <
	    0) {
		message_free(&copy);
		med_fault_from(fault, &err);
		return MED_FAULT;
	}
	split_mark(copy, &n->names, message_id(msg), s->at, s->count);
	s->at++;
	return split_target_run(run, &n->target, n->sequential
	    ? MED_BRANCH_OPEN : MED_BRANCH_SHIELDED, copy, after_copy, s,
	    fault);
}

static enum med_next
after_copy(struct med_run *run, void *state, enum med_end how,
    struct message *copy UNUSED, struct fault *fault)
{
	struct iterating *s = state;

	if (how == MED_FAULTED && s->node->sequential)
		return MED_FAULT;
	return next_copy(run, s, med_run_message(run), fault);
}

static int
find_json(struct iterating *s, struct message *msg, struct fault *fault)
{
	const struct jsonpath *path = s->node->path;
	struct jsonpath_hits hits;
	struct cJSON *root;
	struct err err = { 0 };

	if (message_json(msg, &root, &err) < 0)
		return med_fault_body(fault, &err);
	if (!root || jsonpath_select(path, root, message_arena(msg), &hits,
	    &err) != JSONPATH_FOUND || hits.count == 0 ||
	    json_type_of(hits.hit[0].node) != JSON_ARRAY)
		return fault_set(fault, FAULT_MEDIATOR, "JSON element "
		    "expressed by the path %.*s is not a valid JSON array",
		    STR_FMT(jsonpath_text(path)));
	s->item = json_first(hits.hit[0].node);
	s->count = json_count(hits.hit[0].node);
	return 0;
}

static int
find_xml(struct iterating *s, struct message *msg, struct fault *fault)
{
	struct err err = { 0 };

	if (expr_value(s->node->expr, msg, &s->items, &err) < 0)
		return med_fault_from(fault, &err);
	s->count = s->items.type == VALUE_XML ? s->items.xml.count : 0;
	return 0;
}

static enum med_next
iterate_exec(struct med_run *run, const void *node, struct message *msg,
    struct fault *fault)
{
	struct iterating *s = arena_zalloc(message_arena(msg), sizeof(*s));

	s->node = node;
	if ((s->node->path ? find_json(s, msg, fault)
	    : find_xml(s, msg, fault)) < 0)
		return MED_FAULT;
	return next_copy(run, s, msg, fault);
}

const struct mediator_type mediator_iterate = {
	.element = "iterate",
	.origin = "IterateMediator",
	.body = MED_BODY_READ,
	.compile = iterate_compile,
	.exec = iterate_exec,
};
