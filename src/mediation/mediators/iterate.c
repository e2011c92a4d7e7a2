/* SPDX-License-Identifier: Apache-2.0 */
/*
 * <iterate id expression attachPath preservePayload continueParent sequential>
 * <target/></iterate>: a message for each element, one after the other. What
 * is sequential hands its faults to the parent; what is not keeps them.
 */
#include "mediation/mediators/target.h"
#include "msg/json.h"
#include "msg/jsonpath.h"
#include "msg/split.h"

struct iterate {
	struct str id;			/* p NULL: none */
	struct expr *expr;
	struct str path;		/* of a JSON expression, as MI says it */
	bool json, preserve, proceed, sequential;
	struct expr *attach;		/* XML; NULL: "." */
	struct jsonpath *from, *to;	/* JSON and preserve */
	struct target target;
};

/* One message that is taken apart; lives in its arena. */
struct iteration {
	const struct iterate *node;
	size_t at, count;
	const struct cJSON *next;	/* JSON */
	struct cJSON *rest;		/* JSON and preserve */
	struct split split;		/* XML: copies */
	struct message *shell;		/* XML: what is around them */
};

/* ---- compile ----------------------------------------------------------- */

/* The path inside json-eval( ), or the text as it is. */
static struct str
path_of(const struct expr *e)
{
	struct str text = expr_text(e);

	if (!str_starts(text, "json-eval("))
		return text;
	return str_head(str_from(text, 10), text.n - 11);
}

static int
read_expression(struct med_compile *c, const struct xml_el *el,
    struct iterate *n, struct err *err)
{
	if (med_expr(c, el, "expression", &n->expr, err) < 0)
		return -1;
	if (!n->expr)
		return xml_error(el, err, "XPATH expression is required for "
		    "an IterateMediator under the \"expression\" attribute");
	n->json = expr_language(n->expr) != EXPR_XPATH;
	n->path = path_of(n->expr);
	return 0;
}

static struct jsonpath *
compile_path(struct med_compile *c, const struct xml_el *el, struct str text,
    struct err *err)
{
	struct err inner = { 0 };
	struct jsonpath *p = jsonpath_compile(med_arena(c), text, &inner);

	if (!p)
		xml_error(el, err, "preservePayload needs a plain JSONPath, "
		    "not %.*s (%s)", STR_FMT(text), inner.text);
	return p;
}

static int
read_attach(struct med_compile *c, const struct xml_el *el,
    struct iterate *n, struct err *err)
{
	struct expr *attach;

	if (med_expr(c, el, "attachPath", &attach, err) < 0)
		return -1;
	if (attach && !n->preserve)
		return xml_error(el, err, "Wrong configuration for the "
		    "iterate mediator :: if the iterator should not preserve "
		    "payload, then attachPath can not be present");
	if (attach && expr_language(attach) != expr_language(n->expr))
		return xml_error(el, err, "Wrong configuraton for the iterate "
		    "mediator :: both expression and attachPath should be "
		    "either jsonpath or xpath");
	if (!n->preserve)
		return 0;
	if (!n->json) {
		n->attach = attach ? attach : med_expr_text(c, el,
		    "attachPath", STR("."), err);
		return n->attach ? 0 : -1;
	}
	n->from = compile_path(c, el, n->path, err);
	if (!n->from)
		return -1;
	n->to = compile_path(c, el, attach ? path_of(attach) : STR("$"), err);
	return n->to ? 0 : -1;
}

static int
iterate_compile(struct med_compile *c, const struct xml_el *el, void **node,
    struct err *err)
{
	struct iterate *n = arena_zalloc(med_arena(c), sizeof(*n));
	const struct xml_el *target = xml_child(el, "target");

	*node = n;
	n->id = xml_attr(el, "id");
	if (xml_attr_bool(el, "preservePayload", false, &n->preserve, err) < 0 ||
	    xml_attr_bool(el, "continueParent", false, &n->proceed, err) < 0 ||
	    xml_attr_bool(el, "sequential", false, &n->sequential, err) < 0 ||
	    read_expression(c, el, n, err) < 0 ||
	    read_attach(c, el, n, err) < 0)
		return -1;
	if (!target)
		return xml_error(el, err, "Target for an iterate mediator is "
		    "required :: missing target");
	return target_read(c, target, &n->target, err);
}

/* ---- taking apart ------------------------------------------------------ */

static int
no_array(const struct iterate *n, struct fault *fault)
{
	return fault_set(fault, FAULT_MEDIATOR, "JSON element expressed by "
	    "the path %.*s is not a valid JSON array that can be iterated",
	    STR_FMT(n->path));
}

/* The document without what is taken apart. */
static int
make_rest(struct iteration *it, struct message *msg, struct fault *fault)
{
	struct arena *a = message_arena(msg);
	struct err err = { 0 };
	struct cJSON *root;

	if (jsonpath_is_root(it->node->to))
		return 0;
	if (message_json(msg, &root, &err) < 0)
		return med_fault_from(fault, &err);
	it->rest = json_copy(a, root);
	if (jsonpath_set(it->node->from, &it->rest, json_new_array(a), a,
	    &err) == JSONPATH_FOUND)
		return 0;
	return med_fault_from(fault, &err);
}

static int
split_json(struct iteration *it, struct message *msg, struct fault *fault)
{
	const struct iterate *n = it->node;
	struct err err = { 0 };
	struct value v;

	if (expr_value(n->expr, msg, &v, &err) < 0)
		return med_fault_from(fault, &err);
	if (v.type != VALUE_JSON)
		return no_array(n, fault);
	if (json_type_of(v.json) == JSON_ARRAY) {
		it->next = json_first(v.json);
		it->count = json_count(v.json);
	} else if (str_is(n->path, "$")) {
		it->next = v.json;
		it->count = 1;
	} else {
		return no_array(n, fault);
	}
	return n->preserve && it->count ? make_rest(it, msg, fault) : 0;
}

static void
free_shell(void *m)
{
	struct message *shell = m;

	message_free(&shell);
}

static int
split_xml(struct iteration *it, struct message *msg, struct fault *fault)
{
	const struct iterate *n = it->node;
	struct str text = expr_text(n->expr);
	struct err err = { 0 };

	it->shell = message_copy(msg);
	arena_on_reset(message_arena(msg), free_shell, it->shell);
	if (split_find(it->shell, n->expr, &it->split, &err) < 0) {
		if (err.kind == ERR_SYNTAX)
			return med_fault_from(fault, &err);
		return fault_set(fault, FAULT_MEDIATOR, "Error splitting "
		    "message with XPath : %.*s - %s", STR_FMT(text), err.text);
	}
	it->count = it->split.count;
	if (!it->count)
		return 0;
	split_take(it->shell, &it->split);
	if (!n->preserve && split_clear_body(it->shell, &err) < 0)
		return med_fault_from(fault, &err);
	return 0;
}

/* ---- putting together -------------------------------------------------- */

static int
attach_json(struct iteration *it, struct message *m, struct err *err)
{
	struct arena *a = message_arena(m);
	struct cJSON *root;
	struct str path;

	if (!it->rest) {
		message_set_json_text(m, json_text(it->next, a));
		return 0;
	}
	root = json_copy(a, it->rest);
	if (jsonpath_set(it->node->to, &root, it->next, a, err) ==
	    JSONPATH_FOUND) {
		message_set_json(m, root);
		return 0;
	}
	path = jsonpath_text(it->node->to);
	return err_set(err, ERR_VALUE, "Error in attaching the splitted "
	    "elements :: Unable to get the attach path specified by the "
	    "expression %.*s", STR_FMT(path));
}

static int
attach_xml(struct iteration *it, struct message *m, struct err *err)
{
	const struct _xmlNode *element = it->split.node[it->at];

	if (it->node->attach)
		return split_attach(m, it->node->attach, element, err);
	return split_set_body(m, element, err);
}

/* The message for the next element; NULL after a fault. */
static struct message *
make_message(struct iteration *it, struct message *msg, struct fault *fault)
{
	struct message *m = it->shell ? message_copy(it->shell) :
	    message_fork(msg);
	struct err err = { 0 };
	int result = it->shell ? attach_xml(it, m, &err) :
	    attach_json(it, m, &err);

	if (result < 0) {
		message_free(&m);
		med_fault_from(fault, &err);
		return NULL;
	}
	target_mark(m, msg, it->node->id, it->at, it->count);
	return m;
}

/* ---- the loop ---------------------------------------------------------- */

static enum med_next after_branch(struct med_run *, void *, enum med_end,
    struct message *, struct fault *);

static enum med_next
next_branch(struct med_run *run, struct iteration *it, struct message *msg,
    struct fault *fault)
{
	const struct iterate *n = it->node;
	struct message *m;

	if (it->at == it->count)
		return n->proceed ? MED_NEXT : MED_STOP;
	m = make_message(it, msg, fault);
	if (!m)
		return MED_FAULT;
	it->at++;
	if (it->next)
		it->next = json_next(it->next);
	return target_enter(run, &n->target, n->sequential ? MED_BRANCH_OPEN :
	    MED_BRANCH_SHIELDED, m, after_branch, it, fault);
}

static enum med_next
after_branch(struct med_run *run, void *state, enum med_end how,
    struct message *branch, struct fault *fault)
{
	struct iteration *it = state;
	struct message *msg = med_run_message(run);

	target_share(msg, branch);
	if (how == MED_FAULTED && it->node->sequential) {
		target_take_props(msg, branch);
		return MED_FAULT;
	}
	return next_branch(run, it, msg, fault);
}

static enum med_next
iterate_exec(struct med_run *run, const void *node, struct message *msg,
    struct fault *fault)
{
	const struct iterate *n = node;
	struct iteration *it = arena_zalloc(message_arena(msg), sizeof(*it));
	int result;

	it->node = n;
	result = n->json ? split_json(it, msg, fault) :
	    split_xml(it, msg, fault);
	return result < 0 ? MED_FAULT : next_branch(run, it, msg, fault);
}

const struct mediator_type mediator_iterate = {
	.element = "iterate",
	.origin = "IterateMediator",
	.body = MED_BODY_WRITE,
	.compile = iterate_compile,
	.exec = iterate_exec,
};
