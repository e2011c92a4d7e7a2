/* SPDX-License-Identifier: Apache-2.0 */
/* XML to JSON (mediation.md 6.3). */
#include "msg/convert.h"

#include <libxml/tree.h>

#include "base/buf.h"
#include "base/utf8.h"
#include "msg/json.h"
#include "msg/xml.h"

enum { MAX_DEPTH = 512 };

struct to_json {
	struct arena *arena;
	struct err *err;
};

/* "_JsonReader_<what>_" at the front of s: what; p == NULL when it is not. */
static struct str
take_mark(struct str s, size_t *len_out)
{
	size_t end;

	if (!str_starts(s, "_JsonReader_"))
		return STR_NULL;
	s = str_from(s, 12);
	end = str_find(s, '_');
	if (end >= s.n)
		return STR_NULL;
	*len_out = 12 + end + 1;
	return str_head(s, end);
}

static void
add_key_part(struct buf *b, struct str name)
{
	while (name.n) {
		size_t len;
		uint64_t code;
		char utf8[4];
		struct str mark = take_mark(name, &len);

		if (mark.p && str_to_u64(mark, &code) && code < 0x110000) {
			buf_add(b, utf8, utf8_encode((uint32_t)code, utf8));
			name = str_from(name, len);
		} else {
			buf_putc(b, name.p[0]);
			name = str_from(name, 1);
		}
	}
}

struct str
convert_name_to_key(struct str name, struct arena *a)
{
	struct buf b = { .p = NULL };
	struct str mark, key;
	size_t len = 0;

	if (str_search(name, STR("_JsonReader_")) >= name.n)
		return name;
	mark = take_mark(name, &len);
	if (str_is(mark, "PE"))
		return STR("");
	if (str_is(mark, "PS"))
		buf_putc(&b, '$');
	if (str_is(mark, "PS") || str_is(mark, "PD"))
		name = str_from(name, len);
	add_key_part(&b, name);
	key = arena_str(a, buf_str(&b));
	buf_fini(&b);
	return key;
}

/* -?digits[.digits][e[+-]digits] taken apart. */
struct number {
	bool minus;
	struct str whole, part;
	int64_t exponent;
};

static bool
split_number(struct str s, struct number *n)
{
	size_t e = 0, dot;
	struct str mantissa;

	*n = (struct number){ .minus = str_starts(s, "-") };
	s = str_from(s, n->minus ? 1 : 0);
	while (e < s.n && ascii_lower(s.p[e]) != 'e')
		e++;
	if (e < s.n && !str_to_i64(str_from(s, e + 1), &n->exponent))
		return false;
	mantissa = str_head(s, e);
	dot = str_find(mantissa, '.');
	n->whole = str_head(mantissa, dot);
	n->part = str_from(mantissa, dot + 1);
	return n->exponent >= INT32_MIN / 2 && n->exponent <= INT32_MAX / 2;
}

static void
print_unscaled(struct buf *b, struct str digits, int64_t scale)
{
	int64_t point = (int64_t)digits.n - scale;

	if (scale == 0) {
		buf_add_str(b, digits);
	} else if (scale > 0 && point - 1 >= -6) {
		if (point <= 0)
			buf_addz(b, "0.");
		for (int64_t i = point; i < 0; i++)
			buf_putc(b, '0');
		buf_add_str(b, str_head(digits, point > 0 ?
		    (size_t)point : 0));
		if (point > 0)
			buf_putc(b, '.');
		buf_add_str(b, str_from(digits, point > 0 ?
		    (size_t)point : 0));
	} else {
		buf_add(b, digits.p, 1);
		if (digits.n > 1) {
			buf_putc(b, '.');
			buf_add_str(b, str_from(digits, 1));
		}
		if (point - 1 != 0)
			buf_printf(b, "E%+lld", (long long)(point - 1));
	}
}

struct str
convert_decimal(struct str text, struct arena *a)
{
	struct buf b = { .p = NULL };
	struct number n;
	struct str digits, s;
	char *p;
	size_t zeros = 0;

	if (!split_number(text, &n))
		return STR_NULL;
	p = arena_alloc(a, n.whole.n + n.part.n + 1);
	memcpy(p, n.whole.p, n.whole.n);
	memcpy(p + n.whole.n, n.part.p, n.part.n);
	digits = (struct str){ p, n.whole.n + n.part.n };
	while (zeros + 1 < digits.n && p[zeros] == '0')
		zeros++;
	digits = str_from(digits, zeros);
	if (n.minus && digits.p[0] != '0')
		buf_putc(&b, '-');
	print_unscaled(&b, digits, (int64_t)n.part.n - n.exponent);
	s = arena_str(a, buf_str(&b));
	buf_fini(&b);
	return s;
}

/* Text as the JSON value it looks like. */
static struct cJSON *
primitive(const struct to_json *to, struct str s)
{
	struct str number;

	if (s.n == 0 || str_is(s, "null"))
		return json_new_null(to->arena);
	if (str_is(s, "true") || str_is(s, "false"))
		return json_new_bool(to->arena, s.n == 4);
	if (json_is_number(s)) {
		number = convert_decimal(s, to->arena);
		if (number.p)
			return json_new_number(to->arena, number);
	}
	return json_new_string(to->arena, s);
}

static bool
is_text(const xmlNode *n)
{
	return n->type == XML_TEXT_NODE || n->type == XML_CDATA_SECTION_NODE;
}

static bool
is_multiple(const xmlNode *n)
{
	return n->type == XML_PI_NODE &&
	    xmlStrEqual(n->name, (const xmlChar *)"xml-multiple");
}

static struct str
local_name(const xmlNode *n)
{
	return str_of((const char *)n->name);
}

static bool
is_named(const xmlNode *n, const char *name)
{
	return n && str_is(local_name(n), name);
}

/* The next sibling that is an element or an xml-multiple instruction. */
static const xmlNode *
next_part(const xmlNode *n)
{
	while (n && n->type != XML_ELEMENT_NODE && !is_multiple(n))
		n = n->next;
	return n;
}

static bool
has_content_text(const xmlNode *el)
{
	for (const xmlNode *n = el->children; n; n = n->next)
		if (is_text(n) && n->content &&
		    !str_blank(str_of((const char *)n->content)))
			return true;
	return false;
}

static struct cJSON *value_of(const struct to_json *, const xmlNode *,
    unsigned depth);

/*
 * The run of equal names that starts at *at, where an instruction may stand
 * before it: its name, the element to start with or NULL, and whether the
 * instruction asks for an array.
 */
struct run {
	struct str name;
	const xmlNode *first;
	bool array;
};

static struct run
run_start(const xmlNode *at)
{
	struct run run = { .first = at };

	if (is_multiple(at)) {
		struct str data = str_trim(str_of(at->content ?
		    (const char *)at->content : ""));

		run.array = true;
		run.first = next_part(at->next);
		if (run.first && is_multiple(run.first))
			run.first = NULL;
		if (!data.n && run.first)
			data = local_name(run.first);
		/* A prefix in the data means nothing here. */
		data = str_find(data, ':') < data.n ?
		    str_from(data, str_find(data, ':') + 1) : data;
		run.name = data;
		if (run.first && !str_eq(local_name(run.first), data))
			run.first = NULL;
	} else {
		run.name = local_name(at);
	}
	return run;
}

/* The value of a run; *next_out is what comes behind it. NULL after an error. */
static struct cJSON *
run_value(const struct to_json *to, const xmlNode *at, const struct run *run,
    unsigned depth, const xmlNode **next_out)
{
	struct cJSON *value = NULL, *array = NULL;
	const xmlNode *n = run->first;

	if (run->array)
		array = json_new_array(to->arena);
	*next_out = n ? n : next_part(at->next);
	while (n && n->type == XML_ELEMENT_NODE &&
	    str_eq(local_name(n), run->name)) {
		if (value && !array) {
			array = json_new_array(to->arena);
			json_append(array, value);
		}
		value = value_of(to, n, depth);
		if (!value)
			return NULL;
		if (array)
			json_append(array, value);
		n = *next_out = next_part(n->next);
	}
	return array ? array : value;
}

static int
add_members(const struct to_json *to, const xmlNode *el,
    struct cJSON *object, unsigned depth)
{
	const xmlNode *at = next_part(el->children);

	while (at) {
		struct run run = run_start(at);
		struct cJSON *value = run_value(to, at, &run, depth, &at);

		if (!value)
			return -1;
		if (run.name.n)
			json_add(to->arena, object,
			    convert_name_to_key(run.name, to->arena), value);
	}
	return 0;
}

static void
add_attributes(const struct to_json *to, const xmlNode *el,
    struct cJSON *object)
{
	for (const xmlAttr *p = el->properties; p; p = p->next) {
		struct str key = convert_name_to_key(
		    str_of((const char *)p->name), to->arena);

		json_add(to->arena, object, arena_printf(to->arena, "@%.*s",
		    STR_FMT(key)), json_new_string(to->arena,
		    xml_own_text((const xmlNode *)(const void *)p,
		    to->arena)));
	}
}

/*
 * jsonArray and jsonElement stand for no member when all that an element holds
 * is a run of them: the value is then the run's own.
 */
static bool
is_wrapped(const xmlNode *el)
{
	const xmlNode *first = next_part(el->children), *n;
	struct run run;

	if (!first || el->properties)
		return false;
	run = run_start(first);
	if (!str_is(run.name, "jsonElement") && !str_is(run.name, "jsonArray"))
		return false;
	for (n = run.first; n; n = next_part(n->next))
		if (!str_eq(local_name(n), run.name))
			return false;
	return run.first || !next_part(first->next);
}

static struct cJSON *
wrapped_value(const struct to_json *to, const xmlNode *el, unsigned depth)
{
	const xmlNode *first = next_part(el->children), *rest;
	struct run run = run_start(first);

	return run_value(to, first, &run, depth, &rest);
}

static struct cJSON *
object_of(const struct to_json *to, const xmlNode *el, unsigned depth)
{
	struct cJSON *object = json_new_object(to->arena);
	struct str text;

	add_attributes(to, el, object);
	if (next_part(el->children)) {
		if (add_members(to, el, object, depth))
			return NULL;
	} else if (has_content_text(el)) {
		text = xml_own_text(el, to->arena);
		json_add(to->arena, object, STR("$"), primitive(to, text));
	}
	return object;
}

static struct cJSON *
value_of(const struct to_json *to, const xmlNode *el, unsigned depth)
{
	bool parts = next_part(el->children) != NULL;

	if (depth == 0) {
		err_set(to->err, ERR_LIMIT, "XML to JSON: nested too deeply");
		return NULL;
	}
	if (parts && has_content_text(el)) {
		err_set(to->err, ERR_VALUE, "XML to JSON: <%s> has both text "
		    "and elements", (const char *)el->name);
		return NULL;
	}
	if (parts && is_wrapped(el))
		return wrapped_value(to, el, depth - 1);
	if (parts || el->properties)
		return object_of(to, el, depth - 1);
	return primitive(to, has_content_text(el) ?
	    xml_own_text(el, to->arena) : STR(""));
}

struct cJSON *
convert_to_json(const struct _xmlNode *root, struct arena *a,
    struct err *err)
{
	struct to_json to = { .arena = a, .err = err };
	bool bare = is_named(root, "jsonObject") ||
	    is_named(root, "jsonArray") || is_named(root, "jsonElement") ||
	    is_named(root, "jsonValue");
	struct cJSON *value, *object;

	if (is_named(root, "jsonObject") && !root->children &&
	    !root->properties)
		return json_new_object(a);
	value = value_of(&to, root, MAX_DEPTH);
	if (!value || bare)
		return value;
	object = json_new_object(a);
	json_add(a, object, convert_name_to_key(local_name(root), a), value);
	return object;
}
