/* SPDX-License-Identifier: Apache-2.0 */
#include "msg/expr_synapse.h"

#include <math.h>
#include <string.h>
#include "base/must.h"
#include "msg/json.h"

struct sx
sx_string(struct str s)
{
	if (s.n >= 2 && (s.p[0] == '"' || s.p[0] == '\'') &&
	    s.p[s.n - 1] == s.p[0])
		s = str_head(str_from(s, 1), s.n - 2);
	return (struct sx){ .type = SX_STRING, .s = s };
}

struct sx
sx_bool(bool b)
{
	return (struct sx){ .type = SX_BOOL, .b = b };
}

struct sx
sx_int(int64_t i)
{
	bool fits = i >= INT32_MIN && i <= INT32_MAX;

	return (struct sx){ .type = fits ? SX_INT : SX_LONG, .i = i };
}

struct sx
sx_double(double d)
{
	return (struct sx){ .type = SX_DOUBLE, .d = d };
}

/* Double.parseDouble() takes more than JSON does: blanks, d and f behind. */
static bool
parse_double(struct str s, double *out)
{
	s = str_trim(s);
	if (s.n > 1 && strchr("dDfF", s.p[s.n - 1]))
		s.n--;
	if (str_to_double(s, out))
		return true;
	if (str_is(s, "NaN"))
		*out = (double)NAN;
	else if (str_is(s, "Infinity") || str_is(s, "+Infinity"))
		*out = HUGE_VAL;
	else if (str_is(s, "-Infinity"))
		*out = -HUGE_VAL;
	else
		return false;
	return true;
}

struct sx
sx_of_text(struct str s)
{
	int64_t i;
	double d;

	if (str_to_i64(s, &i))
		return sx_int(i);
	if (parse_double(s, &d))
		return sx_double(d);
	return sx_string(s);
}

static struct sx
number_of_json(const struct cJSON *node, bool lazy)
{
	struct str text = json_number_text(node);
	int64_t i;
	struct sx v;

	if (str_to_i64(text, &i))
		v = sx_int(i);
	else if (lazy || memchr(text.p, '.', text.n))
		v = sx_double(json_number(node));
	else
		v = (struct sx){ .type = SX_BIG, .s = text };
	v.lazy = lazy;
	v.spelled = text;
	v.node = node;
	return v;
}

struct sx
sx_of_json(const struct cJSON *node, bool lazy, struct arena *arena)
{
	struct sx v = { .type = SX_JSON };

	switch (json_type_of(node)) {
	case JSON_NULL:
		return (struct sx){ .type = SX_NULL };
	case JSON_FALSE:
	case JSON_TRUE:
		v = sx_bool(json_type_of(node) == JSON_TRUE);
		break;
	case JSON_NUMBER:
		return number_of_json(node, lazy);
	case JSON_STRING:
		v = (struct sx){ .type = SX_STRING,
			.s = json_string(node, arena) };
		break;
	case JSON_ARRAY:
	case JSON_OBJECT:
		break;
	}
	v.node = node;
	return v;
}

struct sx
sx_of_value(const struct value *v, struct arena *arena)
{
	switch (v->type) {
	case VALUE_NULL:
		return (struct sx){ .type = SX_NULL };
	case VALUE_BOOL:
		return sx_bool(v->b);
	case VALUE_SHORT:
	case VALUE_INT:
		return (struct sx){ .type = SX_INT, .i = v->i };
	case VALUE_LONG:
		return (struct sx){ .type = SX_LONG, .i = v->i };
	case VALUE_FLOAT:
	case VALUE_DOUBLE:
		return sx_double(v->d);
	case VALUE_JSON:
		return sx_of_json(v->json, true, arena);
	case VALUE_XML:
		return (struct sx){ .type = SX_XML, .xml = *v };
	case VALUE_STRING:
	case VALUE_OBJECT:
		return sx_string(value_text(v, arena));
	}
	unreachable();
}

struct str
sx_text(const struct sx *v, struct arena *arena)
{
	if (v->lazy)
		return v->spelled;
	switch (v->type) {
	case SX_NULL:
		return STR("null");
	case SX_STRING:
	case SX_BIG:
		return v->s;
	case SX_BOOL:
		return v->b ? STR("true") : STR("false");
	case SX_INT:
	case SX_LONG:
		return arena_printf(arena, "%lld", (long long)v->i);
	case SX_DOUBLE:
		return value_double_text(v->d, arena);
	case SX_JSON:
		return json_text(v->node, arena);
	case SX_XML:
		return value_text(&v->xml, arena);
	}
	unreachable();
}

/* What came out of JSON stays JSON. */
void
sx_value(const struct sx *v, struct value *out)
{
	if (v->node) {
		*out = (struct value){ .type = VALUE_JSON, .json = v->node };
		return;
	}
	switch (v->type) {
	case SX_NULL:
	case SX_JSON:
		*out = VALUE_OF_STR(STR(""));
		return;
	case SX_STRING:
	case SX_BIG:
		*out = VALUE_OF_STR(v->s);
		return;
	case SX_BOOL:
		*out = VALUE_OF_BOOL(v->b);
		return;
	case SX_INT:
	case SX_LONG:
		*out = VALUE_OF_INT(v->i);
		out->type = v->type == SX_INT ? VALUE_INT : VALUE_LONG;
		return;
	case SX_DOUBLE:
		*out = (struct value){ .type = VALUE_DOUBLE, .d = v->d };
		return;
	case SX_XML:
		*out = v->xml;
		return;
	}
	unreachable();
}

bool
sx_is_integer(const struct sx *v)
{
	return v->type == SX_INT;
}

bool
sx_is_double(const struct sx *v)
{
	return v->type == SX_DOUBLE ||
	    (v->lazy && (v->type == SX_INT || v->type == SX_LONG));
}

bool
sx_is_numeric(const struct sx *v)
{
	return v->type == SX_INT || v->type == SX_LONG || v->type == SX_DOUBLE;
}

double
sx_as_double(const struct sx *v)
{
	return v->type == SX_DOUBLE ? v->d : (double)v->i;
}

static const struct cJSON *
box_of_text(struct str s, struct arena *arena)
{
	char *p;
	size_t n = 0;

	if (s.n >= 2 && s.p[0] == '"' && s.p[s.n - 1] == '"')
		s = str_head(str_from(s, 1), s.n - 2);
	if (str_trim(s).n == 0 || !strchr("[{", str_trim(s).p[0]))
		return NULL;
	p = arena_alloc(arena, s.n + 1);
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] != '\\')
			p[n++] = s.p[i];
	p[n] = '\0';
	return json_parse(arena, (struct str){ p, n }, 0, NULL);
}

const struct cJSON *
sx_as_box(const struct sx *v, int want_array, struct arena *arena)
{
	const struct cJSON *box = NULL;

	if (v->type == SX_JSON)
		box = v->node;
	else if (v->type == SX_STRING)
		box = box_of_text(v->s, arena);
	if (!box || json_type_of(box) !=
	    (want_array ? JSON_ARRAY : JSON_OBJECT))
		return NULL;
	return box;
}
