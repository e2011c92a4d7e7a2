/* SPDX-License-Identifier: Apache-2.0 */
/* <header name value|expression|child scope action type/>: addressing fields,
 * SOAP header blocks, transport headers. */
#include "mediation/mediator.h"
#include "msg/soap.h"

struct header {
	struct str name;		/* whole, or the local name of a block */
	struct str prefix, uri;		/* of a block; uri p NULL otherwise */
	struct str value;
	struct expr *expr;
	struct str markup;		/* child element, no name */
	bool transport, remove, is_element;
};

static bool
is_addressing(struct str name)
{
	static const char *const names[] = { "To", "From", "Action",
		"FaultTo", "ReplyTo", "RelatesTo" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (str_is(name, names[i]))
			return true;
	return false;
}

static int
read_block_name(const struct xml_el *el, struct header *h, size_t colon,
    struct err *err)
{
	h->prefix = str_head(h->name, colon);
	h->name = str_from(h->name, colon + 1);
	h->uri = xml_lookup_ns(el, h->prefix);
	if (h->uri.p)
		return 0;
	return xml_error(el, err, "Invalid namespace prefix '%.*s' in name "
	    "attribute", STR_FMT(h->prefix));
}

static int
read_name(const struct xml_el *el, struct header *h, struct err *err)
{
	size_t colon = str_find(h->name, ':');

	if (h->transport || is_addressing(h->name))
		return 0;
	if (colon < h->name.n)
		return read_block_name(el, h, colon, err);
	return xml_error(el, err, "Invalid SOAP header: %.*s specified at the "
	    "header mediator. All SOAP headers must be namespace qualified.",
	    STR_FMT(h->name));
}

static int
read_scope(const struct xml_el *el, struct header *h, struct err *err)
{
	struct str scope = xml_attr(el, "scope");
	struct str action = xml_attr(el, "action");

	h->transport = str_is(scope, "transport");
	if (scope.p && !h->transport && !str_is(scope, "default"))
		return xml_error(el, err, "Only 'transport' or 'default' "
		    "values are allowed for attribute scope for a header "
		    "mediator, Unsupported scope %.*s", STR_FMT(scope));
	h->remove = str_is(action, "remove");
	if (action.p && !h->remove && !str_is(action, "set"))
		return xml_error(el, err, "attribute \"action\" must be "
		    "\"set\" or \"remove\", not \"%.*s\"", STR_FMT(action));
	h->is_element = str_is(xml_attr(el, "type"), "OM");
	return 0;
}

static int
header_compile(struct med_compile *c, const struct xml_el *el, void **node,
    struct err *err)
{
	struct header *h = arena_zalloc(med_arena(c), sizeof(*h));

	*node = h;
	h->name = xml_attr(el, "name");
	h->value = xml_attr(el, "value");
	if (med_expr(c, el, "expression", &h->expr, err) < 0 ||
	    read_scope(el, h, err) < 0)
		return -1;
	if (!h->name.n) {
		h->markup = xml_inner_markup(el, med_arena(c));
		if (!h->markup.p)
			return xml_error(el, err, "A valid name attribute is "
			    "required for the header mediator");
	} else if (read_name(el, h, err) < 0) {
		return -1;
	}
	if (h->uri.p || h->markup.p)
		med_reaches_body(c, MED_BODY_WRITE);
	if (h->remove || h->markup.p || h->value.p || h->expr)
		return 0;
	return xml_error(el, err, "A 'value' or 'expression' attribute is "
	    "required for a [set] header mediator");
}

/* ---- exec -------------------------------------------------------------- */

static int
set_block(const struct header *h, struct message *msg, struct str text,
    struct err *err)
{
	if (h->is_element)
		return soap_add_header_markup(msg, h->uri, h->prefix, h->name,
		    text, err);
	return soap_add_header(msg, h->uri, h->prefix, h->name, text, err);
}

static int
remove_header(const struct header *h, struct message *msg, struct err *err)
{
	if (h->transport)
		message_del_prop(msg, SCOPE_TRANSPORT, h->name);
	else if (h->uri.p)
		return soap_remove_header(msg, h->uri, h->name, err);
	else
		message_set_addressing(msg, h->name, STR_NULL);
	return 0;
}

static int
set_header(const struct header *h, struct message *msg, struct str text,
    struct err *err)
{
	if (h->markup.p)
		return soap_add_block(msg, h->markup, err);
	if (h->uri.p)
		return set_block(h, msg, text.p ? text : STR(""), err);
	if (h->transport)
		message_set_prop(msg, SCOPE_TRANSPORT, h->name,
		    VALUE_OF_STR(text.p ? text : STR("")));
	else
		message_set_addressing(msg, h->name, text);
	return 0;
}

static enum med_next
header_exec(struct med_run *run UNUSED, const void *node, struct message *msg,
    struct fault *fault)
{
	const struct header *h = node;
	struct err err = { 0 };
	struct str text = h->value;

	if (!h->remove && h->expr &&
	    med_expr_string(h->expr, msg, &text, fault) < 0)
		return MED_FAULT;
	if (h->remove ? remove_header(h, msg, &err) < 0
	    : set_header(h, msg, text, &err) < 0) {
		med_fault_from(fault, &err);
		return MED_FAULT;
	}
	return MED_NEXT;
}

const struct mediator_type mediator_header = {
	.element = "header",
	.origin = "HeaderMediator",
	.compile = header_compile,
	.exec = header_exec,
};
