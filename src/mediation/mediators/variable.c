/* SPDX-License-Identifier: Apache-2.0 */
/* <variable name value|expression type action/>: a value of its own type that
 * belongs to the message. */
#include "mediation/mediator.h"
#include "msg/json.h"

enum kind { KIND_NONE, KIND_STRING, KIND_BOOLEAN, KIND_INTEGER, KIND_LONG,
	KIND_DOUBLE, KIND_JSON, KIND_XML };

static const char *const kind_names[] = {
	[KIND_STRING] = "STRING", [KIND_BOOLEAN] = "BOOLEAN",
	[KIND_INTEGER] = "INTEGER", [KIND_LONG] = "LONG",
	[KIND_DOUBLE] = "DOUBLE", [KIND_JSON] = "JSON", [KIND_XML] = "XML",
};

struct variable {
	struct med_value *name_value;	/* name="{expr}"; NULL: name */
	struct str name;
	bool remove;
	enum kind kind;
	struct expr *expr;		/* NULL: constant */
	struct value constant;
};

/* ---- compile ----------------------------------------------------------- */

static int
read_kind(const struct xml_el *el, struct variable *v, struct err *err)
{
	struct str type = xml_attr(el, "type");

	if (!type.p)
		return 0;
	for (int i = KIND_STRING; i <= KIND_XML; i++) {
		if (str_is(type, kind_names[i])) {
			v->kind = (enum kind)i;
			return 0;
		}
	}
	return xml_error(el, err, "Unknown type : %.*s for the variable "
	    "mediator or the variable value cannot be converted into the "
	    "specified type.", STR_FMT(type));
}

static int
read_constant(struct med_compile *c, const struct xml_el *el,
    struct variable *v, struct str text, struct err *err)
{
	struct err inner = { 0 };
	struct str type = v->kind == KIND_XML ? STR("OM")
	    : str_of(kind_names[v->kind]);

	v->constant = VALUE_OF_STR(text);
	if (v->kind == KIND_NONE || v->kind == KIND_STRING)
		return 0;
	if (value_convert(text, type, VALUE_FROM_CONSTANT, med_arena(c),
	    &v->constant, &inner) == 0)
		return 0;
	return xml_error(el, err, "Unknown type : %s for the variable "
	    "mediator or the variable value cannot be converted into the "
	    "specified type.", kind_names[v->kind]);
}

static int
read_value(struct med_compile *c, const struct xml_el *el,
    struct variable *v, struct err *err)
{
	struct str text = xml_attr(el, "value");

	if (med_expr(c, el, "expression", &v->expr, err) < 0)
		return -1;
	if (v->expr)
		return 0;
	if (!text.p)
		text = xml_inner_markup(el, med_arena(c));
	if (text.p)
		return read_constant(c, el, v, text, err);
	return xml_error(el, err, "Either a child element or one of 'value', "
	    "'expression' attributes is required for a variable mediator when "
	    "action is SET");
}

static int
variable_compile(struct med_compile *c, const struct xml_el *el, void **node,
    struct err *err)
{
	struct variable *v = arena_zalloc(med_arena(c), sizeof(*v));
	struct str action = xml_attr(el, "action");

	*node = v;
	v->name = xml_attr(el, "name");
	if (!v->name.n)
		return xml_error(el, err, "The 'name' attribute is required "
		    "for the configuration of a variable mediator");
	if (med_value(c, el, "name", &v->name_value, err) < 0)
		return -1;
	if (med_value_is_constant(v->name_value, &v->name))
		v->name_value = NULL;
	v->remove = str_is(action, "remove");
	if (action.p && !v->remove && !str_is(action, "set"))
		return xml_error(el, err, "attribute \"action\" must be "
		    "\"set\" or \"remove\", not \"%.*s\"", STR_FMT(action));
	if (read_kind(el, v, err) < 0)
		return -1;
	if (!v->remove)
		return read_value(c, el, v, err);
	(void)xml_attr(el, "value");
	(void)xml_attr(el, "expression");
	return 0;
}

/* ---- exec -------------------------------------------------------------- */

static bool
fits_int(struct str text, struct value *out)
{
	int64_t i;

	if (!str_to_i64(text, &i) || i < INT32_MIN || i > INT32_MAX)
		return false;
	*out = VALUE_OF_INT(i);
	return true;
}

/* A number of JSON becomes one of Java's, a boolean a boolean. */
static bool
narrow_json(enum kind kind, struct value *v, struct arena *a)
{
	enum json_type type = json_type_of(v->json);
	struct str text = type == JSON_STRING ? json_string(v->json, a)
	    : value_text(v, a);
	int64_t i;

	if (kind == KIND_JSON)
		return true;
	if (kind == KIND_STRING) {
		*v = VALUE_OF_STR(text);
		return text.p != NULL;
	}
	if (kind == KIND_BOOLEAN && (type == JSON_TRUE || type == JSON_FALSE)) {
		*v = VALUE_OF_BOOL(type == JSON_TRUE);
		return true;
	}
	if (type != JSON_NUMBER)
		return false;
	if (kind == KIND_INTEGER)
		return fits_int(text, v);
	if (kind == KIND_LONG && str_to_i64(text, &i)) {
		*v = (struct value){ .type = VALUE_LONG, .i = i };
		return true;
	}
	if (kind != KIND_DOUBLE)
		return false;
	*v = (struct value){ .type = VALUE_DOUBLE,
	    .d = json_number(v->json) };
	return true;
}

static bool
has_type(enum kind kind, struct value *v, struct arena *a)
{
	switch (v->type) {
	case VALUE_JSON:
		return narrow_json(kind, v, a);
	case VALUE_STRING:
	case VALUE_OBJECT:
		return kind == KIND_STRING;
	case VALUE_BOOL:
		return kind == KIND_BOOLEAN;
	case VALUE_SHORT:
	case VALUE_INT:
		return kind == KIND_INTEGER;
	case VALUE_LONG:
		return kind == KIND_LONG;
	case VALUE_FLOAT:
	case VALUE_DOUBLE:
		return kind == KIND_DOUBLE;
	case VALUE_XML:
		return kind == KIND_XML;
	case VALUE_NULL:
		break;
	}
	return false;
}

static int
evaluate(const struct variable *v, struct message *msg, struct value *out,
    struct fault *fault)
{
	struct err err = { 0 };

	if (expr_value(v->expr, msg, out, &err) < 0)
		return med_fault_from(fault, &err);
	if (v->kind == KIND_NONE || has_type(v->kind, out, message_arena(msg)))
		return 0;
	return fault_set(fault, FAULT_MEDIATOR, "Expression '%.*s' result does "
	    "not match the expected data type '%s'",
	    STR_FMT(expr_text(v->expr)), kind_names[v->kind]);
}

static enum med_next
variable_exec(struct med_run *run UNUSED, const void *node,
    struct message *msg, struct fault *fault)
{
	const struct variable *v = node;
	struct value value = v->constant;
	struct str name = v->name;

	if (v->name_value &&
	    med_value_string(v->name_value, msg, &name, fault) < 0)
		return MED_FAULT;
	if (v->remove) {
		message_del_var(msg, name);
		return MED_NEXT;
	}
	if (v->expr && evaluate(v, msg, &value, fault) < 0)
		return MED_FAULT;
	message_set_var(msg, name, value);
	return MED_NEXT;
}

const struct mediator_type mediator_variable = {
	.element = "variable",
	.origin = "VariableMediator",
	.compile = variable_compile,
	.exec = variable_exec,
};
