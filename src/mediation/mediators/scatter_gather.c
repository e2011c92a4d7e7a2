/* SPDX-License-Identifier: Apache-2.0 */
/*
 * <scatter-gather parallel-execution target target-variable
 * result-content-type result-enclosing-element><aggregation expression
 * condition timeout min-messages max-messages/><sequence/>+</scatter-gather>:
 * each sequence gets a copy of the message, one after the other; what the
 * expression finds in them at their ends becomes the body or a variable.
 */
#include "mediation/mediators/target.h"
#include "msg/json.h"
#include "msg/split.h"

struct scatter {
	struct target *target;
	size_t count;
	struct expr *expr, *condition;	/* condition NULL: all */
	int64_t timeout_ms;		/* 0: none */
	struct med_value *min, *max;
	struct str variable;		/* n 0: the body */
	struct str root;		/* n > 0: the result is XML */
};

/* One message; lives in its arena. */
struct scattering {
	const struct scatter *node;
	size_t at, gathered, min, max;
	int64_t until;			/* 0: no end */
	bool complete;
	struct cJSON *json;
	struct _xmlNode *xml;
};

/* ---- compile ----------------------------------------------------------- */

#define NEEDED_ATTR(what) "The '" what "' attribute is required for the " \
	"configuration of a Scatter Gather mediator"

static int
read_type(const struct xml_el *el, struct scatter *n, struct err *err)
{
	struct str type = str_trim(xml_attr(el, "result-content-type"));

	n->root = str_trim(xml_attr(el, "result-enclosing-element"));
	if (!type.n)
		return xml_error(el, err, NEEDED_ATTR("result-content-type"));
	if (str_is(type, "JSON")) {
		n->root = STR_NULL;
		return 0;
	}
	if (!str_is(type, "XML"))
		return xml_error(el, err, "The 'result-content-type' "
		    "attribute should be either 'JSON' or 'XML'");
	return n->root.n ? 0 : xml_error(el, err, NEEDED_ATTR(
	    "result-enclosing-element") " when the 'result-content-type' is "
	    "'XML'");
}

static int
read_result(const struct xml_el *el, struct scatter *n, struct err *err)
{
	struct str target = str_trim(xml_attr(el, "target"));
	struct str name = str_trim(xml_attr(el, "target-variable"));

	if (!target.n)
		return xml_error(el, err, NEEDED_ATTR("target"));
	if (str_iis(target, "body"))
		return 0;
	if (!str_iis(target, "variable"))
		return xml_error(el, err, "The 'target' attribute should be "
		    "either 'body' or 'variable'");
	n->variable = name;
	return name.n ? 0 : xml_error(el, err, NEEDED_ATTR("target-variable")
	    " when the 'target' is 'variable'");
}

static int
read_aggregation(struct med_compile *c, const struct xml_el *el,
    struct scatter *n, struct err *err)
{
	const struct xml_el *how = xml_child(el, "aggregation");

	if (!how)
		return xml_error(el, err, "The 'aggregation' element is "
		    "required for the configuration of a Scatter Gather "
		    "mediator");
	if (med_expr(c, how, "expression", &n->expr, err) < 0 ||
	    med_expr(c, how, "condition", &n->condition, err) < 0 ||
	    xml_attr_int(how, "timeout", 0, &n->timeout_ms, err) < 0 ||
	    med_value(c, how, "min-messages", &n->min, err) < 0 ||
	    med_value(c, how, "max-messages", &n->max, err) < 0)
		return -1;
	return n->expr ? 0 : xml_error(how, err, NEEDED_ATTR("expression"));
}

static int
read_sequences(struct med_compile *c, const struct xml_el *el,
    struct scatter *n, struct err *err)
{
	size_t count = 0;

	for (const struct xml_el *k = xml_child(el, "sequence"); k;
	    k = xml_next(k))
		count++;
	if (!count)
		return xml_error(el, err, "A 'sequence' element is required "
		    "for the configuration of a Scatter Gather mediator");
	n->target = arena_zalloc(med_arena(c), count * sizeof(*n->target));
	for (const struct xml_el *k = xml_child(el, "sequence"); k;
	    k = xml_next(k))
		n->target[n->count++].sequence = med_sequence(c, k, STR(""));
	return 0;
}

static int
scatter_compile(struct med_compile *c, const struct xml_el *el, void **node,
    struct err *err)
{
	struct scatter *n = arena_zalloc(med_arena(c), sizeof(*n));
	bool parallel;

	*node = n;
	if (xml_attr_bool(el, "parallel-execution", true, &parallel, err) < 0 ||
	    read_type(el, n, err) < 0 || read_result(el, n, err) < 0 ||
	    read_sequences(c, el, n, err) < 0)
		return -1;
	return read_aggregation(c, el, n, err);
}

/* ---- gathering --------------------------------------------------------- */

static int
add_json(struct scattering *s, struct message *msg, struct message *branch,
    struct fault *fault)
{
	const struct scatter *n = s->node;
	struct arena *a = message_arena(msg);
	struct str text = expr_text(n->expr);
	struct err err = { 0 };
	struct value v;

	if (expr_value(n->expr, branch, &v, &err) < 0)
		return med_fault_from(fault, &err);
	if (v.type == VALUE_JSON) {
		json_append(s->json, json_copy(a, v.json));
		return 0;
	}
	if (n->variable.n)
		return fault_set(fault, FAULT_MEDIATOR, "Aggregation "
		    "expression %.*s did not return a valid JSON element",
		    STR_FMT(text));
	text = value_text(&v, a);
	json_append(s->json, text.p ? json_new_string(a, text) :
	    json_new_null(a));
	return 0;
}

static int
add_xml(struct scattering *s, struct message *branch, struct fault *fault)
{
	const struct scatter *n = s->node;
	struct str text, what = expr_text(n->expr);
	struct err err = { 0 };
	struct value v;

	if (expr_value(n->expr, branch, &v, &err) < 0)
		return med_fault_from(fault, &err);
	text = value_text(&v, message_arena(branch));
	if (v.type == VALUE_XML && v.xml.count == 1) {
		(void)split_collect(s->xml, v.xml.node[0]);
		return 0;
	}
	if (text.p && split_collect_markup(s->xml, text, &err) == 0)
		return 0;
	return fault_set(fault, FAULT_MEDIATOR, "Error reading XML element: "
	    "%.*s", STR_FMT(what));
}

static bool
is_complete(const struct scattering *s)
{
	return s->gathered >= s->node->count ||
	    (s->min && s->gathered >= s->min) ||
	    (s->max && s->gathered >= s->max);
}

static int
gather(struct scattering *s, struct message *msg, struct message *branch,
    struct fault *fault)
{
	const struct scatter *n = s->node;
	bool wanted = true;

	if (s->complete)
		return 0;
	if (n->condition &&
	    med_expr_truth(n->condition, branch, &wanted, fault) < 0)
		return -1;
	if (!wanted)
		return 0;
	if ((s->xml ? add_xml(s, branch, fault) :
	    add_json(s, msg, branch, fault)) < 0)
		return -1;
	s->gathered++;
	s->complete = is_complete(s);
	/* The flow goes on with what the last one was. */
	if (s->complete && !n->variable.n)
		message_copy_props(msg, branch);
	return 0;
}

/* ---- the result -------------------------------------------------------- */

static void
set_variable(const struct scattering *s, struct message *msg)
{
	struct value v = { .type = VALUE_JSON, .json = s->json };
	struct _xmlNode **root;

	if (s->xml) {
		root = arena_alloc(message_arena(msg), sizeof(struct _xmlNode *));
		*root = s->xml;
		v = (struct value){ .type = VALUE_XML,
			.xml = { .node = root, .count = 1 } };
	}
	message_set_var(msg, s->node->variable, v);
}

static int
set_body(const struct scattering *s, struct message *msg,
    struct fault *fault)
{
	struct value type = VALUE_OF_STR(s->xml ? STR("application/xml") :
	    STR("application/json"));
	struct err err = { 0 };

	if (!s->xml)
		message_set_json(msg, s->json);
	else if (split_set_body(msg, s->xml, &err) < 0)
		return med_fault_from(fault, &err);
	message_set_prop(msg, SCOPE_AXIS2, STR("messageType"), type);
	message_set_prop(msg, SCOPE_TRANSPORT, STR("Content-Type"), type);
	message_del_prop(msg, SCOPE_AXIS2, STR("NO_ENTITY_BODY"));
	return 0;
}

static enum med_next
finish(struct med_run *run, struct scattering *s, struct message *msg,
    struct fault *fault)
{
	if (!s->complete && (!s->node->timeout_ms || !s->gathered)) {
		med_log(run, LOG_L_WARN, arena_printf(message_arena(msg),
		    "%zu of %zu messages gathered, and no more to come; the "
		    "flow ends", s->gathered, s->node->count));
		return MED_STOP;
	}
	if (!s->complete)
		med_log(run, LOG_L_WARN,
		    STR("Scatter Gather mediator timeout occurred."));
	if (s->node->variable.n)
		set_variable(s, msg);
	else if (set_body(s, msg, fault) < 0)
		return MED_FAULT;
	return MED_NEXT;
}

/* ---- the loop ---------------------------------------------------------- */

static med_after_fn after_branch;

static enum med_next
next_branch(struct med_run *run, struct scattering *s, struct message *msg,
    struct fault *fault)
{
	const struct scatter *n = s->node;

	if (s->at == n->count || (s->until && med_now(run) >= s->until))
		return finish(run, s, msg, fault);
	return target_enter(run, &n->target[s->at++], MED_BRANCH_SHIELDED,
	    message_copy(msg), after_branch, s, fault);
}

static enum med_next
after_branch(struct med_run *run, void *state, enum med_end how,
    struct message *branch, struct fault *fault)
{
	struct scattering *s = state;
	struct message *msg = med_run_message(run);

	target_share(msg, branch);
	if (how == MED_ENDED && gather(s, msg, branch, fault) < 0)
		return MED_FAULT;
	return next_branch(run, s, msg, fault);
}

static int
count_of(const struct med_value *v, struct message *msg, size_t *out,
    struct fault *fault)
{
	struct str text;
	int64_t n;

	if (!v)
		return 0;
	if (med_value_string(v, msg, &text, fault) < 0)
		return -1;
	if (!text.p || !str_to_i64(str_trim(text), &n))
		return fault_set(fault, FAULT_MEDIATOR, "\"%.*s\" is no "
		    "number of messages", STR_FMT(text));
	*out = n > 0 ? (size_t)n : 0;
	return 0;
}

static enum med_next
scatter_exec(struct med_run *run, const void *node, struct message *msg,
    struct fault *fault)
{
	const struct scatter *n = node;
	struct arena *a = message_arena(msg);
	struct scattering *s = arena_zalloc(a, sizeof(*s));

	s->node = n;
	if (count_of(n->min, msg, &s->min, fault) < 0 ||
	    count_of(n->max, msg, &s->max, fault) < 0)
		return MED_FAULT;
	if (n->timeout_ms > 0)
		s->until = med_now(run) + n->timeout_ms;
	if (!n->root.n) {
		s->json = json_new_array(a);
	} else if (!(s->xml = split_new_root(a, n->root))) {
		fault_set(fault, FAULT_MEDIATOR, "\"%.*s\" is no name of an "
		    "element", STR_FMT(n->root));
		return MED_FAULT;
	}
	return next_branch(run, s, msg, fault);
}

const struct mediator_type mediator_scatterGather = {
	.element = "scatter-gather",
	.origin = "ScatterGather",
	.body = MED_BODY_WRITE,
	.compile = scatter_compile,
	.exec = scatter_exec,
};
