/* SPDX-License-Identifier: Apache-2.0 */
/* <call><source/>?<target/>?<endpoint/>?</call>: sends, waits for the answer,
 * goes on with it. */
#include "mediation/mediator.h"

enum source { SOURCE_BODY, SOURCE_CUSTOM, SOURCE_PROPERTY, SOURCE_INLINE };
enum target { TARGET_BODY, TARGET_PROPERTY, TARGET_VARIABLE };

struct call {
	struct endpoint_ref *ep;
	enum source source;
	enum target target;
	struct expr *expr;	/* SOURCE_CUSTOM */
	struct str text;	/* SOURCE_PROPERTY: name; SOURCE_INLINE: body */
	struct str type;	/* content type of what is sent; p NULL: any */
	struct str name;	/* of the target */
};

/* The body that comes back when the answer goes elsewhere. */
struct saved {
	const struct call *call;
	struct str bytes, type;
	enum msg_frame frame;
};

/* ---- compile ----------------------------------------------------------- */

static int
read_source(struct med_compile *c, const struct xml_el *el, struct call *n,
    struct err *err)
{
	struct str type = xml_attr(el, "type"), text = str_trim(xml_text(el));

	n->type = xml_attr(el, "contentType");
	if (str_is(type, "body"))
		return 0;
	if (str_is(type, "property")) {
		n->source = SOURCE_PROPERTY;
		n->text = text;
	} else if (str_is(type, "inline")) {
		n->source = SOURCE_INLINE;
		n->text = xml_inner_markup(el, med_arena(c));
		if (!n->text.p)
			n->text = text;
	} else if (str_is(type, "custom")) {
		n->source = SOURCE_CUSTOM;
		n->expr = med_expr_text(c, el, "<source>", text, err);
		return n->expr ? 0 : -1;
	} else {
		return xml_error(el, err, "Unexpected source type (attribute "
		    "\"type\" must be custom, property, inline or body)");
	}
	if (n->text.n)
		return 0;
	return xml_error(el, err, "<source> is empty");
}

static int
read_target(const struct xml_el *el, struct call *n, struct err *err)
{
	struct str type = xml_attr(el, "type");

	n->name = str_trim(xml_text(el));
	if (str_is(type, "body"))
		return 0;
	if (str_is(type, "property"))
		n->target = TARGET_PROPERTY;
	else if (str_is(type, "variable"))
		n->target = TARGET_VARIABLE;
	else
		return xml_error(el, err, "Unexpected target type (attribute "
		    "\"type\" must be body, property or variable)");
	if (n->name.n)
		return 0;
	return xml_error(el, err, "<target> needs a name as its text");
}

static int
call_compile(struct med_compile *c, const struct xml_el *el, void **node,
    struct err *err)
{
	static const char *const no_effect[] = { "blocking",
		"initAxis2ClientOptions", "axis2xml", "repository" };
	struct call *n = arena_zalloc(med_arena(c), sizeof(*n));
	const struct xml_el *ep = xml_child(el, "endpoint");
	const struct xml_el *source = xml_child(el, "source");
	const struct xml_el *target = xml_child(el, "target");

	*node = n;
	for (size_t i = 0; i < ARRAY_LEN(no_effect); i++)
		(void)xml_attr(el, no_effect[i]);
	if (source && read_source(c, source, n, err) < 0)
		return -1;
	if (target && read_target(target, n, err) < 0)
		return -1;
	return ep ? med_endpoint(c, ep, &n->ep, err) : 0;
}

/* ---- exec -------------------------------------------------------------- */

static int
set_source(const struct call *n, struct message *msg, struct fault *fault)
{
	struct str text = n->text;

	if (n->source == SOURCE_BODY)
		return 0;
	if (n->source == SOURCE_CUSTOM &&
	    med_expr_string(n->expr, msg, &text, fault) < 0)
		return -1;
	if (n->source == SOURCE_PROPERTY)
		text = message_prop_text(msg, SCOPE_DEFAULT, n->text);
	message_set_body(msg, text.p ? text : STR(""),
	    n->type.p ? n->type : STR("application/json"), MSG_TEXT);
	return 0;
}

static struct saved *
save(const struct call *n, struct message *msg, struct fault *fault)
{
	struct arena *a = message_arena(msg);
	struct saved *s = arena_zalloc(a, sizeof(*s));
	struct msg_output o;
	struct err err = { 0 };

	s->call = n;
	if (message_format(msg, &o, &err) < 0) {
		med_fault_body(fault, &err);
		return NULL;
	}
	s->bytes = arena_str(a, o.none ? STR("") : o.bytes);
	s->type = arena_str(a, o.type);
	s->frame = o.frame;
	return s;
}

/* The answer is there: keep it where the target says, and bring back the body
 * that was. */
static enum med_next
after_call(struct med_run *run UNUSED, void *state, enum med_end how,
    struct message *msg, struct fault *fault)
{
	const struct saved *s = state;
	struct arena *a = message_arena(msg);
	struct msg_output o;
	struct err err = { 0 };
	struct value v;

	/* Dropped while it waited: there is no answer. */
	if (how == MED_STOPPED)
		return MED_STOP;
	if (message_format(msg, &o, &err) < 0) {
		med_fault_body(fault, &err);
		return MED_FAULT;
	}
	v = VALUE_OF_STR(arena_str(a, o.none ? STR("") : o.bytes));
	if (content_kind_of(o.type) == CONTENT_JSON &&
	    value_convert(v.s, STR("JSON"), VALUE_FROM_EXPRESSION, a, &v,
	    &err) < 0)
		v = VALUE_OF_STR(v.s);
	if (s->call->target == TARGET_PROPERTY)
		message_set_prop(msg, SCOPE_DEFAULT, s->call->name, v);
	else
		message_set_var(msg, s->call->name, v);
	message_set_body(msg, s->bytes, s->type, s->frame);
	return MED_NEXT;
}

static enum med_next
call_exec(struct med_run *run, const void *node, struct message *msg,
    struct fault *fault)
{
	const struct call *n = node;
	struct saved *s = NULL;
	enum med_next next;

	if (n->target != TARGET_BODY && !(s = save(n, msg, fault)))
		return MED_FAULT;
	if (set_source(n, msg, fault) < 0)
		return MED_FAULT;
	/* Before sending, which may enter branches of its own. */
	if (s)
		med_enter_then(run, NULL, after_call, s);
	next = med_send_to(run, MED_CALL, n->ep, msg, fault);
	return s && next == MED_NEXT ? MED_CHILDREN : next;
}

const struct mediator_type mediator_call = {
	.element = "call",
	.origin = "CallMediator",
	.body = MED_BODY_WRITE,
	.compile = call_compile,
	.exec = call_exec,
};
