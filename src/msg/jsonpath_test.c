/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a filter takes a value. */
#include "msg/jsonpath_priv.h"

#include <cjson/cJSON.h>
#include <string.h>
#include "base/must.h"
#include "msg/decimal.h"
#include "msg/json.h"
#include "msg/regex.h"
#include "msg/value.h"

static int
type_of(const struct cJSON *node)
{
	return node ? node->type & 0xFF : cJSON_Invalid;
}

static bool
is_box(const struct cJSON *node)
{
	return type_of(node) == cJSON_Object || type_of(node) == cJSON_Array;
}

int
jp_value(const struct jp_operand *operand, struct cJSON *here,
    const struct jp_walk *outer, struct cJSON **out)
{
	struct jp_walk w = { .root = outer->root, .arena = outer->arena,
		.err = outer->err, .budget = outer->budget,
		.depth = outer->depth };
	struct jsonpath_hit at;
	enum jsonpath_result rc;

	*out = operand->kind == JP_LITERAL ? UNCONST(operand->literal) : NULL;
	if (operand->kind != JP_PATH)
		return 0;
	if (operand->path->plain) {
		at.node = operand->path->relative ? here : outer->root;
		if (jp_follow(operand->path, &at, outer->budget) ==
		    JSONPATH_FOUND)
			*out = at.node;
		return 0;
	}
	rc = jp_select(operand->path, here, &w);
	if (rc == JSONPATH_FOUND)
		rc = jp_collect(operand->path, &w, out);
	return rc == JSONPATH_FAILED ? -1 : 0;
}

static int
compare_numbers(const struct cJSON *a, const struct cJSON *b,
    struct arena *arena)
{
	double x = json_number(a), y = json_number(b);
	struct decimal dx, dy;

	if (x != y)
		return x < y ? -1 : 1;
	if (json_number_text(a).n <= 15 && json_number_text(b).n <= 15)
		return 0;
	if (!decimal_parse(json_number_text(a), arena, &dx) ||
	    !decimal_parse(json_number_text(b), arena, &dy))
		return 0;
	return decimal_compare(&dx, &dy);
}

static int
compare_strings(struct str a, struct str b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int rc = n ? memcmp(a.p, b.p, n) : 0;

	return rc ? rc : a.n < b.n ? -1 : a.n > b.n;
}

/* A string on the left is compared with the number's text, one on the right
 * is read as a number. */
static bool
equal_mixed(const struct cJSON *a, const struct cJSON *b, struct arena *arena)
{
	struct decimal x, y;

	if (type_of(a) == cJSON_String)
		return str_eq(json_string(a, arena),
		    jsonpath_number_text(json_number_text(b), arena));
	return decimal_parse(json_string(b, arena), arena, &y) &&
	    decimal_parse(json_number_text(a), arena, &x) &&
	    decimal_compare(&x, &y) == 0;
}

static bool equal(const struct cJSON *, const struct cJSON *,
    const struct jp_walk *);

static bool
equal_lists(const struct cJSON *a, const struct cJSON *b,
    const struct jp_walk *w)
{
	const struct cJSON *x = a->child, *y = b->child;

	for (; x && y; x = x->next, y = y->next)
		if (!equal(x, y, w))
			return false;
	return !x && !y;
}

static bool
equal_objects(const struct cJSON *a, const struct cJSON *b,
    const struct jp_walk *w)
{
	if (jp_length(a) != jp_length(b))
		return false;
	for (const struct cJSON *x = a->child; x; x = x->next) {
		const struct cJSON *y = jp_member(b, x->string, w->budget);

		if (!y || !equal(x, y, w))
			return false;
	}
	return true;
}

/* False as well when the budget is used up; jp_accept() sees to that. */
static bool
equal(const struct cJSON *a, const struct cJSON *b, const struct jp_walk *w)
{
	int x = type_of(a), y = type_of(b);

	if (!a || !b || w->budget->steps == 0)
		return false;
	jp_charge(w->budget, 1);
	if ((x == cJSON_String && y == cJSON_Number) ||
	    (x == cJSON_Number && y == cJSON_String))
		return equal_mixed(a, b, w->arena);
	if (x != y)
		return false;
	if (x == cJSON_Number)
		return compare_numbers(a, b, w->arena) == 0;
	if (x == cJSON_String)
		return str_eq(json_string(a, w->arena),
		    json_string(b, w->arena));
	if (x == cJSON_Array)
		return equal_lists(a, b, w);
	if (x == cJSON_Object)
		return equal_objects(a, b, w);
	return true;
}

/* Numbers with numbers and strings with strings; false for others. */
static bool
order(const struct cJSON *a, const struct cJSON *b, struct arena *arena,
    int *out)
{
	if (type_of(a) == cJSON_Number && type_of(b) == cJSON_Number)
		*out = compare_numbers(a, b, arena);
	else if (type_of(a) == cJSON_String && type_of(b) == cJSON_String)
		*out = compare_strings(json_string(a, arena),
		    json_string(b, arena));
	else
		return false;
	return true;
}

static bool
list_has(const struct cJSON *list, const struct cJSON *value,
    const struct jp_walk *w)
{
	if (type_of(list) != cJSON_Array)
		return false;
	for (const struct cJSON *c = list->child; c; c = c->next)
		if (equal(c, value, w))
			return true;
	return false;
}

enum quantity { HAS_ALL, HAS_ANY };

/* How many of part are in list. */
static bool
lists_meet(const struct cJSON *part, const struct cJSON *list,
    enum quantity quantity, const struct jp_walk *w)
{
	for (const struct cJSON *c = part->child; c; c = c->next)
		if (list_has(list, c, w) != (quantity == HAS_ALL))
			return quantity == HAS_ANY;
	return quantity == HAS_ALL;
}

static bool
both_lists(const struct cJSON *a, const struct cJSON *b)
{
	return type_of(a) == cJSON_Array && type_of(b) == cJSON_Array;
}

static bool
contains(const struct cJSON *a, const struct cJSON *b,
    const struct jp_walk *w)
{
	struct str text, part;

	if (type_of(a) != cJSON_String || type_of(b) != cJSON_String)
		return list_has(a, b, w);
	text = json_string(a, w->arena);
	part = json_string(b, w->arena);
	jp_charge(w->budget, text.n / 16);
	return part.n == 0 || str_search(text, part) < text.n;
}

/* Characters of a string as Java counts them: beyond U+FFFF they are two. */
static long
utf16_length(struct str s)
{
	long n = 0;

	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		n += (c & 0xC0) != 0x80;
		n += c >= 0xF0;
	}
	return n;
}

static bool
has_size(const struct cJSON *a, const struct cJSON *b, struct arena *arena)
{
	long size;

	if (type_of(b) != cJSON_Number)
		return false;
	if (type_of(a) == cJSON_String)
		size = utf16_length(json_string(a, arena));
	else if (type_of(a) == cJSON_Array)
		size = jp_length(a);
	else
		return false;
	return (double)size == json_number(b);
}

static bool
is_empty(const struct cJSON *a, const struct cJSON *b, struct arena *arena)
{
	bool wanted = type_of(b) == cJSON_True;

	if (type_of(a) == cJSON_String)
		return (json_string(a, arena).n == 0) == wanted;
	return is_box(a) && !a->child == wanted;
}

static struct str
text_to_match(const struct cJSON *value, struct arena *arena)
{
	switch (type_of(value)) {
	case cJSON_String:
		return json_string(value, arena);
	case cJSON_Number:
		return jsonpath_number_text(json_number_text(value), arena);
	case cJSON_True:
		return STR("true");
	case cJSON_False:
		return STR("false");
	default:
		return STR("");
	}
}

static int
match_one(const struct regex *pattern, const struct cJSON *value,
    const struct jp_walk *w)
{
	struct str text = text_to_match(value, w->arena);

	if (w->budget->steps == 0)
		return jp_too_much(w->err);
	jp_charge(w->budget, 50 + text.n);
	return regex_matches(pattern, text, w->err);
}

/* A list matches when one of its elements does. */
static int
match(const struct regex *pattern, const struct cJSON *value,
    const struct jp_walk *w)
{
	if (type_of(value) != cJSON_Array)
		return match_one(pattern, value, w);
	for (const struct cJSON *c = value->child; c; c = c->next) {
		int rc = match_one(pattern, c, w);

		if (rc != 0)
			return rc;
	}
	return 0;
}

static int
match_operands(const struct jp_filter *f, const struct cJSON *a,
    const struct cJSON *b, const struct jp_walk *w)
{
	if ((f->left.kind == JP_PATTERN) == (f->right.kind == JP_PATTERN))
		return 0;
	if (f->left.kind == JP_PATTERN)
		return match(f->left.pattern, b, w);
	return match(f->right.pattern, a, w);
}

static bool
in_order(enum jp_operator op, const struct cJSON *a, const struct cJSON *b,
    struct arena *arena)
{
	int sign;

	if (!order(a, b, arena, &sign))
		return false;
	if (op == JP_LT)
		return sign < 0;
	if (op == JP_LE)
		return sign <= 0;
	return op == JP_GT ? sign > 0 : sign >= 0;
}

static int
compare(const struct jp_filter *f, struct cJSON *a, struct cJSON *b,
    const struct jp_walk *w)
{
	switch (f->op) {
	case JP_EXISTS:
		return (a != NULL) == f->wanted;
	case JP_EQ:
		return equal(a, b, w);
	case JP_NE:
		return !equal(a, b, w);
	case JP_SAME:
		return type_of(a) == type_of(b) && equal(a, b, w);
	case JP_NOT_SAME:
		return type_of(a) != type_of(b) || !equal(a, b, w);
	case JP_LT:
	case JP_LE:
	case JP_GT:
	case JP_GE:
		return in_order(f->op, a, b, w->arena);
	case JP_MATCHES:
		return match_operands(f, a, b, w);
	case JP_IN:
		return list_has(b, a, w);
	case JP_NOT_IN:
		return !list_has(b, a, w);
	case JP_SUBSET_OF:
		return both_lists(a, b) && lists_meet(a, b, HAS_ALL, w);
	case JP_ANY_OF:
		return both_lists(a, b) && lists_meet(a, b, HAS_ANY, w);
	case JP_NONE_OF:
		return both_lists(a, b) && !lists_meet(a, b, HAS_ANY, w);
	case JP_ALL:
		return is_box(a) && type_of(b) == cJSON_Array &&
		    (type_of(a) != cJSON_Array || lists_meet(b, a, HAS_ALL, w));
	case JP_CONTAINS:
		return contains(a, b, w);
	case JP_SIZE:
		return has_size(a, b, w->arena);
	case JP_EMPTY:
		return is_empty(a, b, w->arena);
	}
	unreachable();
}

static int
accept_all_or_any(const struct jp_filter *f, struct cJSON *here,
    const struct jp_walk *w, int decisive)
{
	for (const struct jp_filter *c = f->child; c; c = c->next) {
		int rc = jp_accept(c, here, w);

		if (rc == -1 || rc == decisive)
			return rc;
	}
	return !decisive;
}

int
jp_accept(const struct jp_filter *f, struct cJSON *here,
    const struct jp_walk *w)
{
	struct cJSON *a, *b;
	int rc;

	switch (f->kind) {
	case JP_OR:
		return accept_all_or_any(f, here, w, 1);
	case JP_AND:
		return accept_all_or_any(f, here, w, 0);
	case JP_NOT:
		rc = jp_accept(f->child, here, w);
		return rc == -1 ? -1 : !rc;
	case JP_TEST:
		if (jp_value(&f->left, here, w, &a) == -1 ||
		    jp_value(&f->right, here, w, &b) == -1)
			return -1;
		rc = compare(f, a, b, w);
		return w->budget->steps ? rc : jp_too_much(w->err);
	}
	unreachable();
}
