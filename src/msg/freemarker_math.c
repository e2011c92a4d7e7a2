/* SPDX-License-Identifier: Apache-2.0 */
/* Operators of templates that have two sides. */
#include "msg/freemarker_priv.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* The reference counts in decimals: 0.1 + 0.2 is 0.3. */
static double
decimal(double x)
{
	char text[40];

	if (x == floor(x) || !isfinite(x))
		return x;
	snprintf(text, sizeof(text), "%.15g", x);
	return strtod(text, NULL);
}

static int
calculate(struct fm_run *r, const struct fm_expr *e, double a, double b,
    struct fm_value *out)
{
	double x = a + b;

	if (e->op == FM_OP_SUBTRACT)
		x = a - b;
	else if (e->op == FM_OP_MULTIPLY)
		x = a * b;
	else if ((e->op == FM_OP_DIVIDE && b == 0) ||
	    (e->op == FM_OP_MODULO && trunc(b) == 0))
		return fm_fail(r, e, ERR_VALUE, "Arithmetic operation failed: "
		    "Division by zero");
	else if (e->op == FM_OP_DIVIDE)
		x = a / b;
	else if (e->op == FM_OP_MODULO)
		x = fmod(trunc(a), trunc(b));
	*out = FM_NUMBER(decimal(x));
	return 0;
}

static int
join_lists(struct fm_run *r, const struct fm_expr *at,
    const struct fm_value *a, const struct fm_value *b, struct fm_value *out)
{
	size_t n = fm_size(a) + fm_size(b), i = 0;
	struct fm_walk wa = { 0 }, wb = { 0 };
	struct fm_value *item;

	if (n > r->max || fm_take(r, at, n * sizeof(*item)) < 0)
		return fm_take(r, at, SIZE_MAX / 2);
	item = arena_alloc(r->arena, (n + 1) * sizeof(*item));
	while (fm_next(r, a, &wa, &item[i]))
		i++;
	while (fm_next(r, b, &wb, &item[i]))
		i++;
	*out = (struct fm_value){ .type = FM_V_LIST, .list = { item, i } };
	return 0;
}

int
fm_add(struct fm_run *r, const struct fm_expr *at, const struct fm_value *a,
    const struct fm_value *b, struct fm_value *out)
{
	struct str left, right;
	char *p;

	if (fm_is_list(a) && fm_is_list(b) && a->type != FM_V_XML)
		return join_lists(r, at, a, b, out);
	if (fm_text(r, at, a, &left) < 0 || fm_text(r, at, b, &right) < 0 ||
	    fm_take(r, at, left.n + right.n + 1) < 0)
		return -1;
	p = arena_alloc(r->arena, left.n + right.n + 1);
	if (left.n)
		memcpy(p, left.p, left.n);
	if (right.n)
		memcpy(p + left.n, right.p, right.n);
	p[left.n + right.n] = '\0';
	*out = FM_STRING(((struct str){ p, left.n + right.n }));
	return 0;
}

static bool
holds(enum fm_op op, int order)
{
	if (op == FM_OP_EQ || op == FM_OP_NE)
		return (order == 0) == (op == FM_OP_EQ);
	if (op == FM_OP_LT || op == FM_OP_GE)
		return (order < 0) == (op == FM_OP_LT);
	return (order > 0) == (op == FM_OP_GT);
}

static int
compare(struct fm_run *r, const struct fm_expr *e, const struct fm_value *a,
    const struct fm_value *b, struct fm_value *out)
{
	bool equality = e->op == FM_OP_EQ || e->op == FM_OP_NE;
	struct str left, right;
	int order;

	if (a->type == FM_V_NUMBER && b->type == FM_V_NUMBER) {
		order = (a->n > b->n) - (a->n < b->n);
	} else if (equality && a->type == FM_V_BOOL && b->type == FM_V_BOOL) {
		order = a->b - b->b;
	} else if (equality && fm_is_string(a) && fm_is_string(b)) {
		if (fm_string(r, e->a, a, &left) < 0 ||
		    fm_string(r, e->b, b, &right) < 0)
			return -1;
		order = !str_eq(left, right);
	} else {
		return fm_fail(r, e, ERR_VALUE, "Can't compare values of these "
		    "types. Allowed comparisons are between two numbers%s. "
		    "Left hand operand is a %s, right hand operand is a %s",
		    equality ? ", two strings, two dates, or two booleans" :
		    " or two dates", fm_type_name(a), fm_type_name(b));
	}
	*out = FM_BOOL(holds(e->op, order));
	return 0;
}

int
fm_binary(struct fm_run *r, const struct fm_expr *e, struct fm_value *out)
{
	struct fm_value a, b;

	if (fm_eval_present(r, e->a, &a) < 0 ||
	    fm_eval_present(r, e->b, &b) < 0)
		return -1;
	if (e->op >= FM_OP_EQ && e->op <= FM_OP_GE)
		return compare(r, e, &a, &b, out);
	if (e->op == FM_OP_ADD && !(a.type == FM_V_NUMBER &&
	    b.type == FM_V_NUMBER))
		return fm_add(r, e, &a, &b, out);
	if (a.type != FM_V_NUMBER)
		return fm_expected(r, e->a, "number", &a);
	if (b.type != FM_V_NUMBER)
		return fm_expected(r, e->b, "number", &b);
	return calculate(r, e, a.n, b.n, out);
}
