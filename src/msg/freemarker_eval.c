/* SPDX-License-Identifier: Apache-2.0 */
/* The expressions of templates, evaluated. The height of a tree is bounded
 * when it is made, so recursion is too. */
#include "msg/freemarker_priv.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- what goes wrong ---------------------------------------------------- */

int
fm_fail(struct fm_run *r, const struct fm_expr *at, enum err_kind kind,
    const char *fmt, ...)
{
	char text[360];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	err_set(r->err, kind, "%s [at line %d, column %d]", text,
	    at->at.line, at->at.column);
	return -1;
}

static struct str
shown(const struct fm_expr *e)
{
	return str_head(e->source, 100);
}

static int
missing(struct fm_run *r, const struct fm_expr *at)
{
	return fm_fail(r, at, ERR_NOTFOUND, "The following has evaluated to "
	    "null or missing: ==> %.*s", STR_FMT(shown(at)));
}

int
fm_expected(struct fm_run *r, const struct fm_expr *at, const char *what,
    const struct fm_value *v)
{
	if (v->type == FM_V_NONE)
		return missing(r, at);
	return fm_fail(r, at, ERR_VALUE, "Expected a %s, but this has "
	    "evaluated to a %s: ==> %.*s", what, fm_type_name(v),
	    STR_FMT(shown(at)));
}

int
fm_step(struct fm_run *r, const struct fm_expr *at)
{
	if (++r->steps <= FM_STEPS)
		return 0;
	return fm_fail(r, at, ERR_LIMIT, "the template takes more than %d "
	    "steps", FM_STEPS);
}

int
fm_take(struct fm_run *r, const struct fm_expr *at, size_t bytes)
{
	if (bytes <= r->max - r->taken) {
		r->taken += bytes;
		return 0;
	}
	return fm_fail(r, at, ERR_LIMIT, "the template's strings take more "
	    "than %zu bytes", r->max);
}

/* ---- wrappers ----------------------------------------------------------- */

int
fm_eval_present(struct fm_run *r, const struct fm_expr *e,
    struct fm_value *out)
{
	if (fm_eval(r, e, out) < 0)
		return -1;
	return out->type == FM_V_NONE ? missing(r, e) : 0;
}

int
fm_eval_text(struct fm_run *r, const struct fm_expr *e, struct str *out)
{
	struct fm_value v;

	if (fm_eval_present(r, e, &v) < 0)
		return -1;
	return fm_text(r, e, &v, out);
}

int
fm_eval_number(struct fm_run *r, const struct fm_expr *e, double *out)
{
	struct fm_value v;

	if (fm_eval_present(r, e, &v) < 0)
		return -1;
	if (v.type != FM_V_NUMBER)
		return fm_expected(r, e, "number", &v);
	*out = v.n;
	return 0;
}

int
fm_eval_truth(struct fm_run *r, const struct fm_expr *e, bool *out)
{
	struct fm_value v;

	if (fm_eval_present(r, e, &v) < 0)
		return -1;
	if (v.type != FM_V_BOOL)
		return fm_expected(r, e, "boolean", &v);
	*out = v.b;
	return 0;
}

/* ---- names -------------------------------------------------------------- */

struct fm_var *
fm_find_var(struct fm_run *r, struct str name)
{
	for (struct fm_var *v = r->loops; v; v = v->next)
		if (str_eq(v->name, name))
			return v;
	for (struct fm_var *v = r->assigned; v; v = v->next)
		if (str_eq(v->name, name))
			return v;
	return NULL;
}

/* x_index and x_has_next of the loop over x. */
static bool
loop_state(struct fm_run *r, struct str name, struct fm_value *out)
{
	for (struct fm_var *v = r->loops; v; v = v->next) {
		struct str rest;

		if (!v->loop || name.n <= v->name.n ||
		    !str_eq(str_head(name, v->name.n), v->name))
			continue;
		rest = str_from(name, v->name.n);
		if (str_is(rest, "_index")) {
			*out = FM_NUMBER((double)v->index);
			return true;
		}
		if (str_is(rest, "_has_next")) {
			*out = FM_BOOL(v->has_next);
			return true;
		}
	}
	return false;
}

static int
eval_name(struct fm_run *r, const struct fm_expr *e, struct fm_value *out)
{
	const struct fm_var *v = fm_find_var(r, e->text);

	if (v) {
		*out = v->value;
		return 0;
	}
	if (loop_state(r, e->text, out))
		return 0;
	return fm_root(r, e, e->text, out);
}

/* ---- indexes ------------------------------------------------------------ */

/* How many characters: that of bytes that do not go on with another one. */
static size_t
characters(struct str s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += ((unsigned char)s.p[i] & 0xC0) != 0x80;
	return n;
}

static struct str
part(struct str s, size_t from, size_t count)
{
	size_t begin = 0, end;

	for (; begin < s.n && from; from--)
		do
			begin++;
		while (begin < s.n && ((unsigned char)s.p[begin] & 0xC0) == 0x80);
	for (end = begin; end < s.n && count; count--)
		do
			end++;
		while (end < s.n && ((unsigned char)s.p[end] & 0xC0) == 0x80);
	return (struct str){ s.p + begin, end - begin };
}

static int
bad_index(struct fm_run *r, const struct fm_expr *at, double index,
    size_t size)
{
	return fm_fail(r, at, ERR_VALUE, "Range start or end index %g is out "
	    "of bounds, because the sliced value has only %zu items", index,
	    size);
}

static int
slice(struct fm_run *r, const struct fm_expr *e, const struct fm_value *v,
    const struct fm_value *range, struct fm_value *out)
{
	struct str text = STR_NULL;
	size_t size, count = range->range.count;
	struct fm_value *item;
	double last = range->range.from +
	    range->range.step * ((double)count - 1);

	if (!fm_is_list(v) && fm_string(r, e->a, v, &text) < 0)
		return -1;
	size = text.p ? characters(text) : fm_size(v);
	if (count && (range->range.from < 0 || last < 0 ||
	    range->range.from >= (double)size || last >= (double)size))
		return bad_index(r, e->b, last >= (double)size ? last :
		    range->range.from, size);
	if (text.p) {
		if (range->range.step < 0 && count > 1)
			return fm_fail(r, e->b, ERR_VALUE, "Decreasing ranges "
			    "aren't allowed for slicing strings");
		*out = FM_STRING(part(text, (size_t)range->range.from,
		    count));
		return 0;
	}
	if (fm_take(r, e, count * sizeof(*item)) < 0)
		return -1;
	item = arena_alloc(r->arena, (count + 1) * sizeof(*item));
	for (size_t i = 0; i < count; i++)
		if (fm_at(r, e, v, (size_t)(range->range.from +
		    range->range.step * (double)i), &item[i]) < 0)
			return -1;
	*out = (struct fm_value){ .type = FM_V_LIST, .list = { item, count } };
	return 0;
}

static int
index_number(struct fm_run *r, const struct fm_expr *e,
    const struct fm_value *v, double index, struct fm_value *out)
{
	struct str text;

	*out = (struct fm_value){ .type = FM_V_NONE };
	if (index != floor(index) || fabs(index) > 1e9)
		return fm_fail(r, e->b, ERR_VALUE, "%g is no index", index);
	if (fm_is_list(v)) {
		if (index < 0)
			return fm_fail(r, e->b, ERR_VALUE,
			    "Negative index: %g", index);
		return fm_at(r, e, v, (size_t)index, out);
	}
	if (!fm_is_string(v))
		return fm_expected(r, e->a, "sequence or string", v);
	if (fm_string(r, e->a, v, &text) < 0)
		return -1;
	if (index < 0 || index >= (double)characters(text))
		return bad_index(r, e->b, index, characters(text));
	*out = FM_STRING(part(text, (size_t)index, 1));
	return 0;
}

static int
eval_index(struct fm_run *r, const struct fm_expr *e, struct fm_value *out)
{
	struct fm_value box, key;
	struct str name;

	if (fm_eval_present(r, e->a, &box) < 0 ||
	    fm_eval_present(r, e->b, &key) < 0)
		return -1;
	if (key.type == FM_V_NUMBER)
		return index_number(r, e, &box, key.n, out);
	if (key.type == FM_V_RANGE)
		return slice(r, e, &box, &key, out);
	if (!fm_is_string(&key))
		return fm_expected(r, e->b, "number, string or range", &key);
	if (fm_string(r, e->b, &key, &name) < 0)
		return -1;
	return fm_member(r, e->a, &box, name, out);
}

/* ---- others ------------------------------------------------------------- */

static int
eval_list(struct fm_run *r, const struct fm_expr *e, struct fm_value *out)
{
	struct fm_value *item;
	size_t n = 0;

	for (const struct fm_expr *k = e->b; k; k = k->next)
		n++;
	if (fm_take(r, e, n * sizeof(*item)) < 0)
		return -1;
	item = arena_alloc(r->arena, (n + 1) * sizeof(*item));
	n = 0;
	for (const struct fm_expr *k = e->b; k; k = k->next)
		if (fm_eval_present(r, k, &item[n++]) < 0)
			return -1;
	*out = (struct fm_value){ .type = FM_V_LIST, .list = { item, n } };
	return 0;
}

/* In brackets, whatever is missing inside is meant; else the last step. */
int
fm_eval_or_missing(struct fm_run *r, const struct fm_expr *e,
    struct fm_value *out)
{
	if (fm_eval(r, e, out) == 0)
		return 0;
	if (e->op != FM_OP_PAREN || r->err->kind != ERR_NOTFOUND)
		return -1;
	*out = (struct fm_value){ .type = FM_V_NONE };
	*r->err = (struct err){ .kind = ERR_NONE };
	return 0;
}

static int
eval_default(struct fm_run *r, const struct fm_expr *e, struct fm_value *out)
{
	if (fm_eval_or_missing(r, e->a, out) < 0)
		return -1;
	if (out->type != FM_V_NONE)
		return 0;
	if (e->b)
		return fm_eval(r, e->b, out);
	*out = FM_STRING(STR(""));
	return 0;
}

static int
eval_sign(struct fm_run *r, const struct fm_expr *e, struct fm_value *out)
{
	double x;

	if (fm_eval_number(r, e->a, &x) < 0)
		return -1;
	*out = FM_NUMBER(e->op == FM_OP_NEGATE ? -x : x);
	return 0;
}

static int
eval_logic(struct fm_run *r, const struct fm_expr *e, struct fm_value *out)
{
	bool truth;

	if (fm_eval_truth(r, e->a, &truth) < 0)
		return -1;
	if (e->op == FM_OP_NOT)
		truth = !truth;
	else if (truth == (e->op == FM_OP_AND) &&
	    fm_eval_truth(r, e->b, &truth) < 0)
		return -1;
	*out = FM_BOOL(truth);
	return 0;
}

static int
eval_range(struct fm_run *r, const struct fm_expr *e, struct fm_value *out)
{
	double from, to, count;

	if (fm_eval_number(r, e->a, &from) < 0 ||
	    fm_eval_number(r, e->b, &to) < 0)
		return -1;
	from = trunc(from);
	to = trunc(to);
	count = e->op == FM_OP_RANGE_COUNT ? fabs(to) :
	    fabs(to - from) + (e->op == FM_OP_RANGE);
	if (!(fabs(from) < 1e9 && count < 1e9))
		return fm_fail(r, e, ERR_LIMIT, "the range is too long");
	*out = (struct fm_value){ .type = FM_V_RANGE, .range = { .from = from,
	    .step = (e->op == FM_OP_RANGE_COUNT ? to < 0 : to < from) ? -1 : 1,
	    .count = (size_t)count } };
	return 0;
}

static int
eval_exists(struct fm_run *r, const struct fm_expr *e, struct fm_value *out)
{
	struct fm_value v;

	if (fm_eval_or_missing(r, e->a, &v) < 0)
		return -1;
	*out = FM_BOOL(v.type != FM_V_NONE);
	return 0;
}

static int
eval_dot(struct fm_run *r, const struct fm_expr *e, struct fm_value *out)
{
	struct fm_value box;

	if (fm_eval_present(r, e->a, &box) < 0)
		return -1;
	return fm_member(r, e->a, &box, e->text, out);
}

int
fm_eval(struct fm_run *r, const struct fm_expr *e, struct fm_value *out)
{
	struct str text;

	if (fm_step(r, e) < 0)
		return -1;
	switch (e->op) {
	case FM_OP_STRING:
		*out = FM_STRING(e->text);
		return 0;
	case FM_OP_NUMBER:
		*out = FM_NUMBER(e->number);
		return 0;
	case FM_OP_TRUE:
	case FM_OP_FALSE:
		*out = FM_BOOL(e->op == FM_OP_TRUE);
		return 0;
	case FM_OP_LIST:
		return eval_list(r, e, out);
	case FM_OP_NAME:
		return eval_name(r, e, out);
	case FM_OP_DOT:
		return eval_dot(r, e, out);
	case FM_OP_INDEX:
		return eval_index(r, e, out);
	case FM_OP_BUILTIN:
		return fm_builtin_call(r, e, out);
	case FM_OP_PAREN:
		return fm_eval(r, e->a, out);
	case FM_OP_DEFAULT:
		return eval_default(r, e, out);
	case FM_OP_EXISTS:
		return eval_exists(r, e, out);
	case FM_OP_TEXT:
		if (fm_eval_text(r, e->a, &text) < 0)
			return -1;
		*out = FM_STRING(text);
		return 0;
	case FM_OP_NEGATE:
	case FM_OP_PLUS:
		return eval_sign(r, e, out);
	case FM_OP_NOT:
	case FM_OP_AND:
	case FM_OP_OR:
		return eval_logic(r, e, out);
	case FM_OP_RANGE:
	case FM_OP_RANGE_BELOW:
	case FM_OP_RANGE_COUNT:
		return eval_range(r, e, out);
	case FM_OP_ADD:
	case FM_OP_SUBTRACT:
	case FM_OP_MULTIPLY:
	case FM_OP_DIVIDE:
	case FM_OP_MODULO:
	case FM_OP_EQ:
	case FM_OP_NE:
	case FM_OP_LT:
	case FM_OP_LE:
	case FM_OP_GT:
	case FM_OP_GE:
		break;
	}
	return fm_binary(r, e, out);
}
