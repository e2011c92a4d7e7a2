/* SPDX-License-Identifier: Apache-2.0 */
/* Calls: counting and checking arguments, conversions, and what reaches out of
 * the expression (xpath, registry, time). */
#include "msg/expr_synapse.h"

#include "base/clock.h"
#include "base/must.h"
#include "msg/expr_date.h"
#include "msg/json.h"

enum { ARGS_MAX = 3 };

static const struct {
	const char *word;
	size_t min, max;
} functions[] = {
#define FUNCTION(name, word_, min_, max_) \
	[SX_F_##name] = { .word = word_, .min = min_, .max = max_ },
#include "msg/expr_synapse_functions.def"
#undef FUNCTION
};

/* Errors count as no; faults of the body do not. */
static int
call_exists(struct sx_run *r, const struct sx_node *n, struct sx *out)
{
	struct sx v = { .type = SX_NULL };
	bool found = sx_eval(r, n->child[0], &v) == 0;

	if (r->fault)
		return -1;
	*out = sx_bool(found && v.type != SX_NULL);
	return 0;
}

static int
xpath_text(struct sx_run *r, const struct expr *xpath, struct sx *out)
{
	struct str text;

	if (!xpath)
		return -1;
	if (expr_string(xpath, r->m, &text, r->err) == -1) {
		r->fault = r->err->kind == ERR_SYNTAX ||
		    r->err->kind == ERR_LIMIT;
		return -1;
	}
	if (!text.p)
		return sx_error(r, "the XPath expression gives null");
	*out = sx_string(text);
	return 0;
}

/* With a second argument: on that variable. */
static int
call_xpath(struct sx_run *r, const struct sx_node *n, const struct sx *a,
    struct sx *out)
{
	struct str source = sx_text(&a[0], r->arena);

	if (n->call.xpath)
		return xpath_text(r, n->call.xpath, out);
	if (n->count == 2) {
		struct str name = sx_text(&a[1], r->arena);

		if (name.n == 0)
			return sx_error(r, "Invalid variable name provided for "
			    "XPATH function");
		source = arena_printf(r->arena, "$var:%.*s%.*s",
		    STR_FMT(name), STR_FMT(source));
	}
	return xpath_text(r, expr_compile_as(r->arena, EXPR_XPATH, source,
	    &r->program->scope, r->err), out);
}

static int
registry_property(struct sx_run *r, struct str key, struct str name,
    struct sx *out)
{
	struct value v;

	if (!message_prop(r->m, SCOPE_REGISTRY, arena_printf(r->arena,
	    "%.*s@%.*s", STR_FMT(key), STR_FMT(name)), &v))
		return sx_error(r, "Could not find the property: %.*s in the "
		    "registry resource: %.*s", STR_FMT(name), STR_FMT(key));
	*out = sx_string(value_text(&v, r->arena));
	return 0;
}

static int
call_registry(struct sx_run *r, const struct sx *a, size_t count,
    struct sx *out)
{
	const struct msg_context *c = message_context(r->m);
	struct str text;

	if (a[0].type != SX_STRING)
		return sx_error(r,
		    "Invalid argument provided for registry function");
	if (count == 2 && a[1].type == SX_STRING)
		return registry_property(r, a[0].s, a[1].s, out);
	if (!c->entry || !c->entry(c->entry_ctx, a[0].s, r->arena, &text))
		return sx_error(r, "Could not find the registry resource: %.*s",
		    STR_FMT(a[0].s));
	*out = sx_string(text);
	return 0;
}

static int
format_moment(struct sx_run *r, const struct sx *a, struct sx *out)
{
	struct date d;
	struct str text;

	if (!sx_is_numeric(&a[0]) || a[1].type != SX_STRING ||
	    !(sx_as_double(&a[0]) > -6e13 && sx_as_double(&a[0]) < 2e14))
		return sx_error(r,
		    "Invalid argument provided for formatDateTime function");
	date_of_ms((int64_t)sx_as_double(&a[0]), &d);
	if (date_format(&d, DATE_FORMATTER, a[1].s, r->arena, &text,
	    r->err) == -1)
		return -1;
	*out = sx_string(text);
	return 0;
}

static int
call_format_date(struct sx_run *r, const struct sx *a, size_t count,
    struct sx *out)
{
	struct date d;
	struct str text;

	if (count == 2)
		return format_moment(r, a, out);
	if (a[0].type != SX_STRING || a[1].type != SX_STRING ||
	    a[2].type != SX_STRING)
		return sx_error(r,
		    "Invalid argument provided for formatDateTime function");
	if (date_parse(a[0].s, a[1].s, &d, r->err) == -1 ||
	    date_format(&d, DATE_FORMATTER, a[2].s, r->arena, &text,
	    r->err) == -1)
		return -1;
	*out = sx_string(text);
	return 0;
}

static int
to_integer(struct sx_run *r, const struct sx *a, struct sx *out)
{
	int64_t i;

	if (sx_is_integer(a)) {
		*out = (struct sx){ .type = SX_INT, .i = a->i };
		return 0;
	}
	if (!str_to_i64(sx_text(a, r->arena), &i) || i < INT32_MIN ||
	    i > INT32_MAX)
		return sx_error(r,
		    "Invalid argument provided for integer conversion");
	*out = sx_int(i);
	return 0;
}

static int
to_float(struct sx_run *r, const struct sx *a, struct sx *out)
{
	struct sx v = *a;

	if (!sx_is_double(a)) {
		v = sx_of_text(sx_text(a, r->arena));
		if (!sx_is_numeric(&v))
			return sx_error(r, "Invalid argument provided for "
			    "float conversion");
	}
	*out = sx_double(sx_as_double(&v));
	return 0;
}

static int
to_box(struct sx_run *r, const struct sx *a, int want_array, struct sx *out)
{
	const struct cJSON *box = sx_as_box(a, want_array, r->arena);

	if (!box)
		return sx_error(r, "Argument cannot be converted to a JSON %s",
		    want_array ? "array" : "object");
	*out = (struct sx){ .type = SX_JSON, .node = box };
	return 0;
}

static int
call_not(struct sx_run *r, const struct sx *a, struct sx *out)
{
	if (a->type != SX_BOOL)
		return sx_error(r, "the argument of not() is no boolean");
	*out = sx_bool(!a->b);
	return 0;
}

static int
call_conversion(struct sx_run *r, enum sx_function id, const struct sx *a,
    struct sx *out)
{
	if (id == SX_F_INTEGER)
		return to_integer(r, a, out);
	if (id == SX_F_FLOAT)
		return to_float(r, a, out);
	if (id == SX_F_OBJECT || id == SX_F_ARRAY)
		return to_box(r, a, id == SX_F_ARRAY, out);
	if (id == SX_F_NOT)
		return call_not(r, a, out);
	if (id == SX_F_STRING)
		*out = sx_string(sx_text(a, r->arena));
	else if (id == SX_F_BOOLEAN)
		*out = sx_bool(expr_word_is_true(sx_text(a, r->arena)));
	else if (id == SX_F_IS_STRING)
		*out = sx_bool(a->type == SX_STRING);
	else if (id == SX_F_IS_NUMBER)
		*out = sx_bool(sx_is_integer(a) || sx_is_double(a));
	else
		*out = sx_bool(sx_as_box(a, id == SX_F_IS_ARRAY, r->arena));
	return 0;
}

static int
dispatch(struct sx_run *r, const struct sx_node *n, const struct sx *a,
    struct sx *out)
{
	enum sx_function id = n->call.id;

	switch (id) {
	case SX_F_LENGTH:
	case SX_F_TO_UPPER:
	case SX_F_TO_LOWER:
	case SX_F_SUBSTRING:
	case SX_F_STARTS_WITH:
	case SX_F_ENDS_WITH:
	case SX_F_CONTAINS:
	case SX_F_TRIM:
	case SX_F_REPLACE:
	case SX_F_SPLIT:
	case SX_F_INDEX_OF:
	case SX_F_CHAR_AT:
	case SX_F_BASE64_ENCODE:
	case SX_F_BASE64_DECODE:
	case SX_F_URL_ENCODE:
	case SX_F_URL_DECODE:
		return sx_call_text(r, id, a, n->count, out);
	case SX_F_ABS:
	case SX_F_CEIL:
	case SX_F_FLOOR:
	case SX_F_SQRT:
	case SX_F_LOG:
	case SX_F_POW:
	case SX_F_ROUND:
		return sx_call_math(r, id, a, n->count, out);
	case SX_F_NOW:
		*out = (struct sx){ .type = SX_LONG,
			.i = clock_wall_us() / 1000 };
		return 0;
	case SX_F_FORMAT_DATE:
		return call_format_date(r, a, n->count, out);
	case SX_F_XPATH:
		return call_xpath(r, n, a, out);
	case SX_F_REGISTRY:
		return call_registry(r, a, n->count, out);
	case SX_F_IS_STRING:
	case SX_F_IS_NUMBER:
	case SX_F_IS_ARRAY:
	case SX_F_IS_OBJECT:
	case SX_F_STRING:
	case SX_F_INTEGER:
	case SX_F_FLOAT:
	case SX_F_BOOLEAN:
	case SX_F_OBJECT:
	case SX_F_ARRAY:
	case SX_F_NOT:
		return call_conversion(r, id, a, out);
	case SX_F_EXISTS:
	case SX_F_WSO2_VAULT:
	case SX_F_HASHICORP_VAULT:
	case SX_F_COUNT:
		break;
	}
	unreachable();
}

int
sx_call(struct sx_run *r, const struct sx_node *n, struct sx *out)
{
	enum sx_function id = n->call.id;
	struct sx args[ARGS_MAX];

	if (n->count < functions[id].min || n->count > functions[id].max)
		return sx_error(r, "Invalid number of arguments: %zu provided "
		    "for the function: %s", n->count, functions[id].word);
	if (id == SX_F_EXISTS)
		return call_exists(r, n, out);
	for (size_t i = 0; i < n->count; i++) {
		if (sx_eval(r, n->child[i], &args[i]) == -1)
			return -1;
		if (args[i].type == SX_NULL)
			return sx_error(r, "Null value provided for the "
			    "function: %s", functions[id].word);
	}
	return dispatch(r, n, args, out);
}
