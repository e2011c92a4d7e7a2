/* SPDX-License-Identifier: Apache-2.0 */
/* Operators. Every operand is evaluated; the first error ends it all. */
#include "msg/expr_synapse.h"

#include <stdarg.h>
#include <stdio.h>
#include "base/must.h"
#include "msg/decimal.h"
#include "msg/json.h"

int
sx_error(struct sx_run *r, const char *fmt, ...)
{
	char text[sizeof(r->err->text)];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return err_set(r->err, ERR_VALUE, "%s", text);
}

/* Texts of error messages show the operands. */
static int
operands_error(struct sx_run *r, const char *what, const struct sx *a,
    const struct sx *b)
{
	struct str x = str_head(sx_text(a, r->arena), 100);
	struct str y = str_head(sx_text(b, r->arena), 100);

	return sx_error(r, "%s: %.*s and %.*s", what, STR_FMT(x), STR_FMT(y));
}

static int
compare(struct sx_run *r, enum sx_operator op, const struct sx *a,
    const struct sx *b, struct sx *out)
{
	double x, y;

	if (!sx_is_numeric(a) || !sx_is_numeric(b))
		return operands_error(r, "Comparison between non-numeric values",
		    a, b);
	x = sx_as_double(a);
	y = sx_as_double(b);
	*out = sx_bool(op == SX_LT ? x < y : op == SX_LE ? x <= y :
	    op == SX_GT ? x > y : x >= y);
	return 0;
}

static bool
same_print(struct sx_run *r, const struct sx *a, const struct sx *b)
{
	if (a->type == SX_NULL || b->type == SX_NULL)
		return a->type == b->type;
	return str_eq(sx_text(a, r->arena), sx_text(b, r->arena));
}

static int
logic(struct sx_run *r, enum sx_operator op, const struct sx *a,
    const struct sx *b, struct sx *out)
{
	if (a->type != SX_BOOL || b->type != SX_BOOL)
		return operands_error(r,
		    "Logical operation between non-boolean values", a, b);
	*out = sx_bool(op == SX_AND ? a->b && b->b : a->b || b->b);
	return 0;
}

static int
apply(struct sx_run *r, enum sx_operator op, const struct sx *a,
    const struct sx *b, struct sx *out)
{
	if (op == SX_EQ || op == SX_NE) {
		*out = sx_bool(same_print(r, a, b) == (op == SX_EQ));
		return 0;
	}
	if (a->type == SX_NULL || b->type == SX_NULL)
		return operands_error(r, "Null inputs for an operation", a, b);
	switch (op) {
	case SX_LT:
	case SX_LE:
	case SX_GT:
	case SX_GE:
		return compare(r, op, a, b, out);
	case SX_AND:
	case SX_OR:
		return logic(r, op, a, b, out);
	case SX_ADD:
	case SX_SUB:
	case SX_MUL:
	case SX_DIV:
	case SX_MOD:
		return sx_arithmetic(r, op, a, b, out);
	case SX_EQ:
	case SX_NE:
		break;
	}
	unreachable();
}

/* and, or: from the right; all others from the left. */
static int
fold(struct sx_run *r, const struct sx_node *n, struct sx *v, struct sx *out)
{
	size_t last = n->count - 1;

	if (n->ops[0] == SX_AND || n->ops[0] == SX_OR) {
		for (size_t i = last; i > 0; i--)
			if (apply(r, n->ops[i - 1], &v[i - 1], &v[i],
			    &v[i - 1]) == -1)
				return -1;
	} else {
		for (size_t i = 0; i < last; i++)
			if (apply(r, n->ops[i], &v[0], &v[i + 1],
			    &v[0]) == -1)
				return -1;
	}
	*out = v[0];
	return 0;
}

static int
eval_chain(struct sx_run *r, const struct sx_node *n, struct sx *out)
{
	struct sx *v = arena_alloc(r->arena, n->count * sizeof(*v));

	for (size_t i = 0; i < n->count; i++)
		if (sx_eval(r, n->child[i], &v[i]) == -1)
			return -1;
	return fold(r, n, v, out);
}

static int
eval_condition(struct sx_run *r, const struct sx_node *n, struct sx *out)
{
	struct sx test;

	if (sx_eval(r, n->child[0], &test) == -1)
		return -1;
	if (test.type != SX_BOOL)
		return sx_error(r, test.type == SX_NULL ?
		    "Condition is null in conditional expression" :
		    "Condition is not a boolean in conditional expression");
	return sx_eval(r, n->child[test.b ? 1 : 2], out);
}

/* Ints and doubles stay numbers, all else becomes a string. */
static struct cJSON *
list_item(struct sx_run *r, const struct sx *v)
{
	if (sx_is_integer(v))
		return json_new_number(r->arena, arena_printf(r->arena, "%lld",
		    (long long)v->i));
	if (sx_is_double(v))
		return json_new_number(r->arena,
		    value_double_text(sx_as_double(v), r->arena));
	return json_new_string(r->arena, sx_text(v, r->arena));
}

static int
eval_list(struct sx_run *r, const struct sx_node *n, struct sx *out)
{
	struct cJSON *list = json_new_array(r->arena);

	for (size_t i = 0; i < n->count; i++) {
		struct sx v;

		if (sx_eval(r, n->child[i], &v) == -1)
			return -1;
		if (v.type == SX_NULL)
			return sx_error(r, "null in a list");
		json_append(list, list_item(r, &v));
	}
	*out = (struct sx){ .type = SX_JSON, .node = list };
	return 0;
}

int
sx_eval(struct sx_run *r, const struct sx_node *n, struct sx *out)
{
	switch (n->kind) {
	case SX_LITERAL:
		*out = n->literal;
		return 0;
	case SX_LIST:
		return eval_list(r, n, out);
	case SX_CHAIN:
		return eval_chain(r, n, out);
	case SX_CONDITION:
		return eval_condition(r, n, out);
	case SX_CALL:
		return sx_call(r, n, out);
	case SX_PATH:
		return sx_eval_path(r, n, out);
	case SX_PROPERTY:
		return sx_eval_property(r, n, out);
	}
	unreachable();
}
