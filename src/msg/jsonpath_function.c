/* SPDX-License-Identifier: Apache-2.0 */
/* length() keys() sum() and the like. What cannot be computed is absent. */
#include "msg/jsonpath_priv.h"

#include <cjson/cJSON.h>
#include <math.h>
#include "base/buf.h"
#include "base/must.h"
#include "msg/json.h"
#include "msg/value.h"

struct statistics {
	size_t count;
	double sum, squares, min, max;
};

static int
type_of(const struct cJSON *node)
{
	return node ? node->type & 0xFF : cJSON_Invalid;
}

static bool
is_box(const struct cJSON *node)
{
	return type_of(node) == cJSON_Array || type_of(node) == cJSON_Object;
}

static void
take_number(struct statistics *st, const struct cJSON *node)
{
	double d;

	if (type_of(node) != cJSON_Number)
		return;
	d = json_number(node);
	st->min = st->count == 0 || d < st->min ? d : st->min;
	st->max = st->count == 0 || d > st->max ? d : st->max;
	st->sum += d;
	st->squares += d * d;
	st->count++;
}

static void
take_numbers(struct statistics *st, const struct cJSON *node)
{
	if (type_of(node) != cJSON_Array) {
		take_number(st, node);
		return;
	}
	for (const struct cJSON *c = node->child; c; c = c->next)
		take_number(st, c);
}

static double
aggregate(enum jp_function id, const struct statistics *st)
{
	double n = (double)st->count;

	if (id == JP_MIN)
		return st->min;
	if (id == JP_MAX)
		return st->max;
	if (id == JP_AVG)
		return st->sum / n;
	if (id == JP_STDDEV)
		return sqrt(st->squares / n - st->sum * st->sum / n / n);
	return st->sum;
}

static struct cJSON *
call_aggregate(const struct jp_step *step, const struct cJSON *model,
    struct cJSON **args, struct arena *arena)
{
	struct statistics st = { 0 };

	if (type_of(model) == cJSON_Array)
		take_numbers(&st, model);
	for (size_t i = 0; i < step->count; i++)
		take_numbers(&st, args[i]);
	if (st.count == 0)
		return NULL;
	return json_new_number(arena, value_double_text(
	    aggregate(step->function.id, &st), arena));
}

static struct cJSON *
call_length(const struct cJSON *model, struct arena *arena)
{
	if (!is_box(model))
		return NULL;
	return json_new_number(arena,
	    arena_printf(arena, "%ld", jp_length(model)));
}

static struct cJSON *
call_keys(const struct cJSON *model, struct arena *arena)
{
	struct cJSON *keys;

	if (type_of(model) != cJSON_Object)
		return NULL;
	keys = json_new_array(arena);
	for (const struct cJSON *c = model->child; c; c = c->next)
		json_append(keys, json_new_string(arena,
		    json_key(c, arena)));
	return keys;
}

static struct cJSON *
call_element(const struct jp_step *step, const struct cJSON *model,
    struct cJSON **args, struct jp_budget *budget)
{
	long index = step->function.id == JP_LAST ? -1 : 0;

	if (type_of(model) != cJSON_Array)
		return NULL;
	if (step->function.id == JP_ELEMENT) {
		double d;

		if (step->count != 1 || type_of(args[0]) != cJSON_Number)
			return NULL;
		d = json_number(args[0]);
		if (!(fabs(d) < 1e9))
			return NULL;
		index = (long)d;
	}
	return jp_element(model, index, budget);
}

static void
add_texts(struct buf *b, const struct cJSON *node, struct arena *arena)
{
	if (type_of(node) == cJSON_String)
		buf_add_str(b, json_string(node, arena));
	if (type_of(node) != cJSON_Array)
		return;
	for (const struct cJSON *c = node->child; c; c = c->next)
		if (type_of(c) == cJSON_String)
			buf_add_str(b, json_string(c, arena));
}

static struct cJSON *
call_concat(const struct jp_step *step, const struct cJSON *model,
    struct cJSON **args, struct arena *arena)
{
	struct buf b = { 0 };
	struct cJSON *result;

	if (type_of(model) == cJSON_Array)
		add_texts(&b, model, arena);
	for (size_t i = 0; i < step->count; i++)
		add_texts(&b, args[i], arena);
	result = json_new_string(arena, buf_str(&b));
	buf_fini(&b);
	return result;
}

/* The document stays as it is: a new array shows the appended values. */
static struct cJSON *
call_append(const struct jp_step *step, struct cJSON *model,
    struct cJSON **args, struct arena *arena)
{
	struct cJSON *list;

	if (type_of(model) != cJSON_Array)
		return model;
	list = json_new_array(arena);
	for (const struct cJSON *c = model->child; c; c = c->next)
		json_append(list, jp_copy(c, false, arena));
	for (size_t i = 0; i < step->count; i++)
		if (args[i])
			json_append(list, jp_copy(args[i], false, arena));
	return list;
}

static struct cJSON *
call(const struct jp_step *step, struct cJSON *model, struct cJSON **args,
    struct jp_walk *w)
{
	struct arena *arena = w->arena;

	switch (step->function.id) {
	case JP_LENGTH:
	case JP_SIZE_OF:
		return call_length(step->count ? args[0] : model, arena);
	case JP_KEYS:
		return call_keys(model, arena);
	case JP_MIN:
	case JP_MAX:
	case JP_AVG:
	case JP_SUM:
	case JP_STDDEV:
		return call_aggregate(step, model, args, arena);
	case JP_FIRST:
	case JP_LAST:
	case JP_ELEMENT:
		return call_element(step, model, args, w->budget);
	case JP_CONCAT:
		return call_concat(step, model, args, arena);
	case JP_APPEND:
		return call_append(step, model, args, arena);
	case JP_FUNCTION_COUNT:
		break;
	}
	unreachable();
}

enum jsonpath_result
jp_call(const struct jp_step *step, struct cJSON *model, struct jp_walk *w,
    struct cJSON **out)
{
	struct cJSON **args = NULL;

	if (step->count)
		args = arena_alloc(w->arena, step->count * sizeof(struct cJSON *));
	for (size_t i = 0; i < step->count; i++)
		if (jp_value(&step->function.args[i], model, w, &args[i]) == -1)
			return JSONPATH_FAILED;
	*out = call(step, model, args, w);
	return *out ? JSONPATH_FOUND : JSONPATH_ABSENT;
}
