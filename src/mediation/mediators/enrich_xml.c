/* SPDX-License-Identifier: Apache-2.0 */
#include "mediation/mediators/enrich_xml.h"

#include "mediation/mediators/enrich_inline.h"
#include "msg/xml.h"
#include "msg/xmledit.h"

static int
failed(const struct err *err, struct fault *fault)
{
	return err->kind == ERR_VALUE
	    ? fault_set(fault, FAULT_MEDIATOR, "%s", err->text)
	    : med_fault_from(fault, err);
}

/* ---- source ------------------------------------------------------------ */

static int
from_inline(const struct enrich *n, struct message *msg, struct value *out,
    struct fault *fault)
{
	struct str text = n->markup;
	struct err err = { 0 };

	if (!text.p && enrich_inline_text(n, msg, &text, fault) < 0)
		return -1;
	*out = VALUE_OF_STR(text);
	if (!n->markup.p && !xml_looks_like_element(text))
		return 0;
	return xmledit_parse(msg, text, out, &err) < 0 ? failed(&err, fault)
	    : 0;
}

static int
from_property(const struct enrich *n, struct message *msg, struct value *out,
    struct err *err)
{
	struct value v;

	*out = (struct value){ .type = VALUE_NULL };
	if (!message_prop(msg, SCOPE_DEFAULT, n->from_property, &v))
		return 0;
	*out = v;
	if (v.type == VALUE_STRING && xml_looks_like_element(v.s))
		return xmledit_parse(msg, v.s, out, err);
	return 0;
}

static int
get_source(const struct enrich *n, struct message *msg, struct value *out,
    struct fault *fault)
{
	struct err err = { 0 };
	int result = 0;

	*out = (struct value){ .type = VALUE_NULL };
	switch (n->from) {
	case ENRICH_CUSTOM:
		if (n->from_expr)
			result = expr_value(n->from_expr, msg, out, &err);
		break;
	case ENRICH_ENVELOPE:
		result = xmledit_envelope(msg, out, &err);
		break;
	case ENRICH_BODY:
		result = xmledit_body(msg, out, &err);
		break;
	case ENRICH_PROPERTY:
		result = from_property(n, msg, out, &err);
		break;
	case ENRICH_INLINE:
		return from_inline(n, msg, out, fault);
	case ENRICH_KEY:
		break;
	}
	return result < 0 ? failed(&err, fault) : 0;
}

/* ---- target ------------------------------------------------------------ */

static enum xmledit_action
edit_action(const struct enrich *n)
{
	if (n->action == ENRICH_CHILD)
		return XMLEDIT_CHILD;
	return n->action == ENRICH_SIBLING ? XMLEDIT_SIBLING
	    : XMLEDIT_REPLACE;
}

/* An XPath that is get-property('name') writes that property. */
static struct str
property_target(const struct expr *e)
{
	struct str text = expr_text(e);
	size_t n;

	if (!str_starts(text, "get-property('"))
		return STR_NULL;
	text = str_from(text, 14);
	n = str_find(text, '\'');
	return n < text.n ? str_head(text, n) : STR_NULL;
}

static int
to_property(const struct enrich *n, struct message *msg, struct str name,
    const struct value *source, struct fault *fault)
{
	struct value old, copy;
	struct err err = { 0 };

	if (n->action == ENRICH_CHILD && message_prop(msg, SCOPE_DEFAULT, name,
	    &old) && old.type == VALUE_XML) {
		if (xmledit_apply(msg, &old, source, XMLEDIT_CHILD, &err) < 0)
			return failed(&err, fault);
		return 0;
	}
	if (xmledit_copy(msg, source, &copy, &err) < 0)
		return failed(&err, fault);
	message_set_prop(msg, SCOPE_DEFAULT, name, copy);
	return 0;
}

static int
to_custom(const struct enrich *n, struct message *msg,
    const struct value *source, struct fault *fault)
{
	struct str name;
	struct value target;
	struct err err = { 0 };

	if (!n->to_expr)
		return fault_set(fault, FAULT_MEDIATOR,
		    "Invalid Target object to be enrich.");
	name = property_target(n->to_expr);
	if (name.p)
		return to_property(n, msg, name, source, fault);
	if (expr_value(n->to_expr, msg, &target, &err) < 0 ||
	    xmledit_apply(msg, &target, source, edit_action(n), &err) < 0)
		return failed(&err, fault);
	message_envelope_changed(msg);
	return 0;
}

/* JSON text becomes a body of JSON. */
static int
to_body(struct med_run *run, const struct enrich *n, struct message *msg,
    const struct value *source, struct fault *fault)
{
	struct str text;
	struct err err = { 0 };

	if (source->type != VALUE_XML) {
		text = str_trim(value_text(source, message_arena(msg)));
		if (text.n && strchr("{[", text.p[0])) {
			message_set_json_text(msg, text);
			message_set_prop(msg, SCOPE_AXIS2, STR("messageType"),
			    VALUE_OF_STR(STR("application/json")));
		} else {
			med_log(run, LOG_L_ERROR, STR("only an element or "
			    "JSON can become the body"));
		}
		return 0;
	}
	if (xmledit_apply_body(msg, source, edit_action(n), &err) < 0)
		return failed(&err, fault);
	return 0;
}

static int
apply(struct med_run *run, const struct enrich *n, struct message *msg,
    const struct value *source, struct fault *fault)
{
	struct err err = { 0 };

	switch (n->to) {
	case ENRICH_CUSTOM:
		return to_custom(n, msg, source, fault);
	case ENRICH_ENVELOPE:
		if (xmledit_apply_envelope(msg, source, &err) < 0)
			return failed(&err, fault);
		return 0;
	case ENRICH_BODY:
		return to_body(run, n, msg, source, fault);
	case ENRICH_PROPERTY:
		return to_property(n, msg, n->to_property, source, fault);
	case ENRICH_KEY:
	case ENRICH_INLINE:
		break;
	}
	med_log(run, LOG_L_ERROR, STR("target type key is for bodies of JSON "
	    "only"));
	return 0;
}

static bool
is_empty(const struct value *v)
{
	return v->type == VALUE_NULL ||
	    (v->type == VALUE_XML && v->xml.count == 0);
}

enum med_next
enrich_xml(struct med_run *run, const struct enrich *n, struct message *msg,
    struct fault *fault)
{
	struct value source, copy;
	struct err err = { 0 };

	if (get_source(n, msg, &source, fault) < 0)
		return MED_FAULT;
	if (is_empty(&source)) {
		med_log(run, LOG_L_ERROR, STR("the source is empty; nothing is "
		    "done"));
		return MED_NEXT;
	}
	if (n->action == ENRICH_REMOVE) {
		xmledit_detach(msg, &source);
		return MED_NEXT;
	}
	/* Detached first, so that the target sees the tree without it. */
	copy = source;
	if (!n->clone && n->from != ENRICH_PROPERTY) {
		if (xmledit_copy(msg, &source, &copy, &err) < 0) {
			failed(&err, fault);
			return MED_FAULT;
		}
		xmledit_detach(msg, &source);
	}
	return apply(run, n, msg, &copy, fault) < 0 ? MED_FAULT : MED_NEXT;
}
