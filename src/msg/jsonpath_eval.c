/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Walking a document along a path. What counts as absent follows the reference:
 * only a step that all definite steps lead to can miss; behind the first
 * indefinite step whatever does not fit is left out.
 */
#include "msg/jsonpath.h"

#include <cjson/cJSON.h>
#include <string.h>
#include "base/must.h"
#include "msg/decimal.h"
#include "msg/json.h"
#include "msg/jsonpath_priv.h"
#include "msg/value.h"

/* One place on the way. */
struct place {
	struct cJSON *node, *parent;
	bool by_key;
};

static enum jsonpath_result walk(struct jp_walk *, const struct jp_step *,
    struct place);

static int
type_of(const struct cJSON *node)
{
	return node->type & 0xFF;
}

static bool
is_object(const struct cJSON *node)
{
	return type_of(node) == cJSON_Object;
}

static bool
is_array(const struct cJSON *node)
{
	return type_of(node) == cJSON_Array;
}

/* Of members that share a name the last one counts. */
struct cJSON *
jp_member(const struct cJSON *object, const char *key,
    struct jp_budget *budget)
{
	struct cJSON *found = NULL;
	size_t cost = 0;

	for (struct cJSON *c = object->child; c; c = c->next, cost++)
		if (c->string[0] == key[0] && strcmp(c->string, key) == 0)
			found = c;
	jp_charge(budget, cost / 8);
	return found;
}

long
jp_length(const struct cJSON *box)
{
	long n = 0;

	for (const struct cJSON *c = box->child; c; c = c->next)
		n++;
	return n;
}

struct cJSON *
jp_element(const struct cJSON *array, long index, struct jp_budget *budget)
{
	struct cJSON *c = array->child;
	size_t cost = 0;

	if (index < 0) {
		index += jp_length(array);
		cost = (size_t)jp_length(array);
	}
	if (index < 0)
		return NULL;
	for (; c && index > 0; index--, cost++)
		c = c->next;
	jp_charge(budget, cost / 8);
	return c;
}

void
jp_add(struct jp_walk *w, struct cJSON *node, struct cJSON *parent,
    bool by_key)
{
	struct jsonpath_hits *hits = &w->hits;

	if (hits->count == w->room) {
		size_t room = w->room ? w->room * 2 : 8;
		struct jsonpath_hit *more = arena_alloc(w->arena,
		    room * sizeof(*more));

		if (hits->count)
			memcpy(more, hits->hit, hits->count * sizeof(*more));
		hits->hit = more;
		w->room = room;
	}
	hits->hit[hits->count++] = (struct jsonpath_hit){ .node = node,
		.parent = parent, .by_key = by_key };
}

static bool
spend(struct jp_walk *w)
{
	if (w->budget->steps == 0 || w->depth >= JP_WALK_DEPTH_MAX ||
	    arena_used(w->arena) > w->budget->memory_end)
		return false;
	w->budget->steps--;
	return true;
}

static struct jp_budget
new_budget(const struct arena *arena)
{
	return (struct jp_budget){ .steps = JP_STEPS_MAX,
		.memory_end = arena_used(arena) + JP_MEMORY_MAX };
}

int
jp_too_much(struct err *err)
{
	return err_set(err, ERR_LIMIT,
	    "the JSONPath looks at too many or too deeply nested values");
}

static enum jsonpath_result
too_much(struct jp_walk *w)
{
	(void)jp_too_much(w->err);
	return JSONPATH_FAILED;
}

/* The rest of the path from there; a path that ends there has found it. */
static enum jsonpath_result
go_on(struct jp_walk *w, const struct jp_step *next, struct place at)
{
	if (next && !(w->gather && next->kind == JP_FUNCTION))
		return walk(w, next, at);
	jp_add(w, at.node, at.parent, at.by_key);
	return JSONPATH_FOUND;
}

static enum jsonpath_result
misfit(const struct jp_step *step)
{
	return step->after_definite ? JSONPATH_ABSENT : JSONPATH_FOUND;
}

static enum jsonpath_result
walk_name(struct jp_walk *w, const struct jp_step *step, struct str name,
    struct place at)
{
	struct cJSON *member;

	if (!is_object(at.node))
		return misfit(step);
	member = jp_member(at.node, name.p, w->budget);
	if (!member)
		return step->next && step->kind == JP_NAME ? misfit(step) :
		    JSONPATH_FOUND;
	return go_on(w, step->next, (struct place){ member, at.node, true });
}

/* ['a','b'] at the end: one object of those that exist. */
static enum jsonpath_result
merge_names(struct jp_walk *w, const struct jp_step *step, struct place at)
{
	struct cJSON *merged;

	if (!is_object(at.node))
		return misfit(step);
	merged = json_new_object(w->arena);
	for (size_t i = 0; i < step->count; i++) {
		struct cJSON *member = jp_member(at.node, step->names[i].p,
		    w->budget);

		if (member)
			json_set(w->arena, merged, step->names[i],
			    jp_copy(member, true, w->arena));
	}
	jp_add(w, merged, NULL, true);
	return JSONPATH_FOUND;
}

static enum jsonpath_result
walk_names(struct jp_walk *w, const struct jp_step *step, struct place at)
{
	if (!step->next && w->mode == JP_READING)
		return merge_names(w, step, at);
	for (size_t i = 0; i < step->count; i++) {
		enum jsonpath_result rc = walk_name(w, step, step->names[i],
		    at);

		if (rc != JSONPATH_FOUND)
			return rc;
	}
	return JSONPATH_FOUND;
}

static enum jsonpath_result
walk_index(struct jp_walk *w, const struct jp_step *step, long index,
    struct place at)
{
	struct cJSON *item = jp_element(at.node, index,
	    w->budget);

	if (!item)
		return JSONPATH_FOUND;
	return go_on(w, step->next, (struct place){ item, at.node, false });
}

static enum jsonpath_result
walk_indices(struct jp_walk *w, const struct jp_step *step, struct place at)
{
	if (!is_array(at.node))
		return misfit(step);
	for (size_t i = 0; i < step->count; i++) {
		enum jsonpath_result rc = walk_index(w, step, step->indices[i],
		    at);

		if (rc != JSONPATH_FOUND)
			return rc;
	}
	return JSONPATH_FOUND;
}

/*
 * [a:] and [:b] count a negative end from the back. [a:b] does not: it runs
 * from a up to b and each negative index on the way is one from the back.
 */
static void
slice_bounds(const struct jp_step *step, long length, long *from, long *to)
{
	*from = step->slice.has_from ? step->slice.from : 0;
	*to = step->slice.has_to ? step->slice.to : length;
	if (!step->slice.has_to && *from < 0)
		*from = *from + length > 0 ? *from + length : 0;
	if (!step->slice.has_from && *to < 0)
		*to += length;
	if (*from < -length)
		*from = -length;
	if (*to > length)
		*to = length;
}

static enum jsonpath_result
walk_slice(struct jp_walk *w, const struct jp_step *step, struct place at)
{
	long from, to;

	if (!is_array(at.node))
		return misfit(step);
	slice_bounds(step, jp_length(at.node), &from, &to);
	if (from >= 0) {
		struct cJSON *c = from < to ? jp_element(at.node, from,
		    w->budget) : NULL;

		for (; c && from < to; c = c->next, from++) {
			enum jsonpath_result rc = go_on(w, step->next,
			    (struct place){ c, at.node, false });

			if (rc != JSONPATH_FOUND)
				return rc;
		}
		return JSONPATH_FOUND;
	}
	for (; from < to; from++) {
		enum jsonpath_result rc = walk_index(w, step, from, at);

		if (rc != JSONPATH_FOUND)
			return rc;
	}
	return JSONPATH_FOUND;
}

static enum jsonpath_result
walk_any(struct jp_walk *w, const struct jp_step *step, struct place at)
{
	bool by_key = is_object(at.node);

	if (!by_key && !is_array(at.node))
		return JSONPATH_FOUND;
	for (struct cJSON *c = at.node->child; c; c = c->next) {
		enum jsonpath_result rc = go_on(w, step->next,
		    (struct place){ c, at.node, by_key });

		if (rc != JSONPATH_FOUND)
			return rc;
	}
	return JSONPATH_FOUND;
}

static enum jsonpath_result
filter_one(struct jp_walk *w, const struct jp_step *step, struct place at)
{
	int accepted;

	if (!spend(w))
		return too_much(w);
	accepted = jp_accept(step->filter, at.node, w);
	if (accepted == -1)
		return JSONPATH_FAILED;
	return accepted ? go_on(w, step->next, at) : JSONPATH_FOUND;
}

static enum jsonpath_result
walk_filter(struct jp_walk *w, const struct jp_step *step, struct place at)
{
	if (is_object(at.node))
		return filter_one(w, step, at);
	if (!is_array(at.node))
		return misfit(step);
	for (struct cJSON *c = at.node->child; c; c = c->next) {
		enum jsonpath_result rc = filter_one(w, step,
		    (struct place){ c, at.node, false });

		if (rc != JSONPATH_FOUND)
			return rc;
	}
	return JSONPATH_FOUND;
}

static bool
has_all(struct jp_walk *w, const struct jp_step *step,
    const struct cJSON *object)
{
	for (size_t i = 0; i < step->count; i++)
		if (!jp_member(object, step->names[i].p, w->budget))
			return false;
	return true;
}

/* Whether what '..' looks for can be at that place: 1, 0, -1. */
static int
scan_matches(struct jp_walk *w, const struct jp_step *target,
    const struct cJSON *node)
{
	switch (target->kind) {
	case JP_NAME:
		return is_object(node) && jp_member(node, target->names[0].p,
		    w->budget);
	case JP_NAMES:
		return is_object(node) &&
		    (target->next || has_all(w, target, node));
	case JP_INDEX:
	case JP_INDICES:
	case JP_SLICE:
		return is_array(node);
	case JP_ANY:
		return 1;
	case JP_FILTER:
		return jp_accept(target->filter, UNCONST(node), w);
	case JP_SCAN:
	case JP_FUNCTION:
		return 0;
	}
	unreachable();
}

/* The reference applies the steps behind '..[0]' to every element of each
 * array it meets, whatever stands in the brackets. */
static enum jsonpath_result
scan_elements(struct jp_walk *w, const struct jp_step *after,
    struct cJSON *array)
{
	for (struct cJSON *c = array->child; c; c = c->next) {
		enum jsonpath_result rc = walk(w, after,
		    (struct place){ c, array, true });

		if (rc != JSONPATH_FOUND)
			return rc;
	}
	return JSONPATH_FOUND;
}

static enum jsonpath_result
scan(struct jp_walk *w, const struct jp_step *target, struct place at)
{
	enum jsonpath_result rc = JSONPATH_FOUND;
	int matches;

	if (!is_object(at.node) && !is_array(at.node))
		return rc;
	if (!spend(w))
		return too_much(w);
	matches = scan_matches(w, target, at.node);
	if (matches == -1)
		return JSONPATH_FAILED;
	w->depth++;
	if (matches && is_array(at.node) && target->next)
		rc = scan_elements(w, target->next, at.node);
	else if (matches)
		rc = walk(w, target, at);
	for (struct cJSON *c = at.node->child; c && rc == JSONPATH_FOUND;
	    c = c->next)
		rc = scan(w, target,
		    (struct place){ c, at.node, is_object(at.node) });
	w->depth--;
	return rc;
}

static enum jsonpath_result
walk_function(struct jp_walk *w, const struct jp_step *step, struct place at)
{
	struct cJSON *result;
	enum jsonpath_result rc = jp_call(step, at.node, w, &result);
	bool by_key = step->function.id == JP_FIRST ||
	    step->function.id == JP_LAST || step->function.id == JP_ELEMENT;

	if (rc != JSONPATH_FOUND)
		return rc;
	return go_on(w, step->next, (struct place){ result, NULL, by_key });
}

static enum jsonpath_result
walk(struct jp_walk *w, const struct jp_step *step, struct place at)
{
	if (!spend(w))
		return too_much(w);
	switch (step->kind) {
	case JP_NAME:
		return walk_name(w, step, step->names[0], at);
	case JP_NAMES:
		return walk_names(w, step, at);
	case JP_INDEX:
	case JP_INDICES:
		return walk_indices(w, step, at);
	case JP_SLICE:
		return walk_slice(w, step, at);
	case JP_ANY:
		return walk_any(w, step, at);
	case JP_FILTER:
		return walk_filter(w, step, at);
	case JP_SCAN:
		return scan(w, step->next, at);
	case JP_FUNCTION:
		return walk_function(w, step, at);
	}
	unreachable();
}

struct cJSON *
jp_copy(const struct cJSON *node, bool by_key, struct arena *arena)
{
	if (by_key && type_of(node) == cJSON_Number)
		return json_new_number(arena, jsonpath_number_text(
		    json_number_text(node), arena));
	return json_copy(arena, node);
}

/* What is selected may overlap ($..*): the copies are bounded. */
static struct cJSON *
collect_list(struct jp_walk *w)
{
	struct cJSON *list = json_new_array(w->arena);

	for (size_t i = 0; i < w->hits.count; i++) {
		json_append(list, jp_copy(w->hits.hit[i].node,
		    w->hits.hit[i].by_key, w->arena));
		if (arena_used(w->arena) > w->budget->memory_end)
			return NULL;
	}
	return list;
}

enum jsonpath_result
jp_collect(const struct jsonpath *path, struct jp_walk *w, struct cJSON **out)
{
	const struct jsonpath_hit *last;

	if (!path->definite) {
		*out = collect_list(w);
		return *out ? JSONPATH_FOUND : too_much(w);
	}
	last = &w->hits.hit[w->hits.count - 1];
	*out = last->node;
	if (last->by_key && type_of(last->node) == cJSON_Number)
		*out = jp_copy(last->node, true, w->arena);
	return JSONPATH_FOUND;
}

/* $..a.sum(): the function sees all that was found as one array. */
static enum jsonpath_result
call_on_all(struct jp_walk *w, const struct jp_step *function)
{
	struct cJSON *model, *result;
	enum jsonpath_result rc;
	long children = 0;

	if (function->function.id == JP_LENGTH ||
	    function->function.id == JP_SIZE_OF) {
		for (size_t i = 0; i < w->hits.count; i++)
			children += jp_length(w->hits.hit[i].node);
		result = json_new_number(w->arena,
		    arena_printf(w->arena, "%ld", children));
	} else {
		model = collect_list(w);
		if (!model)
			return too_much(w);
		rc = jp_call(function, model, w, &result);
		if (rc != JSONPATH_FOUND)
			return rc;
	}
	w->hits.count = 0;
	jp_add(w, result, NULL, false);
	return JSONPATH_FOUND;
}

static const struct jp_step *
last_step(const struct jsonpath *path)
{
	const struct jp_step *s = path->first;

	while (s->next)
		s = s->next;
	return s;
}

enum jsonpath_result
jp_select(const struct jsonpath *path, struct cJSON *here, struct jp_walk *w)
{
	struct cJSON *start = path->relative ? here : w->root;
	enum jsonpath_result rc;

	if (!path->first) {
		jp_add(w, start, NULL, false);
		return JSONPATH_FOUND;
	}
	w->gather = path->definite && path->first->kind == JP_SCAN;
	rc = walk(w, path->first, (struct place){ start, NULL, false });
	if (rc == JSONPATH_FOUND && w->gather)
		rc = call_on_all(w, last_step(path));
	if (rc == JSONPATH_FOUND && path->definite && w->hits.count == 0)
		return JSONPATH_ABSENT;
	return rc;
}

enum jsonpath_result
jp_follow(const struct jsonpath *path, struct jsonpath_hit *at,
    struct jp_budget *budget)
{
	for (const struct jp_step *s = path->first; s; s = s->next) {
		struct cJSON *box = at->node;

		if (s->kind == JP_NAME && is_object(box))
			at->node = jp_member(box, s->names[0].p, budget);
		else if (s->kind == JP_INDEX && is_array(box))
			at->node = jp_element(box, s->indices[0], budget);
		else
			return JSONPATH_ABSENT;
		if (!at->node)
			return JSONPATH_ABSENT;
		at->parent = box;
		at->by_key = s->kind == JP_NAME;
	}
	return JSONPATH_FOUND;
}

static enum jsonpath_result
absent(const struct jsonpath *path, struct err *err)
{
	(void)err_set(err, ERR_NOTFOUND, "No results for path: %.*s",
	    STR_FMT(path->text));
	return JSONPATH_ABSENT;
}

enum jsonpath_result
jsonpath_select(const struct jsonpath *path, struct cJSON *root,
    struct arena *arena, struct jsonpath_hits *out, struct err *err)
{
	struct jp_budget budget = new_budget(arena);
	struct jp_walk w = { .root = root, .arena = arena, .err = err,
		.budget = &budget, .mode = JP_WRITING };
	enum jsonpath_result rc = jp_select(path, root, &w);

	*out = w.hits;
	return rc == JSONPATH_ABSENT ? absent(path, err) : rc;
}

enum jsonpath_result
jsonpath_read(const struct jsonpath *path, struct cJSON *root,
    struct arena *arena, struct cJSON **out, struct err *err)
{
	struct jp_budget budget = new_budget(arena);
	struct jp_walk w = { .root = root, .arena = arena, .err = err,
		.budget = &budget };
	struct jsonpath_hit at = { .node = root };
	enum jsonpath_result rc;

	if (path->plain) {
		rc = jp_follow(path, &at, &budget);
		w.hits = (struct jsonpath_hits){ &at, 1 };
	} else {
		rc = jp_select(path, root, &w);
	}
	if (rc == JSONPATH_FOUND)
		rc = jp_collect(path, &w, out);
	return rc == JSONPATH_ABSENT ? absent(path, err) : rc;
}

/* Digits alone that an int surely holds: what most numbers are. */
static bool
is_short_integer(struct str s)
{
	size_t i = s.n > 0 && s.p[0] == '-';

	if (s.n - i > 9 || (s.n - i > 1 && s.p[i] == '0') || str_is(s, "-0"))
		return false;
	while (i < s.n && s.p[i] >= '0' && s.p[i] <= '9')
		i++;
	return i == s.n;
}

static bool
fits_long(const struct decimal *d)
{
	struct decimal max = { .digits = STR("9223372036854775807") };
	struct decimal size = *d;

	size.neg = false;
	return decimal_compare(&size, &max) <= 0;
}

/* Integral values that a long holds print as such, larger ones and fractions
 * that no double has exactly as BigDecimal, other fractions as Double. */
struct str
jsonpath_number_text(struct str spelled, struct arena *arena)
{
	struct decimal exact, rounded;
	struct str text;

	if (is_short_integer(spelled) ||
	    !decimal_parse(spelled, arena, &exact))
		return spelled;
	if (exact.scale <= 0) {
		if (fits_long(&exact))
			exact = decimal_round(&exact, 0, arena);
		return decimal_text(&exact, arena);
	}
	text = value_double_text(decimal_double(&exact, arena), arena);
	if (decimal_parse(text, arena, &rounded) &&
	    decimal_compare(&exact, &rounded) == 0)
		return text;
	return decimal_text(&exact, arena);
}
