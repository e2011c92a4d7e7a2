/* SPDX-License-Identifier: Apache-2.0 */
/*
 * <foreach collection parallel-execution counter-variable
 * continue-without-aggregation update-original target-variable
 * result-content-type result-enclosing-element><sequence/></foreach>: a message
 * for each element, one after the other; what their bodies are at the end goes
 * back into the collection, or into a variable.
 */
#include "mediation/mediators/foreach2.h"

#include "mediation/mediators/target.h"
#include "msg/json.h"
#include "msg/jsonpath.h"
#include "msg/split.h"

struct foreach2 {
	struct expr *collection;
	struct target target;
	struct str counter;		/* variable; n 0: none */
	bool alone;			/* results are of no interest */
	struct str variable;		/* for the results; n 0: update */
	struct str root;		/* n > 0: they are XML */
	/* update: where the array is */
	struct str holder;		/* variable; n 0: the body */
	struct jsonpath *path;		/* NULL: only XML can be updated */
};

/* One message; lives in its arena. */
struct loop {
	const struct foreach2 *node;
	size_t at, count, done;
	const struct cJSON *next;	/* JSON */
	struct split split;		/* XML: where they are */
	struct cJSON *results;
	struct _xmlNode *xml_results;
};

/* ---- compile ----------------------------------------------------------- */

static int
read_result(const struct xml_el *el, struct foreach2 *n, struct err *err)
{
	struct str type = str_trim(xml_attr(el, "result-content-type"));

	n->variable = str_trim(xml_attr(el, "target-variable"));
	n->root = str_trim(xml_attr(el, "result-enclosing-element"));
	if (!type.n || !n->variable.n)
		return xml_error(el, err, "The 'result-content-type' and "
		    "'target-variable' attributes are required when the "
		    "'update-original' attribute is 'false'");
	if (str_is(type, "JSON")) {
		n->root = STR_NULL;
		return 0;
	}
	if (!str_is(type, "XML"))
		return xml_error(el, err, "The 'result-content-type' "
		    "attribute should be either 'JSON' or 'XML'");
	if (!n->root.n)
		return xml_error(el, err, "The 'result-enclosing-element' "
		    "attribute is required for the configuration of a Foreach "
		    "mediator when the 'result-content-type' is 'XML'");
	return 0;
}

static size_t
name_length(struct str s)
{
	size_t n = 0;

	while (n < s.n && s.p[n] != '.' && s.p[n] != '[')
		n++;
	return n;
}

/* payload.a.b or vars.x.a.b, as a path to be written to. */
static int
read_place(struct med_compile *c, const struct xml_el *el, struct foreach2 *n,
    struct err *err)
{
	struct str text = expr_text(n->collection), rest;
	struct err inner = { 0 };

	rest = str_trim(str_head(str_from(text, 2), text.n - 3));
	if (str_starts(rest, "xpath("))
		return 0;
	if (str_starts(rest, "vars.")) {
		rest = str_from(rest, 5);
		n->holder = str_head(rest, name_length(rest));
		rest = str_from(rest, n->holder.n);
	} else if (str_starts(rest, "payload")) {
		rest = str_from(rest, 7);
	} else if (str_starts(rest, "$")) {
		rest = str_from(rest, 1);
	} else {
		return xml_error(el, err, "the collection %.*s is no path "
		    "into payload or vars that can be updated",
		    STR_FMT(text));
	}
	n->path = jsonpath_compile(med_arena(c), arena_printf(med_arena(c),
	    "$%.*s", STR_FMT(rest)), &inner);
	return n->path ? 0 : xml_error(el, err, "the collection %.*s is no "
	    "path that can be updated (%s)", STR_FMT(text), inner.text);
}

static int
read_collection(struct med_compile *c, const struct xml_el *el,
    struct foreach2 *n, struct err *err)
{
	if (med_expr(c, el, "collection", &n->collection, err) < 0)
		return -1;
	if (expr_language(n->collection) != EXPR_SYNAPSE)
		return xml_error(el, err, "attribute \"collection\" must be "
		    "a ${...} expression");
	if (n->alone || n->variable.n)
		return 0;
	return read_place(c, el, n, err);
}

static int
read_flags(const struct xml_el *el, struct foreach2 *n, struct err *err)
{
	bool parallel, update;

	n->counter = str_trim(xml_attr(el, "counter-variable"));
	if (xml_attr_bool(el, "parallel-execution", true, &parallel, err) < 0 ||
	    xml_attr_bool(el, "continue-without-aggregation", false,
	    &n->alone, err) < 0 ||
	    xml_attr_bool(el, "update-original", true, &update, err) < 0)
		return -1;
	if (parallel && n->counter.n)
		return xml_error(el, err, "The 'counter-variable' attribute "
		    "is not allowed when parallel-execution is true");
	return update || n->alone ? 0 : read_result(el, n, err);
}

int
foreach2_compile(struct med_compile *c, const struct xml_el *el,
    const struct foreach2 **out, struct err *err)
{
	struct foreach2 *n = arena_zalloc(med_arena(c), sizeof(*n));
	const struct xml_el *sequence = xml_child(el, "sequence");

	*out = n;
	(void)xml_attr(el, "id");
	if (read_flags(el, n, err) < 0 || read_collection(c, el, n, err) < 0)
		return -1;
	if (!sequence)
		return xml_error(el, err, "A 'sequence' element is required "
		    "for the configuration of a Foreach mediator");
	n->target.sequence = med_sequence(c, sequence, STR(""));
	return 0;
}

/* ---- results ----------------------------------------------------------- */

static void
keep_json(struct loop *l, struct arena *a, struct message *branch)
{
	struct cJSON *root;

	json_append(l->results, message_json(branch, &root, NULL) == 0 ?
	    json_copy(a, root) : json_new_null(a));
}

static int
keep_xml(struct loop *l, struct message *branch, struct fault *fault)
{
	struct _xmlNode *first;
	struct err err = { 0 };

	if (message_soap_body(branch, NULL, &first, &err) < 0)
		return med_fault_body(fault, &err);
	if (first)
		(void)split_collect(l->xml_results, first);
	return 0;
}

static int
keep_result(struct loop *l, struct message *msg, struct message *branch,
    struct fault *fault)
{
	l->done++;
	if (l->xml_results)
		return keep_xml(l, branch, fault);
	if (l->results)
		keep_json(l, message_arena(msg), branch);
	return 0;
}

/* The array that the path leads to becomes the results. */
static int
update_json(const struct loop *l, struct message *msg, struct fault *fault)
{
	const struct foreach2 *n = l->node;
	struct arena *a = message_arena(msg);
	struct err err = { 0 };
	struct cJSON *root;
	struct value v;

	if (n->holder.n) {
		if (!message_var(msg, n->holder, &v) || v.type != VALUE_JSON)
			return fault_set(fault, FAULT_MEDIATOR, "variable "
			    "%.*s is no JSON any more", STR_FMT(n->holder));
		root = json_copy(a, v.json);
	} else if (message_json(msg, &root, &err) < 0) {
		return med_fault_body(fault, &err);
	}
	if (jsonpath_set(n->path, &root, l->results, a, &err) !=
	    JSONPATH_FOUND)
		return med_fault_from(fault, &err);
	if (n->holder.n)
		message_set_var(msg, n->holder, (struct value){
			.type = VALUE_JSON, .json = root });
	else
		message_set_json(msg, root);
	return 0;
}

static void
set_variable(const struct loop *l, struct message *msg)
{
	struct value v = { .type = VALUE_JSON, .json = l->results };
	struct _xmlNode **root;

	if (l->xml_results) {
		root = arena_alloc(message_arena(msg), sizeof(struct _xmlNode *));
		*root = l->xml_results;
		v = (struct value){ .type = VALUE_XML,
			.xml = { .node = root, .count = 1 } };
	}
	message_set_var(msg, l->node->variable, v);
}

static enum med_next
finish(const struct loop *l, struct message *msg, struct fault *fault)
{
	const struct foreach2 *n = l->node;

	if (n->alone)
		return MED_NEXT;
	/* An element that ended early leaves the whole incomplete. */
	if (l->done < l->count)
		return MED_STOP;
	if (n->variable.n)
		set_variable(l, msg);
	else if (l->xml_results)
		split_replace(msg, &l->split, l->xml_results);
	else if (update_json(l, msg, fault) < 0)
		return MED_FAULT;
	return MED_NEXT;
}

/* ---- the loop ---------------------------------------------------------- */

static med_after_fn after_branch;

static enum med_next
next_branch(struct med_run *run, struct loop *l, struct message *msg,
    struct fault *fault)
{
	const struct foreach2 *n = l->node;
	struct err err = { 0 };
	struct message *m;

	if (l->at == l->count)
		return finish(l, msg, fault);
	m = message_fork(msg);
	if (l->next) {
		message_set_json_text(m, json_text(l->next,
		    message_arena(m)));
		l->next = json_next(l->next);
	} else if (split_set_body(m, l->split.node[l->at], &err) < 0) {
		message_free(&m);
		med_fault_from(fault, &err);
		return MED_FAULT;
	}
	if (n->counter.n)
		message_set_var(m, n->counter,
		    VALUE_OF_INT((int64_t)l->at));
	l->at++;
	return target_enter(run, &n->target, MED_BRANCH_SHIELDED, m,
	    after_branch, l, fault);
}

static enum med_next
after_branch(struct med_run *run, void *state, enum med_end how,
    struct message *branch, struct fault *fault)
{
	struct loop *l = state;
	struct message *msg = med_run_message(run);

	target_share(msg, branch);
	if (how == MED_ENDED && keep_result(l, msg, branch, fault) < 0)
		return MED_FAULT;
	return next_branch(run, l, msg, fault);
}

static int
find_elements(struct loop *l, struct message *msg, struct fault *fault)
{
	const struct foreach2 *n = l->node;
	struct str text = expr_text(n->collection);
	struct err err = { 0 };
	struct value v;

	if (expr_value(n->collection, msg, &v, &err) < 0)
		return med_fault_from(fault, &err);
	if (v.type == VALUE_JSON && json_type_of(v.json) == JSON_ARRAY &&
	    (n->path || n->alone || n->variable.n)) {
		l->next = json_first(v.json);
		l->count = json_count(v.json);
		return 0;
	}
	if (v.type != VALUE_XML)
		return fault_set(fault, FAULT_MEDIATOR, "Expression %.*s did "
		    "not resolve to a valid array", STR_FMT(text));
	if (split_of(&v, &l->split, &err) < 0)
		return med_fault_from(fault, &err);
	l->count = l->split.count;
	return 0;
}

static int
make_room(struct loop *l, struct message *msg, struct fault *fault)
{
	const struct foreach2 *n = l->node;
	struct arena *a = message_arena(msg);
	bool xml = n->variable.n ? n->root.n > 0 : l->next == NULL;

	if (n->alone)
		return 0;
	if (!xml) {
		l->results = json_new_array(a);
		return 0;
	}
	l->xml_results = split_new_root(a, n->root.n ? n->root : STR("all"));
	return l->xml_results ? 0 : fault_set(fault, FAULT_MEDIATOR,
	    "\"%.*s\" is no name of an element", STR_FMT(n->root));
}

enum med_next
foreach2_exec(struct med_run *run, const struct foreach2 *n,
    struct message *msg, struct fault *fault)
{
	struct loop *l = arena_zalloc(message_arena(msg), sizeof(*l));
	struct str text = expr_text(n->collection);

	l->node = n;
	if (find_elements(l, msg, fault) < 0)
		return MED_FAULT;
	if (l->count == 0) {
		med_log(run, LOG_L_INFO, arena_printf(message_arena(msg),
		    "No elements found for the expression : %.*s",
		    STR_FMT(text)));
		return MED_NEXT;
	}
	if (make_room(l, msg, fault) < 0)
		return MED_FAULT;
	return next_branch(run, l, msg, fault);
}
