/* SPDX-License-Identifier: Apache-2.0 */
/* <property name scope type value|expression|child action pattern group/> and
 * <propertyGroup>. */
#include "mediation/mediator.h"
#include "msg/regex.h"
#include "msg/sysprop.h"

struct property {
	struct med_value *name_value;	/* name="{expr}"; NULL: name */
	struct str name;
	enum msg_scope scope;
	bool remove;
	struct value constant;		/* when expr is NULL */
	struct expr *expr;
	struct str type;		/* p NULL: as it is */
	struct regex *pattern;
	unsigned group;
	struct str markup;		/* of a child element */
};

/* ---- compile ----------------------------------------------------------- */

static int
bad_type(const struct xml_el *el, struct str type, struct err *err)
{
	return xml_error(el, err, "Unknown type : %.*s for the property "
	    "mediator or the property value cannot be converted into the "
	    "specified type.", STR_FMT(type));
}

static int
read_pattern(struct med_compile *c, const struct xml_el *el,
    struct property *p, struct err *err)
{
	struct str pattern = xml_attr(el, "pattern");
	struct str group = xml_attr(el, "group");
	int64_t n = 0;

	if (group.p && !pattern.p)
		return xml_error(el, err, "'group' is only allowed together "
		    "with 'pattern'");
	if (group.p && (!str_to_i64(group, &n) || n < 0 || n > 10000))
		return xml_error(el, err, "attribute \"group\" must be a "
		    "whole number, not \"%.*s\"", STR_FMT(group));
	p->group = (unsigned)n;
	if (!pattern.p)
		return 0;
	p->pattern = regex_compile(med_arena(c), pattern, err);
	if (p->pattern)
		return 0;
	return xml_error(el, err, "attribute \"pattern\": %s", err->text);
}

static int
read_constant(struct med_compile *c, const struct xml_el *el,
    struct property *p, struct str text, struct err *err)
{
	struct arena *a = med_arena(c);
	struct err inner;

	if (p->pattern) {
		if (regex_group(p->pattern, text, p->group, &text, err) < 0)
			return xml_error(el, err, "attribute \"pattern\": %s",
			    err->text);
		if (!text.p)
			text = STR("");
		text = arena_str(a, text);
	}
	p->constant = VALUE_OF_STR(text);
	if (!p->type.p)
		return 0;
	if (value_convert(text, p->type, VALUE_FROM_CONSTANT, a, &p->constant,
	    &inner) < 0)
		return bad_type(el, p->type, err);
	return 0;
}

static int
read_value(struct med_compile *c, const struct xml_el *el,
    struct property *p, struct err *err)
{
	struct str value = xml_attr(el, "value");

	p->type = xml_attr(el, "type");
	if (p->type.p && !value_type_known(p->type))
		return bad_type(el, p->type, err);
	if (str_is(p->type, "STRING"))
		p->type = STR_NULL;
	if (med_expr(c, el, "expression", &p->expr, err) < 0 ||
	    read_pattern(c, el, p, err) < 0)
		return -1;
	if (p->expr)
		return 0;
	if (value.p)
		return read_constant(c, el, p, value, err);
	p->markup = xml_inner_markup(el, med_arena(c));
	if (p->markup.p)
		return 0;
	return xml_error(el, err, "Either a child element or one of 'value', "
	    "'expression' attributes is required for a property mediator "
	    "when action is SET");
}

static int
read_name(struct med_compile *c, const struct xml_el *el, struct property *p,
    struct err *err)
{
	struct str scope = xml_attr(el, "scope");

	p->name = xml_attr(el, "name");
	if (!p->name.n)
		return xml_error(el, err, "The 'name' attribute is required "
		    "for the configuration of a property mediator");
	if (med_value(c, el, "name", &p->name_value, err) < 0)
		return -1;
	if (med_value_is_constant(p->name_value, &p->name))
		p->name_value = NULL;
	p->scope = SCOPE_DEFAULT;
	if (!scope.p || (msg_scope_parse(scope, &p->scope) &&
	    (p->scope < SCOPE_COUNT || p->scope == SCOPE_SYSTEM ||
	    p->scope == SCOPE_REGISTRY)))
		return 0;
	return xml_error(el, err, "Only 'axis2', 'axis2-client', 'transport', "
	    "'operation', 'system', 'registry', 'trace', 'analytics', "
	    "'default' and 'synapse' values are allowed for attribute scope "
	    "for a property mediator, Unsupported scope %.*s",
	    STR_FMT(scope));
}

static int
property_compile(struct med_compile *c, const struct xml_el *el, void **node,
    struct err *err)
{
	struct property *p = arena_zalloc(med_arena(c), sizeof(*p));
	struct str action;

	*node = p;
	if (read_name(c, el, p, err) < 0)
		return -1;
	action = xml_attr(el, "action");
	p->remove = str_is(action, "remove");
	if (action.p && !p->remove && !str_is(action, "set"))
		return xml_error(el, err, "attribute \"action\" must be "
		    "\"set\" or \"remove\", not \"%.*s\"", STR_FMT(action));
	if (str_is(p->name, "websocket.accept.contentType"))
		med_warn_once(c, el, "this name has no effect; probably meant "
		    "websocket.accept.contenType (MI spells it so)");
	if (p->scope == SCOPE_REGISTRY) {
		xml_error(el, err, "not supported: scope registry (workers "
		    "may not write files)");
		err->kind = ERR_UNSUPPORTED;
		return -1;
	}
	if (!p->remove)
		return read_value(c, el, p, err);
	/* Allowed beside action="remove", and without effect. */
	(void)xml_attr(el, "value");
	(void)xml_attr(el, "expression");
	(void)xml_attr(el, "type");
	return 0;
}

/* ---- exec -------------------------------------------------------------- */

static int
run_type(struct fault *fault, struct str type)
{
	return fault_set(fault, FAULT_MEDIATOR, "Unknown type : %.*s for the "
	    "property mediator or the property value cannot be converted "
	    "into the specified type.", STR_FMT(type));
}

static int
apply_pattern(const struct property *p, struct str *text,
    struct fault *fault)
{
	struct err err;
	struct str out;

	if (regex_group(p->pattern, *text, p->group, &out, &err) < 0)
		return med_fault_from(fault, &err);
	*text = out.p ? out : STR("");
	return 0;
}

/* The result of an expression is taken as text, whatever it is. */
static int
evaluate(const struct property *p, struct message *msg, struct value *v,
    struct fault *fault)
{
	struct err err;
	struct str text;

	*v = (struct value){ .type = VALUE_NULL };
	if (med_expr_string(p->expr, msg, &text, fault) < 0)
		return -1;
	if (!text.p)
		return 0;
	if (p->pattern && apply_pattern(p, &text, fault) < 0)
		return -1;
	*v = VALUE_OF_STR(text);
	if (p->type.p && value_convert(text, p->type, VALUE_FROM_EXPRESSION,
	    message_arena(msg), v, &err) < 0)
		return run_type(fault, p->type);
	return 0;
}

/* The child element, parsed anew: a message may change what it holds. */
static int
element_value(const struct property *p, struct message *msg, struct value *v,
    struct fault *fault)
{
	struct err err;

	if (value_convert(p->markup, STR("OM"), VALUE_FROM_CONSTANT,
	    message_arena(msg), v, &err) == 0)
		return 0;
	return med_fault_from(fault, &err);
}

static int
set_system(struct message *msg, struct str name, const struct value *v,
    struct fault *fault)
{
	struct str text = value_text(v, message_arena(msg));
	struct err err;

	if (!text.p || sysprop_set(name, text, &err) == 0)
		return 0;
	return fault_set(fault, FAULT_MEDIATOR, "%s", err.text);
}

static int
set_value(const struct property *p, struct message *msg, struct str name,
    struct fault *fault)
{
	struct value v;

	if (p->markup.p) {
		if (element_value(p, msg, &v, fault) < 0)
			return -1;
	} else if (!p->expr) {
		v = p->constant;
	} else if (evaluate(p, msg, &v, fault) < 0) {
		return -1;
	}
	if (v.type == VALUE_NULL && p->scope == SCOPE_TRANSPORT)
		v = VALUE_OF_STR(STR(""));
	if (p->scope == SCOPE_SYSTEM)
		return set_system(msg, name, &v, fault);
	if (v.type != VALUE_NULL)
		message_set_prop(msg, p->scope, name, v);
	return 0;
}

static enum med_next
property_exec(struct med_run *run UNUSED, const void *node,
    struct message *msg, struct fault *fault)
{
	const struct property *p = node;
	struct str name = p->name;

	if (p->name_value &&
	    med_value_string(p->name_value, msg, &name, fault) < 0)
		return MED_FAULT;
	if (p->remove && p->scope == SCOPE_SYSTEM)
		return MED_NEXT;	/* these cannot be removed */
	if (p->remove)
		message_del_prop(msg, p->scope, name);
	else if (set_value(p, msg, name, fault) < 0)
		return MED_FAULT;
	return MED_NEXT;
}

/* Properties that respond looks at: with one of them it may send a Close. */
static bool
matters_to_respond(struct str name)
{
	return str_starts(name, "websocket.") || str_is(name, "errorCode") ||
	    str_is(name, "ERROR_MESSAGE") ||
	    str_is(name, "source.handshake.present");
}

static enum med_pass
property_pass(const void *node, struct med_shortcut *out)
{
	const struct property *p = node;
	bool text = p->constant.type == VALUE_STRING;

	if (p->expr || p->name_value || p->markup.p || p->remove)
		return PASS_NO;
	if (p->scope == SCOPE_DEFAULT)
		return matters_to_respond(p->name) ? PASS_NO : PASS_ON;
	if (p->scope != SCOPE_AXIS2 || !text)
		return PASS_NO;
	if (str_is(p->name, "websocket.accept.contenType"))
		out->accept_type = p->constant.s;
	else if (str_is(p->name, "websocket.subprotocol"))
		out->subprotocol = p->constant.s;
	else
		return PASS_NO;
	return PASS_ON;
}

const struct mediator_type mediator_property = {
	.element = "property",
	.origin = "PropertyMediator",
	.compile = property_compile,
	.exec = property_exec,
	.pass = property_pass,
};

/* ---- propertyGroup ----------------------------------------------------- */

static int
group_compile(struct med_compile *c, const struct xml_el *el, void **node,
    struct err *err)
{
	struct med_list *list;

	for (const struct xml_el *k = xml_first_child(el); k;
	    k = xml_next_child(k))
		if (!str_is(xml_name(k), "property") &&
		    !str_is(xml_name(k), "description"))
			return xml_error(k, err, "<propertyGroup> takes "
			    "<property> only, not <%.*s>",
			    STR_FMT(xml_name(k)));
	if (med_children(c, el, NULL, &list, err) < 0)
		return -1;
	*node = list;
	return 0;
}

static enum med_next
group_exec(struct med_run *run, const void *node, struct message *msg UNUSED,
    struct fault *fault UNUSED)
{
	med_enter(run, node);
	return MED_CHILDREN;
}

const struct mediator_type mediator_propertyGroup = {
	.element = "propertyGroup",
	.origin = "PropertyGroupMediator",
	.compile = group_compile,
	.exec = group_exec,
};
