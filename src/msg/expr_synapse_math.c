/* SPDX-License-Identifier: Apache-2.0 */
/* Arithmetic (ints that grow to longs, doubles by way of decimals) and the
 * functions on numbers. */
#include "msg/expr_synapse.h"

#include <math.h>
#include "base/must.h"
#include "msg/decimal.h"

static int
not_numbers(struct sx_run *r, const struct sx *a, const struct sx *b)
{
	struct str x = str_head(sx_text(a, r->arena), 100);
	struct str y = str_head(sx_text(b, r->arena), 100);

	return sx_error(r, "Arithmetic operation between non-numeric values: "
	    "%.*s and %.*s", STR_FMT(x), STR_FMT(y));
}

static struct decimal
apply_decimal(enum sx_operator op, const struct decimal *a,
    const struct decimal *b, struct arena *arena)
{
	struct decimal minus = *b;

	switch (op) {
	case SX_ADD:
		return decimal_add(a, b, arena);
	case SX_SUB:
		minus.neg = !b->neg;
		return decimal_add(a, &minus, arena);
	case SX_MUL:
		return decimal_multiply(a, b, arena);
	case SX_DIV:
		return decimal_divide(a, b, arena);
	case SX_MOD:
		return decimal_remainder(a, b, arena);
	case SX_EQ:
	case SX_NE:
	case SX_LT:
	case SX_LE:
	case SX_GT:
	case SX_GE:
	case SX_AND:
	case SX_OR:
		break;
	}
	unreachable();
}

/* Addition takes numbers as they print; the others print them as doubles, so
 * that 7 is 7.0, which sets the places of a quotient. */
static struct str
decimal_source(struct sx_run *r, enum sx_operator op, const struct sx *v)
{
	if (op == SX_ADD)
		return sx_text(v, r->arena);
	return value_double_text(sx_as_double(v), r->arena);
}

static int
on_doubles(struct sx_run *r, enum sx_operator op, const struct sx *a,
    const struct sx *b, struct sx *out)
{
	struct decimal x, y, z;

	if ((op == SX_DIV || op == SX_MOD) && sx_as_double(b) == 0)
		return sx_error(r, op == SX_DIV ? "Division by zero" :
		    "Modulo by zero");
	if (!isfinite(sx_as_double(a)) || !isfinite(sx_as_double(b)) ||
	    !decimal_parse(decimal_source(r, op, a), r->arena, &x) ||
	    !decimal_parse(decimal_source(r, op, b), r->arena, &y))
		return not_numbers(r, a, b);
	z = apply_decimal(op, &x, &y, r->arena);
	*out = sx_double(decimal_double(&z, r->arena));
	return 0;
}

/* Wraps around, as Java's longs do. */
static int64_t
wrap(enum sx_operator op, int64_t a, int64_t b)
{
	uint64_t x = (uint64_t)a, y = (uint64_t)b;

	return (int64_t)(op == SX_ADD ? x + y : op == SX_SUB ? x - y : x * y);
}

static int
divide(struct sx_run *r, enum sx_operator op, const struct sx *a,
    const struct sx *b, struct sx *out)
{
	bool ints = a->type == SX_INT && b->type == SX_INT;

	if (b->i == 0)
		return sx_error(r, op == SX_DIV ? "Division by zero" :
		    "Modulo by zero");
	if (op == SX_MOD) {
		*out = (struct sx){ .type = ints ? SX_INT : SX_LONG,
			.i = b->i == -1 ? 0 : a->i % b->i };
		return 0;
	}
	if (ints && a->i % b->i == 0)
		*out = (struct sx){ .type = SX_INT,
			.i = (int32_t)(uint32_t)(a->i / b->i) };
	else
		*out = sx_double((double)a->i / (double)b->i);
	return 0;
}

/* A sum or product of ints that is too large becomes a long; a difference
 * wraps around. */
static int
on_integers(struct sx_run *r, enum sx_operator op, const struct sx *a,
    const struct sx *b, struct sx *out)
{
	bool ints = a->type == SX_INT && b->type == SX_INT;
	int64_t result;

	if (op == SX_DIV || op == SX_MOD)
		return divide(r, op, a, b, out);
	result = wrap(op, a->i, b->i);
	if (!ints)
		*out = (struct sx){ .type = SX_LONG, .i = result };
	else if (op == SX_SUB)
		*out = (struct sx){ .type = SX_INT,
			.i = (int32_t)(uint32_t)result };
	else
		*out = sx_int(result);
	return 0;
}

int
sx_arithmetic(struct sx_run *r, enum sx_operator op, const struct sx *a,
    const struct sx *b, struct sx *out)
{
	if (op == SX_ADD && a->type == SX_STRING && b->type == SX_STRING) {
		*out = sx_string(expr_join(a->s, b->s, r->arena));
		return 0;
	}
	if (!sx_is_numeric(a) || !sx_is_numeric(b))
		return not_numbers(r, a, b);
	if (sx_is_double(a) || sx_is_double(b))
		return on_doubles(r, op, a, b, out);
	return on_integers(r, op, a, b, out);
}

/* Math.round() cut to an int. */
static struct sx
round_to_int(double d)
{
	double up = floor(d + 0.5);
	int64_t i = 0;

	if (up >= 9.2233720368547758e18)
		i = INT64_MAX;
	else if (up <= -9.2233720368547758e18)
		i = INT64_MIN;
	else if (!isnan(up))
		i = (int64_t)up;
	return (struct sx){ .type = SX_INT, .i = (int32_t)(uint32_t)i };
}

static int
round_to_places(struct sx_run *r, const struct sx *v, int64_t places,
    struct sx *out)
{
	struct decimal d;

	if (places > 400)
		places = 400;
	if (!isfinite(sx_as_double(v)) || !decimal_parse(value_double_text(
	    sx_as_double(v), r->arena), r->arena, &d))
		return sx_error(r,
		    "Invalid argument provided for round function");
	d = decimal_round(&d, places, r->arena);
	*out = sx_double(decimal_double(&d, r->arena));
	return 0;
}

static int
call_round(struct sx_run *r, const struct sx *a, size_t count, struct sx *out)
{
	bool integral = a[0].type == SX_INT || a[0].type == SX_LONG;

	if (count == 1 && sx_is_double(&a[0])) {
		*out = round_to_int(sx_as_double(&a[0]));
		return 0;
	}
	if (count == 1 && sx_is_integer(&a[0])) {
		*out = a[0];
		return 0;
	}
	if (count == 2 && sx_is_double(&a[0]) && sx_is_integer(&a[1]) &&
	    a[1].i > 0)
		return round_to_places(r, &a[0], a[1].i, out);
	if (count == 2 && integral) {
		*out = a[0];
		return 0;
	}
	return sx_error(r, "Invalid argument provided for round function");
}

static bool
is_real(const struct sx *v)
{
	return sx_is_integer(v) || sx_is_double(v);
}

/* abs, ceil and floor keep ints. */
static struct sx
keep_kind(enum sx_function id, const struct sx *v)
{
	double d = sx_as_double(v);

	if (sx_is_integer(v)) {
		int64_t i = id == SX_F_ABS && v->i < 0 ? -v->i : v->i;

		return (struct sx){ .type = SX_INT,
			.i = (int32_t)(uint32_t)i };
	}
	return sx_double(id == SX_F_ABS ? fabs(d) :
	    id == SX_F_CEIL ? ceil(d) : floor(d));
}

int
sx_call_math(struct sx_run *r, enum sx_function id, const struct sx *a,
    size_t count, struct sx *out)
{
	double x, y;

	if (id == SX_F_ROUND)
		return call_round(r, a, count, out);
	for (size_t i = 0; i < count; i++)
		if (!is_real(&a[i]))
			return sx_error(r, "Invalid argument provided for a "
			    "function on numbers");
	if (id == SX_F_ABS || id == SX_F_CEIL || id == SX_F_FLOOR) {
		*out = keep_kind(id, &a[0]);
		return 0;
	}
	x = sx_as_double(&a[0]);
	y = count > 1 ? sx_as_double(&a[1]) : 0;
	if (id == SX_F_SQRT)
		x = sqrt(x);
	else if (id == SX_F_POW)
		x = pow(x, y);
	else
		x = count == 1 ? log10(x) : log(x) / log(y);
	*out = sx_double(x);
	return 0;
}
